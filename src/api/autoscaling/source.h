/* SPDX-License-Identifier: Apache-2.0
 * Private to api/autoscaling/: parameters that say what a group launches, for groups and for the desired configuration of
 * instance refreshes. */
#pragma once

#include "api/autoscaling/internal.h"

enum { AUTOSCALING_WEIGHT_MAX = 999 };
#define AUTOSCALING_MIXED "MixedInstancesPolicy."
#define AUTOSCALING_DISTRIBUTION AUTOSCALING_MIXED "InstancesDistribution."

#define AUTOSCALING_SOURCES                                                                                  \
	"Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or "         \
	"MixedInstancesPolicy parameter."

struct template_args {
	struct str id, name, version;
};
#define AUTOSCALING_TEMPLATE(T, prefix, member)                                                              \
	PARAM(T, prefix "LaunchTemplateId", member.id, .min = 1, .max = 255,                                 \
	      .doc = "Launch template by id."),                                                              \
		PARAM(T, prefix "LaunchTemplateName", member.name, .min = 3, .max = 128,                     \
		      .doc = "Launch template by name, instead of its id."),                                 \
		PARAM(T, prefix "Version", member.version, .min = 1, .max = 255,                             \
		      .doc = "Version number, $Latest or $Default; absent: $Default.")

struct override_args {
	struct str type;
	int64_t weight;
	struct template_args template;
};
extern const struct params autoscaling_override_params; /* filling struct override_args */

struct source_args {
	struct str configuration;
	struct template_args template, mixed;
	struct {
		const struct override_args *at;
		size_t count;
	} overrides;
	struct str strategy, spot_strategy;
	int64_t base, percent;
	bool has_base, has_percent;
};
/* Rows for a struct source_args, without the launch configuration; the names follow `prefix`. */
#define AUTOSCALING_SOURCE(T, member, prefix)                                                                \
	AUTOSCALING_TEMPLATE(T, prefix "LaunchTemplate.", member.template),                                  \
		AUTOSCALING_TEMPLATE(T,                                                                      \
				     prefix AUTOSCALING_MIXED "LaunchTemplate.LaunchTemplateSpecification.", \
				     member.mixed),                                                          \
		PARAM_LIST(T, prefix AUTOSCALING_MIXED "LaunchTemplate.Overrides.member", member.overrides,  \
			   autoscaling_override_params, .max = SCALING_OVERRIDES_MAX,                        \
			   .doc = "Overrides of the launch template, in order."),                            \
		PARAM(T, prefix AUTOSCALING_DISTRIBUTION "OnDemandAllocationStrategy", member.strategy,      \
		      .words = "prioritized|lowest-price", .absent = "prioritized",                          \
		      .doc = "Order of the overrides. lowest-price: smallest instance type first."),         \
		PARAM(T, prefix AUTOSCALING_DISTRIBUTION "OnDemandBaseCapacity", member.base, .min = 0,      \
		      .max = SCALING_SIZE_MAX, .given = offsetof(T, member.has_base) + 1,                    \
		      .doc = "Minimum number of units that are on-demand."),                                 \
		PARAM(T, prefix AUTOSCALING_DISTRIBUTION "OnDemandPercentageAboveBaseCapacity",              \
		      member.percent, .min = 0, .max = 100, .given = offsetof(T, member.has_percent) + 1,    \
		      .doc = "Percentage of the remaining units that is on-demand; absent: 100."),           \
		PARAM(T, prefix AUTOSCALING_DISTRIBUTION "SpotAllocationStrategy", member.spot_strategy,     \
		      .words = "lowest-price|capacity-optimized|capacity-optimized-prioritized|"             \
			       "price-capacity-optimized",                                                   \
		      .absent = "lowest-price",                                                              \
		      .doc = "Order of spot launches: lowest-price: smallest "                               \
			     "instance type first; others: most free capacity "                              \
			     "first."),                                                                      \
		NOT_BUILT(prefix AUTOSCALING_DISTRIBUTION "SpotInstancePools", .only = "2"),                 \
		NOT_BUILT(prefix AUTOSCALING_DISTRIBUTION "SpotMaxPrice", .only = "")

/* Reads what a group launches. is_new: a source must be given. */
RESULT autoscaling_take_source(struct autoscaling_call *e, const struct source_args *a, bool is_new,
			       struct scaling_settings *s);
/* The given parameters of CreateLaunchConfiguration, and those of the instance that are not given. ERR_INVALID: the caller has no
 * such instance. */
RESULT autoscaling_read_instance(struct autoscaling_call *e, struct str id, const struct pairs *given,
				 struct pairs *ret_pairs);
/* Checks parameters of CreateLaunchConfiguration, and writes them as the wish has them. */
RESULT autoscaling_make_configuration(struct autoscaling_call *e, const struct pairs *pairs,
				      struct launch_configuration_wish *wish);
/* Reads the launches that the group would make from now on; the operation tries them. form: data of a launch configuration that
 * the operation makes. */
RESULT autoscaling_read_launches(struct autoscaling_call *e, const struct scaling_group *present,
				 struct str form, struct scaling_settings *s);
