/* SPDX-License-Identifier: Apache-2.0
 * Plugs network namespaces into the local Open vSwitch (plug.h): a namespace for each VPC, and for each network with guests
 * behind no router. The namespace and its veth pair exist as long as a descriptor does, so at most as long as the process. */
#include "drivers/plug.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/heap.h"
#include "drivers/netns.h"
#include "drivers/ovsdb/ovsdb.h"
#include "drivers/switch_port.h"

/* Small enough for any underlay. TCP announces it as MSS, and DNS answers fit. */
enum { LINK_MTU = 1280, LISTEN_BACKLOG = 256 };
static const char inner_link[] = "plug0";
static const char kind_plug[] = "plug", kind_link[] = "endpoint";
enum { FIRST_TABLE = 100, FIRST_RULE = 1000 };

struct made_link {
	struct made_link *next;
	uuid port;
	unsigned number;      /* number of the routing table in the namespace */
	char link[IFNAMSIZ];  /* outer end */
	char inner[IFNAMSIZ]; /* the end in the namespace */
};

struct plug {
	struct plug *next;
	uuid router;
	int netns_fd;
	char link[IFNAMSIZ]; /* outer end, on the switch */
	struct made_link *links;
};

struct plugs {
	struct ovsdb *vswitch;
	uuid region;
	struct plug *list;
	unsigned made; /* counter for link names, starting at a value that an earlier process has probably
		        * not used */
};

/* ---- sockets in another namespace ---- */

union plug_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* A socket to be made by a thread in the namespace. */
struct socket_visit {
	struct netns_visit visit; /* must be the first member */
	int type;
	struct ip ip;
	uint16_t port;
};

static socklen_t write_address(const struct socket_visit *v, union plug_address *at)
{
	if (v->ip.family == IP_V6) {
		at->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(v->port)};
		memcpy(&at->in6.sin6_addr, v->ip.b, sizeof at->in6.sin6_addr);
		return sizeof at->in6;
	}
	at->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(v->port)};
	memcpy(&at->in.sin_addr, v->ip.b, sizeof at->in.sin_addr);
	return sizeof at->in;
}

static void work_make_socket(struct netns_visit *visit)
{
	struct socket_visit *v = (struct socket_visit *) visit;
	union plug_address at;
	socklen_t size = write_address(v, &at);
	int on = 1, fd = socket(at.any.sa_family, v->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    bind(fd, &at.any, size) == 0 && (v->type != SOCK_STREAM || listen(fd, LISTEN_BACKLOG) == 0)) {
		v->visit.result = fd;
		return;
	}
	v->visit.error = errno;
	if (fd >= 0)
		close(fd);
}

static RESULT make_socket(struct ctx *c, int netns_fd, struct ip ip, uint16_t port, int type, int *ret_fd)
{
	struct socket_visit v = {.visit = {.work = work_make_socket, .netns_fd = netns_fd},
				 .type = type,
				 .ip = ip,
				 .port = port};
	char text[IP_TEXT_SIZE], what[IP_TEXT_SIZE + 64];
	snprintf(what, sizeof what, "listen on %s port %u of the router's namespace", ip_write(ip, text),
		 port);
	TRY(netns_enter(c, &v.visit, what));
	*ret_fd = v.visit.result;
	return OK;
}

RESULT plug_listen_tcp(struct ctx *c, int netns_fd, struct ip ip, uint16_t port, int *ret_fd)
{
	return make_socket(c, netns_fd, ip, port, SOCK_STREAM, ret_fd);
}

RESULT plug_bind_udp(struct ctx *c, int netns_fd, struct ip ip, uint16_t port, int *ret_fd)
{
	return make_socket(c, netns_fd, ip, port, SOCK_DGRAM, ret_fd);
}

/* ---- links ---- */

/* Writes a link's name. Names are unique per machine but marks per region, so the name includes part of the
 * region's id. A recreated plug gets a new name: a switch that was busy during deletion and re-creation would
 * see the known port name and continue to listen on the deleted link. */
static RESULT write_link(struct ctx *c, struct plugs *p, const struct plug_wish *wish,
			 char out[static IFNAMSIZ])
{
	int n = wish->is_on_link
			? snprintf(out, IFNAMSIZ, "dn%02x%02x%07x", p->region.b[0], p->region.b[1],
				   p->made++ & 0xfffffff)
			: snprintf(out, IFNAMSIZ, "dm%02x%02x%02x%llx", p->region.b[0], p->region.b[1],
				   p->made++ & 0xff, (unsigned long long) wish->mark);
	return n > 0 && n < IFNAMSIZ
		       ? OK
		       : ctx_fail(c, ERR_RANGE, "mark %lld is too large", (long long) wish->mark);
}

bool plug_has_ipv6(void)
{
	return access("/proc/net/if_inet6", F_OK) == 0;
}

