/* SPDX-License-Identifier: Apache-2.0
 * Searches for alarms, and their history. Sources: aodh.api.controllers.v2.query, alarms (AlarmChange). Actions are events of
 * CloudWatch's history alone. */
#include <stdlib.h>

#include "api/openstack/alarming/alarming.h"

/* ---- a change ---- */

static json_t *read_data(const struct alarm_event *event)
{
	return json_loadb(event->data.p, event->data.n, 0, NULL);
}

static const char *type_of(const struct alarm_event *event)
{
	if (event->type == ALARM_EVENT_TYPE_STATE)
		return "state transition";
	json_t *data = read_data(event);
	const char *word = json_string_value(json_object_get(data, "type"));
	const char *type = word && !strcmp(word, "Create") ? "creation" : "rule change";
	json_decref(data);
	return type;
}

static enum alarm_state state_of(const char *word)
{
	return word && !strcmp(word, "OK")      ? ALARM_STATE_OK
	       : word && !strcmp(word, "ALARM") ? ALARM_STATE_ALARM
						: ALARM_STATE_INSUFFICIENT_DATA;
}

/* Aodh's detail is JSON within a text. */
static struct str write_detail(struct os_call *e, const struct alarm *alarm, const struct alarm_event *event)
{
	json_t *data = read_data(event), *after = json_object_get(data, "newState"), *made = json_object();
	if (event->type == ALARM_EVENT_TYPE_STATE) {
		enum alarm_state state = state_of(json_string_value(json_object_get(after, "stateValue")));
		(void) json_object_set_new(made, "state", json_string(aodh_state_word(state)));
		(void) json_object_set(made, "transition_reason", json_object_get(after, "stateReason"));
	} else {
		(void) json_object_set_new(made, "name", json_stringn(alarm->title.p, alarm->title.n));
		(void) json_object_set(made, "rule", json_object_get(data, "rule"));
	}
	char *text = made ? json_dumps(made, JSON_COMPACT) : NULL;
	struct str detail = str_copy(e->c->arena, text ? str_from(text) : STR("{}"));
	free(text);
	json_decref(made);
	json_decref(data);
	return detail;
}

static void write_change(struct os_call *e, struct json_writer *w, const struct alarm *alarm,
			 const struct alarm_event *event)
{
	json_write_open(w, NULL);
	json_write_uuid(w, "event_id", event->row.id);
	json_write_uuid(w, "alarm_id", alarm->row.id);
	json_write_z(w, "type", type_of(event));
	json_write_text(w, "detail", write_detail(e, alarm, event));
	os_write_hex(w, "project_id", alarm->account);
	os_write_hex(w, "user_id", os_shown_maker(alarm->made_by, alarm->account));
	os_write_hex(w, "on_behalf_of", alarm->account);
	os_write_time_us(w, "timestamp", event->row.created_us);
	json_write_close(w);
}

/* ---- which ones ---- */

struct alarm_change {
	const struct alarm *alarm;
	const struct alarm_event *event;
};
struct alarm_changes { /* a VEC */
	struct alarm_change *at;
	size_t count, capacity;
};

static int compare_changes(const void *a, const void *b)
{
	const struct alarm_event *x = ((const struct alarm_change *) a)->event,
				 *y = ((const struct alarm_change *) b)->event;
	if (x->row.created_us != y->row.created_us)
		return x->row.created_us < y->row.created_us ? 1 : -1;
	return uuid_compare(y->row.id, x->row.id);
}

static bool read_field(void *arg, const void *subject, struct str name, struct str *ret_value)
{
	static const char names[] = "event_id|alarm_id|type|project_id|project|user_id|user|on_behalf_of|"
				    "timestamp|detail";
	struct os_call *e = arg;
	const struct alarm_change *c = subject;
	char text[CLOCK_TEXT_SIZE];
	if (!c)
		return params_has_word(names, name);
	clock_write_ms(c->event->row.created_us, text);
	uuid user = os_shown_maker(c->alarm->made_by, c->alarm->account);
	*ret_value = str_is(name, "event_id")             ? uuid_to_str(e->c->arena, c->event->row.id)
		     : str_is(name, "alarm_id")           ? uuid_to_str(e->c->arena, c->alarm->row.id)
		     : str_is(name, "type")               ? str_from(type_of(c->event))
		     : str_is(name, "detail")             ? write_detail(e, c->alarm, c->event)
		     : str_is(name, "timestamp")          ? str_print(e->c->arena, "%.23s", text)
		     : str_starts_with(name, STR("user")) ? os_hex(e->c->arena, user)
							  : os_hex(e->c->arena, c->alarm->account);
	return params_has_word(names, name);
}

