/* SPDX-License-Identifier: Apache-2.0
 * Websockets (RFC 6455), the server's side: the handshake, and a bridge that joins one to a stream of bytes
 * (a console), so that what one side says the other hears. Frames are libwslay's business. A bridge blocks
 * nowhere and has no thread: whoever owns it polls its two descriptors and calls bridge_work(). */
#pragma once

#include <poll.h>

#include "http/server.h"

/* Whether the call asks for a websocket at all. */
bool websocket_is_asked(const struct call *c);
/* Checks the handshake and sets the answer's headers, of the protocols offered "binary": call_upgrade(c,
 * "websocket", …) is to follow. ERR_INVALID in words. */
RESULT websocket_accept(struct call *c);

enum {
	BRIDGE_MESSAGE_MAX = 64 * 1024, /* bytes; a longer message ends the bridge */
	BRIDGE_QUEUE_MAX = 64 * 1024,   /* on their way to the web; the stream is not read beyond that */
	/* Pings and answers to pings on their way, above which the web is not read. */
	BRIDGE_FRAMES_MAX = 64,
};

struct bridge;

struct bridge_config {
	int web_fd, stream_fd; /* stream sockets, made non-blocking here; they stay the caller's */
	struct str early;      /* what the web had sent already */
	int64_t idle_us;       /* without a byte either way so long, it ends */
};
/* Times are of clock_monotonic_us(). NULL: out of memory. */
struct bridge *bridge_new(const struct bridge_config *config);
void bridge_free(struct bridge *b);
DEFINE_AUTO(bridge)

/* What to wait for, the web first; and until when at the latest (clock_monotonic_us()). */
enum { BRIDGE_FDS = 2 };
int64_t bridge_prepare(const struct bridge *b, struct pollfd ret_fds[static BRIDGE_FDS]);
/* Carries what can be carried without waiting. False: it has ended, and is to be freed. */
bool bridge_work(struct bridge *b);
/* Says goodbye (1001, "going away") as far as that goes without waiting; to be freed next. */
void bridge_end(struct bridge *b, const char *why);
