/* SPDX-License-Identifier: Apache-2.0
 * Resources of Hyper-V other than machines: a table row for each type. Sources: Hyper-V WMI provider (V2), CIMWin32 provider,
 * Failover Cluster provider. */
#include "drivers/remote/hyperv/resources.h"

#include "drivers/remote/hyperv/files.h"
#include "drivers/remote/hyperv/hosts.h"
#include "drivers/remote/hyperv/machines.h"

enum { WANTED_MAX = 9 };

struct reading;
/* ref: makes the id, and what a table cannot say; empty: the instance is no resource. */
struct type_row {
	const char *space, *query;
	const char *wanted[WANTED_MAX];
	struct resource_place places[WANTED_MAX];
	struct str (*ref)(struct reading *r, const struct wsman_instance *i);
	bool has_zone;
};

struct reading {
	struct ctx *c;
	const struct type_row *row;
	enum remote_resource_type type;
	struct str zone;
	const struct hyperv_ids *machines;
	struct remote_resources list;
	struct resource_draft draft;
};

#define AT RESOURCE_ATTRIBUTE_AT
#define PUT RESOURCE_AT

static void put(struct reading *r, enum resource_field field, const char *attribute, struct str text)
{
	resource_put(&r->draft, &(struct resource_place){"", field, attribute}, text);
}

/* ---- ids ---- */

/* The name of a file without its folders. */
static struct str base_of(struct str path)
{
	size_t from = path.n;
	while (from && path.p[from - 1] != '\\')
		from--;
	return str_slice(path, from, path.n);
}

static struct str name_ref(struct reading *r, const struct wsman_instance *i)
{
	return str_copy(r->c->arena, wsman_get(i, "Name"));
}

static struct str switch_ref(struct reading *r, const struct wsman_instance *i)
{
	return str_lower(r->c->arena, wsman_get(i, "Name"));
}

static struct str volume_ref(struct reading *r, const struct wsman_instance *i)
{
	struct str id = wsman_get(i, "InstanceID"), owner = hyperv_owner(r->c, id);
	bool is_of_machine = false;
	for (size_t k = 0; owner.n && k < r->machines->count && !is_of_machine; k++)
		is_of_machine = str_equal(owner, r->machines->at[k]);
	if (!is_of_machine || !str_is(wsman_get(i, "ResourceSubType"), HYPERV_DISK_TYPE))
		return STR_NONE;
	put(r, RESOURCE_PARENT, NULL, owner);
	put(r, RESOURCE_NAME, NULL, base_of(wsman_get(i, "HostResource")));
	return hyperv_part_id(r->c, id);
}

static struct str snapshot_ref(struct reading *r, const struct wsman_instance *i)
{
	put(r, RESOURCE_PARENT, NULL, str_lower(r->c->arena, wsman_get(i, "VirtualSystemIdentifier")));
	return str_contains(wsman_get(i, "VirtualSystemType"), STR(":Snapshot:"))
		       ? hyperv_owner(r->c, wsman_get(i, "InstanceID"))
		       : STR_NONE;
}

/* Disks of machines that were created from here are in the same folder. */
static struct str image_ref(struct reading *r, const struct wsman_instance *i)
{
	struct str name = base_of(wsman_get(i, "Name"));
	put(r, RESOURCE_NAME, NULL, wsman_get(i, "FileName"));
	return str_equal_nocase(str_slice(name, 0, sizeof FILES_MADE - 1), STR(FILES_MADE)) ? STR_NONE : name;
}

static struct str drive_ref(struct reading *r, const struct wsman_instance *i)
{
	struct str drive = wsman_get(i, "DeviceID");
	put(r, RESOURCE_NAME, NULL, wsman_get(i, "VolumeName").n ? wsman_get(i, "VolumeName") : drive);
	return str_print(r->c->arena, "%" STR_FMT ":%" STR_FMT, STR_ARG(r->zone),
			 STR_ARG(str_slice(drive, 0, str_find_char(drive, ':', 0))));
}

