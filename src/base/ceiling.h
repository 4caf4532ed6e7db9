/* SPDX-License-Identifier: Apache-2.0
 * Ceilings on what the whole region shares: streams, consoles, places on lanes. A ceiling gives one asker (an account,
 * a user, an address) a share only, and keeps places back for administrators, so that no account can keep the others
 * or the operator out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct ceiling {
	size_t most;    /* in all, the reserve included */
	size_t of_one;  /* most places that one asker takes; administrators, too */
	size_t reserve; /* the last places, which administrators alone get */
};

/* Returns whether one more may be taken, beside `count` in all and `count_of_one` of the same asker. */
static inline bool ceiling_admits(const struct ceiling *c, size_t count, size_t count_of_one,
				  bool is_administrator)
{
	size_t most = is_administrator ? c->most : c->most - c->reserve;
	return count < most && count_of_one < c->of_one;
}
