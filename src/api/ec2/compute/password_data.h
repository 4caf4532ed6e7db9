/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: passwords that guests print. */
#pragma once

#include "base/ctx.h"

/* The last one in what came over a serial port: base64 without blanks, in the arena; empty where there is
 * none, or none that is whole. */
RESULT ec2_find_password(struct ctx *c, struct str log, struct str *ret_password);
