/* SPDX-License-Identifier: Apache-2.0
 * Key pairs. They belong to the project, not to a user (docs/mapping.md); administrators may also address
 * another user's. Key generation runs on a lane and key checks in prepare, so that neither blocks the
 * committer. A private key is returned once and never stored. Source: Compute API reference, "Keypairs". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/list.h"
#include "api/openstack/core/write.h"
#include "base/crypto.h"
#include "engine/instance/key_pair.h"
#include "model/key_pair.h"
#include "store/query.h"

/* ---- writing ---- */

static void write_common(struct os_call *e, struct json_writer *w, const struct key_pair *key)
{
	json_write_text(w, "name", key->name);
	json_write_text(w, "public_key", key->public_key);
	json_write_text(w, "fingerprint", key->fingerprint);
	if (e->request.version >= 2)
		json_write_z(w, "type", engine_is_certificate(key->public_key) ? "x509" : "ssh");
}

/* Each element of the list is wrapped in an object of its own. */
static void write_listed(struct os_call *e, struct json_writer *w, const void *item)
{
	json_write_open(w, "keypair");
	write_common(e, w, item);
	json_write_close(w);
}

/* since 2.10: keys that the user created */
static const struct os_filter key_filters[] = {{"user_id", "made_by", .since = 10}};
static const struct os_sort_key key_sort_keys[] = {{"name", "name"}};
#define KEYS(more_flags)                                                                                     \
	{                                                                                                    \
		.kind = KIND_KEY_PAIR, .items = "keypairs", .links = "keypairs_links", .marker = "name",     \
		.filters = OS_FILTERS(key_filters), .sort_keys = {key_sort_keys, 1}, .flags = (more_flags),  \
		.pages_since = 35, .page_max = 1000, .write = write_listed,                                  \
	}
static const struct os_listing key_listing = KEYS(0);
static const struct os_listing user_key_listing = KEYS(OS_ADMIN_SEES_ALL);

/* Reads whose key pairs are meant (since 2.10). Kind none: the project's. Only administrators may name
 * another user. */
static RESULT read_user(struct os_call *e, struct str text, struct ref *ret_user)
{
	struct ref user = {0};
	*ret_user = user;
	if (!text.n || e->request.version < 10)
		return OK;
	bool is_id = os_parse_id(text, KIND_USER, &user);
	if (is_id && uuid_equal(user.prefix, e->c->who->user))
		return OK;
	if (!os_is_admin(e))
		return ctx_fail(e->c, ERR_DENIED, "Policy doesn't allow %s to be performed.",
				e->action->permit);
	if (!is_id)
		return ctx_fail_field(e->c, ERR_INVALID, STR("user_id"),
				      "Invalid input for field/attribute user_id. Value: %" STR_FMT
				      ". It is not a UUID.",
				      STR_ARG(str_slice(text, 0, 64)));
	user.field = STR("user_id");
	*ret_user = user;
	return OK;
}

static RESULT list_keys(struct os_call *e, const void *args, struct json_writer *w)
{
	struct ref user;
	(void) args;
	TRY(read_user(e, pairs_find(&e->request.query, "user_id"), &user));
	return os_list(e, user.kind ? &user_key_listing : &key_listing, w);
}

/* ---- show ---- */

struct os_key_target {
	struct key_pair_target wish;
	struct str user;
};
static const struct param target_params[] = {
	OS_QUERY(struct os_key_target, "user_id", user, .since = 10,
		 .doc = "Owner of the key pair, if not the caller; for administrators."),
	OS_PATH_NAME(struct os_key_target, "keypair_name", wish.key_pair, .kind = KIND_KEY_PAIR,
		     .doc = "Key pair by name."),
};

static RESULT show_key(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_key_target *a = args;
	const struct key_pair *key = NULL;
	struct ref user;
	TRY(read_user(e, a->user, &user));
	TRY(user.kind ? engine_find_key_pair_of(e->c, os_tables(e), &user, &a->wish.key_pair, &key)
		      : engine_find_own_key_pair(e->c, os_tables(e), &a->wish.key_pair, &key));
	write_common(e, w, key);
	json_write_int(w, "id", os_number_of(key->row.id));
	os_write_maker(w, key->made_by, key->account);
	os_write_times_us(w, &key->row);
	json_write_bool(w, "deleted", false);
	json_write_null(w, "deleted_at");
	return OK;
}

/* ---- create ---- */

struct os_make_key {
	struct key_pair_wish wish;
	struct str material, type, user;
	struct str private_key; /* generated; empty: the client sent a public key */
};
#define P(wire, member, ...) OS_BODY(struct os_make_key, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.name, .flags = REQUIRED, .min = 1, .max = 255, .doc = "Name; unique in the project."),
	P("public_key", material, .max = 16384,
	  .doc = "Public key: an OpenSSH line, or a certificate in PEM; absent: a key pair is generated (up "
		 "to 2.91)."),
	P("type", type, .since = 2, .words = "ssh|x509", .absent = "ssh",
	  .doc = "Type: ssh, or x509 for a certificate, which Windows uses."),
	P("user_id", user, .since = 10, .max = 255,
	  .doc = "Owner of the key pair, if not the caller; for administrators."),
};
#undef P

