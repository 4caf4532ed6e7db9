/* SPDX-License-Identifier: Apache-2.0
 * Hosts as Cinder services, pools and back ends; administrators only. Enabling or disabling a host affects
 * servers and volumes alike. Source: Block Storage API reference, "Services", "Back-end storage pools",
 * "Capabilities". */
#include <inttypes.h>

#include "api/openstack/core/list.h"
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "engine/region/host.h"
#include "engine/storage/storage_pool.h"
#include "store/host.h"
#include "store/snapshot.h"
#include "store/storage_pool.h"
#include "store/volume.h"
#include "store/zone.h"

#define BINARY "cinder-volume"
#define BACKUP_BINARY "cinder-backup"
#define BACKEND "dari"

struct str os_volume_backend(struct os_call *e, const struct host *host)
{
	return str_print(e->c->arena, "%" STR_FMT "@" BACKEND, STR_ARG(host->name));
}

struct str os_volume_pool(struct os_call *e, const struct host *host)
{
	return str_print(e->c->arena, "%" STR_FMT "@" BACKEND "#" BACKEND, STR_ARG(host->name));
}

/* A shared pool belongs to no host, so the host part is the constant BACKEND. */
struct str os_shared_pool(struct os_call *e, const struct storage_pool *pool)
{
	return str_print(e->c->arena, BACKEND "@%" STR_FMT "#%" STR_FMT, STR_ARG(pool->name),
			 STR_ARG(pool->name));
}

/* Extracts the host from HOST, HOST@dari or HOST@dari#dari. */
static struct str host_part(struct str name)
{
	size_t at = str_find_char(name, '@', 0);
	struct str rest = str_slice(name, at < name.n ? at + 1 : at, name.n);
	bool is_ours = str_is(rest, BACKEND) || str_is(rest, BACKEND "#" BACKEND);
	return is_ours ? str_slice(name, 0, at) : name;
}

/* Extracts the pool from "dari@NAME#NAME"; empty: another form. */
static struct str shared_part(struct str name)
{
	struct str prefix = STR(BACKEND "@");
	size_t at = str_find_char(name, '#', 0);
	struct str pool = str_slice(name, prefix.n, at),
		   again = str_slice(name, at < name.n ? at + 1 : at, name.n);
	return str_starts_with(name, prefix) && str_equal(pool, again) ? pool : STR_NONE;
}

RESULT os_find_volume_backend(struct os_call *e, struct str name, struct ref *ret_host, struct ref *ret_pool)
{
	struct str own = host_part(name), shared = shared_part(name);
	const struct storage_pool *pool = storage_pool_find_by_name(os_tables(e), shared);
	const struct host *host = pool ? NULL : host_find_by_name(os_tables(e), own);
	if (pool)
		*ret_pool = (struct ref){.kind = KIND_STORAGE_POOL, .text = shared, .field = STR("host")};
	else if (host && row_is_live(&host->row) && host->seen_state == HOST_SEEN_STATE_UP)
		*ret_host = (struct ref){.kind = KIND_HOST, .text = own, .field = STR("host")};
	else
		return ctx_fail_field(e->c, ERR_INVALID, STR("host"),
				      "Invalid host: No available service named '%" STR_FMT "'",
				      STR_ARG(name));
	return OK;
}

/* ---- services ---- */

/* Id of the backup service, which exists once for the region if backups are configured. */
static const uuid backup_service = {.b = {[15] = 1}};

static bool is_backup_service(const struct row *row)
{
	return uuid_equal(row->id, backup_service);
}

static RESULT add_backup_service(struct os_call *e, struct os_added *ret_rows)
{
	struct host *h = arena_new_object(e->c->arena, struct host);
	const struct ref first = os_first_zone(e);
	const struct zone *zone = zone_find_by_name(os_tables(e), first.text);
	if (!e->config->backup_target.n || !os_wants(ret_rows, backup_service))
		return OK;
	if (!h)
		return ctx_no_memory(e->c);
	*h = (struct host){.row = {.id = backup_service, .gen = 1, .created_us = INT64_MAX}, /* sorts last */
			   .name = STR(BACKEND),
			   .zone = zone ? zone->row.id : UUID_NONE,
			   .enabled = true,
			   .seen_state = HOST_SEEN_STATE_UP,
			   .seen_since_us = clock_now_us()};
	return VEC_PUSH(e->c->arena, &ret_rows->rows, &h->row) ? OK : ctx_no_memory(e->c);
}

