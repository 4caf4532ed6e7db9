/* SPDX-License-Identifier: Apache-2.0
 * Writes the part of haproxy.cfg that is special to load balancers of Octavia. One backend, g<id>, checks the members of a
 * pool, and gets no requests. Each listener is a frontend l<id> with a backend c<port> for its default pool, and c<port>-<id>
 * for each other pool that its L7 policies lead to. Their servers track those of g<id>: several listeners with timeouts and
 * modes of their own may lead to one pool. A pool without a health monitor has no such backend.
 * Source: HAProxy's Configuration Manual 2.6. */
#include <inttypes.h>
#include <stdio.h>

#include "drivers/haproxy/haproxy.h"
#include "model/elastic_load_balancer.h"
#include "model/listener.h"
#include "model/target.h"
#include "model/target_group.h"

enum { ID_SIZE = 2 * sizeof(uuid) + 1 };

static const char *server_name(const struct proxy_server *s, char out[static ID_SIZE])
{
	config_write_hex(s->target.b, sizeof s->target.b, out);
	return out;
}

static bool is_checked(const struct target_group *g)
{
	return g->has_monitor && !g->monitor_is_down;
}

static const char *send_proxy(const struct target_group *g)
{
	return g->protocol == TARGET_GROUP_PROTOCOL_PROXY     ? " send-proxy"
	       : g->protocol == TARGET_GROUP_PROTOCOL_PROXYV2 ? " send-proxy-v2"
							      : "";
}

/* ---- health monitors ---- */

/* "200, 202" without the spaces. */
static void add_codes(struct str codes, struct buf *out)
{
	for (size_t k = 0; k < codes.n; k++)
		if (codes.p[k] != ' ')
			buf_add_char(out, codes.p[k]);
}

static void write_request(const struct target_group *g, struct buf *out)
{
	buf_print(out, "  option httpchk\n  http-check send meth %" STR_FMT " uri ",
		  STR_ARG(g->check_method));
	config_quote(out, g->check_path, true);
	buf_print(out, " ver HTTP/%" STR_FMT, STR_ARG(g->check_version));
	if (g->check_host.n) {
		buf_print(out, " hdr Host ");
		config_quote(out, g->check_host, true);
	}
	buf_print(out, "\n  http-check expect status ");
	add_codes(g->matcher, out);
	buf_add_char(out, '\n');
}

static void write_checked(const struct target_group *g, const struct proxy_server *s, struct buf *out)
{
	char id[ID_SIZE], ip[IP_TEXT_SIZE];
	buf_print(out, "  server t%s %s:%" PRId64 " check", server_name(s, id), ip_write(s->ip, ip), s->port);
	if (s->member && !ip_is_none(s->member->check_ip))
		buf_print(out, " addr %s", ip_write(s->member->check_ip, ip));
	if (s->member && s->member->check_number)
		buf_print(out, " port %" PRId64, s->member->check_number);
	if (send_proxy(g)[0])
		buf_print(out, " check-send-proxy%s", send_proxy(g));
	buf_add_char(out, '\n');
}

static void write_checks(const struct proxy_group *group, struct buf *out)
{
	const struct target_group *g = group->group;
	char name[CONFIG_GROUP_NAME_SIZE];
	buf_print(out, "backend %s\n  mode tcp\n", config_group_name(g->row.id, name));
	if (g->check_protocol == TARGET_GROUP_CHECK_PROTOCOL_HTTP ||
	    g->check_protocol == TARGET_GROUP_CHECK_PROTOCOL_HTTPS)
		write_request(g, out);
	buf_print(out,
		  "  timeout check %" PRId64 "s\n  default-server inter %" PRId64 "s rise %" PRId64
		  " fall %" PRId64 "%s\n",
		  g->timeout_s, g->interval_s, g->healthy_threshold, g->unhealthy_threshold,
		  g->check_protocol == TARGET_GROUP_CHECK_PROTOCOL_HTTPS ||
				  g->check_protocol == TARGET_GROUP_CHECK_PROTOCOL_SSL || g->is_tls
			  ? " check-ssl verify none"
			  : "");
	for (size_t k = 0; k < group->server_count; k++)
		write_checked(g, &group->servers[k], out);
}

