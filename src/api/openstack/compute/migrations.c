/* SPDX-License-Identifier: Apache-2.0
 * Migrations: the resizes that servers had, which here are the only ones; the last of each server are kept for as
 * long as it is. Source: Compute API reference, "Migrations". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "model/instance.h"
#include "model/instance_migration.h"
#include "model/instance_task.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance.h"

struct migration {
	const struct instance_migration *resize;
	const struct host *host;
	const char *status;
};

static const char *status_of(struct os_call *e, const struct instance_migration *r)
{
	const struct instance *i = instance_find(os_tables(e), r->instance);
	if (r->outcome == INSTANCE_MIGRATION_OUTCOME_ASKED)
		return i && model_derive_instance_task(i) == INSTANCE_TASK_RESIZE ? "migrating" : "finished";
	return instance_migration_outcome_words[r->outcome];
}

static const void *gather_migration(struct os_call *e, const struct row *row)
{
	const struct instance_migration *r = instance_migration_of(row);
	struct migration *item = arena_new_object(e->c->arena, struct migration);
	if (item)
		*item = (struct migration){r, host_find(os_tables(e), r->host), status_of(e, r)};
	return item;
}

/* It stays where it is. */
static void write_hosts(struct json_writer *w, const struct host *host)
{
	static const char *const members[] = {"source_compute", "source_node", "dest_compute", "dest_node"};
	for (size_t k = 0; k < sizeof members / sizeof members[0]; k++)
		json_write_text_or_null(w, members[k], host ? host->name : STR_NONE);
	json_write_null(w, "dest_host");
}

static void write_migration(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct migration *m = item;
	const struct instance_migration *r = m->resize;
	json_write_int(w, "id", os_number_of(r->row.id));
	os_write_id(w, "instance_uuid", r->instance);
	json_write_z(w, "status", m->status);
	write_hosts(w, m->host);
	json_write_int(w, "old_instance_type_id", os_number_of(r->old_type));
	json_write_int(w, "new_instance_type_id", os_number_of(r->type));
	os_write_time_us(w, "created_at", r->row.created_us);
	os_write_time_us(w, "updated_at", r->row.updated_us);
	if (e->request.version >= 23)
		json_write_z(w, "migration_type", "resize");
	if (e->request.version >= 59)
		os_write_id(w, "uuid", r->row.id);
	if (e->request.version >= 80) {
		os_write_maker(w, r->made_by, r->account);
		os_write_hex(w, "project_id", r->account);
	}
}

static bool fits_status(struct os_call *e, const struct row *row, struct str value)
{
	return str_is(value, status_of(e, instance_migration_of(row)));
}

static bool fits_host(struct os_call *e, const struct row *row, struct str value)
{
	const struct host *host = host_find(os_tables(e), instance_migration_of(row)->host);
	return host && str_equal(host->name, value);
}

static bool fits_type(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	(void) row;
	return str_is(value, "resize");
}

static const struct os_filter filters[] = {
	{"instance_uuid", "instance"},
	{"status", .fits = fits_status},
	{"host", .fits = fits_host},
	{"source_compute", .fits = fits_host},
	{"migration_type", .fits = fits_type},
	{"user_id", "made_by", .since = 80},
	{"project_id", "account", .since = 80},
};
static const struct os_listing migrations = {
	.kind = KIND_INSTANCE_MIGRATION,
	.items = "migrations",
	.filters = OS_FILTERS(filters),
	.flags = OS_ADMIN_SEES_ALL | OS_NEWEST_FIRST,
	.gather = gather_migration,
	.write = write_migration,
};

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.1/os-migrations", .permit = "os_compute_api:os-migrations:index", .flags = OS_ADMIN,
	 .list = &migrations, .doc = "Resizes of servers."},
};
const struct os_actions os_migration_actions = OS_ACTIONS(OS_COMPUTE, actions);
