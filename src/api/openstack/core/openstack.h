/* SPDX-License-Identifier: Apache-2.0
 * OpenStack's APIs on one port, each under its prefix: Identity (Keystone) v3, Compute (Nova) v2.1 with
 * microversions, Image (Glance) v2, Network (Neutron) v2.0, Block Storage (Cinder) v3 with microversions,
 * Placement. Actions are const rows beside their handlers, in files by resource; this sums them up and takes
 * calls through: which service, who asks, which action, its parameters, change or look or read, answer.
 * Source: the services' API references (docs.openstack.org/api-ref) as of Zed. */
#pragma once

#include "http/server.h"
#include "reconcile/reconcile.h"
#include "store/store.h"

struct guards;
struct limits;
struct passwords;
struct lane;
struct uses;
struct tickets;
struct tokens;
struct openstack_face;

struct openstack_config {
	struct store *store;
	struct tokens *tokens;         /* who asks (auth/token.h) */
	struct tickets *tickets;       /* that consoles are opened with */
	struct uses *uses;             /* when passwords were last used; NULL: not noted */
	struct passwords *passwords;   /* by which they prove it at first (auth/password.h) */
	struct lane *key_lane;         /* where key pairs are made */
	const uint8_t *master_key;     /* MASTER_KEY_SIZE bytes: EC2 keys are made and shown */
	struct guards *guards;         /* what policies say; NULL: roles alone decide */
	struct limits *limits;         /* how often who may ask; NULL: as often as they like */
	struct reconciler *reconciler; /* NULL: no host can be looked at */
	struct str region;             /* its name; copied */
	struct str endpoint; /* "http://127.0.0.1:8788": for requests that do not say how they found us;
				copied */
};

/* ERR_NO_MEMORY. What the config points at must live as long as the face. */
RESULT openstack_new(struct ctx *c, const struct openstack_config *config, struct openstack_face **ret_face);
void openstack_free(struct openstack_face *face); /* after its listeners are gone; NULL: nothing */

/* Whether a path is of one of the services: the listener is shared with other faces. */
bool openstack_has_path(struct str path);

/* For http_listen(), with the face as self. */
extern const struct http_face openstack_http_face;

/* All actions as JSON, for documentation and tests: {"actions": [{service, method, path, name, permit,
 * writes, since, until, params: [{name, in, type, required, built, doc}], filters: [name], doc}], "unbuilt":
 * [{service, method, path, name}]}. */
void openstack_dump_actions(struct buf *out);
