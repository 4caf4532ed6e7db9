/* SPDX-License-Identifier: Apache-2.0
 * Security groups and their rules. A change of rules raises the group's gen. */
#pragma once

#include "engine/operation.h"
#include "model/security_group_rule.h"
#include "store/security_group.h"

enum { PORT_GROUPS_MAX = 16 }; /* security groups of one port */

struct security_group_wish {
	struct ref router;  /* kind none: the default VPC */
	bool is_alone;      /* of no VPC: it belongs to the account alone */
	bool has_own_name;  /* and no other such group of the account has its name: ERR_EXISTS */
	struct ref account; /* of a group that is alone: the account; kind none: the caller's */
	struct str name, description;
	struct tags tags;
	/* made: */
	uuid group;
};
/* Makes a group with the rule that EC2 gives to new groups: everything may go out. */
OPERATION(engine_create_security_group, security_group_wish)

/* Makes the account's own default group, of no VPC, unless it exists. wish->account: as above. */
OPERATION(engine_ensure_default_group, security_group_wish)
const struct security_group *engine_find_default_group(const struct tables *t, uuid account); /* or NULL */

/* Changes a group. ERR_PROTECTED: a default group keeps its name. ERR_EXISTS: the VPC has a group
 * of that name. */
struct security_group_settings {
	struct ref group;
	const struct str *name, *description; /* NULL: as they are */
};
OPERATION(engine_update_security_group, security_group_settings)

/* Deletes a group. Rules of peers that name it stay, and let nothing through. ERR_PROTECTED: it is
 * a VPC's default group; or the account's own, which would be made again at the next look, unless
 * an administrator cleans up. ERR_IN_USE: a port or another group's rule has it, or it is
 * associated with another router. */
struct security_group_target {
	struct ref group;
	bool takes_rules; /* rules of the account's other groups that name it are revoked with it */
};
OPERATION(engine_delete_security_group, security_group_target)

/* One rule as it is asked for: by a block, by a group or by an address group. Protocol -1 means all
 * protocols, and ports do not count. */
struct rule_wish {
	int64_t protocol, from_port, to_port; /* ICMP: type and code; -1: all */
	struct cidr peer_block;               /* made canonical */
	/* Kind none: the rule has no group. By name: a group of the same router. By id: also one
	 * that is associated with the router, or one over a peering, even of another account. */
	struct ref peer_group;
	struct ref peer_addresses; /* an address group; kind none: not by it */
	bool is_ipv6;              /* by group or address group: IPv6 alone */
	bool is_of_their_family;   /* by address group: of the family that EC2 shows the address group with */
	struct ref peer_router,
		peering; /* where the group is said to be, and over which peering; kind none: not given */
	struct str peer_owner; /* the account number that the group is said to belong to; empty: not given */
	struct str description;
	struct str field;         /* the parameter it came in, for messages */
	struct str said_protocol; /* how Neutron was told it; empty: by its first name */
	bool says_no_block;       /* it is for everybody because no block was said */
	struct ref rule;          /* for a change: which rule; kind none: the one that is like this */
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
	bool skips_present; /* rules that are there already are left as they are: ERR_EXISTS if all of them are */
	/* All may go out of a group as long as nothing is said of what may: the rule that lets all out goes with the
	 * first other one that is added, and comes back with the last that is removed. */
	bool none_is_all;
	/* EC2's rules: a rule that one call names twice is ERR_INVALID; in a default VPC a rule that is to be removed
	 * and does not exist goes into `unknown` instead of failing the call. */
	bool is_ec2s;
	/* made: */
	struct uuids made; /* the new rules, in the order asked; or the removed ones */
	/* revoke only, without their tags: what was removed, and with is_ec2s what did not exist */
	struct security_group_rules {
		struct security_group_rule *at;
		size_t count;
	} revoked, unknown;
};
/* Adds rules, all or none. ERR_PROTECTED with KIND_SECURITY_GROUP_RULE, here and below: the group lets everything
 * through, for good. ERR_EXISTS with KIND_SECURITY_GROUP_RULE: one exists already, or is
 * asked for twice. */
OPERATION(engine_authorize_rules, rules_wish)
/* Removes rules, all or none. ERR_NOT_FOUND with KIND_SECURITY_GROUP_RULE: one does not exist.
 * Connections that are tracked live on for RULE_TRACKED_US. */
OPERATION(engine_revoke_rules, rules_wish)

/* Changes descriptions, all or none. Each rule is given by its id, or by what it lets through.
 * ERR_NOT_FOUND as above. */
OPERATION(engine_update_rule_descriptions, rules_wish)
/* Changes rules of the group, all or none, each given by its id; its id, direction and tags stay.
 * Connections that it let through until now live on as after a removal. ERR_EXISTS as above. */
OPERATION(engine_modify_rules, rules_wish)

/* Whether the rule lets nothing through: it names a group of a peer VPC, and that group or the
 * peering is gone; or a group of another VPC that is no longer associated with the rule's VPC. */
bool engine_is_rule_stale(const struct tables *t, const struct security_group_rule *rule);

#define RULE_TRACKED_US HOUR
/* For the reconciler: forgets a rule. Absent: OK. ERR_STATE: it was not removed for so long. */
struct rule_forget {
	uuid rule;
};
OPERATION(engine_forget_rule, rule_forget)

/* For the reconciler: the group is gone from the network. Absent: OK. */
struct security_group_forget {
	uuid group;
};
OPERATION(engine_forget_security_group, security_group_forget)
/* Whether the rule, which is of IPv4, is of IPv6, too: a VPC's rule by membership is of both families, as EC2 has it; ICMP of
 * IPv4 is of that alone. */
struct security_group;
struct security_group_rule;
bool engine_is_rule_of_both(const struct security_group *group, const struct security_group_rule *rule);
