/* SPDX-License-Identifier: Apache-2.0
 * Size of a row's version and the account that pays for it, for the store's observer and follower, on rows of
 * the store. */
#pragma once

#include "model/row.h"

/* Bytes of the version's block, without its usage. */
size_t store_row_size(enum kind kind, const struct row *row);
/* Account that the observer charged for these bytes; none at first. Stored with the version, so that the
 * charge can be reverted when the rows that named the payer are gone. */
uuid *store_row_payer(enum kind kind, const struct row *row);
