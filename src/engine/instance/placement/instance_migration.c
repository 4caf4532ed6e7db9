/* SPDX-License-Identifier: Apache-2.0
 * Live migration: checks, and the rows that describe its progress. While it is under way the instance's row
 * has both hosts (host and target), its volumes are sent to the target, and the migration's row has the
 * stage. `host` changes in the same change that records the arrival. */
#include "engine/instance/placement/instance_migration.h"

#include "engine/condition_internal.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/placement/instance_migration_internal.h"
#include "engine/instance/placement/placement.h"
#include "engine/internal.h"
#include "engine/region/fence.h"
#include "engine/region/fence_internal.h"
#include "engine/region/host.h"
#include "model/instance_task.h"
#include "model/processor.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_migration.h"
#include "store/port.h"

/* RECORDS_MAX: records kept per instance. TRIES_MAX: each try sends all memory and local disks once more. */
enum { RECORDS_MAX = 10, TRIES_MAX = 3, PROBLEM_MAX = 1024 };

/* ---- records ---- */

static RESULT forget_oldest(struct op *op, uuid instance)
{
	const struct instance_migration *oldest = NULL;
	size_t count = 0;
	for (const struct instance_migration *r = instance_migration_first_by_instance(op->head, instance); r;
	     r = instance_migration_next_by_instance(op->head, r), count++)
		if (!oldest || r->row.created_us < oldest->row.created_us)
			oldest = r;
	return count >= RECORDS_MAX ? instance_migration_forget(op, oldest->row.id) : OK;
}

RESULT instance_record_migration(struct op *op, struct instance_migration *record)
{
	record->row.id = engine_new_id(op, KIND_INSTANCE_MIGRATION);
	record->row.gen = 1;
	TRY(forget_oldest(op, record->instance));
	return instance_migration_put(op, record);
}

static bool is_under_way(const struct instance_migration *m)
{
	return m->method == INSTANCE_MIGRATION_METHOD_LIVE && m->outcome == INSTANCE_MIGRATION_OUTCOME_ASKED;
}

const struct instance_migration *engine_find_migration(const struct tables *t, uuid instance)
{
	const struct instance_migration *m = instance_migration_first_by_instance(t, instance);
	while (m && !is_under_way(m))
		m = instance_migration_next_by_instance(t, m);
	return m;
}

bool engine_is_settling(const struct tables *t, uuid instance)
{
	const struct instance_migration *m = engine_find_migration(t, instance);
	return m && m->stage == INSTANCE_MIGRATION_STAGE_SETTLING;
}

const struct instance_migration *engine_last_migration(const struct tables *t, uuid instance)
{
	const struct instance_migration *last = NULL;
	for (const struct instance_migration *m = instance_migration_first_by_instance(t, instance); m;
	     m = instance_migration_next_by_instance(t, m))
		if (m->method == INSTANCE_MIGRATION_METHOD_LIVE &&
		    (!last || m->row.created_us >= last->row.created_us))
			last = m;
	return last;
}

/* ---- whether an instance can be migrated ---- */

/* True if the instance runs as its row wants, with nothing pending. */
static bool is_steady(const struct instance *i)
{
	return model_derive_instance_state(i) == INSTANCE_RUNNING && uuid_is_none(i->target) &&
	       i->wanted_boots == i->seen_boots && i->seen_gen == (int64_t) i->row.gen && !i->wanted_pause &&
	       !i->migrating && model_derive_instance_task(i) == INSTANCE_TASK_NONE;
}

static RESULT check_tenancy(struct ctx *c, const struct instance *i)
{
	return i->tenancy == INSTANCE_TENANCY_DEFAULT
		       ? OK
		       : ctx_fail_kind(c, ERR_UNSUPPORTED, KIND_INSTANCE,
				       "The instance cannot be moved while it runs: it has a host of its "
				       "account's own.");
}

