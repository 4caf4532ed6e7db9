/* SPDX-License-Identifier: Apache-2.0
 * The server's side of websockets (RFC 6455): the handshake, and a bridge that connects a websocket
 * with a stream of bytes (a console), so that each side hears what the other says. libwslay reads
 * and writes the frames. A bridge never blocks and has no thread: its owner polls its two
 * descriptors and calls bridge_work(). */
#pragma once

#include <poll.h>

#include "http/server.h"

/* Whether the call asks for a websocket. */
bool websocket_is_asked(const struct call *c);
/* Checks the handshake and sets the answer's headers; of the protocols offered it takes "binary".
 * call_upgrade(c, "websocket", …) must follow. ERR_INVALID, in words. */
RESULT websocket_accept(struct call *c);

enum {
	BRIDGE_MESSAGE_MAX = 64 * 1024, /* bytes; a longer message ends the bridge */
	BRIDGE_QUEUE_MAX = 64 * 1024,   /* bytes on their way to the web; with more, the stream is not read */
	/* Pings and answers to pings on their way; with more, the web is not read. */
	BRIDGE_FRAMES_MAX = 64,
};

struct bridge;

struct bridge_config {
	int web_fd, stream_fd; /* stream sockets, made non-blocking here; they stay the caller's */
	struct str early;      /* what the web has sent already */
	int64_t idle_us;       /* the bridge ends after so long without a byte either way */
};
/* NULL: out of memory. Times are on the scale of clock_monotonic_us(). */
struct bridge *bridge_new(const struct bridge_config *config);
void bridge_free(struct bridge *b);
DEFINE_AUTO(bridge)

/* Fills in what to wait for, the web first, and returns until when at the latest
 * (clock_monotonic_us()). */
enum { BRIDGE_FDS = 2 };
int64_t bridge_prepare(const struct bridge *b, struct pollfd ret_fds[static BRIDGE_FDS]);
/* Carries what can be carried without waiting. False: the bridge has ended; free it. */
bool bridge_work(struct bridge *b);
/* Says goodbye (1001, "going away") as far as that is possible without waiting. Free the bridge
 * next. */
void bridge_end(struct bridge *b, const char *why);
