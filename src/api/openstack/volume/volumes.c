/* SPDX-License-Identifier: Apache-2.0
 * Volumes: list, show, create, update, delete. Source: Block Storage API reference, microversions 3.0 to
 * 3.70. */
#include "api/openstack/volume/volumes.h"

#include "api/openstack/core/write.h"
#include "base/uuid_asked.h"
#include "engine/storage/backup.h"
#include "engine/storage/volume.h"
#include "engine/storage/volume_attachment.h"
#include "engine/storage/volume_type.h"
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

/* ---- writing ---- */

struct os_volume {
	const struct volume *volume;
	const struct zone *zone;
	const struct host *host;
	const struct storage_pool *pool; /* NULL: stored in its host's local directory */
	const struct image *image;
	const struct volume_type *type;
	uuid snapshot; /* snapshot named at creation */
	uuid source;   /* volume of which this one is a copy */
	const char *status;
	struct volume_list attachments;
};

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

static const void *gather_volume(struct os_call *e, const struct row *row)
{
	const struct tables *t = os_tables(e);
	const struct volume *v = volume_of(row);
	struct os_volume *item = arena_new_object(e->c->arena, struct os_volume);
	if (!item)
		return NULL;
	*item = (struct os_volume){.volume = v,
				   .zone = zone_find(t, v->zone),
				   .host = host_find(t, v->host),
				   .pool = uuid_is_none(v->pool) ? NULL : storage_pool_find(t, v->pool),
				   .image = image_find(t, v->image),
				   .type = volume_type_find_by_name(t, v->type),
				   .snapshot = os_volume_source_snapshot(t, v),
				   .source = copied_volume(t, v),
				   .status = os_volume_status(t, v)};
	struct result listed = engine_list_attachments(e->c->arena, t, v, &item->attachments);
	return result_is_ok(listed) ? item : NULL;
}

/* Project id in 32 digits, as Keystone writes it. */
static struct str project_of(struct os_call *e)
{
	char text[UUID_TEXT_SIZE];
	size_t n = 0;
	for (const char *p = uuid_write(e->c->who->account, text); *p; p++)
		if (*p != '-')
			text[n++] = *p;
	return str_copy(e->c->arena, (struct str){text, n});
}

void os_write_volume_links(struct os_call *e, struct json_writer *w, const char *collection, uuid id)
{
	struct str project = project_of(e), name = uuid_to_str(e->c->arena, id);
	json_write_open_list(w, "links");
	os_write_link(w, "self",
		      str_print(e->c->arena, "%" STR_FMT "/volume/v3/%" STR_FMT "/%s/%" STR_FMT,
				STR_ARG(e->base_url), STR_ARG(project), collection, STR_ARG(name)));
	os_write_link(w, "bookmark",
		      str_print(e->c->arena, "%" STR_FMT "/volume/%" STR_FMT "/%s/%" STR_FMT,
				STR_ARG(e->base_url), STR_ARG(project), collection, STR_ARG(name)));
	json_write_close_list(w);
}

