/* SPDX-License-Identifier: Apache-2.0
 * Rules of QoS policies, each type by itself: beneath their policy, and by their own id (extension qos-rules-alias). Source:
 * Networking API reference, "Quality of Service". */
#include "api/openstack/network/network.h"
#include "engine/network/port/qos_policy.h"
#include "store/qos_policy.h"
#include "store/qos_rule.h"

/* ---- lists ---- */

/* The args of each action here begin with the policy's ref, which is not given if the path names the rule alone. */
static const struct ref *policy_of(const struct os_call *e)
{
	return e->args;
}

static bool is_of_policy(struct os_call *e, const struct row *row)
{
	return !ref_is_given(policy_of(e)) || uuid_equal(qos_rule_of(row)->policy, policy_of(e)->prefix);
}

/* Adds the rules of another project's policy that is shared with the caller. Administrators see them already. */
static RESULT add_shared(struct os_call *e, struct os_added *ret_rows)
{
	const struct tables *t = os_tables(e);
	const struct qos_rule *only = uuid_is_none(ret_rows->only) ? NULL : qos_rule_find(t, ret_rows->only);
	uuid id = ref_is_given(policy_of(e)) ? policy_of(e)->prefix : only ? only->policy : UUID_NONE;
	const struct qos_policy *policy = uuid_is_none(id) ? NULL : qos_policy_find(t, id);
	if (!policy || os_is_admin(e) || uuid_equal(policy->account, e->c->who->account) ||
	    !engine_may_see(e->c, KIND_QOS_POLICY, &policy->row))
		return OK;
	for (const struct qos_rule *r = qos_rule_first_by_policy(t, id); r; r = qos_rule_next_by_policy(t, r))
		if (os_wants(ret_rows, r->row.id) && !VEC_PUSH(e->c->arena, &ret_rows->rows, &r->row))
			return ctx_no_memory(e->c);
	return OK;
}

#define DIRECTION_ROW                                                                                        \
	ATTRIBUTE_AS(ENUM, qos_rule, "direction", direction, .words = qos_rule_direction_words,              \
		     .filter = "direction", .sort = "direction")
static const struct attribute bandwidth_limit_rows[] = {
	OS_FIELD(qos_rule, "id", row.id),
	OS_FIELD(qos_rule, "max_kbps", max_kbps),
	OS_FIELD(qos_rule, "max_burst_kbps", max_burst_kbps),
	DIRECTION_ROW,
};
static const struct attribute dscp_marking_rows[] = {
	OS_FIELD(qos_rule, "id", row.id),
	OS_FIELD(qos_rule, "dscp_mark", dscp_mark),
};
static const struct attribute minimum_bandwidth_rows[] = {
	OS_FIELD(qos_rule, "id", row.id),
	OS_FIELD(qos_rule, "min_kbps", min_kbps),
	DIRECTION_ROW,
};

/* ---- parameters ---- */

struct os_qos_rules {
	struct ref policy;
};
struct os_qos_rule_target {
	struct qos_rule_target wish;
};
struct os_create_qos_rule {
	struct qos_rule_wish wish;
	struct str direction;
};
struct os_update_qos_rule {
	struct qos_rule_settings wish;
	struct str direction;
};

