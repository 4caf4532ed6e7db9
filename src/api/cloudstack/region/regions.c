/* SPDX-License-Identifier: Apache-2.0
 * The region and its capacity. Source: API reference 4.18, "Region", "System Capacity"; capacity numbers:
 * Capacity.java.
 */
#include "api/cloudstack/region/region.h"
#include "auth/key/cloudstack_signature.h"
#include "engine/capacity.h"
#include "engine/region/region.h"
#include "engine/resolve.h"
#include "store/catalog_entry.h"
#include "store/external_network.h"
#include "store/host.h"
#include "store/zone.h"

/* ---- listRegions ---- */

struct list_regions {
	struct cs_list_args list;
	int64_t id;
};
static const struct param region_params[] = {
	CS_PAGE_PARAMS(struct list_regions),
	CS_NAME_PARAM(struct list_regions),
	PARAM(struct list_regions, "id", id, .min = 1, .max = INT32_MAX, .doc = "Region by number."),
};

void cs_write_region(struct cs_call *e, struct json_writer *w, const void *item)
{
	const struct shown_region *r = item;
	(void) e;
	json_write_int(w, "id", r->id);
	json_write_text(w, "name", r->name);
	json_write_text(w, "endpoint", r->endpoint);
	json_write_bool(w, "gslbserviceenabled", false);
	json_write_bool(w, "portableipserviceenabled", false);
}

static bool is_region_asked_for(struct cs_call *e, const struct list_regions *a, const struct shown_region *r)
{
	return (!a->id || a->id == r->id) && (!a->list.name.n || str_equal_nocase(a->list.name, r->name)) &&
	       str_contains(str_lower(e->c->arena, r->name), str_lower(e->c->arena, a->list.keyword));
}

/* Lists this region, and those that an administrator added. */
static RESULT list_regions(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_regions *a = args;
	const struct tables *t = cs_tables(e);
	size_t most = tables_count(t, KIND_CATALOG_ENTRY) + 1, all = 1, count = 0;
	struct shown_region *regions = arena_new_array(e->c->arena, struct shown_region, most);
	const void **items = arena_new_array(e->c->arena, const void *, most);
	if (!regions || !items)
		return ctx_no_memory(e->c);
	regions[0] = (struct shown_region){
		CS_REGION_ID, engine_get_region_name(t),
		str_print(e->c->arena, "%" STR_FMT "/client/", STR_ARG(e->config->endpoint))};
	for (const struct catalog_entry *r = catalog_entry_first(t); r; r = catalog_entry_next(t, r))
		if (cs_region_number(r))
			regions[all++] = (struct shown_region){cs_region_number(r), r->description, r->text};
	for (size_t k = 0; k < all; k++)
		if (is_region_asked_for(e, a, &regions[k]))
			items[count++] = &regions[k];
	return cs_write_items(e, w, &a->list, "region", items, count, cs_write_region);
}

/* ---- listManagementServers ---- */

struct list_servers {
	struct cs_list_args list;
	struct str id, version;
};
static const struct param server_params[] = {
	CS_PAGE_PARAMS(struct list_servers),
	CS_NAME_PARAM(struct list_servers),
	PARAM(struct list_servers, "id", id, .doc = "Resource by id."),
	PARAM(struct list_servers, "version", version, .doc = "Version."),
	NOT_BUILT("peers", .only = "false"),
};

