/* SPDX-License-Identifier: Apache-2.0
 * Writes what has HAProxy report each request for access logs. A report is one datagram to the socket "access", which HAProxy sends
 * without waiting: while dari is slow or absent, HAProxy drops the report and counts it. Fields are separated by spaces; texts of
 * clients are JSON strings, so that a report has one meaning. reconcile/balancing/access_line.c reads reports.
 * Connection logs are made from the same reports: the first request of a connection names when that was established, and a connection
 * whose handshake or first request fails has a report of its own (error-log-format).
 * Source: HAProxy's Configuration Manual 2.6, "Custom log format". */
#include <inttypes.h>

#include "drivers/haproxy/haproxy.h"
#include "model/elastic_load_balancer.h"
#include "model/listener.h"
#include "model/listener_rule.h"

/* The longest datagram of a report. */
enum { REPORT_MAX = 65535 };
/* Bytes of a listener's id that its ARN shows. */
enum { LISTENER_SIZE = 8 };

bool config_logs(const struct proxy_wish *wish)
{
	const struct elastic_load_balancer *b = wish->balancer;
	return (b->logs_requests || b->logs_connections) && b->type != ELASTIC_LOAD_BALANCER_TYPE_OCTAVIA;
}

void config_write_log_target(const struct proxy_wish *wish, struct buf *out)
{
	if (config_logs(wish))
		buf_print(out, "  log unix@%s len %d format raw local0\n", ACCESS_SOCKET, REPORT_MAX);
}

static const char *type_of(const struct listener *l)
{
	return l->protocol == LISTENER_PROTOCOL_HTTP    ? "http"
	       : l->protocol == LISTENER_PROTOCOL_HTTPS ? "https"
	       : l->protocol == LISTENER_PROTOCOL_SSL   ? "ssl"
							: "tcp";
}

/* ---- texts of clients ---- */

/* HAProxy's json() yields nothing for a text that exceeds its buffer of 16,384 bytes. A byte becomes six characters at most, and one of a URL
 * usually two, so a text is cut at one of these lengths until it fits: no client can make a text disappear. */
enum { TEXT_LONG = 8190, TEXT_SAFE = 2700, HOST_MAX = 512, METHOD_MAX = 64, TRACE_MAX = 1024 };

/* A rule that is skipped if a former one has set the variable. */
static void write_cut_text(const char *rule, const char *variable, const char *sample, int size,
			   const char *condition, struct buf *out)
{
	buf_print(out, "  %s set-var(txn.%s) %s", rule, variable, sample);
	if (size)
		buf_print(out, ",bytes(0,%d)", size);
	buf_print(out, ",json(ascii) if !{ var(txn.%s) -m found }%s\n", variable, condition);
}

/* A text that may be long; is_whole: with all that fits, as of a URL. */
static void write_long_text(const char *rule, const char *variable, const char *sample, bool is_whole,
			    const char *condition, struct buf *out)
{
	if (is_whole)
		write_cut_text(rule, variable, sample, 0, condition, out);
	write_cut_text(rule, variable, sample, TEXT_LONG, condition, out);
	write_cut_text(rule, variable, sample, TEXT_SAFE, condition, out);
}

/* Remembers the request as the client sent it, before any rule changes or answers it. The longest report has 62,000 bytes. */
static void write_request(bool is_application, struct buf *out)
{
	const char *request = "http-request";
	if (is_application) /* HAProxy wants rules of connections before those of requests */
		buf_print(out, "  tcp-request session set-var(sess.lc) uuid\n"
			       "  tcp-request session set-var(sess.le) date(0,us)\n"
			       "  http-request set-var(txn.lf) int(1) if !{ var(sess.lf) -m found }\n"
			       "  http-request set-var(sess.lf) int(1)\n");
	write_cut_text(request, "lm", "method", METHOD_MAX, "", out);
	write_cut_text(request, "lh", "req.fhdr(host),host_only", HOST_MAX, "", out);
	write_long_text(request, "lu", "pathq", true, "", out);
	write_cut_text(request, "lv", "req.ver", METHOD_MAX, "", out);
	write_long_text(request, "lb", "req.fhdr(user-agent)", false, "", out);
	buf_print(out, "  http-response set-var(txn.ls) status\n");
	if (!is_application)
		return;
	write_cut_text(request, "lt", "req.fhdr(" TRACE_HEADER ")", TRACE_MAX, "", out);
	buf_print(out, "  http-request set-var-fmt(txn.lt) '%s' if !{ req.hdr(" TRACE_HEADER ") -m found }\n",
		  TRACE_ID);
	write_long_text("http-after-response", "ll", "res.fhdr(location)", false,
			" { var(txn.la) -m str redirect }", out);
}

