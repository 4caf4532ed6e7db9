/* SPDX-License-Identifier: Apache-2.0
 * `dari explain`: five lines that answer "why is it not as I want it?", followed by the resource's fields. */
#include "daemon/explain.h"

#include "base/clock.h"
#include "model/size_field.h"
#include "model/volume.h"
#include "store/condition.h"
#include "store/volume_attachment.h"

enum { FIELD_SHOWN = 200 };

/* The output's destination. */
struct explaining {
	struct command_call *call;
	struct explanation is;
};

/* ---- the five lines ---- */

/* none: text for an empty value; null in --json. */
static void add_line(const struct explaining *e, const char *label, const char *member, struct str words,
		     const char *none)
{
	bool is_none = str_is_empty(words);
	buf_print(&e->call->text, "%-14s %" STR_FMT "\n", label, STR_ARG(is_none ? str_from(none) : words));
	(void) json_object_set_new(e->call->value, member,
				   is_none ? json_null() : json_stringn(words.p, words.n));
}

static void explain_answer(struct explaining *e)
{
	struct arena *a = e->call->ctx.arena;
	int64_t known_us = explain_since_us(&e->is);
	struct str since = explain_time(&e->is, known_us ? known_us : e->is.row->updated_us);
	struct str in_the_way = explain_is_obstructed(&e->is) ? explain_obstacle(&e->is) : STR_NONE;
	if (e->is.further)
		in_the_way =
			str_print(a, "%" STR_FMT " (%zu more below)", STR_ARG(in_the_way), e->is.further);
	add_line(e, "state", "state", str_from(explain_state(&e->is)), "");
	add_line(e, known_us ? "since" : "at least since", "since", since, "");
	add_line(e, "in its way", "in_its_way", in_the_way, "nothing");
	add_line(e, "next try", "next_try", explain_next_try(&e->is), "");
	add_line(e, "what to do", "what_to_do", explain_advice(&e->is), "nothing");
}

static void explain_conditions(const struct explaining *e)
{
	json_t *list = json_array();
	for (const struct condition *c = condition_first_by_subject(e->is.t, e->is.row->id); c;
	     c = condition_next_by_subject(e->is.t, c)) {
		if (!row_is_live(&c->row))
			continue;
		char at[CLOCK_TEXT_SIZE];
		clock_write_s(c->row.created_us, at);
		if (c != e->is.obstacle)
			buf_print(&e->call->text,
				  "  ! %" STR_FMT " since %s: %" STR_FMT "\n      %" STR_FMT "\n",
				  STR_ARG(c->name), at, STR_ARG(c->message), STR_ARG(c->advice));
		json_t *item =
			json_pack("{s:s%, s:s, s:s%, s:s%}", "name", c->name.p, c->name.n, "since", at,
				  "message", c->message.p, c->message.n, "advice", c->advice.p, c->advice.n);
		(void) json_array_append_new(list, item);
	}
	(void) json_object_set_new(e->call->value, "conditions", list);
}

/* ---- its fields ---- */

/* plain: the text for small sizes, and for negative numbers, which mean no limit. */
static struct str size_words(struct arena *a, struct str plain, int64_t bytes)
{
	static const struct {
		const char *name;
		int shift;
	} units[] = {{"GiB", 30}, {"MiB", 20}, {"KiB", 10}};
	for (size_t k = 0; k < sizeof units / sizeof units[0]; k++) {
		int64_t unit = INT64_C(1) << units[k].shift;
		if (bytes >= unit)
			return str_print(a, bytes % unit ? "%.1f %s" : "%.0f %s",
					 (double) bytes / (double) unit, units[k].name);
	}
	return plain;
}

/* True if the field has the default value. */
static bool is_default(const struct field *f, const struct row *row, struct str text)
{
	const char *at = (const char *) row + f->offset;
	switch (f->type) {
	case FIELD_INT:
		return *(const int64_t *) (const void *) at == 0;
	case FIELD_BOOL:
		return !*(const bool *) at;
	case FIELD_ENUM:
		return str_equal(text, str_from(f->words[0]));
	case FIELD_UUIDS:
	case FIELD_TEXTS:
	case FIELD_IPS:
	case FIELD_CIDRS:
		return str_equal(text, STR("[]"));
	case FIELD_TAGS:
		return str_equal(text, STR("{}"));
	case FIELD_UUID:
	case FIELD_TEXT:
	case FIELD_BLOB:
	case FIELD_IP:
	case FIELD_CIDR:
	case FIELD_MAC:
		break;
	}
	return str_is_empty(text);
}

