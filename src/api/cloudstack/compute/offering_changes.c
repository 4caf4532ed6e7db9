/* SPDX-License-Identifier: Apache-2.0
 * Creates, changes and deletes offerings: instance types (Nova's flavors) and volume types. Members that
 * only CloudStack has are stored as specs. Names may repeat in CloudStack, but not in Nova and Cinder: a
 * duplicate gets a numbered row name, and a spec holds the offering's own name. Source: API reference,
 * "Service Offering", "Disk Offering", 4.18.
 */
#include "api/cloudstack/compute/compute.h"
#include "engine/instance/instance_type.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/volume_type/volume_type.h"
#include "store/instance_type.h"
#include "store/storage_pool.h"
#include "store/volume_type.h"

enum { MIB_SHIFT = 20, GIB_SHIFT = 30, SIZE_MAX_GIB = 16384 };

#define NAME_SPEC "cloudstack:name"
enum { SPECS_MAX = 3, NAMESAKES_MAX = 10000 };

/* ---- names ---- */

struct str cs_offering_name(const struct tags *specs, struct str name)
{
	const struct tag *said = tags_find(*specs, STR(NAME_SPEC));
	return said ? said->value : name;
}

struct str cs_service_name(struct api_call *e, const struct row *row)
{
	(void) e;
	return cs_offering_name(&instance_type_of(row)->extra_specs, instance_type_of(row)->name);
}

struct str cs_disk_name(struct api_call *e, const struct row *row)
{
	(void) e;
	return cs_offering_name(&volume_type_of(row)->specs, volume_type_of(row)->name);
}

/* ---- where disks lie ---- */

struct str cs_storage_word(bool is_shared)
{
	return is_shared ? STR("shared") : STR("local");
}

bool cs_fits_storage(struct str asked, bool is_shared)
{
	return !asked.n || str_equal_nocase(asked, cs_storage_word(is_shared));
}

bool cs_wants_shared(const struct instance_type *type)
{
	return tags_find(type->extra_specs, STR(CS_STORAGE_SPEC)) != NULL;
}

static bool is_taken(const struct tables *t, enum kind kind, struct str name)
{
	return kind == KIND_VOLUME_TYPE
		       ? volume_type_find_by_name(t, name) != NULL
		       : instance_type_find_by_name(t, name) || instance_type_find_by_flavor_id(t, name);
}

/* Makes the row's name unique. *specs has room for one more. */
static RESULT take_name(struct op *op, enum kind kind, struct str *name, struct tags *specs)
{
	struct arena *a = op->ctx->arena;
	struct str own = *name;
	struct tag *at = arena_new_array(a, struct tag, SPECS_MAX);
	if (!at)
		return ctx_no_memory(op->ctx);
	for (int n = 2; is_taken(op->head, kind, *name) && n < NAMESAKES_MAX; n++)
		*name = str_print(a, "%" STR_FMT " (%d)", STR_ARG(own), n);
	if (str_equal(own, *name))
		return OK;
	for (size_t k = 0; k < specs->count; k++)
		at[k] = specs->at[k];
	at[specs->count] = (struct tag){STR(NAME_SPEC), own};
	*specs = (struct tags){at, specs->count + 1};
	return OK;
}

/* ---- service offerings ---- */

struct make_service {
	struct instance_type_wish wish;
	int64_t memory, speed, root_disk;
	struct str storage;
};
#define P(wire, member, ...) PARAM(struct make_service, wire, member, __VA_ARGS__)
static const struct param create_service_params[] = {
	P("name", wish.name, .flags = REQUIRED, .min = 1, .doc = "Name; need not be unique."),
	P("displaytext", wish.description, .flags = REQUIRED, .max = 4096, .doc = "Display text."),
	P("cpunumber", wish.vcpus, .min = 1, .max = 1024, .flags = REQUIRED, .doc = "Number of CPUs."),
	P("cpuspeed", speed, .min = 1, .max = INT32_MAX, .doc = "CPU speed in MHz; stored and shown only."),
	P("memory", memory, .min = 1, .max = INT32_MAX, .flags = REQUIRED, .doc = "Memory in MiB."),
	P("rootdisksize", root_disk, .min = 1, .max = SIZE_MAX_GIB,
	  .doc = "Default size of the root disk in GiB."),
	P("offerha", wish.offers_ha,
	  .doc = "High availability: virtual machines restart on another host that sees their disks, once "
		 "their host is fenced."),
	NOT_BUILT("bytesreadrate|bytesreadratemax|bytesreadratemaxlength|byteswriterate|byteswriteratemax|"
		  "byteswriteratemaxlength|deploymentplanner|diskofferingid|diskofferingstrictness|"
		  "externaldetails|"
		  "gpucount|gpudisplay|hosttags|hypervisorsnapshotreserve|iopsreadrate|"
		  "iopsreadratemax|iopsreadratemaxlength|iopswriterate|iopswriteratemax|"
		  "iopswriteratemaxlength|leaseduration|leaseexpiryaction|maxcpunumber|maxiops|maxmemory|"
		  "mincpunumber|miniops|minmemory|networkrate|serviceofferingdetails|storagepolicy|"
		  "systemvmtype|tags|vgpuprofileid"),
	P("storagetype", storage, .words = CS_STORAGE_TYPES,
	  .doc = "Storage of root disks. shared: a storage pool; absent: the storage that the image's type "
		 "selects."),
	CS_MAKES_OFFERED_PARAMS(struct make_service, wish.offered),
	NOT_BUILT(
		"customized|customizediops|dynamicscalingenabled|encryptroot|issystem|isvolatile|limitcpuuse|"
		"purgeresources",
		.only = "false"),
	NOT_BUILT("cachemode", .only = "none"),
	NOT_BUILT("provisioningtype", .only = "thin"),
};
#undef P

