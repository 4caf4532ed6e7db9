/* SPDX-License-Identifier: Apache-2.0
 * Lists by filters, in pages. The rows of the domain are walked in the order of their names on a lane, not on an HTTP thread:
 * filters have no index, except for users by name and one resource by id. */
#include "api/scim/internal.h"
#include "base/uuid_asked.h"
#include "engine/people/user_name.h"
#include "store/user.h"
#include "store/user_group.h"

/* A page ends early beyond so many bytes: groups may have many members. The client asks on from the next index. */
enum { PAGE_SIZE_MAX = 4 * 1024 * 1024 };

/* ---- rows of a domain ---- */

static unsigned owner_index(enum kind kind)
{
	return kind == KIND_USER ? USER_INDEX_OWNER : USER_GROUP_INDEX_OWNER;
}

static const struct row *first_row(const struct tables *t, enum kind kind, uuid domain)
{
	const struct user user = {.domain = domain};
	const struct user_group group = {.domain = domain};
	return tables_first(t, kind, owner_index(kind), kind == KIND_USER ? &user.row : &group.row, 2);
}

static const struct row *next_row(const struct tables *t, const struct row *row)
{
	return tables_next(t, row->kind, owner_index(row->kind), row, 2);
}

/* ---- parameters ---- */

static RESULT read_number(struct scim_call *e, const char *name, struct str text, int64_t least, int64_t most,
			  int64_t *number)
{
	if (!text.n)
		return OK;
	if (!result_is_ok(str_parse_int(text, number)))
		return ctx_fail_field(e->c, ERR_INVALID, str_from(name), "%s is an integer.", name);
	*number = *number < least ? least : *number > most ? most : *number;
	return OK;
}

static RESULT read_filter(struct scim_call *e, struct str text, struct scim_list_args *a)
{
	return text.n ? scim_parse_filter(e->c, scim_type_of(e), text, &a->filter) : OK;
}

static RESULT read_pages(struct scim_call *e, struct str start, struct str count, struct scim_list_args *a)
{
	a->start = 1;
	a->count = SCIM_PAGE_MAX;
	TRY(read_number(e, "startIndex", start, 1, INT64_MAX, &a->start));
	return read_number(e, "count", count, 0, SCIM_PAGE_MAX, &a->count);
}

static RESULT set_shown(struct scim_call *e, struct strs only, struct strs without)
{
	struct scim_shown *s = &e->shown;
	*s = (struct scim_shown){.has_only = only.count};
	if (only.count && without.count)
		return ctx_fail_field(e->c, ERR_INVALID, STR("attributes"),
				      "attributes and excludedAttributes exclude each other.");
	if (only.count)
		TRY(scim_read_names(e->c, scim_type_of(e), only, &s->only, &s->only_count));
	return without.count ? scim_read_names(e->c, scim_type_of(e), without, &s->without, &s->without_count)
			     : OK;
}

RESULT scim_read_shown(struct scim_call *e)
{
	const struct str only = scim_query_value(e, "attributes");
	const struct str without = scim_query_value(e, "excludedAttributes");
	return set_shown(e, (struct strs){&only, only.n > 0}, (struct strs){&without, without.n > 0});
}

RESULT scim_prepare_list(struct scim_call *e, void *args)
{
	struct scim_list_args *a = args;
	TRY(read_pages(e, scim_query_value(e, "startIndex"), scim_query_value(e, "count"), a));
	return read_filter(e, scim_query_value(e, "filter"), a);
}

/* ---- POST …/.search ---- */

static RESULT fail_type(struct scim_call *e, const char *name, const char *wanted)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_from(name), "%s is %s.", name, wanted);
}

/* Absent and null are empty. */
static RESULT read_text(struct scim_call *e, const char *name, struct str *ret_text)
{
	const json_t *value = json_object_get(e->body, name);
	if (value && !json_is_null(value) && !json_is_string(value))
		return fail_type(e, name, "a string");
	*ret_text = str_copy(e->c->arena, (struct str){json_string_value(value), json_string_length(value)});
	return OK;
}

