/* SPDX-License-Identifier: Apache-2.0
 * Second factors: registration, confirmation and recorded uses. Rows only. */
#include "engine/people/credential/second_factor_internal.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/user_owned.h"
#include "store/mfa_device.h"
#include "store/second_factor.h"
#include "store/user.h"

static RESULT check_new(struct op *op, uuid user, struct str credential)
{
	const struct second_factor *f = credential.n ? second_factor_first_by_user(op->head, user) : NULL;
	for (; f; f = second_factor_next_by_user(op->head, f))
		if (str_equal(f->credential, credential))
			return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_SECOND_FACTOR,
					     "This passkey is a second factor of the user's already.");
	return OK;
}

/* True if a factor that the user has now was there when temporary credentials were taken, so that those of a lost device
 * change nothing once it is gone. Times of credentials are whole seconds. */
static bool outlives(struct op *op, const struct user *user, int64_t factor_us)
{
	const struct second_factor *f = second_factor_first_by_user(op->head, user->row.id);
	while (f && !(f->confirmed && f->row.created_us < factor_us + SECOND))
		f = second_factor_next_by_user(op->head, f);
	return f;
}

/* An access key, or a token from a password alone, must not be able to lock the owner out of the console or
 * to replace a factor. engine_permit_own() has checked that only administrators change other users'
 * factors. An account's own user without a password cannot be locked out, and has asked by a policy of the account that
 * allows it, so its first factor needs no session. AWS lets an access key enable the
 * first factor of its user even if that user has a password. */
RESULT second_factor_check_proof(struct op *op, const struct user *user)
{
	const struct identity *who = op->ctx->who;
	const struct second_factor *f = second_factor_first_by_user(op->head, user->row.id);
	if (!who || who->is_operator || !uuid_equal(user->row.id, who->user))
		return OK;
	while (f && !f->confirmed)
		f = second_factor_next_by_user(op->head, f);
	bool is_proved =
		f ? who->proof == PROOF_BY_FACTOR && (!who->session || outlives(op, user, who->factor_us))
		  : who->proof >= PROOF_IN_SESSION || (uuid_is_none(user->domain) && !user->password_hash.n);
	if (is_proved)
		return OK;
	return ctx_fail_kind(
		op->ctx, ERR_DENIED, KIND_SECOND_FACTOR,
		f ? "Sign in to the console with one of your second factors to change them, take a session "
		    "with a code of it (sts:GetSessionToken), or ask an administrator."
		  : "Sign in to the console to make a second factor, or ask an administrator: neither an "
		    "access key nor a token may.");
}

RESULT second_factor_add(struct op *op, const struct user *user, const struct second_factor_wish *wish)
{
	struct second_factor factor = {.row.id = wish->id,
				       .row.gen = 1,
				       .user = user->row.id,
				       .type = wish->type,
				       .name = wish->name,
				       .secret = wish->secret,
				       .credential = wish->credential,
				       .public_key = wish->public_key,
				       .rp = wish->rp,
				       .counter = wish->counter,
				       .drift = wish->drift,
				       .confirmed = wish->is_confirmed};
	TRY(engine_check_name(op, KIND_SECOND_FACTOR, wish->name));
	TRY(check_new(op, user->row.id, wish->credential));
	TRY(limit_check(op, LIMIT_SECOND_FACTORS, user->row.id, 1, STR_NONE));
	TRY(second_factor_put(op, &factor));
	TRY(op_name(op, KIND_SECOND_FACTOR, &factor.row));
	return engine_log_event(op, KIND_USER, &user->row, "second factor made", "%" STR_FMT ".",
				STR_ARG(factor.name));
}

RESULT engine_create_second_factor(struct op *op, struct second_factor_wish *wish)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_USER, &wish->user, &row));
	const struct user *user = user_of(row);
	TRY(engine_permit_own(op, "second_factor.create", user, UUID_NONE));
	TRY(second_factor_check_proof(op, user));
	return second_factor_add(op, user, wish);
}

/* ---- forgetting ---- */

RESULT second_factor_forget_whole(struct op *op, uuid factor)
{
	const struct mfa_device *device = mfa_device_first_by_second_factor(op->head, factor);
	if (device) {
		struct mfa_device next = *device;
		next.second_factor = UUID_NONE;
		next.counter = second_factor_find(op->head, factor)->counter;
		next.row.gen++;
		TRY(mfa_device_put(op, &next));
	}
	return second_factor_forget(op, factor);
}

RESULT second_factor_forget_of_user(struct op *op, uuid user)
{
	const struct second_factor *f = NULL;
	while ((f = second_factor_first_by_user(op->head, user)))
		TRY(second_factor_forget_whole(op, f->row.id));
	return OK;
}

/* ---- one that is there ---- */

