/* SPDX-License-Identifier: Apache-2.0
 * Guards transactions by the writer's epoch. A newer writer claims the database with its first transaction: it compares all
 * external_ids with its cache, so of two processes that claim at once, one fails and looks again. */
#include "drivers/ovn/nb.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_SIZE = 64, NUMBER_SIZE = 24 };

static const char *find_global(const struct ovsdb_cache *cache)
{
	return json_object_iter_key(json_object_iter(ovsdb_cache_table(cache, "NB_Global")));
}

/* Succeeds only while the epoch is the one in the database: a row that has it is there. */
static json_t *wait_for_epoch(const char *global, const char *key, const char *number)
{
	return json_pack("[{s:s,s:i,s:s,s:[[s,s,o],[s,s,[s,[[s,s]]]]],s:[s],s:s,s:[]}]", "op", "wait",
			 "timeout", 0, "table", "NB_Global", "where", "_uuid", "==", ovsdb_uuid_write(global),
			 "external_ids", "includes", "map", key, number, "columns", "nb_cfg", "until",
			 "!=", "rows");
}

/* Succeeds only while all external_ids are those of the cache, and writes the epoch. */
static json_t *claim(const char *global, const char *key, const char *number, const json_t *ids)
{
	return json_pack("[{s:s,s:i,s:s,s:[[s,s,o]],s:[s],s:s,s:[{s:o}]},"
			 "{s:s,s:s,s:[[s,s,o]],s:[[s,s,[s,[s]]],[s,s,[s,[[s,s]]]]]}]",
			 "op", "wait", "timeout", 0, "table", "NB_Global", "where", "_uuid",
			 "==", ovsdb_uuid_write(global), "columns", "external_ids", "until", "==", "rows",
			 "external_ids", ovsdb_value_write(OVSDB_MAP, ids), "op", "mutate", "table",
			 "NB_Global", "where", "_uuid", "==", ovsdb_uuid_write(global), "mutations",
			 "external_ids", "delete", "set", key, "external_ids", "insert", "map", key, number);
}

RESULT epoch_guard(struct ctx *c, const struct ovsdb_cache *cache, const struct epoch *epoch,
		   const json_t *ops, json_t **ret_ops, size_t *ret_added)
{
	const char *global = epoch->number ? find_global(cache) : NULL;
	char key[KEY_SIZE], number[NUMBER_SIZE];
	json_t *all = NULL;
	(void) snprintf(key, sizeof key, "dari-epoch-%s", epoch->region);
	(void) snprintf(number, sizeof number, "%" PRId64, epoch->number);
	if (global) { /* northd creates the row in a new database */
		const json_t *row = ovsdb_cache_row(cache, "NB_Global", global);
		const json_t *ids = json_object_get(row, "external_ids");
		const char *text = json_string_value(json_object_get(ids, key));
		int64_t there = text ? strtoll(text, NULL, 10) : 0;
		if (there > epoch->number)
			return ctx_fail(c, ERR_STATE,
					"another dari process writes to OVN: its epoch is %" PRId64
					", this one's %" PRId64,
					there, epoch->number);
		all = there == epoch->number ? wait_for_epoch(global, key, number)
					     : claim(global, key, number, ids);
	} else {
		all = json_array();
	}
	*ret_added = json_array_size(all);
	if (!all || json_array_extend(all, (json_t *) ops) != 0) {
		json_decref(all);
		return ctx_no_memory(c);
	}
	*ret_ops = all;
	return OK;
}

struct guarding {
	const struct epoch *epoch;
	const json_t *ops;
	json_t *all;
	size_t added;
};

static RESULT read_guard(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	struct guarding *g = arg;
	return epoch_guard(c, cache, g->epoch, g->ops, &g->all, &g->added);
}

RESULT epoch_select(struct ovsdb *db, struct ctx *c, const json_t *ops, json_t **ret_results)
{
	size_t n;
	json_t *op;
	json_array_foreach (ops, n, op) {
		const char *name = json_string_value(json_object_get(op, "op"));
		if (!name || strcmp(name, "select") != 0)
			return ctx_fail(c, ERR_INTERNAL,
					"a transaction without an epoch has the operation %s",
					name ? name : "none");
	}
	return ovsdb_transact(db, c, ops, ret_results);
}

RESULT epoch_transact(struct ovsdb *db, struct ctx *c, const struct epoch *epoch, const json_t *ops,
		      json_t **ret_results)
{
	struct guarding g = {.epoch = epoch, .ops = ops};
	json_t *results = NULL;
	if (!epoch->number)
		return ovsdb_transact(db, c, ops, ret_results);
	TRY(ovsdb_with_cache(db, c, read_guard, &g));
	struct result r = ovsdb_transact(db, c, g.all, &results);
	json_decref(g.all);
	for (size_t n = 0; result_is_ok(r) && n < g.added; n++)
		(void) json_array_remove(results, 0);
	if (result_is_ok(r) && ret_results)
		*ret_results = json_incref(results);
	json_decref(results);
	return r;
}
