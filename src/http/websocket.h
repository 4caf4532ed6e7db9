/* SPDX-License-Identifier: Apache-2.0
 * The server side of websockets (RFC 6455): the handshake, and a bridge between a websocket and a byte stream
 * (a console). libwslay reads and writes the frames. A bridge never blocks and has no thread: its owner polls
 * its two descriptors and calls bridge_work(). */
#pragma once

#include <poll.h>

#include "http/server.h"

/* True if the call requests a websocket. */
bool websocket_is_asked(const struct call *c);
/* Checks the handshake and sets the answer's headers; accepts the protocol "binary" if protocols are offered.
 * call_upgrade(c, "websocket", …) must follow. ERR_INVALID, with a message. */
RESULT websocket_accept(struct call *c);

enum {
	BRIDGE_MESSAGE_MAX = 64 * 1024, /* bytes; a longer message ends the bridge */
	BRIDGE_QUEUE_MAX = 64 * 1024,   /* bytes queued for the web; above it the stream is not read */
	/* Queued frames, which include pings and their answers; above it the web is not read. */
	BRIDGE_FRAMES_MAX = 64,
};

struct bridge;

struct bridge_config {
	int web_fd, stream_fd; /* stream sockets, made non-blocking here; owned by the caller */
	struct str early;      /* bytes that the web has sent already */
	int64_t idle_us;       /* the bridge ends after this time without payload in either direction */
};
/* NULL: out of memory. Times are on the scale of clock_monotonic_us(). */
struct bridge *bridge_new(const struct bridge_config *config);
void bridge_free(struct bridge *b);
DEFINE_AUTO(bridge)

/* Fills in the descriptors to wait for, the web's first, and returns the deadline for waiting
 * (clock_monotonic_us()). */
enum { BRIDGE_FDS = 2 };
int64_t bridge_prepare(const struct bridge *b, struct pollfd ret_fds[static BRIDGE_FDS]);
/* Transfers what is possible without blocking. False: the bridge has ended; free it. */
bool bridge_work(struct bridge *b);
/* Sends a close frame (1001, "going away") if possible without blocking. Free the bridge next. */
void bridge_end(struct bridge *b, const char *why);
