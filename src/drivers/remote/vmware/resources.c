/* SPDX-License-Identifier: Apache-2.0
 * Resources of vCenter and ESXi other than machines: a table row for each type. Disks and snapshots are parts of machines;
 * all others are objects. Source: vSphere Web Services API reference 8.0. */
#include "drivers/remote/vmware/resources.h"

#include "drivers/remote/draft.h"

enum { PAGE_SIZE = 500, PARTS_PAGE_SIZE = 200 };

#define AT RESOURCE_ATTRIBUTE_AT
#define PUT RESOURCE_AT

/* Each object is a resource, or parts of it are: disks or snapshots. */
enum parts { PARTS_NONE, PARTS_DISKS, PARTS_SNAPSHOTS };

/* wanted: an object counts only if that property is true; NULL: all count. type_name: attribute with the object's type; NULL:
 * none. Paths are properties; of parts, paths inside of a part. */
static const struct type_row {
	const char *type, *wanted, *type_name;
	const char *properties[RESOURCE_PLACES_MAX];
	enum parts parts;
	struct resource_place places[RESOURCE_PLACES_MAX];
} rows[] = {
	[REMOTE_RESOURCE_TYPE_IMAGE] = {"VirtualMachine",
					"config.template",
					NULL,
					{"name", "config.template", "config.guestFullName",
					 "config.hardware.numCPU", "config.hardware.memoryMB",
					 "summary.storage.committed"},
					PARTS_NONE,
					{PUT("name", NAME), AT("config.guestFullName", "platform"),
					 AT("config.hardware.numCPU", "vcpus"),
					 AT("config.hardware.memoryMB", "memory_mib"),
					 PUT("summary.storage.committed", BYTES)}},
	[REMOTE_RESOURCE_TYPE_NETWORK] = {"Network",
					  NULL,
					  "network_type",
					  {"name", "summary.accessible"},
					  PARTS_NONE,
					  {PUT("name", NAME), AT("summary.accessible", "is_accessible")}},
	[REMOTE_RESOURCE_TYPE_VOLUME] = {"VirtualMachine",
					 NULL,
					 NULL,
					 {"config.hardware.device"},
					 PARTS_DISKS,
					 {PUT("deviceInfo/label", NAME), PUT("capacityInBytes", BYTES),
					  AT("backing/fileName", "file"),
					  AT("backing/thinProvisioned", "is_thin"),
					  PUT("backing/datastore", ZONE)}},
	[REMOTE_RESOURCE_TYPE_SNAPSHOT] = {"VirtualMachine",
					   NULL,
					   NULL,
					   {"snapshot"},
					   PARTS_SNAPSHOTS,
					   {PUT("snapshot", REF), PUT("name", NAME), PUT("state", STATE),
					    AT("description", "description"), AT("createTime", "created"),
					    AT("quiesced", "is_quiesced")}},
	[REMOTE_RESOURCE_TYPE_HOST] =
		{"HostSystem",
		 NULL,
		 NULL,
		 {"name", "parent", "runtime.connectionState", "runtime.inMaintenanceMode",
		  "summary.hardware.memorySize", "summary.hardware.numCpuThreads", "summary.hardware.model",
		  "summary.hardware.uuid", "summary.hardware.numCpuPkgs", "summary.config.product.version"},
		 PARTS_NONE,
		 {PUT("name", NAME), PUT("parent", PARENT), PUT("runtime.connectionState", STATE),
		  AT("runtime.inMaintenanceMode", "is_in_maintenance"),
		  PUT("summary.hardware.memorySize", BYTES), AT("summary.hardware.numCpuThreads", "vcpus"),
		  AT("summary.hardware.model", "model"), AT("summary.hardware.uuid", "uuid"),
		  AT("summary.hardware.numCpuPkgs", "sockets"),
		  AT("summary.config.product.version", "version")}},
	[REMOTE_RESOURCE_TYPE_CLUSTER] = {"ComputeResource",
					  NULL,
					  "cluster_type",
					  {"name", "summary.overallStatus", "summary.totalMemory",
					   "summary.numCpuThreads", "summary.numHosts"},
					  PARTS_NONE,
					  {PUT("name", NAME), PUT("summary.overallStatus", STATE),
					   PUT("summary.totalMemory", BYTES),
					   AT("summary.numCpuThreads", "vcpus"),
					   AT("summary.numHosts", "hosts")}},
	[REMOTE_RESOURCE_TYPE_DATASTORE] = {"Datastore",
					    NULL,
					    NULL,
					    {"name", "summary.capacity", "summary.freeSpace", "summary.type",
					     "summary.accessible", "summary.maintenanceMode"},
					    PARTS_NONE,
					    {PUT("name", NAME), PUT("summary.capacity", BYTES),
					     AT("summary.freeSpace", "free_bytes"),
					     AT("summary.type", "datastore_type"),
					     AT("summary.accessible", "is_accessible"),
					     PUT("summary.maintenanceMode", STATE)}},
};

/* ---- reading ---- */

struct reading {
	struct ctx *c;
	const struct type_row *row;
	enum remote_resource_type type;
	struct remote_resources list;
	struct resource_draft draft;
	struct str object; /* id of the object that is being read */
	bool is_wanted, is_part;
};

static void put(struct reading *r, const char *path, enum resource_field field, struct str text)
{
	resource_put(&r->draft, &(struct resource_place){path, field, path}, text);
}

