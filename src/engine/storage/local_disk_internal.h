/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of local disks. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/storage/local_disk.h"

struct disk_plans;
struct instance;
struct instance_type;
struct volume;

/* Puts those of the type, or those named, behind the root disk. ERR_INVALID: more is named than the type has, or two
 * disks to swap on; or the instance would have too many disks. */
RESULT local_disks_plan(struct op *op, const struct instance_type *type, const struct local_disk_wish *wishes,
			size_t count, struct disk_plans *plans);
/* A blank one in the place of that one. */
RESULT local_disk_renew(struct op *op, const struct instance *instance, const struct volume *old,
			struct str field);
/* The same of each that the instance has. */
RESULT local_disks_renew(struct op *op, const struct instance *instance, struct str field);
/* As a change of its type wants them: ephemeral disks stay as they are, or come where there were none; the one to swap
 * on is made anew if its size is another. goes_back: to a type that it had, so what has come since goes. ERR_INVALID:
 * the type has less than there is. */
RESULT local_disks_fit(struct op *op, const struct instance *instance, const struct instance_type *type,
		       bool goes_back, struct str field);
