/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/ovn/: what rules do not let in, as the matches of drops. Of IPv4 alone. Matches go behind "ip4", and
 * begin with " && " where they say anything. All memory is the wish's arena; when that is full the wish has failed. */
#pragma once

#include "base/ip.h"
#include "base/vec.h"
#include "drivers/ovn/wish.h"

/* Of numbers: addresses, ports. */
struct nb_span {
	uint32_t first, last;
};
struct nb_spans {
	VEC(struct nb_span) at;
};
void nb_add_span(struct wish *w, struct nb_spans *spans, uint32_t first, uint32_t last);
/* All numbers that are in none of them, which are sorted by it; into a vector that may have been used. */
void nb_find_rest(struct wish *w, struct nb_spans *spans, struct nb_spans *rest);
/* " && ip4.src == {…}"; of all addresses nothing. */
struct str nb_write_addresses(struct wish *w, const char *field, const struct nb_spans *spans);

/* What it is about. */
struct nb_rule {
	struct cidr source;
	int64_t protocol; /* -1: all */
	int64_t from, to; /* ports, or ICMP's type and code; -1: all */
	bool denies;
};

/* Rules in their order: the first that fits decides, and what none fits is not let in. */
struct nb_dropping {
	struct wish *w;
	struct str to; /* what each match begins with: to whom something comes in */
	const struct nb_rule *rules;
	size_t count;
	void (*drop)(const void *arg, struct str match);
	const void *arg;
};
/* drop() is called with all that is not let in of ICMP, TCP and UDP; of all other protocols; of all of them. */
void nb_drop_known(const struct nb_dropping *d);
void nb_drop_others(const struct nb_dropping *d);
void nb_drop_all(const struct nb_dropping *d);
