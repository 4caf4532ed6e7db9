/* SPDX-License-Identifier: Apache-2.0
 * Where a JSON-RPC message ends. OVSDB's stream has no framing: a message ends where its brackets
 * balance. The scanner looks at every byte once, whatever pieces it arrives in, and bounds size
 * and depth before a parser sees the message. Pure; one stream, one owner. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum { FRAME_MAX_DEPTH = 32 };

struct frame {
	size_t size, max_size; /* bytes of the message so far; at most */
	unsigned depth;
	bool in_text, escaped;
};

enum frame_state {
	FRAME_MORE,  /* all bytes taken; the message goes on */
	FRAME_WHOLE, /* a message ended; the next one begins behind the bytes used */
	FRAME_BAD    /* not JSON-RPC, or over a limit: give the stream up */
};

/* Ready for the first byte of a stream. */
void frame_init(struct frame *f, size_t max_size);
/* Goes on with bytes. ret_used: how many belong to the message. White space between messages is
 * counted to the one that follows. */
enum frame_state frame_feed(struct frame *f, struct str bytes, size_t *ret_used);
