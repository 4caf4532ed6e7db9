/* SPDX-License-Identifier: Apache-2.0
 * Autoscale settings. Called by: api/azure/scale_sets; reconcile/scaling/autoscale_setting.c, when another profile takes
 * effect. */
#include "engine/scaling/autoscale_setting.h"

#include <inttypes.h>

#include "engine/acting.h"
#include "engine/alarm/alarm.h"
#include "engine/limits.h"
#include "engine/region/region.h"
#include "engine/scaling/scale_set.h"
#include "engine/scaling/scaling_internal.h"
#include "model/schedule.h"

enum { RECURRENCE_DAYS = 8 }; /* a recurring profile begins each week at least */

/* ---- the profile in effect ---- */

static int64_t number_at(const struct strs *profiles, size_t profile, size_t text)
{
	int64_t number = 0;
	IGNORE(str_parse_int(profiles->at[profile * SETTING_TEXTS + text], &number));
	return number;
}

static int64_t sooner(int64_t next_us, int64_t at_us)
{
	return at_us && (!next_us || at_us < next_us) ? at_us : next_us;
}

/* Finds the last beginning of a recurring profile up to now, 0 if there is none, and the next one. */
static RESULT find_begin(struct ctx *c, const struct str *profile, int64_t now_us, int64_t *ret_last_us,
			 int64_t *ret_next_us)
{
	struct schedule times;
	const struct time_zone *zone = NULL;
	int64_t at_us = now_us - RECURRENCE_DAYS * 24 * HOUR;
	*ret_last_us = *ret_next_us = 0;
	TRY(schedule_read_cron(profile[SETTING_CRON], &times));
	TRY(time_zone_load(c, profile[SETTING_ZONE], &zone));
	while ((at_us = schedule_next_us(&times, zone, at_us)) <= now_us)
		*ret_last_us = at_us;
	*ret_next_us = at_us;
	return OK;
}

RESULT engine_choose_autoscale_profile(struct ctx *c, const struct strs *profiles, int64_t now_us,
				       int64_t *ret_profile, int64_t *ret_next_us)
{
	int64_t fixed = -1, recurring = -1, otherwise = -1, begun_us = 0;
	*ret_next_us = 0;
	for (size_t k = 0; k < profiles->count / SETTING_TEXTS; k++) {
		const struct str *profile = profiles->at + k * SETTING_TEXTS;
		int64_t from_us = number_at(profiles, k, SETTING_FROM), last_us = 0, next_us = 0;
		int64_t until_us = number_at(profiles, k, SETTING_UNTIL);
		if (until_us) {
			*ret_next_us = sooner(*ret_next_us, from_us > now_us    ? from_us
							    : until_us > now_us ? until_us
										: 0);
			if (fixed < 0 && from_us <= now_us && now_us < until_us)
				fixed = (int64_t) k;
		} else if (profile[SETTING_CRON].n) {
			TRY(find_begin(c, profile, now_us, &last_us, &next_us));
			*ret_next_us = sooner(*ret_next_us, next_us);
			if (last_us > begun_us) {
				begun_us = last_us;
				recurring = (int64_t) k;
			}
		} else if (otherwise < 0) {
			otherwise = (int64_t) k;
		}
	}
	*ret_profile = fixed >= 0 ? fixed : recurring >= 0 ? recurring : otherwise;
	return OK;
}

/* ---- what a profile changes ---- */

static RESULT enable_rules(struct op *op, const struct autoscale_setting *s)
{
	for (const struct scaling_policy *p = scaling_policy_first_by_setting(op->head, s->row.id); p;
	     p = scaling_policy_next_by_setting(op->head, p)) {
		struct scaling_policy next = *p;
		next.is_disabled = !s->is_enabled || p->setting_profile != s->profile;
		if (next.is_disabled == p->is_disabled)
			continue;
		next.row.gen++;
		TRY(scaling_policy_put(op, &next));
	}
	return OK;
}

/* Gives the scale set the limits of the profile, or none. No metric has been evaluated yet when a profile takes effect, so a
 * smaller set grows to the default capacity, as in Azure when a metric is not available. */
