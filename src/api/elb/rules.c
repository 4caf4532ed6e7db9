/* SPDX-License-Identifier: Apache-2.0
 * Rules of listeners of application load balancers. Source: API Reference of Elastic Load Balancing; User Guide for
 * Application Load Balancers, "Condition types for listener rules". */
#include "api/elb/actions.h"
#include "engine/resolve.h"
#include "store/listener.h"
#include "store/listener_rule.h"

/* ---- parameters ---- */

struct query_pair {
	struct str key, value;
};
struct query_pairs {
	struct query_pair *at;
	size_t count;
};
struct condition_arg {
	struct str field, header;
	struct strs values, hosts, paths, headers, methods, sources;
	struct query_pairs queries;
};
struct condition_args {
	struct condition_arg *at;
	size_t count;
};

enum { VALUE_MAX = 128, HEADER_NAME_MAX = 40, METHOD_MAX = 40 };
/* A longer text is read, because ELBv2 has sentences of its own for values that are too long. */
enum { READ_MAX = 1024 };

static const struct param pair_params[] = {
	PARAM(struct query_pair, "Key", key, .max = READ_MAX,
	      .doc = "Key, up to 128 characters; absent: any key."),
	PARAM(struct query_pair, "Value", value, .max = READ_MAX, .doc = "Value, up to 128 characters."),
};
static const struct params pair_table = PARAMS(struct query_pair, pair_params);

#define VALUES(name, member, what)                                                                           \
	PARAM(struct condition_arg, name ".member", member, .min = 1, .max = READ_MAX, .doc = what)
static const struct param condition_params[] = {
	PARAM(struct condition_arg, "Field", field,
	      .words = "http-header|http-request-method|host-header|path-pattern|query-string|source-ip",
	      .doc = "Part of the request that is compared."),
	VALUES("Values", values, "Values of `host-header` or `path-pattern`."),
	VALUES("HostHeaderConfig.Values", hosts, "Host names with `*` and `?`."),
	VALUES("PathPatternConfig.Values", paths, "Paths with `*` and `?`."),
	PARAM(struct condition_arg, "HttpHeaderConfig.HttpHeaderName", header, .min = 1, .max = READ_MAX,
	      .doc = "Name of a header: up to 40 letters, digits, `-`, `_` and `.`."),
	VALUES("HttpHeaderConfig.Values", headers, "Values of the header with `*` and `?`."),
	VALUES("HttpRequestMethodConfig.Values", methods, "Methods."),
	PARAM_LIST(struct condition_arg, "QueryStringConfig.Values.member", queries, pair_table, .max = 5,
		   .doc = "Keys and values with `*` and `?`."),
	VALUES("SourceIpConfig.Values", sources, "IPv4 blocks."),
	NOT_BUILT("RegexValues.member|HostHeaderConfig.RegexValues.member|"
		  "PathPatternConfig.RegexValues.member|HttpHeaderConfig.RegexValues.member"),
};
static const struct params condition_table = PARAMS(struct condition_arg, condition_params);

#define CONDITIONS(T, ...)                                                                                   \
	PARAM_LIST(T, "Conditions.member", conditions, condition_table, .max = RULE_CONDITIONS_MAX,          \
		   __VA_ARGS__.doc = "Conditions, all of which must match.")
#define ACTIONS(T, ...)                                                                                      \
	PARAM_LIST(T, "Actions.member", actions, elb_action_params, .max = 5,                                \
		   __VA_ARGS__.doc = "Action for the requests; exactly one.")

struct create_args {
	struct listener_rule_wish wish;
	struct str arn;
	struct condition_args conditions;
	struct action_args actions;
};
static const struct param create_params[] = {
	ELB_ARN(struct create_args, "ListenerArn", arn, .doc = "The listener."),
	PARAM(struct create_args, "Priority", wish.priority, .flags = REQUIRED, .min = 1,
	      .max = RULE_PRIORITY_MAX,
	      .doc = "Priority; unique in the listener. The rule with the lowest number is evaluated first."),
	CONDITIONS(struct create_args, .flags = REQUIRED, ),
	ACTIONS(struct create_args, .flags = REQUIRED, ),
	ELB_TAGS(struct create_args, wish.tags),
	NOT_BUILT("Transforms.member"),
};

