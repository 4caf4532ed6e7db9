/* SPDX-License-Identifier: Apache-2.0
 * Rules: put, describe, list, switch on and off, delete. Source: Amazon EventBridge API Reference. */
#include "api/events/internal.h"
#include "engine/resolve.h"

/* ---- by name ---- */

RESULT events_find_rule(struct target_call *e, struct str name, const char *field, struct ref *ret_ref)
{
	const struct event_rule *rule =
		event_rule_find_by_account(target_tables(e), e->c->who->account, name);
	*ret_ref = rule ? ref_by_id(KIND_EVENT_RULE, rule->row.id) : (struct ref){.kind = KIND_EVENT_RULE};
	ret_ref->text = name;
	ret_ref->field = str_from(field);
	if (rule)
		return OK;
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_EVENT_RULE,
			     "Rule %" STR_FMT " does not exist on EventBus default.", STR_ARG(name));
}

struct str events_write_rule_arn(struct target_call *e, const struct event_rule *rule)
{
	return engine_write_event_arn(target_tables(e), e->c->arena, e->config->region,
				      e->c->who->account_number, KIND_EVENT_RULE, &rule->row);
}

RESULT events_check_name(struct target_call *e, const char *field, struct str name)
{
	for (size_t k = 0; k < name.n; k++)
		if (!str_is_alphanumeric(name.p[k]) && (!name.p[k] || !strchr("._-", name.p[k])))
			return target_fail_member(e->c, field, name,
						  "satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+");
	return OK;
}

/* ---- PutRule ---- */

struct put_args {
	struct event_rule_wish wish;
	struct str bus, state;
	struct {
		struct tag *at;
		size_t count;
	} tags;
};
static const struct param put_params[] = {
	EVENTS_RULE_PARAM(struct put_args, "Name", wish.row.name),
	PARAM(struct put_args, "EventPattern", wish.row.pattern, .max = EVENT_PATTERN_MAX,
	      .doc = "Event pattern, as JSON."),
	PARAM(struct put_args, "ScheduleExpression", wish.row.schedule, .max = EVENT_SCHEDULE_MAX,
	      .doc = "Schedule: rate(5 minutes), or cron(0 12 * * ? *) in UTC."),
	PARAM(struct put_args, "State", state, .absent = "ENABLED", .words = "ENABLED|DISABLED",
	      .doc = "State."),
	PARAM(struct put_args, "Description", wish.row.description, .max = 512, .doc = "Description."),
	PARAM(struct put_args, "RoleArn", wish.row.role, .min = 1, .max = EVENTS_ARN_MAX,
	      .doc = "Role of the account, which the caller may pass. Stored and shown only."),
	PARAM_LIST(struct put_args, "Tags", tags, events_tag_params, .max = EVENTS_TAGS_MAX,
		   .doc = "Tags of a new rule."),
	EVENTS_BUS_PARAM(struct put_args),
};

static RESULT prepare_put(struct target_call *e, void *args)
{
	struct put_args *a = args;
	TRY(events_check_bus(e, a->bus));
	TRY(events_check_name(e, "name", a->wish.row.name));
	a->wish.row.is_disabled = str_is(a->state, "DISABLED");
	a->wish.row.tags = (struct tags){a->tags.at, a->tags.count};
	return OK;
}

static RESULT answer_put(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct put_args *a = args;
	json_write_text(w, "RuleArn", events_write_rule_arn(e, &a->wish.row));
	return OK;
}

/* ---- DescribeRule, EnableRule, DisableRule, DeleteRule ---- */

struct name_args {
	struct event_rule_target wish;
	struct str name, bus;
	bool is_forced;
};
static const struct param name_params[] = {EVENTS_RULE_PARAM(struct name_args, "Name", name),
					   EVENTS_BUS_PARAM(struct name_args)};
static const struct param delete_params[] = {
	EVENTS_RULE_PARAM(struct name_args, "Name", name), EVENTS_BUS_PARAM(struct name_args),
	PARAM(struct name_args, "Force", is_forced,
	      .doc = "For managed rules, of which there are none: changes nothing.")};

static RESULT prepare_name(struct target_call *e, void *args)
{
	struct name_args *a = args;
	TRY(events_check_bus(e, a->bus));
	return events_find_rule(e, a->name, "Name", &a->wish.rule);
}

static RESULT prepare_disable(struct target_call *e, void *args)
{
	((struct name_args *) args)->wish.is_disabled = true;
	return prepare_name(e, args);
}

static void write_if(struct json_writer *w, const char *name, struct str text)
{
	if (text.n)
		json_write_text(w, name, text);
}

static void write_rule(struct target_call *e, struct json_writer *w, const struct event_rule *rule)
{
	json_write_text(w, "Name", rule->name);
	json_write_text(w, "Arn", events_write_rule_arn(e, rule));
	write_if(w, "EventPattern", rule->pattern);
	write_if(w, "ScheduleExpression", rule->schedule);
	json_write_z(w, "State", rule->is_disabled ? "DISABLED" : "ENABLED");
	write_if(w, "Description", rule->description);
	write_if(w, "RoleArn", rule->role);
	json_write_z(w, "EventBusName", "default");
}

