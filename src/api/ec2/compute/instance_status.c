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
	      .doc = "Also those that are not running."),
	NO_MANAGED_RESOURCES,
	QUERY_FILTERS(struct ec2_describe_status),
	QUERY_PAGES(struct ec2_describe_status, 5, 1000),
};

struct status_item {
	const struct instance *instance;
	const struct zone *zone;
	const struct instance_event *event; /* NULL: no event */
	enum instance_state state;
	const char *system, *self; /* statuses */
};

/* EC2's name of the state, such as "running". */
static bool is_on(enum instance_state state)
{
	return state == INSTANCE_RUNNING || state == INSTANCE_RESCUED || state == INSTANCE_PAUSED;
}

static void look_up_status(const struct tables *t, struct status_item *item)
{
	const struct host *host = host_find(t, item->instance->host);
	bool is_up = host && host->seen_state == HOST_SEEN_STATE_UP;
	bool is_io_paused = condition_find_by_subject(t, item->instance->row.id, STR("HeldForRoom")) != NULL;
	bool is_running = is_on(item->state);
	item->system = !is_running ? "not-applicable" : is_up ? "ok" : "impaired";
	item->self = !is_running    ? "not-applicable"
		     : !is_up       ? "insufficient-data"
		     : is_io_paused ? "impaired"
				    : "ok";
}

bool ec2_is_impaired(const struct tables *t, const struct instance *instance)
{
	struct status_item item = {.instance = instance, .state = model_derive_instance_state(instance)};
	look_up_status(t, &item);
	return strcmp(item.system, "impaired") == 0 || strcmp(item.self, "impaired") == 0;
}

static bool fill_item(const struct tables *t, const struct row *row, struct status_item *item)
{
	item->instance = instance_of(row);
	item->zone = zone_find(t, item->instance->zone);
	item->event = engine_find_event(t, row->id);
	item->state = model_derive_instance_state(item->instance);
	look_up_status(t, item);
	return true;
}

static bool is_asked(struct ec2_call *e, const struct row *row)
{
	const struct ec2_describe_status *a = e->args;
	return a->all || is_on(model_derive_instance_state(instance_of(row)));
}

static const void *gather_status(struct ec2_call *e, const struct row *row)
{
	struct status_item *item = arena_new_object(e->c->arena, struct status_item);
	return item && fill_item(ec2_tables(e), row, item) ? item : 0;
}

static const char *reachability(const char *status)
{
	return strcmp(status, "ok") == 0         ? "passed"
	       : strcmp(status, "impaired") == 0 ? "failed"
						 : "insufficient-data";
}

static void write_summary(struct xml *x, const char *name, const char *status)
{
	xml_open(x, name);
	xml_z(x, "status", status);
	if (strcmp(status, "not-applicable") != 0) {
		xml_open(x, "details");
		xml_open(x, "item");
		xml_z(x, "name", "reachability");
		xml_z(x, "status", reachability(status));
		xml_close(x, "item");
		xml_close(x, "details");
	}
	xml_close(x, name);
}

/* ---- events ---- */

static struct str describe_event(struct ec2_call *e, const struct instance_event *event)
{
	const char *before = event->stage == INSTANCE_EVENT_STAGE_COMPLETED  ? "[Completed] "
			     : event->stage == INSTANCE_EVENT_STAGE_CANCELED ? "[Canceled] "
									     : "";
	return str_print(e->c->arena, "%s%" STR_FMT, before, STR_ARG(event->description));
}

static void write_event(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct instance_event *event = item;
	ec2_write_id(x, "instanceEventId", KIND_INSTANCE_EVENT, event->row.id);
	xml_z(x, "code", instance_event_code_words[event->code]);
	xml_text(x, "description", describe_event(e, event));
	xml_time_ms(x, "notBefore", event->not_before_us);
	if (event->not_after_us)
		xml_time_ms(x, "notAfter", event->not_after_us);
	xml_time_ms(x, "notBeforeDeadline", event->deadline_us);
}

static const struct ec2_listing event_listing = {
	.kind = KIND_INSTANCE_EVENT, .set = "eventsSet", .write = write_event};

static void write_status(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct status_item *i = item;
	ec2_write_id(x, "instanceId", KIND_INSTANCE, i->instance->row.id);
	if (i->zone)
		xml_text(x, "availabilityZone", i->zone->name);
	if (i->event)
		ec2_write_items(e, &event_listing, (const void *const[]){i->event}, 1, x);
	ec2_write_state(x, "instanceState", i->state);
	write_summary(x, "systemStatus", i->system);
	write_summary(x, "instanceStatus", i->self);
}

