/* SPDX-License-Identifier: Apache-2.0
 * What the DNS responder knows by itself: the private names and reverse names of a router's ports.
 * Everything on tables that walk; the answer's strings are in the arena. */
#pragma once

#include "api/metadata/dns_packet.h"
#include "store/store.h"

enum dns_verdict { DNS_ANSWER, DNS_FORWARD };

/* Whether that address is a port's of that router: others are not heard. */
bool dns_zone_knows(const struct tables *t, uuid router, struct ip source);
/* The answer, or that it is for others to give. query was read whole. */
enum dns_verdict dns_zone_ask(const struct tables *t, struct arena *a, uuid router,
			      const struct dns_query *query, struct dns_answer *ret_answer);
