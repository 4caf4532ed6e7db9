/* SPDX-License-Identifier: Apache-2.0
 * The console's own pages, for the face and the listener that it shares. */
#pragma once

#include "http/server.h"

/* Answers a path below CONSOLE_PREFIX that no other handler has. */
void console_send_site(struct call *call);

/* True if a browser asks for the endpoint's address without a path, as a person types it. Always false in a build without pages. */
bool console_is_visit(const struct call *call);
/* Answers such a visit with a redirect to the pages. */
void console_lead_in(struct call *call);
