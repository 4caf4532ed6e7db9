/* SPDX-License-Identifier: Apache-2.0
 * QR codes, for authenticator apps. Any thread. */
#pragma once

#include "base/ctx.h"

/* Writes a text as a PNG into c's arena: some hundred pixels wide, with the margin that scanners need. ERR_NO_MEMORY. */
RESULT qr_code_write(struct ctx *c, struct str text, struct str *ret_png);
