/* SPDX-License-Identifier: Apache-2.0
 * The files of HAProxy: what users write is text there and never a directive, patterns mean what ELBv2 says, and what the
 * process says of servers is understood. Debian's HAProxy reads each configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "drivers/haproxy/haproxy.h"
#include "model/elastic_load_balancer.h"
#include "model/l7_rule.h"
#include "model/listener.h"
#include "model/listener_rule.h"
#include "model/rule_conditions.h"
#include "model/target.h"
#include "model/target_group.h"
#include "model/tls_policy.h"

enum { LISTENER_CERTIFICATES_MAX = 26 }; /* engine/balancing/balancing.h */

struct lab {
	struct ctx c;
	struct elastic_load_balancer balancer;
	struct listener listener;
	struct listener_rule rules[4];
	struct target_group group;
	struct proxy_rule proxy_rules[4];
	struct proxy_forward forward;
	struct proxy_listener proxy_listener;
	struct proxy_server server;
	struct proxy_group proxy_group;
	struct proxy_wish wish;
};

static struct lab *make_lab(struct arena *arena)
{
	struct lab *lab = arena_new_object(arena, struct lab);
	assert_non_null(lab);
	ctx_init(&lab->c, arena);
	lab->balancer =
		(struct elastic_load_balancer){.type = ELASTIC_LOAD_BALANCER_TYPE_APPLICATION, .idle_s = 60};
	lab->listener = (struct listener){.protocol = LISTENER_PROTOCOL_HTTP, .port = 80};
	lab->group = (struct target_group){.row.id = {{1}},
					   .protocol = TARGET_GROUP_PROTOCOL_HTTP,
					   .check_protocol = TARGET_GROUP_CHECK_PROTOCOL_HTTP,
					   .check_path = STR("/'a%b\"#"),
					   .matcher = STR("200,300-399"),
					   .interval_s = 30,
					   .timeout_s = 5,
					   .healthy_threshold = 5,
					   .unhealthy_threshold = 2,
					   .is_sticky = true,
					   .sticky_s = 60,
					   .slow_start_s = 30,
					   .delay_s = 300};
	lab->server = (struct proxy_server){.target = {{2}}, .ip = ip_from_v4(0x0a000001), .port = 80};
	lab->proxy_group = (struct proxy_group){&lab->group, &lab->server, 1};
	lab->forward = (struct proxy_forward){&lab->group, 1};
	for (size_t k = 0; k < 4; k++)
		lab->proxy_rules[k] = (struct proxy_rule){
			.rule = &lab->rules[k], .forwards = &lab->forward, .forward_count = 1};
	lab->proxy_listener = (struct proxy_listener){
		.listener = &lab->listener, .rules = lab->proxy_rules, .rule_count = 1};
	lab->wish = (struct proxy_wish){.balancer = &lab->balancer,
					.listeners = &lab->proxy_listener,
					.listener_count = 1,
					.groups = &lab->proxy_group,
					.group_count = 1};
	return lab;
}

static struct str write_text(struct lab *lab)
{
	struct buf out;
	buf_init(&out, CONFIG_CAP);
	assert_true(result_is_ok(config_write(&lab->c, &lab->wish, &out)));
	struct str text = str_copy(lab->c.arena, buf_str(&out));
	buf_done(&out);
	return text;
}

/* HAProxy itself accepts the configuration, which has no other lines than these beginnings say. */
static void is_accepted(struct lab *lab, struct str text)
{
	char directory[] = "/tmp/dari-test-XXXXXX";
	assert_non_null(mkdtemp(directory));
	struct proxy_place place = {.directory = directory};
	struct config_files files = {0};
	assert_true(result_is_ok(config_gather_files(&lab->c, &lab->wish, &files)));
	assert_true(result_is_ok(files_write(&lab->c, &place, &files)));
	assert_true(result_is_ok(
		file_write_synced(&lab->c, place_path(&lab->c, &place, "next.cfg"), text, 0600)));
	struct result checked = process_check(&lab->c, &place);
	if (!result_is_ok(checked))
		fail_msg("%s\n%.*s", lab->c.problem.message, (int) text.n, text.p);
	file_remove_tree(directory);
}

static void has_line(struct str text, const char *line)
{
	if (!str_contains(text, str_from(line)))
		fail_msg("no line '%s' in\n%.*s", line, (int) text.n, text.p);
}

