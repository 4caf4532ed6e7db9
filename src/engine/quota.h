/* SPDX-License-Identifier: Apache-2.0
 * Limits of accounts, for faces. */
#pragma once

#include "engine/operation.h"
#include "model/account.h"

/* Fills the limits that a new account gets into a row that is otherwise empty. */
void engine_get_default_limits(const struct tables *t, struct account *ret_limits);
/* The account's present figures, volume_bytes as its limit counts them. Any thread, on any live row of a view. */
void engine_get_usage(const struct account *account, struct account_usage *ret_usage);
