/* SPDX-License-Identifier: Apache-2.0
 * DescribeInstanceTypes. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/storage/volume/volume_count.h"
#include "model/instance_type.h"

struct ec2_describe_types {
	struct ec2_query query;
};
static const struct param describe_types_params[] = {
	QUERY_NAMES(struct ec2_describe_types, "InstanceType", KIND_INSTANCE_TYPE, "Instance types by name."),
	NOT_BUILT("IncludeUnsupportedInRegion", .only = "false"),
	QUERY_FILTERS(struct ec2_describe_types),
	QUERY_PAGES(struct ec2_describe_types, 5, 100),
};

static int64_t type_mib(const struct instance_type *type)
{
	return type->memory >> 20;
}

static bool fits_mib(const struct filter_run *f, const struct row *row)
{
	return filter_int(f, type_mib(instance_type_of(row)));
}

static bool fits_boot_mode(const struct filter_run *f, const struct row *row)
{
	(void) row;
	return filter_z(f, "legacy-bios") || filter_z(f, "uefi");
}

static int64_t store_gib(const struct instance_type *type)
{
	return type->ephemeral_disk >> 30;
}

static bool fits_store(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, store_gib(instance_type_of(row)) ? "true" : "false");
}

/* The instance store is one disk of the full size. */
static bool fits_store_gib(const struct filter_run *f, const struct row *row)
{
	return store_gib(instance_type_of(row)) && filter_int(f, store_gib(instance_type_of(row)));
}

static bool fits_store_count(const struct filter_run *f, const struct row *row)
{
	return store_gib(instance_type_of(row)) && filter_int(f, 1);
}

static bool fits_store_unsupported(const struct filter_run *f, const struct row *row)
{
	return store_gib(instance_type_of(row)) && filter_z(f, "unsupported");
}

static bool fits_attachments(const struct filter_run *f, const struct row *row)
{
	(void) row;
	return filter_int(f, INSTANCE_VOLUMES_MAX);
}

static const struct filter type_filters[] = {
	{"instance-type", .field = "name"},
	{"current-generation", .field = "current_generation"},
	{"burstable-performance-supported", .field = "burstable"},
	{"processor-info.supported-architecture", .field = "arch"},
	{"vcpu-info.default-vcpus", .field = "vcpus"},
	{"vcpu-info.default-cores", .field = "vcpus"},
	{"vcpu-info.default-threads-per-core", .fixed = "1"},
	{"memory-info.size-in-mib", .get = fits_mib},
	{"network-info.maximum-network-interfaces", .field = "max_ports"},
	{"network-info.ipv4-addresses-per-interface", .field = "addresses_per_port"},
	{"network-info.ipv6-addresses-per-interface", .field = "addresses_per_port"},
	{"network-info.ipv6-supported", .fixed = "true"},
	{"network-info.efa-supported", .fixed = "false"},
	{"bare-metal", .fixed = "false"},
	{"free-tier-eligible", .fixed = "false"},
	{"hibernation-supported", .fixed = "false"},
	{"instance-storage-supported", .get = fits_store},
	{"auto-recovery-supported", .fixed = "false"},
	{"dedicated-hosts-supported", .fixed = "true"},
	{"nitro-enclaves-support", .fixed = "unsupported"},
	{"nitro-tpm-support", .fixed = "supported"},
	{"nitro-tpm-info.supported-versions", .fixed = "2.0"},
	{"reboot-migration-support", .fixed = "unsupported"},
	{"ebs-info.attachment-limit-type", .fixed = "dedicated"},
	{"ebs-info.maximum-ebs-attachments", .get = fits_attachments},
	{"network-info.flexible-ena-queues-support", .fixed = "unsupported"},
	{"hypervisor", .fixed = "nitro"},
	{"supported-root-device-type", .fixed = "ebs"},
	{"supported-usage-class", .fixed = "on-demand"},
	{"supported-virtualization-type", .fixed = "hvm"},
	{"supported-boot-mode", .get = fits_boot_mode},
	/* Filters on values that DescribeInstanceTypes does not show here. */
	{"ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps", .get = filter_nothing},
	{"ebs-info.ebs-optimized-info.baseline-iops", .get = filter_nothing},
	{"ebs-info.ebs-optimized-info.baseline-throughput-in-mbps", .get = filter_nothing},
	{"ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps", .get = filter_nothing},
	{"ebs-info.ebs-optimized-info.maximum-iops", .get = filter_nothing},
	{"ebs-info.ebs-optimized-info.maximum-throughput-in-mbps", .get = filter_nothing},
	{"ebs-info.ebs-optimized-support", .fixed = "supported"},
	{"ebs-info.encryption-support", .fixed = "supported"},
	{"ebs-info.nvme-support", .fixed = "unsupported"},
	{"instance-storage-info.disk.count", .get = fits_store_count},
	{"instance-storage-info.disk.size-in-gb", .get = fits_store_gib},
	{"instance-storage-info.disk.type", .get = filter_nothing},
	{"instance-storage-info.encryption-support", .get = fits_store_unsupported},
	{"instance-storage-info.nvme-support", .get = fits_store_unsupported},
	{"instance-storage-info.total-size-in-gb", .get = fits_store_gib},
	{"network-info.efa-info.maximum-efa-interfaces", .get = filter_nothing},
	{"network-info.ena-support", .fixed = "supported"},
	{"network-info.encryption-in-transit-supported", .get = filter_nothing},
	{"network-info.maximum-network-cards", .get = filter_nothing},
	{"network-info.network-performance", .get = filter_nothing},
	{"network-info.bandwidth-weightings", .get = filter_nothing},
	{"processor-info.supported-features", .get = filter_nothing},
	{"processor-info.sustained-clock-speed-in-ghz", .get = filter_nothing},
	{"vcpu-info.valid-cores", .field = "vcpus"},
	{"vcpu-info.valid-threads-per-core", .fixed = "1"},
};

