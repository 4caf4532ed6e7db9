/* SPDX-License-Identifier: Apache-2.0
 * Lists of types that a region does not have: core/empty_types.def.
 */
#include "api/azure/core/action.h"

static RESULT list_nothing(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	TRY(az_find_group(e));
	json_write_open_list(w, "value");
	json_write_close_list(w);
	return OK;
}

#define LIST(scope, symbol, space, type_name, word)                                                          \
	{                                                                                                    \
		HTTP_GET, scope "/providers/" space "/" type_name,                                           \
			.name = word, .permit = "ec2:DescribeRegions", .flags = API_FOR_ALL,                 \
			.type = AZ_##symbol, .answer = list_nothing,                                         \
			.query = "$top|$skiptoken|$filter|$expand",                                          \
			.never = "a region has no such resources",                                           \
			.doc = "Returns an empty list; a region has no such resources."                      \
	}
static const struct az_action actions[] = {
#define TYPE(symbol, space, name, versions, is_global)                                                       \
	LIST(AZ_SUBSCRIPTION, symbol, space, name, "List_" #symbol),                                         \
		LIST(AZ_GROUP, symbol, space, name, "ListByResourceGroup_" #symbol),
#include "api/azure/core/empty_types.def"
#undef TYPE
};
const struct api_actions az_empty_actions = API_ACTIONS(actions);
