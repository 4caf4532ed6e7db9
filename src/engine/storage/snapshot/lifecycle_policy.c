/* SPDX-License-Identifier: Apache-2.0
 * Snapshot policies that select by tags. Sources: Amazon EBS User Guide, "Amazon Data Lifecycle Manager"; DLM's API Reference. */
#include "engine/storage/snapshot/lifecycle_policy.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/time_zone.h"
#include "engine/acting.h"
#include "engine/condition_internal.h"
#include "engine/events/events.h"
#include "engine/people/asker.h"
#include "engine/people/policy/iam_role.h"
#include "engine/people/policy/role.h"
#include "engine/storage/snapshot/lifecycle_policy_internal.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/tag_internal.h"
#include "model/schedule.h"
#include "store/account.h"
#include "store/iam_role.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/volume.h"

enum { HOURS_OF_DAY = 24 };

bool engine_is_lifecycle_policy(const struct snapshot_policy *policy)
{
	return policy->targets != SNAPSHOT_POLICY_TARGETS_ONE_VOLUME;
}

struct str engine_write_lifecycle_arn(struct arena *a, struct str region, struct str account_number,
				      struct str id)
{
	return str_print(a, "arn:aws:dlm:%" STR_FMT ":%" STR_FMT ":policy/%" STR_FMT, STR_ARG(region),
			 STR_ARG(account_number), STR_ARG(id));
}

/* ---- schedules ---- */

/* The first hour stands first: the face reads it back from the expression. */
struct str engine_write_hours(struct arena *a, int64_t every_hours, int64_t hour, int64_t minute)
{
	struct str hours = STR_NONE;
	for (int64_t k = 0; k < HOURS_OF_DAY; k += every_hours)
		hours = str_print(a, "%" STR_FMT "%s%" PRId64, STR_ARG(hours), hours.n ? "," : "",
				  (hour + k) % HOURS_OF_DAY);
	return str_print(a, "cron(%" PRId64 " %" STR_FMT " * * ? *)", minute, STR_ARG(hours));
}

RESULT engine_find_policy_time(struct ctx *c, const struct snapshot_policy *p, int64_t after_us,
			       int64_t *ret_next_us)
{
	const struct time_zone *zone = NULL;
	struct schedule schedule;
	if (p->interval == SNAPSHOT_POLICY_INTERVAL_CRON) {
		int64_t next_us = engine_find_event_time(p->schedule, after_us);
		*ret_next_us = next_us ? next_us : INT64_MAX;
		return OK;
	}
	TRY(schedule_read(p->interval, p->schedule, &schedule));
	TRY(time_zone_load(c, p->timezone, &zone));
	*ret_next_us = schedule_next_us(&schedule, zone, after_us);
	return OK;
}

/* ---- requests ---- */

static RESULT check_count(struct op *op, uuid account)
{
	int64_t count = 0;
	for (const struct snapshot_policy *p = snapshot_policy_first_by_account(op->head, account); p;
	     p = snapshot_policy_next_by_account(op->head, p))
		count += engine_is_lifecycle_policy(p);
	return count < LIFECYCLE_POLICIES_MAX
		       ? OK
		       : ENGINE_FAIL(op, ERR_QUOTA, KIND_SNAPSHOT_POLICY, STR_NONE,
				     "The account has %d lifecycle policies, as many as it may have.",
				     LIFECYCLE_POLICIES_MAX);
}

/* The role acts for the policy from now on, whoever wrote it down and with whatever credentials. */
static RESULT set_role(struct op *op, struct snapshot_policy *policy, struct str arn)
{
	TRY(iam_role_permit_pass(op, policy->account, arn, STR("dlm.amazonaws.com"), KIND_SNAPSHOT_POLICY,
				 STR("ExecutionRoleArn")));
	const struct iam_role *role = iam_role_find_arn(op->head, policy->account, arn);
	policy->role = arn;
	policy->made_by = UUID_NONE;
	policy->made_with = role ? role->row.id : UUID_NONE;
	policy->made_until_us = 0;
	return role ? OK : ctx_fail(op->ctx, ERR_INTERNAL, "The role is gone.");
}

/* Reserved tags belong to the system. */
static RESULT check_tags(struct op *op, struct tags tags)
{
	struct tags ignored;
	return tag_normalize(op, tags, &ignored);
}

