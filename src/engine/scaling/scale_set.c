/* SPDX-License-Identifier: Apache-2.0
 * Scale sets: their models, and the parts of their machines that an instance's launch does not make. Called by: api/azure,
 * scaling_follow.c. */
#include "engine/scaling/scale_set.h"

#include <inttypes.h>

#include "engine/instance/instance.h"
#include "engine/instance/launch/fleet.h"
#include "engine/resource_group.h"
#include "engine/scaling/scaling_internal.h"
#include "engine/virtual/port_policy.h"
#include "model/state.h"
#include "store/arm_resource.h"
#include "store/instance.h"
#include "store/key_pair.h"
#include "store/launch_configuration.h"
#include "store/port.h"
#include "store/scaling_activity.h"
#include "store/volume.h"

enum { NUMBER_DIGITS = 6, NUMBER_BASE = 36, HEX_DIGITS = 8 };

/* ---- look-ups ---- */

const struct launch_configuration *engine_find_scale_set_model(const struct tables *t,
							       const struct scaling_group *set)
{
	const struct launch_configuration *c = launch_configuration_find(t, set->launch_configuration);
	return c && c->dialect == LAUNCH_CONFIGURATION_DIALECT_AZURE ? c : NULL;
}

bool engine_has_latest_model(const struct tables *t, const struct scaling_group *set,
			     const struct scaling_member *m)
{
	const struct launch_configuration *c = launch_configuration_find(t, set->launch_configuration);
	return c && str_equal(c->name, m->launch_configuration);
}

const struct scaling_member *engine_find_set_member(const struct tables *t, uuid set, int64_t number)
{
	const struct scaling_member *m = scaling_member_first_by_scaling_group(t, set);
	while (m && m->number != number)
		m = scaling_member_next_by_scaling_group(t, m);
	return m;
}

/* Reason for the group's last failed launch; empty: unknown. */
static struct str last_failure(const struct tables *t, uuid group)
{
	const struct scaling_activity *last = NULL;
	for (const struct scaling_activity *a = scaling_activity_first_by_scaling_group(t, group); a;
	     a = scaling_activity_next_by_scaling_group(t, a))
		if (a->status == SCALING_ACTIVITY_STATUS_FAILED &&
		    (!last || a->row.created_us >= last->row.created_us))
			last = a;
	return last ? last->message : STR_NONE;
}

static bool is_moving(const struct tables *t, const struct scaling_member *m)
{
	const struct instance *i = instance_find(t, m->instance);
	enum instance_state state = i ? model_derive_instance_state(i) : INSTANCE_TERMINATED;
	return (m->stage != SCALING_MEMBER_STAGE_IN_SERVICE && m->stage != SCALING_MEMBER_STAGE_STANDBY) ||
	       state == INSTANCE_PENDING || state == INSTANCE_STOPPING || state == INSTANCE_SHUTTING_DOWN;
}

int engine_weigh_scale_set(const struct tables *t, const struct scaling_group *set, struct str *ret_problem)
{
	bool moves = set->is_deleting || engine_find_scaling_refresh(t, set->row.id) != NULL;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, set->row.id); m;
	     m = scaling_member_next_by_scaling_group(t, m))
		moves = moves || is_moving(t, m);
	if (set->tries > 0 && !set->is_deleting) {
		*ret_problem = last_failure(t, set->row.id);
		return 1;
	}
	return moves || engine_count_scaling_units(t, set->row.id) != set->desired ? -1 : 0;
}

/* ---- models ---- */

RESULT scaling_drop_model(struct op *op, uuid configuration)
{
	const struct launch_configuration *c = launch_configuration_find(op->head, configuration);
	bool is_used = scaling_group_first_by_launch_configuration(op->head, configuration) != NULL;
	return c && c->dialect == LAUNCH_CONFIGURATION_DIALECT_AZURE && !is_used
		       ? launch_configuration_forget(op, configuration)
		       : OK;
}

/* Creates the key pair of the machines, unless the account has one of that name. */
static RESULT make_key(struct op *op, const struct scale_set_launch *set)
{
	if (!set || !set->has_key ||
	    key_pair_find_by_account(op->head, engine_get_account(op->ctx), set->key.name))
		return OK;
	struct key_pair_wish key = set->key;
	return engine_create_key_pair(op, &key);
}

