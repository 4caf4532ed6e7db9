/* SPDX-License-Identifier: Apache-2.0
 * An in-memory copy of an OVSDB database: the tables and columns of a schema, kept current by
 * monitor_cond_since and update3, with two indexes for the diff engine: rows by the scope in their
 * external_ids, and the rows that refer to a row. Values have the form of ovsdb_value.h. No locks: the
 * connection's owner guards it. */
#pragma once

#include "base/result.h"
#include "drivers/ovsdb/ovsdb_value.h"

struct ovsdb_column {
	const char *table, *name;
	enum ovsdb_type type;
	bool never_empty; /* a set of at least one reference: a new row must contain it */
};

/* The parts of a database that we use. */
struct ovsdb_schema {
	const char *database;               /* for example "OVN_Northbound" */
	const struct ovsdb_column *columns; /* grouped by table */
	size_t column_count;
	const char *const *roots; /* root tables, whose rows exist without being referred to;
				   * NULL-terminated */
	const char *scope_key;    /* key of external_ids whose value is indexed */
};

/* Look-ups in a schema. */
const struct ovsdb_column *ovsdb_find_column(const struct ovsdb_schema *s, const char *table,
					     const char *name); /* NULL: not in the schema */
bool ovsdb_is_root(const struct ovsdb_schema *s, const char *table);

struct ovsdb_cache {
	const struct ovsdb_schema *schema;
	json_t *tables;  /* {table: {uuid: {column: value}}} */
	json_t *scopes;  /* {scope: {"table/uuid": true}} */
	json_t *parents; /* {uuid: {"table/column/uuid": true}}, for sets of references only */
};

/* A changed row: its present columns (NULL: deleted), those that changed and, if deleted, its last
 * columns. */
struct ovsdb_change {
	const char *table, *id;
	const json_t *row, *columns, *gone;
};
typedef void (*ovsdb_changed)(void *arg, const struct ovsdb_change *change);

/* ERR_NO_MEMORY. */
RESULT ovsdb_cache_init(struct ovsdb_cache *cache, const struct ovsdb_schema *schema);
void ovsdb_cache_done(struct ovsdb_cache *cache);
/* Applies <table-updates2>. changed may be NULL. ERR_IO: malformed; the cache is unusable afterwards. */
RESULT ovsdb_cache_update(struct ovsdb_cache *cache, const json_t *tables, ovsdb_changed changed, void *arg);

/* Borrowed; NULL if absent. */
json_t *ovsdb_cache_table(const struct ovsdb_cache *cache, const char *table);
json_t *ovsdb_cache_row(const struct ovsdb_cache *cache, const char *table, const char *id);
json_t *ovsdb_cache_scope(const struct ovsdb_cache *cache, const char *scope);
json_t *ovsdb_cache_parents(const struct ovsdb_cache *cache, const char *id);
/* A text of the row's external_ids, or NULL. */
const char *ovsdb_row_mark(const json_t *row, const char *key);
