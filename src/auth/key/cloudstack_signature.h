/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's request signature: base64 of HMAC-SHA1 over the parameters. Source: CloudStack's developer
 * guide, "Signing API Requests". Any thread. */
#pragma once

#include "base/ctx.h"

enum { CLOUDSTACK_PARAMETERS_MAX = 1000 };

/* Value of a parameter, whose name is compared ignoring case; empty: absent. */
struct str cloudstack_find_value(const struct pairs *parameters, const char *name);
/* A key_check (auth/key/key_owner.h); parameters is a struct pairs. Checks that "signature" signs the other
 * parameters, and that it has not expired: version 3 has an expiry. Clients differ in sorting names that
 * differ in case and in escaping * ~ [ and ]; each form is accepted. ERR_NO_MEMORY, also for more than
 * CLOUDSTACK_PARAMETERS_MAX parameters. */
RESULT cloudstack_check_signature(struct ctx *c, const void *parameters, struct str secret,
				  bool *ret_is_right);