static RESULT prepare_create_service(struct cs_call *e, void *args)
{
	struct make_service *a = args;
	struct tag *spec = arena_new_array(e->c->arena, struct tag, SPECS_MAX);
	size_t count = 0;
	if (!spec)
		return ctx_no_memory(e->c);
	a->wish.memory = a->memory << MIB_SHIFT;
	a->wish.root_disk = a->root_disk << GIB_SHIFT;
	if (a->speed)
		spec[count++] = (struct tag){STR(CS_CPU_SPEED_SPEC),
					     str_print(e->c->arena, "%lld", (long long) a->speed)};
	if (str_is(a->storage, "shared"))
		spec[count++] = (struct tag){STR(CS_STORAGE_SPEC), a->storage};
	a->wish.specs = (struct tags){spec, count};
	return OK;
}

static RESULT create_service(struct op *op, void *args)
{
	struct make_service *a = args;
	TRY(take_name(op, KIND_INSTANCE_TYPE, &a->wish.name, &a->wish.specs));
	return engine_create_instance_type(op, &a->wish);
}

struct change_service {
	struct instance_type_settings wish;
	struct cs_offered offered;
	struct str text, state;
};
#define P(wire, member, ...) PARAM(struct change_service, wire, member, __VA_ARGS__)
static const struct param update_service_params[] = {
	P("id", wish.type, .kind = KIND_INSTANCE_TYPE, .flags = REQUIRED, .doc = "The offering."),
	P("name", wish.name, .doc = "New name."),
	P("displaytext", text, .max = 4096, .doc = "New display text."),
	P("state", state, .doc = "State: Active; or Inactive, which allows no new use."),
	CS_CHANGES_OFFERED_PARAMS(struct change_service, offered),
	NOT_BUILT("externaldetails|hosttags|sortkey|storagetags"),
	NOT_BUILT("cleanupexternaldetails|purgeresources", .only = "false"),
};
#undef P

/* A new name replaces the numbered row name. */
static struct str spec_to_drop(struct cs_call *e, const struct ref *ref)
{
	const struct instance_type *type = instance_type_find(cs_tables(e), ref->prefix);
	return type && tags_find(type->extra_specs, STR(NAME_SPEC)) ? STR(NAME_SPEC) : STR_NONE;
}

static RESULT prepare_update_service(struct cs_call *e, void *args)
{
	struct change_service *a = args;
	bool is_active = str_equal_nocase(a->state, STR("Active"));
	if (a->state.n && !is_active && !str_equal_nocase(a->state, STR("Inactive")))
		return cs_fail(e, "state", "The state %" STR_FMT " is neither Active nor Inactive",
			       STR_ARG(a->state));
	a->wish.set_description = a->text.n > 0;
	a->wish.description = a->text;
	if (a->wish.name)
		a->wish.remove_spec = spec_to_drop(e, &a->wish.type);
	if (a->state.n)
		a->wish.enabled = is_active ? CHOICE_YES : CHOICE_NO;
	return cs_take_offered(e, &a->offered, "service offering", &a->wish.offered);
}

/* ---- disk offerings ---- */

int64_t cs_offering_size(const struct volume_type *type)
{
	const struct tag *said = tags_find(type->specs, STR(VOLUME_TYPE_DISK_SIZE));
	int64_t size = 0;
	return said && result_is_ok(str_parse_int(said->value, &size)) && size > 0 ? size : 0;
}

