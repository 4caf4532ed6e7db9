/* SPDX-License-Identifier: Apache-2.0
 * store/level.c: comparison with the level in force, the SQL of additions, and rows that have to wait. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "fixture.h"
#include "model/instance.h"
#include "model/launch_template.h"
#include "model/server_group.h"
#include "store/level.h"

struct scene {
	struct arena *arena;
	struct ctx c;
	struct level *level;
};

static int set_up(void **state)
{
	struct scene *s = calloc(1, sizeof *s);
	assert_non_null(s);
	s->arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	ctx_init(&s->c, s->arena);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;
	level_free(s->level);
	arena_free(s->arena);
	free(s);
	return 0;
}

/* The text with the first `from` replaced by `to`. */
static struct str with(struct scene *s, struct str text, const char *from, const char *to)
{
	const char *all = str_to_z(s->arena, text), *at = strstr(all, from);
	assert_non_null(at);
	return str_print(s->arena, "%.*s%s%s", (int) (at - all), all, to, at + strlen(from));
}

static RESULT compare(struct scene *s, struct str text, const char *hash)
{
	const struct level_meta found = {1, str_from(hash), text, STR("9.9")};
	level_free(TAKE(s->level));
	return level_compare(&s->c, "db", &found, 1, "ours", &s->level);
}

/* A former level: without the kind launch_template, instance.protect_stop and a word of server_group.policy. */
static struct str former(struct scene *s)
{
	struct str text = with(s, level_write(s->arena), " protect_stop:bool", "");
	text = with(s, text, "|partition", "");
	const char *all = str_to_z(s->arena, text), *at = strstr(all, "\nlaunch_template "), *end = NULL;
	assert_non_null(at);
	end = strchr(at + 1, '\n');
	return str_print(s->arena, "%.*s%s", (int) (at - all), all, end);
}

static void the_same_level_needs_nothing(void **state)
{
	struct scene *s = *state;
	assert_ok(compare(s, level_write(s->arena), "ours"));
	assert_null(s->level);
	assert_ok(compare(s, STR_NONE, "ours")); /* a database made before levels were recorded */
	assert_null(s->level);
	assert_err(compare(s, STR_NONE, "theirs"), STATE);
	ctx_clear_problem(&s->c);
	assert_ok(compare(s, level_write(s->arena), "theirs")); /* other transitions of states */
	assert_non_null(s->level);
	assert_int_equal(s->level->kind_count + s->level->field_count + s->level->word_count, 0);
}

static void a_lower_level_lacks_what_is_new(void **state)
{
	struct scene *s = *state;
	assert_ok(compare(s, former(s), "theirs"));
	assert_int_equal(s->level->kind_count, 1);
	assert_int_equal(s->level->field_count, 1);
	assert_int_equal(s->level->word_count, 1);
	assert_string_equal(str_to_z(s->arena, level_list_news(s->level, s->arena)),
			    "server_group.policy = partition, launch_template, instance.protect_stop");
}

static void what_this_program_lacks_is_refused(void **state)
{
	static const struct {
		const char *from, *to, *words;
	} cases[] = {
		{"\ninstance ", "\nrocket name:text\ninstance ",
		 "*, 9.9: it has rocket, which this program*"},
		{"\ninstance ", "\ninstance thrust:int ", "*it has instance.thrust, which*"},
		{" protect_stop:bool", " protect_stop:int", "*it has instance.protect_stop = int, which*"},
		{"|partition", "|partition|orbit", "*it has server_group.policy = orbit, which*"},
	};
	struct scene *s = *state;
	for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
		struct str text = with(s, level_write(s->arena), cases[n].from, cases[n].to);
		assert_err(compare(s, text, "theirs"), STATE);
		if (!str_matches(s->c.problem.message, str_from(cases[n].words)))
			fail_msg("%s", str_to_z(s->arena, s->c.problem.message));
		ctx_clear_problem(&s->c);
	}
}

static RESULT note_sql(void *arg, struct ctx *c, const struct kind_info *kind, const struct field *field,
		       const char *sql)
{
	struct buf *b = arg;
	(void) c;
	buf_print(b, "%s.%s: %.62s\n", kind->name, field ? field->name : "*", sql);
	return OK;
}

static void additions_have_defaults(void **state)
{
	struct scene *s = *state;
	struct buf b;
	buf_init(&b, 4096);
	assert_ok(compare(s, former(s), "theirs"));
	assert_ok(level_each_addition(s->level, &s->c, note_sql, &b));
	buf_add_char(&b, 0);
	assert_non_null(strstr(b.p, "launch_template.*: CREATE TABLE IF NOT EXISTS \"launch_template\" ("));
	assert_non_null(strstr(
		b.p, "instance.protect_stop: ALTER TABLE \"instance\" ADD COLUMN \"protect_stop\" TEXT"));
	buf_done(&b);
}

static RESULT check(struct scene *s, enum kind kind, const void *row)
{
	ctx_clear_problem(&s->c);
	return level_check_row(s->level, &s->c, &model_kinds[kind], row);
}

static void rows_above_the_level_wait(void **state)
{
	struct scene *s = *state;
	struct instance instance = {.row.kind = KIND_INSTANCE};
	struct server_group group = {.policy = SERVER_GROUP_POLICY_PARTITION};
	struct launch_template template = {.row.kind = KIND_LAUNCH_TEMPLATE};
	assert_ok(compare(s, former(s), "theirs"));
	assert_ok(check(s, KIND_INSTANCE, &instance));
	instance.protect_stop = true;
	assert_err(check(s, KIND_INSTANCE, &instance), UNSUPPORTED);
	assert_true(str_matches(s->c.problem.message, STR("instance.protect_stop is not available before*")));
	assert_err(check(s, KIND_SERVER_GROUP, &group), UNSUPPORTED);
	group.policy = SERVER_GROUP_POLICY_AFFINITY;
	assert_ok(check(s, KIND_SERVER_GROUP, &group));
	assert_err(check(s, KIND_LAUNCH_TEMPLATE, &template), UNSUPPORTED);
}

/* The file has the level of the version that all-upgrades.py begins with, as its database says it. A field, word or kind that is
 * missing here was removed: that version could not live with this one's database. */
static void the_former_version_is_understood(void **state)
{
	struct scene *s = *state;
	struct str text = STR_NONE;
	assert_ok(file_read(&s->c, getenv("FORMER_LEVEL"), ARENA_REQUEST_CAP / 2, &text));
	assert_true(text.n > 0);
	struct result r = compare(s, text, "theirs");
	if (!result_is_ok(r))
		print_error("%.*s\n", (int) s->c.problem.message.n, s->c.problem.message.p);
	assert_ok(r);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_same_level_needs_nothing),       TEST(a_lower_level_lacks_what_is_new),
		TEST(what_this_program_lacks_is_refused), TEST(additions_have_defaults),
		TEST(rows_above_the_level_wait),          TEST(the_former_version_is_understood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
