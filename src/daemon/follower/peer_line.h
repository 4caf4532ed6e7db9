/* SPDX-License-Identifier: Apache-2.0
 * Consoles through a follower. A line is a connection of a follower to the writer: the follower sends the client's
 * request for a websocket (RFC 6455) there, and after the answer 101 carries the bytes of both sides unread. One thread
 * carries all lines (http/tunnel_list.h). The writer checks tickets and counts the consoles of an account. */
#pragma once

#include "daemon/follower/peer.h"

struct tunnel_list;
struct peer_line;

/* Starts the thread. ERR_NO_MEMORY, ERR_IO. */
RESULT peer_lines_new(struct ctx *c, struct tunnel_list **ret_lines);

/* Sends the call's head to the writer, and waits for the head of the answer. With status 101 there is a line; with
 * another status *ret_line is NULL, and peer has the answer, as after peer_ask(). ERR_QUOTA: too many lines. */
RESULT peer_line_dial(struct tunnel_list *lines, struct ctx *c, struct peer_call *peer,
		      struct peer_line **ret_line);
/* The tunnel for call_upgrade(), which ends the line whatever happens. */
struct http_tunnel *peer_line_get_tunnel(struct peer_line *l);
