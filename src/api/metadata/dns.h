/* SPDX-License-Identifier: Apache-2.0
 * The DNS responder of the metadata service: one thread for the sockets of all places, which never blocks. It
 * answers the VPC's own names, and passes all others on to the upstream resolvers, from Dari's own network
 * namespace. It drops queries that do not come from a port of the place's router. It counts queries but logs none,
 * for privacy and because of their number. */
#pragma once

#include <netinet/in.h>

#include "store/store.h"

struct dns;
struct dns_place;

enum { DNS_UPSTREAMS_MAX = 8 };

struct dns_upstreams {
	struct upstream {
		union {
			struct sockaddr any;
			struct sockaddr_in in;
			struct sockaddr_in6 in6;
		} to;
		socklen_t size;
	} at[DNS_UPSTREAMS_MAX];
	size_t count;
};

/* Reads the configuration's resolvers ("198.51.100.53", "198.51.100.53:5353", "[2001:db8::1]:53"),
 * or else the nameservers of /etc/resolv.conf. Our own responders' address is left out. ERR_INVALID
 * names the one that is no address. There may be none: then names outside fail. */
RESULT dns_read_upstreams(struct ctx *c, struct strs config, struct dns_upstreams *ret_upstreams);
/* Reads the nameserver lines of a resolv.conf, and skips what is no address. */
void dns_parse_resolv_conf(struct str text, struct dns_upstreams *ret_upstreams);

/* The thread starts with the first place. ERR_NO_MEMORY. */
RESULT dns_new(struct ctx *c, struct store *store, const struct dns_upstreams *upstreams,
	       struct dns **ret_dns);
void dns_free(struct dns *d); /* NULL: nothing */

/* Any thread but the responder's. If the call succeeds, it owns both sockets, which must be
 * non-blocking. */
RESULT dns_add_place(struct dns *d, struct ctx *c, uuid router, int udp_fd, int tcp_fd,
		     struct dns_place **ret_place);
/* After it returns nothing is heard or said there any more. NULL: nothing. */
void dns_remove_place(struct dns *d, struct dns_place *p);

struct dns_figures {
	uint64_t queries;   /* of known sources */
	uint64_t answered;  /* from our own data, whatever the answer was */
	uint64_t forwarded; /* passed on */
	uint64_t relayed;   /* answers brought back */
	uint64_t failed;    /* SERVFAIL: no upstream, none that answers, or too many under way */
	uint64_t malformed; /* FORMERR, or dropped */
	uint64_t strangers; /* dropped: not from a port of the router */
};
/* Any thread. */
void dns_read_figures(struct dns *d, struct dns_figures *ret_figures);
