/* SPDX-License-Identifier: Apache-2.0
 * Directories shared by simulated hosts. One lock guards all of them; once any directory exists, locking a
 * host takes that lock too. A host without the mount has an empty directory of its own instead, like a real
 * host. */
#include <stdatomic.h>
#include <stdio.h>

#include "base/heap.h"
#include "drivers/sim/compute_state.h"

static struct {
	pthread_mutex_t lock; /* guards the following; taken after a host's lock */
	_Atomic bool is_used;
	struct sim_directory *first;
	struct unmounted {
		struct unmounted *next;
		char *key;
	} * unmounted;
} apart = {.lock = PTHREAD_MUTEX_INITIALIZER};

void sim_use_directories(void)
{
	atomic_store(&apart.is_used, true);
}

void sim_lock_directories(struct sim_host *s)
{
	if (!atomic_load(&apart.is_used))
		return;
	pthread_mutex_lock(&apart.lock);
	s->has_directories = true;
}

void sim_unlock_directories(struct sim_host *s)
{
	if (!s->has_directories)
		return;
	s->has_directories = false;
	pthread_mutex_unlock(&apart.lock);
}

/* ---- finding, with the lock held. Lookups allocate nothing, so out of memory never looks like "not found". */

/* Matches "host@/path", the key of a host's unmounted directory. */
static bool is_of_host(const char *key, const struct sim_host *s, struct str path)
{
	size_t size = strlen(s->name);
	return strncmp(key, s->name, size) == 0 && key[size] == '@' && str_is(path, key + size + 1);
}

static struct unmounted **find_unmounted(const struct sim_host *s, struct str path)
{
	struct unmounted **at = &apart.unmounted;
	while (*at && !is_of_host((*at)->key, s, path))
		at = &(*at)->next;
	return at;
}

bool sim_has_mounted(const struct sim_host *s, struct str path)
{
	return *find_unmounted(s, path) == NULL;
}

/* Owned by the caller; NULL: out of memory. */
static char *new_key(const struct sim_host *s, struct str path, bool is_mounted)
{
	size_t size = strlen(s->name) + path.n + 2;
	char *key = heap_alloc(size);
	if (key)
		(void) snprintf(key, size, "%s%s%" STR_FMT, is_mounted ? "" : s->name, is_mounted ? "" : "@",
				STR_ARG(path));
	return key;
}

struct sim_directory *sim_need_directory(struct sim_host *s, struct str path)
{
	bool is_mounted = sim_has_mounted(s, path);
	struct sim_directory *d = apart.first;
	while (d && !(is_mounted ? str_is(path, d->path) : is_of_host(d->path, s, path)))
		d = d->next;
	if (d)
		return d;
	char *key = new_key(s, path, is_mounted);
	d = key ? heap_new(struct sim_directory) : NULL;
	if (!d) {
		heap_free(key);
		return NULL;
	}
	d->path = key;
	d->next = apart.first;
	apart.first = d;
	return d;
}

/* True if that directory is what the host sees at its path. */
static bool is_at(const struct sim_host *s, const struct sim_directory *d)
{
	const char *path = strchr(d->path, '/');
	return d->path[0] == '/' ? sim_has_mounted(s, str_from(d->path))
				 : path && is_of_host(d->path, s, str_from(path));
}

static uint64_t place_of(const struct sim_directory *d)
{
	const char *path = strchr(d->path, '/');
	return sim_place(path ? str_from(path) : STR_NONE);
}

struct sim_disk *sim_find_apart(struct sim_host *s, uuid volume, uint64_t place)
{
	struct sim_disk *found = NULL;
	for (struct sim_directory *d = s->has_directories ? apart.first : NULL; d; d = d->next)
		for (size_t k = 0; k < d->disk_count; k++)
			if (d->disks[k].kind == DISK_VOLUME && !d->disks[k].is_partial &&
			    uuid_equal(d->disks[k].volume, volume) && (!found || d->disks[k].is_raw) &&
			    is_at(s, d) && (!place || place_of(d) == place))
				found = &d->disks[k];
	return found;
}

