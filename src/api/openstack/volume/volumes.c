/* SPDX-License-Identifier: Apache-2.0
 * Volumes: list, show, create, update, delete. Source: Block Storage API reference, microversions 3.0 to
 * 3.70. */
#include "api/openstack/volume/volumes.h"

#include "api/openstack/core/write.h"
#include "base/uuid_asked.h"
#include "engine/storage/snapshot/backup.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume_type/volume_type.h"
#include "engine/tag.h"
#include "model/volume.h"
#include "store/condition.h"
#include "store/host.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/storage_pool.h"
#include "store/volume_attachment.h"
#include "store/volume_transfer.h"
#include "store/volume_type.h"
#include "store/zone.h"

/* ---- status ---- */

/* Reports "attached" for an instance that is off: the disk is plugged at the next start, so clients must
 * not wait for it. */
static enum attachment attachment_of(const struct tables *t, uuid instance, uuid seen_instance)
{
	enum attachment attachment = model_derive_attachment(instance, seen_instance);
	const struct instance *i = attachment == ATTACHMENT_ATTACHING ? instance_find(t, instance) : NULL;
	bool rests = i && i->wanted_power == INSTANCE_WANTED_POWER_OFF &&
		     i->seen_power == INSTANCE_SEEN_POWER_ABSENT;
	return rests ? ATTACHMENT_ATTACHED : attachment;
}

/* Shows "error" while a condition blocks the creation; the status may recover. */
const char *os_volume_bare_status(const struct tables *t, const struct volume *v)
{
	enum attachment attachment = attachment_of(t, v->instance, v->seen_instance);
	if (!row_is_live(&v->row))
		return "deleting";
	if (v->seen_size == 0)
		return condition_first_by_subject(t, v->row.id) ? "error" : "creating";
	if (v->moves && attachment == ATTACHMENT_ATTACHING)
		attachment = ATTACHMENT_ATTACHED; /* unplugged only for the time of the copy */
	if (v->modified_us && !v->modified_end_us)
		return "extending";
	if (v->reverts != v->seen_reverts)
		return "reverting";
	if (volume_transfer_first_by_volume(t, v->row.id))
		return "awaiting-transfer";
	for (const struct volume_attachment *f = volume_attachment_first_by_volume(t, v->row.id); f;
	     f = volume_attachment_next_by_volume(t, f))
		if (attachment == ATTACHMENT_ATTACHED)
			attachment = attachment_of(t, f->instance, f->seen_instance);
	return attachment == ATTACHMENT_NONE        ? "available"
	       : attachment == ATTACHMENT_ATTACHING ? "attaching"
	       : attachment == ATTACHMENT_DETACHING ? "detaching"
						    : "in-use";
}

const char *os_volume_status(const struct tables *t, const struct volume *v)
{
	if (row_is_live(&v->row) && v->reservation != VOLUME_RESERVATION_NONE)
		return volume_reservation_words[v->reservation];
	return engine_volume_is_restoring(t, v)            ? "restoring-backup"
	       : engine_volume_is_backing_up(t, v->row.id) ? "backing-up"
							   : os_volume_bare_status(t, v);
}

uuid os_volume_source_snapshot(const struct tables *t, const struct volume *v)
{
	const struct snapshot *s = snapshot_find(t, v->snapshot);
	bool is_named = s && !s->is_bound && !image_device_first_by_snapshot(t, s->row.id);
	return is_named ? s->row.id : UUID_NONE;
}

/* A copy's snapshot is bound to it, like an image's snapshot is bound to the image. While the image
 * exists, the two cases can be told apart. */
static uuid copied_volume(const struct tables *t, const struct volume *v)
{
	const struct snapshot *s = snapshot_find(t, v->snapshot);
	const struct image *image = image_find(t, v->image);
	bool is_known = uuid_is_none(v->image) || (image && row_is_live(&image->row));
	bool is_copy = s && s->is_bound && is_known && !image_device_first_by_snapshot(t, s->row.id);
	return is_copy ? s->volume : UUID_NONE;
}

/* ---- members ---- */

