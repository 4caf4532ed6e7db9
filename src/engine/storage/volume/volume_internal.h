/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: volumes. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "model/volume_words.h"

struct volume;
struct disk_plan;
struct instance;
struct host;
struct snapshot;
struct storage_pool;
struct volume_attaching;
struct instance_report;

/* ERR_INVALID: the name or the description is longer than 255 bytes. */
RESULT volume_check_words(struct op *op, struct str name, struct str description);
/* Finds a host in the zone (or only on_host; none: any) with room for the disk, in the pool of its type.
 * ERR_CAPACITY. */
RESULT volume_place(struct op *op, uuid account, uuid zone, uuid on_host, const struct disk_plan *disk,
		    const struct host **ret_host);
/* ERR_QUOTA: the account's quota does not allow another volume of that size or type. */
RESULT volume_check_quotas(struct op *op, uuid account, const struct disk_plan *disk);
/* Puts a new volume with a new id. The caller sets account, zone, host, attachment and tags; the plan sets
 * the rest. */
RESULT volume_write(struct op *op, struct volume *volume, const struct disk_plan *disk);
/* True if the caller may create the planned volume. `like` provides account and tags. */
RESULT volume_permit_new(struct op *op, const char *permission, const struct volume *like, uuid zone,
			 const struct disk_plan *disk);
/* ERR_CAPACITY: the host, or the shared pool the volume stays in, has too little room; or the new host does
 * not see that pool. volume NULL: a volume in no shared pool. host NULL: OK. */
RESULT volume_check_room(struct op *op, const struct volume *volume, const struct host *host, int64_t more,
			 struct str field);
/* ERR_CAPACITY: the host does not see the volume's shared pool. host NULL: OK. */
RESULT volume_check_sees(struct op *op, const struct volume *volume, const struct host *host,
			 struct str field);
/* Marks the volume deleted and ends its metering. */
RESULT volume_delete_metered(struct op *op, const struct volume *volume);
/* Updates seen_instance of the volumes that an instance's report names, or no longer names. */
RESULT volume_see_plugged(struct op *op, const struct instance_report *report);
/* Reverts the volume to the snapshot. The caller checked that nobody has it open. */
RESULT volume_write_revert(struct op *op, const struct volume *volume, const struct snapshot *snapshot);
/* ERR_STATE: the volume is offered, reserved, being reverted or being swapped. */
RESULT volume_check_unreserved(struct op *op, const struct volume *volume, const struct ref *ref);
/* Checks that the volume is not reserved, or is reserved for that instance. ERR_STATE. */
RESULT volume_check_promise(struct op *op, const struct volume_attaching *wish, const struct volume *volume,
			    const struct instance *instance);
/* Sends the volume to that host. What an earlier move has brought to another host must be removed there. */
void volume_send_to(struct volume *volume, uuid host);
/* Ends the first attachment: a further one takes its place, or the volume is free. The caller puts it. */
RESULT volume_leave_instance(struct op *op, struct volume *volume);
/* The instance is gone: detaches its volumes, and deletes those with delete_on_termination that no other
 * instance has. */
RESULT volume_end_attachments(struct op *op, uuid instance);
/* Checks that the volume is free, or shared with room for one more attachment. ERR_IN_USE; ERR_QUOTA. */
RESULT volume_check_takes_more(struct op *op, const struct ref *ref, const struct volume *volume);
/* If another volume is about to replace this one, cancels the swap and records `why`. */
RESULT volume_give_up_swap(struct op *op, uuid volume, struct str why);
/* Checks that the volume can move to another pool. ERR_STATE, ERR_UNSUPPORTED. */
RESULT volume_check_movable(struct op *op, const struct volume *volume, const struct ref *ref);
struct volume_destination {
	const struct storage_pool *pool;     /* NULL: a host's own directory */
	const struct host *host;             /* NULL: the present host, or any suitable one that sees the
					      * pool */
	enum volume_reservation reservation; /* meanwhile */
	struct str field;                    /* for messages */
};
/* Starts the move; the caller ran volume_check_movable(). ERR_INVALID: the volume is already there.
 * ERR_CAPACITY. */
RESULT volume_begin_move(struct op *op, uuid volume, const struct volume_destination *to);
/* Cancels a move to another pool: what it has brought there must be removed. The caller puts the volume. */
void volume_stop_move(struct volume *volume);
/* Like volume_stop_move(), but puts the volume and reports the failure to its users. */
RESULT volume_give_up_move(struct op *op, uuid volume, struct str why);
struct volume_place {
	int64_t slot;
	struct str device, tag;
	bool delete_on_termination;
	/* result: */
	uuid attachment; /* id of a further attachment; none: it is the first */
};
/* Sets delete_on_termination. attached: as listed by engine_list_disks(). */
RESULT volume_set_fate(struct op *op, const struct volume *attached, bool delete_on_termination);
/* Detaches the volume from that instance. attached: as listed by engine_list_disks(). */
RESULT volume_write_detach(struct op *op, const struct volume *attached, bool force);
/* Attaches the volume to an instance; a free volume goes to the instance's host. */
RESULT volume_write_attachment(struct op *op, const struct volume *volume, const struct instance *instance,
			       struct volume_place *place);
/* Finds the instance's next free slot and a device name for it. ERR_QUOTA. */
RESULT volume_choose_place(struct op *op, const struct instance *instance, const struct ref *ref,
			   int64_t *ret_slot, struct str *ret_device);
/* Checks that an instance's disks can go to another account with it. ERR_STATE with KIND_VOLUME: one has
 * snapshots, is reserved, or is attached elsewhere, too; ERR_IN_USE: it is in a group. */
RESULT volume_check_all_givable(struct op *op, uuid instance, struct str field);
/* Gives the giver's disks and their metering to the taker and ends their snapshot policies. ERR_QUOTA. */
RESULT volume_give_all(struct op *op, uuid instance, uuid giver, uuid taker);
/* True if the pool has volumes that this host works on (none: any host). */
bool volume_is_any_in(const struct tables *t, uuid pool, uuid host);
/* The host is away, or about to go: hands the volumes that no instance has to another host that sees their
 * pools. */
RESULT volume_pass_on_all(struct op *op, uuid host);
/* Sets the volume's metered size in bytes. Local disks are not metered. */
RESULT volume_meter(struct op *op, const struct volume *volume, int64_t size);
/* A host is given up (volume_loss.c): volumes that only it had are lost, snapshots waiting for a cut there
 * fail, and deletions there are done. Adds the losses to the wish. */
struct host_forgetting;
RESULT volume_lose_all(struct op *op, uuid host, struct host_forgetting *wish);
/* Starts a copy of a volume, through a snapshot that is deleted once the copy exists. */
RESULT volume_begin_copy(struct op *op, struct disk_plan *plan);
/* engine_end_sending() for a volume. */
struct sending_end;
RESULT volume_end_sending(struct op *op, const struct sending_end *wish);
/* ERR_UNSUPPORTED with KIND_VOLUME_TYPE: the zone does not offer the type. */
RESULT volume_check_offered(struct op *op, struct str type, uuid zone, struct str field);
/* True if the last modification is complete. */
bool volume_is_as_modified(const struct volume *volume);
