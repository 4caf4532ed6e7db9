/* SPDX-License-Identifier: Apache-2.0
 * Exact money: rounding, reading and writing. */
#include "metering/money.h"

__int128 money_divide(__int128 n, __int128 d)
{
	bool is_negative = n < 0;
	unsigned __int128 size = is_negative ? -(unsigned __int128) n : (unsigned __int128) n;
	unsigned __int128 by = (unsigned __int128) d, whole = size / by, rest = size % by;
	whole += rest > by - rest || (rest == by - rest && (whole & 1));
	return is_negative ? -(__int128) whole : (__int128) whole;
}

static money power_of_ten(unsigned n)
{
	money p = 1;
	for (; n; n--)
		p *= 10;
	return p;
}

money money_round(money m, unsigned decimals)
{
	money step = power_of_ten(12 - decimals);
	return money_divide(m, step) * step;
}

/* Currencies in ISO 4217, list one, whose number of decimals is not two. */
unsigned money_decimals(struct str currency)
{
	static const struct {
		char code[4];
		unsigned decimals;
	} others[] = {{"BHD", 3}, {"BIF", 0}, {"CLF", 4}, {"CLP", 0}, {"DJF", 0}, {"GNF", 0}, {"IQD", 3},
		      {"ISK", 0}, {"JOD", 3}, {"JPY", 0}, {"KMF", 0}, {"KRW", 0}, {"KWD", 3}, {"LYD", 3},
		      {"OMR", 3}, {"PYG", 0}, {"RWF", 0}, {"TND", 3}, {"UGX", 0}, {"UYI", 0}, {"UYW", 4},
		      {"VND", 0}, {"VUV", 0}, {"XAF", 0}, {"XOF", 0}, {"XPF", 0}};
	for (size_t k = 0; k < sizeof others / sizeof *others; k++)
		if (str_is(currency, others[k].code))
			return others[k].decimals;
	return 2;
}

/* ---- as text ---- */

/* Writes m in units of 10^-scale, with at least `least` decimals. */
static char *write_scaled(money m, unsigned scale, unsigned least, char out[static MONEY_TEXT_SIZE])
{
	char digits[MONEY_TEXT_SIZE];
	unsigned count = 0, places = 0;
	unsigned __int128 size = m < 0 ? -(unsigned __int128) m : (unsigned __int128) m;
	for (; scale > least && size % 10 == 0; scale--)
		size /= 10;
	do {
		if (places == scale && scale && count == scale)
			digits[count++] = '.';
		digits[count++] = (char) ('0' + (int) (size % 10));
		size /= 10;
		places++;
	} while (size || places <= scale);
	char *at = out;
	if (m < 0)
		*at++ = '-';
	while (count)
		*at++ = digits[--count];
	*at = 0;
	return out;
}

char *money_write(money m, char out[static MONEY_TEXT_SIZE])
{
	return write_scaled(m, 12, 0, out);
}

char *money_write_micro(int64_t millionths, char out[static MONEY_TEXT_SIZE])
{
	return write_scaled(millionths, 6, 0, out);
}

char *money_write_fixed(money m, unsigned decimals, char out[static MONEY_TEXT_SIZE])
{
	return write_scaled(money_round(m, decimals) / power_of_ten(12 - decimals), decimals, decimals, out);
}

RESULT money_parse_micro(struct str s, int64_t *ret_millionths)
{
	int64_t value = 0;
	size_t decimals = 0, point = str_find_char(s, '.', 0);
	if (!s.n || point == 0 || point + 1 == s.n || s.n > 20)
		return FAIL(INVALID);
	for (size_t k = 0; k < s.n; k++) {
		if (k == point)
			continue;
		decimals += k > point;
		if (s.p[k] < '0' || s.p[k] > '9' || decimals > 6 ||
		    __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, s.p[k] - '0', &value))
			return FAIL(INVALID);
	}
	for (; decimals < 6; decimals++)
		if (__builtin_mul_overflow(value, 10, &value))
			return FAIL(INVALID);
	*ret_millionths = value;
	return OK;
}

bool money_read(struct str s, money *ret_money)
{
	bool is_negative = s.n && s.p[0] == '-';
	size_t decimals = 0, point = str_find_char(s, '.', 0);
	money value = 0;
	if (s.n <= is_negative || point == is_negative || point + 1 == s.n || s.n > 38)
		return false;
	for (size_t k = is_negative; k < s.n; k++) {
		if (k == point)
			continue;
		decimals += k > point;
		if (s.p[k] < '0' || s.p[k] > '9' || decimals > 12)
			return false;
		value = value * 10 + (s.p[k] - '0');
	}
	for (; decimals < 12; decimals++)
		value *= 10;
	*ret_money = is_negative ? -value : value;
	return true;
}
