/* SPDX-License-Identifier: Apache-2.0
 * Disks without bytes: what a guest "wrote" is a short text, and a file on its way is a header like
 * qcow2's and that text. Pieces are small, so that tests are killed between them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/heap.h"
#include "drivers/ceph.h"
#include "drivers/image_file.h"
#include "drivers/sim/compute_state.h"
#include "model/host.h"
#include "model/user.h"

enum { PIECES = 3, CUT_LOOKS = 3 };

struct disk_host {
	struct compute_host link; /* first: begin and end know it by that */
	void (*asks)(void *arg, uuid guest);
	void *asks_arg;
	char *path;   /* of the directory that was entered; owned; NULL: the host's own */
	bool is_pool; /* of Ceph: the host stands for the cluster, the directory for the pool */
	size_t none;  /* the count of files where there can be none */
};

/* What the calls concern: with the host's lock held. */
struct files {
	struct sim_disk *at;
	size_t *count;
};

/* Made if need be; at NULL and count 0: out of memory, or nothing. */
static struct sim_directory *find_directory(struct disk_host *h)
{
	return h->path ? sim_need_directory(h->link.host, str_from(h->path)) : NULL;
}

static struct files list_files(struct disk_host *h)
{
	struct sim_host *s = h->link.host;
	struct sim_directory *directory = find_directory(h);
	if (!h->path)
		return (struct files){s->disks, &s->disk_count};
	h->none = 0;
	return directory ? (struct files){directory->disks, &directory->disk_count}
			 : (struct files){NULL, &h->none};
}

