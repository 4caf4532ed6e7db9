/* SPDX-License-Identifier: Apache-2.0
 * Uploads disks to Glance and makes volumes of them, for migrations to OpenStack. Glance takes whole images in one request
 * alone, so each round uploads the disks anew. Nothing is made twice: an image has an id that is chosen here, and the
 * machine is created with volumes that are known before, which a second machine cannot have. Sources: Image API v2,
 * Block Storage API v3 and Compute API reference. */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/crypto_digest.h"
#include "drivers/remote/openstack/answer.h"
#include "drivers/remote/openstack/request.h"
#include "drivers/remote/openstack/sink.h"

enum { LIST_MAX = 250, VOLUMES_MAX = 1000 };
#define GIB (INT64_C(1) << 30)
#define NO_FLAVOR "dari-migration-no-flavor"
#define MIGRATION_KEY "dari:migration"
#define DISK_KEY "dari:disk"
#define IMAGE_KEY "dari:image"

/* Name of the migration's images and volumes, and tag of the images. */
static struct str name_of(struct ctx *c, uuid migration)
{
	char text[UUID_TEXT_SIZE];
	return str_print(c->arena, "dari-migration-%s", uuid_write(migration, text));
}

static struct str image_path(struct ctx *c, struct str id, const char *behind)
{
	return str_print(c->arena, "/v2/images/%" STR_FMT "%s", STR_ARG(str_encode_url(c->arena, id, false)),
			 behind);
}

static RESULT ask_image(struct ctx *c, struct remote *r, const char *method, struct str path, struct str body,
			struct remote_json *ret_answer)
{
	return openstack_ask(c, r, REMOTE_SERVICE_IMAGE, method, path, body, ret_answer);
}

static RESULT ask_volume(struct ctx *c, struct remote *r, const char *method, struct str path,
			 struct str body, struct remote_json *ret_answer)
{
	return openstack_ask(c, r, REMOTE_SERVICE_VOLUME, method, path, body, ret_answer);
}

/* OK: the answer had that status. */
static RESULT accept_status(struct ctx *c, struct result result, const struct remote_json *answer, int status)
{
	if (answer->status != status)
		return result;
	ctx_clear_problem(c);
	return OK;
}

/* ---- images ---- */

static bool has_tag(const json_t *image, struct str tag)
{
	const json_t *tags = json_object_get(image, "tags");
	for (size_t k = 0; k < json_array_size(tags) && k < LIST_MAX; k++) {
		const char *text = json_string_value(json_array_get(tags, k));
		if (text && str_equal(str_from(text), tag))
			return true;
	}
	return false;
}

static struct remote_point read_point(struct ctx *c, const json_t *image)
{
	struct remote_point point = {.id = remote_json_text(c, image, "id")};
	struct str status = remote_json_text(c, image, "status");
	IGNORE(str_parse_int(remote_json_text(c, image, "dari_round"), &point.round));
	point.is_complete = str_is(status, "active");
	point.is_open = str_is(status, "queued");
	point.has_failed = str_is(status, "killed") || str_is(status, "deleted") ||
			   str_is(status, "pending_delete") || str_is(status, "deactivated");
	return point;
}

/* Some clouds ignore filters, so that tags are compared. */
static RESULT find(struct ctx *c, struct remote *r, const struct remote_round *round,
		   struct remote_points *ret_points)
{
	AUTO_ANSWER answer = {0};
	struct str tag = name_of(c, round->migration);
	struct str path = str_print(c->arena, "/v2/images?limit=%d&tag=%" STR_FMT, LIST_MAX, STR_ARG(tag));
	TRY(ask_image(c, r, "GET", path, STR_NONE, &answer));
	const json_t *images = json_object_get(answer.root, "images");
	*ret_points = (struct remote_points){arena_new_array(c->arena, struct remote_point, LIST_MAX), 0};
	if (!ret_points->at)
		return ctx_no_memory(c);
	if (!json_is_array(images))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is no list of images.");
	for (size_t k = 0; k < json_array_size(images) && ret_points->count < LIST_MAX; k++) {
		const json_t *image = json_array_get(images, k);
		struct remote_point point = read_point(c, image);
		bool is_ours = has_tag(image, tag) && draft_is_id(point.id) &&
			       (!round->round || point.round == round->round);
		if (is_ours)
			ret_points->at[ret_points->count++] = point;
	}
	return OK;
}

