/* SPDX-License-Identifier: Apache-2.0
 * Port policies, called network security groups in Azure: ordered rules that allow or deny connections. A
 * policy applies to an interface or to all interfaces of a subnet; if both have one, both must allow a
 * connection, and so must security groups and ACLs. The default rules at the end of every policy decide the
 * rest (model/port_policy.h). reconcile/network/group.c applies the policies. */
#pragma once

#include "engine/operation.h"

/* ---- policies ---- */

struct port_policy_wish {
	struct str name;
	/* result: */
	uuid policy;
};
OPERATION(engine_create_port_policy, port_policy_wish)

/* Deletes a policy with its rules. ERR_IN_USE: an interface or a subnet uses it. */
struct port_policy_target {
	struct ref policy;
};
OPERATION(engine_delete_port_policy, port_policy_target)

enum { PORT_POLICY_PRIORITY_MIN = 100, PORT_POLICY_PRIORITY_MAX = 4096, PORT_POLICY_LIST_MAX = 64 };

/* Creates a rule, or replaces it. With KIND_PORT_POLICY_RULE: ERR_EXISTS, another rule has the priority;
 * ERR_INVALID and ERR_RANGE with the invalid field in the caller's terms. ERR_QUOTA: the rules split the
 * traffic into too many parts to be programmed. */
struct port_policy_rule_wish {
	struct ref policy;
	uuid rule; /* none: creates a rule */
	struct str name, description;
	bool egress, allows;
	int64_t priority;
	int64_t protocol; /* -1: all */
	struct strs sources, source_ports, destinations, destination_ports;
	struct refs source_sets, destination_sets;
};
OPERATION(engine_put_port_policy_rule, port_policy_rule_wish)

struct port_policy_rule_target {
	struct ref rule;
};
OPERATION(engine_delete_port_policy_rule, port_policy_rule_target)

/* ---- sets of interfaces ---- */

struct port_set_wish {
	struct str name;
	/* result: */
	uuid set;
};
OPERATION(engine_create_port_set, port_set_wish)

/* ERR_IN_USE: an interface is in the set, or a rule uses it. */
struct port_set_target {
	struct ref set;
};
OPERATION(engine_delete_port_set, port_set_target)

enum { PORT_SETS_OF_PORT_MAX = 16 };

/* Sets the policy of an interface and the sets it is in. */
struct port_guard_wish {
	struct ref port;
	struct ref policy; /* kind none: no policy */
	struct refs sets;
};
OPERATION(engine_guard_port, port_guard_wish)

/* ---- for the reconciler and queries; any tables ---- */

struct port_rule;
struct port_rules {
	const struct port_rule *at;
	size_t count;
};
/* All rules of a policy for one direction, in order and followed by the default rules, for an interface
 * behind a router, or in a network without one (place). In the context's arena. */
RESULT engine_read_port_rules(struct ctx *c, const struct tables *t, uuid policy, uuid place, bool egress,
			      struct port_rules *ret_rules);
/* The blocks of a virtual network, or of a network without a router, including its peers'. In the arena;
 * false: the arena is full. */
bool engine_list_network_blocks(const struct tables *t, struct arena *a, uuid place,
				struct cidrs *ret_blocks);
/* True if a rule uses the set. */
struct port_policy_rule;
bool engine_rule_has_set(const struct port_policy_rule *rule, uuid set);
/* The live policies of an interface: its own and its subnet's, without duplicates. In the arena; false: the
 * arena is full. */
struct port;
bool engine_list_policies_of(struct arena *a, const struct tables *t, const struct port *port,
			     struct uuids *ret_policies);
/* True if the interface is closed to connections from outside its virtual network unless a policy allows
 * them, because a guarded address leads to it, directly or through a load balancer. Applies to interfaces
 * without a policy. */
bool engine_is_port_closed(const struct tables *t, const struct port *port);
