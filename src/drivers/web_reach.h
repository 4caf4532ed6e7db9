/* SPDX-License-Identifier: Apache-2.0
 * Where accounts may make us connect to: the one place that decides for everything that is fetched
 * from the web (images, disks, issuers' keys). It is asked about each address that curl is about to
 * connect to, so neither a name that changes nor a redirect gets around it. It blocks where names
 * are resolved: only for threads that may wait. */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "base/ctx.h"
#include "base/ip.h"

struct web_reach;

struct web_reach_config {
	/* images.fetch_not_from and …also_from: blocks ("10.0.0.0/8") or addresses. also_from: an address
	 * wins over every refusal, a block over not_from's alone. */
	struct strs not_from, also_from;
	/* How what manages the region is reached: libvirt's URIs, OVSDB's remotes. In the arena. NULL: by
	 * none. */
	bool (*list_remotes)(void *arg, struct arena *a, struct strs *ret_remotes); /* false: no memory */
	void *arg;
};

/* ERR_INVALID: a text is neither a block nor an address; says which. */
RESULT web_reach_new(struct ctx *c, const struct web_reach_config *config, struct web_reach **ret_reach);
void web_reach_free(struct web_reach *r); /* NULL: nothing; after the last visit */
DEFINE_AUTO(web_reach)

/* "10.0.0.0/8", "2001:db8::1": as in the configuration. ERR_INVALID, also for a block with bits behind its
 * prefix. */
RESULT web_reach_parse_block(struct str text, struct cidr *ret_block);

/* What is refused besides what is configured. */
struct web_refused {
	const struct cidr *own; /* this machine's addresses, each with its network's prefix */
	size_t own_count;
	struct ips managed; /* of hosts and databases */
};
/* reach NULL: nothing is configured. Pure. */
bool web_reach_allows(const struct web_reach *r, const struct web_refused *refused, struct ip ip);

/* The hosts that a remote names: of a libvirt URI one, of OVSDB's list many; none of a local socket or a
 * simulated host. Empty at the end. */
struct str web_reach_next_host(struct str *remote);

/* ---- one fetch ---- */

struct web_visit {
	struct ctx *c;
	const char *url;
	struct web_reach *reach;
	/* web_visit_begin()'s and its callback's own. */
	CURL *curl;
	struct web_refused refused;
	long redirects;              /* before the server that curl connects to now */
	bool is_refused, is_allowed; /* an address of that server was */
};

/* Holds curl to http or https (schemes: curl's list of them) and to where reach lets it go; reach NULL:
 * nothing is configured. The visit has to outlive curl's handle. */
RESULT web_visit_begin(struct web_visit *v, CURL *curl, const char *schemes);
/* ERR_IO in words for who asked, if the transfer ended for what was refused; else OK. */
RESULT web_visit_check(const struct web_visit *v, CURLcode code);