static RESULT limit_set(struct op *op, const struct autoscale_setting *s)
{
	struct scaling_group next = *scaling_group_find(op->head, s->scaling_group);
	int64_t desired = next.desired;
	if (next.is_deleting)
		return OK;
	next.min_size = 0;
	next.max_size = SCALING_SIZE_MAX;
	if (s->is_enabled && s->profile >= 0) {
		int64_t least = number_at(&s->profiles, (size_t) s->profile, SETTING_DEFAULT);
		next.min_size = number_at(&s->profiles, (size_t) s->profile, SETTING_MIN);
		next.max_size = number_at(&s->profiles, (size_t) s->profile, SETTING_MAX);
		desired = desired < least ? least : desired > next.max_size ? next.max_size : desired;
	}
	TRY(scaling_set_desired(op, &next, desired, STR("an autoscale profile took effect")));
	next.row.gen++;
	return scaling_group_put(op, &next);
}

/* Ends the limits of a scale set that the setting leaves. */
static RESULT release_set(struct op *op, const struct autoscale_setting *s)
{
	struct autoscale_setting left = *s;
	left.is_enabled = false;
	return limit_set(op, &left);
}

static RESULT take_effect(struct op *op, uuid setting)
{
	const struct autoscale_setting *s = autoscale_setting_find(op->head, setting);
	TRY(limit_set(op, s));
	return enable_rules(op, autoscale_setting_find(op->head, setting));
}

/* ---- rules ---- */

static RESULT put_rule(struct op *op, const struct autoscale_setting *s, const struct autoscale_rule *rule,
		       size_t number)
{
	const struct scaling_group *group = scaling_group_find(op->head, s->scaling_group);
	struct str owner_number = engine_account_number(op->head, s->account);
	struct scaling_policy made = {.row = {.id = engine_new_id(op, KIND_SCALING_POLICY), .gen = 1},
				      .account = s->account,
				      .scaling_group = group->row.id,
				      .name = str_print(op->ctx->arena, "Autoscale-%.8s-%zu",
							uuid_to_str(op->ctx->arena, s->row.id).p, number),
				      .adjustment = rule->adjustment,
				      .amount = rule->amount,
				      .has_cooldown = true,
				      .cooldown_s = rule->cooldown_s,
				      .setting = s->row.id,
				      .setting_profile = (int64_t) rule->profile,
				      .is_disabled = true};
	TRY(scaling_policy_put(op, &made));
	struct str dimensions[] = {STR("AutoScalingGroupName"), group->name};
	struct str action =
		engine_write_scaling_arn(op->head, op->ctx->arena, engine_get_region_name(op->head),
					 owner_number, KIND_SCALING_POLICY, &made.row);
	struct alarm alarm = {.account = s->account,
			      .scaling_policy = made.row.id,
			      .name = str_print(op->ctx->arena, "Autoscale-%" STR_FMT,
						STR_ARG(uuid_to_str(op->ctx->arena, made.row.id))),
			      .description =
				      STR("DO NOT EDIT OR DELETE. For a rule of an autoscale setting."),
			      .acts = true,
			      .alarm_actions = {&action, 1},
			      .name_space = STR("AWS/EC2"),
			      .metric = str_from(rule->metric),
			      .dimensions = {dimensions, 2},
			      .statistic = str_from(rule->statistic),
			      .period_s = rule->window_s,
			      .evaluation_periods = 1,
			      .threshold = rule->threshold,
			      .comparison = rule->comparison};
	return alarm_put_owned(op, &alarm);
}

static RESULT put_rules(struct op *op, const struct autoscale_setting *s,
			const struct autoscale_setting_wish *wish)
{
	FORGET_EACH(op, scaling_policy, setting, s->row.id);
	TRY(limit_check(op, LIMIT_SCALING_POLICIES, s->scaling_group, wish->rule_count, STR_NONE));
	for (size_t k = 0; k < wish->rule_count; k++)
		TRY(put_rule(op, s, &wish->rules[k], k));
	return OK;
}

/* ---- operations ---- */

