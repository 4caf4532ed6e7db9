/* SPDX-License-Identifier: Apache-2.0
 * Implements AWS Support's protocol for api/core: one path, a header that names the action, JSON in and out. */
#include "api/support/support.h"

#include "api/support/internal.h"

#define TARGET "AWSSupport_20130415."

bool support_has_call(const struct call *call)
{
	return target_is_for(call, "support") ||
	       (str_starts_with(call_header(call, "X-Amz-Target"), STR(TARGET)) &&
		!str_contains(call_header(call, "Authorization"), STR("aws4_request")));
}

/* ---- from request to action ---- */

static const struct target_service service = {.prefix = TARGET, .name = "AWS Support"};

static RESULT find(struct api_call *core)
{
	return target_find(core, &service, &target_call_of(core)->body);
}

static const struct api_actions *const groups[] = {&support_case_actions, &support_list_actions,
						   &support_file_actions, &support_word_actions};
const struct api_groups support_action_groups = {groups, sizeof groups / sizeof groups[0]};

const struct api_protocol support_protocol = {.name = "support",
					      .groups = &support_action_groups,
					      .errors = &support_errors,
					      .find = find,
					      TARGET_PROTOCOL};

/* ---- for the documentation ---- */

void support_dump_actions(struct buf *out)
{
	target_dump_actions(out, "support", &support_action_groups);
}

void support_write_coverage(struct buf *out)
{
	api_write_coverage(out, &support_action_groups);
}
