/* SPDX-License-Identifier: Apache-2.0
 * Live migrations: the hosts that an instance could be migrated to, and the end of a migration under way. For
 * administrators.
 */
#include "api/native/write.h"

#include "engine/instance/placement/instance_migration.h"
#include "model/host.h"
#include "store/host.h"
#include "store/instance.h"

/* Writes the reason of a failed check, and clears it. */
static void write_problem(struct native_call *e, struct json_writer *w)
{
	json_write_text(w, "problem", e->c->problem.message);
	ctx_clear_problem(e->c);
}

static RESULT write_target(struct native_call *e, struct json_writer *w, const struct instance *i,
			   const struct host *host)
{
	struct result result = engine_check_migration(e->c, native_tables(e), i, host);
	if (result.code == ERR_NO_MEMORY)
		return result;
	json_write_open(w, NULL);
	json_write_uuid(w, "host", host->row.id);
	json_write_bool(w, "fits", result_is_ok(result));
	if (!result_is_ok(result))
		write_problem(e, w);
	json_write_close(w);
	return OK;
}

/* Writes each other host with what is in the way there. An instance that cannot be migrated at all has no
 * items, but the problem. */
static RESULT answer_targets(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct tables *t = native_tables(e);
	const struct instance *i = instance_find(t, e->target.prefix);
	(void) args;
	if (!i)
		return engine_fail_gone(e->c, KIND_INSTANCE, e->target.prefix);
	json_write_int(w, "batch", (int64_t) e->view.commit);
	struct result any = engine_check_migration(e->c, t, i, NULL);
	bool is_movable = result_is_ok(any) || any.code == ERR_CAPACITY;
	if (!result_is_ok(any))
		write_problem(e, w);
	json_write_open_list(w, "items");
	for (const struct host *h = host_first(t); h && is_movable; h = host_next(t, h))
		if (row_is_live(&h->row) && !uuid_equal(h->row.id, i->host))
			TRY(write_target(e, w, i, h));
	json_write_close_list(w);
	return OK;
}

#define UNDER_WAY(verb, run, text)                                                                           \
	CHANGE_ROW(POST, "/instances/{id}/" verb, "ec2:MigrateInstances", INSTANCE, KIND_INSTANCE_MIGRATION, \
		   NATIVE_ADMIN, .args = {.size = sizeof(struct migration_target)},                          \
		   .target = NATIVE_AT(migration_target, instance), .operation = (run), .doc = (text))
static const struct native_action actions[] = {
	{HTTP_GET, "/instances/{id}/migration-targets", .name = "ListMigrationTargets",
	 .permit = "ec2:MigrateInstances", .flags = NATIVE_ADMIN, .kind = KIND_INSTANCE,
	 .prepare = native_prepare_row, .answer = answer_targets,
	 .doc = "Lists the hosts and tells for each whether the instance could be migrated there now, or why "
		"not."},
	UNDER_WAY("cancel-migration", engine_cancel_migration_run,
		  "Cancels the live migration of an instance, unless it has completed."),
	UNDER_WAY("complete-migration", engine_hasten_migration_run,
		  "Forces the live migration of an instance to complete, by pausing the guest."),
};
const struct api_actions native_migrations_actions = API_ACTIONS(actions);