/* Rules say which of them a request met; the report has the request as the client sent it. */
static void requests_are_reported(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	(void) state;
	lab->rules[0] = (struct listener_rule){.priority = 7,
					       .action = LISTENER_RULE_ACTION_FIXED_RESPONSE,
					       .conditions = STR("[]"),
					       .content_type = STR("text/plain"),
					       .status = 418};
	lab->rules[1] =
		(struct listener_rule){.action = LISTENER_RULE_ACTION_FORWARD, .conditions = STR("[]")};
	lab->proxy_listener.rule_count = 2;
	assert_false(str_contains(write_text(lab), STR("log")));
	lab->balancer.logs_requests = true;
	struct str text = write_text(lab);
	has_line(text, "  log unix@access len 65535 format raw local0\n");
	has_line(text, "  log global\n");
	has_line(text, "  http-request set-var(txn.lp) int(7) if { var(txn.rule) -m int 0 }\n"
		       "  http-request set-var(txn.la) str(fixed-response) if { var(txn.rule) -m int 0 }\n");
	has_line(text, "  http-request set-header X-Amzn-Trace-Id %[var(txn.lt)] if !{ "
		       "req.hdr(X-Amzn-Trace-Id) -m found }\n");
	has_line(text, "  http-request set-var(txn.lu) pathq,json(ascii) if !{ var(txn.lu) -m found }\n"
		       "  http-request set-var(txn.lu) pathq,bytes(0,8190),json(ascii) if !{ var(txn.lu) -m "
		       "found }\n"
		       "  http-request set-var(txn.lu) pathq,bytes(0,2700),json(ascii) if !{ var(txn.lu) -m "
		       "found }\n");
	assert_false(str_contains(text, STR("error-log-format")));
	is_accepted(lab, text);
	lab->balancer.logs_connections = true;
	text = write_text(lab);
	has_line(text, "  error-log-format 'dari1 http 80 ");
	assert_false(str_contains(text, STR("silent")));
	is_accepted(lab, text);
	lab->balancer.logs_requests = false;
	text = write_text(lab);
	has_line(text, "  http-request set-log-level silent if !{ var(txn.lf) -m found }\n");
	is_accepted(lab, text);
	lab->balancer.logs_requests = true;
	lab->balancer.logs_connections = false;
	lab->listener.protocol = LISTENER_PROTOCOL_TCP;
	lab->balancer.type = ELASTIC_LOAD_BALANCER_TYPE_CLASSIC;
	lab->group.slow_start_s = 0;
	lab->group.check_port = 8080;
	lab->listener.instance_port = 8081;
	text = write_text(lab);
	has_line(text, "  log-format 'dari1 tcp 80 ");
	is_accepted(lab, text);
	lab->listener.protocol = LISTENER_PROTOCOL_HTTP;
	has_line(write_text(lab), "  log-format 'dari1 http 80 ");
	is_accepted(lab, write_text(lab));
	lab->balancer.type = ELASTIC_LOAD_BALANCER_TYPE_NETWORK;
	lab->listener.target_group = lab->group.row.id;
	lab->listener.protocol = LISTENER_PROTOCOL_TCP;
	assert_false(str_contains(write_text(lab), STR("log-format")));
	is_accepted(lab, write_text(lab));
	lab->listener.protocol = LISTENER_PROTOCOL_SSL;
	text = write_text(lab);
	has_line(text, "  log-format 'dari1 tls 80 ");
	has_line(text, "  error-log-format 'dari1 tls 80 ");
}

/* A new server begins without requests; one that the former worker knows keeps its state. */
static void new_servers_begin_down(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 20);
	struct ctx c;
	struct target_group group = {.row.id = {{0xab}}};
	const struct proxy_server servers[] = {
		{.target = {{1}}, .ip = ip_from_v4(0x0a000001), .port = 80, .is_new = true},
		{.target = {{2}}, .ip = ip_from_v4(0x0a000002), .port = 80, .is_new = true},
		{.target = {{3}}, .ip = ip_from_v4(0x0a000003), .port = 80}};
	const struct proxy_group groups[] = {{.group = &group, .servers = servers, .server_count = 3}};
	const struct proxy_wish wish = {.groups = groups, .group_count = 1};
	const char known[] = "1\n# be_id be_name\n3 gab000000000000000000000000000000 1 "
			     "t01000000000000000000000000000000 10.0.0.1 2 0\n";
	struct str states = STR_NONE;
	(void) state;
	ctx_init(&c, arena);
	assert_true(result_is_ok(state_add_new(&c, &wish, str_from(known), &states)));
	assert_true(str_starts_with(states, str_from(known)));
	assert_true(str_is(str_slice(states, sizeof known - 1, states.n),
			   "0 gab000000000000000000000000000000 0 t02000000000000000000000000000000 10.0.0.2 "
			   "0 0 1 1 0 1 "
			   "0 0 6 0 0 0 - 80 - 0 0 - - 0\n"));
}

static void lost_reports_are_read(void **state)
{
	struct ctx c = {0};
	struct proxy_log_state seen = {0};
	(void) state;
	assert_true(result_is_ok(state_read_log(&c, STR("Name: HAProxy\nPid: 77\nDroppedLogs: 5\n"), &seen)));
	assert_int_equal(seen.worker, 77);
	assert_int_equal(seen.lost, 5);
	assert_int_equal(state_read_log(&c, STR(""), &seen).code, ERR_GONE);
}

static void the_text_of_users_is_text(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	struct rule_value value = {.value = STR("/a'b\"c#d%e\\f$(g)*")};
	struct rule_condition condition = {.field = RULE_PATH_PATTERN, .values = &value, .value_count = 1};
	const struct rule_conditions conditions = {&condition, 1};
	(void) state;
	lab->rules[0] = (struct listener_rule){.priority = 1,
					       .action = LISTENER_RULE_ACTION_REDIRECT,
					       .status = 302,
					       .protocol = STR("#{protocol}"),
					       .host = STR("a'b%c\"#{host}"),
					       .port = STR("#{port}"),
					       .path = STR("/'x'%[env(PATH)]#{path}"),
					       .query = STR("a='%H'")};
	lab->rules[1] = (struct listener_rule){.priority = 2,
					       .action = LISTENER_RULE_ACTION_FIXED_RESPONSE,
					       .status = 418,
					       .content_type = STR("text/plain"),
					       .body = STR("line\nstats uri /\n'%[env(PATH)]'")};
	lab->rules[2] = (struct listener_rule){.action = LISTENER_RULE_ACTION_FORWARD, .sticky_s = 60};
	for (size_t k = 0; k < 2; k++)
		assert_true(
			result_is_ok(rule_conditions_write(&lab->c, &conditions, &lab->rules[k].conditions)));
	static const struct str attributes[] = {
		{"routing.http.response.x_frame_options.header_value='%[env(PATH)]\" #",
		 sizeof "routing.http.response.x_frame_options.header_value='%[env(PATH)]\" #" - 1}};
	lab->listener.attributes = (struct strs){attributes, 1};
	lab->proxy_listener.rule_count = 3;
	struct str text = write_text(lab);
	has_line(text, "{ path -m reg -- '^\\/a\\'\\''b\\\"c\\#d\\%e\\\\f\\$\\(g\\).*$' }");
	has_line(text, "redirect location "
		       "'http://a'\\''b%%c\"%[req.hdr(host),host_only]:%[dst_port]/'\\''x'\\''%%[env(PATH)]");
	has_line(text, "http-after-response set-header X-Frame-Options ''\\''%%[env(PATH)]\" #'");
	assert_false(str_contains(text, STR("stats uri")));
	is_accepted(lab, text);
}

