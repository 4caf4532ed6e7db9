/* SPDX-License-Identifier: Apache-2.0
 * Second factors at sign-in: TOTP codes, recovery codes and passkeys. A passkey alone also signs in if it
 * verified its user, which counts as two factors.
 */
#include "api/native/sign_in/factors.h"

#include "auth/key/key.h"
#include "auth/sign_in/otp.h"
#include "auth/sign_in/password.h"
#include "base/clock.h"
#include "store/second_factor.h"
#include "store/user.h"

/* ---- questions ---- */

RESULT factors_describe_party(struct native_call *e, uuid user, bool is_new, struct webauthn_party *ret_party)
{
	struct str host = call_header(e->call, "Host");
	size_t end = str_find_char(host, ']', 0) < host.n ? host.n : str_find_char(host, ':', 0);
	host = str_slice(host, 0, end);
	if (!webauthn_is_rp(host))
		return ctx_fail_kind(e->c, ERR_STATE, KIND_SECOND_FACTOR,
				     "A passkey is for a host's name, and this address has none: open the "
				     "console by its name.");
	*ret_party = (struct webauthn_party){
		.origin = api_base_url(&e->core), .rp = host, .user = user, .is_new = is_new};
	return ret_party->origin.p ? OK : ctx_no_memory(e->c);
}

/* Lists the user's passkeys for the host. */
static RESULT list_credentials(struct native_call *e, uuid user, struct passkey_question *q)
{
	const struct tables *t = native_tables(e);
	struct str *at = arena_new_array(e->c->arena, struct str, SECOND_FACTORS_MAX);
	if (!at)
		return ctx_no_memory(e->c);
	for (const struct second_factor *f = second_factor_first_by_user(t, user);
	     f && q->count < SECOND_FACTORS_MAX; f = second_factor_next_by_user(t, f))
		if (f->type == SECOND_FACTOR_TYPE_PASSKEY && f->confirmed && str_equal(f->rp, q->rp))
			at[q->count++] = str_encode_base64url(e->c->arena, f->credential);
	q->credentials = at;
	return OK;
}

RESULT factors_ask(struct native_call *e, uuid user, bool is_new, struct passkey_question *ret_question)
{
	struct webauthn_party party;
	uint8_t challenge[WEBAUTHN_CHALLENGE_SIZE];
	struct passkey_question q = {0};
	TRY(factors_describe_party(e, user, is_new, &party));
	webauthn_draw_challenge(e->config->master_key, &party, challenge);
	q.rp = str_copy(e->c->arena, party.rp);
	q.challenge =
		str_encode_base64url(e->c->arena, (struct str){(const char *) challenge, sizeof challenge});
	if (!uuid_is_none(user))
		TRY(list_credentials(e, user, &q));
	*ret_question = q;
	return arena_is_full(e->c->arena) ? ctx_no_memory(e->c) : OK;
}

void factors_write_question(struct json_writer *w, const struct passkey_question *q)
{
	json_write_text(w, "challenge", q->challenge);
	json_write_text(w, "rp", q->rp);
	json_write_open_list(w, "credentials");
	for (size_t k = 0; k < q->count; k++)
		json_write_text(w, NULL, q->credentials[k]);
	json_write_close_list(w);
}

/* ---- codes ---- */

/* True if digest is that of an unused recovery code. */
static bool is_recovery(const struct second_factor *f, struct str digest)
{
	for (size_t at = 0; digest.n == SHA256_SIZE && at + SHA256_SIZE <= f->recovery.n; at += SHA256_SIZE)
		if (crypto_equal(f->recovery.p + at, digest.p, SHA256_SIZE))
			return true;
	return false;
}

/* Tries the code with one authenticator. The operation checks on the committer that the code was not
 * used before. */
static RESULT try_code(struct native_call *e, struct entering *a, const struct second_factor *f)
{
	struct str secret = STR_NONE, digest = otp_digest_recovery(e->c->arena, a->totp);
	int64_t period = 0;
	TRY(key_open(e->c, e->config->master_key, f->row.id, f->secret, &secret));
	if (otp_check_drifted(secret, a->totp, clock_now_us(), f->drift, INT64_MIN, &period))
		a->used = (struct second_factor_use){.factor = f->row.id, .counter = period};
	else if (is_recovery(f, digest))
		a->used = (struct second_factor_use){.factor = f->row.id, .recovery = digest};
	return OK;
}

/* ---- passkeys ---- */

RESULT factors_decode(struct native_call *e, const char *field, struct str text, struct str *ret_bytes)
{
	if (result_is_ok(str_decode_base64url(e->c->arena, text, ret_bytes)) && ret_bytes->n)
		return OK;
	ctx_clear_problem(e->c);
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field), "%s must be base64url.", field);
}

static RESULT decode_answer(struct native_call *e, const struct passkey_texts *texts,
			    struct str *ret_credential, struct webauthn_answer *ret_answer)
{
	TRY(factors_decode(e, "credential", texts->credential, ret_credential));
	TRY(factors_decode(e, "client_data", texts->client_data, &ret_answer->client_data));
	TRY(factors_decode(e, "authenticator_data", texts->data, &ret_answer->data));
	return factors_decode(e, "signature", texts->signature, &ret_answer->signature);
}

