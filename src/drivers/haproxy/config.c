/* SPDX-License-Identifier: Apache-2.0
 * Writes haproxy.cfg. Each listener is a frontend, and each target group two backends: g<id> with health checks, and
 * o<id> without, for requests while no target of the group is healthy, since ELBv2 then uses all of them.
 *
 * Of a listener's rules the first whose conditions hold sets txn.rule; the actions look at that alone. Text of users is
 * written between single quotes, which HAProxy takes literally. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "drivers/haproxy/haproxy.h"
#include "model/elastic_load_balancer.h"
#include "model/listener.h"
#include "model/listener_rule.h"
#include "model/target_group.h"
#include "model/tls_policy.h"

/* ---- text ---- */

void config_quote(struct buf *out, struct str text, bool is_format)
{
	buf_add_char(out, '\'');
	for (size_t k = 0; k < text.n; k++) {
		if (text.p[k] == '\'')
			buf_print(out, "'\\'");
		if (text.p[k] == '%' && is_format)
			buf_add_char(out, '%');
		buf_add_char(out, text.p[k]);
	}
	buf_add_char(out, '\'');
}

void config_write_hex(const uint8_t *bytes, size_t count, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t k = 0; k < count; k++) {
		out[2 * k] = digits[bytes[k] >> 4];
		out[2 * k + 1] = digits[bytes[k] & 15];
	}
	out[2 * count] = 0;
}

const char *config_group_name(uuid group, char out[static CONFIG_GROUP_NAME_SIZE])
{
	out[0] = 'g';
	config_write_hex(group.b, sizeof group.b, out + 1);
	return out;
}

/* A prefix, and a digest of the content. */
static struct str name_by_content(struct arena *a, const char *prefix, struct str bytes, const char *ending)
{
	enum { DIGEST_BYTES = 12 };
	uint8_t sum[SHA256_SIZE];
	char hex[2 * DIGEST_BYTES + 1];
	crypto_sha256(bytes, sum);
	config_write_hex(sum, DIGEST_BYTES, hex);
	return str_print(a, "%s-%s%s", prefix, hex, ending);
}

struct str config_body_name(struct arena *a, struct str body)
{
	return name_by_content(a, "body", body, "");
}

static struct str certificate_name(struct arena *a, const struct proxy_certificate *certificate)
{
	return name_by_content(a, "cert", certificate->pem, ".pem");
}

static const struct proxy_certificate *find_certificate(const struct proxy_wish *wish, uuid id)
{
	for (size_t k = 0; k < wish->certificate_count; k++)
		if (uuid_equal(wish->certificates[k].id, id))
			return &wish->certificates[k];
	return NULL;
}

/* The listener's certificates, the default one first. They are a file of their own, because a line of the configuration
 * has 64 words at most. */
static struct config_file list_certificates(struct arena *a, const struct proxy_wish *wish,
					    const struct listener *l)
{
	struct str lines = STR("");
	for (size_t k = 0; k < l->certificates.count; k++) {
		const struct proxy_certificate *one = find_certificate(wish, l->certificates.at[k]);
		bool is_again = k && uuid_equal(l->certificates.at[k], l->certificates.at[0]);
		if (one && !is_again)
			lines = str_print(a, "%" STR_FMT "%" STR_FMT "\n", STR_ARG(lines),
					  STR_ARG(certificate_name(a, one)));
	}
	return (struct config_file){name_by_content(a, "cert", lines, ".list"), lines};
}

/* ---- the files that it names ---- */

