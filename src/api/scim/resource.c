/* SPDX-License-Identifier: Apache-2.0
 * Rows as SCIM resources. A user's e-mail address is one column, which Keystone shows; a list of several addresses, or of one
 * that is not a work address, is an extra attribute beside it, and counts as long as its primary address is that column. */
#include <inttypes.h>
#include <stdio.h>

#include "api/scim/internal.h"
#include "base/clock.h"
#include "base/uuid_asked.h"
#include "engine/resolve.h"
#include "store/group_member.h"
#include "store/user.h"
#include "store/user_group.h"

enum { ID_SIZE = 33 };
static const char *write_digits(uuid id, char out[static ID_SIZE])
{
	for (size_t k = 0; k < sizeof id.b; k++)
		snprintf(out + 2 * k, 3, "%02x", id.b[k]);
	return out;
}

struct str scim_write_id(struct arena *a, uuid id)
{
	return str_encode_hex(a, id.b, sizeof id.b);
}

/* ---- finding ---- */

bool scim_is_reachable(const struct scim_call *e, enum kind kind, const struct row *row)
{
	if (!row || !row_is_live(row))
		return false;
	uuid account = kind == KIND_USER ? user_of(row)->account : user_group_of(row)->account;
	uuid domain = kind == KIND_USER ? user_of(row)->domain : user_group_of(row)->domain;
	return uuid_is_none(account) && uuid_equal(domain, e->domain);
}

RESULT scim_find_row(struct scim_call *e, const struct row **ret_row)
{
	const struct scim_type *type = scim_type_of(e);
	struct str text = scim_path_value(e, "id");
	uuid id;
	const struct row *row = result_is_ok(uuid_parse_asked(text, &id))
					? tables_find(scim_tables(e), type->kind, id)
					: NULL;
	if (!scim_is_reachable(e, type->kind, row))
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, (int) type->kind,
				     "Resource %" STR_FMT " not found.", STR_ARG(str_cut(text, 64)));
	*ret_row = row;
	return engine_check_found(e->c, scim_tables(e), type->kind, row);
}

/* ---- versions ---- */

enum { VERSION_SIZE = 32 };
static const char *write_version(const struct row *row, char out[static VERSION_SIZE])
{
	snprintf(out, VERSION_SIZE, "W/\"%" PRIu64 "\"", row->gen);
	return out;
}

struct str scim_write_version(struct arena *a, const struct row *row)
{
	char version[VERSION_SIZE];
	return str_copy(a, str_from(write_version(row, version)));
}

/* version: empty for a path without one, which only "*" names. */
static bool names_version(struct str list, struct str version)
{
	struct str one;
	while (str_split_next(&list, ',', &one)) {
		one = str_trim(one);
		/* weak or strong: both name the version */
		if (str_is(one, "*") || (version.n && (str_equal(one, version) ||
						       str_equal(one, str_slice(version, 2, version.n)))))
			return true;
	}
	return false;
}

static struct str version_of(struct arena *a, const struct row *row)
{
	return row ? scim_write_version(a, row) : STR_NONE;
}

RESULT scim_check_version(const struct scim_call *e, struct ctx *c, const struct row *row)
{
	struct str match = call_header(e->call, "If-Match"), none = call_header(e->call, "If-None-Match");
	struct str version = version_of(c->arena, row);
	if (match.n && !names_version(match, version))
		return ctx_fail(c, ERR_CONFLICT, "The resource has changed since the version in If-Match.");
	if (e->call->method != HTTP_GET && names_version(none, version))
		return ctx_fail(c, ERR_CONFLICT, "If-None-Match names the resource's version.");
	return OK;
}

bool scim_end_unchanged(struct scim_call *e, const struct row *row)
{
	if (e->call->method != HTTP_GET ||
	    !names_version(call_header(e->call, "If-None-Match"), version_of(e->c->arena, row)))
		return false;
	e->status = 304;
	e->has_no_body = true;
	return true;
}

