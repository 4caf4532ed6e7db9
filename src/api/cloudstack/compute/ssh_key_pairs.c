/* SPDX-License-Identifier: Apache-2.0
 * SSH key pairs. Keys are generated on a lane; the private key is only in the answer.
 */
#include "api/cloudstack/core/action.h"
#include "api/cloudstack/region/annotations.h"
#include "base/crypto.h"
#include "engine/instance/key_pair.h"
#include "engine/resolve.h"
#include "model/key_pair.h"

struct list_keys {
	struct cs_list_args list;
	struct str fingerprint;
	struct ref project;
};
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_keys, KIND_KEY_PAIR),
	CS_NAME_PARAM(struct list_keys),
	CS_OWNER_PARAMS(struct list_keys),
	CS_PROJECT_PARAM(struct list_keys, project),
	PARAM(struct list_keys, "fingerprint", fingerprint, .doc = "Fingerprint of the key."),
};

/* MD5 of the key in hexadecimal with colons, even where EC2 has another fingerprint: clients compare it
 * with their own. */
static struct str get_fingerprint(struct api_call *e, const struct row *row)
{
	enum { SIZE = 16 };
	struct str rest = key_pair_of(row)->public_key, part = STR_NONE, key = STR_NONE;
	uint8_t sum[SIZE];
	char *p = arena_alloc(e->c->arena, 3 * SIZE);
	for (int k = 0; k < 2; k++)
		(void) str_split_next(&rest, ' ', &part);
	if (!p || !result_is_ok(str_decode_base64(e->c->arena, part, &key)))
		return STR_NONE;
	crypto_md5(key, sum);
	for (size_t k = 0; k < SIZE; k++)
		(void) snprintf(p + 3 * k, 4, k + 1 < SIZE ? "%02x:" : "%02x", sum[k]);
	return (struct str){p, 3 * SIZE - 1};
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	struct str wanted = ((const struct list_keys *) args)->fingerprint;
	return !wanted.n || str_equal(get_fingerprint(e, row), wanted);
}

static const struct member members[] = {
	CS_HAS_ANNOTATIONS,
	MEMBER(struct key_pair, "id", row.id),
	MEMBER(struct key_pair, "name", name),
	CS_OWNER_MEMBERS(key_pair),
	MEMBER_TEXT("fingerprint", get_fingerprint),
};
static const struct api_listing keys =
	CS_LISTING(KIND_KEY_PAIR, "sshkeypair", members, .name = offsetof(struct key_pair, name),
		   .is_by_name = true, .matches = matches);

struct make_key {
	struct key_pair_wish wish;
	struct cs_owner owner;
	struct str material; /* the given public key, or the generated private key */
};
#define NAME                                                                                                 \
	PARAM(struct make_key, "name", wish.name, .flags = REQUIRED, .min = 1, .max = 255,                   \
	      .doc = "Name; unique in the account.")
static const struct param create_params[] = {NAME, CS_FOR_PARAMS(struct make_key, owner)};
static const struct param register_params[] = {
	NAME,
	CS_FOR_PARAMS(struct make_key, owner),
	PARAM(struct make_key, "publickey", material, .flags = REQUIRED, .max = 5120,
	      .doc = "Public key as an OpenSSH line."),
};

static RESULT take_key(struct cs_call *e, struct str line, struct key_pair_wish *wish)
{
	return crypto_check_public_key(e->c, line, &wish->public_key, &wish->fingerprint, &wish->is_ed25519);
}

static RESULT prepare_register(struct cs_call *e, void *args)
{
	struct make_key *a = args;
	struct result result = take_key(e, a->material, &a->wish);
	if (result.code != ERR_INVALID)
		return result;
	ctx_clear_problem(e->c);
	return cs_fail(e, "publickey", "Public key is invalid");
}

static RESULT prepare_create(struct cs_call *e, void *args)
{
	(void) args;
	e->lane = e->config->key_lane;
	e->asker = e->c->who->account;
	return OK;
}

static RESULT draw_key(struct work_item *w)
{
	struct cs_call *e = w->arg;
	struct make_key *a = e->args;
	struct str line;
	TRY(crypto_make_key_pair(e->c, false, &a->material, &line));
	return take_key(e, line, &a->wish);
}

static RESULT show_made(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct make_key *a = args;
	const struct row *row = NULL;
	TRY(cs_find_returned(e, a->wish.key_pair, &row));
	json_write_open(w, "keypair");
	members_write(&e->core, w, cs_write_time, &keys.members, row);
	json_write_text(w, "privatekey", a->material);
	json_write_close(w);
	return OK;
}

struct drop_key {
	struct key_pair_target wish;
	struct cs_owner owner;
};
static const struct param delete_params[] = {
	PARAM(struct drop_key, "name", wish.key_pair, .flags = REQUIRED | BY_NAME, .kind = KIND_KEY_PAIR,
	      .doc = "Name."),
	CS_FOR_PARAMS(struct drop_key, owner),
};

static const struct cs_action actions[] = {
	{CS_ACTION("listSSHKeyPairs", "ec2:DescribeKeyPairs"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_keys, list_params), .listing = &keys, .doc = "Lists SSH key pairs."},
	{CS_ACTION("createSSHKeyPair", "ec2:CreateKeyPair"), .flags = API_WRITES | CS_OF_ACCOUNT,
	 .args = PARAMS(struct make_key, create_params), .prepare = prepare_create, .work = draw_key,
	 .operation = engine_create_key_pair_run, .returns = KIND_KEY_PAIR, .answer = show_made,
	 .says = "id|name|account|domainid|domain|fingerprint|privatekey", .doc = "Creates an SSH key pair."},
	{CS_ACTION("registerSSHKeyPair", "ec2:ImportKeyPair"), .flags = API_WRITES | CS_OF_ACCOUNT,
	 .args = PARAMS(struct make_key, register_params), .prepare = prepare_register,
	 .operation = engine_create_key_pair_run, .returns = KIND_KEY_PAIR,
	 CS_SUBJECT(struct make_key, wish.key_pair), .shows = &keys, .item = "keypair",
	 .doc = "Registers a public key."},
	{CS_ACTION("deleteSSHKeyPair", "ec2:DeleteKeyPair"), .flags = API_WRITES | CS_OF_ACCOUNT,
	 .args = PARAMS(struct drop_key, delete_params), .sets = {API_SETS(struct drop_key, wish.must_exist)},
	 .operation = engine_delete_key_pair_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes an SSH key pair."},
};
const struct api_actions cs_key_pair_actions = API_ACTIONS(actions);
