/* SPDX-License-Identifier: Apache-2.0
 * Addresses, blocks and MAC addresses: reading, writing, arithmetic. All arithmetic is on the
 * bytes in network order, so that both families share it. */
#include "base/ip.h"

#include <arpa/inet.h>

static size_t size_of_family(uint8_t family)
{
	return family == IP_V4 ? 4 : family == IP_V6 ? 16 : 0;
}

/* Reads a decimal number up to max at *at, without leading zeros; advances *at. */
static bool read_number(struct str s, size_t *at, unsigned max, uint8_t *ret_value)
{
	size_t from = *at;
	unsigned value = 0;
	while (*at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9') {
		value = value * 10 + (unsigned) (s.p[*at] - '0');
		if (value > max)
			return false;
		*at += 1;
	}
	if (*at == from || (s.p[from] == '0' && *at - from > 1))
		return false;
	*ret_value = (uint8_t) value;
	return true;
}

static bool parse_v4(struct str s, struct ip *ret_ip)
{
	struct ip ip = {.family = IP_V4};
	size_t at = 0;
	for (size_t k = 0; k < 4; k++) {
		if (k > 0 && (at == s.n || s.p[at++] != '.'))
			return false;
		if (!read_number(s, &at, 255, &ip.b[k]))
			return false;
	}
	if (at != s.n)
		return false;
	*ret_ip = ip;
	return true;
}

static bool parse_v6(struct str s, struct ip *ret_ip)
{
	char z[IP_TEXT_SIZE];
	struct ip ip = {.family = IP_V6};
	if (s.n >= sizeof z || str_find_char(s, 0, 0) != s.n)
		return false;
	memcpy(z, s.p, s.n);
	z[s.n] = 0;
	if (inet_pton(AF_INET6, z, ip.b) != 1)
		return false;
	*ret_ip = ip;
	return true;
}

RESULT ip_parse(struct str s, struct ip *ret_ip)
{
	bool v6 = str_find_char(s, ':', 0) != s.n;
	if (s.n == 0 || !(v6 ? parse_v6(s, ret_ip) : parse_v4(s, ret_ip)))
		return FAIL(INVALID);
	return OK;
}

static char *put_decimal(char *p, unsigned value) /* up to 999 */
{
	if (value >= 100)
		*p++ = (char) ('0' + value / 100);
	if (value >= 10)
		*p++ = (char) ('0' + value / 10 % 10);
	*p++ = (char) ('0' + value % 10);
	return p;
}

static char *put_v4(char *p, const uint8_t b[4])
{
	for (size_t k = 0; k < 4; k++) {
		if (k > 0)
			*p++ = '.';
		p = put_decimal(p, b[k]);
	}
	return p;
}

static unsigned group_at(const uint8_t *b, size_t k)
{
	return (unsigned) b[2 * k] << 8 | b[2 * k + 1];
}

static char *put_group(char *p, unsigned value)
{
	static const char digits[] = "0123456789abcdef";
	bool begun = false;
	for (int shift = 12; shift >= 0; shift -= 4) {
		unsigned digit = value >> shift & 15;
		begun = begun || digit || shift == 0;
		if (begun)
			*p++ = digits[digit];
	}
	return p;
}

/* Finds RFC 5952's first longest run of two or more zero groups among the first count. */
static void find_zero_run(const uint8_t *b, size_t count, size_t *ret_from, size_t *ret_n)
{
	*ret_from = count;
	*ret_n = 0;
	for (size_t k = 0; k < count; k++) {
		size_t n = 0;
		while (k + n < count && group_at(b, k + n) == 0)
			n++;
		if (n >= 2 && n > *ret_n) {
			*ret_from = k;
			*ret_n = n;
		}
		k += n;
	}
}

static char *put_v6(char *p, const uint8_t b[16])
{
	static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
	bool ends_in_v4 = memcmp(b, mapped, sizeof mapped) == 0;
	size_t count = ends_in_v4 ? 6 : 8, run = 0, run_count = 0;
	find_zero_run(b, count, &run, &run_count);
	for (size_t k = 0; k < count; k++) {
		if (run_count && k == run) {
			*p++ = ':';
			*p++ = ':';
			k += run_count - 1;
			continue;
		}
		if (k > 0 && p[-1] != ':')
			*p++ = ':';
		p = put_group(p, group_at(b, k));
	}
	if (ends_in_v4) {
		*p++ = ':';
		p = put_v4(p, b + 12);
	}
	return p;
}