/* These addresses are unique in the router, so duplicate address detection is skipped. */
static RESULT add_ipv6(struct ctx *c, const struct plug *p)
{
	if (!plug_has_ipv6())
		return OK;
	return netns_run_ip(c,
			    str_print(c->arena,
				      "addr add fd00:ec2::254/120 dev %s nodad\n"
				      "route add default via fd00:ec2::249\n",
				      inner_link),
			    p->netns_fd);
}

/* Adds the namespace's addresses and routes. Guests on a network's own link may have any address, so the default route has no
 * gateway, and ARP finds each guest. */
static RESULT add_addresses(struct ctx *c, const struct plug *p, const struct plug_wish *wish)
{
	char text[MAC_TEXT_SIZE];
	mac_write(wish->mac, text);
	if (wish->is_on_link)
		return netns_run_ip(c,
				    str_print(c->arena,
					      "link set dev lo up\n"
					      "link set dev %s address %s up\n"
					      "addr add 169.254.169.254/32 dev %s\n"
					      "route add default dev %s scope link src 169.254.169.254\n",
					      inner_link, text, inner_link, inner_link),
				    p->netns_fd);
	TRY(netns_run_ip(c,
			 str_print(c->arena,
				   "link set dev lo up\n"
				   "link set dev %s address %s up\n"
				   "addr add 169.254.169.254/29 dev %s\n"
				   "addr add 169.254.169.253/29 dev %s\n"
				   "addr add 168.63.129.16/32 dev lo\n"
				   "route add default via 169.254.169.249\n",
				   inner_link, text, inner_link, inner_link),
			 p->netns_fd));
	return add_ipv6(c, p);
}

static RESULT make_links(struct ctx *c, const struct plug *p, const struct plug_wish *wish)
{
	TRY(netns_make_links(c, p->netns_fd, p->link, inner_link, LINK_MTU));
	return add_addresses(c, p, wish);
}

/* ---- the switch's rows ---- */

/* link NULL: removes the router's rows. */
static RESULT apply_rows(struct plugs *p, struct ctx *c, const char *link, uuid router, uuid port)
{
	const struct switch_port wish = {.kind = kind_plug, .scope = router, .link = link, .port = port};
	return switch_apply_port(p->vswitch, c, p->region, &wish);
}

/* ---- opening ---- */

static void free_plug(struct plug *plug)
{
	while (plug->links) {
		struct made_link *link = plug->links;
		plug->links = link->next;
		heap_free(link);
	}
	if (plug->netns_fd >= 0)
		close(plug->netns_fd);
	heap_free(plug);
}

RESULT plugs_open(struct ctx *c, struct str ovsdb, uuid region, struct plugs **ret_plugs)
{
	struct plugs *p = heap_new(struct plugs);
	if (!p)
		return ctx_no_memory(c);
	p->region = region;
	p->made = (unsigned) (clock_system_us() / SECOND);
	struct result r = switch_open(c, ovsdb, &p->vswitch);
	if (!r.code)
		r = switch_remove_all(p->vswitch, c, region, kind_plug);
	if (!r.code)
		r = switch_remove_all(p->vswitch, c, region, kind_link);
	if (r.code) {
		ovsdb_close(p->vswitch);
		heap_free(p);
		return r;
	}
	*ret_plugs = p;
	return OK;
}

static struct plug **find_plug(struct plugs *p, uuid router)
{
	struct plug **at = &p->list;
	while (*at && !uuid_equal((*at)->router, router))
		at = &(*at)->next;
	return at;
}

/* ---- links of endpoints ---- */

static RESULT apply_link(struct plugs *p, struct ctx *c, uuid port, const char *link)
{
	const struct switch_port wish = {.kind = kind_link, .scope = port, .link = link, .port = port};
	return switch_apply_port(p->vswitch, c, p->region, &wish);
}

static RESULT drop_link(struct plugs *p, struct ctx *c, struct plug *plug, struct made_link **at)
{
	struct made_link *link = *at;
	struct ctx quiet;
	TRY(apply_link(p, c, link->port, NULL));
	netns_delete_link(c, link->link); /* with the other end, its addresses and routes */
	ctx_init(&quiet, c->arena);
	IGNORE(netns_run_ip(&quiet, str_print(c->arena, "rule del pref %u\n", FIRST_RULE + link->number),
			    plug->netns_fd));
	*at = link->next;
	heap_free(link);
	return OK;
}

/* Lowest number that no other link of the namespace has. */
static unsigned choose_number(const struct plug *plug)
{
	unsigned number = 0;
	for (const struct made_link *l = plug->links; l;) {
		bool is_taken = l->number == number;
		number += is_taken;
		l = is_taken ? plug->links : l->next;
	}
	return number;
}