static RESULT set_details(struct op *op, const struct snapshot_policy *details,
			  struct snapshot_policy *policy)
{
	if (!str_is_xml_text(details->schedule_name)) /* a tag of each snapshot, which EC2 shows */
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SNAPSHOT_POLICY, STR("Name"),
				   "Name: the schedule's name has characters that are not allowed.");
	TRY(check_tags(op, details->added_tags));
	TRY(check_tags(op, details->variable_tags));
	policy->targets = details->targets;
	policy->target_tags = details->target_tags;
	policy->schedule_name = details->schedule_name;
	policy->interval = SNAPSHOT_POLICY_INTERVAL_CRON;
	policy->every_hours = details->every_hours;
	policy->schedule = details->schedule;
	policy->timezone = STR("UTC");
	policy->kept = details->kept;
	policy->kept_age = details->kept_age;
	policy->age_unit = details->age_unit;
	policy->copies_tags = details->copies_tags;
	policy->added_tags = details->added_tags;
	policy->variable_tags = details->variable_tags;
	policy->without_root = details->without_root;
	policy->next_us = 0;
	return OK;
}

static RESULT change(struct op *op, const struct lifecycle_policy_wish *wish, struct snapshot_policy *policy)
{
	if (wish->role)
		TRY(set_role(op, policy, *wish->role));
	if (wish->description)
		policy->description = *wish->description;
	if (wish->details)
		TRY(set_details(op, wish->details, policy));
	bool was_active = policy->is_active;
	choice_apply(wish->is_active, &policy->is_active);
	if (was_active != policy->is_active)
		policy->next_us = 0; /* does not catch up what was missed meanwhile */
	policy->changed_us = op->now_us;
	policy->row.gen++;
	return snapshot_policy_put(op, policy);
}

RESULT engine_create_lifecycle_policy(struct op *op, struct lifecycle_policy_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(check_count(op, account));
	struct snapshot_policy policy = {.row.id = engine_new_id(op, KIND_SNAPSHOT_POLICY),
					 .account = account};
	TRY(tag_normalize(op, wish->tags, &policy.tags));
	TRY(change(op, wish, &policy));
	wish->made = policy.row.id;
	return engine_log_event(op, KIND_SNAPSHOT_POLICY, &policy.row, "created", "By tags, at %" STR_FMT ".",
				STR_ARG(policy.schedule));
}

static RESULT find(struct op *op, struct ref *ref, const char *permission,
		   const struct snapshot_policy **ret_policy)
{
	TRY(engine_permit_snapshot_policy(op, ref, permission, ret_policy));
	return engine_is_lifecycle_policy(*ret_policy)
		       ? OK
		       : engine_fail_not_found(op->ctx, KIND_SNAPSHOT_POLICY, ref);
}

RESULT engine_update_lifecycle_policy(struct op *op, struct lifecycle_policy_wish *wish)
{
	const struct snapshot_policy *before = NULL;
	TRY(find(op, &wish->policy, "lifecycle_policy.update", &before));
	if (wish->details && (wish->details->kept_age > 0) != (before->kept_age > 0))
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_SNAPSHOT_POLICY, STR("RetainRule"),
			"The retention type of a schedule cannot be changed. Create a new policy.");
	struct snapshot_policy policy = *before;
	TRY(change(op, wish, &policy));
	return engine_log_event(op, KIND_SNAPSHOT_POLICY, &policy.row, "changed",
				policy.is_active ? "It is active." : "It is not active.");
}

RESULT engine_delete_lifecycle_policy(struct op *op, struct lifecycle_policy_target *wish)
{
	const struct snapshot_policy *policy = NULL;
	TRY(find(op, &wish->policy, "lifecycle_policy.delete", &policy));
	return snapshot_policy_end(op, policy);
}

RESULT engine_tag_lifecycle_policy(struct op *op, struct lifecycle_policy_tags *wish)
{
	const struct snapshot_policy *before = NULL;
	TRY(find(op, &wish->policy, wish->removed.count ? "lifecycle_policy.untag" : "lifecycle_policy.tag",
		 &before));
	struct snapshot_policy policy = *before;
	TRY(tag_merge(op, before->tags, wish->set, &wish->removed, &policy.tags));
	return snapshot_policy_put(op, &policy);
}

/* ---- one snapshot ---- */

struct taking {
	const struct snapshot_policy *policy;
	const struct volume *volume;
	uuid instance; /* that selected the volume; none: its own tags did */
};

