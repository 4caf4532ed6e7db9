/* SPDX-License-Identifier: Apache-2.0
 * DescribeInstanceStatus: whether the host answers, whether the instance is in its wanted state, and its
 * scheduled events. ModifyInstanceEventStartTime: moves an event. ReportInstanceStatus: takes the user's
 * report. */
#include "api/ec2/compute/instances.h"
#include "api/ec2/core/write.h"
#include "base/clock.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_event.h"
#include "model/instance.h"
#include "model/instance_event.h"
#include "model/states.h"
#include "store/condition.h"
#include "store/host.h"
#include "store/zone.h"

struct ec2_describe_status {
	struct ec2_query query;
	bool all;
};
static const struct param describe_status_params[] = {
	QUERY_IDS(struct ec2_describe_status, "InstanceId", KIND_INSTANCE, "Instances by id."),
	PARAM(struct ec2_describe_status, "IncludeAllInstances", all,
	      .doc = "Includes instances that are not running."),
	NO_MANAGED_RESOURCES,
	QUERY_FILTERS(struct ec2_describe_status),
	QUERY_PAGES(struct ec2_describe_status, 5, 1000),
};

/* EC2's name of the state, such as "running". */
static bool is_on(enum instance_state state)
{
	return state == INSTANCE_RUNNING || state == INSTANCE_RESCUED || state == INSTANCE_PAUSED;
}

static bool is_on_host(const struct tables *t, const struct instance *i)
{
	const struct host *host = host_find(t, i->host);
	return host && host->seen_state == HOST_SEEN_STATE_UP;
}

static const char *system_status(const struct tables *t, const struct instance *i)
{
	if (!is_on(model_derive_instance_state(i)))
		return "not-applicable";
	return is_on_host(t, i) ? "ok" : "impaired";
}

static const char *instance_status(const struct tables *t, const struct instance *i)
{
	if (!is_on(model_derive_instance_state(i)))
		return "not-applicable";
	if (!is_on_host(t, i))
		return "insufficient-data";
	return condition_find_by_subject(t, i->row.id, STR("HeldForRoom")) ? "impaired" : "ok";
}

bool ec2_is_impaired(const struct tables *t, const struct instance *instance)
{
	return strcmp(system_status(t, instance), "impaired") == 0 ||
	       strcmp(instance_status(t, instance), "impaired") == 0;
}

static bool is_asked(struct ec2_call *e, const struct row *row)
{
	const struct ec2_describe_status *a = e->args;
	return a->all || is_on(model_derive_instance_state(instance_of(row)));
}

static const char *reachability(const char *status)
{
	return strcmp(status, "ok") == 0         ? "passed"
	       : strcmp(status, "impaired") == 0 ? "failed"
						 : "insufficient-data";
}

/* Details of an instance that is on. */
static struct attribute_rows list_details(struct api_call *e, const struct row *row)
{
	return attribute_rows_of(e, row, is_on(model_derive_instance_state(instance_of(row))), 0);
}

