/* SPDX-License-Identifier: Apache-2.0
 * Counters and conditions of AutoScale. The counters are those of CloudStack's virtual router that Dari measures; their ids are
 * the same in every region. Source: API reference, "AutoScale", 4.18. */
#include "api/cloudstack/autoscale/autoscale.h"

/* ---- counters ---- */

static const struct counter {
	const char *id, *source, *name, *value;
} counters[] = {
	[AUTOSCALE_CONDITION_COUNTER_CPU] = {"8a6f3c52-4b0d-4c1e-9d55-0a7c5e1f0001", "cpu",
					     "VM CPU - average percentage", "vm.cpu.average.percentage"},
	[AUTOSCALE_CONDITION_COUNTER_NETWORK_IN] = {"8a6f3c52-4b0d-4c1e-9d55-0a7c5e1f0002", "virtualrouter",
						    "Public Network - mbps received per vm",
						    "public.network.received.average.mbps"},
	[AUTOSCALE_CONDITION_COUNTER_NETWORK_OUT] = {"8a6f3c52-4b0d-4c1e-9d55-0a7c5e1f0003", "virtualrouter",
						     "Public Network - mbps transmit per vm",
						     "public.network.transmit.average.mbps"},
};
enum { COUNTERS = sizeof counters / sizeof *counters };
#define PROVIDER "VirtualRouter"

static size_t find_counter(struct str id)
{
	size_t k = 0;
	while (k < COUNTERS && !str_equal_nocase(id, str_from(counters[k].id)))
		k++;
	return k;
}

struct list_counters {
	struct cs_list_args list;
	struct str id, source, provider;
};
#define P(wire, member, ...) PARAM(struct list_counters, wire, member, __VA_ARGS__)
static const struct param counter_params[] = {
	CS_PAGE_PARAMS(struct list_counters),
	CS_NAME_PARAM(struct list_counters),
	P("id", id, .doc = "Resource by id."),
	P("source", source, .doc = "Source of the counter: cpu or virtualrouter."),
	P("provider", provider, .doc = "Provider of the counter: VirtualRouter."),
};
#undef P

static struct str get_counter_name(size_t k)
{
	return str_from(counters[k].name);
}

static bool fits_counter(struct cs_call *e, const void *args, size_t k)
{
	const struct list_counters *a = args;
	(void) e;
	return (!a->id.n || find_counter(a->id) == k) &&
	       (!a->source.n || str_equal_nocase(a->source, str_from(counters[k].source))) &&
	       (!a->provider.n || str_equal_nocase(a->provider, STR(PROVIDER)));
}

static void write_counter(struct cs_call *e, struct json_writer *w, size_t k)
{
	(void) e;
	json_write_z(w, "id", counters[k].id);
	json_write_z(w, "name", counters[k].name);
	json_write_z(w, "provider", PROVIDER);
	json_write_z(w, "source", counters[k].source);
	json_write_z(w, "value", counters[k].value);
}

static RESULT list_counters(struct cs_call *e, const void *args, struct json_writer *w)
{
	static const struct cs_fixed_list list = {"counter", COUNTERS, get_counter_name, fits_counter,
						  write_counter};
	(void) args;
	return cs_write_fixed_list(e, w, &list);
}

/* ---- listConditions ---- */

struct list_conditions {
	struct cs_list_args list;
	struct ref project, policy;
	struct str counter;
};
#define P(wire, member, ...) PARAM(struct list_conditions, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_conditions, KIND_AUTOSCALE_CONDITION),
	CS_OWNER_PARAMS(struct list_conditions),
	CS_PROJECT_PARAM(struct list_conditions, project),
	P("counterid", counter, .doc = "Counter of the condition."),
	P("policyid", policy, .kind = KIND_AUTOSCALE_POLICY, .doc = "Policy that names the condition."),
};
#undef P

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_conditions *a = args;
	const struct autoscale_policy *policy = autoscale_policy_find(api_tables(e), a->policy.prefix);
	return (!a->counter.n || find_counter(a->counter) == (size_t) autoscale_condition_of(row)->counter) &&
	       (!ref_is_given(&a->policy) || (policy && uuids_have(&policy->conditions, row->id)));
}

static const char *const operators[] = {[AUTOSCALE_CONDITION_COMPARISON_GT] = "GT",
					[AUTOSCALE_CONDITION_COMPARISON_GE] = "GE",
					[AUTOSCALE_CONDITION_COMPARISON_LT] = "LT",
					[AUTOSCALE_CONDITION_COMPARISON_LE] = "LE"};
enum { OPERATORS = sizeof operators / sizeof *operators };

static struct str get_operator(struct api_call *e, const struct row *row)
{
	(void) e;
	return str_from(operators[autoscale_condition_of(row)->comparison]);
}

static void write_counter_of(struct api_call *e, struct json_writer *w, const char *name,
			     const struct row *row)
{
	size_t k = (size_t) autoscale_condition_of(row)->counter;
	json_write_z(w, name, counters[k].id);
	json_write_z(w, "countername", counters[k].name);
	json_write_open(w, "counter");
	write_counter(cs_call_of(e), w, k);
	json_write_close(w);
}

