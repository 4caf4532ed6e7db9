/* SPDX-License-Identifier: Apache-2.0
 * Reads what a group launches: a launch template, a launch configuration or a mixed instances policy. Used by: groups.c,
 * refreshes.c. Source: Amazon EC2 Auto Scaling API Reference. */
#include "api/autoscaling/source.h"

#include "auth/guard/guard.h"
#include "engine/instance/launch/fleet.h"
#include "engine/resolve.h"
#include "model/id.h"
#include "store/launch_configuration.h"
#include "store/launch_template.h"
#include "store/subnet.h"
#include "store/zone.h"

enum { LAUNCHES_MAX = 640 };

static const struct param override_rows[] = {
	PARAM(struct override_args, "InstanceType", type, .min = 1, .max = 255,
	      .doc = "Instance type that overrides the launch template's."),
	PARAM(struct override_args, "WeightedCapacity", weight, .min = 1, .max = AUTOSCALING_WEIGHT_MAX,
	      .doc = "Units of capacity that one instance of this override provides; absent: 1."),
	AUTOSCALING_TEMPLATE(struct override_args, "LaunchTemplateSpecification.", template),
	NOT_BUILT("InstanceRequirements|ImageId"),
};
const struct params autoscaling_override_params = PARAMS(struct override_args, override_rows);

/* ---- what it launches ---- */

static RESULT refuse(struct autoscaling_call *e, const char *field, const char *words)
{
	return ctx_fail_field(e->c, ERR_COMBINATION, str_from(field), "%s", words);
}

static RESULT name_template(struct autoscaling_call *e, const struct template_args *a, struct ref *ret_ref)
{
	const char *field = a->id.n ? "LaunchTemplateId" : "LaunchTemplateName";
	const struct launch_template *template = NULL;
	if (!a->id.n == !a->name.n)
		return refuse(e, "LaunchTemplate",
			      "Valid requests must contain either launchTemplateId or LaunchTemplateName");
	*ret_ref = (struct ref){.kind = KIND_LAUNCH_TEMPLATE, .text = a->name};
	if (a->id.n && !result_is_ok(id_parse_ec2(a->id, KIND_LAUNCH_TEMPLATE, ret_ref))) {
		ctx_clear_problem(e->c);
		return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
				      "LaunchTemplateId '%" STR_FMT "' is invalid.", STR_ARG(a->id));
	}
	ret_ref->field = str_from(field);
	return engine_find_own_launch_template(e->c, autoscaling_tables(e), ret_ref, &template);
}

static RESULT take_overrides(struct autoscaling_call *e, const struct source_args *a,
			     struct scaling_settings *s)
{
	struct str *texts = arena_new_array(e->c->arena, struct str, a->overrides.count * OVERRIDE_TEXTS + 1);
	if (!texts)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->overrides.count; k++) {
		const struct override_args *o = &a->overrides.at[k];
		struct str *of = &texts[k * OVERRIDE_TEXTS];
		of[OVERRIDE_TYPE] = o->type;
		of[OVERRIDE_WEIGHT] =
			o->weight ? str_print(e->c->arena, "%lld", (long long) o->weight) : STR("");
		of[OVERRIDE_TEMPLATE] = of[OVERRIDE_VERSION] = STR("");
		struct ref ref;
		const struct launch_template *template = NULL;
		if (!o->template.id.n && !o->template.name.n)
			continue;
		TRY(name_template(e, &o->template, &ref));
		TRY(engine_find_own_launch_template(e->c, autoscaling_tables(e), &ref, &template));
		of[OVERRIDE_TEMPLATE] = id_to_ec2(e->c->arena, KIND_LAUNCH_TEMPLATE, template->row.id);
		of[OVERRIDE_VERSION] = o->template.version.n ? o->template.version : STR("$Default");
	}
	s->overrides = (struct strs){texts, a->overrides.count * OVERRIDE_TEXTS};
	return OK;
}

static bool names_template(const struct template_args *a)
{
	return a->id.n || a->name.n || a->version.n;
}

static RESULT take_mixed(struct autoscaling_call *e, const struct source_args *a, struct scaling_settings *s)
{
	s->is_mixed = true;
	s->by_price = str_is(a->strategy, "lowest-price");
	s->spot_strategy = a->spot_strategy;
	s->on_demand_base = a->base;
	s->on_demand_percent = a->has_percent ? a->percent : 100;
	s->version = a->mixed.version;
	TRY(name_template(e, &a->mixed, &s->template));
	return take_overrides(e, a, s);
}

