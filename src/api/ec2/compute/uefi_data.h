/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: UEFI variables in AWS's form, which its python-uefivars reads. */
#pragma once

#include "base/ctx.h"
#include "model/firmware.h"

/* Packs variables into c's arena, not yet in base64. ERR_TOO_LARGE beyond 1 MiB of variables. Any thread. */
RESULT ec2_pack_uefi_data(struct ctx *c, const struct firmware_variables *variables, struct str *ret_bytes);
/* Unpacks a client's data after base64, up to 64 KiB of variables, into c's arena. ERR_INVALID with the field UefiData;
 * ERR_UNSUPPORTED: the data need AWS's compression dictionary. */
RESULT ec2_unpack_uefi_data(struct ctx *c, struct str bytes, struct firmware_variables *ret_variables);
