/* SPDX-License-Identifier: Apache-2.0
 * Snapshot policies. Checks and texts follow CloudStack 4.18's SnapshotManagerImpl, which describes the
 * volume in more detail. */
#include "engine/storage/snapshot/snapshot_policy.h"

#include <inttypes.h>
#include <stdlib.h>

#include "engine/condition_internal.h"
#include "engine/people/asker.h"
#include "engine/people/policy/role.h"
#include "engine/storage/snapshot/lifecycle_policy_internal.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/tag_internal.h"
#include "model/schedule.h"
#include "model/states.h"
#include "store/account.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/snapshot_policy.h"
#include "store/user.h"
#include "store/volume.h"

enum { TIMEZONE_MAX = 64 };

static const char *const interval_words[] = {[SNAPSHOT_POLICY_INTERVAL_HOURLY] = "HOURLY",
					     [SNAPSHOT_POLICY_INTERVAL_DAILY] = "DAILY",
					     [SNAPSHOT_POLICY_INTERVAL_WEEKLY] = "WEEKLY",
					     [SNAPSHOT_POLICY_INTERVAL_MONTHLY] = "MONTHLY",
					     [SNAPSHOT_POLICY_INTERVAL_CRON] = "CRON"};

static enum snapshot_interval interval_of(const struct snapshot_policy *policy)
{
	return (enum snapshot_interval)((int) policy->interval + 1); /* the values follow
								      * SNAPSHOT_INTERVAL_NONE */
}
_Static_assert((int) SNAPSHOT_INTERVAL_HOURLY == SNAPSHOT_POLICY_INTERVAL_HOURLY + 1 &&
		       (int) SNAPSHOT_INTERVAL_MONTHLY == SNAPSHOT_POLICY_INTERVAL_MONTHLY + 1,
	       "the intervals stand in the same order");

/* ---- requests ---- */

static RESULT check_kept(struct op *op, const struct snapshot_policy_wish *wish, const struct volume *volume)
{
	const struct account *account = account_find(op->head, volume->account);
	const char *interval = interval_words[wish->interval];
	struct str id = engine_write_id(op, KIND_VOLUME, volume->row.id);
	if (wish->kept <= 0)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SNAPSHOT_POLICY, STR("maxsnaps"),
				   "maxSnaps [%" PRId64 "] for volume %" STR_FMT " should be greater than 0.",
				   wish->kept, STR_ARG(id));
	if (wish->kept > SNAPSHOT_POLICY_KEPT_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SNAPSHOT_POLICY, STR("maxsnaps"),
				   "maxSnaps [%" PRId64 "] for volume %" STR_FMT
				   " exceeds limit [%d] for interval type [%s].",
				   wish->kept, STR_ARG(id), SNAPSHOT_POLICY_KEPT_MAX, interval);
	bool is_above = account && account->limit_snapshots >= 0 && wish->kept > account->limit_snapshots;
	return is_above ? ENGINE_FAIL(op, ERR_INVALID, KIND_SNAPSHOT_POLICY, STR("maxsnaps"),
				      "Max number of snapshots shouldn't exceed the domain/account level "
				      "snapshot limit")
			: OK;
}

static RESULT check_schedule(struct op *op, const struct snapshot_policy_wish *wish)
{
	struct schedule schedule;
	bool is_none = !result_is_ok(schedule_read(wish->interval, wish->schedule, &schedule));
	if (is_none)
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_SNAPSHOT_POLICY, STR("schedule"),
			"Volume %" STR_FMT " has an invalid schedule [%" STR_FMT "] for interval type [%s].",
			STR_ARG(wish->volume.text), STR_ARG(wish->schedule), interval_words[wish->interval]);
	return wish->timezone.n > 0 && wish->timezone.n <= TIMEZONE_MAX
		       ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_SNAPSHOT_POLICY, STR("timezone"),
				     "A timezone's name has up to %d characters.", TIMEZONE_MAX);
}

static RESULT check_ready(struct op *op, const struct volume *volume, const struct ref *ref)
{
	return volume->seen_size > 0
		       ? OK
		       : ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, ref->field,
				     "VolumeId: %" STR_FMT
				     " is not in Ready state but Creating. Cannot take snapshot.",
				     STR_ARG(ref->text));
}

