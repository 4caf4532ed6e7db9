/* SPDX-License-Identifier: Apache-2.0
 * Images: list, show, create, update by JSON patch, delete, tag. Properties are members beside the image's
 * own; properties.c handles those that mean something. Source: Image API reference, v2. */
#include "api/openstack/image/images.h"

#include "api/openstack/core/write.h"
#include "base/uuid_asked.h"
#include "engine/storage/image/image.h"
#include "model/image.h"
#include "model/licence.h"
#include "model/states.h"
#include "model/term.h"
#include "store/image_device.h"
#include "store/snapshot.h"
#include "store/sql.h"

#define MEBIBYTE (INT64_C(1) << 20)
#define GIBIBYTE (INT64_C(1) << 30)

/* ---- words ---- */

static const char *const visibility_words[] = {"shared", "private", "community", "public"};

static const char *status_of(const struct tables *t, const struct image *image)
{
	static const char *const words[IMAGE_STATE_COUNT] = {[IMAGE_PENDING] = "saving",
							     [IMAGE_AVAILABLE] = "active",
							     [IMAGE_DISABLED] = "deactivated",
							     [IMAGE_FAILED] = "killed",
							     [IMAGE_DEREGISTERED] = "deleted"};
	if (engine_image_is_empty(t, image))
		return image->fetch_url.n || image->is_imported ? "importing"
		       : image->data_size                       ? "uploading"
								: "queued";
	return words[engine_derive_image_state(t, image)];
}

/* ---- writing ---- */

struct os_image {
	const struct image *image;
	const struct snapshot *root; /* NULL: the image has no data */
	const char *status;
	struct str block_devices; /* empty: no mapping */
};

static const void *gather_image(struct os_call *e, const struct row *row)
{
	const struct tables *t = os_tables(e);
	struct os_image *item = arena_new_object(e->c->arena, struct os_image);
	const struct image_device *device = image_device_first_by_image(t, row->id);
	if (!item)
		return NULL;
	item->image = image_of(row);
	item->root = device ? snapshot_find(t, device->snapshot) : NULL;
	item->status = status_of(t, item->image);
	item->block_devices = os_image_block_devices(e, item->image);
	return item;
}

/* Writes null for a negative size. */
static void write_size(struct json_writer *w, const char *key, int64_t size)
{
	if (size < 0)
		json_write_null(w, key);
	else
		json_write_int(w, key, size);
}

static void write_digests(struct json_writer *w, const struct os_image *i, bool is_uploaded, bool is_kept)
{
	json_write_text_or_null(w, "checksum", is_uploaded ? i->image->data_md5 : STR_NONE);
	json_write_z(w, "os_hash_algo", is_uploaded ? "sha512" : is_kept ? "sha256" : NULL);
	json_write_text_or_null(w, "os_hash_value",
				is_uploaded ? i->image->data_sha512
				: is_kept   ? i->root->sha256
					    : STR_NONE);
}

/* Describes uploaded data as uploaded; otherwise the qcow2 file that hosts use, with the digest that names
 * the file. */
static void write_data(struct json_writer *w, const struct os_image *i)
{
	const struct image *image = i->image;
	bool is_uploaded = i->root && image->data_size > 0;
	bool is_kept = i->root && i->root->sha256.n && (is_uploaded || !image->is_exported);
	json_write_text_or_null(w, "disk_format",
				is_uploaded || !i->root || image->disk_format.n ? image->disk_format
										: STR("qcow2"));
	json_write_text_or_null(w, "container_format",
				i->root && !image->container_format.n ? STR("bare")
								      : image->container_format);
	write_size(w, "size", is_uploaded ? image->data_size : is_kept ? i->root->file_size : -1);
	write_size(w, "virtual_size", is_kept ? i->root->volume_size : -1);
	write_digests(w, i, is_uploaded, is_kept);
}

static void write_properties(struct arena *a, struct json_writer *w, const struct image *image)
{
	for (size_t k = 0; k < image->properties.count; k++) {
		if (image->licences.count && str_is(image->properties.at[k].key, OS_LICENCE_PROPERTY))
			continue;
		json_write_key(w, image->properties.at[k].key);
		json_write_text(w, NULL, image->properties.at[k].value);
	}
	if (image->description.n)
		json_write_text(w, "description", image->description);
	os_image_write_machine(w, image);
	if (image->licences.count)
		json_write_text(w, OS_LICENCE_PROPERTY, licence_write_all(a, image->licences));
}

static void write_block_devices(struct json_writer *w, const struct os_image *i)
{
	const struct image *image = i->image;
	if (!i->block_devices.n || tags_find(image->properties, STR("block_device_mapping")))
		return;
	json_write_text(w, "block_device_mapping", i->block_devices);
	if (!tags_find(image->properties, STR("bdm_v2")))
		json_write_z(w, "bdm_v2", "True");
	if (!tags_find(image->properties, STR("root_device_name")))
		json_write_text(w, "root_device_name", image->root_device);
}

