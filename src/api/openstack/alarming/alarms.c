/* SPDX-License-Identifier: Apache-2.0
 * Alarms. Sources: aodh.api.controllers.v2.alarms; Aodh's API reference, "Alarms". */
#include <stdlib.h>

#include "api/openstack/alarming/alarming.h"
#include "engine/limits.h"

bool os_aodh_has(const struct alarm *alarm)
{
	return alarm->dialect == ALARM_DIALECT_AODH && uuid_is_none(alarm->part_of);
}

RESULT os_aodh_find(struct os_call *e, const struct ref *ref, const struct alarm **ret_alarm)
{
	const struct row *row = NULL;
	TRY(os_find(e, KIND_ALARM, ref, &row));
	*ret_alarm = alarm_of(row);
	return os_aodh_has(*ret_alarm)
		       ? OK
		       : ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_ALARM, "Alarm %" STR_FMT " not found",
				       STR_ARG(uuid_to_str(e->c->arena, row->id)));
}

/* ---- showing ---- */

static void write_texts(struct json_writer *w, const char *name, const struct strs *texts)
{
	json_write_open_list(w, name);
	for (size_t k = 0; k < texts->count; k++)
		json_write_text(w, NULL, texts->at[k]);
	json_write_close_list(w);
}

static void write_alarm(struct os_call *e, struct json_writer *w, const struct alarm *a)
{
	json_write_uuid(w, "alarm_id", a->row.id);
	json_write_text(w, "name", a->title);
	json_write_text(w, "description",
			a->description.n ? a->description
					 : str_print(e->c->arena, "%s alarm rule", os_aodh_type_word(a)));
	json_write_z(w, "type", os_aodh_type_word(a));
	json_write_bool(w, "enabled", !a->is_off);
	json_write_z(w, "state", aodh_state_word(a->state));
	json_write_text(w, "state_reason", a->reason);
	os_write_time_us(w, "state_timestamp", a->turned_us);
	os_write_time_us(w, "timestamp", a->configured_us);
	json_write_z(w, "severity", alarm_severity_words[a->severity]);
	json_write_bool(w, "repeat_actions", a->repeats);
	write_texts(w, "alarm_actions", &a->alarm_actions);
	write_texts(w, "ok_actions", &a->ok_actions);
	write_texts(w, "insufficient_data_actions", &a->no_data_actions);
	json_write_open_list(w, "time_constraints");
	json_write_close_list(w);
	os_write_hex(w, "project_id", a->account);
	os_write_hex(w, "user_id", os_shown_maker(a->made_by, a->account));
	struct str member = str_print(e->c->arena, "%s_rule", os_aodh_type_word(a));
	json_write_key(w, member);
	json_write_raw(w, NULL, a->body);
}

/* ---- fields of searches ---- */

static struct str bool_word(bool is_true)
{
	return is_true ? STR("true") : STR("false");
}

static struct str time_word(struct os_call *e, int64_t at_us)
{
	char text[CLOCK_TEXT_SIZE];
	clock_write_ms(at_us, text); /* 2026-11-28T19:30:00.000Z */
	return str_print(e->c->arena, "%.23s", text);
}

/* user and project are older names. */
static bool read_field(void *arg, const void *subject, struct str name, struct str *ret_value)
{
	static const char names[] = "alarm_id|name|description|type|enabled|state|severity|repeat_actions|"
				    "project_id|project|user_id|user|timestamp|state_timestamp|state_reason";
	struct os_call *e = arg;
	const struct alarm *a = subject;
	if (!a)
		return params_has_word(names, name);
	struct arena *arena = e->c->arena;
	uuid user = os_shown_maker(a->made_by, a->account);
	*ret_value = str_is(name, "alarm_id")                ? uuid_to_str(arena, a->row.id)
		     : str_is(name, "name")                  ? a->title
		     : str_is(name, "description")           ? a->description
		     : str_is(name, "type")                  ? str_from(os_aodh_type_word(a))
		     : str_is(name, "enabled")               ? bool_word(!a->is_off)
		     : str_is(name, "state")                 ? str_from(aodh_state_word(a->state))
		     : str_is(name, "severity")              ? str_from(alarm_severity_words[a->severity])
		     : str_is(name, "repeat_actions")        ? bool_word(a->repeats)
		     : str_is(name, "state_reason")          ? a->reason
		     : str_is(name, "timestamp")             ? time_word(e, a->configured_us)
		     : str_is(name, "state_timestamp")       ? time_word(e, a->turned_us)
		     : str_starts_with(name, STR("user"))    ? os_hex(arena, user)
		     : str_starts_with(name, STR("project")) ? os_hex(arena, a->account)
							     : STR_NONE;
	return params_has_word(names, name);
}

