/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: declarations that launch templates and their versions share. */
#pragma once

#include "api/ec2/core/action.h"

/* The ARN of who made it, in answers: its user, as long as that is there, else the account's root. */
struct str ec2_gather_maker(struct ec2_call *e, uuid made_by);
