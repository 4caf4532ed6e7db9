/* SPDX-License-Identifier: Apache-2.0
 * Shared functions of commands composed in the client: paged lists, members of rows, changes. */
#include "daemon/client/ask.h"

#include "base/clock.h"

enum { PAGES_MAX = 1000, PAGE_ROWS = 1000 };

struct str asking_arg(const struct asking *a, const char *name)
{
	return asking_text(a->args, name);
}

struct str asking_text(const json_t *row, const char *member)
{
	const json_t *value = json_object_get(row, member);
	return (struct str){json_string_value(value), json_string_length(value)};
}

int64_t asking_int(const json_t *row, const char *member)
{
	return json_integer_value(json_object_get(row, member));
}

const char *asking_time(const struct asking *a, const json_t *row, const char *member, const char *none)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t at_us = asking_int(row, member);
	return at_us ? str_print(a->c->arena, "%s", clock_write_s(at_us, text)).p : none;
}

void asking_tell_nothing(struct asking *a)
{
	json_decref(a->value);
	a->value = json_null();
}

json_t *asking_json(struct str text)
{
	return json_stringn(text.p ? text.p : "", text.n);
}

bool asking_bool(const json_t *row, const char *member)
{
	return json_is_true(json_object_get(row, member));
}

const json_t *asking_find(const json_t *rows, struct str id)
{
	for (size_t k = 0; id.n && k < json_array_size(rows); k++) {
		const json_t *row = json_array_get(rows, k);
		if (str_equal(asking_text(row, "id"), id))
			return row;
	}
	return NULL;
}

const char *asking_path(const struct asking *a, const char *list, const json_t *row, const char *rest)
{
	return str_print(a->c->arena, "%s/%" STR_FMT "%s", list, STR_ARG(asking_text(row, "id")), rest).p;
}

RESULT asking_find_named(struct asking *a, const char *path, const char *fields, const char *kinds,
			 const json_t **ret_row)
{
	const json_t *rows = NULL;
	json_t *row = NULL;
	size_t k = 0, count = 0;
	struct str said = asking_arg(a, "name");
	TRY(asking_list(a, path, fields, &rows));
	json_array_foreach (rows, k, row)
		if (str_equal(asking_text(row, "id"), said) || str_equal(asking_text(row, "name"), said)) {
			*ret_row = row;
			count++;
		}
	if (count == 1)
		return OK;
	return ctx_fail_field(a->c, count ? ERR_INVALID : ERR_NOT_FOUND, STR("name"),
			      "%zu %s are called %" STR_FMT "%s", count, kinds, STR_ARG(said),
			      count ? "; give its id" : "");
}

struct str asking_segment(const struct asking *a, struct str text)
{
	return str_encode_url(a->c->arena, text, false);
}

static RESULT fail_foreign(struct asking *a, const char *why)
{
	const struct client_place *place = a->place;
	return ctx_fail(a->c, ERR_IO, "what answers at %" STR_FMT " is no server of Dari's: %s.",
			STR_ARG(place->socket.n ? place->socket : place->url), why);
}

RESULT asking_find_rights(struct asking *a)
{
	json_t *me = NULL;
	a->sees_all = a->place->socket.n; /* the operator */
	if (a->sees_all)
		return OK;
	TRY(client_call(a->c, a->place, &(struct client_request){.method = "GET", .path = "/me"}, &me));
	a->sees_all = asking_bool(me, "is_admin");
	json_decref(me);
	return OK;
}

static bool are_rows(const json_t *items)
{
	for (size_t k = 0; k < json_array_size(items); k++)
		if (!json_is_object(json_array_get(items, k)))
			return false;
	return json_is_array(items);
}

/* Appends one page to the list. *ret_next: cursor of the next page; empty: none. */
static RESULT add_page(struct asking *a, const char *path, const char *query, json_t *rows,
		       struct str *ret_next)
{
	json_t *page = NULL;
	*ret_next = STR_NONE;
	TRY(client_call(a->c, a->place,
			&(struct client_request){.method = "GET", .path = path, .query = query}, &page));
	json_t *items = json_object_get(page, "items");
	struct result result = are_rows(items) ? OK : fail_foreign(a, "its list has no rows");
	if (result_is_ok(result) && json_array_extend(rows, items))
		result = ctx_no_memory(a->c);
	if (json_array_size(items))
		*ret_next = str_copy(a->c->arena, asking_text(page, "next"));
	json_decref(page);
	return result;
}

static RESULT keep(struct asking *a, json_t *answer)
{
	if (!a->kept)
		a->kept = json_array();
	return json_array_append_new(a->kept, answer) ? ctx_no_memory(a->c) : OK;
}

RESULT asking_list(struct asking *a, const char *path, const char *fields, const json_t **ret_rows)
{
	json_t *rows = json_array();
	struct str next = STR_NONE;
	TRY(keep(a, rows));
	/* sorted as signatures require */
	struct str base = str_print(a->c->arena, "%s%slimit=%d", a->sees_all ? "all=1&" : "",
				    fields ? str_print(a->c->arena, "fields=%" STR_FMT "&",
						       STR_ARG(asking_segment(a, str_from(fields))))
						     .p
					   : "",
				    PAGE_ROWS);
	const char *query = base.p;
	for (int k = 0; k < PAGES_MAX; k++) {
		TRY(add_page(a, path, query, rows, &next));
		*ret_rows = rows;
		if (!next.n)
			return OK;
		query = str_print(a->c->arena, "after=%" STR_FMT "&%" STR_FMT,
				  STR_ARG(asking_segment(a, next)), STR_ARG(base))
				.p;
	}
	return fail_foreign(a, "its list does not end");
}

RESULT asking_change(struct asking *a, const char *method, const char *path, const json_t *body,
		     const json_t **ret_answer)
{
	json_t *answer = NULL;
	TRY(client_call(a->c, a->place,
			&(struct client_request){.method = method, .path = path, .body = body}, &answer));
	*ret_answer = answer;
	return keep(a, answer);
}

RESULT asking_read(struct asking *a, const char *path, const char *query, const json_t **ret_answer)
{
	json_t *answer = NULL;
	TRY(client_call(a->c, a->place,
			&(struct client_request){.method = "GET", .path = path, .query = query}, &answer));
	*ret_answer = answer;
	return keep(a, answer);
}