struct json_search os_aodh_search(struct os_call *e)
{
	return (struct json_search){read_field, e};
}

/* ---- lists ---- */

struct key {
	struct str value;
	const struct alarm *alarm;
};

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	size_t n = x->value.n < y->value.n ? x->value.n : y->value.n;
	int order = n ? memcmp(x->value.p, y->value.p, n) : 0;
	if (!order)
		order = (x->value.n > y->value.n) - (x->value.n < y->value.n);
	if (!order)
		order = (x->alarm->row.created_us > y->alarm->row.created_us) -
			(x->alarm->row.created_us < y->alarm->row.created_us);
	return order ? order : uuid_compare(x->alarm->row.id, y->alarm->row.id);
}

/* "name", "name:desc" */
static RESULT read_sort(struct os_call *e, struct str sort, struct str *ret_name, bool *ret_is_reverse)
{
	struct str rest = sort, name = STR_NONE;
	(void) str_split_next(&rest, ':', &name);
	struct str ignored;
	if (sort.n && (!read_field(e, NULL, name, &ignored) ||
		       (rest.n && !str_is(rest, "asc") && !str_is(rest, "desc"))))
		return ctx_fail_field(e->c, ERR_INVALID, STR("sort"), "Invalid sort option: %" STR_FMT,
				      STR_ARG(str_cut(sort, 64)));
	*ret_name = name;
	*ret_is_reverse = str_is(rest, "desc");
	return OK;
}

RESULT os_aodh_write_alarms(struct os_call *e, const struct os_aodh_page *page, struct json_writer *w)
{
	VEC(struct key) keys = {0};
	struct str name = STR_NONE;
	bool is_reverse = false, is_behind = !page->marker.n;
	int64_t shown = 0;
	const struct json_search search = os_aodh_search(e);
	TRY(read_sort(e, page->sort, &name, &is_reverse));
	for (const struct alarm *a = alarm_first_by_account(os_tables(e), e->c->who->account); a;
	     a = alarm_next_by_account(os_tables(e), a)) {
		struct key key = {.alarm = a};
		if (!os_aodh_has(a) || (page->query && !json_search_fits(e->c, page->query, &search, a)))
			continue;
		TRY(engine_check_found(e->c, os_tables(e), KIND_ALARM, &a->row));
		if (name.n)
			(void) read_field(e, a, name, &key.value);
		if (!VEC_PUSH(e->c->arena, &keys, key))
			return ctx_no_memory(e->c);
	}
	if (keys.count > 1)
		qsort(keys.at, keys.count, sizeof *keys.at, compare_keys);
	json_write_open_list(w, NULL);
	for (size_t k = 0; k < keys.count && (!page->limit || shown < page->limit); k++) {
		const struct alarm *a = keys.at[is_reverse ? keys.count - 1 - k : k].alarm;
		if (is_behind) {
			json_write_open(w, NULL);
			write_alarm(e, w, a);
			json_write_close(w);
			shown++;
		}
		is_behind |= str_equal(page->marker, uuid_to_str(e->c->arena, a->row.id));
	}
	json_write_close_list(w);
	return OK;
}

