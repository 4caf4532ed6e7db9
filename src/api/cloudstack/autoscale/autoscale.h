/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/autoscale/: objects of AutoScale, which groups contain. */
#pragma once

#include "api/cloudstack/core/action.h"
#include "engine/scaling/autoscale.h"

struct instance_launch;
struct view;

extern const struct api_listing cs_autoscale_policies, cs_autoscale_conditions;

/* Writes the items of a list as objects of the listing. */
void cs_write_rows(struct api_call *e, struct json_writer *w, const struct api_listing *listing,
		   const struct row *row);

/* Reads the launch of a profile's machines, as deployVirtualMachine reads its own, with the network of the load balancer rule
 * first. network none: the profile's networks alone. Any refusal of deployVirtualMachine's. */
RESULT cs_read_profile(struct cs_call *e, const struct autoscale_profile *profile, uuid network,
		       struct instance_launch *ret_launch);
