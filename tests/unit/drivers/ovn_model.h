/* SPDX-License-Identifier: Apache-2.0
 * A database in miniature for the diff engine's tests: it executes operations as OVSDB would, with
 * its checks at commit (references, unique names, rows that nothing refers to), and fills a cache. */
#pragma once

#include "base/ip.h"
#include "drivers/ovn/wish.h"
#include "model/address.h"
#include "model/dhcp_options.h"
#include "model/external_network.h"
#include "model/gateway.h"
#include "model/nat_gateway.h"
#include "model/network.h"
#include "model/peering.h"
#include "model/port.h"
#include "model/port_forwarding.h"
#include "model/route.h"
#include "model/router.h"
#include "model/security_group.h"
#include "model/security_group_rule.h"
#include "model/subnet.h"

struct model {
	const struct ovsdb_schema *schema;
	json_t *tables; /* {table: {uuid: {column: canonical value}}} */
};

void model_init(struct model *m, const struct ovsdb_schema *schema);
void model_done(struct model *m);
/* Executes a transaction; fails the test on what the server would refuse. */
void model_commit(struct model *m, const json_t *ops);
/* A snapshot of it, as a server would send; the caller ends it. */
void model_load(const struct model *m, struct ovsdb_cache *ret_cache);
/* Executes what the wish wants changed, and frees the wish. */
void model_apply(struct model *m, struct ctx *c, struct wish *wish);
size_t model_count(const struct model *m, const char *table);

const json_t *model_find(const struct model *m, const char *table, uuid id); /* NULL: no such row */
/* Every row of b is in a, column by column, however its emptiness came to be. */
void model_check_has(const struct model *a, const struct model *b);

/* Values for rows: an id determined by kind and numbers, and parsed texts, which must be valid. */
uuid make_id(const char *kind, size_t n, size_t m);
struct cidr make_cidr(const char *text);
struct ip make_ip(const char *text);
/* One TCP forwarding, and one of three UDP ports to as many. router: the router's number. */
void make_forwardings(size_t router, struct port_forwarding out[static 2]);
