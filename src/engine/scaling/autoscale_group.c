/* SPDX-License-Identifier: Apache-2.0
 * Profiles and groups of CloudStack's AutoScale. Called by: api/cloudstack/autoscale, scaling_follow.c, scaling_member.c. */
#include <inttypes.h>

#include "engine/acting.h"
#include "engine/balancing/load_balancer.h"
#include "engine/limits.h"
#include "engine/scaling/autoscale_internal.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/port.h"
#include "store/zone.h"

#define MACHINE_PREFIX "autoScaleVm-"
enum { SUFFIX_DIGITS = 6, NAME_SHOWN = 200 };

/* ---- profiles ---- */

static RESULT fail_profile(struct op *op, const char *field, const char *words)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_AUTOSCALE_PROFILE, str_from(field), "%s", words);
}

static RESULT take_source(struct op *op, const struct ref *offering, const struct ref *image,
			  struct autoscale_profile *next)
{
	const struct instance_type *type = NULL;
	const struct image *found = NULL;
	if (ref_is_given(offering)) {
		TRY(engine_find_instance_type(op->ctx, op->head, offering, &type));
		next->offering = type->row.id;
	}
	if (ref_is_given(image)) {
		TRY(engine_find_image(op->ctx, op->head, image, &found));
		next->image = found->row.id;
	}
	return OK;
}

RESULT engine_create_autoscale_profile(struct op *op, struct autoscale_profile_wish *wish)
{
	uuid account = UUID_NONE;
	const struct zone *zone = NULL;
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_permit(op, "autoscale_profile.create", KIND_AUTOSCALE_PROFILE, NULL));
	TRY(engine_find_zone(op->ctx, op->head, &wish->zone, &zone));
	TRY(limit_check(op, LIMIT_AUTOSCALE_PROFILES, account, 1, STR_NONE));
	struct autoscale_profile made = {.row = {.id = engine_new_id(op, KIND_AUTOSCALE_PROFILE), .gen = 1},
					 .account = account,
					 .zone = zone->row.id,
					 .parameters = wish->parameters,
					 .user_data = wish->user_data,
					 .grace_s = wish->grace_s.is_given ? wish->grace_s.value
									   : AUTOSCALE_GRACE_DEFAULT_S};
	TRY(take_source(op, &wish->offering, &wish->image, &made));
	TRY(autoscale_profile_put(op, &made));
	wish->profile = made.row.id;
	return engine_log_event(op, KIND_AUTOSCALE_PROFILE, &made.row, "created",
				"AutoScale profile %" STR_FMT ".",
				STR_ARG(uuid_to_str(op->ctx->arena, made.row.id)));
}

RESULT engine_update_autoscale_profile(struct op *op, struct autoscale_profile_change *wish)
{
	const struct autoscale_profile *profile = NULL;
	TRY(engine_permit_autoscale_profile(op, &wish->profile, "autoscale_profile.update", &profile));
	for (const struct scaling_group *g = scaling_group_first_by_profile(op->head, profile->row.id); g;
	     g = scaling_group_next_by_profile(op->head, g))
		if (!engine_is_autoscale_disabled(g))
			return fail_profile(
				op, "id",
				"The AutoScale Vm Profile can be updated only if the Vm Group it is "
				"associated with is disabled in state");
	struct autoscale_profile next = *profile;
	TRY(take_source(op, &wish->offering, &wish->image, &next));
	if (wish->has_parameters)
		next.parameters = wish->parameters;
	if (wish->user_data)
		next.user_data = *wish->user_data;
	if (wish->grace_s.is_given)
		next.grace_s = wish->grace_s.value;
	next.row.gen++;
	TRY(autoscale_profile_put(op, &next));
	return engine_log_event(op, KIND_AUTOSCALE_PROFILE, &next.row, "changed",
				"AutoScale profile %" STR_FMT ".",
				STR_ARG(uuid_to_str(op->ctx->arena, next.row.id)));
}