static char *put_ip(char *p, struct ip ip)
{
	if (ip.family == IP_V4)
		return put_v4(p, ip.b);
	return ip.family == IP_V6 ? put_v6(p, ip.b) : p;
}

char *ip_write(struct ip ip, char out[static IP_TEXT_SIZE])
{
	*put_ip(out, ip) = 0;
	return out;
}

struct str ip_to_str(struct arena *a, struct ip ip)
{
	char text[IP_TEXT_SIZE];
	return str_copy(a, str_from(ip_write(ip, text)));
}

bool ip_is_none(struct ip ip)
{
	return ip.family == IP_NONE;
}

bool ip_equal(struct ip a, struct ip b)
{
	return ip_compare(a, b) == 0;
}

int ip_compare(struct ip a, struct ip b)
{
	if (a.family != b.family)
		return (a.family > b.family) - (a.family < b.family);
	return memcmp(a.b, b.b, size_of_family(a.family));
}

struct ip ip_add(struct ip ip, uint64_t n)
{
	unsigned carry = 0;
	for (size_t k = size_of_family(ip.family); k-- > 0;) {
		unsigned sum = ip.b[k] + (unsigned) (n & 0xFF) + carry;
		ip.b[k] = (uint8_t) sum;
		carry = sum >> 8;
		n >>= 8;
	}
	return ip;
}

static uint64_t low_64_bits(struct ip ip)
{
	uint64_t value = 0;
	size_t size = size_of_family(ip.family);
	for (size_t k = size > 8 ? size - 8 : 0; k < size; k++)
		value = value << 8 | ip.b[k];
	return value;
}

uint64_t ip_distance(struct ip from, struct ip to)
{
	return low_64_bits(to) - low_64_bits(from);
}

uint32_t ip_to_v4(struct ip ip)
{
	return (uint32_t) ip.b[0] << 24 | (uint32_t) ip.b[1] << 16 | (uint32_t) ip.b[2] << 8 | ip.b[3];
}

struct ip ip_from_v4(uint32_t host_order)
{
	return (struct ip){.b = {(uint8_t) (host_order >> 24), (uint8_t) (host_order >> 16),
				 (uint8_t) (host_order >> 8), (uint8_t) host_order},
			   .family = IP_V4};
}

RESULT cidr_parse(struct str s, struct cidr *ret_cidr)
{
	struct cidr c = {0};
	size_t slash = str_find_char(s, '/', 0), at = slash + 1;
	if (slash == s.n)
		return FAIL(INVALID);
	TRY(ip_parse(str_slice(s, 0, slash), &c.base));
	if (!read_number(s, &at, c.base.family == IP_V4 ? 32 : 128, &c.bits) || at != s.n)
		return FAIL(INVALID);
	*ret_cidr = c;
	return OK;
}

char *cidr_write(struct cidr c, char out[static CIDR_TEXT_SIZE])
{
	char *p = put_ip(out, c.base);
	if (!cidr_is_none(c)) {
		*p++ = '/';
		p = put_decimal(p, c.bits);
	}
	*p = 0;
	return out;
}

struct str cidr_to_str(struct arena *a, struct cidr c)
{
	char text[CIDR_TEXT_SIZE];
	return str_copy(a, str_from(cidr_write(c, text)));
}

bool cidr_is_none(struct cidr c)
{
	return ip_is_none(c.base);
}

bool cidr_equal(struct cidr a, struct cidr b)
{
	return cidr_compare(a, b) == 0;
}

int cidr_compare(struct cidr a, struct cidr b)
{
	int order = ip_compare(a.base, b.base);
	return order ? order : (a.bits > b.bits) - (a.bits < b.bits);
}

/* The mask of byte k's bits behind the prefix. */
static uint8_t host_mask(unsigned bits, size_t k)
{
	size_t from = k * 8;
	if (bits >= from + 8)
		return 0;
	return (uint8_t) (bits <= from ? 0xFFu : 0xFFu >> (bits - from));
}

