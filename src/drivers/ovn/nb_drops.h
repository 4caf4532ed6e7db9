/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/ovn/: what rules do not admit, as matches of drops; IPv4 only. Matches follow "ip4" and,
 * unless empty, begin with " && ". All memory is the wish's arena; if it is full, the wish has failed. */
#pragma once

#include "base/ip.h"
#include "base/vec.h"
#include "drivers/ovn/wish.h"

/* A range of addresses or ports, both ends included. */
struct nb_span {
	uint32_t first, last;
};
struct nb_spans {
	VEC(struct nb_span) at;
};
void nb_add_span(struct wish *w, struct nb_spans *spans, uint32_t first, uint32_t last);
/* Complement of the spans, which are sorted in place; `rest` may have been used before. */
void nb_find_rest(struct wish *w, struct nb_spans *spans, struct nb_spans *rest);
/* " && ip4.src == {…}"; empty for all addresses. */
struct str nb_write_addresses(struct wish *w, const char *field, const struct nb_spans *spans);

/* One rule. */
struct nb_rule {
	struct cidr source;
	int64_t protocol; /* -1: all */
	int64_t from, to; /* ports, or ICMP type and code; -1: all */
	bool denies;
};

/* Rules in order: the first match decides, and unmatched traffic is not admitted. */
struct nb_dropping {
	struct wish *w;
	struct str to; /* start of each match, which selects the receiver */
	const struct nb_rule *rules;
	size_t count;
	void (*drop)(const void *arg, struct str match);
	const void *arg;
};
/* Each calls drop() with everything not admitted: of ICMP, TCP and UDP; of all other protocols; of all
 * protocols. */
void nb_drop_known(const struct nb_dropping *d);
void nb_drop_others(const struct nb_dropping *d);
void nb_drop_all(const struct nb_dropping *d);