RESULT instance_check_unbound(struct ctx *c, const struct tables *t, const struct instance *i)
{
	TRY(check_tenancy(c, i));
	struct result result = instance_check_disks_movable(c, t, i);
	if (result.code != ERR_STATE)
		return result;
	ctx_clear_problem(c); /* ERR_STATE is temporary, and does not bind the instance */
	return OK;
}

static RESULT check_movable(struct ctx *c, const struct tables *t, const struct instance *i)
{
	if (!is_steady(i) || engine_find_migration(t, i->row.id))
		return ctx_fail_kind(c, ERR_STATE, KIND_INSTANCE,
				     "The instance does not run, or something else is under way.");
	TRY(check_tenancy(c, i));
	return instance_check_disks_movable(c, t, i);
}

/* ---- targets ---- */

RESULT instance_check_target(struct ctx *c, const struct tables *t, const struct instance *i,
			     const struct placement_need *need, const struct host *host, bool forces)
{
	if (uuid_equal(host->row.id, i->host))
		return ctx_fail_kind(c, ERR_CONFLICT, KIND_HOST,
				     "The instance is on the host '%" STR_FMT "' already.",
				     STR_ARG(host->name));
	enum placement_reason reason = placement_check_named(t, need, host, forces);
	if (reason == PLACEMENT_FITS)
		return OK;
	if (reason == PLACEMENT_PROCESSOR && need->cpu.n)
		return ctx_fail_kind(c, ERR_CAPACITY, KIND_INSTANCE,
				     "No valid host was found. The processor of %" STR_FMT
				     " lacks what the instance has: %" STR_FMT ".",
				     STR_ARG(host->name),
				     STR_ARG(processor_find_lacks(c->arena, host->seen_cpu, need->cpu)));
	return ctx_fail_kind(c, ERR_CAPACITY, KIND_INSTANCE,
			     "No valid host was found. Hosts that %s: %" STR_FMT ".",
			     placement_reason_words(reason), STR_ARG(host->name));
}

RESULT instance_choose_target(struct ctx *c, const struct tables *t, const struct placement_need *need,
			      const struct host **ret_host)
{
	struct placement placement;
	struct placement_report report;
	TRY(placement_begin(c, t, need, &placement));
	*ret_host = placement_next(&placement);
	if (*ret_host)
		return OK;
	placement_report(&placement, &report);
	return ctx_fail_kind(c, ERR_CAPACITY, KIND_INSTANCE, "No valid host was found: %" STR_FMT ".",
			     STR_ARG(placement_explain(c->arena, &report)));
}

static void get_need(const struct tables *t, const struct instance *i, struct placement_need *ret_need)
{
	instance_get_need(t, i, ret_need);
	ret_need->from = host_find(t, i->host);
	ret_need->cpu = i->cpu;
	ret_need->machine = i->machine;
}

RESULT engine_check_migration(struct ctx *c, const struct tables *t, const struct instance *instance,
			      const struct host *host)
{
	struct placement_need need;
	const struct host *chosen = NULL;
	TRY(check_movable(c, t, instance));
	get_need(t, instance, &need);
	return host ? instance_check_target(c, t, instance, &need, host, false)
		    : instance_choose_target(c, t, &need, &chosen);
}

/* ---- start ---- */

/* Raises gen of the ports, so that the reconciler binds them on both hosts. */
static RESULT wake_ports(struct op *op, uuid instance, uuid host)
{
	for (const struct port *p = port_first_by_instance(op->head, instance); p;
	     p = port_next_by_instance(op->head, p)) {
		struct port next = *p;
		next.host = host;
		next.row.gen++;
		TRY(port_put(op, &next));
	}
	return OK;
}

static RESULT begin(struct op *op, const struct instance *i, const struct host *host,
		    struct instance_migrating *wish)
{
	struct instance next = *i;
	struct instance_migration record = {.account = i->account,
					    .instance = i->row.id,
					    .method = INSTANCE_MIGRATION_METHOD_LIVE,
					    .host = i->host,
					    .target = host->row.id,
					    .old_type = i->type,
					    .type = i->type};
	next.target = host->row.id;
	TRY(instance_put(op, &next));
	TRY(instance_send_disks(op, i->row.id, host->row.id));
	TRY(wake_ports(op, i->row.id, i->host));
	TRY(instance_record_migration(op, &record));
	wish->migration = record.row.id;
	return engine_log_event(op, KIND_INSTANCE, &next.row, "migration asked", "To host %" STR_FMT ".",
				STR_ARG(host->name));
}

