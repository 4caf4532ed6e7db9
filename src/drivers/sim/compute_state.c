/* SPDX-License-Identifier: Apache-2.0
 * The simulated hosts' state and the controls of compute.h. */
#include "drivers/sim/compute_state.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/random.h"
#include "drivers/ceph.h"

enum { BUCKET_COUNT = 4096 };

static struct {
	pthread_mutex_t lock; /* guards the buckets and sizes; taken before a host's lock */
	struct sim_host *buckets[BUCKET_COUNT];
	int64_t cpus, memory, disk_size;
	_Atomic enum sim_pace pace;
} region = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const int64_t GIB = INT64_C(1) << 30;

/* ---- finding */

void sim_lock(struct sim_host *s)
{
	pthread_mutex_lock(&s->lock);
	sim_lock_directories(s);
}

void sim_unlock(struct sim_host *s)
{
	sim_unlock_directories(s);
	pthread_mutex_unlock(&s->lock);
}

static struct sim_host **find_slot(struct str name)
{
	uint32_t hash = 2166136261U; /* FNV-1a */
	for (size_t k = 0; k < name.n; k++)
		hash = (hash ^ (unsigned char) name.p[k]) * 16777619U;
	struct sim_host **at = &region.buckets[hash % BUCKET_COUNT];
	while (*at && !str_is(name, (*at)->name))
		at = &(*at)->next;
	return at;
}

static struct sim_host *new_host(struct str name)
{
	struct sim_host *s = heap_new(struct sim_host);
	char *copy = heap_alloc(name.n + 1);
	if (!s || !copy) {
		heap_free(s);
		heap_free(copy);
		return NULL;
	}
	memcpy(copy, name.p, name.n);
	s->name = copy;
	s->boot = 1;
	s->booted_us = clock_now_us();
	s->cpus = region.cpus ? region.cpus : 64;
	s->memory = region.memory ? region.memory : 256 * GIB;
	s->disk_size = region.disk_size ? region.disk_size : 10240 * GIB;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->spoke, NULL);
	return s;
}

struct sim_host *sim_need_host(struct str name)
{
	pthread_mutex_lock(&region.lock);
	struct sim_host **at = find_slot(name);
	if (!*at)
		*at = new_host(name);
	struct sim_host *s = *at;
	pthread_mutex_unlock(&region.lock);
	return s;
}

/* Returns the host, locked; NULL: none of that name. */
static struct sim_host *lock_host(struct str name)
{
	pthread_mutex_lock(&region.lock);
	struct sim_host *s = *find_slot(name);
	pthread_mutex_unlock(&region.lock);
	if (s)
		sim_lock(s);
	return s;
}

struct sim_domain *sim_find_domain(struct sim_host *s, uuid id)
{
	for (size_t k = 0; k < s->domain_count; k++)
		if (uuid_equal(s->domains[k].id, id))
			return &s->domains[k];
	return NULL;
}

uint64_t sim_key(const struct disk_key *key)
{
	uint64_t h = 1;
	for (const char *p = key ? key->text : ""; *p; p++)
		h = hash_add(h, (unsigned char) *p);
	return key ? h | 1 : 0;
}

static uint64_t add_text(uint64_t h, struct str text)
{
	for (size_t k = 0; k < text.n; k++)
		h = hash_add(h, (unsigned char) text.p[k]);
	return h;
}

uint64_t sim_place(struct str directory)
{
	return directory.n ? add_text(1, directory) | 1 : 0;
}

uint64_t sim_place_of(const struct compute_disk *disk)
{
	return disk->ceph ? add_text(add_text(1, STR(SIM_CEPH)), disk->ceph->pool) | 1
			  : sim_place(disk->directory);
}

static struct sim_disk *find_own(struct sim_host *s, uuid volume)
{
	struct sim_disk *found = NULL;
	for (size_t k = 0; k < s->disk_count; k++)
		if (s->disks[k].kind == DISK_VOLUME && !s->disks[k].is_partial &&
		    uuid_equal(s->disks[k].volume, volume) && (!found || s->disks[k].is_raw))
			found = &s->disks[k];
	return found;
}