struct os_aodh_list {
	struct strs fields, operators, values, types;
	struct str sort, marker;
	int64_t limit;
};
#define Q(wire, member, ...) OS_QUERY(struct os_aodh_list, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	Q("q.field", fields, .doc = "Members that are compared, one for each condition."),
	Q("q.op", operators, .doc = "eq, for each condition."),
	Q("q.value", values, .doc = "Values, one for each condition."),
	Q("q.type", types, .doc = "Types of the values. Values are compared as they are shown."),
	Q("sort", sort, .max = 64, .doc = "Member and direction: name:desc."),
	Q("limit", limit, .min = 1, .max = 1000, .doc = "Alarms of a page."),
	Q("marker", marker, .max = 64, .doc = "Last alarm of the page before."),
};
#undef Q

/* {"and": [{"=": {field: value}}, …]} */
static RESULT make_query(struct os_call *e, const struct os_aodh_list *a, json_t **ret_query)
{
	static const char allowed[] = "user_id|project_id|type|name|enabled|state|severity|timestamp|"
				      "repeat_actions";
	json_t *all = json_array();
	*ret_query = json_pack("{so}", "and", all);
	if (a->fields.count != a->values.count)
		return ctx_fail_field(e->c, ERR_INVALID, STR("q.value"),
				      "Each q.field has a q.value of its own.");
	for (size_t k = 0; k < a->fields.count; k++) {
		struct str field = a->fields.at[k], value = a->values.at[k];
		if (!params_has_word(allowed, field))
			return ctx_fail_field(e->c, ERR_INVALID, STR("q.field"),
					      "Invalid input for field/attribute field. Value: '%" STR_FMT
					      "'. only fields %s are allowed",
					      STR_ARG(str_cut(field, 64)), allowed);
		if (k < a->operators.count && !str_is(a->operators.at[k], "eq"))
			return ctx_fail_field(e->c, ERR_INVALID, STR("q.op"),
					      "Invalid input for field/attribute op. Value: '%" STR_FMT
					      "'. only operations eq are allowed",
					      STR_ARG(str_cut(a->operators.at[k], 16)));
		if (str_is(field, "enabled") || str_is(field, "repeat_actions"))
			value = str_lower(e->c->arena, value);
		json_t *pair = json_object();
		(void) json_object_setn_new(pair, field.p, field.n, json_stringn(value.p, value.n));
		(void) json_array_append_new(all, json_pack("{so}", "=", pair));
	}
	return OK;
}

static RESULT list_alarms(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_aodh_list *a = args;
	struct os_aodh_page page = {.sort = a->sort, .marker = a->marker, .limit = a->limit};
	json_t *query = NULL;
	struct result result = make_query(e, a, &query);
	page.query = a->fields.count ? query : NULL;
	if (result_is_ok(result))
		result = os_aodh_write_alarms(e, &page, w);
	json_decref(query);
	return result;
}

/* ---- one alarm ---- */

struct os_aodh_target {
	struct ref alarm;
};
#define PATH(T, member) OS_PATH(T, "alarm_id", member, .kind = KIND_ALARM, .doc = "The alarm.")
static const struct param target_params[] = {PATH(struct os_aodh_target, alarm)};

static RESULT show_alarm(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct alarm *alarm = NULL;
	TRY(os_aodh_find(e, &((const struct os_aodh_target *) args)->alarm, &alarm));
	write_alarm(e, w, alarm);
	return OK;
}

static RESULT show_state(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct alarm *alarm = NULL;
	TRY(os_aodh_find(e, &((const struct os_aodh_target *) args)->alarm, &alarm));
	json_write_z(w, NULL, aodh_state_word(alarm->state));
	return OK;
}

static bool read_state(struct str word, enum alarm_state *ret_state)
{
	static const enum alarm_state states[] = {ALARM_STATE_OK, ALARM_STATE_ALARM,
						  ALARM_STATE_INSUFFICIENT_DATA};
	for (size_t k = 0; k < sizeof states / sizeof *states; k++)
		if (str_is(word, aodh_state_word(states[k]))) {
			*ret_state = states[k];
			return true;
		}
	return false;
}