/* Health checks ask for the path as it was written; a response of any status that ELBv2 allows may have a body. */
static void every_status_and_path_is_accepted(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	(void) state;
	lab->rules[0] = (struct listener_rule){.action = LISTENER_RULE_ACTION_FIXED_RESPONSE,
					       .conditions = STR("[]"),
					       .content_type = STR("text/plain"),
					       .body = STR("text")};
	lab->rules[1] = (struct listener_rule){.action = LISTENER_RULE_ACTION_REDIRECT,
					       .conditions = STR("[]"),
					       .status = 301,
					       .protocol = STR("HTTPS"),
					       .host = STR("a"),
					       .port = STR("443"),
					       .path = STR("/#{path}"),
					       .query = STR("from=#{protocol}")};
	static const int statuses[] = {200, 204, 205, 299, 400, 404, 499, 500, 503, 599};
	for (size_t k = 0; k < sizeof statuses / sizeof statuses[0]; k++) {
		lab->rules[0].status = statuses[k];
		lab->proxy_listener.rule_count = 1;
		is_accepted(lab, write_text(lab));
	}
	lab->proxy_listener.rule_count = 2;
	struct str text = write_text(lab);
	has_line(text, "http-check send meth GET uri '/'\\''a%b\"#' ver");
	has_line(text, ":443/%[path,regsub(^/,)]?from=http' code 301");
	has_line(text, "mworker-max-reloads ");
	is_accepted(lab, text);
}

static struct str make_pem(struct ctx *c)
{
	char directory[] = "/tmp/dari-test-XXXXXX";
	struct child_end end = {0};
	struct str pem = STR_NONE;
	assert_non_null(mkdtemp(directory));
	struct proxy_place place = {.directory = directory};
	const char *path = place_path(c, &place, "pem");
	const char *const argv[] = {
		"openssl", "req",   "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
		"-nodes",  "-subj", "/CN=x", "-keyout", path, "-out",     path,
		NULL};
	const struct child child = {.argv = argv, .timeout_us = 10 * MINUTE};
	assert_true(result_is_ok(child_run(c, &child, &end)) && end.status == 0);
	assert_true(result_is_ok(file_read(c, path, 1 << 16, &pem)));
	file_remove_tree(directory);
	return pem;
}

/* The target's cookie carries the server's name, instead of a cookie of the load balancer's own. */
static void a_cookie_of_the_target_makes_clients_stay(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	(void) state;
	lab->rules[0] =
		(struct listener_rule){.action = LISTENER_RULE_ACTION_FORWARD, .conditions = STR("[]")};
	lab->proxy_listener.rule_count = 1;
	has_line(write_text(lab), "  cookie AWSALB insert indirect nocache maxlife 60s\n");
	lab->group.persistence = TARGET_GROUP_PERSISTENCE_APP_COOKIE;
	lab->group.cookie = STR("SESSION");
	has_line(write_text(lab), "  cookie SESSION prefix nocache\n");
	assert_false(str_contains(write_text(lab), STR("AWSALB ")));
	is_accepted(lab, write_text(lab));
	lab->group.is_sticky = false;
	assert_false(str_contains(write_text(lab), STR("cookie SESSION")));
}

/* HAProxy reads as many certificates as a listener may have, with each security policy. */
static void a_listener_has_all_its_certificates(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	struct proxy_certificate certificates[LISTENER_CERTIFICATES_MAX];
	uuid ids[LISTENER_CERTIFICATES_MAX];
	struct str pem = make_pem(&lab->c);
	(void) state;
	for (uint8_t k = 0; k < LISTENER_CERTIFICATES_MAX; k++) {
		ids[k] = (uuid){{3, k}};
		/* files are named by their content */
		certificates[k] = (struct proxy_certificate){
			ids[k], str_print(arena, "%" STR_FMT "\n# %d\n", STR_ARG(pem), k)};
	}
	lab->rules[0] =
		(struct listener_rule){.action = LISTENER_RULE_ACTION_FORWARD, .conditions = STR("[]")};
	lab->listener.protocol = LISTENER_PROTOCOL_HTTPS;
	lab->listener.certificates = (struct uuids){ids, LISTENER_CERTIFICATES_MAX};
	lab->wish.certificates = certificates;
	lab->wish.certificate_count = LISTENER_CERTIFICATES_MAX;
	for (size_t k = 0; k < tls_policy_count; k++) {
		lab->listener.tls_policy = str_from(tls_policies[k].name);
		is_accepted(lab, write_text(lab));
	}
}

/* TERMINATED_HTTPS: requests are read behind TLS, and members may be reached by TLS again. */
static void an_octavia_listener_ends_tls(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	const uuid id = {{3, 1}};
	const struct proxy_certificate certificate = {id, make_pem(&lab->c)};
	static const struct str headers[] = {{"X-Forwarded-Proto=true", 22}};
	(void) state;
	lab->balancer =
		(struct elastic_load_balancer){.type = ELASTIC_LOAD_BALANCER_TYPE_OCTAVIA, .idle_s = 50};
	lab->group = (struct target_group){
		.row.id = {{1}}, .protocol = TARGET_GROUP_PROTOCOL_HTTP, .is_tls = true};
	lab->listener = (struct listener){.row.id = {{3}},
					  .protocol = LISTENER_PROTOCOL_SSL,
					  .port = 443,
					  .target_group = lab->group.row.id,
					  .client_ms = 50000,
					  .connect_ms = 5000,
					  .member_ms = 60000,
					  .headers = {headers, 1},
					  .certificates = {&id, 1}};
	lab->wish.certificates = &certificate;
	lab->wish.certificate_count = 1;
	lab->proxy_listener.rule_count = 0;
	struct str text = write_text(lab);
	has_line(text, "  mode http\n  bind *:443 ssl crt-list ");
	has_line(text, " alpn h2,http/1.1\n");
	has_line(text, "  http-request set-header X-Forwarded-Proto https\n  default_backend c443\n");
	has_line(text, " ssl verify none\n");
	is_accepted(lab, text);
}

