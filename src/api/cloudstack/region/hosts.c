/* SPDX-License-Identifier: Apache-2.0
 * Infrastructure for operators: pods, clusters, hosts, storage pools and image stores. A zone also stands
 * for one pod and one cluster with its id; a host's own directory is a storage pool with the host's id.
 * Source: API reference 4.18; capacities: HostJoinDaoImpl.
 */
#include "api/cloudstack/region/annotations.h"
#include "api/cloudstack/region/region.h"
#include "engine/region/region.h"
#include "engine/resolve.h"
#include "engine/storage/storage_pool.h"
#include "model/zone.h"
#include "store/host.h"
#include "store/pool_host.h"
#include "store/storage_pool.h"

enum { MIB = 20, PERCENT_TEXT = 24 };

/* ---- pods and clusters ---- */

struct list_parts {
	struct cs_list_args list;
	struct ref zone, pod;
	struct str state, hypervisor, managed, type;
	enum choice shows_capacities;
};
#define P(wire, member, ...) PARAM(struct list_parts, wire, member, __VA_ARGS__)
#define PART_PARAMS                                                                                          \
	CS_LIST_PARAMS(struct list_parts, KIND_ZONE), CS_NAME_PARAM(struct list_parts),                      \
		P("zoneid", zone, .kind = KIND_ZONE, .fits = FITS(zone, row.id), .doc = "Zone."),            \
		P("allocationstate", state, .words = "Enabled|Disabled", .doc = "State."),                   \
		CS_SHOW_CAPACITIES_PARAM(struct list_parts, shows_capacities),                               \
		NOT_BUILT("storageaccessgroup")
static const struct param pod_params[] = {PART_PARAMS};
static const struct param cluster_params[] = {
	PART_PARAMS,
	P("podid", pod, .kind = KIND_ZONE, .fits = FITS(zone, row.id), .doc = "Pod."),
	P("hypervisor", hypervisor, .doc = "Hypervisor; only KVM."),
	P("managedstate", managed, .doc = "Managed state. All are Managed."),
	P("clustertype", type, .doc = "Cluster type. All are CloudManaged."),
	NOT_BUILT("arch"),
};
#undef P

static bool is_absent_or(struct str given, const char *word)
{
	return !given.n || str_equal_nocase(given, str_from(word));
}

static bool is_part_asked_for(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_parts *a = args;
	(void) e;
	return is_absent_or(a->state, zone_of(row)->enabled ? "Enabled" : "Disabled") &&
	       is_absent_or(a->hypervisor, "KVM") && is_absent_or(a->managed, "Managed") &&
	       is_absent_or(a->type, "CloudManaged");
}

static struct str get_pod_name(struct api_call *e, const struct row *zone)
{
	return str_print(e->c->arena, "%" STR_FMT "-pod", STR_ARG(zone_of(zone)->name));
}

static struct str get_cluster_name(struct api_call *e, const struct row *zone)
{
	return str_print(e->c->arena, "%" STR_FMT "-cluster", STR_ARG(zone_of(zone)->name));
}

static const struct member pod_members[] = {
	MEMBER(struct zone, "id", row.id),
	MEMBER_TEXT("name", get_pod_name),
	MEMBER(struct zone, "zoneid", row.id),
	MEMBER(struct zone, "zonename", name),
	MEMBER(struct zone, "allocationstate", enabled, .yes = "Enabled", .no = "Disabled"),
	MEMBER_WRITTEN("capacity", cs_write_capacities),
	MEMBER_WRITTEN("hasannotations", cs_write_pod_has_annotations),
};
static const struct api_listing pods = CS_LISTING(KIND_ZONE, "pod", pod_members, .get_name = get_pod_name,
						  .is_by_name = true, .matches = is_part_asked_for);

