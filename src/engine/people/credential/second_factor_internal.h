/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/people/: second factors as other operations make and remove them. */
#pragma once

#include "engine/people/credential/second_factor.h"

struct user;

/* ERR_DENIED: the caller changes own factors and has shown too little for it. */
RESULT second_factor_check_proof(struct op *op, const struct user *user);
/* Makes a factor of the user, whom the caller has permitted. ERR_EXISTS, ERR_QUOTA. */
RESULT second_factor_add(struct op *op, const struct user *user, const struct second_factor_wish *wish);
/* Forgets a factor. An MFA device that has it is nobody's from then on. */
RESULT second_factor_forget_whole(struct op *op, uuid factor);
/* The same of all factors of a user. */
RESULT second_factor_forget_of_user(struct op *op, uuid user);