static void write_image(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct os_image *i = item;
	const struct image *image = i->image;
	char id[UUID_TEXT_SIZE];
	uuid_write(image->row.id, id);
	os_write_id(w, "id", image->row.id);
	json_write_text_or_null(w, "name", image->name);
	json_write_z(w, "status", i->status);
	json_write_z(w, "visibility", visibility_words[engine_image_visibility(image)]);
	json_write_bool(w, "protected", image->is_protected);
	json_write_bool(w, "os_hidden", image->is_hidden);
	os_write_hex(w, "owner", image->account);
	write_data(w, i);
	json_write_int(w, "min_disk", (image->min_disk + GIBIBYTE - 1) / GIBIBYTE);
	json_write_int(w, "min_ram", (image->min_memory + MEBIBYTE - 1) / MEBIBYTE);
	json_write_open_list(w, "tags");
	for (size_t k = 0; k < image->labels.count; k++)
		json_write_text(w, NULL, image->labels.at[k]);
	json_write_close_list(w);
	os_write_time(w, "created_at", image->row.created_us);
	os_write_time(w, "updated_at", image->row.updated_us);
	json_write_text(w, "self", str_print(e->c->arena, "/v2/images/%s", id));
	json_write_text(w, "file", str_print(e->c->arena, "/v2/images/%s/file", id));
	json_write_z(w, "schema", "/v2/schemas/image");
	write_properties(e->c->arena, w, image);
	write_block_devices(w, i);
}

/* ---- lists ---- */

static struct str asked(const struct os_call *e, const char *name)
{
	return pairs_find(&e->request.query, name);
}

/* True if the image is shared with the caller and matches member_status, by default "accepted". */
static bool is_wanted_share(const struct os_call *e, const struct image *image)
{
	static const char *const words[] = {"pending", "accepted", "rejected"};
	struct str status = asked(e, "member_status");
	enum image_answer answer = engine_image_answer(image, e->c->who->account);
	if (!uuids_have(&image->launchers, e->c->who->account))
		return false;
	return status.p ? str_is(status, "all") || str_is(status, words[answer])
			: answer == IMAGE_ANSWER_ACCEPTED;
}

/* Compares every query name that is not a list parameter with the property of that name. */
static bool has_properties_asked(const struct os_call *e, const struct image *image)
{
	static const char *const own[] = {
		"limit",         "marker",     "sort",      "sort_key",    "sort_dir",
		"member_status", "os_hidden",  "name",      "id",          "status",
		"owner",         "visibility", "protected", "disk_format", "container_format",
		"tag",           "size",       "size_min",  "size_max",    "created_at",
		"updated_at"};
	for (size_t k = 0; k < e->request.query.count; k++) {
		const struct pair *p = &e->request.query.at[k];
		bool is_own = false;
		for (size_t n = 0; n < sizeof own / sizeof *own && !is_own; n++)
			is_own = str_is(p->name, own[n]);
		const struct tag *property = is_own ? NULL : tags_find(image->properties, p->name);
		if (!is_own && (!property || !str_equal(property->value, p->value)))
			return false;
	}
	return true;
}

/* Lists include others' community images only if the query asks for that visibility or for all. */
static bool asks_for_community(const struct os_call *e)
{
	return str_is(asked(e, "visibility"), "community") || str_is(asked(e, "visibility"), "all");
}

static uint64_t other_term(const struct os_call *e)
{
	return asks_for_community(e) ? term_of_community() : 0;
}

/* Source: _make_conditions_from_filters() of Glance's database API. */
static RESULT check_bounds(struct os_call *e)
{
	static const char *const names[] = {"size_min", "size_max"};
	int64_t bound = 0;
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		struct str value = asked(e, names[k]);
		if (value.p && !result_is_ok(str_parse_int(value, &bound)))
			return ctx_fail_field(e->c, ERR_INVALID, str_from(names[k]),
					      "Unable to filter on a range with a non-numeric value.");
	}
	if (asked(e, "changes-since").p)
		return ctx_fail_field(e->c, ERR_INVALID, STR("changes-since"),
				      "The \"changes-since\" filter is no longer available on v2.");
	return OK;
}

/* Source: filters of Glance's images controller. */
static RESULT check_query(struct os_call *e, void *args)
{
	static const struct {
		const char *name, *words, *says;
	} rows[] = {
		{"visibility", "|community|public|private|shared|all|", "Invalid visibility value"},
		{"member_status", "|pending|accepted|rejected|all|", "Invalid status"},
		{"os_hidden", "|true|false|", "Invalid value for the 'os_hidden' filter"},
	};
	(void) args;
	TRY(check_bounds(e));
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct str value = asked(e, rows[k].name);
		struct str word = str_print(e->c->arena, "|%" STR_FMT "|", STR_ARG(str_slice(value, 0, 64)));
		if (k == 2) /* Glance compares this one in small letters */
			word = str_lower(e->c->arena, word);
		if (value.n && !str_contains(str_from(rows[k].words), word))
			return ctx_fail_field(e->c, ERR_INVALID, str_from(rows[k].name), "%s: %" STR_FMT,
					      rows[k].says, STR_ARG(str_slice(value, 0, 64)));
	}
	return OK;
}

