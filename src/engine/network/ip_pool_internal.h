/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of ip pools. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Where addresses in use are indexed, by owner and ip: rows marked deleted count, too. */
struct ip_pool {
	enum kind kind;
	unsigned index;
	struct row *probe;   /* a row of the kind with the owner set */
	struct ip *probe_ip; /* its ip */
	size_t ip_offset;
	const struct ip_pool *other; /* what is in use there is not free here either; NULL: none */
	/* Whether the ip is in a block that is kept for somebody whatever is in use of it; then also the block's last one. NULL: nothing
	 * is kept. */
	bool (*is_kept)(const struct tables *t, const struct row *probe, struct ip ip, struct ip *ret_last);
};
/* Whether a row has that ip, or it is kept. */
bool ip_pool_has(const struct tables *t, const struct ip_pool *pool, struct ip ip);
/* Whether a row has an ip of [first, last]. */
bool ip_pool_has_between(const struct tables *t, const struct ip_pool *pool, struct ip first, struct ip last);
/* The first free one of [first, last]. */
bool ip_pool_next(const struct tables *t, const struct ip_pool *pool, struct ip first, struct ip last,
		  struct ip *ret_ip);
/* A free one of [first, last]: the first one at or after a random place, around the end. */
bool ip_pool_pick(const struct tables *t, const struct ip_pool *pool, struct ip first, struct ip last,
		  struct ip *ret_ip);