static const struct member cluster_members[] = {
	MEMBER(struct zone, "id", row.id),
	MEMBER_TEXT("name", get_cluster_name),
	MEMBER(struct zone, "podid", row.id),
	MEMBER_TEXT("podname", get_pod_name),
	MEMBER(struct zone, "zoneid", row.id),
	MEMBER(struct zone, "zonename", name),
	MEMBER_FIXED("hypervisortype", "\"KVM\""),
	MEMBER_FIXED("clustertype", "\"CloudManaged\""),
	MEMBER(struct zone, "allocationstate", enabled, .yes = "Enabled", .no = "Disabled"),
	MEMBER_WRITTEN("capacity", cs_write_capacities),
	MEMBER_FIXED("managedstate", "\"Managed\""),
	MEMBER_WRITTEN("hasannotations", cs_write_cluster_has_annotations),
	MEMBER_FIXED("memoryovercommitratio", "\"1.0\""),
};
static const struct api_listing clusters =
	CS_LISTING(KIND_ZONE, "cluster", cluster_members, .get_name = get_cluster_name, .is_by_name = true,
		   .matches = is_part_asked_for);

/* ---- hosts ---- */

struct list_hosts {
	struct cs_list_args list;
	struct ref zone, pod, cluster;
	struct str type, state, resource_state, hypervisor;
	struct strs details;
};
#define P(wire, member, ...) PARAM(struct list_hosts, wire, member, __VA_ARGS__)
static const struct param host_params[] = {
	CS_LIST_PARAMS(struct list_hosts, KIND_HOST),
	CS_NAME_PARAM(struct list_hosts),
	P("zoneid", zone, .kind = KIND_ZONE, .fits = FITS(host, zone), .doc = "Zone."),
	P("podid", pod, .kind = KIND_ZONE, .fits = FITS(host, zone), .doc = "Pod."),
	P("clusterid", cluster, .kind = KIND_ZONE, .fits = FITS(host, zone), .doc = "Cluster of the host."),
	P("type", type, .doc = "Type. All hosts are of type Routing."),
	P("state", state, .doc = "State: Up, Down or Connecting."),
	P("resourcestate", resource_state,
	  .doc = "Resource state: Enabled, Disabled, PrepareForMaintenance or Maintenance."),
	P("hypervisor", hypervisor, .doc = "Hypervisor; only KVM."),
	P("details", details, .doc = "Ignored: all details are shown."),
	NOT_BUILT("arch|managementserverid|outofbandmanagementpowerstate|storageaccessgroup|version|"
		  "virtualmachineid"),
	NOT_BUILT("hahost|outofbandmanagementenabled", .only = "false"),
};

static const char *state_of(const struct host *h)
{
	if (h->forced_down || h->seen_state == HOST_SEEN_STATE_DOWN)
		return "Down";
	return h->seen_state == HOST_SEEN_STATE_UP ? "Up" : "Connecting";
}

const char *cs_resource_state_of(const struct host *h)
{
	if (h->maintenance_us)
		return host_usage(h)->instances ? "PrepareForMaintenance" : "Maintenance";
	return h->enabled ? "Enabled" : "Disabled";
}

static bool is_host_asked_for(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_hosts *a = args;
	(void) e;
	return is_absent_or(a->type, "Routing") && is_absent_or(a->hypervisor, "KVM") &&
	       is_absent_or(a->state, state_of(host_of(row))) &&
	       is_absent_or(a->resource_state, cs_resource_state_of(host_of(row)));
}

static void write_state(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct host *h = host_of(row);
	(void) e;
	json_write_z(w, name, state_of(h));
	json_write_z(w, "resourcestate", cs_resource_state_of(h));
	if (strcmp(state_of(h), "Down") == 0)
		cs_write_time(w, "disconnected", h->seen_since_us);
}

static void write_text(struct json_writer *w, const char *name, int64_t value)
{
	char text[PERCENT_TEXT];
	snprintf(text, sizeof text, "%lld", (long long) value);
	json_write_z(w, name, text);
}

void cs_write_percent(struct json_writer *w, const char *name, int64_t used, int64_t all, const char *sign)
{
	char text[PERCENT_TEXT];
	int64_t hundredths = all > 0 ? (used * 10000 + all / 2) / all : 0;
	int n = snprintf(text, sizeof text, "%lld.%02d", (long long) (hundredths / 100),
			 (int) (hundredths % 100));
	while (text[n - 1] == '0')
		n--;
	n -= text[n - 1] == '.';
	snprintf(text + n, sizeof text - (size_t) n, "%s", sign);
	json_write_z(w, name, text);
}