bool os_is_image_listed(struct os_call *e, const struct row *row)
{
	const struct image *image = image_of(row);
	enum image_visibility visibility = engine_image_visibility(image);
	bool is_own = uuid_equal(image->account, e->c->who->account) || os_is_admin(e);
	bool hidden = str_equal_nocase(asked(e, "os_hidden"), STR("true"));
	if (!row_is_live(row) || image->is_hidden != hidden)
		return false;
	return is_own || visibility == IMAGE_VISIBLE_PUBLIC ||
	       (visibility == IMAGE_VISIBLE_COMMUNITY && asks_for_community(e)) || is_wanted_share(e, image);
}

static bool is_listed(struct os_call *e, const struct row *row)
{
	return has_properties_asked(e, image_of(row)) && os_is_image_listed(e, row);
}

/* Matches "in:a,b" or a single value. */
static bool fits_words(struct str value, struct str text)
{
	struct str word;
	if (!str_starts_with(value, STR("in:")))
		return str_equal(value, text);
	value = str_slice(value, 3, value.n);
	while (str_split_next(&value, ',', &word))
		if (str_equal(word, text))
			return true;
	return false;
}

static bool fits_name(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return fits_words(value, image_of(row)->name);
}

static bool fits_id(struct os_call *e, const struct row *row, struct str value)
{
	return fits_words(value, uuid_to_str(e->c->arena, row->id));
}

static bool fits_status(struct os_call *e, const struct row *row, struct str value)
{
	return fits_words(value, str_from(status_of(os_tables(e), image_of(row))));
}

static bool fits_visibility(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	enum image_visibility visibility = engine_image_visibility(image_of(row));
	return str_is(value, "all") || str_is(value, visibility_words[visibility]);
}

static bool fits_tag(struct os_call *e, const struct row *row, struct str value)
{
	const struct strs *labels = &image_of(row)->labels;
	bool has_all = true;
	(void) value; /* all tags of the query are required */
	for (size_t k = 0; k < e->request.query.count && has_all; k++) {
		bool has = !str_is(e->request.query.at[k].name, "tag");
		for (size_t n = 0; n < labels->count && !has; n++)
			has = str_equal(labels->at[n], e->request.query.at[k].value);
		has_all = has;
	}
	return has_all;
}

/* Returns the format; for data that were not uploaded, that of the stored file. */
static struct str format_or(struct os_call *e, const struct row *row, struct str format, struct str kept)
{
	const struct image *image = image_of(row);
	bool is_kept = image_device_first_by_image(os_tables(e), row->id) && image->data_size == 0;
	return format.n || !is_kept ? format : kept;
}

static struct str disk_format_of(struct os_call *e, const struct row *row)
{
	return format_or(e, row, image_of(row)->disk_format, STR("qcow2"));
}

static struct str container_format_of(struct os_call *e, const struct row *row)
{
	return format_or(e, row, image_of(row)->container_format, STR("bare"));
}

static bool fits_disk_format(struct os_call *e, const struct row *row, struct str value)
{
	return fits_words(value, disk_format_of(e, row));
}

static bool fits_container_format(struct os_call *e, const struct row *row, struct str value)
{
	return fits_words(value, container_format_of(e, row));
}

/* Size as lists show it; -1: no data. */
static int64_t size_of(struct os_call *e, const struct image *image)
{
	const struct image_device *device = image_device_first_by_image(os_tables(e), image->row.id);
	const struct snapshot *root = device ? snapshot_find(os_tables(e), device->snapshot) : NULL;
	return !root ? -1 : image->data_size ? image->data_size : root->file_size;
}

static int64_t sort_size_of(struct os_call *e, const struct row *row)
{
	return size_of(e, image_of(row));
}

static bool fits_size(struct os_call *e, const struct row *row, struct str value)
{
	int64_t asked = 0;
	return result_is_ok(str_parse_int(value, &asked)) && size_of(e, image_of(row)) == asked;
}

static bool fits_size_min(struct os_call *e, const struct row *row, struct str value)
{
	int64_t bound = 0, size = size_of(e, image_of(row));
	return result_is_ok(str_parse_int(value, &bound)) && size >= bound;
}

static bool fits_size_max(struct os_call *e, const struct row *row, struct str value)
{
	int64_t bound = 0, size = size_of(e, image_of(row));
	return result_is_ok(str_parse_int(value, &bound)) && size >= 0 && size <= bound;
}