static struct str fill_variable(struct op *op, const struct taking *t, struct str value)
{
	char text[CLOCK_TEXT_SIZE];
	if (str_is(value, "$(timestamp)"))
		return str_copy(op->ctx->arena, str_from(clock_write_s(op->now_us, text)));
	if (str_is(value, "$(instance-id)"))
		return engine_write_id(op, KIND_INSTANCE, t->instance);
	return value;
}

/* Adds a tag, or replaces the value of its key. */
static void add_tag(struct tag *tags, size_t *count, struct tag tag)
{
	size_t k = 0;
	while (k < *count && !str_equal(tags[k].key, tag.key))
		k++;
	tags[k] = tag;
	*count += k == *count;
}

static RESULT join_tags(struct op *op, const struct taking *t, struct tags *ret_tags)
{
	const struct snapshot_policy *p = t->policy;
	struct tags of_volume = p->copies_tags ? t->volume->tags : (struct tags){0};
	struct tag *tags =
		arena_new_array(op->ctx->arena, struct tag,
				of_volume.count + p->added_tags.count + p->variable_tags.count + 1);
	size_t count = 0;
	if (!tags)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < of_volume.count; k++)
		if (!str_starts_with(of_volume.at[k].key, STR("aws:")))
			add_tag(tags, &count, of_volume.at[k]);
	for (size_t k = 0; k < p->added_tags.count; k++)
		add_tag(tags, &count, p->added_tags.at[k]);
	for (size_t k = 0; k < p->variable_tags.count; k++)
		add_tag(tags, &count,
			(struct tag){p->variable_tags.at[k].key,
				     fill_variable(op, t, p->variable_tags.at[k].value)});
	add_tag(tags, &count, (struct tag){STR("dlm:managed"), STR("true")});
	return tag_normalize(op, (struct tags){tags, count}, ret_tags);
}

/* Months and years end on the same day, or on the month's last one. */
static int64_t find_expiry(const struct snapshot_policy *p, int64_t now_us)
{
	const int64_t day_us = HOURS_OF_DAY * HOUR;
	int64_t day = now_us / day_us, of_day_us = now_us % day_us;
	bool is_years = p->age_unit == SNAPSHOT_POLICY_AGE_UNIT_YEARS;
	if (!p->kept_age)
		return 0;
	if (p->age_unit == SNAPSHOT_POLICY_AGE_UNIT_DAYS || p->age_unit == SNAPSHOT_POLICY_AGE_UNIT_WEEKS)
		return now_us +
		       p->kept_age * (p->age_unit == SNAPSHOT_POLICY_AGE_UNIT_WEEKS ? 7 : 1) * day_us;
	struct clock_date date = clock_date_of(day);
	int64_t months = date.year * 12 + date.month - 1 + p->kept_age * (is_years ? 12 : 1);
	int64_t first = clock_count_days(months / 12, (unsigned) (months % 12 + 1), 1);
	int64_t after = clock_count_days((months + 1) / 12, (unsigned) ((months + 1) % 12 + 1), 1);
	day = first + date.day - 1;
	return (day < after ? day : after - 1) * day_us + of_day_us;
}

static RESULT take_one(struct op *op, void *wish)
{
	const struct taking *t = wish;
	const struct snapshot_policy *p = t->policy;
	struct str id = id_to_prefixed(op->ctx->arena, "policy", p->row.id);
	struct tag own[] = {{STR("aws:dlm:lifecycle-policy-id"), id},
			    {STR("aws:dlm:lifecycle-schedule-name"), p->schedule_name}};
	struct snapshot snapshot = {.description =
					    str_print(op->ctx->arena,
						      "Created for policy: %" STR_FMT " schedule: %" STR_FMT,
						      STR_ARG(id), STR_ARG(p->schedule_name)),
				    .policy = p->row.id,
				    .expires_us = find_expiry(p, op->now_us)};
	TRY(engine_permit(op, "snapshot.create", KIND_VOLUME, &t->volume->row));
	TRY(join_tags(op, t, &snapshot.tags));
	TRY(tag_add_reserved(op, (struct tags){own, 2}, &snapshot.tags));
	return snapshot_write_of(op, t->volume, &snapshot);
}

/* ---- a run ---- */

struct run {
	const struct snapshot_policy_turn *turn;
	const struct snapshot_policy *policy;
	size_t taken, left_out;
	struct refusals refused;
};

