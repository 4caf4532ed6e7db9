/* SPDX-License-Identifier: Apache-2.0
 * Fleets of type instant: CreateFleet, DescribeFleets, DeleteFleets. (EC2 has no DescribeFleetInstances for
 * them either.) Each override is one launch, written in RunInstances' parameters (run_instances.c) and
 * stored as it was sent. */
#include "api/core/problem.h"
#include "api/ec2/compute/instances.h"
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/instance/fleet.h"
#include "engine/instance/server_group.h"
#include "model/fleet.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/launch_template_version.h"

#define CONFIGS "LaunchTemplateConfigs"

/* ---- templates and overrides ---- */

struct ec2_fleet_override {
	struct str type, subnet, zone, image, capacity, priority;
	struct str placed_zone, affinity, group_name, group_id, host, tenancy;
	int64_t partition;
};
#define P(wire, member, ...) PARAM(struct ec2_fleet_override, wire, member, .max = 255, __VA_ARGS__)
static const struct param override_rows[] = {
	P("InstanceType", type, .doc = "Instead of the template's."),
	P("SubnetId", subnet, .doc = "Likewise."),
	P("AvailabilityZone", zone, .doc = "Likewise."),
	P("ImageId", image, .doc = "Likewise."),
	P("WeightedCapacity", capacity, .doc = "Units that one of its instances counts for; absent: 1."),
	P("Priority", priority, .doc = "The least comes first, where the strategy is prioritized."),
	P("Placement.AvailabilityZone", placed_zone, .doc = "Instead of the template's."),
	P("Placement.Affinity", affinity, .doc = "Likewise."),
	P("Placement.GroupName", group_name, .doc = "Likewise."),
	P("Placement.GroupId", group_id, .doc = "Likewise."),
	PARAM(struct ec2_fleet_override, "Placement.PartitionNumber", partition, .min = 1,
	      .max = SERVER_GROUP_PARTITIONS_MAX, .doc = "Likewise."),
	P("Placement.HostId", host, .doc = "Likewise."),
	P("Placement.Tenancy", tenancy, .doc = "Likewise."),
	NOT_BUILT("MaxPrice|InstanceRequirements"),
	NOT_BUILT("Placement.SpreadDomain|Placement.HostResourceGroupArn"),
};
#undef P
static const struct params override_params = PARAMS(struct ec2_fleet_override, override_rows);

struct ec2_fleet_config {
	struct str template_id, template_name, version;
	struct str field; /* full name of the parameter LaunchTemplateId or LaunchTemplateName */
	struct {
		const struct ec2_fleet_override *at;
		size_t count;
	} overrides;
};
#define P(wire, member, ...)                                                                                 \
	PARAM(struct ec2_fleet_config, "LaunchTemplateSpecification." wire, member, .max = 255, __VA_ARGS__)
static const struct param config_rows[] = {
	P("LaunchTemplateId", template_id, .field = offsetof(struct ec2_fleet_config, field) + 1,
	  .doc = "The launch template."),
	P("LaunchTemplateName", template_name, .field = offsetof(struct ec2_fleet_config, field) + 1,
	  .doc = "Or by name."),
	P("Version", version, .doc = "A number, $Latest or $Default; absent: the default one."),
	PARAM_LIST(struct ec2_fleet_config, "Overrides", overrides, override_params,
		   .max = FLEET_OVERRIDES_MAX, .doc = "Ways to launch by it; none: as it says."),
};
#undef P
static const struct params config_params = PARAMS(struct ec2_fleet_config, config_rows);

struct ec2_fleet_configs {
	const struct ec2_fleet_config *at;
	size_t count;
};

/* Finds the override of that number and its configuration; an empty override where the configuration has
 * none. False: there is no such number. */
static bool find_override(const struct ec2_fleet_configs *configs, size_t number,
			  const struct ec2_fleet_config **ret_config,
			  const struct ec2_fleet_override **ret_override)
{
	static const struct ec2_fleet_override nothing;
	for (size_t k = 0; k < configs->count; k++) {
		const struct ec2_fleet_config *config = &configs->at[k];
		size_t count = config->overrides.count ? config->overrides.count : 1;
		*ret_config = config;
		*ret_override = config->overrides.count ? &config->overrides.at[number] : &nothing;
		if (number < count)
			return true;
		number -= count;
	}
	return false;
}

