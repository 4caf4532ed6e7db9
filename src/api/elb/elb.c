/* SPDX-License-Identifier: Apache-2.0
 * Implements the protocol of both versions for api/core: signed query calls, answered in XML. */
#include "api/elb/elb.h"

#include "api/elb/classic/internal.h"
#include "api/query/query_call.h"

/* Classic Load Balancers have the same service and actions of the same names, in an older version. */
bool elb_has_call(const struct call *call)
{
	return query_is_for(call, "elasticloadbalancing");
}

bool elb_is_classic(const struct call *call)
{
	return str_is(query_find_version(call), elb_classic_protocol.version);
}

bool elb_classic_has_call(const struct call *call)
{
	return query_is_for(call, "elasticloadbalancing") && elb_is_classic(call);
}

static RESULT find(struct api_call *core)
{
	TRY(api_check_signature(core, query_faults));
	TRY(query_find_action(core, 0, 0));
	return query_check_action(core, false);
}

static RESULT prepare(struct api_call *core)
{
	static const char *const common[] = {"Action", "Version", 0};
	struct elb_call *e = elb_call_of(core);
	const struct elb_action *a = elb_action_of(e);
	TRY(api_new_args(core, 1, a->args.size));
	TRY(request_read(e->c, &request_sts_dialect, &a->args, common, &e->pairs, e->args));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

static RESULT write_result(struct api_call *core, struct xml *x)
{
	struct elb_call *e = elb_call_of(core);
	const struct elb_action *a = elb_action_of(e);
	return a->answer ? a->answer(e, e->args, x) : OK;
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	return query_write_answer_document(core, body, ELB_NAMESPACE, write_result);
}

static RESULT write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	return query_write_problem_document(core, p, body, ELB_NAMESPACE);
}

static RESULT write_classic_answer(struct api_call *core, struct buf *body)
{
	return query_write_answer_document(core, body, CLASSIC_NAMESPACE, write_result);
}

static RESULT write_classic_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	return query_write_problem_document(core, p, body, CLASSIC_NAMESPACE);
}

static const struct api_actions *const groups[] = {
	&elb_load_balancer_actions,      &elb_listener_actions, &elb_rule_actions,
	&elb_target_group_actions,       &elb_target_actions,   &elb_attribute_actions,
	&elb_listener_attribute_actions, &elb_tag_actions,      &elb_account_actions,
};
const struct api_groups elb_action_groups = {groups, sizeof groups / sizeof groups[0]};

const struct api_protocol elb_protocol = {
	.name = "elb",
	.content_type = "text/xml",
	.version = ELB_VERSION,
	.call_size = sizeof(struct elb_call),
	.groups = &elb_action_groups,
	.errors = &elb_errors,
	.find = find,
	.prepare = prepare,
	.write = write_answer,
	.word_problem = query_word_problem,
	.write_problem = write_problem,
};

static const struct api_actions *const classic_groups[] = {
	&classic_balancer_actions, &classic_place_actions,    &classic_listener_actions,
	&classic_policy_actions,   &classic_instance_actions, &classic_attribute_actions,
	&classic_tag_actions,
};
const struct api_groups elb_classic_action_groups = {classic_groups,
						     sizeof classic_groups / sizeof classic_groups[0]};

const struct api_protocol elb_classic_protocol = {
	.name = "elb_classic",
	.content_type = "text/xml",
	.version = CLASSIC_VERSION,
	.call_size = sizeof(struct elb_call),
	.groups = &elb_classic_action_groups,
	.errors = &classic_errors,
	.find = find,
	.prepare = prepare,
	.write = write_classic_answer,
	.word_problem = query_word_problem,
	.write_problem = write_classic_problem,
};

void elb_write_coverage(struct buf *out)
{
	api_write_coverage(out, &elb_action_groups);
}

void elb_dump_actions(struct buf *out)
{
	query_dump_actions(out, "elb", "elasticloadbalancing", &elb_action_groups);
}

void elb_classic_write_coverage(struct buf *out)
{
	api_write_coverage(out, &elb_classic_action_groups);
}

void elb_classic_dump_actions(struct buf *out)
{
	query_dump_actions(out, "elb_classic", "elasticloadbalancing", &elb_classic_action_groups);
}