static const struct second_factor *find_passkey(const struct tables *t, uuid user, struct str credential)
{
	const struct second_factor *f = second_factor_first_by_user(t, user);
	while (f && !(f->type == SECOND_FACTOR_TYPE_PASSKEY && f->confirmed &&
		      str_equal(f->credential, credential)))
		f = second_factor_next_by_user(t, f);
	return f;
}

/* Sets a->used if a passkey of the user signed the challenge that was issued for `asked`. */
static RESULT try_passkey(struct native_call *e, struct entering *a, uuid user, uuid asked)
{
	struct webauthn_party party;
	struct webauthn_answer answer = {0};
	struct webauthn_said said = {0};
	struct str credential = STR_NONE;
	TRY(decode_answer(e, &a->passkey, &credential, &answer));
	TRY(factors_describe_party(e, asked, false, &party));
	const struct second_factor *f = find_passkey(native_tables(e), user, credential);
	bool is_right = f && str_equal(f->rp, party.rp) &&
			result_is_ok(webauthn_read(e->c, e->config->master_key, &party, &answer, &said)) &&
			(said.is_verified || !uuid_is_none(asked)) &&
			webauthn_has_signed(f->public_key, e->c->arena, &answer);
	ctx_clear_problem(e->c); /* guessers must not learn the reason */
	if (is_right)
		a->used = (struct second_factor_use){
			.factor = f->row.id, .counter = said.counter, .asked_us = said.asked_us};
	return OK;
}

RESULT factors_take_passkey(struct native_call *e, struct entering *a)
{
	struct str handle = STR_NONE;
	uuid id = UUID_NONE;
	TRY(factors_decode(e, "user_handle", a->passkey.user, &handle));
	if (handle.n == sizeof id.b)
		memcpy(id.b, handle.p, sizeof id.b);
	const struct user *user = user_find(native_tables(e), id);
	if (user && !engine_is_user_open(native_tables(e), user))
		user = NULL;
	TRY(try_passkey(e, a, user ? user->row.id : UUID_NONE, UUID_NONE));
	if (!user || uuid_is_none(a->used.factor))
		return OK;
	a->person = user->row.id;
	a->account = uuid_is_none(user->account) ? user->default_account : user->account;
	a->is_proved = true;
	return OK;
}

/* ---- behind a password ---- */

struct had {
	bool codes, passkeys;
};

static struct had look_at_factors(struct native_call *e, uuid user)
{
	struct had had = {0};
	const struct tables *t = native_tables(e);
	for (const struct second_factor *f = second_factor_first_by_user(t, user); f;
	     f = second_factor_next_by_user(t, f)) {
		had.codes |= f->confirmed && f->type == SECOND_FACTOR_TYPE_TOTP;
		had.passkeys |= f->confirmed && f->type == SECOND_FACTOR_TYPE_PASSKEY;
	}
	return had;
}

static RESULT try_codes(struct native_call *e, struct entering *a)
{
	const struct tables *t = native_tables(e);
	for (const struct second_factor *f = second_factor_first_by_user(t, a->person); f;
	     f = second_factor_next_by_user(t, f))
		if (f->confirmed && f->type == SECOND_FACTOR_TYPE_TOTP)
			TRY(try_code(e, a, f));
	return OK;
}

/* Asks for the second factor. A host without a name cannot ask for passkeys; the page then says so. */
static RESULT ask_for_more(struct native_call *e, struct entering *a, struct had had)
{
	struct passkey_question *q = arena_new_object(e->c->arena, struct passkey_question);
	if (!q)
		return ctx_no_memory(e->c);
	a->lacks_factor = true;
	e->need = had.codes ? "totp" : "passkey";
	if (!had.passkeys)
		return OK;
	struct result asked = factors_ask(e, a->person, false, q);
	if (asked.code == ERR_STATE)
		ctx_clear_problem(e->c);
	else
		TRY(asked);
	if (q->count)
		e->question = q;
	return OK;
}

/* Checks the second factor. Wrong codes and wrong passkey answers are throttled like passwords. */
RESULT factors_check(struct native_call *e, struct entering *a)
{
	const struct login_attempt who = {a->person, e->call->peer};
	struct login_throttle *guesses = passwords_get_code_guesses(e->config->passwords);
	const struct had had = look_at_factors(e, a->person);
	bool has_factor = had.codes || had.passkeys, is_shown = a->totp.n || a->passkey.credential.n;
	bool may_try = is_shown && login_throttle_may_try(guesses, &who);
	if (may_try && a->totp.n)
		TRY(try_codes(e, a));
	else if (may_try && has_factor)
		TRY(try_passkey(e, a, a->person, a->person));
	bool is_right = !uuid_is_none(a->used.factor);
	if (may_try && has_factor)
		login_throttle_note(guesses, &who, is_right);
	if (has_factor && !is_shown)
		TRY(ask_for_more(e, a, had));
	a->is_proved = !has_factor || is_right;
	e->skips_operation = !is_right;
	return OK;
}