static size_t count_overrides(const struct ec2_fleet_configs *configs)
{
	size_t count = 0;
	for (size_t k = 0; k < configs->count; k++)
		count += configs->at[k].overrides.count ? configs->at[k].overrides.count : 1;
	return count;
}

/* ---- create ---- */

struct ec2_create_fleet {
	struct fleet_wish wish;
	struct ec2_fleet_configs configs;
	int64_t total, on_demand, spot, min_target;
	bool has_on_demand;
	struct str type, default_type, strategy;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_fleet, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	PARAM_LIST(struct ec2_create_fleet, CONFIGS, configs, config_params, .flags = REQUIRED, .max = 50,
		   .doc = "Launch templates, and ways to launch by them."),
	P("TargetCapacitySpecification.TotalTargetCapacity", total, .flags = REQUIRED, .min = 1,
	  .max = FLEET_TARGET_MAX, .doc = "Units to launch."),
	P("TargetCapacitySpecification.OnDemandTargetCapacity", on_demand, .min = 0, .max = FLEET_TARGET_MAX,
	  .given = offsetof(struct ec2_create_fleet, has_on_demand) + 1,
	  .doc = "How many of them are on-demand: all."),
	P("TargetCapacitySpecification.SpotTargetCapacity", spot, .min = 0, .max = FLEET_TARGET_MAX,
	  .doc = "How many are spot: none."),
	P("TargetCapacitySpecification.DefaultTargetCapacityType", default_type,
	  .words = "spot|on-demand|capacity-block", .absent = "spot",
	  .doc = "What the others are: on-demand."),
	P("Type", type, .words = "request|maintain|instant", .absent = "maintain",
	  .doc = "instant: launched once, and then left alone."),
	P("OnDemandOptions.AllocationStrategy", strategy, .words = "lowest-price|prioritized",
	  .absent = "lowest-price",
	  .doc = "Which override comes first: the one of the smallest type, for nothing has a price; or by "
		 "priority."),
	P("OnDemandOptions.SingleInstanceType", wish.single_type, .doc = "All of one type."),
	P("OnDemandOptions.SingleAvailabilityZone", wish.single_zone, .doc = "All in one zone."),
	P("OnDemandOptions.MinTargetCapacity", min_target, .min = 1, .max = 1000,
	  .doc = "If fewer units fit, nothing is launched; all are of one type or in one zone then."),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Same token, same answer."),
	TAG_SPECIFICATIONS(struct ec2_create_fleet, tag_specs),
	NOT_BUILT("TargetCapacitySpecification.TargetCapacityUnitType", .only = "units"),
	NOT_BUILT("OnDemandOptions.MaxTotalPrice"),
	NOT_BUILT("OnDemandOptions.CapacityReservationOptions"),
	NOT_BUILT("SpotOptions|Context|ValidFrom|ValidUntil|ReservedCapacityOptions"),
	NOT_BUILT("ExcessCapacityTerminationPolicy", .only = "no-termination|termination"),
	NOT_BUILT("TerminateInstancesWithExpiration|ReplaceUnhealthyInstances", .only = "false"),
};
#undef P

/* Reads "1" or "0.5" as thousandths. */
static RESULT read_thousandths(struct ec2_call *e, struct str text, const char *field, int64_t least,
			       int64_t absent, int64_t *ret_value)
{
	int64_t whole = 0, part = 0;
	size_t dot = str_find_char(text, '.', 0);
	struct str rest = dot < text.n ? str_slice(text, dot + 1, text.n) : STR("0");
	*ret_value = absent;
	if (str_is_empty(text))
		return OK;
	bool is_number = result_is_ok(str_parse_int(str_slice(text, 0, dot), &whole)) && rest.n &&
			 rest.n <= 3 && result_is_ok(str_parse_int(rest, &part)) && whole >= 0 && part >= 0 &&
			 whole <= FLEET_TARGET_MAX;
	for (size_t k = rest.n; k < 3; k++)
		part *= 10;
	*ret_value = whole * FLEET_UNIT + part;
	if (is_number && *ret_value >= least)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
			      "Value (%" STR_FMT ") for parameter %" STR_FMT " is invalid.", STR_ARG(text),
			      STR_ARG(params_small_name(e->c->arena, str_from(field))));
}

