/* SPDX-License-Identifier: Apache-2.0
 * Uploads through a follower. A thread of a lane sends the request to the writer while the client's body arrives; two buffers
 * lie in between, and a client that is faster than the writer waits in its connection. The writer sees the headers first, and
 * may refuse the upload before its body.
 *
 * An upload has two holders, the call and the lane's work; the last one frees it. The call is parked until the writer asks for
 * the body, while the buffer is full, and from the body's end until the answer. Whoever ends such a wait takes `waits` under
 * the lock, and wakes the call without the lock: a woken call may end at once, which needs the lock. */
#include <pthread.h>
#include <time.h>

#include "api/core/forward.h"
#include "auth/sign_in/login_throttle.h"
#include "base/clock.h"
#include "base/heap.h"
#include "base/lane.h"
#include "daemon/follower/follower_internal.h"

enum {
	FULL_SIZE = 256 * 1024, /* bytes that wait when the client has to, too */
	BUFFER_CAP = 4 * FULL_SIZE
};
#define LOOK_US SECOND /* between two looks whether the writer is still the same */

struct upload {
	struct daemon *d;
	struct api_face *face;
	struct arena *arena; /* the lane's work uses it, and ctx */
	struct ctx ctx;
	struct work_item work;
	struct peer_call peer;
	struct peer_upload body;
	struct call_sink sink;
	int64_t epoch;      /* the writer's */
	struct buf sending; /* the lane's thread alone uses it */
	size_t sent;
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t changed;
	unsigned holders;
	struct call *call; /* NULL: it has ended */
	bool waits;        /* the call is parked, and is to be woken once */
	bool is_wanted;    /* the writer has asked for the body */
	bool is_whole;     /* the body has ended */
	bool is_broken;    /* no memory for it */
	bool has_ended;    /* the lane's work */
	struct result result;
	struct buf filling;
};

static void release(struct upload *u)
{
	pthread_mutex_lock(&u->lock);
	bool is_last = --u->holders == 0;
	pthread_mutex_unlock(&u->lock);
	if (!is_last)
		return;
	peer_close(&u->peer);
	buf_done(&u->peer.body);
	buf_done(&u->sending);
	buf_done(&u->filling);
	pthread_cond_destroy(&u->changed);
	pthread_mutex_destroy(&u->lock);
	arena_free(u->arena);
	heap_free(u);
}

/* With the lock held. The call to wake after unlocking; NULL: none waits. */
static struct call *take_waiting(struct upload *u)
{
	struct call *call = u->waits ? u->call : NULL;
	u->waits = false;
	return call;
}

static void wake(struct call *call)
{
	if (call)
		call_wake(call);
}

/* ---- the lane's thread ---- */

static void wait_for_bytes(struct upload *u)
{
	int64_t until_us = clock_system_us() + LOOK_US;
	const struct timespec until = {.tv_sec = until_us / SECOND, .tv_nsec = until_us % SECOND * 1000};
	(void) pthread_cond_clockwait(&u->changed, &u->lock, CLOCK_MONOTONIC, &until);
}

/* False: the body has ended, or will not be whole. */
static bool fetch_bytes(struct upload *u)
{
	pthread_mutex_lock(&u->lock);
	struct call *waiting = u->is_wanted ? NULL : take_waiting(u);
	u->is_wanted = true;
	while (!u->filling.size && !u->is_whole && u->call && !waiting && follower_may_wait(u->d, u->epoch))
		wait_for_bytes(u);
	if (u->filling.size) {
		struct buf empty = u->sending;
		empty.size = 0;
		u->sending = u->filling;
		u->filling = empty;
		u->sent = 0;
		if (!waiting && !u->is_whole) /* otherwise the call waits for the answer */
			waiting = take_waiting(u);
	}
	pthread_mutex_unlock(&u->lock);
	bool has_bytes = u->sent < u->sending.size;
	wake(waiting);
	return has_bytes;
}

static ssize_t read_body(void *self, char *to, size_t room)
{
	struct upload *u = self;
	while (u->sent == u->sending.size && !fetch_bytes(u)) {
		pthread_mutex_lock(&u->lock);
		bool is_whole = u->is_whole && !u->filling.size && !u->is_broken;
		bool is_cut = !u->call || u->is_broken;
		pthread_mutex_unlock(&u->lock);
		if (is_whole)
			return 0;
		if (is_cut || !follower_may_wait(u->d, u->epoch))
			return -1;
	}
	size_t left = u->sending.size - u->sent, size = left < room ? left : room;
	memcpy(to, u->sending.p + u->sent, size);
	u->sent += size;
	return (ssize_t) size;
}

static bool may_wait(void *self)
{
	const struct upload *u = self;
	return follower_may_wait(u->d, u->epoch);
}

