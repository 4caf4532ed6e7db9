/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/core/: between the protocol and the face that speaks it. */
#pragma once

#include "api/core/dispatch.h"
#include "api/ec2/core/action.h"
#include "api/ec2/core/errors.h"

extern const struct api_protocol ec2_protocol;

/* As api_protocol.begin: what the face lends to each call. */
void ec2_begin_call(struct api_call *core);
/* As api_protocol.find. */
RESULT ec2_find(struct api_call *core);

static inline enum ec2_dialect ec2_dialect_of(const struct ec2_call *e)
{
	return e->is_sts ? DIALECT_STS : DIALECT_EC2;
}