static void write_attachments(struct json_writer *w, const struct volume_list *attachments)
{
	json_write_open_list(w, "attachments");
	for (size_t k = 0; k < attachments->count; k++) {
		const struct volume *v = attachments->at[k];
		json_write_open(w, NULL);
		os_write_id(w, "server_id", engine_volume_holder(v));
		os_write_id(w, "attachment_id", engine_attachment_id(v));
		os_write_id(w, "id", v->row.id);
		os_write_id(w, "volume_id", v->row.id);
		json_write_text(w, "device", v->device);
		os_write_time_us(w, "attached_at", v->attached_us);
		json_write_null(w, "host_name");
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_image_metadata(struct json_writer *w, const char *key, const struct volume *v,
				 const struct image *image)
{
	json_write_open(w, key);
	if (image) {
		os_write_id(w, "image_id", image->row.id);
		json_write_text(w, "image_name", image->name);
	}
	for (size_t k = 0; k < v->image_properties.count; k++) {
		json_write_key(w, v->image_properties.at[k].key);
		json_write_text(w, NULL, v->image_properties.at[k].value);
	}
	json_write_close(w);
}

void os_show_image_metadata(struct os_call *e, struct json_writer *w, const struct row *row)
{
	const struct volume *volume = volume_of(row);
	write_image_metadata(w, "metadata", volume, image_find(os_tables(e), volume->image));
}

static void write_brief(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct volume *v = item;
	os_write_id(w, "id", v->row.id);
	json_write_text(w, "name", os_name_of(v->name, v->tags));
	os_write_volume_links(e, w, "volumes", v->row.id);
}

static void write_later(struct os_call *e, struct json_writer *w, const struct os_volume *i)
{
	if (e->request.version >= 13)
		os_write_id(w, "group_id", i->volume->group);
	if (e->request.version >= 21)
		json_write_null(w, "provider_id");
	if (e->request.version >= 48) {
		json_write_bool(w, "shared_targets", false);
		json_write_null(w, "service_uuid");
	}
	if (e->request.version >= 61)
		json_write_null(w, "cluster_name");
	if (e->request.version >= 63)
		os_write_id(w, "volume_type_id", i->type ? i->type->row.id : UUID_NONE);
	if (e->request.version >= 65)
		json_write_bool(w, "consumes_quota", true);
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

/* Members of Cinder's extensions, which only GET answers have. */
static void write_extended(struct os_call *e, struct json_writer *w, const struct os_volume *i)
{
	os_write_hex(w, "os-vol-tenant-attr:tenant_id", i->volume->account);
	if (i->image || i->volume->image_properties.count)
		write_image_metadata(w, "volume_image_metadata", i->volume, i->image);
	if (!os_is_admin(e))
		return;
	json_write_text_or_null(w, "os-vol-host-attr:host",
				i->pool   ? os_shared_pool(e, i->pool)
				: i->host ? os_volume_pool(e, i->host)
					  : STR_NONE);
	json_write_text_or_null(w, "os-vol-mig-status-attr:migstat", migration_status(i->volume));
	json_write_null(w, "os-vol-mig-status-attr:name_id");
}

/* Writes the tags, and "readonly" once the flag was set, as Cinder does. */
static void write_metadata(struct json_writer *w, const struct volume *v)
{
	json_write_open(w, "metadata");
	for (size_t k = 0; k < v->tags.count; k++) {
		if (v->says_readonly && str_is(v->tags.at[k].key, "readonly"))
			continue;
		json_write_key(w, v->tags.at[k].key);
		json_write_text(w, NULL, v->tags.at[k].value);
	}
	if (v->says_readonly)
		json_write_z(w, "readonly", v->is_readonly ? "True" : "False");
	json_write_close(w);
}

static void write_volume(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct os_volume *i = item;
	const struct volume *v = i->volume;
	write_brief(e, w, v);
	json_write_text_or_null(w, "description", v->description);
	json_write_z(w, "status", i->status);
	json_write_int(w, "size", os_gib(v->size));
	json_write_text(w, "availability_zone", i->zone ? i->zone->name : STR_NONE);
	os_write_times_us(w, &v->row);
	json_write_text(w, "volume_type", is_retyped(v) ? v->before_type : v->type);
	os_write_id(w, "snapshot_id", i->snapshot);
	os_write_id(w, "source_volid", i->source);
	json_write_z(w, "bootable", v->is_bootable ? "true" : "false");
	json_write_bool(w, "encrypted", v->is_encrypted);
	json_write_bool(w, "multiattach", v->is_shared);
	write_metadata(w, v);
	write_attachments(w, &i->attachments);
	os_write_maker(w, v->made_by, v->account);
	json_write_null(w, "replication_status");
	json_write_null(w, "consistencygroup_id");
	if (os_action_of(e)->method == HTTP_GET)
		write_extended(e, w, i);
	if (os_is_admin(e))
		json_write_text_or_null(w, "migration_status", migration_status(v));
	write_later(e, w, i);
}

/* ---- lists ---- */

static bool fits_status(struct os_call *e, const struct row *row, struct str value)
{
	return str_is(value, os_volume_status(os_tables(e), volume_of(row)));
}

static bool fits_zone(struct os_call *e, const struct row *row, struct str value)
{
	const struct zone *zone = zone_find(os_tables(e), volume_of(row)->zone);
	return zone && str_equal(zone->name, value);
}

static bool fits_size(struct os_call *e, const struct row *row, struct str value)
{
	int64_t size = 0;
	(void) e;
	return result_is_ok(str_parse_int(value, &size)) && size == os_gib(volume_of(row)->size);
}

/* Compares the metadata as shown, including "readonly". */
static bool fits_metadata(struct os_call *e, const struct row *row, struct str value)
{
	const struct volume *v = volume_of(row);
	struct tags asked;
	if (!os_read_literal(e, value, &asked))
		return false;
	for (size_t k = 0; k < asked.count; k++) {
		bool is_said = v->says_readonly && str_is(asked.at[k].key, "readonly");
		const struct tag *tag = is_said ? NULL : tags_find(v->tags, asked.at[k].key);
		struct str said = is_said ? str_from(v->is_readonly ? "True" : "False")
				  : tag   ? tag->value
					  : STR_NONE;
		if (!(is_said || tag) || !str_equal(said, asked.at[k].value))
			return false;
	}
	return true;
}

static bool fits_migration(struct os_call *e, const struct row *row, struct str value)
{
	struct str status = migration_status(volume_of(row));
	(void) e;
	return str_is(value, "None") ? str_is_empty(status) : str_equal(status, value);
}

static bool fits_user(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return os_fits_maker(volume_of(row)->made_by, volume_of(row)->account, value);
}

static bool fits_host(struct os_call *e, const struct row *row, struct str value)
{
	const struct volume *v = volume_of(row);
	const struct host *host = host_find(os_tables(e), v->host);
	const struct storage_pool *pool =
		uuid_is_none(v->pool) ? NULL : storage_pool_find(os_tables(e), v->pool);
	struct str shown = pool ? os_shared_pool(e, pool) : host ? os_volume_pool(e, host) : STR_NONE;
	size_t n = value.n;
	return n && str_starts_with(shown, value) && (shown.n == n || shown.p[n] == '#' || shown.p[n] == '@');
}

/* Source: Cinder, resource filters; those for administrators follow. */
static const struct os_filter volume_filters[] = {
	{"name", .is_name = true},
	{"id", .is_id = true},
	{"status", .fits = fits_status},
	{"availability_zone", .fits = fits_zone},
	{"bootable", "is_bootable"},
	{"volume_type", "type"},
	{"project_id", "account"},
	{"snapshot_id", "snapshot"},
	{"group_id", "group", .since = 10},
	{"created_at", .is_time = true, .since = 60},
	{"updated_at", .is_time = true, .since = 60},
	{"metadata", .fits = fits_metadata},
	{"size", .fits = fits_size},
	{"migration_status", .fits = fits_migration},
	{"consumes_quota", .is_truth = true, .since = 65, .fits = os_fits_consumed},
	{"user_id", .fits = fits_user},
	{"host", .is_admins = true, .fits = fits_host},
};
static const struct os_sort_key volume_sort_keys[] = {
	{"name", "name"}, {"display_name", "name"}, {"size", "size"}, {"bootable", "is_bootable"}};
#define VOLUMES(write_them, gather_them)                                                                     \
	{                                                                                                    \
		.kind = KIND_VOLUME, .items = "volumes", .links = "volumes_links",                           \
		.filters = OS_FILTERS(volume_filters),                                                       \
		.sort_keys = {volume_sort_keys, sizeof volume_sort_keys / sizeof volume_sort_keys[0]},       \
		.flags = OS_ALL_PROJECTS | OS_NEWEST_FIRST | OS_COUNTS, .page_max = 1000,                    \
		.gather = (gather_them), .write = (write_them),                                              \
	}
static const struct os_listing volume_briefs = VOLUMES(write_brief, NULL);
const struct os_listing os_volume_details = VOLUMES(write_volume, gather_volume);

/* ---- one ---- */

struct os_volume_shown {
	struct ref volume;
};
static const struct param show_params[] = {OS_VOLUME_PATH(struct os_volume_shown, volume)};

static RESULT show_volume(struct os_call *e, const void *args, struct json_writer *w)
{
	return os_write_found(e, &os_volume_details, &((const struct os_volume_shown *) args)->volume, w);
}

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
	  .doc = "GiB; absent: that of what it is made from."),
	P("name", wish.name, .flags = NULLABLE, .doc = "Its name."),
	P("display_name", wish.name, .flags = NULLABLE, .doc = "The same."),
	P("display_description", wish.description, .flags = NULLABLE, .doc = "The same."),
	P("description", wish.description, .flags = NULLABLE, .doc = "Free text."),
	P("availability_zone", zone, .flags = NULLABLE, .doc = "Absent: the first zone."),
	P("volume_type", type, .flags = NULLABLE, .doc = "Name or id; absent: __DEFAULT__."),
	P("snapshot_id", wish.disk.snapshot, .flags = NULLABLE, .kind = KIND_SNAPSHOT,
	  .doc = "What it is made from."),
	P("source_volid", wish.disk.copied, .flags = NULLABLE, .kind = KIND_VOLUME,
	  .doc = "A volume that it is a copy of."),
	P("imageRef", wish.disk.image, .flags = NULLABLE, .kind = KIND_IMAGE,
	  .doc = "An image that lies on it."),
	P("image_id", wish.disk.image, .flags = NULLABLE, .kind = KIND_IMAGE, .doc = "The same."),
	P("metadata", wish.tags, .flags = NULLABLE, .doc = "Texts by key: its tags."),
	P("group_id", wish.group, .since = 13, .flags = NULLABLE, .kind = KIND_VOLUME_GROUP,
	  .doc = "A group that it is part of, which has its type."),
	P("multiattach", is_shared, .flags = NULLABLE,
	  .doc = "Several servers may have it, as Cinder took it until its release 2023.1; or the type says "
		 "so, by its spec multiattach."),
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

static RESULT show_created(struct os_call *e, const void *args, struct json_writer *w)
{
	return os_write_returned(e, &os_volume_details, ((const struct os_volume_create *) args)->wish.volume,
				 w);
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
	  .doc = "Its name."),
	P("description", wish.description, .flags = NULLABLE,
	  .given = offsetof(struct os_volume_update, wish.set_description) + 1, .doc = "Free text."),
	P("display_name", wish.name, .flags = NULLABLE,
	  .given = offsetof(struct os_volume_update, wish.set_name) + 1, .doc = "The same."),
	P("display_description", wish.description, .flags = NULLABLE,
	  .given = offsetof(struct os_volume_update, wish.set_description) + 1, .doc = "The same."),
	P("metadata", metadata.tags, .max = TAG_COUNT_MAX,
	  .given = offsetof(struct os_volume_update, sets_metadata) + 1,
	  .doc = "Its tags, in place of all it has."),
};
#undef P

static RESULT update_volume(struct op *op, void *wish)
{
	struct os_volume_update *a = wish;
	TRY(engine_update_volume(op, &a->wish));
	a->metadata.resources = (struct refs){&a->wish.volume, 1};
	return a->sets_metadata ? engine_replace_tags(op, &a->metadata) : OK;
}

static RESULT show_updated(struct os_call *e, const void *args, struct json_writer *w)
{
	return os_write_found(e, &os_volume_details, &((const struct os_volume_update *) args)->wish.volume,
			      w);
}

struct os_volume_delete {
	struct volume_target wish;
	bool cascade;
};
static const struct param delete_params[] = {
	OS_VOLUME_PATH(struct os_volume_delete, wish.volume),
	OS_QUERY(struct os_volume_delete, "cascade", cascade, .doc = "With its snapshots."),
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
	 .doc = "Volumes of the project, id and name."},
	{HTTP_GET, ALL "/detail", .permit = "volume:get_all", .list = &os_volume_details,
	 .doc = "Volumes of the project."},
	{HTTP_POST, ALL, .permit = "volume:create", .flags = API_WRITES, .status = 202,
	 .args = OS_PARAMS(struct os_volume_create, create_params), .wrap = "volume",
	 .sibling = "OS-SCH-HNT:scheduler_hints", .item = "volume", .prepare = prepare_create,
	 .operation = engine_create_volume_run, .answer = show_created, .returns = KIND_VOLUME,
	 .doc = "Makes a volume."},
	{HTTP_GET, ALL "/{volume_id}", .permit = "volume:get",
	 .args = OS_PARAMS(struct os_volume_shown, show_params), .item = "volume", .answer = show_volume,
	 .doc = "One volume."},
	{HTTP_PUT, ALL "/{volume_id}", .permit = "volume:update", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_volume_update, update_params), .wrap = "volume", .item = "volume",
	 .operation = update_volume, .answer = show_updated, .returns = KIND_VOLUME,
	 .doc = "Its name, description and metadata."},
	{HTTP_DELETE, ALL "/{volume_id}", .permit = "volume:delete", .flags = API_WRITES, .status = 202,
	 .args = OS_PARAMS(struct os_volume_delete, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_volume_run, .doc = "Deletes a volume."},
};
const struct os_actions os_volume_actions = OS_ACTIONS(OS_VOLUME, actions);
