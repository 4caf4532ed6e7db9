/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: what is said of disks in several places. */
#pragma once

#include "api/ec2/action.h"
#include "engine/volume.h"

#define EC2_VOLUME_TYPES "gp2|gp3|standard|io1|io2|st1|sc1"
/* Beyond what any type has; the engine holds each to its own. */
enum { EC2_GIB_MAX = 65536, EC2_IOPS_MAX = 256000 };

/* "attaching", "attached", "detaching", or "detached". */
const char *ec2_volume_attachment(const struct volume *v);

/* BlockDeviceMapping.N, of a launch or of an image. */
struct ec2_mapping {
	struct disk_wish disk;
	int64_t gib;
	struct str virtual_name, no_device;
};
struct ec2_mappings {
	const struct ec2_mapping *at;
	size_t count;
};
extern const struct params ec2_mapping_params;
/* In the arena. Disks of the host's own (ephemeralN) are left out: no instance type has any. */
RESULT ec2_take_mappings(struct ec2_call *e, const struct ec2_mappings *mappings,
			 const struct disk_wish **ret_disks, size_t *ret_count);
