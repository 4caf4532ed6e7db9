/* SPDX-License-Identifier: Apache-2.0
 * Hosts by os-hosts, which os-services and os-hypervisors replaced in 2.43. Power actions and maintenance
 * mode are refused, as Nova's libvirt driver refuses them. Source: Compute API reference, "Hosts". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "engine/engine.h"
#include "engine/region/aggregate.h"
#include "engine/region/host.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_type.h"

static const int64_t MIB = INT64_C(1) << 20, GIB = INT64_C(1) << 30;

/* ---- list ---- */

/* An empty zone matches all hosts. */
static bool fits_zone(struct os_call *e, const struct row *row, struct str value)
{
	return str_is_empty(value) || str_equal(engine_get_zone_name(os_tables(e), host_of(row)), value);
}

static bool is_open(struct os_call *e, const struct row *row)
{
	(void) e;
	return engine_is_host_open(host_of(row));
}

static void write_host(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct host *h = item;
	json_write_text(w, "host_name", h->name);
	json_write_z(w, "service", "compute");
	json_write_text(w, "zone", engine_get_zone_name(os_tables(e), h));
}

static const struct os_filter host_filters[] = {{"zone", .fits = fits_zone}};
static const struct os_listing hosts = {
	.kind = KIND_HOST,
	.items = "hosts",
	.filters = OS_FILTERS(host_filters),
	.flags = OS_ALL_SEE_ALL,
	.shows = is_open,
	.write = write_host,
};

