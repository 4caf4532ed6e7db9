/* SPDX-License-Identifier: Apache-2.0
 * SSH public keys: the account's key pairs. A resource without a key waits for generateKeyPair or a PUT with
 * one; machines cannot use it before. Source: Azure REST API reference, "SSH Public Keys", 2022-08-01.
 */
#include "api/azure/compute/compute.h"

#include "base/crypto.h"
#include "engine/instance/key_pair.h"
#include "engine/tag.h"
#include "store/key_pair.h"

static const struct member members[] = {
	AZ_HEAD,
	MEMBER_WITH("properties", MEMBER(struct key_pair, "publicKey", public_key, .is_optional = true)),
};
static const struct api_listing keys = {
	.kind = KIND_KEY_PAIR, .item = "value", .matches = az_matches, .members = MEMBERS(members)};

struct key_says {
	struct str line;
};
struct key_args {
	struct key_says properties;
	struct key_pair_wish make;
	struct key_pair_filling fill;
	bool is_new;
	uuid id;
};
static const struct param property_rows[] = {
	PARAM(struct key_says, "publicKey", line, .max = 16384, .doc = "Public key in OpenSSH format."),
};
static const struct params property_params =
	PARAMS(struct key_says, property_rows, .object = "SshPublicKeyResourceProperties");
static const struct param put_rows[] = {
	PARAM_OBJECT(struct key_args, "properties", properties, property_params, .doc = "The public key."),
	AZ_RESOURCE,
};

static RESULT prepare(struct az_call *e, void *args)
{
	static const char field[] = "properties.publicKey";
	struct key_args *a = args;
	struct str line = a->properties.line;
	const struct key_pair *before = key_pair_find(az_tables(e), e->target);
	a->id = e->target;
	a->is_new = !before;
	a->make.name = e->put.name;
	if (!line.n)
		return OK;
	if (!result_is_ok(crypto_check_public_key(e->c, line, &a->make.public_key, &a->make.fingerprint,
						  &a->make.is_ed25519))) {
		ctx_clear_problem(e->c);
		return az_fail(e, field, "The SSH public key is invalid: it is expected in OpenSSH's form.");
	}
	if (before && !before->public_key.n)
		a->fill = (struct key_pair_filling){.key_pair = az_target_ref(e),
						    .public_key = a->make.public_key,
						    .fingerprint = a->make.fingerprint,
						    .is_ed25519 = a->make.is_ed25519};
	if (!before || !before->public_key.n || str_equal(before->public_key, a->make.public_key))
		return OK;
	return az_fail_change(e, "publicKey");
}

static RESULT put(struct op *op, void *args)
{
	struct key_args *a = args;
	if (!a->is_new)
		return a->fill.public_key.n ? engine_fill_key_pair(op, &a->fill) : OK;
	TRY(engine_create_key_pair(op, &a->make));
	a->id = a->make.key_pair;
	return OK;
}

/* ---- generated ---- */

struct generate_args {
	struct key_pair_filling wish; /* first member: passed to the operation */
	struct str encryption, private_key;
};
static const struct param generate_rows[] = {
	PARAM(struct generate_args, "encryptionType", encryption, .words = "RSA|Ed25519",
	      .doc = "Type of the generated key; absent: RSA."),
};

static RESULT prepare_generate(struct az_call *e, void *args)
{
	struct generate_args *a = args;
	a->wish.key_pair = az_target_ref(e);
	e->lane = e->config->key_lane;
	e->asker = e->c->who->account;
	return OK;
}

static RESULT make_key(struct work_item *w)
{
	struct az_call *e = w->arg;
	struct generate_args *a = e->args;
	struct key_pair_filling *wish = &a->wish;
	struct str line;
	TRY(crypto_make_key_pair(e->c, str_is(a->encryption, "Ed25519"), &a->private_key, &line));
	TRY(crypto_check_public_key(e->c, line, &wish->public_key, &wish->fingerprint, &wish->is_ed25519));
	return wish->is_ed25519 ? OK : crypto_fingerprint_private(e->c, a->private_key, &wish->fingerprint);
}

