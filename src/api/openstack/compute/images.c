/* SPDX-License-Identifier: Apache-2.0
 * Images in the older Compute API, which older clients still use: the Image service's rows, listed, shown,
 * deleted, and their properties as metadata. Source: Compute API reference, "Images (DEPRECATED)". */
#include "api/openstack/image/images.h"
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "engine/storage/image/image.h"
#include "model/image.h"
#include "model/states.h"
#include "store/image_device.h"
#include "store/snapshot.h"

#define MEBIBYTE (INT64_C(1) << 20)
#define GIBIBYTE (INT64_C(1) << 30)
enum { LAST_PROXY = 35, LAST_METADATA = 38 }; /* last microversions with these calls */

struct old_image {
	const struct image *image;
	const struct snapshot *root; /* NULL: the image has no data */
	enum image_state state;
};

static const void *gather_image(struct os_call *e, const struct row *row)
{
	const struct tables *t = os_tables(e);
	struct old_image *item = arena_new_object(e->c->arena, struct old_image);
	const struct image_device *device = image_device_first_by_image(t, row->id);
	if (!item)
		return NULL;
	*item = (struct old_image){.image = image_of(row)};
	item->root = device ? snapshot_find(t, device->snapshot) : NULL;
	item->state = engine_derive_image_state(t, item->image);
	return item;
}

static void write_brief(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct image *image = ((const struct old_image *) item)->image;
	os_write_id(w, "id", image->row.id);
	json_write_text(w, "name", image->name);
	os_write_compute_links(e, w, "images", uuid_to_str(e->c->arena, image->row.id));
}

static void write_server(struct os_call *e, struct json_writer *w, uuid server)
{
	if (uuid_is_none(server))
		return;
	json_write_open(w, "server");
	os_write_id(w, "id", server);
	os_write_compute_links(e, w, "servers", uuid_to_str(e->c->arena, server));
	json_write_close(w);
}

static const char *const status_words[IMAGE_STATE_COUNT] = {[IMAGE_PENDING] = "SAVING",
							    [IMAGE_AVAILABLE] = "ACTIVE",
							    [IMAGE_DISABLED] = "UNKNOWN",
							    [IMAGE_FAILED] = "ERROR",
							    [IMAGE_DEREGISTERED] = "DELETED"};

static int64_t min_disk_of(const struct image *image)
{
	return (image->min_disk + GIBIBYTE - 1) / GIBIBYTE;
}

static int64_t min_memory_of(const struct image *image)
{
	return (image->min_memory + MEBIBYTE - 1) / MEBIBYTE;
}

static void write_image(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct old_image *i = item;
	const struct image *image = i->image;
	int64_t size = image->data_size ? image->data_size : i->root ? i->root->file_size : 0;
	write_brief(e, w, item);
	json_write_z(w, "status", status_words[i->state]);
	json_write_int(w, "progress", i->state == IMAGE_AVAILABLE ? 100 : i->state == IMAGE_PENDING ? 50 : 0);
	json_write_int(w, "minDisk", min_disk_of(image));
	json_write_int(w, "minRam", min_memory_of(image));
	json_write_int(w, "OS-EXT-IMG-SIZE:size", size);
	os_write_time(w, "created", image->row.created_us);
	os_write_time(w, "updated", image->row.updated_us);
	os_write_tags(w, "metadata", image->properties);
	write_server(e, w, image->source_instance);
}

/* ---- lists: what the image service lists ---- */

static bool fits_status(struct os_call *e, const struct row *row, struct str value)
{
	enum image_state state = engine_derive_image_state(os_tables(e), image_of(row));
	return str_equal_nocase(value, str_from(status_words[state]));
}

/* Compares the source server, given by id or by URL. */
static bool fits_server(struct os_call *e, const struct row *row, struct str value)
{
	const struct image *image = image_of(row);
	size_t at = value.n;
	while (at && value.p[at - 1] != '/')
		at--;
	return !uuid_is_none(image->source_instance) &&
	       str_equal(str_slice(value, at, value.n), uuid_to_str(e->c->arena, image->source_instance));
}

static bool fits_type(struct os_call *e, const struct row *row, struct str value)
{
	bool is_of_server = !uuid_is_none(image_of(row)->source_instance);
	(void) e;
	return str_is(value, is_of_server ? "snapshot" : "base");
}

