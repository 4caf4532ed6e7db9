/* SPDX-License-Identifier: Apache-2.0
 * Streams. libmicrohttpd asks for the next bytes; if there are none, the connection is suspended with the
 * stream's lock held, and a writer resumes it under the same lock. So no wake-up is lost, and none reaches a
 * connection that is gone: libmicrohttpd releases the response before it forgets the connection.
 *
 * Lock order: libmicrohttpd's lock of the response (held while it reads), the stream's, libmicrohttpd's
 * own. */
#include "http/stream.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/heap.h"
#include "http/internal.h"

/* AT_ONCE: bytes given to libmicrohttpd per read, since it keeps its largest buffer for the connection's
 * life. BLOCK: the same for a client of HTTP/1.0, which gets no chunks; allocated beside the connection's
 * memory. */
enum {
	STREAM_AT_ONCE = 4 * 1024,
	STREAM_BLOCK = 512,
	STREAM_KEPT = 4 * 1024,
	STREAM_SIZED_BLOCK = 64 * 1024
};

struct http_stream {
	pthread_mutex_t lock;           /* guards the members below, except references */
	struct http_stream_owner owner; /* under the lock; http_stream_free() empties it */
	struct conn *conn;
	char *at; /* unsent bytes: `size` of them from offset `from` */
	size_t from, size, capacity, cap_size;
	size_t at_once; /* constant */
	bool is_suspended, is_ended, is_gone, has_given_back;
	_Atomic int references; /* one of the response, one of the owner */
};

static void stream_release(struct http_stream *s)
{
	if (--s->references > 0)
		return;
	heap_free(s->at);
	(void) pthread_mutex_destroy(&s->lock);
	heap_free(s);
}

/* With the lock held. */
static void resume(struct http_stream *s)
{
	if (!s->is_suspended || s->is_gone)
		return;
	s->is_suspended = false;
	worker_resume(s->conn);
}

/* ---- libmicrohttpd's side ---- */

/* With the lock held. Frees a large buffer left from a burst. */
static void forget_sent(struct http_stream *s)
{
	s->from = 0;
	if (s->capacity <= STREAM_KEPT)
		return;
	heap_free(s->at);
	s->at = NULL;
	s->capacity = 0;
}

/* Returns the pages of an unused buffer to the system; they read as zeros afterwards. libmicrohttpd reads a
 * request into half of a connection's memory and clears the unused rest, which commits all of that half; a
 * stream would hold it for hours. */
static void give_back(char *room, size_t size)
{
	size_t page = (size_t) sysconf(_SC_PAGESIZE), before = (page - (uintptr_t) room % page) % page;
	if (size >= before + page)
		(void) madvise(room + before, (size - before) / page * page, MADV_DONTNEED);
}

static ssize_t stream_read(void *arg, uint64_t position, char *to, size_t room)
{
	struct http_stream *s = arg;
	ssize_t taken = 0;
	(void) position;
	(void) pthread_mutex_lock(&s->lock);
	if (s->size) {
		size_t most = room < s->at_once ? room : s->at_once;
		size_t n = s->size < most ? s->size : most;
		memcpy(to, s->at + s->from, n);
		s->from += n;
		s->size -= n;
		taken = (ssize_t) n;
		if (!s->size) {
			forget_sent(s);
			if (s->owner.drained)
				s->owner.drained(s->owner.arg);
		}
	} else if (s->is_ended) {
		taken = MHD_CONTENT_READER_END_OF_STREAM;
	} else {
		if (!s->has_given_back)
			give_back(to, room);
		s->has_given_back = true;
		s->is_suspended = true;
		MHD_suspend_connection(s->conn->mhd);
	}
	(void) pthread_mutex_unlock(&s->lock);
	return taken;
}

static void stream_done(void *arg)
{
	struct http_stream *s = arg;
	(void) pthread_mutex_lock(&s->lock);
	s->is_gone = true;
	s->size = 0;
	if (s->owner.gone)
		s->owner.gone(s->owner.arg);
	(void) pthread_mutex_unlock(&s->lock);
	stream_release(s);
}