struct said {
	VEC(struct pair) pairs;
	bool has_failed;
};

static void say(struct ec2_call *e, struct said *s, struct str name, struct str value)
{
	const struct pair pair = {.name = name, .value = value};
	s->has_failed = (value.n && !VEC_PUSH(e->c->arena, &s->pairs, pair)) || s->has_failed;
}

/* Members other than capacity and priority are RunInstances' own. */
static void say_override(struct ec2_call *e, struct said *s, const struct ec2_fleet_override *o)
{
	say(e, s, STR("InstanceType"), o->type);
	say(e, s, STR("SubnetId"), o->subnet);
	say(e, s, STR("ImageId"), o->image);
	say(e, s, STR("Placement.AvailabilityZone"), o->zone.n ? o->zone : o->placed_zone);
	say(e, s, STR("Placement.Affinity"), o->affinity);
	say(e, s, STR("Placement.GroupName"), o->group_name);
	say(e, s, STR("Placement.GroupId"), o->group_id);
	if (o->partition)
		say(e, s, STR("Placement.PartitionNumber"),
		    str_print(e->c->arena, "%lld", (long long) o->partition));
	say(e, s, STR("Placement.HostId"), o->host);
	say(e, s, STR("Placement.Tenancy"), o->tenancy);
}

static void say_tags(struct ec2_call *e, struct said *s, const struct ec2_tag_specs *specs)
{
	struct arena *a = e->c->arena;
	for (size_t k = 0; k < specs->count; k++) {
		const struct ec2_tag_spec *spec = &specs->at[k];
		if (str_is(spec->resource_type, "fleet"))
			continue;
		say(e, s, str_print(a, "TagSpecification.%zu.ResourceType", k + 1), spec->resource_type);
		for (size_t n = 0; n < spec->tags.count; n++) {
			const struct tag *tag = &spec->tags.at[n];
			say(e, s, str_print(a, "TagSpecification.%zu.Tag.%zu.Key", k + 1, n + 1), tag->key);
			say(e, s, str_print(a, "TagSpecification.%zu.Tag.%zu.Value", k + 1, n + 1),
			    tag->value);
		}
	}
}

/* Error code and message of the context's problem, as the face words them. */
static void tell(void *arg, struct result result, struct str *ret_code, struct str *ret_message)
{
	struct ec2_call *e = arg;
	const struct problem *p = &e->c->problem;
	enum err err = p->err ? p->err : result.code;
	const struct api_problem problem = {
		.error = api_find_error(e->errors, e->part, err, p->kind, p->field),
		.err = err,
		.message = p->message.n ? p->message : str_from(err_meaning(err))};
	*ret_code = str_from(problem.error->code);
	*ret_message = api_say_problem(e->c, &problem);
}

static RESULT refuse(struct ec2_call *e, const char *field, const char *words)
{
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, str_from(field), "%s", words);
}

static RESULT read_launch(struct ec2_call *e, const struct ec2_create_fleet *a,
			  const struct ec2_fleet_config *config, const struct ec2_fleet_override *o,
			  struct instance_launch *ret_launch)
{
	struct said s = {0};
	say(e, &s, STR("LaunchTemplate.LaunchTemplateId"), config->template_id);
	say(e, &s, STR("LaunchTemplate.LaunchTemplateName"), config->template_name);
	say(e, &s, STR("LaunchTemplate.Version"), config->version);
	say(e, &s, STR("MinCount"), STR("1"));
	say(e, &s, STR("MaxCount"), STR("1"));
	say_override(e, &s, o);
	say_tags(e, &s, &a->tag_specs);
	if (s.has_failed)
		return ctx_no_memory(e->c);
	const struct pairs said = {s.pairs.at, s.pairs.count};
	TRY(ec2_read_launch(e, &said, ret_launch));
	if (ret_launch->spot.is_spot)
		return refuse(e, CONFIGS,
			      "The launch template of a fleet must not contain InstanceMarketOptions.");
	return OK;
}

