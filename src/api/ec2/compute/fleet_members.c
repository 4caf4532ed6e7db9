/* SPDX-License-Identifier: Apache-2.0
 * Instances and events of a fleet: DescribeFleetInstances, DescribeFleetHistory, and their likes of spot fleets, which word a
 * few things differently. The history is read from the engine's log in
 * SQL, which blocks, and therefore runs on a lane. */
#include "api/ec2/compute/fleets.h"
#include "api/ec2/compute/instances.h"
#include "api/ec2/compute/spot_requests.h"
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "store/fleet.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/sql.h"

#define HISTORY_US (48 * HOUR) /* how long EC2 keeps events of fleets */
enum { HISTORY_MAX = 10000 };

static bool is_of_spot_fleets(const struct ref *ref)
{
	return str_is(ref->field, "SpotFleetRequestId");
}

/* A fleet of the other dialect is not found. */
static RESULT find_fleet(struct ec2_call *e, const struct ref *ref, const struct fleet **ret_fleet)
{
	const struct row *row = NULL;
	TRY(engine_find_listed(e->c, ec2_tables(e), KIND_FLEET, ref, &row));
	if (id_is_spot_fleet(row->id) != is_of_spot_fleets(ref))
		return engine_fail_not_found(e->c, KIND_FLEET, ref);
	*ret_fleet = fleet_of(row);
	return OK;
}

/* ---- instances ---- */

struct ec2_fleet_instances {
	struct ec2_query query;
	struct ref fleet;
};
static const struct param instances_params[] = {
	PARAM(struct ec2_fleet_instances, "FleetId", fleet, .flags = REQUIRED, .kind = KIND_FLEET,
	      .doc = "The fleet."),
	QUERY_FILTERS(struct ec2_fleet_instances),
	QUERY_PAGES(struct ec2_fleet_instances, 1, 1000),
};
static const struct param spot_instances_params[] = {
	PARAM(struct ec2_fleet_instances, "SpotFleetRequestId", fleet, .flags = REQUIRED, .kind = KIND_FLEET,
	      .prefix = ID_SPOT_FLEET, .doc = "The spot fleet request."),
	QUERY_PAGES(struct ec2_fleet_instances, 1, 1000),
};

static void write_fleet_id(struct xml *x, const struct ref *fleet)
{
	xml_text(x, is_of_spot_fleets(fleet) ? "spotFleetRequestId" : "fleetId", fleet->text);
}

static bool fits_type(const struct filter_run *f, const struct row *row)
{
	const struct instance_type *type = instance_type_find(f->t, instance_of(row)->type);
	return type && filter_text(f, type->name);
}

static const struct filter instance_filters[] = {
	{"instance-type", .get = fits_type},
};

static RESULT list_members(struct ec2_call *e, const struct ec2_fleet_instances *a,
			   struct query_page *ret_page)
{
	static const struct filters filters = FILTERS(instance_filters);
	const struct tables *t = ec2_tables(e);
	struct filter_runs runs;
	VEC(const struct row *) list = {0};
	struct query q = {.c = e->c,
			  .limit = a->query.max_results ? (size_t) a->query.max_results : SIZE_MAX};
	const struct fleet *fleet = NULL;
	TRY(find_fleet(e, &a->fleet, &fleet));
	if (fleet->type == FLEET_TYPE_INSTANT)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, a->fleet.field,
				      "DescribeFleetInstances does not support fleets of type instant");
	TRY(filters_compile(e, KIND_NONE, &filters, &a->query.filters, &runs));
	TRY(ec2_parse_token(e, a->query.next_token, &q.after));
	for (const struct instance *i = instance_first_by_fleet(t, fleet->row.id); i;
	     i = instance_next_by_fleet(t, i))
		if (row_is_live(&i->row) && filters_fit(&runs, t, &i->row) &&
		    !VEC_PUSH(e->c->arena, &list, &i->row))
			return ctx_no_memory(e->c);
	q.given = (struct rows){list.at, list.count};
	return query_run(&q, ret_page);
}

