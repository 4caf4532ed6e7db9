/* SPDX-License-Identifier: Apache-2.0
 * The namespace of a proxy. Each link has an address of its own, and a routing table by which answers from that address
 * leave by that link, because the switch accepts a link's own address alone. Other connections leave by the first link.
 *
 * The process holds the namespace, or a unit of systemd's. The file `links` has a line for each link, "PORT LINE…", so that a changed set of links
 * is found after a restart of dari as well. While the set changes, a line CHANGING divides the links that are there from
 * those that may be. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "drivers/haproxy/haproxy.h"
#include "drivers/netns.h"
#include "drivers/switch_port.h"

enum {
	LINKS_CAP = 16384,
	LINK_NAME_SIZE = 16,
	LINK_MTU = 1280,
	FIRST_TABLE = 100,
	FIRST_RULE = 1000,
	LAST_METRIC = 9000
};
static const char kind_proxy[] = "proxy", changing[] = "CHANGING";

static void name_inner(uuid port, char out[static LINK_NAME_SIZE])
{
	snprintf(out, LINK_NAME_SIZE, "p%02x%02x%02x%02x%02x", port.b[0], port.b[1], port.b[2], port.b[3],
		 port.b[4]);
}

/* Names of a recreated link are new: a switch that was busy meanwhile would go on listening on the deleted one. */
static void name_outer(const struct proxy_place *place, char out[static LINK_NAME_SIZE])
{
	uuid region = proxies_region(place->proxies);
	snprintf(out, LINK_NAME_SIZE, "dp%02x%02x%07x", region.b[0], region.b[1],
		 proxies_next(place->proxies) & 0xfffffff);
}

/* ---- the file ---- */

/* " IP GATEWAY SUBNET ROUTE…" of IPv6; empty: the link has none. */
static struct str describe_ip6(struct ctx *c, const struct proxy_link *l)
{
	char ip[IP_TEXT_SIZE], gateway[IP_TEXT_SIZE], block[CIDR_TEXT_SIZE];
	if (ip_is_none(l->ip6))
		return STR("");
	struct str text = str_print(c->arena, " %s %s %s", ip_write(l->ip6, ip),
				    ip_write(l->gateway6, gateway), cidr_write(l->subnet6, block));
	for (size_t k = 0; k < l->route6_count; k++)
		text = str_print(c->arena, "%" STR_FMT " %s", STR_ARG(text),
				 cidr_write(l->routes6[k], block));
	return text;
}

static struct str describe(struct ctx *c, const struct proxy_wish *wish)
{
	struct str text = STR("");
	char port[UUID_TEXT_SIZE], mac[MAC_TEXT_SIZE], ip[IP_TEXT_SIZE], gateway[IP_TEXT_SIZE],
		subnet[CIDR_TEXT_SIZE];
	for (size_t k = 0; k < wish->link_count; k++) {
		const struct proxy_link *l = &wish->links[k];
		mac_write(l->mac, mac);
		text = str_print(c->arena, "%" STR_FMT "%s %s %s %s %s%" STR_FMT "\n", STR_ARG(text),
				 uuid_write(l->port, port), mac, ip_write(l->ip, ip),
				 ip_write(l->gateway, gateway), cidr_write(l->subnet, subnet),
				 STR_ARG(describe_ip6(c, l)));
	}
	return text;
}

static struct str read_links(struct ctx *c, const struct proxy_place *place)
{
	struct ctx quiet;
	struct str text = STR_NONE;
	ctx_init(&quiet, c->arena);
	IGNORE(file_read(&quiet, place_path(c, place, "links"), LINKS_CAP, &text)); /* absent: no links */
	return text;
}

/* The next line's port; false: there is no further line. */
static bool next_port(struct str *text, uuid *ret_port)
{
	struct str line = STR_NONE, word = STR_NONE;
	while (str_split_next(text, '\n', &line))
		if (str_split_next(&line, ' ', &word) && result_is_ok(uuid_parse(word, ret_port)))
			return true;
	return false;
}