static RESULT add_changes(struct os_call *e, const struct alarm *alarm, const json_t *query,
			  struct alarm_changes *changes)
{
	const struct json_search search = {read_field, e};
	TRY(engine_check_found(e->c, os_tables(e), KIND_ALARM, &alarm->row));
	for (const struct alarm_event *event = alarm_event_first_by_alarm(os_tables(e), alarm->row.id); event;
	     event = alarm_event_next_by_alarm(os_tables(e), event)) {
		const struct alarm_change change = {alarm, event};
		if (event->type == ALARM_EVENT_TYPE_ACTION ||
		    (query && !json_search_fits(e->c, query, &search, &change)))
			continue;
		if (!VEC_PUSH(e->c->arena, changes, change))
			return ctx_no_memory(e->c);
	}
	return OK;
}

/* The newest first. */
static void write_changes(struct os_call *e, struct json_writer *w, struct alarm_changes *changes,
			  int64_t limit, struct str marker)
{
	int64_t shown = 0;
	bool is_behind = !marker.n;
	if (changes->count > 1)
		qsort(changes->at, changes->count, sizeof *changes->at, compare_changes);
	json_write_open_list(w, NULL);
	for (size_t k = 0; k < changes->count && (!limit || shown < limit); k++) {
		if (is_behind) {
			write_change(e, w, changes->at[k].alarm, changes->at[k].event);
			shown++;
		}
		is_behind |= str_equal(marker, uuid_to_str(e->c->arena, changes->at[k].event->row.id));
	}
	json_write_close_list(w);
}

struct os_aodh_history {
	struct ref alarm;
	struct str marker, sort;
	int64_t limit;
};
static const struct param history_params[] = {
	OS_PATH(struct os_aodh_history, "alarm_id", alarm, .kind = KIND_ALARM, .doc = "The alarm."),
	OS_QUERY(struct os_aodh_history, "limit", limit, .min = 1, .max = 1000,
		 .doc = "Changes of a page; the last hundred are kept."),
	OS_QUERY(struct os_aodh_history, "marker", marker, .max = 64,
		 .doc = "Last change of the page before."),
	OS_QUERY(struct os_aodh_history, "sort", sort, .words = "timestamp:desc|timestamp",
		 .doc = "The newest change is the first."),
};

static RESULT show_history(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_aodh_history *a = args;
	const struct alarm *alarm = NULL;
	struct alarm_changes changes = {0};
	TRY(os_aodh_find(e, &a->alarm, &alarm));
	TRY(add_changes(e, alarm, NULL, &changes));
	write_changes(e, w, &changes, a->limit, a->marker);
	return OK;
}

/* ---- searches ---- */

struct os_aodh_query {
	struct str filter;
	int64_t limit;
};
static const struct param query_params[] = {
	OS_BODY(struct os_aodh_query, "filter", filter, .flags = NULL_ABSENT, .max = JSON_SEARCH_MAX,
		.doc = "Search as JSON within a text: {\"=\": {\"name\": \"web\"}}."),
	OS_BODY(struct os_aodh_query, "limit", limit, .flags = NULL_ABSENT, .min = 1, .max = 1000,
		.doc = "Results at most."),
	OS_UNBUILT("orderby"),
};

static RESULT query_alarms(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_aodh_query *a = args;
	const struct json_search search = os_aodh_search(e);
	json_t *query = NULL;
	if (a->filter.n)
		TRY(json_search_read(e->c, a->filter, &search, &query));
	const struct os_aodh_page page = {.query = query, .limit = a->limit};
	struct result result = os_aodh_write_alarms(e, &page, w);
	json_decref(query);
	return result;
}

static RESULT query_history(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_aodh_query *a = args;
	const struct json_search search = {read_field, e};
	struct alarm_changes changes = {0};
	json_t *query = NULL;
	struct result result = OK;
	if (a->filter.n)
		TRY(json_search_read(e->c, a->filter, &search, &query));
	for (const struct alarm *alarm = alarm_first_by_account(os_tables(e), e->c->who->account);
	     alarm && result_is_ok(result); alarm = alarm_next_by_account(os_tables(e), alarm))
		if (os_aodh_has(alarm))
			result = add_changes(e, alarm, query, &changes);
	json_decref(query);
	TRY(result);
	write_changes(e, w, &changes, a->limit, STR_NONE);
	return OK;
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2/alarms/{alarm_id}/history", .permit = "telemetry:alarm_history",
	 .flags = OS_FILTERS | OS_IN_PLACE | API_CHANGES_BY_TIME,
	 .args = OS_PARAMS(struct os_aodh_history, history_params), .answer = show_history,
	 .doc = "Changes of an alarm's rule and state."},
	{HTTP_POST, "/v2/query/alarms", .permit = "telemetry:query_alarm", .flags = OS_IN_PLACE,
	 .args = OS_PARAMS(struct os_aodh_query, query_params), .answer = query_alarms,
	 .doc = "Alarms of the project that a search finds."},
	{HTTP_POST, "/v2/query/alarms/history", .permit = "telemetry:query_alarm_history",
	 .flags = OS_IN_PLACE, .args = OS_PARAMS(struct os_aodh_query, query_params), .answer = query_history,
	 .doc = "Changes that a search finds."},
};
const struct os_actions os_alarming_history_actions = OS_ACTIONS(OS_ALARMING, actions);
