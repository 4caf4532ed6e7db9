/* SPDX-License-Identifier: Apache-2.0
 * Rules of QoS policies. A change of a rule changes its policy, whose commit wakes the ports that have it. */
#include "store/qos_rule.h"
#include "engine/network/port/qos_policy.h"
#include "engine/network/port/qos_policy_internal.h"
#include "store/qos_policy.h"

static const char *name_type(int type)
{
	return qos_rule_type_words[type];
}

static RESULT fail_not_found(struct ctx *c, const struct ref *rule, struct str policy)
{
	return engine_fail_about(c, rule,
				 ctx_fail_kind(c, ERR_NOT_FOUND, KIND_QOS_RULE,
					       "QoS rule %" STR_FMT " for policy %" STR_FMT
					       " could not be found.",
					       STR_ARG(rule->text), STR_ARG(policy)));
}

static RESULT find_rule(struct ctx *c, const struct tables *t, bool is_own, const struct ref *ref,
			const struct ref *policy, int type, const struct qos_rule **ret_rule)
{
	const struct row *row = NULL;
	const struct qos_policy *of = NULL;
	bool has_policy = ref_is_given(policy);
	if (has_policy)
		TRY(is_own ? engine_find_own_qos_policy(c, t, policy, &of)
			   : engine_find_qos_policy(c, t, policy, &of));
	struct result found = is_own ? engine_find_own(c, t, KIND_QOS_RULE, ref, &row)
				     : engine_find_usable(c, t, KIND_QOS_RULE, ref, &row);
	if (found.code && found.code != ERR_NOT_FOUND)
		return found;
	*ret_rule = found.code ? NULL : qos_rule_of(row);
	if (found.code || (int) (*ret_rule)->type != type ||
	    (has_policy && !uuid_equal((*ret_rule)->policy, of->row.id)))
		return fail_not_found(c, ref, policy->text);
	return OK;
}

RESULT engine_find_qos_rule(struct ctx *c, const struct tables *t, const struct ref *rule,
			    const struct ref *policy, int type, const struct qos_rule **ret_rule)
{
	return find_rule(c, t, false, rule, policy, type, ret_rule);
}

/* ---- checks ---- */

static RESULT check_alone(struct op *op, const struct qos_rule *rule)
{
	const struct qos_rule *other = qos_rule_first_by_policy(op->head, rule->policy);
	while (other && (uuid_equal(other->row.id, rule->row.id) || other->type != rule->type ||
			 other->direction != rule->direction))
		other = qos_rule_next_by_policy(op->head, other);
	if (!other)
		return OK;
	return ENGINE_FAIL(
		op, ERR_EXISTS, KIND_QOS_RULE, STR("direction"),
		"Rule %s conflicts with rule %" STR_FMT " which already exists in QoS Policy %" STR_FMT ".",
		name_type((int) rule->type), STR_ARG(engine_write_id(op, KIND_QOS_RULE, other->row.id)),
		STR_ARG(engine_write_id(op, KIND_QOS_POLICY, rule->policy)));
}

/* A minimum above the limit of its direction could not be met. */
static RESULT check_order(struct op *op, const struct qos_rule *rule)
{
	bool is_limit = rule->type == QOS_RULE_TYPE_BANDWIDTH_LIMIT;
	enum qos_rule_type opposite =
		is_limit ? QOS_RULE_TYPE_MINIMUM_BANDWIDTH : QOS_RULE_TYPE_BANDWIDTH_LIMIT;
	const struct qos_rule *other = qos_rule_first_by_policy(op->head, rule->policy);
	while (other && (other->type != opposite || other->direction != rule->direction))
		other = qos_rule_next_by_policy(op->head, other);
	if (!other || rule->type == QOS_RULE_TYPE_DSCP_MARKING)
		return OK;
	int64_t value = is_limit ? rule->max_kbps : rule->min_kbps;
	int64_t existing = is_limit ? other->min_kbps : other->max_kbps;
	if (is_limit ? existing <= value : value <= existing)
		return OK;
	return ENGINE_FAIL(op, ERR_CONFLICT, KIND_QOS_RULE, is_limit ? STR("max_kbps") : STR("min_kbps"),
			   "Unable to add the rule with value %lld to the policy %" STR_FMT
			   " as the existing rule of type %s has value %lld.",
			   (long long) value, STR_ARG(engine_write_id(op, KIND_QOS_POLICY, rule->policy)),
			   name_type((int) other->type), (long long) existing);
}