static const struct os_filter image_filters[] = {
	{"name", "name", .has_lists = true, .fits = fits_name},
	{"id", .is_id = true, .has_lists = true, .fits = fits_id},
	{"status", .fits = fits_status},
	{"visibility", .fits = fits_visibility},
	{"owner", "account"},
	{"protected", "is_protected"},
	{"disk_format", .fits = fits_disk_format},
	{"container_format", .fits = fits_container_format},
	{"size", .fits = fits_size},
	{"size_min", .fits = fits_size_min},
	{"size_max", .fits = fits_size_max},
	{"created_at", .is_time = true},
	{"updated_at", .is_time = true},
	{"tag", .fits = fits_tag},
};
static const struct os_sort_key image_sort_keys[] = {
	{"name", "name"},
	{"disk_format", .text = disk_format_of},
	{"container_format", .text = container_format_of},
	{"size", .number = sort_size_of},
};
const struct os_listing os_image_listing = {
	.kind = KIND_IMAGE,
	.items = "images",
	.filters = OS_FILTERS(image_filters),
	.sort_keys = {image_sort_keys, sizeof image_sort_keys / sizeof image_sort_keys[0]},
	.flags = OS_ALL_SEE_ALL | OS_NEWEST_FIRST,
	.public_index = IMAGE_INDEX_PUBLIC,
	.other_term = other_term,
	.page_max = 1000,
	.shows = is_listed,
	.gather = gather_image,
	.write = write_image,
};

/* Shows any visible image, also one that lists omit. */
static const struct os_listing one_listing = {
	.kind = KIND_IMAGE, .items = "images", .gather = gather_image, .write = write_image};