RESULT engine_put_snapshot_policy(struct op *op, struct snapshot_policy_wish *wish)
{
	const struct volume *volume = NULL;
	TRY(engine_permit_volume(op, &wish->volume, "snapshot_policy.create", &volume));
	/* the policy will create snapshots */
	TRY(engine_permit(op, "snapshot.create", KIND_VOLUME, &volume->row));
	TRY(check_ready(op, volume, &wish->volume));
	TRY(check_schedule(op, wish));
	TRY(check_kept(op, wish, volume));
	const struct snapshot_policy *before =
		snapshot_policy_find_by_volume(op->head, volume->row.id, wish->interval);
	struct snapshot_policy policy =
		before ? *before
		       : (struct snapshot_policy){.row.id = engine_new_id(op, KIND_SNAPSHOT_POLICY),
						  .account = volume->account,
						  .volume = volume->row.id,
						  .interval = wish->interval};
	TRY(tag_normalize(op, wish->tags, &policy.tags));
	policy.schedule = wish->schedule;
	policy.timezone = wish->timezone;
	policy.kept = wish->kept;
	policy.zones = wish->zones;
	policy.is_active = choice_or(wish->is_active, true);
	policy.next_us = 0;
	policy.changed_us = op->now_us;
	ASKER_NOTE(op, &policy);
	policy.row.gen++;
	TRY(snapshot_policy_put(op, &policy));
	wish->policy = policy.row.id;
	return engine_log_event(op, KIND_SNAPSHOT_POLICY, &policy.row, before ? "changed" : "created",
				"%s at %" STR_FMT " of %" STR_FMT ", %" PRId64 " kept.",
				interval_words[policy.interval], STR_ARG(policy.schedule),
				STR_ARG(policy.timezone), policy.kept);
}

RESULT engine_update_snapshot_policy(struct op *op, struct snapshot_policy_settings *wish)
{
	const struct snapshot_policy *policy = NULL;
	TRY(engine_permit_snapshot_policy(op, &wish->policy, "snapshot_policy.update", &policy));
	if (engine_is_lifecycle_policy(policy))
		TRY(engine_permit(op, "lifecycle_policy.update", KIND_SNAPSHOT_POLICY, &policy->row));
	struct snapshot_policy next = *policy;
	choice_apply(wish->is_active, &next.is_active);
	if (next.is_active == policy->is_active)
		return OK;
	next.next_us = 0; /* does not catch up what was missed meanwhile */
	next.changed_us = op->now_us;
	next.row.gen++;
	TRY(snapshot_policy_put(op, &next));
	return engine_log_event(op, KIND_SNAPSHOT_POLICY, &next.row, "changed",
				next.is_active ? "It is active." : "It is not active.");
}

RESULT snapshot_policy_end(struct op *op, const struct snapshot_policy *policy)
{
	uuid id = policy->row.id;
	TRY(engine_log_event(op, KIND_SNAPSHOT_POLICY, &policy->row, "deleted", "Its snapshots stay."));
	return snapshot_policy_forget(op, id);
}

RESULT engine_delete_snapshot_policies(struct op *op, struct snapshot_policies_target *wish)
{
	for (size_t k = 0; k < wish->policies.count; k++) {
		const struct snapshot_policy *policy = NULL;
		TRY(engine_find_own_snapshot_policy(op->ctx, op->head, &wish->policies.at[k], &policy));
		TRY(engine_permit(op,
				  engine_is_lifecycle_policy(policy) ? "lifecycle_policy.delete"
								     : "snapshot_policy.delete",
				  KIND_SNAPSHOT_POLICY, &policy->row));
		TRY(snapshot_policy_end(op, policy));
	}
	return OK;
}

RESULT snapshot_end_policies(struct op *op, uuid volume)
{
	const struct snapshot_policy *policy = snapshot_policy_first_by_volume(op->head, volume),
				     *after = NULL;
	for (; policy; policy = after) {
		after = snapshot_policy_next_by_volume(op->head, policy);
		TRY(snapshot_policy_end(op, policy));
	}
	return OK;
}

/* ---- the policy's snapshots ---- */

/* Leaves out snapshots that a previous owner of the volume took. */
static bool is_its(const struct snapshot_policy *policy, const struct snapshot *s)
{
	return row_is_live(&s->row) && s->interval == interval_of(policy) &&
	       uuid_equal(s->account, policy->account);
}

static bool is_older(const struct snapshot *a, const struct snapshot *b)
{
	return a->row.created_us < b->row.created_us;
}

const struct snapshot *engine_find_newest(const struct tables *t, const struct snapshot_policy *policy)
{
	const struct snapshot *newest = NULL;
	for (const struct snapshot *s = snapshot_first_by_volume(t, policy->volume); s;
	     s = snapshot_next_by_volume(t, s))
		if (is_its(policy, s) && (!newest || is_older(newest, s)))
			newest = s;
	return newest;
}

/* Snapshots of one policy and one volume. */
struct group {
	const struct snapshot **at; /* completed and failed ones, the oldest first */
	size_t count, completed;
	int64_t newest_us; /* creation of the newest completed one */
};

