/* SPDX-License-Identifier: Apache-2.0
 * Limits of accounts, for faces. */
#pragma once

#include "base/disk_room.h"
#include "engine/operation.h"
#include "model/account.h"

/* Fills the limits that a new account gets into a row that is otherwise empty. */
void engine_get_default_limits(const struct tables *t, struct account *ret_limits);
/* Returns the payer of bulk data that are written for the account, with what its limit of bytes of files leaves now. The
 * writer takes room with it (base/disk_room.h). kind: the problem's when they do not fit. */
struct disk_payer engine_pay_disk(const struct tables *t, uuid account, enum kind kind);
/* The account's present figures, volume_bytes as its limit counts them. Any thread, on any live row of a view. */
void engine_get_usage(const struct account *account, struct account_usage *ret_usage);
