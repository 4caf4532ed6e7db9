/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's types of resources that accounts are limited in, by their numbers. */
#pragma once

#include "engine/people/account/account.h"

struct account;

/* False: nothing is limited by that number. */
bool cs_is_limited(size_t type);
/* In the type's own unit; -1: any number. */
int64_t cs_read_limit(const struct account *account, size_t type);
void cs_set_limit(struct account_limits *limits, size_t type, int64_t max);
