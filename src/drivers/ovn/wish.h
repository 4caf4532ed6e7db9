/* SPDX-License-Identifier: Apache-2.0
 * The desired rows of one resource in an OVSDB database: plan functions write them, the diff engine turns
 * them into a transaction. Every row carries our mark in external_ids:
 *   dari-region          the region; rows of another region, or without it, are never touched
 *   dari-scope           the resource that decides about the row: rows of a wish's scope that the wish does
 *                        not list are removed. Shared rows have the region as their scope.
 *   dari-kind, dari-id   the resource that the row represents
 *
 * References in sets belong to the row referred to (the child), not to the row with the set, so that
 * thousands of resources can share a switch or a group.
 *
 * Errors are sticky: after out of memory every further call is a no-op and wish_diff() reports the failure.
 * Not thread-safe. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/uuid.h"
#include "base/vec.h"
#include "drivers/ovsdb/ovsdb_cache.h"

#define MARK_PREFIX "dari-" /* other keys of external_ids are not ours */
#define MARK_REGION "dari-region"
#define MARK_SCOPE "dari-scope"
#define MARK_KIND "dari-kind"
#define MARK_ID "dari-id"

/* A set (table and column of the parent) that must contain the row. */
struct wish_edge {
	struct wish_edge *next;
	const char *table, *column;
	uuid parent;
};

struct wish_row {
	const char *table;
	uuid id;
	bool shared;     /* created if missing, updated, never removed by this wish */
	json_t *columns; /* without sets of references */
	struct wish_edge *edges;
};

/* A pair of a map shared by many resources. value NULL: the pair must be absent. */
struct wish_entry {
	const char *table, *column;
	uuid row;
	const char *key, *value;
};

struct wish {
	struct arena *arena;
	uuid region, scope;
	const char *kind; /* of rows added from now on */
	uuid id;          /* of rows added from now on */
	VEC(struct wish_row *) rows;
	VEC(struct wish_entry) entries;
	bool failed;
};

/* An empty wish removes everything in its scope. */
void wish_init(struct wish *w, struct arena *arena, uuid region, uuid scope, const char *kind);
void wish_free(struct wish *w); /* frees its JSON only; the struct belongs to the caller */
DEFINE_AUTO(wish)

/* Adds a row with columns in canonical form (ovsdb_value.h); takes over columns. NULL after a failure. */
struct wish_row *wish_add_row(struct wish *w, const char *table, uuid id, json_t *columns);
/* Adds a row that several scopes need; `marked` is the id in its mark. */
struct wish_row *wish_add_shared_row(struct wish *w, const char *table, uuid id, const char *kind,
				     uuid marked, json_t *columns);
void wish_add_mark(struct wish *w, struct wish_row *row, const char *key, struct str value);
void wish_add_edge(struct wish *w, struct wish_row *row, const char *table, const char *column, uuid parent);
void wish_add_entry(struct wish *w, const char *table, const char *column, uuid row, struct str key,
		    struct str value);
/* Moves the text to the wish's arena and frees b. A text that did not fit fails the wish. */
struct str wish_take_text(struct wish *w, struct buf *b);

/* Operations that bring the cached database to the desired state: a new JSON array, or NULL if nothing
 * differs. ERR_AGAIN: a parent row is missing; or the wish is empty and a switch to be removed contains ports
 * of others. ERR_CONFLICT: a row's id belongs to another region. ERR_NO_MEMORY. */
RESULT wish_diff(struct ctx *c, const struct wish *w, const struct ovsdb_cache *cache, json_t **ret_ops);
/* Checks that each operation that must match exactly one row did; otherwise the database has changed
 * meanwhile. ERR_AGAIN. */
RESULT wish_check_results(struct ctx *c, const json_t *ops, const json_t *results);
