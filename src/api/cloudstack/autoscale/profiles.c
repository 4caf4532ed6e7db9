/* SPDX-License-Identifier: Apache-2.0
 * Profiles of AutoScale: parameters of deployVirtualMachine, which each launch reads again. Source: API reference,
 * "AutoScale", 4.18. */
#include "api/cloudstack/autoscale/autoscale.h"
#include "api/cloudstack/autoscale/later_group.h"
#include "api/cloudstack/compute/compute.h"
#include "base/clock.h"
#include "engine/instance/instance.h"
#include "engine/instance/launch/fleet.h"
#include "engine/instance/user_data.h"
#include "engine/people/asker.h"
#include "engine/resolve.h"
#include "store/load_balancer.h"

/* ---- listAutoScaleVmProfiles ---- */

struct list_profiles {
	struct cs_list_args list;
	struct ref project, offering, template, zone;
	struct str parameters;
};
#define P(wire, member, ...) PARAM(struct list_profiles, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_profiles, KIND_AUTOSCALE_PROFILE),
	CS_OWNER_PARAMS(struct list_profiles),
	CS_PROJECT_PARAM(struct list_profiles, project),
	P("serviceofferingid", offering, .kind = KIND_INSTANCE_TYPE,
	  .fits = FITS(autoscale_profile, offering), .doc = "Service offering."),
	P("templateid", template, .kind = KIND_IMAGE, .fits = FITS(autoscale_profile, image),
	  .doc = "Template."),
	P("zoneid", zone, .kind = KIND_ZONE, .fits = FITS(autoscale_profile, zone), .doc = "Zone."),
	P("otherdeployparams", parameters, .doc = "Part of the other parameters, as name=value&name=value."),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

static struct str join_parameters(struct api_call *e, const struct strs *texts)
{
	struct str all = STR_NONE;
	for (size_t k = 0; k + 1 < texts->count; k += 2)
		all = str_print(e->c->arena, "%" STR_FMT "%s%" STR_FMT "=%" STR_FMT, STR_ARG(all),
				k ? "&" : "", STR_ARG(texts->at[k]), STR_ARG(texts->at[k + 1]));
	return all;
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_profiles *a = args;
	return !a->parameters.n ||
	       str_contains(join_parameters(e, &autoscale_profile_of(row)->parameters), a->parameters);
}

static void write_parameters(struct api_call *e, struct json_writer *w, const char *name,
			     const struct row *row)
{
	const struct strs *texts = &autoscale_profile_of(row)->parameters;
	(void) e;
	if (!texts->count)
		return;
	json_write_open(w, name);
	for (size_t k = 0; k + 1 < texts->count; k += 2)
		json_write_text(w, str_to_z(e->c->arena, texts->at[k]), texts->at[k + 1]);
	json_write_close(w);
}

static void write_user_data(struct api_call *e, struct json_writer *w, const char *name,
			    const struct row *row)
{
	struct str data = autoscale_profile_of(row)->user_data;
	if (data.n)
		json_write_text(w, name, str_encode_base64(e->c->arena, data));
}

static const struct member members[] = {
	MEMBER(struct autoscale_profile, "id", row.id),
	MEMBER(struct autoscale_profile, "zoneid", zone),
	MEMBER(struct autoscale_profile, "serviceofferingid", offering),
	MEMBER(struct autoscale_profile, "templateid", image),
	MEMBER_WRITTEN("otherdeployparams", write_parameters),
	MEMBER(struct autoscale_profile, "expungevmgraceperiod", grace_s),
	MEMBER_WRITTEN("userdata", write_user_data),
	CS_OWNER_MEMBERS(autoscale_profile),
	MEMBER_FIXED("fordisplay", "true"),
};
static const struct api_listing profiles =
	CS_LISTING(KIND_AUTOSCALE_PROFILE, "autoscalevmprofile", members, .matches = matches);

/* ---- launches ---- */

enum { OWN_PARAMETERS = 5 };

static struct pair *add_pair(struct cs_call *e, struct pair *at, const char *name, struct str value)
{
	*at = (struct pair){str_from(name), str_copy(e->c->arena, value)};
	return at + 1;
}

static struct str write_uuid(struct cs_call *e, uuid id)
{
	return uuid_to_str(e->c->arena, id);
}

