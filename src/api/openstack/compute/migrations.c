/* SPDX-License-Identifier: Apache-2.0
 * Migrations: resizes, live migrations and evacuations. The last ones of each server are kept as long as
 * the server exists. Source: Compute API reference, "Migrations". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "engine/region/host.h"
#include "model/instance_migration.h"
#include "model/instance_task.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance.h"

struct migration {
	const struct instance_migration *row;
	const struct host *source, *target; /* NULL: deleted; both are the same for a resize */
	const char *status;
};

const char *os_migration_status(const struct instance_migration *m)
{
	static const char *const ends[] = {[INSTANCE_MIGRATION_OUTCOME_ASKED] = "running",
					   [INSTANCE_MIGRATION_OUTCOME_CONFIRMED] = "confirmed",
					   [INSTANCE_MIGRATION_OUTCOME_REVERTED] = "reverted",
					   [INSTANCE_MIGRATION_OUTCOME_COMPLETED] = "completed",
					   [INSTANCE_MIGRATION_OUTCOME_CANCELLED] = "cancelled",
					   [INSTANCE_MIGRATION_OUTCOME_FAILED] = "error"};
	bool is_under_way = m->outcome == INSTANCE_MIGRATION_OUTCOME_ASKED;
	if (is_under_way && m->is_cancelled)
		return "cancelling";
	if (is_under_way && m->stage == INSTANCE_MIGRATION_STAGE_PREPARING)
		return "preparing";
	return ends[m->outcome];
}

/* A resize does not change the host. */
static bool changes_host(const struct instance_migration *m)
{
	return m->method != INSTANCE_MIGRATION_METHOD_RESIZE;
}

static const char *type_of(const struct instance_migration *m)
{
	static const char *const types[] = {[INSTANCE_MIGRATION_METHOD_RESIZE] = "resize",
					    [INSTANCE_MIGRATION_METHOD_LIVE] = "live-migration",
					    [INSTANCE_MIGRATION_METHOD_COLD] = "migration",
					    [INSTANCE_MIGRATION_METHOD_EVACUATE] = "evacuation"};
	return types[m->method];
}

static const char *status_of(struct os_call *e, const struct instance_migration *m)
{
	const struct instance *i = instance_find(os_tables(e), m->instance);
	bool is_confirmed = m->method == INSTANCE_MIGRATION_METHOD_RESIZE ||
			    m->method == INSTANCE_MIGRATION_METHOD_COLD; /* the user confirms or reverts
			                                                  * both kinds */
	if (is_confirmed && m->outcome == INSTANCE_MIGRATION_OUTCOME_ASKED)
		return i && model_derive_instance_task(i) == INSTANCE_TASK_RESIZE ? "migrating" : "finished";
	return m->method == INSTANCE_MIGRATION_METHOD_EVACUATE ? "done" : os_migration_status(m);
}

static const void *gather_migration(struct os_call *e, const struct row *row)
{
	const struct instance_migration *m = instance_migration_of(row);
	struct migration *item = arena_new_object(e->c->arena, struct migration);
	const struct tables *t = os_tables(e);
	if (item)
		*item = (struct migration){m, host_find(t, m->host),
					   host_find(t, changes_host(m) ? m->target : m->host),
					   status_of(e, m)};
	return item;
}

/* A resize shows its host as source and destination, without an address. */
static void write_hosts(struct json_writer *w, const struct migration *m)
{
	struct str source = m->source ? m->source->name : STR_NONE;
	struct str target = m->target ? m->target->name : STR_NONE;
	bool has_address = changes_host(m->row) && m->target;
	json_write_text_or_null(w, "source_compute", source);
	json_write_text_or_null(w, "source_node", source);
	json_write_text_or_null(w, "dest_compute", target);
	json_write_text_or_null(w, "dest_node", target);
	json_write_text_or_null(w, "dest_host", has_address ? engine_get_host_address(m->target) : STR_NONE);
}

