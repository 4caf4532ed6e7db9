/* SPDX-License-Identifier: Apache-2.0
 * Signatures that only one protocol still needs. Any thread. */
#pragma once

#include "base/ctx.h"

/* RSASSA-PKCS1-v1_5 with SHA-1, of messages of SNS in version 1. key_pem: an RSA key. */
RESULT crypto_sign_rs1(struct ctx *c, struct str key_pem, struct str data, struct str *ret_signature);
