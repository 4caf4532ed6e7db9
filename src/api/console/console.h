/* SPDX-License-Identifier: Apache-2.0
 * Consoles of guests in a browser, on the API's port under /console/: noVNC's page for displays, a
 * page of ours for serial ports, and the websocket that both open. Another face issues a ticket (auth/token/ticket.h), which names
 * the user and the console. Permission is checked again when the ticket is used. */
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
	struct limits *limits; /* rate limits of unauthenticated callers; NULL: no limit */
	struct reconciler *reconciler;
	struct relay *relay;
	struct str novnc_directory; /* noVNC's pages, as in Debian's package; copied */
};

/* ERR_NO_MEMORY. The objects in config must outlive the face. */
RESULT console_new(struct ctx *c, const struct console_config *config, struct console_face **ret_face);
void console_free(struct console_face *face); /* NULL: nothing */

/* True if the path belongs to the consoles; other faces share the listener. */
bool console_has_path(struct str path);
/* Answers a call with a path of the consoles. */
void console_handle(struct console_face *face, struct call *call);
