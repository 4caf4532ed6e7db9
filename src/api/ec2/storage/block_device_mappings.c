/* SPDX-License-Identifier: Apache-2.0
 * Block device mappings: the disks in RunInstances, RegisterImage and CreateImage. */
#include "api/ec2/storage/volumes.h"

#define P(wire, member, ...) PARAM(struct ec2_mapping, wire, member, __VA_ARGS__)
#define MAPPING_ROWS                                                                                         \
	P("DeviceName", disk.device, .flags = REQUIRED, .min = 1, .max = 32,                                 \
	  .field = offsetof(struct ec2_mapping, disk.field) + 1,                                             \
	  .doc = "Device name of a disk of the image, or of an additional disk."),                           \
		P("Ebs.SnapshotId", disk.snapshot, .kind = KIND_SNAPSHOT,                                    \
		  .doc = "Snapshot that the disk is created from; absent: the image's, or a blank disk."),   \
		P("Ebs.VolumeSize", gib, .min = 1, .max = EC2_GIB_MAX,                                       \
		  .doc = "Size in GiB; absent: the size of the snapshot, or the image's."),                  \
		P("Ebs.VolumeType", disk.type, .words = EC2_VOLUME_TYPES,                                    \
		  .doc = "Volume type: limits IOPS and throughput. Absent: gp2."),                           \
		P("Ebs.Iops", disk.iops, .min = 1, .max = EC2_IOPS_MAX, .doc = "IOPS limit of the volume."), \
		P("Ebs.Throughput", disk.throughput, .min = 1, .max = EC2_IOPS_MAX,                          \
		  .doc = "Throughput limit of the volume in MiB/s."),                                        \
		P("Ebs.DeleteOnTermination", disk.delete_on_termination,                                     \
		  .doc = "Whether the volume is deleted with the instance; absent: the image's setting, or " \
			 "true."),                                                                           \
		P("NoDevice", no_device, .given = offsetof(struct ec2_mapping, disk.is_left_out) + 1,        \
		  .doc = "Removes the image's disk of that device name."),                                   \
		P("VirtualName", virtual_name, .max = 32,                                                    \
		  .doc = "Instance store volume, ephemeralN. Accepted; an instance always has the ones of "  \
			 "its type."),                                                                       \
		NOT_BUILT("Ebs.OutpostArn"), NOT_BUILT("Ebs.AvailabilityZone"),                              \
		NOT_BUILT("Ebs.AvailabilityZoneId"), NOT_BUILT("Ebs.VolumeInitializationRate"),              \
		NOT_BUILT("Ebs.EbsCardIndex")
static const struct param launch_rows[] = {
	MAPPING_ROWS,
	P("Ebs.Encrypted", disk.crypt.is_wanted,
	  .doc = "Whether the disk is encrypted at rest; absent: the account's default. Disks from encrypted "
		 "snapshots always are."),
	P("Ebs.KmsKeyId", kms_key, .max = 2048, .doc = EC2_KMS_KEY_DOC),
};
static const struct param image_rows[] = {
	MAPPING_ROWS,
	P("Ebs.Encrypted", disk.crypt.is_wanted,
	  .doc = "Whether a blank disk is encrypted at rest. A disk from a snapshot is encrypted if the "
		 "snapshot is."),
	NOT_BUILT("Ebs.KmsKeyId"),
};
#undef P
const struct params ec2_image_mapping_params = PARAMS(struct ec2_mapping, image_rows);
const struct params ec2_mapping_params = PARAMS(struct ec2_mapping, launch_rows);

static RESULT check_virtual_name(struct ec2_call *e, const struct ec2_mapping *mapping)
{
	int64_t number = 0;
	struct str name = mapping->virtual_name, digits = str_slice(name, sizeof "ephemeral" - 1, name.n);
	if (str_starts_with(name, STR("ephemeral")) && result_is_ok(str_parse_int(digits, &number)) &&
	    number >= 0 && number < 24)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("VirtualName"),
			      "Value (%" STR_FMT ") for parameter virtualName is invalid. It must be "
			      "ephemeral0 to ephemeral23.",
			      STR_ARG(name));
}

RESULT ec2_take_mappings(struct ec2_call *e, const struct ec2_mappings *mappings,
			 const struct disk_wish **ret_disks, size_t *ret_count)
{
	struct disk_wish *disks = arena_new_array(e->c->arena, struct disk_wish, mappings->count);
	size_t count = 0;
	if (!disks)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < mappings->count; k++) {
		const struct ec2_mapping *mapping = &mappings->at[k];
		if (!str_is_empty(mapping->virtual_name)) {
			TRY(check_virtual_name(e, mapping));
			continue;
		}
		disks[count] = mapping->disk;
		TRY(ec2_take_kms_key(e, mapping->kms_key, &disks[count].crypt));
		disks[count++].size = mapping->gib << 30;
	}
	*ret_disks = disks;
	*ret_count = count;
	return OK;
}
