/* SPDX-License-Identifier: Apache-2.0
 * How many of each kind somebody may have: the tables of limits.def, and the one question that every
 * operation asks which makes something. */
#pragma once

#include "engine/operation.h"

enum {
	KEY_PAIRS_MAX = 5000,
	GATEWAYS_MAX = 1000,
	CLIENT_TOKENS_MAX = 50000,
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
	GROUP_RULES_MAX = 1000
};

enum limit_id {
#define LIMIT(ID, ...) LIMIT_##ID,
#define REGION(ID, ...) LIMIT_##ID,
#include "engine/limits.def"
	LIMIT_COUNT
};

struct limit_info {
	const char *id, *name;                 /* "KEY_PAIRS", and that of the setting behind "limit." */
	enum kind kind, owner;                 /* owner KIND_NONE: of the region */
	size_t field;                          /* offset of the owner's id in the row */
	size_t figure;                         /* and of the figure in the owner's side */
	bool (*counts)(const struct row *row); /* NULL: another limit counts for the same figure */
	int64_t most;
	const char *before, *after, *source;
};
extern const struct limit_info engine_limits[LIMIT_COUNT];

/* What bounds a kind beside these, or why no account makes its rows. A quota's words are in QUOTA's row. */
struct limit_word {
	enum kind kind;
	bool is_operators;
	const char *words;
};
extern const struct limit_word engine_limit_words[];
extern const size_t engine_limit_word_count;

/* The owner may have so many more. ERR_QUOTA with the kind, and with the field where one is said. In constant
 * time. A row that is gone, and KIND_NONE's owner, have no limit but the region's. */
RESULT limit_check(struct op *op, enum limit_id limit, uuid owner, int64_t more, struct str field);
/* As many as it may have now, by the region's setting or the table; below zero: no limit. */
int64_t engine_get_limit(const struct tables *t, enum limit_id limit);
/* Another number for the region. most: a number, below zero for no limit; or empty: the table's own.
 * ERR_NOT_FOUND: no limit is called so; ERR_INVALID: no number. Both with KIND_SETTING. */
struct limit_wish {
	struct str name, most;
};
OPERATION(engine_set_limit, limit_wish)
/* As many as there are. */
int64_t engine_count_limited(const struct tables *t, enum limit_id limit, uuid owner);

/* What usage_figures.c does for every row that comes and goes. */
void limits_count(const struct tables *head, enum kind kind, const struct row *row, int64_t sign);
