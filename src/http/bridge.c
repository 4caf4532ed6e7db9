/* SPDX-License-Identifier: Apache-2.0
 * Connects a websocket with a byte stream. Each direction buffers a bounded amount and stops reading until
 * that is sent, so a slow side throttles the other and memory stays bounded:
 *
 *   web → stream   `out`: one message, plus the rest of libwslay's read buffer
 *   stream → web   libwslay's queue
 *
 * A silent web side is pinged: proxies in between drop idle connections, and a peer that has vanished is
 * noticed. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

#include "base/clock.h"
#include "base/heap.h"
#include "http/websocket.h"

enum {
	WSLAY_BUFFER_SIZE = 4096, /* libwslay's read size */
	OUT_SIZE = BRIDGE_MESSAGE_MAX + WSLAY_BUFFER_SIZE,
	PIECE_SIZE = 4096,
	DRAIN_PIECES = 16, /* pieces per call */
};
static const int64_t PING_AFTER_US = 20 * SECOND, SILENT_MAX_US = 60 * SECOND, GOODBYE_US = 5 * SECOND;

struct bridge {
	wslay_event_context_ptr ws;
	int web_fd, stream_fd;
	int64_t idle_us;
	int64_t heard_us;   /* time of the last bytes from the web */
	int64_t pinged_us;  /* 0: not since then */
	int64_t used_us;    /* time of the last payload in either direction */
	int64_t goodbye_us; /* when closing began; 0: not closing */
	bool has_ended;     /* the stream has ended; its last data may still be queued */
	bool is_draining;   /* our close frame was sent; input is discarded */
	bool is_broken;     /* the web side is unusable; no close handshake */
	char *early;
	size_t early_from, early_size;
	size_t out_from, out_size;
	char out[OUT_SIZE];
};

/* ---- libwslay's callbacks ---- */

static ssize_t take_early(struct bridge *b, uint8_t *buf, size_t size)
{
	size_t left = b->early_size - b->early_from, n = size < left ? size : left;
	memcpy(buf, b->early + b->early_from, n);
	b->early_from += n;
	return (ssize_t) n;
}

static bool may_read_web(const struct bridge *b)
{
	return b->out_size == b->out_from && wslay_event_get_queued_msg_count(b->ws) < BRIDGE_FRAMES_MAX &&
	       wslay_event_want_read(b->ws);
}

