/* SPDX-License-Identifier: Apache-2.0
 * Security groups and their rules. A change of rules bumps the group's gen. */
#pragma once

#include "engine/operation.h"
#include "model/security_group_rule.h"
#include "store/security_group.h"

enum { PORT_GROUPS_MAX = 16 }; /* security groups of one port */

struct security_group_wish {
	struct ref router;  /* kind none: the default VPC */
	bool is_alone;      /* of no VPC at all: of the account */
	struct ref account; /* likewise: of which; kind none: the caller's */
	struct str name, description;
	struct tags tags;
	/* made: */
	uuid group;
};
/* With EC2's rule of a new group: everything may go out. */
OPERATION(engine_create_security_group, security_group_wish)

/* The account's own default group, of no VPC: made when anything first asks for it. */
OPERATION(engine_ensure_default_group, security_group_wish)
const struct security_group *engine_find_default_group(const struct tables *t, uuid account); /* or NULL */

/* ERR_PROTECTED: a default one keeps its name. ERR_EXISTS: the VPC has one of that name. */
struct security_group_settings {
	struct ref group;
	const struct str *name, *description; /* NULL: as they are */
};
OPERATION(engine_update_security_group, security_group_settings)

/* Rules of peers that name it stay, and let nothing through. ERR_PROTECTED: a VPC's default one; the
 * account's own, which the next look would make anew, unless an administrator clears up. ERR_IN_USE: a port
 * or another group's rule has it, or it is associated with another router. */
struct security_group_target {
	struct ref group;
};
OPERATION(engine_delete_security_group, security_group_target)

/* One rule as asked for, by block, by group or by address group. Protocol -1: all, and then the ports do not
 * count. */
struct rule_wish {
	int64_t protocol, from_port, to_port; /* ICMP: type and code; -1: all */
	struct cidr peer_block;               /* made canonical */
	struct ref peer_group;           /* kind none: not by it. By name: in the same router; by id: also
					    one associated with that, or over a peering, of another
					    account's, too */
	struct ref peer_addresses;       /* an address group; kind none: not by it */
	bool is_ipv6;                    /* by group or address group: IPv6 alone */
	bool is_of_their_family;         /* by address group: of the family that EC2 shows it with */
	struct ref peer_router, peering; /* where it is said to be, and over what; kind none: not said */
	struct str peer_owner;           /* whose it is said to be, by account number; empty: not said */
	struct str description;
	struct str field; /* the parameter it came in, for messages */
	struct ref rule;  /* of a change: which one; kind none: the one that is like this */
};

struct rules_wish {
	struct ref group; /* revoke by one id: may be left out, with the direction */
	enum security_group_rule_direction direction;
	const struct rule_wish *rules;
	size_t rule_count;
	struct refs rule_ids; /* revoke only: instead of rules, by id */
	/* authorize only: */
	struct tags tags;
	struct ref account; /* the group's, if any is said */
	/* made: */
	struct uuids made; /* the new rules, in the order asked; or the removed ones */
};
/* All or none. ERR_EXISTS with KIND_SECURITY_GROUP_RULE: one is there already, or asked for twice. */
OPERATION(engine_authorize_rules, rules_wish)
/* All or none. ERR_NOT_FOUND with KIND_SECURITY_GROUP_RULE: one is not there. Connections that are tracked
 * live on for RULE_TRACKED_US. */
OPERATION(engine_revoke_rules, rules_wish)

/* All or none, each by its id or by what it lets through. ERR_NOT_FOUND as above. */
OPERATION(engine_update_rule_descriptions, rules_wish)
/* All or none: each of the group, by its id, becomes what is asked; its id, direction and tags stay. Tracked
 * connections that it let through until now live on as after revoking. ERR_EXISTS as above. */
OPERATION(engine_modify_rules, rules_wish)

/* It lets nothing through: by a group of a peer VPC, and that group or the peering is no more; or by one of
 * another VPC that is associated with the rule's VPC no more. */
bool engine_is_rule_stale(const struct tables *t, const struct security_group_rule *rule);

#define RULE_TRACKED_US HOUR
/* The reconciler's. Absent: OK; ERR_STATE until it has been revoked for that long. */
struct rule_forget {
	uuid rule;
};
OPERATION(engine_forget_rule, rule_forget)

/* The reconciler's: gone from the network. Absent: OK. */
struct security_group_forget {
	uuid group;
};
OPERATION(engine_forget_security_group, security_group_forget)
