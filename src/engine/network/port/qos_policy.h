/* SPDX-License-Identifier: Apache-2.0
 * QoS policies: limits of bandwidth and DSCP marks for the traffic of guests, as in Neutron. A port has its own policy, else
 * that of its network. Source of the rules: neutron.services.qos and its OVN driver. */
#pragma once

#include "engine/operation.h"

struct port;
struct qos_policy;
struct qos_rule;

enum {
	QOS_POLICIES_OF_ACCOUNT_MAX = 100,
	QOS_DSCP_MAX = 56, /* highest mark that Neutron accepts */
	QOS_KBPS_MAX = INT32_MAX,
};

/* Policy of the port's traffic: its own, else its network's; NULL: none. Interfaces of VPC endpoints and of services have
 * none. On any tables. */
const struct qos_policy *engine_get_qos_policy(const struct tables *t, const struct port *port);

/* Creates a policy. ERR_DENIED: only administrators share one. With KIND_QOS_POLICY: ERR_EXISTS, the account has a default
 * policy; ERR_QUOTA. */
struct qos_policy_wish {
	struct ref account; /* owner; kind none: the caller's account */
	struct str name, description;
	bool is_shared, is_default;
	/* outputs: */
	uuid policy;
};
OPERATION(engine_create_qos_policy, qos_policy_wish)

/* Changes a policy. Errors as for engine_create_qos_policy(); ERR_IN_USE with KIND_NETWORK_GRANT: other accounts use the
 * policy, which is to be shared no longer. */
struct qos_policy_settings {
	struct ref policy;
	const struct str *name, *description; /* NULL: unchanged */
	enum choice is_shared, is_default;
};
OPERATION(engine_update_qos_policy, qos_policy_settings)

/* Deletes a policy with its rules. ERR_IN_USE: a port or network has it. */
struct qos_policy_target {
	struct ref policy;
};
OPERATION(engine_delete_qos_policy, qos_policy_target)

/* ---- rules ---- */

/* Values of a rule. Each type has its own: a bandwidth limit max_kbps, max_burst_kbps and the direction, a mark dscp_mark, a
 * minimum bandwidth min_kbps and the direction. */
struct qos_rule_values {
	int64_t max_kbps, max_burst_kbps, dscp_mark, min_kbps;
	bool has_max_kbps, has_max_burst_kbps, has_dscp_mark, has_min_kbps; /* false: unchanged */
	enum choice is_ingress; /* default: egress, or unchanged */
};

/* The rule, if it is one of the type and, with a policy, one of that policy. */
RESULT engine_find_qos_rule(struct ctx *c, const struct tables *t, const struct ref *rule,
			    const struct ref *policy, int type, const struct qos_rule **ret_rule);

/* Adds a rule. With KIND_QOS_RULE: ERR_EXISTS, the policy has one of the type and direction; ERR_CONFLICT, the minimum is
 * above the limit; ERR_UNSUPPORTED, a port or network has the policy, and cannot be given a minimum bandwidth; ERR_INVALID,
 * the mark. */
struct qos_rule_wish {
	struct ref policy;
	int type; /* enum qos_rule_type */
	struct qos_rule_values values;
	/* outputs: */
	uuid rule;
};
OPERATION(engine_create_qos_rule, qos_rule_wish)

/* Changes a rule. Errors as for engine_create_qos_rule(). */
struct qos_rule_settings {
	struct ref policy; /* kind none: the rule's */
	struct ref rule;
	int type;
	struct qos_rule_values values;
};
OPERATION(engine_update_qos_rule, qos_rule_settings)

struct qos_rule_target {
	struct ref policy; /* kind none: the rule's */
	struct ref rule;
	int type;
};
OPERATION(engine_delete_qos_rule, qos_rule_target)