/* Writes the model as a launch configuration, and makes it the source of the settings. */
static RESULT make_model(struct op *op, struct scale_set_wish *wish, uuid *ret_model)
{
	struct launch_configuration_wish make = {.data = wish->model, .is_azure = true};
	TRY(make_key(op, wish->settings.launch_count ? wish->settings.launches[0].set : NULL));
	TRY(engine_create_launch_configuration(op, &make));
	*ret_model = make.configuration;
	wish->settings.has_source = true;
	wish->settings.launch_configuration = engine_ref_to(op, KIND_LAUNCH_CONFIGURATION, make.configuration,
							    STR("virtualMachineProfile"));
	return OK;
}

static RESULT create_set(struct op *op, struct scale_set_wish *wish)
{
	uuid model = UUID_NONE;
	TRY(make_model(op, wish, &model));
	struct scaling_group_wish make = {.name = wish->name, .mode = wish->mode, .settings = wish->settings};
	TRY(engine_create_scaling_group(op, &make));
	wish->id = make.group;
	return OK;
}

/* A changed model ends an upgrade to the one before. */
static RESULT upgrade(struct op *op, const struct scale_set_wish *wish)
{
	struct scaling_refresh_wish start = {.group = wish->set, .row = wish->upgrade};
	struct scaling_refresh_target end = {.group = wish->set, .is_at_once = true};
	if (engine_find_scaling_refresh(op->head, wish->id))
		TRY(engine_cancel_scaling_refresh(op, &end));
	return engine_start_scaling_refresh(op, &start);
}

static RESULT change_set(struct op *op, struct scale_set_wish *wish)
{
	const struct scaling_group *set = NULL;
	uuid model = UUID_NONE;
	TRY(scaling_find(op, &wish->set, "scaling_group.update", &set));
	wish->id = set->row.id;
	uuid before = set->launch_configuration;
	if (wish->has_model)
		TRY(make_model(op, wish, &model));
	struct scaling_group_change change = {.group = wish->set, .settings = wish->settings, .by_set = true};
	TRY(engine_update_scaling_group(op, &change));
	if (!wish->has_model)
		return OK;
	TRY(scaling_drop_model(op, before));
	return wish->how == SCALE_SET_UPGRADE ? upgrade(op, wish) : OK;
}

RESULT engine_put_scale_set(struct op *op, struct scale_set_wish *wish)
{
	return ref_is_given(&wish->set) ? change_set(op, wish) : create_set(op, wish);
}

/* ---- machines ---- */

/* "vmss_3" in a uniform set, "vmss_1a2b3c4d" in a flexible one. */
static struct str name_machine(struct op *op, const struct scaling_group *set, int64_t number, uuid instance)
{
	char text[UUID_TEXT_SIZE];
	const struct arm_resource *name = engine_find_name(op->head, set->row.id);
	struct str of_set = name ? name->name : set->name;
	return set->mode == SCALING_GROUP_MODE_FLEXIBLE
		       ? str_print(op->ctx->arena, "%" STR_FMT "_%.*s", STR_ARG(of_set), HEX_DIGITS,
				   uuid_write(instance, text))
		       : str_print(op->ctx->arena, "%" STR_FMT "_%" PRId64, STR_ARG(of_set), number - 1);
}

/* The prefix and six digits in base 36, as Azure names computers of sets. */
static struct str name_computer(struct op *op, struct str prefix, int64_t number)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char text[NUMBER_DIGITS + 1] = {0};
	int64_t rest = number - 1;
	for (int k = NUMBER_DIGITS - 1; k >= 0; k--, rest /= NUMBER_BASE)
		text[k] = digits[rest % NUMBER_BASE];
	return str_print(op->ctx->arena, "%" STR_FMT "%s", STR_ARG(prefix), text);
}

static RESULT name_row(struct op *op, const struct scaling_group *set, const char *type, struct str name,
		       enum kind kind, uuid target, struct str definition)
{
	const struct arm_resource *of_set = engine_find_name(op->head, set->row.id);
	struct arm_resource_wish wish = {.group = of_set ? of_set->resource_group : UUID_NONE,
					 .type = str_from(type),
					 .name = name,
					 .kind = kind,
					 .target = target,
					 .definition = definition};
	return engine_name_resource(op, &wish);
}