struct change_args {
	struct listener_rule_change wish;
	struct str arn;
	struct condition_args conditions;
	struct action_args actions;
};
static const struct param change_params[] = {
	ELB_ARN(struct change_args, "RuleArn", arn, .doc = "The rule."),
	CONDITIONS(struct change_args),
	ACTIONS(struct change_args),
	NOT_BUILT("Transforms.member"),
	NOT_BUILT("ResetTransforms", .only = "false"),
};

struct delete_args {
	struct listener_rule_target wish;
	struct str arn;
};
static const struct param delete_params[] = {ELB_ARN(struct delete_args, "RuleArn", arn, .doc = "The rule.")};

struct priority_arg {
	struct str arn;
	int64_t priority;
};
struct priority_args {
	struct priority_arg *at;
	size_t count;
};
static const struct param priority_params[] = {
	PARAM(struct priority_arg, "RuleArn", arn, .flags = REQUIRED, .min = 1, .max = ELB_ARN_MAX,
	      .doc = "The rule."),
	PARAM(struct priority_arg, "Priority", priority, .flags = REQUIRED, .min = 1,
	      .max = RULE_PRIORITY_MAX, .doc = "New priority."),
};
static const struct params priority_table = PARAMS(struct priority_arg, priority_params);
enum { PRIORITIES_MAX = 100 };
struct order_args {
	struct rule_priorities wish;
	struct priority_args priorities;
};
static const struct param order_params[] = {
	PARAM_LIST(struct order_args, "RulePriorities.member", priorities, priority_table, .flags = REQUIRED,
		   .max = PRIORITIES_MAX, .doc = "Rules with their new priorities.")};

/* ---- from parameters to conditions ---- */

static RESULT fail(struct elb_call *e, const char *why, struct str about)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("Conditions"), "%s '%" STR_FMT "'", why, STR_ARG(about));
}

static RESULT check_length(struct elb_call *e, const char *what, struct str text, size_t most)
{
	if (text.n <= most)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("Conditions"),
			      "The '%s' value is too long; the limit is '%zu'", what, most);
}

static RESULT check_block(struct elb_call *e, struct str text)
{
	struct cidr block;
	bool is_fine = result_is_ok(cidr_parse(text, &block)) && block.base.family == IP_V4 &&
		       cidr_is_canonical(block);
	return is_fine ? OK : fail(e, "The source IP is not a valid IPv4 CIDR block:", text);
}

static RESULT check_method(struct elb_call *e, struct str text)
{
	for (size_t k = 0; k < text.n; k++)
		if ((text.p[k] < 'A' || text.p[k] > 'Z') && text.p[k] != '-' && text.p[k] != '_')
			return ctx_fail_field(e->c, ERR_INVALID, STR("Conditions"),
					      "The 'http-request-method' value is invalid; the allowed "
					      "characters are A-Z, hyphen and underscore");
	return OK;
}

static RESULT check_value(struct elb_call *e, enum rule_field field, struct str text)
{
	bool has_spaces = field == RULE_HTTP_HEADER;
	TRY(check_length(e, rule_field_words[field], text,
			 field == RULE_METHOD ? (size_t) METHOD_MAX : (size_t) VALUE_MAX));
	if (field == RULE_SOURCE_IP)
		return check_block(e, text);
	if (field == RULE_METHOD)
		return check_method(e, text);
	return elb_is_printable(text, has_spaces)
		       ? OK
		       : fail(e, "The condition value contains characters that are not valid:", text);
}

static RESULT check_header(struct elb_call *e, struct str name)
{
	TRY(check_length(e, "HttpHeaderName", name, HEADER_NAME_MAX));
	for (size_t k = 0; k < name.n; k++)
		if (!str_is_alphanumeric(name.p[k]) && name.p[k] != '-' && name.p[k] != '_' &&
		    name.p[k] != '.')
			return fail(e, "The HTTP header name is not valid:", name);
	if (!name.n)
		return fail(e, "A header name is missing in a condition of field", STR("http-header"));
	return str_equal_nocase(name, STR("host"))
		       ? fail(e, "Use a host-header condition for the header", name)
		       : OK;
}