static struct str write_condition(struct lab *lab, enum rule_field field, const char *name, const char *key,
				  const char *text)
{
	struct rule_value value = {str_from(key), str_from(text)};
	struct rule_condition condition = {field, str_from(name), &value, 1};
	const struct rule_conditions conditions = {&condition, 1};
	lab->rules[0] = (struct listener_rule){.priority = 1, .action = LISTENER_RULE_ACTION_FORWARD};
	assert_true(result_is_ok(rule_conditions_write(&lab->c, &conditions, &lab->rules[0].conditions)));
	return write_text(lab);
}

static void patterns_are_expressions(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	static const struct {
		enum rule_field field;
		const char *name, *key, *value, *line;
	} cases[] = {
		{RULE_PATH_PATTERN, "", "", "/a?*.js", "{ path -m reg -- '^\\/a..*\\.js$' }"},
		{RULE_PATH_PATTERN, "", "", "*a*b*", "'^(?>.*?a)(?>.*?b).*$'"},
		{RULE_HTTP_HEADER, "X-A", "", "**\\*", "'^(?>.*?).*\\*$'"},
		{RULE_QUERY_STRING, "", "*k*", "*v?*", "'(^|&)(?>[^&]*?k)[^&]*=(?>[^&]*?v[^&])[^&]*(&|$)'"},
		{RULE_HOST_HEADER, "", "", "*.x", "{ req.hdr(host),host_only -m reg -i -- '^.*\\.x$' }"},
		{RULE_HTTP_HEADER, "X-A", "", "\\*b", "{ req.fhdr(X-A) -m reg -i -- '^\\*b$' }"},
		{RULE_METHOD, "", "", "GET", "{ method -m str -- 'GET' }"},
		{RULE_QUERY_STRING, "", "k", "v?", "{ query -m reg -i -- '(^|&)k=v[^&](&|$)' }"},
		{RULE_QUERY_STRING, "", "", "v", "{ query -m reg -i -- '(^|&)[^&=]*=v(&|$)' }"},
		{RULE_SOURCE_IP, "", "", "10.0.0.0/8", "{ src -- '10.0.0.0/8' }"},
	};
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct str text =
			write_condition(lab, cases[k].field, cases[k].name, cases[k].key, cases[k].value);
		has_line(text, cases[k].line);
		is_accepted(lab, text);
	}
}

/* Every setting of a load balancer makes a file that HAProxy accepts. */
static void settings_are_lines(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	(void) state;
	lab->rules[0] =
		(struct listener_rule){.action = LISTENER_RULE_ACTION_FORWARD, .conditions = STR("[]")};
	lab->balancer.drops_headers = lab->balancer.forwards_port = true;
	lab->balancer.forwarded_for = ELASTIC_LOAD_BALANCER_FORWARDED_FOR_APPEND;
	lab->balancer.keep_alive_s = 600;
	has_line(write_text(lab), "  http-after-response set-header Connection close if !{ status 101 } "
				  "{ date(),sub(sess.start) -m int ge 600 }\n");
	lab->listener.port = 8080;
	lab->group.protocol = TARGET_GROUP_PROTOCOL_HTTPS;
	lab->group.check_protocol = TARGET_GROUP_CHECK_PROTOCOL_HTTPS;
	lab->group.check_port = 81;
	for (int k = 0; k < 3; k++) {
		lab->group.algorithm = (enum target_group_algorithm) k;
		lab->balancer.forwarded_for = (enum elastic_load_balancer_forwarded_for) k;
		is_accepted(lab, write_text(lab));
	}
	lab->proxy_group.server_count = 0;
	is_accepted(lab, write_text(lab));
	lab->wish.listener_count = 0;
	is_accepted(lab, write_text(lab));
}

#define ID "000102030405060708090a0b0c0d0e0f"
static struct proxy_server_state read_one(struct ctx *c, const char *status, const char *check,
					  const char *code)
{
	struct proxy_server_state *states = NULL;
	size_t count = 0;
	struct str csv = str_print(c->arena,
				   "# pxname,svname,status,check_status,check_code,\n"
				   "g00,t%s,%s,%s,%s,\n"
				   "o00,t%s,no check,,,\ng00,BACKEND,UP,,,\n\n",
				   ID, status, check, code, ID);
	assert_true(result_is_ok(state_read(c, csv, &states, &count)));
	assert_int_equal(count, 1);
	assert_int_equal(states[0].target.b[15], 15);
	return states[0];
}

static void states_are_read(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 20);
	struct ctx c;
	struct proxy_server_state *states = NULL;
	size_t count = 0;
	(void) state;
	ctx_init(&c, arena);
	assert_int_equal(read_one(&c, "UP", "L7OK", "200").health, PROXY_UP);
	assert_int_equal(read_one(&c, "UP", "INI", "").health, PROXY_UNCHECKED);
	assert_int_equal(read_one(&c, "UP 1/2", "* L7STS", "500").health, PROXY_UP);
	struct proxy_server_state s = read_one(&c, "DOWN", "L7STS", "500");
	assert_true(s.health == PROXY_DOWN && s.fault == PROXY_FAULT_MISMATCH && s.code == 500);
	assert_int_equal(read_one(&c, "DOWN 1/2", "L4TOUT", "").fault, PROXY_FAULT_TIMEOUT);
	assert_int_equal(read_one(&c, "DOWN", "L4CON", "").fault, PROXY_FAULT_FAILED);
	assert_int_equal(state_read(&c, STR("nonsense\n"), &states, &count).code, ERR_GONE);
}

