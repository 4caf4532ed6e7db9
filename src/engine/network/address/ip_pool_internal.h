/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: searches for free IP addresses between those in use. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

/* An index of addresses in use, by owner and IP. Rows marked deleted still count as used. */
struct ip_pool {
	enum kind kind;
	unsigned index;
	struct row *probe;   /* a row of the kind with the owner set; searches overwrite *probe_ip */
	struct ip *probe_ip; /* the IP field of probe */
	size_t ip_offset;
	const struct ip_pool *other; /* addresses of this pool are not free either; NULL: no other pool */
	/* True if the IP lies in a reserved block, used or not; *ret_last is then the block's last address.
	 * NULL: nothing is reserved. */
	bool (*is_kept)(const struct tables *t, const struct row *probe, struct ip ip, struct ip *ret_last);
};
/* True if a row has the IP, or it is reserved. */
bool ip_pool_has(const struct tables *t, const struct ip_pool *pool, struct ip ip);
/* True if a row has an IP in [first, last]. */
bool ip_pool_has_between(const struct tables *t, const struct ip_pool *pool, struct ip first, struct ip last);
/* Lowest free IP in [first, last]. */
bool ip_pool_next(const struct tables *t, const struct ip_pool *pool, struct ip first, struct ip last,
		  struct ip *ret_ip);
/* A free IP in [first, last]: the first one from a random place on, wrapping around. */
bool ip_pool_pick(const struct tables *t, const struct ip_pool *pool, struct ip first, struct ip last,
		  struct ip *ret_ip);
