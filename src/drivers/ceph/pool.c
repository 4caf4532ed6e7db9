/* SPDX-License-Identifier: Apache-2.0
 * The connection to a pool, and the listing of its images. */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/heap.h"
#include "base/vec.h"
#include "drivers/ceph/pool.h"

enum { IMAGES_FIRST = 256, IMAGES_MAX = 1 << 20, MONITORS_MAX = 16, WORD_MAX = 128 };

/* ---- failures */

static enum err kind_of(int error)
{
	switch (error) {
	case ENOENT:
		return ERR_NOT_FOUND;
	case ENOSPC:
	case EDQUOT:
		return ERR_CAPACITY;
	case EBUSY:
		return ERR_IN_USE;
	case ENOMEM:
		return ERR_NO_MEMORY;
	case ESHUTDOWN: /* this client is on the blocklist */
	case ETIMEDOUT:
	case ENOTCONN:
	case EACCES:
	case EPERM:
		return ERR_GONE;
	default:
		return ERR_IO;
	}
}

struct result ceph_fail(struct disk_host *h, struct ctx *c, int answer, const char *what, ...)
{
	char text[256];
	va_list args;
	va_start(args, what);
	(void) vsnprintf(text, sizeof text, what, args);
	va_end(args);
	const char *why = strerrordesc_np(-answer);
	return ctx_fail(c, kind_of(-answer), "%s in Ceph's pool %s: %s", text, h->pool,
			answer == -ESHUTDOWN ? "Ceph has blocked us"
			: why                ? why
					     : "an unknown error");
}

RESULT ceph_begin(struct disk_host *h, struct ctx *c)
{
	TRY(ctx_check_may_act(c));
	return fault_fires(FAULT_DRIVER)
		       ? ctx_fail(c, ERR_AGAIN, "Ceph's pool %s cannot be asked just now", h->pool)
		       : OK;
}

/* ---- the place */

static bool is_of(struct str s, const char *others)
{
	for (size_t k = 0; k < s.n; k++)
		if (!str_is_alphanumeric(s.p[k]) && !strchr(others, s.p[k]))
			return false;
	return s.n > 0 && s.n <= WORD_MAX;
}

RESULT ceph_check_place(struct ctx *c, const struct ceph_place *place)
{
	if (!is_of(place->pool, "._-"))
		return ctx_fail(c, ERR_INVALID, "\"%" STR_FMT "\" is no name of a pool of Ceph",
				STR_ARG(place->pool));
	if (!is_of(place->user, "._-"))
		return ctx_fail(c, ERR_INVALID, "\"%" STR_FMT "\" is no user of Ceph", STR_ARG(place->user));
	if (!is_of(place->key, "+/="))
		return ctx_fail(c, ERR_INVALID, "the key of Ceph's user %" STR_FMT " is none",
				STR_ARG(place->user));
	if (!place->monitors.count || place->monitors.count > MONITORS_MAX)
		return ctx_fail(c, ERR_INVALID, "a pool of Ceph has 1 to %d monitors", MONITORS_MAX);
	for (size_t k = 0; k < place->monitors.count; k++)
		if (!is_of(place->monitors.at[k], ".:-[]"))
			return ctx_fail(c, ERR_INVALID, "\"%" STR_FMT "\" is no address of a monitor",
					STR_ARG(place->monitors.at[k]));
	return OK;
}

/* ---- connecting */

static RESULT join_monitors(struct ctx *c, const struct ceph_place *place, struct str *ret_text)
{
	*ret_text = STR("");
	for (size_t k = 0; k < place->monitors.count; k++)
		*ret_text = str_print(c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(*ret_text), k ? "," : "",
				      STR_ARG(place->monitors.at[k]));
	return ret_text->p ? OK : ctx_no_memory(c);
}

/* Uses no configuration file of this machine. Calls that the cluster doesn't answer time out; repeating them
 * is harmless. */