void os_write_volume_links(struct os_call *e, struct json_writer *w, const char *collection, uuid id)
{
	struct str project = os_hex(e->c->arena, e->c->who->account), name = uuid_to_str(e->c->arena, id);
	json_write_open_list(w, "links");
	os_write_link(w, "self",
		      str_print(e->c->arena, "%" STR_FMT "/volume/v3/%" STR_FMT "/%s/%" STR_FMT,
				STR_ARG(e->base_url), STR_ARG(project), collection, STR_ARG(name)));
	os_write_link(w, "bookmark",
		      str_print(e->c->arena, "%" STR_FMT "/volume/%" STR_FMT "/%s/%" STR_FMT,
				STR_ARG(e->base_url), STR_ARG(project), collection, STR_ARG(name)));
	json_write_close_list(w);
}

static void write_links(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) name;
	os_write_volume_links(os_call_of(e), w, "volumes", row->id);
}

/* True while the data are still stored where the old type belongs; Cinder then shows the old type. */
static bool is_retyped(const struct volume *v)
{
	return v->moves && v->reservation == VOLUME_RESERVATION_RETYPING;
}

/* Empty: the volume was never migrated. */
static struct str migration_status(const struct volume *v)
{
	return v->moves                                ? STR("migrating")
	       : v->last_move == VOLUME_LAST_MOVE_NONE ? STR_NONE
						       : str_from(volume_last_move_words[v->last_move]);
}

/* Returns the tags, with `readonly` once the flag was set, as Cinder does. */
static struct tags get_metadata(struct api_call *e, const struct row *row)
{
	const struct volume *v = volume_of(row);
	struct tag *tags =
		v->says_readonly ? arena_new_array(e->c->arena, struct tag, v->tags.count + 1) : NULL;
	size_t count = 0;
	if (!tags)
		return v->tags;
	for (size_t k = 0; k < v->tags.count; k++)
		if (!str_is(v->tags.at[k].key, "readonly"))
			tags[count++] = v->tags.at[k];
	tags[count++] = (struct tag){STR("readonly"), str_from(v->is_readonly ? "True" : "False")};
	return (struct tags){tags, count};
}

static struct tags get_image_metadata(struct api_call *e, const struct row *row)
{
	const struct tags properties = volume_of(row)->image_properties;
	const struct image *image = image_find(api_tables(e), volume_of(row)->image);
	struct tag *tags = arena_new_array(e->c->arena, struct tag, properties.count + 2);
	size_t count = 0;
	if (!image || !tags)
		return properties;
	tags[count++] = (struct tag){STR("image_id"), uuid_to_str(e->c->arena, image->row.id)};
	tags[count++] = (struct tag){STR("image_name"), image->name};
	for (size_t k = 0; k < properties.count; k++)
		tags[count++] = properties.at[k];
	return (struct tags){tags, count};
}

int64_t os_get_update(struct api_call *e, const struct row *row)
{
	(void) e;
	return os_shown_update(row);
}

void os_show_image_metadata(struct os_call *e, struct json_writer *w, const struct row *row)
{
	os_write_tags(w, "metadata", get_image_metadata(&e->core, row));
}

static struct str get_backend(struct api_call *e, const struct row *row)
{
	const struct volume *v = volume_of(row);
	const struct host *host = host_find(api_tables(e), v->host);
	const struct storage_pool *pool = storage_pool_find(api_tables(e), v->pool);
	return pool   ? os_shared_pool(os_call_of(e), pool)
	       : host ? os_volume_pool(os_call_of(e), host)
		      : STR_NONE;
}

static uuid find_type(struct api_call *e, const struct row *row)
{
	const struct volume_type *type = volume_type_find_by_name(api_tables(e), volume_of(row)->type);
	return type ? type->row.id : UUID_NONE;
}

static struct attribute_rows list_attachments(struct api_call *e, const struct row *row)
{
	struct volume_list list = {0};
	/* A full arena fails the call when its answer ends. */
	IGNORE(engine_list_attachments(e->c->arena, api_tables(e), volume_of(row), &list));
	return (struct attribute_rows){list.at, list.count};
}