static void figures_of_listeners_are_read(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 20);
	struct ctx c;
	struct proxy_listener_state *states = NULL;
	size_t count = 0;
	(void) state;
	ctx_init(&c, arena);
	struct str answer = STR("Name: HAProxy\nPid: 77\n\n# pxname,svname,scur,stot,bin,bout,ereq,\n"
				"l" ID ",FRONTEND,1,2,3,4,5,\nf80,FRONTEND,1,1,1,1,1,\n\n");
	assert_true(result_is_ok(state_read_listeners(&c, answer, &states, &count)));
	assert_int_equal(count, 1);
	assert_int_equal(states[0].listener.b[15], 15);
	assert_int_equal(states[0].worker, 77);
	const int64_t seen[] = {states[0].active, states[0].total, states[0].bytes_in, states[0].bytes_out,
				states[0].errors};
	for (int k = 0; k < 5; k++)
		assert_int_equal(seen[k], k + 1);
	answer = STR("# pxname,svname,scur,stot,bin,bout,ereq,\n");
	assert_int_equal(state_read_listeners(&c, answer, &states, &count).code, ERR_GONE);
	assert_int_equal(state_read_listeners(&c, STR("Pid: 77\n"), &states, &count).code, ERR_GONE);
}

/* A systemctl that does what the units say, as far as a test can, and keeps its orders. */
static const char systemctl[] = "#!/bin/sh\n"
				"echo \"$2 ${3%@*}\" >>\"$LAB/orders\"\n"
				"case $2 in show) echo Type=notify; echo MainPID=17; exit ;; esac\n"
				"case $3 in dari-balancer-check@*) cd \"$LAB\"/units/* && exec haproxy -c "
				"-f next.cfg 2>check ;; esac\n";

static struct str read_all(struct lab *lab, const char *directory, const char *name)
{
	struct str text = STR_NONE;
	struct str path = str_print(lab->c.arena, "%s/%s", directory, name);
	assert_true(result_is_ok(file_read(&lab->c, str_to_z(lab->c.arena, path), 4096, &text)));
	return text;
}

static void systemd_runs_the_process(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	struct ctx *c = &lab->c;
	char directory[] = "/tmp/dari-test-XXXXXX";
	struct proxy_handle proxies = {0};
	(void) state;
	assert_non_null(mkdtemp(directory));
	const struct haproxy_config config = {.directory = str_print(arena, "%s/proxies", directory),
					      .ovsdb = STR("unix:/nonexistent"),
					      .units = str_print(arena, "%s/units", directory)};
	assert_true(result_is_ok(haproxy_open(c, &config, &proxies)));
	struct proxy_place place = {.proxies = proxies.self, .id = {{7}}, .directory = directory};
	assert_true(result_is_ok(
		file_write_synced(c, place_path(c, &place, "systemctl"), str_from(systemctl), 0700)));
	setenv("LAB", directory, 1);
	setenv("PATH", str_to_z(arena, str_print(arena, "%s:%s", directory, getenv("PATH"))), 1);

	assert_true(result_is_ok(
		file_write_synced(c, place_path(c, &place, "next.cfg"), STR("global\n  nonsense\n"), 0600)));
	assert_int_equal(process_check(c, &place).code, ERR_INVALID);
	assert_true(str_contains(c->problem.message, STR("unknown keyword 'nonsense'")));
	ctx_clear_problem(c);
	assert_true(result_is_ok(file_write_synced(
		c, place_path(c, &place, "next.cfg"),
		STR("frontend f\n  mode http\n  bind unix@f\n  timeout client 1s\n"), 0600)));
	assert_true(result_is_ok(process_check(c, &place)));
	assert_true(result_is_ok(process_start(c, &place, 0)));
	assert_int_equal(place.pid, 17);
	assert_true(str_equal(read_all(lab, directory, "orders"),
			      STR("start dari-balancer-check\nstart dari-balancer-check\n"
				  "restart dari-balancer\nshow dari-balancer\n")));
	proxies.driver->close(proxies.self);
	file_remove_tree(directory);
}

/* A Classic Load Balancer: one backend checks, the others follow it. Zones that are not crossed have backends of their own. */
static void classic_listeners_follow_one_check(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	const struct proxy_link links[] = {{.ip = ip_from_v4(0x7f000001), .zone = {{5}}},
					   {.ip = ip_from_v4(0x7f000002), .zone = {{6}}}};
	(void) state;
	lab->balancer.type = ELASTIC_LOAD_BALANCER_TYPE_CLASSIC;
	lab->balancer.crosses_zones = true;
	lab->group.check_port = 8080;
	lab->group.slow_start_s = 0;
	lab->group.matcher = STR("200");
	lab->server.zone = (uuid){{5}};
	lab->listener.instance_port = 8081;
	lab->listener.instance_protocol = LISTENER_INSTANCE_PROTOCOL_HTTPS;
	lab->proxy_listener.is_sticky = true;
	lab->proxy_listener.sticky_s = 60;
	lab->proxy_listener.has_proxy_protocol = true;
	struct str text = write_text(lab);
	has_line(text, "  option httpchk\n");
	has_line(text, "  server t02000000000000000000000000000000 10.0.0.1:8080 check\n");
	has_line(text, "frontend f80\n  mode http\n  bind *:80\n");
	has_line(text, "  cookie AWSELB insert indirect nocache maxlife 60s\n");
	has_line(text,
		 " 10.0.0.1:8081 track g01000000000000000000000000000000/t02000000000000000000000000000000 "
		 "cookie 02000000000000000000000000000000 ssl verify none send-proxy\n");
	is_accepted(lab, text);

	lab->proxy_listener = (struct proxy_listener){
		.listener = &lab->listener, .is_sticky = true, .app_cookie = STR("SESSION")};
	has_line(write_text(lab), "  cookie SESSION prefix nocache\n");
	is_accepted(lab, write_text(lab));

	lab->proxy_listener = (struct proxy_listener){.listener = &lab->listener};
	lab->listener.protocol = LISTENER_PROTOCOL_TCP;
	lab->listener.instance_protocol = LISTENER_INSTANCE_PROTOCOL_SSL;
	lab->group.check_protocol = TARGET_GROUP_CHECK_PROTOCOL_SSL;
	lab->balancer.crosses_zones = false;
	lab->wish.links = links;
	lab->wish.link_count = 2;
	text = write_text(lab);
	has_line(text, "  bind 127.0.0.1:80\n  default_backend c80-0\nbackend c80-0\n  mode tcp\n  balance "
		       "roundrobin\n  server ");
	has_line(text, "  bind 127.0.0.2:80\n  default_backend c80-1\nbackend c80-1\n  mode tcp\n  balance "
		       "roundrobin\n");
	has_line(text, " check-ssl verify none\n");
	assert_false(str_contains(text, STR("httpchk")));
	is_accepted(lab, text);
}