static RESULT configure(struct disk_host *h, struct ctx *c, const struct ceph_place *place)
{
	struct str monitors = STR_NONE;
	TRY(join_monitors(c, place, &monitors));
	const char *key = str_to_z(c->arena, place->key);
	if (!key)
		return ctx_no_memory(c);
	const struct {
		const char *option, *value;
	} options[] = {
		{"mon_host", monitors.p},       {"key", key},
		{"client_mount_timeout", "10"}, {"rados_mon_op_timeout", "30"},
		{"rados_osd_op_timeout", "60"}, {"log_file", "/dev/null"},
		{"log_to_stderr", "false"},     {"err_to_stderr", "false"},
		{"admin_socket", ""},
	};
	for (size_t k = 0; k < sizeof options / sizeof options[0]; k++) {
		int answer = ceph.rados_conf_set(h->cluster, options[k].option, options[k].value);
		if (answer < 0)
			return ceph_fail(h, c, answer, "setting %s", options[k].option);
	}
	return OK;
}

static RESULT connect_pool(struct disk_host *h, struct ctx *c, const struct ceph_place *place)
{
	struct str user = str_print(c->arena, "client.%" STR_FMT, STR_ARG(place->user));
	if (!user.p)
		return ctx_no_memory(c);
	int answer = ceph.rados_create2(&h->cluster, "ceph", user.p, 0);
	if (answer < 0)
		return ceph_fail(h, c, answer, "beginning a connection");
	TRY(configure(h, c, place));
	answer = ceph.rados_connect(h->cluster);
	if (answer == -ENOMEM)
		return ctx_no_memory(c);
	if (answer < 0)
		return ctx_fail(c, ERR_GONE, "connecting to Ceph's pool %s as %s: %s", h->pool, user.p,
				strerrordesc_np(-answer));
	answer = ceph.rados_ioctx_create(h->cluster, h->pool, &h->io);
	return answer < 0 ? ceph_fail(h, c, answer, "opening the pool") : OK;
}

void ceph_close_pool(struct disk_host *h)
{
	if (!h)
		return;
	ceph_forget_plan(h);
	if (h->io)
		ceph.rados_ioctx_destroy(h->io);
	if (h->cluster)
		ceph.rados_shutdown(h->cluster);
	heap_free(h->pool);
	heap_free(h);
}

RESULT ceph_open_pool(struct ctx *c, uuid region, const struct ceph_place *place, struct disk_host **ret_host)
{
	TRY(ceph_check_place(c, place));
	TRY(ceph_load(c));
	const char *pool = str_to_z(c->arena, place->pool);
	struct disk_host *h = heap_new(struct disk_host);
	if (h)
		h->pool = pool ? heap_copy_z(pool) : NULL;
	if (!h || !h->pool) {
		ceph_close_pool(h);
		return ctx_no_memory(c);
	}
	h->region = region;
	uuid_write(region, h->region_text);
	struct result r = connect_pool(h, c, place);
	if (!result_is_ok(r)) {
		ceph_close_pool(h);
		return r;
	}
	*ret_host = h;
	return OK;
}

RESULT ceph_refuse_host(struct ctx *c, uuid region, const struct host *host, struct disk_host **ret_host)
{
	(void) region;
	(void) host;
	(void) ret_host;
	return ctx_fail(c, ERR_INVALID, "a host is no pool of Ceph");
}

void ceph_watch(struct disk_host *h, disk_asks *asks, void *arg)
{
	(void) h;
	(void) asks;
	(void) arg;
}

/* ---- asking the monitors */

RESULT ceph_ask_monitors(struct disk_host *h, struct ctx *c, const char *command, int *ret_answer,
			 struct str *ret_output)
{
	const char *commands[] = {command};
	char *output = NULL, *status = NULL;
	size_t output_size = 0, status_size = 0;
	*ret_answer = ceph.rados_mon_command(h->cluster, commands, 1, "", 0, &output, &output_size, &status,
					     &status_size);
	*ret_output = str_copy(c->arena, (struct str){output ? output : "", output_size});
	ceph.rados_buffer_free(output);
	ceph.rados_buffer_free(status);
	return ret_output->p ? OK : ctx_no_memory(c);
}

RESULT ceph_find_room(struct disk_host *h, struct ctx *c, struct disk_inventory *inventory)
{
	int answer = 0;
	struct str output = STR_NONE;
	TRY(ceph_ask_monitors(h, c, "{\"prefix\": \"df\", \"format\": \"json\"}", &answer, &output));
	if (answer < 0)
		return ceph_fail(h, c, answer, "asking for the room");
	json_t *whole = json_loadb(output.p, output.n, 0, NULL), *pool = NULL;
	size_t k = 0;
	json_array_foreach (json_object_get(whole, "pools"), k, pool) {
		const char *name = json_string_value(json_object_get(pool, "name"));
		const json_t *stats = json_object_get(pool, "stats");
		if (!name || strcmp(name, h->pool) != 0)
			continue;
		inventory->pool_free = json_integer_value(json_object_get(stats, "max_avail"));
		inventory->pool_size =
			inventory->pool_free + json_integer_value(json_object_get(stats, "stored"));
	}
	json_decref(whole);
	return OK;
}

