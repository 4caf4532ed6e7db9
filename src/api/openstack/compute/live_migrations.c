/* SPDX-License-Identifier: Apache-2.0
 * Live and cold migrations: start, watch, force completion, cancel. Messages are Nova's. Source: Compute
 * API reference, "Servers - run an administrative action" (os-migrateLive, migrate) and "Server
 * migrations". */
#include <inttypes.h>

#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/region/host.h"
#include "model/instance.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance_migration.h"
#include "store/volume.h"

#define MIGRATIONS "/v2.1/servers/{server_id}/migrations"

/* ---- asked for ---- */

struct os_migrate_live {
	struct instance_migrating wish;
	struct str block_migration; /* JSON */
	enum choice over_commits;
};
#define P(name, member, ...) OS_BODY(struct os_migrate_live, name, member, __VA_ARGS__)
static const struct param migrate_params[] = {
	OS_SERVER(struct os_migrate_live, wish.instance),
	P("host", wish.host, .kind = KIND_HOST, .flags = NULLABLE | BY_NAME | REQUIRED, .min = 1, .max = 255,
	  .doc = "Target host; null: any host with room."),
	OS_BODY_JSON(struct os_migrate_live, "block_migration", block_migration, .flags = REQUIRED,
		     .doc = "true or \"auto\": migrates local disks as well. false fails with 400 if the "
			    "server has local disks."),
	P("disk_over_commit", over_commits, .until = 24,
	  .doc = "Accepted and ignored; capacity is always checked by disk size."),
	P("force", wish.forces, .since = 30, .until = 67,
	  .doc = "Ignores groups, hints and aggregates on the named host. Its capacity still counts."),
};
#undef P

static RESULT check_word(struct os_call *e, struct str word, bool *ret_brings_disks)
{
	static const char *const yes[] = {"true",  "\"true\"", "\"True\"", "\"TRUE\"",
					  "\"1\"", "\"on\"",   "\"yes\""};
	static const char *const no[] = {"false", "\"false\"", "\"False\"", "\"FALSE\"",
					 "\"0\"", "\"off\"",   "\"no\""};
	bool is_yes = e->request.version >= 25 && str_is(word, "\"auto\""), is_no = false;
	for (size_t k = 0; k < sizeof yes / sizeof yes[0]; k++)
		is_yes = is_yes || str_is(word, yes[k]);
	for (size_t k = 0; k < sizeof no / sizeof no[0]; k++)
		is_no = is_no || str_is(word, no[k]);
	*ret_brings_disks = is_yes;
	if (is_yes || is_no)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("block_migration"),
			      "Invalid input for field/attribute block_migration. Value: %" STR_FMT ".",
			      STR_ARG(str_slice(word, 0, 64)));
}

static RESULT fail_vm_state(struct os_call *e, const struct ref *server, const struct instance *i,
			    const char *verb)
{
	return ctx_fail_kind(e->c, ERR_STATE, KIND_INSTANCE,
			     "Cannot '%s' instance %" STR_FMT " while it is in vm_state %" STR_FMT, verb,
			     STR_ARG(server->text), STR_ARG(os_server_vm_state(os_tables(e), i)));
}

/* Checks the states that Nova requires before it looks for a host. */
static RESULT check_state(struct os_call *e, const struct ref *server, const struct instance *i)
{
	TRY(os_check_stays(e, server, i));
	return model_derive_instance_state(i) == INSTANCE_RUNNING
		       ? OK
		       : fail_vm_state(e, server, i, "os-migrateLive");
}

static RESULT check_leaves(struct os_call *e, const struct instance_migrating *wish, const struct instance *i)
{
	const struct host *host = host_find(os_tables(e), i->host);
	if (!host || !ref_is_given(&wish->host) || !str_equal(host->name, wish->host.text))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("host"),
			      "Unable to migrate instance (%" STR_FMT ") to current host (%" STR_FMT ").",
			      STR_ARG(wish->instance.text), STR_ARG(host->name));
}

