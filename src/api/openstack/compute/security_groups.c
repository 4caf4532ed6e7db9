/* SPDX-License-Identifier: Apache-2.0
 * Security groups in the older Compute API: the same groups, but only their ingress rules. Source: Compute
 * API reference, "Security groups (DEPRECATED)", "Rules for security group (DEPRECATED)". */
#include <inttypes.h>

#include "api/openstack/compute/servers.h"
#include "api/openstack/network/network.h"
#include "engine/network/filter/security_group.h"
#include "store/security_group.h"
#include "store/security_group_rule.h"

enum { LAST_PROXY = 35, ANY = -1, ICMP = 1, TCP = 6, UDP = 17, PORT_LAST = 65535 };

/* ---- writing ---- */

struct old_rule {
	const struct security_group_rule *rule;
	const struct security_group *peer; /* NULL: the rule names addresses */
};

struct old_group {
	const struct security_group *group;
	VEC(struct old_rule) rules;
};

static struct old_rule rule_of(const struct tables *t, const struct security_group_rule *r)
{
	return (struct old_rule){r, security_group_find(t, r->peer_group)};
}

/* Writes ports, or ICMP's type and code, with -1 for all; null for any protocol. */
static void write_ends(struct json_writer *w, const struct security_group_rule *r)
{
	bool is_all = r->from_port == 0 && r->to_port == PORT_LAST;
	if (r->protocol < 0) {
		json_write_null(w, "from_port");
		json_write_null(w, "to_port");
		return;
	}
	json_write_int(w, "from_port", is_all ? 1 : r->from_port);
	json_write_int(w, "to_port", r->to_port);
}

static void write_rule(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct old_rule *i = item;
	const struct security_group_rule *r = i->rule;
	os_write_id(w, "id", r->row.id);
	os_write_id(w, "parent_group_id", r->group);
	os_write_protocol(e, w, "ip_protocol", r);
	write_ends(w, r);
	json_write_open(w, "group");
	if (i->peer) {
		json_write_text(w, "name", i->peer->name);
		os_write_hex(w, "tenant_id", i->peer->account);
	}
	json_write_close(w);
	json_write_open(w, "ip_range");
	if (!cidr_is_none(r->peer_block))
		os_write_cidr(w, "cidr", cidr_is_none(r->said_block) ? r->peer_block : r->said_block);
	json_write_close(w);
}

static const void *gather_rule(struct os_call *e, const struct row *row)
{
	struct old_rule *item = arena_new_object(e->c->arena, struct old_rule);
	if (item)
		*item = rule_of(os_tables(e), security_group_rule_of(row));
	return item;
}

static const void *gather_group(struct os_call *e, const struct row *row)
{
	const struct tables *t = os_tables(e);
	struct old_group *item = arena_new_object(e->c->arena, struct old_group);
	if (!item)
		return NULL;
	*item = (struct old_group){.group = security_group_of(row)};
	const struct security_group_rule *r = security_group_rule_first_by_group(t, row->id);
	for (; r; r = security_group_rule_next_by_group(t, r))
		if (row_is_live(&r->row) && r->direction == SECURITY_GROUP_RULE_DIRECTION_INGRESS &&
		    !VEC_PUSH(e->c->arena, &item->rules, rule_of(t, r)))
			return NULL;
	return item;
}