static bool has_port(struct str text, uuid port)
{
	uuid other;
	while (next_port(&text, &other))
		if (uuid_equal(other, port))
			return true;
	return false;
}

/* ---- links ---- */

static RESULT plug(struct ctx *c, const struct proxy_place *place, uuid port, const char *link)
{
	struct ovsdb *vswitch = NULL;
	const struct switch_port wish = {.kind = kind_proxy, .scope = port, .link = link, .port = port};
	TRY(proxies_switch(place->proxies, c, &vswitch));
	return switch_apply_port(vswitch, c, proxies_region(place->proxies), &wish);
}

static RESULT add_link(struct ctx *c, const struct proxy_place *place, const struct proxy_link *l, int fd)
{
	char outer[LINK_NAME_SIZE], inner[LINK_NAME_SIZE], mac[MAC_TEXT_SIZE];
	name_outer(place, outer);
	name_inner(l->port, inner);
	TRY(netns_make_links(c, fd, outer, inner, LINK_MTU));
	mac_write(l->mac, mac);
	TRY(netns_run_ip(c, str_print(c->arena, "link set dev %s address %s up\n", inner, mac), fd));
	return plug(c, place, l->port, outer);
}

/* The IPv6 address of a link, and its table. A block that is not behind the gateway is unreachable: without the last route,
 * answers to it would leave by a router that announces itself. */
static struct str write_ip6(struct ctx *c, const struct proxy_link *l, unsigned number)
{
	char inner[LINK_NAME_SIZE], ip[IP_TEXT_SIZE], gateway[IP_TEXT_SIZE], block[CIDR_TEXT_SIZE];
	unsigned table = FIRST_TABLE + number;
	name_inner(l->port, inner);
	ip_write(l->ip6, ip);
	ip_write(l->gateway6, gateway);
	struct str text = str_print(c->arena,
				    "addr replace %s/%u dev %s nodad\n"
				    "route replace %s dev %s src %s table %u\n"
				    "route replace unreachable default table %u metric %u\n",
				    ip, l->subnet6.bits, inner, cidr_write(l->subnet6, block), inner, ip,
				    table, table, (unsigned) LAST_METRIC);
	for (size_t k = 0; k < l->route6_count; k++)
		text = str_print(c->arena, "%" STR_FMT "route replace %s via %s dev %s src %s table %u\n",
				 STR_ARG(text), cidr_write(l->routes6[k], block), gateway, inner, ip, table);
	return str_print(c->arena, "%" STR_FMT "rule add from %s lookup %u pref %u\n", STR_ARG(text), ip,
			 table, FIRST_RULE + number);
}

/* Connections to targets in other subnets leave by the first link with an IPv6 address. */
static struct str write_main_ip6(struct ctx *c, const struct proxy_link *l)
{
	char inner[LINK_NAME_SIZE], ip[IP_TEXT_SIZE], gateway[IP_TEXT_SIZE], block[CIDR_TEXT_SIZE];
	struct str text = STR("");
	name_inner(l->port, inner);
	for (size_t k = 0; k < l->route6_count; k++)
		text = str_print(c->arena, "%" STR_FMT "route replace %s via %s dev %s src %s\n",
				 STR_ARG(text), cidr_write(l->routes6[k], block),
				 ip_write(l->gateway6, gateway), inner, ip_write(l->ip6, ip));
	return text;
}

static RESULT add_routes_ip6(struct ctx *c, const struct proxy_wish *wish, int fd)
{
	struct str text = STR("");
	for (size_t k = 0; k < wish->link_count; k++) {
		const struct proxy_link *l = &wish->links[k];
		if (ip_is_none(l->ip6))
			continue;
		struct str first = text.n ? STR("") : write_main_ip6(c, l);
		text = str_print(c->arena, "%" STR_FMT "%" STR_FMT "%" STR_FMT, STR_ARG(text),
				 STR_ARG(write_ip6(c, l, (unsigned) k)), STR_ARG(first));
	}
	return text.n ? netns_run_ip6(c, text, fd) : OK;
}