RESULT cs_choose_size(struct cs_call *e, const struct volume_type *type, int64_t *size)
{
	int64_t fixed = cs_offering_size(type);
	if (!fixed && !*size)
		return cs_fail(e, "size", "This disk offering requires a custom size specified");
	if (fixed && *size)
		return cs_fail(e, "size", "This disk offering does not allow custom size");
	*size = fixed ? fixed : *size;
	return OK;
}

struct make_disk {
	struct volume_type_wish wish;
	int64_t size;
	struct str storage;
	enum choice is_custom, encrypts;
};
#define RATES                                                                                                \
	"bytesreadrate|bytesreadratemax|bytesreadratemaxlength|byteswriterate|byteswriteratemax|"            \
	"byteswriteratemaxlength|iopsreadrate|iopsreadratemax|iopsreadratemaxlength|iopswriterate|"          \
	"iopswriteratemax|iopswriteratemaxlength|tags"
#define P(wire, member, ...) PARAM(struct make_disk, wire, member, __VA_ARGS__)
static const struct param create_disk_params[] = {
	P("name", wish.name, .flags = REQUIRED, .min = 1, .doc = "Name; need not be unique."),
	P("displaytext", wish.description, .flags = REQUIRED, .max = 4096, .doc = "Display text."),
	P("disksize", size, .min = 1, .max = SIZE_MAX_GIB, .doc = "Size of each volume in GiB."),
	P("encrypt", encrypts, .doc = "Whether volumes are encrypted."),
	P("customized", is_custom, .doc = "Whether the size is given when a volume is created."),
	P("storagetype", storage, .words = CS_STORAGE_TYPES,
	  .doc = "Storage of volumes. shared: the region's storage pool; local (default): the disk of a "
		 "host."),
	CS_MAKES_OFFERED_PARAMS(struct make_disk, wish.offered),
	NOT_BUILT(RATES "|details|hypervisorsnapshotreserve|maxiops|miniops|storagepolicy"),
	NOT_BUILT("customizediops|disksizestrictness", .only = "false"),
	NOT_BUILT("cachemode", .only = "none"),
	NOT_BUILT("displayoffering", .only = "true"),
	NOT_BUILT("provisioningtype", .only = "thin"),
};
#undef P

/* Finds the pool for a shared offering. There must be no choice, because `tags`, which would choose, is not
 * built. */
static RESULT find_only_pool(struct cs_call *e, const struct storage_pool **ret_pool)
{
	const struct storage_pool *pool = storage_pool_first(cs_tables(e));
	*ret_pool = NULL;
	for (; pool; pool = storage_pool_next(cs_tables(e), pool)) {
		if (*ret_pool && pool->enabled)
			return cs_fail(e, "storagetype",
				       "There are several storage pools: make a volume type that names one "
				       "of them by "
				       "volume_backend_name");
		if (pool->enabled)
			*ret_pool = pool;
	}
	return *ret_pool
		       ? OK
		       : cs_fail(e, "storagetype",
				 "There is no storage pool that several hosts see: `dari pool add` adds one");
}

/* The messages are those of ConfigurationManagerImpl.createDiskOffering(). */
static RESULT prepare_create_disk(struct cs_call *e, void *args)
{
	struct make_disk *a = args;
	const struct storage_pool *pool = NULL;
	struct tag *spec = arena_new_array(e->c->arena, struct tag, SPECS_MAX);
	size_t count = 0;
	if (!spec)
		return ctx_no_memory(e->c);
	if (!a->size && a->is_custom != CHOICE_YES)
		return cs_fail(e, "disksize", "Disksize is required for a non-customized disk offering");
	if (a->size && a->is_custom == CHOICE_YES)
		return cs_fail(e, "disksize", "Disksize is not allowed for a customized disk offering");
	if (str_is(a->storage, "shared")) {
		TRY(find_only_pool(e, &pool));
		spec[count++] = (struct tag){STORAGE_POOL_SPEC, pool->name};
	}
	if (a->size)
		spec[count++] = (struct tag){STR(VOLUME_TYPE_DISK_SIZE),
					     str_print(e->c->arena, "%lld", (long long) a->size)};
	a->wish.set_specs = true;
	a->wish.specs = (struct tags){spec, count};
	return OK;
}

static RESULT create_disk(struct op *op, void *args)
{
	struct make_disk *a = args;
	TRY(take_name(op, KIND_VOLUME_TYPE, &a->wish.name, &a->wish.specs));
	TRY(engine_create_volume_type(op, &a->wish));
	struct volume_type_crypt crypt = {
		.type = cs_ref_of(op->ctx, KIND_VOLUME_TYPE, a->wish.volume_type, "encrypt"),
		.set_provider = true,
		.provider = STR("luks")};
	return a->encrypts == CHOICE_YES ? engine_encrypt_volume_type(op, &crypt) : OK;
}