/* ---- listeners ---- */

/* Clients' addresses stand on lines of their own: a line of the configuration has 64 words at most. */
static void write_sources(const struct listener *l, struct buf *out)
{
	char text[CIDR_TEXT_SIZE];
	for (size_t k = 0; k < l->sources.count; k++)
		buf_print(out, "  acl permitted src %s\n", cidr_write(l->sources.at[k], text));
	if (l->sources.count)
		buf_print(out, "  tcp-request connection reject if !permitted\n");
}

/* TERMINATED_HTTPS: the proxy ends TLS, and reads the requests. */
static bool is_secure(const struct listener *l)
{
	return l->protocol == LISTENER_PROTOCOL_SSL;
}

static bool is_read(const struct listener *l)
{
	return l->protocol == LISTENER_PROTOCOL_HTTP || is_secure(l);
}

static void write_headers(const struct listener *l, struct buf *out)
{
	for (size_t k = 0; k < l->headers.count; k++) {
		struct str value = l->headers.at[k], name = STR_NONE;
		(void) str_split_next(&value, '=', &name);
		if (!str_equal_nocase(value, STR("true")))
			continue;
		if (str_is(name, "X-Forwarded-For"))
			buf_print(out, "  http-request add-header X-Forwarded-For %%[src]\n");
		if (str_is(name, "X-Forwarded-Port"))
			buf_print(out, "  http-request set-header X-Forwarded-Port %" PRId64 "\n", l->port);
		if (str_is(name, "X-Forwarded-Proto"))
			buf_print(out, "  http-request set-header X-Forwarded-Proto %s\n",
				  is_secure(l) ? "https" : "http");
	}
}

static void write_frontend(struct ctx *c, const struct proxy_wish *wish, const struct proxy_listener *from,
			   bool has_pool, struct buf *out)
{
	const struct listener *l = from->listener;
	bool is_http = is_read(l);
	char id[ID_SIZE];
	config_write_hex(l->row.id.b, sizeof l->row.id.b, id);
	buf_print(out, "frontend l%s\n  mode %s\n", id, is_http ? "http" : "tcp");
	config_write_bind(wish, l->port, out);
	if (is_secure(l))
		config_write_tls(c, wish, l, "h2,http/1.1", out);
	buf_add_char(out, '\n');
	if (l->connection_limit > 0)
		buf_print(out, "  maxconn %" PRId64 "\n", l->connection_limit);
	buf_print(out, "  timeout client %" PRId64 "ms\n", l->client_ms);
	if (l->inspect_ms && !is_http)
		buf_print(out, "  tcp-request inspect-delay %" PRId64 "ms\n", l->inspect_ms);
	write_sources(l, out);
	if (is_http)
		write_headers(l, out);
	if (is_http)
		config_write_policies(from, out);
	if (has_pool)
		buf_print(out, "  default_backend c%" PRId64 "\n", l->port);
}

/* A hash of the client's address needs no table, which a reload would lose. */
static void write_balance(const struct target_group *g, struct buf *out)
{
	static const char *const algorithms[] = {
		[TARGET_GROUP_ALGORITHM_ROUND_ROBIN] = "roundrobin",
		[TARGET_GROUP_ALGORITHM_LEAST_OUTSTANDING_REQUESTS] = "leastconn",
		[TARGET_GROUP_ALGORITHM_WEIGHTED_RANDOM] = "random(1)",
		[TARGET_GROUP_ALGORITHM_SOURCE_IP] = "source",
	};
	if (g->persistence == TARGET_GROUP_PERSISTENCE_SOURCE_IP)
		buf_print(out, "  balance source\n  hash-type consistent\n");
	else
		buf_print(out, "  balance %s\n", algorithms[g->algorithm]);
	if (g->persistence == TARGET_GROUP_PERSISTENCE_HTTP_COOKIE)
		buf_print(out, "  cookie SRV insert indirect nocache\n");
	if (g->persistence == TARGET_GROUP_PERSISTENCE_APP_COOKIE)
		buf_print(out, "  cookie %" STR_FMT " prefix nocache\n", STR_ARG(g->cookie));
}