/* Not in the arena: a walk writes one for each member of each group. */
enum { LOCATION_SIZE = 640, BASE_URL_MAX = 512, PERSON_SIZE = 4096 };
static struct str write_location(struct scim_call *e, enum kind kind, uuid id, char out[static LOCATION_SIZE])
{
	char digits[ID_SIZE];
	if (!e->base.n)
		e->base = str_cut(api_base_url(&e->core), BASE_URL_MAX);
	int n = snprintf(out, LOCATION_SIZE, "%" STR_FMT "/scim/v2/%s/%s", STR_ARG(e->base),
			 kind == KIND_USER ? scim_user_type.plural : scim_group_type.plural,
			 write_digits(id, digits));
	return (struct str){out, (size_t) n};
}

void scim_set_headers(struct scim_call *e, const struct row *row)
{
	char location[LOCATION_SIZE];
	call_set_answer_header(e->call, "ETag", scim_write_version(e->c->arena, row));
	if (e->call->method == HTTP_POST)
		call_set_answer_header(
			e->call, "Location",
			str_copy(e->c->arena, write_location(e, scim_type_of(e)->kind, row->id, location)));
}

/* ---- attributes ---- */

static json_t *make_text(struct str text)
{
	return text.n ? json_stringn(text.p, text.n) : NULL;
}

static bool has_form(const struct scim_attribute *a, const json_t *value)
{
	return a->type == SCIM_COMPLEX   ? json_is_object(value)
	       : a->type == SCIM_BOOLEAN ? json_is_boolean(value)
					 : json_is_string(value);
}

/* Keystone keeps any value under the key. One that does not have the attribute's form is no value here. */
static json_t *load_kept(struct tags extra, const struct scim_attribute *a)
{
	const struct tag *tag = tags_find(extra, str_from(a->kept));
	json_t *value = tag ? json_loadb(tag->value.p, tag->value.n, JSON_DECODE_ANY, NULL) : NULL;
	bool fits = a->is_list ? json_is_array(value) : has_form(a, value);
	for (size_t k = 0; a->is_list && fits && k < json_array_size(value); k++)
		fits = has_form(a, json_array_get(value, k));
	if (fits)
		return value;
	json_decref(value);
	return NULL;
}

static json_t *make_time(int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];
	return json_string(clock_write_ms(time_us, text));
}

static void set(json_t *object, const char *name, json_t *value)
{
	if (value)
		(void) json_object_set_new(object, name, value);
}

static json_t *make_meta(struct scim_reader *r)
{
	char location[LOCATION_SIZE], version[VERSION_SIZE];
	json_t *meta = json_object();
	set(meta, "resourceType", json_string(scim_type_of(r->e)->name));
	set(meta, "created", make_time(r->row->created_us));
	set(meta, "lastModified", make_time(r->row->updated_us));
	set(meta, "location", make_text(write_location(r->e, r->row->kind, r->row->id, location)));
	set(meta, "version", json_string(write_version(r->row, version)));
	return meta;
}

static bool has_address(const json_t *emails, struct str address)
{
	for (size_t k = 0; k < json_array_size(emails); k++) {
		const json_t *value = json_object_get(json_array_get(emails, k), "value");
		if (str_equal((struct str){json_string_value(value), json_string_length(value)}, address))
			return true;
	}
	return false;
}

/* The kept list, unless another face has changed the address since. */
static json_t *make_emails(const struct user *user, const struct scim_attribute *a)
{
	json_t *kept = load_kept(user->extra, a);
	if (kept && (has_address(kept, user->email) || !user->email.n))
		return kept;
	json_decref(kept);
	json_t *one = user->email.n ? json_object() : NULL;
	if (!one)
		return NULL;
	set(one, "value", make_text(user->email));
	set(one, "type", json_string("work"));
	set(one, "primary", json_true());
	kept = json_array();
	(void) json_array_append_new(kept, one);
	return kept;
}

/* The next group of a user, or the next user of a group, that the caller may see. *m: where the walk is; NULL at first. */
static const struct row *next_person(struct scim_reader *r, const struct group_member **m)
{
	bool is_user = r->row->kind == KIND_USER;
	enum kind kind = is_user ? KIND_USER_GROUP : KIND_USER;
	const struct row *row = NULL;
	do {
		if (is_user)
			*m = *m ? group_member_next_by_user(r->tables, *m)
				: group_member_first_by_user(r->tables, r->row->id);
		else
			*m = *m ? group_member_next_by_user_group(r->tables, *m)
				: group_member_first_by_user_group(r->tables, r->row->id);
		row = *m ? tables_find(r->tables, kind, is_user ? (*m)->user_group : (*m)->user) : NULL;
	} while (*m && !scim_is_reachable(r->e, kind, row));
	return row;
}