RESULT instance_find_target(struct op *op, const struct instance *i, const struct placement_need *need,
			    const struct instance_migrating *wish, const struct host **ret_host)
{
	bool is_said = ref_is_given(&wish->host);
	if (is_said)
		TRY(engine_find_own_host(op->ctx, op->head, &wish->host, ret_host));
	struct result found =
		is_said ? instance_check_target(op->ctx, op->head, i, need, *ret_host, wish->forces)
			: instance_choose_target(op->ctx, op->head, need, ret_host);
	return engine_fail_about(op->ctx, is_said ? &wish->host : &wish->instance, found);
}

RESULT engine_migrate_instance(struct op *op, struct instance_migrating *wish)
{
	const struct instance *i = NULL;
	const struct host *host = NULL;
	struct placement_need need;
	TRY(engine_permit_instance(op, &wish->instance, "instance.migrate", &i));
	TRY(engine_fail_about(op->ctx, &wish->instance, check_movable(op->ctx, op->head, i)));
	get_need(op->head, i, &need);
	TRY(instance_find_target(op, i, &need, wish, &host));
	return begin(op, i, host, wish);
}

RESULT engine_redeploy_instance(struct op *op, struct instance_migrating *wish)
{
	const struct instance *i = NULL;
	const struct host *host = NULL;
	struct placement_need need;
	TRY(engine_permit_instance(op, &wish->instance, "instance.redeploy", &i));
	TRY(instance_check_changeable(op, i, wish->instance.field));
	TRY(engine_fail_about(op->ctx, &wish->instance, check_movable(op->ctx, op->head, i)));
	get_need(op->head, i, &need);
	wish->host = (struct ref){0};
	wish->forces = false;
	TRY(instance_find_target(op, i, &need, wish, &host));
	return begin(op, i, host, wish);
}

RESULT instance_move_away(struct op *op, const struct instance *i)
{
	const struct host *host = NULL;
	struct instance_migrating wish = {0};
	struct placement_need need;
	TRY(check_movable(op->ctx, op->head, i));
	get_need(op->head, i, &need);
	TRY(instance_choose_target(op->ctx, op->head, &need, &host));
	return begin(op, i, host, &wish);
}

/* ---- cancellation and forced completion ---- */

static RESULT find_asked(struct op *op, const struct migration_target *wish,
			 const struct instance_migration **ret_migration)
{
	const struct instance *i = NULL;
	TRY(engine_permit_instance(op, &wish->instance, "instance.migrate", &i));
	*ret_migration = engine_find_migration(op->head, i->row.id);
	if (*ret_migration && (*ret_migration)->stage != INSTANCE_MIGRATION_STAGE_SETTLING &&
	    (uuid_is_none(wish->migration) || uuid_equal(wish->migration, (*ret_migration)->row.id)))
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE_MIGRATION, wish->instance.field,
			   "The instance '%" STR_FMT "' has no such live migration under way.",
			   STR_ARG(wish->instance.text));
}

static RESULT write_cancelled(struct op *op, const struct instance_migration *m)
{
	struct instance_migration next = *m;
	if (m->is_cancelled)
		return OK;
	next.is_cancelled = true;
	next.row.gen++;
	return instance_migration_put(op, &next);
}

RESULT engine_cancel_migration(struct op *op, struct migration_target *wish)
{
	const struct instance_migration *m = NULL;
	TRY(find_asked(op, wish, &m));
	return write_cancelled(op, m);
}

RESULT engine_hasten_migration(struct op *op, struct migration_target *wish)
{
	const struct instance_migration *m = NULL;
	TRY(find_asked(op, wish, &m));
	struct instance_migration next = *m;
	next.is_hastened = true;
	next.row.gen++;
	return instance_migration_put(op, &next);
}

