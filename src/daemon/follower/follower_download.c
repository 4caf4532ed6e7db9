/* SPDX-License-Identifier: Apache-2.0
 * Large answers through a follower. The lane's work has ended when the head of such an answer is there; the call answers with a
 * stream, and more work of the lane carries the rest. While the stream is full, the work waits, and the writer with it.
 *
 * The lane's work owns the download and frees it. drained() and gone() come on the connection's thread, and only signal; none
 * comes after http_stream_free(). */
#include <pthread.h>
#include <time.h>

#include "auth/sign_in/login_throttle.h"
#include "base/clock.h"
#include "base/heap.h"
#include "base/lane.h"
#include "daemon/follower/follower_internal.h"
#include "http/stream.h"

enum { STREAM_CAP = 1024 * 1024 };
#define LOOK_US SECOND
#define STUCK_US (60 * SECOND) /* a client that reads nothing for so long is cut off */

struct download {
	struct daemon *d;
	struct arena *arena;
	struct ctx ctx;
	struct work_item work;
	struct peer_stream from;
	struct http_stream *to;
	struct http_stream_owner owner;
	int64_t epoch;
	struct buf first; /* bytes that came with the head; freed once they are queued */
	size_t queued;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* there may be room, or the client is gone */
	bool is_drained;        /* guarded by the lock */
};

static void download_free(struct download *l)
{
	peer_end_stream(&l->from);
	buf_done(&l->first);
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
	arena_free(l->arena);
	heap_free(l);
}

static void note_change(void *arg)
{
	struct download *l = arg;
	pthread_mutex_lock(&l->lock);
	l->is_drained = true;
	pthread_cond_signal(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

static bool take(void *self, struct str piece)
{
	const struct download *l = self;
	return http_stream_write(l->to, piece);
}

static bool goes_on(void *self)
{
	const struct download *l = self;
	return l->to && follower_may_wait(l->d, l->epoch) && !http_stream_is_gone(l->to);
}

/* Waits until the stream may have room. False: nobody reads, or the writer is another one. */
static bool wait_for_room(struct download *l)
{
	int64_t until_us = clock_system_us() + STUCK_US;
	pthread_mutex_lock(&l->lock);
	while (!l->is_drained && clock_system_us() < until_us) {
		int64_t next_us = clock_system_us() + LOOK_US;
		const struct timespec at = {.tv_sec = next_us / SECOND, .tv_nsec = next_us % SECOND * 1000};
		(void) pthread_cond_clockwait(&l->changed, &l->lock, CLOCK_MONOTONIC, &at);
		if (!follower_may_wait(l->d, l->epoch))
			break;
	}
	bool has_room = l->is_drained;
	l->is_drained = false;
	pthread_mutex_unlock(&l->lock);
	return has_room && goes_on(l);
}

/* Queues what came with the head, piece by piece. */
static RESULT queue_first(struct download *l)
{
	while (l->queued < l->first.size) {
		struct str piece = str_slice(buf_str(&l->first), l->queued, l->queued + STREAM_CAP / 4);
		if (http_stream_write(l->to, piece))
			l->queued += piece.n;
		else if (!wait_for_room(l))
			return FAIL(IO);
	}
	buf_done(&l->first);
	return OK;
}

static RESULT carry(struct work_item *w)
{
	struct download *l = w->arg;
	bool is_over = false;
	TRY(queue_first(l));
	while (!is_over) {
		TRY(peer_stream(w->ctx, &l->from, &is_over));
		if (!is_over && !wait_for_room(l))
			return FAIL(IO);
	}
	return OK;
}

static void end(struct work_item *w, struct result result)
{
	struct download *l = w->arg;
	peer_end_stream(&l->from); /* libcurl asks goes_on() meanwhile, which looks at the stream */
	if (result_is_ok(result))
		http_stream_end(l->to);
	else
		http_stream_cut(l->to);
	http_stream_free(l->to);
	download_free(l);
}

static struct download *download_new(struct daemon *d, int64_t epoch, struct peer_call *answer)
{
	struct download *l = heap_new(struct download);
	struct arena *arena = l ? arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP) : NULL;
	if (!arena) {
		heap_free(l);
		return NULL;
	}
	*l = (struct download){.d = d,
			       .arena = arena,
			       .from = {.take = take, .goes_on = goes_on, .self = l},
			       .owner = {.drained = note_change, .gone = note_change, .arg = l},
			       .epoch = epoch,
			       .first = answer->body};
	ctx_init(&l->ctx, arena);
	l->work = (struct work_item){.ctx = &l->ctx, .run = carry, .done = end, .arg = l};
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->changed, NULL);
	answer->body = (struct buf){0};
	peer_begin_stream(answer, &l->from);
	return l;
}

bool follower_stream(struct daemon *d, struct call *call, struct peer_call *answer, int64_t epoch,
		     struct lane *lane)
{
	struct download *l = download_new(d, epoch, answer);
	if (!l)
		return false;
	l->to = call_answer_sized_stream(call, answer->status, answer->content_type,
					 (uint64_t) answer->content_length, STREAM_CAP, &l->owner);
	if (!l->to) {
		download_free(l);
		return false;
	}
	const struct lane_asker asker = {.id = login_attempt_address(call->peer)};
	lane_work(lane, asker, "Too many downloads wait for the region's writer. Try again later.", &l->work);
	return true;
}
