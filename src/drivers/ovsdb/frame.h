/* SPDX-License-Identifier: Apache-2.0
 * Finds the end of a JSON-RPC message. OVSDB's stream has no framing: a message ends where its brackets
 * balance. The scanner looks at every byte once, in pieces of any size, and limits size and depth before a
 * parser sees the message. Pure; one stream, one owner. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum { FRAME_MAX_DEPTH = 32 };

struct frame {
	size_t size, max_size; /* bytes of the message so far; limit */
	unsigned depth;
	bool in_text, escaped;
};

enum frame_state {
	FRAME_MORE,  /* all bytes consumed; the message continues */
	FRAME_WHOLE, /* a message is complete; the next one begins behind the bytes used */
	FRAME_BAD    /* not JSON-RPC, or over a limit: close the stream */
};

/* Initialises for the first byte of a stream. */
void frame_init(struct frame *f, size_t max_size);
/* Consumes bytes. *ret_used: number of bytes that belong to the message. White space between messages counts
 * for the following one. */
enum frame_state frame_feed(struct frame *f, struct str bytes, size_t *ret_used);
