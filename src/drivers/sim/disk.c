/* SPDX-License-Identifier: Apache-2.0
 * Disks without data: a short text stands for what a guest wrote, and a file in transfer is a qcow2-like
 * header with that text (copy.c). Pieces are small, so that tests can kill the process between them. */
#include "drivers/sim/disk_state.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/heap.h"
#include "drivers/ceph.h"
#include "model/host.h"

/* Creates the directory if needed. A list with at NULL and count 0: out of memory, or empty. */
struct sim_directory *sim_disk_directory(struct disk_host *h)
{
	return h->path ? sim_need_directory(h->link.host, str_from(h->path)) : NULL;
}

struct files sim_disk_list(struct disk_host *h)
{
	struct sim_host *s = h->link.host;
	struct sim_directory *directory = sim_disk_directory(h);
	if (!h->path)
		return (struct files){s->disks, &s->disk_count};
	h->none = 0;
	return directory ? (struct files){directory->disks, &directory->disk_count}
			 : (struct files){NULL, &h->none};
}

static void drop_file(struct disk_host *h, struct sim_disk *d)
{
	struct files files = sim_disk_list(h);
	*d = files.at[--*files.count];
}

/* ---- connections */

static RESULT open_host(struct ctx *c, uuid region, const struct host *host, struct disk_host **ret_host)
{
	struct disk_host *h = heap_new(struct disk_host);
	if (!h)
		return ctx_no_memory(c);
	TRY(sim_connect(&h->link, c, region, host));
	*ret_host = h;
	return OK;
}

/* Opens a pool as a directory that every host has mounted; a host without it has no access to Ceph. */
static RESULT open_pool(struct ctx *c, uuid region, const struct ceph_place *place,
			struct disk_host **ret_host)
{
	struct str path = str_print(c->arena, SIM_CEPH "%" STR_FMT, STR_ARG(place->pool));
	struct disk_host *h = heap_new(struct disk_host);
	char *owned = h && path.p ? heap_copy_z(path.p) : NULL;
	const struct host cluster = {.name = place->pool};
	if (!owned) {
		heap_free(h);
		return ctx_no_memory(c);
	}
	sim_use_directories();
	struct result r = sim_connect(&h->link, c, region, &cluster); /* frees h on failure */
	if (!result_is_ok(r)) {
		heap_free(owned);
		return r;
	}
	h->path = owned;
	h->is_pool = true;
	*ret_host = h;
	return OK;
}

static void close_host(struct disk_host *h)
{
	if (h) {
		heap_free(h->path);
		sim_disconnect(&h->link);
	}
}

static RESULT enter(struct disk_host *h, struct ctx *c, struct str directory)
{
	char *path = directory.n ? heap_copy_z(str_to_z(c->arena, directory)) : NULL;
	if (directory.n && !path)
		return ctx_no_memory(c);
	if (path)
		sim_use_directories();
	heap_free(h->path);
	h->path = path;
	return OK;
}

static void watch(struct disk_host *h, void (*asks)(void *arg, uuid guest), void *arg)
{
	h->asks = asks;
	h->asks_arg = arg;
}

/* ---- asking the guest that has a disk */

static bool has_open(const struct sim_domain *d, uuid volume, uint64_t place)
{
	for (size_t k = 0; k < d->device_count; k++) {
		const struct sim_device *device = &d->devices[k];
		bool is_read = uuid_equal(device->id, volume) && device->place == place;
		bool is_filled = uuid_equal(device->becomes, volume) && device->next_place == place;
		if (device->is_plugged && (is_read || is_filled))
			return true;
	}
	return false;
}

/* The user of the file in the current directory. */
struct sim_domain *sim_disk_find_user(struct disk_host *h, uuid volume)
{
	const struct sim_host *s = h->link.host;
	uint64_t place = sim_place(h->path ? str_from(h->path) : STR_NONE);
	for (size_t k = 0; k < s->domain_count; k++)
		if (has_open(&s->domains[k], volume, place))
			return &s->domains[k];
	return NULL;
}

static struct sim_domain *find_copier(const struct sim_host *s, uuid snapshot)
{
	for (size_t k = 0; k < s->domain_count; k++)
		if (uuid_equal(s->domains[k].backup, snapshot))
			return &s->domains[k];
	return NULL;
}

RESULT sim_disk_ask(struct disk_host *h, struct ctx *c, const struct sim_domain *user)
{
	if (!user)
		return OK;
	if (h->asks)
		h->asks(h->asks_arg, user->id);
	struct result r = sim_await_guest(h->link.host, c, user->id);
	if (h->asks)
		h->asks(h->asks_arg, UUID_NONE);
	return r;
}

/* ---- making */

