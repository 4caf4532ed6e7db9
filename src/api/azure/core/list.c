/* SPDX-License-Identifier: Apache-2.0
 * Lists {"value": [...], "nextLink": ...} in pages: $top limits a page, $skiptoken continues. Source: Azure
 * REST API reference, "Async operations, throttling, and paging".
 */
#include "api/azure/core/action.h"

enum { PAGE_MAX = 1000 };

/* Reads the length of a page, which is at least 1. */
static RESULT read_number(struct az_call *e, const char *name, int64_t max, int64_t *value)
{
	struct str text = az_query_value(e, name);
	if (!text.n)
		return OK;
	if (result_is_ok(str_parse_int(text, value)) && *value >= 1 && *value <= max)
		return OK;
	return az_fail(e, name, "The value of parameter %s is invalid.", name);
}

bool az_take_word(struct str *rest, struct str word)
{
	*rest = str_trim(*rest);
	if (!str_equal_nocase(str_slice(*rest, 0, word.n), word))
		return false;
	*rest = str_trim(str_slice(*rest, word.n, rest->n));
	return true;
}

bool az_take_value(struct str *rest, struct str *ret_value)
{
	if (!az_take_word(rest, STR("eq")) || !str_starts_with(*rest, STR("'")))
		return false;
	size_t end = str_find_char(*rest, '\'', 1);
	*ret_value = str_slice(*rest, 1, end);
	*rest = str_slice(*rest, end + 1, rest->n);
	return true;
}

/* Reads the place after which a page continues. A place in the row order stays valid when rows before
 * it, or its own row, are deleted; a row count would not. */
static RESULT read_place(struct az_call *e, struct row_place *ret_place)
{
	struct str text = az_query_value(e, "$skiptoken"), time;
	*ret_place = (struct row_place){0};
	if (!text.n)
		return OK;
	if (str_split_next(&text, '-', &time) && result_is_ok(str_parse_int(time, &ret_place->created_us)) &&
	    result_is_ok(uuid_parse(text, &ret_place->id)))
		return OK;
	return az_fail(e, "$skiptoken", "The value of parameter $skiptoken is invalid.");
}

static size_t find_place(const struct query_page *page, const struct row_place *after)
{
	size_t k = 0;
	while (after->created_us && k < page->count &&
	       (page->rows[k]->created_us < after->created_us ||
		(page->rows[k]->created_us == after->created_us &&
		 memcmp(page->rows[k]->id.b, after->id.b, sizeof after->id.b) <= 0)))
		k++;
	return k;
}

/* The request's URL, continued after that row. */
static struct str next_link(struct az_call *e, const struct row *last)
{
	struct str version = str_encode_url(e->c->arena, az_query_value(e, "api-version"), false);
	struct str link = str_print(
		e->c->arena, "%" STR_FMT "%" STR_FMT "?api-version=%" STR_FMT "&$skiptoken=%lld-%" STR_FMT,
		STR_ARG(e->base_url), STR_ARG(e->call->path), STR_ARG(version), (long long) last->created_us,
		STR_ARG(uuid_to_str(e->c->arena, last->id)));
	static const char *const kept[] = {"$top", "$expand", "$filter", "statusOnly"};
	for (size_t k = 0; k < sizeof kept / sizeof kept[0]; k++) {
		struct str value = az_query_value(e, kept[k]);
		if (value.n)
			link = str_print(e->c->arena, "%" STR_FMT "&%s=%" STR_FMT, STR_ARG(link), kept[k],
					 STR_ARG(str_encode_url(e->c->arena, value, false)));
	}
	return link;
}

RESULT az_write_list(struct az_call *e, struct json_writer *w)
{
	int64_t top = 0;
	struct row_place after;
	struct query_page page;
	TRY(az_find_group(e));
	TRY(read_number(e, "$top", PAGE_MAX, &top));
	TRY(read_place(e, &after));
	struct api_list_wish wish = {.limit = top ? (size_t) top : PAGE_MAX};
	TRY(api_list_rows(&e->core, &wish, &page));
	wish.offset = find_place(&page, &after);
	api_list_write(&e->core, w, az_write_time, &wish, &page);
	if (page.count > wish.offset && page.count - wish.offset > wish.limit)
		json_write_text(w, "nextLink", next_link(e, page.rows[wish.offset + wish.limit - 1]));
	return OK;
}
