/* SPDX-License-Identifier: Apache-2.0
 * Creates a region: its data directory, master key and database. */
#include "auth/key/key.h"
#include "base/file.h"
#include "daemon/daemon.h"
#include "engine/engine.h"
#include "engine/region/region.h"
#include "store/sql.h"

/* Accepts "a,b" and "us-east-1a". */
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
		if (!engine_is_region_name(piece))
			return ctx_fail(c, ERR_INVALID,
					"\"%" STR_FMT "\" cannot name a zone: a letter does, or %" STR_FMT
					"a",
					STR_ARG(piece), STR_ARG(region));
		if (!VEC_PUSH(c->arena, &zones, piece))
			return ctx_no_memory(c);
	}
	*ret_zones = (struct strs){zones.at, zones.count};
	return OK;
}

struct init_more {
	RESULT (*run)(struct daemon *d, void *arg); /* NULL: none */
	void *arg;
};

/* An existing database keeps its region's id. */
static RESULT make_database(struct daemon *d, struct strs zones, const struct init_more *more)
{
	struct region_wish wish = {.name = d->settings.region, .zones = zones};
	TRY(uuid_parse(d->settings.region_id, &wish.id));
	TRY(store_commit(d->store, &d->ctx, "dari:init", engine_bootstrap_region_run, &wish));
	d->settings.region_id = uuid_to_str(d->arena, wish.region);
	return more->run ? more->run(d, more->arg) : OK;
}

static RESULT open_database(struct daemon *d, struct strs zones, const struct init_more *more)
{
	TRY(sql_open(&d->ctx, settings_store(d->arena, &d->settings), &d->sql));
	writer_mark_key(d->sql, d->master_key);
	AUTO(executor) executor = executor_new_threads();
	struct store_config config = {.executor = executor,
				      .sql = d->sql,
				      .observe = engine_observe,
				      .check = engine_check_row,
				      .follow = engine_follow};
	TRY(store_open(&d->ctx, &config, &d->store));
	struct result result = make_database(d, zones, more);
	store_close(d->store);
	return result;
}

static RESULT make_key(struct ctx *c, const char *path, uint8_t ret_key[static MASTER_KEY_SIZE])
{
	if (!file_exists(path))
		TRY(key_make_master(c, path));
	return key_load_master(c, path, ret_key);
}

RESULT init_region(struct ctx *c, struct settings *s, struct str zones,
		   RESULT (*more)(struct daemon *d, void *arg), void *arg)
{
	struct daemon *d = arena_new_object(c->arena, struct daemon);
	struct strs parsed = {0};
	if (!d)
		return ctx_no_memory(c);
	TRY(parse_zones(c, s->region, zones, &parsed));
	TRY(file_make_directory(c, str_to_z(c->arena, s->data_directory), 0700));
	TRY(make_key(c, settings_path(c->arena, s, "master.key"), d->master_key));
	d->arena = c->arena;
	ctx_init(&d->ctx, c->arena);
	d->settings = *s;
	struct result result = open_database(d, parsed, &(struct init_more){more, arg});
	crypto_wipe(d->master_key, sizeof d->master_key);
	c->problem = d->ctx.problem;
	s->region_id = d->settings.region_id;
	return result;
}