RESULT sim_disk_add(struct disk_host *h, struct ctx *c, const struct disk_name *name,
		    struct sim_disk **ret_disk)
{
	struct sim_directory *directory = sim_disk_directory(h);
	struct sim_disk *d = directory ? sim_add_apart(directory) : sim_add_disk(h->link.host);
	if (!d)
		return ctx_no_memory(c);
	*d = (struct sim_disk){.region = h->link.region,
			       .is_apart = directory != NULL,
			       .kind = name->kind,
			       .volume = name->id,
			       .is_raw = name->kind == DISK_VOLUME && name->is_raw};
	if (name->kind == DISK_BASE)
		(void) snprintf(d->digest, sizeof d->digest, "%" STR_FMT, STR_ARG(name->sha256));
	*ret_disk = d;
	return OK;
}

struct sim_disk *sim_disk_find(struct disk_host *h, const struct disk_name *name)
{
	struct files files = sim_disk_list(h);
	for (size_t k = 0; k < *files.count; k++) {
		struct sim_disk *d = &files.at[k];
		bool fits = d->kind == DISK_BASE ? str_is(name->sha256, d->digest)
			    : d->kind == DISK_VOLUME
				    ? uuid_equal(d->volume, name->id) && d->is_raw == name->is_raw
				    : uuid_equal(d->volume, name->id);
		if (d->kind == name->kind && uuid_equal(d->region, h->link.region) && fits)
			return d;
	}
	return NULL;
}

static RESULT make_volume(struct disk_host *h, struct ctx *c, const struct disk_spec *w,
			  struct disk_seen *ret_seen)
{
	struct sim_disk *d = NULL;
	struct disk_name base_name = {.kind = DISK_BASE, .sha256 = w->base_sha256};
	const struct sim_disk *base = w->base_sha256.n ? sim_disk_find(h, &base_name) : NULL;
	if (h->is_pool && w->key && w->base_sha256.n)
		return ctx_fail(c, ERR_INVALID, "an encrypted disk in Ceph stands on nothing");
	if (w->base_sha256.n && (!base || base->is_partial)) {
		*ret_seen = (struct disk_seen){.lacks_base = true};
		return OK;
	}
	if (base && base->key && base->key != sim_key(w->key))
		return ctx_fail(c, ERR_IO, "what the disk is made from does not open with its key");
	if (h->link.host->pool_free && h->link.host->pool_free < SIM_FULL_BELOW)
		return ctx_fail(c, ERR_CAPACITY, "the pool of host %s is full", h->link.host->name);
	sim_take_time(SIM_MAKE_DISK);
	struct sim_disk made = {
		.region = h->link.region, .volume = w->volume, .size = w->size, .key = sim_key(w->key)};
	if (base) {
		memcpy(made.text, base->text, sizeof made.text);
		memcpy(made.base, base->digest, sizeof made.base);
	}
	TRY(sim_disk_add(h, c, &(struct disk_name){.kind = DISK_VOLUME, .id = w->volume}, &d));
	made.is_apart = d->is_apart;
	*d = made;
	*ret_seen = (struct disk_seen){.size = w->size};
	return OK;
}

/* Drops spoilt bitmaps if one is known by name and prevents the growth. */
static RESULT grow_disk(struct disk_host *h, struct ctx *c, struct sim_disk *d, const struct disk_spec *w)
{
	const struct sim_track *known = sim_find_track(d, w->tracked_from);
	if (known && known->is_spoilt)
		sim_drop_tracks(d, UUID_NONE);
	if (sim_has_spoilt_track(d))
		return ctx_fail(c, ERR_IO, "a disk of host %s that notes what is written cannot be grown",
				h->link.host->name);
	d->size = w->size;
	return OK;
}

struct disk_name sim_disk_name(uuid volume, bool is_raw)
{
	return (struct disk_name){.kind = DISK_VOLUME, .id = volume, .is_raw = is_raw};
}

static void drop_disk(struct disk_host *h, uuid volume, bool is_raw)
{
	struct disk_name name = sim_disk_name(volume, is_raw);
	struct sim_disk *d = sim_disk_find(h, &name);
	if (d)
		drop_file(h, d);
}

/* Until it is recorded as complete, it is recreated from the current disk. */
static RESULT make_raw(struct disk_host *h, struct ctx *c, const struct disk_spec *w,
		       struct disk_seen *ret_seen)
{
	struct disk_name name = sim_disk_name(w->volume, false), raw = sim_disk_name(w->volume, true);
	struct sim_disk *made = NULL;
	struct disk_spec other = *w;
	drop_disk(h, w->volume, true);
	other.is_raw = false;
	if (!w->was_there)
		TRY(make_volume(h, c, &other, ret_seen));
	else
		*ret_seen = (struct disk_seen){.size = w->size};
	if (ret_seen->lacks_base)
		return OK;
	if (!sim_disk_find(h, &name))
		return ctx_fail(c, ERR_NOT_FOUND, "a volume's disk is missing on the host %s",
				h->link.host->name);
	TRY(sim_disk_add(h, c, &raw, &made));
	const struct sim_disk *from = sim_disk_find(h, &name);
	memcpy(made->text, from->text, sizeof made->text);
	made->size = w->size;
	if (!w->was_there)
		drop_disk(h, w->volume, false);
	return OK;
}