static RESULT add_texts(struct elb_call *e, const struct strs *texts, struct rule_condition *condition)
{
	condition->values = arena_new_array(e->c->arena, struct rule_value, texts->count + 1);
	if (!condition->values)
		return ctx_no_memory(e->c);
	condition->value_count = texts->count;
	for (size_t k = 0; k < texts->count; k++) {
		TRY(check_value(e, condition->field, texts->at[k]));
		condition->values[k].value = texts->at[k];
	}
	return OK;
}

static RESULT add_queries(struct elb_call *e, const struct query_pairs *pairs,
			  struct rule_condition *condition)
{
	condition->values = arena_new_array(e->c->arena, struct rule_value, pairs->count + 1);
	if (!condition->values)
		return ctx_no_memory(e->c);
	condition->value_count = pairs->count;
	for (size_t k = 0; k < pairs->count; k++) {
		if (!pairs->at[k].value.n)
			return ctx_fail_field(e->c, ERR_INVALID, STR("Conditions"),
					      "A 'Value' must be specified in 'QueryStringKeyValuePair'");
		TRY(check_length(e, "Key", pairs->at[k].key, VALUE_MAX));
		TRY(check_length(e, "Value", pairs->at[k].value, VALUE_MAX));
		TRY(check_value(e, RULE_QUERY_STRING, pairs->at[k].key));
		TRY(check_value(e, RULE_QUERY_STRING, pairs->at[k].value));
		condition->values[k] = (struct rule_value){pairs->at[k].key, pairs->at[k].value};
	}
	return OK;
}

/* The values of a condition; for two fields they may also stand in Values. */
static const struct strs *texts_of(const struct condition_arg *a, enum rule_field field)
{
	const struct strs *const own[] = {[RULE_PATH_PATTERN] = &a->paths,  [RULE_HOST_HEADER] = &a->hosts,
					  [RULE_HTTP_HEADER] = &a->headers, [RULE_METHOD] = &a->methods,
					  [RULE_QUERY_STRING] = &a->values, [RULE_SOURCE_IP] = &a->sources};
	bool has_plain = field == RULE_PATH_PATTERN || field == RULE_HOST_HEADER;
	return has_plain && !own[field]->count ? &a->values : own[field];
}

/* Values of another field would have no effect. */
static RESULT check_belongs(struct elb_call *e, const struct condition_arg *a, enum rule_field field)
{
	const size_t counts[] = {[RULE_PATH_PATTERN] = a->paths.count,   [RULE_HOST_HEADER] = a->hosts.count,
				 [RULE_HTTP_HEADER] = a->headers.count,  [RULE_METHOD] = a->methods.count,
				 [RULE_QUERY_STRING] = a->queries.count, [RULE_SOURCE_IP] = a->sources.count};
	bool has_plain = field == RULE_PATH_PATTERN || field == RULE_HOST_HEADER;
	bool is_fine = !a->values.count || (has_plain && !counts[field]);
	for (size_t k = 0; k < RULE_FIELDS; k++)
		is_fine = is_fine && (k == field || !counts[k]);
	is_fine = is_fine && (field == RULE_HTTP_HEADER || !a->header.n);
	return is_fine ? OK : fail(e, "A condition has values of another kind than those of", a->field);
}

/* Two fields have a second, older place for one value. Other fields need their own structure. */
static RESULT fail_without_values(struct elb_call *e, enum rule_field field)
{
	static const char *const configs[] = {[RULE_HTTP_HEADER] = "HttpHeaderConfig",
					      [RULE_METHOD] = "HttpRequestMethodConfig",
					      [RULE_QUERY_STRING] = "QueryStringConfig",
					      [RULE_SOURCE_IP] = "SourceIpConfig"};
	if (field == RULE_PATH_PATTERN || field == RULE_HOST_HEADER)
		return ctx_fail_field(e->c, ERR_INVALID, STR("Conditions"),
				      "A condition value must be specified");
	return ctx_fail_field(e->c, ERR_INVALID, STR("Conditions"), "A '%s' must be specified with '%s'",
			      configs[field], rule_field_words[field]);
}

