/* SPDX-License-Identifier: Apache-2.0
 * Cookies of a request. */
#pragma once

#include "http/server.h"

/* The value of the request's cookie of that name; empty: there is none. */
struct str cookie_find(const struct call *call, const char *name);

/* The cookie with a console session's token (auth/token/token.h). The prefix __Host- binds it to this host and to TLS; plain HTTP is possible
 * on loopback only. */
static inline const char *cookie_of_session(const struct call *call)
{
	return call->is_tls ? "__Host-dari" : "dari";
}