static void write_cpus(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct host *h = host_of(row);
	int64_t offered = h->seen_cpus * h->overcommit_percent / 100, used = host_usage(h)->vcpus;
	(void) e;
	json_write_int(w, name, offered);
	json_write_int(w, "cpuspeed", CS_CPU_SPEED);
	json_write_int(w, "cpuallocatedvalue", used * CS_CPU_SPEED);
	cs_write_percent(w, "cpuallocated", used, offered, "%");
	cs_write_percent(w, "cpuallocatedpercentage", used, offered, "%");
	cs_write_percent(w, "cpuallocatedwithoverprovisioning", used, offered, "%");
	write_text(w, "cpuwithoverprovisioning", offered * CS_CPU_SPEED);
}

/* Memory is not overcommitted. */
static void write_memory(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct host *h = host_of(row);
	int64_t used = h->reserved_memory + host_usage(h)->memory;
	(void) e;
	json_write_int(w, name, h->seen_memory);
	write_text(w, "memorywithoverprovisioning", h->seen_memory);
	json_write_int(w, "memoryallocated", used);
	json_write_int(w, "memoryallocatedbytes", used);
	cs_write_percent(w, "memoryallocatedpercentage", used, h->seen_memory, "%");
}

static void write_disk(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) e;
	json_write_int(w, name, host_of(row)->seen_disk);
	json_write_int(w, "disksizeallocated", host_usage(host_of(row))->disk);
}

#define OF_ZONE JOIN_ONE(KIND_ZONE, host, zone)
#define PLACE_MEMBERS                                                                                        \
	MEMBER(struct host, "zoneid", zone), MEMBER(struct host, "podid", zone),                             \
		MEMBER(struct host, "clusterid", zone),                                                      \
		MEMBER(struct zone, "zonename", name, .path = {OF_ZONE}),                                    \
		MEMBER_TEXT_OF("podname", get_pod_name, OF_ZONE),                                            \
		MEMBER_TEXT_OF("clustername", get_cluster_name, OF_ZONE)
static const struct member host_members[] = {
	MEMBER(struct host, "id", row.id),
	MEMBER(struct host, "name", name),
	MEMBER_WRITTEN("state", write_state, .also = "resourcestate|disconnected"),
	MEMBER_FIXED("type", "\"Routing\""),
	PLACE_MEMBERS,
	MEMBER_FIXED("clustertype", "\"CloudManaged\""),
	MEMBER_FIXED("hypervisor", "\"KVM\""),
	MEMBER(struct host, "hypervisorversion", seen_version, .is_optional = true),
	MEMBER(struct host, "cpusockets", seen_sockets),
	MEMBER_WRITTEN("cpunumber", write_cpus,
		       .also = "cpuspeed|cpuallocatedvalue|cpuallocated|cpuallocatedpercentage|"
			       "cpuallocatedwithoverprovisioning|cpuwithoverprovisioning"),
	MEMBER_WRITTEN("memorytotal", write_memory,
		       .also = "memorywithoverprovisioning|memoryallocated|memoryallocatedbytes|"
			       "memoryallocatedpercentage"),
	MEMBER_WRITTEN("disksizetotal", write_disk, .also = "disksizeallocated"),
	MEMBER_FIXED("capabilities", "\"hvm,snapshot\""),
	CS_HAS_ANNOTATIONS,
	CS_NEWEST_ANNOTATION,
	MEMBER_FIXED("islocalstorageactive", "true"),
	MEMBER_FIXED("hahost", "false"),
	MEMBER_AS(struct host, TIME, "created", row.created_us),
};
const struct api_listing cs_hosts =
	CS_LISTING(KIND_HOST, "host", host_members, .name = offsetof(struct host, name), .is_by_name = true,
		   .matches = is_host_asked_for);
#undef P

/* ---- storage pools ---- */