static const struct member members[] = {
	MEMBER(struct autoscale_condition, "id", row.id),
	MEMBER_WRITTEN("counterid", write_counter_of, .also = "countername|counter"),
	MEMBER_TEXT("relationaloperator", get_operator),
	MEMBER(struct autoscale_condition, "threshold", threshold),
	CS_OWNER_MEMBERS(autoscale_condition),
};
const struct api_listing cs_autoscale_conditions =
	CS_LISTING(KIND_AUTOSCALE_CONDITION, "condition", members, .matches = matches);

/* ---- changes ---- */

enum { THRESHOLD_MAX = 1000000000 };

struct make_condition {
	struct autoscale_condition_wish wish;
	struct cs_owner owner;
	struct str counter, operator;
};
#define P(wire, member, ...) PARAM(struct make_condition, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("counterid", counter, .flags = REQUIRED, .doc = "Counter, as listCounters shows them."),
	P("relationaloperator", operator, .flags = REQUIRED, .doc = "Comparison: GT, GE, LT or LE."),
	P("threshold", wish.threshold, .flags = REQUIRED, .min = -THRESHOLD_MAX, .max = THRESHOLD_MAX,
	  .doc = "Threshold: percent of the processors, or Mbit/s."),
	CS_FOR_PARAMS(struct make_condition, owner),
};
#undef P

struct change_condition {
	struct autoscale_condition_change wish;
	struct str operator;
};
#define P(wire, member, ...) PARAM(struct change_condition, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	P("id", wish.condition, .kind = KIND_AUTOSCALE_CONDITION, .flags = REQUIRED, .doc = "The condition."),
	P("relationaloperator", operator, .flags = REQUIRED, .doc = "Comparison: GT, GE, LT or LE."),
	P("threshold", wish.threshold, .flags = REQUIRED, .min = -THRESHOLD_MAX, .max = THRESHOLD_MAX,
	  .doc = "New threshold."),
};
#undef P

static RESULT read_operator(struct cs_call *e, struct str word, const char *what,
			    enum autoscale_condition_comparison *ret_comparison)
{
	size_t k = 0;
	while (k < OPERATORS && !str_equal_nocase(word, str_from(operators[k])))
		k++;
	*ret_comparison = (enum autoscale_condition_comparison) k;
	if (k < OPERATORS)
		return OK;
	if (str_equal_nocase(word, STR("EQ")))
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, STR("relationaloperator"),
			"The operator EQ is not supported: alarms compare with GT, GE, LT or LE.");
	return cs_fail(e, "relationaloperator",
		       "The Operator %" STR_FMT " does not exist; Unable to %s Condition.",
		       STR_ARG(str_cut(word, 64)), what);
}

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct make_condition *a = args;
	size_t k = find_counter(a->counter);
	if (k == COUNTERS)
		return cs_fail_id(e, KIND_NONE, "counterid", a->counter);
	a->wish.counter = (enum autoscale_condition_counter) k;
	return read_operator(e, a->operator, "create", &a->wish.comparison);
}

static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct change_condition *a = args;
	return read_operator(e, a->operator, "update", &a->wish.comparison);
}

static const struct cs_action actions[] = {
	{CS_ACTION("listCounters", "ec2:DescribeAutoScaleConditions"),
	 .args = PARAMS(struct list_counters, counter_params), .answer = list_counters,
	 .says = "counter|id|name|provider|source|value",
	 .doc = "Lists the counters that conditions compare."},
	{CS_ACTION("listConditions", "ec2:DescribeAutoScaleConditions"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_conditions, list_params), .listing = &cs_autoscale_conditions,
	 .doc = "Lists conditions of AutoScale policies."},
	{CS_ACTION("createCondition", "ec2:CreateAutoScaleCondition"),
	 .flags = API_WRITES | CS_OF_ACCOUNT | CS_MAKES, .args = PARAMS(struct make_condition, create_params),
	 .prepare = prepare_create, .operation = engine_create_autoscale_condition_run,
	 CS_SUBJECT(struct make_condition, wish.condition), .shows = &cs_autoscale_conditions, CS_JOB(NOW),
	 .doc = "Creates a condition of AutoScale policies."},
	{CS_ACTION("updateCondition", "ec2:ModifyAutoScaleCondition"), .flags = API_WRITES,
	 .args = PARAMS(struct change_condition, update_params), .prepare = prepare_update,
	 .operation = engine_update_autoscale_condition_run, CS_JOB(NOW),
	 .doc = "Changes a condition whose groups are all disabled."},
	{CS_ACTION("deleteCondition", "ec2:DeleteAutoScaleCondition"), .flags = API_WRITES,
	 .args = CS_ONE(struct autoscale_condition_target, "id", condition, KIND_AUTOSCALE_CONDITION,
			"The condition."),
	 .operation = engine_delete_autoscale_condition_run, CS_JOB(NOW),
	 .doc = "Deletes a condition that no policy names."},
};
const struct api_actions cs_autoscale_condition_actions = API_ACTIONS(actions);
