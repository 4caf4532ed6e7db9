/* SPDX-License-Identifier: Apache-2.0
 * Addresses that nobody is sent to. */
#include "drivers/web_inside.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/ip.h"

bool web_is_inside(const struct curl_sockaddr *a)
{
	static const char *const inside[] = {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16",
					     "::/127",    "fe80::/10",   "::ffff:0:0/96"};
	struct ip ip = {0};
	if (a->family == AF_INET)
		ip = ip_from_v4(
			ntohl(((const struct sockaddr_in *) (const void *) &a->addr)->sin_addr.s_addr));
	else if (a->family == AF_INET6)
		memcpy(ip.b, &((const struct sockaddr_in6 *) (const void *) &a->addr)->sin6_addr,
		       sizeof ip.b);
	if (a->family == AF_INET6)
		ip.family = IP_V6;
	for (size_t k = 0; k < sizeof inside / sizeof *inside; k++) {
		struct cidr block;
		if (result_is_ok(cidr_parse(str_from(inside[k]), &block)) && cidr_contains(block, ip))
			return true;
	}
	return ip.family == IP_NONE;
}
