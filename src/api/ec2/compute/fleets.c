/* SPDX-License-Identifier: Apache-2.0
 * Fleets: CreateFleet, ModifyFleet, DescribeFleets. Launch templates and overrides: fleet_configs.c. What a fleet has and what happened to it: fleet_members.c;
 * its deletion: fleet_deletion.c. */
#include "api/ec2/compute/fleets.h"

#include "api/ec2/compute/instances.h"
#include "api/ec2/compute/spot_requests.h"
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "auth/guard/guard.h"
#include "engine/instance/launch/fleet.h"
#include "model/fleet.h"
#include "store/instance.h"
#include "store/instance_type.h"

#define CONFIGS "LaunchTemplateConfigs"

/* ---- create ---- */

/* Target capacity in units. */
struct ec2_fleet_target {
	int64_t total, on_demand, spot;
	bool has_total, has_on_demand, has_spot;
	struct str default_type;
};
#define TARGET "TargetCapacitySpecification."
#define TARGET_ROW(T, m, wire, member, ...)                                                                  \
	PARAM(T, TARGET wire, m.member, .min = 0, .max = FLEET_TARGET_MAX,                                   \
	      .given = offsetof(T, m.has_##member) + 1, __VA_ARGS__)
#define TARGET_ROWS(T, m, needs_total)                                                                       \
	TARGET_ROW(T, m, "TotalTargetCapacity", total, .flags = (needs_total),                               \
		   .doc = "Target capacity in units."),                                                      \
		TARGET_ROW(T, m, "OnDemandTargetCapacity", on_demand,                                        \
			   .doc = "Units of the target capacity to launch on demand."),                      \
		TARGET_ROW(T, m, "SpotTargetCapacity", spot,                                                 \
			   .doc = "Units of the target capacity to launch as spot."),                        \
		NOT_BUILT(TARGET "TargetCapacityUnitType", .only = "units")

struct ec2_create_fleet {
	struct fleet_wish wish;
	struct ec2_fleet_configs configs;
	struct ec2_fleet_target target;
	int64_t min_target;
	struct str type, strategy, spot_strategy, excess, from, until;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_fleet, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	PARAM_LIST(struct ec2_create_fleet, CONFIGS, configs, ec2_fleet_config_params, .flags = REQUIRED,
		   .max = 50, .doc = "Launch templates and their overrides."),
	TARGET_ROWS(struct ec2_create_fleet, target, REQUIRED),
	P(TARGET "DefaultTargetCapacityType", target.default_type, .words = "spot|on-demand|capacity-block",
	  .absent = "spot",
	  .doc = "Purchasing option of the units that OnDemandTargetCapacity and SpotTargetCapacity leave."),
	P("Type", type, .words = "request|maintain|instant", .absent = "maintain",
	  .doc = "instant: launch once, before the answer; request: launch once, after the answer; maintain: "
		 "keep the target capacity."),
	P("OnDemandOptions.AllocationStrategy", strategy, .words = "lowest-price|prioritized|lowestPrice",
	  .absent = "lowest-price",
	  .doc = "Order of the overrides. lowest-price: smallest instance type first; prioritized: by "
		 "Priority."),
	P("OnDemandOptions.SingleInstanceType", wish.single_type,
	  .doc = "Instant fleet: launch a single instance type."),
	P("OnDemandOptions.SingleAvailabilityZone", wish.single_zone,
	  .doc = "Instant fleet: launch into a single zone."),
	P("OnDemandOptions.MinTargetCapacity", min_target, .min = 1, .max = 1000,
	  .doc = "Instant fleet: launch nothing if fewer units fit."),
	P("SpotOptions.AllocationStrategy", spot_strategy,
	  .words = "lowest-price|diversified|capacity-optimized|capacity-optimized-prioritized|"
		   "price-capacity-optimized|lowestPrice",
	  .absent = "lowest-price",
	  .doc = "Order of the spot overrides. lowest-price: smallest type first; the capacity-optimized "
		 "ones: "
		 "most free capacity first; diversified: equal shares."),
	P("ExcessCapacityTerminationPolicy", excess, .words = "no-termination|termination|terminate",
	  .absent = "termination",
	  .doc = "Whether instances are terminated when ModifyFleet lowers the target."),
	P("ValidFrom", from, .max = 64, .doc = "Earliest time of a launch."),
	P("ValidUntil", until, .max = 64, .doc = "Time at which the fleet is deleted."),
	P("TerminateInstancesWithExpiration", wish.ends_instances,
	  .doc = "Whether the instances are terminated when the fleet expires."),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Idempotency token of the request."),
	TAG_SPECIFICATIONS(struct ec2_create_fleet, tag_specs),
	NOT_BUILT("OnDemandOptions.MaxTotalPrice"),
	NOT_BUILT("OnDemandOptions.CapacityReservationOptions"),
	NOT_BUILT("SpotOptions.InstanceInterruptionBehavior", .only = "terminate"),
	NOT_BUILT("SpotOptions.SingleInstanceType|SpotOptions.SingleAvailabilityZone", .only = "false"),
	NOT_BUILT("SpotOptions.MaintenanceStrategies|SpotOptions.InstancePoolsToUseCount"),
	NOT_BUILT("SpotOptions.MinTargetCapacity|SpotOptions.MaxTotalPrice"),
	NOT_BUILT("Context|ReservedCapacityOptions"),
	NOT_BUILT("ReplaceUnhealthyInstances", .only = "false"),
};
#undef P

static RESULT refuse(struct ec2_call *e, const char *field, const char *words)
{
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, str_from(field), "%s", words);
}

static RESULT refuse_combination(struct ec2_call *e, const char *field, const char *words)
{
	return ctx_fail_field(e->c, ERR_COMBINATION, str_from(field), "%s", words);
}

static RESULT check_default_type(struct ec2_call *e, struct str default_type)
{
	if (!str_is(default_type, "capacity-block"))
		return OK;
	return refuse(
		e, TARGET "DefaultTargetCapacityType",
		"The parameter targetCapacitySpecification.defaultTargetCapacityType is supported as spot "
		"and on-demand only.");
}

static RESULT check_target(struct ec2_call *e, const struct ec2_fleet_target *t)
{
	TRY(check_default_type(e, t->default_type));
	if (t->on_demand > t->total)
		return refuse_combination(e, TARGET "OnDemandTargetCapacity",
					  "The on-demand target capacity must not be greater than the total "
					  "target capacity");
	if (t->on_demand + t->spot > t->total)
		return refuse_combination(e, TARGET "SpotTargetCapacity",
					  "The on-demand and the spot target capacity together must not be "
					  "greater than the total target capacity");
	return OK;
}

/* EC2 takes these for instant fleets alone. */
static RESULT check_lasting(struct ec2_call *e, const struct ec2_create_fleet *a)
{
	const char *field = a->wish.single_type   ? "OnDemandOptions.SingleInstanceType"
			    : a->wish.single_zone ? "OnDemandOptions.SingleAvailabilityZone"
			    : a->min_target       ? "OnDemandOptions.MinTargetCapacity"
						  : NULL;
	if (field)
		return ctx_fail_field(e->c, ERR_COMBINATION, str_from(field),
				      "The parameter %" STR_FMT
				      " is supported only for fleets of type instant",
				      STR_ARG(params_small_name(e->c->arena, str_from(field))));
	if (a->target.total == 0 && !str_is(a->type, "maintain"))
		return refuse_combination(e, TARGET "TotalTargetCapacity",
					  "A total target capacity of 0 is supported only for fleets of type "
					  "maintain");
	return OK;
}

static RESULT check_instant(struct ec2_call *e, const struct ec2_create_fleet *a)
{
	const char *field = a->from.n                ? "ValidFrom"
			    : a->until.n             ? "ValidUntil"
			    : a->wish.ends_instances ? "TerminateInstancesWithExpiration"
						     : NULL;
	if (field)
		return ctx_fail_field(e->c, ERR_COMBINATION, str_from(field),
				      "The parameter %" STR_FMT
				      " is not supported for fleets of type instant",
				      STR_ARG(params_small_name(e->c->arena, str_from(field))));
	if (a->target.total == 0)
		return refuse_combination(e, TARGET "TotalTargetCapacity",
					  "A total target capacity of 0 is supported only for fleets of type "
					  "maintain");
	if (a->min_target && !a->wish.single_type && !a->wish.single_zone)
		return refuse_combination(e, "OnDemandOptions.MinTargetCapacity",
					  "The parameter minTargetCapacity needs singleInstanceType or "
					  "singleAvailabilityZone");
	if (a->min_target * FLEET_UNIT > a->wish.target - a->wish.spot_target)
		return refuse_combination(
			e, "OnDemandOptions.MinTargetCapacity",
			"The minimum target capacity must not be greater than the total target "
			"capacity");
	return OK;
}

/* The words are those of the parameter's row; EC2 takes lowestPrice, too. */
static enum fleet_spot_strategy read_spot_strategy(struct str strategy)
{
	for (int k = 0; fleet_spot_strategy_words[k]; k++)
		if (str_is(strategy, fleet_spot_strategy_words[k]))
			return (enum fleet_spot_strategy) k;
	return FLEET_SPOT_STRATEGY_LOWEST_PRICE;
}

static RESULT take_times(struct ec2_call *e, struct ec2_create_fleet *a)
{
	struct fleet_wish *wish = &a->wish;
	TRY(ec2_take_spot_time(e, a->from, "ValidFrom", &wish->valid_from_us));
	TRY(ec2_take_spot_end(e, a->until, "ValidUntil", &wish->valid_until_us));
	if (wish->valid_until_us && wish->valid_from_us >= wish->valid_until_us)
		return refuse_combination(e, "ValidFrom",
					  "The request must be valid from an earlier time than until");
	return OK;
}

static RESULT take_kind(struct ec2_call *e, struct ec2_create_fleet *a)
{
	struct fleet_wish *wish = &a->wish;
	wish->type = str_is(a->type, "instant")   ? FLEET_TYPE_INSTANT
		     : str_is(a->type, "request") ? FLEET_TYPE_REQUEST
						  : FLEET_TYPE_MAINTAIN;
	TRY(check_target(e, &a->target));
	wish->target = a->target.total * FLEET_UNIT;
	wish->min_target = a->min_target * FLEET_UNIT;
	wish->spot_default = str_is(a->target.default_type, "spot");
	wish->spot_target =
		engine_split_fleet_target(&(struct fleet_split){.target = wish->target,
								.on_demand = a->target.on_demand * FLEET_UNIT,
								.spot = a->target.spot * FLEET_UNIT,
								.spot_default = wish->spot_default});
	wish->keeps_excess = str_is(a->excess, "no-termination");
	wish->is_prioritized = str_is(a->strategy, "prioritized");
	wish->spot_strategy = read_spot_strategy(a->spot_strategy);
	TRY(wish->type == FLEET_TYPE_INSTANT ? check_instant(e, a) : check_lasting(e, a));
	return take_times(e, a);
}

/* Instances of a fleet that is launched later get tags from the launch template alone. */
static RESULT take_fleet_tags(struct ec2_call *e, struct ec2_create_fleet *a)
{
	bool is_instant = a->wish.type == FLEET_TYPE_INSTANT;
	return ec2_take_tags(e, &a->tag_specs, "fleet",
			     is_instant ? "fleet|instance|volume|network-interface|spot-instances-request"
					: "fleet",
			     &a->wish.tags);
}

/* Messages without a source: EC2's texts for these cases were not found. */
static RESULT prepare_create(struct ec2_call *e, void *args)
{
	static const char *const not_in_digest[] = {"ClientToken", "DryRun", 0};
	struct ec2_create_fleet *a = args;
	struct fleet_wish *wish = &a->wish;
	TRY(take_kind(e, a));
	TRY(take_fleet_tags(e, a));
	TRY(ec2_take_fleet_overrides(e, &a->configs, &a->tag_specs, &wish->overrides, &wish->count));
	const struct ec2_fleet_kept kept = {&a->configs, wish->overrides, wish->count, CONFIGS ".",
					    wish->type == FLEET_TYPE_INSTANT};
	if (!kept.is_instant)
		TRY(ec2_check_fleet_overrides(e, &kept, &a->tag_specs));
	TRY(ec2_keep_fleet_configs(e, &kept, &wish->configs));
	wish->digest = pairs_digest(e->c, &e->pairs, not_in_digest);
	wish->guard = guards_later(e->config->guards);
	wish->tell = ec2_tell_problem;
	wish->arg = e;
	return OK;
}

/* ---- shown ---- */

struct fleet_item {
	const struct fleet *fleet;
	struct ec2_fleet_configs configs;
	struct fleet_units units;
	const char *state, *activity; /* activity NULL: none is shown */
	VEC(const struct instance *) instances;
	VEC(const struct instance_type *) types; /* of each instance; NULL: deleted */
};

const char *ec2_find_fleet_state(const struct tables *t, const struct fleet *fleet,
				 const char *const ended[static 3])
{
	if (row_is_live(&fleet->row))
		return fleet_stage_words[fleet->stage];
	return !engine_has_fleet_living(t, fleet) ? ended[0] : ended[fleet->keeps_instances ? 1 : 2];
}

static const char *state_of(const struct tables *t, const struct fleet *fleet)
{
	static const char *const ended[] = {"deleted", "deleted_running", "deleted_terminating"};
	return ec2_find_fleet_state(t, fleet, ended);
}

static bool is_any_terminating(const struct tables *t, uuid fleet)
{
	for (const struct instance *i = instance_first_by_fleet(t, fleet); i;
	     i = instance_next_by_fleet(t, i))
		if (!row_is_live(&i->row) && model_derive_instance_state(i) != INSTANCE_TERMINATED)
			return true;
	return false;
}

const char *ec2_find_fleet_activity(const struct tables *t, const struct fleet *fleet)
{
	struct fleet_units units = engine_count_fleet_units(t, fleet);
	if (fleet->type == FLEET_TYPE_INSTANT)
		return NULL;
	if (!row_is_live(&fleet->row))
		return is_any_terminating(t, fleet->row.id) ? "pending_termination" : NULL;
	if (units.spot < fleet->spot_target || units.on_demand < fleet->target - fleet->spot_target)
		return fleet->has_failed ? "error" : "pending_fulfillment";
	return is_any_terminating(t, fleet->row.id) && fleet->type == FLEET_TYPE_MAINTAIN
		       ? "pending_termination"
		       : "fulfilled";
}

static const void *gather_fleet(struct ec2_call *e, const struct row *row)
{
	struct fleet_item *item = arena_new_object(e->c->arena, struct fleet_item);
	const struct tables *t = ec2_tables(e);
	if (!item)
		return NULL;
	item->fleet = fleet_of(row);
	item->units = engine_count_fleet_units(t, item->fleet);
	item->state = state_of(t, item->fleet);
	item->activity = ec2_find_fleet_activity(t, item->fleet);
	if (!result_is_ok(ec2_read_fleet_configs(e, item->fleet, &item->configs)))
		return NULL;
	if (item->fleet->type != FLEET_TYPE_INSTANT)
		return item;
	for (const struct instance *i = instance_first_by_fleet(t, row->id); i;
	     i = instance_next_by_fleet(t, i)) {
		const struct instance_type *type = instance_type_find(t, i->type);
		if (!VEC_PUSH(e->c->arena, &item->instances, i) || !VEC_PUSH(e->c->arena, &item->types, type))
			return NULL;
	}
	return item;
}

static void write_override(struct ec2_call *e, struct xml *x, const char *name,
			   const struct ec2_fleet_override *o)
{
	xml_open(x, name);
	xml_text_opt(x, "instanceType", o->type);
	xml_text_opt(x, "subnetId", o->subnet);
	xml_text_opt(x, "availabilityZone", o->zone);
	ec2_write_double(e, x, "weightedCapacity", o->capacity);
	ec2_write_double(e, x, "priority", o->priority);
	if (o->placed_zone.n || o->affinity.n || o->group_name.n || o->group_id.n || o->partition ||
	    o->host.n || o->tenancy.n) {
		xml_open(x, "placement");
		xml_text_opt(x, "groupName", o->group_name);
		xml_close(x, "placement");
	}
	xml_text_opt(x, "imageId", o->image);
	xml_close(x, name);
}

static void write_way(struct ec2_call *e, struct xml *x, const struct fleet_item *i, size_t number,
		      bool is_spot)
{
	const struct ec2_fleet_config *config = NULL;
	const struct ec2_fleet_override *o = NULL;
	if (!ec2_find_fleet_override(&i->configs, number, &config, &o))
		return;
	xml_open(x, "launchTemplateAndOverrides");
	ec2_write_fleet_template(x, config);
	write_override(e, x, "overrides", o);
	xml_close(x, "launchTemplateAndOverrides");
	xml_z(x, "lifecycle", is_spot ? "spot" : "on-demand");
}

static void write_failures(struct ec2_call *e, struct xml *x, const struct fleet_item *i)
{
	const struct strs *failures = &i->fleet->failures;
	xml_open(x, "errorSet");
	for (size_t k = 0; k + 2 < failures->count; k += 3) {
		int64_t number = 0;
		size_t end = str_find_char(failures->at[k], ' ', 0);
		IGNORE(str_parse_int(str_slice(failures->at[k], 0, end), &number));
		xml_open(x, "item");
		write_way(e, x, i, (size_t) number, end < failures->at[k].n);
		xml_text(x, "errorCode", failures->at[k + 1]);
		xml_text(x, "errorMessage", failures->at[k + 2]);
		xml_close(x, "item");
	}
	xml_close(x, "errorSet");
}

static void write_launched(struct ec2_call *e, struct xml *x, const struct fleet_item *i, size_t number,
			   bool is_spot)
{
	const struct instance_type *type = NULL;
	const struct instance *first = NULL;
	for (size_t k = 0; k < i->instances.count; k++) {
		const struct instance *one = i->instances.at[k];
		if ((size_t) one->fleet_override != number || uuid_is_none(one->spot_request) == is_spot)
			continue;
		if (!first) {
			xml_open(x, "item");
			write_way(e, x, i, number, is_spot);
			xml_open(x, "instanceIds");
		}
		first = one;
		type = i->types.at[k];
		ec2_write_id(x, "item", KIND_INSTANCE, one->row.id);
	}
	if (!first)
		return;
	xml_close(x, "instanceIds");
	if (type)
		xml_text(x, "instanceType", type->name);
	if (first->platform == INSTANCE_PLATFORM_WINDOWS)
		xml_z(x, "platform", "Windows");
	xml_close(x, "item");
}

static void write_outcome(struct ec2_call *e, struct xml *x, const struct fleet_item *i)
{
	size_t count = ec2_count_fleet_overrides(&i->configs);
	if (i->fleet->type != FLEET_TYPE_INSTANT)
		return;
	write_failures(e, x, i);
	xml_open(x, "fleetInstanceSet");
	for (size_t k = 0; k < 2 * count; k++)
		write_launched(e, x, i, k % count, k >= count);
	xml_close(x, "fleetInstanceSet");
}

static void write_configs(struct ec2_call *e, struct xml *x, const struct ec2_fleet_configs *configs)
{
	xml_open(x, "launchTemplateConfigs");
	for (size_t k = 0; k < configs->count; k++) {
		const struct ec2_fleet_config *config = &configs->at[k];
		xml_open(x, "item");
		ec2_write_fleet_template(x, config);
		xml_open(x, "overrides");
		for (size_t n = 0; n < config->overrides.count; n++)
			write_override(e, x, "item", &config->overrides.at[n]);
		xml_close(x, "overrides");
		xml_close(x, "item");
	}
	xml_close(x, "launchTemplateConfigs");
}

static void write_target(struct xml *x, const struct fleet *fleet)
{
	xml_open(x, "targetCapacitySpecification");
	xml_int(x, "totalTargetCapacity", fleet->target / FLEET_UNIT);
	xml_int(x, "onDemandTargetCapacity", (fleet->target - fleet->spot_target) / FLEET_UNIT);
	xml_int(x, "spotTargetCapacity", fleet->spot_target / FLEET_UNIT);
	xml_z(x, "defaultTargetCapacityType", fleet->spot_default ? "spot" : "on-demand");
	xml_close(x, "targetCapacitySpecification");
}

static void write_options(struct xml *x, const struct fleet *fleet)
{
	xml_open(x, "spotOptions");
	xml_z(x, "allocationStrategy", fleet_spot_strategy_words[fleet->spot_strategy]);
	xml_z(x, "instanceInterruptionBehavior", "terminate");
	xml_close(x, "spotOptions");
	xml_open(x, "onDemandOptions");
	xml_z(x, "allocationStrategy", fleet->is_prioritized ? "prioritized" : "lowest-price");
	xml_bool(x, "singleInstanceType", fleet->single_type);
	xml_bool(x, "singleAvailabilityZone", fleet->single_zone);
	if (fleet->min_target)
		xml_int(x, "minTargetCapacity", fleet->min_target / FLEET_UNIT);
	xml_close(x, "onDemandOptions");
}

static void write_fleet(struct ec2_call *e, struct xml *x, const void *data)
{
	const struct fleet_item *i = data;
	const struct fleet *fleet = i->fleet;
	if (i->activity)
		xml_z(x, "activityStatus", i->activity);
	ec2_write_id(x, "fleetId", KIND_FLEET, fleet->row.id);
	xml_time_ms(x, "createTime", fleet->row.created_us);
	xml_z(x, "fleetState", i->state);
	xml_text_opt(x, "clientToken", fleet->client_token);
	if (fleet->type != FLEET_TYPE_INSTANT)
		xml_z(x, "excessCapacityTerminationPolicy",
		      fleet->keeps_excess ? "no-termination" : "termination");
	ec2_write_thousandths(e, x, "fulfilledCapacity", i->units.on_demand + i->units.spot);
	ec2_write_thousandths(e, x, "fulfilledOnDemandCapacity", i->units.on_demand);
	write_configs(e, x, &i->configs);
	write_target(x, fleet);
	xml_bool(x, "terminateInstancesWithExpiration", fleet->ends_instances);
	xml_z(x, "type", fleet_type_words[fleet->type]);
	if (fleet->valid_from_us)
		xml_time_ms(x, "validFrom", fleet->valid_from_us);
	if (fleet->valid_until_us)
		xml_time_ms(x, "validUntil", fleet->valid_until_us);
	xml_bool(x, "replaceUnhealthyInstances", false);
	write_options(x, fleet);
	ec2_write_tags(x, fleet->tags);
	write_outcome(e, x, i);
}

/* ---- describe ---- */

struct ec2_describe_fleets {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_fleets, "FleetId", KIND_FLEET,
		  "Fleets by id. Instant fleets are listed only by id."),
	QUERY_FILTERS(struct ec2_describe_fleets),
	QUERY_PAGES(struct ec2_describe_fleets, 1, 1000),
};