/* True if the server has disks that Nova counts as local: its own ones. Volumes belong to Cinder wherever
 * they are stored, and move as well. */
static bool has_local_disks(const struct tables *t, const struct instance *i)
{
	for (const struct volume *v = volume_first_by_instance(t, i->row.id); v;
	     v = volume_next_by_instance(t, v)) {
		bool is_own = v->local != VOLUME_LOCAL_NO || (v->device_slot == 0 && !i->root_is_volume);
		if (is_own && uuid_is_none(v->pool))
			return true;
	}
	return false;
}

/* Without block migration, a server whose own disk is a file on its host cannot move. */
static RESULT prepare_migrate(struct os_call *e, void *args)
{
	struct os_migrate_live *a = args;
	const struct instance *instance = NULL;
	bool brings_disks = true;
	TRY(check_word(e, a->block_migration, &brings_disks));
	TRY(os_find_server(e, &a->wish.instance, &instance));
	TRY(check_state(e, &a->wish.instance, instance));
	a->wish.host.field = STR("os-migrateLive");
	TRY(check_leaves(e, &a->wish, instance));
	if (a->wish.forces && !ref_is_given(&a->wish.host))
		return ctx_fail_field(e->c, ERR_INVALID, STR("force"),
				      "Can't force to a non-provided destination");
	if (brings_disks || !has_local_disks(os_tables(e), instance))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("block_migration"),
			      "%" STR_FMT
			      " is not on shared storage: Live migration can not be used without shared "
			      "storage except a booted from volume VM which does not have a local disk.",
			      STR_ARG(a->wish.instance.text));
}

/* ---- asked for, off meanwhile ---- */

static const struct param cold_params[] = {
	OS_SERVER(struct os_migrate_live, wish.instance),
	OS_BODY(struct os_migrate_live, "host", wish.host, .kind = KIND_HOST, .flags = NULLABLE | BY_NAME,
		.min = 1, .max = 255, .since = 56, .doc = "Target host; null or absent: any host with room."),
};

static RESULT prepare_cold(struct os_call *e, void *args)
{
	struct os_migrate_live *a = args;
	const struct instance *i = NULL;
	TRY(os_find_server(e, &a->wish.instance, &i));
	TRY(os_check_stays(e, &a->wish.instance, i));
	enum instance_state state = model_derive_instance_state(i);
	const struct host *host = host_find(os_tables(e), i->host);
	if (state != INSTANCE_RUNNING && state != INSTANCE_STOPPED)
		return fail_vm_state(e, &a->wish.instance, i, "migrate");
	a->wish.host.field = STR("migrate");
	if (!host || !ref_is_given(&a->wish.host) || !str_equal(host->name, a->wish.host.text))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("host"),
			      "Cannot migrate to the host where the server exists.");
}

/* ---- under way ---- */

struct os_migration_target {
	struct migration_target wish;
	struct str number;
};
static const struct param server_params[] = {OS_SERVER(struct os_migration_target, wish.instance)};
static const struct param one_params[] = {
	OS_SERVER(struct os_migration_target, wish.instance),
	OS_PATH(struct os_migration_target, "migration_id", number, .max = 64,
		.doc = "Number of the migration."),
};

/* Finds a migration by number, whatever its outcome; NULL: none. */
static const struct instance_migration *find_by_number(const struct tables *t, uuid instance,
						       struct str number)
{
	int64_t wanted = 0;
	const struct instance_migration *m = instance_migration_first_by_instance(t, instance);
	if (!result_is_ok(str_parse_int(number, &wanted)))
		return NULL;
	while (m && os_number_of(m->row.id) != wanted)
		m = instance_migration_next_by_instance(t, m);
	return m;
}