/* The addresses and routes of all links, each command so that it may be repeated. */
static RESULT add_routes(struct ctx *c, const struct proxy_wish *wish, int fd)
{
	struct str text = STR("link set dev lo up\n");
	for (size_t k = 0; k < wish->link_count; k++) {
		const struct proxy_link *l = &wish->links[k];
		if (ip_is_none(l->ip))
			continue;
		char inner[LINK_NAME_SIZE], ip[IP_TEXT_SIZE], gateway[IP_TEXT_SIZE];
		const struct netns_address address = {.link = inner,
						      .ip = l->ip,
						      .gateway = l->gateway,
						      .subnet = l->subnet,
						      .bits = l->subnet.bits,
						      .table = FIRST_TABLE + (unsigned) k,
						      .rule = FIRST_RULE + (unsigned) k};
		name_inner(l->port, inner);
		text = str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(text),
				 STR_ARG(netns_write_address(c, &address)));
		if (k == 0 && !ip_is_none(l->gateway))
			text = str_print(c->arena, "%" STR_FMT "route replace default via %s dev %s src %s\n",
					 STR_ARG(text), ip_write(l->gateway, gateway), inner,
					 ip_write(l->ip, ip));
	}
	TRY(netns_run_ip(c, text, fd));
	return add_routes_ip6(c, wish, fd);
}

RESULT namespace_make(struct ctx *c, const struct proxy_place *place, const struct proxy_wish *wish,
		      int *ret_fd)
{
	AUTO_FD fd = -1;
	TRY(units_run(place) ? units_make_namespace(c, place, &fd) : netns_make(c, &fd));
	TRY(netns_run_ip(c, STR("link set dev lo up\n"), fd));
	TRY(namespace_remove(c, place)); /* a former process may have left rows */
	TRY(file_write_synced(c, place_path(c, place, "links"), describe(c, wish), 0600));
	for (size_t k = 0; k < wish->link_count; k++)
		TRY(add_link(c, place, &wish->links[k], fd));
	TRY(add_routes(c, wish, fd));
	*ret_fd = fd;
	fd = -1;
	return OK;
}

static bool has_link(const struct proxy_wish *wish, uuid port)
{
	for (size_t k = 0; k < wish->link_count; k++)
		if (uuid_equal(wish->links[k].port, port))
			return true;
	return false;
}

/* Runs commands whose work an earlier call may have done. ip(8) ends a batch at the first failure, so each is one. */
static void run_each(struct ctx *c, struct str commands, int fd,
		     RESULT run(struct ctx *c, struct str commands, int fd))
{
	struct str line = STR_NONE;
	while (str_split_next(&commands, '\n', &line)) {
		struct ctx quiet;
		ctx_init(&quiet, c->arena);
		if (line.n)
			IGNORE(run(&quiet, str_print(c->arena, "%" STR_FMT "\n", STR_ARG(line)), fd));
	}
}

static void delete_inner(struct ctx *c, uuid port, int fd)
{
	char inner[LINK_NAME_SIZE];
	name_inner(port, inner);
	run_each(c, str_print(c->arena, "link delete dev %s\n", inner), fd, netns_run_ip);
}

/* A link that stays may have an IPv6 address that it is to lose, or to exchange for another one. */
static void drop_ip6(struct ctx *c, const struct proxy_wish *wish, int fd)
{
	char inner[LINK_NAME_SIZE];
	for (size_t k = 0; k < wish->link_count; k++) {
		name_inner(wish->links[k].port, inner);
		run_each(c, str_print(c->arena, "addr flush dev %s scope global\n", inner), fd,
			 netns_run_ip6);
	}
	run_each(c, STR("route flush table main proto boot\n"), fd, netns_run_ip6);
}

