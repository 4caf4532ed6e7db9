/* SPDX-License-Identifier: Apache-2.0
 * Capacity reservations: DescribeCapacityReservations, CreateCapacityReservation, ModifyCapacityReservation,
 * CancelCapacityReservation, GetCapacityReservationUsage, ModifyInstanceCapacityReservationAttributes. Launching into one:
 * run_instances.c. */
#include "api/ec2/compute/capacity_reservations.h"

#include "api/ec2/compute/spot_requests.h"
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/reservation/capacity_preference.h"
#include "engine/reservation/capacity_reservation.h"
#include "store/account.h"
#include "store/capacity_reservation.h"
#include "store/zone.h"

/* ---- describe ---- */

struct ec2_describe_capacity {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_capacity, "CapacityReservationId", KIND_CAPACITY_RESERVATION,
		  "Capacity reservations by id."),
	QUERY_FILTERS(struct ec2_describe_capacity),
	QUERY_PAGES(struct ec2_describe_capacity, 1, 1000),
};

static const char *state_of(const struct capacity_reservation *r)
{
	return row_is_live(&r->row) ? "active" : r->has_expired ? "expired" : "cancelled";
}

static const char *const platforms[] = {"Linux/UNIX", "Windows"};
static const char *const criteria[] = {"open", "targeted"};

ATTRIBUTE_GETTER(capacity_reservation, r, const char *, get_state, state_of(r))
ATTRIBUTE_GETTER(capacity_reservation, r, const char *, get_end_type, r->end_us ? "limited" : "unlimited")
ATTRIBUTE_GETTER(capacity_reservation, r, int64_t, count_free, (int64_t) r->hosts.count)
ATTRIBUTE_GETTER(capacity_reservation, r, struct str, write_arn,
		 ec2_arn(ec2_call_of(e), "capacity-reservation", KIND_CAPACITY_RESERVATION, r->row.id))

#define SELF capacity_reservation
static const struct attribute capacity_rows[] = {
	ATTRIBUTE_OWN_ID(SELF, "capacityReservationId", KIND_CAPACITY_RESERVATION),
	ATTRIBUTE_OF(SELF, account, KIND_ACCOUNT, account, "ownerId", number, .filter = "owner-id"),
	ATTRIBUTE_MADE(TEXT, text, "capacityReservationArn", write_arn),
	ATTRIBUTE_OF(SELF, zone, KIND_ZONE, zone, "availabilityZoneId", short_id),
	ATTRIBUTE(SELF, "instanceType", type, .filter = "instance-type"),
	ATTRIBUTE_AS(ENUM, SELF, "instancePlatform", platform, .words = platforms,
		     .filter = "instance-platform"),
	ATTRIBUTE_OF(SELF, zone, KIND_ZONE, zone, "availabilityZone", name, .filter = "availability-zone"),
	ATTRIBUTE_CONST("tenancy", "default", .filter = "tenancy"),
	ATTRIBUTE(SELF, "totalInstanceCount", count),
	ATTRIBUTE_MADE(INT, number, "availableInstanceCount", count_free),
	ATTRIBUTE(SELF, "ebsOptimized", ebs_optimized),
	ATTRIBUTE(SELF, "ephemeralStorage", ephemeral_storage),
	ATTRIBUTE_MADE(WORD, word, "state", get_state, .filter = "state"),
	ATTRIBUTE_AS(TIME, SELF, "startDate", row.created_us, .filter = "start-date"),
	ATTRIBUTE_AS(TIME, SELF, "endDate", end_us, .flags = ATTRIBUTE_OMIT_NONE, .filter = "end-date"),
	ATTRIBUTE_MADE(WORD, word, "endDateType", get_end_type, .filter = "end-date-type"),
	ATTRIBUTE(SELF, "instanceMatchCriteria", is_targeted, .words = criteria,
		  .filter = "instance-match-criteria"),
	ATTRIBUTE_AS(TIME, SELF, "createDate", row.created_us),
	ATTRIBUTE(SELF, "tagSet", tags),
	ATTRIBUTE_NOTHING("outpost-arn"),
	ATTRIBUTE_NOTHING("placement-group-arn"),
};
#undef SELF
static const struct attributes capacity_members = ATTRIBUTES(capacity_rows);

