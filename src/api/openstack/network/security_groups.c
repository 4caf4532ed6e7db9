/* SPDX-License-Identifier: Apache-2.0
 * Security groups and their rules, including those of EC2's VPCs. */
#include <inttypes.h>

#include "api/openstack/network/network.h"
#include "engine/network/filter/security_group.h"
#include "model/security_group.h"
#include "store/account.h"
#include "store/security_group_rule.h"

enum {
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ICMP = 1,
	PROTOCOL_ICMP6 = 58,
	PORT_LAST = 65535,
	ICMP_LAST = 255
};

static const struct {
	const char *name;
	int64_t number;
} protocols[] = {
	{"tcp", PROTOCOL_TCP},
	{"udp", PROTOCOL_UDP},
	{"icmp", PROTOCOL_ICMP},
	{"ipv6-icmp", PROTOCOL_ICMP6},
	{"icmpv6", PROTOCOL_ICMP6},
	{"ah", 51},
	{"dccp", 33},
	{"egp", 8},
	{"esp", 50},
	{"gre", 47},
	{"igmp", 2},
	{"hopopt", 0},
	{"ipip", 4},
	{"ipv6-encap", 41},
	{"ipv6-frag", 44},
	{"ipv6-nonxt", 59},
	{"ipv6-opts", 60},
	{"ipv6-route", 43},
	{"ospf", 89},
	{"pgm", 113},
	{"rsvp", 46},
	{"sctp", 132},
	{"udplite", 136},
	{"vrrp", 112},
};

/* ---- rules ---- */

static bool is_ipv6(const struct security_group_rule *r)
{
	return cidr_is_none(r->peer_block) ? r->is_ipv6 : r->peer_block.base.family == IP_V6;
}

/* Returns the name or number of the protocol; none if the rule allows any. */
static struct str protocol_of(struct arena *arena, const struct security_group_rule *r)
{
	if (!str_is_empty(r->said_protocol))
		return r->said_protocol;
	for (size_t k = 0; k < sizeof protocols / sizeof protocols[0]; k++)
		if (protocols[k].number == r->protocol)
			return str_from(protocols[k].name);
	return r->protocol < 0 ? STR_NONE : str_print(arena, "%lld", (long long) r->protocol);
}

void os_write_protocol(struct os_call *e, struct json_writer *w, const char *key,
		       const struct security_group_rule *r)
{
	json_write_text_or_null(w, key, protocol_of(e->c->arena, r));
}

static bool has_all_ports(const struct security_group_rule *r)
{
	return r->from_port == 0 && r->to_port == PORT_LAST;
}

#define GETTER(returned, function, expression)                                                               \
	ATTRIBUTE_GETTER(security_group_rule, r, returned, function, expression)
GETTER(const char *, get_family, is_ipv6(r) ? "IPv6" : "IPv4")
GETTER(struct str, get_protocol, protocol_of(e->c->arena, r))
GETTER(int64_t, get_from_port, has_all_ports(r) ? -1 : r->from_port)
GETTER(int64_t, get_to_port, has_all_ports(r) ? -1 : r->to_port)
GETTER(const void *, get_block, cidr_is_none(r->said_block) ? &r->said_block : &r->peer_block)
#undef GETTER

#define R(wire, field, ...) ATTRIBUTE(security_group_rule, wire, field, .filter = (wire), __VA_ARGS__)
static const struct attribute rule_rows[] = {
	R("id", row.id),
	R("security_group_id", group),
	ATTRIBUTE_AS(ENUM, security_group_rule, "direction", direction,
		     .words = security_group_rule_direction_words, .filter = "direction"),
	ATTRIBUTE_MADE(WORD, word, "ethertype", get_family, .filter = "ethertype"),
	ATTRIBUTE_MADE(TEXT, text, "protocol", get_protocol, .flags = ATTRIBUTE_NULL_NONE,
		       .filter = "protocol"),
	ATTRIBUTE_MADE(INT, number, "port_range_min", get_from_port, .flags = ATTRIBUTE_FROM_ZERO,
		       .filter = "port_range_min"),
	ATTRIBUTE_MADE(INT, number, "port_range_max", get_to_port, .flags = ATTRIBUTE_FROM_ZERO,
		       .filter = "port_range_max"),
	R("remote_ip_prefix", said_block),
	ATTRIBUTE_MADE(CIDR, at, "normalized_cidr", get_block, .filter = "normalized_cidr"),
	R("remote_group_id", peer_group),
	R("remote_address_group_id", peer_address_group),
	OS_STANDARD_ROWS(security_group_rule),
};
#undef R
static const struct attributes rule_members = ATTRIBUTES(rule_rows);