struct change_disk {
	struct volume_type_wish wish;
	struct cs_offered offered;
};
#define P(wire, member, ...) PARAM(struct change_disk, wire, member, __VA_ARGS__)
static const struct param update_disk_params[] = {
	P("id", wish.type, .kind = KIND_VOLUME_TYPE, .flags = REQUIRED, .doc = "The offering."),
	P("name", wish.name, .given = offsetof(struct change_disk, wish.set_name) + 1,
	  .doc = "New name. Fails while volumes use the present one."),
	P("displaytext", wish.description, .max = 4096,
	  .given = offsetof(struct change_disk, wish.set_description) + 1, .doc = "New display text."),
	CS_CHANGES_OFFERED_PARAMS(struct change_disk, offered),
	NOT_BUILT(RATES "|sortkey"),
	NOT_BUILT("cachemode", .only = "none"),
	NOT_BUILT("displayoffering", .only = "true"),
	NOT_BUILT("state", .only = "active"),
};
#undef P

static RESULT prepare_update_disk(struct cs_call *e, void *args)
{
	struct change_disk *a = args;
	const struct volume_type *type = volume_type_find(cs_tables(e), a->wish.type.prefix);
	if (type && a->wish.set_name && tags_find(type->specs, STR(NAME_SPEC))) {
		struct tag *kept = arena_new_array(e->c->arena, struct tag, type->specs.count);
		size_t count = 0;
		if (!kept)
			return ctx_no_memory(e->c);
		for (size_t k = 0; k < type->specs.count; k++)
			if (!str_is(type->specs.at[k].key, NAME_SPEC))
				kept[count++] = type->specs.at[k];
		a->wish.set_specs = true; /* sends all specs, so that the old name is dropped */
		a->wish.specs = (struct tags){kept, count};
	}
	return cs_take_offered(e, &a->offered, "disk offering", &a->wish.offered);
}

#define CHANGES .flags = API_WRITES | CS_ADMIN
static const struct cs_action actions[] = {
	{CS_ACTION("createServiceOffering", "ec2:CreateInstanceType"), CHANGES,
	 .args = PARAMS(struct make_service, create_service_params), .prepare = prepare_create_service,
	 .operation = create_service, .returns = KIND_INSTANCE_TYPE,
	 CS_SUBJECT(struct make_service, wish.instance_type), .shows = &cs_service_offerings,
	 .doc = "Creates a service offering."},
	{CS_ACTION("updateServiceOffering", "ec2:ModifyInstanceType"), CHANGES,
	 .args = PARAMS(struct change_service, update_service_params), .prepare = prepare_update_service,
	 .operation = engine_update_instance_type_run, .returns = KIND_INSTANCE_TYPE,
	 CS_SUBJECT(struct change_service, wish.type.prefix), .shows = &cs_service_offerings,
	 .doc = "Changes a service offering."},
	{CS_ACTION("deleteServiceOffering", "ec2:DeleteInstanceType"), CHANGES,
	 .args = CS_ONE(struct instance_type_target, "id", type, KIND_INSTANCE_TYPE,
			"The offering. Virtual machines that use it keep their size."),
	 .operation = engine_delete_instance_type_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a service offering."},
	{CS_ACTION("createDiskOffering", "ec2:CreateVolumeType"), CHANGES,
	 .args = PARAMS(struct make_disk, create_disk_params), .prepare = prepare_create_disk,
	 .operation = create_disk, .returns = KIND_VOLUME_TYPE,
	 CS_SUBJECT(struct make_disk, wish.volume_type), .shows = &cs_disk_offerings,
	 .doc = "Creates a disk offering."},
	{CS_ACTION("updateDiskOffering", "ec2:ModifyVolumeType"), CHANGES,
	 .args = PARAMS(struct change_disk, update_disk_params), .prepare = prepare_update_disk,
	 .operation = engine_update_volume_type_run, .returns = KIND_VOLUME_TYPE,
	 CS_SUBJECT(struct change_disk, wish.type.prefix), .shows = &cs_disk_offerings,
	 .doc = "Changes a disk offering."},
	{CS_ACTION("deleteDiskOffering", "ec2:DeleteVolumeType"), CHANGES,
	 .args = CS_ONE(struct volume_type_target, "id", type, KIND_VOLUME_TYPE,
			"The offering, which no volume may use."),
	 .operation = engine_delete_volume_type_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a disk offering."},
};
const struct api_actions cs_offering_change_actions = API_ACTIONS(actions);