#define GETTER(returned, function, expression) ATTRIBUTE_GETTER(volume, v, returned, function, expression)
GETTER(uuid, find_holder, engine_volume_holder(v))
GETTER(uuid, find_attachment, engine_attachment_id(v))
GETTER(const char *, get_status, os_volume_status(api_tables(e), v))
GETTER(struct str, get_type, is_retyped(v) ? v->before_type : v->type)
GETTER(uuid, find_snapshot, os_volume_source_snapshot(api_tables(e), v))
GETTER(uuid, find_source, copied_volume(api_tables(e), v))
GETTER(uuid, find_maker, os_shown_maker(v->made_by, v->account))
GETTER(struct str, get_migration, migration_status(v))
#undef GETTER

static const struct attribute attachment_rows[] = {
	ATTRIBUTE_MADE(ID, id, "server_id", find_holder),
	ATTRIBUTE_MADE(ID, id, "attachment_id", find_attachment),
	ATTRIBUTE(volume, "id", row.id),
	ATTRIBUTE(volume, "volume_id", row.id),
	ATTRIBUTE(volume, "device", device),
	ATTRIBUTE_AS(TIME_FINE, volume, "attached_at", attached_us),
	ATTRIBUTE_CONST("host_name", "null"),
};
static const struct attributes attachment_members = ATTRIBUTES(attachment_rows);

