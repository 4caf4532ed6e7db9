/* SPDX-License-Identifier: Apache-2.0
 * Credentials: secrets stored for a user. Those of type "ec2" are the user's access keys, which sign EC2
 * requests; others are only stored and shown. Source: Identity API reference, "Credentials"; Keystone's
 * keystone.api.credentials. */
#include <jansson.h>

#include "api/openstack/core/services.h"
#include "api/openstack/core/write.h"
#include "api/openstack/identity/identity.h"
#include "auth/key/key.h"
#include "engine/people/account/account.h"
#include "engine/people/credential/credential.h"
#include "engine/people/user_owned.h"
#include "store/access_key.h"
#include "store/credential.h"
#include "store/user.h"

#define EC2 "ec2"

/* ---- writing ---- */

static void write_common(struct json_writer *w, uuid id, struct str type, uuid user, uuid account)
{
	os_write_hex(w, "id", id);
	json_write_text(w, "type", type);
	os_write_hex(w, "user_id", user);
	os_write_hex(w, "project_id", account);
}

static RESULT write_key(struct os_call *e, struct json_writer *w, const struct access_key *key)
{
	struct str secret = STR_NONE, access = key->key_id;
	TRY(key_open_secret(e->c, e->config->master_key, key, &secret));
	json_t *blob = json_pack("{s:s%,s:s%,s:n}", "access", access.p, access.n, "secret", secret.p,
				 secret.n, "trust_id");
	char *text = blob ? json_dumps(blob, 0) : NULL;
	json_decref(blob);
	write_common(w, key->row.id, STR(EC2), key->user, key->account);
	json_write_text(w, "blob", str_copy(e->c->arena, text ? str_from(text) : STR_NONE));
	os_write_self(e, w, "credentials", key->row.id);
	free(text);
	return text ? OK : ctx_no_memory(e->c);
}

static RESULT write_kept(struct os_call *e, struct json_writer *w, const struct credential *kept)
{
	struct str secret = STR_NONE;
	TRY(key_open(e->c, e->config->master_key, kept->row.id, kept->secret, &secret));
	write_common(w, kept->row.id, kept->type, kept->user, kept->account);
	json_write_text(w, "blob", secret);
	os_write_self(e, w, "credentials", kept->row.id);
	return OK;
}

static RESULT write_row(struct os_call *e, struct json_writer *w, enum kind kind, const struct row *row)
{
	return kind == KIND_ACCESS_KEY ? write_key(e, w, access_key_of(row))
				       : write_kept(e, w, credential_of(row));
}

/* ---- the list ---- */

struct list_args {
	struct ref user;
	struct str type;
};
static const struct param list_params[] = {
	OS_QUERY(struct list_args, "user_id", user, .kind = KIND_USER,
		 .doc = "Owner of the credentials; absent: the caller, or all users if the caller is an "
			"administrator."),
	OS_QUERY(struct list_args, "type", type, .doc = "Type, such as ec2 or cert."),
};

/* Writes the row if the query asks for its type and user, and the caller may see it. */
static RESULT write_if_seen(struct os_call *e, struct json_writer *w, const struct list_args *a,
			    enum kind kind, const struct row *row)
{
	bool is_key = kind == KIND_ACCESS_KEY;
	struct str type = is_key ? STR(EC2) : credential_of(row)->type;
	uuid owner = is_key ? access_key_of(row)->user : credential_of(row)->user;
	uuid account = is_key ? access_key_of(row)->account : credential_of(row)->account;
	const struct user *user = user_find(os_tables(e), owner);
	bool is_asked = (!a->type.n || str_equal(a->type, type)) &&
			(!ref_is_given(&a->user) || uuid_equal(a->user.prefix, owner));
	if (!user || !is_asked)
		return OK;
	struct result may = engine_check_own(e->c, os_tables(e), "access_key.list", user, account);
	if (may.code == ERR_DENIED) {
		ctx_clear_problem(e->c);
		return OK;
	}
	TRY(may);
	json_write_open(w, NULL);
	TRY(write_row(e, w, kind, row));
	json_write_close(w);
	return OK;
}

static RESULT write_of_user(struct os_call *e, struct json_writer *w, const struct list_args *a, uuid user)
{
	const struct tables *t = os_tables(e);
	for (const struct access_key *k = access_key_first_by_user(t, user); k;
	     k = access_key_next_by_user(t, k))
		TRY(write_if_seen(e, w, a, KIND_ACCESS_KEY, &k->row));
	for (const struct credential *c = credential_first_by_user(t, user); c;
	     c = credential_next_by_user(t, c))
		TRY(write_if_seen(e, w, a, KIND_CREDENTIAL, &c->row));
	return OK;
}

