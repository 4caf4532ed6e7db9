/* SPDX-License-Identifier: Apache-2.0
 * Addresses and ids of a VPN tunnel's link. */
#include "model/vpn_link.h"
#include "model/mac.h"

#define LINKS_BASE                                                                                           \
	(UINT32_C(169) << 24 | UINT32_C(254) << 16 | UINT32_C(240) << 8) /* 169.254.240.0/22: 128 links */

struct cidr model_get_vpn_link_block(int64_t number)
{
	uint32_t base = LINKS_BASE + ((uint32_t) number << (32 - VPN_LINK_BITS));
	return (struct cidr){ip_from_v4(base), VPN_LINK_BITS};
}

struct vpn_link model_get_vpn_link(uuid tunnel, int64_t number)
{
	struct cidr block = model_get_vpn_link_block(number);
	return (struct vpn_link){.port = uuid_v5(tunnel, STR("leg")),
				 .mac = model_make_mac(tunnel, "leg-mac"),
				 .block = block,
				 .router = ip_add(block.base, 1),
				 .outer = ip_add(block.base, 2),
				 .leg = ip_add(block.base, 3)};
}
