/* SPDX-License-Identifier: Apache-2.0
 * Reports and confirms an upgrade. */
#include "store/upgrade.h"

#include "base/log.h"
#include "model/migration.h"
#include "store/internal.h"

static RESULT note_level(const struct level *level, struct ctx *c, struct upgrade *ret_upgrade)
{
	ret_upgrade->is_confirmed = !level;
	if (!level)
		return OK;
	const struct level_meta *in_force = &level->in_force;
	ret_upgrade->in_force = (struct level_meta){.version = in_force->version,
						    .hash = str_copy(c->arena, in_force->hash),
						    .program = str_copy(c->arena, in_force->program)};
	ret_upgrade->kind_count = level->kind_count;
	ret_upgrade->field_count = level->field_count;
	ret_upgrade->word_count = level->word_count;
	ret_upgrade->news = level_list_news(level, c->arena);
	return ret_upgrade->in_force.hash.p ? OK : ctx_no_memory(c);
}

RESULT store_read_upgrade(struct store *s, struct ctx *c, struct upgrade *ret_upgrade)
{
	struct sql_driver *sql = s->config.sql;
	*ret_upgrade = (struct upgrade){.is_shared = sql->read_programs != NULL};
	TRY(committer_hold(s, c)); /* confirming removes the level */
	struct result r = note_level(sql->level, c, ret_upgrade);
	committer_let_go(s);
	TRY(r);
	return sql->read_programs ? sql->read_programs(sql, c, &ret_upgrade->programs) : OK;
}

RESULT store_confirm_upgrade(struct store *s, struct ctx *c, bool *ret_was_upgrading)
{
	struct sql_driver *sql = s->config.sql;
	TRY(committer_hold(s, c));
	bool is_upgrading = *ret_was_upgrading = sql->level != NULL;
	struct result r = is_upgrading ? sql->confirm_level(sql, c) : OK;
	committer_let_go(s);
	if (is_upgrading && result_is_ok(r))
		log_event(LOG_WARN, "upgrade-confirmed", "version=%u hash=%s", model_schema_version,
			  model_schema_hash);
	return r;
}