static RESULT take_override(struct ec2_call *e, const struct ec2_create_fleet *a, size_t number,
			    struct fleet_override *ret_override)
{
	const struct ec2_fleet_config *config = NULL;
	const struct ec2_fleet_override *o = NULL;
	if (!find_override(&a->configs, number, &config, &o))
		return OK;
	if (!config->template_id.n == !config->template_name.n)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR(CONFIGS),
				      "The request must contain either the launch template ID or the launch "
				      "template name, and not both");
	TRY(read_thousandths(e, o->capacity, CONFIGS ".Overrides.WeightedCapacity", 1, FLEET_UNIT,
			     &ret_override->capacity));
	TRY(read_thousandths(e, o->priority, CONFIGS ".Overrides.Priority", 0, INT64_MAX,
			     &ret_override->priority));
	struct result read = read_launch(e, a, config, o, &ret_override->launch);
	if (read.code == ERR_NO_MEMORY || read.code == ERR_TOO_LARGE || read.code == ERR_DENIED)
		return read;
	if (!result_is_ok(read)) {
		tell(e, read, &ret_override->code, &ret_override->message);
		ctx_clear_problem(e->c);
	}
	return OK;
}

/* Name of a configuration's version parameter. */
static struct str name_version(struct ec2_call *e, const struct ec2_fleet_config *config)
{
	struct str parent = config->field;
	while (parent.n && parent.p[parent.n - 1] != '.')
		parent.n--;
	return str_print(e->c->arena, "%" STR_FMT "Version", STR_ARG(parent));
}

static void add_pair(struct ec2_call *e, struct buf *form, struct str name, struct str value)
{
	if (buf_str(form).n)
		buf_add_char(form, '&');
	buf_add_str(form, str_encode_url(e->c->arena, name, false));
	buf_add_char(form, '=');
	buf_add_str(form, str_encode_url(e->c->arena, value, false));
}

/* Number of the version that the override launches by; empty if its launch could not be read. */
static struct str write_number(struct ec2_call *e, const struct fleet_override *o)
{
	const struct launch_template_version *version =
		launch_template_version_find(ec2_tables(e), o->launch.template_version);
	return version ? str_print(e->c->arena, "%lld", (long long) version->number) : STR_NONE;
}

/* The version number for a parameter that names the version by a word; else the parameter's own value. */
static struct str number_of(const struct pairs *numbers, const struct pair *sent)
{
	for (size_t k = 0; k < numbers->count; k++)
		if (str_equal(numbers->at[k].name, sent->name) && numbers->at[k].value.n)
			return numbers->at[k].value;
	return sent->value;
}

/* Makes one pair per configuration: the name of its version parameter, and the version number. */
static RESULT find_numbers(struct ec2_call *e, const struct ec2_create_fleet *a, struct pairs *ret_numbers)
{
	struct pair *numbers = arena_new_array(e->c->arena, struct pair, a->configs.count + 1);
	size_t first = 0;
	if (!numbers)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->configs.count; k++) {
		const struct ec2_fleet_config *config = &a->configs.at[k];
		numbers[k] = (struct pair){.name = name_version(e, config),
					   .value = write_number(e, &a->wish.overrides[first])};
		first += config->overrides.count ? config->overrides.count : 1;
	}
	*ret_numbers = (struct pairs){numbers, a->configs.count};
	return OK;
}

/* Configurations as they were sent, to be read again later. An instant fleet launches once, so that EC2
 * shows it with fixed version numbers. */
static RESULT keep_configs(struct ec2_call *e, const struct ec2_create_fleet *a, struct str *ret_form)
{
	struct buf form;
	struct pairs numbers = {0};
	TRY(find_numbers(e, a, &numbers));
	buf_init(&form, 64 * 1024);
	for (size_t k = 0; k < e->pairs.count; k++) {
		const struct pair *pair = &e->pairs.at[k];
		if (str_starts_with(pair->name, STR(CONFIGS ".")))
			add_pair(e, &form, pair->name, number_of(&numbers, pair));
	}
	struct result result = buf_finish(&form);
	*ret_form = str_copy(e->c->arena, buf_str(&form));
	buf_done(&form);
	return result_is_ok(result)
		       ? OK
		       : ctx_fail_field(e->c, ERR_TOO_LARGE, STR(CONFIGS), "The fleet says too much.");
}