/* A host's own directory, or a shared pool. */
struct pool {
	const struct row *row;
	bool is_shared;
	struct str name, path;
	const char *scope, *state;
	uuid zone; /* none: in every zone */
};
struct list_pools {
	struct cs_list_args list;
	struct ref zone, pod, cluster, host;
	struct str path, scope, status;
};
#define P(wire, member, ...) PARAM(struct list_pools, wire, member, __VA_ARGS__)
static const struct param pool_params[] = {
	CS_LIST_PARAMS(struct list_pools, KIND_STORAGE_POOL),
	CS_NAME_PARAM(struct list_pools),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Pools visible to hosts of this zone."),
	P("podid", pod, .kind = KIND_ZONE, .doc = "Pools visible to hosts of this pod."),
	P("clusterid", cluster, .kind = KIND_ZONE, .doc = "Pools visible to hosts of this cluster."),
	P("hostid", host, .kind = KIND_HOST, .doc = "Pools visible to this host."),
	P("path", path, .doc = "Path of the pool."),
	P("scope", scope, .doc = "Scope. HOST: one host; ZONE: shared by several hosts."),
	P("status", status, .doc = "Status: Up, Down or Disabled."),
	NOT_BUILT("ipaddress|storageaccessgroup"),
	NOT_BUILT("storagecustomstats", .only = "false"),
};
#undef P

static struct str get_pool_name(struct api_call *e, const struct row *row)
{
	return str_print(e->c->arena, "%" STR_FMT "-local", STR_ARG(host_of(row)->name));
}

static const char *own_state(const struct host *h)
{
	return strcmp(state_of(h), "Up") == 0 ? "Up" : "Down";
}

/* A pool that no host is known to see gets no volumes. */
static const char *shared_state(const struct tables *t, const struct storage_pool *pool)
{
	const struct pool_host *h = pool_host_first_by_pool(t, pool->row.id);
	while (h && h->seen_state != POOL_HOST_SEEN_STATE_PROVEN)
		h = pool_host_next_by_pool(t, h);
	return !pool->enabled ? "Disabled" : h ? "Up" : "Down";
}

static struct str get_shared_path(struct api_call *e, const struct row *row)
{
	const struct storage_pool *pool = storage_pool_of(row);
	(void) e;
	return pool->kind == STORAGE_POOL_KIND_RBD ? pool->rbd_pool : pool->path;
}

static struct str get_own_state(struct api_call *e, const struct row *row)
{
	(void) e;
	return str_from(own_state(host_of(row)));
}

static struct str get_shared_state(struct api_call *e, const struct row *row)
{
	return str_from(shared_state(api_tables(e), storage_pool_of(row)));
}

static struct str get_shared_type(struct api_call *e, const struct row *row)
{
	(void) e;
	return storage_pool_of(row)->kind == STORAGE_POOL_KIND_RBD ? STR("RBD") : STR("SharedMountPoint");
}

/* Address of the RBD monitors. Listing all of them is a guess. */
static struct str get_shared_ip(struct api_call *e, const struct row *row)
{
	const struct strs *monitors = &storage_pool_of(row)->monitors;
	struct str all = STR("");
	for (size_t k = 0; k < monitors->count; k++)
		all = str_print(e->c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(all), k ? "," : "",
				STR_ARG(monitors->at[k]));
	return all;
}

static void write_shared_disk(struct api_call *e, struct json_writer *w, const char *name,
			      const struct row *row)
{
	(void) e;
	json_write_int(w, name, storage_pool_of(row)->seen_size);
	json_write_int(w, "disksizeallocated", storage_pool_usage(storage_pool_of(row))->disk);
}

#define POOL_MEMBERS(T)                                                                                      \
	MEMBER_FIXED("overprovisionfactor", "\"1.0\""), MEMBER_FIXED("hypervisor", "\"KVM\""),               \
		MEMBER_FIXED("provider", "\"DefaultPrimary\""),                                              \
		MEMBER_AS(T, TIME, "created", row.created_us)
static const struct member own_rows[] = {
	MEMBER(struct host, "id", row.id),
	MEMBER_TEXT("name", get_pool_name),
	PLACE_MEMBERS,
	MEMBER(struct host, "path", pool_path),
	MEMBER_FIXED("type", "\"Filesystem\""),
	MEMBER_FIXED("scope", "\"HOST\""),
	MEMBER_TEXT("state", get_own_state),
	MEMBER_WRITTEN("disksizetotal", write_disk, .also = "disksizeallocated"),
	POOL_MEMBERS(struct host),
};
static const struct member shared_rows[] = {
	MEMBER(struct storage_pool, "id", row.id),
	CS_HAS_ANNOTATIONS,
	MEMBER(struct storage_pool, "name", name),
	MEMBER(struct storage_pool, "zoneid", zone),
	MEMBER(struct zone, "zonename", name, .path = {JOIN_ONE(KIND_ZONE, storage_pool, zone)}),
	MEMBER_MADE(TEXT, text, "ipaddress", get_shared_ip, .is_optional = true),
	MEMBER_TEXT("path", get_shared_path),
	MEMBER_TEXT("type", get_shared_type),
	MEMBER_FIXED("scope", "\"ZONE\""),
	MEMBER_TEXT("state", get_shared_state),
	MEMBER_WRITTEN("disksizetotal", write_shared_disk, .also = "disksizeallocated"),
	POOL_MEMBERS(struct storage_pool),
};

