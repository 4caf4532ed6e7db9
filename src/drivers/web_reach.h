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
	/* The settings images.fetch_not_from and images.fetch_also_from: blocks ("10.0.0.0/8") or
	 * addresses. An address in also_from wins over every refusal, a block only over
	 * not_from. */
	struct strs not_from, also_from;
	/* How the parts that manage the region are reached: libvirt's URIs, OVSDB's remotes. In the
	 * arena. NULL: there are none. */
	bool (*list_remotes)(void *arg, struct arena *a, struct strs *ret_remotes); /* false: out of memory */
	void *arg;
};

/* ERR_INVALID names the text that is neither a block nor an address. */
RESULT web_reach_new(struct ctx *c, const struct web_reach_config *config, struct web_reach **ret_reach);
void web_reach_free(struct web_reach *r); /* after the last visit; NULL: nothing */
DEFINE_AUTO(web_reach)

/* Reads "10.0.0.0/8" or "2001:db8::1" as the configuration has them. ERR_INVALID, also for a block
 * with bits behind its prefix. */
RESULT web_reach_parse_block(struct str text, struct cidr *ret_block);

/* What is refused besides what is configured. */
struct web_refused {
	const struct cidr *own; /* this machine's addresses, each with its network's prefix */
	size_t own_count;
	struct ips managed; /* addresses of hosts and databases */
};
/* Whether ip may be connected to. reach NULL: nothing is configured. Pure. */
bool web_reach_allows(const struct web_reach *r, const struct web_refused *refused, struct ip ip);

/* Cuts the next host off a remote: a libvirt URI names one, OVSDB's list may name many, a local
 * socket or a simulated host none. Empty: there are no more. */
struct str web_reach_next_host(struct str *remote);

/* ---- one fetch ---- */

struct web_visit {
	struct ctx *c;
	const char *url;
	struct web_reach *reach;
	/* Used by web_visit_begin() and its callback. */
	CURL *curl;
	struct web_refused refused;
	long redirects;              /* before the server that curl is connecting to */
	bool is_refused, is_allowed; /* whether an address of that server was refused, or allowed */
};

/* Restricts curl to http or https (schemes is curl's list of them), and to where reach allows.
 * reach NULL: nothing is configured. The visit must outlive curl's handle. */
RESULT web_visit_begin(struct web_visit *v, CURL *curl, const char *schemes);
/* ERR_IO, in words for whoever asked: the transfer ended because an address was refused. Else
 * OK. */
RESULT web_visit_check(const struct web_visit *v, CURLcode code);
