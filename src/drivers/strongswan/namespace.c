/* SPDX-License-Identifier: Apache-2.0
 * The namespace of a tunnel: a leg in the tunnel's link, and the tunnel's interface. Its rules forward between the two alone:
 *
 *   from the tunnel   to the VPC's blocks, by the VPC's router; anything else is unreachable
 *   from the leg      into the tunnel
 *   of the daemon     to the VPC's blocks by the VPC's router, else by the outer router
 *
 * The kernel encrypts if it has XFRM interfaces; otherwise charon does, by a TUN device of the same name. */
#include <stdio.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "drivers/netns.h"
#include "drivers/strongswan/strongswan.h"
#include "drivers/switch_port.h"
#include "model/vpn_tunnel.h"

enum { LINK_NAME_SIZE = 16, FROM_TUNNEL = 100, FROM_LEG = 101, FIRST_RULE = 100 };
static const char kind_vpn[] = "vpn";
static const int64_t sysctl_timeout_us = 10 * SECOND;

static void name_outer(const struct vpn_place *place, char out[static LINK_NAME_SIZE])
{
	uuid region = vpns_region(place->vpns);
	snprintf(out, LINK_NAME_SIZE, "dn%02x%02x%07x", region.b[0], region.b[1],
		 vpns_next(place->vpns) & 0xfffffff);
}

static RESULT plug(struct ctx *c, const struct vpn_place *place, uuid port, const char *link)
{
	struct ovsdb *vswitch = NULL;
	const struct switch_port wish = {.kind = kind_vpn, .scope = place->id, .link = link, .port = port};
	TRY(vpns_switch(place->vpns, c, &vswitch));
	return switch_apply_port(vswitch, c, vpns_region(place->vpns), &wish);
}

RESULT namespace_unplug(struct ctx *c, const struct vpn_place *place)
{
	return plug(c, place, UUID_NONE, NULL);
}

/* Settings of each namespace: forwarding, also of packets whose source is one of its own addresses (write_own()). Under systemd the
 * namespace's unit sets both. */
static RESULT set_forwarding(struct ctx *c, int fd)
{
	const char *const argv[] = {"sysctl", "-qw", "net.ipv4.ip_forward=1",
				    "net.ipv4.conf.all.accept_local=1", NULL};
	const struct child child = {.argv = argv, .timeout_us = sysctl_timeout_us, .netns_fd = fd};
	struct child_end end = {0};
	TRY(child_run(c, &child, &end));
	return end.status == 0
		       ? OK
		       : ctx_fail(c, ERR_IO, "sysctl: %" STR_FMT, STR_ARG(str_slice(end.err, 0, 256)));
}

/* Routes to the VPC, of a table. */
static struct str write_blocks(struct ctx *c, const struct vpn_wish *wish, unsigned table)
{
	struct str text = STR("");
	char block[CIDR_TEXT_SIZE], hop[IP_TEXT_SIZE];
	ip_write(wish->link.router, hop);
	for (size_t k = 0; k < wish->block_count; k++)
		text = str_print(c->arena, "%" STR_FMT "route replace %s via %s dev " LEG_LINK " table %u\n",
				 STR_ARG(text), cidr_write(cidr_canonical(wish->blocks[k]), block), hop,
				 table);
	return text;
}

/* In user space charon installs a policy only if the namespace has an address in the VPC's traffic selector (install_route() of
 * kernel-libipsec), so the namespace gets the selector's first address. In a larger block no guest has that address. In a
 * /31 or /32 a guest has it, and write_rules() forwards that guest's packets. */
static struct str write_own(struct ctx *c, const struct vpn_wish *wish)
{
	struct str text = STR("");
	char first[IP_TEXT_SIZE];
	for (size_t k = 0; k < wish->peer_count; k++)
		for (size_t n = 0; n < wish->peers[k].own_count; n++)
			if (wish->peers[k].own[n].bits > 0) /* else any address fits */
				text = str_print(c->arena, "%" STR_FMT "address replace %s/32 dev lo\n",
						 STR_ARG(text),
						 ip_write(cidr_canonical(wish->peers[k].own[n]).base, first));
	return text;
}

static struct str write_leg(struct ctx *c, const struct vpn_wish *wish)
{
	enum { MAIN = 254 };
	char mac[MAC_TEXT_SIZE], leg[IP_TEXT_SIZE], outer[IP_TEXT_SIZE];
	struct str main_blocks = write_blocks(c, wish, MAIN), blocks = write_blocks(c, wish, FROM_TUNNEL),
		   own = write_own(c, wish);
	return str_print(c->arena,
			 "link set dev lo up\n%" STR_FMT "link set dev " LEG_LINK " address %s up\n"
			 "address replace %s/%u dev " LEG_LINK "\n"
			 "route replace default via %s dev " LEG_LINK "\n"
			 "%" STR_FMT "%" STR_FMT "route replace unreachable default table %d\n",
			 STR_ARG(own), mac_write(wish->link.mac, mac), ip_write(wish->link.leg, leg),
			 wish->link.block.bits, ip_write(wish->link.outer, outer), STR_ARG(main_blocks),
			 STR_ARG(blocks), FROM_TUNNEL);
}

