/* SPDX-License-Identifier: Apache-2.0
 * Launch templates and overrides of a fleet: read as launches, in RunInstances' parameters (run_instances.c), and kept as they
 * were sent, to be read again at each launch. */
#include "api/ec2/compute/fleets.h"

#include "api/core/problem.h"
#include "api/ec2/compute/instances.h"
#include "api/ec2/compute/later_launch.h"
#include "engine/instance/launch/fleet.h"
#include "engine/instance/placement/server_group.h"
#include "model/fleet.h"
#include "store/launch_template_version.h"

#define CONFIGS "LaunchTemplateConfigs"

/* ---- templates and overrides ---- */

#define P EC2_FLEET_OVERRIDE_ROW
static const struct param override_rows[] = {
	EC2_FLEET_OVERRIDE_ROWS,
	P("ImageId", image, .doc = "Overrides the value of the launch template."),
	P("Placement.AvailabilityZone", placed_zone, .doc = "Overrides the value of the launch template."),
	P("Placement.Affinity", affinity, .doc = "Overrides the value of the launch template."),
	P("Placement.GroupName", group_name, .doc = "Overrides the value of the launch template."),
	P("Placement.GroupId", group_id, .doc = "Overrides the value of the launch template."),
	PARAM(struct ec2_fleet_override, "Placement.PartitionNumber", partition, .min = 1,
	      .max = SERVER_GROUP_PARTITIONS_MAX, .doc = "Overrides the value of the launch template."),
	P("Placement.HostId", host, .doc = "Overrides the value of the launch template."),
	P("Placement.Tenancy", tenancy, .doc = "Overrides the value of the launch template."),
	NOT_BUILT("MaxPrice|InstanceRequirements"),
	NOT_BUILT("Placement.SpreadDomain|Placement.HostResourceGroupArn"),
};
#undef P
static const struct params override_params = PARAMS(struct ec2_fleet_override, override_rows);

static const struct param config_rows[] = {EC2_FLEET_CONFIG_ROWS(override_params)};
const struct params ec2_fleet_config_params = PARAMS(struct ec2_fleet_config, config_rows);

/* Finds the override of that number and its configuration; an empty override where the configuration has
 * none. False: there is no such number. */