struct cidr cidr_canonical(struct cidr c)
{
	for (size_t k = 0; k < size_of_family(c.base.family); k++)
		c.base.b[k] &= (uint8_t) ~host_mask(c.bits, k);
	return c;
}

bool cidr_is_canonical(struct cidr c)
{
	return cidr_equal(c, cidr_canonical(c));
}

bool cidr_contains(struct cidr c, struct ip ip)
{
	if (cidr_is_none(c) || c.base.family != ip.family)
		return false;
	for (size_t k = 0; k < size_of_family(ip.family); k++)
		if ((c.base.b[k] ^ ip.b[k]) & ~host_mask(c.bits, k))
			return false;
	return true;
}

bool cidr_contains_cidr(struct cidr outer, struct cidr inner)
{
	return outer.bits <= inner.bits && cidr_contains(outer, inner.base);
}

bool cidr_overlaps(struct cidr a, struct cidr b)
{
	return cidr_contains_cidr(a, b) || cidr_contains_cidr(b, a);
}

struct ip cidr_last(struct cidr c)
{
	for (size_t k = 0; k < size_of_family(c.base.family); k++)
		c.base.b[k] |= host_mask(c.bits, k);
	return c.base;
}

uint64_t cidr_count(struct cidr c)
{
	if (cidr_is_none(c))
		return 0;
	size_t host_bits = size_of_family(c.base.family) * 8 - c.bits;
	return host_bits >= 64 ? UINT64_MAX : UINT64_C(1) << host_bits;
}

RESULT mac_parse(struct str s, struct mac *ret_mac)
{
	struct mac m = {0};
	if (s.n != MAC_TEXT_SIZE - 1)
		return FAIL(INVALID);
	for (size_t k = 0; k < sizeof m.b; k++) {
		if (k > 0 && s.p[3 * k - 1] != ':')
			return FAIL(INVALID);
		TRY(str_decode_hex(str_slice(s, 3 * k, 3 * k + 2), &m.b[k], 1));
	}
	*ret_mac = m;
	return OK;
}

/* Reads a group of a MAC address, possibly without leading zeros, as `width` digits. */
static RESULT read_group(struct str group, size_t width, size_t width_min, char *digits)
{
	if (group.n < width_min || group.n > width)
		return FAIL(INVALID);
	memset(digits, '0', width - group.n);
	memcpy(digits + width - group.n, group.p, group.n);
	return OK;
}

RESULT mac_parse_any(struct str s, struct mac *ret_mac)
{
	enum { DIGITS = 2 * sizeof ret_mac->b };
	static const struct {
		size_t groups, width, width_min;
		const char *separators;
	} forms[] = {{6, 2, 1, ":-"}, {3, 4, 1, ":-."}, {2, 6, 5, ":-"}, {1, 12, 11, ":"}};
	char digits[DIGITS];
	for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++)
		for (const char *c = forms[k].separators; *c; c++) {
			struct str rest = s, group;
			size_t count = 0;
			bool fits = s.n && s.p[s.n - 1] != *c;
			while (fits && count <= forms[k].groups && str_split_next(&rest, *c, &group)) {
				fits = count < forms[k].groups &&
				       result_is_ok(read_group(group, forms[k].width, forms[k].width_min,
							       digits + count * forms[k].width));
				count++;
			}
			if (fits && count == forms[k].groups)
				return str_decode_hex((struct str){digits, DIGITS}, ret_mac->b,
						      sizeof ret_mac->b);
		}
	return FAIL(INVALID);
}

char *mac_write(struct mac m, char out[static MAC_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t k = 0; k < sizeof m.b; k++) {
		out[3 * k] = digits[m.b[k] >> 4];
		out[3 * k + 1] = digits[m.b[k] & 15];
		out[3 * k + 2] = ':';
	}
	out[MAC_TEXT_SIZE - 1] = 0;
	return out;
}

bool mac_is_none(struct mac m)
{
	static const struct mac none;
	return memcmp(m.b, none.b, sizeof m.b) == 0;
}
