/* SPDX-License-Identifier: Apache-2.0
 * Private to signin/: who signs in, by what they bring. */
#pragma once

#include "api/azure/core/action.h"
#include "auth/sign_in/login.h"

/* A person who signs in by name and password. */
struct az_person {
	struct str username, password; /* "carol", "carol@acme" */
	uuid tenant;                   /* wanted; none: any, then theirs */
	struct login login;            /* found in prepare */
	uuid user; /* none: there is none, they may not sign in, or a directory has them until the work */
	bool is_right;
	bool has_session; /* a console session proves who it is: there is no password */
};

/* Fails unless the value is there, in words that name the parameter. */
RESULT signin_require(struct az_call *e, struct str value, const char *name);
/* The path's tenant; none: any. ERR_INVALID: there is no such. */
RESULT signin_find_tenant(struct az_call *e, uuid *ret_tenant);
/* The person of the console's session in this browser, however they signed in there: sets user, tenant and username. Closes the view.
 * False: there is no session of a person of that tenant. */
bool signin_find_session(struct az_call *e, struct az_person *person);
/* In prepare: likewise, for a form that was sent from our own page. ERR_UNAUTHENTICATED. */
RESULT signin_use_session(struct az_call *e, struct az_person *person);
/* In prepare: whose password it would be. ERR_THROTTLED. */
RESULT signin_find_person(struct az_call *e, struct az_person *person);
/* In work: whether it is theirs; guesses are counted. */
void signin_try_password(struct az_call *e, struct az_person *person);
/* In answers: whether who guessed right may still get in, with that password. ERR_UNAUTHENTICATED. */
RESULT signin_check_person(struct az_call *e, const struct az_person *person);
/* ERR_UNAUTHENTICATED: name or password are wrong. */
RESULT signin_refuse_person(struct az_call *e);
/* Fails with that code of RFC 6749's, 400. */
RESULT signin_refuse_grant(struct az_call *e, const struct api_error *error, const char *message);
extern const struct api_error signin_wrong_grant;