/* Puts the load balancer's network before the profile's own. */
static struct str join_networks(struct cs_call *e, struct str own, uuid network)
{
	struct str first = write_uuid(e, network);
	if (uuid_is_none(network) || str_contains(own, first))
		return own;
	return own.n ? str_print(e->c->arena, "%" STR_FMT ",%" STR_FMT, STR_ARG(first), STR_ARG(own)) : first;
}

RESULT cs_read_profile(struct cs_call *e, const struct autoscale_profile *profile, uuid network,
		       struct instance_launch *ret_launch)
{
	const struct strs *texts = &profile->parameters;
	struct pair *pairs = arena_new_array(e->c->arena, struct pair, texts->count / 2 + OWN_PARAMETERS);
	struct pair *at = pairs;
	struct str networks = STR_NONE;
	if (!pairs)
		return ctx_no_memory(e->c);
	at = add_pair(e, at, "zoneid", write_uuid(e, profile->zone));
	at = add_pair(e, at, "serviceofferingid", write_uuid(e, profile->offering));
	at = add_pair(e, at, "templateid", write_uuid(e, profile->image));
	if (profile->user_data.n)
		at = add_pair(e, at, "userdata", str_encode_base64(e->c->arena, profile->user_data));
	for (size_t k = 0; k + 1 < texts->count; k += 2) {
		if (str_is(texts->at[k], "networkids"))
			networks = texts->at[k + 1];
		else
			at = add_pair(e, at,
				      str_is(texts->at[k], "disksize") ? "size"
								       : str_to_z(e->c->arena, texts->at[k]),
				      texts->at[k + 1]);
	}
	networks = join_networks(e, networks, network);
	if (networks.n)
		at = add_pair(e, at, "networkids", networks);
	const struct pairs all = {pairs, (size_t) (at - pairs)};
	return cs_read_deployment(e, &all, ret_launch);
}

/* A call that nobody sent: the parts of one that the reader of a deployment needs. */
struct later_call {
	struct api_config config;
	struct cs_call e;
};

static RESULT read_group(struct cs_call *e, const struct scaling_group *group,
			 struct fleet_override **ret_launches, size_t *ret_count)
{
	const struct autoscale_profile *profile = autoscale_profile_find(cs_tables(e), group->profile);
	const struct load_balancer *balancer = load_balancer_find(cs_tables(e), group->balancer);
	*ret_launches = arena_new_array(e->c->arena, struct fleet_override, 1);
	if (!*ret_launches)
		return ctx_no_memory(e->c);
	if (!profile || !balancer || !e->c->who)
		return ctx_fail(e->c, ERR_NOT_FOUND, "The profile of the AutoScale group is gone.");
	**ret_launches = (struct fleet_override){.capacity = 1};
	*ret_count = 1;
	return cs_read_profile(e, profile, balancer->network, &(*ret_launches)->launch);
}

RESULT cloudstack_read_later_group(struct ctx *c, const struct later_launch *later,
				   const struct scaling_group *group, struct fleet_override **ret_launches,
				   size_t *ret_count)
{
	struct later_call *call = arena_new_object(c->arena, struct later_call);
	const struct asker asker = ASKER_OF(group);
	const struct asker_work work = {later->guard, "instance.create", clock_now_us()};
	const struct identity *who = c->who;
	struct guard *guard = c->guard;
	if (!call)
		return ctx_no_memory(c);
	call->config.store = later->store;
	call->e.c = c;
	call->e.config = &call->config;
	call->e.protocol = &cloudstack_protocol;
	call->e.errors = cloudstack_protocol.errors;
	view_open(later->store, &call->e.view);
	struct result result = asker_act(c, call->e.view.tables, &asker, &work);
	if (result_is_ok(result))
		result = read_group(&call->e, group, ret_launches, ret_count);
	view_close(&call->e.view);
	c->who = who;
	c->guard = guard;
	return result;
}

/* ---- changes ---- */

struct parameter {
	struct str name, value;
};
static const struct param parameter_rows[] = {
	PARAM(struct parameter, "name", name, .flags = REQUIRED, .max = 64,
	      .doc = "Parameter of deployVirtualMachine."),
	PARAM(struct parameter, "value", value, .flags = REQUIRED, .max = 1024, .doc = "Value."),
};
static const struct params parameter_params = PARAMS(struct parameter, parameter_rows);
struct parameters {
	const struct parameter *at;
	size_t count;
};

