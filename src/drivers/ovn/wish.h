/* SPDX-License-Identifier: Apache-2.0
 * Which rows of an OVSDB database one resource wants: the plan functions write such a wish, the
 * diff engine turns it into a transaction. Every row carries our mark in external_ids:
 *     dari-region  the region; rows of another region, or without it, are never touched
 *     dari-scope   the resource whose wish decides over the row: rows of a wish's scope that the
 *                  wish no longer lists are removed. Shared rows have the region as their scope.
 *     dari-kind, dari-id   the resource it stands for
 * References in sets belong to the row referred to (the child), not to the row that has the set,
 * so that thousands of resources can share a switch or a group.
 *
 * Sticky: after out of memory every further call does nothing and wish_diff() tells. Not
 * thread-safe. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/uuid.h"
#include "base/vec.h"
#include "drivers/ovn/ovsdb_cache.h"

#define MARK_PREFIX "dari-" /* other keys of external_ids are not ours */
#define MARK_REGION "dari-region"
#define MARK_SCOPE "dari-scope"
#define MARK_KIND "dari-kind"
#define MARK_ID "dari-id"

/* {parent's table, its column, parent}: the set that a row shall be in. */
struct wish_edge {
	struct wish_edge *next;
	const char *table, *column;
	uuid parent;
};

struct wish_row {
	const char *table;
	uuid id;
	bool shared;     /* made when missing, brought up to date, never removed by this wish */
	json_t *columns; /* without sets of references */
	struct wish_edge *edges;
};

/* One pair of a map that many resources share. Without a value: not there. */
struct wish_entry {
	const char *table, *column;
	uuid row;
	const char *key, *value;
};

struct wish {
	struct arena *arena;
	uuid region, scope;
	const char *kind; /* for rows added from now on */
	uuid id;          /* likewise */
	VEC(struct wish_row *) rows;
	VEC(struct wish_entry) entries;
	bool failed;
};

/* Empty: such a wish removes all of its scope. */
void wish_init(struct wish *w, struct arena *arena, uuid region, uuid scope, const char *kind);
void wish_free(struct wish *w); /* its JSON only; the struct is the caller's */
DEFINE_AUTO(wish)

/* A row by JSON canonical form (ovsdb_value.h); columns is stolen. NULL after a failure. */
struct wish_row *wish_add_row(struct wish *w, const char *table, uuid id, json_t *columns);
/* The same for a row that several scopes need; its mark's id is given. */
struct wish_row *wish_add_shared_row(struct wish *w, const char *table, uuid id, const char *kind,
				     uuid marked, json_t *columns);
void wish_add_mark(struct wish *w, struct wish_row *row, const char *key, struct str value);
void wish_add_edge(struct wish *w, struct wish_row *row, const char *table, const char *column, uuid parent);
void wish_add_entry(struct wish *w, const char *table, const char *column, uuid row, struct str key,
		    struct str value);
/* What was written, in the wish's arena; b is done with. A text that did not fit fails the wish. */
struct str wish_take_text(struct wish *w, struct buf *b);

/* Operations that bring the cache's database to the wish: a new JSON array, or NULL when nothing
 * differs. ERR_AGAIN: a set's row that it needs is not there; or nothing is wished, and a switch that
 * was to go holds others' ports. ERR_CONFLICT: a row's id is taken by
 * another region. ERR_NO_MEMORY. */
RESULT wish_diff(struct ctx *c, const struct wish *w, const struct ovsdb_cache *cache, json_t **ret_ops);
/* Checks that what must have met exactly one row did: a database changed under us. ERR_AGAIN. */
RESULT wish_check_results(struct ctx *c, const json_t *ops, const json_t *results);
