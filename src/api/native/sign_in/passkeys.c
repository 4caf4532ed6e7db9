/* SPDX-License-Identifier: Apache-2.0
 * Registration of passkeys (WebAuthn), and the challenge for signing in with one. Attestation is not
 * checked, since users may choose any authenticator.
 */
#include "api/native/sign_in/factors.h"
#include "api/native/sign_in/session.h"
#include "api/native/write.h"

#include "store/second_factor.h"

/* ---- a new one ---- */

static RESULT answer_question(struct native_call *e, const void *args, struct json_writer *w)
{
	struct passkey_question q = {0};
	const uuid user = e->c->who->user;
	(void) args;
	TRY(factors_ask(e, user, true, &q));
	factors_write_question(w, &q);
	json_write_open(w, "user");
	json_write_text(
		w, "handle",
		str_encode_base64url(e->c->arena, (struct str){(const char *) user.b, sizeof user.b}));
	json_write_text(w, "name", e->c->who->user_name);
	json_write_close(w);
	return OK;
}

struct make_args {
	struct second_factor_wish wish;
	struct str client_data, data, key;
};
#define M(name, member, ...) PARAM(struct make_args, name, member, __VA_ARGS__)
static const struct param make_params[] = {
	M("name", wish.name, .min = 1, .max = 64, .absent = "Passkey", .doc = "Display name of the passkey."),
	M("client_data", client_data, .max = 5500, .flags = REQUIRED,
	  .doc = "clientDataJSON of the browser, in base64url."),
	M("authenticator_data", data, .max = 5500, .flags = REQUIRED,
	  .doc = "getAuthenticatorData() of the authenticator, in base64url."),
	M("public_key", key, .max = 1400, .flags = REQUIRED,
	  .doc = "Public key in base64url, from getPublicKey(); ES256 (-7) or RS256 (-257)."),
};

static RESULT prepare_make(struct native_call *e, void *args)
{
	struct make_args *a = args;
	struct webauthn_party party;
	struct webauthn_answer answer = {0};
	struct webauthn_said said = {0};
	TRY(factors_decode(e, "client_data", a->client_data, &answer.client_data));
	TRY(factors_decode(e, "authenticator_data", a->data, &answer.data));
	TRY(factors_decode(e, "public_key", a->key, &a->wish.public_key));
	TRY(factors_describe_party(e, e->c->who->user, true, &party));
	TRY(webauthn_read(e->c, e->config->master_key, &party, &answer, &said));
	if (!webauthn_is_key(a->wish.public_key))
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("public_key"),
			"The passkey's key is neither of P-256 nor of RSA with 2048 to 4096 bits.");
	a->wish.id = id_new(KIND_SECOND_FACTOR);
	a->wish.user = ref_by_id(KIND_USER, e->c->who->user);
	a->wish.type = SECOND_FACTOR_TYPE_PASSKEY;
	a->wish.credential = said.credential;
	a->wish.counter = said.counter;
	a->wish.rp = str_copy(e->c->arena, party.rp);
	a->wish.is_confirmed = true;
	return OK;
}

static RESULT answer_make(struct native_call *e, const void *args, struct json_writer *w)
{
	TRY(native_note_factor(e));
	native_write_factor_item(e, w, ((const struct make_args *) args)->wish.id);
	return OK;
}

/* ---- signing in with one alone ---- */

static RESULT prepare_ask(struct native_call *e, void *args)
{
	(void) args;
	return native_check_page(e);
}

static RESULT answer_ask(struct native_call *e, const void *args, struct json_writer *w)
{
	struct passkey_question q = {0};
	(void) args;
	TRY(factors_ask(e, UUID_NONE, false, &q));
	factors_write_question(w, &q);
	return OK;
}

static const struct native_action actions[] = {
	{HTTP_GET, "/second-factors/passkey", .name = "AskForPasskey", .permit = "iam:ListVirtualMFADevices",
	 .flags = API_FOR_ALL | NATIVE_UNSCOPED, .answer = answer_question,
	 .doc = "Returns the options for creating a passkey of the caller: a challenge, valid for five "
		"minutes."},
	{HTTP_POST, "/second-factors/passkey", .permit = "iam:CreateVirtualMFADevice",
	 .flags = API_WRITES | API_FOR_ALL | NATIVE_UNSCOPED, .returns = API_RETURNS_NOTHING_STORED,
	 .args = PARAMS(struct make_args, make_params), .prepare = prepare_make,
	 .operation = engine_create_second_factor_run, .answer = answer_make, .status = 201,
	 .doc = "Registers a passkey that a browser created. Sign-in requires it afterwards."},
	{HTTP_GET, "/session/passkey", .name = "AskPasskey", .permit = "dari:AskPasskey",
	 .flags = API_OPEN | API_FOR_ALL | NATIVE_UNSCOPED, .prepare = prepare_ask, .answer = answer_ask,
	 .doc = "Returns the options for signing in with a passkey alone."},
};
const struct api_actions native_passkey_actions = API_ACTIONS(actions);
