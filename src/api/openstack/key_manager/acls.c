/* SPDX-License-Identifier: Apache-2.0
 * Access lists of secrets and containers, quotas, and orders, which are refused. Sources: Key Manager API v1, "ACL API", "Quotas",
 * "Orders". Users of other projects get no access: a list that names some is refused. */
#include "api/openstack/key_manager/key_manager.h"
#include "engine/limits.h"

/* ---- access to a secret ---- */

struct os_km_rights {
	bool is_shared, has_shared;
	struct strs users;
};
static const struct param rights_params[] = {
	OS_BODY(struct os_km_rights, "project-access", is_shared, .absent = "true",
		.given = offsetof(struct os_km_rights, has_shared) + 1,
		.doc = "False: the creator and administrators alone read the secret."),
	OS_BODY(struct os_km_rights, "users", users, .max = 64,
		.doc = "Further users with access; only an empty list is supported."),
};
static const struct params rights_table = OS_PARAMS(struct os_km_rights, rights_params);

struct os_km_acl {
	struct secret_privacy wish;
	struct os_km_rights read;
};
#define SECRET OS_PATH(struct os_km_acl, "secret_id", wish.secret, .kind = KIND_SECRET, .doc = "The secret.")
static const struct param read_params[] = {SECRET};
static const struct param put_params[] = {
	SECRET,
	OS_BODY_OBJECT(struct os_km_acl, "read", read, rights_table, .flags = REQUIRED,
		       .doc = "Who reads the secret."),
};

static RESULT prepare_put(struct os_call *e, void *args)
{
	struct os_km_acl *a = args;
	a->wish.is_private = !a->read.is_shared;
	if (!a->read.users.count)
		return OK;
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("users"),
			      "Access of further users is not supported: users has to be empty.");
}

/* A change without project-access leaves it as it is: a default would open a private secret. */
static RESULT prepare_patch(struct os_call *e, void *args)
{
	struct os_km_acl *a = args;
	const struct secret *s = NULL;
	TRY(prepare_put(e, args));
	if (a->read.has_shared)
		return OK;
	TRY(os_km_find_secret(e, &a->wish.secret, &s));
	a->wish.is_private = s->is_private;
	return OK;
}

static void write_rights(struct json_writer *w, bool is_shared)
{
	json_write_open(w, "read");
	json_write_bool(w, "project-access", is_shared);
	json_write_open_list(w, "users");
	json_write_close_list(w);
	json_write_close(w);
}

static RESULT show_acl(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct secret *s = NULL;
	TRY(os_km_find_secret(e, &((const struct os_km_acl *) args)->wish.secret, &s));
	write_rights(w, !s->is_private);
	return OK;
}

static RESULT answer_put(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_km_acl *a = args;
	json_write_text(w, "acl_ref",
			str_print(e->c->arena, "%" STR_FMT "/acl",
				  STR_ARG(os_km_ref(e, "secrets", a->wish.secret.prefix))));
	return OK;
}

/* ---- access to a container: always the project's ---- */

struct os_km_container_acl {
	struct ref container;
};
static const struct param container_params[] = {
	OS_PATH(struct os_km_container_acl, "container_id", container, .kind = KIND_SECRET_CONTAINER,
		.doc = "The container."),
};

static RESULT show_container_acl(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(os_find(e, KIND_SECRET_CONTAINER, &((const struct os_km_container_acl *) args)->container, &row));
	write_rights(w, true);
	return OK;
}

#define ACL "/v1/secrets/{secret_id}/acl"
#define CHANGE(method, prepared, words)                                                                      \
	{                                                                                                    \
		method, ACL, .permit = "secret_acls:put_patch", .flags = API_WRITES,                         \
			     .args = OS_PARAMS(struct os_km_acl, put_params), .prepare = (prepared),         \
			     .operation = engine_set_secret_privacy_run,                                     \
			     .returns = API_RETURNS_NOTHING_STORED, .answer = answer_put, .doc = (words)     \
	}
static const struct os_action acl_actions[] = {
	{HTTP_GET, ACL, .permit = "secret_acls:get", .flags = API_CHANGES_BY_TIME,
	 .args = OS_PARAMS(struct os_km_acl, read_params), .answer = show_acl, .doc = "Who reads a secret."},
	CHANGE(HTTP_PUT, prepare_put, "Replaces who reads a secret."),
	CHANGE(HTTP_PATCH, prepare_patch, "Changes who reads a secret."),
	{HTTP_DELETE, ACL, .permit = "secret_acls:delete", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_km_acl, read_params), .operation = engine_set_secret_privacy_run,
	 .doc = "Lets the whole project read a secret again."},
	{HTTP_GET, "/v1/containers/{container_id}/acl", .permit = "container_acls:get",
	 .args = OS_PARAMS(struct os_km_container_acl, container_params), .answer = show_container_acl,
	 .doc = "Who reads a container: its project."},
};
const struct os_actions os_key_manager_acl_actions = OS_ACTIONS(OS_KEY_MANAGER, acl_actions);

/* ---- quotas and orders ---- */

static RESULT show_quotas(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_int(w, "secrets", engine_get_limit(os_tables(e), LIMIT_SECRETS));
	json_write_int(w, "orders", 0);
	json_write_int(w, "containers", engine_get_limit(os_tables(e), LIMIT_SECRET_CONTAINERS));
	json_write_int(w, "consumers", SECRET_CONSUMERS_MAX);
	json_write_int(w, "cas", 0);
	return OK;
}

static RESULT list_orders(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_open_list(w, "orders");
	json_write_close_list(w);
	json_write_int(w, "total", 0);
	return OK;
}

static RESULT refuse_order(struct os_call *e, void *args)
{
	(void) args;
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("type"), "%s", e->action->never);
}

static const struct os_action quota_actions[] = {
	{HTTP_GET, "/v1/quotas", .permit = "quotas:get", .args = OS_NO_PARAMS, .item = "quotas",
	 .answer = show_quotas, .doc = "Limits of the project."},
	{HTTP_GET, "/v1/orders", .permit = "orders:get", .args = OS_NO_PARAMS, .answer = list_orders,
	 .never = "Orders are not supported.", .doc = "There are no orders."},
	{HTTP_POST, "/v1/orders", .permit = "orders:post", .flags = OS_RAW_BODY, .args = OS_NO_PARAMS,
	 .prepare = refuse_order,
	 .never = "Orders are not supported: the region generates no keys. Store them as secrets.",
	 .doc = "Orders a new key."},
};
const struct os_actions os_key_manager_quota_actions = OS_ACTIONS(OS_KEY_MANAGER, quota_actions);