/* A number, or a text of one. */
static RESULT read_digits(struct scim_call *e, const char *name, struct str *ret_text)
{
	const json_t *value = json_object_get(e->body, name);
	if (!json_is_integer(value))
		return !json_is_number(value) && result_is_ok(read_text(e, name, ret_text))
			       ? OK
			       : fail_type(e, name, "an integer");
	*ret_text = str_print(e->c->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return OK;
}

/* A list of names, or names between commas. */
static RESULT read_names(struct scim_call *e, const char *name, struct strs *ret_names)
{
	const json_t *list = json_object_get(e->body, name);
	size_t count = json_is_array(list) ? json_array_size(list) : 1;
	struct str *names = arena_new_array(e->c->arena, struct str, count);
	if (count > SCIM_SHOWN_MAX)
		return ctx_fail(e->c, ERR_TOO_LARGE, "At most %d attributes can be named.", SCIM_SHOWN_MAX);
	if (!names)
		return ctx_no_memory(e->c);
	if (!list || json_is_null(list))
		return OK;
	for (size_t k = 0; k < count; k++) {
		const json_t *one = json_is_array(list) ? json_array_get(list, k) : list;
		if (!json_is_string(one))
			return fail_type(e, name, "a list of strings");
		names[k] = (struct str){json_string_value(one), json_string_length(one)};
	}
	*ret_names = (struct strs){names, count};
	return OK;
}

RESULT scim_prepare_search(struct scim_call *e, void *args)
{
	struct scim_list_args *a = args;
	struct strs only = {0}, without = {0};
	struct str start = STR_NONE, count = STR_NONE, filter = STR_NONE;
	TRY(read_names(e, "attributes", &only));
	TRY(read_names(e, "excludedAttributes", &without));
	TRY(set_shown(e, only, without));
	TRY(read_digits(e, "startIndex", &start));
	TRY(read_digits(e, "count", &count));
	TRY(read_pages(e, start, count, a));
	TRY(read_text(e, "filter", &filter));
	return read_filter(e, filter, a);
}

/* ---- the walk ---- */

struct walk {
	struct scim_reader reader;
	struct scim_list_args *args;
	struct json_writer writer;
	struct buf page;
	bool is_full;
};

/* A list ends before its filter keeps the lane from other domains. */
static RESULT check_work(struct walk *k)
{
	return k->reader.work <= SCIM_WORK_MAX
		       ? OK
		       : ctx_fail_field(k->reader.e->c, ERR_INVALID, STR("work"),
					"The filter compares too much. Use fewer terms, or userName or id.");
}

static RESULT visit(struct walk *k, const struct row *row)
{
	struct scim_list_args *a = k->args;
	TRY(check_work(k));
	k->reader.row = row;
	(void) json_object_clear(k->reader.values);
	if (!scim_is_reachable(k->reader.e, row->kind, row) ||
	    (a->filter && !scim_matches(a->filter, scim_read_row, &k->reader)))
		return OK;
	k->is_full = k->is_full || k->page.size > PAGE_SIZE_MAX;
	if (++a->total < a->start || a->shown >= a->count || k->is_full)
		return OK;
	a->shown++;
	return scim_write_resource(&k->reader, &k->writer);
}

static RESULT visit_id(struct walk *k, struct str text)
{
	uuid id;
	const struct row *row = result_is_ok(uuid_parse_asked(text, &id))
					? tables_find(k->reader.tables, scim_type_of(k->reader.e)->kind, id)
					: NULL;
	return row ? visit(k, row) : OK;
}

static RESULT visit_namesakes(struct walk *k, struct str name)
{
	const struct scim_call *e = k->reader.e;
	const struct user *user = NULL;
	while ((user = engine_find_namesake(e->c->arena, k->reader.tables, e->domain, name, user)))
		TRY(visit(k, &user->row));
	return arena_is_full(e->c->arena) ? ctx_no_memory(e->c) : OK;
}

/* The comparison that an index answers; empty: all rows are walked over. */
static struct str find_key(const struct scim_filter *f, const char *attribute)
{
	bool is_plain =
		f && f->op == SCIM_EQ && f->literal == SCIM_IS_TEXT && !f->place.extension && !f->place.sub;
	return is_plain && strcmp(f->place.attribute->name, attribute) == 0 ? f->text : STR_NONE;
}

static RESULT walk(struct walk *k)
{
	struct scim_call *e = k->reader.e;
	const struct tables *t = k->reader.tables;
	struct str id = find_key(k->args->filter, "id"), name = find_key(k->args->filter, "userName");
	if (id.n)
		return visit_id(k, id);
	if (name.n)
		return visit_namesakes(k, name);
	for (const struct row *row = first_row(t, scim_type_of(e)->kind, e->domain); row;
	     row = next_row(t, row))
		TRY(visit(k, row));
	return OK;
}

static RESULT finish(struct walk *k)
{
	json_write_close_list(&k->writer);
	TRY(json_write_end(&k->writer));
	k->args->page = str_copy(k->reader.e->c->arena, buf_str(&k->page));
	return k->args->page.n ? OK : ctx_no_memory(k->reader.e->c);
}

RESULT scim_list_work(struct work_item *w)
{
	struct scim_call *e = w->arg;
	AUTO_JSON *values = json_object();
	struct walk k = {.reader = {.e = e, .values = values}, .args = e->args};
	if (!values)
		return ctx_no_memory(e->c);
	AUTO_VIEW v;
	view_open(e->config->store, &v);
	k.reader.tables = v.tables;
	buf_init(&k.page, BUF_ANSWER_CAP);
	json_write_begin(&k.writer, &k.page);
	json_write_open_list(&k.writer, NULL);
	struct result result = walk(&k);
	if (result_is_ok(result))
		result = finish(&k);
	buf_done(&k.page);
	return result;
}

RESULT scim_answer_list(struct scim_call *e, const void *args, struct json_writer *w)
{
	const struct scim_list_args *a = args;
	(void) e;
	json_write_open(w, NULL);
	json_write_open_list(w, "schemas");
	json_write_z(w, NULL, "urn:ietf:params:scim:api:messages:2.0:ListResponse");
	json_write_close_list(w);
	json_write_int(w, "totalResults", a->total);
	json_write_int(w, "startIndex", a->start);
	json_write_int(w, "itemsPerPage", a->shown);
	json_write_raw(w, "Resources", a->page);
	json_write_close(w);
	return OK;
}
