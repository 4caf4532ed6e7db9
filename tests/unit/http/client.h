/* SPDX-License-Identifier: Apache-2.0
 * A raw HTTP client for tests: sends exactly the bytes it is given, on a blocking socket with a
 * timeout of a few seconds, and reads one answer after the other. One thread. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

struct client {
	int fd;
	struct arena *arena;
	struct str left; /* read, but beyond the last answer */
};

struct reply {
	int status; /* 0: the connection ended before an answer */
	struct str head, body;
};

void client_open(struct client *c, struct arena *a, uint16_t port);
void client_close(struct client *c);
bool client_send(struct client *c, struct str bytes); /* false: the other side has closed */
struct reply client_read(struct client *c);
struct reply client_read_headless(struct client *c); /* for HEAD: no body follows */
bool client_is_closed(struct client *c);             /* waits for the end of the stream; false on a timeout */
struct str reply_header(const struct reply *r, const char *name);
/* Opens, sends, reads one answer, closes. */
struct reply client_ask(struct arena *a, uint16_t port, struct str request);