const struct os_listing os_group_rules = {
	.kind = KIND_SECURITY_GROUP_RULE,
	.items = "security_group_rules",
	.links = "security_group_rules_links",
	.filters = OS_FILTERS(os_tag_filters),
	.attributes = &rule_members,
	.flags = OS_ADMIN_SEES_ALL,
};

struct os_rule_target {
	struct rules_wish wish;
	struct ref rule;
};
static const struct param rule_target_params[] = {
	OS_PATH(struct os_rule_target, "rule_id", rule, .kind = KIND_SECURITY_GROUP_RULE, .doc = "The rule."),
};

static RESULT prepare_delete_rule(struct os_call *e, void *args)
{
	struct os_rule_target *a = args;
	(void) e;
	a->wish.rule_ids = (struct refs){&a->rule, 1};
	return OK;
}

/* ---- a new rule ---- */

struct os_create_rule {
	struct rules_wish wish;
	struct str direction, ethertype, protocol, prefix, description;
	int64_t min, max;
	bool has_min, has_max;
	struct ref remote_group, remote_addresses;
	struct rule_wish rule;
};
static const struct param create_rule_params[] = {
	OS_BODY(struct os_create_rule, "security_group_id", wish.group, .flags = REQUIRED,
		.kind = KIND_SECURITY_GROUP, .doc = "The security group."),
	OS_BODY(struct os_create_rule, "direction", direction, .flags = REQUIRED, .words = "ingress|egress",
		.doc = "Direction: ingress or egress."),
	OS_BODY(struct os_create_rule, "ethertype", ethertype, .flags = NULLABLE, .absent = "IPv4",
		.doc = "Address family: IPv4 or IPv6, in upper or lower case."),
	{.wire = "protocol",
	 .type = PARAM_JSON,
	 .offset = offsetof(struct os_create_rule, protocol),
	 .flags = NULLABLE,
	 .doc = "Protocol name or number; null: any."},
	OS_BODY(struct os_create_rule, "port_range_min", min, .flags = NULL_ABSENT,
		.given = OS_GIVEN(struct os_create_rule, has_min), .doc = "First port, or the ICMP type."),
	OS_BODY(struct os_create_rule, "port_range_max", max, .flags = NULL_ABSENT,
		.given = OS_GIVEN(struct os_create_rule, has_max), .doc = "Last port, or the ICMP code."),
	OS_BODY(struct os_create_rule, "remote_ip_prefix", prefix, .flags = NULLABLE,
		.doc = "Address block of the peers."),
	OS_BODY(struct os_create_rule, "remote_group_id", remote_group, .flags = NULLABLE | BY_NAME,
		.kind = KIND_SECURITY_GROUP, .doc = "Security group of the peers."),
	OS_BODY(struct os_create_rule, "remote_address_group_id", remote_addresses, .flags = NULLABLE,
		.kind = KIND_ADDRESS_GROUP, .doc = "Address group of the peers."),
	OS_BODY(struct os_create_rule, "description", description, .flags = NULLABLE,
		.doc = "Description: free text."),
	OS_PROJECT(struct os_create_rule, wish.account),
};

static RESULT fail_rule(struct os_call *e, const char *field, struct str value)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field), "Invalid input for %s: '%" STR_FMT "'.",
			      field, STR_ARG(value));
}

/* Returns the first name of the number, which is the name shown. */
static const char *first_name_of(int64_t number)
{
	for (size_t k = 0; k < sizeof protocols / sizeof protocols[0]; k++)
		if (protocols[k].number == number)
			return protocols[k].name;
	return "";
}

