/* SPDX-License-Identifier: Apache-2.0
 * Backup plans: creation, change and deletion. Runs: backup_plan_run.c. */
#include "engine/backup/backup_plan.h"

#include <inttypes.h>

#include "engine/acting.h"
#include "engine/backup/backup_plan_internal.h"
#include "engine/backup/backup_vault.h"
#include "engine/backup/machine_backup.h"
#include "engine/backup/machine_backup_internal.h"
#include "engine/condition_internal.h"
#include "engine/events/events.h"
#include "engine/limits.h"
#include "engine/storage/snapshot/backup.h"
#include "engine/storage/snapshot/backup_internal.h"
#include "engine/tag_internal.h"
#include "model/schedule.h"
#include "model/states.h"
#include "store/backup.h"
#include "store/backup_plan.h"
#include "store/instance.h"
#include "store/machine_backup.h"

enum { TIMEZONE_MAX = 64, TAG_TEXT_MAX = 256, MARKER_MAX = 255 };

static RESULT fail(struct op *op, const char *field, const char *why)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_BACKUP_PLAN, str_from(field), "%s", why);
}

/* ---- checks ---- */

static RESULT check_schedule(struct op *op, const struct backup_plan *p)
{
	struct schedule ignored;
	struct result result =
		p->interval == BACKUP_PLAN_INTERVAL_EXPRESSION
			? engine_check_event_schedule(op->ctx, p->schedule)
		: p->interval == BACKUP_PLAN_INTERVAL_CRON
			? schedule_read_cron(p->schedule, &ignored)
			: schedule_read((enum snapshot_policy_interval) p->interval, p->schedule, &ignored);
	return result_is_ok(result) ? OK
				    : fail(op, "schedule",
					   "The schedule is MM for hourly, MM:HH for daily, MM:HH:DD for "
					   "weekly (1, Sunday, to 7) "
					   "and monthly (1 to 28), the five fields of cron for cron, and an "
					   "expression of EventBridge in UTC for expression.");
}
_Static_assert((int) BACKUP_PLAN_INTERVAL_MONTHLY == (int) SNAPSHOT_POLICY_INTERVAL_MONTHLY,
	       "the intervals stand in the same order");

static RESULT check_selection(struct op *op, const struct backup_plan *p)
{
	if (p->tag_key.n > TAG_TEXT_MAX || p->tag_value.n > TAG_TEXT_MAX || (p->tag_value.n && !p->tag_key.n))
		return fail(op, "tag_key",
			    "A tag's key and value have up to 256 characters, and a value needs a key.");
	return p->instances.count || p->tag_key.n
		       ? OK
		       : fail(op, "instances", "A plan names instances, or a tag.");
}

static RESULT check_words(struct op *op, const struct backup_plan *p)
{
	if (p->name.n == 0 || p->name.n > 255 || !str_is_xml_text(p->name))
		return fail(op, "name", "A plan's name has 1 to 255 characters.");
	if (p->description.n > 255 || !str_is_xml_text(p->description))
		return fail(op, "description", "A plan's description has up to 255 characters.");
	if (p->timezone.n == 0 || p->timezone.n > TIMEZONE_MAX)
		return fail(op, "timezone", "A time zone's name has 1 to 64 characters.");
	if (p->check_marker.n == 0 || p->check_marker.n > MARKER_MAX)
		return fail(op, "check_marker", "The text of a test restore has 1 to 255 characters.");
	return OK;
}

static RESULT check_counts(struct op *op, const struct backup_plan *p)
{
	const struct {
		const char *field;
		int64_t count, max;
	} counts[] = {{"keep_last", p->keep_last, PLAN_KEPT_MAX},
		      {"keep_hourly", p->keep_hourly, PLAN_KEPT_MAX},
		      {"keep_daily", p->keep_daily, PLAN_KEPT_MAX},
		      {"keep_weekly", p->keep_weekly, PLAN_KEPT_MAX},
		      {"keep_monthly", p->keep_monthly, PLAN_KEPT_MAX},
		      {"keep_yearly", p->keep_yearly, PLAN_KEPT_MAX},
		      {"check_days", p->check_days, PLAN_CHECK_DAYS_MAX}};
	for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++)
		if (counts[k].count < 0 || counts[k].count > counts[k].max)
			return ENGINE_FAIL(op, ERR_INVALID, KIND_BACKUP_PLAN, str_from(counts[k].field),
					   "%s is 0 to %" PRId64 ".", counts[k].field, counts[k].max);
	return OK;
}