static bool is_offered(struct ec2_call *e, const struct row *row)
{
	(void) e;
	return instance_type_of(row)->enabled;
}

static void write_network_info(struct xml *x, const struct instance_type *type)
{
	xml_open(x, "networkInfo");
	xml_int(x, "maximumNetworkInterfaces", type->max_ports);
	xml_int(x, "ipv4AddressesPerInterface", type->addresses_per_port);
	xml_int(x, "ipv6AddressesPerInterface", type->addresses_per_port);
	xml_bool(x, "ipv6Supported", true);
	xml_z(x, "enaSupport", "supported"); /* no effect here: every guest has its network either way */
	xml_bool(x, "efaSupported", false);
	xml_z(x, "flexibleEnaQueuesSupport", "unsupported");
	xml_close(x, "networkInfo");
}

/* Volumes appear to guests as virtio disks, for every type, encrypted or not. Interfaces do not count against their limit. */
static void write_ebs_info(struct xml *x)
{
	xml_open(x, "ebsInfo");
	xml_z(x, "ebsOptimizedSupport", "supported");
	xml_z(x, "encryptionSupport", "supported");
	xml_z(x, "nvmeSupport", "unsupported");
	xml_int(x, "maximumEbsAttachments", INSTANCE_VOLUMES_MAX);
	xml_z(x, "attachmentLimitType", "dedicated");
	xml_close(x, "ebsInfo");
}

/* Leaves out EC2's member for the type of disk: the region does not know which disks are SSDs. */
static void write_store(struct xml *x, const struct instance_type *type)
{
	int64_t gib = store_gib(type);
	xml_bool(x, "instanceStorageSupported", gib > 0);
	if (gib == 0)
		return;
	xml_open(x, "instanceStorageInfo");
	xml_int(x, "totalSizeInGB", gib);
	xml_open(x, "disks");
	xml_open(x, "item");
	xml_int(x, "sizeInGB", gib);
	xml_int(x, "count", 1);
	xml_close(x, "item");
	xml_close(x, "disks");
	xml_z(x, "nvmeSupport", "unsupported");
	xml_z(x, "encryptionSupport", "unsupported");
	xml_close(x, "instanceStorageInfo");
}

/* Fewer cores, or other threads per core, cannot be chosen. */
static void write_vcpu_info(struct xml *x, const struct instance_type *type)
{
	xml_open(x, "vCpuInfo");
	xml_int(x, "defaultVCpus", type->vcpus);
	xml_int(x, "defaultCores", type->vcpus);
	xml_int(x, "defaultThreadsPerCore", 1);
	xml_open(x, "validCores");
	xml_int(x, "item", type->vcpus);
	xml_close(x, "validCores");
	ec2_write_words(x, "validThreadsPerCore", "1");
	xml_close(x, "vCpuInfo");
}

static void write_type(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct instance_type *type = item;
	(void) e;
	xml_text(x, "instanceType", type->name);
	xml_bool(x, "currentGeneration", type->current_generation);
	xml_bool(x, "freeTierEligible", false);
	ec2_write_words(x, "supportedUsageClasses", "on-demand");
	ec2_write_words(x, "supportedRootDeviceTypes", "ebs");
	ec2_write_words(x, "supportedVirtualizationTypes", "hvm");
	xml_bool(x, "bareMetal", false);
	xml_z(x, "hypervisor", "nitro");
	xml_open(x, "processorInfo");
	ec2_write_words(x, "supportedArchitectures", instance_type_arch_words[type->arch]);
	xml_close(x, "processorInfo");
	write_vcpu_info(x, type);
	xml_open(x, "memoryInfo");
	xml_int(x, "sizeInMiB", type_mib(type));
	xml_close(x, "memoryInfo");
	write_store(x, type);
	write_ebs_info(x);
	write_network_info(x, type);
	xml_open(x, "placementGroupInfo");
	ec2_write_words(x, "supportedStrategies", "cluster|partition|spread");
	xml_close(x, "placementGroupInfo");
	xml_bool(x, "hibernationSupported", false);
	xml_bool(x, "burstablePerformanceSupported", type->burstable);
	xml_bool(x, "dedicatedHostsSupported", true);
	xml_bool(x, "autoRecoverySupported", false);
	ec2_write_words(x, "supportedBootModes", "legacy-bios|uefi");
	xml_z(x, "nitroEnclavesSupport", "unsupported");
	xml_z(x, "nitroTpmSupport", "supported"); /* for images with TpmSupport */
	xml_open(x, "nitroTpmInfo");
	ec2_write_words(x, "supportedVersions", "2.0");
	xml_close(x, "nitroTpmInfo");
	xml_z(x, "phcSupport", "unsupported");
	xml_z(x, "rebootMigrationSupport", "unsupported");
}

static const struct ec2_listing type_listing = {.kind = KIND_INSTANCE_TYPE,
						.set = "instanceTypeSet",
						.filters = FILTERS(type_filters),
						.shows = is_offered,
						.write = write_type};

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeInstanceTypes"),
	 .args = PARAMS(struct ec2_describe_types, describe_types_params), .list = &type_listing,
	 .doc = "Lists the instance types on offer."},
};
const struct api_actions ec2_type_actions = API_ACTIONS(actions);
