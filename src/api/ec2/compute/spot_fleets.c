/* SPDX-License-Identifier: Apache-2.0
 * Spot fleets: RequestSpotFleet, ModifySpotFleetRequest, DescribeSpotFleetRequests. A spot fleet is a fleet of type request or
 * maintain with an id of its own (model/id.h), whose parameters are stored as they were sent. Launch specifications:
 * spot_fleet_specs.c. Instances and history: fleet_members.c; cancellation: fleet_deletion.c. Source: EC2 API Reference,
 * "SpotFleetRequestConfigData". */
#include "api/ec2/compute/instances.h"
#include "api/ec2/compute/spot_fleet_specs.h"
#include "api/ec2/compute/spot_requests.h"
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "auth/guard/guard.h"
#include "engine/instance/launch/fleet.h"
#include "model/fleet.h"

#define CONFIG SPOT_FLEET_CONFIG
enum { SPECS_MAX = 50, ITEM_SIZE = 16 * 1024 };

/* ---- parameters ---- */

static const struct param override_rows[] = {
	EC2_FLEET_OVERRIDE_ROWS,
	PARAM(struct ec2_fleet_override, "SpotPrice", price, .max = 32,
	      .doc = "Maximum price per hour; absent: the request's. Stored and "
		     "shown."),
	NOT_BUILT("InstanceRequirements|AvailabilityZoneId")};
static const struct params override_params = PARAMS(struct ec2_fleet_override, override_rows);
static const struct param config_rows[] = {EC2_FLEET_CONFIG_ROWS(override_params)};
static const struct params config_params = PARAMS(struct ec2_fleet_config, config_rows);

/* A request's configuration, as it is stored, too. */
struct ec2_spot_config {
	struct ec2_spot_specs specs;
	struct ec2_fleet_configs configs;
	struct str role, price, strategy, on_demand_strategy, excess, type, from, until, client_token;
	int64_t target, on_demand;
	bool ends_instances;
};
#define P(T, m, wire, member, ...) PARAM(T, CONFIG wire, m.member, __VA_ARGS__)
#define CONFIG_ROWS(T, m)                                                                                    \
	P(T, m, "IamFleetRole", role, .flags = REQUIRED, .max = 2048,                                        \
	  .doc = "ARN of a role. Stored and shown: instances are launched with the rights of the caller."),  \
		P(T, m, "TargetCapacity", target, .flags = REQUIRED, .min = 0, .max = FLEET_TARGET_MAX,      \
		  .doc = "Target capacity in units."),                                                       \
		P(T, m, "OnDemandTargetCapacity", on_demand, .min = 0, .max = FLEET_TARGET_MAX,              \
		  .doc = "Units of the target capacity to launch on demand."),                               \
		P(T, m, "SpotPrice", price, .max = 32,                                                       \
		  .doc = "Maximum price per hour; absent: the on-demand price. Stored and shown."),          \
		P(T, m, "AllocationStrategy", strategy,                                                      \
		  .words = "lowestPrice|diversified|capacityOptimized|capacityOptimizedPrioritized|"         \
			   "priceCapacityOptimized",                                                         \
		  .absent = "lowestPrice",                                                                   \
		  .doc = "Order of the spot launches. lowestPrice: smallest type first; the "                \
			 "capacityOptimized ones: most free capacity first; diversified: equal shares."),    \
		P(T, m, "OnDemandAllocationStrategy", on_demand_strategy,                                    \
		  .words = "lowestPrice|prioritized", .absent = "lowestPrice",                               \
		  .doc = "Order of the on-demand launches. lowestPrice: smallest type first; prioritized: "  \
			 "by Priority."),                                                                    \
		P(T, m, "ExcessCapacityTerminationPolicy", excess, .words = "noTermination|default",         \
		  .absent = "default",                                                                       \
		  .doc = "Whether instances are terminated when the target is lowered."),                    \
		P(T, m, "Type", type, .words = "request|maintain", .absent = "maintain",                     \
		  .doc = "request: launch once; maintain: keep the target capacity."),                       \
		P(T, m, "TerminateInstancesWithExpiration", ends_instances,                                  \
		  .doc = "Whether the instances are terminated when the request expires."),                  \
		P(T, m, "ValidFrom", from, .max = 64, .doc = "Earliest time of a launch."),                  \
		P(T, m, "ValidUntil", until, .max = 64, .doc = "Time at which the request expires."),        \
		P(T, m, "ClientToken", client_token, .max = 64, .doc = "Idempotency token of the request."), \
		PARAM_LIST(T, CONFIG "LaunchSpecifications", m.specs, ec2_spot_spec_params,                  \
			   .max = SPECS_MAX, .doc = "Launch specifications, instead of launch templates."),  \
		PARAM_LIST(T, CONFIG "LaunchTemplateConfigs", m.configs, config_params, .max = SPECS_MAX,    \
			   .doc = "Launch templates and their overrides.")

