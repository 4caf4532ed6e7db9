/* SPDX-License-Identifier: Apache-2.0
 * Where volumes lie: each host is a service, a pool and a back end of its own; for administrators. Opened or
 * closed it is for servers and volumes alike. Source: Block Storage API reference, "Services", "Back-end
 * storage pools", "Capabilities". */
#include "api/openstack/core/list.h"
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "engine/engine.h"
#include "engine/region/host.h"
#include "store/host.h"
#include "store/zone.h"

#define BINARY "cinder-volume"

/* ---- services ---- */

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
	json_write_z(w, "binary", BINARY);
	json_write_text(w, "host", h->name);
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
	(void) row;
	return str_is(value, BINARY);
}

static const struct os_filter service_filters[] = {
	{"host", "name"}, {"binary", .fits = fits_binary}, {"service", .fits = fits_binary}};
static const struct os_listing service_listing = {
	.kind = KIND_HOST,
	.items = "services",
	.filters = OS_FILTERS(service_filters),
	.flags = OS_ALL_SEE_ALL,
	.gather = gather_service,
	.write = write_service,
};

struct os_service_change {
	struct host_settings wish;
	struct str binary, service;
};
#define P(wire, member, ...) OS_BODY(struct os_service_change, wire, member, __VA_ARGS__)
static const struct param change_params[] = {
	P("host", wish.host, .flags = REQUIRED | BY_NAME, .kind = KIND_HOST, .doc = "The host."),
	P("binary", binary, .words = BINARY, .doc = "That alone is there."),
	P("service", service, .words = BINARY, .doc = "The same, in older words."),
};
static const struct param reason_params[] = {
	P("host", wish.host, .flags = REQUIRED | BY_NAME, .kind = KIND_HOST, .doc = "The host."),
	P("binary", binary, .words = BINARY, .doc = "That alone is there."),
	P("service", service, .words = BINARY, .doc = "The same, in older words."),
	P("disabled_reason", wish.reason, .flags = REQUIRED, .min = 1, .max = 255, .doc = "Why."),
};
#undef P

static RESULT check_binary(struct os_call *e, const struct os_service_change *a)
{
	return a->binary.n || a->service.n
		       ? OK
		       : ctx_fail_field(e->c, ERR_MISSING, STR("binary"), "'binary' is a required property");
}

static RESULT prepare_enable(struct os_call *e, void *args)
{
	((struct os_service_change *) args)->wish.enabled = CHOICE_YES;
	return check_binary(e, args);
}

static RESULT prepare_disable(struct os_call *e, void *args)
{
	((struct os_service_change *) args)->wish.enabled = CHOICE_NO;
	return check_binary(e, args);
}

static RESULT show_changed(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_service_change *a = args;
	(void) e;
	json_write_text(w, "host", a->wish.host.text);
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
	OS_QUERY(struct os_pools, "detail", detail, .doc = "With what they are."),
	OS_QUERY(struct os_pools, "name", name, .since = 28, .doc = "Only the one of that name."),
};

static void write_capabilities(struct json_writer *w, const struct host *h)
{
	struct host_usage use;
	engine_read_host_use(h, &use);
	json_write_open(w, "capabilities");
	json_write_text(w, "volume_backend_name", h->name);
	json_write_text(w, "pool_name", h->name);
	json_write_int(w, "total_capacity_gb", h->seen_disk / OS_VOLUME_GIB);
	json_write_int(w, "free_capacity_gb", (h->seen_disk - use.disk) / OS_VOLUME_GIB);
	json_write_int(w, "allocated_capacity_gb", use.disk / OS_VOLUME_GIB);
	json_write_int(w, "provisioned_capacity_gb", use.disk / OS_VOLUME_GIB);
	json_write_int(w, "reserved_percentage", 0);
	json_write_z(w, "max_over_subscription_ratio", "1.0");
	json_write_bool(w, "thin_provisioning_support", false);
	json_write_bool(w, "thick_provisioning_support", true);
	json_write_bool(w, "QoS_support", false);
	json_write_bool(w, "multiattach", false);
	json_write_z(w, "storage_protocol", "file");
	json_write_z(w, "vendor_name", "Open Source");
	json_write_z(w, "driver_version", "1.0");
	os_write_time_us(w, "timestamp", h->seen_since_us);
	json_write_close(w);
}

static RESULT list_pools(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_pools *a = args;
	json_write_open_list(w, "pools");
	for (const struct host *h = host_first(os_tables(e)); h; h = host_next(os_tables(e), h)) {
		if (!row_is_live(&h->row) || (a->name.n && !str_equal(a->name, h->name)))
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "name", h->name);
		if (a->detail)
			write_capabilities(w, h);
		json_write_close(w);
	}
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
	TRY(engine_find_host(e->c, os_tables(e), &((const struct os_capabilities *) args)->host, &host));
	json_write_text(w, "namespace",
			str_print(e->c->arena, "OS::Storage::Capabilities::%" STR_FMT, STR_ARG(host->name)));
	json_write_z(w, "vendor_name", "Open Source");
	json_write_text(w, "volume_backend_name", host->name);
	json_write_text(w, "pool_name", host->name);
	json_write_z(w, "driver_version", "1.0");
	json_write_z(w, "storage_protocol", "file");
	json_write_text(w, "display_name", host->name);
	json_write_null(w, "description");
	json_write_z(w, "visibility", "public");
	json_write_open_list(w, "replication_targets");
	json_write_close_list(w);
	json_write_open(w, "properties");
	json_write_close(w);
	return OK;
}

#define SERVICES "/v3/{project_id}/os-services"
#define CHANGE(rows)                                                                                         \
	.permit = "volume_extension:services:update", .flags = API_WRITES | OS_ADMIN,                        \
	.args = OS_PARAMS(struct os_service_change, rows), .operation = engine_update_host_run,              \
	.answer = show_changed, .returns = API_RETURNS_NOTHING_STORED
static const struct os_action actions[] = {
	{HTTP_GET, SERVICES, .permit = "volume_extension:services:index", .flags = OS_ADMIN,
	 .list = &service_listing, .doc = "The hosts as services."},
	{HTTP_PUT, SERVICES "/enable", CHANGE(change_params), .prepare = prepare_enable,
	 .doc = "Opens a host to new volumes and servers."},
	{HTTP_PUT, SERVICES "/disable", CHANGE(change_params), .prepare = prepare_disable,
	 .doc = "Closes it."},
	{HTTP_PUT, SERVICES "/disable-log-reason", CHANGE(reason_params), .prepare = prepare_disable,
	 .doc = "Closes it, and says why."},
	{HTTP_GET, "/v3/{project_id}/scheduler-stats/get_pools",
	 .permit = "scheduler_extension:scheduler_stats:get_pools", .flags = OS_ADMIN,
	 .args = OS_PARAMS(struct os_pools, pool_params), .answer = list_pools, .doc = "The hosts as pools."},
	{HTTP_GET, "/v3/{project_id}/capabilities/{host}", .permit = "volume_extension:capabilities",
	 .flags = OS_ADMIN, .args = OS_PARAMS(struct os_capabilities, capability_params),
	 .answer = show_capabilities, .doc = "A host as a back end."},
};
const struct os_actions os_volume_service_actions = OS_ACTIONS(OS_VOLUME, actions);
