/* SPDX-License-Identifier: Apache-2.0
 * Key pairs: those of the project, whichever of its users asks (docs/mapping.md). Keys are made on a
 * lane, and checked here, off the committer; a private key is in its one answer and nowhere else. Source:
 * Compute API reference, "Keypairs". */
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
		json_write_z(w, "type", "ssh");
}

/* In lists each is within an object of its own. */
static void write_listed(struct os_call *e, struct json_writer *w, const void *item)
{
	json_write_open(w, "keypair");
	write_common(e, w, item);
	json_write_close(w);
}

/* From 2.10 on: of the project's, those which that user made. */
static bool fits_user(struct os_call *e, const struct row *row, struct str value)
{
	return e->request.version < 10 || os_field_is(query_find_field(KIND_KEY_PAIR, "made_by"), row, value);
}

static const struct os_filter key_filters[] = {{"user_id", .fits = fits_user}};
static const struct os_sort_key key_sort_keys[] = {{"name", "name"}};
static const struct os_listing key_listing = {
	.kind = KIND_KEY_PAIR,
	.items = "keypairs",
	.links = "keypairs_links",
	.marker = "name",
	.filters = OS_FILTERS(key_filters),
	.sort_keys = {key_sort_keys, 1},
	.page_max = 1000,
	.write = write_listed,
};

/* ---- show ---- */

struct os_key_target {
	struct key_pair_target wish;
};
static const struct param target_params[] = {
	OS_PATH_NAME(struct os_key_target, "keypair_name", wish.key_pair, .kind = KIND_KEY_PAIR,
		     .doc = "By name."),
};

static RESULT show_key(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_key_target *a = args;
	const struct key_pair *key = NULL;
	TRY(engine_find_own_key_pair(e->c, os_tables(e), &a->wish.key_pair, &key));
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
	struct str material, type;
	struct str private_key; /* made; empty: the public one was given */
};
#define P(wire, member, ...) OS_BODY(struct os_make_key, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.name, .flags = REQUIRED, .min = 1, .max = 255, .doc = "Unique in the project."),
	P("public_key", material, .max = 16384, .doc = "An OpenSSH line; none: a pair is made (up to 2.91)."),
	P("type", type, .since = 2, .words = "ssh|x509", .absent = "ssh", .doc = "ssh."),
	OS_UNBUILT("user_id", .since = 10),
};
#undef P

static RESULT check_public_key(struct os_call *e, struct str text, struct key_pair_wish *wish)
{
	struct result result =
		crypto_check_public_key(e->c, text, &wish->public_key, &wish->fingerprint, &wish->is_ed25519);
	if (result.code != ERR_INVALID)
		return result;
	ctx_clear_problem(e->c);
	return ctx_fail_field(e->c, ERR_INVALID, STR("public_key"),
			      "Keypair data is invalid: failed to generate fingerprint");
}

/* EC2's may have others, and are shown. */
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
	TRY(check_name(e, a->wish.name));
	if (str_is(a->type, "x509"))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("type"),
				      "Key pairs of type x509 are not supported.");
	e->skips_work = a->material.n;
	if (a->material.n)
		return check_public_key(e, a->material, &a->wish);
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
	struct str public_line;
	TRY(crypto_make_key_pair(e->c, false, &a->private_key, &public_line));
	return check_public_key(e, public_line, &a->wish);
}

static RESULT show_created(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_make_key *a = args;
	const struct row *row = NULL;
	TRY(os_find_returned(e, a->wish.key_pair, &row));
	write_common(e, w, key_pair_of(row));
	os_write_hex(w, "user_id", e->c->who->user);
	if (a->private_key.n)
		json_write_text(w, "private_key", a->private_key);
	return OK;
}

/* ---- delete ---- */

/* EC2 takes an absent one for deleted; here it is not there. */
static RESULT prepare_delete(struct os_call *e, void *args)
{
	((struct os_key_target *) args)->wish.must_exist = true;
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
	 .doc = "Key pairs of the project."},
	{HTTP_GET, ONE, .permit = "os_compute_api:os-keypairs:show",
	 .args = OS_PARAMS(struct os_key_target, target_params), .item = "keypair", .answer = show_key,
	 .doc = "One key pair."},
	{HTTP_POST, "/v2.1/os-keypairs", .permit = "os_compute_api:os-keypairs:create", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_make_key, create_params), .wrap = "keypair", .item = "keypair",
	 .prepare = prepare_created_status, .work = make_key, .operation = engine_create_key_pair_run,
	 .answer = show_created, .returns = KIND_KEY_PAIR,
	 .doc = "Takes in a public key, or makes a pair and shows its private key once."},
	{HTTP_DELETE, ONE, .permit = "os_compute_api:os-keypairs:delete", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_key_target, target_params), .prepare = prepare_delete,
	 .operation = engine_delete_key_pair_run, .doc = "Deletes a key pair; servers keep the key."},
};
const struct os_actions os_keypair_actions = OS_ACTIONS(OS_COMPUTE, actions);
