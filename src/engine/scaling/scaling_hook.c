/* SPDX-License-Identifier: Apache-2.0
 * Lifecycle hooks. A hook holds members that are being launched or terminated until it is completed or times out.
 * Called by: api/autoscaling, scaling_member.c. */
#include <inttypes.h>

#include "engine/limits.h"
#include "engine/scaling/scaling_internal.h"

enum { TIMEOUT_DEFAULT_S = 3600, HOLD_MAX_S = 48 * 3600, HOLD_TIMEOUTS = 100 };

/* ---- what a member waits for ---- */

static int64_t number_of(struct str text)
{
	int64_t value = 0;
	return result_is_ok(str_parse_int(text, &value)) ? value : 0;
}

RESULT scaling_find_hooks(struct op *op, uuid group, bool is_terminating, struct strs *ret_waits)
{
	VEC(struct str) texts = {0};
	for (const struct scaling_hook *h = scaling_hook_first_by_scaling_group(op->head, group); h;
	     h = scaling_hook_next_by_scaling_group(op->head, h)) {
		if ((h->transition == SCALING_HOOK_TRANSITION_TERMINATING) != is_terminating)
			continue;
		const struct str wait[WAIT_TEXTS] = {
			h->name, uuid_to_str(op->ctx->arena, uuid_random()),
			str_print(op->ctx->arena, "%" PRId64, op->now_us + h->timeout_s * SECOND),
			h->abandons ? STR("abandon") : STR("continue")};
		for (size_t k = 0; k < WAIT_TEXTS; k++)
			if (!VEC_PUSH(op->ctx->arena, &texts, wait[k]))
				return ctx_no_memory(op->ctx);
	}
	*ret_waits = (struct strs){texts.at, texts.count};
	return OK;
}

int64_t scaling_hooks_due(const struct scaling_member *m)
{
	int64_t due_us = INT64_MAX;
	for (size_t k = 0; k + WAIT_TEXTS <= m->hooks.count; k += WAIT_TEXTS) {
		int64_t until_us = number_of(m->hooks.at[k + WAIT_UNTIL]);
		due_us = until_us < due_us ? until_us : due_us;
	}
	return due_us;
}

/* Takes one hook out. An abandoned launch waits for no others. */
static RESULT leave_hook(struct op *op, struct scaling_member *next, size_t at, bool abandons)
{
	struct str *texts = arena_new_array(op->ctx->arena, struct str, next->hooks.count + 1);
	size_t count = 0;
	if (!texts)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < next->hooks.count && !abandons; k++)
		if (k < at || k >= at + WAIT_TEXTS)
			texts[count++] = next->hooks.at[k];
	next->hooks = (struct strs){texts, count};
	next->is_abandoned |= abandons;
	return OK;
}

RESULT scaling_expire_hooks(struct op *op, struct scaling_member *next)
{
	for (size_t k = 0; k + WAIT_TEXTS <= next->hooks.count;) {
		if (number_of(next->hooks.at[k + WAIT_UNTIL]) > op->now_us)
			k += WAIT_TEXTS;
		else
			TRY(leave_hook(op, next, k, str_is(next->hooks.at[k + WAIT_ABANDONS], "abandon")));
	}
	return OK;
}

/* ---- calls ---- */

RESULT scaling_put_hook(struct op *op, uuid group_id, const struct scaling_hook_wish *wish)
{
	const struct scaling_group *group = scaling_group_find(op->head, group_id);
	const struct scaling_hook *present =
		scaling_hook_find_by_scaling_group(op->head, group->row.id, wish->name);
	struct scaling_hook next =
		present ? *present
			: (struct scaling_hook){.row.id = engine_new_id(op, KIND_SCALING_HOOK),
						.account = group->account,
						.scaling_group = group->row.id,
						.name = wish->name,
						.timeout_s = TIMEOUT_DEFAULT_S,
						.abandons = true};
	if (!present && !wish->has_transition)
		return ENGINE_FAIL(
			op, ERR_MISSING, KIND_SCALING_HOOK, STR("LifecycleTransition"),
			"LifecycleTransition is a required parameter when creating a lifecycle hook");
	if (!present)
		TRY(limit_check(op, LIMIT_SCALING_HOOKS, group->row.id, 1, STR_NONE));
	if (wish->has_transition)
		next.transition = wish->is_terminating ? SCALING_HOOK_TRANSITION_TERMINATING
						       : SCALING_HOOK_TRANSITION_LAUNCHING;
	if (wish->timeout_s.is_given)
		next.timeout_s = wish->timeout_s.value;
	if (wish->has_metadata)
		next.metadata = wish->metadata;
	choice_apply(wish->abandons, &next.abandons);
	TRY(scaling_apply_hook_target(op, group, wish, &next));
	next.row.gen++;
	TRY(scaling_hook_put(op, &next));
	return engine_log_event(op, KIND_SCALING_GROUP, &group->row, "hook put", "%" STR_FMT,
				STR_ARG(next.name));
}

RESULT engine_put_scaling_hook(struct op *op, struct scaling_hook_wish *wish)
{
	const struct scaling_group *group = NULL;
	TRY(scaling_find(op, &wish->group, "scaling_hook.put", &group));
	return scaling_put_hook(op, group->row.id, wish);
}

