/* SPDX-License-Identifier: Apache-2.0
 * Private to api/native/: sessions of a browser's, for whoever finds out who asks. */
#pragma once

#include "api/native/action.h"

/* Whether the request brings a session's cookie. */
bool native_has_session(const struct native_call *e);
/* Sets c->who and e->token by the cookie, and renews it where its person asks. ERR_UNAUTHENTICATED: it is over. ERR_DENIED: the
 * request does not come from a page of ours. */
RESULT native_resume_session(struct native_call *e);
/* ERR_DENIED: it does not come from a page of ours. */
RESULT native_check_page(struct native_call *e);
/* ERR_DENIED: a password would come over an open wire. */
RESULT native_check_wire(struct native_call *e);

/* In an answer: the caller's session has shown a second factor just now. Of a caller without a session nothing is done. */
RESULT native_note_factor(struct native_call *e);

/* In an answer: opens a session of a person who was proved, where they get in: sets the cookie and c->who, and logs it. ends_us: when
 * it ends at the latest, or 0. by: how, in a word. ERR_UNAUTHENTICATED: they do not get in. */
RESULT native_enter(struct native_call *e, uuid person, int64_t ends_us, const char *by);
/* Of an action that says NATIVE_BROWSER: logs the failure, and sends the browser to the sign-in page. */
void native_lead_to_sign_in(struct native_call *e, struct api_problem *p);
/* A second factor as the answer's item. */
void native_write_factor_item(struct native_call *e, struct json_writer *w, uuid id);