static RESULT check_name(struct op *op, const struct backup_plan *p)
{
	const struct backup_plan *other = backup_plan_find_by_name(op->head, p->account, p->name);
	return !other || uuid_equal(other->row.id, p->row.id)
		       ? OK
		       : ENGINE_FAIL(op, ERR_EXISTS, KIND_BACKUP_PLAN, STR("name"),
				     "The account has a backup plan '%" STR_FMT "' already.",
				     STR_ARG(p->name));
}

RESULT backup_plan_take_instances(struct op *op, const struct refs *refs, const char *permission,
				  const char *field, struct backup_plan *plan)
{
	uuid *ids = arena_new_array(op->ctx->arena, uuid, refs->count + 1);
	if (!ids)
		return ctx_no_memory(op->ctx);
	if (refs->count > PLAN_MACHINES_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_BACKUP_PLAN, str_from(field),
				   "%s: a plan names up to %d instances.", field, PLAN_MACHINES_MAX);
	for (size_t k = 0; k < refs->count; k++) {
		const struct instance *i = NULL;
		TRY(engine_find_own_instance(op->ctx, op->head, &refs->at[k], &i));
		if (!uuid_equal(i->account, plan->account))
			return engine_fail_not_found(op->ctx, KIND_INSTANCE, &refs->at[k]);
		if (permission)
			TRY(engine_permit(op, permission, KIND_INSTANCE, &i->row));
		ids[k] = i->row.id;
	}
	plan->instances = (struct uuids){ids, refs->count};
	return OK;
}

/* ---- creation and change ---- */

static void take_text(const struct str *given, struct str *text)
{
	if (given)
		*text = *given;
}

static void take_count(bool is_given, int64_t given, int64_t *count)
{
	if (is_given)
		*count = given;
}

static void take_counts(const struct backup_plan_wish *w, struct backup_plan *p)
{
	take_count(w->given.last, w->keep.last, &p->keep_last);
	take_count(w->given.hourly, w->keep.hourly, &p->keep_hourly);
	take_count(w->given.daily, w->keep.daily, &p->keep_daily);
	take_count(w->given.weekly, w->keep.weekly, &p->keep_weekly);
	take_count(w->given.monthly, w->keep.monthly, &p->keep_monthly);
	take_count(w->given.yearly, w->keep.yearly, &p->keep_yearly);
	take_count(w->given.check_days, w->keep.check_days, &p->check_days);
}

/* A change of the schedule, or a resumption, does not make up for what was missed before. */
static RESULT take_wish(struct op *op, const struct backup_plan_wish *w, struct backup_plan *p)
{
	bool was_active = p->is_active;
	take_text(w->name, &p->name);
	take_text(w->description, &p->description);
	take_text(w->tag_key, &p->tag_key);
	take_text(w->tag_value, &p->tag_value);
	take_text(w->schedule, &p->schedule);
	take_text(w->timezone, &p->timezone);
	take_text(w->container, &p->container);
	take_text(w->check_marker, &p->check_marker);
	take_counts(w, p);
	choice_apply(w->is_active, &p->is_active);
	if (w->sets_interval)
		p->interval = w->interval;
	if (w->given.instances) /* the guard decides about instances with the tag at each run */
		TRY(backup_plan_take_instances(op, &w->instances, "machine_backup.create", "instances", p));
	if (w->given.tags)
		TRY(tag_normalize(op, w->tags, &p->tags));
	if (w->schedule || w->timezone || w->sets_interval || was_active != p->is_active)
		p->next_us = 0;
	TRY(check_words(op, p));
	TRY(check_selection(op, p));
	TRY(check_counts(op, p));
	TRY(check_schedule(op, p));
	TRY(backup_check_container(op, p->container));
	return check_name(op, p);
}

RESULT backup_plan_log(struct op *op, const struct backup_plan *p, const char *what)
{
	return engine_log_event(op, KIND_BACKUP_PLAN, &p->row, what, "%s %" STR_FMT " of %" STR_FMT ".",
				backup_plan_interval_words[p->interval], STR_ARG(p->schedule),
				STR_ARG(p->timezone));
}

