/* SPDX-License-Identifier: Apache-2.0
 * Metadata of a server, which are its tags with a value and visible in EC2; and updates of the server
 * itself. Source: Compute API reference, "Server metadata", "Update server". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "engine/instance/instance.h"
#include "engine/tag.h"
#include "model/instance.h"

#define SERVER(T, member) OS_PATH(T, "server_id", member, .kind = KIND_INSTANCE, .doc = "The server.")

/* ---- the whole ---- */

struct os_metadata {
	struct tags_wish wish;
	struct ref server;
	struct str key;
	struct str members;
	struct tag_removal removal;
};
#define ALL_OF SERVER(struct os_metadata, server)
static const struct param server_params[] = {ALL_OF};
static const struct param put_params[] = {
	ALL_OF,
	OS_BODY(struct os_metadata, "metadata", wish.tags, .flags = REQUIRED, .doc = "Metadata by key."),
};
static const struct param key_params[] = {
	ALL_OF,
	OS_PATH(struct os_metadata, "key", key, .doc = "Key of the metadata item."),
};
static const struct param meta_params[] = {
	ALL_OF,
	OS_PATH(struct os_metadata, "key", key, .doc = "Key of the metadata item."),
	OS_BODY(struct os_metadata, "meta", wish.tags, .flags = REQUIRED, .min = 1, .max = 1,
		.doc = "Metadata item, of the key in the path."),
};

static RESULT prepare(struct os_call *e, void *args)
{
	struct os_metadata *a = args;
	const struct instance *instance = NULL;
	a->wish.resources = (struct refs){&a->server, 1};
	a->wish.part = TAGS_WITH_VALUE;
	TRY(os_check_metadata_keys(e, a->wish.tags, "metadata"));
	return os_find_live_server(e, &a->server, &instance);
}

static RESULT prepare_meta(struct os_call *e, void *args)
{
	struct os_metadata *a = args;
	if (a->wish.tags.count != 1 || !str_equal(a->wish.tags.at[0].key, a->key))
		return ctx_fail_field(e->c, ERR_INVALID, STR("meta"), "Request body and URI mismatch");
	return prepare(e, args);
}

static RESULT prepare_delete(struct os_call *e, void *args)
{
	struct os_metadata *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_live_server(e, &a->server, &instance));
	if (!tags_find(instance->tags, a->key))
		return ctx_fail(e->c, ERR_NOT_FOUND, "Metadata item was not found");
	a->removal = (struct tag_removal){.key = a->key};
	a->wish.removals = &a->removal;
	a->wish.removal_count = 1;
	return prepare(e, args);
}

static RESULT show_all(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_metadata *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_live_server(e, &a->server, &instance));
	os_write_metadata(w, "metadata", instance->tags);
	return OK;
}

static RESULT show_one(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_metadata *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_live_server(e, &a->server, &instance));
	const struct tag *tag = tags_find(instance->tags, a->key);
	if (!tag)
		return ctx_fail(e->c, ERR_NOT_FOUND, "Metadata item was not found");
	json_write_key(w, tag->key);
	json_write_text(w, NULL, tag->value);
	return OK;
}

/* ---- the server's own ---- */

struct os_update_server {
	struct instance_settings wish;
	struct str access_ip4, access_ip6;
};
#define P(wire, member, ...) OS_BODY(struct os_update_server, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	SERVER(struct os_update_server, wish.instance),
	P("name", wish.name, .min = 1, .max = 255,
	  .given = offsetof(struct os_update_server, wish.set_name) + 1, .doc = "Name."),
	P("description", wish.description, .flags = NULLABLE, .since = 19, .max = 255,
	  .given = offsetof(struct os_update_server, wish.set_description) + 1,
	  .doc = "Description: free text."),
	P("OS-DCF:diskConfig", wish.disk_auto, .yes = "AUTO", .no = "MANUAL",
	  .doc = "Stored and shown only; the guest grows its root file system itself."),
	P("accessIPv4", access_ip4, .max = IP_TEXT_SIZE,
	  .given = offsetof(struct os_update_server, wish.set_access_ip4) + 1,
	  .doc = "IPv4 address shown for access; empty: none."),
	P("accessIPv6", access_ip6, .max = IP_TEXT_SIZE,
	  .given = offsetof(struct os_update_server, wish.set_access_ip6) + 1,
	  .doc = "IPv6 address shown for access; empty: none."),
	OS_UNBUILT("hostname", .since = 90),
};
#undef P

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_update_server *a = args;
	const struct instance *instance = NULL;
	if (a->wish.set_name)
		TRY(os_check_name(e, a->wish.name, "name", OS_NAME_PLAIN));
	TRY(os_read_access_ip(e, a->access_ip4, "accessIPv4", &a->wish.access_ip4));
	TRY(os_read_access_ip(e, a->access_ip6, "accessIPv6", &a->wish.access_ip6));
	TRY(os_find_live_server(e, &a->wish.instance, &instance));
	/* The name that a server without one is shown with does not become its name. */
	a->wish.set_name &= !str_equal(a->wish.name, os_server_name(e->c->arena, instance));
	return OK;
}

#define ALL "/v2.1/servers/{server_id}/metadata"
#define ONE ALL "/{key}"
#define ARGS(rows) OS_PARAMS(struct os_metadata, rows)
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "os_compute_api:server-metadata:index", .args = ARGS(server_params),
	 .answer = show_all, .doc = "Lists the metadata of a server."},
	{HTTP_POST, ALL, .permit = "os_compute_api:server-metadata:create", .flags = API_WRITES,
	 .args = ARGS(put_params), .prepare = prepare, .operation = engine_set_tags_run, .answer = show_all,
	 .returns = KIND_INSTANCE, .doc = "Adds metadata to a server."},
	{HTTP_PUT, ALL, .permit = "os_compute_api:server-metadata:update_all", .flags = API_WRITES,
	 .args = ARGS(put_params), .prepare = prepare, .operation = engine_replace_tags_run,
	 .answer = show_all, .returns = KIND_INSTANCE, .doc = "Replaces the metadata of a server."},
	{HTTP_GET, ONE, .permit = "os_compute_api:server-metadata:show", .args = ARGS(key_params),
	 .item = "meta", .answer = show_one, .doc = "Shows one metadata item of a server."},
	{HTTP_PUT, ONE, .permit = "os_compute_api:server-metadata:update", .flags = API_WRITES,
	 .args = ARGS(meta_params), .prepare = prepare_meta, .operation = engine_set_tags_run, .item = "meta",
	 .answer = show_one, .returns = KIND_INSTANCE, .doc = "Changes one metadata item of a server."},
	{HTTP_DELETE, ONE, .permit = "os_compute_api:server-metadata:delete", .flags = API_WRITES,
	 .status = 204, .args = ARGS(key_params), .prepare = prepare_delete,
	 .operation = engine_delete_tags_run, .doc = "Removes one metadata item of a server."},
	{HTTP_PUT, "/v2.1/servers/{server_id}", .permit = "os_compute_api:servers:update",
	 .flags = API_WRITES, .args = OS_PARAMS(struct os_update_server, update_params), .wrap = "server",
	 .item = "server", .prepare = prepare_update, .operation = engine_update_instance_run,
	 OS_SHOWS(os_server_details, struct os_update_server, wish.instance), .returns = KIND_INSTANCE,
	 .doc = "Changes the name, description and access addresses of a server."},
};
const struct os_actions os_server_metadata_actions = OS_ACTIONS(OS_COMPUTE, actions);
