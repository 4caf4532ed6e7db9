/* SPDX-License-Identifier: Apache-2.0
 * State of one server of a clustered database, as its table Database of _Server tells (ovsdb-server(7)). The client
 * uses the leader alone: a server that is cut off from the others still answers reads, with old rows. Pure. */
#pragma once

#include <jansson.h>

#include "base/result.h"

enum { OVSDB_CID_SIZE = 37 };

struct ovsdb_server {
	bool is_known, is_clustered, is_connected, is_leader;
	char cid[OVSDB_CID_SIZE]; /* the cluster's id; "": none yet */
	json_int_t index;         /* newest entry of the server's log */
};

/* Previous knowledge about the cluster, which outlives a connection. */
struct ovsdb_cluster {
	char cid[OVSDB_CID_SIZE]; /* "": no connection so far */
	json_int_t index;         /* highest seen */
};

/* Returns the parameters of monitor_cond for the row of `database`. The caller owns it; NULL: out of memory. */
json_t *ovsdb_server_monitor(const char *database, const char *monitor_id);
/* Applies <table-updates2>. */
void ovsdb_server_update(struct ovsdb_server *server, const json_t *tables);
/* Reason why this server may not be used now; NULL: it may, and `cluster` remembers it. */
const char *ovsdb_server_check(const struct ovsdb_server *server, struct ovsdb_cluster *cluster);