static RESULT check_kind(struct ec2_call *e, const struct ec2_create_fleet *a)
{
	int64_t on_demand = a->has_on_demand ? a->on_demand : a->total;
	if (!str_is(a->type, "instant"))
		return refuse(e, "Type", "The parameter type is supported as instant only.");
	if (a->spot || (!str_is(a->default_type, "on-demand") && (!a->has_on_demand || on_demand < a->total)))
		return refuse(
			e, "TargetCapacitySpecification.DefaultTargetCapacityType",
			"The parameter targetCapacitySpecification.defaultTargetCapacityType is supported as "
			"on-demand only.");
	if (on_demand > a->total)
		return ctx_fail_field(
			e->c, ERR_COMBINATION, STR("TargetCapacitySpecification.OnDemandTargetCapacity"),
			"The on-demand target capacity must not be greater than the total target "
			"capacity");
	if (a->min_target && !a->wish.single_type && !a->wish.single_zone)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("OnDemandOptions.MinTargetCapacity"),
				      "The parameter minTargetCapacity needs singleInstanceType or "
				      "singleAvailabilityZone");
	if (a->min_target > a->total)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("OnDemandOptions.MinTargetCapacity"),
				      "The minimum target capacity must not be greater than the total target "
				      "capacity");
	return OK;
}

/* Messages without a source: EC2's texts for these cases were not found. */
static RESULT prepare_create(struct ec2_call *e, void *args)
{
	static const char *const not_in_digest[] = {"ClientToken", "DryRun", 0};
	struct ec2_create_fleet *a = args;
	struct fleet_wish *wish = &a->wish;
	TRY(check_kind(e, a));
	TRY(ec2_take_tags(e, &a->tag_specs, "fleet", "fleet|instance|volume|network-interface", &wish->tags));
	wish->count = count_overrides(&a->configs);
	if (wish->count > FLEET_OVERRIDES_MAX)
		return ctx_fail_field(e->c, ERR_TOO_LARGE, STR(CONFIGS), "A fleet has up to %d overrides.",
				      FLEET_OVERRIDES_MAX);
	wish->overrides = arena_new_array(e->c->arena, struct fleet_override, wish->count + 1);
	if (!wish->overrides)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < wish->count; k++)
		TRY(take_override(e, a, k, &wish->overrides[k]));
	TRY(keep_configs(e, a, &wish->configs));
	wish->target = a->total * FLEET_UNIT;
	wish->min_target = a->min_target * FLEET_UNIT;
	wish->is_prioritized = str_is(a->strategy, "prioritized");
	wish->digest = pairs_digest(e->c, &e->pairs, not_in_digest);
	wish->tell = tell;
	wish->arg = e;
	return OK;
}

/* ---- shown ---- */

struct fleet_item {
	const struct fleet *fleet;
	struct ec2_create_fleet said; /* the configurations alone */
	bool has_living;
	VEC(const struct instance *) instances;
	VEC(const struct instance_type *) types; /* of each instance; NULL: deleted */
};

struct kept_configs {
	struct ec2_fleet_configs configs;
};
static const struct param kept_rows[] = {
	PARAM_LIST(struct kept_configs, CONFIGS, configs, config_params, .max = 50, .doc = ""),
};
static const struct params kept_params = PARAMS(struct kept_configs, kept_rows);

