/* SPDX-License-Identifier: Apache-2.0
 * Pages of lists in AWS's query protocol whose items have ascending keys. The token of a page is the last key of the page
 * before. Any thread. */
#pragma once

#include "base/ctx.h"
#include "base/xml.h"

struct query_pages {
	struct str token;
	int64_t size;
};
struct query_page {
	struct str after, last;
	int64_t limit, shown;
	bool has_after, is_cut;
};
/* ERR_INVALID with the field: no token of ours. */
RESULT query_open_page(struct ctx *c, const struct query_pages *asked, int64_t standard, const char *field,
		       struct query_page *ret_page);
bool query_page_takes(struct query_page *page, struct str key);
/* The next page's token, if there are more items. */
void query_close_page(struct ctx *c, struct xml *x, const char *name, const struct query_page *page);