RESULT config_gather_files(struct ctx *c, const struct proxy_wish *wish, struct config_files *ret_files)
{
	size_t most = wish->certificate_count + wish->listener_count, count = 0;
	for (size_t k = 0; k < wish->listener_count; k++)
		most += wish->listeners[k].rule_count;
	struct config_file *at = arena_new_array(c->arena, struct config_file, most + 1);
	if (!at)
		return ctx_no_memory(c);
	for (size_t k = 0; k < wish->certificate_count; k++)
		at[count++] = (struct config_file){certificate_name(c->arena, &wish->certificates[k]),
						   wish->certificates[k].pem};
	for (size_t k = 0; k < wish->listener_count; k++) {
		if (wish->listeners[k].listener->certificates.count)
			at[count++] = list_certificates(c->arena, wish, wish->listeners[k].listener);
		for (size_t n = 0; n < wish->listeners[k].rule_count; n++) {
			struct str body = wish->listeners[k].rules[n].rule->body;
			if (body.n)
				at[count++] = (struct config_file){config_body_name(c->arena, body), body};
		}
	}
	*ret_files = (struct config_files){at, count};
	return OK;
}

/* ---- global ---- */

/* A connection of TCP may last for as long as it is used, but a worker that waits for all of them would never end. */
enum { CONNECTION_LONGEST_S = 3600 };

/* Requests under way may last for as long as a deregistered target may drain, and at least for the idle timeout: a
 * reload for another reason must not cut them. */
static int64_t longest_delay(const struct proxy_wish *wish)
{
	int64_t longest_s = wish->balancer->idle_s;
	if (wish->balancer->type == ELASTIC_LOAD_BALANCER_TYPE_OCTAVIA ||
	    wish->balancer->type == ELASTIC_LOAD_BALANCER_TYPE_NETWORK)
		longest_s = CONNECTION_LONGEST_S;
	for (size_t k = 0; k < wish->group_count; k++)
		if (wish->groups[k].group->delay_s > longest_s)
			longest_s = wish->groups[k].group->delay_s;
	return longest_s;
}

/* Each reload leaves a worker behind that ends its requests. A client may hold these up for the longest delay, so the
 * number of such workers needs a limit: HAProxy ends the oldest. */
enum { OLD_WORKERS_MAX = 16 };

/* The idle timeout of network load balancers has no attribute. */
enum { NETWORK_IDLE_S = 350 };

static void write_global(const struct proxy_wish *wish, struct buf *out)
{
	int64_t idle_s = wish->balancer->type == ELASTIC_LOAD_BALANCER_TYPE_NETWORK ? NETWORK_IDLE_S
										    : wish->balancer->idle_s;
	buf_print(out,
		  "global\n"
		  "  user haproxy\n"
		  "  group haproxy\n"
		  "  nbthread 1\n"
		  "  maxconn 8192\n"
		  "  mworker-max-reloads %d\n"
		  "  hard-stop-after %" PRId64 "s\n"
		  "  stats socket unix@sock level admin mode 600 expose-fd listeners\n"
		  "  server-state-file servers\n"
		  "  tune.ssl.default-dh-param 2048\n",
		  OLD_WORKERS_MAX, longest_delay(wish));
	config_write_log_target(wish, out);
	buf_print(out,
		  "defaults\n"
		  "  mode http\n"
		  "  timeout connect 10s\n"
		  "  timeout client %" PRId64 "s\n"
		  "  timeout server %" PRId64 "s\n"
		  "  timeout http-request 60s\n"
		  "  timeout tunnel %" PRId64 "s\n"
		  "  retries 1\n"
		  "  option idle-close-on-response\n"
		  "  option redispatch\n"
		  "  load-server-state-from-file global\n",
		  idle_s, idle_s, idle_s);
}

/* ---- frontends ---- */

static void write_ciphers(const struct tls_policy *policy, bool is_1_3, struct buf *out)
{
	const char *separator = is_1_3 ? " ciphersuites " : " ciphers ";
	bool has_any = false;
	for (size_t k = 0; k < TLS_POLICY_CIPHERS_MAX && policy->ciphers[k]; k++) {
		if (tls_cipher_is_1_3(policy->ciphers[k]) != is_1_3)
			continue;
		buf_print(out, "%s%s", separator, policy->ciphers[k]);
		separator = ":";
		has_any = true;
	}
	/* TLS 1.0 and 1.1 sign by SHA-1, which OpenSSL 3 allows at that level alone */
	if (has_any && !is_1_3 && str_is(str_from(policy->protocols[0]), "TLSv1"))
		buf_print(out, ":@SECLEVEL=0");
}

