/* SPDX-License-Identifier: Apache-2.0
 * Size of a version of a row, and the account that pays for it: for the store's observer and follower, on rows that the store holds. */
#pragma once

#include "model/row.h"

/* Bytes of the block that holds this version; its usage apart. */
size_t store_row_size(enum kind kind, const struct row *row);
/* Returns the account that the observer charged these bytes to; none at first. The payer is kept with the version, so that the charge
 * can be taken back although the rows that named the payer are gone. */
uuid *store_row_payer(enum kind kind, const struct row *row);