/* True if the pool is in the named zone, pod and cluster, and the host sees it. */
static bool is_pool_there(struct cs_call *e, const struct list_pools *a, const struct pool *p)
{
	const struct ref *const places[] = {&a->zone, &a->pod, &a->cluster};
	for (size_t k = 0; k < sizeof places / sizeof *places; k++)
		if (ref_is_given(places[k]) && !uuid_is_none(p->zone) &&
		    !uuid_equal(places[k]->prefix, p->zone))
			return false;
	if (!ref_is_given(&a->host))
		return true;
	return p->is_shared ? engine_host_sees_pool(cs_tables(e), a->host.prefix, p->row->id)
			    : uuid_equal(a->host.prefix, p->row->id);
}

static bool is_pool_asked_for(struct cs_call *e, const struct list_pools *a, const struct pool *p)
{
	return is_pool_there(e, a, p) &&
	       (!ref_is_given(&a->list.id) || uuid_equal(a->list.id.prefix, p->row->id)) &&
	       (!a->path.n || str_equal(a->path, p->path)) &&
	       (!a->list.name.n || str_equal_nocase(a->list.name, p->name)) &&
	       str_contains(str_lower(e->c->arena, p->name), str_lower(e->c->arena, a->list.keyword)) &&
	       is_absent_or(a->scope, p->scope) && is_absent_or(a->status, p->state);
}

static void write_pool(struct cs_call *e, struct json_writer *w, const void *item)
{
	static const struct members own = MEMBERS(own_rows), shared = MEMBERS(shared_rows);
	const struct pool *p = item;
	members_write(&e->core, w, cs_write_time, p->is_shared ? &shared : &own, p->row);
}

static int compare_pools(const void *left, const void *right)
{
	const struct pool *const *a = left, *const *b = right;
	return str_compare((*a)->name, (*b)->name);
}

static RESULT list_pools(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_pools *a = args;
	const struct tables *t = cs_tables(e);
	const struct ref *id = &a->list.id;
	size_t most = tables_count(t, KIND_HOST) + tables_count(t, KIND_STORAGE_POOL) + 1, all = 0, count = 0;
	struct pool *pools = arena_new_array(e->c->arena, struct pool, most);
	const void **items = arena_new_array(e->c->arena, const void *, most);
	if (!pools || !items)
		return ctx_no_memory(e->c);
	if (ref_is_given(id) && !host_find(t, id->prefix) && !storage_pool_find(t, id->prefix))
		return cs_fail_id(e, KIND_STORAGE_POOL, "id", id->text);
	for (const struct host *h = host_first(t); h; h = host_next(t, h))
		if (row_is_live(&h->row))
			pools[all++] = (struct pool){&h->row,
						     .name = get_pool_name(&e->core, &h->row),
						     .path = h->pool_path,
						     .scope = "HOST",
						     .state = own_state(h),
						     .zone = h->zone};
	for (const struct storage_pool *p = storage_pool_first(t); p; p = storage_pool_next(t, p))
		if (row_is_live(&p->row))
			pools[all++] =
				(struct pool){&p->row,         .is_shared = true,
					      .name = p->name, .path = get_shared_path(&e->core, &p->row),
					      .scope = "ZONE", .state = shared_state(t, p),
					      .zone = p->zone};
	for (size_t k = 0; k < all; k++)
		if (is_pool_asked_for(e, a, &pools[k]))
			items[count++] = &pools[k];
	qsort(items, count, sizeof *items, compare_pools);
	return cs_write_items(e, w, &a->list, "storagepool", items, count, write_pool);
}

/* ---- image stores, system VMs ---- */

