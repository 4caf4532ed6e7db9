/* SPDX-License-Identifier: Apache-2.0
 * Plugs network namespaces into the local Open vSwitch (plug.h): a namespace for each VPC, and for each network with guests
 * behind no router. The namespace and its veth pair exist as long as a descriptor does, so at most as long as the process;
 * rows in the switch's database are found by our mark. They are updated with the same diff engine as the northbound database's.
 *
 * Entering a namespace changes the calling thread. It is only done by threads that end afterwards, never by a
 * caller's. */
#include "drivers/plug.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/heap.h"
#include "drivers/ovn/ovsdb.h"
#include "drivers/ovn/wish.h"

/* Small enough for any underlay. TCP announces it as MSS, and DNS answers fit. */
enum { LINK_MTU = 1280, LISTEN_BACKLOG = 256 };
static const char inner_link[] = "plug0";
static const char kind_plug[] = "plug";
static const int64_t ip_timeout_us = 10 * SECOND;

static const struct ovsdb_column vswitch_columns[] = {
	{"Bridge", "name", OVSDB_TEXT, false},      {"Bridge", "ports", OVSDB_UUIDS, false},
	{"Port", "name", OVSDB_TEXT, false},        {"Port", "interfaces", OVSDB_UUIDS, true},
	{"Port", "external_ids", OVSDB_MAP, false}, {"Interface", "name", OVSDB_TEXT, false},
	{"Interface", "type", OVSDB_TEXT, false},   {"Interface", "external_ids", OVSDB_MAP, false},
};
static const char *const vswitch_roots[] = {"Bridge", NULL};
static const struct ovsdb_schema vswitch_schema = {"Open_vSwitch", vswitch_columns,
						   sizeof vswitch_columns / sizeof vswitch_columns[0],
						   vswitch_roots, MARK_SCOPE};

struct plug {
	struct plug *next;
	uuid router;
	int netns_fd;
	char link[IFNAMSIZ]; /* outer end, on the switch */
};

struct plugs {
	struct ovsdb *vswitch;
	uuid region;
	struct plug *list;
	unsigned made; /* counter for link names, starting at a value that an earlier process has probably
		        * not used */
};

/* ---- in another namespace ---- */

/* Work for a thread that may change its namespace because it ends afterwards. */
struct visit {
	void (*work)(struct visit *v); /* sets result to what it created, or to -1 and error to errno */
	int netns_fd;                  /* -1: stays in the current namespace unless work changes it */
	int type;                      /* socket type; for sockets */
	struct ip ip;
	uint16_t port;
	const char *link;
	int result, error;
};

static void *visit_main(void *arg)
{
	struct visit *v = arg;
	v->result = -1;
	if (v->netns_fd >= 0 && setns(v->netns_fd, CLONE_NEWNET) != 0)
		v->error = errno;
	else
		v->work(v);
	return NULL;
}

static RESULT visit(struct ctx *c, struct visit *v, const char *what)
{
	pthread_t thread;
	char text[128];
	int rc = pthread_create(&thread, NULL, visit_main, v);
	if (rc)
		return ctx_fail(c, ERR_AGAIN, "cannot start a thread: %s", strerror_r(rc, text, sizeof text));
	pthread_join(thread, NULL);
	if (v->result < 0)
		return ctx_fail(c, ERR_IO, "cannot %s: %s", what, strerror_r(v->error, text, sizeof text));
	return OK;
}

static void work_make_netns(struct visit *v)
{
	if (unshare(CLONE_NEWNET) == 0)
		v->result = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	v->error = errno;
}

union plug_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t write_address(const struct visit *v, union plug_address *at)
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

static void work_make_socket(struct visit *v)
{
	union plug_address at;
	socklen_t size = write_address(v, &at);
	int on = 1, fd = socket(at.any.sa_family, v->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    bind(fd, &at.any, size) == 0 && (v->type != SOCK_STREAM || listen(fd, LISTEN_BACKLOG) == 0)) {
		v->result = fd;
		return;
	}
	v->error = errno;
	if (fd >= 0)
		close(fd);
}