/* A network load balancer with a proxy: all its listeners follow the checks of their groups. Without a healthy target all targets
 * are used. */
static void network_listeners_fail_open(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	const struct proxy_link links[] = {{.ip = ip_from_v4(0x7f000001), .zone = {{5}}},
					   {.ip = ip_from_v4(0x7f000002), .zone = {{6}}}};
	(void) state;
	lab->balancer = (struct elastic_load_balancer){.type = ELASTIC_LOAD_BALANCER_TYPE_NETWORK};
	lab->group = (struct target_group){.row.id = {{1}},
					   .protocol = TARGET_GROUP_PROTOCOL_TLS,
					   .interval_s = 30,
					   .timeout_s = 10,
					   .healthy_threshold = 5,
					   .unhealthy_threshold = 2,
					   .sends_proxy_v2 = true,
					   .is_sticky = true};
	lab->server.zone = (uuid){{5}};
	lab->listener = (struct listener){
		.protocol = LISTENER_PROTOCOL_TCP, .port = 443, .target_group = lab->group.row.id};
	struct str text = write_text(lab);
	has_line(text, "  timeout client 350s\n");
	has_line(text, "  mode tcp\n  bind *:443\n  use_backend c443 if { nbsrv(c443) gt 0 }\n"
		       "  default_backend o443\n");
	has_line(text, "  balance source\n  hash-type consistent\n");
	has_line(text, " 10.0.0.1:80 send-proxy-v2 ssl verify none check no-check-ssl check-send-proxy\n");
	has_line(text, " send-proxy-v2 ssl verify none track "
		       "g01000000000000000000000000000000/t02000000000000000000000000000000\n");
	is_accepted(lab, text);

	lab->group = (struct target_group){.row.id = {{1}},
					   .interval_s = 30,
					   .timeout_s = 10,
					   .healthy_threshold = 5,
					   .unhealthy_threshold = 2};
	lab->group.check_protocol = TARGET_GROUP_CHECK_PROTOCOL_HTTPS;
	lab->group.check_port = 6443;
	lab->group.check_path = STR("/ready");
	lab->group.matcher = STR("200-399");
	text = write_text(lab);
	has_line(text, "  http-check expect status 200-399\n");
	has_line(text, " fall 2 port 6443 check-ssl verify none\n");
	has_line(text, " 10.0.0.1:80 check\n");
	is_accepted(lab, text);

	lab->group.check_protocol = TARGET_GROUP_CHECK_PROTOCOL_TCP;
	lab->wish.links = links;
	lab->wish.link_count = 2;
	text = write_text(lab);
	has_line(text, "  bind 127.0.0.1:443\n");
	has_line(text, "backend c443-0\n  mode tcp\n  balance roundrobin\n  server t02");
	has_line(text, "backend o443-1\n  mode tcp\n  balance roundrobin\n");
	assert_false(str_contains(text, STR("ssl verify")));
	is_accepted(lab, text);

	lab->listener.protocol = LISTENER_PROTOCOL_SSL;
	lab->listener.alpn = STR("HTTP2Optional");
	lab->balancer.crosses_zones = true;
	has_line(write_text(lab), " alpn http/1.1,http/1.0,h2\n");
	lab->listener.alpn = STR_NONE;
	assert_false(str_contains(write_text(lab), STR(" alpn ")));
}

/* A dualstack load balancer listens on both families. An IPv6 client's address is in brackets before its port. */
static void dualstack_listens_on_both(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	struct ip ip6 = {0};
	(void) state;
	assert_true(result_is_ok(ip_parse(STR("::1"), &ip6)));
	lab->rules[0] =
		(struct listener_rule){.action = LISTENER_RULE_ACTION_FORWARD, .conditions = STR("[]")};
	has_line(write_text(lab), "  bind *:80\n");
	lab->balancer.is_dualstack = true;
	struct str text = write_text(lab);
	has_line(text, "  bind *:80,:::80 v6only\n");
	has_line(text, "  http-request add-header X-Forwarded-For %[src]\n");
	is_accepted(lab, text);
	lab->balancer.forwards_port = true;
	text = write_text(lab);
	has_line(text, " X-Forwarded-For %[src]:%[src_port] unless { src -m sub : }\n");
	has_line(text, " X-Forwarded-For [%[src]]:%[src_port] if { src -m sub : }\n");
	is_accepted(lab, text);

	const struct proxy_link links[] = {{.ip = ip_from_v4(0x7f000001), .ip6 = ip6, .zone = {{5}}},
					   {.ip = ip_from_v4(0x7f000002), .zone = {{6}}}};
	lab->balancer.type = ELASTIC_LOAD_BALANCER_TYPE_NETWORK;
	lab->listener = (struct listener){
		.protocol = LISTENER_PROTOCOL_TCP, .port = 443, .target_group = lab->group.row.id};
	has_line(write_text(lab), "  bind *:443,:::443 v6only\n");
	lab->wish.links = links;
	lab->wish.link_count = 2;
	text = write_text(lab);
	has_line(text, "  bind 127.0.0.1:443,[::1]:443\n");
	has_line(text, "  bind 127.0.0.2:443\n");
	is_accepted(lab, text);
}

