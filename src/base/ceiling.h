/* SPDX-License-Identifier: Apache-2.0
 * Limits of resources shared by the whole region: streams, consoles, places on lanes. Each asker (an account,
 * a user, an address) gets only a share, and some places are reserved for administrators, so that no account
 * can lock out others or the operator. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct ceiling {
	size_t most;    /* total, including the reserve */
	size_t of_one;  /* maximum for one asker, including administrators */
	size_t reserve; /* places available to administrators only */
};

/* Checks that one more place may be taken, with `count` places taken in total and `count_of_one` by this asker. */
static inline bool ceiling_admits(const struct ceiling *c, size_t count, size_t count_of_one,
				  bool is_administrator)
{
	size_t most = is_administrator ? c->most : c->most - c->reserve;
	return count < most && count_of_one < c->of_one;
}
