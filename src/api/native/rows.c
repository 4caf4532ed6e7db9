/* SPDX-License-Identifier: Apache-2.0
 * Writes rows as JSON objects, limited to chosen members and to what the caller may see.
 */
#include "api/native/rows.h"

#include <assert.h>

#include "engine/resolve.h"
#include "store/condition.h"

/* ---- which members ---- */

static size_t count_derived(const struct shown_kind *s)
{
	size_t n = 0;
	while (s->derived[n])
		n++;
	assert(n <= ROW_DERIVED_MAX);
	return n;
}

static void choose(enum kind kind, bool is_all, struct row_choice *choice)
{
	const struct kind_info *k = &model_kinds[kind];
	const struct shown_kind *s = &model_shown[kind];
	assert(k->field_count <= ROW_FIELDS_MAX);
	*choice = (struct row_choice){.has_state = true, .has_conditions = true};
	for (unsigned n = 0; n < k->field_count; n++)
		choice->fields[n] = is_all || s->flags[n] & SHOWN_COLUMN;
	for (size_t n = 0; n < count_derived(s); n++)
		choice->derived[n] = true;
}

void row_choose_columns(enum kind kind, struct row_choice *ret_choice)
{
	choose(kind, false, ret_choice);
}

void row_choose_all(enum kind kind, struct row_choice *ret_choice)
{
	choose(kind, true, ret_choice);
}

static bool choose_member(enum kind kind, struct str name, struct row_choice *choice)
{
	static const char *const always[] = {"id", "ec2", "gen", "batch", "created_us"};
	const struct kind_info *k = &model_kinds[kind];
	const struct shown_kind *s = &model_shown[kind];
	for (size_t n = 0; n < sizeof always / sizeof always[0]; n++)
		if (str_is(name, always[n]))
			return true;
	if (str_is(name, "state"))
		return choice->has_state = true;
	if (str_is(name, "conditions"))
		return choice->has_conditions = true;
	for (unsigned n = 0; n < k->field_count; n++)
		if (str_is(name, k->fields[n].name) && !(s->flags[n] & SHOWN_TO_NOBODY))
			return choice->fields[n] = true;
	for (size_t n = 0; s->derived[n]; n++)
		if (str_is(name, s->derived[n]))
			return choice->derived[n] = true;
	return false;
}

RESULT row_choose(struct ctx *c, enum kind kind, struct str said, struct row_choice *ret_choice)
{
	struct str rest = said, name;
	if (str_is(said, "*")) {
		row_choose_all(kind, ret_choice);
		return OK;
	}
	*ret_choice = (struct row_choice){0};
	while (str_split_next(&rest, ',', &name))
		if (!choose_member(kind, name, ret_choice))
			return ctx_fail_field(c, ERR_INVALID, STR("fields"), "%s have no member %" STR_FMT,
					      model_shown[kind].name, STR_ARG(str_slice(name, 0, 64)));
	return OK;
}

/* ---- for whom ---- */

unsigned row_class(const struct ctx *c, enum kind kind, const struct row *row)
{
	return (engine_is_own(c, kind, row) ? ROW_FOR_OWNER : 0U) |
	       (identity_is_admin(c->who) ? ROW_FOR_ADMIN | ROW_FOR_OWNER : 0U);
}

bool row_tells_problems(enum kind kind, const struct row *row, unsigned class)
{
	bool is_of_people = kind == KIND_ACCOUNT || kind == KIND_USER || kind == KIND_USER_GROUP ||
			    kind == KIND_DOMAIN || kind == KIND_PEERING;
	return class & ROW_FOR_OWNER || is_of_people || uuid_is_none(engine_get_owner(kind, row));
}

bool row_shows_field(enum kind kind, unsigned field, unsigned class)
{
	unsigned flags = model_shown[kind].flags[field];
	return !(flags & SHOWN_TO_NOBODY) && (!(flags & SHOWN_TO_ADMINS) || class & ROW_FOR_ADMIN) &&
	       (!(flags & SHOWN_TO_OWNER) || class & ROW_FOR_OWNER);
}

/* ---- values ---- */

/* The writers below return false for an empty value, which they do not write. */
static bool write_uuid(struct json_writer *w, const char *key, uuid id)
{
	if (!uuid_is_none(id))
		json_write_uuid(w, key, id);
	return !uuid_is_none(id);
}

static void write_uuids(struct json_writer *w, const char *key, const struct uuids *ids)
{
	json_write_open_list(w, key);
	for (size_t n = 0; n < ids->count; n++)
		(void) write_uuid(w, NULL, ids->at[n]);
	json_write_close_list(w);
}

static void write_texts(struct json_writer *w, const char *key, const struct strs *texts)
{
	json_write_open_list(w, key);
	for (size_t n = 0; n < texts->count; n++)
		json_write_text(w, NULL, texts->at[n]);
	json_write_close_list(w);
}