static RESULT configure_link(struct ctx *c, const struct plug *plug, const struct made_link *made,
			     const struct plug_link *wish)
{
	char mac[MAC_TEXT_SIZE];
	const struct netns_address address = {.link = made->inner,
					      .ip = wish->ip,
					      .gateway = wish->gateway,
					      .subnet = wish->subnet,
					      .bits = 32,
					      .table = FIRST_TABLE + made->number,
					      .rule = FIRST_RULE + made->number};
	TRY(netns_make_links(c, plug->netns_fd, made->link, made->inner, LINK_MTU));
	return netns_run_ip(c,
			    str_print(c->arena, "link set dev %s address %s up\n%" STR_FMT, made->inner,
				      mac_write(wish->mac, mac), STR_ARG(netns_write_address(c, &address))),
			    plug->netns_fd);
}

static RESULT add_link(struct plugs *p, struct ctx *c, struct plug *plug, const struct plug_link *wish)
{
	struct made_link *made = heap_new(struct made_link);
	if (!made)
		return ctx_no_memory(c);
	made->port = wish->port;
	made->number = choose_number(plug);
	snprintf(made->link, sizeof made->link, "de%02x%02x%07x", p->region.b[0], p->region.b[1],
		 p->made++ & 0xfffffff);
	snprintf(made->inner, sizeof made->inner, "end%u", made->number);
	struct result r = configure_link(c, plug, made, wish);
	if (!r.code)
		r = apply_link(p, c, made->port, made->link);
	if (r.code) {
		netns_delete_link(c, made->link);
		heap_free(made);
		return r;
	}
	made->next = plug->links;
	plug->links = made;
	return OK;
}

static bool is_wanted(const struct plug_link *links, size_t count, uuid port)
{
	for (size_t k = 0; k < count; k++)
		if (uuid_equal(links[k].port, port))
			return true;
	return false;
}

RESULT plugs_set_links(struct plugs *p, struct ctx *c, uuid router, const struct plug_link *links,
		       size_t count)
{
	struct plug *plug = *find_plug(p, router);
	if (!plug)
		return count ? ctx_fail(c, ERR_AGAIN, "the VPC is not plugged yet") : OK;
	for (struct made_link **at = &plug->links; *at;) {
		if (is_wanted(links, count, (*at)->port))
			at = &(*at)->next;
		else
			TRY(drop_link(p, c, plug, at));
	}
	for (size_t k = 0; k < count; k++) {
		const struct made_link *made = plug->links;
		while (made && !uuid_equal(made->port, links[k].port))
			made = made->next;
		if (!made)
			TRY(add_link(p, c, plug, &links[k]));
	}
	return OK;
}

RESULT plugs_add_address(struct plugs *p, struct ctx *c, uuid router, struct ip ip)
{
	const struct plug *plug = *find_plug(p, router);
	char text[IP_TEXT_SIZE];
	if (!plug)
		return ctx_fail(c, ERR_AGAIN, "the VPC is not plugged yet");
	return netns_run_ip(c, str_print(c->arena, "addr replace %s/32 dev lo\n", ip_write(ip, text)),
			    plug->netns_fd);
}

/* ---- the contract's functions ---- */

static RESULT unplug(struct plugs *p, struct ctx *c, uuid router)
{
	TRY(apply_rows(p, c, NULL, router, UUID_NONE));
	struct plug **at = find_plug(p, router), *plug = *at;
	if (!plug)
		return OK;
	TRY(plugs_set_links(p, c, router, NULL, 0));
	netns_delete_link(c, plug->link); /* sockets may keep the namespace alive for a while */
	*at = plug->next;
	free_plug(plug);
	return OK;
}

RESULT plugs_remove(struct plugs *p, struct ctx *c, uuid router)
{
	return unplug(p, c, router);
}

void plugs_close(struct plugs *p)
{
	if (!p)
		return;
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	while (p->list) {
		struct plug *plug = p->list;
		struct ctx c;
		ctx_init(&c, arena);
		if (arena && !unplug(p, &c, plug->router).code)
			continue;
		p->list = plug->next; /* the next plugs_open() finds its rows */
		free_plug(plug);
	}
	arena_free(arena);
	ovsdb_close(p->vswitch);
	heap_free(p);
}

static RESULT make_plug(struct plugs *p, struct ctx *c, const struct plug_wish *wish, struct plug **ret_plug)
{
	struct plug *plug = heap_new(struct plug);
	if (!plug)
		return ctx_no_memory(c);
	plug->router = wish->router;
	plug->netns_fd = -1;
	struct result r = write_link(c, p, wish, plug->link);
	if (!r.code)
		r = netns_make(c, &plug->netns_fd);
	if (!r.code)
		r = make_links(c, plug, wish);
	if (r.code) {
		free_plug(plug);
		return r;
	}
	*ret_plug = plug;
	return OK;
}

RESULT plugs_ensure(struct plugs *p, struct ctx *c, const struct plug_wish *wish, int *ret_netns_fd)
{
	struct plug *plug = *find_plug(p, wish->router);
	if (!plug) {
		TRY(make_plug(p, c, wish, &plug));
		plug->next = p->list;
		p->list = plug;
	}
	TRY(apply_rows(p, c, plug->link, wish->router, wish->port));
	*ret_netns_fd = plug->netns_fd;
	return OK;
}
