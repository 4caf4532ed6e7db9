/* SPDX-License-Identifier: Apache-2.0
 * Whether the region asks by itself that a host be turned off, as a pure function of what is known. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fence_turn {
	FENCE_TURN_NONE, /* it answers, or somebody has not been silent long enough, or nobody can turn it off */
	FENCE_TURN_ASK,
	FENCE_TURN_HELD /* so many hosts are silent that the fault is rather on this side */
};

struct fence_plan_input {
	bool is_silent;        /* libvirt does not answer */
	bool is_chassis_stale; /* and its OVN chassis does not follow either */
	bool has_command;
	bool is_wanted;    /* it is in service: neither disabled nor under maintenance */
	bool is_under_way; /* one is asked for, or confirmed */
	int64_t silent_us; /* since when */
	int64_t failed_us; /* when the last one failed; 0: none has */
	int64_t after_us;  /* of silence; 0 or less: it is never asked for by itself */
	int64_t now_us;
	size_t hosts; /* in service */
	size_t lost;  /* of those, silent ones, and ones that are turned off; with this one */
};

/* After a failure in the same silence it is asked for again after that. */
#define FENCE_AGAIN_US (10 * INT64_C(60) * 1000000)

/* A fifth of the hosts, but one at least. */
size_t fence_plan_limit(size_t hosts);
enum fence_turn fence_plan_turn(const struct fence_plan_input *in);