static bool is_number(struct str value, int64_t number)
{
	int64_t asked = 0;
	return result_is_ok(str_parse_int(value, &asked)) && asked == number;
}

static bool fits_min_disk(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return is_number(value, min_disk_of(image_of(row)));
}

static bool fits_min_memory(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return is_number(value, min_memory_of(image_of(row)));
}

static bool fits_since(struct os_call *e, const struct row *row, struct str value)
{
	int64_t time_us = 0;
	(void) e;
	return os_read_time(value, &time_us) && row->updated_us >= time_us;
}

static RESULT check_since(struct os_call *e, void *args)
{
	struct str since = pairs_find(&e->request.query, "changes-since");
	int64_t time_us = 0;
	(void) args;
	return since.p ? os_parse_time(e->c, since, "changes-since", &time_us) : OK;
}

static const struct os_filter filters[] = {
	{"name", "name"},
	{"status", .fits = fits_status},
	{"server", .fits = fits_server},
	{"type", .fits = fits_type},
	{"minDisk", .fits = fits_min_disk},
	{"minRam", .fits = fits_min_memory},
	{"changes-since", .fits = fits_since},
};
#define IMAGES(write_them)                                                                                   \
	{                                                                                                    \
		.kind = KIND_IMAGE, .items = "images", .links = "images_links",                              \
		.filters = OS_FILTERS(filters), .flags = OS_ALL_SEE_ALL | OS_NEWEST_FIRST,                   \
		.public_index = IMAGE_INDEX_PUBLIC, .page_max = 1000, .shows = os_is_image_listed,           \
		.gather = gather_image, .write = (write_them),                                               \
	}
static const struct os_listing briefs = IMAGES(write_brief), details = IMAGES(write_image);

/* ---- one ---- */

struct os_old_image {
	struct image_target wish;
};
static const struct param target_params[] = {OS_IMAGE_PATH(struct os_old_image, wish.image)};
static const struct os_listing one_listing = {
	.kind = KIND_IMAGE, .items = "images", .gather = gather_image, .write = write_image};

static RESULT prepare_delete(struct os_call *e, void *args)
{
	const struct image *image = NULL;
	return os_find_changed_image(e, &((struct os_old_image *) args)->wish.image, &image);
}

/* ---- metadata of an image ---- */

struct os_image_metadata {
	struct image_rewriting wish;
	struct ref image;
	struct str key;
	struct tags said;
};
#define ALL_OF OS_IMAGE_PATH(struct os_image_metadata, image)
#define KEY OS_PATH(struct os_image_metadata, "key", key, .doc = "Key of the metadata item.")
static const struct param all_params[] = {ALL_OF};
static const struct param set_params[] = {
	ALL_OF,
	OS_BODY(struct os_image_metadata, "metadata", said, .flags = REQUIRED, .doc = "Metadata by key."),
};
static const struct param key_params[] = {ALL_OF, KEY};
static const struct param meta_params[] = {
	ALL_OF,
	KEY,
	OS_BODY(struct os_image_metadata, "meta", said, .flags = REQUIRED, .min = 1, .max = 1,
		.doc = "Metadata item, of the key in the path."),
};

/* Merges the new pairs into `before`, without the key `left_out`. */
static RESULT say(struct os_call *e, struct os_image_metadata *a, struct tags before, struct str left_out)
{
	struct tag *all = arena_new_array(e->c->arena, struct tag, before.count + a->said.count);
	size_t count = 0;
	if (!all)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < before.count; k++)
		if (!tags_find(a->said, before.at[k].key) && !str_equal(before.at[k].key, left_out))
			all[count++] = before.at[k];
	for (size_t k = 0; k < a->said.count; k++)
		all[count++] = a->said.at[k];
	a->said = (struct tags){all, count};
	return OK;
}

static RESULT rewrite(struct os_call *e, struct os_image_metadata *a, bool keeps, struct str left_out)
{
	const struct image *image = NULL;
	TRY(os_check_metadata_keys(e, a->said, "metadata"));
	TRY(os_begin_image_rewriting(e, &a->image, &a->wish, &image));
	if (left_out.n && !tags_find(image->properties, left_out))
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("key"), "Metadata item was not found");
	TRY(say(e, a, keeps ? image->properties : (struct tags){0}, left_out));
	os_image_set_properties(e->c->arena, image, a->said, &a->wish.form);
	return OK;
}