static int compare_ages(const void *a, const void *b)
{
	const struct snapshot *const *x = a, *const *y = b;
	int64_t x_us = (*x)->row.created_us, y_us = (*y)->row.created_us;
	return x_us < y_us ? -1 : x_us > y_us ? 1 : uuid_compare((*x)->row.id, (*y)->row.id);
}

static void add_to_group(struct group *group, const struct snapshot *s)
{
	enum snapshot_state state = model_derive_snapshot_state(s);
	if (!row_is_live(&s->row) || (state != SNAPSHOT_COMPLETED && state != SNAPSHOT_ERROR))
		return;
	group->at[group->count++] = s;
	if (state == SNAPSHOT_ERROR)
		return;
	group->completed++;
	if (s->row.created_us > group->newest_us)
		group->newest_us = s->row.created_us;
}

/* DLM keeps the last snapshot of a volume that is gone, however old it becomes. */
static bool is_last_of_gone(const struct tables *t, const struct group *group, const struct snapshot *s)
{
	const struct volume *volume = volume_find(t, s->volume);
	return s->row.created_us == group->newest_us && (!volume || !row_is_live(&volume->row));
}

static void list_of_group(const struct tables *t, const struct snapshot_policy *policy, struct group *group,
			  int64_t now_us, uuid *made, size_t *count)
{
	size_t kept = (size_t) policy->kept, left = group->completed;
	qsort(group->at, group->count, sizeof(struct snapshot *), compare_ages);
	for (size_t k = 0; k < group->count && *count < SNAPSHOTS_PRUNED_MAX; k++) {
		const struct snapshot *s = group->at[k];
		bool is_failed = model_derive_snapshot_state(s) == SNAPSHOT_ERROR;
		bool goes = is_failed       ? s->row.created_us < group->newest_us
			    : s->expires_us ? s->expires_us <= now_us && !is_last_of_gone(t, group, s)
					    : kept && left > kept;
		left -= !is_failed && goes;
		if (goes)
			made[(*count)++] = s->row.id;
	}
}

/* Policies by tags have their snapshots in an index, in which those of a volume are neighbours. */
static size_t count_all(const struct tables *t, const struct snapshot_policy *policy)
{
	size_t count = 0;
	if (!engine_is_lifecycle_policy(policy))
		for (const struct snapshot *s = snapshot_first_by_volume(t, policy->volume); s;
		     s = snapshot_next_by_volume(t, s))
			count++;
	else
		for (const struct snapshot *s = snapshot_first_by_policy(t, policy->row.id); s;
		     s = snapshot_next_by_policy(t, s))
			count++;
	return count;
}

RESULT engine_list_superfluous(struct ctx *c, const struct tables *t, const struct snapshot_policy *policy,
			       int64_t now_us, struct uuids *ret_snapshots)
{
	bool is_of_one = !engine_is_lifecycle_policy(policy);
	const struct snapshot **at =
		arena_new_array(c->arena, const struct snapshot *, count_all(t, policy) + 1);
	uuid *made = arena_new_array(c->arena, uuid, SNAPSHOTS_PRUNED_MAX);
	struct group group = {.at = at};
	uuid volume = UUID_NONE;
	size_t count = 0;
	if (!at || !made)
		return ctx_no_memory(c);
	for (const struct snapshot *s = is_of_one ? snapshot_first_by_volume(t, policy->volume) : NULL; s;
	     s = snapshot_next_by_volume(t, s))
		if (is_its(policy, s))
			add_to_group(&group, s);
	for (const struct snapshot *s = is_of_one ? NULL : snapshot_first_by_policy(t, policy->row.id); s;
	     s = snapshot_next_by_policy(t, s)) {
		if (!uuid_equal(s->volume, volume)) {
			list_of_group(t, policy, &group, now_us, made, &count);
			group = (struct group){.at = at};
			volume = s->volume;
		}
		add_to_group(&group, s);
	}
	list_of_group(t, policy, &group, now_us, made, &count);
	*ret_snapshots = (struct uuids){made, count};
	return OK;
}

/* ---- for the reconciler ---- */

/* Named as CloudStack does it: "web_data_20240229053000". */
static struct str name_snapshot(struct op *op, const struct volume *v)
{
	const struct instance *instance =
		uuid_is_none(v->instance) ? NULL : instance_find(op->head, v->instance);
	struct str machine = !instance          ? STR("detached")
			     : instance->name.n ? instance->name
						: id_to_ec2(op->ctx->arena, KIND_INSTANCE, instance->row.id);
	char text[CLOCK_TEXT_SIZE];
	(void) clock_write_basic(op->now_us, text); /* "20161115T100000Z" */
	return str_print(op->ctx->arena, "%" STR_FMT "_%" STR_FMT "_%.8s%.6s", STR_ARG(machine),
			 STR_ARG(v->name), text, text + 9);
}