/* Writes the rows while the view's tables are held, because each needs its zone. */
static RESULT list_hosts(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_page page;
	(void) args;
	TRY(os_select(e, &hosts, &page));
	json_write_open_list(w, hosts.items);
	for (size_t k = 0; k < page.count; k++) {
		json_write_open(w, NULL);
		write_host(e, w, page.rows[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- one host: what it has, what is used, and by whom ---- */

struct os_host_change {
	struct host_settings wish;
	struct str name, status, maintenance;
};
#define NAME OS_PATH(struct os_host_change, "host_name", name, .doc = "Name of the host.")
#define ENABLE_WORDS "enable|disable|Enable|Disable|ENABLE|DISABLE"
static const struct param name_params[] = {NAME};
static const struct param change_params[] = {
	NAME,
	OS_BODY(struct os_host_change, "status", status, .words = ENABLE_WORDS,
		.doc = "Whether the host accepts new servers."),
	OS_BODY(struct os_host_change, "maintenance_mode", maintenance, .words = ENABLE_WORDS,
		.doc = "Refused with 501: libvirt has no maintenance mode."),
};

static RESULT find_host(struct os_call *e, struct str name, const struct host **ret_host)
{
	const struct host *host = host_find_by_name(os_tables(e), name);
	if (!host || !row_is_live(&host->row))
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_HOST,
				     "Host '%" STR_FMT "' is not mapped to any cell",
				     STR_ARG(str_slice(name, 0, 64)));
	*ret_host = host;
	return OK;
}

struct resource {
	uuid project;
	int64_t vcpus, memory, disk;
};

static void add_instance(struct os_call *e, struct resource *r, const struct instance *i)
{
	const struct instance_type *type = instance_type_find(os_tables(e), i->type);
	r->vcpus += i->vcpus;
	r->memory += i->memory;
	r->disk += type ? type->root_disk : 0;
}

static void write_resource(struct json_writer *w, const struct host *host, const char *project,
			   const struct resource *r)
{
	json_write_open(w, NULL);
	json_write_open(w, "resource");
	json_write_text(w, "host", host->name);
	if (project)
		json_write_z(w, "project", project);
	else
		os_write_hex(w, "project", r->project);
	json_write_int(w, "cpu", r->vcpus);
	json_write_int(w, "memory_mb", r->memory / MIB);
	json_write_int(w, "disk_gb", r->disk / GIB);
	json_write_close(w);
	json_write_close(w);
}

typedef VEC(struct resource) resources;

static struct resource *find_project(struct arena *a, resources *projects, uuid project)
{
	for (size_t k = 0; k < projects->count; k++)
		if (uuid_equal(projects->at[k].project, project))
			return &projects->at[k];
	return VEC_PUSH(a, projects, (struct resource){.project = project})
		       ? &projects->at[projects->count - 1]
		       : NULL;
}

static RESULT show_host(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct host *host = NULL;
	struct host_usage use;
	struct resource most = {0};
	resources projects = {0};
	TRY(find_host(e, ((const struct os_host_change *) args)->name, &host));
	engine_read_host_use(host, &use);
	for (const struct instance *i = instance_first_by_host(os_tables(e), host->row.id); i;
	     i = instance_next_by_host(os_tables(e), i)) {
		if (model_derive_instance_state(i) == INSTANCE_TERMINATED)
			continue;
		struct resource *of_project = find_project(e->c->arena, &projects, i->account);
		if (!of_project)
			return ctx_no_memory(e->c);
		add_instance(e, &most, i);
		add_instance(e, of_project, i);
	}
	json_write_open_list(w, "host");
	write_resource(w, host, "(total)",
		       &(struct resource){UUID_NONE, host->seen_cpus, host->seen_memory, host->seen_disk});
	write_resource(
		w, host, "(used_now)",
		&(struct resource){UUID_NONE, use.vcpus, use.memory + host->reserved_memory, use.disk});
	write_resource(w, host, "(used_max)", &most);
	for (size_t k = 0; k < projects.count; k++)
		write_resource(w, host, NULL, &projects.at[k]);
	json_write_close_list(w);
	return OK;
}

/* ---- changes ---- */

static RESULT fail_unsupported(struct os_call *e)
{
	return ctx_fail_kind(e->c, ERR_UNSUPPORTED, KIND_HOST,
			     "The requested functionality is not supported.");
}

static RESULT prepare_change(struct os_call *e, void *args)
{
	struct os_host_change *a = args;
	const struct host *host = NULL;
	if (!a->status.n && !a->maintenance.n)
		return ctx_fail_field(e->c, ERR_INVALID, STR("status"),
				      "Invalid input for field/attribute host: neither 'status' nor "
				      "'maintenance_mode' is given.");
	TRY(find_host(e, a->name, &host));
	if (a->maintenance.n)
		return fail_unsupported(e);
	a->wish.host = (struct ref){.kind = KIND_HOST, .text = a->name, .field = STR("host")};
	a->wish.enabled = str_equal_nocase(a->status, STR("enable")) ? CHOICE_YES : CHOICE_NO;
	return OK;
}

static RESULT show_changed(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_host_change *a = args;
	(void) e;
	json_write_text(w, "host", a->name);
	json_write_z(w, "status", a->wish.enabled == CHOICE_YES ? "enabled" : "disabled");
	return OK;
}

static RESULT refuse_power(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct host *host = NULL;
	(void) w;
	TRY(find_host(e, ((const struct os_host_change *) args)->name, &host));
	return fail_unsupported(e);
}

enum { LAST_VERSION = 42 };
#define ONE "/v2.1/os-hosts/{host_name}"
#define POWER(word, policy, words)                                                                           \
	{                                                                                                    \
		.method = HTTP_GET, .path = ONE "/" word, .permit = "os_compute_api:os-hosts:" policy,       \
		.flags = OS_ADMIN, .until = LAST_VERSION,                                                    \
		.args = OS_PARAMS(struct os_host_change, name_params), .answer = refuse_power,               \
		.never = "libvirt cannot power hosts on or off", .doc = (words),                             \
	}
static const struct os_action actions[] = {
	{HTTP_GET, "/v2.1/os-hosts", .permit = "os_compute_api:os-hosts:list", .flags = OS_ADMIN,
	 .until = LAST_VERSION, .list = &hosts, .answer = list_hosts, .doc = "Lists the enabled hosts."},
	{HTTP_GET, ONE, .permit = "os_compute_api:os-hosts:show", .flags = OS_ADMIN, .until = LAST_VERSION,
	 .args = OS_PARAMS(struct os_host_change, name_params), .answer = show_host,
	 .doc = "Shows the resources of a host, and the usage of each project on it."},
	{HTTP_PUT, ONE, .permit = "os_compute_api:os-hosts:update", .flags = OS_ADMIN | API_WRITES,
	 .until = LAST_VERSION, .args = OS_PARAMS(struct os_host_change, change_params),
	 .prepare = prepare_change, .operation = engine_update_host_run, .answer = show_changed,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Enables or disables a host for new servers."},
	POWER("startup", "start", "Refused with 501: would power on a host."),
	POWER("shutdown", "shutdown", "Refused with 501: would power off a host."),
	POWER("reboot", "reboot", "Refused with 501: would reboot a host."),
};
const struct os_actions os_os_host_actions = OS_ACTIONS(OS_COMPUTE, actions);
