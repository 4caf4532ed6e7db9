/* SPDX-License-Identifier: Apache-2.0
 * Addresses that lead inside, whoever owns them. */
#include "drivers/special_ranges.h"

#include <string.h>

static const char *const special[] = {
	"0.0.0.0/8",       /* "this network" */
	"127.0.0.0/8",     /* loopback */
	"169.254.0.0/16",  /* link-local, including metadata services */
	"192.0.0.0/24",    /* IETF protocol assignments */
	"224.0.0.0/4",     /* multicast */
	"240.0.0.0/4",     /* reserved, and broadcast */
	"::/96",           /* unspecified, loopback, IPv4-compatible */
	"::ffff:0:0/96",   /* IPv4-mapped */
	"::ffff:0:0:0/96", /* IPv4-translated */
	"100::/64",        /* discard-only */
	"2001::/32",       /* Teredo: encodes two addresses, one of them obfuscated */
	"fe80::/10",       /* link-local */
	"fec0::/10",       /* site-local */
	"ff00::/8",        /* multicast */
};

static bool is_in(const char *block, struct ip ip)
{
	struct cidr c;
	return result_is_ok(cidr_parse(str_from(block), &c)) && cidr_contains(c, ip);
}

/* True for a network-specific NAT64 prefix with unclear layout. It may embed the IPv4 address at four
 * positions. The last one is assumed unless bytes before it are set; then the position can't be
 * determined. */
static bool is_unrecognised_nat64(struct ip ip)
{
	static const uint8_t nothing[4];
	return is_in("64:ff9b:1::/48", ip) && memcmp(ip.b + 8, nothing, sizeof nothing) != 0;
}

bool special_range_has(struct ip ip)
{
	for (size_t k = 0; k < sizeof special / sizeof *special; k++)
		if (is_in(special[k], ip))
			return true;
	return ip_is_none(ip) || is_unrecognised_nat64(ip);
}

struct ip special_range_inner(struct ip ip)
{
	static const struct {
		const char *block;
		size_t at;
	} carriers[] = {{"64:ff9b::/96", 12}, {"64:ff9b:1::/48", 12}, {"2002::/16", 2}};
	for (size_t k = 0; k < sizeof carriers / sizeof *carriers; k++) {
		struct ip inner = {.family = IP_V4};
		memcpy(inner.b, ip.b + carriers[k].at, 4);
		if (is_in(carriers[k].block, ip))
			return inner;
	}
	return ip;
}

bool special_range_is_of(struct ip ip, struct cidr own)
{
	uint8_t whole = own.base.family == IP_V6 ? 128 : 32;
	if (ip_equal(ip, own.base))
		return true;
	if (own.bits + 1 >= whole) /* prefixes for one or two addresses have no network or broadcast
				    * address */
		return false;
	return ip_equal(ip, cidr_canonical(own).base) ||
	       (own.base.family == IP_V4 && ip_equal(ip, cidr_last(own)));
}