RESULT engine_delete_autoscale_profile(struct op *op, struct autoscale_profile_target *wish)
{
	const struct autoscale_profile *profile = NULL;
	TRY(engine_permit_autoscale_profile(op, &wish->profile, "autoscale_profile.delete", &profile));
	if (scaling_group_first_by_profile(op->head, profile->row.id))
		return fail_profile(
			op, "id",
			"Cannot delete AutoScale Vm Profile when it is in use by one more vm groups");
	TRY(engine_log_event(op, KIND_AUTOSCALE_PROFILE, &profile->row, "deleted",
			     "AutoScale profile %" STR_FMT ".",
			     STR_ARG(uuid_to_str(op->ctx->arena, profile->row.id))));
	return autoscale_profile_forget(op, profile->row.id);
}

/* ---- machines ---- */

RESULT autoscale_name_machine(struct op *op, const struct scaling_group *group, uuid instance)
{
	char hex[UUID_TEXT_SIZE];
	if (uuid_is_none(group->profile))
		return OK;
	struct instance next = *instance_find(op->head, instance);
	next.name = str_print(op->ctx->arena, MACHINE_PREFIX "%" STR_FMT "-%.*s",
			      STR_ARG(str_cut(group->name, NAME_SHOWN)), SUFFIX_DIGITS,
			      uuid_write(instance, hex));
	next.description = next.name;
	return instance_put(op, &next);
}

RESULT autoscale_drain(struct op *op, const struct scaling_group *group, struct strs *waits)
{
	const struct autoscale_profile *profile = autoscale_profile_find(op->head, group->profile);
	if (!profile || !profile->grace_s)
		return OK;
	struct str *texts = arena_new_array(op->ctx->arena, struct str, waits->count + WAIT_TEXTS);
	if (!texts)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < waits->count; k++)
		texts[k] = waits->at[k];
	struct str *wait = texts + waits->count;
	wait[WAIT_HOOK] = wait[WAIT_TOKEN] = STR_NONE;
	wait[WAIT_UNTIL] = str_print(op->ctx->arena, "%" PRId64, op->now_us + profile->grace_s * SECOND);
	wait[WAIT_ABANDONS] = STR("continue");
	*waits = (struct strs){texts, waits->count + WAIT_TEXTS};
	return OK;
}

static bool is_member(const struct tables *t, uuid balancer, uuid instance)
{
	const struct load_balancer_member *m = load_balancer_member_first_by_load_balancer(t, balancer);
	for (; m; m = load_balancer_member_next_by_load_balancer(t, m)) {
		const struct port *port = port_find(t, m->port);
		if (port && uuid_equal(port->instance, instance))
			break;
	}
	return m != NULL;
}

struct balancing {
	struct load_balancer_members wish;
	bool is_added;
};

static RESULT run_balancing(struct op *op, void *arg)
{
	struct balancing *b = arg;
	return b->is_added ? engine_add_load_balancer_members(op, &b->wish)
			   : engine_remove_load_balancer_members(op, &b->wish);
}

RESULT autoscale_balance(struct op *op, const struct scaling_group *group, uuid instance, bool is_added)
{
	struct op_place place = op_place_now(op);
	const struct ref machine = engine_ref_to(op, KIND_INSTANCE, instance, STR("virtualmachineids"));
	struct balancing b = {
		.wish = {.balancer = engine_ref_to(op, KIND_LOAD_BALANCER, group->balancer, STR("lbruleid")),
			 .instances = {&machine, 1}},
		.is_added = is_added};
	if (uuid_is_none(group->balancer) || is_member(op->head, group->balancer, instance) == is_added)
		return OK;
	struct result result = scaling_as_system(op, run_balancing, &b);
	if (result_is_ok(result) || !engine_is_refusal(result.code))
		return result;
	op_go_back(op, place);
	struct str problem = op->ctx->problem.message;
	ctx_clear_problem(op->ctx);
	return engine_log_event(op, KIND_SCALING_GROUP, &group->row, "not registered", "%" STR_FMT,
				STR_ARG(str_cut(problem, 500)));
}

/* ---- groups ---- */

static RESULT fail_group(struct op *op, const char *field, const char *words)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_GROUP, str_from(field), "%s", words);
}

