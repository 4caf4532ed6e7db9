/* SPDX-License-Identifier: Apache-2.0
 * People who open an account by themselves, by a template that an administrator has opened: nobody can where there is none.
 *
 *   asked      somebody gave an address. A webhook is told, with a token, and has it sent there.
 *   held       the token came back, and the template is reviewed: the account is there, and makes nothing yet
 *   confirmed  the account is on trial, with the template's smaller quotas; its first payment ends that
 *   refused    an administrator said so: nobody gets in
 *
 * Before the address is confirmed there is a row of a sign-up, and nothing else: a stranger takes no name and makes no user.
 * A known address is answered like any other; the webhook says which it is. */
#pragma once

#include "engine/operation.h"

enum {
	SIGNUPS_MAX = 10000,     /* that wait, or are kept */
	SIGNUPS_OF_NET_MAX = 10, /* an hour, from a /24 of IPv4 or a /48 of IPv6 */
	SIGNUPS_OF_EMAIL_MAX = 3 /* a day; more are answered, and nobody is told */
};
#define SIGNUP_LIFETIME_US (24 * HOUR)  /* of a token */
#define SIGNUP_KEPT_US (90 * 24 * HOUR) /* of one that is over */

/* ---- templates: for administrators ---- */

/* Makes it, or changes the one of that name; what is not said stays. */
struct signup_template_wish {
	struct str name; /* letters, digits, '-', '_' and '.' */
	const struct str *description;
	enum choice open, reviewed, prepaid;
	struct ref reseller; /* with the text "none" nobody's */
	struct tags trial_limits, limits;
	bool has_trial_limits, has_limits;
	/* made: */
	uuid id;
};
OPERATION(engine_put_signup_template, signup_template_wish)

/* ERR_IN_USE: somebody signs up by it. */
struct signup_template_target {
	struct ref signup_template;
};
OPERATION(engine_delete_signup_template, signup_template_target)

/* ---- signing up: for strangers ---- */

/* ERR_NOT_FOUND: there is no such template, or it is closed. ERR_THROTTLED: too many came from there. */
struct signup_wish {
	struct str email, template_name; /* the latter empty: the only one that is open */
	struct ip peer;
	/* made: */
	uuid id;
};
OPERATION(engine_ask_signup, signup_wish)

/* Makes domain, account and user. ERR_STATE: it was used, or is too old. ERR_EXISTS: the name is taken. */
struct signup_proof {
	uuid signup; /* that the token was of */
	struct str name, password_hash;
	/* made: */
	uuid domain, account;
	struct str number;
	bool is_held;
};
OPERATION(engine_confirm_signup, signup_proof)

/* ---- reviews: for administrators ---- */

/* ERR_STATE: it is not held. */
struct signup_review {
	struct ref signup;
	struct str reason;
};
OPERATION(engine_accept_signup, signup_review)
OPERATION(engine_refuse_signup, signup_review)

/* A domain's trial ends: its account gets the template's further quotas. One that is on none: nothing happens. */
struct domain;
RESULT signup_end_trial(struct op *op, const struct domain *domain);

/* At most so many that are over go. */
struct signup_sweep {
	size_t max;
};
OPERATION(engine_sweep_signups, signup_sweep)

/* ---- tokens ---- */

/* Of the master key (MASTER_KEY_SIZE bytes) and the row's id: none is kept anywhere. In c's arena. */
RESULT signup_write_token(struct ctx *c, const uint8_t *master_key, uuid signup, struct str *ret_token);
/* False: it is not ours. */
bool signup_read_token(struct ctx *c, const uint8_t *master_key, struct str token, uuid *ret_signup);