struct service_item {
	const struct host *host;
	const struct zone *zone;
};

static const void *gather_service(struct os_call *e, const struct row *row)
{
	struct service_item *item = arena_new_object(e->c->arena, struct service_item);
	if (!item)
		return NULL;
	item->host = host_of(row);
	item->zone = zone_find(os_tables(e), item->host->zone);
	return item;
}

static void write_service(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct host *h = ((const struct service_item *) item)->host;
	const struct zone *zone = ((const struct service_item *) item)->zone;
	bool is_backup = is_backup_service(&h->row);
	json_write_z(w, "binary", is_backup ? BACKUP_BINARY : BINARY);
	json_write_text(w, "host", is_backup ? h->name : os_volume_backend(e, h));
	json_write_text(w, "zone", zone ? zone->name : STR_NONE);
	json_write_z(w, "status", engine_is_host_open(h) ? "enabled" : "disabled");
	json_write_z(w, "state", h->seen_state == HOST_SEEN_STATE_UP ? "up" : "down");
	os_write_time_us(w, "updated_at", h->seen_since_us);
	json_write_text_or_null(w, "disabled_reason", engine_host_reason(h));
	if (e->request.version >= 7)
		json_write_null(w, "cluster");
	if (e->request.version >= 49)
		json_write_z(w, "backend_state", h->seen_state == HOST_SEEN_STATE_UP ? "up" : "down");
}

static bool fits_binary(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return str_is(value, is_backup_service(row) ? BACKUP_BINARY : BINARY);
}

static bool fits_host(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return str_equal(host_part(value), host_of(row)->name);
}

static const struct os_filter service_filters[] = {
	{"host", .fits = fits_host}, {"binary", .fits = fits_binary}, {"service", .fits = fits_binary}};
static const struct os_listing service_listing = {
	.kind = KIND_HOST,
	.items = "services",
	.filters = OS_FILTERS(service_filters),
	.passes = "cinder/api/contrib/services.py: index() reads host and binary",
	.flags = OS_ALL_SEE_ALL,
	.add = add_backup_service,
	.gather = gather_service,
	.write = write_service,
};

struct os_service_change {
	struct host_settings wish;
	struct str binary, service, cluster;
	struct str host; /* name as sent */
};
#define P(wire, member, ...) OS_BODY(struct os_service_change, wire, member, __VA_ARGS__)
static const struct param change_params[] = {
	P("host", wish.host, .flags = REQUIRED | BY_NAME, .kind = KIND_HOST, .doc = "The host."),
	P("binary", binary, .doc = "Binary; only cinder-volume exists."),
	P("service", service, .doc = "Binary, by its older name."),
};
static const struct param reason_params[] = {
	P("host", wish.host, .flags = REQUIRED | BY_NAME, .kind = KIND_HOST, .doc = "The host."),
	P("binary", binary, .doc = "Binary; only cinder-volume exists."),
	P("service", service, .doc = "Binary, by its older name."),
	P("disabled_reason", wish.reason, .flags = REQUIRED, .min = 1, .max = 255,
	  .doc = "Reason for disabling the host."),
};
#undef P

static RESULT check_service(struct os_call *e, struct os_service_change *a)
{
	struct str binary = a->binary.n ? a->binary : a->service;
	if (!binary.n)
		return ctx_fail_field(e->c, ERR_MISSING, STR("binary"), "'binary' is a required property");
	if (!str_is(binary, BINARY))
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_HOST,
				     "Service %" STR_FMT " could not be found on host %" STR_FMT ".",
				     STR_ARG(binary), STR_ARG(a->wish.host.text));
	a->host = a->wish.host.text;
	a->wish.host.text = host_part(a->host);
	return OK;
}

static RESULT prepare_enable(struct os_call *e, void *args)
{
	((struct os_service_change *) args)->wish.enabled = CHOICE_YES;
	return check_service(e, args);
}

static RESULT prepare_disable(struct os_call *e, void *args)
{
	((struct os_service_change *) args)->wish.enabled = CHOICE_NO;
	return check_service(e, args);
}

/* Freezing a back end prevents new volumes on it, which is what closing a host does. */
static const struct param freeze_params[] = {
	OS_BODY(struct os_service_change, "host", wish.host, .flags = REQUIRED | BY_NAME, .kind = KIND_HOST,
		.doc = "The host."),
	OS_UNBUILT("cluster", .since = 26),
};