/* A field as readable text; empty: not worth a line. */
static struct str field_words(const struct explaining *e, const struct field *f)
{
	struct arena *a = e->call->ctx.arena;
	const char *at = (const char *) e->is.row + f->offset;
	if (f->type == FIELD_BLOB) { /* sealed secrets, hashes, documents: none is readable */
		size_t n = ((const struct str *) (const void *) at)->n;
		return n ? str_print(a, "(%zu bytes)", n) : STR_NONE;
	}
	if (f->type == FIELD_UUID) {
		uuid id = *(const uuid *) at;
		if (uuid_is_none(id))
			return STR_NONE;
		return f->ref ? explain_name_row(a, e->is.t, f->ref, id) : uuid_to_str(a, id);
	}
	if (f->type == FIELD_INT && str_ends_with(str_from(f->name), STR("_us"))) {
		int64_t time_us = *(const int64_t *) (const void *) at;
		char text[CLOCK_TEXT_SIZE];
		return time_us ? str_copy(a, str_from(clock_write_ms(time_us, text))) : STR_NONE;
	}
	return row_field_to_text(a, f, e->is.row);
}

static void explain_fields(const struct explaining *e)
{
	const struct kind_info *info = &model_kinds[e->is.kind];
	bool is_all = json_is_true(json_object_get(e->call->args, "all"));
	json_t *fields = json_object();
	for (unsigned k = 0; k < info->field_count; k++) {
		const struct field *f = &info->fields[k];
		struct str text = field_words(e, f), shown = text;
		if (model_is_size_field(f))
			shown = size_words(
				e->call->ctx.arena, text,
				*(const int64_t *) (const void *) ((const char *) e->is.row + f->offset));
		if (is_all || !is_default(f, e->is.row, text))
			buf_print(&e->call->text, str_is_empty(shown) ? "  %s\n" : "  %-26s %" STR_FMT "\n",
				  f->name, STR_ARG(str_slice(shown, 0, FIELD_SHOWN)));
		if (!str_is_empty(text))
			(void) json_object_set_new(fields, f->name, json_stringn(text.p, text.n));
	}
	(void) json_object_set_new(e->call->value, "fields", fields);
}

/* Lists a volume's attachments besides the instance in its row. */
static void explain_further(const struct explaining *e)
{
	static const char *const words[] = {[ATTACHMENT_NONE] = "detached",
					    [ATTACHMENT_ATTACHING] = "attaching",
					    [ATTACHMENT_ATTACHED] = "attached",
					    [ATTACHMENT_DETACHING] = "detaching"};
	const struct volume_attachment *f =
		e->is.kind == KIND_VOLUME ? volume_attachment_first_by_volume(e->is.t, e->is.row->id) : NULL;
	json_t *further = f ? json_array() : NULL;
	for (; f; f = volume_attachment_next_by_volume(e->is.t, f)) {
		uuid holder = uuid_is_none(f->instance) ? f->seen_instance : f->instance;
		struct str name = explain_name_row(e->call->ctx.arena, e->is.t, KIND_INSTANCE, holder);
		const char *state = words[model_derive_attachment(f->instance, f->seen_instance)];
		buf_print(&e->call->text, "  %-26s %" STR_FMT " as %" STR_FMT ", %s\n", "also_instance",
			  STR_ARG(name), STR_ARG(f->device), state);
		(void) json_array_append_new(further, json_stringn(name.p, name.n));
	}
	if (further)
		(void) json_object_set_new(e->call->value, "further_instances", further);
}

void explain_resource(struct command_call *call, const struct tables *t, enum kind kind,
		      const struct row *row)
{
	struct explaining e = {.call = call,
			       .is = {.arena = call->ctx.arena,
				      .reconciler = call->daemon->reconciler,
				      .t = t,
				      .kind = kind,
				      .row = row}};
	char id[UUID_TEXT_SIZE], at[CLOCK_TEXT_SIZE];
	call->value = json_pack("{s:s, s:s}", "kind", model_kinds[kind].name, "id", uuid_write(row->id, id));
	explain_begin(&e.is);
	explain_answer(&e);
	explain_conditions(&e);
	buf_print(&call->text, "%s %s, made %s, gen %llu\n", model_kinds[kind].name, id,
		  clock_write_s(row->created_us, at), (unsigned long long) row->gen);
	explain_fields(&e);
	explain_further(&e);
}

void explain_row(struct command_call *call, const struct tables *t, enum kind kind, const struct row *row)
{
	const struct explaining e = {.call = call,
				     .is = {.arena = call->ctx.arena, .t = t, .kind = kind, .row = row}};
	explain_fields(&e);
}