static RESULT begin(void *self, struct str type, struct str ref)
{
	struct reading *r = self;
	struct str id = str_copy(r->c->arena, ref), kind = str_copy(r->c->arena, type);
	if (!draft_is_id(id))
		return remote_fail_answer(r->c, "an object has no proper id");
	r->draft = (struct resource_draft){0};
	r->object = id;
	r->is_wanted = !r->row->wanted;
	r->is_part = false;
	if (r->row->parts == PARTS_NONE)
		put(r, "", RESOURCE_REF, id);
	if (r->row->type_name)
		put(r, r->row->type_name, RESOURCE_ATTRIBUTE, kind);
	return OK;
}

/* The part that is being read is over. */
static RESULT end_part(struct reading *r)
{
	if (!r->is_part)
		return OK;
	r->is_part = false;
	return resource_end(r->c, &r->draft, r->type, &r->list);
}

static void begin_part(struct reading *r)
{
	r->draft = (struct resource_draft){0};
	r->is_part = true;
	put(r, "", RESOURCE_PARENT, r->object);
}

static struct str last_of(struct str path)
{
	size_t from = path.n;
	while (from && path.p[from - 1] != '/')
		from--;
	return str_slice(path, from, path.n);
}

static bool is_snapshot(struct str below)
{
	struct str name = last_of(below);
	return str_is(name, "rootSnapshotList") || str_is(name, "childSnapshotList");
}

static RESULT enter(void *self, struct str property, struct str below, struct str xsi_type)
{
	struct reading *r = self;
	(void) property;
	bool is_disk = r->row->parts == PARTS_DISKS && str_is(below, "VirtualDevice");
	if (is_disk && str_is(xsi_type, "VirtualDisk"))
		begin_part(r);
	if (r->row->parts != PARTS_SNAPSHOTS || !is_snapshot(below))
		return OK;
	TRY(end_part(r)); /* a child begins behind its parent's own elements */
	begin_part(r);
	return OK;
}

/* The path inside of a part. */
static struct str inner_of(const struct reading *r, struct str below)
{
	if (r->row->parts == PARTS_SNAPSHOTS)
		return last_of(below);
	size_t slash = str_find_char(below, '/', 0);
	return str_slice(below, slash + 1, below.n);
}

static void take_part(struct reading *r, struct str below, struct str text)
{
	struct str inner = inner_of(r, below);
	if (r->row->parts == PARTS_DISKS && str_is(inner, "key") && draft_is_id(text))
		put(r, "", RESOURCE_REF,
		    str_print(r->c->arena, "%" STR_FMT ":%" STR_FMT, STR_ARG(r->object), STR_ARG(text)));
	for (size_t k = 0; k < RESOURCE_PLACES_MAX && r->row->places[k].path; k++)
		if (str_is(inner, r->row->places[k].path))
			resource_put(&r->draft, &r->row->places[k], text);
}

static RESULT value(void *self, struct str property, struct str below, struct str transient)
{
	struct reading *r = self;
	struct str text = transient.n ? str_copy(r->c->arena, transient) : STR_NONE;
	if (r->row->parts != PARTS_NONE) {
		bool is_end =
			r->row->parts == PARTS_DISKS ? str_is(below, "VirtualDevice") : is_snapshot(below);
		if (is_end)
			return end_part(r);
		if (r->is_part)
			take_part(r, below, text);
		return OK;
	}
	if (below.n)
		return OK;
	if (r->row->wanted && str_is(property, r->row->wanted))
		r->is_wanted = str_is(text, "true");
	for (size_t k = 0; k < RESOURCE_PLACES_MAX && r->row->places[k].path; k++)
		if (str_is(property, r->row->places[k].path))
			resource_put(&r->draft, &r->row->places[k], text);
	return OK;
}

static RESULT end(void *self)
{
	struct reading *r = self;
	if (r->row->parts != PARTS_NONE)
		return end_part(r);
	return r->is_wanted ? resource_end(r->c, &r->draft, r->type, &r->list) : OK;
}

static struct reading *begin_reading(struct ctx *c, enum remote_resource_type type)
{
	struct reading *r = arena_new_object(c->arena, struct reading);
	if (r)
		*r = (struct reading){.c = c, .row = &rows[type], .type = type};
	return r;
}

static struct remote_resource_page page_of(const struct reading *r, const struct vmware_page *page)
{
	return (struct remote_resource_page){
		.at = r->list.at, .count = r->list.count, .cursor = page->token, .entries = page->objects};
}

RESULT vmware_read_resources(struct ctx *c, struct str text, enum remote_resource_type type,
			     struct remote_resource_page *ret_page)
{
	struct vmware_page page;
	struct reading *r = begin_reading(c, type);
	if (!r)
		return ctx_no_memory(c);
	TRY(vmware_read_objects(c, text, "RetrievePropertiesEx",
				&(struct vmware_visitor){r, begin, enter, value, end}, &page));
	*ret_page = page_of(r, &page);
	return OK;
}

RESULT vmware_list_resources(struct ctx *c, struct remote *r, enum remote_resource_type type,
			     struct str cursor, struct remote_resource_page *ret_page)
{
	struct vmware_page page;
	const struct type_row *row = &rows[type];
	const struct vmware_listing listing = {row->type, row->properties,
					       row->parts == PARTS_NONE ? PAGE_SIZE : PARTS_PAGE_SIZE};
	struct reading *reading = begin_reading(c, type);
	if (!reading)
		return ctx_no_memory(c);
	TRY(vmware_list_objects(c, r, &listing, cursor,
				&(struct vmware_visitor){reading, begin, enter, value, end}, &page));
	*ret_page = page_of(reading, &page);
	return OK;
}
