/* SPDX-License-Identifier: Apache-2.0
 * Volumes, and disk offerings, which are volume types.
 */
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/compute/templates.h"
#include "api/cloudstack/region/annotations.h"
#include "api/cloudstack/storage/storage.h"
#include "api/cloudstack/upload/upload.h"
#include "engine/resolve.h"
#include "engine/storage/sending.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_destroy.h"
#include "engine/storage/volume_type/volume_type.h"
#include "model/image.h"
#include "model/state.h"
#include "model/states.h"
#include "model/zone.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/snapshot.h"
#include "store/storage_pool.h"
#include "store/volume.h"
#include "store/volume_type.h"

static const int64_t GIB = INT64_C(1) << 30;

/* ---- listVolumes ---- */

struct list_volumes {
	struct cs_list_args list;
	struct ref zone, machine, project, offering;
	struct str type, state;
};
#define P(wire, member, ...) PARAM(struct list_volumes, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_volumes, KIND_VOLUME),
	CS_NAME_PARAM(struct list_volumes),
	CS_IDS_PARAM(struct list_volumes, KIND_VOLUME),
	CS_OWNER_PARAMS(struct list_volumes),
	CS_PROJECT_PARAM(struct list_volumes, project),
	CS_TAGS_PARAM(struct list_volumes),
	P("zoneid", zone, .kind = KIND_ZONE, .fits = FITS(volume, zone), .doc = "Zone of the volume."),
	P("virtualmachineid", machine, .kind = KIND_INSTANCE, .fits = FITS(volume, instance),
	  .doc = "Virtual machine that the volume is attached to."),
	P("diskofferingid", offering, .kind = KIND_VOLUME_TYPE, .doc = "Disk offering of the volume."),
	P("type", type, .words = "ROOT|DATADISK", .doc = "Type: ROOT or DATADISK."),
	P("state", state, .doc = "State."),
	NOT_BUILT("clusterid|hostid|podid|serviceofferingid|storageid|isencrypted|displayvolume"),
	NOT_BUILT("listsystemvms|retrieveonlyresourcecount", .only = "false"),
};
#undef P

static bool is_root(const struct volume *v)
{
	return v->device_slot == 0 && !uuid_is_none(v->instance);
}

struct str cs_volume_type(struct api_call *e, const struct row *row)
{
	(void) e;
	return is_root(volume_of(row)) ? STR("ROOT") : STR("DATADISK");
}

/* Name of the volume. Root disks have none: CloudStack names them by the machine's number, which is
 * derived from its id here. */
struct str cs_volume_name(struct api_call *e, const struct row *row)
{
	const struct volume *v = volume_of(row);
	const uint8_t *id = v->instance.b;
	if (v->name.n || uuid_is_none(v->instance))
		return v->name;
	uint32_t number = (uint32_t) id[0] << 24 | (uint32_t) id[1] << 16 | (uint32_t) id[2] << 8 | id[3];
	return str_print(e->c->arena, "%s-%u", is_root(v) ? "ROOT" : "DATA", number);
}

/* Names the pool, for administrators only. A host's own pool has the host's id. */
static void write_storage(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct volume *v = volume_of(row);
	const struct storage_pool *pool = storage_pool_find(api_tables(e), v->pool);
	const struct host *host = host_find(api_tables(e), v->seen_host);
	if (!identity_is_admin(e->c->who) || !(pool || host))
		return;
	json_write_text(w, name,
			pool ? pool->name
			     : str_print(e->c->arena, "%" STR_FMT "-local", STR_ARG(host->name)));
	json_write_text(w, "storageid", uuid_to_str(e->c->arena, pool ? pool->row.id : host->row.id));
}

static struct str get_storage_type(struct api_call *e, const struct row *row)
{
	(void) e;
	return cs_storage_word(!uuid_is_none(volume_of(row)->pool));
}

static struct str get_state(struct api_call *e, const struct row *row)
{
	enum volume_sending sending = volume_of(row)->sending;
	(void) e;
	if (sending != VOLUME_SENDING_NONE && row_is_live(row))
		return str_from(cs_sending_words[sending]);
	return str_from(model_volume_states[model_derive_volume_state(volume_of(row))].cloudstack);
}