bool ec2_find_fleet_override(const struct ec2_fleet_configs *configs, size_t number,
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

size_t ec2_count_fleet_overrides(const struct ec2_fleet_configs *configs)
{
	size_t count = 0;
	for (size_t k = 0; k < configs->count; k++)
		count += configs->at[k].overrides.count ? configs->at[k].overrides.count : 1;
	return count;
}

/* Reads "1" or "0.5" as thousandths. */
RESULT ec2_read_thousandths(struct ec2_call *e, struct str text, const char *field, int64_t least,
			    int64_t absent, int64_t *ret_value)
{
	int64_t whole = 0, part = 0;
	size_t dot = str_find_char(text, '.', 0);
	struct str rest = dot < text.n ? str_slice(text, dot + 1, text.n) : STR("0");
	*ret_value = absent;
	if (str_is_empty(text))
		return OK;
	bool has_sign = str_contains(text, STR("-")) || str_contains(text, STR("+"));
	bool is_number = !has_sign && result_is_ok(str_parse_int(str_slice(text, 0, dot), &whole)) &&
			 rest.n && rest.n <= 3 && result_is_ok(str_parse_int(rest, &part)) &&
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

void ec2_say(struct ec2_call *e, struct ec2_said *s, struct str name, struct str value)
{
	const struct pair pair = {.name = name, .value = value};
	s->has_failed = (value.n && !VEC_PUSH(e->c->arena, &s->pairs, pair)) || s->has_failed;
}

/* Members other than capacity and priority are RunInstances' own. */
static void say_override(struct ec2_call *e, struct ec2_said *s, const struct ec2_fleet_override *o)
{
	ec2_say(e, s, STR("InstanceType"), o->type);
	ec2_say(e, s, STR("SubnetId"), o->subnet);
	ec2_say(e, s, STR("ImageId"), o->image);
	ec2_say(e, s, STR("Placement.AvailabilityZone"), o->zone.n ? o->zone : o->placed_zone);
	ec2_say(e, s, STR("Placement.Affinity"), o->affinity);
	ec2_say(e, s, STR("Placement.GroupName"), o->group_name);
	ec2_say(e, s, STR("Placement.GroupId"), o->group_id);
	if (o->partition)
		ec2_say(e, s, STR("Placement.PartitionNumber"),
			str_print(e->c->arena, "%lld", (long long) o->partition));
	ec2_say(e, s, STR("Placement.HostId"), o->host);
	ec2_say(e, s, STR("Placement.Tenancy"), o->tenancy);
}

static void say_tags(struct ec2_call *e, struct ec2_said *s, const struct ec2_tag_specs *specs)
{
	struct arena *a = e->c->arena;
	for (size_t k = 0; k < specs->count; k++) {
		const struct ec2_tag_spec *spec = &specs->at[k];
		if (str_is(spec->resource_type, "fleet"))
			continue;
		ec2_say(e, s, str_print(a, "TagSpecification.%zu.ResourceType", k + 1), spec->resource_type);
		for (size_t n = 0; n < spec->tags.count; n++) {
			const struct tag *tag = &spec->tags.at[n];
			ec2_say(e, s, str_print(a, "TagSpecification.%zu.Tag.%zu.Key", k + 1, n + 1),
				tag->key);
			ec2_say(e, s, str_print(a, "TagSpecification.%zu.Tag.%zu.Value", k + 1, n + 1),
				tag->value);
		}
	}
}

void ec2_tell_problem(void *arg, struct result result, struct str *ret_code, struct str *ret_message)
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

static RESULT read_launch(struct ec2_call *e, const struct ec2_tag_specs *tags,
			  const struct ec2_fleet_config *config, const struct ec2_fleet_override *o,
			  struct instance_launch *ret_launch)
{
	struct ec2_said s = {0};
	ec2_say(e, &s, STR("LaunchTemplate.LaunchTemplateId"), config->template_id);
	ec2_say(e, &s, STR("LaunchTemplate.LaunchTemplateName"), config->template_name);
	ec2_say(e, &s, STR("LaunchTemplate.Version"), config->version);
	ec2_say(e, &s, STR("MinCount"), STR("1"));
	ec2_say(e, &s, STR("MaxCount"), STR("1"));
	say_override(e, &s, o);
	say_tags(e, &s, tags);
	if (s.has_failed)
		return ctx_no_memory(e->c);
	const struct pairs said = {s.pairs.at, s.pairs.count};
	TRY(ec2_read_launch(e, &said, ret_launch));
	if (ret_launch->spot.is_spot)
		return refuse(e, CONFIGS,
			      "The launch template of a fleet must not contain InstanceMarketOptions.");
	return OK;
}

/* An override with parameters that are refused says so itself: only a refusal of all of them is returned. */
static RESULT take_override(struct ec2_call *e, const struct ec2_fleet_configs *configs,
			    const struct ec2_tag_specs *tags, size_t number,
			    struct fleet_override *ret_override)
{
	const struct ec2_fleet_config *config = NULL;
	const struct ec2_fleet_override *o = NULL;
	if (!ec2_find_fleet_override(configs, number, &config, &o))
		return OK;
	if (!config->template_id.n == !config->template_name.n)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR(CONFIGS),
				      "The request must contain either the launch template ID or the launch "
				      "template name, and not both");
	TRY(ec2_read_thousandths(e, o->capacity, CONFIGS ".Overrides.WeightedCapacity", 1, FLEET_UNIT,
				 &ret_override->capacity));
	TRY(ec2_read_thousandths(e, o->priority, CONFIGS ".Overrides.Priority", 0, INT64_MAX,
				 &ret_override->priority));
	struct result read = read_launch(e, tags, config, o, &ret_override->launch);
	if (read.code == ERR_NO_MEMORY || read.code == ERR_TOO_LARGE || read.code == ERR_DENIED)
		return read;
	if (!result_is_ok(read)) {
		ec2_tell_problem(e, read, &ret_override->code, &ret_override->message);
		ctx_clear_problem(e->c);
	}
	return OK;
}

/* Full name of a parameter of a configuration's template. */
static struct str name_parameter(struct ec2_call *e, const struct ec2_fleet_config *config, const char *name)
{
	struct str parent = config->field;
	while (parent.n && parent.p[parent.n - 1] != '.')
		parent.n--;
	return str_print(e->c->arena, "%" STR_FMT "%s", STR_ARG(parent), name);
}

static void add_pair(struct ec2_call *e, struct buf *form, struct str name, struct str value)
{
	if (buf_str(form).n)
		buf_add_char(form, '&');
	buf_add_str(form, str_encode_url(e->c->arena, name, false));
	buf_add_char(form, '=');
	buf_add_str(form, str_encode_url(e->c->arena, value, false));
}

/* The version number for a parameter that names the version by a word; else the parameter's own value. */
static struct str number_of(const struct pairs *numbers, const struct pair *sent)
{
	for (size_t k = 0; k < numbers->count; k++)
		if (str_equal(numbers->at[k].name, sent->name))
			return numbers->at[k].value;
	return sent->value;
}

/* Makes pairs for each configuration whose launch could be read: its version parameter with the number, its id
 * parameter with the template's id, and its name parameter without a value. */
static RESULT find_numbers(struct ec2_call *e, const struct ec2_fleet_kept *a, struct pairs *ret_numbers)
{
	struct pair *numbers = arena_new_array(e->c->arena, struct pair, 3 * a->configs->count + 1);
	size_t first = 0, count = 0;
	if (!numbers)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->configs->count; k++) {
		const struct ec2_fleet_config *config = &a->configs->at[k];
		const struct launch_template_version *version = launch_template_version_find(
			ec2_tables(e), a->overrides[first].launch.template_version);
		first += config->overrides.count ? config->overrides.count : 1;
		if (!version)
			continue;
		numbers[count++] = (struct pair){name_parameter(e, config, "Version"),
						 str_print(e->c->arena, "%lld", (long long) version->number)};
		numbers[count++] =
			(struct pair){name_parameter(e, config, "LaunchTemplateId"),
				      id_to_ec2(e->c->arena, KIND_LAUNCH_TEMPLATE, version->template)};
		numbers[count++] = (struct pair){name_parameter(e, config, "LaunchTemplateName"), STR_NONE};
	}
	*ret_numbers = (struct pairs){numbers, count};
	return OK;
}

