/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of volumes. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct volume_attaching;
struct disk_plan;
struct instance_report;

/* Puts a new volume. account, zone, host, attachment and tags are set; the rest is as planned, the id is drawn. */
RESULT volume_write(struct op *op, struct volume *volume, const struct disk_plan *disk);
/* Whether the caller may make one as planned; like: its account and tags. */
RESULT volume_permit_new(struct op *op, const char *permission, const struct volume *like, uuid zone,
			 const struct disk_plan *disk);
/* ERR_CAPACITY when the host has not as many bytes left. host NULL: OK. */
RESULT volume_check_room(struct op *op, const struct host *host, int64_t more, struct str field);
/* Marks it deleted and ends its usage. */
RESULT volume_delete_metered(struct op *op, const struct volume *volume);
/* seen_instance of the volumes that a report of an instance names, or names no more. */
RESULT volume_see_plugged(struct op *op, const struct instance_report *report);
/* Nobody has been promised it. ERR_STATE: it is on offer, reserved, or being reverted. */
RESULT volume_check_unreserved(struct op *op, const struct volume *volume, const struct ref *ref);
/* The wish may attach it: it is not reserved, or it was promised to that instance. ERR_STATE. */
RESULT volume_check_promise(struct op *op, const struct volume_attaching *wish, const struct volume *volume,
			    const struct instance *instance);
/* The instance that it is for, or is still plugged into. */
uuid volume_holder(const struct volume *volume);
/* It is to be on that host; what a move to another one has brought there is to go. */
void volume_send_to(struct volume *volume, uuid host);
/* It is free: nothing of its attachment is left. */
void volume_leave_instance(struct volume *volume);
/* The next slot of an instance that is free, and how its disk is called there. ERR_QUOTA. */
RESULT volume_choose_place(struct op *op, const struct instance *instance, const struct ref *ref,
			   int64_t *ret_slot, struct str *ret_device);
struct str volume_meter(const struct op *op, const struct volume *volume);
/* It is to be a copy of a volume: of a snapshot that goes once it is made. */
RESULT volume_begin_copy(struct op *op, struct disk_plan *plan);