static const void *gather_fleet(struct ec2_call *e, const struct row *row)
{
	struct fleet_item *item = arena_new_object(e->c->arena, struct fleet_item);
	struct kept_configs kept = {0};
	struct pairs pairs;
	const struct tables *t = ec2_tables(e);
	if (!item)
		return NULL;
	item->fleet = fleet_of(row);
	if (!result_is_ok(request_parse(e->c, STR_NONE, item->fleet->configs, &pairs)) ||
	    !result_is_ok(request_read(e->c, &request_ec2_dialect, &kept_params, 0, &pairs, &kept)))
		return NULL;
	item->said.configs = kept.configs;
	for (const struct instance *i = instance_first_by_fleet(t, row->id); i;
	     i = instance_next_by_fleet(t, i)) {
		const struct instance_type *type = instance_type_find(t, i->type);
		item->has_living |= model_derive_instance_state(i) != INSTANCE_TERMINATED;
		if (!VEC_PUSH(e->c->arena, &item->instances, i) || !VEC_PUSH(e->c->arena, &item->types, type))
			return NULL;
	}
	return item;
}

static void write_thousandths(struct ec2_call *e, struct xml *x, const char *name, int64_t value)
{
	struct str text = str_print(e->c->arena, "%lld.%03lld", (long long) value / FLEET_UNIT,
				    (long long) value % FLEET_UNIT);
	while (text.n && str_ends_with(text, STR("0")) && !str_ends_with(text, STR(".0")))
		text.n--;
	xml_text(x, name, text);
}

static void write_double(struct ec2_call *e, struct xml *x, const char *name, struct str text)
{
	if (text.n)
		xml_text(x, name,
			 str_find_char(text, '.', 0) < text.n
				 ? text
				 : str_print(e->c->arena, "%" STR_FMT ".0", STR_ARG(text)));
}

static void write_specification(struct xml *x, const struct ec2_fleet_config *config)
{
	xml_open(x, "launchTemplateSpecification");
	xml_text_opt(x, "launchTemplateId", config->template_id);
	xml_text_opt(x, "launchTemplateName", config->template_name);
	xml_text_opt(x, "version", config->version);
	xml_close(x, "launchTemplateSpecification");
}

static void write_override(struct ec2_call *e, struct xml *x, const char *name,
			   const struct ec2_fleet_override *o)
{
	xml_open(x, name);
	xml_text_opt(x, "instanceType", o->type);
	xml_text_opt(x, "subnetId", o->subnet);
	xml_text_opt(x, "availabilityZone", o->zone);
	write_double(e, x, "weightedCapacity", o->capacity);
	write_double(e, x, "priority", o->priority);
	if (o->placed_zone.n || o->affinity.n || o->group_name.n || o->group_id.n || o->partition ||
	    o->host.n || o->tenancy.n) {
		xml_open(x, "placement");
		xml_text_opt(x, "groupName", o->group_name);
		xml_close(x, "placement");
	}
	xml_text_opt(x, "imageId", o->image);
	xml_close(x, name);
}

static void write_way(struct ec2_call *e, struct xml *x, const struct fleet_item *i, size_t number)
{
	const struct ec2_fleet_config *config = NULL;
	const struct ec2_fleet_override *o = NULL;
	if (!find_override(&i->said.configs, number, &config, &o))
		return;
	xml_open(x, "launchTemplateAndOverrides");
	write_specification(x, config);
	write_override(e, x, "overrides", o);
	xml_close(x, "launchTemplateAndOverrides");
	xml_z(x, "lifecycle", "on-demand");
}

static void write_failures(struct ec2_call *e, struct xml *x, const struct fleet_item *i)
{
	const struct strs *failures = &i->fleet->failures;
	xml_open(x, "errorSet");
	for (size_t k = 0; k + 2 < failures->count; k += 3) {
		int64_t number = 0;
		IGNORE(str_parse_int(failures->at[k], &number));
		xml_open(x, "item");
		write_way(e, x, i, (size_t) number);
		xml_text(x, "errorCode", failures->at[k + 1]);
		xml_text(x, "errorMessage", failures->at[k + 2]);
		xml_close(x, "item");
	}
	xml_close(x, "errorSet");
}