static RESULT read_condition(struct elb_call *e, const struct condition_arg *a,
			     struct rule_condition *ret_condition)
{
	enum rule_field field = 0;
	while (field + 1 < RULE_FIELDS && !str_is(a->field, rule_field_words[field]))
		field++;
	if (!a->field.n)
		return fail(e, "A condition must have a field", STR("Field"));
	TRY(check_belongs(e, a, field));
	*ret_condition = (struct rule_condition){.field = field};
	if (field == RULE_HTTP_HEADER) {
		TRY(check_header(e, a->header));
		ret_condition->name = a->header;
	}
	if (field == RULE_QUERY_STRING)
		TRY(add_queries(e, &a->queries, ret_condition));
	else
		TRY(add_texts(e, texts_of(a, field), ret_condition));
	if (texts_of(a, field) == &a->values && a->values.count > 1)
		return ctx_fail_field(e->c, ERR_INVALID, STR("Conditions"),
				      "The '%s' field contains too many values; the limit is '1'",
				      rule_field_words[field]);
	return ret_condition->value_count ? OK : fail_without_values(e, field);
}

static RESULT read_conditions(struct elb_call *e, const struct condition_args *args,
			      struct rule_conditions *ret_conditions)
{
	struct rule_condition *at = arena_new_array(e->c->arena, struct rule_condition, args->count + 1);
	size_t values = 0, of_field[RULE_FIELDS] = {0};
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < args->count; k++) {
		TRY(read_condition(e, &args->at[k], &at[k]));
		values += at[k].value_count;
		bool may_repeat = at[k].field == RULE_HTTP_HEADER || at[k].field == RULE_QUERY_STRING;
		if (of_field[at[k].field]++ && !may_repeat)
			return fail(e, "A rule can only have one condition with the field",
				    args->at[k].field);
	}
	*ret_conditions = (struct rule_conditions){at, args->count};
	if (values <= RULE_VALUES_MAX)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("Conditions"),
			      "A rule can have a maximum of '%d' condition values", RULE_VALUES_MAX);
}

static RESULT prepare_create(struct elb_call *e, void *args)
{
	struct create_args *a = args;
	TRY(elb_check_tags(e, a->wish.tags));
	TRY(elb_find(e, KIND_LISTENER, a->arn, "ListenerArn", &a->wish.listener));
	TRY(read_conditions(e, &a->conditions, &a->wish.conditions));
	return elb_read_action(e, &a->actions, "Actions", &a->wish.action);
}

static RESULT prepare_change(struct elb_call *e, void *args)
{
	struct change_args *a = args;
	TRY(elb_find(e, KIND_LISTENER_RULE, a->arn, "RuleArn", &a->wish.rule));
	a->wish.sets_conditions = a->conditions.count > 0;
	a->wish.sets_action = a->actions.count > 0;
	if (a->wish.sets_conditions)
		TRY(read_conditions(e, &a->conditions, &a->wish.conditions));
	return a->wish.sets_action ? elb_read_action(e, &a->actions, "Actions", &a->wish.action) : OK;
}

static RESULT prepare_delete(struct elb_call *e, void *args)
{
	struct delete_args *a = args;
	return elb_find(e, KIND_LISTENER_RULE, a->arn, "RuleArn", &a->wish.rule);
}

static RESULT prepare_order(struct elb_call *e, void *args)
{
	struct order_args *a = args;
	struct rule_priority *at =
		arena_new_array(e->c->arena, struct rule_priority, a->priorities.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->priorities.count; k++) {
		at[k].priority = a->priorities.at[k].priority;
		TRY(elb_find(e, KIND_LISTENER_RULE, a->priorities.at[k].arn, "RulePriorities", &at[k].rule));
		for (size_t n = 0; n < k; n++)
			if (uuid_equal(at[n].rule.prefix, at[k].rule.prefix))
				return ctx_fail_field(e->c, ERR_INVALID, STR("RulePriorities"),
						      "A rule can only be there once");
	}
	a->wish = (struct rule_priorities){at, a->priorities.count};
	return OK;
}

/* ---- what is shown ---- */

