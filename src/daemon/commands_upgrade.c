/* SPDX-License-Identifier: Apache-2.0
 * `dari upgrade`: which level of the schema is in force, which versions run, and the confirmation that ends the way back
 * to the former version (store/level.h). */
#include "daemon/command.h"
#include "model/migration.h"
#include "store/sql.h"
#include "store/upgrade.h"

enum { HASH_SHOWN = 8 };

static json_t *text_of(struct str s)
{
	return json_stringn(s.p ? s.p : "", s.n);
}

static void print_programs(struct command_call *call, const struct upgrade *upgrade)
{
	json_t *programs = json_array();
	for (size_t n = 0; n < upgrade->programs.count; n++) {
		const struct sql_program *program = &upgrade->programs.at[n];
		buf_print(&call->text, "connected         %" STR_FMT "%s\n", STR_ARG(program->name),
			  program->is_level ? "" : "  (another version)");
		(void) json_array_append_new(programs, json_pack("{s:o, s:b}", "name", text_of(program->name),
								 "same_level", (int) program->is_level));
	}
	(void) json_object_set_new(json_array_get(call->value, 0), "programs", programs);
}

static void print_level(struct command_call *call, const struct upgrade *upgrade)
{
	const struct level_meta *in_force = &upgrade->in_force;
	buf_print(&call->text, "this program      %s, schema %u, level %.*s\n", sql_get_program(),
		  model_schema_version, HASH_SHOWN, model_schema_hash);
	if (upgrade->is_confirmed) {
		buf_print(&call->text, "level in force    the same: nothing to confirm\n");
		return;
	}
	buf_print(&call->text,
		  "level in force    schema %lld, level %.*s%s%" STR_FMT "\n"
		  "confirming adds   %u kinds, %u fields and %u words%s%" STR_FMT "\n",
		  (long long) in_force->version, HASH_SHOWN, in_force->hash.p,
		  in_force->program.n ? ", of dari " : "", STR_ARG(in_force->program), upgrade->kind_count,
		  upgrade->field_count, upgrade->word_count, upgrade->news.n ? ": " : "",
		  STR_ARG(upgrade->news));
}

static void say_next(struct command_call *call, const struct upgrade *upgrade)
{
	if (!upgrade->is_confirmed)
		buf_print(
			&call->text,
			"Until then the former version can be started again at any time, and what is new is "
			"refused.\n"
			"Run `dari upgrade confirm` when every machine runs this version and you are not "
			"going "
			"back.\n");
}

static RESULT upgrade_show(struct command_call *call)
{
	struct upgrade upgrade;
	TRY(store_read_upgrade(call->daemon->store, &call->ctx, &upgrade));
	call->value =
		json_pack("[{s:b, s:s, s:s, s:i, s:i, s:i, s:o}]", "confirmed", (int) upgrade.is_confirmed,
			  "level", model_schema_hash, "level_in_force",
			  upgrade.is_confirmed ? model_schema_hash : upgrade.in_force.hash.p, "new_kinds",
			  (int) upgrade.kind_count, "new_fields", (int) upgrade.field_count, "new_words",
			  (int) upgrade.word_count, "news", text_of(upgrade.news));
	print_level(call, &upgrade);
	print_programs(call, &upgrade);
	say_next(call, &upgrade);
	return OK;
}

static RESULT upgrade_confirm(struct command_call *call)
{
	bool is_upgrading = false;
	TRY(store_confirm_upgrade(call->daemon->store, &call->ctx, &is_upgrading));
	buf_print(&call->text,
		  is_upgrading ? "Confirmed: the level of this program, %.*s, is in force. Older versions of "
				 "dari can no "
				 "longer start with this database.\n"
			       : "Nothing to confirm: the level of this program, %.*s, is in force.\n",
		  HASH_SHOWN, model_schema_hash);
	call->value = json_pack("[{s:b, s:s}]", "confirmed", 1, "level", model_schema_hash);
	return OK;
}

const struct command upgrade_commands[] = {
	{"upgrade show",
	 "Shows which level of the schema is in force, which versions of dari are connected to the database, "
	 "and what "
	 "`dari upgrade confirm` would enable.",
	 {{0}},
	 .run = upgrade_show,
	 .is_anywhere = true},
	{"upgrade confirm",
	 "Ends an upgrade: enables what is new in this version. Older versions cannot be started any more.",
	 {{0}},
	 .run = upgrade_confirm},
	{0},
};