static const struct volume_type *type_of(struct api_call *e, const struct row *row)
{
	return volume_type_find_by_name(api_tables(e), volume_of(row)->type);
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_volumes *a = args;
	const struct volume_type *type = type_of(e, row);
	return !volume_of(row)->is_medium && (!a->type.n || str_equal(a->type, cs_volume_type(e, row))) &&
	       (!a->state.n || str_equal_nocase(a->state, get_state(e, row))) &&
	       (!ref_is_given(&a->offering) || (type && uuid_equal(type->row.id, a->offering.prefix)));
}

static void write_machine(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct volume *v = volume_of(row);
	const struct instance *i = instance_find(api_tables(e), v->instance);
	if (!i)
		return;
	json_write_text(w, name, uuid_to_str(e->c->arena, i->row.id));
	json_write_text(w, "vmname", cs_machine_name(e, &i->row));
	json_write_text(w, "vmdisplayname", cs_machine_display_name(e, &i->row));
	json_write_text(w, "vmstate", cs_machine_state(e, &i->row));
	json_write_int(w, "deviceid", v->device_slot);
	cs_write_time(w, "attached", v->attached_us);
}

static void write_offering(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct volume_type *type = type_of(e, row);
	if (!type || is_root(volume_of(row)))
		return;
	json_write_text(w, name, uuid_to_str(e->c->arena, type->row.id));
	struct str own = cs_offering_name(&type->specs, type->name);
	json_write_text(w, "diskofferingname", own);
	json_write_text(w, "diskofferingdisplaytext", type->description.n ? type->description : own);
}

/* A root disk's size comes from the machine's offering. */
static void write_size_of_machine(struct api_call *e, struct json_writer *w, const char *name,
				  const struct row *row)
{
	const struct instance *i = instance_find(api_tables(e), volume_of(row)->instance);
	const struct instance_type *type = i ? instance_type_find(api_tables(e), i->type) : NULL;
	if (!type || !is_root(volume_of(row)))
		return;
	json_write_text(w, name, uuid_to_str(e->c->arena, type->row.id));
	struct str own = cs_offering_name(&type->extra_specs, type->name);
	json_write_text(w, "serviceofferingname", own);
	json_write_text(w, "serviceofferingdisplaytext", type->description.n ? type->description : own);
}

static const struct member members[] = {
	MEMBER(struct volume, "id", row.id),
	MEMBER_TEXT("name", cs_volume_name),
	CS_OWNER_MEMBERS(volume),
	MEMBER(struct volume, "zoneid", zone),
	MEMBER(struct zone, "zonename", name, .path = {JOIN_ONE(KIND_ZONE, volume, zone)}),
	MEMBER_TEXT("type", cs_volume_type),
	MEMBER(struct volume, "size", size),
	MEMBER_TEXT("state", get_state),
	MEMBER_AS(struct volume, TIME, "created", row.created_us),
	MEMBER(struct volume, "virtualsize", seen_size),
	MEMBER(struct volume, "templateid", image),
	MEMBER(struct image, "templatename", name, .path = {JOIN_ONE(KIND_IMAGE, volume, image)}),
	MEMBER(struct image, "templatedisplaytext", description,
	       .path = {JOIN_ONE(KIND_IMAGE, volume, image)}, .instead = FITS(image, name)),
	MEMBER(struct volume, "snapshotid", snapshot),
	MEMBER_WRITTEN("virtualmachineid", write_machine,
		       .also = "vmname|vmdisplayname|vmstate|deviceid|attached"),
	MEMBER_WRITTEN("diskofferingid", write_offering, .also = "diskofferingname|diskofferingdisplaytext"),
	MEMBER_WRITTEN("serviceofferingid", write_size_of_machine,
		       .also = "serviceofferingname|serviceofferingdisplaytext"),
	MEMBER_WRITTEN("storage", write_storage, .also = "storageid"),
	MEMBER_WRITTEN("jobid", cs_write_pending_job, .also = "jobstatus"),
	MEMBER_FIXED("hypervisor", "\"KVM\""),
	MEMBER_TEXT("storagetype", get_storage_type),
	MEMBER_FIXED("provisioningtype", "\"thin\""),
	MEMBER_FIXED("destroyed|isextractable|quiescevm", "false"),
	MEMBER_FIXED("displayvolume", "true"),
	CS_HAS_ANNOTATIONS,
	MEMBER_WRITTEN("tags", cs_write_tags),
};
const struct api_listing cs_volumes =
	CS_LISTING(KIND_VOLUME, "volume", members, .get_name = cs_volume_name, .matches = matches);

/* ---- listDiskOfferings ---- */