/* Checks the names, and reads the deployment once: a wrong value is refused now, and not at each launch. */
static RESULT take_parameters(struct cs_call *e, const struct parameters *asked, struct strs *ret_texts)
{
	static const char supported[] = "rootdisksize|diskofferingid|disksize|size|securitygroupids|"
					"overridediskofferingid|keypairs|affinitygroupids|networkids";
	struct str *texts = arena_new_array(e->c->arena, struct str, 2 * asked->count + 1);
	if (!texts)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < asked->count; k++) {
		if (!params_has_word(supported, asked->at[k].name))
			return cs_fail(
				e, "otherdeployparams",
				"Unsupported otherdeployparams key: %" STR_FMT
				". Supported values are [rootdisksize, diskofferingid, disksize, "
				"securitygroupids, overridediskofferingid, keypairs, affinitygroupids, "
				"networkids]",
				STR_ARG(asked->at[k].name));
		texts[2 * k] = asked->at[k].name;
		texts[2 * k + 1] = asked->at[k].value;
	}
	*ret_texts = (struct strs){texts, 2 * asked->count};
	return OK;
}

/* Refuses rows of other accounts, which each launch would refuse. All interfaces have the same security groups. */
static RESULT check_named(struct cs_call *e, const struct instance_launch *launch)
{
	const struct row *row = NULL;
	const struct refs groups = launch->port_count ? launch->ports[0].groups : (struct refs){0};
	if (ref_is_given(&launch->key_pair))
		TRY(engine_find_own(e->c, cs_tables(e), KIND_KEY_PAIR, &launch->key_pair, &row));
	if (ref_is_given(&launch->server_group))
		TRY(engine_find_own(e->c, cs_tables(e), KIND_SERVER_GROUP, &launch->server_group, &row));
	for (size_t k = 0; k < groups.count; k++)
		TRY(engine_find(e->c, cs_tables(e), KIND_SECURITY_GROUP, &groups.at[k], &row));
	for (size_t k = 0; k < launch->port_count; k++)
		if (ref_is_given(&launch->ports[k].network))
			TRY(engine_find_usable(e->c, cs_tables(e), KIND_NETWORK, &launch->ports[k].network,
					       &row));
	return OK;
}

static RESULT try_profile(struct cs_call *e, const struct autoscale_profile *profile)
{
	struct instance_launch launch;
	TRY(cs_read_profile(e, profile, UUID_NONE, &launch));
	return check_named(e, &launch);
}

struct make_profile {
	struct autoscale_profile_wish wish;
	struct cs_owner owner;
	struct parameters parameters;
	struct ref user_data;
};
#define DEPLOYMENT(T)                                                                                        \
	PARAM_LIST(T, "otherdeployparams", parameters, parameter_params, .max = AUTOSCALE_PARAMETERS_MAX,    \
		   .doc = "Other parameters of deployVirtualMachine, as otherdeployparams[0].name and "      \
			  "otherdeployparams[0].value."),                                                    \
		PARAM(T, "expungevmgraceperiod", wish.grace_s.value, .min = 0, .max = AUTOSCALE_SECONDS_MAX, \
		      .given = offsetof(T, wish.grace_s.is_given) + 1,                                       \
		      .doc = "Seconds between the moment when a machine leaves the load balancer rule and "  \
			     "its end; absent: 120."),                                                       \
		PARAM(T, "userdataid", user_data, .kind = KIND_USER_DATA,                                    \
		      .doc = "Registered user data, instead of the text."),                                  \
		NOT_BUILT("autoscaleuserid|counterparam|userdatadetails"),                                   \
		NOT_BUILT("fordisplay", .only = "true")
