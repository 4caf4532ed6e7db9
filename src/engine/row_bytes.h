/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: memory used by an account's rows (usage figure rows_bytes). */
#pragma once

#include "store/store.h"

/* Adds a version of a row to its payer's figure (sign 1), or subtracts it (-1). Only engine_observe() calls
 * it. */
void row_bytes_count(const struct tables *head, enum kind kind, const struct row *row, int64_t sign);
/* Refuses a client's change that enlarges a row while its payer is above limit_rows_bytes: ERR_QUOTA with
 * KIND_ACCOUNT. Constant time. Only engine_follow() calls it. */
RESULT row_bytes_check(struct op *op, enum kind kind, const struct row *before, const struct row *after);
/* True if the account is above limit_rows_bytes. For reports whose texts come from outside, such as the machines that a
 * cloud lists and the outputs of a deployment: row_bytes_check() holds clients to the limit, not reports. */
bool row_bytes_is_full(const struct tables *head, uuid account);
/* True if rows of the kind are charged to an account. */
bool row_bytes_has_payer(enum kind kind);
