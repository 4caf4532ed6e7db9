/* SPDX-License-Identifier: Apache-2.0
 * Times of last use, in 8-way sets with a lock each, and the timer that writes them to rows. */
#include "auth/key/last_used.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/reads.h"
#include "store/audit.h"

#define FIRST_AFTER_US SECOND
enum { WAYS = 8, SETS = LAST_USED_MAX / WAYS, TEXT_MAX = 32, ARENA_CAP = 4 * 1024 * 1024 };

struct text {
	size_t size;
	char at[TEXT_MAX];
};

struct noted {
	uuid id; /* none: free */
	enum kind kind;
	int64_t at_us;
	bool is_new; /* not written yet */
	struct text service, region;
};

struct noted_set {
	pthread_mutex_t lock; /* guards the set's ways */
	struct noted ways[WAYS];
};

struct last_used {
	struct store *store;
	int64_t interval_us;
	struct actor *actor;   /* NULL: no thread */
	struct job job, first; /* periodic; shortly after a first use */
	atomic_bool first_is_posted;
	struct noted_set sets[SETS];
};

static struct noted_set *set_of(struct last_used *u, uuid id)
{
	uint64_t bits = 0; /* ids are random, so any of their bits will do */
	memcpy(&bits, id.b + 8, sizeof bits);
	return &u->sets[hash_mix(bits) % SETS];
}

/* ---- writing ---- */

static struct str copy_text(struct arena *a, const struct text *text)
{
	return str_copy(a, (struct str){text->at, text->size});
}

static size_t count_new(struct last_used *u)
{
	size_t count = 0;
	for (size_t s = 0; s < SETS; s++) {
		(void) pthread_mutex_lock(&u->sets[s].lock);
		for (size_t k = 0; k < WAYS; k++)
			count += u->sets[s].ways[k].is_new;
		(void) pthread_mutex_unlock(&u->sets[s].lock);
	}
	return count;
}

/* Entries for which there is no room stay new for the next time. */
static void gather_set(struct noted_set *set, struct arena *a, struct last_use *out, size_t room,
		       size_t *count)
{
	(void) pthread_mutex_lock(&set->lock);
	for (size_t k = 0; k < WAYS; k++) {
		struct noted *n = &set->ways[k];
		if (!n->is_new || *count == room)
			continue;
		out[(*count)++] = (struct last_use){.kind = n->kind,
						    .id = n->id,
						    .at_us = n->at_us,
						    .service = copy_text(a, &n->service),
						    .region = copy_text(a, &n->region)};
		n->is_new = false;
	}
	(void) pthread_mutex_unlock(&set->lock);
}

RESULT last_used_write(struct last_used *u, struct ctx *c)
{
	size_t room = u ? count_new(u) : 0;
	struct last_use *at = arena_new_array(c->arena, struct last_use, room + 1);
	struct last_uses wish = {.at = at};
	if (!at)
		return ctx_no_memory(c);
	for (size_t k = 0; room && k < SETS; k++)
		gather_set(&u->sets[k], c->arena, at, room, &wish.count);
	if (arena_is_full(c->arena))
		return ctx_no_memory(c);
	return wish.count ? store_commit_by_clock(u->store, c, "dari:uses", engine_note_last_uses_run, &wish)
			  : OK;
}

/* sweep: also writes the counts of the audit log. */
static void write_or_log(struct last_used *u, bool at_end, bool sweep)
{
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_CAP);
	struct ctx c;
	if (!arena)
		return; /* lost until the next use */
	ctx_init(&c, arena);
	struct result result = last_used_write(u, &c);
	if (!result_is_ok(result))
		log_event(LOG_WARN, "uses-not-written", "error=%s", err_name(result.code));
	result = sweep ? store_commit_by_clock(u->store, &c, "dari:audit", op_sweep_audit, &at_end) : OK;
	if (!result_is_ok(result))
		log_event(LOG_WARN, "audit-counts-not-written", "error=%s", err_name(result.code));
	arena_free(arena);
}

