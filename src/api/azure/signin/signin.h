/* SPDX-License-Identifier: Apache-2.0
 * Private to signin/: authenticates a person by password or by a session of the console. */
#pragma once

#include "api/azure/core/action.h"
#include "auth/sign_in/login.h"

/* A person who signs in by name and password. */
struct az_person {
	struct str username, password; /* "carol", "carol@acme" */
	uuid tenant;                   /* requested tenant; none: any, then the person's own */
	struct login login;            /* found in prepare */
	uuid user; /* none: unknown name, sign-in disabled, or a directory's user before the work */
	bool is_right;
	bool has_session; /* a console session authenticates the person: there is no password */
};

/* Fails if the value is empty; the message names the parameter. */
RESULT signin_require(struct az_call *e, struct str value, const char *name);
/* Tenant in the path; none: any. ERR_INVALID: no such tenant. */
RESULT signin_find_tenant(struct az_call *e, uuid *ret_tenant);
/* Finds the console session of this browser, however its person signed in: sets user, tenant and username. Closes the view. False: no
 * session of a person of that tenant. */
bool signin_find_session(struct az_call *e, struct az_person *person);
/* Does the same as signin_find_session(), in prepare, for a form that one of our own pages sent. ERR_UNAUTHENTICATED. */
RESULT signin_use_session(struct az_call *e, struct az_person *person);
/* Finds the person by name, in prepare. ERR_THROTTLED: too many failed attempts. */
RESULT signin_find_person(struct az_call *e, struct az_person *person);
/* Verifies the password, in work, and counts failed attempts. Sets is_right. */
void signin_try_password(struct az_call *e, struct az_person *person);
/* In answers: whether who guessed right may still get in, with that password. ERR_UNAUTHENTICATED. */
RESULT signin_check_person(struct az_call *e, const struct az_person *person);
/* ERR_UNAUTHENTICATED: the name or password is wrong. */
RESULT signin_refuse_person(struct az_call *e);
/* Fails with that code of RFC 6749's, 400. */
RESULT signin_refuse_grant(struct az_call *e, const struct api_error *error, const char *message);
extern const struct api_error signin_wrong_grant;
