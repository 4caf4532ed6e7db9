/* SPDX-License-Identifier: Apache-2.0
 * Private to api/native/: a person who signs in, with second factors and passkeys. */
#pragma once

#include "api/native/action.h"
#include "auth/sign_in/login.h"
#include "auth/sign_in/webauthn.h"
#include "engine/people/credential/password_policy.h"
#include "engine/people/credential/second_factor.h"

/* A passkey's answer from the browser; all members are base64url. */
struct passkey_texts {
	struct str credential, client_data, data, signature, user;
};
struct entering {
	struct str user, domain, password, new_password, totp, access_key, secret, ticket;
	struct passkey_texts passkey;
	/* found: */
	uuid person, account, key; /* person none: nobody */
	struct login login;        /* for a password, which the work verifies */
	struct str
		hash; /* stored hash of the password; empty: nothing to compare, or a directory verifies the password */
	bool is_proved,
		lacks_factor; /* lacks_factor: the password is right, but a second factor is required */
	enum password_standing standing;
	struct own_password renewal;   /* in work; user none: the password stays */
	struct second_factor_use used; /* in work */
};
/* Parameters of a passkey's answer, in a table of struct entering. */
#define PASSKEY_PARAMS                                                                                       \
	PARAM(struct entering, "credential", passkey.credential, .max = 1400,                                \
	      .doc = "Id of the passkey, instead of a password; like all passkey members in base64url."),    \
		PARAM(struct entering, "client_data", passkey.client_data, .max = 5500,                      \
		      .doc = "clientDataJSON of the browser."),                                              \
		PARAM(struct entering, "authenticator_data", passkey.data, .max = 5500,                      \
		      .doc = "Authenticator data."),                                                         \
		PARAM(struct entering, "signature", passkey.signature, .max = 1400,                          \
		      .doc = "Signature of the authenticator."),                                             \
		PARAM(struct entering, "user_handle", passkey.user, .max = 64,                               \
		      .doc = "User handle of the passkey, if no user is named.")

/* Challenge with which a page asks for a passkey. */
struct passkey_question {
	struct str challenge, rp; /* challenge: base64url */
	const struct str *credentials;
	size_t count;
};

/* Describes the relying party (the host that browsers use for this region), and makes the challenge for passkeys of the user (none: for
 * any user's passkey). ERR_STATE: the host has no name. */
RESULT factors_describe_party(struct native_call *e, uuid user, bool is_new,
			      struct webauthn_party *ret_party);
RESULT factors_ask(struct native_call *e, uuid user, bool is_new, struct passkey_question *ret_question);
void factors_write_question(struct json_writer *w, const struct passkey_question *question);
/* Decodes base64url; ERR_INVALID names the field. */
RESULT factors_decode(struct native_call *e, const char *field, struct str text, struct str *ret_bytes);

/* Checks the second factor after the password was verified, on the passwords' lane. Sets is_proved, or lacks_factor and the
 * challenge. */
RESULT factors_check(struct native_call *e, struct entering *a);
/* Authenticates by a passkey without a password; the passkey must have verified its user. Sets person, account and is_proved, or
 * nothing. */
RESULT factors_take_passkey(struct native_call *e, struct entering *a);