static RESULT list_credentials(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	const struct tables *t = os_tables(e);
	const struct user *whose = NULL;
	bool is_one = ref_is_given(&a->user) || !os_is_admin(e);
	struct ref user = ref_by_id(KIND_USER, e->c->who->user);
	if (ref_is_given(&a->user))
		user = a->user;
	TRY(os_check_own(e, "access_key.list", &user, &whose));
	json_write_open_list(w, "credentials");
	if (is_one)
		TRY(write_of_user(e, w, a, whose->row.id));
	for (const struct user *u = is_one ? NULL : user_first(t); u; u = user_next(t, u))
		TRY(write_of_user(e, w, a, u->row.id));
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

/* ---- one ---- */

struct os_credential {
	struct str id; /* from the path */
	enum kind kind;
	const struct row *row; /* valid until prepare has ended */
	struct ref user, project;
	bool has_project;
	struct str type, blob;
	struct access_key key;
	struct access_key_wish new_key;
	struct access_key_change key_change;
	struct access_key_target key_target;
	struct credential_wish kept;
	struct credential_change change;
	struct credential_target target;
	uuid made;
};
#define ID_PATH OS_PATH(struct os_credential, "credential_id", id, .doc = "The credential.")
#define P(wire, member, ...) OS_BODY(struct os_credential, wire, member, __VA_ARGS__)
static const struct param id_params[] = {ID_PATH};
static const struct param create_params[] = {
	P("user_id", user, .flags = REQUIRED, .kind = KIND_USER, .doc = "Owner of the credential."),
	P("project_id", project, .flags = NULLABLE, .kind = KIND_ACCOUNT,
	  .doc = "Project of the credential; required for type ec2."),
	P("type", type, .flags = REQUIRED, .min = 1, .doc = "Type: ec2, or any other word."),
	P("blob", blob, .flags = REQUIRED, .min = 1, .max = CREDENTIAL_SECRET_MAX,
	  .doc = "Secret data. For type ec2: JSON with the members access and secret."),
};
static const struct param update_params[] = {
	ID_PATH,
	P("project_id", project, .flags = NULLABLE, .kind = KIND_ACCOUNT,
	  .given = offsetof(struct os_credential, has_project) + 1,
	  .doc = "Project of the credential; null: none."),
	P("type", type, .min = 1, .doc = "Type. A change to or from ec2 is refused."),
	P("blob", blob, .min = 1, .max = CREDENTIAL_SECRET_MAX, .doc = "New secret data."),
	P("user_id", user, .kind = KIND_USER, .doc = "Present owner. Cannot be changed."),
};
#undef P

/* Finds the credential of the path. Other callers than administrators get ERR_DENIED for unknown ids too,
 * so that they cannot probe for others' credentials. */
static RESULT find_row(struct os_call *e, struct os_credential *a)
{
	const struct tables *t = os_tables(e);
	struct ref ref = {0};
	const struct access_key *key = NULL;
	const struct credential *kept = NULL;
	if (os_parse_id(a->id, KIND_CREDENTIAL, &ref)) {
		key = access_key_find(t, ref.prefix);
		kept = credential_find(t, ref.prefix);
	}
	const struct user *user = key ? user_find(t, key->user) : kept ? user_find(t, kept->user) : NULL;
	struct ref owner = ref_by_id(KIND_USER, user ? user->row.id : UUID_NONE);
	TRY(os_check_self(e, &owner));
	if (!user)
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_CREDENTIAL,
				     "Could not find credential: %" STR_FMT ".",
				     STR_ARG(str_slice(a->id, 0, 64)));
	a->kind = key ? KIND_ACCESS_KEY : KIND_CREDENTIAL;
	a->row = key ? &key->row : &kept->row;
	TRY(engine_check_found(e->c, t, KIND_USER, &user->row));
	return engine_check_own(e->c, t, "access_key.list", user, key ? key->account : kept->account);
}

static RESULT show_one(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_credential found = *(const struct os_credential *) args;
	TRY(find_row(e, &found));
	return write_row(e, w, found.kind, found.row);
}

/* ---- changes ---- */

static RESULT fail_blob(struct os_call *e, const char *why)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("blob"), "Invalid blob in credential: %s.", why);
}

/* Reads an access key from the blob; returns its id, and its secret sealed for that row. */
static RESULT read_key(struct os_call *e, struct str blob, uuid row, struct str *ret_id,
		       struct str *ret_secret)
{
	json_t *object = json_loadb(blob.p, blob.n, 0, NULL);
	const char *access = json_string_value(json_object_get(object, "access"));
	const char *secret = json_string_value(json_object_get(object, "secret"));
	struct str id = str_copy(e->c->arena, str_from(access ? access : ""));
	struct str plain = str_copy(e->c->arena, str_from(secret ? secret : ""));
	bool is_object = json_is_object(object);
	json_decref(object);
	if (!is_object)
		return fail_blob(e, "it is no JSON object");
	if (!id.n || !plain.n)
		return fail_blob(e, "it has access and secret, which are texts");
	*ret_id = id;
	return key_seal(e->c, e->config->master_key, row, plain, ret_secret);
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_credential *a = args;
	bool is_key = str_equal_nocase(a->type, STR(EC2));
	TRY(os_check_self(e, &a->user));
	e->returns = a->kind = is_key ? KIND_ACCESS_KEY : KIND_CREDENTIAL;
	a->made = id_new(a->kind);
	if (is_key && !ref_is_given(&a->project))
		return ctx_fail_field(e->c, ERR_MISSING, STR("project_id"),
				      "'project_id' is a required property of a credential of the type ec2.");
	if (!is_key) {
		a->kept = (struct credential_wish){
			.id = a->made, .user = a->user, .account = a->project, .type = a->type};
		return key_seal(e->c, e->config->master_key, a->made, a->blob, &a->kept.secret);
	}
	a->key.row.id = a->made;
	a->new_key = (struct access_key_wish){
		.user = a->user, .account = a->project, .key = &a->key, .is_told = true};
	return read_key(e, a->blob, a->made, &a->key.key_id, &a->key.secret);
}