/* Rules of links are made anew, because their numbers follow the order of the wish. */
static RESULT drop_old(struct ctx *c, const struct proxy_place *place, const struct proxy_wish *wish,
		       struct str present, int fd)
{
	uuid port;
	unsigned count = 0;
	for (; next_port(&present, &port); count++) {
		if (has_link(wish, port))
			continue;
		delete_inner(c, port, fd);
		TRY(plug(c, place, port, NULL));
	}
	for (unsigned k = 0; k < count || k < wish->link_count; k++) {
		struct str commands = str_print(c->arena, "rule del pref %u\nroute flush table %u\n",
						FIRST_RULE + k, FIRST_TABLE + k);
		run_each(c, commands, fd, netns_run_ip);
		run_each(c, commands, fd, netns_run_ip6);
	}
	drop_ip6(c, wish, fd);
	return OK;
}

/* The part of the file about links that are there. */
static struct str cut_unsure(struct str text)
{
	struct str rest = text, line = STR_NONE;
	while (str_split_next(&rest, '\n', &line))
		if (str_is(line, changing))
			return str_slice(text, 0, (size_t) (line.p - text.p));
	return text;
}

static struct str add_port(struct ctx *c, struct str text, uuid port)
{
	char id[UUID_TEXT_SIZE];
	return str_print(c->arena, "%" STR_FMT "%s\n", STR_ARG(text), uuid_write(port, id));
}

/* The file during a change: links that stay, then those that are being made or removed. */
static struct str describe_change(struct ctx *c, const struct proxy_wish *wish, struct str present)
{
	struct str text = STR(""), sure = cut_unsure(present);
	uuid port;
	for (size_t k = 0; k < wish->link_count; k++)
		if (has_port(sure, wish->links[k].port))
			text = add_port(c, text, wish->links[k].port);
	text = str_print(c->arena, "%" STR_FMT "%s\n", STR_ARG(text), changing);
	for (size_t k = 0; k < wish->link_count; k++)
		text = add_port(c, text, wish->links[k].port);
	while (next_port(&present, &port))
		if (!has_link(wish, port))
			text = add_port(c, text, port);
	return text;
}

static int open_namespace(struct ctx *c, const struct proxy_place *place)
{
	struct str path = str_print(c->arena, "/proc/%d/ns/net", (int) place->pid);
	return units_run(place) ? units_open_namespace(c, place)
				: open(str_to_z(c->arena, path), O_RDONLY | O_CLOEXEC);
}

RESULT namespace_change(struct ctx *c, const struct proxy_place *place, const struct proxy_wish *wish)
{
	struct str wanted = describe(c, wish), present = read_links(c, place);
	const char *file = place_path(c, place, "links");
	if (str_equal(wanted, present))
		return OK;
	AUTO_FD fd = open_namespace(c, place);
	if (fd < 0)
		return ctx_fail(c, ERR_AGAIN, "the proxy's process has just ended");
	TRY(file_write_synced(c, file, describe_change(c, wish, present), 0600));
	TRY(drop_old(c, place, wish, present, fd));
	for (size_t k = 0; k < wish->link_count; k++)
		if (!has_port(cut_unsure(present), wish->links[k].port)) {
			delete_inner(c, wish->links[k].port, fd);
			TRY(plug(c, place, wish->links[k].port, NULL));
			TRY(add_link(c, place, &wish->links[k], fd));
		}
	TRY(add_routes(c, wish, fd));
	return file_write_synced(c, file, wanted, 0600);
}

RESULT namespace_remove(struct ctx *c, const struct proxy_place *place)
{
	struct str present = read_links(c, place);
	uuid port;
	while (next_port(&present, &port))
		TRY(plug(c, place, port, NULL));
	return OK;
}
