/* SPDX-License-Identifier: Apache-2.0
 * Addresses that lead inwards, whoever has them. */
#include "drivers/web_place.h"

#include <string.h>

static const char *const special[] = {
	"0.0.0.0/8",       /* this network */
	"127.0.0.0/8",     /* loopback */
	"169.254.0.0/16",  /* link-local: metadata services, too */
	"192.0.0.0/24",    /* protocols' own */
	"224.0.0.0/4",     /* multicast */
	"240.0.0.0/4",     /* reserved; the last is broadcast */
	"::/96",           /* unspecified, loopback, IPv4-compatible */
	"::ffff:0:0/96",   /* IPv4-mapped */
	"::ffff:0:0:0/96", /* IPv4-translated */
	"100::/64",        /* discarded */
	"2001::/32",       /* Teredo: it names two machines, one of them disguised */
	"fe80::/10",       /* link-local */
	"fec0::/10",       /* site-local */
	"ff00::/8",        /* multicast */
};

static bool is_in(const char *block, struct ip ip)
{
	struct cidr c;
	return result_is_ok(cidr_parse(str_from(block), &c)) && cidr_contains(c, ip);
}

/* A network's own NAT64 may put the IPv4 address at four places. It is at the end unless something stands
 * before it; where the other three are used it cannot be told. */
static bool is_unrecognised_nat64(struct ip ip)
{
	static const uint8_t nothing[4];
	return is_in("64:ff9b:1::/48", ip) && memcmp(ip.b + 8, nothing, sizeof nothing) != 0;
}

bool web_place_is_special(struct ip ip)
{
	for (size_t k = 0; k < sizeof special / sizeof *special; k++)
		if (is_in(special[k], ip))
			return true;
	return ip_is_none(ip) || is_unrecognised_nat64(ip);
}

struct ip web_place_inner(struct ip ip)
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

bool web_place_is_of(struct ip ip, struct cidr own)
{
	uint8_t whole = own.base.family == IP_V6 ? 128 : 32;
	if (ip_equal(ip, own.base))
		return true;
	if (own.bits + 1 >= whole) /* a network of one or two has none of the others */
		return false;
	return ip_equal(ip, cidr_canonical(own).base) ||
	       (own.base.family == IP_V4 && ip_equal(ip, cidr_last(own)));
}
