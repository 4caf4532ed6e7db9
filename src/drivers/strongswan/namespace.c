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

/* Forwarding is a setting of each namespace. Under systemd the namespace's unit sets it. */
static RESULT set_forwarding(struct ctx *c, int fd)
{
	const char *const argv[] = {"sysctl", "-qw", "net.ipv4.ip_forward=1", NULL};
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
 * kernel-libipsec). The selector's first address is the network's own, which no interface has. */
static struct str write_own(struct ctx *c, const struct vpn_wish *wish)
{
	enum { BITS_MAX = 30 };
	char first[IP_TEXT_SIZE];
	if (cidr_is_none(wish->own) || wish->own.bits > BITS_MAX)
		return STR("");
	return str_print(c->arena, "address replace %s/32 dev lo\n",
			 ip_write(cidr_canonical(wish->own).base, first));
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

/* Before charon's own rule (220): in user space it leads everything into the tunnel by that. */
static struct str write_rules(struct ctx *c)
{
	return str_print(c->arena,
			 "rule add pref %d iif " TUNNEL_LINK " lookup %d\nrule add pref %d iif " LEG_LINK
			 " lookup %d\nrule add pref %d lookup main\n",
			 FIRST_RULE, FROM_TUNNEL, FIRST_RULE + 1, FROM_LEG, FIRST_RULE + 2);
}

/* AWS's end of the tunnel has the first address of the inside block. */
static struct str write_tunnel(struct ctx *c, const struct vpn_wish *wish)
{
	char inside[IP_TEXT_SIZE];
	struct cidr block = wish->tunnel->inside_cidr;
	return str_print(c->arena,
			 "link set dev " TUNNEL_LINK " mtu %d up\n"
			 "address replace %s/%u dev " TUNNEL_LINK "\n"
			 "route replace default dev " TUNNEL_LINK " table %d\n",
			 VPN_TUNNEL_MTU, ip_write(ip_add(block.base, 1), inside), block.bits, FROM_LEG);
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