/* A load balancer whose front has an IPv6 address alone, and servers with IPv6 addresses. */
static void ipv6_alone_is_listened_on(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	struct ip ip6 = {0};
	(void) state;
	assert_true(result_is_ok(ip_parse(STR("fd00::1"), &ip6)));
	const struct proxy_link link = {.ip6 = ip6};
	lab->rules[0] =
		(struct listener_rule){.action = LISTENER_RULE_ACTION_FORWARD, .conditions = STR("[]")};
	lab->server.ip = ip6;
	lab->wish.links = &link;
	lab->wish.link_count = 1;
	struct str text = write_text(lab);
	has_line(text, "  bind :::80 v6only\n");
	has_line(text, " fd00::1:");
	is_accepted(lab, text);
}

/* A load balancer of Octavia: a pool's members are checked once, and each listener's backend follows. */
static void octavia_listeners_follow_one_check(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	const struct cidr source = {ip_from_v4(0x0a000000), 8};
	static const struct str headers[] = {{"X-Forwarded-For=true", 20}, {"X-Forwarded-Proto=false", 23}};
	const struct target member = {.weight = 7, .is_backup = true, .check_number = 81};
	(void) state;
	lab->balancer =
		(struct elastic_load_balancer){.type = ELASTIC_LOAD_BALANCER_TYPE_OCTAVIA, .idle_s = 50};
	lab->group = (struct target_group){.row.id = {{1}},
					   .protocol = TARGET_GROUP_PROTOCOL_HTTP,
					   .persistence = TARGET_GROUP_PERSISTENCE_HTTP_COOKIE,
					   .has_monitor = true,
					   .check_protocol = TARGET_GROUP_CHECK_PROTOCOL_HTTP,
					   .check_method = STR("HEAD"),
					   .check_path = STR("/'a%[env(PATH)]\"#"),
					   .check_version = STR("1.1"),
					   .check_host = STR("a.test"),
					   .matcher = STR("200, 202"),
					   .interval_s = 5,
					   .timeout_s = 3,
					   .healthy_threshold = 2,
					   .unhealthy_threshold = 3};
	lab->listener = (struct listener){.row.id = {{3}},
					  .protocol = LISTENER_PROTOCOL_HTTP,
					  .port = 80,
					  .target_group = lab->group.row.id,
					  .connection_limit = 9,
					  .client_ms = 50000,
					  .connect_ms = 5000,
					  .member_ms = 60000,
					  .headers = {headers, 2},
					  .sources = {&source, 1}};
	lab->server.member = &member;
	lab->proxy_listener.rule_count = 0;
	struct str text = write_text(lab);
	has_line(text, "  http-check expect status 200,202\n");
	has_line(text, "  server t02000000000000000000000000000000 10.0.0.1:80 check port 81\n");
	has_line(text, "frontend l03000000000000000000000000000000\n  mode http\n  bind *:80\n  maxconn 9\n  "
		       "timeout "
		       "client 50000ms\n");
	has_line(text, "  acl permitted src 10.0.0.0/8\n  tcp-request connection reject if !permitted\n");
	has_line(text, "  http-request add-header X-Forwarded-For %[src]\n  default_backend c80\n");
	has_line(text,
		 "  timeout server 60000ms\n  timeout tunnel 60000ms\n  balance roundrobin\n  cookie SRV ");
	has_line(text, " weight 7 backup track g01000000000000000000000000000000/"
		       "t02000000000000000000000000000000 cookie 02000000000000000000000000000000\n");
	has_line(text, "  hard-stop-after 3600s\n");
	is_accepted(lab, text);

	lab->group.protocol = TARGET_GROUP_PROTOCOL_PROXYV2;
	lab->group.persistence = TARGET_GROUP_PERSISTENCE_SOURCE_IP;
	lab->group.check_protocol = TARGET_GROUP_CHECK_PROTOCOL_SSL;
	lab->listener.protocol = LISTENER_PROTOCOL_TCP;
	lab->listener.inspect_ms = 100;
	text = write_text(lab);
	has_line(text, "  balance source\n  hash-type consistent\n");
	has_line(text, " check port 81 check-send-proxy send-proxy-v2\n");
	has_line(text, "  mode tcp\n  bind *:80\n");
	has_line(text, " check-ssl verify none\n");
	is_accepted(lab, text);
	const struct proxy_link six = {.ip6 = {.family = IP_V6, .b = {0xfd, [15] = 1}}};
	lab->wish.links = &six;
	lab->wish.link_count = 1;
	text = write_text(lab);
	has_line(text, "  mode tcp\n  bind :::80 v6only\n");
	is_accepted(lab, text);
	lab->wish.link_count = 0;

	lab->group.has_monitor = false;
	lab->group.persistence = TARGET_GROUP_PERSISTENCE_NONE;
	lab->group.algorithm = TARGET_GROUP_ALGORITHM_SOURCE_IP;
	lab->group.is_tls = true;
	text = write_text(lab);
	assert_false(str_contains(text, STR("check")));
	has_line(text, "  balance source\n  server ");
	is_accepted(lab, text);

	lab->group.persistence = TARGET_GROUP_PERSISTENCE_APP_COOKIE;
	lab->group.protocol = TARGET_GROUP_PROTOCOL_HTTP;
	lab->group.cookie = STR("SESSION");
	lab->listener.protocol = LISTENER_PROTOCOL_HTTP;
	has_line(write_text(lab), "  cookie SESSION prefix nocache\n");
	is_accepted(lab, write_text(lab));
}