static RESULT thaw(struct ctx *c, struct remote *r, struct str point)
{
	AUTO_ANSWER answer = {0};
	struct result result = ask_image(c, r, "DELETE", image_path(c, point, ""), STR_NONE, &answer);
	return accept_status(c, result, &answer, 404);
}

static RESULT write_image(struct ctx *c, const struct remote_sink *sink, struct str id, struct str *ret_body)
{
	struct remote_body b;
	struct json_writer *w = &b.json;
	remote_body_begin(&b);
	json_write_open(w, NULL);
	json_write_text(w, "id", id);
	json_write_text(w, "name", name_of(c, sink->migration));
	json_write_z(w, "visibility", "private");
	json_write_z(w, "disk_format", "qcow2");
	json_write_z(w, "container_format", "bare");
	json_write_open_list(w, "tags");
	json_write_text(w, NULL, name_of(c, sink->migration));
	json_write_close_list(w);
	json_write_text(w, "dari_round", str_print(c->arena, "%" PRId64, sink->round));
	json_write_text(w, "dari_disk", str_print(c->arena, "%" PRId64, sink->number));
	if (sink->is_uefi && sink->number == 0)
		json_write_z(w, "hw_firmware_type", "uefi");
	json_write_close(w);
	return remote_body_end(c, &b, ret_body);
}

/* The token is the image's id, so that a repeated request finds the image of the first one. */
static RESULT begin(struct ctx *c, struct remote *r, const struct remote_sink *sink, struct str *ret_point)
{
	AUTO_ANSWER answer = {0};
	struct str id = uuid_to_str(c->arena, sink->token), body = STR_NONE;
	TRY(write_image(c, sink, id, &body));
	struct result result = ask_image(c, r, "POST", STR("/v2/images"), body, &answer);
	TRY(accept_status(c, result, &answer, 409));
	*ret_point = id;
	return OK;
}

static RESULT look(struct ctx *c, struct remote *r, struct str point, struct remote_point *ret_point)
{
	AUTO_ANSWER answer = {0};
	struct result result = ask_image(c, r, "GET", image_path(c, point, ""), STR_NONE, &answer);
	if (answer.status == 404) {
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_NOT_FOUND, "The image %" STR_FMT " is gone there.", STR_ARG(point));
	}
	TRY(result);
	*ret_point = read_point(c, answer.root);
	return str_equal(ret_point->id, point)
		       ? OK
		       : ctx_fail(c, ERR_IO, "The answer is not usable: it is about another image.");
}

/* Glance says which digest it made; clouds that make another one are believed. */
static RESULT compare_digest(struct ctx *c, struct remote *r, struct str point, struct str digest)
{
	AUTO_ANSWER answer = {0};
	TRY(ask_image(c, r, "GET", image_path(c, point, ""), STR_NONE, &answer));
	struct str there = remote_json_text(c, answer.root, "os_hash_value");
	bool is_same = !there.n || !str_is(remote_json_text(c, answer.root, "os_hash_algo"), "sha512") ||
		       str_equal(there, digest);
	return is_same ? OK
		       : ctx_fail(c, ERR_STATE, "The image %" STR_FMT " has another checksum there.",
				  STR_ARG(point));
}

static void digest_release(struct crypto_digest **digest)
{
	crypto_digest_free(*digest);
}

static RESULT upload(struct ctx *c, struct remote *r, struct str point, struct remote_file *file)
{
	AUTO_ANSWER answer = {0};
	AUTO_FD fd = open(file->path, O_RDONLY | O_CLOEXEC);
	__attribute__((cleanup(digest_release))) struct crypto_digest *digest =
		crypto_digest_new(CRYPTO_SHA512);
	struct stat st;
	if (!digest)
		return ctx_no_memory(c);
	if (fd < 0 || fstat(fd, &st) != 0)
		return ctx_fail(c, ERR_IO, "A file of the image store cannot be read.");
	const struct remote_upload sent = {
		.fd = fd, .size = st.st_size, .digest = digest, .goes_on = file->goes_on, .arg = file->arg};
	TRY(openstack_upload(c, r, image_path(c, point, "/file"), &sent, &answer));
	file->size = sent.size;
	return compare_digest(c, r, point, crypto_digest_end(digest, c->arena));
}

/* ---- volumes ---- */

struct volume {
	struct str id, status, image;
	int64_t disk;
};
struct volumes {
	struct volume *at;
	size_t count;
};

