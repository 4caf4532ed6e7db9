/* SPDX-License-Identifier: Apache-2.0
 * Peerings: one port on each of two routers, each naming the other as its peer, without a switch in between.
 * Traffic that arrives by such a port has no route table and therefore reaches the router's own subnets only:
 * no gateway and no other peering. The two addresses of a link come from a range that no VPC uses, as /32, so
 * they shadow nothing in any table; other pairs of routers may reuse them. */
#include <stdio.h>

#include "drivers/ovn/nb.h"
#include "model/mac.h"
#include "model/peering.h"

#define LINKS_BASE (UINT32_C(169) << 24 | UINT32_C(254) << 16 | UINT32_C(192) << 8) /* 4,096 links */

/* The requester's or the accepter's end of a link. */
struct end {
	char name[NB_NAME_SIZE];
	struct ip ip;
	struct mac mac;
	const char *role;
};

static struct end end_of(const struct peering *p, bool is_peer)
{
	struct end end = {.ip = ip_from_v4(LINKS_BASE + 2 * (uint32_t) p->link + is_peer),
			  .mac = model_make_mac(p->row.id, is_peer ? "accepter-mac" : "requester-mac"),
			  .role = is_peer ? "accepter-lrp" : "requester-lrp"};
	nb_write_name(is_peer ? "pa-" : "pr-", p->row.id, end.name);
	return end;
}

static bool is_peer_end(const struct peering *p, uuid router)
{
	return uuid_equal(p->peer_router, router);
}

void nb_plan_peering(struct wish *w, const struct peering *p)
{
	bool is_peer = is_peer_end(p, w->scope);
	struct end own = end_of(p, is_peer), other = end_of(p, !is_peer);
	char ip[IP_TEXT_SIZE], network[IP_TEXT_SIZE + 4], mac[MAC_TEXT_SIZE];
	snprintf(network, sizeof network, "%s/32", ip_write(own.ip, ip));
	struct wish_row *row = wish_add_row(w, "Logical_Router_Port", uuid_v5(p->row.id, str_from(own.role)),
					    json_pack("{s:s,s:s,s:{s:b},s:s,s:{}}", "name", own.name, "mac",
						      mac_write(own.mac, mac), "networks", network, 1, "peer",
						      other.name, "options"));
	wish_add_edge(w, row, "Logical_Router", "ports", w->scope);
}

struct ip nb_make_link_local(struct mac mac)
{
	return model_make_eui64((struct cidr){{{0xfe, 0x80}, IP_V6}, 64}, mac);
}

void nb_write_peering_hop(const struct peering *p, uuid router, enum ip_family family,
			  char next_hop[static IP_TEXT_SIZE], char port[static NB_NAME_SIZE])
{
	bool is_peer = is_peer_end(p, router);
	struct end other = end_of(p, !is_peer);
	ip_write(family == IP_V6 ? nb_make_link_local(other.mac) : other.ip, next_hop);
	memcpy(port, end_of(p, is_peer).name, NB_NAME_SIZE);
}