static RESULT find_migration(struct os_call *e, const struct os_migration_target *a,
			     const struct instance_migration **ret_migration)
{
	const struct instance *i = NULL;
	const struct ref *server = &a->wish.instance;
	TRY(os_find_server(e, server, &i));
	const struct instance_migration *m = find_by_number(os_tables(e), i->row.id, a->number);
	*ret_migration = m;
	if (m)
		return OK;
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_INSTANCE_MIGRATION,
			     "Migration %" STR_FMT " not found for instance %" STR_FMT, STR_ARG(a->number),
			     STR_ARG(server->text));
}

static void write_hosts(struct os_call *e, struct json_writer *w, const struct instance_migration *m)
{
	const struct host *source = host_find(os_tables(e), m->host),
			  *target = host_find(os_tables(e), m->target);
	struct str from = source ? source->name : STR_NONE, to = target ? target->name : STR_NONE;
	json_write_text_or_null(w, "source_compute", from);
	json_write_text_or_null(w, "source_node", from);
	json_write_text_or_null(w, "dest_compute", to);
	json_write_text_or_null(w, "dest_node", to);
	json_write_text_or_null(w, "dest_host", target ? engine_get_host_address(target) : STR_NONE);
}

/* Writes null until the host has reported the figure. */
static void write_bytes(struct json_writer *w, const char *key, bool is_said, int64_t bytes)
{
	if (is_said)
		json_write_int(w, key, bytes);
	else
		json_write_null(w, key);
}

static void write_migration(struct os_call *e, struct json_writer *w, const struct instance_migration *m)
{
	bool has_memory = m->memory_size > 0, has_disk = m->disk_size > 0 || has_memory;
	json_write_int(w, "id", os_number_of(m->row.id));
	if (e->request.version >= 59)
		os_write_id(w, "uuid", m->row.id);
	os_write_id(w, "server_uuid", m->instance);
	json_write_z(w, "status", os_migration_status(m));
	write_hosts(e, w, m);
	write_bytes(w, "memory_total_bytes", has_memory, m->memory_size);
	write_bytes(w, "memory_processed_bytes", has_memory, m->memory_done);
	write_bytes(w, "memory_remaining_bytes", has_memory, m->memory_left);
	write_bytes(w, "disk_total_bytes", has_disk, m->disk_size);
	write_bytes(w, "disk_processed_bytes", has_disk, m->disk_done);
	write_bytes(w, "disk_remaining_bytes", has_disk, m->disk_left);
	os_write_time_us(w, "created_at", m->row.created_us);
	os_write_time_us(w, "updated_at", m->row.updated_us);
	if (e->request.version >= 80) {
		os_write_maker(w, m->made_by, m->account);
		os_write_hex(w, "project_id", m->account);
	}
}