/* query NULL: made from the provider. */
static const struct type_row rows[] = {
	[REMOTE_RESOURCE_TYPE_IMAGE] = {WINDOWS_SPACE,
					NULL,
					{"Name", "FileName", "FileSize"},
					{PUT("FileSize", BYTES)},
					image_ref,
					false},
	[REMOTE_RESOURCE_TYPE_NETWORK] = {HYPERV_SPACE,
					  "select * from Msvm_VirtualEthernetSwitch",
					  {"Name", "ElementName"},
					  {PUT("ElementName", NAME)},
					  switch_ref,
					  true},
	[REMOTE_RESOURCE_TYPE_VOLUME] = {HYPERV_SPACE,
					 "select * from Msvm_StorageAllocationSettingData",
					 {"InstanceID", "ResourceSubType", "HostResource"},
					 {AT("HostResource", "file")},
					 volume_ref,
					 true},
	[REMOTE_RESOURCE_TYPE_SNAPSHOT] = {HYPERV_SPACE,
					   "select * from Msvm_VirtualSystemSettingData",
					   {"InstanceID", "VirtualSystemIdentifier", "VirtualSystemType",
					    "ElementName", "CreationTime"},
					   {PUT("ElementName", NAME), AT("CreationTime", "created")},
					   snapshot_ref,
					   true},
	[REMOTE_RESOURCE_TYPE_HOST] = {WINDOWS_SPACE,
				       "select * from Win32_ComputerSystem",
				       {"Name", "Model", "NumberOfProcessors", "NumberOfLogicalProcessors",
					"TotalPhysicalMemory"},
				       {PUT("Name", NAME), PUT("TotalPhysicalMemory", BYTES),
					AT("NumberOfProcessors", "sockets"),
					AT("NumberOfLogicalProcessors", "vcpus"), AT("Model", "model")},
				       name_ref,
				       false},
	[REMOTE_RESOURCE_TYPE_CLUSTER] = {CLUSTER_SPACE,
					  "select * from MSCluster_Cluster",
					  {"Name"},
					  {PUT("Name", NAME)},
					  name_ref,
					  false},
	[REMOTE_RESOURCE_TYPE_DATASTORE] = {WINDOWS_SPACE,
					    "select * from Win32_LogicalDisk where DriveType = 3",
					    {"DeviceID", "VolumeName", "Size", "FreeSpace", "FileSystem"},
					    {PUT("Size", BYTES), AT("FreeSpace", "free_bytes"),
					     AT("FileSystem", "datastore_type")},
					    drive_ref,
					    true},
};

/* ---- reading ---- */

static RESULT take(void *self, const struct wsman_instance *i)
{
	struct reading *r = self;
	r->draft = (struct resource_draft){0};
	struct str ref = r->row->ref(r, i);
	if (!ref.n)
		return OK;
	put(r, RESOURCE_REF, NULL, ref);
	if (r->row->has_zone)
		put(r, RESOURCE_ZONE, NULL, r->zone);
	for (size_t k = 0; k < WANTED_MAX && r->row->places[k].path; k++)
		resource_put(&r->draft, &r->row->places[k], wsman_get(i, r->row->places[k].path));
	return resource_end(r->c, &r->draft, r->type, &r->list);
}

static struct reading *begin_reading(struct ctx *c, enum remote_resource_type type, struct str zone,
				     const struct hyperv_ids *machines)
{
	struct reading *r = arena_new_object(c->arena, struct reading);
	if (r)
		*r = (struct reading){
			.c = c, .row = &rows[type], .type = type, .zone = zone, .machines = machines};
	return r;
}

static struct remote_resource_page page_of(const struct reading *r)
{
	return (struct remote_resource_page){
		.at = r->list.at, .count = r->list.count, .entries = r->list.count};
}

RESULT hyperv_read_resources(struct ctx *c, struct str text, enum remote_resource_type type, struct str zone,
			     const struct hyperv_ids *machines, struct remote_resource_page *ret_page)
{
	struct wsman_page page;
	struct reading *r = begin_reading(c, type, zone, machines);
	if (!r)
		return ctx_no_memory(c);
	const struct wsman_visitor visitor = {.self = r, .wanted = r->row->wanted, .take = take};
	TRY(wsman_read_page(c, text, &visitor, &page));
	*ret_page = page_of(r);
	return OK;
}

/* ---- asking ---- */

struct gathering {
	struct ctx *c;
	struct hyperv_ids *ids;
};

static RESULT take_id(void *self, const struct wsman_instance *i)
{
	struct gathering *g = self;
	struct str id = str_lower(g->c->arena, wsman_get(i, "Name"));
	return !id.n || VEC_PUSH(g->c->arena, g->ids, id) ? OK : ctx_no_memory(g->c);
}

static RESULT list_ids(struct wsman_link *l, struct hyperv_ids *ids)
{
	static const char *const wanted[] = {"Name", NULL};
	struct gathering g = {l->c, ids};
	const struct wsman_query query = {HYPERV_SPACE, STR("select * from Msvm_ComputerSystem"),
					  HYPERV_MACHINES_MAX + 1};
	return wsman_enumerate(l, &query,
			       &(struct wsman_visitor){.self = &g, .wanted = wanted, .take = take_id});
}

RESULT hyperv_list_resources(struct wsman_link *l, enum remote_resource_type type,
			     struct remote_resource_page *ret_page)
{
	struct hyperv_ids machines = {0};
	struct reading *r = begin_reading(l->c, type, l->zone, &machines);
	if (!r)
		return ctx_no_memory(l->c);
	bool is_absent = (type == REMOTE_RESOURCE_TYPE_IMAGE && !l->r->project.n) ||
			 (type == REMOTE_RESOURCE_TYPE_CLUSTER && !hyperv_is_cluster(l->r));
	*ret_page = page_of(r);
	if (is_absent)
		return OK;
	if (type == REMOTE_RESOURCE_TYPE_VOLUME)
		TRY(list_ids(l, &machines));
	const struct wsman_visitor visitor = {.self = r, .wanted = r->row->wanted, .take = take};
	const struct wsman_query query = {r->row->space,
					  r->row->query ? str_from(r->row->query)
							: files_query_images(l->c, l->r->project),
					  4 * REMOTE_RESOURCES_PAGE_MAX};
	TRY(wsman_enumerate(l, &query, &visitor));
	*ret_page = page_of(r);
	return OK;
}
