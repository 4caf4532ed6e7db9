/* SPDX-License-Identifier: Apache-2.0
 * The namespace of a proxy. Each link has an address of its own, and a routing table by which answers from that address
 * leave by that link, because the switch accepts a link's own address alone. Other connections leave by the first link.
 *
 * The process holds the namespace. The file `links` has a line for each link, "PORT LINE…", so that a changed set of links
 * is found after a restart of dari as well. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "drivers/haproxy/haproxy.h"
#include "drivers/netns.h"
#include "drivers/switch_port.h"

enum { LINKS_CAP = 16384, LINK_NAME_SIZE = 16, LINK_MTU = 1280, FIRST_TABLE = 100, FIRST_RULE = 1000 };
static const char kind_proxy[] = "proxy";

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

static struct str describe(struct ctx *c, const struct proxy_wish *wish)
{
	struct str text = STR("");
	char port[UUID_TEXT_SIZE], mac[MAC_TEXT_SIZE], ip[IP_TEXT_SIZE], gateway[IP_TEXT_SIZE],
		subnet[CIDR_TEXT_SIZE];
	for (size_t k = 0; k < wish->link_count; k++) {
		const struct proxy_link *l = &wish->links[k];
		mac_write(l->mac, mac);
		text = str_print(c->arena, "%" STR_FMT "%s %s %s %s %s\n", STR_ARG(text),
				 uuid_write(l->port, port), mac, ip_write(l->ip, ip),
				 ip_write(l->gateway, gateway), cidr_write(l->subnet, subnet));
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

/* The addresses and routes of all links, each command so that it may be repeated. */
static RESULT add_routes(struct ctx *c, const struct proxy_wish *wish, int fd)
{
	struct str text = STR("link set dev lo up\n");
	for (size_t k = 0; k < wish->link_count; k++) {
		const struct proxy_link *l = &wish->links[k];
		char inner[LINK_NAME_SIZE], ip[IP_TEXT_SIZE], gateway[IP_TEXT_SIZE], subnet[CIDR_TEXT_SIZE];
		unsigned table = FIRST_TABLE + (unsigned) k;
		name_inner(l->port, inner);
		ip_write(l->ip, ip);
		ip_write(l->gateway, gateway);
		cidr_write(l->subnet, subnet);
		text = str_print(c->arena,
				 "%" STR_FMT "addr replace %s/%u dev %s\n"
				 "route replace %s dev %s src %s table %u\n"
				 "route replace default via %s dev %s src %s table %u\n"
				 "rule add from %s lookup %u pref %u\n",
				 STR_ARG(text), ip, l->subnet.bits, inner, subnet, inner, ip, table, gateway,
				 inner, ip, table, ip, table, FIRST_RULE + (unsigned) k);
		if (k == 0)
			text = str_print(c->arena, "%" STR_FMT "route replace default via %s dev %s src %s\n",
					 STR_ARG(text), gateway, inner, ip);
	}
	return netns_run_ip(c, text, fd);
}

RESULT namespace_make(struct ctx *c, const struct proxy_place *place, const struct proxy_wish *wish,
		      int *ret_fd)
{
	AUTO_FD fd = -1;
	TRY(netns_make(c, &fd));
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

/* Rules of links are made anew, because their numbers follow the order of the wish. */
static RESULT drop_old(struct ctx *c, const struct proxy_place *place, const struct proxy_wish *wish,
		       struct str present, int fd)
{
	struct str text = STR("");
	uuid port;
	for (unsigned k = 0; next_port(&present, &port); k++) {
		char inner[LINK_NAME_SIZE];
		name_inner(port, inner);
		text = str_print(c->arena, "%" STR_FMT "rule del pref %u\nroute flush table %u\n",
				 STR_ARG(text), FIRST_RULE + k, FIRST_TABLE + k);
		if (has_link(wish, port))
			continue;
		text = str_print(c->arena, "%" STR_FMT "link delete dev %s\n", STR_ARG(text), inner);
		TRY(plug(c, place, port, NULL));
	}
	struct ctx quiet;
	ctx_init(&quiet, c->arena);
	IGNORE(netns_run_ip(&quiet, text, fd)); /* an earlier call may have done a part of it */
	return OK;
}

RESULT namespace_change(struct ctx *c, const struct proxy_place *place, const struct proxy_wish *wish)
{
	struct str wanted = describe(c, wish), present = read_links(c, place);
	if (str_equal(wanted, present))
		return OK;
	struct str path = str_print(c->arena, "/proc/%d/ns/net", (int) place->pid);
	AUTO_FD fd = open(str_to_z(c->arena, path), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ctx_fail(c, ERR_AGAIN, "the proxy's process has just ended");
	TRY(drop_old(c, place, wish, present, fd));
	for (size_t k = 0; k < wish->link_count; k++)
		if (!has_port(present, wish->links[k].port))
			TRY(add_link(c, place, &wish->links[k], fd));
	TRY(add_routes(c, wish, fd));
	return file_write_synced(c, place_path(c, place, "links"), wanted, 0600);
}

RESULT namespace_remove(struct ctx *c, const struct proxy_place *place)
{
	struct str present = read_links(c, place);
	uuid port;
	while (next_port(&present, &port))
		TRY(plug(c, place, port, NULL));
	return OK;
}