struct ec2_request_spot_fleet {
	struct fleet_wish wish;
	struct ec2_spot_config config;
	struct ec2_tag_specs tag_specs;
};
static const struct param request_params[] = {
	CONFIG_ROWS(struct ec2_request_spot_fleet, config),
	PARAM_LIST(struct ec2_request_spot_fleet, CONFIG "TagSpecification", tag_specs, ec2_tag_spec_params,
		   .max = 20, .doc = "Tags of the request."),
	NOT_BUILT(CONFIG "InstanceInterruptionBehavior", .only = "terminate"),
	NOT_BUILT(CONFIG "ReplaceUnhealthyInstances", .only = "false"),
	NOT_BUILT(CONFIG "InstancePoolsToUseCount", .only = "1"),
	NOT_BUILT(CONFIG "TargetCapacityUnitType", .only = "units"),
	NOT_BUILT(CONFIG "SpotMaintenanceStrategies|" CONFIG "LoadBalancersConfig|" CONFIG "Context"),
	NOT_BUILT(CONFIG "OnDemandMaxTotalPrice|" CONFIG "SpotMaxTotalPrice"),
	NOT_BUILT(CONFIG "FulfilledCapacity|" CONFIG "OnDemandFulfilledCapacity"),
};

struct kept_config {
	struct ec2_spot_config config;
};
static const struct param kept_rows[] = {CONFIG_ROWS(struct kept_config, config)};
static const struct params kept_params = PARAMS(struct kept_config, kept_rows, .is_open = true);

/* ---- request ---- */

static RESULT refuse(struct ec2_call *e, const char *field, const char *words)
{
	return ctx_fail_field(e->c, ERR_COMBINATION, str_from(field), "%s", words);
}

static RESULT check_role(struct ec2_call *e, struct str arn)
{
	struct str prefix = STR("arn:aws:iam::");
	struct str number = str_slice(arn, prefix.n, prefix.n + e->c->who->account_number.n);
	struct str rest = str_slice(arn, prefix.n + number.n, arn.n);
	return str_starts_with(arn, prefix) && str_equal(number, e->c->who->account_number) &&
			       str_starts_with(rest, STR(":role/"))
		       ? OK
		       : refuse(e, CONFIG "IamFleetRole",
				"Parameter: SpotFleetRequestConfig.IamFleetRole is invalid.");
}

/* Messages without a source: EC2's texts for these cases were not found. */
static RESULT check_config(struct ec2_call *e, const struct ec2_spot_config *c)
{
	if (!c->specs.count == !c->configs.count)
		return refuse(e, CONFIG "LaunchSpecifications",
			      "The request must contain either launch specifications or launch template "
			      "configurations, and not both");
	if (c->on_demand > c->target)
		return refuse(e, CONFIG "OnDemandTargetCapacity",
			      "The on-demand target capacity must not be greater than the target capacity");
	if (c->target == 0 && !str_is(c->type, "maintain"))
		return refuse(e, CONFIG "TargetCapacity",
			      "A target capacity of 0 is supported only for requests of type maintain");
	return check_role(e, c->role);
}

static const char *const strategies[] = {
	[FLEET_SPOT_STRATEGY_LOWEST_PRICE] = "lowestPrice",
	[FLEET_SPOT_STRATEGY_DIVERSIFIED] = "diversified",
	[FLEET_SPOT_STRATEGY_CAPACITY_OPTIMIZED] = "capacityOptimized",
	[FLEET_SPOT_STRATEGY_CAPACITY_OPTIMIZED_PRIORITIZED] = "capacityOptimizedPrioritized",
	[FLEET_SPOT_STRATEGY_PRICE_CAPACITY_OPTIMIZED] = "priceCapacityOptimized",
};

static enum fleet_spot_strategy read_strategy(struct str text)
{
	for (size_t k = 0; k < sizeof strategies / sizeof strategies[0]; k++)
		if (str_is(text, strategies[k]))
			return (enum fleet_spot_strategy) k;
	return FLEET_SPOT_STRATEGY_LOWEST_PRICE;
}

