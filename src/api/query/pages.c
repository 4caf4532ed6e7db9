/* SPDX-License-Identifier: Apache-2.0
 * Implements pages.h. Tokens are keys in base64. */
#include "api/query/pages.h"

RESULT query_open_page(struct ctx *c, const struct query_pages *asked, int64_t standard, const char *field,
		       struct query_page *ret_page)
{
	*ret_page = (struct query_page){.limit = asked->size ? asked->size : standard,
					.has_after = asked->token.n > 0};
	if (!ret_page->has_after)
		return OK;
	if (result_is_ok(str_decode_base64url(c->arena, asked->token, &ret_page->after)))
		return OK;
	ctx_clear_problem(c);
	return ctx_fail_field(c, ERR_INVALID, str_from(field), "Invalid %s: '%" STR_FMT "'",
			      field[0] == 'M' ? "marker" : "token", STR_ARG(asked->token));
}

bool query_page_takes(struct query_page *page, struct str key)
{
	if (page->has_after && str_compare(key, page->after) <= 0)
		return false;
	page->is_cut = page->is_cut || page->shown == page->limit;
	if (page->is_cut)
		return false;
	page->shown++;
	page->last = key;
	return true;
}

void query_close_page(struct ctx *c, struct xml *x, const char *name, const struct query_page *page)
{
	if (page->is_cut)
		xml_text(x, name, str_encode_base64url(c->arena, page->last));
}
