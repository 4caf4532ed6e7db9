/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: instances, for other files of the engine. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "model/instance.h"

struct disk_plan;
struct disk_plans;
struct instances_wish;
struct placement_need;

/* An action on each instance of a wish: checks the state, then writes the row. */
struct instance_move {
	const char *permission;
	bool is_lock;         /* allowed on locked instances */
	bool takes_destroyed; /* allowed on destroyed instances */
	RESULT(*apply)
	(struct op *op, const struct instances_wish *wish, const struct instance *instance,
	 const struct ref *ref);
};
RESULT instance_move_all(struct op *op, struct instances_wish *wish, const struct instance_move *move);
/* Fails with ERR_STATE: "… cannot be `done` in its state", such as "started". */
RESULT instance_fail_state(struct op *op, const struct ref *ref, const char *done);
/* ERR_PROTECTED: the instance is locked or has termination protection. */
RESULT instance_check_unprotected(struct op *op, const struct instance *instance, const struct ref *ref);

/* Finds an available image that the caller may launch. */
RESULT instance_find_launched_image(struct op *op, const struct ref *ref, const struct image **ret_image);
/* Checks that the type has the architecture and memory that the image needs. */
RESULT instance_check_needs(struct op *op, const struct image *image, const struct instance_type *type,
			    struct str field);
/* Sizes the root disk by the type, which may ask for more than the image, not less. */
RESULT instance_size_root(struct op *op, const struct instance_type *type, struct str field,
			  struct disk_plan *root);
/* Copies the image's hardware settings into a row that is about to be put. */
void instance_copy_hardware(const struct image *image, struct instance *instance);
/* Empties a host that never comes back (instance_evacuate.c). Instances leave if they can; the rest are off
 * and without a host, and added to the wish if they lost something. ERR_STATE: an instance is on its way to
 * another host. */
struct host_forgetting;
RESULT instance_give_up_all(struct op *op, uuid host, struct host_forgetting *wish);
/* instance_check_disks(): ERR_STATE with KIND_VOLUME if a disk of the instance is lost.
 * instance_place_or_log(): places the instance on a host, or sets the condition that none has room. */
RESULT instance_check_disks(struct op *op, const struct instance *instance, const struct ref *ref);
RESULT instance_place_or_log(struct op *op, uuid instance);
/* Moves the instance's row to a host, with its disks and ports, and increments gen. */
RESULT instance_write_host(struct op *op, const struct instance *instance, uuid host);
/* Resources that a host needs for the instance with all its disks. */
void instance_get_need(const struct tables *t, const struct instance *instance,
		       struct placement_need *ret_need);
/* True if an open host has room for the instance: another one, if its own is not open. */
RESULT instance_find_elsewhere(struct op *op, const struct instance *instance, bool *ret_fits);
/* ERR_INVALID: name or description exceed 255 bytes. */
RESULT instance_check_words(struct op *op, struct str name, struct str description);
/* Finds a type that is offered to the caller. */
RESULT instance_find_offered_type(struct op *op, const struct ref *ref,
				  const struct instance_type **ret_type);
/* Changes the type in a row that is about to be put. The instance stays on its host, because its disks are
 * there: ERR_CAPACITY, ERR_QUOTA if the increase does not fit. */
RESULT instance_change_type(struct op *op, const struct instance_type *type, struct str field,
			    struct instance *next);
/* ERR_INVALID: user data is too large, or the hop limit is not 1 to 64 (0: not given). */
RESULT instance_check_sizes(struct op *op, struct str user_data, int64_t hop_limit);
/* ERR_STATE unless the instance is running from its root disk, or stopped, with nothing else pending. */
RESULT instance_check_settled(struct op *op, const struct instance *instance, const struct ref *ref,
			      const char *done);
/* Begins a task in a row that is about to be put: increments gen, and has a running guest boot cold. */
void instance_begin_task(const struct op *op, enum instance_task task, bool asks_guest,
			 struct instance *next);
