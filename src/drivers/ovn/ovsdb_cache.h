/* SPDX-License-Identifier: Apache-2.0
 * A copy in memory of the rows of an OVSDB database: the tables and columns that a schema lists,
 * kept up to date by monitor_cond_since and update3, with two indexes that the diff engine lives
 * on: rows by the scope in their external_ids, and the rows that refer to a row. Values are in the
 * form of ovsdb_value.h. No locks: the connection's owner guards it. */
#pragma once

#include "base/result.h"
#include "drivers/ovn/ovsdb_value.h"

struct ovsdb_column {
	const char *table, *name;
	enum ovsdb_type type;
	bool never_empty; /* a set of references with at least one: a new row must come with it */
};

/* What we use of a database. */
struct ovsdb_schema {
	const char *database;               /* "OVN_Northbound" */
	const struct ovsdb_column *columns; /* grouped by table */
	size_t column_count;
	const char *const *roots; /* tables whose rows live without being referred to; NULL-ended */
	const char *scope_key;    /* of external_ids: rows are indexed by its value */
};

/* Looking into a schema. */
const struct ovsdb_column *ovsdb_find_column(const struct ovsdb_schema *s, const char *table,
					     const char *name); /* NULL: not of the schema */
bool ovsdb_is_root(const struct ovsdb_schema *s, const char *table);

struct ovsdb_cache {
	const struct ovsdb_schema *schema;
	json_t *tables;  /* {table: {uuid: {column: value}}} */
	json_t *scopes;  /* {scope: {"table/uuid": true}} */
	json_t *parents; /* {uuid: {"table/column/uuid": true}}, sets of references only */
};

/* Told of each row that changed, with its columns now (NULL: gone) and those that changed; of one that
 * is gone, what it had. */
struct ovsdb_change {
	const char *table, *id;
	const json_t *row, *columns, *gone;
};
typedef void (*ovsdb_changed)(void *arg, const struct ovsdb_change *change);

/* ERR_NO_MEMORY. */
RESULT ovsdb_cache_init(struct ovsdb_cache *cache, const struct ovsdb_schema *schema);
void ovsdb_cache_done(struct ovsdb_cache *cache);
/* Applies <table-updates2>. changed may be NULL. ERR_IO: malformed; the cache is then unusable. */
RESULT ovsdb_cache_update(struct ovsdb_cache *cache, const json_t *tables, ovsdb_changed changed, void *arg);

/* Borrowed, NULL when absent. */
json_t *ovsdb_cache_table(const struct ovsdb_cache *cache, const char *table);
json_t *ovsdb_cache_row(const struct ovsdb_cache *cache, const char *table, const char *id);
json_t *ovsdb_cache_scope(const struct ovsdb_cache *cache, const char *scope);
json_t *ovsdb_cache_parents(const struct ovsdb_cache *cache, const char *id);
/* A text of the row's external_ids, or NULL. */
const char *ovsdb_row_mark(const json_t *row, const char *key);