void config_write_tls(struct ctx *c, const struct proxy_wish *wish, const struct listener *l,
		      const char *alpn, struct buf *out)
{
	const struct tls_policy *policy = tls_policy_find(l->tls_policy);
	const struct config_file list = list_certificates(c->arena, wish, l);
	buf_print(out, " ssl crt-list %" STR_FMT, STR_ARG(list.name));
	if (alpn)
		buf_print(out, " alpn %s", alpn);
	if (!policy)
		return;
	size_t last = 0;
	while (policy->protocols[last + 1])
		last++;
	const char *first = policy->protocols[0];
	buf_print(out, " ssl-min-ver %s ssl-max-ver %s", str_is(str_from(first), "TLSv1") ? "TLSv1.0" : first,
		  policy->protocols[last]);
	write_ciphers(policy, false, out);
	write_ciphers(policy, true, out);
}

void config_write_bind(const struct proxy_wish *wish, int64_t port, struct buf *out)
{
	bool has_ipv6_alone = wish->link_count && ip_is_none(wish->links[0].ip);
	if (has_ipv6_alone)
		buf_print(out, "  bind :::%" PRId64 " v6only", port);
	else
		buf_print(out, "  bind *:%" PRId64, port);
	if (wish->balancer->is_dualstack)
		buf_print(out, ",:::%" PRId64 " v6only", port);
}

/* ELBv2 removes a port from the Host header at 80 and 443, and adds the listener's elsewhere. */
static void write_host(const struct proxy_wish *wish, const struct listener *l, struct buf *out)
{
	if (wish->balancer->keeps_host)
		return;
	if (l->port == 80 || l->port == 443)
		buf_print(out,
			  "  http-request set-header Host %%[req.hdr(host),host_only] if { req.hdr(host) -m "
			  "found }\n");
	else
		buf_print(out,
			  "  http-request set-header Host %%[req.hdr(host)]:%" PRId64
			  " if { req.hdr(host) -m found } !{ req.hdr(host) -m reg :[0-9]+$ }\n",
			  l->port);
}

/* A request that is logged has its trace id in a variable already (config_log.c). Logs change nothing that targets see. */
static void write_trace(const struct proxy_wish *wish, struct buf *out)
{
	buf_print(out,
		  "  http-request set-header " TRACE_HEADER " %s if !{ req.hdr(" TRACE_HEADER
		  ") -m found }\n",
		  config_logs(wish) ? "%[var(txn.lt)]" : TRACE_ID);
}

/* An IPv6 address before a port is in brackets. */
static void write_client(bool has_port, struct buf *out)
{
	const char *header = "  http-request add-header X-Forwarded-For";
	if (has_port)
		buf_print(out,
			  "%s %%[src]:%%[src_port] unless { src -m sub : }\n"
			  "%s [%%[src]]:%%[src_port] if { src -m sub : }\n",
			  header, header);
	else
		buf_print(out, "%s %%[src]\n", header);
}

static void write_forwarded(const struct proxy_wish *wish, const struct listener *l, struct buf *out)
{
	const struct elastic_load_balancer *b = wish->balancer;
	bool is_https = l->protocol == LISTENER_PROTOCOL_HTTPS;
	if (b->forwarded_for == ELASTIC_LOAD_BALANCER_FORWARDED_FOR_APPEND)
		write_client(b->forwards_port, out);
	if (b->forwarded_for == ELASTIC_LOAD_BALANCER_FORWARDED_FOR_REMOVE)
		buf_print(out, "  http-request del-header X-Forwarded-For\n");
	buf_print(out,
		  "  http-request set-header X-Forwarded-Proto %s\n"
		  "  http-request set-header X-Forwarded-Port %" PRId64 "\n",
		  is_https ? "https" : "http", l->port);
	write_trace(wish, out);
	if (is_https && b->names_cipher)
		buf_print(out, "  http-request set-header X-Amzn-Tls-Version %%[ssl_fc_protocol]\n"
			       "  http-request set-header X-Amzn-Tls-Cipher-Suite %%[ssl_fc_cipher]\n");
}

