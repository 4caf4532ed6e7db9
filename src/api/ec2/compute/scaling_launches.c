/* SPDX-License-Identifier: Apache-2.0
 * Launches of scaling groups: the source of a group, written in RunInstances' parameters and read by its table
 * (run_instances.c). Read by the reconciler, and by the face of EC2 Auto Scaling through its configuration. */
#include "api/ec2/compute/instances.h"
#include "api/ec2/compute/launch_template_data.h"
#include "engine/instance/launch/fleet.h"
#include "engine/scaling/scaling.h"
#include "store/launch_configuration.h"
#include "store/zone.h"

/* A launch of a source: an override in a place. */
struct launch_of {
	const struct scaling_source *source;
	const struct str *texts; /* the override; NULL: the source has none */
	size_t place;
};

static struct str text_of(const struct launch_of *l, size_t which)
{
	return l->texts ? l->texts[which] : STR_NONE;
}

/* Parameters of the launch configuration, but for a type that an override gives. */
static RESULT say_configuration(struct ec2_call *e, struct ec2_said *s, const struct launch_of *l,
				bool *ret_has_interface)
{
	const struct launch_configuration *c =
		launch_configuration_find(ec2_tables(e), l->source->launch_configuration);
	struct pairs pairs = {0};
	if (!c && !l->source->form.n)
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("LaunchConfigurationName"),
				      "The launch configuration is gone.");
	TRY(ec2_read_launch_data(e, c ? c->data : l->source->form, &pairs));
	for (size_t k = 0; k < pairs.count; k++) {
		bool is_type = str_is(pairs.at[k].name, "InstanceType");
		*ret_has_interface |= str_starts_with(pairs.at[k].name, STR("NetworkInterface."));
		if (!is_type || !text_of(l, OVERRIDE_TYPE).n)
			ec2_say(e, s, pairs.at[k].name, pairs.at[k].value);
	}
	return OK;
}

static void say_template(struct ec2_call *e, struct ec2_said *s, const struct launch_of *l)
{
	struct str own = text_of(l, OVERRIDE_TEMPLATE);
	struct str version = own.n ? text_of(l, OVERRIDE_VERSION) : l->source->version;
	ec2_say(e, s, STR("LaunchTemplate.LaunchTemplateId"),
		own.n ? own : id_to_ec2(e->c->arena, KIND_LAUNCH_TEMPLATE, l->source->template));
	ec2_say(e, s, STR("LaunchTemplate.Version"), version.n ? version : STR("$Default"));
}

static void say_place(struct ec2_call *e, struct ec2_said *s, const struct launch_of *l, bool has_interface)
{
	const struct scaling_source *source = l->source;
	if (source->subnets.count) {
		ec2_say(e, s, has_interface ? STR("NetworkInterface.1.SubnetId") : STR("SubnetId"),
			id_to_ec2(e->c->arena, KIND_SUBNET, source->subnets.at[l->place]));
	} else {
		const struct zone *zone = zone_find(ec2_tables(e), source->zones.at[l->place]);
		ec2_say(e, s, STR("Placement.AvailabilityZone"), zone ? zone->name : STR("none"));
	}
	ec2_say(e, s, STR("Placement.GroupName"), source->placement_group);
}

static RESULT read_launch(struct ec2_call *e, const struct launch_of *l, struct instance_launch *ret_launch)
{
	struct ec2_said s = {0};
	bool has_interface = false;
	if (uuid_is_none(l->source->launch_configuration) && !l->source->form.n)
		say_template(e, &s, l);
	else
		TRY(say_configuration(e, &s, l, &has_interface));
	ec2_say(e, &s, STR("InstanceType"), text_of(l, OVERRIDE_TYPE));
	ec2_say(e, &s, STR("MinCount"), STR("1"));
	ec2_say(e, &s, STR("MaxCount"), STR("1"));
	say_place(e, &s, l, has_interface);
	if (s.has_failed)
		return ctx_no_memory(e->c);
	/* by way of a form, which sorts them */
	const struct pairs said = {s.pairs.at, s.pairs.count}, none = {0};
	struct pairs sorted = {0};
	struct str form;
	TRY(ec2_merge_launch_data(e, &said, &none, &form));
	TRY(ec2_read_launch_data(e, form, &sorted));
	TRY(ec2_read_launch(e, &sorted, ret_launch));
	if (l->source->is_mixed && ret_launch->spot.is_spot)
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, STR("LaunchTemplate"),
			"Incompatible launch template: You cannot use a launch template that is set to "
			"request Spot Instances (InstanceMarketOptions) when you configure an Auto "
			"Scaling group with a mixed instances policy.");
	return OK;
}

static RESULT take_launch(struct ec2_call *e, const struct launch_of *l, struct fleet_override *ret_launch)
{
	int64_t weight = 1;
	if (text_of(l, OVERRIDE_WEIGHT).n)
		TRY(str_parse_int(text_of(l, OVERRIDE_WEIGHT), &weight));
	ret_launch->capacity = weight;
	struct result read = read_launch(e, l, &ret_launch->launch);
	if (read.code == ERR_NO_MEMORY || read.code == ERR_TOO_LARGE || read.code == ERR_DENIED)
		return read;
	if (!result_is_ok(read)) {
		ec2_tell_problem(e, read, &ret_launch->code, &ret_launch->message);
		ctx_clear_problem(e->c);
	}
	return OK;
}

RESULT ec2_read_scaling_launches(struct ec2_call *e, const struct scaling_source *source,
				 struct fleet_override **ret_launches, size_t *ret_count)
{
	size_t places = engine_count_scaling_places(source),
	       overrides = engine_count_scaling_overrides(source);
	*ret_count = places * overrides;
	*ret_launches = arena_new_array(e->c->arena, struct fleet_override, *ret_count + 1);
	if (!*ret_launches)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < *ret_count; k++) {
		const struct launch_of l = {
			.source = source,
			.texts = source->overrides.count ? &source->overrides.at[k / places * OVERRIDE_TEXTS]
							 : NULL,
			.place = k % places};
		TRY(take_launch(e, &l, &(*ret_launches)[k]));
	}
	return OK;
}

static bool is_propagated(const struct scaling_group *group, struct str key)
{
	for (size_t k = 0; k < group->propagated.count; k++)
		if (str_equal(group->propagated.at[k], key))
			return true;
	return false;
}

/* The group's tags go before those of the template. */
RESULT ec2_add_scaling_tags(struct ec2_call *e, const struct scaling_group *group,
			    struct instance_launch *launch)
{
	struct tag *tags =
		arena_new_array(e->c->arena, struct tag, group->tags.count + launch->instance_tags.count + 1);
	size_t count = 0;
	if (!tags)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < group->tags.count; k++)
		if (is_propagated(group, group->tags.at[k].key))
			tags[count++] = group->tags.at[k];
	const struct tags own = {tags, count};
	for (size_t k = 0; k < launch->instance_tags.count; k++)
		if (!tags_find(own, launch->instance_tags.at[k].key))
			tags[count++] = launch->instance_tags.at[k];
	launch->instance_tags = (struct tags){tags, count};
	return OK;
}