static bool find_protocol(struct str name, int64_t *ret_number)
{
	for (size_t k = 0; k < sizeof protocols / sizeof protocols[0]; k++)
		if (str_equal_nocase(name, str_from(protocols[k].name))) {
			*ret_number = protocols[k].number;
			return true;
		}
	return !str_parse_int(name, ret_number).code && *ret_number >= 0 && *ret_number <= 255;
}

/* Canonical name of ICMPv6, which clients also call by the name and number of ICMP. */
static struct str make_canonical(struct str text)
{
	if (str_equal_nocase(text, STR("icmp")) || str_equal_nocase(text, STR("icmpv6")))
		return STR("ipv6-icmp");
	return str_is(text, "1") ? STR("58") : text;
}

static RESULT read_family(struct os_call *e, struct str *family)
{
	bool is_ipv6 = str_equal_nocase(*family, STR("IPv6"));
	if (!str_is_empty(*family) && !is_ipv6 && !str_equal_nocase(*family, STR("IPv4")))
		return ctx_fail_field(e->c, ERR_INVALID, STR("ethertype"),
				      "Security group rule for ethertype '%" STR_FMT
				      "' not supported. Allowed values are ['IPv4', 'IPv6'].",
				      STR_ARG(str_slice(*family, 0, 64)));
	*family = is_ipv6 ? STR("IPv6") : STR("IPv4");
	return OK;
}

/* ERR_INVALID: an IPv6 protocol in a rule for IPv4. */
static RESULT check_family(struct os_call *e, const struct os_create_rule *a)
{
	static const int64_t of_ipv6[] = {41, 43, 44, PROTOCOL_ICMP6, 59, 60};
	for (size_t k = 0; k < sizeof of_ipv6 / sizeof of_ipv6[0]; k++)
		if (a->rule.protocol == of_ipv6[k] && !str_is(a->ethertype, "IPv6"))
			return ctx_fail_field(e->c, ERR_INVALID, STR("ethertype"),
					      "Invalid ethertype %" STR_FMT " for protocol %s.",
					      STR_ARG(a->ethertype), first_name_of(a->rule.protocol));
	return OK;
}

/* Reads the protocol from JSON text or a JSON number. Neutron shows the protocol as the client wrote it. */
static RESULT read_protocol(struct os_call *e, struct str text, bool is_ipv6, struct rule_wish *rule)
{
	rule->protocol = -1;
	if (text.n >= 2 && text.p[0] == '"')
		text = str_slice(text, 1, text.n - 1);
	if (str_is_empty(text) || str_is(text, "null") || str_equal_nocase(text, STR("any")))
		return OK;
	text = is_ipv6 ? make_canonical(text) : text;
	if (!find_protocol(text, &rule->protocol))
		return ctx_fail_field(e->c, ERR_INVALID, STR("protocol"),
				      "Security group rule protocol %" STR_FMT
				      " not supported. Only the names of protocols and integer "
				      "representations [0 to 255] are supported.",
				      STR_ARG(str_slice(text, 0, 64)));
	if (!str_equal_nocase(text, str_from(first_name_of(rule->protocol))))
		rule->said_protocol = str_lower(e->c->arena, text);
	return OK;
}

static RESULT fail_ports(struct os_call *e, const char *field, struct str words)
{
	return ctx_fail_field(e->c, ERR_RANGE, str_from(field), "%" STR_FMT, STR_ARG(words));
}

static RESULT check_port(struct os_call *e, const char *field, bool is_given, int64_t port)
{
	return !is_given || (port >= 0 && port <= PORT_LAST)
		       ? OK
		       : fail_ports(e, field,
				    str_print(e->c->arena, "Invalid value for port %" PRId64, port));
}

/* Reads the ports of TCP and UDP: a range, or all ports. */
static RESULT read_range(struct os_call *e, const struct os_create_rule *a, struct rule_wish *rule)
{
	bool is_all = a->min == 1 && a->max == PORT_LAST;
	if (is_all || (!a->has_min && !a->has_max)) {
		rule->from_port = 0;
		rule->to_port = PORT_LAST;
		return OK;
	}
	if ((a->has_min && a->min == 0) || (a->has_max && a->max == 0))
		return fail_ports(e, "port_range_min", STR("Invalid value for port 0"));
	return a->has_min && a->has_max && a->min <= a->max
		       ? OK
		       : fail_ports(e, "port_range_min",
				    STR("For TCP/UDP protocols, port_range_min must be <= port_range_max"));
}

