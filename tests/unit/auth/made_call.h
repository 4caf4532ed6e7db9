/* SPDX-License-Identifier: Apache-2.0
 * Calls made from the text of a request, without a server or a socket. */
#pragma once

#include "http/internal.h"

struct made_call {
	struct call call;
	struct call_private p;
	struct header headers[32];
};

/* text: "GET /path?query HTTP/1.1\r\nName: value\r\n\r\nbody". Borrowed; the arena is reset. */
void made_call_init(struct made_call *m, struct arena *arena, struct str text);
