/* SPDX-License-Identifier: Apache-2.0
 * The codes that STS's API Reference lists. */
#include "api/ec2/account/sts.h"
#include "api/ec2/core/errors.h"
#include "api/query/codes.h"

static const struct query_code codes[] = {
#define CODE(code, actions) {code, actions},
#define LEFT_OUT_CODE(code, why)
#include "api/ec2/account/sts_codes.def"
#undef CODE
#undef LEFT_OUT_CODE
};

static const struct query_code_reason reasons[] = {
#define CODE(code, actions)
#define LEFT_OUT_CODE(code, why) {code, why},
#include "api/ec2/account/sts_codes.def"
#undef CODE
#undef LEFT_OUT_CODE
};

const struct query_codes sts_codes = {codes, sizeof codes / sizeof codes[0], reasons,
				      sizeof reasons / sizeof reasons[0], &sts_errors};
