/* SPDX-License-Identifier: Apache-2.0
 * Self-service sign-up, by a template that an administrator has opened. Without an open template nobody can
 * sign up.
 *
 * asked: an address was entered; a webhook receives a token and has it sent to the address
 * held: the token came back, and the template requires a review; the account exists but cannot create
 * resources
 * confirmed: the account is on trial, with the template's smaller quotas, until its first payment
 * refused: an administrator refused; nobody can sign in
 *
 * Before the confirmation only the sign-up's row exists, so a stranger cannot reserve a name or create a
 * user. The answer is the same for a known address; only the webhook distinguishes it. */
#pragma once

#include "engine/operation.h"

enum {
	SIGNUPS_MAX = 10000,     /* rows in all, waiting or finished */
	SIGNUPS_OF_NET_MAX = 10, /* per hour, from an IPv4 /24 or an IPv6 /48 */
	SIGNUPS_OF_EMAIL_MAX = 3 /* per day; further requests get an answer, but no webhook */
};
#define SIGNUP_LIFETIME_US (24 * HOUR)  /* a token's lifetime */
#define SIGNUP_KEPT_US (90 * 24 * HOUR) /* retention of a finished sign-up */

/* ---- templates: administrators only ---- */

/* Creates the template with that name, or changes it; fields that are not given stay unchanged. */
struct signup_template_wish {
	struct str name; /* letters, digits, '-', '_' and '.' */
	const struct str *description;
	enum choice open, reviewed, prepaid;
	struct ref reseller; /* the text "none": no reseller */
	struct tags trial_limits, limits;
	bool has_trial_limits, has_limits;
	/* result: */
	uuid id;
};
OPERATION(engine_put_signup_template, signup_template_wish)

/* ERR_IN_USE: a sign-up uses the template. */
struct signup_template_target {
	struct ref signup_template;
};
OPERATION(engine_delete_signup_template, signup_template_target)

/* ---- sign-up: strangers ---- */

/* ERR_NOT_FOUND: there is no such template, or it is closed. ERR_THROTTLED: too many sign-ups from that
 * network. */
struct signup_wish {
	struct str email, template_name; /* template_name empty: the only open one */
	struct ip peer;
	/* result: */
	uuid id;
};
OPERATION(engine_ask_signup, signup_wish)

/* Creates domain, account and user. ERR_STATE: the token was used, or has expired. ERR_EXISTS: the name is in
 * use. */
struct signup_proof {
	uuid signup; /* from the token */
	struct str name, password_hash;
	/* results: */
	uuid domain, account;
	struct str number;
	bool is_held;
};
OPERATION(engine_confirm_signup, signup_proof)

/* ---- reviews: administrators only ---- */

/* ERR_STATE: the sign-up is not held. */
struct signup_review {
	struct ref signup;
	struct str reason;
};
OPERATION(engine_accept_signup, signup_review)
OPERATION(engine_refuse_signup, signup_review)

/* Ends a domain's trial: its account gets the template's full quotas. Does nothing for a domain without a
 * trial. */
struct domain;
RESULT signup_end_trial(struct op *op, const struct domain *domain);

/* Forgets up to `max` expired sign-ups. */
struct signup_sweep {
	size_t max;
};
SYSTEM_OPERATION(engine_sweep_signups, signup_sweep)

/* ---- tokens ---- */

/* A token is derived from the master key (MASTER_KEY_SIZE bytes) and the row's id and is not stored. In c's
 * arena. */
RESULT signup_write_token(struct ctx *c, const uint8_t *master_key, uuid signup, struct str *ret_token);
/* False: not one of our tokens. */
bool signup_read_token(struct ctx *c, const uint8_t *master_key, struct str token, uuid *ret_signup);
