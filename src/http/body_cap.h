/* SPDX-License-Identifier: Apache-2.0
 * Larger bodies for calls of a service whose requests need them. */
#pragma once

#include "http/server.h"

/* Raises the limit of the call's body above the listener's; to be called in begin(), before the body arrives. Its memory is
 * then held for a client whose signature is not known yet, so callers keep cap small. */
void call_raise_body_cap(struct call *c, size_t cap);
