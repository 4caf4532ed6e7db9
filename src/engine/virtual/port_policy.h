/* SPDX-License-Identifier: Apache-2.0
 * Port policies, which Azure calls network security groups: ordered rules about connections, which let through or do not. A
 * policy stands before an interface by itself, or before all interfaces of a subnet; where both have one, both must let a
 * connection through, and so must security groups and ACLs. What no rule decides is decided by those that every policy ends
 * with (model/port_policy.h). What happens next: reconcile/group.c. */
#pragma once

#include "engine/operation.h"

/* ---- policies ---- */

struct port_policy_wish {
	struct str name;
	/* made: */
	uuid policy;
};
OPERATION(engine_create_port_policy, port_policy_wish)

/* Deletes a policy with its rules. ERR_IN_USE: it stands before an interface or a subnet. */
struct port_policy_target {
	struct ref policy;
};
OPERATION(engine_delete_port_policy, port_policy_target)

enum { PORT_POLICY_PRIORITY_MIN = 100, PORT_POLICY_PRIORITY_MAX = 4096, PORT_POLICY_LIST_MAX = 64 };

/* Makes a rule, or says something else of one that is there. With KIND_PORT_POLICY_RULE: ERR_EXISTS, another rule has the
 * priority; ERR_INVALID and ERR_RANGE with the field at fault, as the caller calls it. ERR_QUOTA: the policy cannot be
 * written any more, because its rules cut what they are about in too many parts. */
struct port_policy_rule_wish {
	struct ref policy;
	uuid rule; /* none: a new one */
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

/* For the reconciler: the policy is gone from the network. Absent: OK. */
struct port_policy_forget {
	uuid policy;
};
OPERATION(engine_forget_port_policy, port_policy_forget)

/* ---- sets of interfaces ---- */

struct port_set_wish {
	struct str name;
	/* made: */
	uuid set;
};
OPERATION(engine_create_port_set, port_set_wish)

/* ERR_IN_USE: an interface is in it, or a rule names it. */
struct port_set_target {
	struct ref set;
};
OPERATION(engine_delete_port_set, port_set_target)

enum { PORT_SETS_OF_PORT_MAX = 16 };

/* What stands before an interface, and which sets it is in. */
struct port_guard_wish {
	struct ref port;
	struct ref policy; /* kind none: none */
	struct refs sets;
};
OPERATION(engine_guard_port, port_guard_wish)

/* ---- for the reconciler, and for reading; on any tables ---- */

struct port_rule;
struct port_rules {
	const struct port_rule *at;
	size_t count;
};
/* All that a policy says of one direction, before an interface behind a router, or in a network that has none (place): its rules in their order, and those that
 * every policy ends with. In the context's arena. */
RESULT engine_read_port_rules(struct ctx *c, const struct tables *t, uuid policy, uuid place, bool egress,
			      struct port_rules *ret_rules);
/* The blocks of a virtual network, or of a network without a router, and of those that are one with it. In the arena; false: it is full. */
bool engine_list_network_blocks(const struct tables *t, struct arena *a, uuid place,
				struct cidrs *ret_blocks);
/* Whether a rule names the set. */
struct port_policy_rule;
bool engine_rule_has_set(const struct port_policy_rule *rule, uuid set);
/* The live policies that stand before an interface, each once: its own, and its subnet's. In the arena; false: it is full. */
struct port;
bool engine_list_policies_of(struct arena *a, const struct tables *t, const struct port *port,
			     struct uuids *ret_policies);
/* Whether nothing new comes in to an interface from outside of its virtual network unless a policy lets it: a guarded address
 * leads to it, by itself or among others. It counts where no policy stands before it. */
bool engine_is_port_closed(const struct tables *t, const struct port *port);