struct sim_disk *sim_find_disk_at(struct sim_host *s, uuid volume, uint64_t place)
{
	return place ? sim_find_apart(s, volume, place) : find_own(s, volume);
}

static const struct sim_device *find_plugged(const struct sim_domain *d, uuid volume)
{
	for (size_t k = 0; k < d->device_count; k++)
		if (d->devices[k].is_plugged && uuid_equal(d->devices[k].id, volume))
			return &d->devices[k];
	return NULL;
}

struct sim_disk *sim_find_disk(struct sim_host *s, uuid volume)
{
	for (size_t k = 0; k < s->domain_count; k++) {
		const struct sim_device *device = find_plugged(&s->domains[k], volume);
		if (device)
			return sim_find_disk_at(s, volume, device->place);
	}
	struct sim_disk *own = find_own(s, volume);
	return own ? own : sim_find_apart(s, volume, 0);
}

/* ---- the pace */

static const struct {
	int64_t least_us, most_us;
} sim_work_times[SIM_WORK_COUNT] = {
	[SIM_MAKE_DISK] = {150 * MILLISECOND, 500 * MILLISECOND},
	[SIM_DELETE_DISK] = {20 * MILLISECOND, 80 * MILLISECOND},
	[SIM_DEFINE] = {20 * MILLISECOND, 60 * MILLISECOND},
	[SIM_START] = {200 * MILLISECOND, 600 * MILLISECOND},
	[SIM_SHUT_DOWN] = {2 * SECOND, 6 * SECOND},
	[SIM_SEND] = {100 * MILLISECOND, 300 * MILLISECOND},
	[SIM_UNPLUG] = {100 * MILLISECOND, 900 * MILLISECOND},
};

void sim_compute_set_pace(enum sim_pace pace)
{
	atomic_store(&region.pace, pace);
}

int64_t sim_draw_us(enum sim_work work)
{
	if (atomic_load(&region.pace) == SIM_AT_ONCE)
		return 0;
	int64_t least_us = sim_work_times[work].least_us, most_us = sim_work_times[work].most_us;
	return least_us + (int64_t) random_below((uint64_t) (most_us - least_us + 1));
}

void sim_take_time(enum sim_work work)
{
	int64_t pass_us = sim_draw_us(work);
	if (pass_us)
		clock_sleep_us(pass_us);
}

/* ---- changing; the host's lock is held */

void sim_notify(struct sim_host *s, uuid id)
{
	for (struct compute_host *h = s->connections; h; h = h->next)
		if (h->changed)
			h->changed(h->changed_arg, id);
}

void sim_lose_connections(struct sim_host *s)
{
	for (struct compute_host *h = s->connections; h; h = h->next)
		h->is_lost = true;
	sim_notify(s, UUID_NONE);
}

void sim_power_off(struct sim_host *s, struct sim_domain *d, enum compute_off why)
{
	if (!d->is_on)
		return;
	d->is_on = d->is_paused = d->is_silent = d->is_held = false;
	d->off = why;
	(void) pthread_cond_broadcast(&s->spoke);
	d->ends_us = 0;
	sim_end_tracks(s, d, why == COMPUTE_OFF_CRASHED);
	sim_stop_devices(d);
	sim_close_consoles(d);
	d->backup = UUID_NONE;
	sim_notify(s, d->id);
}

RESULT sim_await_guest(struct sim_host *s, struct ctx *c, uuid id)
{
	struct sim_domain *d = sim_find_domain(s, id);
	if (!d || !d->is_silent)
		return OK;
	if (d->is_awaited)
		return ctx_fail(c, ERR_IO, "QEMU on host %s has not answered for some time", s->name);
	d->is_awaited = true;
	while (d && d->is_silent) {
		sim_unlock_directories(s);
		pthread_cond_wait(&s->spoke, &s->lock);
		sim_lock_directories(s);
		d = sim_find_domain(s, id);
	}
	if (d)
		d->is_awaited = false;
	return d && d->is_on ? OK : ctx_fail(c, ERR_IO, "QEMU on host %s ended before it answered", s->name);
}