/* Source of filters: Cinder, resource filters. */
static const char *const truth_words[] = {"false", "true"};
static const struct access_path snapshot_paths[] = {{KIND_VOLUME, VOLUME_INDEX_SNAPSHOT}, {KIND_NONE}};
#define V(wire, field, ...) ATTRIBUTE(volume, wire, field, __VA_ARGS__)
enum { BRIEF_COUNT = 3 };
static const struct attribute volume_rows[] = {
	V("id", row.id, .filter = "id"),
	OS_NAME(volume, name, .sort = "name|display_name"),
	ATTRIBUTE_WRITTEN("links", write_links),
	V("description", description, .flags = ATTRIBUTE_NULL_NONE),
	ATTRIBUTE_MADE(WORD, word, "status", get_status, .filter = "status"),
	V("size", size, .shift = 30, .filter = "size", .sort = "size"),
	ATTRIBUTE_OF(volume, zone, KIND_ZONE, zone, "availability_zone", name, .flags = ATTRIBUTE_EMPTY_NONE,
		     .filter = "availability_zone"),
	ATTRIBUTE_AS(TIME_FINE, volume, "created_at", row.created_us, .flags = ATTRIBUTE_BOUNDS,
		     .filter = "created_at", .filter_since = 60),
	ATTRIBUTE_MADE(TIME_FINE, number, "updated_at", os_get_update, .flags = ATTRIBUTE_BOUNDS,
		       .filter = "updated_at", .filter_since = 60),
	ATTRIBUTE_MADE(TEXT, text, "volume_type", get_type, .filter = "volume_type"),
	ATTRIBUTE_MADE(ID, id, "snapshot_id", find_snapshot, .filter = "snapshot_id",
		       .paths = snapshot_paths),
	ATTRIBUTE_MADE(ID, id, "source_volid", find_source),
	V("bootable", is_bootable, .words = truth_words, .filter = "bootable", .sort = "bootable"),
	V("encrypted", is_encrypted),
	V("multiattach", is_shared),
	ATTRIBUTE_MADE(TAGS, tags, "metadata", get_metadata),
	ATTRIBUTE_ROWS("attachments", attachment_members, list_attachments),
	ATTRIBUTE_MADE(HEX, id, "user_id", find_maker, .filter = "user_id"),
	ATTRIBUTE_CONST("replication_status", "null"),
	ATTRIBUTE_CONST("consistencygroup_id", "null"),
	ATTRIBUTE_AS(HEX, volume, "os-vol-tenant-attr:tenant_id", account, .flags = ATTRIBUTE_IN_READS,
		     .filter = "project_id"),
	ATTRIBUTE_MADE(TAGS, tags, "volume_image_metadata", get_image_metadata,
		       .flags = ATTRIBUTE_IN_READS | ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE_MADE(TEXT, text, "os-vol-host-attr:host", get_backend,
		       .flags = ATTRIBUTE_IN_READS | ATTRIBUTE_ADMIN | ATTRIBUTE_NULL_NONE),
	ATTRIBUTE_MADE(TEXT, text, "os-vol-mig-status-attr:migstat", get_migration,
		       .flags = ATTRIBUTE_IN_READS | ATTRIBUTE_ADMIN | ATTRIBUTE_NULL_NONE),
	ATTRIBUTE_CONST("os-vol-mig-status-attr:name_id", "null",
			.flags = ATTRIBUTE_IN_READS | ATTRIBUTE_ADMIN),
	ATTRIBUTE_MADE(TEXT, text, "migration_status", get_migration,
		       .flags = ATTRIBUTE_ADMIN | ATTRIBUTE_NULL_NONE),
	V("group_id", group, .since = 13, .filter = "group_id", .filter_since = 10),
	ATTRIBUTE_CONST("provider_id", "null", .since = 21),
	ATTRIBUTE_CONST("shared_targets", "false", .since = 48),
	ATTRIBUTE_CONST("service_uuid", "null", .since = 48),
	ATTRIBUTE_CONST("cluster_name", "null", .since = 61),
	ATTRIBUTE_MADE(ID, id, "volume_type_id", find_type, .since = 63),
	ATTRIBUTE_CONST("consumes_quota", "true", .since = 65, .filter = "consumes_quota"),
};
#undef V
static const struct attributes volume_members = ATTRIBUTES(volume_rows);

/* ---- lists ---- */

static bool fits_metadata(struct os_call *e, const struct row *row, struct str value)
{
	return os_fits_literal(e, get_metadata(&e->core, row), value);
}

static bool fits_migration(struct os_call *e, const struct row *row, struct str value)
{
	struct str status = migration_status(volume_of(row));
	(void) e;
	return str_is(value, "None") ? str_is_empty(status) : str_equal(status, value);
}

/* Cinder's `host` may leave out the back end, or the pool. */
static bool fits_host(struct os_call *e, const struct row *row, struct str value)
{
	struct str shown = get_backend(&e->core, row);
	size_t n = value.n;
	return n && str_starts_with(shown, value) && (shown.n == n || shown.p[n] == '#' || shown.p[n] == '@');
}

static const struct os_filter volume_filters[] = {
	{"metadata", .fits = fits_metadata},
	{"migration_status", .fits = fits_migration},
	{"host", .is_admins = true, .fits = fits_host},
};
#define VOLUMES(count)                                                                                       \
	{                                                                                                    \
		.kind = KIND_VOLUME, .items = "volumes", .links = "volumes_links",                           \
		.filters = OS_FILTERS(volume_filters), .attributes = &volume_members,                        \
		.shown_count = (count), .flags = OS_ALL_PROJECTS | OS_NEWEST_FIRST | OS_COUNTS,              \
		.page_max = 1000,                                                                            \
	}
static const struct os_listing volume_briefs = VOLUMES(BRIEF_COUNT);
const struct os_listing os_volume_details = VOLUMES(0);

/* ---- one ---- */

struct os_volume_shown {
	struct ref volume;
};
static const struct param show_params[] = {OS_VOLUME_PATH(struct os_volume_shown, volume)};

/* ---- making ---- */

struct os_volume_create {
	struct volume_wish wish;
	int64_t size;
	struct str type, zone;
	enum choice is_shared;
};
#define P(wire, member, ...) OS_BODY(struct os_volume_create, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("size", size, .flags = NULLABLE, .min = 1, .max = 16384,
	  .doc = "Size in GiB; absent: the size of the source."),
	P("name", wish.name, .flags = NULLABLE, .doc = "Name."),
	P("display_name", wish.name, .flags = NULLABLE, .doc = "Name, by its older key."),
	P("display_description", wish.description, .flags = NULLABLE,
	  .doc = "Description, by its older key."),
	P("description", wish.description, .flags = NULLABLE, .doc = "Description: free text."),
	P("availability_zone", zone, .flags = NULLABLE, .doc = "Availability zone; absent: the first zone."),
	P("volume_type", type, .flags = NULLABLE, .doc = "Volume type by name or id; absent: __DEFAULT__."),
	P("snapshot_id", wish.disk.snapshot, .flags = NULLABLE, .kind = KIND_SNAPSHOT,
	  .doc = "Snapshot that the volume is created from."),
	P("source_volid", wish.disk.copied, .flags = NULLABLE, .kind = KIND_VOLUME, .doc = "Volume to copy."),
	P("imageRef", wish.disk.image, .flags = NULLABLE, .kind = KIND_IMAGE,
	  .doc = "Image that the volume is created from."),
	P("image_id", wish.disk.image, .flags = NULLABLE, .kind = KIND_IMAGE,
	  .doc = "Image, by its older key."),
	P("metadata", wish.tags, .flags = NULLABLE, .doc = "Metadata by key, stored as tags."),
	P("group_id", wish.group, .since = 13, .flags = NULLABLE, .kind = KIND_VOLUME_GROUP,
	  .doc = "Volume group that the volume joins. The group must accept its type."),
	P("multiattach", is_shared, .flags = NULLABLE,
	  .doc = "Whether several servers may attach the volume, as in Cinder up to 2023.1. The volume "
		 "type's spec multiattach does the same."),
	OS_UNBUILT("consistencygroup_id"),
	OS_UNBUILT("backup_id"),
	OS_UNBUILT("status", .only = "creating"),
	OS_UNBUILT("user_id"),
	OS_UNBUILT("project_id"),
	OS_UNBUILT("attach_status", .only = "detached"),
	OS_UNBUILT("source_replica"),
};
#undef P