static void write_group(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct old_group *i = item;
	os_write_id(w, "id", i->group->row.id);
	json_write_text(w, "name", os_group_name(e->c->arena, i->group));
	json_write_text(w, "description", i->group->description);
	os_write_hex(w, "tenant_id", i->group->account);
	json_write_open_list(w, "rules");
	for (size_t k = 0; k < i->rules.count; k++) {
		json_write_open(w, NULL);
		write_rule(e, w, &i->rules.at[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static const struct os_listing groups = {
	.kind = KIND_SECURITY_GROUP,
	.items = "security_groups",
	.flags = OS_ALL_PROJECTS | OS_OWN_TO_OTHERS | OS_BY_OFFSET,
	.page_max = 1000,
	.gather = gather_group,
	.write = write_group,
};
static const struct os_listing rules = {
	.kind = KIND_SECURITY_GROUP_RULE,
	.items = "security_group_rules",
	.gather = gather_rule,
	.write = write_rule,
};

/* ---- groups ---- */

struct os_old_group {
	struct security_group_target wish;
};
#define GROUP_ID(T, member)                                                                                  \
	OS_PATH(T, "id", member, .kind = KIND_SECURITY_GROUP, .doc = "The security group.")
static const struct param group_params[] = {GROUP_ID(struct os_old_group, wish.group)};

struct os_old_group_create {
	struct security_group_wish wish;
};
#define P(T, wire, member, words) OS_BODY(T, wire, member, .flags = REQUIRED, .max = 255, .doc = (words))
static const struct param create_params[] = {
	P(struct os_old_group_create, "name", wish.name, "Name; need not be unique."),
	P(struct os_old_group_create, "description", wish.description, "Description: free text."),
};

struct os_old_group_update {
	struct security_group_settings wish;
	struct str name, description;
};
static const struct param update_params[] = {
	GROUP_ID(struct os_old_group_update, wish.group),
	P(struct os_old_group_update, "name", name, "Name; need not be unique."),
	P(struct os_old_group_update, "description", description, "Description: free text."),
};
#undef P

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_old_group_update *a = args;
	(void) e;
	a->wish.name = &a->name;
	a->wish.description = &a->description;
	return OK;
}

/* ---- rules ---- */

struct os_old_rule_create {
	struct rules_wish wish;
	struct rule_wish rule;
	struct str protocol;
	int64_t from, to;
	bool has_from, has_to;
};
#define P(wire, member, ...) OS_BODY(struct os_old_rule_create, wire, member, __VA_ARGS__)
#define GIVEN(member) .flags = NULL_ABSENT, .given = OS_GIVEN(struct os_old_rule_create, member)
static const struct param rule_params[] = {
	P("parent_group_id", wish.group, .flags = REQUIRED, .kind = KIND_SECURITY_GROUP,
	  .doc = "The security group."),
	P("ip_protocol", protocol, .flags = NULLABLE, .words = "tcp|udp|icmp|TCP|UDP|ICMP",
	  .doc = "Protocol. A rule that references a group may omit it together with the ports, for any "
		 "protocol."),
	P("from_port", from, .min = ANY, .max = PORT_LAST, GIVEN(has_from),
	  .doc = "First port; for ICMP the type, -1: all."),
	P("to_port", to, .min = ANY, .max = PORT_LAST, GIVEN(has_to),
	  .doc = "Last port; for ICMP the code, -1: all."),
	P("cidr", rule.peer_block, .flags = NULLABLE, .doc = "Address block of the peers; absent: all."),
	P("group_id", rule.peer_group, .flags = NULLABLE, .kind = KIND_SECURITY_GROUP,
	  .doc = "Security group of the peers."),
};
#undef GIVEN
#undef P

static RESULT read_ends(struct os_call *e, struct os_old_rule_create *a)
{
	bool is_icmp = str_equal_nocase(a->protocol, STR("icmp"));
	bool is_tcp = str_equal_nocase(a->protocol, STR("tcp"));
	bool is_range = a->from >= 1 && a->from <= a->to;
	a->rule.protocol = is_icmp ? ICMP : is_tcp ? TCP : UDP;
	a->rule.from_port = a->from;
	a->rule.to_port = a->to;
	if (is_icmp || is_range)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("from_port"),
			      "Invalid port range %" PRId64 ":%" PRId64
			      ". TCP and UDP ports should be between 1-65535, the first not above the last",
			      a->from, a->to);
}

static RESULT prepare_rule(struct os_call *e, void *args)
{
	struct os_old_rule_create *a = args;
	bool is_whole = a->protocol.n && a->has_from && a->has_to;
	bool is_any = !a->protocol.n && !a->has_from && !a->has_to && a->rule.peer_group.kind;
	if (!is_whole && !is_any)
		return ctx_fail_field(e->c, ERR_INVALID, STR("ip_protocol"),
				      "Not enough parameters to build a valid rule.");
	if (!a->rule.peer_group.kind && cidr_is_none(a->rule.peer_block))
		a->rule.peer_block = (struct cidr){ip_from_v4(0), 0};
	if (a->rule.peer_group.kind)
		a->rule.peer_block = (struct cidr){0};
	a->rule.protocol = a->rule.from_port = a->rule.to_port = ANY;
	if (is_whole)
		TRY(read_ends(e, a));
	a->wish.direction = SECURITY_GROUP_RULE_DIRECTION_INGRESS;
	a->wish.rules = &a->rule;
	a->wish.rule_count = 1;
	return OK;
}

static RESULT show_created_rule(struct os_call *e, const void *args, struct json_writer *w)
{
	return os_write_returned(e, &rules, ((const struct os_old_rule_create *) args)->wish.made.at[0], w);
}

struct os_old_rule {
	struct rules_wish wish;
	struct ref rule;
};
static const struct param rule_id_params[] = {
	OS_PATH(struct os_old_rule, "id", rule, .kind = KIND_SECURITY_GROUP_RULE, .doc = "The rule."),
};

static RESULT prepare_delete_rule(struct os_call *e, void *args)
{
	struct os_old_rule *a = args;
	(void) e;
	a->wish.rule_ids = (struct refs){&a->rule, 1};
	return OK;
}

#define POLICY "os_compute_api:os-security-groups:"
#define GROUPS "/v2.1/os-security-groups"
#define RULES "/v2.1/os-security-group-rules"
#define TARGET OS_PARAMS(struct os_old_group, group_params)
static const struct os_action actions[] = {
	{HTTP_GET, GROUPS, .permit = POLICY "get", .until = LAST_PROXY,
	 .args = {.size = sizeof(struct security_group_wish)}, .prepare = os_prepare_groups,
	 .operation = engine_ensure_default_group_run, .list = &groups,
	 .doc = "Lists security groups through the deprecated Compute proxy."},
	{HTTP_POST, GROUPS, .permit = POLICY "create", .flags = API_WRITES, .until = LAST_PROXY,
	 .args = OS_PARAMS(struct os_old_group_create, create_params), .wrap = "security_group",
	 .item = "security_group", .sets = {API_SETS(struct os_old_group_create, wish.is_alone)},
	 .operation = engine_create_security_group_run,
	 OS_SHOWS(groups, struct os_old_group_create, wish.group), .returns = KIND_SECURITY_GROUP,
	 .doc = "Creates a security group."},
	{HTTP_GET, GROUPS "/{id}", .permit = POLICY "show", .until = LAST_PROXY, .args = TARGET,
	 .item = "security_group", OS_SHOWS(groups, struct os_old_group, wish.group),
	 .doc = "Shows one security group."},
	{HTTP_PUT, GROUPS "/{id}", .permit = POLICY "update", .flags = API_WRITES, .until = LAST_PROXY,
	 .args = OS_PARAMS(struct os_old_group_update, update_params), .wrap = "security_group",
	 .item = "security_group", .prepare = prepare_update, .operation = engine_update_security_group_run,
	 OS_SHOWS(groups, struct os_old_group_update, wish.group), .returns = KIND_SECURITY_GROUP,
	 .doc = "Changes the name and description of a security group."},
	{HTTP_DELETE, GROUPS "/{id}", .permit = POLICY "delete", .flags = API_WRITES, .until = LAST_PROXY,
	 .status = 202, .args = TARGET, .sets = {API_SETS(struct os_old_group, wish.takes_rules)},
	 .operation = engine_delete_security_group_run,
	 .doc = "Deletes a security group and the rules that reference it."},
	{HTTP_POST, RULES, .permit = POLICY "rule:create", .flags = API_WRITES, .until = LAST_PROXY,
	 .args = OS_PARAMS(struct os_old_rule_create, rule_params), .wrap = "security_group_rule",
	 .item = "security_group_rule", .prepare = prepare_rule, .operation = engine_authorize_rules_run,
	 .answer = show_created_rule, .returns = KIND_SECURITY_GROUP_RULE,
	 .doc = "Adds a rule that allows incoming traffic."},
	{HTTP_DELETE, RULES "/{id}", .permit = POLICY "rule:delete", .flags = API_WRITES, .until = LAST_PROXY,
	 .status = 202, .args = OS_PARAMS(struct os_old_rule, rule_id_params), .prepare = prepare_delete_rule,
	 .operation = engine_revoke_rules_run, .doc = "Deletes a rule."},
};
const struct os_actions os_compute_security_group_actions = OS_ACTIONS(OS_COMPUTE, actions);