static void write_values(struct xml *x, const struct rule_condition *condition)
{
	xml_open(x, "Values");
	for (size_t k = 0; k < condition->value_count; k++) {
		const struct rule_value *v = &condition->values[k];
		if (condition->field != RULE_QUERY_STRING) {
			xml_text(x, "member", v->value);
			continue;
		}
		xml_open(x, "member");
		if (v->key.n)
			xml_text(x, "Key", v->key);
		xml_text(x, "Value", v->value);
		xml_close(x, "member");
	}
	xml_close(x, "Values");
}

static void write_condition(struct xml *x, const struct rule_condition *condition)
{
	static const char *const configs[] = {
		[RULE_PATH_PATTERN] = "PathPatternConfig", [RULE_HOST_HEADER] = "HostHeaderConfig",
		[RULE_HTTP_HEADER] = "HttpHeaderConfig",   [RULE_METHOD] = "HttpRequestMethodConfig",
		[RULE_QUERY_STRING] = "QueryStringConfig", [RULE_SOURCE_IP] = "SourceIpConfig",
	};
	xml_open(x, "member");
	xml_z(x, "Field", rule_field_words[condition->field]);
	if (condition->field == RULE_PATH_PATTERN || condition->field == RULE_HOST_HEADER)
		write_values(x, condition);
	xml_open(x, configs[condition->field]);
	if (condition->field == RULE_HTTP_HEADER)
		xml_text(x, "HttpHeaderName", condition->name);
	write_values(x, condition);
	xml_close(x, configs[condition->field]);
	xml_close(x, "member");
}

static RESULT write_rule(struct elb_call *e, struct xml *x, const struct listener_rule *r)
{
	struct rule_conditions conditions = {0};
	TRY(rule_conditions_read(e->c, r->conditions, &conditions));
	xml_open(x, "member");
	xml_text(x, "RuleArn", elb_arn(e, KIND_LISTENER_RULE, &r->row));
	xml_text(x, "Priority",
		 r->priority ? str_print(e->c->arena, "%lld", (long long) r->priority) : STR("default"));
	xml_open(x, "Conditions");
	for (size_t k = 0; k < conditions.count; k++)
		write_condition(x, &conditions.at[k]);
	xml_close(x, "Conditions");
	elb_write_rule_action(e, x, "Actions", r);
	xml_bool(x, "IsDefault", r->priority == 0);
	xml_close(x, "member");
	return OK;
}

static RESULT write_one(struct elb_call *e, struct xml *x, uuid rule)
{
	const struct row *row = NULL;
	TRY(elb_find_returned(e, rule, &row));
	xml_open(x, "Rules");
	TRY(write_rule(e, x, listener_rule_of(row)));
	xml_close(x, "Rules");
	return OK;
}

static RESULT show_new(struct elb_call *e, const void *args, struct xml *x)
{
	return write_one(e, x, ((const struct create_args *) args)->wish.rule);
}

static RESULT show_changed(struct elb_call *e, const void *args, struct xml *x)
{
	return write_one(e, x, ((const struct change_args *) args)->wish.rule.prefix);
}

static RESULT show_ordered(struct elb_call *e, const void *args, struct xml *x)
{
	const struct order_args *a = args;
	xml_open(x, "Rules");
	for (size_t k = 0; k < a->wish.count; k++) {
		const struct row *row = NULL;
		TRY(elb_find_returned(e, a->wish.at[k].rule.prefix, &row));
		TRY(write_rule(e, x, listener_rule_of(row)));
	}
	xml_close(x, "Rules");
	return OK;
}

/* ---- DescribeRules ---- */

struct list_args {
	struct str arn;
	struct strs arns;
	struct query_pages pages;
	struct ref listener; /* set by prepare */
	struct refs rules;
};
static const struct param list_params[] = {
	PARAM(struct list_args, "ListenerArn", arn, .min = 1, .max = ELB_ARN_MAX,
	      .doc = "Listener whose rules are listed."),
	PARAM(struct list_args, "RuleArns.member", arns, .min = 1, .max = ELB_ARN_MAX,
	      .doc = "Rules by their ARNs, up to 20."),
	ELB_PAGES(struct list_args, pages),
};