static RESULT ensure_raw(struct disk_host *h, struct ctx *c, const struct disk_spec *w,
			 struct disk_seen *ret_seen)
{
	struct disk_name name = sim_disk_name(w->volume, true);
	if (!w->was_raw)
		return make_raw(h, c, w, ret_seen);
	struct sim_disk *d = sim_disk_find(h, &name);
	if (!d)
		return ctx_fail(c, ERR_NOT_FOUND, "a volume's disk is missing on the host %s",
				h->link.host->name);
	if (d->size < w->size || w->is_growing)
		TRY(sim_disk_ask(h, c, sim_disk_find_user(h, w->volume)));
	d = sim_disk_find(h, &name);
	if (!d)
		return ctx_fail(c, ERR_AGAIN, "the disk went while its guest was asked");
	if (d->size < w->size)
		d->size = w->size;
	*ret_seen = (struct disk_seen){.size = d->size};
	drop_disk(h, w->volume, false);
	return OK;
}

static RESULT ensure_inside(struct disk_host *h, struct ctx *c, const struct disk_spec *w,
			    struct disk_seen *ret_seen)
{
	const struct sim_host *s = h->link.host;
	char id[UUID_TEXT_SIZE];
	if (w->size <= 0 || w->size % 512)
		return ctx_fail(c, ERR_INVALID, "a disk of %" PRId64 " bytes", w->size);
	if (w->is_raw)
		return ensure_raw(h, c, w, ret_seen);
	struct sim_disk *d = sim_disk_find(h, &(struct disk_name){.kind = DISK_VOLUME, .id = w->volume});
	if (!d && w->was_there)
		return ctx_fail(c, ERR_NOT_FOUND, "the disk of volume %s is missing on the host %s",
				uuid_write(w->volume, id), s->name);
	if (!d)
		return make_volume(h, c, w, ret_seen);
	if (d->is_partial)
		return ctx_fail(c, ERR_CONFLICT, "the disk of volume %s on host %s is half of one",
				uuid_write(w->volume, id), s->name);
	if (d->key != sim_key(w->key))
		return ctx_fail(c, ERR_CONFLICT, "the disk of volume %s on host %s is encrypted otherwise",
				uuid_write(w->volume, id), s->name);
	if (d->size < w->size) {
		TRY(sim_disk_ask(h, c, sim_disk_find_user(h, w->volume)));
		d = sim_disk_find(h, &(struct disk_name){.kind = DISK_VOLUME, .id = w->volume});
		if (!d)
			return ctx_fail(c, ERR_AGAIN, "the disk went while its guest was asked");
		TRY(grow_disk(h, c, d, w));
	}
	struct disk_name base = {.kind = DISK_BASE, .sha256 = str_from(d->base)};
	*ret_seen = (struct disk_seen){.size = d->size, .lacks_base = d->base[0] && !sim_disk_find(h, &base)};
	return OK;
}

/* ---- deleting */

static RESULT check_is_free(struct disk_host *h, struct ctx *c, const struct disk_name *name)
{
	const struct sim_host *s = h->link.host;
	const struct sim_domain *user = name->kind == DISK_VOLUME ? sim_disk_find_user(h, name->id) : NULL;
	if (user)
		return ctx_fail(c, ERR_IN_USE, "the disk is used by the running domain %s", user->name);
	struct files files = sim_disk_list(h);
	for (size_t k = 0; name->kind == DISK_BASE && k < *files.count; k++)
		if (str_is(name->sha256, files.at[k].base))
			return ctx_fail(c, ERR_IN_USE, "a disk of host %s stands on it", s->name);
	struct sim_domain *copier = name->kind == DISK_CUT ? find_copier(s, name->id) : NULL;
	if (!copier)
		return OK;
	copier->backup = UUID_NONE;
	return ctx_fail(c, ERR_AGAIN, "the backup of domain %s is being ended", copier->name);
}

static RESULT remove_inside(struct disk_host *h, struct ctx *c, const struct disk_name *name)
{
	TRY(sim_disk_ask(h, c, name->kind == DISK_CUT ? find_copier(h->link.host, name->id) : NULL));
	struct sim_disk *d = sim_disk_find(h, name);
	if (!d)
		return OK;
	TRY(check_is_free(h, c, name));
	sim_take_time(SIM_DELETE_DISK);
	drop_file(h, d);
	return OK;
}