static const struct ec2_listing capacity_listing = {.kind = KIND_CAPACITY_RESERVATION,
						    .set = "capacityReservationSet",
						    .filters = FILTERS_OF(capacity_members),
						    .attributes = &capacity_members,
						    .shows_ended = true};

/* ---- create ---- */

#define ALL_PLATFORMS                                                                                        \
	"Linux/UNIX|Red Hat Enterprise Linux|SUSE Linux|Windows|Windows with SQL Server|"                    \
	"Windows with SQL Server Enterprise|Windows with SQL Server Standard|Windows with SQL Server Web|"   \
	"Linux with SQL Server Standard|Linux with SQL Server Web|Linux with SQL Server Enterprise|"         \
	"RHEL with SQL Server Standard|RHEL with SQL Server Enterprise|RHEL with SQL Server Web|"            \
	"RHEL with HA|RHEL with HA and SQL Server Standard|RHEL with HA and SQL Server Enterprise|"          \
	"Ubuntu Pro"

struct ec2_create_capacity {
	struct capacity_wish wish;
	struct ref zone_id;
	struct str platform, end, end_type, criteria;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_capacity, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("InstanceType", wish.type, .flags = REQUIRED | BY_NAME, .kind = KIND_INSTANCE_TYPE, .max = 255,
	  .doc = "Instance type that the reservation holds capacity for."),
	P("InstancePlatform", platform, .flags = REQUIRED, .words = ALL_PLATFORMS,
	  .doc = "Operating system of the instances: Linux/UNIX or Windows."),
	P("InstanceCount", wish.count, .flags = REQUIRED, .min = 1, .max = CAPACITY_UNITS_MAX,
	  .doc = "Number of instances to reserve for. Fails if not all fit."),
	P("AvailabilityZone", wish.zone, .flags = BY_NAME, .kind = KIND_ZONE, .max = 255,
	  .doc = "Availability Zone by name."),
	P("AvailabilityZoneId", zone_id, .flags = BY_NAME, .kind = KIND_ZONE, .max = 255,
	  .doc = "Availability Zone by id, instead of its name."),
	P("EndDateType", end_type, .words = "unlimited|limited",
	  .doc = "limited: the reservation ends at EndDate; unlimited: it ends when it is cancelled."),
	P("EndDate", end, .max = 64, .doc = "End time of a limited reservation."),
	P("InstanceMatchCriteria", criteria, .words = "open|targeted",
	  .doc = "targeted: only instances that name the reservation use it. Absent or open: all matching "
		 "instances do."),
	P("EbsOptimized", wish.ebs_optimized, .doc = "Stored and shown; has no effect."),
	P("EphemeralStorage", wish.ephemeral_storage, .doc = "Stored and shown; has no effect."),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Idempotency token of the request."),
	PARAM_LIST(struct ec2_create_capacity, "TagSpecifications", tag_specs, ec2_tag_spec_params, .max = 20,
		   .doc = "Tags of the new resource, by resource type."),
	NOT_BUILT("Tenancy", .only = "default"),
	NOT_BUILT("OutpostArn|PlacementGroupArn|StartDate|CommitmentDuration|DeliveryPreference"),
};
#undef P

/* A limited end needs a date, and an unlimited one has none. Without a type the date decides. */
static RESULT take_end(struct ec2_call *e, struct str type, struct str end, int64_t *ret_end_us)
{
	*ret_end_us = 0;
	if (str_is(type, "limited") && !end.n)
		return ctx_fail_field(e->c, ERR_MISSING, STR("EndDate"),
				      "The request must contain the parameter EndDate");
	if (str_is(type, "unlimited") && end.n)
		return ctx_fail_field(
			e->c, ERR_COMBINATION, STR("EndDate"),
			"The parameter EndDate cannot be used with the EndDateType 'unlimited'");
	return ec2_take_spot_time(e, end, "EndDate", ret_end_us);
}

