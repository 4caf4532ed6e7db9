/* SPDX-License-Identifier: Apache-2.0
 * Private to api/native/: sign-ins that a browser has begun and that an identity provider ends. One secret in a sealed cookie yields
 * whatever the provider is sent, so only the browser that began can finish. */
#pragma once

#include "api/native/sign_in/session.h"

/* Sets the cookie for a sign-in by `way` ("oidc", "saml") at that provider. */
RESULT native_seal_begun(struct native_call *e, const char *way, uuid provider, struct str *ret_secret);
/* Opens the cookie. False if this browser began nothing with that provider, or too long ago. */
bool native_open_begun(struct native_call *e, const char *way, uuid provider, struct str *ret_secret,
		       int64_t *ret_until_us);
/* Takes the cookie away. */
void native_forget_begun(struct native_call *e, const char *way);

/* Sends the browser on (303). */
RESULT native_lead_to(struct native_call *e, struct str place);
/* Fails with ERR_UNAUTHENTICATED; `why`: as in e->why. */
RESULT native_fail_begun(struct native_call *e, const char *why, const char *words);
/* As native_check_wire(), with e->why. */
RESULT native_check_begun_wire(struct native_call *e);
