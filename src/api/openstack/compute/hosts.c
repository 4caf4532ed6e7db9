/* SPDX-License-Identifier: Apache-2.0
 * Availability zones for all callers; hypervisors and services, which are both the hosts, for
 * administrators. Source: Compute API reference, "Availability zones", "Hypervisors", "Compute services". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/list.h"
#include "api/openstack/core/write.h"
#include "engine/engine.h"
#include "engine/region/aggregate.h"
#include "engine/region/host.h"
#include "model/address.h"
#include "model/states.h"
#include "store/aggregate.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/zone.h"

static const int64_t MIB = INT64_C(1) << 20, GIB = INT64_C(1) << 30;

/* ---- zones ---- */

static bool is_up(const struct host *h)
{
	return h->seen_state == HOST_SEEN_STATE_UP && !h->forced_down;
}

static void write_zone_hosts(struct os_call *e, struct json_writer *w, struct str zone_name)
{
	json_write_open(w, "hosts");
	for (const struct host *h = host_first(os_tables(e)); h; h = host_next(os_tables(e), h)) {
		if (!row_is_live(&h->row) || !str_equal(engine_get_zone_name(os_tables(e), h), zone_name))
			continue;
		json_write_key(w, h->name);
		json_write_open(w, NULL);
		json_write_open(w, "nova-compute");
		json_write_bool(w, "available", engine_is_host_open(h));
		json_write_bool(w, "active", is_up(h));
		os_write_time_us(w, "updated_at", h->seen_since_us);
		json_write_close(w);
		json_write_close(w);
	}
	json_write_close(w);
}

static void write_zone(struct os_call *e, struct json_writer *w, struct str name, bool is_available,
		       bool with_hosts)
{
	json_write_open(w, NULL);
	json_write_text(w, "zoneName", name);
	json_write_open(w, "zoneState");
	json_write_bool(w, "available", is_available);
	json_write_close(w);
	if (with_hosts)
		write_zone_hosts(e, w, name);
	else
		json_write_null(w, "hosts");
	json_write_close(w);
}

/* True for the first of the aggregates that define the same zone, so that the zone is listed once. */
static bool makes_zone(const struct tables *t, const struct aggregate *aggregate)
{
	const struct aggregate *a = aggregate_first(t);
	if (!engine_is_zone_of_aggregates(t, aggregate->zone_name))
		return false;
	while (!str_equal(a->zone_name, aggregate->zone_name))
		a = aggregate_next(t, a);
	return a == aggregate;
}

static bool has_open_host(const struct tables *t, struct str zone_name)
{
	const struct host *h = host_first(t);
	while (h && !(row_is_live(&h->row) && engine_is_host_open(h) &&
		      str_equal(engine_get_zone_name(t, h), zone_name)))
		h = host_next(t, h);
	return h != NULL;
}

static RESULT write_zones(struct os_call *e, struct json_writer *w, bool with_hosts)
{
	const struct tables *t = os_tables(e);
	json_write_open_list(w, "availabilityZoneInfo");
	for (const struct zone *z = zone_first(t); z; z = zone_next(t, z))
		if (row_is_live(&z->row))
			write_zone(e, w, z->name, z->enabled, with_hosts);
	for (const struct aggregate *a = aggregate_first(t); a; a = aggregate_next(t, a))
		if (makes_zone(t, a))
			write_zone(e, w, a->zone_name, has_open_host(t, a->zone_name), with_hosts);
	json_write_close_list(w);
	return OK;
}

static RESULT list_zones(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	return write_zones(e, w, false);
}

static RESULT detail_zones(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	return write_zones(e, w, true);
}

/* ---- ids ---- */

/* Since 2.53 ids are UUIDs; before, integers, here derived from the id's first 31 bits. */
int64_t os_number_of(uuid id)
{
	return (int64_t) (id.b[0] & 0x7f) << 24 | id.b[1] << 16 | id.b[2] << 8 | id.b[3];
}

static void write_host_id(struct os_call *e, struct json_writer *w, const struct host *h)
{
	if (e->request.version >= 53)
		os_write_id(w, "id", h->row.id);
	else
		json_write_int(w, "id", os_number_of(h->row.id));
}

struct os_host_target {
	struct str id;
};
static const struct param host_params[] = {
	OS_PATH(struct os_host_target, "id", id, .doc = "The host."),
};

