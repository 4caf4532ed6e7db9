/* SPDX-License-Identifier: Apache-2.0
 * The console's own pages, for the face and the listener that it shares. */
#pragma once

#include "http/server.h"

/* Answers a path below CONSOLE_PREFIX that nothing else answers. */
void console_send_site(struct call *call);

/* Whether a browser asks for what a person types, the endpoint's address alone. Never, where no pages were built. */
bool console_is_visit(const struct call *call);
/* Answers such a visit: it is led to the pages. */
void console_lead_in(struct call *call);
