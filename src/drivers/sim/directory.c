/* SPDX-License-Identifier: Apache-2.0
 * Directories that several simulated hosts have: one lock guards all of them, which whoever locks a host takes
 * besides, once there is any. A host that has nothing mounted there has an empty one of its own instead, as a
 * real one has. */
#include <stdatomic.h>
#include <stdio.h>

#include "base/heap.h"
#include "drivers/sim/compute_state.h"

static struct {
	pthread_mutex_t lock; /* guards what follows; taken behind a host's lock */
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

/* ---- finding, with the lock held */

/* Owned by the caller; NULL: out of memory. */
static char *new_key(const struct sim_host *s, struct str path)
{
	size_t size = strlen(s->name) + path.n + 2;
	char *key = heap_alloc(size);
	if (key)
		(void) snprintf(key, size, "%s@%" STR_FMT, s->name, STR_ARG(path));
	return key;
}

static struct unmounted **find_unmounted(const char *key)
{
	struct unmounted **at = &apart.unmounted;
	while (*at && strcmp((*at)->key, key) != 0)
		at = &(*at)->next;
	return at;
}

static struct sim_directory *find(const char *path)
{
	struct sim_directory *d = apart.first;
	while (d && strcmp(d->path, path) != 0)
		d = d->next;
	return d;
}

/* Takes the path. */
static struct sim_directory *need(char *path)
{
	struct sim_directory *d = path ? find(path) : NULL;
	if (d || !path) {
		heap_free(path);
		return d;
	}
	d = heap_new(struct sim_directory);
	if (!d) {
		heap_free(path);
		return NULL;
	}
	d->path = path;
	d->next = apart.first;
	apart.first = d;
	return d;
}

struct sim_directory *sim_need_directory(struct sim_host *s, struct str path)
{
	char *key = new_key(s, path);
	if (!key)
		return NULL;
	if (*find_unmounted(key))
		return need(key);
	memmove(key, key + strlen(s->name) + 1, path.n + 1);
	return need(key);
}

/* Whether that directory is what the host has at its path. */
static bool is_at(const struct sim_host *s, const struct sim_directory *d)
{
	size_t size = strlen(s->name);
	if (d->path[0] != '/') /* some host's own */
		return strncmp(d->path, s->name, size) == 0 && d->path[size] == '@';
	char *key = new_key(s, str_from(d->path));
	bool is_there = key && !*find_unmounted(key);
	heap_free(key);
	return is_there;
}

struct sim_disk *sim_find_apart(struct sim_host *s, uuid volume)
{
	struct sim_disk *found = NULL;
	for (struct sim_directory *d = s->has_directories ? apart.first : NULL; d; d = d->next)
		for (size_t k = 0; k < d->disk_count; k++)
			if (d->disks[k].kind == DISK_VOLUME && !d->disks[k].is_partial &&
			    uuid_equal(d->disks[k].volume, volume) && (!found || d->disks[k].is_raw) &&
			    is_at(s, d))
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

/* ---- controls */

void sim_compute_mount(struct str host, struct str path, bool is_mounted)
{
	struct sim_host *s = sim_need_host(host);
	if (!s)
		return;
	sim_use_directories();
	sim_lock(s);
	char *key = new_key(s, path);
	struct unmounted **at = key ? find_unmounted(key) : NULL;
	if (at && !*at && !is_mounted) {
		struct unmounted *made = heap_new(struct unmounted);
		if (made) {
			*made = (struct unmounted){.next = apart.unmounted, .key = key};
			apart.unmounted = made;
			key = NULL;
		}
	} else if (at && *at && is_mounted) {
		struct unmounted *old = *at;
		*at = old->next;
		heap_free(old->key);
		heap_free(old);
	}
	heap_free(key);
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
