/* SPDX-License-Identifier: Apache-2.0
 * Migrations: plan, changes of the plan, start, cutover, undo and deletion. Called by: api/native/remote/cloud_migrations.c. */
#include "engine/remote/migration.h"

#include <stdarg.h>
#include <stdio.h>

#include "engine/condition_internal.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/instance_type_internal.h"
#include "engine/limits.h"
#include "engine/quota_internal.h"
#include "engine/remote/migration_internal.h"
#include "engine/remote/remote_machine.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "model/states.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/key_pair.h"
#include "store/provider.h"
#include "store/remote_machine.h"
#include "store/snapshot.h"
#include "store/subnet.h"
#include "store/volume.h"

enum { SNAPSHOT_TIMEOUT_MIN = 60 /* not applied while the migration goes on */ };

/* ---- shared ---- */

RESULT migration_put_logged(struct op *op, const struct cloud_migration *next, const char *format, ...)
{
	TRY(cloud_migration_put(op, next));
	va_list values;
	va_start(values, format);
	struct result result = engine_vlog_event(op, KIND_CLOUD_MIGRATION, &next->row,
						 cloud_migration_stage_words[next->stage], format, values);
	va_end(values);
	return result;
}

RESULT migration_copy_disks(struct op *op, uuid migration, struct cloud_migration_disk **ret_disks,
			    size_t *ret_count)
{
	struct cloud_migration_disk *copies =
		arena_new_array(op->ctx->arena, struct cloud_migration_disk, MIGRATION_DISKS_MAX);
	size_t count = 0;
	if (!copies)
		return ctx_no_memory(op->ctx);
	for (const struct cloud_migration_disk *d =
		     cloud_migration_disk_first_by_migration(op->head, migration);
	     d && count < MIGRATION_DISKS_MAX; d = cloud_migration_disk_next_by_migration(op->head, d))
		copies[count++] = *d;
	*ret_disks = copies;
	*ret_count = count;
	return OK;
}

RESULT migration_weigh(struct op *op, struct cloud_migration *next)
{
	struct cloud_migration_disk *disks = NULL;
	size_t count = 0;
	struct migration_doubts doubts;
	TRY(migration_copy_disks(op, next->row.id, &disks, &count));
	TRY(engine_weigh_migration(op->ctx, op->head, next, disks, count, &doubts));
	next->refusals = doubts.refusals;
	next->warnings = doubts.warnings;
	return OK;
}

static bool fits(const struct instance_type *type, const struct cloud_migration *m)
{
	return row_is_live(&type->row) && type->enabled && type->is_public && type->vcpus >= m->vcpus &&
	       type->memory >= m->memory && type->arch == INSTANCE_TYPE_ARCH_X86_64;
}

/* The type of the same name, else the one with the least memory, then the fewest processors. */
static uuid choose_type(struct op *op, const struct cloud_migration *m)
{
	const struct instance_type *best = instance_type_find_by_name(op->head, m->source_type);
	if (best && fits(best, m))
		return best->row.id;
	best = NULL;
	for (const struct instance_type *t = instance_type_first(op->head); t;
	     t = instance_type_next(op->head, t)) {
		bool is_better = !best || t->memory < best->memory ||
				 (t->memory == best->memory && t->vcpus < best->vcpus);
		if (fits(t, m) && is_better)
			best = t;
	}
	return best ? best->row.id : UUID_NONE;
}

static uuid choose_subnet(struct op *op, const struct cloud_migration *m)
{
	struct ip ip;
	if (!result_is_ok(ip_parse(m->source_ip, &ip)))
		return UUID_NONE;
	for (const struct subnet *s = subnet_first_by_account(op->head, m->account); s;
	     s = subnet_next_by_account(op->head, s))
		if (row_is_live(&s->row) && cidr_contains(s->block, ip))
			return s->row.id;
	return UUID_NONE;
}