#define STATUS(which)                                                                                        \
	ATTRIBUTE_GETTER(instance, i, const char *, get_##which, which##_status(api_tables(e), i))           \
	ATTRIBUTE_GETTER(instance, i, const char *, get_##which##_reach,                                     \
			 reachability(which##_status(api_tables(e), i)))
STATUS(system)
STATUS(instance)

#define WITHIN .flags = ATTRIBUTE_FILTERS_WITHIN
ATTRIBUTE_TABLE(system_detail, {ATTRIBUTE_CONST("name", "reachability"),
				ATTRIBUTE_MADE(WORD, word, "status", get_system_reach,
					       .filter = "system-status.reachability")});
ATTRIBUTE_TABLE(instance_detail, {ATTRIBUTE_CONST("name", "reachability"),
				  ATTRIBUTE_MADE(WORD, word, "status", get_instance_reach,
						 .filter = "instance-status.reachability")});
ATTRIBUTE_TABLE(system_members,
		{ATTRIBUTE_MADE(WORD, word, "status", get_system, .filter = "system-status.status"),
		 ATTRIBUTE_ROWS("details", system_detail, list_details,
				.flags = ATTRIBUTE_OMIT_NONE | ATTRIBUTE_FILTERS_WITHIN)});
ATTRIBUTE_TABLE(instance_members,
		{ATTRIBUTE_MADE(WORD, word, "status", get_instance, .filter = "instance-status.status"),
		 ATTRIBUTE_ROWS("details", instance_detail, list_details,
				.flags = ATTRIBUTE_OMIT_NONE | ATTRIBUTE_FILTERS_WITHIN)});

/* ---- events ---- */

static struct attribute_rows list_events(struct api_call *e, const struct row *row)
{
	const struct instance_event *event = engine_find_event(api_tables(e), row->id);
	return attribute_rows_of(e, event, event != NULL, 0);
}

static struct str describe_event(struct api_call *e, const struct row *row)
{
	const struct instance_event *event = instance_event_of(row);
	const char *before = event->stage == INSTANCE_EVENT_STAGE_COMPLETED  ? "[Completed] "
			     : event->stage == INSTANCE_EVENT_STAGE_CANCELED ? "[Canceled] "
									     : "";
	return str_print(e->c->arena, "%s%" STR_FMT, before, STR_ARG(event->description));
}

ATTRIBUTE_TABLE(event_members, {
	ATTRIBUTE_OWN_ID(instance_event, "instanceEventId", KIND_INSTANCE_EVENT,
			 .filter = "event.instance-event-id",
			 ATTRIBUTE_PATHS({KIND_INSTANCE_EVENT,
					  .joins = {JOIN_ONE(KIND_INSTANCE, instance_event, instance)}})),
		ATTRIBUTE_AS(ENUM, instance_event, "code", code, .words = instance_event_code_words,
			     .filter = "event.code"),
		ATTRIBUTE_MADE(TEXT, text, "description", describe_event, .filter = "event.description"),
		ATTRIBUTE_AS(TIME, instance_event, "notBefore", not_before_us, .filter = "event.not-before"),
		ATTRIBUTE_AS(TIME, instance_event, "notAfter", not_after_us, .flags = ATTRIBUTE_OMIT_NONE,
			     .filter = "event.not-after"),
		ATTRIBUTE_AS(TIME, instance_event, "notBeforeDeadline", deadline_us,
			     .filter = "event.not-before-deadline")
});
static const struct ec2_listing event_listing = {
	.kind = KIND_INSTANCE_EVENT, .set = "eventsSet", .attributes = &event_members};

static const struct attribute status_rows[] = {
	ATTRIBUTE_OWN_ID(instance, "instanceId", KIND_INSTANCE),
	ATTRIBUTE_OF(instance, zone, KIND_ZONE, zone, "availabilityZone", name,
		     .filter = "availability-zone"),
	ATTRIBUTE_ROWS("eventsSet", event_members, list_events,
		       .flags = ATTRIBUTE_OMIT_NONE | ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE_WITHIN("instanceState", ec2_instance_state_members, WITHIN),
	ATTRIBUTE_WITHIN("systemStatus", system_members, WITHIN),
	ATTRIBUTE_WITHIN("instanceStatus", instance_members, WITHIN),
	ATTRIBUTE_OF(instance, zone, KIND_ZONE, zone, "", short_id, .flags = ATTRIBUTE_HIDDEN,
		     .filter = "availability-zone-id"),
	ATTRIBUTE_CONST("", "false", .flags = ATTRIBUTE_HIDDEN, .filter = "operator.managed"),
	ATTRIBUTE_NOTHING("operator.principal"),
	ATTRIBUTE_NOTHING("attached-ebs-status.status"), /* neither is measured here */
	ATTRIBUTE_NOTHING("application-status.status"),
};
static const struct attributes status_members = ATTRIBUTES(status_rows);

static const struct filter status_filters[] = {{"instance-state-code", .in_state = ec2_has_state_code}};
static const struct ec2_listing status_listing = {.kind = KIND_INSTANCE,
						  .set = "instanceStatusSet",
						  .filters = FILTERS_AND(status_filters, status_members),
						  .shows = is_asked,
						  .attributes = &status_members};

/* ---- another time ---- */

struct ec2_move_event {
	struct event_wish wish;
	struct str at;
};
static const struct param move_event_params[] = {
	PARAM(struct ec2_move_event, "InstanceId", wish.instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	      .doc = "The instance."),
	PARAM(struct ec2_move_event, "InstanceEventId", wish.event, .flags = REQUIRED,
	      .kind = KIND_INSTANCE_EVENT, .doc = "A scheduled event of the instance that has not begun."),
	PARAM(struct ec2_move_event, "NotBefore", at, .flags = REQUIRED, .max = 40,
	      .doc = "New start time: at least an hour from now, and not after the event's deadline."),
};

static RESULT prepare_move_event(struct ec2_call *e, void *args)
{
	struct ec2_move_event *a = args;
	if (result_is_ok(clock_parse(a->at, &a->wish.not_before_us)))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("NotBefore"),
			      "Value (%" STR_FMT ") for parameter notBefore is invalid. It is no time.",
			      STR_ARG(a->at));
}

/* ---- report ---- */

enum { WORDS_MAX = 4000 };
struct ec2_report_status {
	struct instance_status_report wish;
	struct str status, start, end, description;
	struct strs reasons;
};
#define P(wire, member, ...) PARAM(struct ec2_report_status, wire, member, __VA_ARGS__)
static const struct param report_params[] = {
	P("InstanceId", wish.instances, .flags = REQUIRED, .kind = KIND_INSTANCE,
	  .doc = "Running instances."),
	P("Status", status, .flags = REQUIRED, .words = "ok|impaired",
	  .doc = "Status that the user reports."),
	P("ReasonCode", reasons, .flags = REQUIRED, .max = 16,
	  .words = "instance-stuck-in-state|unresponsive|not-accepting-credentials|password-not-available|"
		   "performance-network|performance-instance-store|performance-ebs-volume|performance-other|"
		   "other",
	  .doc = "Reason codes of the report."),
	P("StartTime", start, .max = 40, .doc = "Time at which the status began."),
	P("EndTime", end, .max = 40, .doc = "Time at which the status ended."),
	P("Description", description, .max = WORDS_MAX, .doc = "Description: free text."),
};
#undef P

static RESULT take_time(struct ec2_call *e, const char *field, struct str text, const char *word,
			struct str *words)
{
	int64_t at_us = 0;
	if (str_is_empty(text))
		return OK;
	if (!result_is_ok(clock_parse(text, &at_us)))
		return ctx_fail_field(
			e->c, ERR_INVALID, str_from(field),
			"Value (%" STR_FMT ") for parameter %" STR_FMT " is invalid. It is no time.",
			STR_ARG(text), STR_ARG(params_small_name(e->c->arena, str_from(field))));
	*words = str_print(e->c->arena, "%" STR_FMT " %s %" STR_FMT, STR_ARG(*words), word, STR_ARG(text));
	return words->p ? OK : ctx_no_memory(e->c);
}

static RESULT prepare_report(struct ec2_call *e, void *args)
{
	struct ec2_report_status *a = args;
	struct str words = STR("");
	for (size_t k = 0; k < a->reasons.count; k++)
		words = str_print(e->c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(words), k ? ", " : "",
				  STR_ARG(a->reasons.at[k]));
	TRY(take_time(e, "StartTime", a->start, "since", &words));
	TRY(take_time(e, "EndTime", a->end, "until", &words));
	if (a->description.n)
		words = str_print(e->c->arena, "%" STR_FMT "; %" STR_FMT, STR_ARG(words),
				  STR_ARG(a->description));
	a->wish.words = words;
	a->wish.is_impaired = str_is(a->status, "impaired");
	return words.p ? OK : ctx_no_memory(e->c);
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeInstanceStatus"),
	 .args = PARAMS(struct ec2_describe_status, describe_status_params), .list = &status_listing,
	 .doc = "Lists the status checks of instances and their hosts, and scheduled events."},
	{EC2_ACTION("ModifyInstanceEventStartTime"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_move_event, move_event_params), .prepare = prepare_move_event,
	 .operation = engine_reschedule_event_run,
	 EC2_SHOWS(event_listing, struct ec2_move_event, wish.id, "event"), .returns = KIND_INSTANCE_EVENT,
	 .doc = "Reschedules a scheduled event of an instance."},
	{EC2_ACTION("ReportInstanceStatus"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_report_status, report_params), .prepare = prepare_report,
	 .operation = engine_report_instances_run,
	 .doc = "Records a user's report about running instances in their history, where operators find it."},
};
const struct api_actions ec2_status_actions = API_ACTIONS(actions);