static bool was_sent(const struct ec2_call *e, struct str name)
{
	for (size_t k = 0; k < e->pairs.count; k++)
		if (str_equal(e->pairs.at[k].name, name))
			return true;
	return false;
}

/* Keeps the configurations as they were sent, to be read again later. An instant fleet launches once: EC2 shows it
 * with its templates' ids and version numbers. Other fleets resolve a word such as $Latest at each launch. A session's policy
 * is checked now and is unknown later (auth/guard/guard_later.c), so a session's fleet stores the present templates and
 * versions: otherwise a new version, or a new template of that name, could launch an instance that the policy denies. */
RESULT ec2_keep_fleet_configs(struct ec2_call *e, const struct ec2_fleet_kept *a, struct str *ret_form)
{
	struct buf form;
	struct pairs numbers = {0};
	if (a->is_instant || (e->c->who && e->c->who->session))
		TRY(find_numbers(e, a, &numbers));
	buf_init(&form, 64 * 1024);
	for (size_t k = 0; k < e->pairs.count; k++) {
		const struct pair *pair = &e->pairs.at[k];
		struct str value = number_of(&numbers, pair);
		if (str_starts_with(pair->name, str_from(a->prefix)) && value.p)
			add_pair(e, &form, pair->name, value);
	}
	for (size_t k = 0; k < numbers.count; k++)
		if (numbers.at[k].value.p && !was_sent(e, numbers.at[k].name))
			add_pair(e, &form, numbers.at[k].name, numbers.at[k].value);
	struct result result = buf_finish(&form);
	*ret_form = str_copy(e->c->arena, buf_str(&form));
	buf_done(&form);
	return result_is_ok(result)
		       ? OK
		       : ctx_fail_field(e->c, ERR_TOO_LARGE, str_from(a->prefix), "The fleet says too much.");
}

