/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: data of a version of a launch template. The data are parameters of RunInstances under their own names,
 * stored as a form (schema/launch_template_version.toml): a launch reads the form like parameters of a request. */
#pragma once

#include "api/ec2/core/action.h"

/* Unsupported parameters of an interface, in a request and in a template. */
#define EC2_LAUNCH_INTERFACE_UNBUILT                                                                         \
	NOT_BUILT("NetworkCardIndex", .only = "0"), NOT_BUILT("InterfaceType", .only = "interface"),         \
		NOT_BUILT("AssociateCarrierIpAddress", .only = "false")

/* Scratch members for checking the parameters of a version, and of each of its disks, interfaces, addresses and tags. The
 * values are dropped after the check: the template stores the text of the request, and the launch looks up the names in it. */
struct ec2_launch_words {
	struct str text[27];
	int64_t number[5];
	bool flag[6];
	struct strs texts[2];
	struct tags tags;
	struct ec2_launch_parts {
		const struct ec2_launch_words *at;
		size_t count;
	} parts[4];
};
extern const struct params ec2_launch_mapping_params, ec2_launch_interface_params, ec2_launch_tag_spec_params;

/* Prefix of the template's parameters in requests. */
#define LAUNCH_DATA "LaunchTemplateData"

#define LAUNCH_WORD(T, member, wire, place, ...) PARAM(T, LAUNCH_DATA "." wire, member.place, __VA_ARGS__)
#define LAUNCH_PARTS(T, member, wire, table, ...)                                                            \
	PARAM_LIST(T, LAUNCH_DATA "." wire, member, table, __VA_ARGS__)
#define LAUNCH_NOT_BUILT(wire, ...) NOT_BUILT(LAUNCH_DATA "." wire, __VA_ARGS__)

