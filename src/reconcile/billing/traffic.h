/* SPDX-License-Identifier: Apache-2.0
 * What the reconciler keeps of counted traffic (reconcile/billing/traffic.c), and how that stands. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct reconciler;
struct traffic;

/* Copies the texts. NULL: no memory. */
struct traffic *traffic_new(struct str device, struct str netns);
void traffic_free(struct traffic *t);

struct traffic_state {
	bool is_configured;
	int64_t read_us; /* when the counters were read last; 0: never */
	size_t count;    /* of addresses */
};
/* Any thread. */
void reconciler_read_traffic(struct reconciler *r, struct traffic_state *ret_state);
