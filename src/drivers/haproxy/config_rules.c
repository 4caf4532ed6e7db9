/* SPDX-License-Identifier: Apache-2.0
 * Writes the rules of a listener. Source: HAProxy's Configuration Manual 2.6; User Guide for Application Load Balancers,
 * "Listener rules". */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drivers/haproxy/haproxy.h"
#include "model/elastic_load_balancer.h"
#include "model/listener.h"
#include "model/listener_rule.h"
#include "model/rule_conditions.h"
#include "model/target_group.h"

/* ---- conditions ---- */

static void add_literal(struct buf *out, char c)
{
	if (!str_is_alphanumeric(c))
		buf_add_char(out, '\\');
	buf_add_char(out, c);
}

static bool has_star(struct str pattern, bool has_escapes)
{
	for (size_t k = 0; k < pattern.n; k++) {
		if (pattern.p[k] == '*')
			return true;
		k += pattern.p[k] == '\\' && has_escapes;
	}
	return false;
}

/* A pattern with '*' and '?' becomes part of a regular expression. any: what '?' stands for. A backslash makes the next
 * character literal in patterns that have escapes. The text up to the next '*' may be taken where it is first found, so an
 * atomic group keeps a pattern with many '*' from being tried in every combination. */
static void add_pattern(struct buf *out, struct str pattern, const char *any, bool has_escapes)
{
	bool is_group = false;
	for (size_t k = 0; k < pattern.n; k++) {
		char c = pattern.p[k];
		if (c == '*') {
			if (is_group)
				buf_add_char(out, ')');
			is_group = has_star(str_slice(pattern, k + 1, pattern.n), has_escapes);
			buf_print(out, is_group ? "(?>%s*?" : "%s*", any);
		} else if (c == '\\' && has_escapes && k + 1 < pattern.n) {
			add_literal(out, pattern.p[++k]);
		} else if (c == '?') {
			buf_print(out, "%s", any);
		} else {
			add_literal(out, c);
		}
	}
}

static void add_query_pattern(struct buf *out, const struct rule_value *value)
{
	static const char part[] = "[^&]";
	buf_print(out, "(^|&)");
	if (value->key.n)
		add_pattern(out, value->key, part, true);
	else
		buf_print(out, "[^&=]*");
	buf_add_char(out, '=');
	add_pattern(out, value->value, part, true);
	buf_print(out, "(&|$)");
}

static void write_value(const struct rule_condition *condition, const struct rule_value *value,
			struct buf *out)
{
	struct buf pattern;
	buf_init(&pattern, CONFIG_CAP);
	if (condition->field == RULE_QUERY_STRING) {
		add_query_pattern(&pattern, value);
	} else if (condition->field == RULE_METHOD || condition->field == RULE_SOURCE_IP) {
		buf_add_str(&pattern, value->value);
	} else {
		buf_add_char(&pattern, '^');
		add_pattern(&pattern, value->value, ".", condition->field == RULE_HTTP_HEADER);
		buf_add_char(&pattern, '$');
	}
	buf_add_char(out, ' ');
	config_quote(out, buf_str(&pattern), false);
	out->failed = out->failed || pattern.failed;
	buf_done(&pattern);
}

/* "{ FETCH PATTERN… }", which holds if one of the patterns matches. */
static void write_condition(const struct rule_condition *condition, struct buf *out)
{
	static const char *const fetches[] = {
		[RULE_PATH_PATTERN] = "path -m reg --",
		[RULE_HOST_HEADER] = "req.hdr(host),host_only -m reg -i --",
		[RULE_METHOD] = "method -m str --",
		[RULE_QUERY_STRING] = "query -m reg -i --",
		[RULE_SOURCE_IP] = "src --",
	};
	buf_print(out, " { ");
	if (condition->field == RULE_HTTP_HEADER)
		buf_print(out, "req.fhdr(%" STR_FMT ") -m reg -i --", STR_ARG(condition->name));
	else
		buf_print(out, "%s", fetches[condition->field]);
	for (size_t k = 0; k < condition->value_count; k++)
		write_value(condition, &condition->values[k], out);
	buf_print(out, " }");
}