/* A fleet that is launched later is refused for a launch that would be refused now. */
RESULT ec2_check_fleet_overrides(struct ec2_call *e, const struct ec2_fleet_kept *a,
				 const struct ec2_tag_specs *tags)
{
	const struct ec2_fleet_config *config = NULL;
	const struct ec2_fleet_override *o = NULL;
	for (size_t k = 0; k < a->count; k++) {
		struct instance_launch launch = {0};
		if (a->overrides[k].code.n && ec2_find_fleet_override(a->configs, k, &config, &o))
			TRY(read_launch(e, tags, config, o, &launch));
	}
	return OK;
}

RESULT ec2_take_fleet_overrides(struct ec2_call *e, const struct ec2_fleet_configs *configs,
				const struct ec2_tag_specs *tags, struct fleet_override **ret_overrides,
				size_t *ret_count)
{
	size_t count = ec2_count_fleet_overrides(configs);
	if (count > FLEET_OVERRIDES_MAX)
		return ctx_fail_field(e->c, ERR_TOO_LARGE, STR(CONFIGS), "A fleet has up to %d overrides.",
				      FLEET_OVERRIDES_MAX);
	*ret_overrides = arena_new_array(e->c->arena, struct fleet_override, count + 1);
	if (!*ret_overrides)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < count; k++)
		TRY(take_override(e, configs, tags, k, &(*ret_overrides)[k]));
	*ret_count = count;
	return OK;
}

/* ---- read again ---- */

struct kept_configs {
	struct ec2_fleet_configs configs;
};
static const struct param kept_rows[] = {
	PARAM_LIST(struct kept_configs, CONFIGS, configs, ec2_fleet_config_params, .max = 50, .doc = ""),
};
static const struct params kept_params = PARAMS(struct kept_configs, kept_rows);

RESULT ec2_read_fleet_configs(struct ec2_call *e, const struct fleet *fleet,
			      struct ec2_fleet_configs *ret_configs)
{
	struct kept_configs kept = {0};
	struct pairs pairs;
	TRY(request_parse(e->c, STR_NONE, fleet->configs, &pairs));
	TRY(request_read(e->c, &request_ec2_dialect, &kept_params, 0, &pairs, &kept));
	*ret_configs = kept.configs;
	return OK;
}

RESULT ec2_read_fleet_overrides(struct ec2_call *e, const struct fleet *fleet,
				struct fleet_override **ret_overrides, size_t *ret_count)
{
	static const struct ec2_tag_specs none;
	struct ec2_fleet_configs configs;
	if (id_is_spot_fleet(fleet->row.id))
		return ec2_read_spot_fleet_overrides(e, fleet, ret_overrides, ret_count);
	TRY(ec2_read_fleet_configs(e, fleet, &configs));
	return ec2_take_fleet_overrides(e, &configs, &none, ret_overrides, ret_count);
}

void ec2_write_thousandths(struct ec2_call *e, struct xml *x, const char *name, int64_t value)
{
	struct str text = str_print(e->c->arena, "%lld.%03lld", (long long) value / FLEET_UNIT,
				    (long long) value % FLEET_UNIT);
	while (text.n && str_ends_with(text, STR("0")) && !str_ends_with(text, STR(".0")))
		text.n--;
	xml_text(x, name, text);
}

void ec2_write_double(struct ec2_call *e, struct xml *x, const char *name, struct str text)
{
	if (text.n)
		xml_text(x, name,
			 str_find_char(text, '.', 0) < text.n
				 ? text
				 : str_print(e->c->arena, "%" STR_FMT ".0", STR_ARG(text)));
}

void ec2_write_fleet_template(struct xml *x, const struct ec2_fleet_config *config)
{
	xml_open(x, "launchTemplateSpecification");
	xml_text_opt(x, "launchTemplateId", config->template_id);
	xml_text_opt(x, "launchTemplateName", config->template_name);
	xml_text_opt(x, "version", config->version);
	xml_close(x, "launchTemplateSpecification");
}
