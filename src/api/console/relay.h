/* SPDX-License-Identifier: Apache-2.0
 * The relay: one thread that carries every open console between its websocket and its host. A
 * console takes a line; the number of lines is limited in all and for each account. A line ends
 * with its connection. */
#pragma once

#include "auth/token/ticket.h"
#include "base/uuid.h"
#include "http/server.h"

struct relay;
struct relay_line;

struct relay_config {
	struct tokens *tokens; /* tokens, store and guard must outlive the relay */
	struct store *store;
	struct later_guard *guard; /* engine/people/asker.h; NULL: roles alone decide */
	size_t line_max, per_account_max;
	int64_t idle_us; /* idle time after which a console is closed */
};

/* Starts the thread. ERR_NO_MEMORY, ERR_IO. */
RESULT relay_new(struct ctx *c, const struct relay_config *config, struct relay **ret_relay);
/* Closes all consoles, and refuses new ones from now on. Call it before the HTTP server stops. */
void relay_stop(struct relay *r);
void relay_free(struct relay *r); /* after the HTTP server and the reconciler are freed; NULL: nothing */
DEFINE_AUTO(relay)

/* Takes a line for a console of the account. Any thread. ERR_QUOTA: no line is free. */
RESULT relay_take_line(struct relay *r, struct ctx *c, uuid account, struct relay_line **ret_line);
/* Gives back a line that was not connected. */
void relay_drop_line(struct relay_line *l);
/* Connects a line; it owns the descriptor of the console's stream from now on. Give the tunnel to
 * call_upgrade(), which ends the line whatever happens. The console closes soon after the token that its
 * ticket was made with is revoked, its user or application credential loses access, a policy no longer allows
 * ec2:OpenInstanceConsole on the instance, or the instance leaves what the user sees; the token's own expiry
 * closes no console, as in Nova. */
struct http_tunnel *relay_connect(struct relay_line *l, int stream_fd, const struct ticket *ticket);

/* Number of lines in use. Any thread. */
size_t relay_count_lines(struct relay *r);
