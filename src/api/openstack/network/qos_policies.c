/* SPDX-License-Identifier: Apache-2.0
 * QoS policies and the types of their rules. Source: Networking API reference, "Quality of Service". */
#include "api/openstack/network/network.h"
#include "engine/network/port/qos_policy.h"
#include "store/qos_policy.h"
#include "store/qos_rule.h"

/* ---- members ---- */

static struct attribute_rows list_rules(struct api_call *e, const struct row *row)
{
	VEC(const struct qos_rule *) rules = {0};
	const struct tables *t = api_tables(e);
	for (const struct qos_rule *r = qos_rule_first_by_policy(t, row->id); r;
	     r = qos_rule_next_by_policy(t, r))
		(void) VEC_PUSH(e->c->arena, &rules, r);
	return (struct attribute_rows){rules.at, rules.count};
}

#define IS(word) (r->type == QOS_RULE_TYPE_##word)
#define GETTER(returned, function, expression) ATTRIBUTE_GETTER(qos_rule, r, returned, function, expression)
GETTER(int64_t, get_rate, IS(BANDWIDTH_LIMIT) ? r->max_kbps : -1)
GETTER(int64_t, get_burst, IS(BANDWIDTH_LIMIT) ? r->max_burst_kbps : -1)
GETTER(int64_t, get_mark, IS(DSCP_MARKING) ? r->dscp_mark : -1)
GETTER(int64_t, get_least, IS(MINIMUM_BANDWIDTH) ? r->min_kbps : -1)
GETTER(const char *, get_direction, IS(DSCP_MARKING) ? NULL : qos_rule_direction_words[r->direction])
#undef GETTER
#undef IS

/* A rule shows the members of its type. */
#define VALUE(wire, function)                                                                                \
	ATTRIBUTE_MADE(INT, number, wire, function, .flags = ATTRIBUTE_FROM_ZERO | ATTRIBUTE_OMIT_NONE)
static const struct attribute rule_rows[] = {
	ATTRIBUTE(qos_rule, "id", row.id),
	ATTRIBUTE(qos_rule, "qos_policy_id", policy),
	ATTRIBUTE_AS(ENUM, qos_rule, "type", type, .words = qos_rule_type_words),
	VALUE("max_kbps", get_rate),
	VALUE("max_burst_kbps", get_burst),
	VALUE("min_kbps", get_least),
	VALUE("dscp_mark", get_mark),
	ATTRIBUTE_MADE(WORD, word, "direction", get_direction, .flags = ATTRIBUTE_OMIT_NONE),
};
#undef VALUE
static const struct attributes rule_members = ATTRIBUTES(rule_rows);

ATTRIBUTE_GETTER(qos_policy, p, bool, is_shared, os_is_shared(e, &p->users))
/* Source: is_filter and is_sort_key of neutron-lib's api.definitions.qos and qos_default. */
static const struct attribute policy_rows[] = {
	ATTRIBUTE(qos_policy, "id", row.id, .filter = "id"),
	OS_FIELD(qos_policy, "name", name),
	ATTRIBUTE_MADE(BOOL, truth, "shared", is_shared, .filter = "shared"),
	ATTRIBUTE(qos_policy, "is_default", is_default, .filter = "is_default"),
	ATTRIBUTE_ROWS("rules", rule_members, list_rules),
	OS_STANDARD_ROWS(qos_policy),
};
static const struct attributes policy_members = ATTRIBUTES(policy_rows);

/* Includes shared policies of other projects; a scan suffices because there are few policies. */
static const struct os_listing policies = {
	.kind = KIND_QOS_POLICY,
	.items = "policies",
	.links = "policies_links",
	.filters = OS_FILTERS(os_tag_filters),
	.flags = OS_ADMIN_SEES_ALL | OS_ALL_SEE_ALL,
	.attributes = &policy_members,
};

/* ---- show, delete ---- */