static RESULT show_generated(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct generate_args *a = args;
	json_write_text(w, "privateKey", a->private_key);
	json_write_text(w, "publicKey", a->wish.public_key);
	json_write_text(w, "id", az_id_of(e, AZ_SSH_KEYS, KIND_KEY_PAIR, e->target));
	return OK;
}

struct delete_args {
	struct key_pair_target wish;
};

#define KEYS AZ_COMPUTE "/sshPublicKeys"
#define KEY AZ_GROUP KEYS "/{sshPublicKeyName}"
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION KEYS, .name = "SshPublicKeys_ListBySubscription",
	 .permit = "ec2:DescribeKeyPairs", .type = AZ_SSH_KEYS, .listing = &keys,
	 .doc = "Lists the subscription's SSH public keys."},
	{HTTP_GET, AZ_GROUP KEYS, .name = "SshPublicKeys_ListByResourceGroup",
	 .permit = "ec2:DescribeKeyPairs", .type = AZ_SSH_KEYS, .listing = &keys,
	 .doc = "Lists a resource group's SSH public keys."},
	{HTTP_GET, KEY, .name = "SshPublicKeys_Get", .permit = "ec2:DescribeKeyPairs", .type = AZ_SSH_KEYS,
	 .kind = KIND_KEY_PAIR, .names = "sshPublicKeyName", .shows = &keys,
	 .doc = "Gets one SSH public key."},
	{HTTP_PUT, KEY, .name = "SshPublicKeys_Create", .permit = "ec2:ImportKeyPair",
	 .flags = API_WRITES | AZ_PUT, .type = AZ_SSH_KEYS, .kind = KIND_KEY_PAIR,
	 .names = "sshPublicKeyName",
	 .args = PARAMS(struct key_args, put_rows, .object = "SshPublicKeyResource"), .prepare = prepare,
	 .operation = put, .returns = KIND_KEY_PAIR, AZ_SUBJECT(struct key_args, id), .shows = &keys,
	 .doc = "Creates an SSH public key resource."},
	{HTTP_PATCH, KEY, .name = "SshPublicKeys_Update", .permit = "ec2:CreateTags",
	 .flags = API_WRITES | AZ_PATCH, .type = AZ_SSH_KEYS, .kind = KIND_KEY_PAIR,
	 .names = "sshPublicKeyName", .args = {0, 0, sizeof(struct tags_wish)}, .prepare = az_prepare_tags,
	 .operation = engine_replace_tags_run, .returns = KIND_KEY_PAIR, .shows = &keys,
	 .doc = "Changes an SSH public key's tags."},
	{HTTP_POST, KEY "/generateKeyPair", .name = "SshPublicKeys_GenerateKeyPair",
	 .permit = "ec2:CreateKeyPair", .flags = API_WRITES, .type = AZ_SSH_KEYS, .kind = KIND_KEY_PAIR,
	 .names = "sshPublicKeyName",
	 .args = PARAMS(struct generate_args, generate_rows, .object = "SshGenerateKeyPairInputParameters"),
	 .prepare = prepare_generate, .work = make_key, .operation = engine_fill_key_pair_run,
	 .returns = API_RETURNS_NOTHING_STORED, .answer = show_generated,
	 .doc = "Generates a key pair, stores the public key and returns both."},
	{HTTP_DELETE, KEY, .name = "SshPublicKeys_Delete", .permit = "ec2:DeleteKeyPair", .flags = API_WRITES,
	 .type = AZ_SSH_KEYS, .kind = KIND_KEY_PAIR, .names = "sshPublicKeyName",
	 .args = {0, 0, sizeof(struct delete_args)}, AZ_TARGET(struct delete_args, wish.key_pair),
	 .operation = engine_delete_key_pair_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes an SSH public key."},
};
const struct api_actions az_ssh_key_actions = API_ACTIONS(actions);
