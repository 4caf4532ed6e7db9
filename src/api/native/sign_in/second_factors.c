/* SPDX-License-Identifier: Apache-2.0
 * Second factors of a user: listing, TOTP enrolment and confirmation (passkeys.c registers passkeys). Only
 * the answer to the enrolment shows the secret. Administrators can list and delete factors of others, for a
 * lost telephone.
 */
#include "api/native/sign_in/session.h"
#include "api/native/write.h"

#include "auth/key/key.h"
#include "auth/sign_in/otp.h"
#include "base/clock.h"
#include "base/random.h"
#include "engine/people/credential/second_factor.h"
#include "engine/people/user_owned.h"
#include "engine/resolve.h"
#include "store/second_factor.h"
#include "store/user.h"

static void write_factor(struct json_writer *w, const struct second_factor *f)
{
	json_write_uuid(w, "id", f->row.id);
	json_write_uuid(w, "user", f->user);
	json_write_z(w, "type", f->type == SECOND_FACTOR_TYPE_TOTP ? "totp" : "passkey");
	json_write_text(w, "name", f->name);
	json_write_bool(w, "confirmed", f->confirmed);
	if (f->type == SECOND_FACTOR_TYPE_TOTP)
		json_write_int(w, "recovery_left", (int64_t) (f->recovery.n / SHA256_SIZE));
	if (f->rp.n)
		json_write_text(w, "host", f->rp);
	json_write_int(w, "created_us", f->row.created_us);
	if (f->used_us)
		json_write_int(w, "used_us", f->used_us);
}

void native_write_factor_item(struct native_call *e, struct json_writer *w, uuid id)
{
	const struct second_factor *f = second_factor_find(native_tables(e), id);
	json_write_int(w, "batch", (int64_t) e->view.commit);
	if (!f)
		return;
	json_write_open(w, "item");
	write_factor(w, f);
	json_write_close(w);
}

/* ---- whose there are ---- */

struct list_args {
	struct ref user;
};
static const struct param list_params[] = {
	REF(list_args, "user", user, USER, .place = IN_QUERY, .doc = "User; absent: the caller."),
};

static RESULT answer_list(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	const struct tables *t = native_tables(e);
	const struct row *row = NULL;
	struct ref own = ref_by_id(KIND_USER, e->c->who->user);
	const struct ref *user = ref_is_given(&a->user) ? &a->user : &own;
	TRY(engine_look_up_foreign(e->c, t, KIND_USER, user, &row));
	if (!uuid_equal(row->id, e->c->who->user) && !engine_is_own(e->c, KIND_USER, row))
		return engine_fail_not_found(e->c, KIND_USER, user);
	TRY(engine_look_up(e->c, t, KIND_USER, user, &row));
	TRY(engine_check_own(e->c, t, "second_factor.list", user_of(row), UUID_NONE));
	json_write_open_list(w, "items");
	for (const struct second_factor *f = second_factor_first_by_user(t, row->id); f;
	     f = second_factor_next_by_user(t, f)) {
		json_write_open(w, NULL);
		write_factor(w, f);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- an authenticator ---- */

struct totp_args {
	struct second_factor_wish wish;
	struct str secret;
};
static const struct param totp_params[] = {
	PARAM(struct totp_args, "name", wish.name, .min = 1, .max = 64, .absent = "Authenticator",
	      .doc = "Display name of the authenticator."),
};

static RESULT prepare_totp(struct native_call *e, void *args)
{
	struct totp_args *a = args;
	char *secret = arena_alloc(e->c->arena, OTP_SECRET_SIZE);
	if (!secret)
		return ctx_no_memory(e->c);
	random_bytes(secret, OTP_SECRET_SIZE);
	a->secret = (struct str){secret, OTP_SECRET_SIZE};
	a->wish.id = id_new(KIND_SECOND_FACTOR);
	a->wish.user = ref_by_id(KIND_USER, e->c->who->user);
	a->wish.type = SECOND_FACTOR_TYPE_TOTP;
	return key_seal(e->c, e->config->master_key, a->wish.id, a->secret, &a->wish.secret);
}

static RESULT answer_totp(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct totp_args *a = args;
	struct str issuer = str_print(e->c->arena, "Dari %s", e->face->region);
	native_write_factor_item(e, w, a->wish.id);
	json_write_text(w, "secret", otp_write_base32(e->c->arena, a->secret));
	json_write_text(w, "uri", otp_write_uri(e->c, issuer, e->c->who->user_name, a->secret));
	return OK;
}

struct confirm_args {
	struct second_factor_proof wish;
	struct str code;
	struct str recovery[OTP_RECOVERY_COUNT];
};
static const struct param confirm_params[] = {
	PARAM(struct confirm_args, "code", code, .max = 64, .flags = REQUIRED,
	      .doc = "Present code: six digits."),
};

static RESULT prepare_confirm(struct native_call *e, void *args)
{
	struct confirm_args *a = args;
	const struct row *row = NULL;
	struct str secret = STR_NONE;
	TRY(engine_look_up(e->c, native_tables(e), KIND_SECOND_FACTOR, &e->target, &row));
	const struct second_factor *f = second_factor_of(row);
	if (!uuid_equal(f->user, e->c->who->user) || f->type != SECOND_FACTOR_TYPE_TOTP)
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_SECOND_FACTOR,
				     "You have no authenticator of that id.");
	TRY(key_open(e->c, e->config->master_key, row->id, f->secret, &secret));
	if (!otp_check(secret, a->code, clock_now_us(), f->counter, &a->wish.counter))
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("code"),
			"This is not the code of now. The clocks of both may differ by half a minute.");
	a->wish.factor = ref_by_id(KIND_SECOND_FACTOR, row->id);
	return otp_draw_recovery(e->c, a->recovery, &a->wish.recovery);
}

