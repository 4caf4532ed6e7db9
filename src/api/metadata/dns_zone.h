/* SPDX-License-Identifier: Apache-2.0
 * Zones that the DNS responder answers itself: private names and reverse names of a router's ports. The functions read tables
 * that support walks; the answer's strings are in the arena. */
#pragma once

#include "api/metadata/dns_packet.h"
#include "store/store.h"

enum dns_verdict { DNS_ANSWER, DNS_FORWARD };

/* True if a port of the router has the address: queries from other sources are ignored. */
bool dns_zone_knows(const struct tables *t, uuid router, struct ip source);
/* Answers the query, or tells the caller to forward it. The query was parsed completely. */
enum dns_verdict dns_zone_ask(const struct tables *t, struct arena *a, uuid router,
			      const struct dns_query *query, struct dns_answer *ret_answer);
