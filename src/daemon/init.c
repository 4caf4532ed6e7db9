/* SPDX-License-Identifier: Apache-2.0
 * Making a region: its data directory, its master key, its database. */
#include "auth/key.h"
#include "base/file.h"
#include "daemon/daemon.h"
#include "engine/engine.h"
#include "engine/region/region.h"
#include "store/sql.h"

/* "a,b" and "us-east-1a" both name zones. */
static RESULT parse_zones(struct ctx *c, struct str region, struct str text, struct strs *ret_zones)
{
	VEC(struct str) zones = {0};
	struct str piece = STR_NONE;
	while (str_split_next(&text, ',', &piece)) {
		piece = str_trim(piece);
		if (str_is_empty(piece))
			continue;
		if (piece.n == 1)
			piece = str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(region), STR_ARG(piece));
		if (!VEC_PUSH(c->arena, &zones, piece))
			return ctx_no_memory(c);
	}
	*ret_zones = (struct strs){zones.at, zones.count};
	return OK;
}

/* A database that is there already keeps its region's id. */
static RESULT make_database(struct ctx *c, struct settings *s, struct strs zones)
{
	struct region_wish wish = {.name = s->region, .zones = zones};
	TRY(uuid_parse(s->region_id, &wish.id));
	struct sql_driver *sql = NULL;
	TRY(sqlite_open(c, settings_path(c->arena, s, "dari.db"), &sql));
	AUTO(executor) executor = executor_new_threads();
	struct store *store = NULL;
	struct store_config config = {
		.executor = executor, .sql = sql, .observe = engine_observe, .check = engine_check_row};
	TRY(store_open(c, &config, &store));
	struct result result = store_commit(store, c, "dari:init", engine_bootstrap_region_run, &wish);
	store_close(store);
	if (result_is_ok(result))
		s->region_id = uuid_to_str(c->arena, wish.region);
	return result;
}

RESULT init_region(struct ctx *c, struct settings *s, struct str zones)
{
	struct strs parsed = {0};
	TRY(parse_zones(c, s->region, zones, &parsed));
	TRY(file_make_directory(c, str_to_z(c->arena, s->data_directory), 0700));
	TRY(key_make_master(c, settings_path(c->arena, s, "master.key")));
	return make_database(c, s, parsed);
}