static void drop_file(struct disk_host *h, struct sim_disk *d)
{
	struct files files = list_files(h);
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

/* In which every host finds the pool's images: one that is not mounted there reaches no Ceph. */
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
	struct result r = sim_connect(&h->link, c, region, &cluster); /* frees it when it fails */
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

/* The file in the directory that the calls concern. */
static struct sim_domain *find_user(struct disk_host *h, uuid volume)
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

/* NULL: OK. The host's lock is let go of while it waits: what was found before is to be found anew. */
static RESULT ask(struct disk_host *h, struct ctx *c, const struct sim_domain *user)
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

/* ---- files as bytes: the head of a qcow2, then what it stands on and the text */

enum { HEAD_SIZE = 104, SIZE_AT = 24, CRYPT_AT = 32, KEY_AT = 640, MARK_AT = 800 };
enum { PART_AT = 650, TRACK_COUNT_AT, TRACKS_AT }; /* of an increment; what a volume notes */
enum { IS_WHOLE, IS_UNCHANGED, IS_CHANGED };       /* at PART_AT */
static const char MARK[] = "of a simulated disk";

static void write_bytes(const struct sim_disk *d, unsigned char out[static SIM_FILE_SIZE])
{
	memset(out, 0, SIM_FILE_SIZE);
	memcpy(out, "QFI\xfb\0\0\0\3", 8);
	out[15] = d->base[0] ? HEAD_SIZE : 0; /* where the name of what it stands on lies */
	for (int k = 0; k < 8; k++)
		out[SIZE_AT + k] = (unsigned char) ((uint64_t) d->size >> (56 - 8 * k));
	out[103] = HEAD_SIZE;
	out[CRYPT_AT + 3] = d->key ? 2 : 0; /* LUKS */
	memcpy(out + KEY_AT, &d->key, sizeof d->key);
	memcpy(out + HEAD_SIZE, d->base, sizeof d->base);
	out[PART_AT] = uuid_is_none(d->since) ? IS_WHOLE : d->is_changed ? IS_CHANGED : IS_UNCHANGED;
	if (out[PART_AT] != IS_UNCHANGED)
		memcpy(out + SIM_TEXT_AT, d->text, sizeof d->text);
	out[TRACK_COUNT_AT] = (unsigned char) d->track_count;
	memcpy(out + TRACKS_AT, d->tracks, sizeof d->tracks);
	memcpy(out + MARK_AT, MARK, sizeof MARK);
}

static void read_bytes(struct sim_disk *d, const unsigned char *bytes)
{
	if (memcmp(bytes, "QFI\xfb", 4) != 0)
		return; /* an image of something else: blank, to simulated guests */
	d->size = 0;
	for (int k = 0; k < 8; k++)
		d->size = d->size << 8 | bytes[SIZE_AT + k];
	if (memcmp(bytes + MARK_AT, MARK, sizeof MARK) != 0)
		return; /* blank likewise, and open to any key */
	memcpy(d->base, bytes + HEAD_SIZE, sizeof d->base);
	memcpy(d->text, bytes + SIM_TEXT_AT, sizeof d->text);
	memcpy(&d->key, bytes + KEY_AT, sizeof d->key);
	d->base[sizeof d->base - 1] = d->text[sizeof d->text - 1] = '\0';
	if (d->kind != DISK_VOLUME) /* an image is of anybody's making */
		return;
	d->track_count = bytes[TRACK_COUNT_AT] % (SIM_TRACKS + 1);
	memcpy(d->tracks, bytes + TRACKS_AT, sizeof d->tracks);
}

/* ---- making */

static RESULT add_disk(struct disk_host *h, struct ctx *c, const struct disk_name *name,
		       struct sim_disk **ret_disk)
{
	struct sim_directory *directory = find_directory(h);
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

static struct sim_disk *find_disk(struct disk_host *h, const struct disk_name *name)
{
	struct files files = list_files(h);
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
	const struct sim_disk *base = w->base_sha256.n ? find_disk(h, &base_name) : NULL;
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
	TRY(add_disk(h, c, &(struct disk_name){.kind = DISK_VOLUME, .id = w->volume}, &d));
	made.is_apart = d->is_apart;
	*d = made;
	*ret_seen = (struct disk_seen){.size = w->size};
	return OK;
}

/* A note that is known by its name is dropped where it is in the way. */
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

static struct disk_name volume_name(uuid volume, bool is_raw)
{
	return (struct disk_name){.kind = DISK_VOLUME, .id = volume, .is_raw = is_raw};
}

static void drop_disk(struct disk_host *h, uuid volume, bool is_raw)
{
	struct disk_name name = volume_name(volume, is_raw);
	struct sim_disk *d = find_disk(h, &name);
	if (d)
		drop_file(h, d);
}

/* Until somebody notes that it is whole it is made anew, of the disk as it is. */
static RESULT make_raw(struct disk_host *h, struct ctx *c, const struct disk_spec *w,
		       struct disk_seen *ret_seen)
{
	struct disk_name name = volume_name(w->volume, false), raw = volume_name(w->volume, true);
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
	if (!find_disk(h, &name))
		return ctx_fail(c, ERR_NOT_FOUND, "a volume's disk is missing on the host %s",
				h->link.host->name);
	TRY(add_disk(h, c, &raw, &made));
	const struct sim_disk *from = find_disk(h, &name);
	memcpy(made->text, from->text, sizeof made->text);
	made->size = w->size;
	if (!w->was_there)
		drop_disk(h, w->volume, false);
	return OK;
}

static RESULT ensure_raw(struct disk_host *h, struct ctx *c, const struct disk_spec *w,
			 struct disk_seen *ret_seen)
{
	struct disk_name name = volume_name(w->volume, true);
	if (!w->was_raw)
		return make_raw(h, c, w, ret_seen);
	struct sim_disk *d = find_disk(h, &name);
	if (!d)
		return ctx_fail(c, ERR_NOT_FOUND, "a volume's disk is missing on the host %s",
				h->link.host->name);
	if (d->size < w->size || w->is_growing)
		TRY(ask(h, c, find_user(h, w->volume)));
	d = find_disk(h, &name);
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
	struct sim_disk *d = find_disk(h, &(struct disk_name){.kind = DISK_VOLUME, .id = w->volume});
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
		TRY(ask(h, c, find_user(h, w->volume)));
		d = find_disk(h, &(struct disk_name){.kind = DISK_VOLUME, .id = w->volume});
		if (!d)
			return ctx_fail(c, ERR_AGAIN, "the disk went while its guest was asked");
		TRY(grow_disk(h, c, d, w));
	}
	struct disk_name base = {.kind = DISK_BASE, .sha256 = str_from(d->base)};
	*ret_seen = (struct disk_seen){.size = d->size, .lacks_base = d->base[0] && !find_disk(h, &base)};
	return OK;
}

/* ---- deleting */

static RESULT check_is_free(struct disk_host *h, struct ctx *c, const struct disk_name *name)
{
	const struct sim_host *s = h->link.host;
	const struct sim_domain *user = name->kind == DISK_VOLUME ? find_user(h, name->id) : NULL;
	if (user)
		return ctx_fail(c, ERR_IN_USE, "the disk is used by the running domain %s", user->name);
	struct files files = list_files(h);
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
	TRY(ask(h, c, name->kind == DISK_CUT ? find_copier(h->link.host, name->id) : NULL));
	struct sim_disk *d = find_disk(h, name);
	if (!d)
		return OK;
	TRY(check_is_free(h, c, name));
	sim_take_time(SIM_DELETE_DISK);
	drop_file(h, d);
	return OK;
}

/* ---- cutting */

/* What was written since is enough, and the disk knows what that is. */
static const struct sim_track *find_usable_track(struct sim_disk *volume, const struct disk_cut *cut)
{
	const struct sim_track *track =
		cut->takes_increment ? sim_find_track(volume, cut->tracked_from) : NULL;
	return track && !track->is_spoilt ? track : NULL;
}

/* What the volume has at this moment; whole once it is told to be. */
static RESULT make_cut(struct disk_host *h, struct ctx *c, const struct disk_cut *cut, bool by_qemu)
{
	struct disk_name name = {.kind = DISK_CUT, .id = cut->snapshot};
	struct sim_disk *made = find_disk(h, &name);
	if (!made)
		TRY(add_disk(h, c, &name, &made));
	struct sim_disk *volume = find_disk(h, &(struct disk_name){.kind = DISK_VOLUME, .id = cut->volume});
	made->size = volume->size;
	made->is_partial = true;
	made->key = volume->key;
	made->since = UUID_NONE;
	memcpy(made->text, volume->text, sizeof made->text);
	if (!by_qemu)
		return OK;
	const struct sim_track *track = find_usable_track(volume, cut);
	made->since = track ? track->from : UUID_NONE;
	made->is_changed = track && track->is_changed;
	if (cut->is_passing)
		return OK;
	sim_drop_tracks(volume, made->since);
	sim_add_track(volume, cut->snapshot);
	return OK;
}

static RESULT end_cut(struct disk_host *h, struct ctx *c, const struct disk_cut *cut, bool by_qemu,
		      struct disk_cut_seen *seen)
{
	struct sim_disk *made = find_disk(h, &(struct disk_name){.kind = DISK_CUT, .id = cut->snapshot});
	struct sim_disk *volume = find_disk(h, &(struct disk_name){.kind = DISK_VOLUME, .id = cut->volume});
	if (!made)
		return ctx_fail(c, ERR_IO, "the cut of a disk of host %s failed", h->link.host->name);
	bool is_tracked = by_qemu && !cut->is_passing;
	if (is_tracked) {
		sim_drop_tracks(volume, cut->snapshot);
		volume->tracks[0].is_stored = !find_user(h, cut->volume);
	}
	made->is_partial = false;
	h->link.host->increment_count += !uuid_is_none(made->since);
	*seen = (struct disk_cut_seen){.is_whole = true,
				       .progress = 100,
				       .is_tracked = is_tracked,
				       .is_increment = !uuid_is_none(made->since)};
	return OK;
}

/* An increment since something that is not at hand any more is of no use. */
static bool is_unusable(struct disk_host *h, const struct disk_cut *cut)
{
	const struct sim_disk *made =
		find_disk(h, &(struct disk_name){.kind = DISK_CUT, .id = cut->snapshot});
	bool fits = made && cut->takes_increment && uuid_equal(made->since, cut->tracked_from);
	return made && !uuid_is_none(made->since) && !fits;
}

static RESULT cut_running(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
			  struct sim_domain *user, struct disk_cut_seen *seen)
{
	if (uuid_equal(user->backup, cut->snapshot) && is_unusable(h, cut))
		user->backup = UUID_NONE;
	if (uuid_is_none(user->backup)) {
		TRY(make_cut(h, c, cut, true));
		user->backup = cut->snapshot;
		user->backup_looks = 0;
	} else if (uuid_equal(user->backup, cut->snapshot)) {
		seen->progress = ++user->backup_looks * 100 / CUT_LOOKS;
	}
	if (seen->progress < 100)
		return OK;
	user->backup = UUID_NONE;
	return end_cut(h, c, cut, true, seen);
}

/* As QEMU does it where something else cannot, or knows less. */
static RESULT cut_resting(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
			  struct disk_cut_seen *seen)
{
	bool by_qemu = cut->key || !uuid_is_none(cut->tracked_from);
	TRY(make_cut(h, c, cut, by_qemu));
	return end_cut(h, c, cut, by_qemu, seen);
}

/* A guest that runs has it, and would write while it is copied. */
static RESULT check_stand_still(const struct sim_host *s, struct ctx *c, uuid volume)
{
	for (size_t k = 0; k < s->domain_count; k++) {
		const struct sim_domain *d = &s->domains[k];
		if (d->is_on && !d->is_paused && sim_has_plugged(d, volume))
			return ctx_fail(c, ERR_IN_USE, "the guest of domain %s has the disk and runs on",
					d->name);
	}
	return OK;
}

static RESULT copy_still(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
			 struct disk_cut_seen *ret_seen)
{
	struct disk_name name = {.kind = DISK_CUT, .id = cut->snapshot};
	struct disk_name from = volume_name(cut->volume, true);
	struct sim_disk *made = find_disk(h, &name);
	const struct sim_disk *volume = find_disk(h, &from);
	if (!volume || volume->is_partial)
		return ctx_fail(c, ERR_NOT_FOUND, "a volume's disk is missing on the host %s",
				h->link.host->name);
	TRY(check_stand_still(h->link.host, c, cut->volume));
	if (!made)
		TRY(add_disk(h, c, &name, &made));
	volume = find_disk(h, &from);
	made->size = volume->size;
	made->is_partial = true;
	memcpy(made->text, volume->text, sizeof made->text);
	*ret_seen = (struct disk_cut_seen){.is_copied = true, .progress = 50, .size = volume->size};
	return OK;
}

static RESULT cut_raw(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
		      struct disk_cut_seen *ret_seen)
{
	struct disk_name name = {.kind = DISK_CUT, .id = cut->snapshot};
	struct sim_disk *made = find_disk(h, &name);
	if (!cut->is_copied)
		return copy_still(h, c, cut, ret_seen);
	if (!made)
		return ctx_fail(c, ERR_NOT_FOUND, "a copy is missing on the host %s", h->link.host->name);
	made->is_partial = false;
	*ret_seen = (struct disk_cut_seen){
		.is_whole = true, .is_copied = true, .progress = 100, .size = made->size};
	return OK;
}

static RESULT cut_inside(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
			 struct disk_cut_seen *ret_seen)
{
	if (cut->is_raw)
		return cut_raw(h, c, cut, ret_seen);
	const struct sim_host *s = h->link.host;
	char id[UUID_TEXT_SIZE];
	struct disk_cut_seen seen = {0};
	TRY(ask(h, c, find_user(h, cut->volume)));
	const struct sim_disk *volume =
		find_disk(h, &(struct disk_name){.kind = DISK_VOLUME, .id = cut->volume});
	if (!volume || volume->is_partial)
		return ctx_fail(c, ERR_NOT_FOUND, "the disk of volume %s is missing on the host %s",
				uuid_write(cut->volume, id), s->name);
	if (volume->key != sim_key(cut->key))
		return ctx_fail(c, ERR_IO, "the disk of volume %s does not open with that key",
				uuid_write(cut->volume, id));
	int64_t size = volume->size;
	struct sim_domain *user = find_user(h, cut->volume);
	TRY(user ? cut_running(h, c, cut, user, &seen) : cut_resting(h, c, cut, &seen));
	seen.size = size;
	*ret_seen = seen;
	return OK;
}

/* ---- copies */

static RESULT fail_file(struct ctx *c, const struct disk_copy *copy)
{
	return ctx_fail(c, errno == ENOSPC ? ERR_CAPACITY : ERR_IO, "the file %" STR_FMT ": %s",
			STR_ARG(copy->path), strerrordesc_np(errno));
}

static int64_t piece_of(const struct disk_copy *copy)
{
	int64_t piece = copy->size / PIECES + 1, left = copy->size - copy->done;
	return left < piece ? left : piece;
}

static RESULT pull_inside(struct disk_host *h, struct ctx *c, const struct disk_name *name,
			  struct disk_copy *copy)
{
	unsigned char bytes[SIM_FILE_SIZE];
	struct stat st;
	const struct sim_disk *d = find_disk(h, name);
	if (!d || d->is_partial)
		return ctx_fail(c, ERR_NOT_FOUND, "host %s does not have that disk", h->link.host->name);
	AUTO_FD fd = open(str_to_z(c->arena, copy->path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) != 0)
		return fail_file(c, copy);
	copy->size = SIM_FILE_SIZE;
	copy->done = st.st_size;
	if (copy->done > copy->size)
		return ctx_fail(c, ERR_CONFLICT, "a disk of host %s became shorter", h->link.host->name);
	write_bytes(d, bytes);
	int64_t piece = piece_of(copy);
	if (pwrite(fd, bytes + copy->done, (size_t) piece, copy->done) != piece)
		return fail_file(c, copy);
	copy->done += piece;
	return OK;
}

/* A base may be an image that nobody has: there is nothing on it. */
static RESULT open_source(struct ctx *c, const struct disk_name *name, const struct disk_copy *copy,
			  int *ret_fd)
{
	struct stat st;
	AUTO_FD fd = open(str_to_z(c->arena, copy->path), O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && name->kind == DISK_BASE)
		return OK;
	if (name->kind == DISK_BASE)
		TRY(image_file_check(c, str_to_z(c->arena, copy->path), name->sha256, copy->size));
	if (fd < 0 || fstat(fd, &st) != 0)
		return fail_file(c, copy);
	if (st.st_size != copy->size)
		return ctx_fail(c, ERR_IO, "the file %" STR_FMT " has %" PRId64 " bytes, not %" PRId64,
				STR_ARG(copy->path), (int64_t) st.st_size, copy->size);
	*ret_fd = fd;
	fd = -1;
	return OK;
}

static RESULT push_inside(struct disk_host *h, struct ctx *c, const struct disk_name *name,
			  struct disk_copy *copy)
{
	unsigned char bytes[SIM_FILE_SIZE] = {0};
	AUTO_FD fd = -1;
	TRY(open_source(c, name, copy, &fd));
	struct sim_disk *d = find_disk(h, name);
	if (!d) {
		TRY(add_disk(h, c, name, &d));
		d->is_partial = true;
	}
	copy->done = d->is_partial ? d->file_size : copy->size;
	copy->done += fd < 0 ? copy->size - copy->done : piece_of(copy);
	d->file_size = copy->done;
	if (copy->done < copy->size || !d->is_partial)
		return OK;
	d->is_partial = false;
	if (fd >= 0 && pread(fd, bytes, sizeof bytes, 0) < 0)
		return fail_file(c, copy);
	read_bytes(d, bytes);
	return OK;
}

/* ---- laying */

static RESULT read_file(struct ctx *c, struct str path, unsigned char bytes[static SIM_FILE_SIZE])
{
	AUTO_FD fd = open(str_to_z(c->arena, path), O_RDONLY | O_CLOEXEC);
	return fd >= 0 && pread(fd, bytes, SIM_FILE_SIZE, 0) == SIM_FILE_SIZE
		       ? OK
		       : ctx_fail(c, ERR_IO, "the file %" STR_FMT " is not whole", STR_ARG(path));
}

static RESULT lay(struct ctx *c, const struct disk_layer *layer)
{
	unsigned char over[SIM_FILE_SIZE], made[SIM_FILE_SIZE];
	int64_t size = 0;
	TRY(image_file_check_head(c, str_to_z(c->arena, layer->increment), layer->key != NULL, &size));
	TRY(read_file(c, layer->over, over));
	TRY(read_file(c, layer->increment, made));
	if (made[PART_AT] == IS_UNCHANGED)
		memcpy(made + SIM_TEXT_AT, over + SIM_TEXT_AT, SIM_TEXT_SIZE);
	made[PART_AT] = IS_WHOLE;
	AUTO_FD fd = fault_fires(FAULT_FILE) ? -1
					     : open(str_to_z(c->arena, layer->made),
						    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return fd >= 0 && write(fd, made, sizeof made) == (ssize_t) sizeof made
		       ? OK
		       : ctx_fail(c, ERR_IO, "the file %" STR_FMT " cannot be made", STR_ARG(layer->made));
}

/* ---- encrypting */

static RESULT write_file(struct ctx *c, const struct disk_copy *to, const unsigned char *bytes)
{
	AUTO_FD out = open(str_to_z(c->arena, to->path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out < 0 || pwrite(out, bytes, SIM_FILE_SIZE, 0) != SIM_FILE_SIZE)
		return fail_file(c, to);
	return fault_fires(FAULT_DRIVER) ? ctx_fail(c, ERR_IO, "the simulated machine ends half-way") : OK;
}

/* The text comes along; of an image that nobody has there is none. */
static RESULT encrypt(struct ctx *c, const struct disk_sealing *wish)
{
	unsigned char bytes[SIM_FILE_SIZE] = {0};
	struct sim_disk made = {.kind = DISK_BASE, .size = wish->size};
	struct disk_copy from = {.path = wish->from, .size = wish->file_size}, to = {.path = wish->to};
	struct disk_name name = {.kind = DISK_BASE, .sha256 = wish->sha256};
	AUTO_FD fd = -1;
	if (fault_fires(FAULT_DRIVER))
		return ctx_fail(c, ERR_AGAIN, "the simulated machine cannot encrypt just now");
	TRY(open_source(c, &name, &from, &fd));
	if (fd >= 0 && pread(fd, bytes, sizeof bytes, 0) < 0)
		return fail_file(c, &from);
	read_bytes(&made, bytes);
	made.size = wish->size;
	made.key = sim_key(wish->key);
	memset(made.base, 0, sizeof made.base);
	write_bytes(&made, bytes);
	return write_file(c, &to, bytes);
}

/* ---- other forms */

/* A file of the image store may be an image that nobody has. */
static RESULT read_recast(struct ctx *c, const struct disk_recasting *wish,
			  unsigned char bytes[static SIM_FILE_SIZE])
{
	const struct disk_copy from = {.path = wish->from, .size = wish->file_size};
	const struct disk_name name = {.kind = DISK_BASE, .sha256 = wish->sha256};
	AUTO_FD fd = -1;
	if (!wish->sha256.n)
		return read_file(c, wish->from, bytes);
	TRY(open_source(c, &name, &from, &fd));
	return fd < 0 || pread(fd, bytes, SIM_FILE_SIZE, 0) >= 0 ? OK : fail_file(c, &from);
}

/* The same bytes, that stand by themselves and note nothing. */
static RESULT recast(struct ctx *c, const struct disk_recasting *wish)
{
	unsigned char bytes[SIM_FILE_SIZE] = {0};
	struct sim_disk made = {.kind = DISK_VOLUME};
	struct disk_copy to = {.path = wish->to};
	if (fault_fires(FAULT_DRIVER))
		return ctx_fail(c, ERR_AGAIN, "the simulated machine cannot convert just now");
	TRY(read_recast(c, wish, bytes));
	read_bytes(&made, bytes);
	made.key = sim_key(wish->key);
	made.track_count = 0;
	memset(made.base, 0, sizeof made.base);
	write_bytes(&made, bytes);
	return write_file(c, &to, bytes);
}

/* The same bytes, whatever the form. */
static RESULT export_file(struct ctx *c, const struct disk_export *wish)
{
	unsigned char bytes[SIM_FILE_SIZE] = {0};
	struct disk_copy from = {.path = wish->from, .size = wish->file_size}, to = {.path = wish->to};
	struct disk_name name = {.kind = DISK_BASE, .sha256 = wish->sha256};
	AUTO_FD fd = -1;
	if (fault_fires(FAULT_DRIVER))
		return ctx_fail(c, ERR_AGAIN, "the simulated machine cannot convert just now");
	TRY(open_source(c, &name, &from, &fd));
	if (fd >= 0 && pread(fd, bytes, sizeof bytes, 0) < 0)
		return fail_file(c, &from);
	return write_file(c, &to, bytes);
}

/* ---- looking */

static RESULT list_inside(struct disk_host *h, struct ctx *c, struct disk_inventory *ret_inventory)
{
	const struct sim_host *s = h->link.host;
	size_t count = 0;
	int64_t used = 0;
	struct files files = list_files(h);
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

/* ---- marks */

static bool is_same(const struct sim_mark *m, uuid region, const struct disk_mark *mark)
{
	return uuid_equal(m->region, region) && uuid_equal(m->host, mark->host) &&
	       str_is(mark->word, m->word);
}

static bool has_mark(const struct sim_directory *d, uuid region, const struct disk_mark *mark)
{
	for (size_t k = 0; k < d->mark_count; k++)
		if (is_same(&d->marks[k], region, mark))
			return true;
	return false;
}

static void drop_old_marks(struct sim_directory *d, uuid region, const struct disk_mark *own,
			   struct str kept_word)
{
	struct disk_mark kept = {.host = own->host, .word = kept_word};
	size_t count = 0;
	for (size_t k = 0; k < d->mark_count; k++) {
		const struct sim_mark *m = &d->marks[k];
		if (!uuid_equal(m->region, region) || !uuid_equal(m->host, own->host) ||
		    is_same(m, region, own) || is_same(m, region, &kept))
			d->marks[count++] = *m;
	}
	d->mark_count = count;
}

static RESULT prove_inside(struct disk_host *h, struct ctx *c, const struct disk_mark *own,
			   struct str kept_word, struct disk_marks *ret_marks)
{
	struct sim_directory *d = find_directory(h);
	struct sim_mark made = {.region = h->link.region, .host = own->host};
	if (!d)
		return ctx_fail(c, ERR_GONE, "host %s was asked to prove its own directory",
				h->link.host->name);
	if (h->is_pool) {
		*ret_marks =
			(struct disk_marks){.size = h->link.host->disk_size, .free = h->link.host->disk_size};
		return OK;
	}
	(void) snprintf(made.word, sizeof made.word, "%" STR_FMT, STR_ARG(own->word));
	drop_old_marks(d, h->link.region, own, kept_word);
	if (!has_mark(d, h->link.region, own) && !sim_add_mark(d, &made))
		return ctx_no_memory(c);
	struct disk_marks marks = {.at = arena_new_array(c->arena, struct disk_mark, d->mark_count + 1),
				   .size = h->link.host->disk_size,
				   .free = h->link.host->disk_size};
	if (!marks.at)
		return ctx_no_memory(c);
	for (size_t k = 0; k < d->mark_count; k++)
		if (uuid_equal(d->marks[k].region, h->link.region))
			marks.at[marks.count++] =
				(struct disk_mark){.host = d->marks[k].host,
						   .word = str_copy(c->arena, str_from(d->marks[k].word))};
	*ret_marks = marks;
	return OK;
}

/* ---- keeping hosts out, which are known by their names as addresses */

static RESULT block_inside(struct disk_host *h, struct ctx *c, struct str address, bool is_blocked)
{
	struct sim_directory *d = find_directory(h);
	return d && sim_block(d, address, is_blocked) ? OK : ctx_no_memory(c);
}

static RESULT see_block_inside(struct disk_host *h, struct ctx *c, struct str address, bool *ret_is_blocked)
{
	struct sim_directory *d = find_directory(h);
	if (!d)
		return ctx_no_memory(c);
	*ret_is_blocked = sim_is_blocked(d, address);
	return OK;
}

static RESULT block(struct disk_host *h, struct ctx *c, struct str address, int64_t expire_s)
{
	(void) expire_s; /* it is renewed before */
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

/* Nobody asks the simulated hosts. */
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
	SIM_CALL(&h->link, prove_inside, own, kept_word, ret_marks);
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
	SIM_CALL(&h->link, cut_inside, wish, ret_seen);
}

static RESULT pull(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy)
{
	SIM_CALL(&h->link, pull_inside, name, copy);
}

static RESULT push(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy)
{
	SIM_CALL(&h->link, push_inside, name, copy);
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
	.lay = lay,
	.pull = pull,
	.push = push,
	.encrypt = encrypt,
	.export_file = export_file,
	.recast = recast,
	.enter = enter,
	.prove = prove,
};
