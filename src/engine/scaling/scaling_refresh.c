/* SPDX-License-Identifier: Apache-2.0
 * Instance refreshes of scaling groups: calls that start, cancel and roll back, and the effects of each step. The row of the
 * refresh says all that a step needs (scaling_refresh_plan.c), and each step is one change, so a process that dies between two
 * steps neither loses an instance nor launches one twice. Called by: api/autoscaling, scaling_follow.c. */
#include "engine/scaling/scaling_internal.h"

/* The settings of a desired configuration that a group and a refresh both store. */
#define COPY_SOURCE(to, from)                                                                                \
	do {                                                                                                 \
		(to)->made_by = (from)->made_by;                                                             \
		(to)->made_with = (from)->made_with;                                                         \
		(to)->made_until_us = (from)->made_until_us;                                                 \
		(to)->template = (from)->template;                                                           \
		(to)->template_version = (from)->template_version;                                           \
		(to)->is_mixed = (from)->is_mixed;                                                           \
		(to)->overrides = (from)->overrides;                                                         \
		(to)->by_price = (from)->by_price;                                                           \
		(to)->spot_strategy = (from)->spot_strategy;                                                 \
		(to)->on_demand_base = (from)->on_demand_base;                                               \
		(to)->on_demand_percent = (from)->on_demand_percent;                                         \
	} while (0)

const struct scaling_refresh *engine_find_scaling_refresh(const struct tables *t, uuid group)
{
	const struct scaling_refresh *r = scaling_refresh_first_by_scaling_group(t, group);
	while (r && r->ended_us)
		r = scaling_refresh_next_by_scaling_group(t, r);
	return r;
}

static void use_source(const struct scaling_refresh *r, struct scaling_group *group)
{
	COPY_SOURCE(group, r);
	group->launch_configuration = UUID_NONE;
}

uuid engine_use_scaling_refresh(const struct tables *t, struct scaling_group *copy)
{
	const struct scaling_refresh *r = engine_find_scaling_refresh(t, copy->row.id);
	if (!r || r->rollback_us)
		return UUID_NONE;
	if (r->has_source)
		use_source(r, copy);
	return r->row.id;
}

/* ---- calls ---- */

static bool is_moving_version(struct str version)
{
	return version.n && version.p[0] == '$';
}

/* A version that moves does not say what the group launched before, so there is nothing to go back to. */
static bool can_roll_back(const struct scaling_group *group, bool has_source)
{
	bool is_moving = !group->template_version.n || is_moving_version(group->template_version);
	if (!has_source || (uuid_is_none(group->launch_configuration) && is_moving))
		return false;
	for (size_t k = 0; k + OVERRIDE_TEXTS <= group->overrides.count; k += OVERRIDE_TEXTS)
		if (is_moving_version(group->overrides.at[k + OVERRIDE_VERSION]))
			return false;
	return true;
}

static RESULT forget_oldest(struct op *op, uuid group)
{
	size_t count = 0;
	const struct scaling_refresh *oldest = NULL;
	for (const struct scaling_refresh *r = scaling_refresh_first_by_scaling_group(op->head, group); r;
	     r = scaling_refresh_next_by_scaling_group(op->head, r)) {
		count++;
		if (r->ended_us && (!oldest || r->row.created_us < oldest->row.created_us))
			oldest = r;
	}
	return oldest && count > SCALING_REFRESHES_MAX ? scaling_refresh_forget(op, oldest->row.id) : OK;
}

static RESULT log_refresh(struct op *op, uuid group, const char *event, const struct scaling_refresh *r,
			  const char *state)
{
	const struct scaling_group *g = scaling_group_find(op->head, group);
	struct str id = uuid_to_str(op->ctx->arena, r->row.id);
	return state[0] ? engine_log_event(op, KIND_SCALING_GROUP, &g->row, event, "%" STR_FMT ": %s",
					   STR_ARG(id), state)
			: engine_log_event(op, KIND_SCALING_GROUP, &g->row, event, "%" STR_FMT, STR_ARG(id));
}

RESULT engine_start_scaling_refresh(struct op *op, struct scaling_refresh_wish *wish)
{
	const struct scaling_group *group = NULL;
	TRY(scaling_find(op, &wish->group, "scaling_refresh.start", &group));
	uuid id = group->row.id;
	struct scaling_refresh made = wish->row;
	if (engine_find_scaling_refresh(op->head, id))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_SCALING_REFRESH, wish->group.field,
				   "An Instance Refresh is already in progress and blocks the execution of "
				   "this Instance Refresh.");
	if (made.rolls_back && !can_roll_back(group, wish->settings.has_source))
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_SCALING_GROUP, STR("Preferences.AutoRollback"),
			"AutoRollback needs a desired configuration, and a group whose launch template "
			"versions are numbers instead of $Latest or $Default.");
	made.row = (struct row){.id = engine_new_id(op, KIND_SCALING_REFRESH), .gen = 1};
	made.account = group->account;
	made.scaling_group = id;
	made.has_source = wish->settings.has_source;
	if (made.has_source) {
		struct scaling_group next = *group;
		TRY(scaling_choose_source(op, &wish->settings, &next));
		TRY(scaling_check_pool(op, &next, &wish->settings));
		COPY_SOURCE(&made, &next);
	}
	wish->refresh = made.row.id;
	TRY(scaling_refresh_put(op, &made));
	TRY(scaling_end_pause(op, id));
	TRY(forget_oldest(op, id));
	return log_refresh(op, id, "refresh started", &made, "");
}