static RESULT list_images(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_page page;
	const void **items = NULL;
	(void) args;
	TRY(os_select(e, &os_image_listing, &page));
	TRY(os_gather(e, &os_image_listing, &page, &items));
	json_write_open_list(w, "images");
	for (size_t k = 0; k < page.count; k++) {
		json_write_open(w, NULL);
		write_image(e, w, items[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_z(w, "first", "/v2/images");
	if (page.has_more)
		json_write_text(
			w, "next",
			str_print(e->c->arena, "/v2/images?%" STR_FMT, STR_ARG(os_next_query(e, &page))));
	json_write_z(w, "schema", "/v2/schemas/images");
	return OK;
}

/* ---- one ---- */

static const struct param target_params[] = {OS_IMAGE_PATH(struct os_image_target, image)};

RESULT os_find_changed_image(struct os_call *e, const struct ref *ref, const struct image **ret_image)
{
	const struct image *image = NULL;
	TRY(engine_find_image(e->c, os_tables(e), ref, &image));
	if (!engine_is_own(e->c, KIND_IMAGE, &image->row))
		return ctx_fail_kind(e->c, ERR_DENIED, KIND_IMAGE,
				     "You are not permitted to change this image.");
	*ret_image = image;
	return OK;
}

/* ---- making and changing ---- */

struct os_image_fields {
	struct str id, name, visibility, disk_format, container_format;
	int64_t min_disk, min_ram;
	bool is_protected, is_hidden;
	struct strs tags;
	struct str others; /* JSON object */
};
struct os_image_create {
	struct image_creation wish;
	struct os_image_fields fields;
};
#define F(wire, member, ...) OS_BODY(struct os_image_create, wire, fields.member, __VA_ARGS__)
static const struct param create_params[] = {
	F("id", id, .doc = "UUID chosen by the caller; absent: a generated one."),
	F("name", name, .flags = NULLABLE, .doc = "Name."),
	F("visibility", visibility, .words = "shared|private|community|public", .absent = "shared",
	  .doc = "Visibility of the image."),
	F("disk_format", disk_format, .flags = NULLABLE,
	  .doc = "Disk format: raw, qcow2, vmdk, vhd, vhdx or iso."),
	F("container_format", container_format, .flags = NULLABLE, .doc = "Container format; bare only."),
	F("min_disk", min_disk, .max = 1024 * 1024, .doc = "Minimum size of the root disk in GiB."),
	F("min_ram", min_ram, .max = 64 * 1024 * 1024, .doc = "Minimum memory in MiB."),
	F("protected", is_protected, .doc = "Whether the image is protected against deletion."),
	F("os_hidden", is_hidden, .doc = "Whether the image is hidden from lists."),
	F("tags", tags, .max = IMAGE_PROPERTIES_MAX, .doc = "Tags of the image."),
	OS_BODY(struct os_image_create, "owner", wish.owner, .kind = KIND_ACCOUNT,
		.flags = ID_OR_EMPTY | NULLABLE, .doc = "Owner; absent: the caller's project."),
};
#undef F

static bool is_read_only(const char *key)
{
	static const char *const keys[] = {"status",       "checksum",      "size",       "virtual_size",
					   "os_hash_algo", "os_hash_value", "created_at", "updated_at",
					   "self",         "file",          "schema",     "direct_url",
					   "locations"};
	for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
		if (strcmp(key, keys[k]) == 0)
			return true;
	return false;
}

static RESULT fail_read_only(struct os_call *e, const char *key)
{
	return ctx_fail_field(e->c, ERR_DENIED, str_copy(e->c->arena, str_from(key)),
			      "Attribute '%s' is read-only.", key);
}

/* Refuses names that Glance reserves. */
static RESULT check_reserved(struct os_call *e, const char *key)
{
	bool is_reserved = strcmp(key, "location") == 0 || strcmp(key, "deleted") == 0 ||
			   strcmp(key, "deleted_at") == 0 || strncmp(key, "os_glance", 9) == 0;
	return !is_reserved ? OK
			    : ctx_fail_field(e->c, ERR_DENIED, str_copy(e->c->arena, str_from(key)),
					     "Attribute '%s' is reserved.", key);
}

/* Sets a property, or removes it if the value is NULL. */
static RESULT set_property(struct os_call *e, struct image_form *form, const char *key, const json_t *value)
{
	struct tag *next = arena_new_array(e->c->arena, struct tag, form->properties.count + 1);
	struct str name = str_copy(e->c->arena, str_from(key));
	size_t count = 0;
	TRY(check_reserved(e, key));
	if (!next || !name.p)
		return ctx_no_memory(e->c);
	if (value && !json_is_string(value))
		return ctx_fail_field(e->c, ERR_INVALID, name, "Property '%s' is a text.", key);
	struct str text = value ? str_copy(e->c->arena,
					   (struct str){json_string_value(value), json_string_length(value)})
				: STR_NONE;
	if (str_is(name, "description")) {
		form->description = text;
		return OK;
	}
	for (size_t k = 0; k < form->properties.count; k++)
		if (!str_equal(form->properties.at[k].key, name))
			next[count++] = form->properties.at[k];
	if (value)
		next[count++] = (struct tag){name, text};
	form->properties = (struct tags){next, count};
	return OK;
}

static void form_of_fields(struct arena *a, const struct os_image_fields *fields, struct image_form *form)
{
	form->name = fields->name;
	form->disk_format = fields->disk_format;
	form->container_format = fields->container_format;
	form->min_disk = fields->min_disk * GIBIBYTE;
	form->min_memory = fields->min_ram * MEBIBYTE;
	form->is_protected = fields->is_protected;
	form->is_hidden = fields->is_hidden;
	form->labels = fields->tags;
	for (int k = 0; k < (int) (sizeof visibility_words / sizeof *visibility_words); k++)
		if (str_is(fields->visibility, visibility_words[k]))
			form->visibility = (enum image_visibility) k;
	os_image_apply_properties(a, form);
}

static RESULT take_others(struct os_call *e, struct str others, struct image_form *form)
{
	const char *key = NULL;
	json_t *value = NULL, *object = json_loadb(others.p, others.n, 0, NULL);
	struct result result = OK;
	json_object_foreach (object, key, value) {
		if (result_is_ok(result))
			result = is_read_only(key) ? fail_read_only(e, key)
						   : set_property(e, form, key, value);
	}
	json_decref(object);
	return result;
}

/* Only administrators may publish, as by Glance's policy publicize_image. EC2 lets users publish their own
 * images. */
static RESULT check_publishing(struct os_call *e, struct str before, struct str after)
{
	bool publishes = str_is(after, "public") && !str_is(before, "public");
	return !publishes || os_is_admin(e)
		       ? OK
		       : ctx_fail_field(e->c, ERR_DENIED, STR("visibility"),
					"You are not authorized to complete publicize_image action.");
}

/* The account of an id's last event. */
struct past_owner {
	uuid account;
	bool is_known;
};

static RESULT note_owner(void *arg, const struct event *event)
{
	*(struct past_owner *) arg = (struct past_owner){event->account, true};
	return OK;
}

/* Refuses an id that another account's image had before it was forgotten: whoever still refers to that image would
 * get this one. Glance keeps deleted images for the same reason. The history knows for long enough
 * (history.events_days); ids that the region draws never return. */
static RESULT check_never_used(struct os_call *e, uuid id)
{
	struct past_owner past = {0};
	const struct event_query query = {.id = id, .kinds = STR(" image "), .max = 1};
	if (uuid_is_none(id) || identity_is_admin(e->c->who))
		return OK;
	os_release_tables(e);
	TRY(store_read_events(e->config->store, e->c, &query, note_owner, &past));
	if (!past.is_known || uuid_equal(past.account, e->c->who->account))
		return OK;
	return ctx_fail_kind(e->c, ERR_EXISTS, KIND_IMAGE, ENGINE_IMAGE_ID_IS_TAKEN);
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_image_create *a = args;
	if (!e->request.body)
		return ctx_fail(e->c, ERR_INVALID, "Body expected in request.");
	TRY(check_publishing(e, STR_NONE, a->fields.visibility));
	if (a->fields.others.n)
		TRY(take_others(e, a->fields.others, &a->wish.form));
	if (a->fields.id.n && !result_is_ok(uuid_parse_asked(a->fields.id, &a->wish.id)))
		return ctx_fail_field(e->c, ERR_INVALID, STR("id"), "Invalid image id: it is no UUID.");
	TRY(check_never_used(e, a->wish.id));
	form_of_fields(e->c->arena, &a->fields, &a->wish.form);
	return OK;
}

static RESULT show_created(struct os_call *e, const void *args, struct json_writer *w)
{
	uuid image = ((const struct os_image_create *) args)->wish.image;
	struct str where = str_print(e->c->arena, "%" STR_FMT "/image/v2/images/%" STR_FMT,
				     STR_ARG(e->base_url), STR_ARG(uuid_to_str(e->c->arena, image)));
	call_set_answer_header(e->call, "Location", where);
	call_set_answer_header(e->call, "OpenStack-image-import-methods", STR("glance-direct,web-download"));
	return os_write_returned(e, &one_listing, image, w);
}

/* ---- patches ---- */

struct os_image_patch {
	struct image_rewriting wish;
	struct ref image;
	uuid id;
};
static const struct param patch_params[] = {OS_IMAGE_PATH(struct os_image_patch, image)};

/* Converts the JSON pointer "/name" into "name", with ~1 for a slash and ~0 for a tilde. */
static const char *key_of_path(struct os_call *e, const char *path)
{
	size_t n = 0;
	char *key = arena_alloc(e->c->arena, strlen(path) + 1);
	if (!key || path[0] != '/')
		return NULL;
	for (const char *p = path + 1; *p; p++) {
		bool is_escape = p[0] == '~' && (p[1] == '0' || p[1] == '1');
		if (*p == '/')
			return NULL;
		key[n++] = is_escape ? (p[1] == '1' ? '/' : '~') : *p;
		p += is_escape;
	}
	return n ? key : NULL;
}

static bool is_patch_op(const char *op)
{
	return op && (strcmp(op, "add") == 0 || strcmp(op, "replace") == 0 || strcmp(op, "remove") == 0);
}

/* Returns the parameter of that name; NULL: the key is a property. */
static const struct param *find_own(const char *key)
{
	for (size_t k = 0; k < sizeof create_params / sizeof *create_params; k++)
		if (strcmp(create_params[k].wire, key) == 0)
			return &create_params[k];
	return NULL;
}

/* True if the property exists. Properties that the image shows without having them (the guest's, the
 * licence) may be replaced. */
static bool has_property(const struct image_form *form, const char *key, bool removes)
{
	return tags_find(form->properties, str_from(key)) ||
	       (strcmp(key, "description") == 0 && (removes || form->description.n)) ||
	       (!removes && (os_image_shows_machine_word(form, str_from(key)) ||
			     (strcmp(key, OS_LICENCE_PROPERTY) == 0 && form->licences.count)));
}

/* Source: patches of Glance's images controller. */
static RESULT check_property(struct os_call *e, const struct image_form *form, const char *key, bool removes)
{
	return has_property(form, key, removes)
		       ? OK
		       : ctx_fail_field(e->c, ERR_CONFLICT, str_copy(e->c->arena, str_from(key)),
					"Property %s does not exist.", key);
}

/* Reads {"op": "replace", "path": "/name"}, or API 2.0's {"replace": "/name"}. */
static void read_change(const json_t *change, const char **ret_op, const char **ret_path)
{
	static const char *const ops[] = {"add", "replace", "remove"};
	*ret_op = json_string_value(json_object_get(change, "op"));
	*ret_path = json_string_value(json_object_get(change, "path"));
	for (size_t k = 0; !*ret_op && k < sizeof ops / sizeof ops[0]; k++)
		if (json_object_get(change, ops[k])) {
			*ret_op = ops[k];
			*ret_path = json_string_value(json_object_get(change, ops[k]));
		}
}

static RESULT replace_own(struct os_call *e, const struct param *own, const json_t *value,
			  struct os_image_create *a)
{
	return strcmp(own->wire, "owner") == 0 && !os_is_admin(e)
		       ? ctx_fail_field(e->c, ERR_DENIED, STR("owner"),
					"Owner can't be updated by non admin.")
		       : os_param_read_json(e->c, own, value, str_from(own->wire), a);
}

static RESULT apply_change(struct os_call *e, const json_t *change, struct os_image_create *a)
{
	const char *op = NULL, *path = NULL;
	read_change(change, &op, &path);
	const char *key = path ? key_of_path(e, path) : NULL;
	const json_t *value = json_object_get(change, "value");
	bool removes = op && strcmp(op, "remove") == 0;
	if (!key || !is_patch_op(op) || (!removes && !value))
		return ctx_fail(e->c, ERR_INVALID, "Invalid JSON patch: op, path and value are needed.");
	if (is_read_only(key) || strcmp(key, "id") == 0)
		return fail_read_only(e, key);
	const struct param *own = find_own(key);
	if (own)
		return removes ? ctx_fail(e->c, ERR_DENIED, "Property %s may not be removed.", key)
			       : replace_own(e, own, value, a);
	TRY(check_reserved(e, key));
	if (strcmp(op, "add") != 0)
		TRY(check_property(e, &a->wish.form, key, removes));
	return set_property(e, &a->wish.form, key, removes ? NULL : value);
}

static struct os_image_create fields_of(const struct image *image)
{
	struct os_image_create a = {.wish.form = engine_image_form(image)};
	const struct image_form *form = &a.wish.form;
	a.fields = (struct os_image_fields){
		.name = form->name,
		.visibility = str_from(visibility_words[form->visibility]),
		.disk_format = form->disk_format,
		.container_format = form->container_format,
		.min_disk = form->min_disk / GIBIBYTE,
		.min_ram = form->min_memory / MEBIBYTE,
		.is_protected = form->is_protected,
		.is_hidden = form->is_hidden,
		.tags = form->labels,
	};
	return a;
}

static RESULT apply_patch(struct os_call *e, const json_t *patch, struct os_image_create *a)
{
	size_t k = 0;
	json_t *change = NULL;
	if (!json_is_array(patch) || json_array_size(patch) > PARAM_LIST_MAX)
		return ctx_fail(e->c, ERR_INVALID, "Request body must be a JSON array of operation objects.");
	json_array_foreach (patch, k, change)
		TRY(apply_change(e, change, a));
	return OK;
}

/* Keeps attributes of the guest that another API set, unless a property changes them. */
static void keep_machine(struct arena *a, const struct image *image, struct image_form *form)
{
	struct image_form before = engine_image_form(image), said = before;
	os_image_apply_properties(a, &said);
	if (form->arch == said.arch)
		form->arch = before.arch;
	if (form->platform == said.platform)
		form->platform = before.platform;
	if (form->disk_bus == said.disk_bus)
		form->disk_bus = before.disk_bus;
	if (form->nic_model == said.nic_model)
		form->nic_model = before.nic_model;
	if (form->boot_mode == said.boot_mode)
		form->boot_mode = before.boot_mode;
	if (form->secure_boot == said.secure_boot)
		form->secure_boot = before.secure_boot;
	if (form->tpm == said.tpm)
		form->tpm = before.tpm;
	if (str_equal(licence_write_all(a, form->licences), licence_write_all(a, said.licences)))
		form->licences = before.licences;
}

RESULT os_begin_image_rewriting(struct os_call *e, const struct ref *ref, struct image_rewriting *wish,
				const struct image **ret_image)
{
	const struct image *image = NULL;
	TRY(os_find_changed_image(e, ref, &image));
	image = image_of(row_copy(e->c->arena, &model_kinds[KIND_IMAGE], &image->row));
	if (!image)
		return ctx_no_memory(e->c);
	wish->image = *ref;
	wish->gen = image->row.gen;
	wish->form = engine_image_form(image);
	*ret_image = image;
	return OK;
}

void os_image_set_properties(struct arena *a, const struct image *image, struct tags properties,
			     struct image_form *form)
{
	form->properties = properties;
	os_image_apply_properties(a, form);
	keep_machine(a, image, form);
}

static RESULT prepare_patch(struct os_call *e, void *args)
{
	struct os_image_patch *a = args;
	const struct image *image = NULL;
	TRY(os_begin_image_rewriting(e, &a->image, &a->wish, &image));
	struct str type = call_header(e->call, "Content-Type");
	if (!str_starts_with(type, STR("application/openstack-images-v2.1-json-patch")) &&
	    !str_starts_with(type, STR("application/openstack-images-v2.0-json-patch")))
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, STR("Content-Type"),
			"A change is a JSON patch: application/openstack-images-v2.1-json-patch");
	struct os_image_create next = fields_of(image);
	json_t *patch = json_loadb(e->call->body.p, e->call->body.n, 0, NULL);
	struct result result = apply_patch(e, patch, &next);
	json_decref(patch);
	TRY(result);
	TRY(check_publishing(e, fields_of(image).fields.visibility, next.fields.visibility));
	form_of_fields(e->c->arena, &next.fields, &next.wish.form);
	keep_machine(e->c->arena, image, &next.wish.form);
	a->wish.form = next.wish.form;
	a->wish.owner = next.wish.owner;
	a->id = image->row.id;
	return OK;
}

/* ---- tags ---- */

struct os_image_tag {
	struct image_rewriting wish;
	struct ref image;
	struct str tag;
};
static const struct param tag_params[] = {
	OS_IMAGE_PATH(struct os_image_tag, image),
	OS_PATH(struct os_image_tag, "tag", tag, .doc = "The tag."),
};

static RESULT change_tag(struct os_call *e, void *args, bool is_added)
{
	struct os_image_tag *a = args;
	const struct image *image = NULL;
	TRY(os_begin_image_rewriting(e, &a->image, &a->wish, &image));
	struct str *tags = arena_new_array(e->c->arena, struct str, image->labels.count + 1);
	size_t count = 0;
	if (!tags)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < image->labels.count; k++)
		if (!str_equal(image->labels.at[k], a->tag))
			tags[count++] = image->labels.at[k];
	if (!is_added && count == image->labels.count)
		return ctx_fail(e->c, ERR_NOT_FOUND, "The image has no such tag.");
	if (is_added)
		tags[count++] = a->tag;
	a->wish.form.labels = (struct strs){tags, count};
	return OK;
}

static RESULT prepare_add_tag(struct os_call *e, void *args)
{
	return change_tag(e, args, true);
}

static RESULT prepare_remove_tag(struct os_call *e, void *args)
{
	return change_tag(e, args, false);
}

/* ---- deleting, switching off ---- */

struct os_image_delete {
	struct image_target wish;
};
static const struct param delete_params[] = {OS_IMAGE_PATH(struct os_image_delete, wish.image)};

static RESULT prepare_delete(struct os_call *e, void *args)
{
	const struct image *image = NULL;
	return os_find_changed_image(e, &((struct os_image_delete *) args)->wish.image, &image);
}

struct os_image_activate {
	struct image_activation wish;
};
static const struct param activate_params[] = {OS_IMAGE_PATH(struct os_image_activate, wish.image)};

static const struct os_action actions[] = {
	{HTTP_GET, "/v2/images", .permit = "get_images", .prepare = check_query, .list = &os_image_listing,
	 .answer = list_images, .doc = "Lists the images that the project may use."},
	{HTTP_POST, "/v2/images", .permit = "add_image", .flags = API_WRITES, .status = 201,
	 .args = OS_PARAMS(struct os_image_create, create_params,
			   .members = offsetof(struct os_image_create, fields.others) + 1),
	 .prepare = prepare_create, .operation = engine_create_image_run, .answer = show_created,
	 .returns = KIND_IMAGE, .doc = "Creates an image without data."},
	{HTTP_GET, "/v2/images/{image_id}", .permit = "get_image",
	 .args = OS_PARAMS(struct os_image_target, target_params),
	 OS_SHOWS(one_listing, struct os_image_target, image), .doc = "Shows one image."},
	{HTTP_PATCH, "/v2/images/{image_id}", .permit = "modify_image", .flags = API_WRITES | OS_RAW_BODY,
	 .args = OS_PARAMS(struct os_image_patch, patch_params), .prepare = prepare_patch,
	 .operation = engine_rewrite_image_run, OS_SHOWS(one_listing, struct os_image_patch, id),
	 .returns = KIND_IMAGE, .doc = "Changes the properties of an image."},
	{HTTP_DELETE, "/v2/images/{image_id}", .permit = "delete_image", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_image_delete, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_image_run, .doc = "Deletes an image."},
	{HTTP_PUT, "/v2/images/{image_id}/tags/{tag}", .permit = "modify_image",
	 .flags = API_WRITES | OS_RAW_BODY, .status = 204, .args = OS_PARAMS(struct os_image_tag, tag_params),
	 .prepare = prepare_add_tag, .operation = engine_rewrite_image_run, .doc = "Adds a tag to an image."},
	{HTTP_DELETE, "/v2/images/{image_id}/tags/{tag}", .permit = "modify_image", .flags = API_WRITES,
	 .status = 204, .args = OS_PARAMS(struct os_image_tag, tag_params), .prepare = prepare_remove_tag,
	 .operation = engine_rewrite_image_run, .doc = "Removes a tag from an image."},
	{HTTP_POST, "/v2/images/{image_id}/actions/deactivate", .permit = "deactivate",
	 .flags = API_WRITES | OS_RAW_BODY, .status = 204,
	 .args = OS_PARAMS(struct os_image_activate, activate_params), .operation = engine_activate_image_run,
	 .doc = "Deactivates an image: nobody can launch or download it."},
	{HTTP_POST, "/v2/images/{image_id}/actions/reactivate", .permit = "reactivate",
	 .flags = API_WRITES | OS_RAW_BODY, .status = 204,
	 .args = OS_PARAMS(struct os_image_activate, activate_params),
	 .sets = {API_SETS(struct os_image_activate, wish.is_active)}, .operation = engine_activate_image_run,
	 .doc = "Reactivates an image."},
};
const struct os_actions os_image_actions = OS_ACTIONS(OS_IMAGE, actions);