static void run_job(struct job *job)
{
	struct last_used *u = (struct last_used *) (void *) ((char *) job - offsetof(struct last_used, job));
	write_or_log(u, false, true);
	actor_post_at(u->actor, job, clock_now_us() + u->interval_us);
}

static void run_first(struct job *job)
{
	struct last_used *u =
		(struct last_used *) (void *) ((char *) job - offsetof(struct last_used, first));
	atomic_store(&u->first_is_posted, false);
	write_or_log(u, false, false);
}

/* ---- life ---- */

RESULT last_used_new(struct ctx *c, const struct last_used_config *config, struct last_used **ret_uses)
{
	struct last_used *u = heap_new(struct last_used);
	if (!u)
		return ctx_no_memory(c);
	u->store = config->store;
	u->interval_us = config->interval_us ? config->interval_us : 5 * MINUTE;
	u->job.run = run_job;
	u->first.run = run_first;
	for (size_t k = 0; k < SETS; k++)
		(void) pthread_mutex_init(&u->sets[k].lock, NULL);
	if (config->executor) {
		u->actor = actor_new(config->executor, "uses");
		if (!u->actor) {
			last_used_free(u);
			return ctx_no_memory(c);
		}
		actor_post_at(u->actor, &u->job, clock_now_us() + u->interval_us);
	}
	*ret_uses = u;
	return OK;
}

void last_used_free(struct last_used *u)
{
	if (!u)
		return;
	if (u->actor) {
		actor_free(u->actor);
		write_or_log(u, true, true);
	}
	for (size_t k = 0; k < SETS; k++)
		(void) pthread_mutex_destroy(&u->sets[k].lock);
	heap_free(u);
}

/* ---- noting ---- */

static void set_text(struct text *text, struct str value)
{
	text->size = value.n < TEXT_MAX ? value.n : TEXT_MAX;
	if (text->size)
		memcpy(text->at, value.p, text->size);
}

/* The id's own slot; otherwise a free or written one, the oldest of several. With the set's lock held. */
static struct noted *choose_way(struct noted_set *set, uuid id)
{
	struct noted *chosen = &set->ways[0];
	for (size_t k = 0; k < WAYS; k++) {
		struct noted *n = &set->ways[k];
		if (uuid_equal(n->id, id))
			return n;
		if (n->is_new < chosen->is_new || (n->is_new == chosen->is_new && n->at_us < chosen->at_us))
			chosen = n;
	}
	return chosen;
}

void last_used_note(struct last_used *u, enum kind kind, uuid id, struct str service, struct str region)
{
	struct noted_set *set = u ? set_of(u, id) : NULL;
	if (!set)
		return;
	(void) pthread_mutex_lock(&set->lock);
	struct noted *n = choose_way(set, id);
	bool is_first = uuid_is_none(n->id);
	n->id = id;
	n->kind = kind;
	n->at_us = clock_now_us();
	n->is_new = true;
	set_text(&n->service, service);
	set_text(&n->region, region);
	(void) pthread_mutex_unlock(&set->lock);
	if (is_first && u->actor && !atomic_exchange(&u->first_is_posted, true))
		actor_post_at(u->actor, &u->first, clock_now_us() + FIRST_AFTER_US);
}

struct last_use last_used_find(struct last_used *u, struct arena *a, const struct last_use *stored)
{
	reads_note_outside();
	struct noted_set *set = u ? set_of(u, stored->id) : NULL;
	struct last_use found = *stored;
	if (!set)
		return found;
	(void) pthread_mutex_lock(&set->lock);
	for (size_t k = 0; k < WAYS; k++) {
		const struct noted *n = &set->ways[k];
		if (!uuid_equal(n->id, stored->id) || n->at_us <= found.at_us)
			continue;
		found.at_us = n->at_us;
		found.service = copy_text(a, &n->service);
		found.region = copy_text(a, &n->region);
	}
	(void) pthread_mutex_unlock(&set->lock);
	return found;
}