/* Disables checksum offload: a userspace datapath doesn't compute checksums, so each sender must. */
static void work_stop_offload(struct visit *v)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_value off = {.cmd = ETHTOOL_STXCSUM, .data = 0};
	struct ifreq request = {.ifr_data = (char *) &off};
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", v->link);
	if (fd >= 0)
		v->result = ioctl(fd, SIOCETHTOOL, &request);
	v->error = errno;
	if (fd >= 0)
		close(fd);
}

static RESULT make_socket(struct ctx *c, int netns_fd, struct ip ip, uint16_t port, int type, int *ret_fd)
{
	struct visit v = {
		.work = work_make_socket, .netns_fd = netns_fd, .type = type, .ip = ip, .port = port};
	char text[IP_TEXT_SIZE], what[IP_TEXT_SIZE + 64];
	snprintf(what, sizeof what, "listen on %s port %u of the router's namespace", ip_write(ip, text),
		 port);
	TRY(visit(c, &v, what));
	*ret_fd = v.result;
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

/* Runs ip(8) with a batch of commands. netns_fd 0: in the current namespace. */
static RESULT run_ip(struct ctx *c, struct str commands, int netns_fd)
{
	static const char *const argv[] = {"ip", "-batch", "-", NULL};
	struct child child = {
		.argv = argv, .input = commands, .timeout_us = ip_timeout_us, .netns_fd = netns_fd};
	struct child_end end = {0};
	if (!commands.p)
		return ctx_no_memory(c);
	TRY(child_run(c, &child, &end));
	if (end.status != 0)
		return ctx_fail(c, ERR_IO, "ip failed: %" STR_FMT, STR_ARG(str_trim(end.err)));
	return OK;
}

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

/* Deletes a link left by a crash. It disappears with its namespace, but possibly later than this process
 * restarts. */
static void delete_link(struct ctx *c, const char *link)
{
	struct ctx quiet;
	if (if_nametoindex(link) == 0)
		return;
	ctx_init(&quiet, c->arena);
	IGNORE(run_ip(&quiet, str_print(c->arena, "link delete dev %s\n", link), 0)); /* already gone: fine */
}

bool plug_has_ipv6(void)
{
	return access("/proc/net/if_inet6", F_OK) == 0;
}

/* Nobody else has these addresses in the router, so duplicate address detection is skipped. */
static RESULT add_ipv6(struct ctx *c, const struct plug *p)
{
	if (!plug_has_ipv6())
		return OK;
	return run_ip(c,
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
		return run_ip(c,
			      str_print(c->arena,
					"link set dev lo up\n"
					"link set dev %s address %s up\n"
					"addr add 169.254.169.254/32 dev %s\n"
					"route add default dev %s scope link src 169.254.169.254\n",
					inner_link, text, inner_link, inner_link),
			      p->netns_fd);
	TRY(run_ip(c,
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
	delete_link(c, p->link);
	TRY(run_ip(c,
		   str_print(c->arena,
			     "link add name %s mtu %d type veth peer name %s mtu %d netns /proc/%d/fd/%d\n"
			     "link set dev %s up\n",
			     p->link, LINK_MTU, inner_link, LINK_MTU, (int) getpid(), p->netns_fd, p->link),
		   0));
	TRY(add_addresses(c, p, wish));
	struct visit outer = {.work = work_stop_offload, .netns_fd = -1, .link = p->link};
	struct visit inner = {.work = work_stop_offload, .netns_fd = p->netns_fd, .link = inner_link};
	TRY(visit(c, &outer, "turn off checksum offload"));
	return visit(c, &inner, "turn off checksum offload");
}

/* ---- the switch's rows ---- */

struct row_step {
	struct wish *wish;
	const struct plug *plug; /* NULL: remove its rows */
	uuid port;
	json_t *ops;
};

static const char *find_bridge(const struct ovsdb_cache *cache)
{
	const char *id;
	json_t *row;
	json_object_foreach (ovsdb_cache_table(cache, "Bridge"), id, row)
		if (str_is(str_from(json_string_value(json_object_get(row, "name"))), "br-int"))
			return id;
	return NULL;
}

static RESULT plan_rows(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	struct row_step *s = arg;
	const char *bridge = find_bridge(cache);
	char text[UUID_TEXT_SIZE];
	uuid bridge_id, port_id = uuid_v5(s->wish->scope, STR("plug-port"));
	if (s->plug) {
		if (!bridge || uuid_parse(str_from(bridge), &bridge_id).code)
			return ctx_fail(c, ERR_AGAIN, "the local Open vSwitch has no bridge br-int yet");
		struct wish_row *row =
			wish_add_row(s->wish, "Port", port_id, json_pack("{s:s}", "name", s->plug->link));
		wish_add_edge(s->wish, row, "Bridge", "ports", bridge_id);
		row = wish_add_row(s->wish, "Interface", uuid_v5(s->wish->scope, STR("plug-interface")),
				   json_pack("{s:s,s:s}", "name", s->plug->link, "type", ""));
		wish_add_mark(s->wish, row, "iface-id", str_from(uuid_write(s->port, text)));
		wish_add_edge(s->wish, row, "Port", "interfaces", port_id);
	}
	return wish_diff(c, s->wish, cache, &s->ops);
}

/* plug NULL: removes the router's rows. */
static RESULT apply_rows(struct plugs *p, struct ctx *c, const struct plug *plug, uuid router, uuid port)
{
	struct wish w;
	struct row_step s = {.wish = &w, .plug = plug, .port = port};
	wish_init(&w, c->arena, p->region, router, kind_plug);
	struct result r = ovsdb_with_cache(p->vswitch, c, plan_rows, &s);
	if (!r.code && s.ops)
		r = ovsdb_transact(p->vswitch, c, s.ops, NULL);
	json_decref(s.ops);
	wish_free(&w);
	return r;
}

struct leftovers {
	const char *region;
	VEC(uuid) routers;
};

static RESULT find_leftovers(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	struct leftovers *l = arg;
	const char *id;
	json_t *row;
	uuid router;
	json_object_foreach (ovsdb_cache_table(cache, "Port"), id, row) {
		struct str region = str_from(ovsdb_row_mark(row, MARK_REGION));
		struct str scope = str_from(ovsdb_row_mark(row, MARK_SCOPE));
		if (str_is(region, l->region) && !uuid_parse(scope, &router).code &&
		    !VEC_PUSH(c->arena, &l->routers, router))
			return ctx_no_memory(c);
	}
	return OK;
}

static RESULT remove_leftovers(struct plugs *p, struct ctx *c)
{
	char region[UUID_TEXT_SIZE];
	struct leftovers l = {.region = uuid_write(p->region, region)};
	TRY(ovsdb_with_cache(p->vswitch, c, find_leftovers, &l));
	for (size_t k = 0; k < l.routers.count; k++)
		TRY(apply_rows(p, c, NULL, l.routers.at[k], UUID_NONE));
	return OK;
}

/* ---- the contract's functions ---- */

static void free_plug(struct plug *plug)
{
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
	struct result r = ovsdb_open(c, &(struct ovsdb_config){ovsdb, &vswitch_schema, 0}, &p->vswitch);
	if (!r.code)
		r = remove_leftovers(p, c);
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

static RESULT unplug(struct plugs *p, struct ctx *c, uuid router)
{
	TRY(apply_rows(p, c, NULL, router, UUID_NONE));
	struct plug **at = find_plug(p, router), *plug = *at;
	if (!plug)
		return OK;
	delete_link(c, plug->link); /* sockets may keep the namespace alive for a while */
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
	struct visit v = {.work = work_make_netns, .netns_fd = -1};
	if (!plug)
		return ctx_no_memory(c);
	plug->router = wish->router;
	plug->netns_fd = -1;
	struct result r = write_link(c, p, wish, plug->link);
	if (!r.code)
		r = visit(c, &v, "make a network namespace");
	if (!r.code) {
		plug->netns_fd = v.result;
		r = make_links(c, plug, wish);
	}
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
	TRY(apply_rows(p, c, plug, wish->router, wish->port));
	*ret_netns_fd = plug->netns_fd;
	return OK;
}
