/* SPDX-License-Identifier: Apache-2.0
 * Larger bodies for calls of a service whose requests need them. */
#pragma once

#include "http/server.h"

/* Bodies above their listener's limit that are held at once; a further one is answered with 413. */
enum { LARGE_BODIES_MAX = 32 };

/* Raises the limit of the call's body above the listener's; to be called in begin(), before the body arrives. The client's signature
 * is not known yet then, so LARGE_BODIES_MAX bounds what strangers can occupy. */
void call_raise_body_cap(struct call *c, size_t cap);