static RESULT check_numbers(struct op *op, int64_t min, int64_t max, int64_t interval_s)
{
	const struct {
		const char *field;
		int64_t value;
	} numbers[] = {{"minmembers", min}, {"maxmembers", max}, {"interval", interval_s}};
	for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
		if (numbers[k].value <= 0)
			return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_GROUP, str_from(numbers[k].field),
					   "%s is an invalid value: %" PRId64, numbers[k].field,
					   numbers[k].value);
	return min <= max ? OK
			  : ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_GROUP, STR("minmembers"),
					"minmembers (%" PRId64 ")cannot be greater than maxmembers (%" PRId64
					")",
					min, max);
}

static RESULT check_name(struct op *op, struct str name)
{
	for (size_t k = 0; k < name.n; k++) {
		char c = name.p[k];
		bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '-';
		if (!fits)
			return fail_group(
				op, "name",
				"Invalid AutoScale VM group name. It can contain the ASCII letters "
				"'a' through 'z', 'A' through 'Z', the digits '0' through '9' and the "
				"hyphen ('-')");
	}
	return OK;
}

static RESULT check_balancer(struct op *op, const struct ref *ref, const struct load_balancer **ret_balancer)
{
	TRY(engine_permit_load_balancer(op, ref, "load_balancer.add", ret_balancer));
	uuid id = (*ret_balancer)->row.id;
	if (scaling_group_first_by_balancer(op->head, id))
		return fail_group(
			op, "lbruleid",
			"an AutoScaleVmGroup is already attached to the lb rule, the existing vm group "
			"has to be first deleted");
	if (load_balancer_member_first_by_load_balancer(op->head, id))
		return fail_group(
			op, "lbruleid",
			"there are Vms already bound to the specified LoadBalancing Rule. User bound "
			"Vms and AutoScaled Vm Group cannot co-exist on a Load Balancing Rule");
	return uuid_is_none((*ret_balancer)->network)
		       ? fail_group(op, "lbruleid", "AutoScale is not supported in the network")
		       : OK;
}

RESULT engine_create_autoscale_group(struct op *op, struct autoscale_group_wish *wish)
{
	const struct load_balancer *balancer = NULL;
	const struct autoscale_profile *profile = NULL;
	struct scaling_settings *s = &wish->settings;
	int64_t interval_s =
		wish->interval_s.is_given ? wish->interval_s.value : AUTOSCALE_INTERVAL_DEFAULT_S;
	TRY(check_numbers(op, s->min.value, s->max.value, interval_s));
	TRY(check_name(op, wish->name));
	TRY(check_balancer(op, &wish->balancer, &balancer));
	TRY(engine_find_own_autoscale_profile(op->ctx, op->head, &wish->profile, &profile));
	uuid balancer_id = balancer->row.id, profile_id = profile->row.id;
	const struct ref zone = engine_ref_to(op, KIND_ZONE, profile->zone, STR("zoneid"));
	struct scaling_group_wish make = {
		.name = wish->name.n ? wish->name
				     : uuid_to_str(op->ctx->arena, engine_new_id(op, KIND_SCALING_GROUP)),
		.settings = *s};
	make.settings.has_source = make.settings.has_places = true;
	make.settings.zones = (struct refs){&zone, 1};
	make.settings.desired = make.settings.min;
	if (!wish->up.count || !wish->down.count)
		return fail_group(op, wish->up.count ? "scaledownpolicyids" : "scaleuppolicyids",
				  wish->up.count
					  ? "AutoScale VM group must have at least one ScaleDown policy"
					  : "AutoScale VM group must have at least one ScaleUp policy");
	TRY(engine_create_scaling_group(op, &make));
	struct scaling_group next = *scaling_group_find(op->head, make.group);
	next.balancer = balancer_id;
	next.profile = profile_id;
	next.interval_s = interval_s;
	TRY(scaling_group_put(op, &next));
	TRY(autoscale_put_policies(op, make.group, &wish->up, false));
	wish->group = make.group;
	return autoscale_put_policies(op, make.group, &wish->down, true);
}

