/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: local disks. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/storage/volume/local_disk.h"

struct disk_plans;
struct instance;
struct instance_type;
struct volume;

/* Adds the type's local disks, or the requested ones, after the root disk. ERR_INVALID: more than the type
 * has, two swap disks, or too many disks. */
RESULT local_disks_plan(struct op *op, const struct instance_type *type, const struct local_disk_wish *wishes,
			size_t count, struct disk_plans *plans);
/* Replaces the local disk by a blank one. */
RESULT local_disk_renew(struct op *op, const struct instance *instance, const struct volume *old,
			struct str field);
/* Replaces all local disks of the instance. */
RESULT local_disks_renew(struct op *op, const struct instance *instance, struct str field);
/* Fits local disks to another type. Ephemeral disks stay, or are added if there were none; a swap disk of
 * another size is replaced. goes_back: to a former type, so disks added since are removed. ERR_INVALID: the
 * type has less than there is. */
RESULT local_disks_fit(struct op *op, const struct instance *instance, const struct instance_type *type,
		       bool goes_back, struct str field);