/* ---- draining a host ---- */

static RESULT drain_one(struct op *op, const struct instance *i, struct drained_instance *item)
{
	struct instance_migrating wish = {.instance = engine_ref_to(op, KIND_INSTANCE, i->row.id, STR_NONE)};
	*item = (struct drained_instance){.instance = i->row.id, .target = i->target};
	if (!uuid_is_none(i->target))
		return OK;
	struct result result = engine_migrate_instance(op, &wish);
	if (result_is_ok(result)) {
		item->target = instance_find(op->head, item->instance)->target;
		return OK;
	}
	if (!engine_is_refusal(result.code))
		return result;
	item->why = op->ctx->problem.message;
	ctx_clear_problem(op->ctx);
	return OK;
}

RESULT engine_drain_host(struct op *op, struct host_draining *wish)
{
	const struct host *host = NULL;
	struct host_settings closing = {.host = wish->host, .enabled = CHOICE_NO, .reason = wish->reason};
	VEC(struct drained_instance) items = {0};
	TRY(engine_update_host(op, &closing));
	TRY(engine_find_own_host(op->ctx, op->head, &wish->host, &host));
	for (const struct instance *i = instance_first_by_host(op->head, host->row.id); i;
	     i = instance_next_by_host(op->head, i)) {
		struct drained_instance item;
		if (model_derive_instance_state(i) == INSTANCE_TERMINATED)
			continue;
		TRY(drain_one(op, i, &item));
		if (!VEC_PUSH(op->ctx->arena, &items, item))
			return ctx_no_memory(op->ctx);
	}
	wish->instances = items.at;
	wish->instance_count = items.count;
	return OK;
}

RESULT instance_drop_migration(struct op *op, uuid instance)
{
	const struct instance_migration *m = engine_find_migration(op->head, instance);
	return m ? write_cancelled(op, m) : OK;
}

/* ---- reports of the reconciler ---- */

static RESULT log_end(struct op *op, const struct instance_migration *m, const struct instance *i)
{
	const struct host *host = host_find(op->head, m->target);
	struct str name = host ? host->name : STR("?");
	bool is_done = m->outcome == INSTANCE_MIGRATION_OUTCOME_COMPLETED;
	if (is_done && m->problem.n)
		return engine_log_event(op, KIND_INSTANCE, &i->row, "migrated",
					"It runs on host %" STR_FMT ". %" STR_FMT, STR_ARG(name),
					STR_ARG(m->problem));
	if (is_done)
		return engine_log_event(op, KIND_INSTANCE, &i->row, "migrated",
					"It runs on host %" STR_FMT ".", STR_ARG(name));
	return engine_log_event(op, KIND_INSTANCE, &i->row,
				m->problem.n ? "migration failed" : "migration cancelled",
				"It stays where it is. %" STR_FMT, STR_ARG(m->problem));
}

static RESULT bring(struct op *op, const struct instance_migration *m, const struct instance *i)
{
	const struct host *host = host_find(op->head, m->target);
	struct instance next = *i;
	if (engine_is_host_off(op->head, m->host))
		TRY(fence_let_go(op, m->host, m->instance));
	next.target = UUID_NONE;
	next.host = m->target;
	next.seen_boot_id = host ? host->seen_boot_id : STR_NONE;
	TRY(instance_bring_disks(op, m->instance, m->target));
	TRY(wake_ports(op, m->instance, m->target));
	TRY(instance_put(op, &next));
	return instance_join_maintenance(op, &next);
}

/* Records that the instance runs on the target. The migration ends once the network has bound its ports
 * there. */
static RESULT arrive(struct op *op, const struct instance_migration *m)
{
	const struct instance *i = instance_find(op->head, m->instance);
	struct instance_migration next = *m;
	if (m->stage == INSTANCE_MIGRATION_STAGE_SETTLING)
		return OK;
	next.stage = INSTANCE_MIGRATION_STAGE_SETTLING;
	next.arrived_us = op->now_us;
	TRY(instance_migration_put(op, &next));
	return i ? bring(op, m, i) : OK;
}

