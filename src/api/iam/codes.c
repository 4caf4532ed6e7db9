/* SPDX-License-Identifier: Apache-2.0
 * Error codes that IAM's API Reference lists. */
#include "api/iam/internal.h"

static const struct query_code codes[] = {
#define CODE(code, actions) {code, actions},
#define LEFT_OUT_CODE(code, why)
#include "api/iam/codes_known.def"
#undef CODE
#undef LEFT_OUT_CODE
};

static const struct query_code_reason reasons[] = {
#define CODE(code, actions)
#define LEFT_OUT_CODE(code, why) {code, why},
#include "api/iam/codes_known.def"
#undef CODE
#undef LEFT_OUT_CODE
};

const struct query_codes iam_codes = {codes, sizeof codes / sizeof codes[0], reasons,
				      sizeof reasons / sizeof reasons[0], &iam_errors};