/* ---- the report ---- */

#define LOG_TEXT(variable) " \"%%[var(txn." variable ")]\""

static void write_format(const char *directive, const struct listener *l, bool is_application, bool is_http,
			 struct buf *out)
{
	buf_print(out, "  %s '" ACCESS_MARK " %s %" PRId64 " %%[date(0,us)]", directive, type_of(l), l->port);
	buf_print(out, is_http ? " %%Ta %%TR %%Tw %%Tc %%Tr %%Td %%ST %%[var(txn.ls)]"
			       : " %%Tt 0 %%Tw %%Tc -1 -1 - -");
	buf_print(out, " %%U %%B %%ci %%cp %%si %%sp %%b");
	buf_print(out, is_http ? " %%[fc_http_major] %%[var(txn.lp)] %%[var(txn.la)]" : " - - -");
	buf_print(out, " %%[ssl_fc_cipher] %%[ssl_fc_protocol] %%[ssl_f_sha1,hex]");
	buf_print(out, is_application ? " %%[var(sess.lc)]" : " -");
	if (is_http)
		buf_print(out, LOG_TEXT("lm") LOG_TEXT("lh") LOG_TEXT("lu") LOG_TEXT("lv") LOG_TEXT("lb")
				       LOG_TEXT("lt") " \"%%[ssl_fc_sni,json(ascii)]\"" LOG_TEXT("ll"));
	if (is_application)
		buf_print(out, " %%Th %%[var(sess.le)] %%[var(txn.lf)] %%[var(sess.lf)]");
	buf_print(out, "'\n");
}

void config_write_log(const struct proxy_wish *wish, const struct listener *l, struct buf *out)
{
	const struct elastic_load_balancer *b = wish->balancer;
	bool is_application = b->type == ELASTIC_LOAD_BALANCER_TYPE_APPLICATION;
	bool is_http = l->protocol == LISTENER_PROTOCOL_HTTP || l->protocol == LISTENER_PROTOCOL_HTTPS;
	if (!config_logs(wish))
		return;
	if (is_http)
		write_request(is_application, out);
	if (!b->logs_requests) /* later requests of a connection are no news */
		buf_print(out, "  http-request set-log-level silent if !{ var(txn.lf) -m found }\n");
	buf_print(out, "  log global\n  option dontlognull\n");
	write_format("log-format", l, is_application, is_http, out);
	if (b->logs_connections)
		write_format("error-log-format", l, is_application, is_http, out);
}

/* A connection whose handshake fails is reported, too. The listener's id stands where other reports have HTTP's version. */
void config_write_network_log(const struct proxy_wish *wish, const struct listener *l, struct buf *out)
{
	static const char *const formats[] = {"log-format", "error-log-format"};
	char id[2 * LISTENER_SIZE + 1];
	if (!config_logs(wish))
		return;
	config_write_hex(l->row.id.b, LISTENER_SIZE, id);
	buf_print(out, "  log global\n  option dontlognull\n");
	for (size_t k = 0; k < 2; k++)
		buf_print(out,
			  "  %s '" ACCESS_MARK " tls %" PRId64 " %%[date(0,us)] %%Tt %%Th %%Tw %%Tc -1 -1 - "
			  "- %%U %%B %%ci %%cp %%fi %%fp %%b %s - - "
			  "%%[ssl_fc_cipher] %%[ssl_fc_protocol] %%[ssl_f_sha1,hex] - "
			  "\"%%[ssl_fc_sni,json(ascii)]\" %%[ssl_fc_alpn]'\n",
			  formats[k], l->port, id);
}

void config_write_log_rules(const struct proxy_listener *l, struct buf *out)
{
	static const char *const actions[] = {
		[LISTENER_RULE_ACTION_FORWARD] = "forward",
		[LISTENER_RULE_ACTION_REDIRECT] = "redirect",
		[LISTENER_RULE_ACTION_FIXED_RESPONSE] = "fixed-response",
	};
	for (size_t k = 0; k < l->rule_count; k++)
		buf_print(out,
			  "  http-request set-var(txn.lp) int(%" PRId64 ") if { var(txn.rule) -m int %zu }\n"
			  "  http-request set-var(txn.la) str(%s) if { var(txn.rule) -m int %zu }\n",
			  l->rules[k].rule->priority, k, actions[l->rules[k].rule->action], k);
}