/* Lists the migration's volumes in the order of their ids, so that one of two for the same disk is chosen again. */
static RESULT list_volumes(struct ctx *c, struct remote *r, uuid migration, struct volumes *ret_volumes)
{
	AUTO_ANSWER answer = {0};
	struct str token = uuid_to_str(c->arena, migration);
	struct str path = str_print(c->arena, "/volumes/detail?limit=%d&name=%" STR_FMT, VOLUMES_MAX,
				    STR_ARG(name_of(c, migration)));
	TRY(ask_volume(c, r, "GET", path, STR_NONE, &answer));
	const json_t *list = json_object_get(answer.root, "volumes");
	*ret_volumes = (struct volumes){arena_new_array(c->arena, struct volume, VOLUMES_MAX), 0};
	if (!ret_volumes->at)
		return ctx_no_memory(c);
	if (!json_is_array(list))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is no list of volumes.");
	for (size_t k = 0; k < json_array_size(list) && ret_volumes->count < VOLUMES_MAX; k++) {
		const json_t *each = json_array_get(list, k);
		struct volume v = {.id = remote_json_text(c, each, "id"),
				   .status = remote_json_text(c, each, "status"),
				   .image = remote_json_text(c, each, "metadata/" IMAGE_KEY)};
		if (!str_equal(remote_json_text(c, each, "metadata/" MIGRATION_KEY), token) ||
		    !draft_is_id(v.id) ||
		    !result_is_ok(str_parse_int(remote_json_text(c, each, "metadata/" DISK_KEY), &v.disk)))
			continue;
		size_t at = ret_volumes->count++;
		for (; at > 0 && str_compare(ret_volumes->at[at - 1].id, v.id) > 0; at--)
			ret_volumes->at[at] = ret_volumes->at[at - 1];
		ret_volumes->at[at] = v;
	}
	return OK;
}

static RESULT make_volume(struct ctx *c, struct remote *r, const struct remote_image_wish *wish, size_t disk)
{
	AUTO_ANSWER answer = {0};
	const struct cloud_migration_disk *d = &wish->disks[disk];
	struct str body = STR_NONE;
	struct remote_body b;
	struct json_writer *w = &b.json;
	remote_body_begin(&b);
	json_write_open(w, NULL);
	json_write_open(w, "volume");
	json_write_int(w, "size", (d->size + GIB - 1) / GIB);
	json_write_text(w, "imageRef", d->base);
	json_write_text(w, "name", name_of(c, wish->migration));
	json_write_text(w, "description", wish->description);
	json_write_open(w, "metadata");
	json_write_text(w, MIGRATION_KEY, uuid_to_str(c->arena, wish->migration));
	json_write_text(w, DISK_KEY, str_print(c->arena, "%zu", disk));
	json_write_text(w, IMAGE_KEY, d->base);
	json_write_close(w);
	json_write_close(w);
	json_write_close(w);
	TRY(remote_body_end(c, &b, &body));
	return ask_volume(c, r, "POST", STR("/volumes"), body, &answer);
}

/* The disk's volume of its last image; NULL: none. */
static const struct volume *volume_for(const struct volumes *list, const struct cloud_migration_disk *disk,
				       size_t number)
{
	for (size_t k = 0; k < list->count; k++)
		if (list->at[k].disk == (int64_t) number && str_equal(list->at[k].image, disk->base))
			return &list->at[k];
	return NULL;
}

/* Makes no volumes once the machine was requested: the row has their ids. */
static RESULT make_image(struct ctx *c, struct remote *r, const struct remote_image_wish *wish,
			 struct remote_image *ret_image)
{
	struct volumes list = {0};
	*ret_image = (struct remote_image){.is_ready = true};
	if (wish->disks[0].made.n)
		return OK;
	TRY(list_volumes(c, r, wish->migration, &list));
	for (size_t k = 0; k < wish->count; k++) {
		const struct volume *v = volume_for(&list, &wish->disks[k], k);
		if (!v)
			TRY(make_volume(c, r, wish, k));
		else if (str_starts_with(v->status, STR("error")))
			return ctx_fail(c, ERR_INVALID, "The volume %" STR_FMT " failed there.",
					STR_ARG(v->id));
		ret_image->is_ready &= v && str_is(v->status, "available");
		if (v)
			ret_image->volumes[k] = v->id;
	}
	return OK;
}

static bool is_kept(const struct volume *v, const struct cloud_migration_disk *disks, size_t count)
{
	for (size_t k = 0; k < count; k++)
		if (str_equal(v->id, disks[k].made))
			return true;
	return false;
}