static ssize_t web_receive(wslay_event_context_ptr ws, uint8_t *buf, size_t size, int flags, void *arg)
{
	(void) flags;
	struct bridge *b = arg;
	if (!may_read_web(b)) {
		wslay_event_set_error(ws, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	ssize_t n = b->early_from < b->early_size ? take_early(b, buf, size) : recv(b->web_fd, buf, size, 0);
	if (n > 0) {
		b->heard_us = clock_monotonic_us();
		b->pinged_us = 0;
		return n;
	}
	bool is_empty = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
	b->is_broken = b->is_broken || !is_empty;
	wslay_event_set_error(ws, is_empty ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static ssize_t web_send(wslay_event_context_ptr ws, const uint8_t *data, size_t size, int flags, void *arg)
{
	(void) flags;
	struct bridge *b = arg;
	ssize_t n = send(b->web_fd, data, size, MSG_NOSIGNAL);
	if (n >= 0)
		return n;
	bool is_full = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
	b->is_broken = b->is_broken || !is_full;
	wslay_event_set_error(ws, is_full ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

/* A complete message; text and binary are treated alike. */
static void web_said(wslay_event_context_ptr ws, const struct wslay_event_on_msg_recv_arg *said, void *arg)
{
	(void) ws;
	struct bridge *b = arg;
	if (wslay_is_ctrl_frame(said->opcode) || said->msg_length == 0)
		return;
	if (said->msg_length > OUT_SIZE - b->out_size) { /* prevented by may_read_web() */
		b->is_broken = true;
		return;
	}
	memcpy(b->out + b->out_size, said->msg, said->msg_length);
	b->out_size += said->msg_length;
	b->used_us = clock_monotonic_us();
}

/* ---- life ---- */

static const struct wslay_event_callbacks callbacks = {
	.recv_callback = web_receive, .send_callback = web_send, .on_msg_recv_callback = web_said};

static bool set_up(struct bridge *b, const struct bridge_config *config)
{
	if (wslay_event_context_server_init(&b->ws, &callbacks, b) != 0)
		return false;
	wslay_event_config_set_max_recv_msg_length(b->ws, BRIDGE_MESSAGE_MAX);
	if (!config->early.n)
		return true;
	b->early = heap_alloc(config->early.n);
	if (!b->early)
		return false;
	memcpy(b->early, config->early.p, config->early.n);
	b->early_size = config->early.n;
	return true;
}

struct bridge *bridge_new(const struct bridge_config *config)
{
	struct bridge *b = heap_new(struct bridge);
	if (!b)
		return NULL;
	b->web_fd = config->web_fd;
	b->stream_fd = config->stream_fd;
	b->idle_us = config->idle_us;
	b->heard_us = b->used_us = clock_monotonic_us();
	if (!set_up(b, config)) {
		bridge_free(b);
		return NULL;
	}
	(void) fcntl(b->web_fd, F_SETFL, fcntl(b->web_fd, F_GETFL) | O_NONBLOCK);
	(void) fcntl(b->stream_fd, F_SETFL, fcntl(b->stream_fd, F_GETFL) | O_NONBLOCK);
	return b;
}

void bridge_free(struct bridge *b)
{
	if (!b)
		return;
	if (b->ws)
		wslay_event_context_free(b->ws);
	heap_free(b->early);
	heap_free(b);
}

/* ---- carrying ---- */

static void say_goodbye(struct bridge *b, uint16_t code, const char *why)
{
	if (b->goodbye_us)
		return;
	b->goodbye_us = clock_monotonic_us();
	if (wslay_event_queue_close(b->ws, code, (const uint8_t *) why, strlen(why)) != 0)
		b->is_broken = true;
}

static void flush_out(struct bridge *b)
{
	while (b->out_from < b->out_size && !b->has_ended && !b->goodbye_us) {
		ssize_t n = send(b->stream_fd, b->out + b->out_from, b->out_size - b->out_from, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return;
		if (n < 0) {
			b->has_ended = true;
			break;
		}
		b->out_from += (size_t) n;
	}
	b->out_from = b->out_size = 0; /* sent, or the receiver is gone */
}

static bool may_read_stream(const struct bridge *b)
{
	return !b->has_ended && !b->goodbye_us &&
	       wslay_event_get_queued_msg_length(b->ws) < BRIDGE_QUEUE_MAX &&
	       wslay_event_get_write_enabled(b->ws);
}

static void read_stream(struct bridge *b)
{
	uint8_t piece[PIECE_SIZE];
	while (may_read_stream(b)) {
		ssize_t n = recv(b->stream_fd, piece, sizeof piece, 0);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return;
		if (n <= 0) {
			b->has_ended = true;
			return;
		}
		const struct wslay_event_msg msg = {WSLAY_BINARY_FRAME, piece, (size_t) n};
		if (wslay_event_queue_msg(b->ws, &msg) != 0) {
			b->is_broken = true;
			return;
		}
		b->used_us = clock_monotonic_us();
	}
}

static void keep_time(struct bridge *b)
{
	int64_t now_us = clock_monotonic_us();
	const struct wslay_event_msg ping = {WSLAY_PING, NULL, 0};
	if (!may_read_web(b))
		b->heard_us = now_us; /* cannot be called silent while we do not read */
	if (now_us - b->heard_us >= SILENT_MAX_US || (b->goodbye_us && now_us - b->goodbye_us >= GOODBYE_US))
		b->is_broken = true;
	else if (now_us - b->used_us >= b->idle_us)
		say_goodbye(b, WSLAY_CODE_GOING_AWAY, "nothing was said for too long");
	else if (!b->pinged_us && now_us - b->heard_us >= PING_AFTER_US && !b->goodbye_us) {
		b->pinged_us = now_us;
		b->is_broken = b->is_broken || wslay_event_queue_msg(b->ws, &ping) != 0;
	}
}

static void send_web(struct bridge *b)
{
	if (wslay_event_want_write(b->ws) && wslay_event_send(b->ws) != 0)
		b->is_broken = true;
}

/* Receives frames from the web and sends queued ones. */
static void serve_web(struct bridge *b)
{
	if (wslay_event_want_read(b->ws) && wslay_event_recv(b->ws) != 0)
		b->is_broken = true;
	if (wslay_event_get_close_received(b->ws) && !b->goodbye_us)
		b->goodbye_us = clock_monotonic_us(); /* libwslay has queued the reply */
	send_web(b);
	/* only after all data was sent, because a close frame overtakes queued data */
	if (b->has_ended && !wslay_event_want_write(b->ws) && !b->goodbye_us) {
		say_goodbye(b, WSLAY_CODE_NORMAL_CLOSURE, "the console has ended");
		send_web(b);
	}
}

/* After both close frames: discards further input, because closing a socket with unread input resets the
 * connection before the peer has read the close frame. False: nothing more can come; after its close frame
 * the web must send nothing (RFC 6455, 5.5.1). */
static bool drain_web(struct bridge *b)
{
	char piece[PIECE_SIZE];
	ssize_t n = 1;
	if (!b->is_draining)
		(void) shutdown(b->web_fd, SHUT_WR);
	b->is_draining = true;
	if (!b->goodbye_us)
		b->goodbye_us = clock_monotonic_us();
	for (int k = 0; k < DRAIN_PIECES && n > 0; k++)
		n = recv(b->web_fd, piece, sizeof piece, 0);
	bool is_empty = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
	return n > 0 || (is_empty && !wslay_event_get_close_received(b->ws));
}

bool bridge_work(struct bridge *b)
{
	if (!b->is_draining) {
		flush_out(b);
		read_stream(b);
		serve_web(b);
		flush_out(b);
	}
	keep_time(b);
	if (!b->is_broken && !wslay_event_want_read(b->ws) && !wslay_event_want_write(b->ws))
		return drain_web(b);
	return !b->is_broken;
}

void bridge_end(struct bridge *b, const char *why)
{
	say_goodbye(b, WSLAY_CODE_GOING_AWAY, why);
	if (wslay_event_want_write(b->ws))
		(void) wslay_event_send(b->ws);
}

/* ---- waiting ---- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t bridge_prepare(const struct bridge *b, struct pollfd ret_fds[static BRIDGE_FDS])
{
	int web = (may_read_web(b) || b->is_draining ? POLLIN : 0) |
		  (wslay_event_want_write(b->ws) ? POLLOUT : 0);
	int stream = (may_read_stream(b) ? POLLIN : 0) | (b->out_from < b->out_size ? POLLOUT : 0);
	/* omits descriptors without wanted events, since poll would report their hang-up over and over */
	ret_fds[0] = (struct pollfd){.fd = web ? b->web_fd : -1, .events = (short) web};
	ret_fds[1] = (struct pollfd){.fd = stream ? b->stream_fd : -1, .events = (short) stream};
	if (b->early_from < b->early_size && may_read_web(b))
		return 0;
	int64_t until_us = earlier(b->heard_us + SILENT_MAX_US, b->used_us + b->idle_us);
	if (b->goodbye_us)
		return earlier(until_us, b->goodbye_us + GOODBYE_US);
	return b->pinged_us ? until_us : earlier(until_us, b->heard_us + PING_AFTER_US);
}
