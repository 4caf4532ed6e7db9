/* SPDX-License-Identifier: Apache-2.0
 * Makes the text that a target is sent: the event, a part of it, a constant, or a template filled from it. Pure, but for the arena.
 * Source: Amazon EventBridge User Guide, "Amazon EventBridge input transformation". */
#include <jansson.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "engine/events/events_internal.h"

enum { TEXT_CAP = 2 * EVENT_BYTES_MAX, STEPS_MAX = 32 };

/* ---- paths ---- */

static bool is_bare(char c)
{
	return str_is_alphanumeric(c) || c == '-' || c == '_';
}

/* Takes the next step of a path: ".name", "['name']" or "[3]". False: none follows. *ret_index below zero: a name. */
static bool take_step(struct str *path, struct str *ret_name, int64_t *ret_index)
{
	size_t n = 1;
	*ret_index = -1;
	if (path->n < 2)
		return false;
	if (path->p[0] == '.') {
		while (n < path->n && is_bare(path->p[n]))
			n++;
		*ret_name = str_slice(*path, 1, n);
		*path = str_slice(*path, n, path->n);
		return n > 1;
	}
	size_t end = path->p[0] == '[' ? str_find_char(*path, ']', 1) : path->n;
	if (end >= path->n)
		return false;
	struct str inner = str_slice(*path, 1, end);
	*path = str_slice(*path, end + 1, path->n);
	if (inner.n > 2 && (inner.p[0] == '\'' || inner.p[0] == '"') && inner.p[inner.n - 1] == inner.p[0]) {
		*ret_name = str_slice(inner, 1, inner.n - 1);
		return true;
	}
	return result_is_ok(str_parse_int(inner, ret_index)) && *ret_index >= 0;
}

bool event_is_path(struct str path)
{
	struct str name = STR_NONE, rest = str_slice(path, 1, path.n);
	int64_t index = 0;
	size_t steps = 0;
	if (!path.n || path.p[0] != '$')
		return false;
	while (rest.n && steps++ < STEPS_MAX)
		if (!take_step(&rest, &name, &index))
			return false;
	return !rest.n;
}

/* NULL: the event has no such part. */
static const json_t *find_part(const json_t *event, struct str path)
{
	struct str name = STR_NONE, rest = str_slice(path, 1, path.n);
	int64_t index = 0;
	const json_t *part = event;
	while (part && rest.n && take_step(&rest, &name, &index))
		part = index < 0 ? json_object_getn(part, name.p, name.n)
				 : json_array_get(part, (size_t) index);
	return rest.n ? NULL : part;
}

/* ---- templates ---- */

static int add_piece(const char *piece, size_t n, void *arg)
{
	buf_add(arg, piece, n);
	return 0;
}

/* Writes a value as JSON; within a text of the template without the quotes around it. */
static void add_value(struct buf *out, const json_t *value, bool is_within)
{
	struct buf text;
	buf_init(&text, TEXT_CAP);
	(void) json_dump_callback(value, add_piece, &text, JSON_COMPACT | JSON_ENCODE_ANY);
	struct str json = buf_str(&text);
	if (is_within && json_is_string(value))
		json = str_slice(json, 1, json.n - 1);
	for (size_t k = 0; k < json.n; k++) {
		if (is_within && !json_is_string(value) && json.p[k] == '"')
			buf_add_char(out, '\\'); /* an object within a text stays a text */
		buf_add_char(out, json.p[k]);
	}
	buf_done(&text);
}

struct filling {
	const struct tables *t;
	struct arena *arena;
	const struct event_rule *rule;
	const struct event_target *target;
	const json_t *event;
};

/* A new value, or NULL: the template's name is unknown, or the event lacks the part. */
static json_t *find_variable(const struct filling *f, struct str name)
{
	char time[CLOCK_TEXT_SIZE];
	struct str arn = STR_NONE;
	if (str_is(name, "aws.events.rule-name"))
		return json_stringn(f->rule->name.p, f->rule->name.n);
	if (str_is(name, "aws.events.rule-arn")) {
		arn = engine_find_event_rule_arn(f->t, f->arena, f->rule);
		return json_stringn(arn.p ? arn.p : "", arn.n);
	}
	if (str_is(name, "aws.events.event.ingestion-time"))
		return json_string(clock_write_ms(clock_now_us(), time));
	if (str_is(name, "aws.events.event") || str_is(name, "aws.events.event.json"))
		return json_incref((json_t *) f->event);
	for (size_t k = 0; k + 1 < f->target->paths.count; k += 2)
		if (str_equal(name, f->target->paths.at[k]))
			return json_incref((json_t *) find_part(f->event, f->target->paths.at[k + 1]));
	return NULL;
}

/* A missing part becomes an empty text. Unverified: EventBridge says only that the variable does not appear. */
static void fill_template(const struct filling *f, struct buf *out)
{
	struct str text = f->target->template;
	bool is_within = false;
	for (size_t k = 0; k < text.n; k++) {
		size_t end = text.p[k] == '<' ? str_find_char(text, '>', k) : text.n;
		bool is_escaped = text.p[k] == '\\' && k + 1 < text.n;
		if (end < text.n) {
			json_t *value = find_variable(f, str_slice(text, k + 1, end));
			if (value)
				add_value(out, value, is_within);
			else if (!is_within)
				buf_add_str(out, STR("\"\""));
			json_decref(value);
			k = end;
			continue;
		}
		is_within ^= text.p[k] == '"';
		buf_add_char(out, text.p[k]);
		if (is_escaped)
			buf_add_char(out, text.p[++k]);
	}
}

RESULT event_write_input(struct ctx *c, const struct tables *t, const struct event_rule *rule,
			 const struct event_target *target, struct str event, struct str *ret_text)
{
	struct filling f = {.t = t, .arena = c->arena, .rule = rule, .target = target};
	struct buf out;
	*ret_text = target->input.n ? target->input : event;
	if (!target->template.n && !target->input_path.n)
		return OK;
	json_t *document = json_loadb(event.p, event.n, 0, NULL);
	if (!document)
		return ctx_no_memory(c);
	f.event = document;
	buf_init(&out, TEXT_CAP);
	if (target->template.n) {
		fill_template(&f, &out);
	} else {
		const json_t *part = find_part(document, target->input_path);
		if (part)
			add_value(&out, part, false);
	}
	json_decref(document);
	struct result result = buf_finish(&out);
	*ret_text = result_is_ok(result) && out.size <= EVENT_BYTES_MAX ? str_copy(c->arena, buf_str(&out))
									: STR_NONE;
	bool is_full = result_is_ok(result) && out.size && out.size <= EVENT_BYTES_MAX && !ret_text->p;
	buf_done(&out);
	return is_full ? ctx_no_memory(c) : OK;
}
