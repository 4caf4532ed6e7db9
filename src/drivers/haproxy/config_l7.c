/* SPDX-License-Identifier: Apache-2.0
 * Writes the L7 policies of a listener of Octavia. Each rule is an ACL r<id>, because a line of the configuration has 64 words
 * at most. As in Octavia, policies that reject are tried before those that redirect, and these before those that lead to a
 * pool; a policy without rules takes no request. Source: HAProxy's Configuration Manual 2.6; Octavia's guide "L7". */
#include <inttypes.h>

#include "drivers/haproxy/haproxy.h"
#include "model/l7_rule.h"
#include "model/listener.h"
#include "model/listener_rule.h"
#include "model/target_group.h"

enum { ID_SIZE = 2 * sizeof(uuid) + 1 };

/* ---- rules ---- */

/* Quotes around a value permit spaces in it, and are no part of it. */
static struct str unquote(const struct l7_rule *rule)
{
	struct str v = rule->value;
	bool is_quoted =
		rule->compare != L7_RULE_COMPARE_REGEX && v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"';
	return is_quoted ? str_slice(v, 1, v.n - 1) : v;
}

static void write_fetch(const struct l7_rule *rule, struct buf *out)
{
	static const char *const fetches[] = {
		[L7_RULE_TYPE_HOST_NAME] = "req.hdr(host) -i",
		[L7_RULE_TYPE_PATH] = "path",
		[L7_RULE_TYPE_FILE_TYPE] = "path",
		[L7_RULE_TYPE_HEADER] = "req.hdr",
		[L7_RULE_TYPE_COOKIE] = "req.cook",
	};
	buf_print(out, "%s", fetches[rule->type]);
	if (!rule->name.n)
		return;
	buf_add_char(out, '(');
	config_quote(out, rule->name, false);
	buf_add_char(out, ')');
}

static void write_acl(const struct l7_rule *rule, struct buf *out)
{
	static const char *const methods[] = {
		[L7_RULE_COMPARE_EQUAL_TO] = "str",  [L7_RULE_COMPARE_STARTS_WITH] = "beg",
		[L7_RULE_COMPARE_ENDS_WITH] = "end", [L7_RULE_COMPARE_CONTAINS] = "sub",
		[L7_RULE_COMPARE_REGEX] = "reg",
	};
	char id[ID_SIZE];
	bool is_end = rule->type == L7_RULE_TYPE_FILE_TYPE && rule->compare == L7_RULE_COMPARE_EQUAL_TO;
	config_write_hex(rule->row.id.b, sizeof rule->row.id.b, id);
	buf_print(out, "  acl r%s ", id);
	write_fetch(rule, out);
	buf_print(out, " -m %s -- ", is_end ? "end" : methods[rule->compare]);
	config_quote(out, unquote(rule), false);
	buf_add_char(out, '\n');
}

/* " if" and the rules, of which a request meets all. */
static void write_condition(const struct proxy_rule *policy, struct buf *out)
{
	char id[ID_SIZE];
	buf_print(out, " if");
	for (size_t k = 0; k < policy->l7_rule_count; k++) {
		const struct l7_rule *rule = policy->l7_rules[k];
		config_write_hex(rule->row.id.b, sizeof rule->row.id.b, id);
		buf_print(out, " %sr%s", rule->is_inverted ? "!" : "", id);
	}
	buf_add_char(out, '\n');
}

/* ---- policies ---- */

static void write_redirect(const struct proxy_rule *policy, struct buf *out)
{
	buf_print(out, "  http-request redirect %s ", policy->rule->is_prefix ? "prefix" : "location");
	config_quote(out, policy->rule->url, true);
	buf_print(out, " code %" PRId64, policy->rule->status);
	write_condition(policy, out);
}

void config_write_backend_name(const struct listener *l, uuid pool, struct buf *out)
{
	char id[ID_SIZE];
	buf_print(out, "c%" PRId64, l->port);
	if (uuid_equal(pool, l->target_group))
		return;
	config_write_hex(pool.b, sizeof pool.b, id);
	buf_print(out, "-%s", id);
}

static void write_use(const struct proxy_listener *l, const struct proxy_rule *policy, struct buf *out)
{
	if (!policy->forward_count) /* the pool is down */
		return;
	buf_print(out, "  use_backend ");
	config_write_backend_name(l->listener, policy->forwards[0].group->row.id, out);
	write_condition(policy, out);
}

static void write_policy(const struct proxy_listener *l, const struct proxy_rule *policy, struct buf *out)
{
	if (policy->rule->action == LISTENER_RULE_ACTION_REDIRECT) {
		write_redirect(policy, out);
	} else if (policy->rule->action == LISTENER_RULE_ACTION_FORWARD) {
		write_use(l, policy, out);
	} else {
		buf_print(out, "  http-request deny");
		write_condition(policy, out);
	}
}

void config_write_policies(const struct proxy_listener *l, struct buf *out)
{
	static const enum listener_rule_action order[] = {LISTENER_RULE_ACTION_FIXED_RESPONSE,
							  LISTENER_RULE_ACTION_REDIRECT,
							  LISTENER_RULE_ACTION_FORWARD};
	for (size_t k = 0; k < l->rule_count; k++)
		for (size_t n = 0; n < l->rules[k].l7_rule_count; n++)
			write_acl(l->rules[k].l7_rules[n], out);
	for (size_t o = 0; o < sizeof order / sizeof order[0]; o++)
		for (size_t k = 0; k < l->rule_count; k++)
			if (l->rules[k].rule->action == order[o] && l->rules[k].l7_rule_count)
				write_policy(l, &l->rules[k], out);
}
