/* SPDX-License-Identifier: Apache-2.0
 * The default event bus, events that accounts put, and trials of patterns. Source: Amazon EventBridge API Reference. */
#include <math.h>

#include "api/events/internal.h"
#include "base/clock.h"

/* ---- the bus ---- */

struct bus_args {
	struct events_page page;
	struct str bus, prefix;
};
static const struct param describe_params[] = {PARAM(struct bus_args, "Name", bus, .min = 1,
						     .max = EVENTS_ARN_MAX,
						     .doc = "Name or ARN; absent: default.")};
static const struct param list_params[] = {
	PARAM(struct bus_args, "NamePrefix", prefix, .min = 1, .max = 256, .doc = "Beginning of the name."),
	EVENTS_PAGE_PARAMS(struct bus_args)};

static RESULT prepare_describe(struct target_call *e, void *args)
{
	return events_check_bus(e, ((struct bus_args *) args)->bus);
}

static RESULT prepare_list(struct target_call *e, void *args)
{
	struct bus_args *a = args;
	TRY(events_check_name(e, "namePrefix", a->prefix));
	return events_read_page(e, &a->page);
}

static RESULT answer_describe(struct target_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_text(w, "Arn", events_write_bus_arn(e));
	json_write_z(w, "Name", "default");
	return OK;
}