struct os_aodh_state {
	struct alarm_setting wish;
};
static const struct param state_params[] = {PATH(struct os_aodh_state, wish.alarm)};

/* The body is a JSON text alone: "ok". */
static RESULT prepare_state(struct os_call *e, void *args)
{
	struct os_aodh_state *a = args;
	const struct alarm *alarm = NULL;
	struct str body = str_trim(e->call->body);
	TRY(os_aodh_find(e, &a->wish.alarm, &alarm));
	if (body.n < 2 || body.p[0] != '"' || !read_state(str_slice(body, 1, body.n - 1), &a->wish.state))
		return ctx_fail_field(e->c, ERR_INVALID, STR("state"), "state invalid");
	a->wish.reason = STR(AODH_REASON_SET);
	return OK;
}

static RESULT answer_state(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	json_write_z(w, NULL, aodh_state_word(((const struct os_aodh_state *) args)->wish.state));
	return OK;
}

struct os_aodh_deletion {
	struct alarms_target wish;
	struct ref alarm;
};
static const struct param deletion_params[] = {PATH(struct os_aodh_deletion, alarm)};

static RESULT prepare_deletion(struct os_call *e, void *args)
{
	struct os_aodh_deletion *a = args;
	const struct alarm *alarm = NULL;
	TRY(os_aodh_find(e, &a->alarm, &alarm));
	a->wish.alarms = (struct refs){&a->alarm, 1};
	return OK;
}

/* ---- new and changed alarms ---- */

struct os_aodh_put {
	struct aodh_alarm_wish wish;
	struct str type, state, severity, project, user;
	struct aodh_rules rules;
};
#define P(wire, member, ...) OS_BODY(struct os_aodh_put, wire, member, .flags = NULL_ABSENT, __VA_ARGS__)
#define ACTIONS(wire, member, words)                                                                         \
	P(wire, member, .max = 2048, .doc = "URLs that are posted to when the state becomes " words ".")