/* Each call settles first, and most hosts have nothing to settle: they are not walked over. */
void sim_settle(struct sim_host *s)
{
	bool may_settle = s->may_settle;
	s->may_settle = false;
	for (size_t k = 0; may_settle && k < s->domain_count; k++) {
		struct sim_domain *d = &s->domains[k];
		if (d->ends_us && d->ends_us <= clock_steady_us())
			sim_power_off(s, d, COMPUTE_OFF_GUEST);
		else if (sim_settle_devices(d))
			sim_notify(s, d->id);
		s->may_settle |= d->ends_us || sim_has_leaving_devices(d);
	}
}

struct sim_disk *sim_add_disk(struct sim_host *s)
{
	struct sim_disk *more = heap_resize(s->disks, (s->disk_count + 1) * sizeof *more);
	if (!more)
		return NULL;
	s->disks = more;
	more[s->disk_count] = (struct sim_disk){0};
	return &more[s->disk_count++];
}

void sim_remove_domain(struct sim_host *s, struct sim_domain *d)
{
	sim_close_consoles(d);
	heap_free(d->devices);
	heap_free(d->manifest);
	heap_free(d->drive);
	heap_free(d->variables);
	*d = s->domains[--s->domain_count];
}

/* ---- controls */

static void free_host(struct sim_host *s)
{
	while (s->domain_count)
		sim_remove_domain(s, &s->domains[0]);
	heap_free(s->domains);
	heap_free(s->disks);
	heap_free(s->name);
	pthread_cond_destroy(&s->spoke);
	pthread_mutex_destroy(&s->lock);
	heap_free(s);
}

void sim_compute_reset(void)
{
	pthread_mutex_lock(&region.lock);
	for (size_t k = 0; k < BUCKET_COUNT; k++)
		for (struct sim_host *s = region.buckets[k]; s;) {
			struct sim_host *next = s->next;
			free_host(s);
			s = next;
		}
	memset(region.buckets, 0, sizeof region.buckets);
	sim_reset_directories();
	region.cpus = region.memory = region.disk_size = 0;
	atomic_store(&region.pace, SIM_AT_ONCE);
	pthread_mutex_unlock(&region.lock);
}

void sim_compute_set_size(int64_t cpus, int64_t memory, int64_t disk)
{
	pthread_mutex_lock(&region.lock);
	region.cpus = cpus;
	region.memory = memory;
	region.disk_size = disk;
	pthread_mutex_unlock(&region.lock);
}

void sim_compute_bring_disk(struct str host, uuid region_id, uuid volume, int64_t size)
{
	struct sim_host *s = sim_need_host(host);
	if (!s)
		return;
	sim_lock(s);
	struct sim_disk *d = sim_find_disk(s, volume);
	if (!d)
		d = sim_add_disk(s);
	if (d)
		*d = (struct sim_disk){.region = region_id, .volume = volume, .size = size};
	sim_unlock(s);
}

void sim_compute_write_disk(struct str host, uuid volume, const char *text)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return;
	struct sim_disk *d = sim_find_disk(s, volume);
	if (d && !sim_is_kept_out(s, d))
		sim_write(d, text);
	sim_unlock(s);
}

bool sim_compute_disk_has(struct str host, uuid volume, const char *text)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return false;
	const struct sim_disk *d = sim_find_disk(s, volume);
	bool has = d && str_is(str_from(d->text), text);
	sim_unlock(s);
	return has;
}

