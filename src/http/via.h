/* SPDX-License-Identifier: Apache-2.0
 * Origin of a call within the program's own networks, such as the VPC endpoint that it came through. The program sets the
 * origin in begin(), and parts that know its type read it while they handle the call. */
#pragma once

#include "http/server.h"

/* via must live as long as the call: it usually is in the call's arena. */
void call_set_via(struct call *c, const void *via);
/* NULL: none was set, or the call has no connection. */
const void *call_via(const struct call *c);