struct list_offerings {
	struct cs_list_args list;
	struct ref zone, project;
	struct str storage;
};
static const struct param offering_params[] = {
	CS_LIST_PARAMS(struct list_offerings, KIND_VOLUME_TYPE),
	CS_NAME_PARAM(struct list_offerings),
	CS_OWNER_PARAMS(struct list_offerings),
	CS_PROJECT_PARAM(struct list_offerings, project),
	PARAM(struct list_offerings, "zoneid", zone, .kind = KIND_ZONE, .doc = "Zone that offers it."),
	NOT_BUILT("encrypt|storageid|virtualmachineid|volumeid"),
	NOT_BUILT("state", .only = "active"),
	PARAM(struct list_offerings, "storagetype", storage, .words = CS_STORAGE_TYPES,
	      .doc = "Storage of the volumes: shared or local."),
};

static bool sees_offering(struct api_call *e, const struct row *row)
{
	return engine_may_use_volume_type(e->c, volume_type_of(row));
}

static bool offering_matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_offerings *a = args;
	(void) e;
	return cs_fits_storage(a->storage, !uuid_is_none(volume_type_of(row)->pool)) &&
	       cs_fits_offered(row, &a->zone, &a->list.domain);
}

static void write_size(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	int64_t size = cs_offering_size(volume_type_of(row));
	(void) e;
	json_write_int(w, name, size);
	json_write_bool(w, "iscustomized", size == 0);
}

static void write_encrypt(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) e;
	json_write_bool(w, name, volume_type_of(row)->encrypted_us != 0);
}

static struct str get_offered_storage(struct api_call *e, const struct row *row)
{
	(void) e;
	return cs_storage_word(!uuid_is_none(volume_type_of(row)->pool));
}

static const struct member offering_members[] = {
	CS_HAS_ANNOTATIONS,
	MEMBER(struct volume_type, "id", row.id),
	MEMBER_TEXT("name", cs_disk_name),
	MEMBER(struct volume_type, "displaytext", description, .instead = FITS(volume_type, name)),
	MEMBER_AS(struct volume_type, TIME, "created", row.created_us),
	MEMBER_WRITTEN("disksize", write_size, .also = "iscustomized"),
	MEMBER_FIXED("iscustomizediops", "false"),
	MEMBER_WRITTEN("encrypt", write_encrypt),
	MEMBER_TEXT("storagetype", get_offered_storage),
	MEMBER_FIXED("provisioningtype", "\"thin\""),
	MEMBER_FIXED("cacheMode", "\"none\""),
	MEMBER_FIXED("displayoffering", "true"),
	MEMBER_WRITTEN("domainid", cs_write_offered, .also = CS_OFFERED_ALSO),
	MEMBER_FIXED("state", "\"Active\""),
};
const struct api_listing cs_disk_offerings =
	CS_LISTING(KIND_VOLUME_TYPE, "diskoffering", offering_members, .get_name = cs_disk_name,
		   .is_by_name = true, .sees = sees_offering, .matches = offering_matches);

/* ---- changes ---- */

struct make_volume {
	struct volume_wish wish;
	struct cs_owner owner;
	struct ref offering;
	int64_t size;
};
#define P(wire, member, ...) PARAM(struct make_volume, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.name, .doc = "Name."),
	CS_FOR_PARAMS(struct make_volume, owner),
	P("diskofferingid", offering, .kind = KIND_VOLUME_TYPE, .doc = "Disk offering."),
	P("size", size, .min = 1, .max = 16384, .doc = "Size in GiB."),
	P("snapshotid", wish.disk.snapshot, .kind = KIND_SNAPSHOT,
	  .doc = "Snapshot that the volume is created from."),
	P("zoneid", wish.zone, .kind = KIND_ZONE,
	  .doc = "Zone. A volume from a snapshot may be in any zone."),
	NOT_BUILT("customid|maxiops|miniops|storageid|virtualmachineid"),
	NOT_BUILT("displayvolume", .only = "true"),
};
#undef P

