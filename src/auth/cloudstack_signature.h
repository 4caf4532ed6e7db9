/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's signature of a request: HMAC-SHA1, in base64, over its parameters. Source: CloudStack's
 * developer guide, "Signing API Requests". Any thread. */
#pragma once

#include "base/ctx.h"

/* One parameter, decoded: of the query or of a form. */
struct cloudstack_parameter {
	struct str name, value;
};

enum { CLOUDSTACK_PARAMETERS_MAX = 1000 };

/* Whether the signature is one of the parameters (all but the signature itself) under the secret. Clients
 * disagree on the order of names that differ in case, and on whether to escape * ~ [ and ]: each of these forms
 * is accepted. More than CLOUDSTACK_PARAMETERS_MAX parameters are not signed. ERR_NO_MEMORY. */
RESULT cloudstack_check_signature(struct ctx *c, const struct cloudstack_parameter *at, size_t count,
				  struct str secret, struct str signature, bool *ret_is_right);
