/* SPDX-License-Identifier: Apache-2.0
 * Members are named like the record's columns; an absent text is empty. */
#include "daemon/history/audit_lines.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum { LINE_CAP = 64 * 1024 };

json_t *audit_line_make(struct arena *arena, const struct audit_record *a)
{
	char time[CLOCK_TEXT_SIZE];
	struct str digest = str_encode_hex(arena, a->digest, sizeof a->digest);
	json_t *record =
		json_pack("{s:I, s:I, s:s, s:I}", "seq", (json_int_t) a->seq, "at_us", (json_int_t) a->at_us,
			  "time", clock_write_ms(a->at_us, time), "count", (json_int_t) a->count);
	for (size_t n = 0; n < AUDIT_TEXT_COUNT; n++)
		(void) json_object_set_new(record, audit_names[n],
					   json_stringn(a->texts[n].p ? a->texts[n].p : "", a->texts[n].n));
	(void) json_object_set_new(record, "digest", json_stringn(digest.p, digest.n));
	return record;
}

static struct str text_of(const json_t *record, const char *name)
{
	const json_t *text = json_object_get(record, name);
	return (struct str){json_string_value(text), json_string_length(text)};
}

static bool read_line(const json_t *line, struct audit_record *ret_record)
{
	*ret_record = (struct audit_record){
		.seq = json_integer_value(json_object_get(line, "seq")),
		.at_us = json_integer_value(json_object_get(line, "at_us")),
		.count = json_integer_value(json_object_get(line, "count")),
	};
	for (size_t n = 0; n < AUDIT_TEXT_COUNT; n++)
		ret_record->texts[n] = text_of(line, audit_names[n]);
	return ret_record->seq > 0 &&
	       result_is_ok(str_decode_hex(text_of(line, "digest"), ret_record->digest, SHA256_SIZE));
}

static RESULT take_line(struct ctx *c, const char *path, const char *text, audit_each each, void *arg)
{
	struct audit_record record;
	json_t *line = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	struct result result =
		read_line(line, &record)
			? each(arg, &record)
			: ctx_fail(c, ERR_INVALID, "a line of %s is no record of the audit log", path);
	json_decref(line);
	return result;
}

RESULT audit_lines_read(struct ctx *c, const char *path, audit_each each, void *arg)
{
	char *line = arena_alloc(c->arena, LINE_CAP);
	FILE *file = line ? fopen(path, "re") : NULL;
	struct result result = OK;
	if (!line)
		return ctx_no_memory(c);
	if (!file)
		return ctx_fail(c, ERR_IO, "cannot read %s: %s", path, strerrordesc_np(errno));
	while (result_is_ok(result) && fgets(line, LINE_CAP, file))
		result = take_line(c, path, line, each, arg);
	(void) fclose(file);
	return result;
}