static RESULT take_platform(struct ec2_call *e, struct str text, enum capacity_reservation_platform *ret)
{
	*ret = str_is(text, platforms[CAPACITY_RESERVATION_PLATFORM_WINDOWS])
		       ? CAPACITY_RESERVATION_PLATFORM_WINDOWS
		       : CAPACITY_RESERVATION_PLATFORM_LINUX;
	if (str_is(text, platforms[*ret]))
		return OK;
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("InstancePlatform"),
			      "Capacity is reserved for Linux/UNIX and Windows, whatever a guest's licences "
			      "are");
}

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_capacity *a = args;
	if (a->wish.zone.kind != KIND_NONE && a->zone_id.kind != KIND_NONE)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("AvailabilityZoneId"),
				      "Specify either AvailabilityZone or AvailabilityZoneId");
	if (a->zone_id.kind != KIND_NONE)
		a->wish.zone = a->zone_id;
	if (a->wish.zone.kind == KIND_NONE)
		return ctx_fail_field(e->c, ERR_MISSING, STR("AvailabilityZone"),
				      "The request must contain the parameter AvailabilityZone");
	TRY(take_platform(e, a->platform, &a->wish.platform));
	TRY(take_end(e, a->end_type, a->end, &a->wish.end_us));
	a->wish.is_targeted = str_is(a->criteria, "targeted");
	return OK;
}

/* ---- modify and cancel ---- */

struct ec2_modify_capacity {
	struct capacity_settings wish;
	struct str end, end_type, criteria;
};
#define RESERVATION(T, m)                                                                                    \
	PARAM(T, "CapacityReservationId", m, .flags = REQUIRED, .kind = KIND_CAPACITY_RESERVATION,           \
	      .doc = "The capacity reservation.")
#define P(wire, member, ...) PARAM(struct ec2_modify_capacity, wire, member, __VA_ARGS__)
static const struct param modify_params[] = {
	RESERVATION(struct ec2_modify_capacity, wish.reservation),
	P("InstanceCount", wish.count, .min = 1, .max = CAPACITY_UNITS_MAX,
	  .doc = "New number of instances."),
	P("EndDateType", end_type, .words = "unlimited|limited",
	  .doc = "limited: the reservation ends at EndDate; unlimited: it ends when it is cancelled."),
	P("EndDate", end, .max = 64, .doc = "End time of a limited reservation."),
	P("InstanceMatchCriteria", criteria, .words = "open|targeted",
	  .doc = "targeted: only instances that name the reservation use it; open: all matching instances "
		 "do."),
	NOT_BUILT("Accept", .only = "true|false"),
	NOT_BUILT("AdditionalInfo"),
};
#undef P

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_capacity *a = args;
	a->wish.set_end = a->end.n || a->end_type.n;
	if (a->criteria.n)
		a->wish.is_targeted = str_is(a->criteria, "targeted") ? CHOICE_YES : CHOICE_NO;
	return take_end(e, a->end_type, a->end, &a->wish.end_us);
}

static const struct param cancel_params[] = {RESERVATION(struct capacity_target, reservation)};

/* ---- usage ---- */

struct ec2_capacity_usage {
	struct ref reservation;
	int64_t max_results;
	struct str next_token;
};
#define P(wire, member, ...) PARAM(struct ec2_capacity_usage, wire, member, __VA_ARGS__)
static const struct param usage_params[] = {
	RESERVATION(struct ec2_capacity_usage, reservation),
	P("MaxResults", max_results, .min = 1, .max = 1000, .doc = "Maximum number of results in one page."),
	P("NextToken", next_token, .min = 1, .max = 256,
	  .doc = "Accepted; there is always a single page, because only one account can use a reservation."),
};
#undef P

static RESULT ec2_get_capacity_reservation_usage(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_capacity_usage *a = args;
	const struct row *row = NULL;
	struct row_place after = {0};
	TRY(ec2_parse_token(e, a->next_token, &after));
	TRY(engine_find_listed(e->c, ec2_tables(e), KIND_CAPACITY_RESERVATION, &a->reservation, &row));
	const struct capacity_reservation *r = capacity_reservation_of(row);
	int64_t used = engine_count_capacity_used(ec2_tables(e), row->id);
	ec2_release_tables(e);
	ec2_write_id(x, "capacityReservationId", KIND_CAPACITY_RESERVATION, row->id);
	xml_text(x, "instanceType", r->type);
	xml_int(x, "totalInstanceCount", r->count);
	xml_int(x, "availableInstanceCount", (int64_t) r->hosts.count);
	xml_z(x, "state", state_of(r));
	xml_open(x, "instanceUsageSet");
	if (used > 0) {
		xml_open(x, "item");
		xml_text(x, "accountId", e->owner);
		xml_int(x, "usedInstanceCount", used);
		xml_close(x, "item");
	}
	xml_close(x, "instanceUsageSet");
	return OK;
}