static RESULT answer_confirm(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct confirm_args *a = args;
	TRY(native_note_factor(e));
	native_write_factor_item(e, w, a->wish.factor.prefix);
	json_write_open_list(w, "recovery");
	for (size_t k = 0; k < OTP_RECOVERY_COUNT; k++)
		json_write_text(w, NULL, a->recovery[k]);
	json_write_close_list(w);
	return OK;
}

static RESULT answer_batch(struct native_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	(void) native_tables(e);
	json_write_int(w, "batch", (int64_t) e->view.commit);
	return OK;
}

static const struct native_action actions[] = {
	{HTTP_GET, "/second-factors", .name = "ListSecondFactors", .permit = "iam:ListVirtualMFADevices",
	 .flags = API_FOR_ALL | NATIVE_UNSCOPED, .args = PARAMS(struct list_args, list_params),
	 .answer = answer_list, .doc = "Lists the second factors of a user."},
	{HTTP_POST, "/second-factors/totp", .permit = "iam:CreateVirtualMFADevice",
	 .flags = API_WRITES | API_FOR_ALL | NATIVE_UNSCOPED, .returns = API_RETURNS_NOTHING_STORED,
	 .args = PARAMS(struct totp_args, totp_params), .prepare = prepare_totp,
	 .operation = engine_create_second_factor_run, .answer = answer_totp, .status = 201,
	 .doc = "Creates an authenticator; the answer contains its secret, once. Sign-in requires a code "
		"only after the confirmation."},
	{HTTP_POST, "/second-factors/{id}/confirm", .permit = "iam:EnableMFADevice",
	 .kind = KIND_SECOND_FACTOR, .flags = API_WRITES | API_FOR_ALL | NATIVE_UNSCOPED,
	 .returns = API_RETURNS_NOTHING_STORED, .args = PARAMS(struct confirm_args, confirm_params),
	 .target = NATIVE_AT(confirm_args, wish.factor), .prepare = prepare_confirm,
	 .operation = engine_confirm_second_factor_run, .answer = answer_confirm,
	 .doc = "Confirms the authenticator by a code. Sign-in requires a code from then on. The answer "
		"contains the recovery codes, once."},
	{HTTP_DELETE, "/second-factors/{id}", .permit = "iam:DeactivateMFADevice", .kind = KIND_SECOND_FACTOR,
	 .flags = API_WRITES | API_FOR_ALL | NATIVE_UNSCOPED, .returns = API_RETURNS_NOTHING_STORED,
	 .args = {.size = sizeof(struct second_factor_target)},
	 .target = NATIVE_AT(second_factor_target, factor), .operation = engine_delete_second_factor_run,
	 .answer = answer_batch,
	 .doc = "Deletes a second factor: the caller's own, or for administrators any."},
};
const struct api_actions native_second_factor_actions = API_ACTIONS(actions);
