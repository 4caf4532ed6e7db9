/* SPDX-License-Identifier: Apache-2.0
 * The VPC endpoint through which a call came, as call_via() has it. The endpoint's policy must allow what the call does, whoever
 * calls: it restricts the account's root user and administrators, too, in every face. A call without credentials is not judged, and neither
 * is work that the region does after the call. Source: AWS PrivateLink Guide, "Endpoint policies". */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "base/uuid.h"
#include "http/server.h"

struct guard_endpoint {
	uuid router;     /* the VPC */
	uuid endpoint;   /* none: the endpoint has lost its route or is gone, and nothing is allowed */
	struct ip guest; /* address of the client in the VPC */
};

/* Notes the endpoint with the call. Out of memory: the call counts as one of an endpoint that is gone. */
void guard_note_endpoint(struct call *call, const struct guard_endpoint *endpoint);
/* NULL: the call did not come through an endpoint. */
const struct guard_endpoint *guard_get_endpoint(const struct call *call);
