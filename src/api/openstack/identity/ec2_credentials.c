/* SPDX-License-Identifier: Apache-2.0
 * EC2 credentials: a user's access keys for a project. They sign EC2 requests with the user's rights in the
 * project. */
#include "api/openstack/core/services.h"
#include "api/openstack/core/write.h"
#include "api/openstack/identity/identity.h"
#include "auth/key/key.h"
#include "engine/people/account/account.h"
#include "engine/people/user_owned.h"
#include "store/access_key.h"
#include "store/user.h"

/* Writes a key with its secret. */
static RESULT write_key(struct os_call *e, struct json_writer *w, const struct access_key *key)
{
	struct str secret = STR_NONE, user = str_encode_hex(e->c->arena, key->user.b, sizeof key->user.b);
	TRY(key_open_secret(e->c, e->config->master_key, key, &secret));
	json_write_text(w, "access", key->key_id);
	json_write_text(w, "secret", secret);
	os_write_hex(w, "user_id", key->user);
	os_write_hex(w, "tenant_id", key->account);
	json_write_null(w, "trust_id");
	json_write_open(w, "links");
	json_write_text(w, "self",
			str_print(e->c->arena, "%" STR_FMT "/users/%" STR_FMT "/credentials/OS-EC2/%" STR_FMT,
				  STR_ARG(os_service_url(e, OS_IDENTITY)), STR_ARG(user),
				  STR_ARG(key->key_id)));
	json_write_close(w);
	return OK;
}

struct list_args {
	struct ref user;
};
static const struct param list_params[] = {
	OS_PATH(struct list_args, "user_id", user, .kind = KIND_USER,
		.doc = "User; always the token's user."),
};

/* Writes those of the user's keys that the caller may see. Each key belongs to an account whose policies
 * decide. */
static RESULT write_keys(struct os_call *e, struct json_writer *w, const struct user *user)
{
	const struct access_key *key = access_key_first_by_user(os_tables(e), user->row.id);
	for (; key; key = access_key_next_by_user(os_tables(e), key)) {
		struct result may =
			engine_check_own(e->c, os_tables(e), "access_key.list", user, key->account);
		if (may.code == ERR_DENIED) {
			ctx_clear_problem(e->c);
			continue;
		}
		TRY(may);
		json_write_open(w, NULL);
		TRY(write_key(e, w, key));
		json_write_close(w);
	}
	return OK;
}

static RESULT list_keys(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	const struct user *user = NULL;
	TRY(os_check_own(e, "access_key.list", &a->user, &user));
	json_write_open_list(w, "credentials");
	TRY(write_keys(e, w, user));
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

/* ---- making ---- */

struct new_key {
	struct access_key_wish wish;
	struct ref user, project;
	struct access_key key;
};
static const struct param create_params[] = {
	OS_PATH(struct new_key, "user_id", user, .kind = KIND_USER, .doc = "User; always the token's user."),
	OS_BODY(struct new_key, "tenant_id", project, .kind = KIND_ACCOUNT, .flags = REQUIRED,
		.doc = "Project of the access key."),
};

static RESULT prepare_new(struct os_call *e, void *args)
{
	struct new_key *a = args;
	struct str secret = STR_NONE;
	TRY(os_check_self(e, &a->user)); /* checked before a key is generated */
	a->key.row.id = id_new(KIND_ACCESS_KEY);
	TRY(key_draw(e->c, e->config->master_key, &a->key, &secret));
	a->wish = (struct access_key_wish){.user = a->user, .account = a->project, .key = &a->key};
	return OK;
}

static RESULT show_new(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(os_find_returned(e, ((const struct new_key *) args)->key.row.id, &row));
	return write_key(e, w, access_key_of(row));
}

/* ---- one ---- */

struct key_args {
	struct access_key_target wish;
	struct ref user;
};
static const struct param key_params[] = {
	OS_PATH(struct key_args, "user_id", user, .kind = KIND_USER, .doc = "User; always the token's user."),
	OS_PATH(struct key_args, "credential_id", wish.key_id, .max = 64, .doc = "Id of the access key."),
};

static RESULT fail_absent(struct os_call *e, struct str key_id)
{
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_ACCESS_KEY, "Could not find credential: %" STR_FMT ".",
			     STR_ARG(key_id));
}

static RESULT find_one(struct os_call *e, const struct key_args *a, const struct access_key **ret_key)
{
	TRY(os_check_self(e, &a->user));
	const struct access_key *key = access_key_find_by_key_id(os_tables(e), a->wish.key_id);
	if (!key || !uuid_equal(key->user, a->user.prefix))
		return fail_absent(e, a->wish.key_id);
	*ret_key = key;
	return OK;
}

static RESULT prepare_one(struct os_call *e, void *args)
{
	const struct access_key *key = NULL;
	return find_one(e, args, &key);
}

static RESULT show_one(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct access_key *key = NULL;
	TRY(find_one(e, args, &key));
	const struct user *user = user_find(os_tables(e), key->user);
	if (!user)
		return engine_fail_gone(e->c, KIND_USER, key->user);
	TRY(engine_check_found(e->c, os_tables(e), KIND_USER, &user->row));
	TRY(engine_check_own(e->c, os_tables(e), "access_key.list", user, key->account));
	return write_key(e, w, key);
}

#define ALL "/v3/users/{user_id}/credentials/OS-EC2"
#define ONE ALL "/{credential_id}"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "identity:ec2_list_credentials",
	 .args = OS_PARAMS(struct list_args, list_params), .answer = list_keys,
	 .doc = "Lists the user's access keys with their secrets."},
	{HTTP_POST, ALL, .permit = "identity:ec2_create_credential", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 201, .args = OS_PARAMS(struct new_key, create_params), .item = "credential",
	 .prepare = prepare_new, .operation = engine_create_access_key_run, .returns = KIND_ACCESS_KEY,
	 .answer = show_new, .doc = "Creates an access key."},
	{HTTP_GET, ONE, .permit = "identity:ec2_get_credential",
	 .args = OS_PARAMS(struct key_args, key_params), .item = "credential", .answer = show_one,
	 .doc = "Shows one access key."},
	{HTTP_DELETE, ONE, .permit = "identity:ec2_delete_credential", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 204, .args = OS_PARAMS(struct key_args, key_params), .prepare = prepare_one,
	 .operation = engine_delete_access_key_run, .doc = "Deletes an access key."},
};
const struct os_actions os_ec2_credential_actions = OS_ACTIONS(OS_IDENTITY, actions);
