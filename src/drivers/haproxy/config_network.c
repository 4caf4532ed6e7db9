/* SPDX-License-Identifier: Apache-2.0
 * Writes the part of haproxy.cfg that is special to network load balancers with a proxy. A backend g<id> checks each target
 * group, and gets no connections. Each listener is a frontend with two backends: the servers of c<port> track the checks, and
 * those of o<port> do not, for connections while no target is healthy, since ELBv2 then uses all of them. A load balancer
 * that does not cross zones has such a frontend for each of its interfaces, with the targets of that zone alone.
 * Source: HAProxy's Configuration Manual 2.6. */
#include <inttypes.h>
#include <stdio.h>

#include "drivers/haproxy/haproxy.h"
#include "model/elastic_load_balancer.h"
#include "model/listener.h"
#include "model/target_group.h"

enum { NAME_SIZE = 48, SERVER_SIZE = 2 * sizeof(uuid) + 1 };

static const struct proxy_group *find_group(const struct proxy_wish *wish, uuid id)
{
	for (size_t k = 0; k < wish->group_count; k++)
		if (uuid_equal(wish->groups[k].group->row.id, id))
			return &wish->groups[k];
	return NULL;
}

/* A check sends the header as connections do: a target that expects it would refuse the check otherwise. */
static void write_server(const struct proxy_group *group, const struct proxy_server *s, struct buf *out)
{
	char id[SERVER_SIZE], ip[IP_TEXT_SIZE];
	config_write_hex(s->target.b, sizeof s->target.b, id);
	buf_print(out, "  server t%s %s:%" PRId64 "%s", id, ip_write(s->ip, ip), s->port,
		  group->group->sends_proxy_v2 ? " send-proxy-v2" : "");
	if (group->group->protocol == TARGET_GROUP_PROTOCOL_TLS)
		buf_print(out, " ssl verify none");
}

static void write_checks(const struct proxy_group *group, struct buf *out)
{
	char name[CONFIG_GROUP_NAME_SIZE];
	buf_print(out, "backend %s\n  mode tcp\n", config_group_name(group->group->row.id, name));
	config_write_check(group->group, out);
	bool is_plain = group->group->check_protocol != TARGET_GROUP_CHECK_PROTOCOL_HTTPS;
	for (size_t k = 0; k < group->server_count; k++) {
		write_server(group, &group->servers[k], out);
		buf_print(out, " check%s%s\n", is_plain ? " no-check-ssl" : "",
			  group->group->sends_proxy_v2 ? " check-send-proxy" : "");
	}
}

static bool is_served(const struct proxy_link *link, const struct proxy_server *s)
{
	return !link || uuid_is_none(link->zone) || uuid_is_none(s->zone) || uuid_equal(link->zone, s->zone);
}

static void write_backend(const struct proxy_group *group, const struct proxy_link *link, const char *name,
			  bool is_checked, struct buf *out)
{
	char checks[CONFIG_GROUP_NAME_SIZE], id[SERVER_SIZE];
	config_group_name(group->group->row.id, checks);
	buf_print(out, "backend %c%s\n  mode tcp\n  balance %s\n", is_checked ? 'c' : 'o', name,
		  group->group->is_sticky ? "source\n  hash-type consistent" : "roundrobin");
	for (size_t k = 0; k < group->server_count; k++) {
		const struct proxy_server *s = &group->servers[k];
		if (!is_served(link, s))
			continue;
		write_server(group, s, out);
		config_write_hex(s->target.b, sizeof s->target.b, id);
		if (is_checked)
			buf_print(out, " track %s/t%s", checks, id);
		buf_add_char(out, '\n');
	}
}

/* The protocols that a policy offers to clients, the preferred first; NULL: none. */
static const char *find_alpn(struct str policy)
{
	static const char *const policies[][2] = {{"HTTP1Only", "http/1.1,http/1.0"},
						  {"HTTP2Only", "h2"},
						  {"HTTP2Optional", "http/1.1,http/1.0,h2"},
						  {"HTTP2Preferred", "h2,http/1.1,http/1.0"}};
	for (size_t k = 0; k < sizeof policies / sizeof policies[0]; k++)
		if (str_is(policy, policies[k][0]))
			return policies[k][1];
	return NULL;
}

static void write_bind(const struct proxy_wish *wish, const struct proxy_link *link, int64_t port,
		       struct buf *out)
{
	char ip[IP_TEXT_SIZE];
	if (!link) {
		config_write_bind(wish, port, out);
		return;
	}
	buf_print(out, "  bind %s:%" PRId64, ip_write(link->ip, ip), port);
	if (!ip_is_none(link->ip6))
		buf_print(out, ",[%s]:%" PRId64, ip_write(link->ip6, ip), port);
}

/* link NULL: the listener of all interfaces, which leads to targets of all zones. */
static void write_listener(struct ctx *c, const struct proxy_wish *wish, const struct proxy_listener *l,
			   const struct proxy_link *link, struct buf *out)
{
	const struct listener *row = l->listener;
	const struct proxy_group *group = find_group(wish, row->target_group);
	char name[NAME_SIZE];
	if (!group)
		return;
	snprintf(name, sizeof name, link ? "%" PRId64 "-%zu" : "%" PRId64, row->port,
		 link ? (size_t) (link - wish->links) : 0);
	buf_print(out, "frontend f%s\n  mode tcp\n", name);
	write_bind(wish, link, row->port, out);
	if (row->protocol == LISTENER_PROTOCOL_SSL)
		config_write_tls(c, wish, row, find_alpn(row->alpn), out);
	buf_add_char(out, '\n');
	if (row->protocol == LISTENER_PROTOCOL_SSL)
		config_write_network_log(wish, row, out);
	buf_print(out, "  use_backend c%s if { nbsrv(c%s) gt 0 }\n  default_backend o%s\n", name, name, name);
	write_backend(group, link, name, true, out);
	write_backend(group, link, name, false, out);
}

void config_write_network(struct ctx *c, const struct proxy_wish *wish, struct buf *out)
{
	bool is_by_zone = !wish->balancer->crosses_zones && wish->link_count > 1;
	for (size_t k = 0; k < wish->group_count; k++)
		write_checks(&wish->groups[k], out);
	for (size_t k = 0; k < wish->listener_count; k++) {
		if (!is_by_zone)
			write_listener(c, wish, &wish->listeners[k], NULL, out);
		for (size_t n = 0; n < wish->link_count && is_by_zone; n++)
			write_listener(c, wish, &wish->listeners[k], &wish->links[n], out);
	}
}