struct list_stores {
	struct cs_list_args list;
	struct ref zone;
	struct str id, protocol, provider;
	enum choice is_read_only;
};
#define P(wire, member, ...) PARAM(struct list_stores, wire, member, __VA_ARGS__)
static const struct param store_params[] = {
	CS_PAGE_PARAMS(struct list_stores),
	CS_NAME_PARAM(struct list_stores),
	P("id", id, .doc = "Resource by id."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Zone. The single store serves all zones."),
	P("protocol", protocol, .doc = "Protocol; only file."),
	P("provider", provider, .doc = "Provider; only Dari."),
	P("readonly", is_read_only, .doc = "Whether the store is read-only."),
};
#undef P

/* Lists the image store: a directory on the server that serves all zones. It has the region's id. */
static RESULT list_stores(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_stores *a = args;
	struct api_list_wish page = {.limit = 0};
	struct str id = uuid_to_str(e->c->arena, engine_get_region_id(cs_tables(e)));
	TRY(cs_read_page(e, &a->list, &page));
	if (!is_absent_or(a->id, str_to_z(e->c->arena, id)) || !is_absent_or(a->list.name, "images") ||
	    !str_contains(STR("images"), str_lower(e->c->arena, a->list.keyword)) ||
	    !is_absent_or(a->protocol, "file") || !is_absent_or(a->provider, "Dari") ||
	    a->is_read_only == CHOICE_YES || page.offset)
		return OK;
	json_write_int(w, "count", 1);
	json_write_open_list(w, "imagestore");
	json_write_open(w, NULL);
	json_write_text(w, "id", id);
	json_write_z(w, "name", "images");
	json_write_z(w, "protocol", "file");
	json_write_z(w, "providername", "Dari");
	json_write_z(w, "scope", "REGION");
	json_write_bool(w, "readonly", false);
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

/* Routers, consoles and image stores need no system VMs here, so these lists are empty. */
struct list_system {
	struct cs_list_args list;
	struct str any;
};
#define P(wire) PARAM(struct list_system, wire, any, .doc = "Ignored: there are no system VMs.")
static const struct param system_params[] = {
	CS_PAGE_PARAMS(struct list_system),
	P("arch"),
	P("hostid"),
	P("id"),
	P("name"),
	P("podid"),
	P("state"),
	P("storageid"),
	P("systemvmtype"),
	P("zoneid"),
};
#undef P

static RESULT list_system(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_system *a = args;
	struct api_list_wish page = {.limit = 0};
	(void) w;
	return cs_read_page(e, &a->list, &page);
}

#define OPERATORS "ec2:DescribeHypervisors"
static const struct cs_action actions[] = {
	{CS_ACTION("listPods", OPERATORS), .flags = CS_ADMIN, .args = PARAMS(struct list_parts, pod_params),
	 .listing = &pods, .doc = "Lists pods, one for each zone."},
	{CS_ACTION("listClusters", OPERATORS), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_parts, cluster_params), .listing = &clusters,
	 .doc = "Lists clusters, one for each zone."},
	{CS_ACTION("listClustersMetrics", OPERATORS), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_parts, cluster_params), .listing = &clusters,
	 .doc = "Lists clusters, like listClusters."},
	{CS_ACTION("listHostsMetrics", OPERATORS), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_hosts, host_params), .listing = &cs_hosts,
	 .doc = "Lists hosts, like listHosts."},
	{CS_ACTION("listHosts", OPERATORS), .flags = CS_ADMIN, .args = PARAMS(struct list_hosts, host_params),
	 .listing = &cs_hosts, .doc = "Lists hosts."},
	{CS_ACTION("listStoragePools", OPERATORS), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_pools, pool_params), .answer = list_pools,
	 .says = "id|name|zoneid|podid|clusterid|zonename|podname|clustername|ipaddress|path|type|scope|"
		 "state|"
		 "disksizetotal|disksizeallocated|overprovisionfactor|hypervisor|provider|created",
	 .doc = "Lists primary storage: a directory of each host, and shared pools."},
	{CS_ACTION("listImageStores", OPERATORS), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_stores, store_params), .answer = list_stores,
	 .says = "id|name|protocol|providername|scope|readonly", .doc = "Lists image stores. There is one."},
	{CS_ACTION("listSystemVms", OPERATORS), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_system, system_params), .answer = list_system, .says = "",
	 .doc = "Lists system VMs. There are none."},
};
const struct api_actions cs_host_actions = API_ACTIONS(actions);