static void write_server(const struct target_group *g, const struct proxy_server *s, bool is_http,
			 struct buf *out)
{
	char name[CONFIG_GROUP_NAME_SIZE], id[ID_SIZE], ip[IP_TEXT_SIZE];
	bool has_cookie = g->persistence == TARGET_GROUP_PERSISTENCE_HTTP_COOKIE ||
			  g->persistence == TARGET_GROUP_PERSISTENCE_APP_COOKIE;
	server_name(s, id);
	buf_print(out, "  server t%s %s:%" PRId64, id, ip_write(s->ip, ip), s->port);
	if (s->member)
		buf_print(out, " weight %" PRId64 "%s", s->member->weight,
			  s->member->is_backup ? " backup" : "");
	if (is_checked(g))
		buf_print(out, " track %s/t%s", config_group_name(g->row.id, name), id);
	if (is_http && has_cookie)
		buf_print(out, " cookie %s", id);
	if (g->is_tls)
		buf_print(out, " ssl verify none");
	buf_print(out, "%s\n", send_proxy(g));
}

static void write_backend(const struct listener *l, const struct proxy_group *group, struct buf *out)
{
	bool is_http = is_read(l);
	int64_t idle_ms = l->client_ms > l->member_ms ? l->client_ms : l->member_ms;
	buf_print(out, "backend ");
	config_write_backend_name(l, group->group->row.id, out);
	buf_print(out,
		  "\n  mode %s\n  timeout connect %" PRId64 "ms\n  timeout server %" PRId64
		  "ms\n  timeout tunnel %" PRId64 "ms\n",
		  is_http ? "http" : "tcp", l->connect_ms, l->member_ms, idle_ms);
	write_balance(group->group, out);
	for (size_t k = 0; k < group->server_count; k++)
		write_server(group->group, &group->servers[k], is_http, out);
}

static const struct proxy_group *find_group(const struct proxy_wish *wish, uuid id)
{
	for (size_t k = 0; k < wish->group_count; k++)
		if (uuid_equal(wish->groups[k].group->row.id, id))
			return &wish->groups[k];
	return NULL;
}

/* The policy is the first of the listener that leads to its pool, which is not the default one. */
static bool needs_backend(const struct proxy_listener *l, size_t policy)
{
	const struct proxy_rule *one = &l->rules[policy];
	if (!one->forward_count || uuid_equal(one->forwards[0].group->row.id, l->listener->target_group))
		return false;
	for (size_t k = 0; k < policy; k++)
		if (l->rules[k].forward_count &&
		    uuid_equal(l->rules[k].forwards[0].group->row.id, one->forwards[0].group->row.id))
			return false;
	return true;
}

static void write_listener(struct ctx *c, const struct proxy_wish *wish, const struct proxy_listener *l,
			   struct buf *out)
{
	const struct proxy_group *group = find_group(wish, l->listener->target_group);
	write_frontend(c, wish, l, group != NULL, out);
	if (group)
		write_backend(l->listener, group, out);
	for (size_t k = 0; k < l->rule_count; k++) {
		group = needs_backend(l, k) ? find_group(wish, l->rules[k].forwards[0].group->row.id) : NULL;
		if (group)
			write_backend(l->listener, group, out);
	}
}

void config_write_octavia(struct ctx *c, const struct proxy_wish *wish, struct buf *out)
{
	for (size_t k = 0; k < wish->group_count; k++)
		if (is_checked(wish->groups[k].group))
			write_checks(&wish->groups[k], out);
	for (size_t k = 0; k < wish->listener_count; k++)
		write_listener(c, wish, &wish->listeners[k], out);
}
