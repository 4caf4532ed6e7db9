/* SPDX-License-Identifier: Apache-2.0
 * Exact money. A price is in millionths of the currency, a quantity in millionths of its unit; both fit into
 * int64_t. Their product is exact in units of 10^-12, as are sums of products. Rounding happens only once,
 * half to even, for an invoice line. 128 bits hold 1.7 * 10^26 of a currency. Integers are better than a
 * decimal library (libmpdec) here: a single scale, no allocation, and no context that could round. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

typedef __int128 money; /* in units of 10^-12 of the currency */

enum { MONEY_TEXT_SIZE = 48 };

#define MICRO INT64_C(1000000)

/* Exact: neither factor is below -2^63. */
static inline money money_of(int64_t quantity, int64_t price)
{
	return (money) quantity * price;
}
/* n / d rounded to an integer, half to even; d > 0. */
__int128 money_divide(__int128 n, __int128 d);
/* Rounds to 0 to 12 decimals, half to even. */
money money_round(money m, unsigned decimals);
/* The currency's decimals by ISO 4217: 0 for JPY and KRW, 3 for KWD, 2 for most. */
unsigned money_decimals(struct str currency);
/* Plain decimals without trailing zeros: "0.2496", "-3", "0". Each returns out. */
char *money_write(money m, char out[static MONEY_TEXT_SIZE]);
char *money_write_micro(int64_t millionths, char out[static MONEY_TEXT_SIZE]);
/* With a fixed number of decimals, for invoices: "1.50". */
char *money_write_fixed(money m, unsigned decimals, char out[static MONEY_TEXT_SIZE]);
/* Parses plain decimals with optional sign and at most twelve decimals; false: invalid. */
bool money_read(struct str s, money *ret_money);
/* Parses "0.0104": digits, with at most six after the point; no sign. ERR_INVALID. */
RESULT money_parse_micro(struct str s, int64_t *ret_millionths);
