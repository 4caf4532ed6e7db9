/* SPDX-License-Identifier: Apache-2.0
 * The EC2 query API, and STS's GetCallerIdentity beside it on the same listener. Actions are
 * const rows beside their handlers, in files by resource; this sums them up and takes calls
 * through: parse, who asks, which action, its parameters, change or look or read, answer. */
#pragma once

#include "http/server.h"
#include "reconcile/reconcile.h"
#include "store/store.h"

struct guards;
struct sigv4;
struct issuers;
struct lane;
struct limits;
struct ec2_face;

struct ec2_config {
	struct store *store;
	struct sigv4 *sigv4;
	struct guards *guards;         /* what policies say; NULL: roles alone decide */
	struct issuers *issuers;       /* of web identities; NULL: none can be asked */
	struct lane *key_lane;         /* where key pairs are made */
	struct limits *limits;         /* how often who may ask; NULL: as often as they like */
	struct reconciler *reconciler; /* NULL: no host can be looked at */
	struct str region;             /* its name; copied */
	struct str endpoint;           /* what DescribeRegions says: host[:port]; copied */
};

/* ERR_NO_MEMORY. What the config points at must live as long as the face. */
RESULT ec2_new(struct ctx *c, const struct ec2_config *config, struct ec2_face **ret_face);
void ec2_free(struct ec2_face *face); /* after its listeners are gone */

struct ec2_figures {
	uint64_t rows_looked_at; /* by lists, since start: what they cost */
};
void ec2_read_figures(const struct ec2_face *face, struct ec2_figures *ret_figures); /* any thread */

/* For http_listen(), with the face as self. */
extern const struct http_face ec2_http_face;

/* All actions as JSON, for documentation and tests: {"actions": [{name, doc, permit, writes,
 * params: [{name, type, required, built, doc}], filters: [name]}], "unbuilt": [name]}. */
void ec2_dump_actions(struct buf *out);
/* Whether EC2 has an action of that name, built here or not. Any thread. */
bool ec2_is_known_action(struct str name);