static RESULT check_icmp(struct os_call *e, const char *field, const char *what, bool is_given, int64_t value)
{
	return !is_given || value <= ICMP_LAST
		       ? OK
		       : fail_ports(e, field,
				    str_print(e->c->arena,
					      "Invalid value for ICMP %s (%s) %" PRId64
					      ". It must be 0 to 255.",
					      what, field, value));
}

static RESULT read_type_and_code(struct os_call *e, const struct os_create_rule *a)
{
	TRY(check_icmp(e, "port_range_min", "type", a->has_min, a->min));
	TRY(check_icmp(e, "port_range_max", "code", a->has_max, a->max));
	return a->has_min || !a->has_max
		       ? OK
		       : fail_ports(e, "port_range_max",
				    str_print(e->c->arena,
					      "ICMP code (port-range-max) %" PRId64
					      " is provided but ICMP type (port-range-min) is missing.",
					      a->max));
}

static RESULT read_ports(struct os_call *e, const struct os_create_rule *a, struct rule_wish *rule)
{
	TRY(check_port(e, "port_range_min", a->has_min, a->min));
	TRY(check_port(e, "port_range_max", a->has_max, a->max));
	rule->from_port = a->has_min ? a->min : -1;
	rule->to_port = a->has_max ? a->max : -1;
	if (rule->protocol == PROTOCOL_TCP || rule->protocol == PROTOCOL_UDP)
		return read_range(e, a, rule);
	if (rule->protocol == PROTOCOL_ICMP || rule->protocol == PROTOCOL_ICMP6)
		return read_type_and_code(e, a);
	if (!a->has_min && !a->has_max)
		return OK;
	return rule->protocol < 0 ? fail_ports(e, "port_range_min",
					       STR("Must also specify protocol if port range is given."))
				  : fail_ports(e, "port_range_min",
					       str_print(e->c->arena,
							 "Ports cannot be specified for protocol %" PRId64
							 ". Ports are only supported for TCP, UDP.",
							 rule->protocol));
}

static RESULT read_peer(struct os_call *e, const struct os_create_rule *a, struct rule_wish *rule)
{
	bool is_v6 = str_is(a->ethertype, "IPv6");
	struct ip ip;
	rule->is_ipv6 = is_v6;
	rule->peer_group = a->remote_group;
	rule->peer_addresses = a->remote_addresses;
	if (ref_is_given(&a->remote_group) && !a->remote_group.bits) /* Neutron looks for any text as an id */
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_SECURITY_GROUP,
				     "Security group %" STR_FMT " does not exist",
				     STR_ARG(a->remote_group.text));
	bool by_group = a->remote_group.kind != KIND_NONE,
	     by_addresses = a->remote_addresses.kind != KIND_NONE;
	if (by_group + by_addresses + !str_is_empty(a->prefix) > 1)
		return ctx_fail_field(e->c, ERR_INVALID, STR("remote_group_id"),
				      "Only one of remote_ip_prefix or remote_group_id or "
				      "remote_address_group_id may be provided.");
	if (by_group || by_addresses)
		return OK;
	rule->says_no_block = str_is_empty(a->prefix);
	if (rule->says_no_block)
		rule->peer_block = (struct cidr){is_v6 ? (struct ip){.family = IP_V6} : ip_from_v4(0), 0};
	else if (!ip_parse(a->prefix, &ip).code)
		rule->peer_block = (struct cidr){ip, ip.family == IP_V4 ? 32 : 128};
	else if (cidr_parse(a->prefix, &rule->peer_block).code)
		return fail_rule(e, "remote_ip_prefix", a->prefix);
	if ((rule->peer_block.base.family == IP_V6) != is_v6)
		return ctx_fail_kind(e->c, ERR_CONFLICT, KIND_SECURITY_GROUP_RULE,
				     "Conflicting value ethertype %" STR_FMT " for CIDR %" STR_FMT,
				     STR_ARG(a->ethertype), STR_ARG(a->prefix));
	return OK;
}