/* The active refresh of a group that the caller names. */
static RESULT find_active(struct op *op, const struct ref *ref, const char *permission,
			  const struct scaling_group **ret_group, struct scaling_refresh *ret_refresh)
{
	TRY(scaling_find(op, ref, permission, ret_group));
	const struct scaling_refresh *r = engine_find_scaling_refresh(op->head, (*ret_group)->row.id);
	if (!r)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_SCALING_REFRESH, ref->field,
				   "No in progress or pending Instance Refresh found for Auto Scaling group "
				   "%" STR_FMT,
				   STR_ARG((*ret_group)->name));
	*ret_refresh = *r;
	ret_refresh->row.gen++;
	return OK;
}

static const char *const ends[] = {
	[SCALING_REFRESH_STATUS_SUCCESSFUL] = "successful",
	[SCALING_REFRESH_STATUS_FAILED] = "failed",
	[SCALING_REFRESH_STATUS_CANCELLED] = "cancelled",
	[SCALING_REFRESH_STATUS_ROLLBACK_FAILED] = "rollback failed",
	[SCALING_REFRESH_STATUS_ROLLBACK_SUCCESSFUL] = "rolled back",
};

static RESULT cancel(struct op *op, struct scaling_refresh *next, enum scaling_refresh_why why)
{
	next->status = SCALING_REFRESH_STATUS_CANCELLED;
	next->why = why;
	next->example = UUID_NONE;
	next->pause_us = 0;
	next->ended_us = op->now_us;
	TRY(scaling_refresh_put(op, next));
	return log_refresh(op, next->scaling_group, "refresh ended", next, ends[next->status]);
}

RESULT engine_cancel_scaling_refresh(struct op *op, struct scaling_refresh_target *wish)
{
	const struct scaling_group *group = NULL;
	struct scaling_refresh next;
	TRY(find_active(op, &wish->group, "scaling_refresh.cancel", &group, &next));
	wish->refresh = next.row.id;
	if (wish->is_at_once)
		return cancel(op, &next, SCALING_REFRESH_WHY_USER);
	if (next.status == SCALING_REFRESH_STATUS_CANCELLING)
		return OK;
	next.status = SCALING_REFRESH_STATUS_CANCELLING;
	next.why = SCALING_REFRESH_WHY_USER;
	next.example = UUID_NONE;
	next.pause_us = 0;
	next.progress_us = op->now_us;
	return scaling_refresh_put(op, &next);
}

RESULT engine_roll_back_scaling_refresh(struct op *op, struct scaling_refresh_target *wish)
{
	const struct scaling_group *group = NULL;
	struct scaling_refresh next;
	TRY(find_active(op, &wish->group, "scaling_refresh.roll_back", &group, &next));
	if (next.rollback_us || next.status == SCALING_REFRESH_STATUS_CANCELLING)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_SCALING_REFRESH, wish->group.field,
				   "The Instance Refresh of Auto Scaling group %" STR_FMT
				   " is being cancelled or rolled back already.",
				   STR_ARG(group->name));
	if (!can_roll_back(group, next.has_source))
		return ENGINE_FAIL(op, ERR_STATE, KIND_SCALING_REFRESH, wish->group.field,
				   "The Instance Refresh cannot be rolled back: it has no desired "
				   "configuration, or Auto Scaling group %" STR_FMT
				   " uses the version $Latest or $Default of its launch template.",
				   STR_ARG(group->name));
	wish->refresh = next.row.id;
	uuid id = group->row.id;
	scaling_begin_rollback(op->head, &next, SCALING_REFRESH_ROLLBACK_WHY_USER, op->now_us);
	TRY(scaling_refresh_put(op, &next));
	return log_refresh(op, id, "refresh rolling back", &next, "");
}

RESULT scaling_drop_refresh(struct op *op, uuid group)
{
	const struct scaling_refresh *r = engine_find_scaling_refresh(op->head, group);
	if (!r)
		return OK;
	struct scaling_refresh next = *r;
	next.row.gen++;
	return cancel(op, &next, SCALING_REFRESH_WHY_DELETED);
}

/* ---- steps ---- */

/* The group launches by the desired configuration from now on. */
static RESULT adopt_source(struct op *op, const struct scaling_refresh *r)
{
	struct scaling_group next = *scaling_group_find(op->head, r->scaling_group);
	if (r->status != SCALING_REFRESH_STATUS_SUCCESSFUL || !r->has_source)
		return OK;
	use_source(r, &next);
	next.row.gen++;
	return scaling_group_put(op, &next);
}

static RESULT note(struct op *op, const struct refresh_plan *plan)
{
	const struct scaling_refresh *before = scaling_refresh_find(op->head, plan->next.row.id);
	struct scaling_refresh next = plan->next;
	bool turns = !before->rollback_us && next.rollback_us;
	TRY(scaling_refresh_put(op, &next));
	if (turns)
		return log_refresh(op, next.scaling_group, "refresh rolling back", &next, "");
	if (!next.ended_us)
		return OK;
	TRY(adopt_source(op, &next));
	return log_refresh(op, next.scaling_group, "refresh ended", &next, ends[next.status]);
}

RESULT scaling_follow_refresh(struct op *op, const struct scaling_group *group)
{
	struct refresh_plan plan;
	scaling_plan_refresh(op->head, group, op->now_us, &plan);
	if (plan.act == REFRESH_NOTE)
		return note(op, &plan);
	if (plan.act == REFRESH_REST)
		return OK;
	struct str taken = scaling_say_at(
		op, "an instance was taken out of service in response to an instance refresh.");
	struct str chosen =
		scaling_say_at(op, "instance %" STR_FMT " was selected for termination.",
			       STR_ARG(engine_write_id(op, KIND_INSTANCE, plan.member->instance)));
	struct str cause =
		str_print(op->ctx->arena, "%" STR_FMT "  %" STR_FMT, STR_ARG(taken), STR_ARG(chosen));
	return scaling_member_terminate(op, plan.member, cause, false, NULL);
}