/* A volume can be deleted once the machine has released it. */
static RESULT drop_image(struct ctx *c, struct remote *r, uuid migration,
			 const struct cloud_migration_disk *disks, size_t count)
{
	struct volumes list = {0};
	size_t left = 0;
	TRY(list_volumes(c, r, migration, &list));
	for (size_t k = 0; k < list.count; k++) {
		const struct volume *v = &list.at[k];
		AUTO_ANSWER answer = {0};
		if (is_kept(v, disks, count))
			continue;
		left++;
		if (!str_is(v->status, "available") && !str_starts_with(v->status, STR("error")))
			continue;
		struct str path = str_print(c->arena, "/volumes/%" STR_FMT, STR_ARG(v->id));
		struct result result = ask_volume(c, r, "DELETE", path, STR_NONE, &answer);
		TRY(accept_status(c, result, &answer, 404));
	}
	return left ? ctx_fail(c, ERR_AGAIN, "Volumes of the migration are being deleted there.") : OK;
}

/* ---- the machine ---- */

static RESULT find_machine(struct ctx *c, struct remote *r, struct str name, uuid token,
			   struct remote_machine *ret_machine)
{
	bool is_found = false;
	*ret_machine = (struct remote_machine){0};
	TRY(openstack_find_created(c, r, name, token, &is_found, ret_machine));
	if (!is_found)
		*ret_machine = (struct remote_machine){0};
	return OK;
}

/* ---- rights ---- */

/* OpenStack has no dry runs. Lists are read, an image without data is made and deleted, and a machine is requested with a
 * flavor that does not exist. Each refusal with 403 names a policy. */
RESULT openstack_try_right(struct ctx *c, struct remote *r, int service, const char *method, struct str path,
			   struct str body, const char *policy, struct remote_identity *identity)
{
	AUTO_ANSWER answer = {0};
	struct result result = openstack_ask(c, r, service, method, path, body, &answer);
	if (answer.status == 403) {
		ctx_clear_problem(c);
		return remote_add_lack(c, identity, str_from(policy));
	}
	bool is_refusal = answer.status >= 400 && answer.status < 500 && answer.status != 401 &&
			  answer.status != 408 && answer.status != 413 && answer.status != 429;
	if (!is_refusal)
		return result;
	ctx_clear_problem(c);
	return OK;
}

static RESULT write_probe_image(struct ctx *c, uuid migration, struct str *ret_body)
{
	const struct remote_sink sink = {.migration = migration};
	return write_image(c, &sink, uuid_to_str(c->arena, migration), ret_body);
}

static RESULT check(struct ctx *c, struct remote *r, uuid migration, struct strs *ret_lacks)
{
	static const struct str machine =
		STR("{\"server\":{\"name\":\"dari-migration\",\"flavorRef\":\"" NO_FLAVOR
		    "\",\"networks\":\"none\",\"block_device_mapping_v2\":[{\"uuid\":"
		    "\"00000000-0000-0000-0000-000000000000\",\"source_type\":\"volume\","
		    "\"destination_type\":\"volume\",\"boot_index\":0}]}}");
	struct remote_identity identity = {0};
	struct str body = STR_NONE;
	struct str probe = image_path(c, uuid_to_str(c->arena, migration), "");
	TRY(write_probe_image(c, migration, &body));
	TRY(openstack_try_right(c, r, REMOTE_SERVICE_IMAGE, "GET", STR("/v2/images?limit=1"), STR_NONE,
				"image:get_images", &identity));
	TRY(openstack_try_right(c, r, REMOTE_SERVICE_VOLUME, "GET", STR("/volumes/detail?limit=1"), STR_NONE,
				"volume:get_all", &identity));
	TRY(openstack_try_right(c, r, REMOTE_SERVICE_IMAGE, "POST", STR("/v2/images"), body,
				"image:add_image", &identity));
	TRY(openstack_try_right(c, r, REMOTE_SERVICE_IMAGE, "DELETE", probe, STR_NONE, "image:delete_image",
				&identity));
	TRY(openstack_try_right(c, r, OPENSTACK_NOVA, "POST", STR("/servers"), machine,
				"os_compute_api:servers:create", &identity));
	*ret_lacks = identity.lacks;
	return OK;
}

static const struct remote_point_ops image_ops = {.find = find, .thaw = thaw};

const struct remote_sink_ops openstack_sink_ops = {.points = &image_ops,
						   .check = check,
						   .begin = begin,
						   .upload = upload,
						   .look = look,
						   .make_image = make_image,
						   .drop_image = drop_image,
						   .find_machine = find_machine};
