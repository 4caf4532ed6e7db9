/* SPDX-License-Identifier: Apache-2.0
 * Writes the part of haproxy.cfg that is special to Classic Load Balancers. One backend, g<id>, checks the instances, and
 * gets no requests. Each listener is a frontend with a backend whose servers track those of that backend. A balancer that
 * does not cross zones has a frontend and a backend for each of its interfaces, with the instances of that zone alone.
 * Source: HAProxy's Configuration Manual 2.6. */
#include <inttypes.h>
#include <stdio.h>

#include "drivers/haproxy/haproxy.h"
#include "model/elastic_load_balancer.h"
#include "model/listener.h"
#include "model/target_group.h"

enum { NAME_SIZE = 48, SERVER_SIZE = 2 * sizeof(uuid) + 1 };

static bool is_http(const struct listener *l)
{
	return l->protocol == LISTENER_PROTOCOL_HTTP || l->protocol == LISTENER_PROTOCOL_HTTPS;
}

static bool is_secure(const struct listener *l)
{
	return l->protocol == LISTENER_PROTOCOL_HTTPS || l->protocol == LISTENER_PROTOCOL_SSL;
}

static const char *server_name(const struct proxy_server *s, char out[static SERVER_SIZE])
{
	config_write_hex(s->target.b, sizeof s->target.b, out);
	return out;
}

/* ---- health checks ---- */

static void write_checks(const struct proxy_group *group, struct buf *out)
{
	char name[CONFIG_GROUP_NAME_SIZE], id[SERVER_SIZE], ip[IP_TEXT_SIZE];
	buf_print(out, "backend %s\n", config_group_name(group->group->row.id, name));
	config_write_check(group->group, out);
	for (size_t k = 0; k < group->server_count; k++)
		buf_print(out, "  server t%s %s:%" PRId64 " check\n", server_name(&group->servers[k], id),
			  ip_write(group->servers[k].ip, ip), group->group->check_port);
}

/* ---- listeners ---- */

static bool is_served(const struct proxy_link *link, const struct proxy_server *s)
{
	return !link || uuid_is_none(link->zone) || uuid_is_none(s->zone) || uuid_equal(link->zone, s->zone);
}

static void write_cookie(const struct proxy_listener *l, struct buf *out)
{
	if (l->app_cookie.n)
		buf_print(out, "  cookie %" STR_FMT " prefix nocache\n", STR_ARG(l->app_cookie));
	else if (l->sticky_s)
		buf_print(out, "  cookie AWSELB insert indirect nocache maxlife %" PRId64 "s\n", l->sticky_s);
	else if (l->is_sticky)
		buf_print(out, "  cookie AWSELB insert indirect nocache\n");
}

static void write_servers(const struct proxy_listener *l, const struct proxy_group *group,
			  const struct proxy_link *link, struct buf *out)
{
	const struct listener *row = l->listener;
	bool is_tls = row->instance_protocol == LISTENER_INSTANCE_PROTOCOL_HTTPS ||
		      row->instance_protocol == LISTENER_INSTANCE_PROTOCOL_SSL;
	char name[CONFIG_GROUP_NAME_SIZE], id[SERVER_SIZE], ip[IP_TEXT_SIZE];
	config_group_name(group->group->row.id, name);
	for (size_t k = 0; k < group->server_count; k++) {
		const struct proxy_server *s = &group->servers[k];
		if (!is_served(link, s))
			continue;
		server_name(s, id);
		buf_print(out, "  server t%s %s:%" PRId64 " track %s/t%s", id, ip_write(s->ip, ip),
			  row->instance_port, name, id);
		if (l->is_sticky && is_http(row))
			buf_print(out, " cookie %s", id);
		if (is_tls)
			buf_print(out, " ssl verify none");
		if (l->has_proxy_protocol)
			buf_print(out, " send-proxy");
		buf_add_char(out, '\n');
	}
}

/* link NULL: the listener of all interfaces, which leads to instances of all zones. */
static void write_listener(struct ctx *c, const struct proxy_wish *wish, const struct proxy_listener *l,
			   const struct proxy_link *link, struct buf *out)
{
	const struct listener *row = l->listener;
	const char *mode = is_http(row) ? "http" : "tcp";
	char name[NAME_SIZE], ip[IP_TEXT_SIZE];
	snprintf(name, sizeof name, link ? "%" PRId64 "-%zu" : "%" PRId64, row->port,
		 link ? (size_t) (link - wish->links) : 0);
	buf_print(out, "frontend f%s\n  mode %s\n  bind %s:%" PRId64, name, mode,
		  link ? ip_write(link->ip, ip) : "*", row->port);
	if (is_secure(row))
		config_write_tls(c, wish, row, is_http(row) ? "http/1.1" : NULL, out);
	buf_add_char(out, '\n');
	config_write_log(wish, row, out);
	if (is_http(row))
		buf_print(out,
			  "  http-request add-header X-Forwarded-For %%[src]\n"
			  "  http-request set-header X-Forwarded-Proto %s\n"
			  "  http-request set-header X-Forwarded-Port %" PRId64 "\n",
			  is_secure(row) ? "https" : "http", row->port);
	buf_print(out, "  default_backend c%s\nbackend c%s\n  mode %s\n  balance %s\n", name, name, mode,
		  is_http(row) ? "leastconn" : "roundrobin");
	if (is_http(row))
		write_cookie(l, out);
	write_servers(l, &wish->groups[0], link, out);
}

void config_write_classic(struct ctx *c, const struct proxy_wish *wish, struct buf *out)
{
	if (!wish->group_count)
		return;
	write_checks(&wish->groups[0], out);
	for (size_t k = 0; k < wish->listener_count; k++) {
		if (wish->balancer->crosses_zones || wish->link_count < 2)
			write_listener(c, wish, &wish->listeners[k], NULL, out);
		for (size_t n = 0;
		     n < wish->link_count && !wish->balancer->crosses_zones && wish->link_count > 1; n++)
			write_listener(c, wish, &wish->listeners[k], &wish->links[n], out);
	}
}
