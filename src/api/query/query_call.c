/* SPDX-License-Identifier: Apache-2.0
 * From a request of AWS's query protocol to its pairs and its action. */
#include "api/query/query_call.h"

RESULT query_parse_call(struct api_call *e, struct pairs *ret_pairs)
{
	const struct call *call = e->call;
	if (call->method != HTTP_GET && call->method != HTTP_POST)
		return ctx_fail(e->c, ERR_UNSUPPORTED, "The method %" STR_FMT " is not GET or POST",
				STR_ARG(call->method_name));
	struct str form = call->method == HTTP_POST ? call->body : STR_NONE;
	return request_parse(e->c, call->query, form, ret_pairs);
}

const struct api_entry *query_find_entry(const struct api_face *face, const struct pairs *pairs,
					 unsigned mask, unsigned flags)
{
	const struct api_entry *entry = api_find_action(face, pairs_find(pairs, "Action"));
	return entry && (entry->action->flags & mask) == flags ? entry : NULL;
}

RESULT query_find_action(struct api_call *e, unsigned mask, unsigned flags, struct pairs *ret_pairs)
{
	struct result parsed = query_parse_call(e, ret_pairs);
	const struct api_entry *entry = query_find_entry(e->face, ret_pairs, mask, flags);
	if (!api_is_within_limits(e, entry ? entry->action : NULL)) {
		ctx_clear_problem(e->c); /* the flood is what the caller is told of */
		return api_refuse_flood(e);
	}
	api_choose_action(e, entry);
	return parsed;
}
