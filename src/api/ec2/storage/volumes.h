/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: parameters and members of disks that several actions share. */
#pragma once

#include "api/ec2/core/action.h"
#include "engine/storage/volume/volume.h"

struct volume;

#define EC2_VOLUME_TYPES "gp2|gp3|standard|io1|io2|st1|sc1"
/* Both are above the limits of all types: the engine enforces those of each type. The EBS CSI driver reads the most Iops out of that refusal. */
enum { EC2_GIB_MAX = 65536, EC2_IOPS_MAX = INT32_MAX };

/* "attaching", "attached", "detaching", or "detached". */
const char *ec2_volume_attachment(const struct volume *v);

/* Reads the KMS key of a volume. Each account has a single key's ARN, behind which is the region's master key. Notes in `crypt` that
 * the request names a key, which the engine allows for encrypted disks only. ERR_INVALID: another key. */
RESULT ec2_take_kms_key(struct ec2_call *e, struct str key, struct disk_crypt *crypt);
#define EC2_KMS_KEY_DOC "The account's key for volumes; no other key exists."
struct str ec2_kms_arn(struct ec2_call *e, uuid account);
/* Writes "encrypted" and, for an encrypted disk, "kmsKeyId". */
void ec2_write_encrypted(struct ec2_call *e, struct xml *x, bool is_encrypted, uuid account);

/* BlockDeviceMapping.N, of a launch or of an image. */
struct ec2_mapping {
	struct disk_wish disk;
	int64_t gib;
	struct str virtual_name, no_device, kms_key;
};
struct ec2_mappings {
	const struct ec2_mapping *at;
	size_t count;
};
extern const struct params ec2_mapping_params, ec2_image_mapping_params;
/* In the arena. Disks of the host's own (ephemeralN) are left out: no instance type has any. */
RESULT ec2_take_mappings(struct ec2_call *e, const struct ec2_mappings *mappings,
			 const struct disk_wish **ret_disks, size_t *ret_count);
