/* SPDX-License-Identifier: Apache-2.0
 * Addresses of an OVSDB server or of a cluster's servers, in the form of ovsdb(7)'s active connections:
 * unix:PATH, tcp:IP:PORT and ssl:IP:PORT, with IPv6 addresses in brackets. Several addresses, separated by commas,
 * name the servers of one cluster. Host names are refused: a resolver that hangs would delay each fail-over. Pure. */
#pragma once

#include <sys/socket.h>

#include "base/ctx.h"

enum { OVSDB_REMOTES_MAX = 9, OVSDB_REMOTE_TEXT_SIZE = 128 };

struct ovsdb_remote {
	struct sockaddr_storage address;
	socklen_t size; /* bytes used in address */
	bool is_tls;
	char text[OVSDB_REMOTE_TEXT_SIZE]; /* as given, for messages */
};

struct ovsdb_remotes {
	struct ovsdb_remote at[OVSDB_REMOTES_MAX];
	size_t count;
};

/* ERR_INVALID: empty, malformed, or more than OVSDB_REMOTES_MAX addresses. */
RESULT ovsdb_remotes_parse(struct ctx *c, struct str list, struct ovsdb_remotes *ret_remotes);