static RESULT take_config(struct ec2_call *e, const struct ec2_spot_config *c, struct fleet_wish *wish)
{
	struct str price = STR_NONE;
	TRY(check_config(e, c));
	wish->is_spot_fleet = true;
	wish->type = str_is(c->type, "request") ? FLEET_TYPE_REQUEST : FLEET_TYPE_MAINTAIN;
	wish->target = c->target * FLEET_UNIT;
	wish->spot_target = (c->target - c->on_demand) * FLEET_UNIT;
	wish->spot_default = true;
	wish->spot_strategy = read_strategy(c->strategy);
	wish->is_prioritized = str_is(c->on_demand_strategy, "prioritized");
	wish->keeps_excess = str_is(c->excess, "noTermination");
	wish->ends_instances = c->ends_instances;
	wish->client_token = c->client_token;
	TRY(ec2_take_spot_price(e, c->price, CONFIG "SpotPrice", &price));
	TRY(ec2_take_spot_time(e, c->from, CONFIG "ValidFrom", &wish->valid_from_us));
	TRY(ec2_take_spot_end(e, c->until, CONFIG "ValidUntil", &wish->valid_until_us));
	if (wish->valid_until_us && wish->valid_from_us >= wish->valid_until_us)
		return refuse(e, CONFIG "ValidFrom",
			      "The request must be valid from an earlier time than until");
	return OK;
}

/* The launches of a configuration, which was read from these parameters. */
static RESULT take_launches(struct ec2_call *e, const struct pairs *pairs, const struct ec2_spot_config *c,
			    struct fleet_override **ret_overrides, size_t *ret_count)
{
	static const struct ec2_tag_specs none;
	const struct ec2_fleet_config *config = NULL;
	const struct ec2_fleet_override *o = NULL;
	if (c->specs.count)
		return ec2_take_spot_specs(e, pairs, &c->specs, c->price, ret_overrides, ret_count);
	TRY(ec2_take_fleet_overrides(e, &c->configs, &none, ret_overrides, ret_count));
	for (size_t k = 0; k < *ret_count; k++)
		if (ec2_find_fleet_override(&c->configs, k, &config, &o))
			TRY(ec2_take_spot_price(e, o->price.n ? o->price : c->price,
						CONFIG "LaunchTemplateConfigs.Overrides.SpotPrice",
						&(*ret_overrides)[k].launch.spot.max_price));
	return OK;
}

static RESULT prepare_request(struct ec2_call *e, void *args)
{
	static const char *const not_in_digest[] = {CONFIG "ClientToken", "DryRun", 0};
	static const struct ec2_tag_specs none;
	struct ec2_request_spot_fleet *a = args;
	struct fleet_wish *wish = &a->wish;
	TRY(take_config(e, &a->config, wish));
	TRY(ec2_take_tags(e, &a->tag_specs, "spot-fleet-request", "spot-fleet-request", &wish->tags));
	TRY(take_launches(e, &e->pairs, &a->config, &wish->overrides, &wish->count));
	const struct ec2_fleet_kept kept = {&a->config.configs, wish->overrides, wish->count, CONFIG, false};
	TRY(a->config.specs.count ? ec2_check_spot_specs(e, &a->config.specs)
				  : ec2_check_fleet_overrides(e, &kept, &none));
	TRY(ec2_keep_fleet_configs(e, &kept, &wish->configs));
	wish->digest = pairs_digest(e->c, &e->pairs, not_in_digest);
	wish->guard = guards_later(e->config->guards);
	wish->tell = ec2_tell_problem;
	wish->arg = e;
	return OK;
}

static RESULT ec2_request_spot_fleet(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_request_spot_fleet *a = args;
	(void) e;
	ec2_write_id(x, "spotFleetRequestId", KIND_FLEET, a->wish.fleet);
	return OK;
}

/* ---- read again ---- */

static RESULT read_kept(struct ec2_call *e, const struct fleet *fleet, struct pairs *ret_pairs,
			struct kept_config *ret_kept)
{
	*ret_kept = (struct kept_config){0};
	TRY(request_parse(e->c, STR_NONE, fleet->configs, ret_pairs));
	return request_read(e->c, &request_ec2_dialect, &kept_params, 0, ret_pairs, ret_kept);
}