static RESULT list_migrations(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_migration_target *a = args;
	const struct instance *i = NULL;
	TRY(os_find_server(e, &a->wish.instance, &i));
	const struct instance_migration *m = engine_find_migration(os_tables(e), i->row.id);
	json_write_open_list(w, "migrations");
	if (m) {
		json_write_open(w, NULL);
		write_migration(e, w, m);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static RESULT show_migration(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_migration_target *a = args;
	const struct instance_migration *m = NULL;
	TRY(find_migration(e, a, &m));
	bool is_live = m->method == INSTANCE_MIGRATION_METHOD_LIVE;
	if (!is_live || m->outcome != INSTANCE_MIGRATION_OUTCOME_ASKED)
		return ctx_fail_kind(
			e->c, ERR_NOT_FOUND, KIND_INSTANCE_MIGRATION,
			is_live ? "Live migration %" STR_FMT " for server %" STR_FMT " is not in progress."
				: "Migration %" STR_FMT " for server %" STR_FMT " is not live-migration.",
			STR_ARG(a->number), STR_ARG(a->wish.instance.text));
	write_migration(e, w, m);
	return OK;
}

/* Reports that the migration is already over. */
static RESULT fail_over(struct os_call *e, const struct os_migration_target *a,
			const struct instance_migration *m, const char *method)
{
	return ctx_fail_kind(e->c, ERR_INVALID, KIND_INSTANCE_MIGRATION,
			     "Migration %" STR_FMT " state of instance %" STR_FMT
			     " is %s. Cannot %s while the migration is in this state.",
			     STR_ARG(a->number), STR_ARG(a->wish.instance.text), os_migration_status(m),
			     method);
}

static RESULT prepare_target(struct os_call *e, void *args)
{
	struct os_migration_target *a = args;
	const struct instance_migration *m = NULL;
	bool forces = os_action_of(e)->method == HTTP_POST;
	TRY(find_migration(e, a, &m));
	if (m->method != INSTANCE_MIGRATION_METHOD_LIVE || m->outcome != INSTANCE_MIGRATION_OUTCOME_ASKED)
		return fail_over(e, a, m, forces ? "force_complete" : "abort live migration");
	if (forces && m->stage != INSTANCE_MIGRATION_STAGE_MOVING)
		return fail_over(e, a, m, "force_complete");
	a->wish.migration = m->row.id;
	return OK;
}

static const struct os_action actions[] = {
	{.method = HTTP_POST,
	 .path = "/v2.1/servers/{server_id}/action",
	 .verb = "os-migrateLive",
	 .permit = "os_compute_api:os-migrate-server:migrate_live",
	 .flags = API_WRITES | OS_ADMIN,
	 .status = 202,
	 .args = OS_PARAMS(struct os_migrate_live, migrate_params),
	 .prepare = prepare_migrate,
	 .operation = engine_migrate_instance_run,
	 .doc = "Live-migrates a server to another host."},
	{.method = HTTP_POST,
	 .path = "/v2.1/servers/{server_id}/action",
	 .verb = "migrate",
	 .permit = "os_compute_api:os-migrate-server:migrate",
	 .flags = API_WRITES | OS_ADMIN,
	 .status = 202,
	 .args = OS_PARAMS(struct os_migrate_live, cold_params),
	 .prepare = prepare_cold,
	 .operation = engine_cold_migrate_instance_run,
	 .doc = "Cold-migrates a server to another host. The migration has to be confirmed."},
	{.method = HTTP_GET,
	 .path = MIGRATIONS,
	 .permit = "os_compute_api:servers:migrations:index",
	 .flags = OS_ADMIN,
	 .since = 23,
	 .args = OS_PARAMS(struct os_migration_target, server_params),
	 .answer = list_migrations,
	 .doc = "Lists the live migration in progress, if there is one."},
	{.method = HTTP_GET,
	 .path = MIGRATIONS "/{migration_id}",
	 .permit = "os_compute_api:servers:migrations:show",
	 .flags = OS_ADMIN,
	 .since = 23,
	 .item = "migration",
	 .args = OS_PARAMS(struct os_migration_target, one_params),
	 .answer = show_migration,
	 .doc = "Shows the live migration in progress."},
	{.method = HTTP_DELETE,
	 .path = MIGRATIONS "/{migration_id}",
	 .permit = "os_compute_api:servers:migrations:delete",
	 .flags = API_WRITES | OS_ADMIN,
	 .since = 24,
	 .status = 202,
	 .args = OS_PARAMS(struct os_migration_target, one_params),
	 .prepare = prepare_target,
	 .operation = engine_cancel_migration_run,
	 .doc = "Aborts the live migration."},
	{.method = HTTP_POST,
	 .path = MIGRATIONS "/{migration_id}/action",
	 .verb = "force_complete",
	 .permit = "os_compute_api:servers:migrations:force_complete",
	 .flags = API_WRITES | OS_ADMIN,
	 .since = 22,
	 .status = 202,
	 .args = OS_PARAMS(struct os_migration_target, one_params),
	 .prepare = prepare_target,
	 .operation = engine_hasten_migration_run,
	 .doc = "Forces the live migration to complete, by pausing the guest."},
};
const struct os_actions os_live_migration_actions = OS_ACTIONS(OS_COMPUTE, actions);