static void write_launched(struct ec2_call *e, struct xml *x, const struct fleet_item *i, size_t number)
{
	const struct instance_type *type = NULL;
	const struct instance *first = NULL;
	for (size_t k = 0; k < i->instances.count; k++) {
		const struct instance *one = i->instances.at[k];
		if ((size_t) one->fleet_override != number)
			continue;
		if (!first) {
			xml_open(x, "item");
			write_way(e, x, i, number);
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
	size_t count = count_overrides(&i->said.configs);
	write_failures(e, x, i);
	xml_open(x, "fleetInstanceSet");
	for (size_t k = 0; k < count; k++)
		write_launched(e, x, i, k);
	xml_close(x, "fleetInstanceSet");
}

static void write_configs(struct ec2_call *e, struct xml *x, const struct ec2_fleet_configs *configs)
{
	xml_open(x, "launchTemplateConfigs");
	for (size_t k = 0; k < configs->count; k++) {
		const struct ec2_fleet_config *config = &configs->at[k];
		xml_open(x, "item");
		write_specification(x, config);
		xml_open(x, "overrides");
		for (size_t n = 0; n < config->overrides.count; n++)
			write_override(e, x, "item", &config->overrides.at[n]);
		xml_close(x, "overrides");
		xml_close(x, "item");
	}
	xml_close(x, "launchTemplateConfigs");
}

static const char *state_of(const struct fleet *fleet, bool has_living)
{
	if (row_is_live(&fleet->row))
		return "active";
	return has_living ? "deleted_terminating" : "deleted";
}

static void write_fleet(struct ec2_call *e, struct xml *x, const void *data)
{
	const struct fleet_item *i = data;
	const struct fleet *fleet = i->fleet;
	ec2_write_id(x, "fleetId", KIND_FLEET, fleet->row.id);
	xml_time_ms(x, "createTime", fleet->row.created_us);
	xml_z(x, "fleetState", state_of(fleet, i->has_living));
	xml_text_opt(x, "clientToken", fleet->client_token);
	write_thousandths(e, x, "fulfilledCapacity", fleet->fulfilled);
	write_thousandths(e, x, "fulfilledOnDemandCapacity", fleet->fulfilled);
	write_configs(e, x, &i->said.configs);
	xml_open(x, "targetCapacitySpecification");
	xml_int(x, "totalTargetCapacity", fleet->target / FLEET_UNIT);
	xml_int(x, "onDemandTargetCapacity", fleet->target / FLEET_UNIT);
	xml_int(x, "spotTargetCapacity", 0);
	xml_z(x, "defaultTargetCapacityType", "on-demand");
	xml_close(x, "targetCapacitySpecification");
	xml_bool(x, "terminateInstancesWithExpiration", false);
	xml_z(x, "type", "instant");
	xml_bool(x, "replaceUnhealthyInstances", false);
	xml_open(x, "onDemandOptions");
	xml_z(x, "allocationStrategy", fleet->is_prioritized ? "prioritized" : "lowest-price");
	xml_bool(x, "singleInstanceType", fleet->single_type);
	xml_bool(x, "singleAvailabilityZone", fleet->single_zone);
	if (fleet->min_target)
		xml_int(x, "minTargetCapacity", fleet->min_target / FLEET_UNIT);
	xml_close(x, "onDemandOptions");
	ec2_write_tags(x, fleet->tags);
	write_outcome(e, x, i);
}

/* ---- describe ---- */

struct ec2_describe_fleets {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_fleets, "FleetId", KIND_FLEET,
		  "Fleets by id: instant ones are in no other list."),
	QUERY_FILTERS(struct ec2_describe_fleets),
	QUERY_PAGES(struct ec2_describe_fleets, 1, 1000),
};

static bool fits_state(const struct filter_run *f, const struct row *row)
{
	bool has_living = false;
	for (const struct instance *i = instance_first_by_fleet(f->t, row->id); i;
	     i = instance_next_by_fleet(f->t, i))
		has_living |= model_derive_instance_state(i) != INSTANCE_TERMINATED;
	return filter_z(f, state_of(fleet_of(row), has_living));
}

static const struct filter fleet_filters[] = {
	{"activity-status", .get = filter_nothing},
	{"excess-capacity-termination-policy", .get = filter_nothing},
	{"fleet-state", .get = fits_state},
	{"replace-unhealthy-instances", .fixed = "false"},
	{"type", .fixed = "instant"},
};

/* EC2 shows instant fleets only when they are named by id. */
static bool is_named(struct ec2_call *e, const struct row *row)
{
	const struct ec2_describe_fleets *a = e->args;
	(void) row;
	return e->action->operation || a->query.ids.count > 0;
}

static const struct ec2_listing fleet_listing = {.kind = KIND_FLEET,
						 .set = "fleetSet",
						 .filters = FILTERS(fleet_filters),
						 .shows = is_named,
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

/* ---- delete ---- */

struct ec2_delete_fleets {
	struct fleets_target wish;
	struct strs ids;
	bool terminates;
};
static const struct param delete_params[] = {
	PARAM(struct ec2_delete_fleets, "FleetId", ids, .flags = REQUIRED, .max = 255,
	      .doc = "The fleets, each by itself."),
	PARAM(struct ec2_delete_fleets, "TerminateInstances", terminates, .flags = REQUIRED,
	      .doc = "true: the instances of an instant fleet go with it."),
};

static RESULT prepare_delete(struct ec2_call *e, void *args)
{
	struct ec2_delete_fleets *a = args;
	struct fleet_change *changes = arena_new_array(e->c->arena, struct fleet_change, a->ids.count + 1);
	if (!changes)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->ids.count; k++) {
		if (!result_is_ok(id_parse_ec2(a->ids.at[k], KIND_FLEET, &changes[k].fleet)))
			changes[k].err = ERR_MALFORMED;
		changes[k].fleet.text = a->ids.at[k];
		changes[k].fleet.field = STR("FleetId");
	}
	a->wish = (struct fleets_target){changes, a->ids.count, !a->terminates};
	return OK;
}

static const char *code_of(enum err err)
{
	return err == ERR_MALFORMED   ? "fleetIdMalformed"
	       : err == ERR_NOT_FOUND ? "fleetIdDoesNotExist"
	       : err == ERR_STATE     ? "fleetNotInDeletableState"
				      : "unexpectedError";
}

static struct str words_of(struct ec2_call *e, const struct fleet_change *change)
{
	if (change->err == ERR_MALFORMED || change->err == ERR_NOT_FOUND)
		return str_print(e->c->arena, "The fleet ID '%" STR_FMT "' %s", STR_ARG(change->fleet.text),
				 change->err == ERR_MALFORMED ? "is malformed" : "does not exist");
	return change->message;
}

static RESULT ec2_delete_fleets(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_delete_fleets *a = args;
	xml_open(x, "successfulFleetDeletionSet");
	for (size_t k = 0; k < a->wish.count; k++) {
		const struct fleet_change *change = &a->wish.changes[k];
		if (change->err)
			continue;
		xml_open(x, "item");
		xml_z(x, "currentFleetState", "deleted_terminating");
		xml_z(x, "previousFleetState", "active");
		xml_text(x, "fleetId", change->fleet.text);
		xml_close(x, "item");
	}
	xml_close(x, "successfulFleetDeletionSet");
	xml_open(x, "unsuccessfulFleetDeletionSet");
	for (size_t k = 0; k < a->wish.count; k++) {
		const struct fleet_change *change = &a->wish.changes[k];
		if (!change->err)
			continue;
		xml_open(x, "item");
		xml_open(x, "error");
		xml_z(x, "code", code_of(change->err));
		xml_text(x, "message", words_of(e, change));
		xml_close(x, "error");
		xml_text(x, "fleetId", change->fleet.text);
		xml_close(x, "item");
	}
	xml_close(x, "unsuccessfulFleetDeletionSet");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("CreateFleet"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_fleet, create_params), .prepare = prepare_create,
	 .operation = engine_create_fleet_run, .answer = ec2_create_fleet, .returns = KIND_FLEET,
	 .doc = "Launches once by several templates, types and subnets: an instant fleet."},
	{EC2_ACTION("DescribeFleets"), .args = PARAMS(struct ec2_describe_fleets, describe_params),
	 .list = &fleet_listing, .doc = "Instant fleets that are named, and what each launched."},
	{EC2_ACTION("DeleteFleets"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_delete_fleets, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_fleets_run, .answer = ec2_delete_fleets,
	 .doc = "Deletes fleets with their instances."},
};
const struct api_actions ec2_fleet_actions = API_ACTIONS(actions);
