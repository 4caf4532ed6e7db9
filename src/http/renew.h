/* SPDX-License-Identifier: Apache-2.0
 * Another certificate for a listener that serves already. */
#pragma once

#include "http/server.h"

/* New connections use the certificate and key of `where` from now on; open ones go on under the one before. Any thread but
 * a pool's. ERR_INVALID: they cannot be used, and nothing has changed. */
RESULT http_renew(struct http_server *s, struct ctx *c, struct http_listener *l,
		  const struct http_where *where);