static RESULT prepare_freezing(struct os_call *e, struct os_service_change *a, enum choice enabled)
{
	const struct host *host = NULL;
	a->host = a->wish.host.text;
	a->wish.host.text = host_part(a->host);
	a->wish.enabled = enabled;
	a->wish.reason = enabled == CHOICE_NO ? STR("frozen") : STR_NONE;
	if (result_is_ok(engine_find_host(e->c, os_tables(e), &a->wish.host, &host)))
		return OK;
	ctx_clear_problem(e->c);
	return ctx_fail_field(e->c, ERR_INVALID, STR("host"),
			      "Invalid input received: No service found with host=%" STR_FMT,
			      STR_ARG(a->host));
}

static RESULT prepare_freeze(struct os_call *e, void *args)
{
	return prepare_freezing(e, args, CHOICE_NO);
}

static RESULT prepare_thaw(struct os_call *e, void *args)
{
	return prepare_freezing(e, args, CHOICE_YES);
}

static RESULT show_changed(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_service_change *a = args;
	(void) e;
	json_write_text(w, "host", a->host);
	json_write_z(w, "service", BINARY);
	json_write_z(w, "binary", BINARY);
	json_write_z(w, "status", a->wish.enabled == CHOICE_YES ? "enabled" : "disabled");
	json_write_bool(w, "disabled", a->wish.enabled == CHOICE_NO);
	if (a->wish.reason.n)
		json_write_text(w, "disabled_reason", a->wish.reason);
	return OK;
}

/* ---- pools ---- */

struct os_pools {
	bool detail;
	struct str name;
};
static const struct param pool_params[] = {
	OS_QUERY(struct os_pools, "detail", detail, .doc = "Whether the answer contains the capabilities."),
	OS_QUERY(struct os_pools, "name", name, .since = 28, .doc = "Name of the pool."),
	OS_UNBUILT("volume_type", .place = IN_QUERY, .since = 35),
};

/* A host's local directory, or a shared pool. */
struct pool_item {
	struct str name;                 /* host@backend#pool */
	struct str backend;              /* name in volume types */
	const struct storage_pool *pool; /* NULL: a host's local directory */
	int64_t size, used;              /* bytes */
	int64_t since_us;
};

static void write_capability(struct json_writer *w, const struct storage_pool *pool, const char *name)
{
	json_write_text(w, name, engine_get_pool_capability(pool, str_from(name)));
}

static void write_truth(struct json_writer *w, const struct storage_pool *pool, const char *name)
{
	json_write_bool(w, name, str_is(engine_get_pool_capability(pool, str_from(name)), "True"));
}

static void write_capabilities(struct json_writer *w, const struct pool_item *p)
{
	json_write_open(w, "capabilities");
	json_write_text(w, "volume_backend_name", p->backend);
	json_write_text(w, "pool_name", p->backend);
	json_write_int(w, "total_capacity_gb", p->size / OS_VOLUME_GIB);
	json_write_int(w, "free_capacity_gb", (p->size - p->used) / OS_VOLUME_GIB);
	json_write_int(w, "allocated_capacity_gb", p->used / OS_VOLUME_GIB);
	json_write_int(w, "provisioned_capacity_gb", p->used / OS_VOLUME_GIB);
	json_write_int(w, "reserved_percentage", 0);
	json_write_z(w, "max_over_subscription_ratio", "1.0");
	write_truth(w, p->pool, "thin_provisioning_support");
	write_truth(w, p->pool, "thick_provisioning_support");
	write_truth(w, p->pool, "QoS_support");
	write_truth(w, p->pool, "multiattach");
	write_capability(w, p->pool, "storage_protocol");
	write_capability(w, p->pool, "vendor_name");
	write_capability(w, p->pool, "driver_version");
	os_write_time_us(w, "timestamp", p->since_us);
	json_write_close(w);
}

static void write_pool(struct json_writer *w, const struct os_pools *a, const struct pool_item *p)
{
	if (a->name.n && !str_equal(a->name, p->name))
		return;
	json_write_open(w, NULL);
	json_write_text(w, "name", p->name);
	if (a->detail)
		write_capabilities(w, p);
	json_write_close(w);
}