void migration_choose(struct op *op, struct cloud_migration *next)
{
	next->type = choose_type(op, next);
	next->subnet = choose_subnet(op, next);
	next->keeps_ip = !uuid_is_none(next->subnet);
	for (const struct key_pair *k = key_pair_first_by_account(op->head, next->account); k;
	     k = key_pair_next_by_account(op->head, k))
		if (next->source_key.n && str_equal(k->name, next->source_key))
			next->key_pair = k->row.id;
}

/* ---- the plan ---- */

static RESULT check_machine(struct op *op, const struct migration_wish *wish, const struct remote_machine *m)
{
	const struct provider *p = provider_find(op->head, m->provider);
	if (!p || !row_is_live(&p->row))
		return ENGINE_FAIL(op, ERR_STATE, KIND_REMOTE_MACHINE, wish->machine.field,
				   "The machine's provider is being removed.");
	if (p->cloud != PROVIDER_CLOUD_AWS && p->cloud != PROVIDER_CLOUD_OPENSTACK &&
	    p->cloud != PROVIDER_CLOUD_VMWARE && p->cloud != PROVIDER_CLOUD_AZURE)
		return ENGINE_FAIL(
			op, ERR_UNSUPPORTED, KIND_REMOTE_MACHINE, wish->machine.field,
			"Machines of providers of kind aws can be migrated, such as those of another "
			"Dari, openstack, vmware and azure; of kind %s they cannot yet.",
			provider_cloud_words[p->cloud]);
	if (engine_remote_machine_is_new(m) || m->power == REMOTE_MACHINE_POWER_TERMINATED ||
	    m->power == REMOTE_MACHINE_POWER_TERMINATING)
		return ENGINE_FAIL(op, ERR_STATE, KIND_REMOTE_MACHINE, wish->machine.field,
				   "The machine does not exist yet, or not any more.");
	for (const struct cloud_migration *each = cloud_migration_first_by_machine(op->head, m->row.id); each;
	     each = cloud_migration_next_by_machine(op->head, each))
		if (!engine_migration_has_ended(each))
			return ENGINE_FAIL(op, ERR_EXISTS, KIND_CLOUD_MIGRATION, wish->machine.field,
					   "The machine is being migrated.");
	return OK;
}

RESULT engine_plan_migration(struct op *op, struct migration_wish *wish)
{
	const struct row *row = NULL;
	bool is_out = ref_is_given(&wish->instance) || ref_is_given(&wish->provider);
	if (is_out && ref_is_given(&wish->machine))
		return ENGINE_FAIL(
			op, ERR_COMBINATION, KIND_CLOUD_MIGRATION, STR("machine"),
			"Give a machine, to move it here, or an instance and a provider, to move the "
			"instance there.");
	if (is_out)
		return migration_plan_out(op, wish);
	if (!ref_is_given(&wish->machine))
		return ENGINE_FAIL(op, ERR_MISSING, KIND_CLOUD_MIGRATION, STR("machine"),
				   "A machine is required, or an instance and a provider.");
	TRY(engine_find_own(op->ctx, op->head, KIND_REMOTE_MACHINE, &wish->machine, &row));
	const struct remote_machine *machine = remote_machine_of(row);
	TRY(check_machine(op, wish, machine));
	struct cloud_migration next = {.row.id = engine_new_id(op, KIND_CLOUD_MIGRATION),
				       .row.gen = 1,
				       .account = machine->account,
				       .provider = machine->provider,
				       .machine = machine->row.id,
				       .ref = machine->ref,
				       .name = machine->name.n ? machine->name : machine->ref,
				       .round_s = MIGRATION_ROUND_S};
	ASKER_NOTE(op, &next);
	TRY(engine_permit_new(op, "migration.plan", KIND_CLOUD_MIGRATION, &next.row));
	TRY(limit_check(op, LIMIT_CLOUD_MIGRATIONS, next.account, 1, wish->machine.field));
	wish->migration = next.row.id;
	return migration_put_logged(op, &next, "Machine %" STR_FMT ".", STR_ARG(next.ref));
}

static RESULT find(struct op *op, const struct ref *ref, const char *permission,
		   const struct cloud_migration **ret_migration)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_CLOUD_MIGRATION, ref, &row));
	TRY(engine_permit(op, permission, KIND_CLOUD_MIGRATION, row));
	*ret_migration = cloud_migration_of(row);
	return OK;
}

