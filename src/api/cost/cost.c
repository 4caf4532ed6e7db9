/* SPDX-License-Identifier: Apache-2.0
 * Implements Cost Explorer's protocol for api/core: one path, a header that names the action, JSON in and out.
 * Other actions of the service are refused as unknown operations. */
#include "api/cost/cost.h"

#include "api/cost/internal.h"

#define TARGET "AWSInsightsIndexService."

bool cost_has_call(const struct call *call)
{
	return target_is_for(call, "ce");
}

static const struct target_service service = {.prefix = TARGET, .name = "Cost Explorer"};

static RESULT find(struct api_call *core)
{
	return target_find(core, &service, &target_call_of(core)->body);
}

static RESULT prepare(struct api_call *core)
{
	struct target_call *e = target_call_of(core);
	const struct target_action *a = target_row_of(e->action);
	TRY(api_new_args(core, 1, sizeof(struct cost_question)));
	return a->prepare(e, e->args);
}

static const struct api_actions *const groups[] = {&cost_actions};
const struct api_groups cost_action_groups = {groups, sizeof groups / sizeof groups[0]};

const struct api_protocol cost_protocol = {.name = "cost",
					   .groups = &cost_action_groups,
					   .errors = &cost_errors,
					   .find = find,
					   TARGET_TRANSPORT,
					   .prepare = prepare,
					   .write_problem = cost_write_problem};

void cost_write_coverage(struct buf *out)
{
	api_write_coverage(out, &cost_action_groups);
}