static RESULT create(struct op *op, void *wish)
{
	struct os_credential *a = wish;
	return a->kind == KIND_ACCESS_KEY ? engine_create_access_key(op, &a->new_key)
					  : engine_create_credential(op, &a->kept);
}

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_credential *a = args;
	TRY(find_row(e, a));
	e->returns = a->kind;
	a->made = a->row->id;
	bool is_key = a->kind == KIND_ACCESS_KEY;
	uuid owner = is_key ? access_key_of(a->row)->user : credential_of(a->row)->user;
	if (ref_is_given(&a->user) && !uuid_equal(a->user.prefix, owner))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("user_id"),
				      "Another user_id is not supported here.");
	if (a->type.n && str_equal_nocase(a->type, STR(EC2)) != is_key)
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, STR("type"),
			"A credential of the type ec2 is an access key: it stays one, and no other "
			"becomes one.");
	bool clears = a->has_project && !ref_is_given(&a->project);
	if (is_key && clears)
		return ctx_fail_field(e->c, ERR_MISSING, STR("project_id"),
				      "'project_id' is a required property of a credential of the type ec2.");
	a->key_change = (struct access_key_change){.key = a->made, .account = a->project};
	a->change = (struct credential_change){
		.credential = a->made, .type = a->type, .account = a->project, .clears_account = clears};
	if (!a->blob.n)
		return OK;
	return is_key ? read_key(e, a->blob, a->made, &a->key_change.key_id, &a->key_change.secret)
		      : key_seal(e->c, e->config->master_key, a->made, a->blob, &a->change.secret);
}

static RESULT update(struct op *op, void *wish)
{
	struct os_credential *a = wish;
	return a->kind == KIND_ACCESS_KEY ? engine_change_access_key(op, &a->key_change)
					  : engine_update_credential(op, &a->change);
}

static RESULT prepare_delete(struct os_call *e, void *args)
{
	struct os_credential *a = args;
	TRY(find_row(e, a));
	a->target.credential = a->row->id;
	if (a->kind == KIND_ACCESS_KEY)
		a->key_target.key_id = str_copy(e->c->arena, access_key_of(a->row)->key_id);
	return OK;
}

static RESULT delete (struct op *op, void *wish)
{
	struct os_credential *a = wish;
	return a->kind == KIND_ACCESS_KEY ? engine_delete_access_key(op, &a->key_target)
					  : engine_delete_credential(op, &a->target);
}

static RESULT show_changed(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_credential *a = args;
	const struct row *row = NULL;
	TRY(os_find_returned(e, a->made, &row));
	return write_row(e, w, a->kind, row);
}

#define ONE "/v3/credentials/{credential_id}"
static const struct os_action actions[] = {
	{HTTP_GET, "/v3/credentials", .permit = "identity:list_credentials",
	 .args = OS_PARAMS(struct list_args, list_params), .answer = list_credentials,
	 .doc = "Lists the caller's credentials with their secret data; for administrators those of all "
		"users."},
	{HTTP_POST, "/v3/credentials", .permit = "identity:create_credential",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 201,
	 .args = OS_PARAMS(struct os_credential, create_params), .wrap = "credential", .item = "credential",
	 .prepare = prepare_create, .operation = create, .answer = show_changed,
	 .doc = "Creates a credential. One of type ec2 is an access key."},
	{HTTP_GET, ONE, .permit = "identity:get_credential",
	 .args = OS_PARAMS(struct os_credential, id_params), .item = "credential", .answer = show_one,
	 .doc = "Shows one credential."},
	{HTTP_PATCH, ONE, .permit = "identity:update_credential", .flags = API_WRITES | OS_UNSCOPED,
	 .args = OS_PARAMS(struct os_credential, update_params), .wrap = "credential", .item = "credential",
	 .prepare = prepare_update, .operation = update, .answer = show_changed,
	 .doc = "Changes a credential."},
	{HTTP_DELETE, ONE, .permit = "identity:delete_credential", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 204, .args = OS_PARAMS(struct os_credential, id_params), .prepare = prepare_delete,
	 .operation = delete, .doc = "Deletes a credential."},
};
const struct os_actions os_credential_actions = OS_ACTIONS(OS_IDENTITY, actions);