static bool fits_status(const struct filter_run *f, const struct row *row)
{
	struct status_item item;
	struct str name = str_from(f->filter->name);
	(void) fill_item(f->t, row, &item);
	const char *status = str_starts_with(name, STR("system")) ? item.system : item.self;
	return filter_z(f, str_ends_with(name, STR("reachability")) ? reachability(status) : status);
}

static bool fits_zone_id(const struct filter_run *f, const struct row *row)
{
	const struct zone *zone = zone_find(f->t, instance_of(row)->zone);
	return zone && filter_text(f, zone->short_id);
}

static bool fits_event(const struct filter_run *f, const struct row *row)
{
	const struct instance_event *event = engine_find_event(f->t, row->id);
	struct str name = str_slice(str_from(f->filter->name), strlen("event."), SIZE_MAX);
	if (!event)
		return false;
	if (str_is(name, "code"))
		return filter_z(f, instance_event_code_words[event->code]);
	if (str_is(name, "description"))
		return filter_text(f, describe_event(f->e, event));
	if (str_is(name, "instance-event-id"))
		return filter_id(f, KIND_INSTANCE_EVENT, event->row.id);
	if (str_is(name, "not-after"))
		return event->not_after_us && filter_time(f, event->not_after_us);
	return filter_time(f, str_is(name, "not-before") ? event->not_before_us : event->deadline_us);
}

static const struct filter status_filters[] = {
	{"availability-zone", .field = "zone"},
	{"availability-zone-id", .get = fits_zone_id},
	{"operator.managed", .fixed = "false"},
	{"operator.principal", .get = filter_nothing},
	{"attached-ebs-status.status", .get = filter_nothing}, /* neither is measured here */
	{"application-status.status", .get = filter_nothing},
	{"instance-state-code", .in_state = ec2_has_state_code},
	{"instance-state-name", .in_state = ec2_has_state_name},
	{"instance-status.reachability", .get = fits_status},
	{"instance-status.status", .get = fits_status},
	{"system-status.reachability", .get = fits_status},
	{"system-status.status", .get = fits_status},
	{"event.code", .get = fits_event},
	{"event.description", .get = fits_event},
	{"event.instance-event-id", .get = fits_event,
	 .access_paths = {{KIND_INSTANCE_EVENT,
			   .joins = {JOIN_ONE(KIND_INSTANCE, instance_event, instance)}}}},
	{"event.not-after", .get = fits_event},
	{"event.not-before", .get = fits_event},
	{"event.not-before-deadline", .get = fits_event},
};

static const struct ec2_listing status_listing = {.kind = KIND_INSTANCE,
						  .set = "instanceStatusSet",
						  .filters = FILTERS(status_filters),
						  .shows = is_asked,
						  .gather = gather_status,
						  .write = write_status};

/* ---- another time ---- */

struct ec2_move_event {
	struct event_wish wish;
	struct str at;
};
static const struct param move_event_params[] = {
	PARAM(struct ec2_move_event, "InstanceId", wish.instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	      .doc = "The instance."),
	PARAM(struct ec2_move_event, "InstanceEventId", wish.event, .flags = REQUIRED,
	      .kind = KIND_INSTANCE_EVENT, .doc = "Its event, which has not begun."),
	PARAM(struct ec2_move_event, "NotBefore", at, .flags = REQUIRED, .max = 40,
	      .doc = "An hour from now at least, up to the event's deadline."),
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

static RESULT answer_move_event(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_move_event *a = args;
	return ec2_write_returned(e, &event_listing, a->wish.id, "event", x);
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
	P("Status", status, .flags = REQUIRED, .words = "ok|impaired", .doc = "How they are."),
	P("ReasonCode", reasons, .flags = REQUIRED, .max = 16,
	  .words = "instance-stuck-in-state|unresponsive|not-accepting-credentials|password-not-available|"
		   "performance-network|performance-instance-store|performance-ebs-volume|performance-other|"
		   "other",
	  .doc = "Why."),
	P("StartTime", start, .max = 40, .doc = "Since when."),
	P("EndTime", end, .max = 40, .doc = "Until when."),
	P("Description", description, .max = WORDS_MAX, .doc = "Free text."),
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
	 .doc = "Whether instances and their hosts are well."},
	{EC2_ACTION("ModifyInstanceEventStartTime"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_move_event, move_event_params), .prepare = prepare_move_event,
	 .operation = engine_reschedule_event_run, .answer = answer_move_event,
	 .returns = KIND_INSTANCE_EVENT, .doc = "Another time for what is going to happen to an instance."},
	{EC2_ACTION("ReportInstanceStatus"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_report_status, report_params), .prepare = prepare_report,
	 .operation = engine_report_instances_run,
	 .doc = "What users say of running instances: it stands in their history, where operators find it."},
};
const struct api_actions ec2_status_actions = API_ACTIONS(actions);
