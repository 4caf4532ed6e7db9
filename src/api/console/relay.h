/* SPDX-License-Identifier: Apache-2.0
 * The relay: one thread that carries every open console between its websocket and its host. A console takes
 * a line, of which there are so many in all and for each account; the line ends with its connection. */
#pragma once

#include "base/uuid.h"
#include "http/server.h"

struct relay;
struct relay_line;

struct relay_config {
	size_t line_max, per_account_max;
	int64_t idle_us; /* a console in which nothing is said so long is closed */
};

/* Starts the thread. ERR_NO_MEMORY, ERR_IO. */
RESULT relay_new(struct ctx *c, const struct relay_config *config, struct relay **ret_relay);
/* Closes every console, and from now on each that comes: before the HTTP server stops. */
void relay_stop(struct relay *r);
void relay_free(struct relay *r); /* after the HTTP server and the reconciler are freed; NULL: nothing */
DEFINE_AUTO(relay)

/* A line for a console of the account's, any thread. ERR_QUOTA: none is free. */
RESULT relay_take_line(struct relay *r, struct ctx *c, uuid account, struct relay_line **ret_line);
/* One that came to nothing. */
void relay_drop_line(struct relay_line *l);
/* Takes the descriptor of the console's stream. The tunnel is for call_upgrade(), which ends the line
 * whatever comes of it. */
struct http_tunnel *relay_connect(struct relay_line *l, int stream_fd, uuid instance);

/* Those taken now. Any thread. */
size_t relay_count_lines(struct relay *r);