static bool find_limits(const struct sim_host *s, uuid volume, struct disk_limits *ret_limits)
{
	for (size_t k = 0; k < s->domain_count; k++)
		for (size_t n = 0; n < s->domains[k].device_count; n++) {
			const struct sim_device *device = &s->domains[k].devices[n];
			if (!device->is_plugged || !uuid_equal(device->id, volume))
				continue;
			*ret_limits = device->applied;
			return true;
		}
	return false;
}

bool sim_compute_find_limits(struct str host, uuid volume, struct disk_limits *ret_limits)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return false;
	bool found = find_limits(s, volume, ret_limits);
	sim_unlock(s);
	return found;
}

bool sim_compute_drive_has(struct str host, uuid id, const char *text)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return false;
	const struct sim_domain *d = sim_find_domain(s, id);
	bool has = d && d->drive && strstr(d->drive, text);
	sim_unlock(s);
	return has;
}

void sim_compute_set_pool_free(struct str host, int64_t free)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return;
	s->pool_free = free;
	sim_unlock(s);
}

void sim_compute_set_copies(struct str host, bool stand_still, bool fail)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return;
	s->copies_stand_still = stand_still;
	s->copies_fail = fail;
	sim_unlock(s);
}

void sim_compute_set_latency(struct str host, int64_t latency_us)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return;
	s->latency_us = latency_us;
	sim_unlock(s);
}

void sim_compute_set_health(struct str host, enum sim_health health, int64_t hang_us)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return;
	s->health = s->is_without_power || s->is_cut_off ? SIM_DOWN : health;
	s->hang_us = hang_us;
	if (health == SIM_DOWN)
		sim_lose_connections(s);
	sim_unlock(s);
}

void sim_compute_disconnect(struct str host)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return;
	sim_lose_connections(s);
	sim_unlock(s);
}

void sim_end_boot(struct sim_host *s)
{
	s->boot++;
	s->booted_us = clock_now_us();
	for (size_t k = 0; k < s->domain_count; k++) {
		s->domains[k].is_on = s->domains[k].is_paused = s->domains[k].is_held = false;
		s->domains[k].off = COMPUTE_OFF_UNKNOWN;
		s->domains[k].ends_us = 0;
		sim_end_tracks(s, &s->domains[k], true);
		sim_stop_devices(&s->domains[k]);
		s->domains[k].backup = UUID_NONE;
	}
	sim_lose_connections(s);
}

void sim_compute_reboot(struct str host)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return;
	sim_end_boot(s);
	sim_unlock(s);
}

void sim_compute_end_guest(struct str host, uuid id, enum compute_off why)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return;
	struct sim_domain *d = sim_find_domain(s, id);
	if (d)
		sim_power_off(s, d, why);
	sim_unlock(s);
}

void sim_compute_pause_guest_io(struct str host, uuid id)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return;
	struct sim_domain *d = sim_find_domain(s, id);
	if (d && d->is_on) {
		d->is_io_paused = true;
		sim_notify(s, id);
	}
	sim_unlock(s);
}

void sim_compute_set_deaf(struct str host, bool is_deaf)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return;
	s->is_deaf = is_deaf;
	sim_unlock(s);
}

void sim_compute_set_silent(struct str host, uuid id, bool is_silent)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return;
	struct sim_domain *d = sim_find_domain(s, id);
	if (d && d->is_on)
		d->is_silent = is_silent;
	pthread_cond_broadcast(&s->spoke);
	sim_unlock(s);
}

void sim_compute_set_restless(struct str host, uuid id, bool is_restless)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return;
	struct sim_domain *d = sim_find_domain(s, id);
	if (d)
		d->is_restless = is_restless;
	sim_unlock(s);
}

bool sim_compute_is_awaited(struct str host, uuid id)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return false;
	const struct sim_domain *d = sim_find_domain(s, id);
	bool is_awaited = d && d->is_awaited;
	sim_unlock(s);
	return is_awaited;
}

void sim_compute_set_shutdown_us(struct str host, int64_t shutdown_us)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return;
	s->shutdown_us = shutdown_us;
	sim_unlock(s);
}

