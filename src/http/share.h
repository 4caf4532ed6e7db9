/* SPDX-License-Identifier: Apache-2.0
 * Shares of the server's connections. A connection counts for the caller whose requests it carries, once a face
 * has authenticated one. One caller has at most of_one connections, from however many addresses, and the last
 * `reserve` of connection_max are the administrators': there a request of nobody is answered, so that an
 * administrator can sign in, and its connection closes behind the answer. */
#pragma once

#include "base/ceiling.h"
#include "base/uuid.h"
#include "http/server.h"

/* Set before the first listener. ceiling.most is http_config.connection_max, whatever stands in it; of_one 0: no
 * limit. */
void http_share_connections(struct http_server *s, const struct ceiling *ceiling);

/* Counts the call's connection for its authenticated caller (an account, or a user without one). Call it on the
 * call's pool thread, at each call. False: the caller has its share, or the rest is the administrators'; the
 * face refuses the call, and the connection closes behind the answer. */
bool call_take_share(struct call *c, uuid who, bool is_administrator);