static RESULT check_public_key(struct os_call *e, struct str text, bool is_certificate,
			       struct key_pair_wish *wish)
{
	struct result result = is_certificate
				       ? crypto_fingerprint_certificate(e->c, text, &wish->fingerprint)
				       : crypto_check_public_key(e->c, text, &wish->public_key,
								 &wish->fingerprint, &wish->is_ed25519);
	if (is_certificate)
		wish->public_key = text;
	if (is_certificate && result_is_ok(result) && !engine_is_certificate(text))
		result = ctx_fail(e->c, ERR_INVALID, "the certificate is not the text's beginning");
	if (result.code != ERR_INVALID)
		return result;
	ctx_clear_problem(e->c);
	return ctx_fail_field(e->c, ERR_INVALID, STR("public_key"),
			      is_certificate ? "Keypair data is invalid: failed to generate X509 fingerprint."
					     : "Keypair data is invalid: failed to generate fingerprint");
}

/* Checks Nova's characters. Key pairs created through EC2 may have other names; lists show them too. */
static RESULT check_name(struct os_call *e, struct str name)
{
	struct str others = e->request.version >= 92 ? STR("_- @.") : STR("_- ");
	for (size_t k = 0; k < name.n; k++) {
		char c = name.p[k], lower = (char) (c | 0x20);
		bool is_safe = (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') ||
			       str_find_char(others, c, 0) < others.n;
		if (!is_safe)
			return ctx_fail_field(
				e->c, ERR_INVALID, STR("name"),
				"Keypair data is invalid: Keypair name contains unsafe characters");
	}
	return OK;
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_make_key *a = args;
	TRY(os_check_name(e, a->wish.name, "name", OS_NAME_PLAIN));
	TRY(check_name(e, a->wish.name));
	TRY(read_user(e, a->user, &a->wish.user));
	e->skips_work = a->material.n;
	if (a->material.n)
		return check_public_key(e, a->material, str_is(a->type, "x509"), &a->wish);
	if (e->request.version >= 92)
		return ctx_fail_field(e->c, ERR_MISSING, STR("public_key"),
				      "Invalid input for field/attribute keypair. 'public_key' is a required "
				      "property");
	e->lane = e->config->key_lane;
	e->asker = e->c->who->account;
	return OK;
}

static RESULT make_key(struct work_item *w)
{
	struct os_call *e = w->arg;
	struct os_make_key *a = e->args;
	struct str public_key;
	bool is_certificate = str_is(a->type, "x509");
	struct str user = uuid_to_str(e->c->arena, a->wish.user.kind ? a->wish.user.prefix : e->c->who->user);
	TRY(is_certificate ? crypto_make_user_certificate(e->c, user, &public_key, &a->private_key)
			   : crypto_make_key_pair(e->c, false, &a->private_key, &public_key));
	return check_public_key(e, public_key, is_certificate, &a->wish);
}

static RESULT show_created(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_make_key *a = args;
	const struct row *row = NULL;
	TRY(os_find_returned(e, a->wish.key_pair, &row));
	write_common(e, w, key_pair_of(row));
	os_write_maker(w, key_pair_of(row)->made_by, key_pair_of(row)->account);
	if (a->private_key.n)
		json_write_text(w, "private_key", a->private_key);
	return OK;
}

/* ---- delete ---- */

/* Unlike EC2, deleting a key pair that does not exist fails. */
static RESULT prepare_delete(struct os_call *e, void *args)
{
	struct os_key_target *a = args;
	TRY(read_user(e, a->user, &a->wish.user));
	a->wish.must_exist = true;
	e->status = e->request.version >= 2 ? 204 : 202;
	return OK;
}

static RESULT prepare_created_status(struct os_call *e, void *args)
{
	e->status = e->request.version >= 2 ? 201 : 200;
	return prepare_create(e, args);
}

#define ONE "/v2.1/os-keypairs/{keypair_name}"
static const struct os_action actions[] = {
	{HTTP_GET, "/v2.1/os-keypairs", .permit = "os_compute_api:os-keypairs:index", .list = &key_listing,
	 .answer = list_keys, .doc = "Lists the key pairs of the project."},
	{HTTP_GET, ONE, .permit = "os_compute_api:os-keypairs:show",
	 .args = OS_PARAMS(struct os_key_target, target_params), .item = "keypair", .answer = show_key,
	 .doc = "Shows one key pair."},
	{HTTP_POST, "/v2.1/os-keypairs", .permit = "os_compute_api:os-keypairs:create", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_make_key, create_params), .wrap = "keypair", .item = "keypair",
	 .prepare = prepare_created_status, .work = make_key, .operation = engine_create_key_pair_run,
	 .answer = show_created, .returns = KIND_KEY_PAIR,
	 .doc = "Imports a public key, or generates a key pair and shows its private key once."},
	{HTTP_DELETE, ONE, .permit = "os_compute_api:os-keypairs:delete", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_key_target, target_params), .prepare = prepare_delete,
	 .operation = engine_delete_key_pair_run, .doc = "Deletes a key pair. Servers keep the key."},
};
const struct os_actions os_keypair_actions = OS_ACTIONS(OS_COMPUTE, actions);