static RESULT find_set(struct op *op, const struct ref *ref, const struct scaling_group **ret_group)
{
	TRY(scaling_find(op, ref, "scaling_group.update", ret_group));
	return scaling_is_set(*ret_group) ? OK
					  : ENGINE_FAIL_ABOUT(op, ERR_INVALID, KIND_SCALING_GROUP, ref,
							      "%" STR_FMT " is an Auto Scaling group of EC2.",
							      STR_ARG((*ret_group)->name));
}

static RESULT make_setting(struct op *op, const struct autoscale_setting_wish *wish,
			   struct autoscale_setting *next)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_permit(op, "autoscale_setting.create", KIND_AUTOSCALE_SETTING, NULL));
	TRY(limit_check(op, LIMIT_AUTOSCALE_SETTINGS, account, 1, STR_NONE));
	*next = (struct autoscale_setting){.row = {.id = engine_new_id(op, KIND_AUTOSCALE_SETTING)},
					   .account = account,
					   .name = wish->name};
	return OK;
}

RESULT engine_put_autoscale_setting(struct op *op, struct autoscale_setting_wish *wish)
{
	const struct autoscale_setting *present = NULL;
	const struct scaling_group *group = NULL;
	struct autoscale_setting next;
	if (ref_is_given(&wish->setting)) {
		TRY(engine_permit_autoscale_setting(op, &wish->setting, "autoscale_setting.create",
						    &present));
		next = *present;
	} else {
		TRY(make_setting(op, wish, &next));
	}
	TRY(find_set(op, &wish->target, &group));
	const struct autoscale_setting *other =
		autoscale_setting_find_by_scaling_group(op->head, group->row.id);
	if (other && !uuid_equal(other->row.id, next.row.id))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_AUTOSCALE_SETTING, wish->target.field,
				   "The scale set already has the autoscale setting %" STR_FMT ".",
				   STR_ARG(other->name));
	uuid group_id = group->row.id; /* a change of the previous scale set moves rows */
	if (present && !uuid_equal(present->scaling_group, group_id))
		TRY(release_set(op, present));
	next.scaling_group = group_id;
	next.is_enabled = wish->is_enabled;
	next.profiles = wish->profiles;
	next.profile = wish->profile;
	next.next_us = wish->next_us;
	next.row.gen++;
	wish->id = next.row.id;
	TRY(autoscale_setting_put(op, &next));
	TRY(put_rules(op, &next, wish));
	TRY(take_effect(op, next.row.id));
	return engine_log_event(op, KIND_AUTOSCALE_SETTING, &next.row, present ? "changed" : "created",
				"Autoscale setting %" STR_FMT ".", STR_ARG(next.name));
}

RESULT engine_delete_autoscale_setting(struct op *op, struct autoscale_setting_target *wish)
{
	const struct autoscale_setting *setting = NULL;
	TRY(engine_permit_autoscale_setting(op, &wish->setting, "autoscale_setting.delete", &setting));
	struct autoscale_setting next = *setting;
	TRY(release_set(op, &next));
	TRY(engine_log_event(op, KIND_AUTOSCALE_SETTING, &next.row, "deleted",
			     "Autoscale setting %" STR_FMT ".", STR_ARG(next.name)));
	return autoscale_setting_forget(op, next.row.id);
}

RESULT engine_turn_autoscale_setting(struct op *op, struct autoscale_setting_due *wish)
{
	const struct autoscale_setting *setting = autoscale_setting_find(op->head, wish->setting);
	if (!setting || setting->next_us != wish->due_us || op->now_us < setting->next_us)
		return OK;
	struct autoscale_setting next = *setting;
	bool is_another = wish->profile != setting->profile;
	next.profile = wish->profile;
	next.next_us = wish->next_us;
	TRY(autoscale_setting_put(op, &next));
	if (!is_another)
		return OK;
	TRY(take_effect(op, next.row.id));
	return engine_log_event(
		op, KIND_AUTOSCALE_SETTING, &next.row, "profile changed", "%" STR_FMT,
		STR_ARG(next.profile < 0 ? STR_NONE : next.profiles.at[next.profile * SETTING_TEXTS]));
}