void sim_compute_lose_domain(struct str host, uuid id)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return;
	struct sim_domain *d = sim_find_domain(s, id);
	if (d) {
		sim_remove_domain(s, d);
		sim_notify(s, id);
	}
	sim_unlock(s);
}

bool sim_compute_has_plugged(struct str host, uuid id, uuid device)
{
	struct sim_host *s = lock_host(host);
	if (!s)
		return false;
	struct sim_domain *d = sim_find_domain(s, id);
	bool has = d && sim_has_plugged(d, device);
	sim_unlock(s);
	return has;
}

int sim_compute_get_slot(struct str host, uuid id, uuid device)
{
	struct sim_host *s = lock_host(host);
	int slot = -1;
	if (!s)
		return slot;
	const struct sim_domain *d = sim_find_domain(s, id);
	for (size_t k = 0; d && k < d->device_count; k++)
		if (uuid_equal(d->devices[k].id, device))
			slot = d->devices[k].slot;
	sim_unlock(s);
	return slot;
}

void sim_count_disks(const struct sim_disk *disks, size_t count, struct sim_counts *n)
{
	for (size_t k = 0; k < count; k++) {
		const struct sim_disk *d = &disks[k];
		n->images += d->kind == DISK_BASE;
		n->cuts += d->kind == DISK_CUT;
		n->disks += d->kind == DISK_VOLUME;
		n->disk_size += d->kind == DISK_VOLUME ? d->size : 0;
	}
}

static void count_host(struct sim_host *s, struct sim_counts *n)
{
	sim_lock(s);
	sim_settle(s);
	n->hosts++;
	n->domains += (int64_t) s->domain_count;
	n->calls += s->call_count;
	n->increments += s->increment_count;
	n->hasty += s->hasty_count;
	for (size_t k = 0; k < s->domain_count; k++)
		n->running += s->domains[k].is_on;
	sim_count_disks(s->disks, s->disk_count, n);
	for (const struct compute_host *h = s->connections; h; h = h->next)
		n->connections++;
	sim_unlock(s);
}

void sim_compute_count(struct sim_counts *ret_counts)
{
	*ret_counts = (struct sim_counts){0};
	pthread_mutex_lock(&region.lock);
	for (size_t k = 0; k < BUCKET_COUNT; k++)
		for (struct sim_host *s = region.buckets[k]; s; s = s->next)
			count_host(s, ret_counts);
	sim_count_apart(ret_counts);
	pthread_mutex_unlock(&region.lock);
}

/* ---- who runs where */

struct running_list {
	uuid *at; /* heap */
	size_t count, doubles;
};

static bool is_listed(const struct running_list *list, uuid id)
{
	const struct uuids ids = {list->at, list->count};
	return uuids_have(&ids, id);
}

static void list_running(struct sim_host *s, struct running_list *list)
{
	pthread_mutex_lock(&s->lock);
	for (size_t k = 0; k < s->domain_count; k++) {
		const struct sim_domain *d = &s->domains[k];
		if (!d->is_on || d->is_held)
			continue;
		list->doubles += is_listed(list, d->id);
		uuid *more = heap_resize(list->at, (list->count + 1) * sizeof *more);
		if (!more)
			break;
		list->at = more;
		list->at[list->count++] = d->id;
	}
	pthread_mutex_unlock(&s->lock);
}

size_t sim_compute_count_doubles(void)
{
	struct running_list list = {0};
	pthread_mutex_lock(&region.lock);
	for (size_t k = 0; k < BUCKET_COUNT; k++)
		for (struct sim_host *s = region.buckets[k]; s; s = s->next)
			list_running(s, &list);
	pthread_mutex_unlock(&region.lock);
	heap_free(list.at);
	return list.doubles;
}

void sim_compute_break_migration(struct str host, enum sim_break how)
{
	struct sim_host *s = sim_need_host(host);
	if (!s)
		return;
	sim_lock(s);
	s->breaks = how;
	sim_unlock(s);
}