RESULT ec2_read_spot_fleet_overrides(struct ec2_call *e, const struct fleet *fleet,
				     struct fleet_override **ret_overrides, size_t *ret_count)
{
	struct kept_config kept;
	struct pairs pairs;
	TRY(read_kept(e, fleet, &pairs, &kept));
	return take_launches(e, &pairs, &kept.config, ret_overrides, ret_count);
}

/* ---- shown ---- */

struct request_item {
	const struct fleet *fleet;
	struct fleet_units units;
	const char *state, *activity; /* activity NULL: none is shown */
};

static const void *gather_request(struct ec2_call *e, const struct row *row)
{
	static const char *const ended[] = {"cancelled", "cancelled_running", "cancelled_terminating"};
	struct request_item *item = arena_new_object(e->c->arena, struct request_item);
	const struct tables *t = ec2_tables(e);
	if (item)
		*item = (struct request_item){.fleet = fleet_of(row),
					      .units = engine_count_fleet_units(t, fleet_of(row)),
					      .state = ec2_find_fleet_state(t, fleet_of(row), ended),
					      .activity = ec2_find_fleet_activity(t, fleet_of(row))};
	return item;
}

static void write_override(struct ec2_call *e, struct xml *x, const struct ec2_fleet_override *o)
{
	xml_open(x, "item");
	xml_text_opt(x, "instanceType", o->type);
	xml_text_opt(x, "spotPrice", o->price);
	xml_text_opt(x, "subnetId", o->subnet);
	xml_text_opt(x, "availabilityZone", o->zone);
	ec2_write_double(e, x, "weightedCapacity", o->capacity);
	ec2_write_double(e, x, "priority", o->priority);
	xml_close(x, "item");
}

static void write_templates(struct ec2_call *e, struct xml *x, const struct ec2_fleet_configs *configs)
{
	if (!configs->count)
		return;
	xml_open(x, "launchTemplateConfigs");
	for (size_t k = 0; k < configs->count; k++) {
		const struct ec2_fleet_config *config = &configs->at[k];
		xml_open(x, "item");
		ec2_write_fleet_template(x, config);
		xml_open(x, "overrides");
		for (size_t n = 0; n < config->overrides.count; n++)
			write_override(e, x, &config->overrides.at[n]);
		xml_close(x, "overrides");
		xml_close(x, "item");
	}
	xml_close(x, "launchTemplateConfigs");
}

static void write_config(struct ec2_call *e, struct xml *x, const struct request_item *i,
			 const struct ec2_spot_config *c)
{
	const struct fleet *fleet = i->fleet;
	xml_open(x, "spotFleetRequestConfig");
	xml_z(x, "allocationStrategy", strategies[fleet->spot_strategy]);
	xml_z(x, "onDemandAllocationStrategy", fleet->is_prioritized ? "prioritized" : "lowestPrice");
	xml_text_opt(x, "clientToken", fleet->client_token);
	xml_z(x, "excessCapacityTerminationPolicy", fleet->keeps_excess ? "noTermination" : "default");
	ec2_write_thousandths(e, x, "fulfilledCapacity", i->units.on_demand + i->units.spot);
	ec2_write_thousandths(e, x, "onDemandFulfilledCapacity", i->units.on_demand);
	xml_text_opt(x, "iamFleetRole", c->role);
	ec2_write_spot_specs(e, x, &c->specs);
	write_templates(e, x, &c->configs);
	xml_text_opt(x, "spotPrice", c->price);
	xml_int(x, "targetCapacity", fleet->target / FLEET_UNIT);
	xml_int(x, "onDemandTargetCapacity", (fleet->target - fleet->spot_target) / FLEET_UNIT);
	xml_bool(x, "terminateInstancesWithExpiration", fleet->ends_instances);
	xml_z(x, "type", fleet_type_words[fleet->type]);
	if (fleet->valid_from_us)
		xml_time_ms(x, "validFrom", fleet->valid_from_us);
	if (fleet->valid_until_us)
		xml_time_ms(x, "validUntil", fleet->valid_until_us);
	xml_bool(x, "replaceUnhealthyInstances", false);
	xml_z(x, "instanceInterruptionBehavior", "terminate");
	xml_close(x, "spotFleetRequestConfig");
}