/* EC2's filters have hyphens where its answers have underscores. */
static bool fits_word(const struct filter_run *f, const char *word)
{
	char hyphened[32];
	size_t n = 0;
	for (; word && word[n] && n + 1 < sizeof hyphened; n++)
		hyphened[n] = word[n] == '_' ? '-' : word[n];
	hyphened[n] = 0;
	return word && (filter_z(f, word) || filter_z(f, hyphened));
}

static bool fits_state(const struct filter_run *f, const struct row *row)
{
	return fits_word(f, state_of(f->t, fleet_of(row)));
}

static bool fits_activity(const struct filter_run *f, const struct row *row)
{
	return fits_word(f, ec2_find_fleet_activity(f->t, fleet_of(row)));
}

/* EC2's reference has true and false, its answers have words. */
static bool fits_excess(const struct filter_run *f, const struct row *row)
{
	const struct fleet *fleet = fleet_of(row);
	return fleet->type != FLEET_TYPE_INSTANT &&
	       (filter_bool(f, !fleet->keeps_excess) ||
		filter_z(f, fleet->keeps_excess ? "no-termination" : "termination"));
}

static const struct filter fleet_filters[] = {
	{"activity-status", .get = fits_activity},
	{"excess-capacity-termination-policy", .get = fits_excess},
	{"fleet-state", .get = fits_state},
	{"replace-unhealthy-instances", .fixed = "false"},
	{"type", .field = "type"},
};