RESULT os_find_volume_type(struct os_call *e, struct str asked, struct str *ret_name)
{
	const struct tables *t = os_tables(e);
	const struct volume_type *type = volume_type_find_by_name(t, asked);
	uuid id;
	if (!type && result_is_ok(uuid_parse_asked(asked, &id)))
		type = volume_type_find(t, id);
	if (!type || !engine_may_use_volume_type(e->c, type))
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_VOLUME_TYPE,
				     "Volume type with name %" STR_FMT " could not be found.",
				     STR_ARG(str_slice(asked, 0, 255)));
	*ret_name = str_copy(e->c->arena, type->name);
	return OK;
}

static const struct zone *first_zone(const struct tables *t)
{
	const struct zone *first = NULL;
	for (const struct zone *z = zone_first(t); z; z = zone_next(t, z))
		if (row_is_live(&z->row) && z->enabled && (!first || str_compare(z->name, first->name) < 0))
			first = z;
	return first;
}

struct ref os_first_zone(struct os_call *e)
{
	const struct zone *first = first_zone(os_tables(e));
	return (struct ref){.kind = KIND_ZONE,
			    .text = first ? str_copy(e->c->arena, first->name) : STR_NONE,
			    .field = STR("availability_zone")};
}

/* The volume type that the image names; empty: none. Source: cinder.volume.flows.api.create_volume. */
static RESULT find_type_of_image(struct os_call *e, const struct ref *image, struct str *ret_type)
{
	const struct row *row = NULL;
	TRY(engine_find(e->c, os_tables(e), KIND_IMAGE, image, &row));
	const struct tag *type = tags_find(image_of(row)->properties, STR("cinder_img_volume_type"));
	*ret_type = type ? type->value : STR_NONE;
	return OK;
}

RESULT os_take_volume_wish(struct os_call *e, int64_t size, struct str type, struct str zone,
			   struct volume_wish *wish)
{
	struct disk_wish *disk = &wish->disk;
	int sources = (disk->snapshot.kind != 0) + (disk->copied.kind != 0) + (disk->image.kind != 0);
	if (sources > 1)
		return ctx_fail(e->c, ERR_INVALID,
				"Only one of snapshot_id, source_volid and imageRef may be given.");
	if (!sources && !size)
		return ctx_fail_field(e->c, ERR_INVALID, STR("size"),
				      "Volume size must be an integer and "
				      "greater than 0");
	if (!type.n && disk->image.kind)
		TRY(find_type_of_image(e, &disk->image, &type));
	if (type.n || !disk->copied.kind)
		TRY(os_find_volume_type(e, type.n ? type : VOLUME_TYPE_DEFAULT, &disk->type));
	wish->zone = os_first_zone(e);
	if (zone.n)
		wish->zone.text = zone;
	disk->size = size * OS_VOLUME_GIB;
	disk->field = STR("size");
	return OK;
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_volume_create *a = args;
	a->wish.keeps_unplaced = true;
	if (a->is_shared == CHOICE_YES) /* false leaves the choice to the type */
		a->wish.disk.is_shared = CHOICE_YES;
	return os_take_volume_wish(e, a->size, a->type, a->zone, &a->wish);
}

/* ---- changing, deleting ---- */

