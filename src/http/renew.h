/* SPDX-License-Identifier: Apache-2.0
 * Replaces the certificate of a listener in service. */
#pragma once

#include "http/server.h"

/* New connections use the certificate and key of `where`; open connections continue with the old one. Any
 * thread but a pool's. ERR_INVALID: they cannot be used, and nothing has changed. */
RESULT http_renew(struct http_server *s, struct ctx *c, struct http_listener *l,
		  const struct http_where *where);