static struct http_stream *answer(struct call *c, int status, const char *content_type, uint64_t size,
				  size_t block, size_t cap_size, const struct http_stream_owner *owner)
{
	struct http_stream *s = c->p->is_inside || c->p->lacks_header ? NULL : heap_new(struct http_stream);
	if (!s)
		return NULL;
	*s = (struct http_stream){.owner = *owner,
				  .conn = c->p->conn,
				  .cap_size = cap_size,
				  .at_once = block > STREAM_AT_ONCE ? block : STREAM_AT_ONCE,
				  .references = 2};
	(void) pthread_mutex_init(&s->lock, NULL);
	c->p->is_stream = true;
	if (answer_stream(c, status, content_type, size, block, stream_read, stream_done, s))
		return s;
	s->references = 1;
	stream_release(s);
	return NULL;
}

struct http_stream *call_answer_stream(struct call *c, const char *content_type, size_t cap_size,
				       const struct http_stream_owner *owner)
{
	return answer(c, 200, content_type, MHD_SIZE_UNKNOWN, STREAM_BLOCK, cap_size, owner);
}

struct http_stream *call_answer_sized_stream(struct call *c, int status, const char *content_type,
					     uint64_t size, size_t cap_size,
					     const struct http_stream_owner *owner)
{
	return answer(c, status, content_type, size, STREAM_SIZED_BLOCK, cap_size, owner);
}

/* ---- the owner's side ---- */

/* With the lock held. */
static bool make_room(struct http_stream *s, size_t more)
{
	size_t needed = s->size + more, capacity = s->capacity ? s->capacity : 1024;
	if (needed > s->cap_size)
		return false;
	if (s->from + needed <= s->capacity)
		return true;
	while (capacity < needed)
		capacity *= 2;
	char *at = heap_alloc(capacity);
	if (!at)
		return false;
	if (s->size)
		memcpy(at, s->at + s->from, s->size);
	heap_free(s->at);
	s->at = at;
	s->capacity = capacity;
	s->from = 0;
	return true;
}

bool http_stream_write(struct http_stream *s, struct str piece)
{
	(void) pthread_mutex_lock(&s->lock);
	bool may = !s->is_gone && !s->is_ended && make_room(s, piece.n);
	if (may) {
		memcpy(s->at + s->from + s->size, piece.p, piece.n);
		s->size += piece.n;
		resume(s);
	}
	(void) pthread_mutex_unlock(&s->lock);
	return may;
}

size_t http_stream_unsent(struct http_stream *s)
{
	(void) pthread_mutex_lock(&s->lock);
	size_t size = s->size;
	(void) pthread_mutex_unlock(&s->lock);
	return size;
}

bool http_stream_is_gone(struct http_stream *s)
{
	(void) pthread_mutex_lock(&s->lock);
	bool is_gone = s->is_gone;
	(void) pthread_mutex_unlock(&s->lock);
	return is_gone;
}

void http_stream_end(struct http_stream *s)
{
	(void) pthread_mutex_lock(&s->lock);
	s->is_ended = true;
	resume(s);
	(void) pthread_mutex_unlock(&s->lock);
}

void http_stream_cut(struct http_stream *s)
{
	(void) pthread_mutex_lock(&s->lock);
	s->is_ended = true;
	s->size = 0;
	if (!s->is_gone)
		(void) shutdown(s->conn->fd, SHUT_RDWR);
	resume(s);
	(void) pthread_mutex_unlock(&s->lock);
}

void http_stream_free(struct http_stream *s)
{
	(void) pthread_mutex_lock(&s->lock);
	s->owner = (struct http_stream_owner){0};
	s->is_ended = true;
	resume(s);
	(void) pthread_mutex_unlock(&s->lock);
	stream_release(s);
}