static void write_tags(struct json_writer *w, const char *key, const struct tags *tags)
{
	json_write_open(w, key);
	for (size_t n = 0; n < tags->count; n++) {
		json_write_key(w, tags->at[n].key);
		json_write_text(w, NULL, tags->at[n].value);
	}
	json_write_close(w);
}

static bool write_int(struct json_writer *w, const char *key, int64_t number, unsigned flags)
{
	bool is_there = number || !(flags & SHOWN_IS_TIME); /* a time of 0 means never */
	if (is_there)
		json_write_int(w, key, number);
	return is_there;
}

static bool write_text(struct json_writer *w, const char *key, struct str text)
{
	if (text.n)
		json_write_text(w, key, text);
	return text.n;
}

static void write_field(const struct row_writer *rw, struct json_writer *w, unsigned n, const struct row *row)
{
	const struct field *f = &model_kinds[rw->kind].fields[n];
	const void *at = (const char *) row + f->offset;
	bool is_there = true;
	switch (f->type) {
	case FIELD_UUID:
		is_there = write_uuid(w, f->name, *(const uuid *) at);
		break;
	case FIELD_TEXT:
		is_there = write_text(w, f->name, *(const struct str *) at);
		break;
	case FIELD_INT:
		is_there = write_int(w, f->name, *(const int64_t *) at, model_shown[rw->kind].flags[n]);
		break;
	case FIELD_BOOL:
		json_write_bool(w, f->name, *(const bool *) at);
		break;
	case FIELD_ENUM:
		json_write_z(w, f->name, f->words[*(const int *) at]);
		break;
	case FIELD_UUIDS:
		write_uuids(w, f->name, at);
		break;
	case FIELD_TEXTS:
		write_texts(w, f->name, at);
		break;
	case FIELD_TAGS:
		write_tags(w, f->name, at);
		break;
	case FIELD_IPS:
	case FIELD_CIDRS:
		json_write_raw(w, f->name, row_field_to_text(rw->arena, f, row));
		break;
	case FIELD_IP:
	case FIELD_CIDR:
	case FIELD_MAC:
	case FIELD_BLOB:
		is_there = write_text(w, f->name, row_field_to_text(rw->arena, f, row));
		break;
	}
	if (!is_there && rw->says_none)
		json_write_null(w, f->name);
}

/* ---- the object ---- */

static void write_conditions(const struct row_writer *rw, struct json_writer *w, const struct row *row,
			     unsigned class)
{
	bool is_told = row_tells_problems(rw->kind, row, class);
	json_write_open_list(w, "conditions");
	for (const struct condition *c = is_told ? condition_first_by_subject(rw->tables, row->id) : NULL; c;
	     c = condition_next_by_subject(rw->tables, c)) {
		if (!row_is_live(&c->row))
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "name", c->name);
		json_write_int(w, "since_us", c->row.created_us);
		json_write_text(w, "message", c->message);
		json_write_text(w, "advice", c->advice);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_head(const struct row_writer *rw, struct json_writer *w, const struct row *row)
{
	char ec2[EC2_ID_TEXT_SIZE];
	uint64_t batch = rw->whole_commit ? rw->whole_commit(rw->tables, rw->kind, row) : rw->batch;
	(void) write_uuid(w, "id", row->id);
	if (*model_kinds[rw->kind].ec2_prefix)
		json_write_z(w, "ec2", id_write_ec2(rw->kind, row->id, ec2));
	json_write_int(w, "gen", (int64_t) row->gen);
	json_write_int(w, "batch", (int64_t) (batch > row->commit ? batch : row->commit));
	json_write_int(w, "created_us", row->created_us);
	if (row->deleted_us)
		json_write_int(w, "deleted_us", row->deleted_us);
}

void row_write(const struct row_writer *rw, struct json_writer *w, const char *key, const struct row *row,
	       unsigned class)
{
	const struct kind_info *k = &model_kinds[rw->kind];
	const struct shown_kind *s = &model_shown[rw->kind];
	const char *state = rw->choice->has_state ? native_state(rw->tables, rw->kind, row) : NULL;
	json_write_open(w, key);
	write_head(rw, w, row);
	if (state)
		json_write_z(w, "state", state);
	for (unsigned n = 0; n < k->field_count; n++)
		if (rw->choice->fields[n] && row_shows_field(rw->kind, n, class))
			write_field(rw, w, n, row);
	for (size_t n = 0; s->derived[n]; n++)
		if (rw->choice->derived[n])
			(void) native_write_derived(s->derived[n], rw, w, row, class);
	if (rw->choice->has_conditions)
		write_conditions(rw, w, row, class);
	json_write_close(w);
}