struct os_volume_update {
	struct volume_settings wish;
	struct tags_wish metadata;
	bool sets_metadata;
};
#define P(wire, member, ...) OS_BODY(struct os_volume_update, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	OS_VOLUME_PATH(struct os_volume_update, wish.volume),
	P("name", wish.name, .flags = NULLABLE, .given = offsetof(struct os_volume_update, wish.set_name) + 1,
	  .doc = "Name."),
	P("description", wish.description, .flags = NULLABLE,
	  .given = offsetof(struct os_volume_update, wish.set_description) + 1,
	  .doc = "Description: free text."),
	P("display_name", wish.name, .flags = NULLABLE,
	  .given = offsetof(struct os_volume_update, wish.set_name) + 1, .doc = "Name, by its older key."),
	P("display_description", wish.description, .flags = NULLABLE,
	  .given = offsetof(struct os_volume_update, wish.set_description) + 1,
	  .doc = "Description, by its older key."),
	P("metadata", metadata.tags, .max = TAG_COUNT_MAX,
	  .given = offsetof(struct os_volume_update, sets_metadata) + 1,
	  .doc = "Metadata that replaces the present metadata, stored as tags."),
};
#undef P

static RESULT update_volume(struct op *op, void *wish)
{
	struct os_volume_update *a = wish;
	TRY(engine_update_volume(op, &a->wish));
	a->metadata.resources = (struct refs){&a->wish.volume, 1};
	return a->sets_metadata ? engine_replace_tags(op, &a->metadata) : OK;
}

struct os_volume_delete {
	struct volume_target wish;
	bool cascade;
};
static const struct param delete_params[] = {
	OS_VOLUME_PATH(struct os_volume_delete, wish.volume),
	OS_QUERY(struct os_volume_delete, "cascade", cascade,
		 .doc = "Whether the snapshots are deleted with the volume."),
	{.wire = "force", .type = PARAM_NOT_BUILT, .place = IN_QUERY, .only = "false|False"},
};

/* Without cascade, Cinder refuses to delete a volume that has snapshots; EC2 deletes the volume and keeps
 * them. */
static RESULT prepare_delete(struct os_call *e, void *args)
{
	struct os_volume_delete *a = args;
	(void) e;
	a->wish.snapshots = a->cascade ? VOLUME_SNAPSHOTS_GO : VOLUME_SNAPSHOTS_FORBID;
	return OK;
}

#define ALL "/v3/{project_id}/volumes"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "volume:get_all", .list = &volume_briefs,
	 .doc = "Lists the volumes of the project with id and name."},
	{HTTP_GET, ALL "/detail", .permit = "volume:get_all", .list = &os_volume_details,
	 .doc = "Lists the volumes of the project with details."},
	{HTTP_POST, ALL, .permit = "volume:create", .flags = API_WRITES, .status = 202, .open_until = 52,
	 .args = OS_PARAMS(struct os_volume_create, create_params), .wrap = "volume",
	 .sibling = "OS-SCH-HNT:scheduler_hints", .item = "volume", .prepare = prepare_create,
	 .operation = engine_create_volume_run,
	 OS_SHOWS(os_volume_details, struct os_volume_create, wish.volume), .returns = KIND_VOLUME,
	 .doc = "Creates a volume."},
	{HTTP_GET, ALL "/{volume_id}", .permit = "volume:get",
	 .args = OS_PARAMS(struct os_volume_shown, show_params), .item = "volume",
	 OS_SHOWS(os_volume_details, struct os_volume_shown, volume), .doc = "Shows one volume."},
	{HTTP_PUT, ALL "/{volume_id}", .permit = "volume:update", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_volume_update, update_params), .wrap = "volume", .item = "volume",
	 .operation = update_volume, OS_SHOWS(os_volume_details, struct os_volume_update, wish.volume),
	 .returns = KIND_VOLUME, .doc = "Changes the name, description and metadata of a volume."},
	{HTTP_DELETE, ALL "/{volume_id}", .permit = "volume:delete", .flags = API_WRITES, .status = 202,
	 .args = OS_PARAMS(struct os_volume_delete, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_volume_run, .doc = "Deletes a volume."},
};
const struct os_actions os_volume_actions = OS_ACTIONS(OS_VOLUME, actions);