#define POLICY(T, member) OS_PATH(T, "policy_id", member, .kind = KIND_QOS_POLICY, .doc = "The QoS policy.")
#define RULE(T) OS_PATH(T, "rule_id", wish.rule, .kind = KIND_QOS_RULE, .doc = "The rule.")
#define RATE(T, name, least, needs, sentence)                                                                \
	OS_BODY(T, #name, wish.values.name, .flags = (needs), .min = (least), .max = QOS_KBPS_MAX,           \
		.given = OS_GIVEN(T, wish.values.has_##name), .doc = (sentence))
#define DIRECTION(T)                                                                                         \
	OS_BODY(T, "direction", direction, .words = "egress|ingress",                                        \
		.doc = "Direction of the traffic: egress, from the guest, or ingress. Absent: egress, or "   \
		       "unchanged.")
#define BANDWIDTH_LIMIT_BODY(T, needs)                                                                       \
	RATE(T, max_kbps, 1, needs,                                                                          \
	     "Highest rate, in kbit/s. 0, which would let nothing pass, is refused."),                       \
		RATE(T, max_burst_kbps, 0, 0, "Burst, in kbit; 0: four fifths of the rate."), DIRECTION(T)
#define DSCP_MARKING_BODY(T, needs)                                                                          \
	OS_BODY(T, "dscp_mark", wish.values.dscp_mark, .flags = (needs), .min = 0, .max = QOS_DSCP_MAX,      \
		.given = OS_GIVEN(T, wish.values.has_dscp_mark), .doc = "DSCP of the guest's IP packets.")
#define MINIMUM_BANDWIDTH_BODY(T, needs)                                                                     \
	RATE(T, min_kbps, 0, needs, "Rate, in kbit/s. Ports cannot have a policy with such a rule."),        \
		DIRECTION(T)

static const struct param list_params[] = {POLICY(struct os_qos_rules, policy)};
static const struct param target_params[] = {POLICY(struct os_qos_rule_target, wish.policy),
					     RULE(struct os_qos_rule_target)};
static const struct param alias_params[] = {RULE(struct os_qos_rule_target)};

static enum choice read_direction(struct str word)
{
	if (word.n == 0)
		return CHOICE_DEFAULT;
	return str_is(word, "ingress") ? CHOICE_YES : CHOICE_NO;
}

static RESULT show_rule(struct os_call *e, const struct os_listing *list, int type, const void *args,
			struct json_writer *w)
{
	const struct os_qos_rule_target *a = args;
	const struct qos_rule *rule = NULL;
	TRY(engine_find_qos_rule(e->c, os_tables(e), &a->wish.rule, &a->wish.policy, type, &rule));
	return os_write_found(e, list, &a->wish.rule, w);
}

static RESULT list_rules(struct os_call *e, const struct os_listing *list, const void *args,
			 struct json_writer *w)
{
	const struct qos_policy *policy = NULL;
	TRY(engine_find_qos_policy(e->c, os_tables(e), &((const struct os_qos_rules *) args)->policy,
				   &policy));
	return os_list(e, list, w);
}

/* Tables and functions of one type. */
#define TYPE(name, NAME)                                                                                     \
	static const struct attributes name##_members = ATTRIBUTES(name##_rows);                             \
	static bool is_##name(struct os_call *e, const struct row *row)                                      \
	{                                                                                                    \
		return qos_rule_of(row)->type == QOS_RULE_TYPE_##NAME && is_of_policy(e, row);               \
	}                                                                                                    \
	static const struct os_listing name##_rules = {                                                      \
		.kind = KIND_QOS_RULE,                                                                       \
		.items = #name "_rules",                                                                     \
		.links = #name "_rules_links",                                                               \
		.flags = OS_ADMIN_SEES_ALL,                                                                  \
		.add = add_shared,                                                                           \
		.shows = is_##name,                                                                          \
		.attributes = &name##_members,                                                               \
	};                                                                                                   \
	static RESULT list_##name(struct os_call *e, const void *args, struct json_writer *w)                \
	{                                                                                                    \
		return list_rules(e, &name##_rules, args, w);                                                \
	}                                                                                                    \
	static RESULT show_##name(struct os_call *e, const void *args, struct json_writer *w)                \
	{                                                                                                    \
		return show_rule(e, &name##_rules, QOS_RULE_TYPE_##NAME, args, w);                           \
	}                                                                                                    \
	static const struct param create_##name##_params[] = {                                               \
		POLICY(struct os_create_qos_rule, wish.policy),                                              \
		NAME##_BODY(struct os_create_qos_rule, REQUIRED)};                                           \
	static const struct param update_##name##_params[] = {                                               \
		POLICY(struct os_update_qos_rule, wish.policy), RULE(struct os_update_qos_rule),             \
		NAME##_BODY(struct os_update_qos_rule, 0)};                                                  \
	static const struct param alias_##name##_params[] = {RULE(struct os_update_qos_rule),                \
							     NAME##_BODY(struct os_update_qos_rule, 0)};     \
	static RESULT prepare_create_##name(struct os_call *e, void *args)                                   \
	{                                                                                                    \
		struct os_create_qos_rule *a = args;                                                         \
		(void) e;                                                                                    \
		a->wish.type = QOS_RULE_TYPE_##NAME;                                                         \
		a->wish.values.is_ingress = read_direction(a->direction);                                    \
		return OK;                                                                                   \
	}                                                                                                    \
	static RESULT prepare_update_##name(struct os_call *e, void *args)                                   \
	{                                                                                                    \
		struct os_update_qos_rule *a = args;                                                         \
		(void) e;                                                                                    \
		a->wish.type = QOS_RULE_TYPE_##NAME;                                                         \
		a->wish.values.is_ingress = read_direction(a->direction);                                    \
		return OK;                                                                                   \
	}                                                                                                    \
	static RESULT prepare_delete_##name(struct os_call *e, void *args)                                   \
	{                                                                                                    \
		(void) e;                                                                                    \
		((struct os_qos_rule_target *) args)->wish.type = QOS_RULE_TYPE_##NAME;                      \
		return OK;                                                                                   \
	}
TYPE(bandwidth_limit, BANDWIDTH_LIMIT)
TYPE(dscp_marking, DSCP_MARKING)
TYPE(minimum_bandwidth, MINIMUM_BANDWIDTH)

#define OF_POLICY(name) "/v2.0/qos/policies/{policy_id}/" #name "_rules"
#define ALONE(name) "/v2.0/qos/alias_" #name "_rules/{rule_id}"
#define ONE(name, at, prefix, table, words, alias)                                                           \
	{HTTP_GET,                                                                                           \
	 at,                                                                                                 \
	 .permit = "get_" prefix #name "_rule",                                                              \
	 .args = OS_PARAMS(struct os_qos_rule_target, table),                                                \
	 .item = alias #name "_rule",                                                                        \
	 .answer = show_##name,                                                                              \
	 .doc = "Shows one rule of a QoS policy: " words "."},                                               \
	{                                                                                                    \
		HTTP_DELETE, at, .permit = "delete_" prefix #name "_rule", .flags = API_WRITES,              \
				 .status = 204, .args = OS_PARAMS(struct os_qos_rule_target, table),         \
				 .prepare = prepare_delete_##name, .operation = engine_delete_qos_rule_run,  \
				 .doc = "Deletes a rule of a QoS policy: " words "."                         \
	}
#define CHANGE(name, at, prefix, table, words, alias)                                                        \
	{                                                                                                    \
		HTTP_PUT, at, .permit = "update_" prefix #name "_rule", .flags = API_WRITES,                 \
			      .args = OS_PARAMS(struct os_update_qos_rule, table),                           \
			      .wrap = alias #name "_rule", .item = alias #name "_rule",                      \
			      .prepare = prepare_update_##name, .operation = engine_update_qos_rule_run,     \
			      OS_SHOWS(name##_rules, struct os_update_qos_rule, wish.rule),                  \
			      .returns = KIND_QOS_RULE, .doc = "Changes a rule of a QoS policy: " words "."  \
	}
#define CALLS(name, words)                                                                                   \
	{HTTP_GET,                                                                                           \
	 OF_POLICY(name),                                                                                    \
	 .permit = "get_policy_" #name "_rule",                                                              \
	 .args = OS_PARAMS(struct os_qos_rules, list_params),                                                \
	 .list = &name##_rules,                                                                              \
	 .answer = list_##name,                                                                              \
	 .doc = "Lists rules of a QoS policy: " words "."},                                                  \
		{HTTP_POST,                                                                                  \
		 OF_POLICY(name),                                                                            \
		 .permit = "create_policy_" #name "_rule",                                                   \
		 .flags = API_WRITES | OS_BULK,                                                              \
		 .status = 201,                                                                              \
		 .args = OS_PARAMS(struct os_create_qos_rule, create_##name##_params),                       \
		 .wrap = #name "_rule",                                                                      \
		 .item = #name "_rule",                                                                      \
		 .prepare = prepare_create_##name,                                                           \
		 .operation = engine_create_qos_rule_run,                                                    \
		 OS_SHOWS(name##_rules, struct os_create_qos_rule, wish.rule),                               \
		 .returns = KIND_QOS_RULE,                                                                   \
		 .doc = "Adds a rule to a QoS policy: " words "."},                                          \
		ONE(name, OF_POLICY(name) "/{rule_id}", "policy_", target_params, words, ""),                \
		CHANGE(name, OF_POLICY(name) "/{rule_id}", "policy_", update_##name##_params, words, ""),    \
		ONE(name, ALONE(name), "alias_", alias_params, words ", by its id alone", "alias_"),         \
		CHANGE(name, ALONE(name), "alias_", alias_##name##_params, words ", by its id alone",        \
		       "alias_")
static const struct os_action actions[] = {
	CALLS(bandwidth_limit, "a bandwidth limit"),
	CALLS(dscp_marking, "a DSCP mark"),
	CALLS(minimum_bandwidth, "a minimum bandwidth"),
};
const struct os_actions os_qos_rule_actions = OS_ACTIONS(OS_NETWORK, actions);
