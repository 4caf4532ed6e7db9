/* SPDX-License-Identifier: Apache-2.0
 * Security groups and their rules. Every change of a rule raises the group's gen. */
#pragma once

#include "engine/operation.h"
#include "model/security_group_rule_words.h"

enum { PORT_GROUPS_MAX = 16 }; /* per port */

struct security_group_wish {
	struct ref router;  /* kind none: the default VPC */
	bool is_alone;      /* belongs to the account and to no VPC */
	bool has_own_name;  /* ERR_EXISTS if another group of the account without a VPC has the name */
	struct ref account; /* with is_alone: the owner; kind none: the caller's account */
	struct str name, description;
	struct tags tags;
	/* outputs: */
	uuid group;
};
/* Creates a group with EC2's initial rule: all egress is allowed. */
OPERATION(engine_create_security_group, security_group_wish)

/* Creates the account's own default group (without a VPC) unless it exists. wish->account names the owner. */
OPERATION(engine_ensure_default_group, security_group_wish)
const struct security_group *engine_find_default_group(const struct tables *t, uuid account); /* or NULL */

/* Changes a group. ERR_PROTECTED: a default group keeps its name. ERR_EXISTS: the VPC has a group of that
 * name. */
struct security_group_settings {
	struct ref group;
	const struct str *name, *description; /* NULL: unchanged */
};
OPERATION(engine_update_security_group, security_group_settings)

/* Deletes a group. Rules of peer VPCs that name it stay, and allow nothing. ERR_PROTECTED: a VPC's default
 * group, or the account's own, which would be created again on the next use, unless an administrator deletes
 * it. ERR_IN_USE: a port or a rule of another group uses the group, or another router is associated with
 * it. */
struct security_group_target {
	struct ref group;
	bool takes_rules; /* also revokes the rules of the account's other groups that name it */
};
OPERATION(engine_delete_security_group, security_group_target)

/* Requested rule: by a block, a group or an address group. Protocol -1: all protocols; ports are ignored. */
struct rule_wish {
	int64_t protocol, from_port, to_port; /* ICMP: type and code; -1: all */
	struct cidr peer_block;               /* made canonical */
	/* Kind none: no group. By name: a group of the same router. By id: also a group associated with the
	 * router, or of a peered VPC, even of another account. */
	struct ref peer_group;
	struct ref peer_addresses; /* an address group; kind none: none */
	bool is_ipv6;              /* with a group or address group: IPv6 only */
	bool is_of_their_family;   /* with an address group: the family that EC2 shows for it */
	struct ref peer_router,
		peering; /* router of the group, and peering that leads to it, as the call says; kind none:
			  * not given */
	struct str peer_owner; /* account number of the group's owner, as the call says; empty: not given */
	struct str description;
	struct str field;         /* parameter that the rule came from */
	struct str said_protocol; /* protocol in the words that Neutron's client used; empty: its canonical
				   * name */
	bool says_no_block;       /* no block was given, which means any */
	struct ref rule;          /* for changes: the rule's id; kind none: finds the rule by its content */
};

struct rules_wish {
	struct ref group; /* optional, like direction, to revoke a single id */
	enum security_group_rule_direction direction;
	const struct rule_wish *rules;
	size_t rule_count;
	struct refs rule_ids; /* revocation only: ids instead of rules */
	/* authorization only: */
	struct tags tags;
	struct ref account; /* must be the group's owner; kind none: not checked */
	bool skips_present; /* skips rules that exist; ERR_EXISTS if all do */
	/* Without egress rules all egress is allowed. The rule that allows it is removed with the first other
	 * egress rule, and comes back when the last one is removed. */
	bool none_is_all;
	/* EC2's semantics: naming a rule twice is ERR_INVALID. In a default VPC, revoking a rule that does
	 * not exist succeeds and returns it in `unknown`. */
	bool is_ec2s;
	/* outputs: */
	struct uuids made; /* new rules in the order of the request, or removed ones */
	/* revocation only, without tags: removed rules, and with is_ec2s those that did not exist */
	struct security_group_rules {
		struct security_group_rule *at;
		size_t count;
	} revoked, unknown;
};
/* Adds rules, all or none. With KIND_SECURITY_GROUP_RULE: ERR_PROTECTED (also below), the group allows
 * everything permanently; ERR_EXISTS, a rule exists or is requested twice. */
OPERATION(engine_authorize_rules, rules_wish)
/* Removes rules, all or none. ERR_NOT_FOUND with KIND_SECURITY_GROUP_RULE: a rule does not exist. Tracked
 * connections live on for RULE_TRACKED_US. */
OPERATION(engine_revoke_rules, rules_wish)

/* Changes descriptions, all or none. A rule is named by its id or its content. ERR_NOT_FOUND as for
 * engine_revoke_rules(). */
OPERATION(engine_update_rule_descriptions, rules_wish)
/* Changes rules, all or none, each named by its id. Id, direction and tags stay. Connections under the old
 * rule live on as after a removal. ERR_EXISTS as for engine_authorize_rules(). */
OPERATION(engine_modify_rules, rules_wish)

/* True if the rule allows nothing because its peer is gone: a group of a peered VPC that was deleted, or
 * whose peering was, or a group of another VPC that is no longer associated with the rule's VPC. */
bool engine_is_rule_stale(const struct tables *t, const struct security_group_rule *rule);

#define RULE_TRACKED_US HOUR
/* Forgets a removed rule, for the reconciler. OK if it is gone. ERR_STATE: it was removed less than
 * RULE_TRACKED_US ago. */
struct rule_forget {
	uuid rule;
};
SYSTEM_OPERATION(engine_forget_rule, rule_forget)
/* True if the IPv4 rule applies to IPv6 as well: as in EC2, a VPC's rule by group membership covers both
 * families, except ICMP, which IPv6 has under another protocol. */
struct security_group;
struct security_group_rule;
bool engine_is_rule_of_both(const struct security_group *group, const struct security_group_rule *rule);
