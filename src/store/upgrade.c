/* SPDX-License-Identifier: Apache-2.0
 * Reports and confirms an upgrade. */
#include "store/upgrade.h"

#include "base/log.h"
#include "base/reads.h"
#include "model/migration.h"
#include "store/internal.h"

bool store_is_upgrading(struct store *s)
{
	pthread_mutex_lock(&s->still);
	bool is_upgrading = s->config.sql->level != NULL;
	pthread_mutex_unlock(&s->still);
	return is_upgrading;
}

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
	reads_note_outside();
	struct sql_driver *sql = s->config.sql;
	*ret_upgrade = (struct upgrade){.is_shared = sql->read_programs != NULL};
	pthread_mutex_lock(&s->still); /* confirming removes the level */
	struct result r = note_level(sql->level, c, ret_upgrade);
	pthread_mutex_unlock(&s->still);
	TRY(r);
	return sql->read_programs ? sql->read_programs(sql, c, &ret_upgrade->programs) : OK;
}

RESULT store_confirm_upgrade(struct store *s, struct ctx *c)
{
	struct sql_driver *sql = s->config.sql;
	pthread_mutex_lock(&s->still); /* prevents batches */
	bool is_upgrading = sql->level != NULL;
	struct result r = is_upgrading ? sql->confirm_level(sql, c) : OK;
	pthread_mutex_unlock(&s->still);
	if (is_upgrading && result_is_ok(r))
		log_event(LOG_WARN, "upgrade-confirmed", "version=%u hash=%s", model_schema_version,
			  model_schema_hash);
	return r;
}