static RESULT write_plan(struct op *op, struct backup_plan_wish *wish, struct backup_plan *p,
			 const char *what)
{
	if (!wish->target.n)
		return ctx_fail(op->ctx, ERR_GONE, "This region keeps no backups: it has no place for them.");
	TRY(take_wish(op, wish, p));
	p->target = wish->target;
	p->row.gen++;
	/* A plan of AWS Backup acts with the rights of its selection's role, whoever pauses it. */
	if (!engine_is_vault_plan(p))
		ASKER_NOTE(op, p);
	TRY(backup_plan_put(op, p));
	wish->made = p->row.id;
	return backup_plan_log(op, p, what);
}

RESULT engine_create_backup_plan(struct op *op, struct backup_plan_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_owner_id(op, &wish->account, &account));
	struct backup_plan p = {.row.id = engine_new_id(op, KIND_BACKUP_PLAN),
				.account = account,
				.timezone = STR("UTC"),
				.container = STR(BACKUP_CONTAINER),
				.check_marker = STR(MACHINE_BACKUP_MARKER),
				.is_active = true};
	TRY(engine_permit_new(op, "backup_plan.create", KIND_BACKUP_PLAN, &p.row));
	TRY(limit_check(op, LIMIT_BACKUP_PLANS, account, 1, STR_NONE));
	return write_plan(op, wish, &p, "created");
}

/* AWS Backup alone changes rule and selection, because its caller proves the right to pass the role. */
static RESULT check_vault_plan(struct op *op, const struct backup_plan_wish *w)
{
	bool is_of_rule = w->name || w->tag_key || w->tag_value || w->schedule || w->timezone ||
			  w->container || w->sets_interval || w->given.instances || w->given.tags;
	return is_of_rule ? ENGINE_FAIL(op, ERR_STATE, KIND_BACKUP_PLAN, w->plan.field,
					"The plan is one of AWS Backup: its rule and its selection are "
					"changed there.")
			  : OK;
}

RESULT engine_update_backup_plan(struct op *op, struct backup_plan_wish *wish)
{
	const struct backup_plan *p = NULL;
	TRY(engine_permit_backup_plan(op, &wish->plan, "backup_plan.update", &p));
	if (engine_is_vault_plan(p)) {
		TRY(engine_permit(op, "vault_plan.update", KIND_BACKUP_PLAN, &p->row));
		TRY(check_vault_plan(op, wish));
	}
	struct backup_plan next = *p;
	return write_plan(op, wish, &next, "changed");
}

/* ---- runs by hand, and deletion ---- */

RESULT engine_run_backup_plan(struct op *op, struct backup_plan_target *wish)
{
	const struct backup_plan *p = NULL;
	TRY(engine_permit_backup_plan(op, &wish->plan, "backup_plan.run", &p));
	if (!p->is_active)
		return ENGINE_FAIL(op, ERR_STATE, KIND_BACKUP_PLAN, wish->plan.field,
				   "The plan '%" STR_FMT "' is not active.", STR_ARG(p->name));
	struct backup_plan next = *p;
	next.next_us = op->now_us;
	next.row.gen++;
	TRY(backup_plan_put(op, &next));
	return engine_log_event(op, KIND_BACKUP_PLAN, &next.row, "run asked", "Now.");
}

/* Ends the tracking of writes for the plan's next backups. The first backup of another plan reads everything. */
static RESULT end_tracks(struct op *op, uuid plan)
{
	for (const struct machine_backup *m = machine_backup_first_by_plan(op->head, plan); m;
	     m = machine_backup_next_by_plan(op->head, m))
		for (const struct backup *b = backup_first_by_machine_backup(op->head, m->row.id),
					 *after = NULL;
		     b; b = after) {
			after = backup_next_by_machine_backup(op->head, b);
			if (row_is_live(&b->row))
				TRY(backup_end_track(op, b));
		}
	return OK;
}

RESULT backup_plan_end(struct op *op, const struct backup_plan *p)
{
	uuid id = p->row.id;
	TRY(engine_log_event(op, KIND_BACKUP_PLAN, &p->row, "deleted", "Its backups stay."));
	TRY(end_tracks(op, id));
	return backup_plan_forget(op, id);
}

RESULT engine_delete_backup_plan(struct op *op, struct backup_plan_target *wish)
{
	const struct backup_plan *p = NULL;
	TRY(engine_permit_backup_plan(op, &wish->plan, "backup_plan.delete", &p));
	if (engine_is_vault_plan(p))
		TRY(engine_permit(op, "vault_plan.delete", KIND_BACKUP_PLAN, &p->row));
	return backup_plan_end(op, p);
}
