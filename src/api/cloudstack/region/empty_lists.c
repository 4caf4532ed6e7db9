/* SPDX-License-Identifier: Apache-2.0
 * Commands that list kinds which do not exist here: empty_lists.def. CloudStack answers an empty list with
 * an empty object.
 */
#include "api/cloudstack/core/action.h"

struct empty_args {
	struct cs_list_args list;
};
#define NO_ROWS "Ignored: the list is always empty."
#define EMPTY(id, command, permission, more_flags, names, text)                                              \
	static const struct param id##_params[] = {CS_PAGE_PARAMS(struct empty_args),                        \
						   PASSED_OVER(names, NO_ROWS)};
#include "api/cloudstack/region/empty_lists.def"
#undef EMPTY
#undef OWNED

static RESULT list_none(struct cs_call *e, const void *args, struct json_writer *w)
{
	struct api_list_wish page = {.limit = 0};
	(void) w;
	return cs_read_page(e, &((const struct empty_args *) args)->list, &page);
}

#define ACCOUNTS "ec2:DescribeAccountAttributes"
#define VPCS "ec2:DescribeVpcs"
#define EMPTY(id, command, permission, more_flags, names, text)                                              \
	{CS_ACTION(command, permission),                                                                     \
	 .flags = (more_flags),                                                                              \
	 .args = PARAMS(struct empty_args, id##_params),                                                     \
	 .answer = list_none,                                                                                \
	 .says = "",                                                                                         \
	 .never = NO_ROWS,                                                                                   \
	 .doc = (text)},
static const struct cs_action actions[] = {
#include "api/cloudstack/region/empty_lists.def"
};
const struct api_actions cs_empty_list_actions = API_ACTIONS(actions);