static RESULT prepare_list(struct elb_call *e, void *args)
{
	struct list_args *a = args;
	if (a->arns.count > ELB_LIST_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("RuleArns"),
				      "You can specify up to %d rule ARNs", ELB_LIST_MAX);
	if ((a->arn.n > 0) == (a->arns.count > 0))
		return ctx_fail_field(e->c, ERR_INVALID, STR("ListenerArn"),
				      "You must specify either rule ARNs or a listener ARN");
	if (a->arn.n)
		return elb_find(e, KIND_LISTENER, a->arn, "ListenerArn", &a->listener);
	struct ref *at = arena_new_array(e->c->arena, struct ref, a->arns.count);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->arns.count; k++)
		TRY(elb_find(e, KIND_LISTENER_RULE, a->arns.at[k], "RuleArns", &at[k]));
	a->rules = (struct refs){at, a->arns.count};
	return OK;
}

static RESULT list_named(struct elb_call *e, const struct refs *rules, struct xml *x)
{
	for (size_t k = 0; k < rules->count; k++) {
		const struct row *row = NULL;
		TRY(engine_find_own(e->c, elb_tables(e), KIND_LISTENER_RULE, &rules->at[k], &row));
		TRY(write_rule(e, x, listener_rule_of(row)));
	}
	return OK;
}

static RESULT take_rule(struct elb_call *e, const struct listener_rule *r, struct query_page *page,
			struct xml *x)
{
	enum { LAST = RULE_PRIORITY_MAX + 1 };
	int64_t place = r->priority ? r->priority : LAST;
	if (!query_page_takes(page, str_print(e->c->arena, "%05d", (int) place)))
		return OK;
	TRY(engine_check_found(e->c, elb_tables(e), KIND_LISTENER_RULE, &r->row));
	return write_rule(e, x, r);
}

/* By priority, the default rule last. */
static RESULT list_all(struct elb_call *e, const struct list_args *a, struct query_page *page, struct xml *x)
{
	const struct tables *t = elb_tables(e);
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, t, KIND_LISTENER, &a->listener, &row));
	for (const struct listener_rule *r = listener_rule_first_by_listener(t, row->id); r && !page->is_cut;
	     r = listener_rule_next_by_listener(t, r))
		if (r->priority)
			TRY(take_rule(e, r, page, x));
	const struct listener_rule *last = engine_get_default_rule(t, row->id);
	return last && !page->is_cut ? take_rule(e, last, page, x) : OK;
}

static RESULT answer_list(struct elb_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	struct query_page page;
	TRY(query_open_page(e->c, &a->pages, ELB_PAGE_MAX, "Marker", &page));
	xml_open(x, "Rules");
	TRY(a->arn.n ? list_all(e, a, &page, x) : list_named(e, &a->rules, x));
	xml_close(x, "Rules");
	query_close_page(e->c, x, "NextMarker", &page);
	return OK;
}

static const struct elb_action actions[] = {
	{ELB_ACTION("CreateRule"), .flags = API_WRITES, .args = PARAMS(struct create_args, create_params),
	 .prepare = prepare_create, .operation = engine_create_listener_rule_run,
	 .returns = KIND_LISTENER_RULE, .answer = show_new, .doc = "Adds a rule to a listener."},
	{ELB_ACTION("DescribeRules"), .args = PARAMS(struct list_args, list_params), .prepare = prepare_list,
	 .answer = answer_list, .doc = "Lists the rules of a listener."},
	{ELB_ACTION("ModifyRule"), .flags = API_WRITES, .args = PARAMS(struct change_args, change_params),
	 .prepare = prepare_change, .operation = engine_change_listener_rule_run,
	 .returns = KIND_LISTENER_RULE, .answer = show_changed, .doc = "Changes a rule."},
	{ELB_ACTION("SetRulePriorities"), .flags = API_WRITES,
	 .args = PARAMS(struct order_args, order_params), .prepare = prepare_order,
	 .operation = engine_set_rule_priorities_run, .returns = KIND_LISTENER_RULE, .answer = show_ordered,
	 .doc = "Sets the priorities of rules."},
	{ELB_ACTION("DeleteRule"), .flags = API_WRITES, .args = PARAMS(struct delete_args, delete_params),
	 .prepare = prepare_delete, .operation = engine_delete_listener_rule_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Deletes a rule."},
};
const struct api_actions elb_rule_actions = API_ACTIONS(actions);