/* A volume from a snapshot is created in the zone of the snapshot's volume, unless a zone is given. */
static RESULT choose_zone(struct cs_call *e, struct make_volume *a)
{
	const struct snapshot *snapshot = NULL;
	if (ref_is_given(&a->wish.zone))
		return OK;
	if (!ref_is_given(&a->wish.disk.snapshot))
		return cs_fail(e, "zoneid",
			       "Missing parameter, zone must be specified when creating a volume by a disk "
			       "offering");
	TRY(engine_find_snapshot(e->c, cs_tables(e), &a->wish.disk.snapshot, &snapshot));
	const struct volume *source = volume_find(cs_tables(e), snapshot->volume);
	if (!source)
		return cs_fail(e, "zoneid",
			       "The zone of the snapshot is not known any more: zoneid must be specified");
	a->wish.zone = cs_ref_of(e->c, KIND_ZONE, source->zone, "zoneid");
	return OK;
}

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct make_volume *a = args;
	const struct volume_type *type = NULL;
	bool has_snapshot = ref_is_given(&a->wish.disk.snapshot);
	if (!ref_is_given(&a->offering) && !has_snapshot)
		return cs_fail(e, "diskofferingid",
			       "Missing parameter(s),either a positive volume size or a valid disk offering "
			       "id must be specified.");
	if (ref_is_given(&a->offering)) {
		TRY(engine_find_volume_type(e->c, cs_tables(e), &a->offering, &type));
		if (!has_snapshot)
			TRY(cs_choose_size(e, type, &a->size));
		a->wish.disk.type = str_copy(e->c->arena, type->name);
	}
	a->wish.disk.size = a->size * GIB;
	TRY(choose_zone(e, a));
	return cs_check_offered(e, &a->offering, a->wish.zone.prefix);
}

/* A volume whose data are uploaded by POST (upload/). */
struct await_volume {
	struct volume_awaiting wish;
	struct cs_owner owner;
	struct str format;
};
#define P(wire, member, ...) PARAM(struct await_volume, wire, member, __VA_ARGS__)
static const struct param await_params[] = {
	P("name", wish.name, .flags = REQUIRED, .doc = "Name."),
	P("format", format, .flags = REQUIRED, .doc = "Format: QCOW2, RAW, VHD, VHDX or VMDK."),
	P("zoneid", wish.zone, .kind = KIND_ZONE, .flags = REQUIRED, .doc = "Zone."),
	CS_FOR_PARAMS(struct await_volume, owner),
	P("diskofferingid", wish.type, .kind = KIND_VOLUME_TYPE, .doc = "Disk offering with a custom size."),
	NOT_BUILT("checksum|imagestoreuuid"),
};
#undef P

static RESULT prepare_await(struct cs_call *e, void *args)
{
	struct await_volume *a = args;
	const struct volume_type *type = NULL;
	a->wish.format = cs_read_format(a->format);
	if (!a->wish.format.n || str_is(a->wish.format, "iso"))
		return cs_fail(e, "format",
			       "Image format: %" STR_FMT
			       " is incorrect. Supported formats are QCOW2, RAW, VHD, VHDX, VMDK",
			       STR_ARG(a->format));
	if (ref_is_given(&a->wish.type)) {
		TRY(engine_find_volume_type(e->c, cs_tables(e), &a->wish.type, &type));
		if (cs_offering_size(type))
			return cs_fail(e, "diskofferingid", "Please specify a custom sized disk offering.");
	}
	return cs_begin_upload(e);
}

static RESULT show_awaited(struct cs_call *e, const void *args, struct json_writer *w)
{
	return cs_write_upload(e, ((const struct await_volume *) args)->wish.volume, w);
}

static const struct param attach_params[] = {
	PARAM(struct volume_attaching, "id", volume, .kind = KIND_VOLUME, .flags = REQUIRED,
	      .doc = "The volume."),
	PARAM(struct volume_attaching, "virtualmachineid", instance, .kind = KIND_INSTANCE, .flags = REQUIRED,
	      .doc = "The virtual machine."),
	NOT_BUILT("deviceid"),
};

struct detach_args {
	struct volume_detaching wish;
	struct ref machine;
	int64_t device;
	bool has_device;
};
static const struct param detach_params[] = {
	PARAM(struct detach_args, "id", wish.volume, .kind = KIND_VOLUME, .doc = "The volume."),
	PARAM(struct detach_args, "virtualmachineid", machine, .kind = KIND_INSTANCE,
	      .doc = "Virtual machine, instead of the volume; needs the device."),
	PARAM(struct detach_args, "deviceid", device, .min = 0, .max = 255,
	      .given = offsetof(struct detach_args, has_device) + 1, .doc = "Device number of the volume."),
};

