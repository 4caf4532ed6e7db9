/* SPDX-License-Identifier: Apache-2.0
 * Reads the state of a clustered database's server (ovsdb_cluster.h). */
#include "drivers/ovsdb/ovsdb_cluster.h"

#include <stdio.h>
#include <string.h>

json_t *ovsdb_server_monitor(const char *database, const char *monitor_id)
{
	return json_pack("[s,s,{s:[{s:[s,s,s,s,s],s:[[s,s,s]]}]}]", "_Server", monitor_id, "Database",
			 "columns", "model", "connected", "leader", "cid", "index", "where", "name",
			 "==", database);
}

/* An optional column without a value is ["set", []]; an update then leaves what was known. */
static void take_row(struct ovsdb_server *server, const json_t *row)
{
	const json_t *model = json_object_get(row, "model"), *connected = json_object_get(row, "connected"),
		     *leader = json_object_get(row, "leader"), *cid = json_object_get(row, "cid"),
		     *index = json_object_get(row, "index");
	server->is_known = true;
	if (json_is_string(model))
		server->is_clustered = strcmp(json_string_value(model), "clustered") == 0;
	if (json_is_boolean(connected))
		server->is_connected = json_is_true(connected);
	if (json_is_boolean(leader))
		server->is_leader = json_is_true(leader);
	if (json_is_string(json_array_get(cid, 1)))
		(void) snprintf(server->cid, sizeof server->cid, "%s",
				json_string_value(json_array_get(cid, 1)));
	if (json_is_integer(index))
		server->index = json_integer_value(index);
}

void ovsdb_server_update(struct ovsdb_server *server, const json_t *tables)
{
	static const char *const kinds[] = {"initial", "insert", "modify"};
	const char *id;
	json_t *update;
	json_object_foreach (json_object_get(tables, "Database"), id, update) {
		for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
			if (json_object_get(update, kinds[k]))
				take_row(server, json_object_get(update, kinds[k]));
		if (json_object_get(update, "delete"))
			*server = (struct ovsdb_server){0};
	}
}

const char *ovsdb_server_check(const struct ovsdb_server *server, struct ovsdb_cluster *cluster)
{
	if (!server->is_known)
		return "the server does not have the database";
	if (!server->is_clustered)
		return "the database there is not clustered, although several addresses are configured";
	if (!server->is_connected)
		return "the server is cut off from the others of its cluster";
	if (cluster->cid[0] && server->cid[0] && strcmp(cluster->cid, server->cid) != 0)
		return "the server belongs to another cluster than before (restart dari if the cluster was "
		       "made anew)";
	if (!server->is_leader)
		return "the server is not the leader of its cluster";
	if (server->index < cluster->index)
		return "the server is behind what the cluster had before";
	if (server->cid[0])
		(void) snprintf(cluster->cid, sizeof cluster->cid, "%s", server->cid);
	cluster->index = server->index;
	return NULL;
}