/* EC2 shows instant fleets only when they are named by id. Spot fleets have calls of their own (spot_fleets.c). */
static bool is_shown(struct ec2_call *e, const struct row *row)
{
	const struct ec2_describe_fleets *a = e->args;
	return e->action->operation ||
	       (!id_is_spot_fleet(row->id) &&
		(fleet_of(row)->type != FLEET_TYPE_INSTANT || a->query.ids.count > 0));
}

static const struct ec2_listing fleet_listing = {.kind = KIND_FLEET,
						 .set = "fleetSet",
						 .filters = FILTERS(fleet_filters),
						 .shows = is_shown,
						 .is_hiding = true,
						 .gather = gather_fleet,
						 .write = write_fleet,
						 .shows_ended = true};

static RESULT ec2_create_fleet(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_fleet *a = args;
	const struct row *row = NULL;
	const void **items = NULL;
	TRY(ec2_find_returned(e, a->wish.fleet, &row));
	TRY(ec2_gather(e, &fleet_listing, &row, 1, &items));
	ec2_write_id(x, "fleetId", KIND_FLEET, a->wish.fleet);
	write_outcome(e, x, items[0]);
	return OK;
}

/* ---- modify ---- */

struct ec2_modify_fleet {
	struct fleet_update wish;
	struct ec2_fleet_target target;
	struct str excess;
};
#define P(wire, member, ...) PARAM(struct ec2_modify_fleet, wire, member, __VA_ARGS__)
static const struct param modify_params[] = {
	P("FleetId", wish.fleet, .flags = REQUIRED, .kind = KIND_FLEET, .doc = "A fleet of type maintain."),
	TARGET_ROWS(struct ec2_modify_fleet, target, 0),
	P(TARGET "DefaultTargetCapacityType", target.default_type, .words = "spot|on-demand|capacity-block",
	  .doc = "Purchasing option of the units that are left; absent: unchanged."),
	P("ExcessCapacityTerminationPolicy", excess, .words = "no-termination|termination",
	  .doc = "Whether instances are terminated when the target is lowered; absent: unchanged."),
	NOT_BUILT("LaunchTemplateConfig|Context"),
};
#undef P

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_fleet *a = args;
	const struct ec2_fleet_target *t = &a->target;
	struct fleet_update *wish = &a->wish;
	if (!t->has_total && (t->has_on_demand || t->has_spot || t->default_type.n))
		return ctx_fail_field(e->c, ERR_MISSING, STR(TARGET "TotalTargetCapacity"),
				      "The request must contain the parameter "
				      "targetCapacitySpecification.totalTargetCapacity");
	wish->has_target = t->has_total;
	if (wish->has_target)
		TRY(check_target(e, t));
	wish->target = t->total * FLEET_UNIT;
	wish->on_demand = t->has_on_demand ? t->on_demand * FLEET_UNIT : -1;
	wish->spot = t->has_spot ? t->spot * FLEET_UNIT : -1;
	if (t->default_type.n)
		wish->spot_default = str_is(t->default_type, "spot") ? CHOICE_YES : CHOICE_NO;
	if (a->excess.n)
		wish->keeps_excess = str_is(a->excess, "no-termination") ? CHOICE_YES : CHOICE_NO;
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("CreateFleet"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_fleet, create_params), .prepare = prepare_create,
	 .operation = engine_create_fleet_run, .answer = ec2_create_fleet, .returns = KIND_FLEET,
	 .doc = "Launches instances of several templates, types and subnets."},
	{EC2_ACTION("ModifyFleet"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_fleet, modify_params), .prepare = prepare_modify,
	 .operation = engine_update_fleet_run,
	 .doc = "Changes the target capacity of a fleet of type maintain."},
	{EC2_ACTION("DescribeFleets"), .args = PARAMS(struct ec2_describe_fleets, describe_params),
	 .list = &fleet_listing,
	 .doc = "Lists fleets. An instant fleet is listed only if it is named, with its instances."},
};
const struct api_actions ec2_fleet_actions = API_ACTIONS(actions);
