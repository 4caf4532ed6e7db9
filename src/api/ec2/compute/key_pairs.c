/* SPDX-License-Identifier: Apache-2.0
 * Key pairs: DescribeKeyPairs, ImportKeyPair, CreateKeyPair, DeleteKeyPair. Keys are generated on a lane
 * and checked here, off the committer. A private key appears only in the answer of its creation. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "base/crypto.h"
#include "engine/instance/key_pair.h"
#include "model/key_pair.h"

/* ---- describe ---- */

struct ec2_describe_keys {
	struct ec2_query query;
	bool public_key;
};
static const struct param describe_keys_params[] = {
	QUERY_NAMES(struct ec2_describe_keys, "KeyName", KIND_KEY_PAIR, "Key pairs by name."),
	QUERY_IDS(struct ec2_describe_keys, "KeyPairId", KIND_KEY_PAIR, "Key pairs by id."),
	PARAM(struct ec2_describe_keys, "IncludePublicKey", public_key,
	      .doc = "Includes the public keys in the answer."),
	QUERY_FILTERS(struct ec2_describe_keys),
};

static const struct filter key_filters[] = {
	{"key-pair-id", .is_id = true},
	{"key-name", .field = "name", .index = KEY_PAIR_INDEX_ACCOUNT},
	{"fingerprint", .field = "fingerprint"},
};

static void write_key(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct key_pair *key = item;
	const struct ec2_describe_keys *a = e->args;
	ec2_write_id(x, "keyPairId", KIND_KEY_PAIR, key->row.id);
	xml_text(x, "keyFingerprint", key->fingerprint);
	xml_text(x, "keyName", key->name);
	if (!crypto_is_ecdsa(key->public_key)) /* ECDSA keys come from OpenStack: EC2 has no name for the
	                                        * type */
		xml_z(x, "keyType", key->is_ed25519 ? "ed25519" : "rsa");
	ec2_write_tags(x, key->tags);
	if (a->public_key)
		xml_text(x, "publicKey", key->public_key);
	xml_time_ms(x, "createTime", key->row.created_us);
}

static const struct ec2_listing key_listing = {
	.kind = KIND_KEY_PAIR, .set = "keySet", .filters = FILTERS(key_filters), .write = write_key};

/* ---- import and create ---- */

struct ec2_make_key {
	struct key_pair_wish wish;
	struct ec2_tag_specs tag_specs;
	struct str material; /* imported or generated key */
	struct str type;
};
#define P(wire, member, ...) PARAM(struct ec2_make_key, wire, member, __VA_ARGS__)
#define KEY_NAME                                                                                             \
	P("KeyName", wish.name, .flags = REQUIRED, .min = 1, .max = 255,                                     \
	  .doc = "Name of the key pair; unique in the account.")

static const struct param import_key_params[] = {
	KEY_NAME,
	P("PublicKeyMaterial", material, .flags = REQUIRED | BASE64, .max = 16384,
	  .doc = "Public key: an OpenSSH line or its base64 part, RFC 4716, or DER."),
	TAG_SPECIFICATIONS(struct ec2_make_key, tag_specs),
};
static const struct param create_key_params[] = {
	KEY_NAME,
	P("KeyType", type, .words = "rsa|ed25519", .absent = "rsa", .doc = "Type of the new key."),
	NOT_BUILT("KeyFormat", .only = "pem", .doc = "Format of the private key: PEM only."),
	TAG_SPECIFICATIONS(struct ec2_make_key, tag_specs),
};
#undef P

static RESULT check_public_key(struct ec2_call *e, struct str text, struct key_pair_wish *wish)
{
	struct result result =
		crypto_check_public_key(e->c, text, &wish->public_key, &wish->fingerprint, &wish->is_ed25519);
	bool is_taken = result_is_ok(result) && !crypto_is_ecdsa(wish->public_key); /* EC2 does not accept
	                                                                             * ECDSA keys */
	if (is_taken || (result.code != ERR_INVALID && !result_is_ok(result)))
		return result;
	ctx_clear_problem(e->c);
	result = ctx_fail_kind(e->c, ERR_INVALID, KIND_KEY_PAIR,
			       "Key is not in valid OpenSSH public key format");
	e->c->problem.field = STR("PublicKeyMaterial");
	return result;
}