static RESULT prepare_create_rule(struct os_call *e, void *args)
{
	struct os_create_rule *a = args;
	TRY(read_family(e, &a->ethertype));
	a->rule.description = a->description;
	TRY(read_protocol(e, a->protocol, str_is(a->ethertype, "IPv6"), &a->rule));
	TRY(read_ports(e, a, &a->rule));
	TRY(check_family(e, a));
	TRY(read_peer(e, a, &a->rule));
	a->wish.direction = str_is(a->direction, "ingress") ? SECURITY_GROUP_RULE_DIRECTION_INGRESS
							    : SECURITY_GROUP_RULE_DIRECTION_EGRESS;
	a->wish.rules = &a->rule;
	a->wish.rule_count = 1;
	return OK;
}

static RESULT show_created_rule(struct os_call *e, const void *args, struct json_writer *w)
{
	return os_write_returned(e, &os_group_rules, ((const struct os_create_rule *) args)->wish.made.at[0],
				 w);
}

/* ---- groups ---- */

static bool fits_name(struct os_call *e, const struct row *row, struct str value)
{
	return str_equal(os_group_name(e->c->arena, security_group_of(row)), value);
}

static struct str get_name(struct api_call *e, const struct row *row)
{
	return os_group_name(e->c->arena, security_group_of(row));
}

static const struct attribute group_rows[] = {
	ATTRIBUTE(security_group, "id", row.id, .filter = "id"),
	ATTRIBUTE_MADE(TEXT, text, "name", get_name, .sort = "name"),
	ATTRIBUTE_CONST("stateful", "true", .filter = "stateful"),
	ATTRIBUTE_CONST("shared", "false", .filter = "shared"),
	ATTRIBUTE_EACH("security_group_rules", rule_members, KIND_SECURITY_GROUP_RULE,
		       SECURITY_GROUP_RULE_INDEX_GROUP),
	OS_STANDARD_ROWS(security_group),
};
static const struct attributes group_members = ATTRIBUTES(group_rows);

static const struct os_filter group_filters[] = {
	OS_TAG_FILTERS,
	{"name", "name", .made = OS_VPC_GROUP_PREFIX, .fits = fits_name},
};
const struct os_listing os_groups = {
	.kind = KIND_SECURITY_GROUP,
	.items = "security_groups",
	.links = "security_groups_links",
	.filters = OS_FILTERS(group_filters),
	.attributes = &group_members,
	.flags = OS_ADMIN_SEES_ALL,
};

struct os_group_target {
	struct security_group_target wish;
};
static const struct param group_target_params[] = {
	OS_PATH(struct os_group_target, "security_group_id", wish.group, .kind = KIND_SECURITY_GROUP,
		.doc = "The security group."),
};

struct os_create_group {
	struct security_group_wish wish;
};
static const struct param create_group_params[] = {
	OS_BODY(struct os_create_group, "name", wish.name, .flags = REQUIRED,
		.doc = "Name; need not be unique."),
	OS_BODY(struct os_create_group, "description", wish.description, .doc = "Description: free text."),
	OS_UNBUILT("stateful", .only = "true"),
	OS_PROJECT(struct os_create_group, wish.account),
};

static RESULT prepare_create_group(struct os_call *e, void *args)
{
	struct os_create_group *a = args;
	(void) e;
	a->wish.is_alone = true;
	return OK;
}

struct os_update_group {
	struct security_group_settings wish;
};
static const struct param update_group_params[] = {
	OS_PATH(struct os_update_group, "security_group_id", wish.group, .kind = KIND_SECURITY_GROUP,
		.doc = "The security group."),
	OS_BODY(struct os_update_group, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_update_group, "description", wish.description, .doc = "Description: free text."),
	OS_UNBUILT("stateful", .only = "true"),
};

/* Returns the open project named by the list's filter; NULL: none. */
static const struct account *find_asked_account(struct os_call *e, struct ref *ret_ref)
{
	struct str text = pairs_find(&e->request.query, "project_id");
	if (!text.p)
		text = pairs_find(&e->request.query, "tenant_id");
	if (!text.p || !os_parse_id(text, KIND_ACCOUNT, ret_ref))
		return NULL;
	const struct account *account = account_find(os_tables(e), ret_ref->prefix);
	return engine_is_account_open(os_tables(e), account) ? account : NULL;
}