/* Attributes of the listener: headers that responses get. */
static void write_response_headers(const struct listener *l, struct buf *out)
{
	static const char *const headers[][2] = {
		{"strict_transport_security", "Strict-Transport-Security"},
		{"access_control_allow_origin", "Access-Control-Allow-Origin"},
		{"access_control_allow_methods", "Access-Control-Allow-Methods"},
		{"access_control_allow_headers", "Access-Control-Allow-Headers"},
		{"access_control_allow_credentials", "Access-Control-Allow-Credentials"},
		{"access_control_expose_headers", "Access-Control-Expose-Headers"},
		{"access_control_max_age", "Access-Control-Max-Age"},
		{"content_security_policy", "Content-Security-Policy"},
		{"x_content_type_options", "X-Content-Type-Options"},
		{"x_frame_options", "X-Frame-Options"},
	};
	for (size_t k = 0; k < l->attributes.count; k++) {
		struct str value = l->attributes.at[k], key = STR_NONE;
		(void) str_split_next(&value, '=', &key);
		if (str_is(key, "routing.http.response.server.enabled"))
			buf_print(out, "  http-after-response del-header Server\n");
		for (size_t n = 0; n < sizeof headers / sizeof headers[0]; n++) {
			char wanted[96];
			snprintf(wanted, sizeof wanted, "routing.http.response.%s.header_value",
				 headers[n][0]);
			if (!str_is(key, wanted))
				continue;
			buf_print(out, "  http-after-response set-header %s ", headers[n][1]);
			config_quote(out, value, true);
			buf_add_char(out, '\n');
		}
	}
}

/* The response that asks a client to end its old connection is the last one. HAProxy 2.6 has no such end of HTTP/2, and a
 * response that switches protocols keeps its Connection header. */
static void write_age(const struct elastic_load_balancer *b, struct buf *out)
{
	if (b->keep_alive_s)
		buf_print(out,
			  "  tcp-request session set-var(sess.start) date()\n"
			  "  http-after-response set-header Connection close"
			  " if !{ status 101 } { date(),sub(sess.start) -m int ge %" PRId64 " }\n",
			  b->keep_alive_s);
}

static void write_frontend(struct ctx *c, const struct proxy_wish *wish, const struct proxy_listener *l,
			   struct buf *out)
{
	buf_print(out, "frontend f%" PRId64 "\n", l->listener->port);
	config_write_bind(wish, l->listener->port, out);
	if (l->listener->protocol == LISTENER_PROTOCOL_HTTPS)
		config_write_tls(c, wish, l->listener, wish->balancer->has_http2 ? "h2,http/1.1" : "http/1.1",
				 out);
	buf_add_char(out, '\n');
	config_write_log(wish, l->listener, out);
	if (wish->balancer->drops_headers)
		buf_print(out, "  http-request del-header '[^-A-Za-z0-9]' -m reg\n");
	write_age(wish->balancer, out);
	write_response_headers(l->listener, out);
	config_write_rules(c, wish, l, out);
	write_host(wish, l->listener, out);
	write_forwarded(wish, l->listener, out);
	config_write_uses(wish, l, out);
}

/* ---- backends ---- */

