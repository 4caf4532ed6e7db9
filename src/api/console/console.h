/* SPDX-License-Identifier: Apache-2.0
 * Consoles of guests in a browser, on the API's port under /console/: noVNC's page for displays, a
 * page of ours for serial ports, and the websocket that both open. A face hands out a ticket
 * (auth/token/ticket.h), which says who may open which console. Whether they still may is decided when
 * they open it. */
#pragma once

#include "http/server.h"
#include "reconcile/reconcile.h"
#include "store/store.h"

struct guards;
struct limits;
struct relay;
struct tickets;
struct console_face;

struct console_config {
	struct store *store;
	struct tickets *tickets;
	struct guards *guards; /* NULL: roles alone decide */
	struct limits *limits; /* how often strangers may try; NULL: without limit */
	struct reconciler *reconciler;
	struct relay *relay;
	struct str novnc_directory; /* noVNC's pages, as in Debian's package; copied */
};

/* ERR_NO_MEMORY. What the config points at must live as long as the face. */
RESULT console_new(struct ctx *c, const struct console_config *config, struct console_face **ret_face);
void console_free(struct console_face *face); /* NULL: nothing */

/* Whether a path is one of these, because the listener is shared with other faces. */
bool console_has_path(struct str path);
/* Answers a call with such a path. */
void console_handle(struct console_face *face, struct call *call);