RESULT os_prepare_groups(struct os_call *e, void *args)
{
	struct security_group_wish *wish = args;
	const struct account *asked = os_is_admin(e) ? find_asked_account(e, &wish->account) : NULL;
	if (!asked)
		wish->account = (struct ref){0};
	e->skips_operation =
		engine_find_default_group(os_tables(e), asked ? asked->row.id : e->c->who->account);
	return OK;
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/security-groups", .permit = "get_security_group",
	 .args = {.size = sizeof(struct security_group_wish)}, .prepare = os_prepare_groups,
	 .operation = engine_ensure_default_group_run, .list = &os_groups,
	 .doc = "Lists security groups. The project's default group is created by the first request."},
	{HTTP_POST, "/v2.0/security-groups", .permit = "create_security_group", .flags = API_WRITES | OS_BULK,
	 .status = 201, .args = OS_PARAMS(struct os_create_group, create_group_params),
	 .wrap = "security_group", .item = "security_group", .prepare = prepare_create_group,
	 .operation = engine_create_security_group_run,
	 OS_SHOWS(os_groups, struct os_create_group, wish.group), .returns = KIND_SECURITY_GROUP,
	 .doc = "Creates a security group."},
	{HTTP_GET, "/v2.0/security-groups/{security_group_id}", .permit = "get_security_group",
	 .args = OS_PARAMS(struct os_group_target, group_target_params), .item = "security_group",
	 OS_SHOWS(os_groups, struct os_group_target, wish.group), .doc = "Shows one security group."},
	{HTTP_PUT, "/v2.0/security-groups/{security_group_id}", .permit = "update_security_group",
	 .flags = API_WRITES, .args = OS_PARAMS(struct os_update_group, update_group_params),
	 .wrap = "security_group", .item = "security_group", .operation = engine_update_security_group_run,
	 OS_SHOWS(os_groups, struct os_update_group, wish.group), .returns = KIND_SECURITY_GROUP,
	 .doc = "Changes the name and description of a security group."},
	{HTTP_DELETE, "/v2.0/security-groups/{security_group_id}", .permit = "delete_security_group",
	 .flags = API_WRITES, .status = 204, .args = OS_PARAMS(struct os_group_target, group_target_params),
	 .sets = {API_SETS(struct os_group_target, wish.takes_rules)},
	 .operation = engine_delete_security_group_run,
	 .doc = "Deletes a security group and the rules that reference it."},
	{HTTP_GET, "/v2.0/security-group-rules", .permit = "get_security_group_rule", .list = &os_group_rules,
	 .doc = "Lists security group rules."},
	{HTTP_POST, "/v2.0/security-group-rules", .permit = "create_security_group_rule",
	 .flags = API_WRITES | OS_BULK, .status = 201,
	 .args = OS_PARAMS(struct os_create_rule, create_rule_params), .wrap = "security_group_rule",
	 .item = "security_group_rule", .prepare = prepare_create_rule,
	 .operation = engine_authorize_rules_run, .answer = show_created_rule,
	 .returns = KIND_SECURITY_GROUP_RULE, .doc = "Adds a rule."},
	{HTTP_GET, "/v2.0/security-group-rules/{rule_id}", .permit = "get_security_group_rule",
	 .args = OS_PARAMS(struct os_rule_target, rule_target_params), .item = "security_group_rule",
	 OS_SHOWS(os_group_rules, struct os_rule_target, rule), .doc = "Shows one security group rule."},
	{HTTP_DELETE, "/v2.0/security-group-rules/{rule_id}", .permit = "delete_security_group_rule",
	 .flags = API_WRITES, .status = 204, .args = OS_PARAMS(struct os_rule_target, rule_target_params),
	 .prepare = prepare_delete_rule, .operation = engine_revoke_rules_run,
	 .doc = "Deletes a security group rule."},
};
const struct os_actions os_group_actions = OS_ACTIONS(OS_NETWORK, actions);