struct os_qos_policy_target {
	struct qos_policy_target wish;
};
static const struct param target_params[] = {
	OS_PATH(struct os_qos_policy_target, "policy_id", wish.policy, .kind = KIND_QOS_POLICY,
		.doc = "The QoS policy."),
};

/* ---- create, change ---- */

#define SHARED_DOC "Whether all projects may use the policy; for administrators."
#define DEFAULT_DOC "Whether new networks of the project have the policy."

struct os_create_qos_policy {
	struct qos_policy_wish wish;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_qos_policy, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_create_qos_policy, "description", wish.description,
		.doc = "Description: free text."),
	OS_BODY(struct os_create_qos_policy, "shared", wish.is_shared, .doc = SHARED_DOC),
	OS_BODY(struct os_create_qos_policy, "is_default", wish.is_default, .doc = DEFAULT_DOC),
	OS_PROJECT(struct os_create_qos_policy, wish.account),
};

struct os_update_qos_policy {
	struct qos_policy_settings wish;
};
static const struct param update_params[] = {
	OS_PATH(struct os_update_qos_policy, "policy_id", wish.policy, .kind = KIND_QOS_POLICY,
		.doc = "The QoS policy."),
	OS_BODY(struct os_update_qos_policy, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_update_qos_policy, "description", wish.description,
		.doc = "Description: free text."),
	OS_BODY(struct os_update_qos_policy, "shared", wish.is_shared, .doc = SHARED_DOC),
	OS_BODY(struct os_update_qos_policy, "is_default", wish.is_default, .doc = DEFAULT_DOC),
};

/* ---- types of rules ---- */

struct os_rule_parameter {
	const char *name;
	const char *choices; /* JSON list; NULL: a range */
	int64_t least;       /* of a range */
};
#define DIRECTIONS "[\"ingress\", \"egress\"]"
static const struct os_rule_parameter limit_parameters[] = {
	{"max_kbps", NULL, 1}, {"max_burst_kbps", NULL, 0}, {"direction", DIRECTIONS, 0}};
static const struct os_rule_parameter mark_parameters[] = {
	{"dscp_mark",
	 "[0, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 44, 46, 48, 56]", 0}};
/* The last types are Neutron's: ports cannot have them here. */
static const struct {
	const char *name;
	const struct os_rule_parameter *parameters;
	size_t count;
} rule_types[] = {
	{"bandwidth_limit", limit_parameters, sizeof limit_parameters / sizeof limit_parameters[0]},
	{"dscp_marking", mark_parameters, sizeof mark_parameters / sizeof mark_parameters[0]},
	{"minimum_bandwidth", NULL, 0},
	{"minimum_packet_rate", NULL, 0},
	{"packet_rate_limit", NULL, 0},
};
enum { RULE_TYPE_COUNT = sizeof rule_types / sizeof rule_types[0] };

struct os_rule_types_asked {
	struct str type;
	enum choice all_supported, all_rules;
};
static const struct param types_params[] = {
	OS_QUERY(struct os_rule_types_asked, "type", type, .doc = "Only the type of this name."),
	OS_QUERY(struct os_rule_types_asked, "all_supported", all_supported,
		 .doc = "Types that ports may have, which are listed anyway."),
	OS_QUERY(struct os_rule_types_asked, "all_rules", all_rules,
		 .doc = "Whether to list types that ports cannot have here, too."),
};

