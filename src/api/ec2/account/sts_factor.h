/* SPDX-License-Identifier: Apache-2.0
 * STS: MFA codes in the parameters SerialNumber and TokenCode of GetSessionToken and AssumeRole. */
#pragma once

#include "api/ec2/core/action.h"
#include "engine/people/credential/second_factor.h"

/* Arguments of an action that takes a code start with it. */
struct sts_factor {
	struct second_factor_use use; /* spends the code; the factor is none: none was shown */
	struct str serial, code;
};

#define STS_FACTOR_PARAMS(T, member)                                                                         \
	PARAM(T, "SerialNumber", member.serial, .min = 9, .max = 256,                                        \
	      .doc = "ARN of the caller's MFA device."),                                                     \
		PARAM(T, "TokenCode", member.code, .min = 6, .max = 6,                                       \
		      .doc = "Current code of the MFA device.")

/* Checks the code of the caller's device. Its use is an operation, because a code is good once: without one the call
 * runs no operation. ERR_DENIED. */
RESULT sts_check_factor(struct ec2_call *e, struct sts_factor *f);
