/* SPDX-License-Identifier: Apache-2.0
 * Exact money. A price is in millionths of the currency, a quantity in millionths of its unit; both fit into an int64_t.
 * Their product is exact in 10^-12, and so is every sum of products: nothing is rounded before the line of an
 * invoice, which is rounded once, half to even. 128 bits hold 1.7 * 10^26 of a currency. An integer does this
 * better than a library of decimals (libmpdec): there is one scale, nothing to allocate, and no context that could
 * round. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

typedef __int128 money; /* in 10^-12 of the currency */

enum { MONEY_TEXT_SIZE = 48 };

#define MICRO INT64_C(1000000)

/* Exact: neither factor is below -2^63. */
static inline money money_of(int64_t quantity, int64_t price)
{
	return (money) quantity * price;
}
/* n / d to the next integer, half to even; d > 0. */
__int128 money_divide(__int128 n, __int128 d);
/* To that many decimals, 0 to 12; half to even. */
money money_round(money m, unsigned decimals);
/* What ISO 4217 says of the currency: 0 of JPY and KRW, 3 of KWD, 2 of most. */
unsigned money_decimals(struct str currency);
/* Plain decimals, without zeros at the end: "0.2496", "-3", "0". Each returns out. */
char *money_write(money m, char out[static MONEY_TEXT_SIZE]);
char *money_write_micro(int64_t millionths, char out[static MONEY_TEXT_SIZE]);
/* With exactly so many decimals, as invoices show it: "1.50". */
char *money_write_fixed(money m, unsigned decimals, char out[static MONEY_TEXT_SIZE]);
/* Plain decimals, with a sign and twelve decimals at most; false: it is none. */
bool money_read(struct str s, money *ret_money);
/* Reads "0.0104": digits, with up to six behind a point; no sign. ERR_INVALID. */
RESULT money_parse_micro(struct str s, int64_t *ret_millionths);
