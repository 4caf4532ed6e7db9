/* SPDX-License-Identifier: Apache-2.0
 * Views: how readers keep seeing one commit while later ones are published, and when replaced versions are
 * freed.
 *
 * A view pins the commit it was opened at, under the shared lock. A publish needs the exclusive lock, so pins
 * enter a stripe in order of their commits, and the first is the oldest. A version replaced by commit N is
 * visible to views of earlier commits only; it is freed when the oldest pin is N or later. */
#include <assert.h>
#include <stdatomic.h>

#include "base/reads.h"
#include "store/internal.h"

static _Thread_local const struct store *read_here;

bool view_is_read_here(const struct store *s)
{
	return read_here == s;
}

/* Hashes the address: a view is closed where it was opened, and views of different threads get different
 * stripes. */
static struct pins *view_pins(struct store *s, const struct view *v)
{
	uint64_t h = (uint64_t) (uintptr_t) v * UINT64_C(0x9e3779b97f4a7c15);
	return &s->pins[(h >> 32) % PIN_STRIPES];
}

static void note_view(const struct view *v)
{
	if (reads_here.commit == UINT64_MAX)
		reads_here.figures_epoch =
			atomic_load_explicit(&v->store->figures_epoch, memory_order_acquire);
	if (v->commit < reads_here.commit)
		reads_here.commit = v->commit;
}

void view_open(struct store *s, struct view *ret_view)
{
	struct view *v = ret_view;
	assert(!view_is_read_here(s));
	*v = (struct view){.tables = &s->published, .store = s, .is_reading = true};
	pthread_rwlock_rdlock(&s->lock);
	read_here = s;
	v->commit = s->commit;
	note_view(v);
	struct pins *pins = view_pins(s, v);
	pthread_mutex_lock(&pins->lock);
	v->previous = pins->last;
	*(pins->last ? &pins->last->next : &pins->first) = v;
	pins->last = v;
	pthread_mutex_unlock(&pins->lock);
}

void view_end_read(struct view *v)
{
	if (!v->is_reading)
		return;
	v->is_reading = false;
	v->tables = NULL;
	read_here = NULL;
	pthread_rwlock_unlock(&v->store->lock);
}

void view_close(struct view *v)
{
	struct store *s = v->store;
	if (!s)
		return;
	view_end_read(v);
	struct pins *pins = view_pins(s, v);
	pthread_mutex_lock(&pins->lock);
	*(v->previous ? &v->previous->next : &pins->first) = v->next;
	*(v->next ? &v->next->previous : &pins->last) = v->previous;
	pthread_mutex_unlock(&pins->lock);
	v->store = NULL;
	/* This view may have been the last to hold back retired versions, so the committer checks. The
	 * relaxed load is safe: if the committer saw this pin after it had stored retired_until, its unlock
	 * of the stripe precedes our lock; if it did not, it frees the versions itself. */
	if (v->commit < atomic_load_explicit(&s->retired_until, memory_order_relaxed))
		committer_wake(s);
}

/* True if a kind of the record has changed since its commit. Reads the commits directly: a look at them is no read of rows. */
static bool has_changed(const struct tables *t, const struct reads *reads)
{
	for (size_t word = 0; word < READS_WORDS; word++)
		for (uint64_t left = reads->kinds[word]; left; left &= left - 1)
			if (t->commits[word * 64 + (size_t) __builtin_ctzll(left)] > reads->commit)
				return true;
	return false;
}

bool view_still_has(const struct view *v, const struct reads *reads)
{
	static_assert((size_t) KIND_COUNT <= READS_KINDS_MAX, "a record has a bit for each kind");
	if (reads->has_figures &&
	    reads->figures_epoch != atomic_load_explicit(&v->store->figures_epoch, memory_order_acquire))
		return false;
	if (reads->commit == v->commit)
		return true;
	return v->tables && reads->commit < v->commit && !has_changed(v->tables, reads);
}

bool view_grow_tables(struct store *s, enum kind kind, size_t row_count)
{
	assert(!view_is_read_here(s));
	struct id_tables head, published, old = s->published.ids[kind];
	if (!tables_grow(&s->head, kind, row_count, &head))
		return false;
	if (!tables_grow(&s->published, kind, row_count, &published)) {
		id_tables_done(&head);
		return false;
	}
	id_tables_done(&s->head.ids[kind]);
	s->head.ids[kind] = head;
	pthread_rwlock_wrlock(&s->lock);
	s->published.ids[kind] = published;
	pthread_rwlock_unlock(&s->lock);
	id_tables_done(&old);
	return true;
}

void view_retire(struct store *s, struct version *v, uint64_t commit)
{
	v->retired_commit = commit;
	v->next = NULL;
	*(s->last_retired ? &s->last_retired->next : &s->first_retired) = v;
	s->last_retired = v;
	s->figures.retired++;
	atomic_store_explicit(&s->retired_until, commit, memory_order_relaxed);
}

/* Scanning the stripes one by one is safe without the store's lock: a view that is opened meanwhile pins the
 * published commit, which is not older than any retired_commit. */
static uint64_t view_oldest_commit(struct store *s)
{
	uint64_t oldest = UINT64_MAX;
	for (size_t n = 0; n < PIN_STRIPES; n++) {
		struct pins *pins = &s->pins[n];
		pthread_mutex_lock(&pins->lock);
		if (pins->first && pins->first->commit < oldest)
			oldest = pins->first->commit;
		pthread_mutex_unlock(&pins->lock);
	}
	return oldest;
}

void view_free_retired(struct store *s, bool all)
{
	if (!s->first_retired)
		return;
	uint64_t oldest = all ? UINT64_MAX : view_oldest_commit(s);
	while (s->first_retired && s->first_retired->retired_commit <= oldest) {
		struct version *v = s->first_retired;
		s->first_retired = v->next;
		s->figures.retired--;
		s->figures.row_bytes -= v->size;
		version_free(v);
	}
	if (!s->first_retired) {
		s->last_retired = NULL;
		atomic_store_explicit(&s->retired_until, 0, memory_order_relaxed);
	}
}
