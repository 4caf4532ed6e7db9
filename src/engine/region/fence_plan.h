/* SPDX-License-Identifier: Apache-2.0
 * Decides whether the region requests a fence by itself: a pure function. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fence_turn {
	FENCE_TURN_NONE, /* the host answers, is not silent long enough, or cannot be fenced */
	FENCE_TURN_ASK,
	FENCE_TURN_HELD /* too many hosts are silent: the fault is probably on this side */
};

struct fence_plan_input {
	bool is_silent;        /* libvirt does not answer */
	bool is_chassis_stale; /* its OVN chassis does not follow */
	bool has_command;
	bool is_wanted;    /* in service: neither disabled nor in maintenance */
	bool is_under_way; /* a fence is requested or confirmed */
	int64_t silent_us; /* start of the silence */
	int64_t failed_us; /* last failure; 0: none */
	int64_t after_us;  /* required silence; 0 or less: never */
	int64_t now_us;
	size_t hosts; /* hosts in service */
	size_t lost;  /* silent or fenced hosts among them, including this one */
};

/* The delay before a retry after a failure during the same silence. */
#define FENCE_AGAIN_US (10 * INT64_C(60) * 1000000)

/* A fifth of the hosts, at least one. */
size_t fence_plan_limit(size_t hosts);
enum fence_turn fence_plan_turn(const struct fence_plan_input *in);