static void write_match(struct ctx *c, const struct listener_rule *rule, size_t number, struct buf *out)
{
	struct rule_conditions conditions = {0};
	out->failed = out->failed || rule_conditions_read(c, rule->conditions, &conditions).code;
	buf_print(out, "  http-request set-var(txn.rule) int(%zu) if !{ var(txn.rule) -m found }", number);
	for (size_t k = 0; k < conditions.count; k++)
		write_condition(&conditions.at[k], out);
	buf_add_char(out, '\n');
}

/* ---- redirects ---- */

struct redirect_word {
	const char *word, *format;
};

/* Text with #{host} and its like, in HAProxy's log format, without quotes around it. */
static void add_template(struct buf *out, struct str text, const struct redirect_word *words)
{
	while (text.n) {
		const struct redirect_word *w = words;
		while (w->word && !str_starts_with(text, str_from(w->word)))
			w++;
		if (w->word) {
			buf_print(out, "%s", w->format);
			text = str_slice(text, strlen(w->word), text.n);
			continue;
		}
		if (text.p[0] == '%')
			buf_add_char(out, '%');
		if (text.p[0] == '\'')
			buf_print(out, "'\\'");
		buf_add_char(out, text.p[0]);
		text = str_slice(text, 1, text.n);
	}
}

static void write_redirect(const struct proxy_listener *l, const struct listener_rule *rule, size_t number,
			   bool has_query, struct buf *out)
{
	bool is_https = l->listener->protocol == LISTENER_PROTOCOL_HTTPS;
	const struct redirect_word words[] = {{"#{protocol}", is_https ? "https" : "http"},
					      {"#{host}", "%[req.hdr(host),host_only]"},
					      {"#{port}", "%[dst_port]"},
					      {"#{path}", "%[path,regsub(^/,)]"},
					      {"#{query}", "%[query]"},
					      {0}};
	struct str protocol = rule->protocol;
	bool is_same = str_is(protocol, "#{protocol}");
	bool is_to_https = is_same ? is_https : str_is(protocol, "HTTPS");
	buf_print(out, "  http-request redirect location '%s://", is_to_https ? "https" : "http");
	add_template(out, rule->host, words);
	buf_add_char(out, ':');
	add_template(out, rule->port, words);
	add_template(out, rule->path, words);
	if (has_query) {
		buf_add_char(out, '?');
		add_template(out, rule->query, words);
	}
	buf_print(out, "' code %" PRId64 " if { var(txn.rule) -m int %zu }", rule->status, number);
}

/* A query that only repeats the request's is left out with its question mark if there is none. */
static void write_redirects(const struct proxy_listener *l, const struct listener_rule *rule, size_t number,
			    struct buf *out)
{
	bool is_repeated = str_is(rule->query, "#{query}");
	if (is_repeated) {
		write_redirect(l, rule, number, true, out);
		buf_print(out, " { query -m len gt 0 }\n");
	}
	write_redirect(l, rule, number, rule->query.n && !is_repeated, out);
	buf_add_char(out, '\n');
}

/* ---- fixed responses ---- */

/* HTTP has no body after status 204, and HAProxy refuses one. */
static void write_response(struct ctx *c, const struct listener_rule *rule, size_t number, struct buf *out)
{
	buf_print(out, "  http-request return status %" PRId64, rule->status);
	if (rule->body.n && rule->status != 204)
		buf_print(out, " content-type %" STR_FMT " file %" STR_FMT, STR_ARG(rule->content_type),
			  STR_ARG(config_body_name(c->arena, rule->body)));
	buf_print(out, " if { var(txn.rule) -m int %zu }\n", number);
}

/* ---- forwarding ---- */

static bool has_servers(const struct proxy_wish *wish, uuid group)
{
	for (size_t k = 0; k < wish->group_count; k++)
		if (uuid_equal(wish->groups[k].group->row.id, group))
			return wish->groups[k].server_count > 0;
	return false;
}

