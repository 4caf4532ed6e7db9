/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's signature of a request: HMAC-SHA1, in base64, over its parameters. Source: CloudStack's
 * developer guide, "Signing API Requests". Any thread. */
#pragma once

#include "base/ctx.h"

enum { CLOUDSTACK_PARAMETERS_MAX = 1000 };

/* The value of the parameter of that name, in any case; empty: there is none. */
struct str cloudstack_find_value(const struct pairs *parameters, const char *name);
/* As key_check (auth/key_owner.h): parameters is a struct pairs. Whether its "signature" is one of the others under the secret, and holds now: version 3 says until
 * when. Clients disagree on the order of names that differ in case, and on whether to escape * ~ [ and ]: each of
 * these forms is accepted. ERR_NO_MEMORY; also of more than CLOUDSTACK_PARAMETERS_MAX. */
RESULT cloudstack_check_signature(struct ctx *c, const void *parameters, struct str secret,
				  bool *ret_is_right);