static RESULT ec2_describe_fleet_instances(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_fleet_instances *a = args;
	struct query_page page;
	TRY(list_members(e, a, &page));
	xml_open(x, "activeInstanceSet");
	for (size_t k = 0; k < page.count; k++) {
		const struct instance *i = instance_of(page.rows[k]);
		const struct instance_type *type = instance_type_find(ec2_tables(e), i->type);
		xml_open(x, "item");
		ec2_write_id(x, "instanceId", KIND_INSTANCE, i->row.id);
		if (type)
			xml_text(x, "instanceType", type->name);
		if (!uuid_is_none(i->spot_request))
			ec2_write_id(x, "spotInstanceRequestId", KIND_SPOT_REQUEST, i->spot_request);
		xml_z(x, "instanceHealth", ec2_is_impaired(ec2_tables(e), i) ? "unhealthy" : "healthy");
		xml_close(x, "item");
	}
	xml_close(x, "activeInstanceSet");
	if (page.found > page.count)
		xml_text(x, "nextToken", ec2_make_token(e, row_place_of(page.rows[page.count - 1])));
	write_fleet_id(x, &a->fleet);
	return OK;
}

/* ---- history ---- */

/* The words of EC2's answers, other than those of its model's enumeration, which its parameter has. */
static const struct event_word {
	const char *what, *type, *asked;
} event_words[] = {
	{"submitted", "fleetRequestChange", "fleet-change"},
	{"active", "fleetRequestChange", "fleet-change"},
	{"progress", "fleetRequestChange", "fleet-change"},
	{"modify_in_progress", "fleetRequestChange", "fleet-change"},
	{"modify_succeeded", "fleetRequestChange", "fleet-change"},
	{"expired", "fleetRequestChange", "fleet-change"},
	{"deleted", "fleetRequestChange", "fleet-change"},
	{"deleted_running", "fleetRequestChange", "fleet-change"},
	{"deleted_terminating", "fleetRequestChange", "fleet-change"},
	{"launched", "instanceChange", "instance-change"},
	{"terminated", "instanceChange", "instance-change"},
	{"launchSpecTemporarilyBlacklisted", "Information", "service-error"},
	{"iamFleetRoleInvalid", "error", "service-error"},
	{"spotInstanceCountLimitExceeded", "error", "service-error"},
	{"spotFleetRequestConfigurationInvalid", "error", "service-error"},
};

/* Spot fleets are cancelled, not deleted. */
static struct str word_for_spot(struct arena *a, const char *what)
{
	struct str text = str_from(what), deleted = STR("deleted");
	return str_starts_with(text, deleted)
		       ? str_print(a, "cancelled%" STR_FMT, STR_ARG(str_slice(text, deleted.n, text.n)))
		       : text;
}

static const struct event_word *word_of(struct str what)
{
	for (size_t k = 0; k < sizeof event_words / sizeof *event_words; k++)
		if (str_is(what, event_words[k].what))
			return &event_words[k];
	return NULL;
}

/* An event as a row, so that pages continue behind it: its id is its number. */
struct record {
	struct row row;
	const struct event_word *word;
	struct str what, instance, text;
};

struct ec2_fleet_history {
	struct ec2_query query;
	struct ref fleet;
	struct str start, type;
	int64_t start_us;
	uuid id;
	bool is_instant;                 /* EC2 has no events of it */
	VEC(const struct row *) records; /* oldest first */
};
#define P(wire, member, ...) PARAM(struct ec2_fleet_history, wire, member, __VA_ARGS__)
static const struct param history_params[] = {
	P("FleetId", fleet, .flags = REQUIRED, .kind = KIND_FLEET, .doc = "The fleet."),
	P("StartTime", start, .flags = REQUIRED, .max = 64,
	  .doc = "Earliest event to return, at most 48 hours ago."),
	P("EventType", type, .words = "instance-change|fleet-change|service-error",
	  .doc = "Type of the events to return; absent: all types."),
	QUERY_PAGES(struct ec2_fleet_history, 1, 1000),
};
static const struct param spot_history_params[] = {
	P("SpotFleetRequestId", fleet, .flags = REQUIRED, .kind = KIND_FLEET, .prefix = ID_SPOT_FLEET,
	  .doc = "The spot fleet request."),
	P("StartTime", start, .flags = REQUIRED, .max = 64,
	  .doc = "Earliest event to return, at most 48 hours ago."),
	P("EventType", type, .words = "instanceChange|fleetRequestChange|error|information",
	  .doc = "Type of the events to return; absent: all types."),
	QUERY_PAGES(struct ec2_fleet_history, 1, 1000),
};
#undef P

static RESULT prepare_history(struct ec2_call *e, void *args)
{
	struct ec2_fleet_history *a = args;
	const struct fleet *fleet = NULL;
	TRY(find_fleet(e, &a->fleet, &fleet));
	a->is_instant = fleet->type == FLEET_TYPE_INSTANT;
	a->id = fleet->row.id;
	return ec2_take_spot_time(e, a->start, "StartTime", &a->start_us);
}

