/* SPDX-License-Identifier: Apache-2.0
 * Decides where accounts may make dari connect, for everything fetched from the web (images, disks, issuers'
 * keys). It checks each address just before curl connects, so neither changing DNS nor redirects get around
 * it. Blocks while names are resolved, so use threads that may wait. */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "base/ctx.h"
#include "base/ip.h"

struct egress_policy;

struct egress_policy_config {
	/* The settings images.fetch_not_from and images.fetch_also_from: blocks ("10.0.0.0/8") or addresses.
	 * An address in also_from overrides every refusal, a block only not_from. */
	struct strs not_from, also_from;
	/* Remotes of the region's management: libvirt URIs, OVSDB remotes. In the arena. NULL: none. */
	bool (*list_remotes)(void *arg, struct arena *a, struct strs *ret_remotes); /* false: out of memory */
	void *arg;
};

/* ERR_INVALID names the text that is neither a block nor an address. */
RESULT egress_policy_new(struct ctx *c, const struct egress_policy_config *config,
			 struct egress_policy **ret_reach);
void egress_policy_free(struct egress_policy *r); /* after the last visit; ignores NULL */
DEFINE_AUTO(egress_policy)

/* Parses "10.0.0.0/8" or "2001:db8::1" as in the configuration. ERR_INVALID, also for a block with bits set
 * after its prefix. */
RESULT egress_policy_parse_block(struct str text, struct cidr *ret_block);

/* Addresses refused in addition to the configuration. */
struct web_refused {
	const struct cidr *own; /* this machine's, each with its network's prefix */
	size_t own_count;
	struct ips managed; /* hosts' and databases' */
};
/* True if connections to ip are allowed. r NULL: default rules. Pure. */
bool egress_policy_allows(const struct egress_policy *r, const struct web_refused *refused, struct ip ip);

/* Takes the next host off a remote: a libvirt URI has one, an OVSDB list several, a local socket or a
 * simulated host none. Empty: no more. */
struct str egress_policy_next_host(struct str *remote);

/* ---- one fetch ---- */

struct web_visit {
	struct ctx *c;
	const char *url;
	struct egress_policy *reach;
	/* Used by web_visit_begin() and its callback. */
	CURL *curl;
	struct web_refused refused;
	long redirects;              /* before the server that curl is connecting to */
	bool is_refused, is_allowed; /* an address of that server was refused, or allowed */
};

/* Restricts curl to http or https (schemes in curl's syntax), and to allowed addresses. reach NULL: default
 * rules. The visit must outlive curl's handle. */
RESULT web_visit_begin(struct web_visit *v, CURL *curl, const char *schemes);
/* ERR_IO, with a message for the requester: the transfer ended because an address was refused. Otherwise
 * OK. */
RESULT web_visit_check(const struct web_visit *v, CURLcode code);
