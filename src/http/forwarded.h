/* SPDX-License-Identifier: Apache-2.0
 * The client's address behind reverse proxies: X-Forwarded-For, or Forwarded (RFC 7239), from proxies that the operator names. */
#pragma once

#include "base/ip.h"

/* Reverse proxies whose header is believed. Only one of the two headers is read: a proxy that writes one hands a client's own
 * copy of the other on. */
struct http_proxies {
	const struct cidr *at;
	size_t count;
	bool by_forwarded; /* read Forwarded and its proto, not X-Forwarded-For and X-Forwarded-Proto */
};

struct http_listener;
/* Calls of the listener from these proxies have their client's address as peer, and its scheme. proxies stay the caller's. */
void http_trust_proxies(struct http_listener *l, const struct http_proxies *proxies);

/* True if the address is one of the proxies. */
bool forwarded_is_proxy(const struct http_proxies *proxies, struct ip ip);

/* Origin of a request according to trusted proxies. */
struct forwarded {
	struct ip client;
	struct str scheme; /* "http", "https", or empty: not told */
};

/* Walks the header's value (lines joined by commas) from the right, as far as addresses are proxies; the first other address is the
 * client. The proxy next to an entry that is no address counts as the client, because nobody vouches for what stands left of it.
 * peer: whose connection it is, a proxy. */
struct forwarded forwarded_read(const struct http_proxies *proxies, struct ip peer, struct str value);
