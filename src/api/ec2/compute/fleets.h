/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/compute/: launch templates and overrides of fleets and spot fleets. */
#pragma once

#include "api/ec2/core/action.h"
#include "model/spot_fleet_id.h"

struct fleet;
struct fleet_override;

struct ec2_fleet_override {
	struct str type, subnet, zone, image, capacity, priority, price;
	struct str placed_zone, affinity, group_name, group_id, host, tenancy;
	int64_t partition;
};
struct ec2_fleet_config {
	struct str template_id, template_name, version;
	struct str field; /* full name of the parameter LaunchTemplateId or LaunchTemplateName */
	struct {
		const struct ec2_fleet_override *at;
		size_t count;
	} overrides;
};
struct ec2_fleet_configs {
	const struct ec2_fleet_config *at;
	size_t count;
};
extern const struct params ec2_fleet_config_params;

/* Rows of overrides and configurations that fleets and spot fleets have alike. */
#define EC2_FLEET_OVERRIDE_ROW(wire, member, ...)                                                            \
	PARAM(struct ec2_fleet_override, wire, member, .max = 255, __VA_ARGS__)
#define EC2_FLEET_OVERRIDE_ROWS                                                                              \
	EC2_FLEET_OVERRIDE_ROW("InstanceType", type, .doc = "Overrides the value of the launch template."),  \
		EC2_FLEET_OVERRIDE_ROW("SubnetId", subnet,                                                   \
				       .doc = "Overrides the subnet of the launch template."),               \
		EC2_FLEET_OVERRIDE_ROW("AvailabilityZone", zone,                                             \
				       .doc = "Overrides the value of the launch template."),                \
		EC2_FLEET_OVERRIDE_ROW("WeightedCapacity", capacity,                                         \
				       .doc = "Units of capacity that one instance of this override "        \
					      "provides; absent: 1."),                                       \
		EC2_FLEET_OVERRIDE_ROW("Priority", priority,                                                 \
				       .doc = "Priority with the prioritized strategy; the lowest number "   \
					      "is first.")
#define EC2_FLEET_TEMPLATE_ROW(wire, member, ...)                                                            \
	PARAM(struct ec2_fleet_config, "LaunchTemplateSpecification." wire, member, .max = 255, __VA_ARGS__)
#define EC2_FLEET_CONFIG_ROWS(overrides_table)                                                               \
	EC2_FLEET_TEMPLATE_ROW("LaunchTemplateId", template_id,                                              \
			       .field = offsetof(struct ec2_fleet_config, field) + 1,                        \
			       .doc = "Launch template by id."),                                             \
		EC2_FLEET_TEMPLATE_ROW("LaunchTemplateName", template_name,                                  \
				       .field = offsetof(struct ec2_fleet_config, field) + 1,                \
				       .doc = "Launch template by name, instead of its id."),                \
		EC2_FLEET_TEMPLATE_ROW(                                                                      \
			"Version", version,                                                                  \
			.doc = "Version number, $Latest or $Default; absent: the default version."),         \
		PARAM_LIST(struct ec2_fleet_config, "Overrides", overrides, overrides_table,                 \
			   .max = FLEET_OVERRIDES_MAX,                                                       \
			   .doc = "Overrides of the template; none: the template alone.")

/* Finds the override of that number and its configuration; an empty override where the configuration has none. False: there
 * is no such number. */
bool ec2_find_fleet_override(const struct ec2_fleet_configs *configs, size_t number,
			     const struct ec2_fleet_config **ret_config,
			     const struct ec2_fleet_override **ret_override);
size_t ec2_count_fleet_overrides(const struct ec2_fleet_configs *configs);

/* Reads "1" or "0.5" as thousandths. ERR_INVALID. */
RESULT ec2_read_thousandths(struct ec2_call *e, struct str text, const char *field, int64_t least,
			    int64_t absent, int64_t *ret_value);

/* Reads a launch of each override. One whose parameters are refused says so itself. ERR_TOO_LARGE: there are too many. */
RESULT ec2_take_fleet_overrides(struct ec2_call *e, const struct ec2_fleet_configs *configs,
				const struct ec2_tag_specs *tags, struct fleet_override **ret_overrides,
				size_t *ret_count);

/* A new fleet's configurations, and the launches that they say. */
struct ec2_fleet_kept {
	const struct ec2_fleet_configs *configs;
	const struct fleet_override *overrides;
	size_t count;
	const char *prefix; /* common beginning of the kept parameters' names */
	bool is_instant;
};
/* Refuses what would be refused at a later launch. */
RESULT ec2_check_fleet_overrides(struct ec2_call *e, const struct ec2_fleet_kept *a,
				 const struct ec2_tag_specs *tags);
/* Writes the form of schema/fleet.toml. ERR_TOO_LARGE. */
RESULT ec2_keep_fleet_configs(struct ec2_call *e, const struct ec2_fleet_kept *a, struct str *ret_form);
/* Reads the configurations of a fleet that CreateFleet made again. */
RESULT ec2_read_fleet_configs(struct ec2_call *e, const struct fleet *fleet,
			      struct ec2_fleet_configs *ret_configs);

/* Reads the launches of a spot fleet again. */
RESULT ec2_read_spot_fleet_overrides(struct ec2_call *e, const struct fleet *fleet,
				     struct fleet_override **ret_overrides, size_t *ret_count);

/* Word for the fleet's stage. ended: words for a deleted fleet that has no instances, keeps its instances, or terminates them. */
const char *ec2_find_fleet_state(const struct tables *t, const struct fleet *fleet,
				 const char *const ended[static 3]);
/* NULL: EC2 shows none, as of an instant fleet. */
const char *ec2_find_fleet_activity(const struct tables *t, const struct fleet *fleet);

/* ---- answers ---- */

/* Writes thousandths as a number with a point. */
void ec2_write_thousandths(struct ec2_call *e, struct xml *x, const char *name, int64_t value);
/* Leaves an empty text out. */
void ec2_write_double(struct ec2_call *e, struct xml *x, const char *name, struct str text);
/* Writes the launch template that a configuration names. */
void ec2_write_fleet_template(struct xml *x, const struct ec2_fleet_config *config);
