/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: planned disks. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/storage/volume/volume.h"

struct disk_wish;

/* A planned disk with everything resolved. Texts are borrowed. */
struct disk_plan {
	struct str device;
	const struct str *tag;                /* device tag, which the guest reads from its metadata; NULL:
					       * none */
	const struct snapshot *snapshot;      /* source; NULL: blank */
	const struct volume *volume;          /* volume to snapshot first; NULL: none */
	const struct volume *existing;        /* existing volume to use; NULL: a new one */
	const struct image *image;            /* image that the content came from; NULL: none */
	const struct disk_crypt *key;         /* request that names an encryption key; NULL: none */
	bool is_medium;                       /* goes into the CD-ROM drive */
	bool is_bootable;                     /* can be booted from */
	bool is_encrypted : 1, is_shared : 1; /* valid after disk_plan_finish() */
	bool is_placed_later : 1;             /* the type's storage pool is checked when it is placed */
	bool is_unplaced : 1;                 /* no pool has room for it */
	bool delete_on_termination, is_left_out;
	enum choice encryption : 4, sharing : 4; /* as requested; default: not requested */
	unsigned local : 8; /* enum volume_local: a local disk by the instance type, hidden from lists of
			     * volumes */
	int64_t size;       /* in bytes; 0: the snapshot's */
	int64_t least;      /* minimum size; 0: the source's */
	struct str type;
	int64_t iops, throughput; /* 0: the type's default */
	struct str field;
};
enum { DISK_PLANS_MAX = 2 * INSTANCE_VOLUMES_MAX }; /* before left-out disks are dropped */
struct disk_plans {
	struct disk_plan at[DISK_PLANS_MAX];
	size_t count; /* the first one is the root disk */
};
/* Plans the disks of an image. ERR_STATE: the image has none. */
RESULT disk_plans_of_image(struct op *op, const struct image *image, struct disk_plans *ret_plans);
/* Applies each wish to the disk with its device name, or adds a disk. */
RESULT disk_plans_apply_wishes(struct op *op, const struct disk_wish *wishes, size_t count,
			       struct disk_plans *plans);
/* True if volumes of the type are encrypted. */
bool disk_plan_type_encrypts(const struct op *op, struct str type);
/* True for EC2's own types, even if the operator has changed them. */
bool disk_plan_is_ec2_type(struct str type);
/* True if the type allows volumes that several instances attach. */
bool disk_plan_type_shares(const struct op *op, struct str type);
/* Checks a volume that several instances may attach. ERR_COMBINATION: the type does not allow it.
 * ERR_UNSUPPORTED: encrypted. */
RESULT disk_plan_check_sharing(struct op *op, struct str type, bool is_encrypted);
/* True if the caller's account encrypts new volumes by default. */
bool disk_plan_is_encrypted_by_default(const struct op *op);
/* ERR_COMBINATION: a key is named for a disk that is not encrypted. crypt may be NULL. */
RESULT disk_plan_check_key(struct op *op, const struct disk_crypt *crypt, bool is_encrypted);
/* Set and check sizes; drop left-out disks. */
RESULT disk_plans_finish(struct op *op, struct disk_plans *plans);
RESULT disk_plan_finish(struct op *op, struct disk_plan *plan);
/* Applies everything that the wish says, with its source. */
RESULT disk_plan_apply_wish(struct op *op, const struct disk_wish *wish, struct disk_plan *plan);
/* ERR_STATE: the source snapshot is not completed. */
RESULT disk_plan_check_source(struct op *op, const struct disk_plan *plan);
/* Checks a device name by EC2's rules, such as "/dev/sdf" or "xvdh". */
RESULT disk_plan_check_device(struct op *op, struct str device, struct str field);
/* Checks size, IOPS and throughput against the type's limits. */
RESULT disk_plan_check_type(struct op *op, const struct disk_plan *plan);