static RESULT list_types(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_rule_types_asked *a = args;
	(void) e;
	json_write_open_list(w, "rule_types");
	for (size_t k = 0; k < RULE_TYPE_COUNT; k++) {
		if ((!rule_types[k].parameters && a->all_rules != CHOICE_YES) ||
		    (a->type.n && !str_is(a->type, rule_types[k].name)))
			continue;
		json_write_open(w, NULL);
		json_write_z(w, "type", rule_types[k].name);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static void write_parameter(struct json_writer *w, const struct os_rule_parameter *p)
{
	json_write_open(w, NULL);
	json_write_z(w, "parameter_name", p->name);
	json_write_z(w, "parameter_type", p->choices ? "choices" : "range");
	if (p->choices) {
		json_write_raw(w, "parameter_values", str_from(p->choices));
	} else {
		json_write_open(w, "parameter_values");
		json_write_int(w, "start", p->least);
		json_write_int(w, "end", QOS_KBPS_MAX);
		json_write_close(w);
	}
	json_write_close(w);
}

struct os_rule_type_target {
	struct str type;
};
static const struct param type_params[] = {
	OS_PATH_NAME(struct os_rule_type_target, "rule_type", type, .doc = "Name of the type."),
};

static RESULT show_type(struct os_call *e, const void *args, struct json_writer *w)
{
	struct str type = ((const struct os_rule_type_target *) args)->type;
	size_t k = 0;
	while (k < RULE_TYPE_COUNT && !str_is(type, rule_types[k].name))
		k++;
	if (k == RULE_TYPE_COUNT)
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("rule_type"),
				      "QoS rule type %" STR_FMT " could not be found.", STR_ARG(type));
	json_write_text(w, "type", type);
	json_write_open_list(w, "drivers");
	if (rule_types[k].parameters) {
		json_write_open(w, NULL);
		json_write_z(w, "name", "ovn");
		json_write_open_list(w, "supported_parameters");
		for (size_t n = 0; n < rule_types[k].count; n++)
			write_parameter(w, &rule_types[k].parameters[n]);
		json_write_close_list(w);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

#define POLICIES "/v2.0/qos/policies"
static const struct os_action actions[] = {
	{HTTP_GET, POLICIES, .permit = "get_policy", .list = &policies, .doc = "Lists QoS policies."},
	{HTTP_POST, POLICIES, .permit = "create_policy", .flags = API_WRITES | OS_BULK, .status = 201,
	 .args = OS_PARAMS(struct os_create_qos_policy, create_params), .wrap = "policy", .item = "policy",
	 .operation = engine_create_qos_policy_run,
	 OS_SHOWS(policies, struct os_create_qos_policy, wish.policy), .returns = KIND_QOS_POLICY,
	 .doc = "Creates a QoS policy without rules."},
	{HTTP_GET, POLICIES "/{policy_id}", .permit = "get_policy",
	 .args = OS_PARAMS(struct os_qos_policy_target, target_params), .item = "policy",
	 OS_SHOWS(policies, struct os_qos_policy_target, wish.policy), .doc = "Shows one QoS policy."},
	{HTTP_PUT, POLICIES "/{policy_id}", .permit = "update_policy", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_qos_policy, update_params), .wrap = "policy", .item = "policy",
	 .operation = engine_update_qos_policy_run,
	 OS_SHOWS(policies, struct os_update_qos_policy, wish.policy), .returns = KIND_QOS_POLICY,
	 .doc = "Changes a QoS policy."},
	{HTTP_DELETE, POLICIES "/{policy_id}", .permit = "delete_policy", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_qos_policy_target, target_params),
	 .operation = engine_delete_qos_policy_run,
	 .doc = "Deletes a QoS policy with its rules. Fails while a port or network has the policy."},
	{HTTP_GET, "/v2.0/qos/rule-types", .permit = "get_rule_type",
	 .args = OS_PARAMS(struct os_rule_types_asked, types_params), .answer = list_types,
	 .doc = "Lists the types of rules that ports may have."},
	{HTTP_GET, "/v2.0/qos/rule-types/{rule_type}", .permit = "get_rule_type", .flags = OS_ADMIN,
	 .args = OS_PARAMS(struct os_rule_type_target, type_params), .item = "rule_type", .answer = show_type,
	 .doc = "Shows the parameters of one type of rules."},
};
const struct os_actions os_qos_policy_actions = OS_ACTIONS(OS_NETWORK, actions);