/* ---- looking */

struct items {
	VEC(struct disk_item) of;
};

static RESULT read_base_name(struct disk_host *h, struct ctx *c, rbd_image_t image, struct str *ret_name)
{
	rbd_linked_image_spec_t parent = {0};
	rbd_snap_spec_t snapshot = {0};
	int answer = ceph.rbd_get_parent(image, &parent, &snapshot);
	*ret_name = STR_NONE;
	if (answer == -ENOENT)
		return OK;
	if (answer < 0)
		return ceph_fail(h, c, answer, "looking for what an image stands on");
	*ret_name = str_copy(c->arena, str_from(parent.image_name));
	ceph.rbd_linked_image_spec_cleanup(&parent);
	ceph.rbd_snap_spec_cleanup(&snapshot);
	return ret_name->p ? OK : ctx_no_memory(c);
}

/* Skips images that disappear meanwhile, and those of other regions. */
static RESULT add_item(struct disk_host *h, struct ctx *c, struct str name, struct items *items)
{
	struct disk_item item = {0};
	bool is_made = false;
	int64_t size = 0, offset = 0;
	char region_digits[DISK_NAME_REGION_SIZE + 1] = {0};
	memcpy(region_digits, h->region_text, DISK_NAME_REGION_SIZE);
	if (!disk_name_parse(region_digits, name, &item.name))
		return OK;
	AUTO_IMAGE image = NULL;
	TRY(ceph_look_at(h, c, name, &image));
	if (!image)
		return OK;
	struct result r = ceph_check_mark(h, c, image, name, &is_made);
	if (r.code == ERR_CONFLICT) {
		ctx_clear_problem(c);
		return OK;
	}
	TRY(r);
	TRY(ceph_get_size_of(h, c, image, &size));
	if (item.name.kind != DISK_CUT) /* cuts never report a base: users treat them as independent */
		TRY(read_base_name(h, c, image, &item.base));
	if (item.name.kind == DISK_VOLUME)
		TRY(ceph_find_sealed(h, c, image, &offset));
	item.size = item.name.kind == DISK_VOLUME ? size - offset : 0;
	item.file_size = size;
	return VEC_PUSH(c->arena, &items->of, item) ? OK : ctx_no_memory(c);
}

static RESULT list_names(struct disk_host *h, struct ctx *c, struct strs *ret_names)
{
	size_t room = IMAGES_FIRST, count = 0;
	rbd_image_spec_t *images = NULL;
	int answer = -ERANGE;
	while (answer == -ERANGE && room <= IMAGES_MAX) {
		heap_free(images);
		images = heap_alloc_array(room, sizeof *images);
		if (!images)
			return ctx_no_memory(c);
		count = room;
		answer = ceph.rbd_list2(h->io, images, &count);
		room = count > room ? count + IMAGES_FIRST : 2 * room;
	}
	struct str *names = answer < 0 ? NULL : arena_new_array(c->arena, struct str, count + 1);
	for (size_t k = 0; names && k < count; k++)
		names[k] = str_copy(c->arena, str_from(images[k].name));
	if (answer >= 0)
		ceph.rbd_image_spec_list_cleanup(images, count);
	heap_free(images);
	if (answer < 0)
		return ceph_fail(h, c, answer, "listing images");
	*ret_names = (struct strs){names, count};
	return names ? OK : ctx_no_memory(c);
}

RESULT ceph_list(struct disk_host *h, struct ctx *c, struct disk_inventory *ret_inventory)
{
	struct strs names = {0};
	struct items items = {0};
	struct disk_inventory inventory = {0};
	TRY(ceph_begin(h, c));
	TRY(list_names(h, c, &names));
	for (size_t k = 0; k < names.count; k++)
		TRY(add_item(h, c, names.at[k], &items));
	TRY(ceph_find_room(h, c, &inventory));
	inventory.at = items.of.at;
	inventory.count = items.of.count;
	*ret_inventory = inventory;
	return OK;
}
