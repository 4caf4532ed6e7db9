/* SPDX-License-Identifier: Apache-2.0
 * Limits of accounts, for faces. */
#pragma once

#include "base/disk_room.h"
#include "engine/operation.h"

struct account;
struct account_usage;

/* Fills a new account's limits into a row that is otherwise empty. */
void engine_get_default_limits(const struct tables *t, struct account *ret_limits);
/* Returns the payer of bulk data written for the account, with the bytes that its limit for files leaves now.
 * The writer reserves room with it (base/disk_room.h). kind: the kind of the problem if they do not fit. */
struct disk_payer engine_pay_disk(const struct tables *t, uuid account, enum kind kind);
/* The account's present figures; volume_bytes as its limit counts them. Any thread, for any live row of a
 * view. */
void engine_get_usage(const struct account *account, struct account_usage *ret_usage);