/* Finds the volume by id, or by its device number in a machine. */
static RESULT prepare_detach(struct cs_call *e, void *args)
{
	struct detach_args *a = args;
	const struct instance *machine = NULL;
	if (ref_is_given(&a->wish.volume) == (ref_is_given(&a->machine) && a->has_device))
		return cs_fail(e, "id",
			       "Either a volume ID OR a device ID and an instance ID must be specified.");
	a->wish.instance = a->machine;
	if (ref_is_given(&a->wish.volume))
		return OK;
	TRY(engine_find_instance(e->c, cs_tables(e), &a->machine, &machine));
	struct volume_list disks;
	const struct volume *v = NULL;
	TRY(engine_list_disks(e->c->arena, cs_tables(e), machine->row.id, false, &disks));
	for (size_t k = 0; k < disks.count && !v; k++)
		v = disks.at[k]->device_slot == a->device ? disks.at[k] : NULL;
	if (!v)
		return cs_fail(e, "deviceid",
			       "Unable to find a volume with device ID %lld in the virtual machine",
			       (long long) a->device);
	a->wish.volume = cs_ref_of(e->c, KIND_VOLUME, v->row.id, "deviceid");
	return OK;
}

/* ---- what it is, and how large ---- */

struct resize_args {
	struct volume_modifying wish;
	struct ref offering;
	int64_t size;
	enum choice may_shrink;
};
#define P(wire, member, ...) PARAM(struct resize_args, wire, member, __VA_ARGS__)
#define RESIZED                                                                                              \
	P("id", wish.volume, .kind = KIND_VOLUME, .flags = REQUIRED, .doc = "The volume."),                  \
		P("size", size, .min = 1, .max = 16384, .doc = "Size in GiB."),                              \
		P("shrinkok", may_shrink, .doc = "Ignored: volumes cannot shrink."),                         \
		NOT_BUILT("maxiops|miniops"), NOT_BUILT("automigrate", .only = "false")
static const struct param resize_params[] = {
	RESIZED,
	P("diskofferingid", offering, .kind = KIND_VOLUME_TYPE, .doc = "New disk offering."),
};
static const struct param change_params[] = {
	RESIZED,
	P("diskofferingid", offering, .kind = KIND_VOLUME_TYPE, .flags = REQUIRED,
	  .doc = "New disk offering."),
};
#undef P

static RESULT prepare_resize(struct cs_call *e, void *args)
{
	struct resize_args *a = args;
	const struct volume_type *type = NULL;
	if (!a->size && !ref_is_given(&a->offering))
		return cs_fail(e, "size",
			       "The resize volume operation needs a new size, or another disk offering");
	if (ref_is_given(&a->offering)) {
		TRY(engine_find_volume_type(e->c, cs_tables(e), &a->offering, &type));
		a->wish.type = str_copy(e->c->arena, type->name);
		if (cs_offering_size(type)) /* an offering of fixed size decides the volume's new size */
			a->size = cs_offering_size(type);
	}
	a->wish.size = a->size * GIB;
	const struct volume *volume = volume_find(cs_tables(e), a->wish.volume.prefix);
	return cs_check_offered(e, &a->offering, volume ? volume->zone : UUID_NONE);
}

static const struct param update_params[] = {
	PARAM(struct volume_settings, "id", volume, .kind = KIND_VOLUME, .flags = REQUIRED,
	      .doc = "The volume."),
	PARAM(struct volume_settings, "name", name, .given = offsetof(struct volume_settings, set_name) + 1,
	      .doc = "New name."),
	NOT_BUILT("chaininfo|customid|path|state|storageid"),
	NOT_BUILT("deleteprotection", .only = "false"),
	NOT_BUILT("displayvolume", .only = "true"),
};

/* ---- destroyVolume, recoverVolume ---- */

static const struct param destroy_params[] = {
	PARAM(struct volume_destruction, "id", volume, .kind = KIND_VOLUME, .flags = REQUIRED,
	      .doc = "The volume."),
	PARAM(struct volume_destruction, "expunge", expunges,
	      .doc = "Deletes the volume at once. It cannot be recovered."),
};
static const struct param recover_params[] = {
	PARAM(struct volume_destruction, "id", volume, .kind = KIND_VOLUME, .flags = REQUIRED,
	      .doc = "The volume."),
};

static RESULT prepare_recover(struct cs_call *e, void *args)
{
	struct volume_destruction *a = args;
	const struct volume *volume = NULL;
	TRY(engine_find_own_volume(e->c, cs_tables(e), &a->volume, &volume));
	return volume->destroyed_us ? OK
				    : ctx_fail_field(e->c, ERR_INVALID, a->volume.field,
						     "Please specify a volume in Destroy state.");
}