/* ---- adding */

struct sim_disk *sim_add_apart(struct sim_directory *directory)
{
	struct sim_disk *more = heap_resize(directory->disks, (directory->disk_count + 1) * sizeof *more);
	if (!more)
		return NULL;
	directory->disks = more;
	more[directory->disk_count] = (struct sim_disk){.is_apart = true};
	return &more[directory->disk_count++];
}

bool sim_add_mark(struct sim_directory *directory, const struct sim_mark *mark)
{
	struct sim_mark *more = heap_resize(directory->marks, (directory->mark_count + 1) * sizeof *more);
	if (!more)
		return false;
	directory->marks = more;
	more[directory->mark_count++] = *mark;
	return true;
}

/* ---- keeping out */

bool sim_is_blocked(const struct sim_directory *directory, struct str host)
{
	for (size_t k = 0; k < directory->blocked_count; k++)
		if (str_is(host, directory->blocked[k]))
			return true;
	return false;
}

bool sim_block(struct sim_directory *directory, struct str host, bool is_blocked)
{
	char(*more)[SIM_WORD_SIZE] = NULL;
	size_t k = 0;
	while (k < directory->blocked_count && !str_is(host, directory->blocked[k]))
		k++;
	bool was_blocked = k < directory->blocked_count;
	if (was_blocked && !is_blocked)
		memcpy(directory->blocked[k], directory->blocked[--directory->blocked_count], sizeof *more);
	if (was_blocked == is_blocked || !is_blocked)
		return true;
	more = heap_resize(directory->blocked, (directory->blocked_count + 1) * sizeof *more);
	if (!more)
		return false;
	directory->blocked = more;
	(void) snprintf(more[directory->blocked_count++], sizeof *more, "%" STR_FMT, STR_ARG(host));
	return true;
}

bool sim_is_kept_out(const struct sim_host *s, const struct sim_disk *disk)
{
	for (const struct sim_directory *d = s->has_directories ? apart.first : NULL; d; d = d->next)
		if (disk >= d->disks && disk < d->disks + d->disk_count)
			return sim_is_blocked(d, str_from(s->name));
	return false;
}

/* ---- controls */

void sim_compute_mount(struct str host, struct str path, bool is_mounted)
{
	struct sim_host *s = sim_need_host(host);
	if (!s)
		return;
	sim_use_directories();
	sim_lock(s);
	struct unmounted **at = find_unmounted(s, path), *old = *at;
	if (!old && !is_mounted) {
		struct unmounted *made = heap_new(struct unmounted);
		char *key = made ? new_key(s, path, false) : NULL;
		if (key) {
			*made = (struct unmounted){.next = apart.unmounted, .key = key};
			apart.unmounted = made;
		} else {
			heap_free(made);
		}
	} else if (old && is_mounted) {
		*at = old->next;
		heap_free(old->key);
		heap_free(old);
	}
	sim_unlock(s);
}

void sim_reset_directories(void)
{
	while (apart.first) {
		struct sim_directory *d = apart.first;
		apart.first = d->next;
		heap_free(d->path);
		heap_free(d->disks);
		heap_free(d->marks);
		heap_free(d->blocked);
		heap_free(d);
	}
	while (apart.unmounted) {
		struct unmounted *u = apart.unmounted;
		apart.unmounted = u->next;
		heap_free(u->key);
		heap_free(u);
	}
	atomic_store(&apart.is_used, false);
}

void sim_count_apart(struct sim_counts *n)
{
	pthread_mutex_lock(&apart.lock);
	for (const struct sim_directory *d = apart.first; d; d = d->next)
		sim_count_disks(d->disks, d->disk_count, n);
	pthread_mutex_unlock(&apart.lock);
}