static RESULT find_hook(struct op *op, const struct scaling_hook_target *wish, const char *permission,
			const struct scaling_group **ret_group, const struct scaling_hook **ret_hook)
{
	TRY(scaling_find(op, &wish->group, permission, ret_group));
	*ret_hook = scaling_hook_find_by_scaling_group(op->head, (*ret_group)->row.id, wish->name);
	if (*ret_hook)
		return OK;
	return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_SCALING_HOOK, STR("LifecycleHookName"),
			   "No Lifecycle Hook found with name %" STR_FMT " for Auto Scaling group %" STR_FMT,
			   STR_ARG(wish->name), STR_ARG((*ret_group)->name));
}

/* An instance that waits for a deleted hook goes on as if it was completed. */
RESULT engine_delete_scaling_hook(struct op *op, struct scaling_hook_target *wish)
{
	const struct scaling_group *group = NULL;
	const struct scaling_hook *hook = NULL;
	TRY(find_hook(op, wish, "scaling_hook.delete", &group, &hook));
	uuid id = hook->row.id, group_id = group->row.id;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(op->head, group_id); m;
	     m = scaling_member_next_by_scaling_group(op->head, m)) {
		struct scaling_member next = *m;
		for (size_t k = 0; k + WAIT_TEXTS <= next.hooks.count; k += WAIT_TEXTS)
			if (str_equal(next.hooks.at[k], wish->name)) {
				TRY(leave_hook(op, &next, k, false));
				next.row.gen++;
				TRY(scaling_member_put(op, &next));
				break;
			}
	}
	TRY(engine_log_event(op, KIND_SCALING_GROUP, &group->row, "hook deleted", "%" STR_FMT,
			     STR_ARG(wish->name)));
	return scaling_hook_forget(op, id);
}

/* Finds the member that waits for the hook, by its instance or by the token, and where in its list. */
static RESULT find_waiting(struct op *op, const struct scaling_hook_target *wish, uuid group,
			   struct scaling_member *ret_member, size_t *ret_at)
{
	bool is_by_instance = ref_is_given(&wish->instance);
	const struct instance *i = NULL;
	struct result found =
		is_by_instance ? engine_find_own_instance(op->ctx, op->head, &wish->instance, &i) : OK;
	if (found.code != ERR_NOT_FOUND)
		TRY(found);
	ctx_clear_problem(op->ctx);
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(op->head, group); m;
	     m = scaling_member_next_by_scaling_group(op->head, m))
		for (size_t k = 0; k + WAIT_TEXTS <= m->hooks.count; k += WAIT_TEXTS) {
			bool is_named = is_by_instance ? id_has_prefix(m->instance, wish->instance.prefix,
								       wish->instance.bits)
						       : str_equal(m->hooks.at[k + WAIT_TOKEN], wish->token);
			if (!is_named || !str_equal(m->hooks.at[k + WAIT_HOOK], wish->name))
				continue;
			*ret_member = *m;
			*ret_at = k;
			return OK;
		}
	return is_by_instance ? ENGINE_FAIL(op, ERR_STATE, KIND_SCALING_HOOK, STR("InstanceId"),
					    "No active Lifecycle Action found with instance ID %" STR_FMT,
					    STR_ARG(wish->instance.text))
			      : ENGINE_FAIL(op, ERR_STATE, KIND_SCALING_HOOK, STR("LifecycleActionToken"),
					    "No active Lifecycle Action found with token %" STR_FMT,
					    STR_ARG(wish->token));
}

RESULT engine_complete_scaling_hook(struct op *op, struct scaling_hook_target *wish)
{
	const struct scaling_group *group = NULL;
	const struct scaling_hook *hook = NULL;
	struct scaling_member next;
	size_t at = 0;
	TRY(find_hook(op, wish, "scaling_hook.complete", &group, &hook));
	TRY(find_waiting(op, wish, group->row.id, &next, &at));
	TRY(leave_hook(op, &next, at, wish->abandons));
	next.row.gen++;
	return scaling_member_put(op, &next);
}

/* Heartbeats hold an instance for 48 hours or a hundred timeouts at most. */
RESULT engine_record_scaling_heartbeat(struct op *op, struct scaling_hook_target *wish)
{
	const struct scaling_group *group = NULL;
	const struct scaling_hook *hook = NULL;
	struct scaling_member next;
	size_t at = 0;
	TRY(find_hook(op, wish, "scaling_hook.record", &group, &hook));
	TRY(find_waiting(op, wish, group->row.id, &next, &at));
	int64_t most_s =
		HOLD_TIMEOUTS * hook->timeout_s < HOLD_MAX_S ? HOLD_TIMEOUTS * hook->timeout_s : HOLD_MAX_S;
	int64_t until_us = op->now_us + hook->timeout_s * SECOND, last_us = next.stage_us + most_s * SECOND;
	struct str *texts = arena_new_array(op->ctx->arena, struct str, next.hooks.count);
	if (!texts)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < next.hooks.count; k++)
		texts[k] = next.hooks.at[k];
	texts[at + WAIT_UNTIL] =
		str_print(op->ctx->arena, "%" PRId64, until_us < last_us ? until_us : last_us);
	next.hooks = (struct strs){texts, next.hooks.count};
	next.row.gen++;
	return scaling_member_put(op, &next);
}
