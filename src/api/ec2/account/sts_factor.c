/* SPDX-License-Identifier: Apache-2.0
 * STS: codes of MFA devices. Codes have six digits, so a thief of a key could guess one: an address that sends five
 * wrong codes is locked out for a while. */
#include "api/ec2/account/sts_factor.h"

#include "auth/key/key.h"
#include "auth/sign_in/login.h"
#include "auth/sign_in/login_throttle.h"
#include "auth/sign_in/otp.h"
#include "base/clock.h"
#include "engine/people/credential/mfa_serial.h"
#include "store/second_factor.h"

#define INVALID_CODE "MultiFactorAuthentication failed with invalid MFA one time pass code. "

static const struct second_factor *find_factor(struct ec2_call *e, struct str serial)
{
	const struct tables *t = ec2_tables(e);
	const struct second_factor *f = second_factor_first_by_user(t, e->c->who->user);
	while (f && !(f->confirmed && f->type == SECOND_FACTOR_TYPE_TOTP &&
		      str_equal(mfa_serial_write(e->c->arena, t, e->c->who->account_number, f), serial)))
		f = second_factor_next_by_user(t, f);
	return f;
}

/* The throttle counts this door apart from the console's, whose codes are tried behind a password: whoever has a key alone
 * cannot use up its owner's attempts there. */
static uuid name_door(uuid user)
{
	user.b[sizeof user.b - 1] ^= 0xff;
	return user;
}

static RESULT check_code(struct ec2_call *e, struct sts_factor *a, const struct second_factor *f)
{
	const struct login_attempt who = {name_door(e->c->who->user), e->call->peer};
	struct login_throttle *guesses = passwords_get_code_guesses(e->config->passwords);
	struct str secret = STR_NONE;
	int64_t period = 0;
	TRY(key_open(e->c, e->config->master_key, f->row.id, f->secret, &secret));
	bool may_try = login_throttle_may_try(guesses, &who);
	bool is_right =
		may_try && otp_check_drifted(secret, a->code, clock_now_us(), f->drift, f->counter, &period);
	if (may_try)
		login_throttle_note(guesses, &who, is_right);
	if (!is_right)
		return ctx_fail(e->c, ERR_DENIED, INVALID_CODE);
	a->use = (struct second_factor_use){.factor = f->row.id, .counter = period};
	return OK;
}

RESULT sts_check_factor(struct ec2_call *e, struct sts_factor *a)
{
	e->skips_operation = !a->serial.n && !a->code.n;
	if (e->skips_operation)
		return OK;
	if (!a->serial.n || !a->code.n)
		return ctx_fail(
			e->c, ERR_DENIED,
			"MultiFactorAuthentication failed, must provide both MFA serial number and one time "
			"pass code.");
	const struct second_factor *f =
		uuid_is_none(e->c->who->user) || !e->config->passwords ? NULL : find_factor(e, a->serial);
	if (!f)
		return ctx_fail(
			e->c, ERR_DENIED,
			"MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your "
			"MFA serial number is valid and associated with this user.");
	return check_code(e, a, f);
}
