/* SPDX-License-Identifier: Apache-2.0
 * Migrations: the resizes that are neither confirmed nor reverted yet, which is what Nova's clients look for
 * here. Of those before nothing is kept but the server's history. Source: Compute API reference,
 * "Migrations". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "model/instance.h"
#include "model/instance_task.h"
#include "model/states.h"
#include "store/host.h"

struct migration {
	const struct instance *instance;
	const struct host *host;
};

static const char *status_of(const struct instance *i)
{
	return model_derive_instance_task(i) == INSTANCE_TASK_RESIZE ? "migrating" : "finished";
}

static bool is_resized(struct os_call *e, const struct row *row)
{
	const struct instance *i = instance_of(row);
	(void) e;
	return !uuid_is_none(i->old_type) && model_derive_instance_state(i) != INSTANCE_TERMINATED;
}

static const void *gather_migration(struct os_call *e, const struct row *row)
{
	const struct instance *i = instance_of(row);
	struct migration *item = arena_new_object(e->c->arena, struct migration);
	if (item)
		*item = (struct migration){i, host_find(os_tables(e), i->host)};
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
	const struct instance *i = m->instance;
	json_write_int(w, "id", os_number_of(i->row.id));
	os_write_id(w, "instance_uuid", i->row.id);
	json_write_z(w, "status", status_of(i));
	write_hosts(w, m->host);
	json_write_int(w, "old_instance_type_id", os_number_of(i->old_type));
	json_write_int(w, "new_instance_type_id", os_number_of(i->type));
	os_write_time_us(w, "created_at", i->row.updated_us);
	os_write_time_us(w, "updated_at", i->row.updated_us);
	if (e->request.version >= 23)
		json_write_z(w, "migration_type", "resize");
	if (e->request.version >= 59)
		os_write_id(w, "uuid", uuid_v5(i->row.id, STR("migration")));
	if (e->request.version >= 80) {
		os_write_hex(w, "user_id", i->made_by);
		os_write_hex(w, "project_id", i->account);
	}
}

static bool fits_status(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return str_is(value, status_of(instance_of(row)));
}

static bool fits_host(struct os_call *e, const struct row *row, struct str value)
{
	const struct host *host = host_find(os_tables(e), instance_of(row)->host);
	return host && str_equal(host->name, value);
}

static bool fits_type(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	(void) row;
	return str_is(value, "resize");
}

static const struct os_filter filters[] = {
	{"instance_uuid", .is_id = true},      {"status", .fits = fits_status},
	{"host", .fits = fits_host},           {"source_compute", .fits = fits_host},
	{"migration_type", .fits = fits_type},
};
static const struct os_listing migrations = {
	.kind = KIND_INSTANCE,
	.items = "migrations",
	.filters = OS_FILTERS(filters),
	.flags = OS_ADMIN_SEES_ALL | OS_NEWEST_FIRST,
	.shows = is_resized,
	.gather = gather_migration,
	.write = write_migration,
};

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.1/os-migrations", .permit = "os_compute_api:os-migrations:index", .flags = OS_ADMIN,
	 .list = &migrations, .doc = "Resizes that wait for a word."},
};
const struct os_actions os_migration_actions = OS_ACTIONS(OS_COMPUTE, actions);