/* Class selectors, assured forwarding, expedited forwarding and voice admission (RFC 2474, 2597, 3246, 5865). */
static bool is_mark(int64_t mark)
{
	return mark >= 0 && mark <= QOS_DSCP_MAX && mark % 2 == 0 && mark != 2 && mark != 4 && mark != 6 &&
	       mark != 42 && mark != 50 && mark != 52 && mark != 54;
}

static RESULT check_mark(struct op *op, const struct qos_rule *rule)
{
	if (rule->type != QOS_RULE_TYPE_DSCP_MARKING || is_mark(rule->dscp_mark))
		return OK;
	return ENGINE_FAIL(
		op, ERR_INVALID, KIND_QOS_RULE, STR("dscp_mark"),
		"Invalid input for dscp_mark. Reason: '%lld' is not in [0, 8, 10, 12, 14, 16, 18, 20, 22, "
		"24, 26, 28, 30, 32, 34, 36, 38, 40, 44, 46, 48, 56].",
		(long long) rule->dscp_mark);
}

static RESULT check(struct op *op, const struct qos_rule *rule)
{
	TRY(check_mark(op, rule));
	TRY(check_order(op, rule));
	return check_alone(op, rule);
}

/* ---- changes ---- */

static void apply(const struct qos_rule_values *values, struct qos_rule *rule)
{
	if (values->has_max_kbps)
		rule->max_kbps = values->max_kbps;
	if (values->has_max_burst_kbps)
		rule->max_burst_kbps = values->max_burst_kbps;
	if (values->has_dscp_mark)
		rule->dscp_mark = values->dscp_mark;
	if (values->has_min_kbps)
		rule->min_kbps = values->min_kbps;
	if (values->is_ingress != CHOICE_DEFAULT)
		rule->direction = values->is_ingress == CHOICE_YES ? QOS_RULE_DIRECTION_INGRESS
								   : QOS_RULE_DIRECTION_EGRESS;
}

static RESULT touch(struct op *op, const struct qos_policy *policy, const char *code, int type)
{
	struct qos_policy next = *policy;
	next.row.gen++;
	TRY(qos_policy_put(op, &next));
	return engine_log_event(op, KIND_QOS_POLICY, &next.row, code, "Rule of type %s.", name_type(type));
}

RESULT engine_create_qos_rule(struct op *op, struct qos_rule_wish *wish)
{
	const struct qos_policy *policy = NULL;
	TRY(engine_find_own_qos_policy(op->ctx, op->head, &wish->policy, &policy));
	struct qos_rule rule = {.row = {.id = engine_new_id(op, KIND_QOS_RULE), .gen = 1},
				.account = policy->account,
				.policy = policy->row.id,
				.type = (enum qos_rule_type) wish->type};
	apply(&wish->values, &rule);
	TRY(check(op, &rule));
	TRY(engine_permit(op, "qos_rule.create", KIND_QOS_POLICY, &policy->row));
	TRY(qos_rule_put(op, &rule));
	TRY(qos_policy_check_bound(op, policy->row.id));
	wish->rule = rule.row.id;
	return touch(op, policy, "rule added", wish->type);
}

RESULT engine_update_qos_rule(struct op *op, struct qos_rule_settings *wish)
{
	const struct qos_rule *rule = NULL;
	TRY(find_rule(op->ctx, op->head, true, &wish->rule, &wish->policy, wish->type, &rule));
	const struct qos_policy *policy = qos_policy_find(op->head, rule->policy);
	struct qos_rule next = *rule;
	apply(&wish->values, &next);
	TRY(check(op, &next));
	TRY(engine_permit(op, "qos_rule.update", KIND_QOS_POLICY, &policy->row));
	next.row.gen++;
	TRY(qos_rule_put(op, &next));
	return touch(op, policy, "rule changed", wish->type);
}

RESULT engine_delete_qos_rule(struct op *op, struct qos_rule_target *wish)
{
	const struct qos_rule *rule = NULL;
	TRY(find_rule(op->ctx, op->head, true, &wish->rule, &wish->policy, wish->type, &rule));
	const struct qos_policy *policy = qos_policy_find(op->head, rule->policy);
	TRY(engine_permit(op, "qos_rule.delete", KIND_QOS_POLICY, &policy->row));
	TRY(qos_rule_forget(op, rule->row.id));
	return touch(op, policy, "rule removed", wish->type);
}