/* Reads the stored configuration into a scratch arena: all those of a page are larger than the memory of a call. */
static void write_request(struct ec2_call *e, struct xml *x, const void *data)
{
	const struct request_item *i = data;
	struct arena *own = e->c->arena, *scratch = arena_new(ITEM_SIZE, ARENA_REQUEST_CAP);
	struct kept_config kept;
	struct pairs pairs;
	if (scratch)
		e->c->arena = scratch;
	if (!result_is_ok(read_kept(e, i->fleet, &pairs, &kept))) {
		ctx_clear_problem(e->c);
		kept = (struct kept_config){0};
	}
	if (i->activity)
		xml_z(x, "activityStatus", i->activity);
	xml_time_ms(x, "createTime", i->fleet->row.created_us);
	write_config(e, x, i, &kept.config);
	ec2_write_id(x, "spotFleetRequestId", KIND_FLEET, i->fleet->row.id);
	xml_z(x, "spotFleetRequestState", i->state);
	ec2_write_tags(x, i->fleet->tags);
	e->c->arena = own;
	arena_free(scratch);
}

struct ec2_describe_spot_fleets {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	PARAM(struct ec2_describe_spot_fleets, "SpotFleetRequestId", query.ids, .kind = KIND_FLEET,
	      .prefix = ID_SPOT_FLEET, .doc = "Spot fleet requests by id."),
	QUERY_PAGES(struct ec2_describe_spot_fleets, 1, 1000),
};

static bool is_shown(struct ec2_call *e, const struct row *row)
{
	(void) e;
	return id_is_spot_fleet(row->id);
}

static const struct ec2_listing request_listing = {.kind = KIND_FLEET,
						   .set = "spotFleetRequestConfigSet",
						   .shows = is_shown,
						   .is_hiding = true,
						   .gather = gather_request,
						   .write = write_request,
						   .shows_ended = true};

/* ---- modify ---- */

struct ec2_modify_spot_fleet {
	struct fleet_update wish;
	int64_t target, on_demand;
	bool has_target, has_on_demand;
	struct str excess;
};
#define M(wire, member, ...) PARAM(struct ec2_modify_spot_fleet, wire, member, __VA_ARGS__)
static const struct param modify_params[] = {
	M("SpotFleetRequestId", wish.fleet, .flags = REQUIRED, .kind = KIND_FLEET, .prefix = ID_SPOT_FLEET,
	  .doc = "A spot fleet request of type maintain."),
	M("TargetCapacity", target, .min = 0, .max = FLEET_TARGET_MAX,
	  .given = offsetof(struct ec2_modify_spot_fleet, has_target) + 1,
	  .doc = "Target capacity in units."),
	M("OnDemandTargetCapacity", on_demand, .min = 0, .max = FLEET_TARGET_MAX,
	  .given = offsetof(struct ec2_modify_spot_fleet, has_on_demand) + 1,
	  .doc = "Units of the target capacity to launch on demand; absent: unchanged."),
	M("ExcessCapacityTerminationPolicy", excess, .words = "noTermination|default",
	  .doc = "Whether instances are terminated when the target is lowered; absent: unchanged."),
	NOT_BUILT("LaunchTemplateConfig|Context"),
};
#undef M

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_spot_fleet *a = args;
	struct fleet_update *wish = &a->wish;
	if (a->has_target && a->on_demand > a->target)
		return refuse(e, "OnDemandTargetCapacity",
			      "The on-demand target capacity must not be greater than the target capacity");
	wish->is_spot_fleet = true;
	wish->has_target = a->has_target || a->has_on_demand;
	wish->target = a->has_target ? a->target * FLEET_UNIT : -1;
	wish->on_demand = a->has_on_demand ? a->on_demand * FLEET_UNIT : -1;
	wish->spot = -1;
	if (a->excess.n)
		wish->keeps_excess = str_is(a->excess, "noTermination") ? CHOICE_YES : CHOICE_NO;
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("RequestSpotFleet"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_request_spot_fleet, request_params), .prepare = prepare_request,
	 .operation = engine_create_fleet_run, .answer = ec2_request_spot_fleet, .returns = KIND_FLEET,
	 .doc = "Launches spot instances of several specifications or templates, once or to keep a target "
		"capacity."},
	{EC2_ACTION("ModifySpotFleetRequest"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_spot_fleet, modify_params), .prepare = prepare_modify,
	 .operation = engine_update_fleet_run,
	 .doc = "Changes the target capacity of a spot fleet request of type maintain."},
	{EC2_ACTION("DescribeSpotFleetRequests"),
	 .args = PARAMS(struct ec2_describe_spot_fleets, describe_params), .list = &request_listing,
	 .doc = "Lists spot fleet requests."},
};
const struct api_actions ec2_spot_fleet_actions = API_ACTIONS(actions);