static RESULT prepare_import(struct ec2_call *e, void *args)
{
	struct ec2_make_key *a = args;
	struct str line = a->material;
	/* A key that cannot be converted is refused below, by check_public_key(). */
	if (crypto_convert_public_key(e->c, a->material, &line).code == ERR_NO_MEMORY)
		return ctx_no_memory(e->c);
	ctx_clear_problem(e->c);
	return check_public_key(e, line, &a->wish);
}

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	(void) args;
	e->lane = e->config->key_lane;
	e->asker = e->c->who->account;
	return OK;
}

static RESULT make_key(struct work_item *w)
{
	struct ec2_call *e = w->arg;
	struct ec2_make_key *a = e->args;
	struct str public_line;
	TRY(crypto_make_key_pair(e->c, str_is(a->type, "ed25519"), &a->material, &public_line));
	TRY(check_public_key(e, public_line, &a->wish));
	return a->wish.is_ed25519 ? OK : crypto_fingerprint_private(e->c, a->material, &a->wish.fingerprint);
}

static RESULT write_made(struct ec2_call *e, const struct ec2_make_key *a, struct str private_key,
			 struct xml *x)
{
	(void) e;
	xml_text(x, "keyName", a->wish.name);
	xml_text(x, "keyFingerprint", a->wish.fingerprint);
	xml_text_opt(x, "keyMaterial", private_key);
	ec2_write_id(x, "keyPairId", KIND_KEY_PAIR, a->wish.key_pair);
	ec2_write_tags_if_any(x, a->wish.tags);
	return OK;
}

static RESULT ec2_import_key_pair(struct ec2_call *e, const void *args, struct xml *x)
{
	return write_made(e, args, STR_NONE, x);
}

static RESULT ec2_create_key_pair(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_make_key *a = args;
	return write_made(e, a, a->material, x);
}

/* ---- delete ---- */

struct ec2_delete_key {
	struct key_pair_target wish;
	struct ref name;
};
static const struct param delete_key_params[] = {
	PARAM(struct ec2_delete_key, "KeyName", name, .flags = BY_NAME, .kind = KIND_KEY_PAIR,
	      .doc = "Key pair by name."),
	PARAM(struct ec2_delete_key, "KeyPairId", wish.key_pair, .kind = KIND_KEY_PAIR,
	      .doc = "Key pair by id, instead of its name."),
};

static RESULT prepare_delete(struct ec2_call *e, void *args)
{
	struct ec2_delete_key *a = args;
	if (a->wish.key_pair.kind == KIND_NONE)
		a->wish.key_pair = a->name;
	if (a->wish.key_pair.kind == KIND_NONE)
		return ctx_fail_field(e->c, ERR_MISSING, STR("KeyName"),
				      "The request must contain the parameter keyName or keyPairId");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeKeyPairs"), .args = PARAMS(struct ec2_describe_keys, describe_keys_params),
	 .list = &key_listing, .doc = "Lists the account's key pairs."},
	{EC2_ACTION("ImportKeyPair"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_make_key, import_key_params), .prepare = prepare_import,
	 EC2_TAGS(struct ec2_make_key, "key-pair"), .operation = engine_create_key_pair_run,
	 .answer = ec2_import_key_pair, .doc = "Imports a public key."},
	{EC2_ACTION("CreateKeyPair"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_make_key, create_key_params), .prepare = prepare_create,
	 EC2_TAGS(struct ec2_make_key, "key-pair"), .operation = engine_create_key_pair_run, .work = make_key,
	 .answer = ec2_create_key_pair, .doc = "Creates a key pair. The private key is shown once."},
	{EC2_ACTION("DeleteKeyPair"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_delete_key, delete_key_params), .prepare = prepare_delete,
	 .operation = engine_delete_key_pair_run, .doc = "Deletes a key pair. Instances keep the key."},
};
const struct api_actions ec2_key_actions = API_ACTIONS(actions);