static RESULT answer_list(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct bus_args *a = args;
	json_write_open_list(w, "EventBuses");
	if (str_starts_with(STR("default"), a->prefix) && !a->page.behind.n) {
		json_write_open(w, NULL);
		TRY(answer_describe(e, args, w));
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- PutEvents ---- */

struct entry_args {
	struct event_entry entry;
	struct str time, bus;
};
static const struct param entry_rows[] = {
	{.wire = "Time",
	 .type = PARAM_JSON,
	 .offset = offsetof(struct entry_args, time),
	 .doc = "Time in seconds since 1970; absent: now."},
	PARAM(struct entry_args, "Source", entry.source, .max = 256,
	      .doc = "Source, which does not begin with \"aws.\"."),
	PARAM(struct entry_args, "DetailType", entry.detail_type, .max = 128, .doc = "Detail type."),
	PARAM(struct entry_args, "Detail", entry.detail, .max = EVENT_BYTES_MAX,
	      .doc = "Detail: a JSON object."),
	PARAM(struct entry_args, "Resources", entry.resources, .max = 2048, .doc = "ARNs of resources."),
	EVENTS_BUS_PARAM(struct entry_args),
	NOT_BUILT("TraceHeader", .doc = "Traces of X-Ray."),
};
static const struct params entry_table = PARAMS(struct entry_args, entry_rows);

struct put_args {
	struct events_wish wish;
	struct {
		struct entry_args *at;
		size_t count;
	} entries;
};
static const struct param put_params[] = {
	PARAM_LIST(struct put_args, "Entries", entries, entry_table, .flags = REQUIRED, .min = 1,
		   .max = EVENT_ENTRIES_MAX, .doc = "Up to ten events."),
	NOT_BUILT("EndpointId", .doc = "Endpoints of several regions."),
};

static void refuse(struct target_call *e, struct event_entry *entry, const char *member)
{
	entry->code = "InvalidArgument";
	entry->message = str_print(
		e->c->arena, "Parameter %s is not valid. Reason: %s is a required argument.", member, member);
}

static RESULT read_time(struct target_call *e, struct str text, int64_t *ret_us)
{
	json_t *value = json_loadb(text.p ? text.p : "", text.n, JSON_DECODE_ANY, NULL);
	double seconds = json_is_number(value) ? json_number_value(value) : -1;
	json_decref(value);
	if (seconds < 0 || seconds > 253402300799.0)
		return events_fail(e, "Time", "Time is not a time in seconds since 1970: ", text);
	*ret_us = (int64_t) llround(seconds * 1e6);
	return OK;
}

static size_t size_of(const struct event_entry *entry)
{
	size_t size = entry->source.n + entry->detail_type.n + entry->detail.n;
	for (size_t k = 0; k < entry->resources.count; k++)
		size += entry->resources.at[k].n;
	return size;
}

static RESULT prepare_put(struct target_call *e, void *args)
{
	struct put_args *a = args;
	size_t size = 0;
	TRY(target_check_count(e->c, "entries", a->entries.count, EVENT_ENTRIES_MAX));
	a->wish.at = arena_new_array(e->c->arena, struct event_entry, a->entries.count + 1);
	a->wish.count = a->entries.count;
	if (!a->wish.at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->entries.count; k++) {
		struct event_entry *entry = &a->wish.at[k];
		*entry = a->entries.at[k].entry;
		size += size_of(entry);
		TRY(events_check_bus(e, a->entries.at[k].bus));
		if (a->entries.at[k].time.n)
			TRY(read_time(e, a->entries.at[k].time, &entry->at_us));
		if (entry->resources.count > 1000)
			return events_fail(e, "Resources", "An event names up to 1000 resources.", STR_NONE);
		if (!entry->source.n || !entry->detail_type.n || !entry->detail.n)
			refuse(e, entry,
			       !entry->source.n        ? "Source"
			       : !entry->detail_type.n ? "DetailType"
						       : "Detail");
	}
	return size <= EVENT_BYTES_MAX
		       ? OK
		       : events_fail(e, "Entries",
				     "Total size of the entries in the request is over the limit.", STR_NONE);
}

static RESULT answer_put(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct put_args *a = args;
	int64_t failed = 0;
	(void) e;
	json_write_open_list(w, "Entries");
	for (size_t k = 0; k < a->wish.count; k++) {
		const struct event_entry *entry = &a->wish.at[k];
		json_write_open(w, NULL);
		failed += entry->code != NULL;
		if (entry->code) {
			json_write_z(w, "ErrorCode", entry->code);
			json_write_text(w, "ErrorMessage", entry->message);
		} else {
			json_write_uuid(w, "EventId", entry->event);
		}
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_int(w, "FailedEntryCount", failed);
	return OK;
}

/* ---- TestEventPattern ---- */

struct test_args {
	struct str pattern, event;
};
static const struct param test_params[] = {
	PARAM(struct test_args, "EventPattern", pattern, .flags = REQUIRED, .min = 1,
	      .max = EVENT_PATTERN_MAX, .doc = "Event pattern, as JSON."),
	PARAM(struct test_args, "Event", event, .flags = REQUIRED, .min = 1, .max = 65536,
	      .doc = "Event, as JSON, with the members that every event has."),
};

static RESULT prepare_test(struct target_call *e, void *args)
{
	static const char *const members[] = {"id",     "account",   "source",     "time",
					      "region", "resources", "detail-type"};
	const struct test_args *a = args;
	const char *missing = NULL;
	json_t *event = json_loadb(a->event.p, a->event.n, JSON_REJECT_DUPLICATES, NULL);
	bool is_object = json_is_object(event);
	for (size_t k = 0; is_object && k < sizeof members / sizeof *members && !missing; k++)
		missing = json_object_get(event, members[k]) ? NULL : members[k];
	json_decref(event);
	if (!is_object)
		return events_fail(e, "Event",
				   "Parameter Event is not valid. Reason: it is not a JSON object", STR_NONE);
	if (missing)
		return events_fail(e, "Event", "Parameter Event is not valid. Reason: it needs the member ",
				   str_from(missing));
	return engine_check_event_pattern(e->c, a->pattern);
}

static RESULT answer_test(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct test_args *a = args;
	(void) e;
	json_write_bool(w, "Result", engine_matches_event(a->pattern, a->event));
	return OK;
}

static const struct target_action rows[] = {
	{EVENTS_ACTION("DescribeEventBus"), .args = PARAMS(struct bus_args, describe_params),
	 .doc = "Describes the default event bus.", .prepare = prepare_describe, .answer = answer_describe},
	{EVENTS_ACTION("ListEventBuses"), .args = PARAMS(struct bus_args, list_params),
	 .doc = "Lists the default event bus.", .prepare = prepare_list, .answer = answer_list},
	{EVENTS_ACTION("PutEvents"), .flags = API_WRITES, .args = PARAMS(struct put_args, put_params),
	 .operation = engine_put_events_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Sends events of the account to its event bus.", .prepare = prepare_put,
	 .answer = answer_put},
	{EVENTS_ACTION("TestEventPattern"), .args = PARAMS(struct test_args, test_params),
	 .doc = "Tests whether an event matches a pattern.", .prepare = prepare_test, .answer = answer_test},
};
const struct api_actions events_bus_actions = API_ACTIONS(rows);