static RESULT find_host(struct os_call *e, struct str id, const struct host **ret_host)
{
	int64_t number = -1;
	struct ref ref = {0};
	bool is_number = result_is_ok(str_parse_int(id, &number));
	bool is_id = os_parse_id(id, KIND_HOST, &ref);
	for (const struct host *h = host_first(os_tables(e)); h; h = host_next(os_tables(e), h)) {
		bool fits = e->request.version >= 53 ? is_id && uuid_equal(h->row.id, ref.prefix)
						     : is_number && os_number_of(h->row.id) == number;
		if (!fits || !row_is_live(&h->row))
			continue;
		*ret_host = h;
		return OK;
	}
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_HOST, "Compute host %" STR_FMT " could not be found.",
			     STR_ARG(str_slice(id, 0, 64)));
}

/* ---- hypervisors ---- */

/* Extracts 7002022 from "…QEMU 7.2.22". */
static int64_t version_of(struct str text)
{
	size_t at = 0;
	while (at < text.n && !str_starts_with(str_slice(text, at, text.n), STR("QEMU ")))
		at++;
	struct str rest = at < text.n ? str_slice(text, at + strlen("QEMU "), text.n) : STR_NONE, part;
	int64_t version = 0, number = 0;
	for (int k = 0; k < 3; k++) {
		number = 0;
		if (str_split_next(&rest, '.', &part) && !result_is_ok(str_parse_int(part, &number)))
			number = 0;
		version = version * 1000 + number;
	}
	return version;
}

static void write_brief(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct host *h = item;
	write_host_id(e, w, h);
	json_write_text(w, "hypervisor_hostname", h->name);
	json_write_z(w, "state", is_up(h) ? "up" : "down");
	json_write_z(w, "status", engine_is_host_open(h) ? "enabled" : "disabled");
}

/* Extracts the address from libvirt's URI, "qemu+tls://192.0.2.7:16514/system"; loopback if the URI has
 * none. */
static struct ip parse_host_address(struct str uri)
{
	struct ip ip;
	struct str host = uri, scheme;
	bool has_host = str_split_next(&host, ':', &scheme) && str_starts_with(host, STR("//"));
	host = has_host ? str_slice(host, 2, host.n) : STR_NONE;
	host = str_slice(host, 0, str_find_char(host, '/', 0));
	host = str_starts_with(host, STR("[")) ? str_slice(host, 1, str_find_char(host, ']', 0))
					       : str_slice(host, 0, str_find_char(host, ':', 0));
	return result_is_ok(ip_parse(host, &ip)) ? ip : ip_from_v4(UINT32_C(0x7f000001));
}

/* An object since 2.28, before the same JSON as text. Only the number of processors is known. */
static void write_processors(struct os_call *e, struct json_writer *w, const struct host *h)
{
	struct str info = str_print(e->c->arena,
				    "{\"topology\":{\"cells\":1,\"sockets\":1,\"cores\":%lld,\"threads\":1}}",
				    (long long) h->seen_cpus);
	if (e->request.version >= 28)
		json_write_raw(w, "cpu_info", info);
	else
		json_write_text(w, "cpu_info", info);
}

/* Usage, up to 2.87; Placement reports it afterwards. */
static void write_use(struct os_call *e, struct json_writer *w, const struct host *h)
{
	struct host_usage use;
	engine_read_host_use(h, &use);
	write_processors(e, w, h);
	json_write_int(w, "current_workload", 0);
	json_write_int(w, "vcpus", h->seen_cpus);
	json_write_int(w, "vcpus_used", use.vcpus);
	json_write_int(w, "memory_mb", h->seen_memory / MIB);
	json_write_int(w, "memory_mb_used", (use.memory + h->reserved_memory) / MIB);
	json_write_int(w, "free_ram_mb", (h->seen_memory - h->reserved_memory - use.memory) / MIB);
	json_write_int(w, "local_gb", h->seen_disk / GIB);
	json_write_int(w, "local_gb_used", use.disk / GIB);
	json_write_int(w, "free_disk_gb", (h->seen_disk - use.disk) / GIB);
	json_write_int(w, "disk_available_least", (h->seen_disk - use.disk) / GIB);
	json_write_int(w, "running_vms", use.instances);
}

/* A host, with its servers if the query asks for them. */
struct hypervisor {
	const struct host *host;
	bool has_servers;
	VEC(const struct instance *) servers;
};