/* Finds a group of AutoScale; EC2's groups are none. */
static RESULT find_group(struct op *op, const struct ref *ref, const char *permission,
			 const struct scaling_group **ret_group)
{
	TRY(scaling_find(op, ref, permission, ret_group));
	return uuid_is_none((*ret_group)->profile)
		       ? ENGINE_FAIL_ABOUT(op, ERR_INVALID, KIND_SCALING_GROUP, ref,
					   "%" STR_FMT " is an Auto Scaling group of EC2.",
					   STR_ARG((*ret_group)->name))
		       : OK;
}

RESULT engine_update_autoscale_group(struct op *op, struct autoscale_group_change *wish)
{
	const struct scaling_group *group = NULL;
	TRY(find_group(op, &wish->group, "scaling_group.update", &group));
	bool changes_interval = wish->interval_s.is_given && wish->interval_s.value != group->interval_s;
	bool changes = wish->min.is_given || wish->max.is_given || changes_interval || wish->up.count ||
		       wish->down.count;
	if (changes && !engine_is_autoscale_disabled(group))
		return fail_group(
			op, "id",
			"An AutoScale Vm Group can be updated with minMembers/maxMembers/Interval only "
			"when it is in disabled state");
	int64_t interval_s = changes_interval ? wish->interval_s.value : group->interval_s;
	TRY(check_numbers(op, wish->min.is_given ? wish->min.value : group->min_size,
			  wish->max.is_given ? wish->max.value : group->max_size, interval_s));
	uuid id = group->row.id;
	struct scaling_group_change change = {.group = wish->group,
					      .settings = {.min = wish->min, .max = wish->max}};
	TRY(engine_update_scaling_group(op, &change));
	struct scaling_group next = *scaling_group_find(op->head, id);
	next.interval_s = interval_s;
	TRY(scaling_group_put(op, &next));
	if (wish->up.count)
		TRY(autoscale_put_policies(op, id, &wish->up, false));
	if (wish->down.count)
		TRY(autoscale_put_policies(op, id, &wish->down, true));
	return changes_interval ? autoscale_refresh_policies(op, id) : OK;
}

RESULT engine_enable_autoscale_group(struct op *op, struct autoscale_group_target *wish)
{
	const struct scaling_group *group = NULL;
	struct scaling_processes all = {.group = wish->group};
	TRY(find_group(op, &wish->group, "scaling_group.resume", &group));
	return engine_is_autoscale_disabled(group) ? engine_resume_scaling(op, &all) : OK;
}

RESULT engine_disable_autoscale_group(struct op *op, struct autoscale_group_target *wish)
{
	const struct scaling_group *group = NULL;
	struct scaling_processes all = {.group = wish->group};
	TRY(find_group(op, &wish->group, "scaling_group.suspend", &group));
	return engine_is_autoscale_disabled(group) ? OK : engine_suspend_scaling(op, &all);
}

static size_t count_machines(const struct tables *t, uuid group)
{
	size_t count = 0;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group); m;
	     m = scaling_member_next_by_scaling_group(t, m))
		count++;
	return count;
}

RESULT engine_delete_autoscale_group(struct op *op, struct autoscale_group_target *wish)
{
	const struct scaling_group *group = NULL;
	struct scaling_group_target target = {.group = wish->group, .is_forced = wish->is_forced};
	TRY(find_group(op, &wish->group, "scaling_group.delete", &group));
	size_t machines = count_machines(op->head, group->row.id);
	struct str id = uuid_to_str(op->ctx->arena, group->row.id);
	if (!engine_is_autoscale_disabled(group) && !wish->is_forced)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_GROUP, wish->group.field,
				   "Cannot delete autoscale vm group id : %" STR_FMT
				   " because it is in ENABLED state. Please disable it or pass cleanup=true "
				   "flag which will destroy all VMs.",
				   STR_ARG(id));
	if (machines && !wish->is_forced)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_GROUP, wish->group.field,
				   "Cannot delete autoscale vm group id : %" STR_FMT
				   " because there are %zu VMs. Please remove the VMs or pass cleanup=true "
				   "flag which will destroy all VMs.",
				   STR_ARG(id), machines);
	return engine_delete_scaling_group(op, &target);
}