static RESULT send_upload(struct work_item *w)
{
	struct upload *u = w->arg;
	struct result r = peer_send(w->ctx, &u->peer);
	return result_is_ok(r) ? r : follower_say_unanswered(w->ctx, u->peer.was_sent, u->peer.address);
}

static void end_work(struct work_item *w, struct result result)
{
	struct upload *u = w->arg;
	pthread_mutex_lock(&u->lock);
	u->has_ended = true;
	u->result = result;
	struct call *waiting = take_waiting(u);
	pthread_mutex_unlock(&u->lock);
	wake(waiting);
	release(u);
}

/* ---- the call's thread ---- */

static struct upload *upload_of(struct call_sink *sink)
{
	return (struct upload *) (void *) ((char *) sink - offsetof(struct upload, sink));
}

static void go_on(struct call *call)
{
	(void) call;
}

/* Drops bytes that come after the writer's answer, which the client gets behind its body. */
static RESULT take_piece(struct call_sink *sink, struct call *call, struct str piece)
{
	struct upload *u = upload_of(sink);
	pthread_mutex_lock(&u->lock);
	if (!u->has_ended)
		buf_add_str(&u->filling, piece);
	u->is_broken = u->filling.failed;
	bool is_broken = u->is_broken;
	if (!u->has_ended && !is_broken && u->filling.size >= FULL_SIZE) {
		u->waits = true;
		call_park(call, go_on);
	}
	pthread_cond_signal(&u->changed);
	pthread_mutex_unlock(&u->lock);
	return is_broken ? ctx_no_memory(&call->ctx) : OK;
}

static void end_sink(struct call_sink *sink)
{
	struct upload *u = upload_of(sink);
	pthread_mutex_lock(&u->lock);
	u->call = NULL;
	u->waits = false;
	pthread_cond_signal(&u->changed);
	pthread_mutex_unlock(&u->lock);
	release(u);
}

static void answer(struct call *call)
{
	struct upload *u = call->face_data;
	if (result_is_ok(u->result))
		follower_relay(u->d, call, &u->peer);
	else
		api_refuse_now(u->face, call, u->ctx.problem.message);
}

/* The writer has asked for the body, or answered without it. */
static void body_is_wanted(struct call *call)
{
	struct upload *u = call->face_data;
	pthread_mutex_lock(&u->lock);
	bool has_ended = u->has_ended;
	pthread_mutex_unlock(&u->lock);
	if (has_ended)
		answer(call);
}

void follower_end_upload(struct call *call)
{
	struct upload *u = call->face_data;
	pthread_mutex_lock(&u->lock);
	u->is_whole = true;
	bool has_ended = u->has_ended;
	if (!has_ended) {
		u->waits = true;
		call_park(call, answer);
	}
	pthread_cond_signal(&u->changed);
	pthread_mutex_unlock(&u->lock);
	if (has_ended)
		answer(call);
}

static struct upload *upload_new(struct daemon *d, struct call *call, struct api_face *face)
{
	struct upload *u = heap_new(struct upload);
	if (!u)
		return NULL;
	u->arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	if (!u->arena) {
		heap_free(u);
		return NULL;
	}
	ctx_init(&u->ctx, u->arena);
	u->d = d;
	u->face = face;
	u->call = call;
	u->holders = 1;
	pthread_mutex_init(&u->lock, NULL);
	pthread_cond_init(&u->changed, NULL);
	buf_init(&u->sending, BUFFER_CAP);
	buf_init(&u->filling, BUFFER_CAP);
	u->body = (struct peer_upload){.size = -1, .read = read_body};
	IGNORE(str_parse_int(call_header(call, "Content-Length"), &u->body.size)); /* absent: in chunks */
	u->peer = (struct peer_call){.address = follower_copy_writer(d, u->arena, &u->epoch),
				     .call = call,
				     .upload = &u->body,
				     .master_key = d->master_key,
				     .goes_on = may_wait,
				     .self = u,
				     .arena = u->arena};
	u->work = (struct work_item){.ctx = &u->ctx, .run = send_upload, .done = end_work, .arg = u};
	u->sink = (struct call_sink){.cap_size = INT64_MAX, .take = take_piece, .end = end_sink};
	return u;
}

void follower_begin_upload(struct daemon *d, struct call *call, struct api_face *face, struct lane *lane)
{
	struct upload *u = upload_new(d, call, face);
	if (!u || !u->peer.address.n || !result_is_ok(peer_open(&u->peer))) {
		if (u)
			release(u);
		follower_refuse(d, call, face);
		return;
	}
	u->holders = 2;
	u->waits = true;
	call->face_data = u;
	call_set_sink(call, &u->sink);
	call_park(call, body_is_wanted);
	const struct lane_asker asker = {.id = login_attempt_address(call->peer)};
	lane_work(lane, asker, "Too many uploads wait for the region's writer. Try again later.", &u->work);
}
