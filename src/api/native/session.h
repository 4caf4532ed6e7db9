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