static RESULT list_pools(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_pools *a = args;
	const struct tables *t = os_tables(e);
	json_write_open_list(w, "pools");
	for (const struct host *h = host_first(t); h; h = host_next(t, h)) {
		struct host_usage use;
		engine_read_host_use(h, &use);
		if (row_is_live(&h->row))
			write_pool(w, a,
				   &(struct pool_item){.name = os_volume_pool(e, h),
						       .backend = STR(BACKEND),
						       .size = h->seen_disk,
						       .used = use.disk,
						       .since_us = h->seen_since_us});
	}
	for (const struct storage_pool *p = storage_pool_first(t); p; p = storage_pool_next(t, p))
		write_pool(w, a,
			   &(struct pool_item){.name = os_shared_pool(e, p),
					       .backend = p->name,
					       .pool = p,
					       .size = p->seen_size,
					       .used = engine_read_pool_use(p),
					       .since_us = p->row.created_us});
	json_write_close_list(w);
	return OK;
}

/* ---- capabilities ---- */

struct os_capabilities {
	struct ref host;
};
static const struct param capability_params[] = {
	OS_PATH_NAME(struct os_capabilities, "host", host, .kind = KIND_HOST, .doc = "The host."),
};

static RESULT show_capabilities(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct host *host = NULL;
	struct ref ref = ((const struct os_capabilities *) args)->host;
	ref.text = host_part(ref.text);
	TRY(engine_find_host(e->c, os_tables(e), &ref, &host));
	json_write_text(w, "namespace",
			str_print(e->c->arena, "OS::Storage::Capabilities::%" STR_FMT,
				  STR_ARG(os_volume_backend(e, host))));
	write_capability(w, NULL, "vendor_name");
	write_capability(w, NULL, "volume_backend_name");
	write_capability(w, NULL, "pool_name");
	write_capability(w, NULL, "driver_version");
	write_capability(w, NULL, "storage_protocol");
	json_write_text(w, "display_name", host->name);
	json_write_null(w, "description");
	json_write_z(w, "visibility", "public");
	json_write_open_list(w, "replication_targets");
	json_write_close_list(w);
	json_write_open(w, "properties");
	json_write_close(w);
	return OK;
}

/* ---- hosts, in the words of an older call ---- */

