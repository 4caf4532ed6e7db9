/* SPDX-License-Identifier: Apache-2.0
 * Counts of the present day alone: the first call of another day empties the table. */
#include "reconcile/log_share.h"

#include <inttypes.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/heap.h"

struct count {
	uuid account;
	int64_t bytes;
};

struct log_share {
	pthread_mutex_t lock; /* guards what follows day_max */
	int64_t day_max;
	int64_t day; /* the counts are that day's; since 1970 */
	struct count *counts;
	size_t count, room;
};

static const int64_t DAY_US = 24 * HOUR;

struct log_share *log_share_new(int64_t day_max)
{
	struct log_share *s = heap_alloc(sizeof *s);
	if (!s)
		return NULL;
	*s = (struct log_share){.lock = PTHREAD_MUTEX_INITIALIZER, .day_max = day_max};
	return s;
}

void log_share_free(struct log_share *s)
{
	if (!s)
		return;
	(void) pthread_mutex_destroy(&s->lock);
	heap_free(s->counts);
	heap_free(s);
}

static struct count *find(struct log_share *s, uuid account, int64_t now_us)
{
	if (s->day != now_us / DAY_US) {
		s->day = now_us / DAY_US;
		s->count = 0;
	}
	for (size_t k = 0; k < s->count; k++)
		if (uuid_equal(s->counts[k].account, account))
			return &s->counts[k];
	return NULL;
}

static struct count *make(struct log_share *s, uuid account)
{
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 16;
		struct count *counts = heap_resize(s->counts, room * sizeof *counts);
		if (!counts)
			return NULL;
		s->counts = counts;
		s->room = room;
	}
	s->counts[s->count] = (struct count){.account = account};
	return &s->counts[s->count++];
}

bool log_share_has_room(struct log_share *s, uuid account, int64_t now_us)
{
	if (!s->day_max)
		return true;
	(void) pthread_mutex_lock(&s->lock);
	const struct count *count = find(s, account, now_us);
	bool has_room = !count || count->bytes < s->day_max;
	(void) pthread_mutex_unlock(&s->lock);
	return has_room;
}

void log_share_add(struct log_share *s, uuid account, size_t bytes, int64_t now_us)
{
	(void) pthread_mutex_lock(&s->lock);
	struct count *count = find(s, account, now_us);
	if (!count)
		count = make(s, account);
	if (count)
		count->bytes += (int64_t) bytes;
	(void) pthread_mutex_unlock(&s->lock);
}

struct str log_share_problem(const struct log_share *s, struct arena *a, int64_t now_us)
{
	struct clock_date date = clock_date_of(now_us / DAY_US + 1);
	return str_print(
		a,
		"The account's %" PRId64
		" MiB of log files a day are used up: entries until %04d-%02u-%02u 00:00 UTC are missing.",
		s->day_max >> 20, (int) date.year, date.month, date.day);
}