/* The processes of a region act as one server, whose id and name are the region's. */
static RESULT list_servers(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_servers *a = args;
	struct arena *arena = e->c->arena;
	struct api_list_wish page = {.limit = 0};
	struct str name = engine_get_region_name(cs_tables(e));
	struct str id = uuid_to_str(arena, engine_get_region_id(cs_tables(e)));
	TRY(cs_read_page(e, &a->list, &page));
	if ((a->id.n && !str_equal_nocase(a->id, id)) || (a->version.n && !str_is(a->version, CS_VERSION)) ||
	    (a->list.name.n && !str_equal_nocase(a->list.name, name)) ||
	    !str_contains(str_lower(arena, name), str_lower(arena, a->list.keyword)))
		return OK;
	json_write_int(w, "count", 1);
	json_write_open_list(w, "managementserver");
	if (!page.offset) {
		json_write_open(w, NULL);
		json_write_text(w, "id", id);
		json_write_text(w, "name", name);
		json_write_z(w, "state", "Up");
		json_write_z(w, "version", CS_VERSION);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- listCapacity ---- */

enum capacity_type { MEMORY = 0, CPU = 1, PUBLIC_ADDRESSES = 4, LOCAL_STORAGE = 9, CPU_CORES = 90 };

struct list_capacity {
	struct cs_list_args list;
	struct ref zone, pod, cluster;
	int64_t type;
	bool has_type;
};
#define P(wire, member, ...) PARAM(struct list_capacity, wire, member, __VA_ARGS__)
static const struct param capacity_params[] = {
	CS_PAGE_PARAMS(struct list_capacity),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Zone."),
	P("podid", pod, .kind = KIND_ZONE, .doc = "Pod."),
	P("clusterid", cluster, .kind = KIND_ZONE, .doc = "Cluster."),
	P("type", type, .min = 0, .max = 90, .given = offsetof(struct list_capacity, has_type) + 1,
	  .doc = "0: memory; 1: MHz; 4: public addresses; 9: local storage; 90: CPU cores."),
	NOT_BUILT("sortby|tag"),
	NOT_BUILT("fetchlatest", .only = "false|true"), /* figures are always the latest */
};
#undef P

struct capacity_row {
	const struct zone *zone; /* NULL: the whole region */
	enum capacity_type type;
	const char *name;
	int64_t used, all;
};

static void write_capacity(struct cs_call *e, struct json_writer *w, const void *item)
{
	const struct capacity_row *row = item;
	json_write_int(w, "type", row->type);
	json_write_z(w, "name", row->name);
	if (row->zone) {
		json_write_text(w, "zoneid", uuid_to_str(e->c->arena, row->zone->row.id));
		json_write_text(w, "zonename", row->zone->name);
	}
	json_write_int(w, "capacityallocated", row->used);
	json_write_int(w, "capacityused", row->used);
	json_write_int(w, "capacitytotal", row->all);
	cs_write_percent(w, "percentused", row->used, row->all, "");
}

enum { ROWS_OF_ZONE = 4 };

/* Sums the hosts of the zone. */
static void sum_zone(const struct tables *t, const struct zone *zone, struct capacity_row *ret_rows)
{
	struct capacity_row memory = {zone, MEMORY, "MEMORY", 0, 0},
			    cores = {zone, CPU_CORES, "CPU_CORE", 0, 0},
			    disk = {zone, LOCAL_STORAGE, "LOCAL_STORAGE", 0, 0};
	for (const struct host *h = host_first_by_zone(t, zone->row.id); h; h = host_next_by_zone(t, h)) {
		memory.used += h->reserved_memory + host_usage(h)->memory;
		memory.all += h->seen_memory;
		cores.used += host_usage(h)->vcpus;
		cores.all += h->seen_cpus * h->overcommit_percent / 100;
		disk.used += host_usage(h)->disk;
		disk.all += h->seen_disk;
	}
	ret_rows[0] = memory;
	ret_rows[1] =
		(struct capacity_row){zone, CPU, "CPU", cores.used * CS_CPU_SPEED, cores.all * CS_CPU_SPEED};
	ret_rows[2] = disk;
	ret_rows[3] = cores;
}

/* Sums all external networks, which belong to the whole region. */
static struct capacity_row sum_addresses(const struct tables *t)
{
	struct capacity_row sum = {NULL, PUBLIC_ADDRESSES, "VIRTUAL_NETWORK_PUBLIC_IP", 0, 0};
	for (const struct external_network *n = external_network_first(t); n;
	     n = external_network_next(t, n)) {
		struct capacity_use use;
		engine_read_capacity(t, CAPACITY_PUBLIC_ADDRESSES, &n->row, &use);
		sum.used += use.used;
		sum.all += use.all;
	}
	return sum;
}

static bool is_asked_for(const struct list_capacity *a, const struct capacity_row *row)
{
	const struct ref *const places[] = {&a->zone, &a->pod, &a->cluster};
	for (size_t k = 0; k < sizeof places / sizeof *places; k++)
		if (ref_is_given(places[k]) &&
		    (!row->zone || !uuid_equal(row->zone->row.id, places[k]->prefix)))
			return false;
	return !a->has_type || a->type == (int64_t) row->type;
}

void cs_write_capacities(struct api_call *core, struct json_writer *w, const char *name,
			 const struct row *row)
{
	struct cs_call *e = cs_call_of(core);
	struct capacity_row rows[ROWS_OF_ZONE];
	bool is_asked = str_equal_nocase(cloudstack_find_value(&e->pairs, CS_SHOW_CAPACITIES), STR("true"));
	if (!is_asked || !identity_is_admin(e->c->who))
		return;
	sum_zone(cs_tables(e), zone_of(row), rows);
	json_write_open_list(w, name);
	for (size_t k = 0; k < ROWS_OF_ZONE; k++) {
		json_write_open(w, NULL);
		write_capacity(e, w, &rows[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static RESULT list_capacity(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_capacity *a = args;
	const struct tables *t = cs_tables(e);
	size_t zones = tables_count(t, KIND_ZONE), all = 0, count = 0, most = zones * ROWS_OF_ZONE + 1;
	struct capacity_row *rows = arena_new_array(e->c->arena, struct capacity_row, most);
	const void **items = arena_new_array(e->c->arena, const void *, most);
	if (!rows || !items)
		return ctx_no_memory(e->c);
	for (const struct zone *z = zone_first(t); z && all < zones * ROWS_OF_ZONE; z = zone_next(t, z)) {
		sum_zone(t, z, rows + all);
		all += ROWS_OF_ZONE;
	}
	rows[all++] = sum_addresses(t);
	for (size_t k = 0; k < all; k++)
		if (is_asked_for(a, &rows[k]))
			items[count++] = &rows[k];
	return cs_write_items(e, w, &a->list, "capacity", items, count, write_capacity);
}

static const struct cs_action actions[] = {
	{CS_ACTION("listRegions", "ec2:DescribeRegions"), .args = PARAMS(struct list_regions, region_params),
	 .answer = list_regions, .says = CS_REGION_SAYS, .doc = "Lists regions."},
	{CS_ACTION("listManagementServers", "ec2:DescribeHypervisors"), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_servers, server_params), .answer = list_servers,
	 .says = "id|name|state|version",
	 .doc = "Lists management servers: the region's control plane is shown as one."},
	{CS_ACTION("listCapacity", "ec2:DescribeHypervisors"), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_capacity, capacity_params), .answer = list_capacity,
	 .says = "type|name|zoneid|zonename|capacityallocated|capacityused|capacitytotal|percentused",
	 .doc = "Lists total and used capacity."},
};
const struct api_actions cs_region_actions = API_ACTIONS(actions);