void config_write_check(const struct target_group *g, struct buf *out)
{
	bool is_https = g->check_protocol == TARGET_GROUP_CHECK_PROTOCOL_HTTPS;
	if (is_https || g->check_protocol == TARGET_GROUP_CHECK_PROTOCOL_HTTP) {
		buf_print(out, "  option httpchk\n  http-check send meth GET uri ");
		config_quote(out, g->check_path, false);
		buf_print(out,
			  " ver HTTP/1.1 hdr Host health-check hdr User-Agent ELB-HealthChecker/2.0"
			  " hdr Connection close\n  http-check expect status %" STR_FMT "\n",
			  STR_ARG(g->matcher));
	}
	buf_print(out,
		  "  timeout check %" PRId64 "s\n"
		  "  default-server inter %" PRId64 "s rise %" PRId64 " fall %" PRId64,
		  g->timeout_s, g->interval_s, g->healthy_threshold, g->unhealthy_threshold);
	if (g->check_port)
		buf_print(out, " port %" PRId64, g->check_port);
	if (g->slow_start_s)
		buf_print(out, " slowstart %" PRId64 "s", g->slow_start_s);
	if (is_https || g->check_protocol == TARGET_GROUP_CHECK_PROTOCOL_SSL)
		buf_print(out, " check-ssl verify none");
	buf_add_char(out, '\n');
}

static void write_servers(const struct proxy_group *group, bool is_checked, struct buf *out)
{
	for (size_t k = 0; k < group->server_count; k++) {
		const struct proxy_server *s = &group->servers[k];
		char ip[IP_TEXT_SIZE], id[2 * sizeof s->target.b + 1];
		config_write_hex(s->target.b, sizeof s->target.b, id);
		buf_print(out, "  server t%s %s:%" PRId64 "%s", id, ip_write(s->ip, ip), s->port,
			  is_checked ? " check" : "");
		if (group->group->is_sticky)
			buf_print(out, " cookie %s", id);
		if (group->group->protocol == TARGET_GROUP_PROTOCOL_HTTPS)
			buf_print(out, " ssl verify none");
		buf_add_char(out, '\n');
	}
}

static void write_backend(const struct proxy_group *group, bool is_checked, struct buf *out)
{
	static const char *const algorithms[] = {
		[TARGET_GROUP_ALGORITHM_ROUND_ROBIN] = "roundrobin",
		[TARGET_GROUP_ALGORITHM_LEAST_OUTSTANDING_REQUESTS] = "leastconn",
		[TARGET_GROUP_ALGORITHM_WEIGHTED_RANDOM] = "random(1)",
		[TARGET_GROUP_ALGORITHM_SOURCE_IP] = "source",
	};
	char name[CONFIG_GROUP_NAME_SIZE];
	const struct target_group *g = group->group;
	config_group_name(g->row.id, name);
	buf_print(out, "backend %c%s\n  balance %s\n", is_checked ? 'g' : 'o', name + 1,
		  algorithms[g->algorithm]);
	if (g->is_sticky && g->persistence == TARGET_GROUP_PERSISTENCE_APP_COOKIE)
		buf_print(out, "  cookie %" STR_FMT " prefix nocache\n", STR_ARG(g->cookie));
	else if (g->is_sticky)
		buf_print(out, "  cookie AWSALB insert indirect nocache maxlife %" PRId64 "s\n", g->sticky_s);
	if (is_checked)
		config_write_check(g, out);
	write_servers(group, is_checked, out);
}

RESULT config_write(struct ctx *c, const struct proxy_wish *wish, struct buf *out)
{
	write_global(wish, out);
	if (wish->balancer->type == ELASTIC_LOAD_BALANCER_TYPE_CLASSIC) {
		config_write_classic(c, wish, out);
		return buf_finish(out);
	}
	if (wish->balancer->type == ELASTIC_LOAD_BALANCER_TYPE_OCTAVIA) {
		config_write_octavia(c, wish, out);
		return buf_finish(out);
	}
	if (wish->balancer->type == ELASTIC_LOAD_BALANCER_TYPE_NETWORK) {
		config_write_network(c, wish, out);
		return buf_finish(out);
	}
	for (size_t k = 0; k < wish->listener_count; k++)
		write_frontend(c, wish, &wish->listeners[k], out);
	for (size_t k = 0; k < wish->group_count; k++) {
		write_backend(&wish->groups[k], true, out);
		if (wish->groups[k].server_count)
			write_backend(&wish->groups[k], false, out);
	}
	return buf_finish(out);
}
