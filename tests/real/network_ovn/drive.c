/* SPDX-License-Identifier: Apache-2.0
 * Drives the OVN driver and the plugs by hand: a command a line on standard input, "ok …" or
 * "err CODE words" as answer, so that a test can look at packets in between. Names become UUIDs.
 *     drive NORTHBOUND SOUTHBOUND VSWITCH REGION
 * Commands: the table at the end. A router's parts are declared first (subnet, table, route,
 * uplink) and take effect with `apply ROUTER`. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/vec.h"
#include "drivers/network.h"
#include "drivers/plug.h"
#include "model/address.h"
#include "model/external_network.h"
#include "model/firewall_rule.h"
#include "model/gateway.h"
#include "model/load_balancer.h"
#include "model/network.h"
#include "model/port.h"
#include "model/port_forwarding.h"
#include "model/route.h"
#include "model/route_table.h"
#include "model/router.h"
#include "model/security_group.h"
#include "model/security_group_rule.h"
#include "model/subnet.h"

enum { WORDS_MAX = 24, LINE_SIZE = 1024, PARTS_MAX = 64 };

static struct arena *lasting; /* holds all declarations */
static struct network_handle net;
static struct plugs *plugs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned change_count, reset_count;

/* A command: words of its line, and the context for its calls. */
struct command {
	struct ctx ctx;
	struct str words[WORDS_MAX];
	size_t count;
};

static uuid name_to_uuid(struct str name)
{
	static const uuid name_space = {{0xd, 0xa, 0xd, 0x1}};
	return uuid_v5(name_space, name);
}

/* Value of key=value among the words; empty if absent. */
static struct str get(const struct command *cmd, const char *key)
{
	for (size_t k = 2; k < cmd->count; k++) {
		struct str rest = cmd->words[k], left;
		if (str_split_next(&rest, '=', &left) && str_is(left, key))
			return str_copy(lasting, rest);
	}
	return STR_NONE;
}

static struct ip get_ip(const struct command *cmd, const char *key)
{
	struct ip ip = {0};
	IGNORE(ip_parse(get(cmd, key), &ip)); /* absent: none */
	return ip;
}

/* ---- declarations ---- */

struct world {
	struct router routers[PARTS_MAX];
	struct str uplinks[PARTS_MAX]; /* chassis of a router's gateway; empty: none */
	struct gateway gateways[PARTS_MAX];
	struct ip translations[PARTS_MAX]; /* source address of outgoing traffic, or none */
	size_t router_count;
	struct network networks[PARTS_MAX]; /* networks[k] is the network of subnets[k] */
	struct subnet subnets[PARTS_MAX];
	struct network_firewall
		firewalls[PARTS_MAX]; /* firewalls[k] is that of networks[k]; none without a network */
	size_t subnet_count;
	struct route_table tables[PARTS_MAX];
	size_t table_count;
	struct route routes[PARTS_MAX];
	size_t route_count;
	struct port_forwarding forwardings[PARTS_MAX];
	struct ip forwarded[PARTS_MAX]; /* public address of each */
	size_t forwarding_count;
	struct load_balancer balancers[PARTS_MAX];
	struct ip balanced[PARTS_MAX]; /* public address of each */
	struct network_members {
		const struct network_member *at;
		size_t count;
	} members[PARTS_MAX];
	size_t balancer_count;
	struct port ports[PARTS_MAX];
	struct network_qos egress[PARTS_MAX], ingress[PARTS_MAX];
	struct str chassis[PARTS_MAX];
	bool named[PARTS_MAX];
	size_t port_count;
	struct external_network external;
};

static struct world world;

