/* SPDX-License-Identifier: Apache-2.0
 * Cold migration: a move to another host while off, confirmed or reverted like a resize (instance_resize.c)
 * that keeps the type. The disks follow once the instance is off; on a revert they come back with all writes.
 * The reconciler (reconcile/instance/instance.c) stops it and removes it from its host. Called by: api/openstack. */
#include "engine/instance/instance_internal.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/instance/placement/instance_migration_internal.h"
#include "engine/instance/placement/placement.h"
#include "engine/internal.h"
#include "model/instance_migration.h"
#include "store/host.h"
#include "store/instance.h"

/* Refuses instances with a TPM: the host's libvirt keeps its state, and can transfer it only while the guest
 * runs. */
static RESULT check_may_go(struct op *op, const struct instance *i, const struct ref *ref)
{
	if (!i->tpm)
		return OK;
	return ENGINE_FAIL(
		op, ERR_UNSUPPORTED, KIND_INSTANCE, ref->field,
		"The instance '%" STR_FMT
		"' has a TPM, whose state is its host's: it can go to another host only while it runs.",
		STR_ARG(ref->text));
}

/* Sends the instance to a host, in a row that is about to be put: it is stopped first. */
static void send(const struct op *op, enum instance_task task, uuid host, struct instance *next)
{
	next->migrating = true;
	next->next_host = host;
	next->row.gen++;
	next->task = task;
	next->task_gen = (int64_t) next->row.gen;
	next->off_since_us = op->now_us;
	next->force_off = next->wanted_save = next->error_override = false;
}

static RESULT begin(struct op *op, const struct instance *i, const struct host *host,
		    struct instance_migrating *wish)
{
	struct instance next = *i;
	struct instance_migration record = {.account = i->account,
					    .instance = i->row.id,
					    .method = INSTANCE_MIGRATION_METHOD_COLD,
					    .host = i->host,
					    .target = host->row.id,
					    .old_type = i->type,
					    .type = i->type};
	next.old_host = i->host;
	next.old_type = i->type;
	send(op, INSTANCE_TASK_RESIZE, host->row.id, &next);
	TRY(instance_put(op, &next));
	TRY(instance_record_migration(op, &record));
	wish->migration = record.row.id;
	return engine_log_event(op, KIND_INSTANCE, &next.row, "cold migration asked",
				"To host %" STR_FMT ", off meanwhile.", STR_ARG(host->name));
}

RESULT engine_cold_migrate_instance(struct op *op, struct instance_migrating *wish)
{
	const struct instance *i = NULL;
	const struct host *host = NULL;
	struct placement_need need;
	TRY(engine_permit_instance(op, &wish->instance, "instance.migrate", &i));
	TRY(instance_check_changeable(op, i, wish->instance.field));
	TRY(instance_check_settled(op, i, &wish->instance, "migrated"));
	TRY(check_may_go(op, i, &wish->instance));
	instance_get_need(op->head, i, &need);
	need.leaves = i->host;
	TRY(instance_find_target(op, i, &need, wish, &host));
	return begin(op, i, host, wish);
}

RESULT instance_send_back(struct op *op, const struct instance *i, const struct ref *ref,
			  struct instance *next)
{
	const struct host *host = host_find(op->head, i->old_host);
	struct placement_need need;
	instance_get_need(op->head, i, &need);
	need.leaves = i->host;
	TRY(check_may_go(op, i, ref));
	if (!host)
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
				   "The host that the instance '%" STR_FMT "' came from is gone.",
				   STR_ARG(ref->text));
	TRY(engine_fail_about(op->ctx, ref, instance_check_target(op->ctx, op->head, i, &need, host, false)));
	next->old_host = UUID_NONE;
	send(op, INSTANCE_TASK_REVERT, host->row.id, next);
	return OK;
}