static RESULT list_hosts(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct tables *t = os_tables(e);
	struct str asked = pairs_find(&e->request.query, "zone");
	(void) args;
	json_write_open_list(w, "hosts");
	for (const struct host *h = host_first(t); h; h = host_next(t, h)) {
		const struct zone *zone = zone_find(t, h->zone);
		bool fits = !asked.n || (zone && str_equal(asked, zone->name));
		if (!row_is_live(&h->row) || !engine_is_host_open(h) || !fits)
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "host_name", os_volume_backend(e, h));
		json_write_z(w, "service", BINARY);
		json_write_text(w, "zone", zone ? zone->name : STR_NONE);
		json_write_z(w, "service-status",
			     h->seen_state == HOST_SEEN_STATE_UP ? "available" : "unavailable");
		json_write_z(w, "service-state", "enabled");
		os_write_time_us(w, "last-update", h->seen_since_us);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

struct host_sums {
	uuid account; /* none: the sum over all accounts */
	int64_t volumes, volume_gib, snapshots, snapshot_gib;
};

static void add_sums(const struct tables *t, const struct volume *v, struct host_sums *sums)
{
	sums->volumes++;
	sums->volume_gib += os_gib(v->size);
	for (const struct snapshot *s = snapshot_first_by_volume(t, v->row.id); s;
	     s = snapshot_next_by_volume(t, s))
		if (row_is_live(&s->row)) {
			sums->snapshots++;
			sums->snapshot_gib += os_gib(s->volume_size);
		}
}

static void write_sums(struct os_call *e, struct json_writer *w, struct str host,
		       const struct host_sums *sums)
{
	const struct {
		const char *name;
		int64_t value;
	} figures[] = {{"volume_count", sums->volumes},
		       {"total_volume_gb", sums->volume_gib},
		       {"snapshot_count", sums->snapshots},
		       {"total_snapshot_gb", sums->snapshot_gib}};
	json_write_open(w, NULL);
	json_write_open(w, "resource");
	json_write_text(w, "host", host);
	if (uuid_is_none(sums->account))
		json_write_z(w, "project", "(total)");
	else
		os_write_hex(w, "project", sums->account);
	for (size_t k = 0; k < sizeof figures / sizeof figures[0]; k++)
		json_write_text(w, figures[k].name, str_print(e->c->arena, "%" PRId64, figures[k].value));
	json_write_close(w);
	json_write_close(w);
}

/* Writes the host's volumes: the total and one entry per project. */
static RESULT show_host(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct tables *t = os_tables(e);
	const struct host *host = NULL;
	struct ref ref = ((const struct os_capabilities *) args)->host;
	VEC(struct host_sums) projects = {0};
	struct host_sums all = {0};
	ref.text = host_part(ref.text);
	TRY(engine_find_host(e->c, t, &ref, &host));
	for (const struct volume *v = volume_first_by_host(t, host->row.id); v;
	     v = volume_next_by_host(t, v)) {
		size_t k = 0;
		if (!row_is_live(&v->row))
			continue;
		while (k < projects.count && !uuid_equal(projects.at[k].account, v->account))
			k++;
		if (k == projects.count &&
		    !VEC_PUSH(e->c->arena, &projects, ((struct host_sums){.account = v->account})))
			return ctx_no_memory(e->c);
		add_sums(t, v, &projects.at[k]);
		add_sums(t, v, &all);
	}
	json_write_open_list(w, "host");
	write_sums(e, w, os_volume_backend(e, host), &all);
	for (size_t k = 0; k < projects.count; k++)
		write_sums(e, w, os_volume_backend(e, host), &projects.at[k]);
	json_write_close_list(w);
	return OK;
}

#define SERVICES "/v3/{project_id}/os-services"
#define CHANGE(rows)                                                                                         \
	.permit = "volume_extension:services:update", .flags = API_WRITES | OS_ADMIN,                        \
	.args = OS_PARAMS(struct os_service_change, rows), .operation = engine_update_host_run,              \
	.answer = show_changed, .returns = API_RETURNS_NOTHING_STORED
static const struct os_action actions[] = {
	{HTTP_GET, SERVICES, .permit = "volume_extension:services:index", .flags = OS_ADMIN,
	 .list = &service_listing, .doc = "Lists the hosts as block storage services."},
	{HTTP_PUT, SERVICES "/enable", CHANGE(change_params), .prepare = prepare_enable,
	 .doc = "Enables a host for new volumes and servers."},
	{HTTP_PUT, SERVICES "/disable", CHANGE(change_params), .prepare = prepare_disable,
	 .doc = "Disables a host for new volumes and servers."},
	{HTTP_PUT, SERVICES "/disable-log-reason", CHANGE(reason_params), .prepare = prepare_disable,
	 .doc = "Disables a host and stores the reason."},
	{HTTP_PUT, SERVICES "/freeze", .permit = "volume:freeze_host", .flags = API_WRITES | OS_ADMIN,
	 .status = 202, .args = OS_PARAMS(struct os_service_change, freeze_params), .prepare = prepare_freeze,
	 .operation = engine_update_host_run, .doc = "Freezes a host, which disables it."},
	{HTTP_PUT, SERVICES "/thaw", .permit = "volume:thaw_host", .flags = API_WRITES | OS_ADMIN,
	 .status = 202, .args = OS_PARAMS(struct os_service_change, freeze_params), .prepare = prepare_thaw,
	 .operation = engine_update_host_run, .doc = "Thaws a host, which enables it."},
	{HTTP_GET, "/v3/{project_id}/os-hosts", .permit = "volume_extension:hosts", .flags = OS_ADMIN,
	 .answer = list_hosts, .doc = "Lists the enabled hosts."},
	{HTTP_GET, "/v3/{project_id}/os-hosts/{host}", .permit = "volume_extension:hosts", .flags = OS_ADMIN,
	 .args = OS_PARAMS(struct os_capabilities, capability_params), .answer = show_host,
	 .doc = "Shows the number and size of the volumes of a host."},
	{HTTP_GET, "/v3/{project_id}/scheduler-stats/get_pools",
	 .permit = "scheduler_extension:scheduler_stats:get_pools", .flags = OS_ADMIN | OS_FILTERS,
	 .args = OS_PARAMS(struct os_pools, pool_params), .answer = list_pools,
	 .doc = "Lists hosts and storage pools as back-end pools."},
	{HTTP_GET, "/v3/{project_id}/capabilities/{host}", .permit = "volume_extension:capabilities",
	 .flags = OS_ADMIN, .args = OS_PARAMS(struct os_capabilities, capability_params),
	 .answer = show_capabilities, .doc = "Shows the capabilities of a host as a back end."},
};
const struct os_actions os_volume_service_actions = OS_ACTIONS(OS_VOLUME, actions);