/* A use of the group, under a further condition that text begins with a space; empty: none. */
static void write_use(const struct proxy_wish *wish, uuid group, size_t number, const char *condition,
		      struct buf *out)
{
	char name[CONFIG_GROUP_NAME_SIZE];
	config_group_name(group, name);
	if (has_servers(wish, group))
		buf_print(out, "  use_backend o%s if { var(txn.rule) -m int %zu }%s { nbsrv(%s) eq 0 }\n",
			  name + 1, number, condition, name);
	buf_print(out, "  use_backend %s if { var(txn.rule) -m int %zu }%s\n", name, number, condition);
}

static int64_t total_of(const struct proxy_rule *r)
{
	int64_t total = 0;
	for (size_t k = 0; k < r->forward_count; k++)
		total += r->forwards[k].weight;
	return total;
}

static void write_pick(const struct proxy_rule *r, size_t number, struct buf *out)
{
	if (r->forward_count > 1 && total_of(r) > 0)
		buf_print(out,
			  "  http-request set-var(txn.pick) rand(%" PRId64
			  ") if { var(txn.rule) -m int %zu }\n",
			  total_of(r), number);
}

/* A client stays with a group by a cookie that names it. */
static void write_sticky(const struct proxy_rule *r, size_t number, struct buf *out)
{
	if (r->rule->sticky_s)
		buf_print(out,
			  "  http-response add-header Set-Cookie 'AWSALBTG=%%[be_name,bytes(1)]; "
			  "Max-Age=%" PRId64 "; Path=/' if { var(txn.rule) -m int %zu }\n",
			  r->rule->sticky_s, number);
}

static void write_forward(const struct proxy_wish *wish, const struct proxy_rule *r, size_t number,
			  struct buf *out)
{
	char name[CONFIG_GROUP_NAME_SIZE], condition[128];
	int64_t below = 0, total = total_of(r);
	for (size_t k = 0; k < r->forward_count && r->rule->sticky_s; k++) {
		config_group_name(r->forwards[k].group->row.id, name);
		snprintf(condition, sizeof condition, " { req.cook(AWSALBTG) -m str %s }", name + 1);
		if (r->forwards[k].weight)
			write_use(wish, r->forwards[k].group->row.id, number, condition, out);
	}
	for (size_t k = 0; k < r->forward_count; k++) {
		const struct proxy_forward *f = &r->forwards[k];
		below += f->weight;
		if (!f->weight && r->forward_count > 1)
			continue;
		snprintf(condition, sizeof condition, " { var(txn.pick) -m int lt %" PRId64 " }", below);
		write_use(wish, f->group->row.id, number, below < total ? condition : "", out);
	}
}

/* ---- a listener's rules ---- */

static void write_action(struct ctx *c, const struct proxy_listener *l, const struct proxy_rule *r,
			 size_t number, struct buf *out)
{
	if (r->rule->action == LISTENER_RULE_ACTION_REDIRECT)
		write_redirects(l, r->rule, number, out);
	else if (r->rule->action == LISTENER_RULE_ACTION_FIXED_RESPONSE)
		write_response(c, r->rule, number, out);
	else
		write_pick(r, number, out);
}

void config_write_rules(struct ctx *c, const struct proxy_wish *wish, const struct proxy_listener *l,
			struct buf *out)
{
	for (size_t k = 0; k < l->rule_count; k++)
		write_match(c, l->rules[k].rule, k, out);
	if (config_logs(wish))
		config_write_log_rules(l, out);
	for (size_t k = 0; k < l->rule_count; k++)
		write_action(c, l, &l->rules[k], k, out);
}

void config_write_uses(const struct proxy_wish *wish, const struct proxy_listener *l, struct buf *out)
{
	for (size_t k = 0; k < l->rule_count; k++)
		if (l->rules[k].rule->action == LISTENER_RULE_ACTION_FORWARD)
			write_sticky(&l->rules[k], k, out);
	for (size_t k = 0; k < l->rule_count; k++)
		if (l->rules[k].rule->action == LISTENER_RULE_ACTION_FORWARD)
			write_forward(wish, &l->rules[k], k, out);
}