/* ---- looking */

static RESULT list_inside(struct disk_host *h, struct ctx *c, struct disk_inventory *ret_inventory)
{
	const struct sim_host *s = h->link.host;
	size_t count = 0;
	int64_t used = 0;
	struct files files = sim_disk_list(h);
	struct disk_item *items = arena_new_array(c->arena, struct disk_item, *files.count + 1);
	if (!items)
		return ctx_no_memory(c);
	for (size_t k = 0; k < *files.count; k++) {
		const struct sim_disk *d = &files.at[k];
		used += SIM_FILE_SIZE;
		if (!uuid_equal(d->region, h->link.region))
			continue;
		items[count++] = (struct disk_item){
			.name = {.kind = d->kind,
				 .id = d->volume,
				 .is_raw = d->is_raw,
				 .sha256 = str_copy(c->arena, str_from(d->digest))},
			.size = d->kind == DISK_VOLUME ? d->size : 0,
			.file_size = SIM_FILE_SIZE,
			.base = d->base[0] ? str_copy(c->arena, str_from(d->base)) : STR_NONE,
		};
	}
	*ret_inventory = (struct disk_inventory){
		.at = items,
		.count = count,
		.pool_size = s->disk_size,
		.pool_free = s->pool_free ? s->pool_free : s->disk_size - used,
	};
	return OK;
}

/* ---- keeping hosts out, which are known by their names as addresses */

static RESULT block_inside(struct disk_host *h, struct ctx *c, struct str address, bool is_blocked)
{
	struct sim_directory *d = sim_disk_directory(h);
	return d && sim_block(d, address, is_blocked) ? OK : ctx_no_memory(c);
}

static RESULT see_block_inside(struct disk_host *h, struct ctx *c, struct str address, bool *ret_is_blocked)
{
	struct sim_directory *d = sim_disk_directory(h);
	if (!d)
		return ctx_no_memory(c);
	*ret_is_blocked = sim_is_blocked(d, address);
	return OK;
}

static RESULT block(struct disk_host *h, struct ctx *c, struct str address, int64_t expire_s)
{
	(void) expire_s; /* renewed before it would expire */
	SIM_CALL(&h->link, block_inside, address, true);
}

static RESULT unblock(struct disk_host *h, struct ctx *c, struct str address)
{
	SIM_CALL(&h->link, block_inside, address, false);
}

static RESULT see_block(struct disk_host *h, struct ctx *c, struct str address, bool *ret_is_blocked)
{
	SIM_CALL(&h->link, see_block_inside, address, ret_is_blocked);
}

/* Simulated hosts list none. */
static RESULT list_users(struct disk_host *h, struct ctx *c, uuid volume, struct strs *ret_addresses)
{
	(void) h;
	(void) c;
	(void) volume;
	*ret_addresses = (struct strs){0};
	return OK;
}

/* ---- the calls */

static RESULT prove(struct disk_host *h, struct ctx *c, const struct disk_mark *own, struct str kept_word,
		    struct disk_marks *ret_marks)
{
	SIM_CALL(&h->link, sim_disk_prove, own, kept_word, ret_marks);
}

static RESULT list(struct disk_host *h, struct ctx *c, struct disk_inventory *ret_inventory)
{
	SIM_CALL(&h->link, list_inside, ret_inventory);
}

static RESULT ensure(struct disk_host *h, struct ctx *c, const struct disk_spec *wish,
		     struct disk_seen *ret_seen)
{
	SIM_CALL(&h->link, ensure_inside, wish, ret_seen);
}

static RESULT remove_disk(struct disk_host *h, struct ctx *c, const struct disk_name *name)
{
	SIM_CALL(&h->link, remove_inside, name);
}

static RESULT cut(struct disk_host *h, struct ctx *c, const struct disk_cut *wish,
		  struct disk_cut_seen *ret_seen)
{
	SIM_CALL(&h->link, sim_disk_cut, wish, ret_seen);
}

static RESULT pull(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy)
{
	SIM_CALL(&h->link, sim_disk_pull, name, copy);
}

static RESULT push(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy)
{
	SIM_CALL(&h->link, sim_disk_push, name, copy);
}

const struct disk_driver disk_sim = {
	.scheme = "sim",
	.open_host = open_host,
	.open_pool = open_pool,
	.block = block,
	.unblock = unblock,
	.see_block = see_block,
	.list_users = list_users,
	.close_host = close_host,
	.watch = watch,
	.list = list,
	.ensure = ensure,
	.remove = remove_disk,
	.cut = cut,
	.lay = sim_disk_lay,
	.pull = pull,
	.push = push,
	.encrypt = sim_disk_encrypt,
	.export_file = sim_disk_export,
	.recast = sim_disk_recast,
	.enter = enter,
	.prove = prove,
};