static RESULT find(struct op *op, const struct ref *ref, const char *permission,
		   const struct second_factor **ret_factor)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_SECOND_FACTOR, ref, &row));
	const struct second_factor *factor = second_factor_of(row);
	const struct user *user = user_find(op->head, factor->user);
	if (!user)
		return engine_fail_gone(op->ctx, KIND_SECOND_FACTOR, row->id);
	TRY(engine_permit_own(op, permission, user, UUID_NONE));
	TRY(second_factor_check_proof(op, user));
	*ret_factor = factor;
	return op_name(op, KIND_SECOND_FACTOR, row);
}

RESULT engine_confirm_second_factor(struct op *op, struct second_factor_proof *wish)
{
	const struct second_factor *factor = NULL;
	TRY(find(op, &wish->factor, "second_factor.confirm", &factor));
	if (factor->confirmed)
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_SECOND_FACTOR, "It is confirmed already.");
	struct second_factor next = *factor;
	next.confirmed = true;
	next.counter = wish->counter;
	next.recovery = wish->recovery;
	next.row.gen++;
	TRY(second_factor_put(op, &next));
	return engine_log_event(op, KIND_USER, &user_find(op->head, next.user)->row,
				"second factor confirmed", "%" STR_FMT " is asked for from now on.",
				STR_ARG(next.name));
}

/* Removes the used digest from the list. False: not found. */
static bool take_recovery(struct op *op, struct second_factor *next, struct str used)
{
	struct str left = next->recovery;
	for (size_t at = 0; used.n == SHA256_SIZE && at + SHA256_SIZE <= left.n; at += SHA256_SIZE) {
		if (!crypto_equal(left.p + at, used.p, SHA256_SIZE))
			continue;
		const struct str parts[] = {str_slice(left, 0, at),
					    str_slice(left, at + SHA256_SIZE, left.n)};
		next->recovery = str_join(op->ctx->arena, parts, sizeof parts / sizeof *parts);
		return true;
	}
	return false;
}

/* A challenge can be answered once, so challenges sent before the last use are void. A counter that does not
 * grow may mean a cloned authenticator; some authenticators have no counter. */
static bool is_answered_once(const struct second_factor *f, const struct second_factor_use *use)
{
	return use->asked_us > f->used_us && (use->counter > f->counter || (!use->counter && !f->counter));
}

RESULT engine_use_second_factor(struct op *op, struct second_factor_use *wish)
{
	const struct second_factor *factor = second_factor_find(op->head, wish->factor);
	if (uuid_is_none(wish->factor))
		return OK;
	struct second_factor next = factor ? *factor : (struct second_factor){0};
	bool is_good = factor && factor->confirmed &&
		       (factor->type == SECOND_FACTOR_TYPE_PASSKEY ? is_answered_once(factor, wish)
			: wish->recovery.n                         ? take_recovery(op, &next, wish->recovery)
								   : wish->counter > factor->counter);
	if (!is_good)
		return ctx_fail_kind(
			op->ctx, ERR_UNAUTHENTICATED, KIND_SECOND_FACTOR,
			factor && factor->type == SECOND_FACTOR_TYPE_PASSKEY
				? "The passkey's answer was used before, or its counter went back."
				: "The code was used before.");
	if (!wish->recovery.n)
		next.counter = wish->counter;
	next.used_us = op->now_us;
	/* Signing in: a used code is spent. */
	engine_need_no_permission(op);
	return second_factor_put(op, &next);
}

RESULT engine_delete_second_factor(struct op *op, struct second_factor_target *wish)
{
	const struct second_factor *factor = NULL;
	TRY(find(op, &wish->factor, "second_factor.delete", &factor));
	TRY(engine_log_event(op, KIND_USER, &user_find(op->head, factor->user)->row, "second factor deleted",
			     "%" STR_FMT ".", STR_ARG(factor->name)));
	return second_factor_forget_whole(op, factor->row.id);
}

RESULT engine_resync_second_factor(struct op *op, struct second_factor_clock *wish)
{
	const struct second_factor *factor = NULL;
	TRY(find(op, &wish->factor, "second_factor.resync", &factor));
	/* A code is good once, also those of an hour ago that show a clock. */
	if (factor->type != SECOND_FACTOR_TYPE_TOTP || wish->counter <= factor->counter)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_SECOND_FACTOR, SECOND_FACTOR_BAD_CODE);
	struct second_factor next = *factor;
	next.counter = wish->counter;
	next.drift = wish->drift;
	next.row.gen++;
	TRY(second_factor_put(op, &next));
	return engine_log_event(op, KIND_USER, &user_find(op->head, next.user)->row, "second factor changed",
				"The clock of %" STR_FMT " was set.", STR_ARG(next.name));
}