static bool is_selected(const struct snapshot_policy *p, struct tags tags)
{
	for (size_t k = 0; k < p->target_tags.count; k++) {
		const struct tag *tag = tags_find(tags, p->target_tags.at[k].key);
		if (tag && str_equal(tag->value, p->target_tags.at[k].value))
			return true;
	}
	return false;
}

/* The run took the volume's snapshot already: two of an instance's tags, or two instances, may select it. */
static bool is_done(const struct tables *t, const struct run *run, uuid volume)
{
	const struct snapshot *s = snapshot_find_by_policy(t, run->policy->row.id, volume);
	for (; s && uuid_equal(s->policy, run->policy->row.id) && uuid_equal(s->volume, volume);
	     s = snapshot_next_by_policy(t, s))
		if (s->row.created_us >= run->turn->due_us)
			return true;
	return false;
}

/* A refusal of one volume takes back what was written for it, and leaves the others. */
static RESULT visit(struct op *op, struct run *run, const struct volume *volume, uuid instance)
{
	const struct asker asker = ASKER_OF(run->policy);
	const struct asker_work work = {run->turn->guard, "snapshot.create", op->now_us};
	struct taking taking = {run->policy, volume, instance};
	struct op_place place = op_place_now(op);
	bool is_there = volume->seen_size > 0 && !engine_is_hidden(KIND_VOLUME, &volume->row);
	if (!is_there || is_done(op->head, run, volume->row.id))
		return OK;
	if (run->taken == LIFECYCLE_RUN_MAX) {
		run->left_out++;
		return OK;
	}
	struct result result = asker_run(op, &asker, &work, take_one, &taking);
	if (!result_is_ok(result))
		return condition_take_refusal(op, place, result, KIND_VOLUME, volume->row.id, &run->refused);
	run->taken++;
	return OK;
}

static RESULT visit_volumes(struct op *op, struct run *run)
{
	for (const struct volume *v = volume_first_by_account(op->head, run->policy->account); v;
	     v = volume_next_by_account(op->head, v))
		if (row_is_live(&v->row) && is_selected(run->policy, v->tags))
			TRY(visit(op, run, v, UUID_NONE));
	return OK;
}

static RESULT visit_instances(struct op *op, struct run *run)
{
	for (const struct instance *i = instance_first_by_account(op->head, run->policy->account); i;
	     i = instance_next_by_account(op->head, i)) {
		struct volume_list disks = {0};
		if (!row_is_live(&i->row) || !is_selected(run->policy, i->tags))
			continue;
		TRY(engine_list_disks(op->ctx->arena, op->head, i->row.id, false, &disks));
		for (size_t k = 0; k < disks.count; k++)
			if (!run->policy->without_root || disks.at[k]->device_slot != 0)
				TRY(visit(op, run, volume_find(op->head, disks.at[k]->row.id), i->row.id));
	}
	return OK;
}

static RESULT tell(struct op *op, const struct run *run)
{
	struct str why = STR_NONE;
	if (run->refused.count)
		why = run->refused.count == 1 ? run->refused.first
					      : str_print(op->ctx->arena, "%zu volumes. %" STR_FMT,
							  run->refused.count, STR_ARG(run->refused.first));
	else if (run->left_out)
		why = str_print(op->ctx->arena, "%zu volumes were left out: a run takes %d snapshots.",
				run->left_out, LIFECYCLE_RUN_MAX);
	return why.n ? condition_set(op, KIND_SNAPSHOT_POLICY, run->policy->row.id, SNAPSHOT_NOT_TAKEN, why,
				     "The next ones are taken when they are due.")
		     : condition_clear(op, run->policy->row.id, STR(SNAPSHOT_NOT_TAKEN));
}

RESULT lifecycle_policy_run(struct op *op, const struct snapshot_policy_turn *turn,
			    struct snapshot_policy *next)
{
	struct run run = {.turn = turn, .policy = next};
	const struct account *account = account_find(op->head, next->account);
	next->last_us = turn->due_us;
	TRY(snapshot_policy_put(op, next));
	if (!engine_is_account_open(op->head, account)) {
		run.refused = (struct refusals){1, STR("The account is disabled.")};
	} else if (next->targets == SNAPSHOT_POLICY_TARGETS_TAGGED_VOLUMES) {
		TRY(visit_volumes(op, &run));
	} else {
		TRY(visit_instances(op, &run));
	}
	return tell(op, &run);
}
