/* SPDX-License-Identifier: Apache-2.0
 * What a guest finds inside its VPC: the instance metadata service (IMDSv2 and v1) on
 * 169.254.169.254:80 and a DNS responder on 169.254.169.253:53, for every router that has ports.
 * Each router has a namespace of ours (drivers/plug.h); which router a request came from is known
 * by the socket, which instance by the source address, which the network's anti-spoofing makes
 * trustworthy: one instance never reads another's.
 *
 * It follows the store by itself: a router gets its place when its first port is, and loses it when
 * it is forgotten. Sources: EC2 User Guide, "Instance metadata"; RFC 1035, 6891, 7766. */
#pragma once

#include "base/exec.h"
#include "drivers/compute.h"
#include "drivers/plug.h"
#include "http/server.h"
#include "store/store.h"

struct metadata;
struct sigv4;

struct metadata_config {
	struct executor *executor;
	struct store *store;
	struct http_server *http;
	struct plugs *plugs;   /* NULL: nothing is plugged (dari dev, tests) */
	struct strs upstreams; /* resolvers for names outside, "198.51.100.53" or with ":port" */
	struct str region_name;
	struct sigv4 *sigv4;   /* takes the credentials that guests get; NULL: they get none */
	uint8_t token_key[32]; /* under which IMDSv2 tokens are made */
};

/* Nothing of config is kept but what it points at. ERR_INVALID when an upstream is no address. */
RESULT metadata_new(struct ctx *c, const struct metadata_config *config, struct metadata **ret_metadata);
void metadata_start(struct metadata *m); /* after the store is open: every router that has ports */
void metadata_free(struct metadata *m);  /* before http and plugs */

struct metadata_figures {
	uint64_t dns_queries;   /* of known sources, since start */
	uint64_t dns_answered;  /* by ourselves */
	uint64_t dns_forwarded; /* passed on to the upstreams */
	uint64_t dns_failed;    /* SERVFAIL: none of them answered, or too many under way */
	uint64_t dns_malformed; /* no query that can be read */
	uint64_t dns_strangers; /* dropped: not from a port of the router */
};
/* Any thread. */
void metadata_read_figures(struct metadata *m, struct metadata_figures *ret_figures);

/* The files of an instance's config drive, as Nova lays them out: what the service says below /openstack, and
 * the password that the guest is to set, which is sealed under the master key (MASTER_KEY_SIZE bytes). view
 * walks, and does not any more afterwards. ERR_NOT_FOUND: there is no such instance. */
RESULT metadata_write_drive(const uint8_t *master_key, struct ctx *c, struct view *view, uuid instance,
			    struct compute_files *ret_files);

/* The face that its listeners use; tag is the router's own. Tests call it directly. */
extern const struct http_face metadata_http_face;
/* The same for a simulated region, where no guest asks: "/i-0123456789abcdef0/latest/meta-data/". It believes
 * what it is told, so that it is for loopback, and for nothing that is real. */
extern const struct http_face metadata_named_http_face;
