/* SPDX-License-Identifier: Apache-2.0
 * The file has one line for each part: "NAME DONE_US FAILED_US WHY". */
#include "daemon/backup/region_drill.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

enum { SIZE_MAX_OF_FILE = 16384, WHY_MAX = 2000 };
static const char *const names[DRILL_PARTS] = {[DRILL_BACKUP] = "backup", [DRILL_PROOF] = "proof"};

static const char *path_of(struct ctx *c, const struct settings *s)
{
	return settings_path(c->arena, s, "backup.state");
}

static void take_line(struct region_drill *drill, struct str line)
{
	struct str name = STR_NONE, done = STR_NONE, failed = STR_NONE;
	if (!str_split_next(&line, ' ', &name) || !str_split_next(&line, ' ', &done) ||
	    !str_split_next(&line, ' ', &failed))
		return;
	for (enum region_drill_part part = 0; part < DRILL_PARTS; part++)
		if (str_is(name, names[part]) &&
		    result_is_ok(str_parse_int(done, &drill->parts[part].done_us)) &&
		    result_is_ok(str_parse_int(failed, &drill->parts[part].failed_us)))
			drill->parts[part].why = line;
}

RESULT region_drill_read(struct ctx *c, const struct settings *s, struct region_drill *ret_drill)
{
	const char *path = path_of(c, s);
	struct str text = STR_NONE, line = STR_NONE;
	*ret_drill = (struct region_drill){0};
	TRY(path ? OK : ctx_no_memory(c));
	if (!file_exists(path))
		return OK;
	TRY(file_read(c, path, SIZE_MAX_OF_FILE, &text));
	while (str_split_next(&text, '\n', &line))
		take_line(ret_drill, line);
	return OK;
}

static RESULT write_drill(struct ctx *c, const struct settings *s, const struct region_drill *drill)
{
	struct str text = STR_NONE;
	const char *path = path_of(c, s);
	const char *half = path ? str_print(c->arena, "%s.half", path).p : NULL;
	for (enum region_drill_part part = 0; part < DRILL_PARTS; part++)
		text = str_print(c->arena, "%" STR_FMT "%s %" PRId64 " %" PRId64 " %" STR_FMT "\n",
				 STR_ARG(text), names[part], drill->parts[part].done_us,
				 drill->parts[part].failed_us, STR_ARG(drill->parts[part].why));
	TRY(half && text.p ? file_delete(c, half) : ctx_no_memory(c));
	TRY(file_write_synced(c, half, text, 0600));
	return file_rename_synced(c, half, path);
}

/* A line of the file. */
static struct str one_line(struct arena *a, struct str text)
{
	struct str cut = str_cut(text, WHY_MAX);
	char *line = arena_alloc(a, cut.n + 1);
	for (size_t k = 0; line && k < cut.n; k++)
		line[k] = cut.p[k] == '\n' ? ' ' : cut.p[k];
	return line ? (struct str){line, cut.n} : STR_NONE;
}

void region_drill_note(struct ctx *c, const struct settings *s, enum region_drill_part part, struct str why)
{
	struct region_drill drill;
	struct str line = one_line(c->arena, why);
	struct problem before = c->problem;
	if (!result_is_ok(region_drill_read(c, s, &drill)))
		drill = (struct region_drill){0};
	ctx_clear_problem(c);
	if (why.n)
		drill.parts[part].failed_us = clock_now_us();
	else
		drill.parts[part].done_us = clock_now_us();
	drill.parts[part].why = line;
	if (why.n)
		log_event(LOG_ERROR, "region-backup-failed", "part=%s why=%s", names[part], log_quote(line));
	if (!result_is_ok(write_drill(c, s, &drill)))
		log_event(LOG_ERROR, "region-backup-failed", "part=%s why=%s", names[part],
			  log_quote(c->problem.message));
	ctx_clear_problem(c);
	c->problem = before;
}