static uuid number_id(int64_t number)
{
	uuid id = UUID_NONE;
	for (int k = 0; k < 8; k++)
		id.b[15 - k] = (uint8_t) (number >> 8 * k);
	return id;
}

static RESULT keep_record(void *arg, const struct event *event)
{
	struct ec2_call *e = arg;
	struct ec2_fleet_history *a = e->args;
	const struct event_word *word = word_of(event->what);
	bool is_spot = is_of_spot_fleets(&a->fleet);
	if (!word || a->is_instant ||
	    (a->type.n && !str_equal_nocase(a->type, str_from(is_spot ? word->type : word->asked))))
		return OK;
	struct record *r = arena_new_object(e->c->arena, struct record);
	if (!r)
		return ctx_no_memory(e->c);
	*r = (struct record){.row = {.id = number_id(event->seq), .created_us = event->at_us},
			     .word = word,
			     .what = is_spot ? word_for_spot(e->c->arena, word->what) : str_from(word->what),
			     .text = str_copy(e->c->arena, event->text)};
	if (str_is(str_from(word->type), "instanceChange")) {
		size_t end = str_find_char(r->text, ' ', 0);
		r->instance = str_slice(r->text, 0, end);
		r->text = str_slice(r->text, end + 1, r->text.n);
	}
	return !arena_is_full(e->c->arena) && VEC_PUSH(e->c->arena, &a->records, &r->row)
		       ? OK
		       : ctx_no_memory(e->c);
}

static RESULT read_history(struct work_item *w)
{
	struct ec2_call *e = w->arg;
	const struct ec2_fleet_history *a = e->args;
	int64_t oldest_us = clock_now_us() - HISTORY_US;
	const struct event_query query = {.id = a->id,
					  .from_us = a->start_us > oldest_us ? a->start_us : oldest_us,
					  .max = HISTORY_MAX};
	return store_read_events(e->config->store, e->c, &query, keep_record, e);
}

static void write_record(struct xml *x, const struct record *r)
{
	xml_open(x, "item");
	xml_open(x, "eventInformation");
	xml_text_opt(x, "eventDescription", r->text);
	xml_text(x, "eventSubType", r->what);
	xml_text_opt(x, "instanceId", r->instance);
	xml_close(x, "eventInformation");
	xml_z(x, "eventType", r->word->type);
	xml_time_ms(x, "timestamp", r->row.created_us);
	xml_close(x, "item");
}

static RESULT ec2_describe_fleet_history(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_fleet_history *a = args;
	struct query_page page;
	struct query q = {.c = e->c,
			  .limit = a->query.max_results ? (size_t) a->query.max_results : 1000,
			  .given = {a->records.at, a->records.count}};
	TRY(ec2_parse_token(e, a->query.next_token, &q.after));
	TRY(query_run(&q, &page));
	xml_open(x, "historyRecordSet");
	for (size_t k = 0; k < page.count; k++)
		write_record(x, (const struct record *) page.rows[k]);
	xml_close(x, "historyRecordSet");
	if (page.found > page.count)
		xml_text(x, "nextToken", ec2_make_token(e, row_place_of(page.rows[page.count - 1])));
	else
		xml_time_ms(x, "lastEvaluatedTime", clock_now_us());
	write_fleet_id(x, &a->fleet);
	xml_time_ms(x, "startTime", a->start_us);
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeFleetInstances"), .args = PARAMS(struct ec2_fleet_instances, instances_params),
	 .answer = ec2_describe_fleet_instances, .filters = FILTERS(instance_filters),
	 .doc = "Lists the instances of a fleet of type request or maintain."},
	{EC2_ACTION("DescribeFleetHistory"), .flags = API_CHANGES_BY_TIME,
	 .args = PARAMS(struct ec2_fleet_history, history_params), .prepare = prepare_history,
	 .work = read_history, .answer = ec2_describe_fleet_history,
	 .doc = "Lists the events of a fleet, including the reasons of failed launches."},
	{EC2_ACTION("DescribeSpotFleetInstances"),
	 .args = PARAMS(struct ec2_fleet_instances, spot_instances_params),
	 .answer = ec2_describe_fleet_instances, .doc = "Lists the instances of a spot fleet request."},
	{EC2_ACTION("DescribeSpotFleetRequestHistory"), .flags = API_CHANGES_BY_TIME,
	 .args = PARAMS(struct ec2_fleet_history, spot_history_params), .prepare = prepare_history,
	 .work = read_history, .answer = ec2_describe_fleet_history,
	 .doc = "Lists the events of a spot fleet request, including the reasons of failed launches."},
};
const struct api_actions ec2_fleet_member_actions = API_ACTIONS(actions);
