/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of disk plans. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/storage/disk_plan_internal.h"
#include "engine/storage/volume.h"

struct disk_wish;

/* A disk with everything looked up. Texts are borrowed. */
struct disk_plan {
	struct str device;
	const struct str *tag;                /* what the guest is told of it; NULL: nothing */
	const struct snapshot *snapshot;      /* NULL: blank */
	const struct volume *volume;          /* a snapshot of it is to be made; NULL: of none */
	const struct volume *existing;        /* it is this one; NULL: it is to be made */
	const struct image *image;            /* what lies on it came from there; NULL: from none */
	const struct disk_crypt *key;         /* by which one was named; NULL: none was */
	bool is_medium;                       /* it lies in the CD-ROM drive */
	bool is_bootable;                     /* that can be started from */
	bool is_encrypted : 1, is_shared : 1; /* once finished */
	bool is_placed_later : 1;             /* whether its type has a pool is asked when it is placed */
	bool is_unplaced : 1;                 /* nothing can hold it */
	bool delete_on_termination, is_left_out;
	enum choice encryption : 4, sharing : 4; /* as it was said; default: it was not */
	unsigned local : 8; /* enum volume_local: its type's, and not a volume that anybody sees */
	int64_t size;       /* bytes; 0: the snapshot's */
	int64_t least;      /* no less than that; 0: than what lies on it */
	struct str type;
	int64_t iops, throughput; /* 0: the type's */
	struct str field;
};
enum { DISK_PLANS_MAX = 2 * INSTANCE_VOLUMES_MAX }; /* before some are left out */
struct disk_plans {
	struct disk_plan at[DISK_PLANS_MAX];
	size_t count; /* the first is the root disk */
};
/* The disks that an image has. ERR_STATE: none. */
RESULT disk_plans_of_image(struct op *op, const struct image *image, struct disk_plans *ret_plans);
/* Each wish goes over the disk of its device name, or adds one. */
RESULT disk_plans_apply_wishes(struct op *op, const struct disk_wish *wishes, size_t count,
			       struct disk_plans *plans);
/* Volumes of that type are encrypted. */
bool disk_plan_type_encrypts(const struct op *op, struct str type);
/* A type of EC2's own, whatever the operator says of it. */
bool disk_plan_is_ec2_type(struct str type);
/* The operator lets several instances have volumes of that type. */
bool disk_plan_type_shares(const struct op *op, struct str type);
/* Whether a volume that several instances may have can be as planned. ERR_COMBINATION: not of that type.
 * ERR_UNSUPPORTED: it is encrypted. */
RESULT disk_plan_check_sharing(struct op *op, struct str type, bool is_encrypted);
/* Whoever asks for them has new disks encrypted. */
bool disk_plan_is_encrypted_by_default(const struct op *op);
/* ERR_COMBINATION: a key is named for a plain disk. crypt may be NULL. */
RESULT disk_plan_check_key(struct op *op, const struct disk_crypt *crypt, bool is_encrypted);
/* Sizes are set and checked, and what is left out is gone. */
RESULT disk_plans_finish(struct op *op, struct disk_plans *plans);
RESULT disk_plan_finish(struct op *op, struct disk_plan *plan);
/* The snapshot named, and all that is said. */
RESULT disk_plan_apply_wish(struct op *op, const struct disk_wish *wish, struct disk_plan *plan);
/* ERR_STATE when its snapshot is not completed. */
RESULT disk_plan_check_source(struct op *op, const struct disk_plan *plan);
/* A name as EC2 takes it: "/dev/sdf", "xvdh". */
RESULT disk_plan_check_device(struct op *op, struct str device, struct str field);
/* Size, iops and throughput against what the type allows. */
RESULT disk_plan_check_type(struct op *op, const struct disk_plan *plan);