/* Exactly one of a launch configuration, a launch template and a mixed instances policy. */
RESULT autoscaling_take_source(struct autoscaling_call *e, const struct source_args *a, bool is_new,
			       struct scaling_settings *s)
{
	bool is_mixed = names_template(&a->mixed) || a->overrides.count;
	int count = (a->configuration.n > 0) + names_template(&a->template) + is_mixed;
	s->on_demand_percent = 100;
	if (count > 1 || (is_new && !count))
		return refuse(e, "LaunchTemplate", AUTOSCALING_SOURCES);
	if (!is_mixed && (a->has_base || a->has_percent))
		return refuse(
			e, AUTOSCALING_DISTRIBUTION "OnDemandBaseCapacity",
			"An instances distribution needs a launch template in the MixedInstancesPolicy.");
	if (!count)
		return OK;
	s->has_source = true;
	if (is_mixed)
		return take_mixed(e, a, s);
	if (!a->configuration.n) {
		s->version = a->template.version;
		return name_template(e, &a->template, &s->template);
	}
	const struct launch_configuration *c = launch_configuration_find_by_account(
		autoscaling_tables(e), e->c->who->account, a->configuration);
	s->launch_configuration = (struct ref){.kind = KIND_LAUNCH_CONFIGURATION,
					       .text = a->configuration,
					       .field = STR("LaunchConfigurationName")};
	return c && c->dialect == LAUNCH_CONFIGURATION_DIALECT_EC2
		       ? OK
		       : ctx_fail_field(e->c, ERR_NOT_FOUND, s->launch_configuration.field,
					"Launch configuration name not found - Launch configuration %" STR_FMT
					" not found",
					STR_ARG(a->configuration));
}

/* ---- launches on trial ---- */

static RESULT find_places(struct autoscaling_call *e, const struct scaling_settings *s,
			  struct scaling_source *source)
{
	const struct tables *t = autoscaling_tables(e);
	uuid *subnets = arena_new_array(e->c->arena, uuid, s->subnets.count + 1);
	uuid *zones = arena_new_array(e->c->arena, uuid, s->zones.count + 1);
	if (!subnets || !zones)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < s->subnets.count; k++) {
		const struct subnet *subnet = NULL;
		TRY(engine_find_own_subnet(e->c, t, &s->subnets.at[k], &subnet));
		subnets[k] = subnet->row.id;
	}
	for (size_t k = 0; k < s->zones.count; k++)
		zones[k] = zone_find_by_name(t, s->zones.at[k].text)->row.id;
	source->subnets = (struct uuids){subnets, s->subnets.count};
	source->zones = (struct uuids){zones, s->zones.count};
	return OK;
}

static RESULT find_source(struct autoscaling_call *e, const struct scaling_settings *s,
			  struct scaling_source *source)
{
	const struct tables *t = autoscaling_tables(e);
	const struct launch_template *template = NULL;
	const struct launch_configuration *c =
		launch_configuration_find_by_account(t, e->c->who->account, s->launch_configuration.text);
	if (ref_is_given(&s->template))
		TRY(engine_find_own_launch_template(e->c, t, &s->template, &template));
	source->template = template ? template->row.id : UUID_NONE;
	source->launch_configuration = ref_is_given(&s->launch_configuration) && c ? c->row.id : UUID_NONE;
	source->version = s->version;
	source->overrides = s->overrides;
	source->is_mixed = s->is_mixed;
	return OK;
}

RESULT autoscaling_read_launches(struct autoscaling_call *e, const struct scaling_group *present,
				 struct str form, struct scaling_settings *s)
{
	struct scaling_source source = {0};
	struct fleet_override *launches = NULL;
	s->guard = guards_later(e->config->guards);
	if ((!s->has_source && !s->has_places) || !e->config->read_scaling)
		return OK;
	if (present && present->mode != SCALING_GROUP_MODE_GROUP)
		return autoscaling_refuse(e, "AutoScalingGroupName",
					  "the model of a virtual machine scale set says what it launches");
	if (present)
		source = engine_get_scaling_source(present);
	if (s->has_source)
		TRY(find_source(e, s, &source));
	source.form = form;
	if (s->has_places)
		TRY(find_places(e, s, &source));
	if (s->has_placement)
		source.placement_group = s->placement_group;
	if (engine_count_scaling_places(&source) * engine_count_scaling_overrides(&source) > LAUNCHES_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("VPCZoneIdentifier"),
				      "Overrides times subnets are %d at most.", LAUNCHES_MAX);
	TRY(e->config->read_scaling(e->c, &e->view, &source, &launches, &s->launch_count));
	s->launches = launches;
	for (size_t k = 0; k < s->launch_count; k++)
		if (launches[k].code.n)
			return ctx_fail_field(e->c, ERR_INVALID, STR("LaunchTemplate"),
					      "You must use a valid fully-formed launch template. %" STR_FMT,
					      STR_ARG(launches[k].message));
	return OK;
}