static RESULT name_disks(struct op *op, const struct scaling_group *set, struct str machine, uuid instance)
{
	char hex[UUID_TEXT_SIZE];
	const struct volume *v = volume_first_by_instance(op->head, instance);
	for (; v; v = volume_next_by_instance(op->head, v)) {
		struct str name = str_print(op->ctx->arena, "%" STR_FMT "_%s_%.8s", STR_ARG(machine),
					    v->device_slot ? "disk" : "OsDisk_1", uuid_write(v->row.id, hex));
		TRY(name_row(op, set, "Microsoft.Compute/disks", name, KIND_VOLUME, v->row.id, STR_NONE));
	}
	return OK;
}

static RESULT dress_port(struct op *op, const struct scale_set_port *wanted, uuid id)
{
	const struct ref ref = engine_ref_to(op, KIND_PORT, id, STR("networkProfile"));
	struct port_guard_wish guard = {.port = ref, .policy = wanted->policy, .sets = wanted->sets};
	struct balanced_wish balance = {.port = ref,
					.private_ip = port_find(op->head, id)->ip,
					.pools = wanted->pools,
					.pool_count = wanted->pool_count};
	if (ref_is_given(&wanted->policy) || wanted->sets.count)
		TRY(engine_guard_port(op, &guard));
	return wanted->pool_count ? engine_balance_port(op, &balance) : OK;
}

static RESULT dress_ports(struct op *op, const struct scaling_group *set, const struct scale_set_launch *wish,
			  struct str machine, uuid instance)
{
	uuid ports[PORTS_OF_INSTANCE_MAX];
	int64_t index[PORTS_OF_INSTANCE_MAX];
	size_t count = 0;
	for (const struct port *p = port_first_by_instance(op->head, instance);
	     p && count < PORTS_OF_INSTANCE_MAX; p = port_next_by_instance(op->head, p)) {
		index[count] = p->device_index;
		ports[count++] = p->row.id;
	}
	for (size_t k = 0; k < count; k++) {
		size_t at = (size_t) index[k];
		struct str name = str_print(op->ctx->arena, "%" STR_FMT "-nic-%zu", STR_ARG(machine), at);
		if (set->mode == SCALING_GROUP_MODE_FLEXIBLE)
			TRY(name_row(op, set, "Microsoft.Network/networkInterfaces", name, KIND_PORT,
				     ports[k], STR_NONE));
		if (at < wish->port_count)
			TRY(dress_port(op, &wish->ports[at], ports[k]));
	}
	return OK;
}

static RESULT dress(struct op *op, const struct scaling_group *set, const struct scale_set_launch *wish,
		    int64_t number, uuid id)
{
	struct str name = name_machine(op, set, number, id);
	struct instance next = *instance_find(op->head, id);
	next.name = name;
	TRY(instance_put(op, &next));
	struct azure_profile_wish profile = wish->profile;
	profile.instance = engine_ref_to(op, KIND_INSTANCE, id, STR("osProfile"));
	profile.computer_name = name_computer(op, wish->computer_prefix, number);
	if (wish->has_profile)
		TRY(engine_set_azure_profile(op, &profile));
	if (set->mode == SCALING_GROUP_MODE_FLEXIBLE)
		TRY(name_row(op, set, "Microsoft.Compute/virtualMachines", name, KIND_INSTANCE, id,
			     wish->definition));
	TRY(name_disks(op, set, name, id));
	return dress_ports(op, set, wish, name, id);
}

RESULT scaling_launch_machine(struct op *op, const struct scaling_group *group,
			      const struct scale_set_launch *set, struct instance_launch *launch,
			      int64_t *ret_number)
{
	*ret_number = 0;
	TRY(make_key(op, set));
	TRY(engine_create_instances(op, launch));
	if (!set || !launch->made.count)
		return OK;
	struct scaling_group next = *scaling_group_find(op->head, group->row.id);
	*ret_number = ++next.last_number;
	TRY(scaling_group_put(op, &next));
	return dress(op, &next, set, *ret_number, launch->made.at[0]);
}
