/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/compute/: launch specifications of spot fleets. */
#pragma once

#include "api/ec2/compute/fleets.h"
#include "api/ec2/compute/launch_template_data.h"

/* Prefix of a spot fleet's parameters in requests. */
#define SPOT_FLEET_CONFIG "SpotFleetRequestConfig."

struct ec2_spot_spec {
	struct ec2_launch_words words;
	struct ec2_launch_parts groups, tag_specs;
	struct str price, capacity;
	struct str field; /* full name of the parameter ImageId */
};
struct ec2_spot_specs {
	const struct ec2_spot_spec *at;
	size_t count;
};
extern const struct params ec2_spot_spec_params;

/* Reads the launches of the specifications from their parameters. A launch whose parameters are refused holds the refusal. price: the
 * price of specifications that name none. */
RESULT ec2_take_spot_specs(struct ec2_call *e, const struct pairs *pairs, const struct ec2_spot_specs *specs,
			   struct str price, struct fleet_override **ret_overrides, size_t *ret_count);
/* Refuses what would be refused at a later launch. */
RESULT ec2_check_spot_specs(struct ec2_call *e, const struct ec2_spot_specs *specs);
void ec2_write_spot_specs(struct ec2_call *e, struct xml *x, const struct ec2_spot_specs *specs);
