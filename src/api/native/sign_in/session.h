/* SPDX-License-Identifier: Apache-2.0
 * Private to api/native/: sessions of browsers, for authentication. */
#pragma once

#include "api/native/action.h"

/* True if the request has a session's cookie. */
bool native_has_session(const struct native_call *e);
/* Sets c->who and e->token from the cookie, and renews the cookie on requests that a person caused. ERR_UNAUTHENTICATED: the session
 * has ended. ERR_DENIED: the request does not come from one of our pages. */
RESULT native_resume_session(struct native_call *e);
/* Checks against cross-site requests. ERR_DENIED: the request does not come from one of our pages. */
RESULT native_check_page(struct native_call *e);
/* Refuses a password over an unencrypted connection. ERR_DENIED. */
RESULT native_check_wire(struct native_call *e);

/* Marks the caller's session as authenticated by a second factor; sets the cookie of the answer. Does nothing without a session. */
RESULT native_note_factor(struct native_call *e);

/* Opens a session for an authenticated person, if sign-in is allowed: sets the answer's cookie and c->who, and logs the sign-in.
 * ends_us: latest end of the session, or 0. by: the method, in a word. ERR_UNAUTHENTICATED: sign-in is not allowed. */
RESULT native_enter(struct native_call *e, uuid person, int64_t ends_us, const char *by);
/* Handles a failure of an action with NATIVE_BROWSER: logs it, and redirects the browser to the sign-in page. */
void native_lead_to_sign_in(struct native_call *e, struct api_problem *p);
/* Writes a second factor as the answer's item. */
void native_write_factor_item(struct native_call *e, struct json_writer *w, uuid id);