static void write_migration(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct migration *m = item;
	const struct instance_migration *r = m->row;
	json_write_int(w, "id", os_number_of(r->row.id));
	os_write_id(w, "instance_uuid", r->instance);
	json_write_z(w, "status", m->status);
	write_hosts(w, m);
	json_write_int(w, "old_instance_type_id", os_number_of(r->old_type));
	json_write_int(w, "new_instance_type_id", os_number_of(r->type));
	os_write_time_us(w, "created_at", r->row.created_us);
	os_write_time_us(w, "updated_at", r->row.updated_us);
	if (e->request.version >= 23)
		json_write_z(w, "migration_type", type_of(r));
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

static bool is_host(struct os_call *e, uuid id, struct str name)
{
	const struct host *host = host_find(os_tables(e), id);
	return host && str_equal(host->name, name);
}

static bool fits_source(struct os_call *e, const struct row *row, struct str value)
{
	return is_host(e, instance_migration_of(row)->host, value);
}

/* Matches source or destination. */
static bool fits_host(struct os_call *e, const struct row *row, struct str value)
{
	return fits_source(e, row, value) || is_host(e, instance_migration_of(row)->target, value);
}

static bool fits_type(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return str_is(value, type_of(instance_migration_of(row)));
}

/* check_times() has validated the value. */
static bool fits_since(struct os_call *e, const struct row *row, struct str value)
{
	int64_t time_us = 0;
	(void) e;
	return os_read_time(value, &time_us) && row->updated_us >= time_us;
}

static bool fits_before(struct os_call *e, const struct row *row, struct str value)
{
	int64_t time_us = 0;
	(void) e;
	return os_read_time(value, &time_us) && row->updated_us <= time_us;
}

enum { SINCE_PAGES = 59, SINCE_BEFORE = 66 };

#define FILTERS_OF_ALL                                                                                       \
	{"instance_uuid", "instance"}, {"status", .fits = fits_status}, {"host", .fits = fits_host},         \
		{"source_compute", .fits = fits_source},                                                     \
	{                                                                                                    \
		"migration_type", .fits = fits_type                                                          \
	}
static const struct os_filter early_filters[] = {FILTERS_OF_ALL};
static const struct os_filter filters[] = {
	FILTERS_OF_ALL,
	{"changes-since", .fits = fits_since},
	{"changes-before", .fits = fits_before, .since = SINCE_BEFORE},
	{"user_id", "made_by", .since = 80},
	{"project_id", "account", .since = 80},
};
#define MIGRATIONS(...)                                                                                      \
	{                                                                                                    \
		.kind = KIND_INSTANCE_MIGRATION, .items = "migrations",                                      \
		.flags = OS_ADMIN_SEES_ALL | OS_NEWEST_FIRST, .gather = gather_migration,                    \
		.write = write_migration, __VA_ARGS__                                                        \
	}
static const struct os_listing whole_list = MIGRATIONS(.filters = OS_FILTERS(early_filters));
static const struct os_listing pages =
	MIGRATIONS(.filters = OS_FILTERS(filters), .links = "migrations_links", .page_max = 1000);

static RESULT check_times(struct os_call *e, void *args)
{
	static const struct {
		const char *name;
		int since;
	} times[] = {{"changes-since", SINCE_PAGES}, {"changes-before", SINCE_BEFORE}};
	int64_t time_us = 0;
	(void) args;
	for (size_t k = 0; k < sizeof times / sizeof times[0]; k++) {
		struct str text = pairs_find(&e->request.query, times[k].name);
		if (text.p && e->request.version >= times[k].since)
			TRY(os_parse_time(e->c, text, times[k].name, &time_us));
	}
	return OK;
}

#define LIST                                                                                                 \
	.permit = "os_compute_api:os-migrations:index", .flags = OS_ADMIN,                                   \
	.doc = "Lists resizes, live migrations and evacuations of servers."
static const struct os_action actions[] = {
	{HTTP_GET, "/v2.1/os-migrations", .until = SINCE_PAGES - 1, .list = &whole_list, LIST},
	{HTTP_GET, "/v2.1/os-migrations", .since = SINCE_PAGES, .prepare = check_times, .list = &pages, LIST},
};
const struct os_actions os_migration_actions = OS_ACTIONS(OS_COMPUTE, actions);