#define RULE(type, member, params)                                                                           \
	OS_BODY_OBJECT(struct os_aodh_put, type "_rule", rules.member, params, .flags = NULL_ABSENT,         \
		       .given = offsetof(struct os_aodh_put, rules.has_##member) + 1,                        \
		       .doc = "Rule of the type " type ".")
#define PUT_PARAMS                                                                                           \
	OS_BODY(struct os_aodh_put, "name", wish.row.title, .flags = REQUIRED, .max = 255,                   \
		.doc = "Name; need not be unique."),                                                         \
		P("description", wish.row.description, .max = 1024, .doc = "Description."),                  \
		OS_BODY(struct os_aodh_put, "type", type, .flags = REQUIRED, .max = 64,                      \
			.doc = "Type, which says which rule holds."),                                        \
		OS_BODY(struct os_aodh_put, "enabled", wish.row.is_off, .flags = OPPOSITE | NULL_ABSENT,     \
			.doc = "False: it is not evaluated."),                                               \
		P("state", state, .max = 32, .doc = "State until the next evaluation."),                     \
		P("severity", severity, .words = "low|moderate|critical", .absent = "low",                   \
		  .doc = "Severity, which requests name."),                                                  \
		P("repeat_actions", wish.row.repeats,                                                        \
		  .doc = "True: the actions are taken again after each period."),                            \
		ACTIONS("alarm_actions", wish.row.alarm_actions, "alarm"),                                   \
		ACTIONS("ok_actions", wish.row.ok_actions, "ok"),                                            \
		ACTIONS("insufficient_data_actions", wish.row.no_data_actions, "insufficient data"),         \
		P("project_id", project, .max = 64, .doc = "Project of the alarm: the caller's."),           \
		P("user_id", user, .max = 64, .doc = "User of the alarm: the caller."),                      \
		RULE("gnocchi_resources_threshold", resource, aodh_resource_params),                         \
		RULE("gnocchi_aggregation_by_resources_threshold", resources, aodh_resources_params),        \
		RULE("gnocchi_aggregation_by_metrics_threshold", metrics, aodh_metrics_params),              \
		OS_BODY_JSON(struct os_aodh_put, "composite_rule", rules.composite, .flags = NULL_ABSENT,    \
			     .doc = "Threshold rules of the type composite, joined by and and or."),         \
		OS_UNBUILT("time_constraints", .only = "[]"),                                                \
		OS_UNBUILT("threshold_rule|event_rule|prometheus_rule|loadbalancer_member_health_rule"),     \
	{                                                                                                    \
		.wire = "alarm_id|timestamp|state_timestamp|state_reason|evaluate_timestamp",                \
		.type = PARAM_PASSED_OVER,                                                                   \
		.doc = "aodh.api.controllers.v2.alarms: put() and post() set these themselves"               \
	}
static const struct param create_params[] = {PUT_PARAMS};
static const struct param change_params[] = {PATH(struct os_aodh_put, wish.alarm), PUT_PARAMS};

static RESULT check_owner(struct os_call *e, const struct os_aodh_put *a)
{
	if (a->project.n && !str_equal(a->project, os_hex(e->c->arena, e->c->who->account)))
		return ctx_fail_field(e->c, ERR_DENIED, STR("project_id"),
				      "Not Authorized to access project %" STR_FMT,
				      STR_ARG(str_cut(a->project, 64)));
	return OK;
}

/* Duplicates among the actions are removed, as in Aodh. */
static RESULT take_actions(struct os_call *e, struct strs *actions, const char *name)
{
	struct str *at = arena_new_array(e->c->arena, struct str, actions->count + 1);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < actions->count; k++) {
		bool is_there = false;
		for (size_t n = 0; n < count; n++)
			is_there |= str_equal(at[n], actions->at[k]);
		if (!is_there)
			at[count++] = actions->at[k];
	}
	if (count > ALARM_ACTIONS_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, str_from(name), "%s count exceeds maximum value %d",
				      name, ALARM_ACTIONS_MAX);
	*actions = (struct strs){at, count};
	return OK;
}

static RESULT prepare_put(struct os_call *e, void *args)
{
	struct os_aodh_put *a = args;
	struct alarm *row = &a->wish.row;
	TRY(check_owner(e, a));
	TRY(take_actions(e, &row->alarm_actions, "alarm_actions"));
	TRY(take_actions(e, &row->ok_actions, "ok_actions"));
	TRY(take_actions(e, &row->no_data_actions, "insufficient_data_actions"));
	if (a->state.n && !read_state(a->state, &row->state))
		return ctx_fail_field(e->c, ERR_INVALID, STR("state"),
				      "Invalid input for field/attribute state. Value: '%" STR_FMT
				      "'. Value should be one of: alarm, insufficient data, ok",
				      STR_ARG(a->state));
	a->wish.has_state = a->state.n > 0;
	row->severity = str_is(a->severity, "critical")   ? ALARM_SEVERITY_CRITICAL
			: str_is(a->severity, "moderate") ? ALARM_SEVERITY_MODERATE
							  : ALARM_SEVERITY_LOW;
	return str_is(a->type, "composite") ? os_aodh_read_composite(e, a->rules.composite, &a->wish)
					    : os_aodh_read_rule(e, a->type, &a->rules, row);
}

static RESULT prepare_change(struct os_call *e, void *args)
{
	const struct alarm *alarm = NULL;
	TRY(os_aodh_find(e, &((struct os_aodh_put *) args)->wish.alarm, &alarm));
	return prepare_put(e, args);
}

static RESULT answer_put(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(os_find_returned(e, ((const struct os_aodh_put *) args)->wish.made, &row));
	write_alarm(e, w, alarm_of(row));
	return OK;
}

/* ---- quotas and capabilities ---- */

