/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of volumes. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "model/volume.h"

struct disk_plan;
struct instance;
struct host;
struct snapshot;
struct storage_pool;
struct volume_attaching;
struct instance_report;

/* ERR_INVALID: a name or a description of more than 255 bytes. */
RESULT volume_check_words(struct op *op, struct str name, struct str description);
/* A host of the zone, or that one alone (none: any), that has room for the disk, in the pool of its type. ERR_CAPACITY. */
RESULT volume_place(struct op *op, uuid account, uuid zone, uuid on_host, const struct disk_plan *disk,
		    const struct host **ret_host);
/* ERR_QUOTA: the account may have no more volumes, of that size, or of that type. */
RESULT volume_check_quotas(struct op *op, uuid account, const struct disk_plan *disk);
/* Puts a new volume. account, zone, host, attachment and tags are set; the rest is as planned, the id is drawn. */
RESULT volume_write(struct op *op, struct volume *volume, const struct disk_plan *disk);
/* Whether the caller may make one as planned; like: its account and tags. */
RESULT volume_permit_new(struct op *op, const char *permission, const struct volume *like, uuid zone,
			 const struct disk_plan *disk);
/* ERR_CAPACITY when the host has not as many bytes left, or the volume's shared pool if it is to stay there; or when
 * it is to go to a host that does not see that. volume NULL: one of no such pool. host NULL: OK. */
RESULT volume_check_room(struct op *op, const struct volume *volume, const struct host *host, int64_t more,
			 struct str field);
/* ERR_CAPACITY: it lies in a shared pool that the host does not see. host NULL: OK. */
RESULT volume_check_sees(struct op *op, const struct volume *volume, const struct host *host,
			 struct str field);
/* Marks it deleted and ends its usage. */
RESULT volume_delete_metered(struct op *op, const struct volume *volume);
/* seen_instance of the volumes that a report of an instance names, or names no more. */
RESULT volume_see_plugged(struct op *op, const struct instance_report *report);
/* It gets the content of its snapshot: nobody has it open, which the caller checked. */
RESULT volume_write_revert(struct op *op, const struct volume *volume, const struct snapshot *snapshot);
/* Nobody has been promised it. ERR_STATE: it is on offer, reserved, or being reverted or swapped. */
RESULT volume_check_unreserved(struct op *op, const struct volume *volume, const struct ref *ref);
/* The wish may attach it: it is not reserved, or it was promised to that instance. ERR_STATE. */
RESULT volume_check_promise(struct op *op, const struct volume_attaching *wish, const struct volume *volume,
			    const struct instance *instance);
/* It is to be on that host; what a move to another one has brought there is to go. */
void volume_send_to(struct volume *volume, uuid host);
/* Its first attachment ends: a further one takes that place, or it is free. The caller puts it. */
RESULT volume_leave_instance(struct op *op, struct volume *volume);
/* An instance is no more: its volumes are without it, and go if it was the last that had them and they were
 * to go with it. */
RESULT volume_end_attachments(struct op *op, uuid instance);
/* It has no attachment, or may have one more. ERR_IN_USE; ERR_QUOTA. */
RESULT volume_check_takes_more(struct op *op, const struct ref *ref, const struct volume *volume);
/* If another volume is about to take its place, it stays, for that reason. */
RESULT volume_give_up_swap(struct op *op, uuid volume, struct str why);
/* Nothing is in the way of its going to another pool. ERR_STATE, ERR_UNSUPPORTED. */
RESULT volume_check_movable(struct op *op, const struct volume *volume, const struct ref *ref);
struct volume_destination {
	const struct storage_pool *pool;     /* NULL: a host's directory */
	const struct host *host;             /* NULL: its own, or any that may have it and sees the pool */
	enum volume_reservation reservation; /* meanwhile */
	struct str field;                    /* for messages */
};
/* It is to go there; volume_check_movable() said that it may. ERR_INVALID: it is there. ERR_CAPACITY. */
RESULT volume_begin_move(struct op *op, uuid volume, const struct volume_destination *to);
/* If it is to go to another pool, it stays: what may be there of it is to be removed. The caller puts it. */
void volume_stop_move(struct volume *volume);
/* The same, told to its users as the failure that it is. */
RESULT volume_give_up_move(struct op *op, uuid volume, struct str why);
struct volume_place {
	int64_t slot;
	struct str device, tag;
	bool delete_on_termination;
	/* made: */
	uuid attachment; /* the id of a further attachment; none: it is the first */
};
/* Whether it goes with the instance that it is attached to. attached: as engine_list_disks() has it. */
RESULT volume_set_fate(struct op *op, const struct volume *attached, bool delete_on_termination);
/* It is to leave that instance. attached: as engine_list_disks() has it. */
RESULT volume_write_detach(struct op *op, const struct volume *attached, bool force);
/* Attaches it to an instance, which it follows if it was free. */
RESULT volume_write_attachment(struct op *op, const struct volume *volume, const struct instance *instance,
			       struct volume_place *place);
/* The next slot of an instance that is free, and how its disk is called there. ERR_QUOTA. */
RESULT volume_choose_place(struct op *op, const struct instance *instance, const struct ref *ref,
			   int64_t *ret_slot, struct str *ret_device);
/* Nothing keeps an instance's disks from going to another account with it. ERR_STATE with KIND_VOLUME: one has snapshots,
 * is reserved, or is another instance's, too; ERR_IN_USE: it is in a group. */
RESULT volume_check_all_givable(struct op *op, uuid instance, struct str field);
/* Those that are the giver's become the taker's, as their usage says, too; their snapshot policies end. ERR_QUOTA. */
RESULT volume_give_all(struct op *op, uuid instance, uuid giver, uuid taker);
/* Whether a volume lies in the pool, and is worked on through that host (none: through any). */
bool volume_is_any_in(const struct tables *t, uuid pool, uuid host);
/* The host is away, or about to go: another one that sees their pools works on the volumes that nobody has. */
RESULT volume_pass_on_all(struct op *op, uuid host);
/* So many bytes of it are used from now on; of a local disk nothing is told. */
RESULT volume_meter(struct op *op, const struct volume *volume, int64_t size);
/* A host is given up (volume_loss.c): the volumes that it alone had are lost, snapshots that were to be cut there
 * fail, and what was to be deleted there is gone. Adds what is lost to the wish. */
struct host_forgetting;
RESULT volume_lose_all(struct op *op, uuid host, struct host_forgetting *wish);
/* It is to be a copy of a volume: of a snapshot that goes once it is made. */
RESULT volume_begin_copy(struct op *op, struct disk_plan *plan);
/* engine_end_sending() of a volume. */
struct sending_end;
RESULT volume_end_sending(struct op *op, const struct sending_end *wish);
/* ERR_UNSUPPORTED with KIND_VOLUME_TYPE: it is not offered in the zone. */
RESULT volume_check_offered(struct op *op, struct str type, uuid zone, struct str field);
/* Nothing is left to be done of its last modification. */
bool volume_is_as_modified(const struct volume *volume);
