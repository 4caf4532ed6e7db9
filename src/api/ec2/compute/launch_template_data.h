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
	LAUNCH_WORD(T, m, "ImageId", text[0], .max = 255, .doc = "Image to start from."),                    \
		LAUNCH_WORD(T, m, "InstanceType", text[1], .max = 255, .doc = "Size."),                      \
		LAUNCH_WORD(T, m, "KeyName", text[2], .max = 255, .doc = "Key pair by name."),               \
		LAUNCH_WORD(T, m, "IamInstanceProfile.Arn", text[12], .min = 1, .max = 2048,                 \
			    .doc = "Instance profile whose role the guest gets."),                           \
		LAUNCH_WORD(T, m, "IamInstanceProfile.Name", text[13], .min = 1, .max = 128,                 \
			    .doc = "Or by name."),                                                           \
		LAUNCH_WORD(T, m, "EbsOptimized", flag[0], .doc = "Kept and shown."),                        \
		LAUNCH_WORD(T, m, "Monitoring.Enabled", flag[1], .doc = "Kept and shown."),                  \
		LAUNCH_WORD(T, m, "Placement.AvailabilityZone", text[3], .max = 255,                         \
			    .doc = "Zone by name."),                                                         \
		LAUNCH_WORD(T, m, "Placement.GroupName", text[4], .max = 255, .doc = "Placement group."),    \
		LAUNCH_WORD(T, m, "Placement.GroupId", text[5], .max = 255, .doc = "Or by id."),             \
		LAUNCH_WORD(T, m, "Placement.PartitionNumber", number[0], .min = 1, .max = 7,                \
			    .doc = "Its part of a partition group."),                                        \
		LAUNCH_WORD(T, m, "DisableApiTermination", flag[2],                                          \
			    .doc = "TerminateInstances is refused."),                                        \
		LAUNCH_WORD(T, m, "DisableApiStop", flag[3], .doc = "StopInstances is refused."),            \
		LAUNCH_WORD(T, m, "InstanceInitiatedShutdownBehavior", text[6], .words = "stop|terminate",   \
			    .doc = "What a shutdown from within means."),                                    \
		LAUNCH_WORD(T, m, "UserData", text[7], .flags = BASE64, .max = 16 * 1024,                    \
			    .doc = "Up to 16 KiB, base64."),                                                 \
		LAUNCH_WORD(T, m, "SecurityGroupId", texts[0], .max = 255, .doc = "Groups by id."),          \
		LAUNCH_WORD(T, m, "SecurityGroup", texts[1], .max = 255, .doc = "Groups by name."),          \
		LAUNCH_WORD(T, m, "CreditSpecification.CpuCredits", text[8], .words = "standard|unlimited",  \
			    .doc = "Kept and shown."),                                                       \
		LAUNCH_WORD(T, m, "MetadataOptions.HttpTokens", text[9], .words = "optional|required",       \
			    .doc = "Whether metadata needs a session token."),                               \
		LAUNCH_WORD(T, m, "MetadataOptions.HttpEndpoint", text[10], .words = "enabled|disabled",     \
			    .doc = "Whether there is metadata."),                                            \
		LAUNCH_WORD(T, m, "MetadataOptions.HttpPutResponseHopLimit", number[1], .min = 1, .max = 64, \
			    .doc = "How far a token's answer goes."),                                        \
		LAUNCH_WORD(T, m, "MetadataOptions.InstanceMetadataTags", text[11],                          \
			    .words = "enabled|disabled", .doc = "Whether tags are shown in the metadata."),  \
		LAUNCH_PARTS(T, m.parts[0], "BlockDeviceMapping", ec2_launch_mapping_params, .max = 40,      \
			     .doc = "Disks."),                                                               \
		LAUNCH_PARTS(T, m.parts[1], "NetworkInterface", ec2_launch_interface_params, .max = 16,      \
			     .doc = "Interfaces."),                                                          \
		LAUNCH_PARTS(T, m.parts[2], "TagSpecification", ec2_launch_tag_spec_params, .max = 20,       \
			     .doc = "Tags for what a launch makes."),                                        \
		LAUNCH_WORD(T, m, "MetadataOptions.HttpProtocolIpv6", text[18], .words = "disabled|enabled", \
			    .doc = "Whether the metadata answers on fd00:ec2::254, too."),                   \
		LAUNCH_WORD(T, m, "Placement.Tenancy", text[14], .words = "default|dedicated|host",          \
			    .doc = "Which hosts it may be on."),                                             \
		LAUNCH_WORD(T, m, "Placement.Affinity", text[15], .words = "default|host",                   \
			    .doc = "Whether it stays with the dedicated host that it gets."),                \
		LAUNCH_WORD(T, m, "Placement.HostId", text[16], .max = 255, .doc = "A dedicated host."),     \
		LAUNCH_WORD(T, m, "PrivateDnsNameOptions.HostnameType", text[17],                            \
			    .words = "ip-name|resource-name", .doc = "What its host name is made of."),      \
		LAUNCH_WORD(T, m, "PrivateDnsNameOptions.EnableResourceNameDnsARecord", flag[4],             \
			    .doc = "Whether the name made of its id has an A record."),                      \
		LAUNCH_WORD(T, m, "PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord", flag[5],          \
			    .doc = "Likewise, an AAAA record."),                                             \
		LAUNCH_WORD(T, m, "InstanceMarketOptions.MarketType", text[20],                              \
			    .words = "spot|capacity-block",                                                  \
			    .doc = "spot: placed in room that nobody needs, which may be taken back."),      \
		LAUNCH_WORD(T, m, "InstanceMarketOptions.SpotOptions.MaxPrice", text[21], .max = 32,         \
			    .doc = "The most that an hour may cost."),                                       \
		LAUNCH_WORD(T, m, "InstanceMarketOptions.SpotOptions.SpotInstanceType", text[22],            \
			    .words = "one-time|persistent", .doc = "Whether another one is launched."),      \
		LAUNCH_WORD(T, m, "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior",          \
			    text[23], .words = "terminate|stop|hibernate",                                   \
			    .doc = "When the room is taken back."),                                          \
		LAUNCH_WORD(T, m, "InstanceMarketOptions.SpotOptions.ValidUntil", text[24], .max = 64,       \
			    .doc = "When a persistent request ends."),                                       \
		LAUNCH_NOT_BUILT("Placement.SpreadDomain"),                                                  \
		LAUNCH_NOT_BUILT("Placement.HostResourceGroupArn"),                                          \
		LAUNCH_WORD(T, m, "CapacityReservationSpecification.CapacityReservationPreference",          \
			    text[25], .words = "open|none|capacity-reservations-only",                       \
			    .doc = "Which capacity reservations it uses."),                                  \
		LAUNCH_WORD(T, m,                                                                            \
			    "CapacityReservationSpecification.CapacityReservationTarget."                    \
			    "CapacityReservationId",                                                         \
			    text[26], .max = 255, .doc = "The only one that it uses."),                      \
		LAUNCH_NOT_BUILT("CapacityReservationSpecification.CapacityReservationTarget."               \
				 "CapacityReservationResourceGroupArn"),                                     \
		LAUNCH_NOT_BUILT("HibernationOptions.Configured", .only = "false"),                          \
		LAUNCH_NOT_BUILT("EnclaveOptions.Enabled", .only = "false"),                                 \
		LAUNCH_WORD(T, m, "MaintenanceOptions.AutoRecovery", text[19], .words = "default|disabled",  \
			    .doc = "Whether it is started elsewhere when its host is off for good."),        \
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