/* L7 policies: what is rejected comes first, then redirects, then pools; rules are ACLs, whose text is text. */
static void policies_have_haproxys_order(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	const struct l7_rule rules[] = {
		{.row.id = {{4}},
		 .type = L7_RULE_TYPE_HEADER,
		 .compare = L7_RULE_COMPARE_REGEX,
		 .name = STR("X-!#$%&*+-.^_`|~"),
		 .value = STR("^a'b\"c#d%e\\f$(g| h)$")},
		{.row.id = {{5}},
		 .type = L7_RULE_TYPE_FILE_TYPE,
		 .compare = L7_RULE_COMPARE_EQUAL_TO,
		 .is_inverted = true,
		 .value = STR("jpg")},
		{.row.id = {{6}},
		 .type = L7_RULE_TYPE_HOST_NAME,
		 .compare = L7_RULE_COMPARE_STARTS_WITH,
		 .value = STR("\"-i a.test\"")},
	};
	const struct l7_rule *const at[] = {&rules[0], &rules[1], &rules[2]};
	(void) state;
	lab->balancer = (struct elastic_load_balancer){.type = ELASTIC_LOAD_BALANCER_TYPE_OCTAVIA};
	lab->listener = (struct listener){.row.id = {{3}}, .protocol = LISTENER_PROTOCOL_HTTP, .port = 80};
	lab->rules[0] = (struct listener_rule){.action = LISTENER_RULE_ACTION_FORWARD};
	lab->rules[1] = (struct listener_rule){.action = LISTENER_RULE_ACTION_REDIRECT,
					       .url = STR("https://a.test/'%[env(PATH)]\"#"),
					       .is_prefix = true,
					       .status = 308};
	lab->rules[2] = (struct listener_rule){.action = LISTENER_RULE_ACTION_FIXED_RESPONSE};
	lab->rules[3] = (struct listener_rule){.action = LISTENER_RULE_ACTION_FIXED_RESPONSE};
	lab->proxy_listener.rule_count = 4;
	for (size_t k = 0; k < 3; k++) {
		lab->proxy_rules[k].l7_rules = at + k;
		lab->proxy_rules[k].l7_rule_count = k ? 1 : 2;
	}
	struct str text = write_text(lab);
	has_line(text, "  acl r04000000000000000000000000000000 req.hdr('X-!#$%&*+-.^_`|~') -m reg -- "
		       "'^a'\\''b\"c#d%e\\f$(g| h)$'\n");
	has_line(text, "  acl r05000000000000000000000000000000 path -m end -- 'jpg'\n");
	has_line(text,
		 "  acl r06000000000000000000000000000000 req.hdr(host) -i -m beg -- '-i a.test'\n"
		 "  http-request deny if r06000000000000000000000000000000\n"
		 "  http-request redirect prefix 'https://a.test/'\\''%%[env(PATH)]\"#' code 308 if "
		 "!r05000000000000000000000000000000\n"
		 "  use_backend c80-01000000000000000000000000000000 if r04000000000000000000000000000000 "
		 "!r05000000000000000000000000000000\n");
	has_line(text, "backend c80-01000000000000000000000000000000\n");
	is_accepted(lab, text);

	lab->proxy_rules[0].forward_count = 0; /* the pool is down */
	text = write_text(lab);
	assert_false(str_contains(text, STR("use_backend")));
	lab->proxy_rules[0].forward_count = 1;
	lab->listener.target_group = lab->group.row.id; /* the default pool, too */
	text = write_text(lab);
	has_line(text, "  use_backend c80 if ");
	assert_false(str_contains(text, STR("backend c80-")));
	is_accepted(lab, text);
}

/* A line of the configuration has 64 words at most. */
static void a_policy_may_have_fifty_rules(void **state)
{
	AUTO(arena) arena = arena_new(4096, 1 << 22);
	struct lab *lab = make_lab(arena);
	enum { RULES = 50 };
	struct l7_rule *rules = arena_new_array(arena, struct l7_rule, RULES);
	const struct l7_rule *at[RULES];
	assert_non_null(rules);
	(void) state;
	lab->balancer = (struct elastic_load_balancer){.type = ELASTIC_LOAD_BALANCER_TYPE_OCTAVIA};
	lab->listener = (struct listener){.protocol = LISTENER_PROTOCOL_HTTP, .port = 80};
	lab->rules[0] = (struct listener_rule){
		.action = LISTENER_RULE_ACTION_REDIRECT, .url = STR("http://a.test"), .status = 302};
	for (size_t k = 0; k < RULES; k++) {
		rules[k] = (struct l7_rule){.row.id = {{(uint8_t) k}},
					    .type = L7_RULE_TYPE_COOKIE,
					    .name = STR("a"),
					    .value = STR("b")};
		at[k] = &rules[k];
	}
	lab->proxy_rules[0].l7_rules = at;
	lab->proxy_rules[0].l7_rule_count = RULES;
	is_accepted(lab, write_text(lab));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies_have_haproxys_order),
		cmocka_unit_test(a_policy_may_have_fifty_rules),
		cmocka_unit_test(requests_are_reported),
		cmocka_unit_test(new_servers_begin_down),
		cmocka_unit_test(lost_reports_are_read),
		cmocka_unit_test(the_text_of_users_is_text),
		cmocka_unit_test(every_status_and_path_is_accepted),
		cmocka_unit_test(a_cookie_of_the_target_makes_clients_stay),
		cmocka_unit_test(a_listener_has_all_its_certificates),
		cmocka_unit_test(an_octavia_listener_ends_tls),
		cmocka_unit_test(patterns_are_expressions),
		cmocka_unit_test(settings_are_lines),
		cmocka_unit_test(classic_listeners_follow_one_check),
		cmocka_unit_test(network_listeners_fail_open),
		cmocka_unit_test(dualstack_listens_on_both),
		cmocka_unit_test(ipv6_alone_is_listened_on),
		cmocka_unit_test(figures_of_listeners_are_read),
		cmocka_unit_test(octavia_listeners_follow_one_check),
		cmocka_unit_test(states_are_read),
		cmocka_unit_test(systemd_runs_the_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