static const struct hypervisor *gather_servers_of(struct os_call *e, const struct row *row, bool has_servers)
{
	struct hypervisor *h = arena_new_object(e->c->arena, struct hypervisor);
	if (!h)
		return NULL;
	*h = (struct hypervisor){.host = host_of(row), .has_servers = has_servers};
	for (const struct instance *i = instance_first_by_host(os_tables(e), row->id); h->has_servers && i;
	     i = instance_next_by_host(os_tables(e), i))
		if (model_derive_instance_state(i) != INSTANCE_TERMINATED &&
		    !VEC_PUSH(e->c->arena, &h->servers, i))
			return NULL;
	return h;
}

static const void *gather_hypervisor(struct os_call *e, const struct row *row)
{
	bool has_servers = e->request.version >= 53 &&
			   str_equal_nocase(pairs_find(&e->request.query, "with_servers"), STR("true"));
	return gather_servers_of(e, row, has_servers);
}

/* As in Nova, a host without servers has no such member before 2.75. */
static void write_servers(struct os_call *e, struct json_writer *w, const struct hypervisor *h)
{
	if (!h->servers.count && e->request.version < 75)
		return;
	json_write_open_list(w, "servers");
	for (size_t k = 0; k < h->servers.count; k++) {
		json_write_open(w, NULL);
		os_write_id(w, "uuid", h->servers.at[k]->row.id);
		json_write_text(w, "name", os_server_name(e->c->arena, h->servers.at[k]));
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_listed(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct hypervisor *h = item;
	write_brief(e, w, h->host);
	if (h->has_servers)
		write_servers(e, w, h);
}

/* Formats the uptime like the command: " 08:32:11 up 93 days, 18:25". Users and load are unknown to
 * libvirt. Empty if the host is down or its boot time unknown. */
static struct str write_uptime(struct arena *a, const struct host *h)
{
	char now[CLOCK_TEXT_SIZE];
	struct str time = str_slice(str_from(clock_write_s(clock_now_us(), now)), 11, 19);
	int64_t minutes = (clock_now_us() - h->seen_booted_us) / MINUTE, days = minutes / (24 * 60);
	int hour = (int) (minutes / 60 % 24), minute = (int) (minutes % 60);
	if (!h->seen_booted_us || !is_up(h) || minutes < 0)
		return STR_NONE;
	struct str rest = hour ? str_print(a, "%2d:%02d", hour, minute) : str_print(a, "%d min", minute);
	return days ? str_print(a, " %" STR_FMT " up %d day%s, %" STR_FMT, STR_ARG(time), (int) days,
				days == 1 ? "" : "s", STR_ARG(rest))
		    : str_print(a, " %" STR_FMT " up %" STR_FMT, STR_ARG(time), STR_ARG(rest));
}

static void write_hypervisor(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct hypervisor *shown = item;
	const struct host *h = shown->host;
	write_listed(e, w, shown);
	json_write_z(w, "hypervisor_type", "QEMU");
	json_write_int(w, "hypervisor_version", version_of(h->seen_version));
	os_write_ip(w, "host_ip", parse_host_address(h->uri));
	json_write_open(w, "service");
	write_host_id(e, w, h);
	json_write_text(w, "host", h->name);
	json_write_text_or_null(w, "disabled_reason", engine_host_reason(h));
	json_write_close(w);
	if (e->request.version < 88)
		write_use(e, w, h);
	else
		json_write_text_or_null(w, "uptime", write_uptime(e->c->arena, h));
}

static const struct os_filter hypervisor_filters[] = {
	{"hypervisor_hostname_pattern", "name", .is_pattern = true},
};
#define HYPERVISORS(write_them)                                                                              \
	{                                                                                                    \
		.kind = KIND_HOST, .items = "hypervisors", .links = "hypervisors_links",                     \
		.others = "with_servers", .filters = OS_FILTERS(hypervisor_filters),                         \
		.flags = OS_ALL_SEE_ALL, .pages_since = 33, .page_max = 1000, .gather = gather_hypervisor,   \
		.write = (write_them),                                                                       \
	}
static const struct os_listing hypervisor_briefs = HYPERVISORS(write_listed);
static const struct os_listing hypervisor_details = HYPERVISORS(write_hypervisor);

static RESULT show_hypervisor(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct host *host = NULL;
	TRY(find_host(e, ((const struct os_host_target *) args)->id, &host));
	const void *item = gather_hypervisor(e, &host->row);
	if (!item)
		return ctx_no_memory(e->c);
	write_hypervisor(e, w, item);
	return OK;
}

/* As in Nova, 400 if the host is down. */
static RESULT show_uptime(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct host *host = NULL;
	TRY(find_host(e, ((const struct os_host_target *) args)->id, &host));
	if (!is_up(host))
		return ctx_fail_field(e->c, ERR_INVALID, STR("hypervisor_id"),
				      "Compute service of %" STR_FMT " is unavailable at this time.",
				      STR_ARG(host->name));
	struct str uptime = write_uptime(e->c->arena, host);
	if (str_is_empty(uptime))
		return ctx_fail_kind(e->c, ERR_UNSUPPORTED, KIND_HOST,
				     "The requested functionality is not supported.");
	write_brief(e, w, host);
	json_write_text(w, "uptime", uptime);
	return OK;
}

/* Finds hosts whose name contains the text, which the path calls "id" here. */
static RESULT search_hypervisors(struct os_call *e, const void *args, struct json_writer *w)
{
	struct str words = ((const struct os_host_target *) args)->id;
	bool has_servers = str_ends_with(str_from(os_action_of(e)->path), STR("/servers"));
	size_t count = 0;
	json_write_open_list(w, "hypervisors");
	for (const struct host *h = host_first(os_tables(e)); h; h = host_next(os_tables(e), h)) {
		if (!row_is_live(&h->row) || !str_contains(h->name, words))
			continue;
		const struct hypervisor *item = gather_servers_of(e, &h->row, has_servers);
		if (!item)
			return ctx_no_memory(e->c);
		json_write_open(w, NULL);
		write_listed(e, w, item);
		json_write_close(w);
		count++;
	}
	json_write_close_list(w);
	return count ? OK
		     : ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_HOST,
				     "No hypervisor matching '%" STR_FMT "' could be found.",
				     STR_ARG(str_slice(words, 0, 64)));
}

static RESULT show_statistics(struct os_call *e, const void *args, struct json_writer *w)
{
	struct host sum = {0};
	struct host_usage use = {0}, one;
	int64_t count = 0;
	(void) args;
	for (const struct host *h = host_first(os_tables(e)); h; h = host_next(os_tables(e), h)) {
		if (!row_is_live(&h->row))
			continue;
		engine_read_host_use(h, &one);
		count++;
		sum.seen_cpus += h->seen_cpus;
		sum.seen_memory += h->seen_memory;
		sum.seen_disk += h->seen_disk;
		sum.reserved_memory += h->reserved_memory;
		use.vcpus += one.vcpus;
		use.memory += one.memory;
		use.disk += one.disk;
		use.instances += one.instances;
	}
	json_write_int(w, "count", count);
	json_write_int(w, "vcpus", sum.seen_cpus);
	json_write_int(w, "vcpus_used", use.vcpus);
	json_write_int(w, "memory_mb", sum.seen_memory / MIB);
	json_write_int(w, "memory_mb_used", (use.memory + sum.reserved_memory) / MIB);
	json_write_int(w, "free_ram_mb", (sum.seen_memory - sum.reserved_memory - use.memory) / MIB);
	json_write_int(w, "local_gb", sum.seen_disk / GIB);
	json_write_int(w, "local_gb_used", use.disk / GIB);
	json_write_int(w, "free_disk_gb", (sum.seen_disk - use.disk) / GIB);
	json_write_int(w, "disk_available_least", (sum.seen_disk - use.disk) / GIB);
	json_write_int(w, "running_vms", use.instances);
	json_write_int(w, "current_workload", 0);
	return OK;
}

/* ---- services ---- */

static void write_service(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct host *h = item;
	write_host_id(e, w, h);
	json_write_z(w, "binary", "nova-compute");
	json_write_text(w, "host", h->name);
	json_write_text(w, "zone", engine_get_zone_name(os_tables(e), h));
	json_write_z(w, "status", engine_is_host_open(h) ? "enabled" : "disabled");
	json_write_z(w, "state", is_up(h) ? "up" : "down");
	os_write_time_us(w, "updated_at", h->seen_since_us);
	json_write_text_or_null(w, "disabled_reason", engine_host_reason(h));
	if (e->request.version >= 11)
		json_write_bool(w, "forced_down", h->forced_down);
}

static bool fits_binary(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	(void) row;
	return str_is(value, "nova-compute");
}

static const struct os_filter service_filters[] = {
	{"host", "name"},
	{"binary", .fits = fits_binary},
};
static const struct os_listing services = {
	.kind = KIND_HOST,
	.items = "services",
	.filters = OS_FILTERS(service_filters),
	.flags = OS_ALL_SEE_ALL,
	.write = write_service,
};

static RESULT list_services(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_page page;
	(void) args;
	TRY(os_select(e, &services, &page));
	json_write_open_list(w, services.items);
	for (size_t k = 0; k < page.count; k++) {
		json_write_open(w, NULL);
		write_service(e, w, page.rows[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

struct os_service_change {
	struct host_settings wish;
	struct str id;   /* since 2.53 */
	struct str host; /* before 2.53 */
	struct str binary;
	bool forced_down, has_forced_down;
};
#define FORCED_DOWN(...)                                                                                     \
	OS_BODY(struct os_service_change, "forced_down", forced_down,                                        \
		.given = offsetof(struct os_service_change, has_forced_down) + 1,                            \
		.doc = "Marks the host as down, whether it answers or not.", __VA_ARGS__)
#define REASON(...)                                                                                          \
	OS_BODY(struct os_service_change, "disabled_reason", wish.reason, .min = 1, .max = 255,              \
		.doc = "Reason for disabling the host.", __VA_ARGS__)
static const struct param service_params[] = {
	OS_PATH(struct os_service_change, "id", id, .doc = "Id of the service."),
	OS_BODY(struct os_service_change, "status", wish.enabled, .yes = "enabled", .no = "disabled",
		.doc = "Whether the host accepts new servers."),
	REASON(.flags = 0),
	FORCED_DOWN(.flags = 0),
};
#define HOST_AND_BINARY                                                                                      \
	OS_BODY(struct os_service_change, "host", host, .flags = REQUIRED, .doc = "Name of the host."),      \
		OS_BODY(struct os_service_change, "binary", binary, .flags = REQUIRED,                       \
			.words = "nova-compute", .doc = "Only nova-compute.")
static const struct param named_params[] = {HOST_AND_BINARY};
static const struct param reason_params[] = {HOST_AND_BINARY, REASON(.flags = REQUIRED)};
static const struct param down_params[] = {HOST_AND_BINARY, FORCED_DOWN(.flags = REQUIRED)};

static enum choice choice_of(bool yes)
{
	return yes ? CHOICE_YES : CHOICE_NO;
}

static RESULT prepare_service(struct os_call *e, void *args)
{
	struct os_service_change *a = args;
	const struct host *host = NULL;
	TRY(find_host(e, a->id, &host));
	a->wish.host = (struct ref){.kind = KIND_HOST, .prefix = host->row.id, .bits = 128, .text = a->id};
	if (a->has_forced_down)
		a->wish.forced_down = choice_of(a->forced_down);
	if (a->wish.reason.n && a->wish.enabled != CHOICE_NO)
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("disabled_reason"),
			"Specifying 'disabled_reason' when status is not 'disabled' is invalid.");
	if (a->wish.enabled == CHOICE_DEFAULT && !a->has_forced_down)
		return ctx_fail_field(e->c, ERR_INVALID, STR("status"),
				      "No updates were requested. Fields 'status' or 'forced_down' should be "
				      "specified.");
	return OK;
}

static RESULT show_service(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_service_change *a = args;
	const struct row *host = NULL;
	TRY(os_find_returned(e, a->wish.host.prefix, &host));
	write_service(e, w, host_of(host));
	return OK;
}

/* Up to 2.52 the path is the command and the body names the host. */
static RESULT prepare_named(struct os_call *e, void *args)
{
	struct os_service_change *a = args;
	a->wish.host = (struct ref){.kind = KIND_HOST, .text = a->host, .field = STR("host")};
	if (a->has_forced_down)
		a->wish.forced_down = choice_of(a->forced_down);
	else
		a->wish.enabled = choice_of(str_ends_with(e->path, STR("/enable")));
	return OK;
}

static RESULT show_named(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_service_change *a = args;
	(void) e;
	json_write_text(w, "host", a->host);
	json_write_z(w, "binary", "nova-compute");
	if (a->has_forced_down)
		json_write_bool(w, "forced_down", a->forced_down);
	else
		json_write_z(w, "status", a->wish.enabled == CHOICE_YES ? "enabled" : "disabled");
	if (a->wish.reason.n)
		json_write_text(w, "disabled_reason", a->wish.reason);
	return OK;
}

#define HOST_ARGS OS_PARAMS(struct os_host_target, host_params)
#define SERVICE(word, from, rows, words)                                                                     \
	{                                                                                                    \
		.method = HTTP_PUT, .path = "/v2.1/os-services/" word,                                       \
		.permit = "os_compute_api:os-services:update", .flags = OS_ADMIN | API_WRITES,               \
		.since = (from), .until = 52, .args = OS_PARAMS(struct os_service_change, rows),             \
		.item = "service", .prepare = prepare_named, .operation = engine_update_host_run,            \
		.answer = show_named, .returns = API_RETURNS_NOTHING_STORED, .doc = (words),                 \
	}
static const struct os_action actions[] = {
	{HTTP_GET, "/v2.1/os-availability-zone", .permit = "os_compute_api:os-availability-zone:list",
	 .answer = list_zones, .doc = "Lists availability zones."},
	{HTTP_GET, "/v2.1/os-availability-zone/detail",
	 .permit = "os_compute_api:os-availability-zone:detail", .flags = OS_ADMIN, .answer = detail_zones,
	 .doc = "Lists availability zones with their hosts."},
	{HTTP_GET, "/v2.1/os-hypervisors", .permit = "os_compute_api:os-hypervisors:list", .flags = OS_ADMIN,
	 .list = &hypervisor_briefs, .doc = "Lists hypervisors with id and name."},
	{HTTP_GET, "/v2.1/os-hypervisors/detail", .permit = "os_compute_api:os-hypervisors:list-detail",
	 .flags = OS_ADMIN, .list = &hypervisor_details, .doc = "Lists hypervisors with their resources."},
	{HTTP_GET, "/v2.1/os-hypervisors/statistics", .permit = "os_compute_api:os-hypervisors:statistics",
	 .flags = OS_ADMIN, .until = 87, .item = "hypervisor_statistics", .answer = show_statistics,
	 .doc = "Shows the totals of all hypervisors."},
	{HTTP_GET, "/v2.1/os-hypervisors/{id}", .permit = "os_compute_api:os-hypervisors:show",
	 .flags = OS_ADMIN, .args = HOST_ARGS, .item = "hypervisor", .answer = show_hypervisor,
	 .doc = "Shows one hypervisor."},
	{HTTP_GET, "/v2.1/os-hypervisors/{id}/uptime", .permit = "os_compute_api:os-hypervisors:uptime",
	 .flags = OS_ADMIN, .until = 87, .args = HOST_ARGS, .item = "hypervisor", .answer = show_uptime,
	 .doc = "Shows the uptime of a hypervisor."},
	{HTTP_GET, "/v2.1/os-hypervisors/{id}/search", .permit = "os_compute_api:os-hypervisors:search",
	 .flags = OS_ADMIN, .until = 52, .args = HOST_ARGS, .answer = search_hypervisors,
	 .doc = "Lists hypervisors whose name contains a text."},
	{HTTP_GET, "/v2.1/os-hypervisors/{id}/servers", .permit = "os_compute_api:os-hypervisors:servers",
	 .flags = OS_ADMIN, .until = 52, .args = HOST_ARGS, .answer = search_hypervisors,
	 .doc = "Lists hypervisors whose name contains a text, with their servers."},
	{HTTP_GET, "/v2.1/os-services", .permit = "os_compute_api:os-services:list", .flags = OS_ADMIN,
	 .list = &services, .answer = list_services, .doc = "Lists the hosts as compute services."},
	{HTTP_PUT, "/v2.1/os-services/{id}", .permit = "os_compute_api:os-services:update",
	 .flags = OS_ADMIN | API_WRITES, .since = 53,
	 .args = OS_PARAMS(struct os_service_change, service_params), .item = "service",
	 .prepare = prepare_service, .operation = engine_update_host_run, .answer = show_service,
	 .returns = KIND_HOST, .doc = "Enables or disables a host for new servers."},
	SERVICE("enable", 0, named_params, "Enables a host for new servers."),
	SERVICE("disable", 0, named_params, "Disables a host for new servers."),
	SERVICE("disable-log-reason", 0, reason_params,
		"Disables a host for new servers and stores the reason."),
	SERVICE("force-down", 11, down_params, "Marks a host as down, or removes the mark."),
};
const struct os_actions os_compute_host_actions = OS_ACTIONS(OS_COMPUTE, actions);