static RESULT fail_state(struct op *op, const struct ref *ref, const struct cloud_migration *m,
			 const char *what)
{
	return ENGINE_FAIL(op, ERR_STATE, KIND_CLOUD_MIGRATION, ref->field, "The migration is %s: %s.",
			   cloud_migration_stage_words[m->stage], what);
}

/* ---- changes ---- */

static RESULT take_rows(struct op *op, const struct migration_change *wish, struct cloud_migration *next)
{
	const struct instance_type *type = NULL;
	const struct row *row = NULL;
	if (ref_is_given(&wish->type)) {
		TRY(instance_find_offered_type(op, &wish->type, &type));
		next->type = type->row.id;
	}
	if (ref_is_given(&wish->subnet)) {
		TRY(engine_find_usable(op->ctx, op->head, KIND_SUBNET, &wish->subnet, &row));
		next->subnet = row->id;
	}
	if (ref_is_given(&wish->key_pair)) {
		TRY(engine_find_own(op->ctx, op->head, KIND_KEY_PAIR, &wish->key_pair, &row));
		next->key_pair = row->id;
	}
	if (!wish->groups.count)
		return OK;
	uuid *groups = arena_new_array(op->ctx->arena, uuid, wish->groups.count);
	if (!groups)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < wish->groups.count; k++) {
		TRY(engine_find_own(op->ctx, op->head, KIND_SECURITY_GROUP, &wish->groups.at[k], &row));
		groups[k] = row->id;
	}
	next->groups = (struct uuids){groups, wish->groups.count};
	return OK;
}

/* A member of the other direction would be stored and ignored. */
static RESULT check_direction(struct op *op, const struct cloud_migration *m,
			      const struct migration_change *wish)
{
	const struct {
		const char *name;
		bool is_given, is_out;
	} members[] = {{"type", ref_is_given(&wish->type), false},
		       {"subnet", ref_is_given(&wish->subnet), false},
		       {"groups", wish->groups.count > 0, false},
		       {"key_pair", ref_is_given(&wish->key_pair), false},
		       {"keeps_ip", wish->keeps_ip != CHOICE_DEFAULT, false},
		       {"lacks_virtio", wish->lacks_virtio != CHOICE_DEFAULT, false},
		       {"target_type", wish->target_type.n > 0, true},
		       {"target_subnet", wish->target_subnet.n > 0, true},
		       {"target_groups", wish->target_groups.count > 0, true},
		       {"target_key", wish->target_key.n > 0, true}};
	for (size_t k = 0; k < sizeof members / sizeof members[0]; k++)
		if (members[k].is_given && members[k].is_out != migration_is_out(m))
			return ENGINE_FAIL(op, ERR_COMBINATION, KIND_CLOUD_MIGRATION,
					   str_from(members[k].name), "%s is of migrations %s this region.",
					   members[k].name, members[k].is_out ? "from" : "to");
	return OK;
}

static void take_targets(const struct migration_change *wish, struct cloud_migration *next)
{
	if (wish->target_type.n)
		next->target_type = wish->target_type;
	if (wish->target_subnet.n)
		next->target_subnet = wish->target_subnet;
	if (wish->target_key.n)
		next->target_key = wish->target_key;
	if (wish->target_groups.count)
		next->target_groups = wish->target_groups;
}

