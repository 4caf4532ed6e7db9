/* SPDX-License-Identifier: Apache-2.0
 * Private to api/native/: sign-ins by an identity provider, between the browser's first request and the provider's response. State, nonce and other
 * values for the provider derive from a secret in an encrypted cookie, so that only the browser that began a sign-in can finish it. */
#pragma once

#include "api/native/sign_in/session.h"

/* Sets the cookie for a sign-in by `way` ("oidc", "saml") at that provider. */
RESULT native_seal_begun(struct native_call *e, const char *way, uuid provider, struct str *ret_secret);
/* Decrypts the cookie. False: this browser began no sign-in with that provider, or the sign-in has expired. */
bool native_open_begun(struct native_call *e, const char *way, uuid provider, struct str *ret_secret,
		       int64_t *ret_until_us);
/* Deletes the cookie. */
void native_forget_begun(struct native_call *e, const char *way);

/* Redirects the browser (303). */
RESULT native_lead_to(struct native_call *e, struct str place);
/* Fails with ERR_UNAUTHENTICATED, and sets e->why. */
RESULT native_fail_begun(struct native_call *e, const char *why, const char *words);
/* Checks the connection by native_check_wire(), and sets e->why on failure. */
RESULT native_check_begun_wire(struct native_call *e);