static json_t *make_person(struct scim_reader *r, const struct row *row)
{
	bool is_user = row->kind == KIND_USER;
	char digits[ID_SIZE], location[LOCATION_SIZE];
	json_t *value = json_object();
	set(value, "value", json_string(write_digits(row->id, digits)));
	set(value, "$ref", make_text(write_location(r->e, row->kind, row->id, location)));
	set(value, "display", make_text(is_user ? user_of(row)->name : user_group_of(row)->name));
	set(value, "type", json_string(is_user ? "User" : "direct"));
	return value;
}

static bool is_of_people(const struct scim_attribute *a)
{
	return strcmp(a->name, "members") == 0 || strcmp(a->name, "groups") == 0;
}

/* A filter's work for a value that is computed, and for a person. */
enum { VALUE_WORK = 64, PERSON_WORK = 512 };

/* Filters read a list of people whole; an answer writes each person by itself. */
static json_t *make_people(struct scim_reader *r)
{
	const struct group_member *m = NULL;
	const struct row *row = NULL;
	json_t *list = json_array();
	while ((row = next_person(r, &m))) {
		(void) json_array_append_new(list, make_person(r, row));
		r->work += PERSON_WORK;
	}
	return list;
}

static json_t *read_user(struct scim_reader *r, const struct scim_attribute *a)
{
	const struct user *user = user_of(r->row);
	struct str name = str_from(a->name);
	if (str_is(name, "userName"))
		return make_text(user->name);
	if (str_is(name, "active"))
		return json_boolean(user->enabled);
	if (str_is(name, "emails"))
		return make_emails(user, a);
	return a->kept ? load_kept(user->extra, a) : NULL;
}

static json_t *read_group(struct scim_reader *r, const struct scim_attribute *a)
{
	const struct user_group *group = user_group_of(r->row);
	struct str name = str_from(a->name);
	if (str_is(name, "displayName"))
		return make_text(group->name);
	return a->kept ? load_kept(group->extra, a) : NULL;
}

static json_t *read_attribute(struct scim_reader *r, const struct scim_attribute *a)
{
	char digits[ID_SIZE];
	if (strcmp(a->name, "id") == 0)
		return json_string(write_digits(r->row->id, digits));
	if (strcmp(a->name, "meta") == 0)
		return make_meta(r);
	if (is_of_people(a))
		return make_people(r);
	return r->row->kind == KIND_USER ? read_user(r, a) : read_group(r, a);
}

/* A filter may name an attribute many times, and reading one parses JSON. */
static json_t *read_once(struct scim_reader *r, const struct scim_attribute *a)
{
	json_t *value = json_object_get(r->values, a->name);
	if (value)
		return json_is_null(value) ? NULL : json_incref(value);
	value = read_attribute(r, a);
	if (r->values)
		(void) json_object_set_new(r->values, a->name, value ? json_incref(value) : json_null());
	return value;
}

static size_t measure_kept(const struct scim_reader *r, const struct scim_attribute *a)
{
	struct tags extra = r->row->kind == KIND_USER ? user_of(r->row)->extra : user_group_of(r->row)->extra;
	const struct tag *tag = a->kept ? tags_find(extra, str_from(a->kept)) : NULL;
	return VALUE_WORK + (tag ? tag->value.n : 0);
}

json_t *scim_read_row(void *arg, const struct scim_place *place)
{
	struct scim_reader *r = arg;
	r->work += measure_kept(r, place->extension ? place->extension : place->attribute);
	if (!place->extension)
		return read_once(arg, place->attribute);
	json_t *whole = read_once(arg, place->extension);
	json_t *value = json_incref(json_object_get(whole, place->attribute->name));
	json_decref(whole);
	return value;
}

json_t *scim_make_document(struct scim_reader *r)
{
	const struct scim_type *type = r->row->kind == KIND_USER ? &scim_user_type : &scim_group_type;
	json_t *document = json_object();
	for (size_t k = 0; document && k < type->count; k++)
		if (type->at[k].mutability == SCIM_READ_WRITE && strcmp(type->at[k].name, "members") != 0)
			set(document, type->at[k].name, read_attribute(r, &type->at[k]));
	return document;
}

