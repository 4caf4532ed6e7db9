/* SPDX-License-Identifier: Apache-2.0
 * Launch configurations that take after an instance: its settings, without its disks, as parameters of
 * CreateLaunchConfiguration. Parameters that the caller gives come first. Source: Amazon EC2 Auto Scaling API Reference. */
#include "api/autoscaling/source.h"
#include "engine/instance/profile_association.h"
#include "engine/resolve.h"
#include "model/id.h"
#include "store/instance.h"
#include "store/instance_profile.h"
#include "store/instance_type.h"
#include "store/port.h"

struct said {
	struct autoscaling_call *e;
	const struct pairs *given;
	VEC(struct pair) pairs;
	bool has_failed;
};

/* The name up to its first dot: a member that the caller gives replaces all of an object or a list. */
static struct str first_part(struct str name)
{
	return str_slice(name, 0, str_find_char(name, '.', 0));
}

static bool is_given(const struct pairs *given, struct str name)
{
	for (size_t k = 0; k < given->count; k++)
		if (str_equal(first_part(given->at[k].name), first_part(name)))
			return true;
	return false;
}

static void say(struct said *s, struct str name, struct str value)
{
	const struct pair pair = {name, value};
	if (!value.n || is_given(s->given, name))
		return;
	s->has_failed = s->has_failed || !VEC_PUSH(s->e->c->arena, &s->pairs, pair);
}

static void say_bool(struct said *s, const char *name, bool value)
{
	say(s, str_from(name), value ? STR("true") : STR("false"));
}

static void say_groups(struct said *s, uuid instance)
{
	struct arena *a = s->e->c->arena;
	/* ordered by device index: the primary interface is the first */
	const struct port *port = port_first_by_instance(autoscaling_tables(s->e), instance);
	for (size_t k = 0; port && k < port->groups.count; k++)
		say(s, str_print(a, "SecurityGroups.member.%zu", k + 1),
		    id_to_ec2(a, KIND_SECURITY_GROUP, port->groups.at[k]));
}

static void say_instance(struct said *s, const struct instance *i)
{
	const struct tables *t = autoscaling_tables(s->e);
	struct arena *a = s->e->c->arena;
	const struct instance_type *type = instance_type_find(t, i->type);
	const struct instance_profile *profile = engine_find_profile_of(t, i->row.id);
	if (!uuid_is_none(i->image))
		say(s, STR("ImageId"), id_to_ec2(a, KIND_IMAGE, i->image));
	say(s, STR("InstanceType"), type ? type->name : STR_NONE);
	say(s, STR("KeyName"), i->key_name);
	say(s, STR("UserData"), str_encode_base64(a, i->user_data));
	say(s, STR("IamInstanceProfile"), profile ? profile->name : STR_NONE);
	say(s, STR("PlacementTenancy"),
	    i->tenancy == INSTANCE_TENANCY_DEDICATED ? STR("dedicated") : STR_NONE);
	say_bool(s, "InstanceMonitoring.Enabled", i->monitoring);
	say_bool(s, "EbsOptimized", i->ebs_optimized);
	say(s, STR("MetadataOptions.HttpTokens"),
	    i->metadata_tokens_required ? STR("required") : STR("optional"));
	say(s, STR("MetadataOptions.HttpEndpoint"), i->metadata_enabled ? STR("enabled") : STR("disabled"));
	if (i->metadata_hop_limit)
		say(s, STR("MetadataOptions.HttpPutResponseHopLimit"),
		    str_print(a, "%lld", (long long) i->metadata_hop_limit));
	say_groups(s, i->row.id);
}

RESULT autoscaling_read_instance(struct autoscaling_call *e, struct str id, const struct pairs *given,
				 struct pairs *ret_pairs)
{
	struct said s = {.e = e, .given = given};
	struct ref ref = {0};
	const struct instance *instance = NULL;
	struct result found = id_parse_ec2(id, KIND_INSTANCE, &ref);
	ref.field = STR("InstanceId");
	if (result_is_ok(found))
		found = engine_find_own_instance(e->c, autoscaling_tables(e), &ref, &instance);
	if (!result_is_ok(found) && found.code != ERR_NOT_FOUND && found.code != ERR_MALFORMED &&
	    found.code != ERR_INVALID)
		return found;
	ctx_clear_problem(e->c);
	if (!instance || !row_is_live(&instance->row))
		return ctx_fail_field(e->c, ERR_INVALID, STR("InstanceId"),
				      "Instance [%" STR_FMT "] is invalid.", STR_ARG(id));
	for (size_t k = 0; k < given->count; k++)
		s.has_failed = s.has_failed || !VEC_PUSH(e->c->arena, &s.pairs, given->at[k]);
	say_instance(&s, instance);
	*ret_pairs = (struct pairs){s.pairs.at, s.pairs.count};
	return s.has_failed ? ctx_no_memory(e->c) : OK;
}
