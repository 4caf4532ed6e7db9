/* SPDX-License-Identifier: Apache-2.0
 * Derives MAC addresses from ids, and IPv6 addresses from MACs. */
#include "model/mac.h"

#include <string.h>

struct mac model_make_mac(uuid id, const char *role)
{
	uuid hash = uuid_v5(id, str_from(role));
	return (struct mac){{2, hash.b[0], hash.b[1], hash.b[2], hash.b[3], hash.b[4]}};
}

struct ip model_make_eui64(struct cidr block, struct mac mac)
{
	const uint8_t made[] = {mac.b[0] ^ 2, mac.b[1], mac.b[2], 0xff, 0xfe, mac.b[3], mac.b[4], mac.b[5]};
	struct ip ip = cidr_canonical(block).base;
	memcpy(ip.b + 8, made, sizeof made);
	return ip;
}