static const struct cs_action actions[] = {
	{CS_ACTION("listVolumes", "ec2:DescribeVolumes"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_volumes, list_params), .listing = &cs_volumes, .doc = "Lists volumes."},
	{CS_ACTION("listVolumesMetrics", "ec2:DescribeVolumes"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_volumes, list_params), .listing = &cs_volumes,
	 .doc = "Lists volumes, like listVolumes."},
	{CS_ACTION("listDiskOfferings", "ec2:DescribeVolumeTypes"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_offerings, offering_params), .listing = &cs_disk_offerings,
	 .doc = "Lists disk offerings, which are volume types."},
	{CS_ACTION("createVolume", "ec2:CreateVolume"), .flags = API_WRITES | CS_OF_ACCOUNT | CS_MAKES,
	 .args = PARAMS(struct make_volume, create_params), .prepare = prepare_create,
	 .operation = engine_create_volume_run, CS_SUBJECT(struct make_volume, wish.volume),
	 .shows = &cs_volumes, CS_JOB(MADE), .doc = "Creates a volume."},
	{CS_ACTION("getUploadParamsForVolume", "ec2:CreateVolume"), .flags = API_WRITES | CS_OF_ACCOUNT,
	 .args = PARAMS(struct await_volume, await_params), .prepare = prepare_await,
	 .operation = engine_await_volume_run, .returns = API_RETURNS_NOTHING_STORED, .answer = show_awaited,
	 .says = CS_UPLOAD_SAYS,
	 .doc = "Creates a volume for an upload and returns the URL to post the data to."},
	{CS_ACTION("attachVolume", "ec2:AttachVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct volume_attaching, attach_params), .operation = engine_attach_volume_run,
	 CS_SUBJECT(struct volume_attaching, volume.prefix),
	 .machine = offsetof(struct volume_attaching, instance.prefix) + 1, .shows = &cs_volumes,
	 CS_JOB(PLUGGED), .doc = "Attaches a volume."},
	{CS_ACTION("detachVolume", "ec2:DetachVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct detach_args, detach_params), .prepare = prepare_detach,
	 .operation = engine_detach_volume_run, CS_SUBJECT(struct detach_args, wish.volume.prefix),
	 .machine = offsetof(struct detach_args, wish.from) + 1, .shows = &cs_volumes, CS_JOB(UNPLUGGED),
	 .doc = "Detaches a volume."},
	{CS_ACTION("resizeVolume", "ec2:ModifyVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct resize_args, resize_params), .prepare = prepare_resize,
	 .operation = engine_modify_volume_run, CS_SUBJECT(struct resize_args, wish.volume.prefix),
	 .shows = &cs_volumes, CS_JOB(SETTLED), .doc = "Resizes a volume or changes its disk offering."},
	{CS_ACTION("changeOfferingForVolume", "ec2:ModifyVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct resize_args, change_params), .prepare = prepare_resize,
	 .operation = engine_modify_volume_run, CS_SUBJECT(struct resize_args, wish.volume.prefix),
	 .shows = &cs_volumes, CS_JOB(SETTLED), .doc = "Changes the disk offering of a volume."},
	{CS_ACTION("updateVolume", "ec2:ModifyVolumeAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct volume_settings, update_params), .operation = engine_update_volume_run,
	 CS_SUBJECT(struct volume_settings, volume.prefix), .shows = &cs_volumes, CS_JOB(NOW),
	 .doc = "Renames a volume."},
	{CS_ACTION("deleteVolume", "ec2:DeleteVolume"), .flags = API_WRITES,
	 .args = CS_ONE(struct volume_target, "id", volume, KIND_VOLUME, "The volume."),
	 .operation = engine_delete_volume_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a volume."},
	{CS_ACTION("destroyVolume", "ec2:DeleteVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct volume_destruction, destroy_params), .operation = engine_destroy_volume_run,
	 CS_SUBJECT(struct volume_destruction, volume.prefix), .shows = &cs_volumes, CS_JOB(GONE),
	 .doc = "Destroys a volume, which can be recovered for a while."},
	{CS_ACTION("recoverVolume", "ec2:RecoverVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct volume_destruction, recover_params), .prepare = prepare_recover,
	 .operation = engine_recover_volume_run, CS_SUBJECT(struct volume_destruction, volume.prefix),
	 .shows = &cs_volumes, .returns = KIND_VOLUME, .doc = "Recovers a destroyed volume."},
};
const struct api_actions cs_volume_actions = API_ACTIONS(actions);