RESULT engine_change_migration(struct op *op, struct migration_change *wish)
{
	const struct cloud_migration *m = NULL;
	TRY(find(op, &wish->migration, "migration.plan", &m));
	if (m->stage == CLOUD_MIGRATION_STAGE_PLANNING || m->cutover_us || engine_migration_has_ended(m) ||
	    m->stage == CLOUD_MIGRATION_STAGE_UNDOING)
		return fail_state(op, &wish->migration, m, "its plan cannot be changed");
	if (m->started_us && wish->drops_local != CHOICE_DEFAULT)
		return fail_state(op, &wish->migration, m,
				  "drops_local cannot be changed once it has started");
	struct cloud_migration next = *m;
	TRY(check_direction(op, m, wish));
	TRY(take_rows(op, wish, &next));
	take_targets(wish, &next);
	if (wish->name.n)
		next.name = wish->name;
	if (wish->round_s)
		next.round_s = wish->round_s;
	choice_apply(wish->keeps_ip, &next.keeps_ip);
	choice_apply(wish->drops_local, &next.drops_local);
	choice_apply(wish->lacks_virtio, &next.lacks_virtio);
	TRY(migration_weigh(op, &next));
	if (m->started_us && next.refusals.count)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_CLOUD_MIGRATION, wish->migration.field, "%" STR_FMT,
				   STR_ARG(next.refusals.at[0]));
	next.row.gen++;
	TRY(cloud_migration_put(op, &next));
	return engine_log_event(op, KIND_CLOUD_MIGRATION, &next.row, "changed", "The plan was changed.");
}

/* ---- start ---- */

/* A snapshot that the blocks go to. As of one that a client writes, its whole size counts against the account's limit. */
static RESULT make_snapshot(struct op *op, const struct cloud_migration *m,
			    const struct cloud_migration_disk *disk)
{
	struct cloud_migration_disk next = *disk;
	struct snapshot snapshot = {.row.gen = 1,
				    .row.id = engine_new_id(op, KIND_SNAPSHOT),
				    .account = m->account,
				    .description =
					    str_print(op->ctx->arena, "Migration of %" STR_FMT ", %" STR_FMT,
						      STR_ARG(m->ref), STR_ARG(disk->device)),
				    .volume_size = disk->size,
				    .file_size = disk->size,
				    .blocks_timeout_min = SNAPSHOT_TIMEOUT_MIN,
				    .is_encrypted = disk_plan_is_encrypted_by_default(op),
				    .is_migrating = true};
	TRY(engine_permit(op, "snapshot.start", KIND_SNAPSHOT, NULL));
	TRY(quota_check(op, m->account, QUOTA_SNAPSHOTS, 1));
	TRY(quota_check_disk(op, m->account, disk->size, KIND_SNAPSHOT));
	TRY(snapshot_put(op, &snapshot));
	next.snapshot = snapshot.row.id;
	return cloud_migration_disk_put(op, &next);
}

RESULT engine_start_migration(struct op *op, struct cloud_migration_target *wish)
{
	const struct cloud_migration *m = NULL;
	struct cloud_migration_disk *disks = NULL;
	size_t count = 0;
	TRY(find(op, &wish->migration, "migration.start", &m));
	if (m->stage != CLOUD_MIGRATION_STAGE_PLANNED)
		return fail_state(op, &wish->migration, m, "only a planned one can be started");
	struct cloud_migration next = *m;
	TRY(migration_weigh(op, &next));
	if (next.refusals.count)
		return ENGINE_FAIL(op, ERR_STATE, KIND_CLOUD_MIGRATION, wish->migration.field, "%" STR_FMT,
				   STR_ARG(next.refusals.at[0]));
	TRY(migration_copy_disks(op, m->row.id, &disks, &count));
	for (size_t k = 0; k < count && !migration_is_out(m); k++)
		TRY(make_snapshot(op, m, &disks[k]));
	if (migration_is_out(m))
		TRY(migration_permit_out(op, m));
	ASKER_NOTE(op, &next);
	next.stage = CLOUD_MIGRATION_STAGE_FREEZING;
	next.round = 1;
	next.started_us = next.round_us = op->now_us;
	next.problem = STR_NONE;
	next.row.gen++;
	return migration_put_logged(op, &next, "Started: %zu disks.", count);
}

/* ---- cutover ---- */

static RESULT permit_cutover(struct op *op, const struct cloud_migration *m)
{
	const struct remote_machine *machine = remote_machine_find(op->head, m->machine);
	const struct instance *i = instance_find(op->head, m->instance);
	if (!migration_is_out(m))
		return engine_permit(op, engine_remote_permission(REMOTE_MACHINE_ACT_STOP),
				     KIND_REMOTE_MACHINE, machine ? &machine->row : NULL);
	const struct remote_machine planned = {.account = m->account, .provider = m->provider};
	TRY(engine_permit(op, "instance.stop", KIND_INSTANCE, i ? &i->row : NULL));
	return engine_permit_new(op, engine_remote_permission(REMOTE_MACHINE_ACT_CREATE), KIND_REMOTE_MACHINE,
				 &planned.row);
}