/* ---- preferences of instances ---- */

RESULT ec2_take_capacity(struct ec2_call *e, const struct ec2_capacity_options *o,
			 enum instance_capacity_preference *ret_preference, struct ref *ret_target)
{
	bool is_only = str_is(o->preference, "capacity-reservations-only");
	*ret_preference = is_only ? INSTANCE_CAPACITY_PREFERENCE_CAPACITY_RESERVATIONS_ONLY
			  : str_is(o->preference, "none") ? INSTANCE_CAPACITY_PREFERENCE_NONE
							  : INSTANCE_CAPACITY_PREFERENCE_OPEN;
	*ret_target = o->target;
	if (!o->preference.n || o->target.kind == KIND_NONE || is_only)
		return OK;
	return ctx_fail_field(
		e->c, ERR_COMBINATION, STR("CapacityReservationSpecification"),
		"A capacity reservation preference and a capacity reservation target may not be specified "
		"together");
}

struct ec2_prefer_capacity {
	struct capacity_preferring wish;
	struct ec2_capacity_options options;
};
static const struct param prefer_params[] = {
	PARAM(struct ec2_prefer_capacity, "InstanceId", wish.instance, .flags = REQUIRED,
	      .kind = KIND_INSTANCE, .doc = "A stopped instance."),
	EC2_CAPACITY_OPTIONS(struct ec2_prefer_capacity, options),
};

static RESULT prepare_prefer(struct ec2_call *e, void *args)
{
	struct ec2_prefer_capacity *a = args;
	if (!a->options.preference.n && a->options.target.kind == KIND_NONE)
		return ctx_fail_field(
			e->c, ERR_MISSING, STR("CapacityReservationSpecification"),
			"The request must contain the parameter CapacityReservationSpecification");
	return ec2_take_capacity(e, &a->options, &a->wish.preference, &a->wish.target);
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeCapacityReservations"),
	 .args = PARAMS(struct ec2_describe_capacity, describe_params), .list = &capacity_listing,
	 .doc = "Lists the account's capacity reservations. Ended ones stay listed for an hour."},
	{EC2_ACTION("CreateCapacityReservation"), .flags = API_WRITES, .returns = KIND_CAPACITY_RESERVATION,
	 .args = PARAMS(struct ec2_create_capacity, create_params), .prepare = prepare_create,
	 EC2_TAGS(struct ec2_create_capacity, "capacity-reservation"), EC2_DIGEST(struct ec2_create_capacity),
	 .operation = engine_create_capacity_reservation_run,
	 EC2_SHOWS(capacity_listing, struct ec2_create_capacity, wish.made, "capacityReservation"),
	 .doc = "Reserves capacity in a zone for instances of one type."},
	{EC2_ACTION("ModifyCapacityReservation"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_capacity, modify_params), .prepare = prepare_modify,
	 .operation = engine_update_capacity_reservation_run,
	 .doc = "Changes the size and end of a reservation, and which instances may use it."},
	{EC2_ACTION("CancelCapacityReservation"), .flags = API_WRITES,
	 .args = PARAMS(struct capacity_target, cancel_params),
	 .operation = engine_cancel_capacity_reservation_run,
	 .doc = "Cancels a reservation. Its instances keep running without it."},
	{EC2_ACTION("GetCapacityReservationUsage"), .args = PARAMS(struct ec2_capacity_usage, usage_params),
	 .answer = ec2_get_capacity_reservation_usage, .doc = "Counts the instances that use a reservation."},
	{EC2_ACTION("ModifyInstanceCapacityReservationAttributes"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_prefer_capacity, prefer_params), .prepare = prepare_prefer,
	 .operation = engine_set_capacity_preference_run,
	 .doc = "Sets which capacity reservations a stopped instance may use."},
};
const struct api_actions ec2_capacity_actions = API_ACTIONS(actions);