static RESULT show_quotas(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	os_write_hex(w, "project_id", e->c->who->account);
	json_write_open_list(w, "quotas");
	json_write_open(w, NULL);
	json_write_z(w, "resource", "alarms");
	json_write_int(w, "limit", engine_get_limit(os_tables(e), LIMIT_ALARMS));
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

static RESULT show_capabilities(struct os_call *e, const void *args, struct json_writer *w)
{
	static const char *const words[] = {"alarms:query:simple", "alarms:query:complex",
					    "alarms:history:query:simple", "alarms:history:query:complex"};
	(void) e;
	(void) args;
	json_write_open(w, "api");
	for (size_t k = 0; k < sizeof words / sizeof *words; k++)
		json_write_bool(w, words[k], true);
	json_write_close(w);
	json_write_open(w, "alarm_storage");
	json_write_bool(w, "storage:production_ready", true);
	json_write_close(w);
	return OK;
}

struct os_aodh_quotas {
	struct str project;
};
static const struct param quota_params[] = {
	OS_QUERY(struct os_aodh_quotas, "project_id", project, .max = 64,
		 .doc = "The caller's project, whose limit is that of every project.")};

#define ALL "/v2/alarms"
#define ONE ALL "/{alarm_id}"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "telemetry:get_alarms",
	 .flags = OS_FILTERS | OS_IN_PLACE | API_CHANGES_BY_TIME,
	 .args = OS_PARAMS(struct os_aodh_list, list_params), .answer = list_alarms,
	 .doc = "Alarms of the project."},
	{HTTP_POST, ALL, .permit = "telemetry:create_alarm", .flags = API_WRITES, .status = 201,
	 .args = OS_PARAMS(struct os_aodh_put, create_params), .prepare = prepare_put,
	 .operation = engine_create_aodh_alarm_run, .returns = KIND_ALARM, .answer = answer_put,
	 .doc = "Creates an alarm."},
	{HTTP_GET, ONE, .permit = "telemetry:get_alarm", .flags = API_CHANGES_BY_TIME,
	 .args = OS_PARAMS(struct os_aodh_target, target_params), .answer = show_alarm, .doc = "One alarm."},
	{HTTP_PUT, ONE, .permit = "telemetry:change_alarm", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_aodh_put, change_params), .prepare = prepare_change,
	 .operation = engine_change_aodh_alarm_run, .returns = KIND_ALARM, .answer = answer_put,
	 .doc = "Replaces what an alarm says."},
	{HTTP_DELETE, ONE, .permit = "telemetry:delete_alarm", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_aodh_deletion, deletion_params), .prepare = prepare_deletion,
	 .operation = engine_delete_alarms_run, .doc = "Deletes an alarm."},
	{HTTP_GET, ONE "/state", .permit = "telemetry:get_alarm_state",
	 .flags = OS_IN_PLACE | API_CHANGES_BY_TIME, .args = OS_PARAMS(struct os_aodh_target, target_params),
	 .answer = show_state, .doc = "State of an alarm."},
	{HTTP_PUT, ONE "/state", .permit = "telemetry:change_alarm_state",
	 .flags = API_WRITES | OS_RAW_BODY | OS_IN_PLACE,
	 .args = OS_PARAMS(struct os_aodh_state, state_params), .prepare = prepare_state,
	 .operation = engine_set_alarm_state_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = answer_state, .doc = "Sets the state until the next evaluation."},
	{HTTP_GET, "/v2/quotas", .permit = "telemetry:get_quotas",
	 .args = OS_PARAMS(struct os_aodh_quotas, quota_params), .answer = show_quotas,
	 .doc = "Number of alarms that a project may have."},
	{HTTP_GET, "/v2/capabilities", .permit = "telemetry:get_capabilities", .args = OS_NO_PARAMS,
	 .answer = show_capabilities, .doc = "Forms of searches that there are."},
};
const struct os_actions os_alarming_alarm_actions = OS_ACTIONS(OS_ALARMING, actions);