/* Before charon's own rule (220): in user space it leads everything into the tunnel by that. The table of the namespace's own addresses
 * comes after the first rule, because one of them can be a guest's (write_own()). */
static struct str write_rules(struct ctx *c)
{
	return str_print(c->arena,
			 "rule add pref %d iif " TUNNEL_LINK " lookup %d\nrule add pref %d lookup local\n"
			 "rule del pref 0 lookup local\nrule add pref %d iif " LEG_LINK
			 " lookup %d\nrule add pref %d lookup main\n",
			 FIRST_RULE, FROM_TUNNEL, FIRST_RULE + 1, FIRST_RULE + 2, FROM_LEG, FIRST_RULE + 3);
}

/* Packets to a site with a smaller MTU. */
static struct str write_mtus(struct ctx *c, const struct vpn_wish *wish)
{
	struct str text = STR("");
	char to[CIDR_TEXT_SIZE];
	for (size_t k = 0; k < wish->peer_count; k++) {
		const struct vpn_peer *peer = &wish->peers[k];
		for (size_t n = 0; peer->mtu && peer->mtu < VPN_TUNNEL_MTU && n < peer->theirs_count; n++)
			text = str_print(c->arena,
					 "%" STR_FMT "route replace %s dev " TUNNEL_LINK
					 " mtu lock %d table %d\n",
					 STR_ARG(text), cidr_write(cidr_canonical(peer->theirs[n]), to),
					 (int) peer->mtu, FROM_LEG);
	}
	return text;
}

/* AWS's end of a tunnel has the first address of the inside block. Tunnels of a VPN service have none. */
static struct str write_inside(struct ctx *c, const struct vpn_wish *wish)
{
	char inside[IP_TEXT_SIZE];
	const struct vpn_tunnel *n = wish->peers[0].tunnel;
	return !uuid_is_none(n->service)
		       ? STR("")
		       : str_print(c->arena, "address replace %s/%u dev " TUNNEL_LINK "\n",
				   ip_write(ip_add(n->inside_cidr.base, 1), inside), n->inside_cidr.bits);
}

static struct str write_tunnel(struct ctx *c, const struct vpn_wish *wish)
{
	struct str inside = write_inside(c, wish), mtus = write_mtus(c, wish);
	return str_print(c->arena,
			 "link set dev " TUNNEL_LINK " mtu %d up\n%" STR_FMT
			 "route replace default dev " TUNNEL_LINK " table %d\n%" STR_FMT,
			 VPN_TUNNEL_MTU, STR_ARG(inside), FROM_LEG, STR_ARG(mtus));
}

struct str namespace_describe(struct ctx *c, const struct vpn_wish *wish)
{
	struct str leg = write_leg(c, wish), tunnel = write_tunnel(c, wish);
	return str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(leg), STR_ARG(tunnel));
}

/* Tries to make an XFRM interface. A kernel without ESP has none. */
static bool add_xfrm(struct ctx *c, int fd)
{
	struct ctx quiet;
	ctx_init(&quiet, c->arena);
	struct str add = str_print(c->arena, "link add " TUNNEL_LINK " type xfrm dev " LEG_LINK " if_id %d\n",
				   XFRM_IF_ID);
	return result_is_ok(netns_run_ip(&quiet, add, fd));
}

RESULT namespace_build(struct ctx *c, const struct vpn_place *place, const struct vpn_wish *wish, int *ret_fd,
		       bool *ret_in_kernel)
{
	AUTO_FD fd = -1;
	char outer[LINK_NAME_SIZE];
	TRY(units_are_used(place) ? units_build_namespace(c, place, &fd) : netns_make(c, &fd));
	if (!units_are_used(place))
		TRY(set_forwarding(c, fd));
	TRY(namespace_unplug(c, place)); /* a former daemon may have left its row */
	name_outer(place, outer);
	TRY(netns_make_links(c, fd, outer, LEG_LINK, VPN_LINK_MTU));
	TRY(netns_run_ip(c, write_leg(c, wish), fd));
	TRY(netns_run_ip(c, write_rules(c), fd));
	*ret_in_kernel = add_xfrm(c, fd);
	TRY(plug(c, place, wish->link.port, outer));
	*ret_fd = fd;
	fd = -1;
	return OK;
}

RESULT namespace_route(struct ctx *c, const struct vpn_place *place, const struct vpn_wish *wish, int fd)
{
	(void) place;
	return netns_run_ip(c, write_tunnel(c, wish), fd);
}
