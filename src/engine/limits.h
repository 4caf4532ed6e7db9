/* SPDX-License-Identifier: Apache-2.0
 * How many of each kind an owner may have: the table of limits.def, and the one question that every
 * operation asks which makes something. */
#pragma once

#include "engine/operation.h"

enum {
	GATEWAYS_MAX = 1000,
	CLIENT_TOKENS_MAX = 50000,
	JOBS_MAX = 20000,
	ACCESS_KEYS_MAX = 100,
	MEMBERSHIPS_MAX = 100,
	ASSIGNMENTS_MAX = 1000,
	REVOCATIONS_MAX = 10000,
	DOMAIN_ACCOUNTS_MAX = 10000,
	DOMAIN_USERS_MAX = 100000,
	DOMAIN_GROUPS_MAX = 10000,
	ROUTE_TABLES_MAX = 200,
	ROUTES_MAX = 500,
	PEERINGS_MAX = 200,
	GROUP_RULES_MAX = 1000,
	PORT_POLICIES_MAX = 5000,
	PORT_POLICY_RULES_MAX = 1000,
	PORT_SETS_MAX = 3000,
	SOURCE_NATS_MAX = 1000,
	ROUTE_PLANS_MAX = 600,
	ROUTE_PLAN_ENTRIES_MAX = 400,
	PEERING_SIDES_MAX = 500,
	BALANCER_SETS_MAX = 1000,
	BALANCER_POOL_MEMBERS_MAX = 1000,
	/* Of the 32,767 keys that OVN has for the ports of a switch or a router. The rest is for those that no
	 * row stands for: a subnet's router, a gateway's metadata, egress-only gateways. */
	NETWORK_PORTS_MAX = 32000,
	/* Of the 2^24 - 1 that OVN has for switches and routers it keeps 2^16 - 1 for its own use. */
	NETWORK_KEYS_MAX = 16711680
};

enum limit_id {
#define LIMIT(ID, ...) LIMIT_##ID,
#define REGION(ID, ...) LIMIT_##ID,
#include "engine/limits.def"
	LIMIT_COUNT
};

struct limit_info {
	const char *id, *name; /* id: "KEY_PAIRS"; name: the setting's, behind "limit." */
	enum kind kind, owner; /* owner KIND_NONE: the region itself */
	size_t field;          /* offset of the owner's id in the row */
	size_t figure;         /* offset of the count in the owner's usage */
	bool (*counts)(
		const struct row *row); /* which rows count; NULL: another limit counts for the same figure */
	int64_t most;
	const char *before, *after, *source;
};
extern const struct limit_info engine_limits[LIMIT_COUNT];

/* What else limits a kind, or why no account makes its rows. The words of a quota are in its QUOTA
 * row. */
struct limit_word {
	enum kind kind;
	bool is_operators;
	const char *words;
};
extern const struct limit_word engine_limit_words[];
extern const size_t engine_limit_word_count;

/* Checks that the owner may have so many more, in constant time. ERR_QUOTA with the kind, and with
 * the field if one is given. An owner that no longer exists, and KIND_NONE's, have only the
 * region's limit. */
RESULT limit_check(struct op *op, enum limit_id limit, uuid owner, int64_t more, struct str field);
/* How many an owner may have now, by the region's setting or else by the table; below zero: no
 * limit. */
int64_t engine_get_limit(const struct tables *t, enum limit_id limit);
/* Sets a limit for the region. most is a number (below zero: no limit), or empty for the table's
 * own. ERR_NOT_FOUND: no limit has that name. ERR_INVALID: most is no number. Both with
 * KIND_SETTING. */
struct limit_wish {
	struct str name, most;
};
OPERATION(engine_set_limit, limit_wish)
/* How many there are. */
int64_t engine_count_limited(const struct tables *t, enum limit_id limit, uuid owner);

/* How many switches and routers of OVN a row of the kind stands for: LIMIT_NETWORK_KEYS counts these. */
int64_t limits_keys_of(enum kind kind);

/* Counts a row that comes (sign 1) or goes (-1). Only usage_figures.c calls it. */
void limits_count(const struct tables *head, enum kind kind, const struct row *row, int64_t sign);