RESULT engine_cut_over_migration(struct op *op, struct cloud_migration_target *wish)
{
	const struct cloud_migration *m = NULL;
	TRY(find(op, &wish->migration, "migration.cut_over", &m));
	bool is_copying = m->stage == CLOUD_MIGRATION_STAGE_FREEZING ||
			  m->stage == CLOUD_MIGRATION_STAGE_COPYING ||
			  m->stage == CLOUD_MIGRATION_STAGE_SYNCED;
	if (!is_copying || m->cutover_us)
		return fail_state(op, &wish->migration, m,
				  m->cutover_us ? "the cutover was requested already"
						: "the cutover needs one that is being copied");
	TRY(permit_cutover(op, m));
	struct cloud_migration next = *m;
	TRY(migration_weigh(op, &next));
	if (next.refusals.count)
		return ENGINE_FAIL(op, ERR_STATE, KIND_CLOUD_MIGRATION, wish->migration.field, "%" STR_FMT,
				   STR_ARG(next.refusals.at[0]));
	ASKER_NOTE(op, &next);
	next.cutover_us = op->now_us;
	if (m->stage == CLOUD_MIGRATION_STAGE_SYNCED)
		next.stage = CLOUD_MIGRATION_STAGE_STOPPING;
	next.row.gen++;
	return migration_put_logged(op, &next, "The cutover was requested.");
}

/* ---- undo ---- */

/* The migration's volumes that would outlive an instance go with one that has not run. */
static RESULT let_volumes_go(struct op *op, const struct cloud_migration *m)
{
	struct cloud_migration_disk *disks = NULL;
	size_t count = 0;
	TRY(migration_copy_disks(op, m->row.id, &disks, &count));
	for (size_t k = 0; k < count; k++)
		for (const struct volume *v = volume_first_by_snapshot(op->head, disks[k].snapshot); v;
		     v = volume_next_by_snapshot(op->head, v)) {
			struct volume next = *v;
			next.delete_on_termination = true;
			if (row_is_live(&v->row) && uuid_equal(v->instance, m->instance))
				TRY(volume_put(op, &next));
		}
	return OK;
}

/* Ends the instance, or stops one that has run. */
static RESULT put_away_instance(struct op *op, const struct cloud_migration *m)
{
	const struct instance *i = instance_find(op->head, m->instance);
	if (!i || !row_is_live(&i->row))
		return OK;
	if (!m->has_run) {
		TRY(let_volumes_go(op, m));
		return instance_write_terminate(op, i, "Server.MigrationUndone",
						"Server.MigrationUndone: the migration was undone");
	}
	struct instance next = *i;
	next.wanted_power = INSTANCE_WANTED_POWER_OFF;
	next.wanted_save = next.wanted_pause = false;
	next.off_since_us = op->now_us;
	next.row.gen++;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "stop asked",
				"The migration that it came from is undone.");
}

RESULT migration_undo(struct op *op, const struct cloud_migration *m, struct str problem)
{
	struct cloud_migration next = *m;
	if (!migration_is_out(m))
		TRY(put_away_instance(op, m));
	else if (m->stage == CLOUD_MIGRATION_STAGE_COPYING)
		migration_note_late(op, &next);
	next.stage = CLOUD_MIGRATION_STAGE_UNDOING;
	next.has_failed = problem.n > 0;
	next.problem = str_cut(problem, MIGRATION_PROBLEM_MAX);
	next.ended_us = 0;
	next.row.gen++;
	return problem.n ? migration_put_logged(op, &next, "Failed. %" STR_FMT, STR_ARG(next.problem))
			 : migration_put_logged(op, &next, "The undo was requested.");
}