#define FIND(list, what)                                                                                     \
	static size_t find_##what(uuid id)                                                                   \
	{                                                                                                    \
		size_t k = 0;                                                                                \
		while (k < world.what##_count && !uuid_equal(world.list[k].row.id, id))                      \
			k++;                                                                                 \
		if (k == world.what##_count && k < PARTS_MAX - 1)                                            \
			world.list[world.what##_count++].row.id = id;                                        \
		return k;                                                                                    \
	}
FIND(routers, router)
FIND(subnets, subnet)
FIND(tables, table)
FIND(routes, route)
FIND(forwardings, forwarding)
FIND(balancers, balancer)
FIND(ports, port)

static RESULT do_router(struct command *cmd)
{
	struct router *r = &world.routers[find_router(name_to_uuid(cmd->words[1]))];
	struct cidr *block = arena_new_object(lasting, struct cidr);
	r->dns_support = true;
	r->dns_hostnames = true;
	r->blocks = (struct cidrs){block, 1};
	return cidr_parse(get(cmd, "block"), block);
}

static RESULT do_uplink(struct command *cmd)
{
	size_t k = find_router(name_to_uuid(cmd->words[1]));
	world.uplinks[k] = get(cmd, "chassis");
	world.gateways[k].row.id = uuid_v5(world.routers[k].row.id, STR("igw"));
	world.gateways[k].ip = get_ip(cmd, "ip");
	world.translations[k] = get(cmd, "snat").n ? get_ip(cmd, "snat") : (struct ip){0};
	world.external.row.id = name_to_uuid(STR("external"));
	world.external.physical_network = get(cmd, "physnet");
	world.external.next_hop = get_ip(cmd, "next");
	return OK;
}

static RESULT do_subnet(struct command *cmd)
{
	size_t at = find_subnet(name_to_uuid(cmd->words[1]));
	struct subnet *s = &world.subnets[at];
	s->network = uuid_v5(s->row.id, STR("network"));
	world.networks[at] = (struct network){.row.id = s->network, .mtu = 1442};
	s->router = get(cmd, "router").n ? name_to_uuid(get(cmd, "router")) : UUID_NONE;
	s->route_table = name_to_uuid(get(cmd, "table"));
	TRY(cidr_parse(get(cmd, "block"), &s->block));
	s->gateway_ip = ip_add(s->block.base, 1);
	return mac_parse(get(cmd, "mac"), &s->gateway_mac);
}

static RESULT do_subnet_drop(struct command *cmd)
{
	world.subnets[find_subnet(name_to_uuid(cmd->words[1]))].router = UUID_NONE;
	return OK;
}

static RESULT do_table(struct command *cmd)
{
	world.tables[find_table(name_to_uuid(cmd->words[1]))].router = name_to_uuid(get(cmd, "router"));
	return OK;
}

static RESULT do_route(struct command *cmd)
{
	struct route *r = &world.routes[find_route(name_to_uuid(cmd->words[1]))];
	r->table = name_to_uuid(get(cmd, "table"));
	r->gateway = r->port = UUID_NONE;
	if (get(cmd, "gateway").n)
		r->gateway = uuid_v5(name_to_uuid(get(cmd, "gateway")), STR("igw"));
	if (get(cmd, "port").n)
		r->port = name_to_uuid(get(cmd, "port"));
	return cidr_parse(get(cmd, "to"), &r->destination);
}

static RESULT do_route_drop(struct command *cmd)
{
	world.routes[find_route(name_to_uuid(cmd->words[1]))].table = UUID_NONE;
	return OK;
}

static int64_t get_number(const struct command *cmd, const char *key, int64_t otherwise)
{
	int64_t number = otherwise;
	IGNORE(str_parse_int(get(cmd, key), &number));
	return number;
}

static RESULT do_forward(struct command *cmd)
{
	size_t at = find_forwarding(name_to_uuid(cmd->words[1]));
	struct port_forwarding *f = &world.forwardings[at];
	world.forwarded[at] = get_ip(cmd, "ip");
	f->router = name_to_uuid(get(cmd, "router"));
	f->protocol = str_is(get(cmd, "protocol"), "udp") ? PORT_FORWARDING_PROTOCOL_UDP
							  : PORT_FORWARDING_PROTOCOL_TCP;
	f->private_ip = get_ip(cmd, "for");
	f->public_first = get_number(cmd, "from", 0);
	f->public_last = get_number(cmd, "last", f->public_first);
	f->private_first = f->private_last = get_number(cmd, "to", 0);
	return OK;
}

static RESULT do_forward_drop(struct command *cmd)
{
	world.forwardings[find_forwarding(name_to_uuid(cmd->words[1]))].router = UUID_NONE;
	return OK;
}

/* "balance NAME router=… ip=… from=80 to=80 for=IP,IP [source=1]"; without a router it is deleted. */
static RESULT do_balance(struct command *cmd)
{
	size_t at = find_balancer(name_to_uuid(cmd->words[1]));
	struct load_balancer *b = &world.balancers[at];
	VEC(struct network_member) members = {0};
	struct str rest = get(cmd, "for"), word;
	struct network_member member = {0};
	while (str_split_next(&rest, ',', &word)) {
		TRY(ip_parse(word, &member.ip));
		if (!VEC_PUSH(lasting, &members, member))
			return ctx_no_memory(&cmd->ctx);
	}
	world.balanced[at] = get_ip(cmd, "ip");
	world.members[at] = (struct network_members){members.at, members.count};
	b->router = get(cmd, "router").n ? name_to_uuid(get(cmd, "router")) : UUID_NONE;
	b->algorithm =
		get(cmd, "source").n ? LOAD_BALANCER_ALGORITHM_SOURCE : LOAD_BALANCER_ALGORITHM_ROUNDROBIN;
	b->public_port = get_number(cmd, "from", 0);
	b->private_port = get_number(cmd, "to", 0);
	return OK;
}

/* Five words separated by colons. */
static RESULT split_rule(struct str text, struct str words[static 5], int64_t numbers[static 3])
{
	for (size_t k = 0; k < 5; k++)
		if (!str_split_next(&text, ':', &words[k]))
			return FAIL(INVALID);
	for (size_t k = 0; k < 3; k++)
		TRY(str_parse_int(words[k + 2], &numbers[k]));
	return OK;
}

static RESULT parse_opening(struct str text, struct network_opening *o)
{
	struct str words[5];
	int64_t numbers[3];
	TRY(split_rule(text, words, numbers));
	o->protocol = numbers[0];
	o->from = numbers[1];
	o->to = numbers[2];
	TRY(cidr_parse(words[0], &o->source));
	return ip_parse(words[1], &o->ip);
}

static RESULT parse_outward(struct str text, uuid network, struct firewall_rule *r)
{
	struct str words[5];
	int64_t numbers[3];
	struct cidr *blocks = arena_new_array(lasting, struct cidr, 2);
	TRY(split_rule(text, words, numbers));
	TRY(cidr_parse(words[0], &blocks[0]));
	TRY(cidr_parse(words[1], &blocks[1]));
	*r = (struct firewall_rule){.row.id = uuid_v5(network, text),
				    .protocol = numbers[0],
				    .from_port = numbers[1],
				    .to_port = numbers[2],
				    .sources = {&blocks[0], 1},
				    .destinations = {&blocks[1], 1}};
	return OK;
}

/* "firewall SUBNET [open=1] [own=IP] [in=SOURCE:IP:PROTOCOL:FROM:TO,…] [out=FROM:TO:PROTOCOL:FROM:TO,…]";
 * "none=1" removes it. */
static RESULT do_firewall(struct command *cmd)
{
	size_t at = find_subnet(name_to_uuid(cmd->words[1]));
	VEC(struct network_opening) openings = {0};
	VEC(const struct firewall_rule *) rules = {0};
	struct str in = get(cmd, "in"), out = get(cmd, "out"), word;
	struct ip *own = arena_new_object(lasting, struct ip);
	*own = get_ip(cmd, "own");
	while (str_split_next(&in, ',', &word)) {
		struct network_opening opening = {0};
		TRY(parse_opening(word, &opening));
		if (!VEC_PUSH(lasting, &openings, opening))
			return FAIL(NO_MEMORY);
	}
	while (str_split_next(&out, ',', &word)) {
		struct firewall_rule *rule = arena_new_object(lasting, struct firewall_rule);
		TRY(parse_outward(word, world.subnets[at].network, rule));
		if (!VEC_PUSH(lasting, &rules, rule))
			return FAIL(NO_MEMORY);
	}
	world.networks[at].egress_open = get(cmd, "open").n > 0;
	world.firewalls[at] =
		(struct network_firewall){.network = get(cmd, "none").n ? NULL : &world.networks[at],
					  .openings = openings.at,
					  .opening_count = openings.count,
					  .rules = rules.at,
					  .rule_count = rules.count,
					  .own_ips = {own, !ip_is_none(*own)}};
	return OK;
}

/* Collected parts of a router. */
struct parts {
	struct network_firewall firewalls[PARTS_MAX];
	struct network_balancer balancers[PARTS_MAX];
	struct network_forwarding forwardings[PARTS_MAX];
	struct network_subnet subnets[PARTS_MAX];
	struct network_route routes[PARTS_MAX];
	uuid tables[PARTS_MAX];
};

static void gather(struct network_router *n, struct parts *parts, uuid id)
{
	for (size_t k = 0; k < world.subnet_count; k++)
		if (uuid_equal(world.subnets[k].router, id))
			parts->subnets[n->subnet_count++] = (struct network_subnet){
				&world.subnets[k], NULL, world.subnets[k].route_table};
	for (size_t k = 0; k < world.subnet_count; k++)
		if (uuid_equal(world.subnets[k].router, id) && world.firewalls[k].network)
			parts->firewalls[n->firewall_count++] = world.firewalls[k];
	for (size_t k = 0; k < world.table_count; k++)
		if (uuid_equal(world.tables[k].router, id))
			parts->tables[n->table_count++] = world.tables[k].row.id;
	for (size_t k = 0; k < world.forwarding_count; k++)
		if (uuid_equal(world.forwardings[k].router, id))
			parts->forwardings[n->forwarding_count++] =
				(struct network_forwarding){&world.forwardings[k], world.forwarded[k]};
	for (size_t k = 0; k < world.balancer_count; k++)
		if (uuid_equal(world.balancers[k].router, id))
			parts->balancers[n->balancer_count++] =
				(struct network_balancer){&world.balancers[k], world.balanced[k],
							  world.members[k].at, world.members[k].count};
	for (size_t k = 0; k < world.route_count; k++) {
		for (size_t t = 0; t < n->table_count; t++) {
			if (!uuid_equal(world.routes[k].table, parts->tables[t]))
				continue;
			const struct port *port = NULL;
			if (!uuid_is_none(world.routes[k].port))
				port = &world.ports[find_port(world.routes[k].port)];
			parts->routes[n->route_count++] =
				(struct network_route){.route = &world.routes[k], .port = port};
			if (port)
				parts->routes[n->route_count - 1].hop = port->ip;
		}
	}
}

/* "network SUBNET [bare=1]": the network of a subnet that is on no router; bare: the network has no subnet. */
static RESULT do_network(struct command *cmd)
{
	size_t at = find_subnet(name_to_uuid(cmd->words[1]));
	const struct subnet *subnet = &world.subnets[at];
	struct network_segment segment = {
		.network = &world.networks[at], .subnets = &subnet, .subnet_count = !get(cmd, "bare").n};
	return net.driver->apply_network(net.self, &cmd->ctx, &segment);
}

static RESULT apply_networks(struct command *cmd, const struct network_router *n)
{
	for (size_t k = 0; k < n->subnet_count; k++) {
		const struct subnet *subnet = n->subnets[k].subnet;
		struct network_segment segment = {.network = &world.networks[subnet - world.subnets],
						  .subnets = &subnet,
						  .subnet_count = 1,
						  .domain_name = STR("ec2.internal")};
		TRY(net.driver->apply_network(net.self, &cmd->ctx, &segment));
	}
	return OK;
}

/* Networks of dropped subnets: each stays while it has a port. */
static RESULT remove_unrouted_networks(struct command *cmd)
{
	for (size_t k = 0; k < world.subnet_count; k++) {
		if (!uuid_is_none(world.subnets[k].router))
			continue;
		struct result r = net.driver->remove_network(net.self, &cmd->ctx, world.subnets[k].network);
		if (r.code != ERR_AGAIN)
			TRY(r);
		ctx_clear_problem(&cmd->ctx);
	}
	return OK;
}

static RESULT do_apply(struct command *cmd)
{
	size_t at = find_router(name_to_uuid(cmd->words[1]));
	struct parts *parts = arena_new_object(cmd->ctx.arena, struct parts);
	struct network_router n = {.router = &world.routers[at],
				   .subnets = parts->subnets,
				   .routes = parts->routes,
				   .tables = parts->tables,
				   .forwardings = parts->forwardings,
				   .balancers = parts->balancers,
				   .firewalls = parts->firewalls,
				   .metadata_chassis = STR("ctl"),
				   .metadata_mac = {{2, 0xa9, 0xfe, 0xa9, 0xfe, (uint8_t) at}}};
	gather(&n, parts, n.router->row.id);
	if (world.uplinks[at].n) {
		n.gateway = &world.gateways[at];
		n.external = &world.external;
		n.gateway_chassis = world.uplinks[at];
		n.translated_to = world.translations[at];
	}
	TRY(apply_networks(cmd, &n));
	TRY(net.driver->apply_router(net.self, &cmd->ctx, &n));
	return remove_unrouted_networks(cmd);
}

static RESULT do_port(struct command *cmd)
{
	size_t at = find_port(name_to_uuid(cmd->words[1]));
	struct port *p = &world.ports[at];
	const struct subnet *s = &world.subnets[find_subnet(name_to_uuid(get(cmd, "subnet")))];
	VEC(uuid) groups = {0};
	struct str rest = get(cmd, "groups"), group;
	while (str_split_next(&rest, ',', &group))
		if (!VEC_PUSH(lasting, &groups, name_to_uuid(group)))
			return FAIL(NO_MEMORY);
	p->subnet = get(cmd, "bare").n ? UUID_NONE : s->row.id;
	p->network = s->network;
	p->router = s->router;
	p->ip = get_ip(cmd, "ip");
	p->groups = (struct uuids){groups.at, groups.count};
	p->source_dest_check = !get(cmd, "nocheck").n;
	p->is_open = get(cmd, "open").n > 0;
	world.chassis[at] = get(cmd, "chassis");
	world.named[at] = get(cmd, "named").n > 0;
	world.egress[at] = (struct network_qos){.kbit = get_number(cmd, "kbit", 0),
						.marks = get(cmd, "dscp").n > 0,
						.dscp = get_number(cmd, "dscp", 0)};
	world.ingress[at].kbit = get_number(cmd, "kbit-in", 0);
	return mac_parse(get(cmd, "mac"), &p->mac);
}

static RESULT apply_port(struct command *cmd, bool *ret_up)
{
	size_t at = find_port(name_to_uuid(cmd->words[1]));
	const struct port *p = &world.ports[at];
	struct network_port n = {.port = p,
				 .subnet = uuid_is_none(p->subnet) ? NULL
								   : &world.subnets[find_subnet(p->subnet)],
				 .chassis = world.chassis[at],
				 .has_names = world.named[at],
				 .egress = world.egress[at],
				 .ingress = world.ingress[at],
				 .domain_name = STR("ec2.internal")};
	return net.driver->apply_port(net.self, &cmd->ctx, &n, ret_up);
}

static RESULT do_apply_port(struct command *cmd)
{
	bool up;
	TRY(apply_port(cmd, &up));
	printf("%s ", up ? "up" : "down");
	return OK;
}

/* Applies the port until it is up, woken only by the watch. */
static RESULT do_await_port(struct command *cmd)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 5;
	for (;;) {
		bool up;
		pthread_mutex_lock(&lock);
		unsigned seen = change_count;
		pthread_mutex_unlock(&lock);
		TRY(apply_port(cmd, &up));
		if (up)
			return OK;
		pthread_mutex_lock(&lock);
		int rc = 0;
		while (seen == change_count && rc == 0)
			rc = pthread_cond_timedwait(&changed, &lock, &until);
		pthread_mutex_unlock(&lock);
		if (rc)
			return ctx_fail(&cmd->ctx, ERR_TIMEOUT, "not up");
	}
}

/* DIRECTION:PROTOCOL:FROM:TO:PEER, PEER a block or @group; a rule's id follows from its words. */
static RESULT parse_rule(struct str text, uuid group, struct security_group_rule *r)
{
	struct str rest = text, part[4];
	for (size_t k = 0; k < 4; k++)
		if (!str_split_next(&rest, ':', &part[k]))
			return FAIL(INVALID);
	r->row.id = uuid_v5(group, text);
	r->group = group;
	r->direction = str_is(part[0], "in") ? SECURITY_GROUP_RULE_DIRECTION_INGRESS
					     : SECURITY_GROUP_RULE_DIRECTION_EGRESS;
	TRY(str_parse_int(part[1], &r->protocol));
	TRY(str_parse_int(part[2], &r->from_port));
	TRY(str_parse_int(part[3], &r->to_port));
	if (rest.n && rest.p[0] == '@') {
		r->peer_group = name_to_uuid(str_slice(rest, 1, rest.n));
		return OK;
	}
	return cidr_parse(rest, &r->peer_block);
}

static RESULT do_group(struct command *cmd)
{
	struct security_group group = {.row.id = name_to_uuid(cmd->words[1])};
	struct security_group_rule rules[WORDS_MAX] = {0};
	const struct security_group_rule *list[WORDS_MAX];
	size_t count = 0;
	for (size_t k = 2; k < cmd->count; k++, count++) {
		TRY(parse_rule(cmd->words[k], group.row.id, &rules[count]));
		list[count] = &rules[count];
	}
	return net.driver->apply_group(net.self, &cmd->ctx, &(struct network_group){&group, list, count});
}

static RESULT do_address(struct command *cmd)
{
	struct address address = {.row.id = name_to_uuid(cmd->words[1]), .ip = get_ip(cmd, "ip")};
	const struct port *port = &world.ports[find_port(name_to_uuid(get(cmd, "port")))];
	struct network_address n = {&address, port->router, port};
	return net.driver->apply_address(net.self, &cmd->ctx, &n);
}

static RESULT do_remove(struct command *cmd)
{
	static const char *const words[] = {"router", "group", "port", "address"};
	if (str_is(cmd->words[1], "subnet")) /* with its network */
		return net.driver->remove_network(net.self, &cmd->ctx,
						  uuid_v5(name_to_uuid(cmd->words[2]), STR("network")));
	struct result (*const calls[])(struct vnet *, struct ctx *,
				       uuid) = {net.driver->remove_router, net.driver->remove_group,
						net.driver->remove_port, net.driver->remove_address};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (str_is(cmd->words[1], words[k]))
			return calls[k](net.self, &cmd->ctx, name_to_uuid(cmd->words[2]));
	return FAIL(INVALID);
}

/* ---- reads ---- */

static RESULT do_list(struct command *cmd)
{
	static const char *const words[] = {"router",  "network", "port",    "group",
					    "address", "policy",  "transit", "other"};
	size_t counts[NETWORK_ITEM_OTHER + 1] = {0};
	static_assert(sizeof words / sizeof words[0] == NETWORK_ITEM_OTHER + 1, "a word for each kind");
	struct network_inventory list;
	TRY(net.driver->list(net.self, &cmd->ctx, &list));
	for (size_t k = 0; k < list.count; k++)
		counts[list.at[k].kind]++;
	for (size_t k = 0; k <= NETWORK_ITEM_OTHER; k++)
		printf("%s=%zu ", words[k], counts[k]);
	return OK;
}

static RESULT do_see(struct command *cmd)
{
	struct network_health h;
	TRY(net.driver->see(net.self, &cmd->ctx, &h));
	printf("connected=%d lag=%d chassis=%d ", h.connected, (int) h.lag, (int) h.chassis_count);
	return OK;
}

/* Waits until northd has processed everything sent. */
static RESULT do_settle(struct command *cmd)
{
	for (int tries = 0; tries < 2500; tries++) {
		struct network_health h;
		TRY(net.driver->see(net.self, &cmd->ctx, &h));
		if (h.connected && h.lag == 0)
			return OK;
		poll(NULL, 0, 2);
	}
	return FAIL(TIMEOUT);
}

static RESULT do_resets(struct command *cmd)
{
	(void) cmd;
	pthread_mutex_lock(&lock);
	printf("%u ", reset_count);
	pthread_mutex_unlock(&lock);
	return OK;
}

static RESULT do_uuid(struct command *cmd)
{
	char text[UUID_TEXT_SIZE];
	printf("%s ", uuid_write(name_to_uuid(cmd->words[1]), text));
	return OK;
}

/* ---- metadata ---- */

struct server {
	int fd;
	char name[64];
};

/* Answers "NAME sees PEER at LOCAL" to every connection. */
static void *serve(void *arg)
{
	const struct server *s = arg;
	struct pollfd readable = {.fd = s->fd, .events = POLLIN};
	while (poll(&readable, 1, -1) >= 0) {
		struct sockaddr_in peer, local;
		socklen_t n = sizeof peer, m = sizeof local;
		char request[2048], from[32], to[32], answer[256];
		int fd = accept4(s->fd, (struct sockaddr *) &peer, &n, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		getsockname(fd, (struct sockaddr *) &local, &m);
		inet_ntop(AF_INET, &peer.sin_addr, from, sizeof from);
		inet_ntop(AF_INET, &local.sin_addr, to, sizeof to);
		int size = snprintf(answer, sizeof answer, "HTTP/1.0 200 OK\r\n\r\n%s sees %s at %s\n",
				    s->name, from, to);
		if (read(fd, request, sizeof request) > 0 && write(fd, answer, (size_t) size) < 0)
			perror("write");
		close(fd);
	}
	return NULL;
}

static RESULT do_plug(struct command *cmd)
{
	uuid router = name_to_uuid(cmd->words[1]);
	int64_t mark = 0;
	int netns = -1;
	TRY(str_parse_int(get(cmd, "mark"), &mark));
	struct plug_wish wish = {router,
				 mark,
				 uuid_v5(router, STR("metadata")),
				 {{2, 0xa9, 0xfe, 0xa9, 0xfe, (uint8_t) find_router(router)}}};
	TRY(plugs_ensure(plugs, &cmd->ctx, &wish, &netns));
	if (get(cmd, "again").n)
		return OK;
	struct server *s = heap_new(struct server);
	snprintf(s->name, sizeof s->name, "%" STR_FMT, STR_ARG(cmd->words[1]));
	TRY(plug_listen_tcp(&cmd->ctx, netns, (struct ip){0}, 80, &s->fd));
	int udp = -1;
	struct ip dns = {{169, 254, 169, 253}, IP_V4};
	TRY(plug_bind_udp(&cmd->ctx, netns, dns, 53, &udp));
	pthread_t thread;
	pthread_create(&thread, NULL, serve, s);
	pthread_detach(thread);
	return OK;
}

static RESULT do_unplug(struct command *cmd)
{
	return plugs_remove(plugs, &cmd->ctx, name_to_uuid(cmd->words[1]));
}

/* ---- the loop ---- */

static const struct {
	const char *word;
	RESULT (*run)(struct command *cmd);
} commands[] = {
	{"router", do_router},
	{"uplink", do_uplink},
	{"subnet", do_subnet},
	{"subnet-drop", do_subnet_drop},
	{"table", do_table},
	{"route", do_route},
	{"route-drop", do_route_drop},
	{"forward", do_forward},
	{"forward-drop", do_forward_drop},
	{"balance", do_balance},
	{"firewall", do_firewall},
	{"apply", do_apply},
	{"port", do_port},
	{"apply-port", do_apply_port},
	{"await-port", do_await_port},
	{"group", do_group},
	{"address", do_address},
	{"network", do_network},
	{"remove", do_remove},
	{"list", do_list},
	{"see", do_see},
	{"settle", do_settle},
	{"resets", do_resets},
	{"uuid", do_uuid},
	{"plug", do_plug},
	{"unplug", do_unplug},
};

static void note_change(void *arg, uuid port)
{
	(void) arg;
	pthread_mutex_lock(&lock);
	change_count++;
	reset_count += uuid_is_none(port);
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static RESULT run_line(struct command *cmd, struct str line)
{
	struct str word;
	while (cmd->count < WORDS_MAX && str_split_next(&line, ' ', &word))
		if (word.n)
			cmd->words[cmd->count++] = word;
	for (size_t k = 0; cmd->count > 0 && k < sizeof commands / sizeof commands[0]; k++)
		if (str_is(cmd->words[0], commands[k].word))
			return commands[k].run(cmd);
	return ctx_fail(&cmd->ctx, ERR_UNKNOWN, "no such command");
}

static void run_lines(void)
{
	char line[LINE_SIZE];
	while (fgets(line, sizeof line, stdin)) {
		struct command cmd = {0};
		AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
		ctx_init(&cmd.ctx, arena);
		int64_t begin_us = clock_monotonic_us();
		struct result r = run_line(&cmd, str_trim(str_from(line)));
		if (r.code)
			printf("err %s %" STR_FMT "\n", err_name(r.code), STR_ARG(cmd.ctx.problem.message));
		else
			printf("ok %d us\n", (int) (clock_monotonic_us() - begin_us));
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	struct ctx c;
	lasting = arena_new(ARENA_FIRST_SIZE, 8 * ARENA_REQUEST_CAP);
	ctx_init(&c, lasting);
	if (argc != 5)
		return 2;
	struct ovn_config config = {str_from(argv[1]), str_from(argv[2]), name_to_uuid(str_from(argv[4])), 0};
	struct result r = ovn_open(&c, &config, &net);
	if (!r.code)
		r = plugs_open(&c, str_from(argv[3]), config.region, &plugs);
	if (r.code) {
		fprintf(stderr, "%s: %" STR_FMT "\n", err_name(r.code), STR_ARG(c.problem.message));
		return 1;
	}
	net.driver->watch(net.self, note_change, NULL);
	run_lines();
	plugs_close(plugs);
	net.driver->close(net.self);
	arena_free(lasting);
	return 0;
}
