/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: UEFI variables in AWS's form, which its python-uefivars reads. */
#pragma once

#include "base/ctx.h"
#include "model/firmware.h"

/* In c's arena, not yet in base64. ERR_TOO_LARGE beyond 1 MiB of variables. Any thread. */
RESULT ec2_pack_uefi_data(struct ctx *c, const struct firmware_variables *variables, struct str *ret_bytes);