static RESULT prepare_add(struct os_call *e, void *args)
{
	return rewrite(e, args, true, STR_NONE);
}

static RESULT prepare_replace(struct os_call *e, void *args)
{
	return rewrite(e, args, false, STR_NONE);
}

static RESULT prepare_meta(struct os_call *e, void *args)
{
	struct os_image_metadata *a = args;
	if (!str_equal(a->said.at[0].key, a->key))
		return ctx_fail_field(e->c, ERR_INVALID, STR("meta"), "Request body and URI mismatch");
	return rewrite(e, a, true, STR_NONE);
}

static RESULT prepare_remove(struct os_call *e, void *args)
{
	return rewrite(e, args, true, ((struct os_image_metadata *) args)->key);
}

static RESULT show_metadata(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *image = NULL;
	TRY(os_find(e, KIND_IMAGE, &((const struct os_image_metadata *) args)->image, &image));
	os_write_tags(w, "metadata", image_of(image)->properties);
	return OK;
}

static RESULT show_meta(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_image_metadata *a = args;
	const struct row *image = NULL;
	TRY(os_find(e, KIND_IMAGE, &a->image, &image));
	const struct tag *tag = tags_find(image_of(image)->properties, a->key);
	if (!tag)
		return ctx_fail(e->c, ERR_NOT_FOUND, "Metadata item was not found");
	json_write_key(w, tag->key);
	json_write_text(w, NULL, tag->value);
	return OK;
}

#define ALL "/v2.1/images"
#define METADATA ALL "/{image_id}/metadata"
#define SAID(rows) .until = LAST_METADATA, .args = OS_PARAMS(struct os_image_metadata, rows)
#define SAYS(rows)                                                                                           \
	.flags = API_WRITES, SAID(rows), .operation = engine_rewrite_image_run, .returns = KIND_IMAGE
#define ARGS OS_PARAMS(struct os_old_image, target_params)
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "os_compute_api:images:index", .until = LAST_PROXY, .prepare = check_since,
	 .list = &briefs, .doc = "Lists images with id and name through the deprecated Compute proxy."},
	{HTTP_GET, ALL "/detail", .permit = "os_compute_api:images:detail", .until = LAST_PROXY,
	 .prepare = check_since, .list = &details,
	 .doc = "Lists images through the deprecated Compute proxy."},
	{HTTP_GET, ALL "/{image_id}", .permit = "os_compute_api:images:show", .until = LAST_PROXY,
	 .args = ARGS, .item = "image", OS_SHOWS(one_listing, struct os_old_image, wish.image),
	 .doc = "Shows one image."},
	{HTTP_DELETE, ALL "/{image_id}", .permit = "os_compute_api:images:delete", .flags = API_WRITES,
	 .until = LAST_PROXY, .status = 204, .args = ARGS, .prepare = prepare_delete,
	 .operation = engine_delete_image_run, .doc = "Deletes an image. Servers made from it stay."},
	{HTTP_GET, METADATA, .permit = "os_compute_api:image-metadata:index", SAID(all_params),
	 .answer = show_metadata, .doc = "Lists the metadata of an image."},
	{HTTP_POST, METADATA, .permit = "os_compute_api:image-metadata:create", SAYS(set_params),
	 .prepare = prepare_add, .answer = show_metadata, .doc = "Adds metadata to an image."},
	{HTTP_PUT, METADATA, .permit = "os_compute_api:image-metadata:update_all", SAYS(set_params),
	 .prepare = prepare_replace, .answer = show_metadata, .doc = "Replaces the metadata of an image."},
	{HTTP_GET, METADATA "/{key}", .permit = "os_compute_api:image-metadata:show", SAID(key_params),
	 .item = "meta", .answer = show_meta, .doc = "Shows one metadata item of an image."},
	{HTTP_PUT, METADATA "/{key}", .permit = "os_compute_api:image-metadata:update", SAYS(meta_params),
	 .item = "meta", .prepare = prepare_meta, .answer = show_meta,
	 .doc = "Changes one metadata item of an image."},
	{HTTP_DELETE, METADATA "/{key}", .permit = "os_compute_api:image-metadata:delete", .status = 204,
	 SAYS(key_params), .prepare = prepare_remove, .doc = "Removes one metadata item of an image."},
};
const struct os_actions os_compute_image_actions = OS_ACTIONS(OS_COMPUTE, actions);
