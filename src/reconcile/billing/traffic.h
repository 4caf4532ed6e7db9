/* SPDX-License-Identifier: Apache-2.0
 * State of traffic metering (reconcile/billing/traffic.c). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct reconciler;
struct traffic;

/* Copies the strings. NULL: out of memory. */
struct traffic *traffic_new(struct str device, struct str netns);
void traffic_free(struct traffic *t);

struct traffic_state {
	bool is_configured;
	int64_t read_us; /* time of the last reading; 0: never */
	size_t count;    /* number of addresses */
};
/* Any thread. */
void reconciler_read_traffic(struct reconciler *r, struct traffic_state *ret_state);
