/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: the terms of spot instances, in RunInstances, launch templates and RequestSpotInstances. */
#pragma once

#include "api/ec2/core/action.h"

struct ec2_launch_parts;
struct instance_launch;
struct spot_request;
struct spot_wish;

struct ec2_spot_options {
	struct str market, max_price, type, behavior, until;
};

#define EC2_SPOT_BEHAVIORS "terminate|stop|hibernate"

/* Rows of RunInstances for a struct T with a struct ec2_spot_options `m`. */
#define EC2_SPOT_OPTIONS(T, m)                                                                               \
	PARAM(T, "InstanceMarketOptions.MarketType", m.market, .words = "spot|capacity-block",               \
	      .doc = "spot: uses spare capacity and may be interrupted."),                                   \
		PARAM(T, "InstanceMarketOptions.SpotOptions.MaxPrice", m.max_price, .max = 32,               \
		      .doc = "Maximum price per hour; absent: the on-demand price."),                        \
		PARAM(T, "InstanceMarketOptions.SpotOptions.SpotInstanceType", m.type,                       \
		      .words = "one-time|persistent",                                                        \
		      .doc = "persistent: the request launches a replacement after its instance ended; "     \
			     "absent: one-time."),                                                           \
		PARAM(T, "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior", m.behavior,       \
		      .words = EC2_SPOT_BEHAVIORS,                                                           \
		      .doc = "Behaviour when the instance is interrupted; absent: terminate."),              \
		PARAM(T, "InstanceMarketOptions.SpotOptions.ValidUntil", m.until, .max = 64,                 \
		      .doc = "End of a persistent request."),                                                \
		NOT_BUILT("InstanceMarketOptions.SpotOptions.BlockDurationMinutes")

/* Checks the options, and fills in the terms other than form and tags. prefix: what parameters are named with in
 * messages. */
RESULT ec2_take_spot(struct ec2_call *e, const struct ec2_spot_options *o, const char *prefix,
		     struct spot_wish *ret_wish);
/* Keeps a launch's parameters as a form, and reads it again. */
RESULT ec2_keep_spot_form(struct ec2_call *e, const struct pairs *said, const char *prefix,
			  struct str *ret_form);
RESULT ec2_read_spot_form(struct ec2_call *e, struct str form, struct instance_launch *ret_launch);
/* Reads a time. ERR_INVALID. An absent one leaves *ret_time_us. */
RESULT ec2_take_spot_time(struct ec2_call *e, struct str text, const char *field, int64_t *ret_time_us);
/* The same of a time that must not be in the past. */
RESULT ec2_take_spot_end(struct ec2_call *e, struct str text, const char *field, int64_t *ret_time_us);
/* A price with six decimals, as EC2 shows it. */
struct str ec2_write_spot_price(struct arena *a, int64_t millionths);
/* Reads a price, and writes it so. Further decimals are left out. ERR_INVALID. */
RESULT ec2_take_spot_price(struct ec2_call *e, struct str text, const char *field, struct str *ret_price);
/* Disks and interfaces of a launch specification, with rows of struct ec2_launch_words. */
extern const struct params ec2_spot_disk_params;
void ec2_write_spot_disks(struct xml *x, const struct ec2_launch_parts *disks);
void ec2_write_spot_interfaces(struct xml *x, const struct ec2_launch_parts *interfaces);