/* ---- writing ---- */

/* Removes the parts that the request does not want to see. */
static void prune(struct scim_call *e, const struct scim_attribute *a, json_t *value)
{
	bool is_extension = scim_is_extension(a);
	for (size_t k = 0; k < a->sub_count; k++) {
		struct scim_place place = {.attribute = a, .sub = &a->subs[k]};
		if (is_extension)
			place = (struct scim_place){.extension = a, .attribute = &a->subs[k]};
		if (scim_shows(&e->shown, &place))
			continue;
		if (json_is_object(value))
			(void) json_object_del(value, a->subs[k].name);
		for (size_t n = 0; n < json_array_size(value); n++)
			(void) json_object_del(json_array_get(value, n), a->subs[k].name);
	}
}

/* A group may have as many members as its domain has users: no tree of them is made. */
static RESULT write_people(struct scim_reader *r, struct json_writer *w, const struct scim_attribute *a)
{
	const struct group_member *m = NULL;
	const struct row *row = next_person(r, &m);
	char text[PERSON_SIZE];
	if (!row)
		return OK;
	json_write_open_list(w, a->name);
	for (; row; row = next_person(r, &m)) {
		AUTO_JSON *person = make_person(r, row);
		prune(r->e, a, person);
		size_t size = json_dumpb(person, text, sizeof text, JSON_COMPACT);
		if (!size || size > sizeof text)
			return ctx_no_memory(r->e->c);
		json_write_raw(w, NULL, (struct str){text, size});
	}
	json_write_close_list(w);
	return OK;
}

static RESULT write_attribute(struct scim_reader *r, struct json_writer *w, const struct scim_attribute *a)
{
	const struct scim_place place = {.attribute = a};
	struct str text = STR_NONE;
	if (!scim_shows(&r->e->shown, &place))
		return OK;
	if (is_of_people(a))
		return write_people(r, w, a);
	AUTO_JSON *value = read_attribute(r, a);
	if (!value || (json_is_array(value) && !json_array_size(value)))
		return OK;
	prune(r->e, a, value);
	if (json_is_object(value) && !json_object_size(value))
		return OK;
	TRY(scim_dump(r->e->c, value, &text));
	json_write_key(w, str_from(a->name));
	json_write_raw(w, NULL, text);
	return OK;
}

RESULT scim_write_resource(struct scim_reader *r, struct json_writer *w)
{
	const struct scim_type *type = scim_type_of(r->e);
	json_write_open(w, NULL);
	json_write_open_list(w, "schemas");
	json_write_z(w, NULL, type->urn);
	for (size_t k = 0; k < type->count; k++)
		if (scim_is_extension(&type->at[k]) &&
		    tags_find(user_of(r->row)->extra, str_from(type->at[k].kept)))
			json_write_z(w, NULL, type->at[k].name);
	json_write_close_list(w);
	for (size_t k = 0; k < type->count; k++)
		TRY(write_attribute(r, w, &type->at[k]));
	json_write_close(w);
	return OK;
}

RESULT scim_find_left(struct scim_call *e, uuid id, const struct row **ret_row)
{
	enum kind kind = scim_type_of(e)->kind;
	if (!e->skips_operation)
		return scim_find_returned(e, id, ret_row);
	*ret_row = tables_find(scim_tables(e), kind, id);
	return *ret_row ? OK : engine_fail_gone(e->c, kind, id);
}

RESULT scim_answer_row(struct scim_call *e, uuid id, struct json_writer *w)
{
	struct scim_reader r = {.e = e, .tables = scim_tables(e)};
	TRY(scim_find_left(e, id, &r.row));
	scim_set_headers(e, r.row);
	return scim_write_resource(&r, w);
}

RESULT scim_answer_one(struct scim_call *e, const void *args, struct json_writer *w)
{
	struct scim_reader r = {.e = e, .tables = scim_tables(e)};
	(void) args;
	TRY(scim_find_row(e, &r.row));
	TRY(scim_check_version(e, e->c, r.row));
	scim_set_headers(e, r.row);
	return scim_end_unchanged(e, r.row) ? OK : scim_write_resource(&r, w);
}