#define P(wire, member, ...) PARAM(struct make_profile, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("zoneid", wish.zone, .kind = KIND_ZONE, .flags = REQUIRED, .doc = "Zone of the machines."),
	P("serviceofferingid", wish.offering, .kind = KIND_INSTANCE_TYPE, .flags = REQUIRED,
	  .doc = "Service offering."),
	P("templateid", wish.image, .kind = KIND_IMAGE, .flags = REQUIRED, .doc = "Template."),
	P("userdata", wish.user_data, .flags = BASE64, .max = USER_DATA_MAX,
	  .doc = "User data in base64, up to 32 KiB."),
	DEPLOYMENT(struct make_profile),
	CS_FOR_PARAMS(struct make_profile, owner),
};
#undef P

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct make_profile *a = args;
	TRY(cs_choose_user_data(e, &a->user_data, &a->wish.user_data));
	TRY(take_parameters(e, &a->parameters, &a->wish.parameters));
	const struct autoscale_profile wanted = {.zone = a->wish.zone.prefix,
						 .offering = a->wish.offering.prefix,
						 .image = a->wish.image.prefix,
						 .parameters = a->wish.parameters,
						 .user_data = a->wish.user_data};
	return try_profile(e, &wanted);
}

struct change_profile {
	struct autoscale_profile_change wish;
	struct parameters parameters;
	struct ref user_data;
	struct str text;
};
#define P(wire, member, ...) PARAM(struct change_profile, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	P("id", wish.profile, .kind = KIND_AUTOSCALE_PROFILE, .flags = REQUIRED, .doc = "The profile."),
	P("serviceofferingid", wish.offering, .kind = KIND_INSTANCE_TYPE, .doc = "New service offering."),
	P("templateid", wish.image, .kind = KIND_IMAGE, .doc = "New template."),
	P("userdata", text, .flags = BASE64, .max = USER_DATA_MAX, .doc = "New user data in base64."),
	DEPLOYMENT(struct change_profile),
	NOT_BUILT("customid"),
};
#undef P

static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct change_profile *a = args;
	const struct autoscale_profile *present = NULL;
	TRY(engine_find_own_autoscale_profile(e->c, cs_tables(e), &a->wish.profile, &present));
	struct autoscale_profile wanted = *present;
	TRY(cs_choose_user_data(e, &a->user_data, &a->text));
	TRY(take_parameters(e, &a->parameters, &a->wish.parameters));
	a->wish.has_parameters = a->parameters.count > 0;
	a->wish.user_data = a->text.n ? &a->text : NULL;
	if (ref_is_given(&a->wish.offering))
		wanted.offering = a->wish.offering.prefix;
	if (ref_is_given(&a->wish.image))
		wanted.image = a->wish.image.prefix;
	if (a->wish.has_parameters)
		wanted.parameters = a->wish.parameters;
	if (a->text.n)
		wanted.user_data = a->text;
	return try_profile(e, &wanted);
}

static const struct cs_action actions[] = {
	{CS_ACTION("listAutoScaleVmProfiles", "ec2:DescribeAutoScaleProfiles"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_profiles, list_params), .listing = &profiles,
	 .doc = "Lists profiles of AutoScale groups."},
	{CS_ACTION("createAutoScaleVmProfile", "ec2:CreateAutoScaleProfile"),
	 .flags = API_WRITES | CS_OF_ACCOUNT | CS_MAKES, .args = PARAMS(struct make_profile, create_params),
	 .prepare = prepare_create, .operation = engine_create_autoscale_profile_run,
	 CS_SUBJECT(struct make_profile, wish.profile), .shows = &profiles, CS_JOB(NOW),
	 .doc = "Creates a profile of the machines of AutoScale groups."},
	{CS_ACTION("updateAutoScaleVmProfile", "ec2:ModifyAutoScaleProfile"), .flags = API_WRITES,
	 .args = PARAMS(struct change_profile, update_params), .prepare = prepare_update,
	 .operation = engine_update_autoscale_profile_run,
	 CS_SUBJECT(struct change_profile, wish.profile.prefix), .shows = &profiles, CS_JOB(NOW),
	 .doc = "Changes a profile whose groups are all disabled. Present machines stay as they are."},
	{CS_ACTION("deleteAutoScaleVmProfile", "ec2:DeleteAutoScaleProfile"), .flags = API_WRITES,
	 .args = CS_ONE(struct autoscale_profile_target, "id", profile, KIND_AUTOSCALE_PROFILE,
			"The profile."),
	 .operation = engine_delete_autoscale_profile_run, CS_JOB(NOW),
	 .doc = "Deletes a profile that no group has."},
};
const struct api_actions cs_autoscale_profile_actions = API_ACTIONS(actions);