static RESULT answer_describe(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct name_args *a = args;
	const struct event_rule *rule = NULL;
	TRY(engine_find_own_event_rule(e->c, target_tables(e), &a->wish.rule, &rule));
	write_rule(e, w, rule);
	json_write_text(w, "CreatedBy", e->c->who->account_number);
	return OK;
}

/* ---- ListRules, ListRuleNamesByTarget ---- */

struct list_args {
	struct events_page page;
	struct str bus, prefix, target;
};
static const struct param list_params[] = {PARAM(struct list_args, "NamePrefix", prefix, .min = 1,
						 .max = EVENT_NAME_MAX, .doc = "Beginning of the names."),
					   EVENTS_BUS_PARAM(struct list_args),
					   EVENTS_PAGE_PARAMS(struct list_args)};
static const struct param by_target_params[] = {
	PARAM(struct list_args, "TargetArn", target, .flags = REQUIRED, .min = 1, .max = EVENTS_ARN_MAX,
	      .doc = "ARN of the target."),
	EVENTS_BUS_PARAM(struct list_args), EVENTS_PAGE_PARAMS(struct list_args)};

static RESULT prepare_list(struct target_call *e, void *args)
{
	struct list_args *a = args;
	TRY(events_check_bus(e, a->bus));
	TRY(events_check_name(e, "namePrefix", a->prefix));
	return events_read_page(e, &a->page);
}

static bool has_target(const struct tables *t, const struct event_rule *rule, struct str arn)
{
	for (const struct event_target *target = event_target_first_by_event_rule(t, rule->row.id); target;
	     target = event_target_next_by_event_rule(t, target))
		if (str_equal(target->arn, arn))
			return true;
	return false;
}

static bool is_listed(struct target_call *e, const struct list_args *a, const struct event_rule *rule)
{
	return str_starts_with(rule->name, a->prefix) &&
	       (!a->page.behind.n || str_compare(rule->name, a->page.behind) > 0) &&
	       engine_is_own(e->c, KIND_EVENT_RULE, &rule->row) &&
	       (!a->target.n || has_target(target_tables(e), rule, a->target));
}

static RESULT answer_list(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	const struct event_rule *last = NULL;
	int64_t count = 0;
	bool has_more = false;
	json_write_open_list(w, a->target.n ? "RuleNames" : "Rules");
	for (const struct event_rule *rule =
		     event_rule_first_by_account(target_tables(e), e->c->who->account);
	     rule && !has_more; rule = event_rule_next_by_account(target_tables(e), rule)) {
		if (!is_listed(e, a, rule))
			continue;
		has_more = count++ == a->page.limit;
		if (has_more)
			continue;
		last = rule;
		if (a->target.n) {
			json_write_text(w, NULL, rule->name);
			continue;
		}
		json_write_open(w, NULL);
		write_rule(e, w, rule);
		json_write_close(w);
	}
	json_write_close_list(w);
	if (has_more)
		events_write_token(e, w, last->name);
	return OK;
}

static const struct target_action rows[] = {
	{EVENTS_ACTION("PutRule"), .flags = API_WRITES, .args = PARAMS(struct put_args, put_params),
	 .operation = engine_put_event_rule_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Creates or replaces a rule.", .prepare = prepare_put, .answer = answer_put},
	{EVENTS_ACTION("DescribeRule"), .args = PARAMS(struct name_args, name_params),
	 .doc = "Describes a rule.", .prepare = prepare_name, .answer = answer_describe},
	{EVENTS_ACTION("ListRules"), .args = PARAMS(struct list_args, list_params), .doc = "Lists rules.",
	 .prepare = prepare_list, .answer = answer_list},
	{EVENTS_ACTION("ListRuleNamesByTarget"), .args = PARAMS(struct list_args, by_target_params),
	 .doc = "Lists the names of the rules that have a target.", .prepare = prepare_list,
	 .answer = answer_list},
	{EVENTS_ACTION("EnableRule"), .flags = API_WRITES, .args = PARAMS(struct name_args, name_params),
	 .operation = engine_set_event_rule_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Enables a rule.", .prepare = prepare_name},
	{EVENTS_ACTION("DisableRule"), .flags = API_WRITES, .args = PARAMS(struct name_args, name_params),
	 .operation = engine_set_event_rule_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Disables a rule.", .prepare = prepare_disable},
	{EVENTS_ACTION("DeleteRule"), .flags = API_WRITES, .args = PARAMS(struct name_args, delete_params),
	 .operation = engine_delete_event_rule_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a rule without targets.", .prepare = prepare_name},
};
const struct api_actions events_rule_actions = API_ACTIONS(rows);