/* Rows for the parameters of a struct T with a struct ec2_launch_words `m`. */
#define LAUNCH_DATA_ROWS(T, m)                                                                               \
	LAUNCH_WORD(T, m, "ImageId", text[0], .max = 255, .doc = "Image to boot from."),                     \
		LAUNCH_WORD(T, m, "InstanceType", text[1], .max = 255, .doc = "Instance type."),             \
		LAUNCH_WORD(T, m, "KeyName", text[2], .max = 255, .doc = "Key pair by name."),               \
		LAUNCH_WORD(T, m, "IamInstanceProfile.Arn", text[12], .min = 1, .max = 2048,                 \
			    .doc = "Instance profile by ARN; the guest gets credentials of its role."),      \
		LAUNCH_WORD(T, m, "IamInstanceProfile.Name", text[13], .min = 1, .max = 128,                 \
			    .doc = "Instance profile by name, instead of its ARN."),                         \
		LAUNCH_WORD(T, m, "EbsOptimized", flag[0], .doc = "Stored and shown; has no effect."),       \
		LAUNCH_WORD(T, m, "Monitoring.Enabled", flag[1], .doc = "Stored and shown; has no effect."), \
		LAUNCH_WORD(T, m, "Placement.AvailabilityZone", text[3], .max = 255,                         \
			    .doc = "Availability Zone by name."),                                            \
		LAUNCH_WORD(T, m, "Placement.GroupName", text[4], .max = 255,                                \
			    .doc = "Placement group by name."),                                              \
		LAUNCH_WORD(T, m, "Placement.GroupId", text[5], .max = 255,                                  \
			    .doc = "Placement group by id, instead of its name."),                           \
		LAUNCH_WORD(T, m, "Placement.PartitionNumber", number[0], .min = 1, .max = 7,                \
			    .doc = "Partition in a partition group."),                                       \
		LAUNCH_WORD(T, m, "DisableApiTermination", flag[2],                                          \
			    .doc = "Whether TerminateInstances is refused."),                                \
		LAUNCH_WORD(T, m, "DisableApiStop", flag[3], .doc = "Whether StopInstances is refused."),    \
		LAUNCH_WORD(T, m, "InstanceInitiatedShutdownBehavior", text[6], .words = "stop|terminate",   \
			    .doc = "Whether a shutdown from within the guest stops or terminates the "       \
				   "instance."),                                                             \
		LAUNCH_WORD(T, m, "UserData", text[7], .flags = BASE64, .max = 16 * 1024,                    \
			    .doc = "User data, base64, up to 16 KiB."),                                      \
		LAUNCH_WORD(T, m, "SecurityGroupId", texts[0], .max = 255, .doc = "Security groups by id."), \
		LAUNCH_WORD(T, m, "SecurityGroup", texts[1], .max = 255, .doc = "Security groups by name."), \
		LAUNCH_WORD(T, m, "CreditSpecification.CpuCredits", text[8], .words = "standard|unlimited",  \
			    .doc = "Stored and shown; has no effect."),                                      \
		LAUNCH_WORD(T, m, "MetadataOptions.HttpTokens", text[9], .words = "optional|required",       \
			    .doc = "Whether instance metadata requires a session token (IMDSv2)."),          \
		LAUNCH_WORD(T, m, "MetadataOptions.HttpEndpoint", text[10], .words = "enabled|disabled",     \
			    .doc = "Whether the instance metadata service is enabled."),                     \
		LAUNCH_WORD(T, m, "MetadataOptions.HttpPutResponseHopLimit", number[1], .min = 1, .max = 64, \
			    .doc = "Maximum number of hops (IP TTL) of an answer with a session token."),    \
		LAUNCH_WORD(T, m, "MetadataOptions.InstanceMetadataTags", text[11],                          \
			    .words = "enabled|disabled",                                                     \
			    .doc = "Whether instance metadata shows the instance's tags."),                  \
		LAUNCH_PARTS(T, m.parts[0], "BlockDeviceMapping", ec2_launch_mapping_params, .max = 40,      \
			     .doc = "Block device mapping: disks to add, change or leave out."),             \
		LAUNCH_PARTS(T, m.parts[1], "NetworkInterface", ec2_launch_interface_params, .max = 16,      \
			     .doc = "Network interfaces."),                                                  \
		LAUNCH_PARTS(T, m.parts[2], "TagSpecification", ec2_launch_tag_spec_params, .max = 20,       \
			     .doc = "Tags for the resources that a launch creates."),                        \
		LAUNCH_WORD(T, m, "MetadataOptions.HttpProtocolIpv6", text[18], .words = "disabled|enabled", \
			    .doc = "Whether the metadata service answers on fd00:ec2::254 as well."),        \
		LAUNCH_WORD(T, m, "Placement.Tenancy", text[14], .words = "default|dedicated|host",          \
			    .doc = "Tenancy of the instance."),                                              \
		LAUNCH_WORD(T, m, "Placement.Affinity", text[15], .words = "default|host",                   \
			    .doc = "host: the instance restarts on the same dedicated host."),               \
		LAUNCH_WORD(T, m, "Placement.HostId", text[16], .max = 255, .doc = "A dedicated host."),     \
		LAUNCH_WORD(                                                                                 \
			T, m, "PrivateDnsNameOptions.HostnameType", text[17],                                \
			.words = "ip-name|resource-name",                                                    \
			.doc = "Whether the host name is formed from the IPv4 address or the instance id."), \
		LAUNCH_WORD(T, m, "PrivateDnsNameOptions.EnableResourceNameDnsARecord", flag[4],             \
			    .doc = "Whether the host name formed from the instance id has an A record."),    \
		LAUNCH_WORD(T, m, "PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord", flag[5],          \
			    .doc = "Whether the host name formed from the instance id has an AAAA record."), \
		LAUNCH_WORD(T, m, "InstanceMarketOptions.MarketType", text[20],                              \
			    .words = "spot|capacity-block",                                                  \
			    .doc = "spot: uses spare capacity and may be interrupted."),                     \
		LAUNCH_WORD(T, m, "InstanceMarketOptions.SpotOptions.MaxPrice", text[21], .max = 32,         \
			    .doc = "Maximum price per hour."),                                               \
		LAUNCH_WORD(T, m, "InstanceMarketOptions.SpotOptions.SpotInstanceType", text[22],            \
			    .words = "one-time|persistent",                                                  \
			    .doc = "persistent: the request launches a replacement after an interruption."), \
		LAUNCH_WORD(T, m, "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior",          \
			    text[23], .words = "terminate|stop|hibernate",                                   \
			    .doc = "Behaviour when the instance is interrupted."),                           \
		LAUNCH_WORD(T, m, "InstanceMarketOptions.SpotOptions.ValidUntil", text[24], .max = 64,       \
			    .doc = "End of a persistent request."),                                          \
		LAUNCH_NOT_BUILT("Placement.SpreadDomain"),                                                  \
		LAUNCH_NOT_BUILT("Placement.HostResourceGroupArn"),                                          \
		LAUNCH_WORD(T, m, "CapacityReservationSpecification.CapacityReservationPreference",          \
			    text[25], .words = "open|none|capacity-reservations-only",                       \
			    .doc = "Which capacity reservations the instance may use."),                     \
		LAUNCH_WORD(T, m,                                                                            \
			    "CapacityReservationSpecification.CapacityReservationTarget."                    \
			    "CapacityReservationId",                                                         \
			    text[26], .max = 255,                                                            \
			    .doc = "The only capacity reservation that the instance may use."),              \
		LAUNCH_NOT_BUILT("CapacityReservationSpecification.CapacityReservationTarget."               \
				 "CapacityReservationResourceGroupArn"),                                     \
		LAUNCH_NOT_BUILT("HibernationOptions.Configured", .only = "false"),                          \
		LAUNCH_NOT_BUILT("EnclaveOptions.Enabled", .only = "false"),                                 \
		LAUNCH_WORD(                                                                                 \
			T, m, "MaintenanceOptions.AutoRecovery", text[19], .words = "default|disabled",      \
			.doc = "default: the instance is restarted on another host if its host is lost."),   \
		LAUNCH_NOT_BUILT("KernelId"), LAUNCH_NOT_BUILT("RamDiskId"),                                 \
		LAUNCH_NOT_BUILT("ElasticGpuSpecification"),                                                 \
		LAUNCH_NOT_BUILT("ElasticInferenceAccelerator"),                                             \
		LAUNCH_NOT_BUILT("InstanceMarketOptions.SpotOptions.BlockDurationMinutes"),                  \
		LAUNCH_NOT_BUILT("CpuOptions"), LAUNCH_NOT_BUILT("LicenseSpecification"),                    \
		LAUNCH_NOT_BUILT("InstanceRequirements"), LAUNCH_NOT_BUILT("Monitoring.MetricCategoryId"),   \
		LAUNCH_NOT_BUILT("Placement.AvailabilityZoneId"), LAUNCH_NOT_BUILT("Operator"),              \
		LAUNCH_NOT_BUILT("NetworkPerformanceOptions.BandwidthWeighting", .only = "default"),         \
		LAUNCH_NOT_BUILT("SecondaryInterface")

/* Parses a stored form. */
RESULT ec2_read_launch_data(struct ec2_call *e, struct str data, struct pairs *ret_pairs);
/* Takes the request's parameters below LAUNCH_DATA, without that prefix. ERR_MISSING: there are none. */
RESULT ec2_take_launch_data(struct ec2_call *e, struct pairs *ret_pairs);
/* Merges both into a form. A parameter in `over` replaces the one in `base`; a list is replaced as a whole, and so are the groups,
 * by id or by name. */
RESULT ec2_merge_launch_data(struct ec2_call *e, const struct pairs *over, const struct pairs *base,
			     struct str *ret_data);
/* Writes the data as EC2's element <name>. */
void ec2_write_launch_data(struct ec2_call *e, struct xml *x, const char *name, const struct pairs *data);
/* Finds the value of that name in a stored form; p NULL: absent. The value is not decoded, which suffices for ids and words. */
struct str ec2_find_launch_word(struct str data, const char *name);