static RESULT stay(struct op *op, const struct instance_migration *m, const struct instance *i)
{
	struct instance next = *i;
	if (engine_is_host_off(op->head, m->target))
		TRY(fence_let_go(op, m->target, m->instance));
	next.target = UUID_NONE;
	TRY(instance_send_disks(op, m->instance, m->host));
	TRY(wake_ports(op, m->instance, m->host));
	return instance_put(op, &next);
}

static RESULT end(struct op *op, const struct instance_migration *m, bool arrived, struct str problem)
{
	const struct instance *i = instance_find(op->head, m->instance);
	struct instance_migration record = *m;
	record.outcome = arrived     ? INSTANCE_MIGRATION_OUTCOME_COMPLETED
			 : problem.n ? INSTANCE_MIGRATION_OUTCOME_FAILED
				     : INSTANCE_MIGRATION_OUTCOME_CANCELLED;
	record.problem = str_cut(problem, PROBLEM_MAX);
	record.ended_us = op->now_us;
	record.row.gen++;
	TRY(instance_migration_put(op, &record));
	if (!i)
		return OK;
	if (!arrived)
		TRY(stay(op, m, i));
	return log_end(op, &record, i);
}

/* Starts over with empty copies: an interrupted try leaves partial data in them. */
static RESULT redo(struct op *op, const struct instance_migration *m)
{
	if (m->tries >= TRIES_MAX)
		return end(op, m, false, STR("It was cut off again and again."));
	TRY(instance_send_disks(op, m->instance, m->target));
	struct instance_migration next = *m;
	next.stage = INSTANCE_MIGRATION_STAGE_PREPARING;
	return instance_migration_put(op, &next);
}

static RESULT write_begun(struct op *op, const struct instance_migration *m)
{
	struct instance_migration next = *m;
	next.stage = INSTANCE_MIGRATION_STAGE_MOVING;
	next.tries++;
	return instance_migration_put(op, &next);
}

static RESULT write_progress(struct op *op, const struct instance_migration *m,
			     const struct migration_figures *f)
{
	struct instance_migration next = *m;
	next.memory_size = f->memory_size;
	next.memory_done = f->memory_done;
	next.memory_left = f->memory_left;
	next.disk_size = f->disk_size;
	next.disk_done = f->disk_done;
	next.disk_left = f->disk_left;
	next.pause_limit_ms = f->pause_limit_ms;
	return instance_migration_put(op, &next);
}

static RESULT write_pause(struct op *op, const struct instance_migration *m, int64_t pause_ms)
{
	struct instance_migration next = *m;
	next.pause_ms = pause_ms;
	return instance_migration_put(op, &next);
}

static RESULT write_problem(struct op *op, const struct instance_migration *m, struct str problem)
{
	struct instance_migration next = *m;
	next.problem = str_cut(problem, PROBLEM_MAX);
	return instance_migration_put(op, &next);
}

RESULT engine_see_migration(struct op *op, struct migration_report *report)
{
	const struct instance_migration *m = instance_migration_find(op->head, report->migration);
	if (!m || !is_under_way(m))
		return OK;
	switch (report->event) {
	case MIGRATION_PROGRESSES:
		return write_progress(op, m, &report->figures);
	case MIGRATION_BEGINS:
		return write_begun(op, m);
	case MIGRATION_IS_REDONE:
		return redo(op, m);
	case MIGRATION_FAILS:
		return write_problem(op, m, report->problem);
	case MIGRATION_WAS_SENT:
		return write_pause(op, m, report->figures.pause_ms);
	case MIGRATION_ARRIVED:
		return arrive(op, m);
	case MIGRATION_SETTLED:
		return end(op, m, true, report->problem);
	case MIGRATION_STAYED:
		return end(op, m, false, m->problem.n ? m->problem : report->problem);
	}
	return FAIL(INTERNAL);
}