/* The instance's live root disk, or NULL. */
const struct volume *instance_find_root(const struct tables *t, uuid instance);
uuid instance_get_root_id(const struct tables *t, uuid instance); /* its id, or none */
/* Writes a new disk of the instance, as planned, in the slot. */
RESULT instance_write_disk(struct op *op, const struct instance *instance, const struct disk_plan *disk,
			   int64_t slot, struct str field, uuid *ret_volume);
/* Plans the disks of an instance that boots from an ISO: a blank root disk and the medium. ERR_INVALID: not
 * an ISO. */
RESULT instance_plan_from_medium(struct op *op, const struct image *image, const struct ref *ref,
				 struct disk_plans *plans);
/* Replaces the root disk by one made from the image, on the host of the row. */
RESULT instance_replace_root(struct op *op, const struct instance *instance, const struct image *image,
			     const struct volume *old, const struct ref *ref);
/* Detaches a disk; deletes it if it has delete_on_termination and no other attachment. */
RESULT instance_leave_disk(struct op *op, const struct volume *disk);
/* Asks for a host for a shelved instance, and wants it on. */
RESULT instance_write_unshelve(struct op *op, const struct instance *instance);
/* Places an instance without a host on that one. ERR_CAPACITY, with the reason: the host does not accept
 * it. */
RESULT instance_place_on(struct op *op, uuid instance, const struct host *host, struct str field);
/* Deletes the image made by shelving; none: no-op. */
RESULT instance_end_shelved_image(struct op *op, uuid image);
/* Wants the instance on, in a row that is about to be put with its present gen; gives its ports their
 * auto-assigned addresses. */
RESULT instance_turn_on(struct op *op, struct instance *next);
/* ERR_PROTECTED: the instance is locked, and the caller is not an administrator. */
RESULT instance_check_unlocked(struct op *op, const struct instance *instance, struct str field);
/* Like instance_check_unlocked(); also ERR_STATE: the instance is destroyed, and may only be recovered or
 * terminated. */
RESULT instance_check_changeable(struct op *op, const struct instance *instance, struct str field);
/* Avoids a host with a planned maintenance, in a row that is about to be put and wanted on: moves the
 * instance elsewhere, or schedules an event. ERR_CAPACITY with KIND_HOST: the maintenance has begun, and no
 * other host has room. */
RESULT instance_avoid_maintenance(struct op *op, struct instance *next);
/* Schedules an event for an instance that is to run on a host with a planned maintenance. */
RESULT instance_join_maintenance(struct op *op, const struct instance *instance);
/* Starts (level 1) or ends (0) metering what the instance's type allocates, whether it runs or not: Nova's
 * usage. The meter is "server:<vCPUs>:<MiB>:<GiB of root disk>:<type>" (parsed by
 * engine/instance/instance.h). */
RESULT instance_meter_allocation(struct op *op, const struct instance *instance, int64_t level);
/* Releases ports, volumes and addresses of an instance that is gone from its host. */
RESULT instance_release_parts(struct op *op, const struct instance *instance);
/* Marks the instance deleted, with the reason; ends it at once if it never had a host. */
RESULT instance_write_terminate(struct op *op, const struct instance *instance, const char *reason_code,
				const char *reason_text);
/* ERR_QUOTA: the limits of the account or of its creator do not allow another such instance. */
RESULT instance_check_quotas(struct op *op, uuid account, const struct instance *instance);
/* Detaches the instance's ports; deletes those with delete_on_termination. */
RESULT instance_release_ports(struct op *op, uuid instance);
/* Releases the auto-assigned addresses of an instance that is off as wanted. */
RESULT instance_release_addresses(struct op *op, uuid instance);
/* ERR_STATE: the instance has a snapshot of itself, which pins its disks. `why` begins the message: "Unable
 * to …". */
RESULT instance_check_no_snapshots(struct op *op, uuid instance, struct str field, const char *why);
/* Ends the instance's snapshots. What an image is based on stays as the image's. */
RESULT instance_end_snapshots(struct op *op, uuid instance);
