/* SPDX-License-Identifier: Apache-2.0
 * Policies of VPC endpoints: each statement has a Principal, an Action and a Resource. policy_ask() evaluates them, with the
 * principals of the caller. Source: AWS PrivateLink Guide, "Control access to VPC endpoints using endpoint policies". */
#pragma once

#include "auth/policy/policy.h"

enum { ENDPOINT_POLICY_MAX = 20480 }; /* characters */

/* Compiles a document into c's arena. ERR_INVALID. */
RESULT endpoint_policy_compile(struct ctx *c, struct str document, const struct policy_code **ret_policy);
