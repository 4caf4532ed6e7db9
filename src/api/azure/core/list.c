/* SPDX-License-Identifier: Apache-2.0
 * Lists: {"value": [...], "nextLink": ...}, in pages that $top cuts and $skiptoken goes on from. Source: Azure REST API
 * reference, "Async operations, throttling, and paging". */
#include "api/azure/core/action.h"

enum { PAGE_MAX = 1000 };

static RESULT read_number(struct az_call *e, const char *name, int64_t max, int64_t *value)
{
	struct str text = az_query_value(e, name);
	if (!text.n)
		return OK;
	if (result_is_ok(str_parse_int(text, value)) && *value >= 0 && *value <= max)
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

/* The same request behind so many rows. */
static struct str next_link(struct az_call *e, size_t from)
{
	struct str version = str_encode_url(e->c->arena, az_query_value(e, "api-version"), false);
	struct str link =
		str_print(e->c->arena, "%" STR_FMT "%" STR_FMT "?api-version=%" STR_FMT "&$skiptoken=%zu",
			  STR_ARG(e->base_url), STR_ARG(e->call->path), STR_ARG(version), from);
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
	int64_t top = 0, skip = 0;
	struct query_page page;
	TRY(az_find_group(e));
	TRY(read_number(e, "$top", PAGE_MAX, &top));
	TRY(read_number(e, "$skiptoken", INT32_MAX, &skip));
	struct api_list_wish wish = {.offset = (size_t) skip, .limit = top ? (size_t) top : PAGE_MAX};
	TRY(api_list_rows(&e->core, &wish, &page));
	api_list_write(&e->core, w, az_write_time, &wish, &page);
	if (page.count > wish.offset && page.count - wish.offset > wish.limit)
		json_write_text(w, "nextLink", next_link(e, wish.offset + wish.limit));
	return OK;
}