static RESULT check_undo(struct op *op, const struct cloud_migration_target *wish,
			 const struct cloud_migration *m)
{
	bool is_over = m->stage == CLOUD_MIGRATION_STAGE_UNDONE || m->stage == CLOUD_MIGRATION_STAGE_FAILED ||
		       m->stage == CLOUD_MIGRATION_STAGE_UNDOING;
	if (is_over)
		return fail_state(op, &wish->migration, m, "there is nothing to undo");
	if (m->has_run && !wish->accepts_loss && migration_is_out(m))
		return ENGINE_FAIL(
			op, ERR_STATE, KIND_CLOUD_MIGRATION, STR("accepts_loss"),
			"The machine %" STR_FMT
			" has run there. What it has written since the cutover cannot be taken back to the "
			"instance: it stays on the stopped machine. Set accepts_loss to undo nevertheless.",
			STR_ARG(m->ref));
	if (m->has_run && !wish->accepts_loss)
		return ENGINE_FAIL(
			op, ERR_STATE, KIND_CLOUD_MIGRATION, STR("accepts_loss"),
			"The instance %" STR_FMT
			" has run. What it has written since the cutover cannot be taken back to the "
			"machine: it stays on the stopped instance. Set accepts_loss to undo "
			"nevertheless.",
			STR_ARG(engine_write_id(op, KIND_INSTANCE, m->instance)));
	return OK;
}

static RESULT permit_undo(struct op *op, const struct cloud_migration *m)
{
	const struct remote_machine *machine = remote_machine_find(op->head, m->machine);
	if (m->is_stopped)
		TRY(engine_permit(op, engine_remote_permission(REMOTE_MACHINE_ACT_START), KIND_REMOTE_MACHINE,
				  machine ? &machine->row : NULL));
	const struct instance *i = instance_find(op->head, m->instance);
	return i && row_is_live(&i->row)
		       ? engine_permit(op, m->has_run ? "instance.stop" : "instance.terminate", KIND_INSTANCE,
				       &i->row)
		       : OK;
}

/* A machine there that is not listed yet has no row, so that policies decide about the kind. */
static RESULT permit_undo_out(struct op *op, const struct cloud_migration *m)
{
	const struct instance *i = instance_find(op->head, m->instance);
	const struct remote_machine *machine =
		m->ref.n ? remote_machine_find_by_provider(op->head, m->provider, m->ref) : NULL;
	if (m->is_stopped && i && row_is_live(&i->row))
		TRY(engine_permit(op, "instance.start", KIND_INSTANCE, &i->row));
	return m->was_asked
		       ? engine_permit(op,
				       engine_remote_permission(m->has_run ? REMOTE_MACHINE_ACT_STOP
									   : REMOTE_MACHINE_ACT_TERMINATE),
				       KIND_REMOTE_MACHINE, machine ? &machine->row : NULL)
		       : OK;
}

RESULT engine_undo_migration(struct op *op, struct cloud_migration_target *wish)
{
	const struct cloud_migration *m = NULL;
	TRY(find(op, &wish->migration, "migration.undo", &m));
	TRY(check_undo(op, wish, m));
	TRY(migration_is_out(m) ? permit_undo_out(op, m) : permit_undo(op, m));
	struct cloud_migration asked = *m;
	ASKER_NOTE(op, &asked);
	asked.accepts_loss = wish->accepts_loss;
	return migration_undo(op, &asked, STR_NONE);
}

/* ---- deletion ---- */

RESULT engine_delete_migration(struct op *op, struct cloud_migration_target *wish)
{
	const struct cloud_migration *m = NULL;
	TRY(find(op, &wish->migration, "migration.delete", &m));
	bool is_plan = m->stage == CLOUD_MIGRATION_STAGE_PLANNED;
	if (!engine_migration_has_ended(m) && !is_plan)
		return fail_state(op, &wish->migration, m,
				  "it can be deleted when it has ended; undo it first");
	TRY(engine_log_event(op, KIND_CLOUD_MIGRATION, &m->row, "deleted", "Machine %" STR_FMT ".",
			     STR_ARG(m->ref.n ? m->ref : m->name)));
	return cloud_migration_forget(op, m->row.id);
}