/* The account keeps the schedule of a user who has left it. Policies and roles of a user who is there decide. */
static RESULT ask_again(struct op *op, const struct snapshot_policy *policy, const struct volume *volume,
			struct later_guard *guard)
{
	const struct asker asker = ASKER_OF(policy);
	const struct asker_work work = {guard, "snapshot_policy.create", op->now_us};
	const char *why = asker_weigh_credential(op->head, &asker, op->now_us);
	if (why)
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_USER, "%s Set the policy anew.", why);
	bool has_left = !uuid_is_none(asker.user) && !user_find(op->head, asker.user);
	return has_left || !guard ? OK : asker_permit(op, &asker, &work, KIND_VOLUME, &volume->row);
}

static RESULT take(struct op *op, const struct snapshot_policy *policy, struct later_guard *guard)
{
	const struct volume *volume = volume_find(op->head, policy->volume);
	const struct account *account = account_find(op->head, policy->account);
	if (!volume || !row_is_live(&volume->row))
		return OK; /* the policy will be deleted with its volume */
	if (!engine_is_account_open(op->head, account))
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_ACCOUNT, "The account is disabled.");
	TRY(ask_again(op, policy, volume, guard));
	struct snapshot snapshot = {.name = name_snapshot(op, volume),
				    .description = str_print(op->ctx->arena, "Snapshot policy: %s",
							     interval_words[policy->interval]),
				    .made_by = policy->made_by,
				    .interval = interval_of(policy),
				    .tags = policy->tags};
	return snapshot_write_of(op, volume, &snapshot);
}

RESULT engine_take_policy_turn(struct op *op, struct snapshot_policy_turn *wish)
{
	const struct snapshot_policy *policy = snapshot_policy_find(op->head, wish->policy);
	if (!policy || policy->row.gen != wish->gen || policy->next_us != wish->due_us || !policy->is_active)
		return OK;
	struct snapshot_policy next = *policy;
	next.next_us = wish->next_us;
	if (!wish->is_due)
		return snapshot_policy_put(op, &next);
	if (engine_is_lifecycle_policy(policy))
		return lifecycle_policy_run(op, wish, &next);
	struct op_place place = op_place_now(op);
	struct result result = take(op, policy, wish->guard);
	if (!result_is_ok(result) && !engine_is_refusal(result.code))
		return result;
	if (!result_is_ok(result)) {
		op_go_back(op, place);
		struct str why = op->ctx->problem.message;
		ctx_clear_problem(op->ctx);
		return condition_set(op, KIND_SNAPSHOT_POLICY, next.row.id, SNAPSHOT_NOT_TAKEN, why,
				     "Dari tries again until the snapshot is taken.");
	}
	next.last_us = wish->due_us;
	TRY(snapshot_policy_put(op, &next));
	return condition_clear(op, next.row.id, STR(SNAPSHOT_NOT_TAKEN));
}

/* Deletes with the rights of the execution role, if the policy has one. */
static RESULT drop(struct op *op, const struct snapshot_policy *policy, uuid id, struct later_guard *guard)
{
	struct snapshot_target target = {.snapshot = engine_ref_to(op, KIND_SNAPSHOT, id, STR_NONE)};
	const struct asker asker = ASKER_OF(policy);
	const struct asker_work work = {guard, "snapshot.delete", op->now_us};
	return policy->role.n ? asker_run(op, &asker, &work, engine_delete_snapshot_run, &target)
			      : engine_delete_snapshot(op, &target);
}

/* A snapshot that cannot be deleted does not hold up those of other volumes. */
RESULT engine_prune_policy(struct op *op, struct snapshot_policy_pruning *wish)
{
	const struct snapshot_policy *policy = snapshot_policy_find(op->head, wish->policy);
	struct uuids list = {0};
	struct str why = STR_NONE;
	if (!policy)
		return OK;
	TRY(engine_list_superfluous(op->ctx, op->head, policy, op->now_us, &list));
	for (size_t k = 0; k < list.count; k++) {
		struct op_place place = op_place_now(op);
		struct result result = drop(op, policy, list.at[k], wish->guard);
		if (!result_is_ok(result) && !engine_is_refusal(result.code))
			return result;
		if (result_is_ok(result))
			continue;
		op_go_back(op, place);
		why = why.n ? why : op->ctx->problem.message;
		ctx_clear_problem(op->ctx);
	}
	return why.n ? condition_set(op, KIND_SNAPSHOT_POLICY, wish->policy, SNAPSHOTS_NOT_DELETED, why,
				     "It is deleted when nothing needs it any more.")
		     : condition_clear(op, wish->policy, STR(SNAPSHOTS_NOT_DELETED));
}
