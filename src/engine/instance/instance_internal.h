/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of instances. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "model/instance.h"

struct disk_plan;
struct disk_plans;
struct instances_wish;
struct placement_need;

/* What is done to each of the instances of a wish: the rule of the state, then the row. */
struct instance_move {
	const char *permission;
	bool is_lock;         /* what is locked may be locked and unlocked */
	bool takes_destroyed; /* what is destroyed may be asked this */
	RESULT(*apply)
	(struct op *op, const struct instances_wish *wish, const struct instance *instance,
	 const struct ref *ref);
};
RESULT instance_move_all(struct op *op, struct instances_wish *wish, const struct instance_move *move);
/* ERR_STATE: it is in no state from which that can be done: "started". */
RESULT instance_fail_state(struct op *op, const struct ref *ref, const char *done);
/* ERR_PROTECTED: an attribute of it keeps it from being ended. */
RESULT instance_check_unprotected(struct op *op, const struct instance *instance, const struct ref *ref);

/* As named, available, and the caller's to launch. */
RESULT instance_find_launched_image(struct op *op, const struct ref *ref, const struct image **ret_image);
/* The type has what the image needs: its architecture, its memory. */
RESULT instance_check_needs(struct op *op, const struct image *image, const struct instance_type *type,
			    struct str field);
/* The type may say more than the image, not less. */
RESULT instance_size_root(struct op *op, const struct instance_type *type, struct str field,
			  struct disk_plan *root);
/* What its image says, into a row that is about to be put. */
void instance_copy_hardware(const struct image *image, struct instance *instance);
/* On a host, or with a condition that says that none has room. */
/* A host is given up (instance_evacuate.c): what can leave it does, what was to end has ended, and the others are off
 * and on no host; adds these to the wish. ERR_STATE: something is under way of one. */
struct host_forgetting;
RESULT instance_give_up_all(struct op *op, uuid host, struct host_forgetting *wish);
/* None of its disks is lost. ERR_STATE with KIND_VOLUME. */
RESULT instance_check_disks(struct op *op, const struct instance *instance, const struct ref *ref);
RESULT instance_place_or_log(struct op *op, uuid instance);
/* It is on that host: so are its disks and its ports. With a new gen. */
RESULT instance_write_host(struct op *op, const struct instance *instance, uuid host);
/* What a host is to have for it, with all its disks. */
void instance_get_need(const struct tables *t, const struct instance *instance,
		       struct placement_need *ret_need);
/* Whether a host has room for it that is open: of one whose own is not, another. */
RESULT instance_find_elsewhere(struct op *op, const struct instance *instance, bool *ret_fits);
/* ERR_INVALID: a name or a description of more than 255 bytes. */
RESULT instance_check_words(struct op *op, struct str name, struct str description);
/* As named, and offered. */
RESULT instance_find_offered_type(struct op *op, const struct ref *ref,
				  const struct instance_type **ret_type);
/* Into a row that is about to be put. It stays where its disks are: ERR_CAPACITY when there is no room for
 * what it gets more; ERR_QUOTA likewise. */
RESULT instance_change_type(struct op *op, const struct instance_type *type, struct str field,
			    struct instance *next);
/* ERR_INVALID: too much user data, or a metadata hop limit out of 1 to 64; 0 is none said. */
RESULT instance_check_sizes(struct op *op, struct str user_data, int64_t hop_limit);
/* ERR_STATE unless it runs from its root disk or is stopped, and nothing else is asked of it. */
RESULT instance_check_settled(struct op *op, const struct instance *instance, const struct ref *ref,
			      const char *done);
/* A new gen, in a row that is about to be put; what runs boots cold for it. */
void instance_begin_task(const struct op *op, enum instance_task task, bool asks_guest,
			 struct instance *next);
/* Its live root disk, or NULL. */
const struct volume *instance_find_root(const struct tables *t, uuid instance);
uuid instance_get_root_id(const struct tables *t, uuid instance); /* none: likewise */
/* A new disk of it, as planned, in that slot. */
RESULT instance_write_disk(struct op *op, const struct instance *instance, const struct disk_plan *disk,
			   int64_t slot, struct str field, uuid *ret_volume);
/* The disks of a new instance that starts from an ISO: a blank root disk, and the medium. ERR_INVALID: it is none. */
RESULT instance_plan_from_medium(struct op *op, const struct image *image, const struct ref *ref,
				 struct disk_plans *plans);
/* A new root disk of the image, on the host of the row, instead of the old one. */
RESULT instance_replace_root(struct op *op, const struct instance *instance, const struct image *image,
			     const struct volume *old, const struct ref *ref);
/* As if it were detached; and its end comes with that, unless it is to outlive its instance. */
RESULT instance_leave_disk(struct op *op, const struct volume *disk);
/* One that is shelved is wanted on a host again, and on. */
RESULT instance_write_unshelve(struct op *op, const struct instance *instance);
/* Places an instance that is on no host on that one. ERR_CAPACITY: it does not take it, with why. */
RESULT instance_place_on(struct op *op, uuid instance, const struct host *host, struct str field);
/* The image goes that was made when one was shelved; none: there is none. */
RESULT instance_end_shelved_image(struct op *op, uuid image);
/* Into a row that is about to be put, with the gen that it has: wanted on from now on; its ports get the
 * addresses that go with its run. */
RESULT instance_turn_on(struct op *op, struct instance *next);
/* ERR_PROTECTED: it is locked, and it is no administrator who asks. */
RESULT instance_check_unlocked(struct op *op, const struct instance *instance, struct str field);
/* The same; and ERR_STATE: it is destroyed, so that nothing is asked of it but to be recovered or ended. */
RESULT instance_check_changeable(struct op *op, const struct instance *instance, struct str field);
/* Into a row that is about to be put, wanted on from now on: from a host with a maintenance ahead it goes to
 * another one, or has an event there. ERR_CAPACITY with KIND_HOST: that has begun, and no other one has room.
 */
RESULT instance_avoid_maintenance(struct op *op, struct instance *next);
/* Of one that has come to its host: an event, if it is to run there and that has a maintenance ahead. */
RESULT instance_join_maintenance(struct op *op, const struct instance *instance);
/* From now on it holds what its type says (level 1), running or not, or no longer (0): what Nova counts as
 * usage. The meter is "server:<vCPUs>:<MiB>:<GiB of its root disk>:<type>" (engine/instance/instance.h reads
 * it). */
RESULT instance_meter_allocation(struct op *op, const struct instance *instance, int64_t level);
/* It is gone from its host: its ports, volumes and addresses go or are freed. */
RESULT instance_release_parts(struct op *op, const struct instance *instance);
/* Marks it deleted, with the reason; ends it at once where it was never placed. */
RESULT instance_write_terminate(struct op *op, const struct instance *instance, const char *reason_code,
				const char *reason_text);
/* ERR_QUOTA: the account's limits, or those of who made it, do not take one more like it. */
RESULT instance_check_quotas(struct op *op, uuid account, const struct instance *instance);
/* Its ports are without it; those go that were to go with it. */
RESULT instance_release_ports(struct op *op, uuid instance);
/* Its ports' auto-assigned addresses go back: it is off, as wanted. */
RESULT instance_release_addresses(struct op *op, uuid instance);
/* It has no snapshot of itself, which would keep its disks as they are. ERR_STATE; why: "Unable to …". */
RESULT instance_check_no_snapshots(struct op *op, uuid instance, struct str field, const char *why);
/* Its snapshots go; what an image stands on stays as that one's. */
RESULT instance_end_snapshots(struct op *op, uuid instance);
