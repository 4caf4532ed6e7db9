/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: security groups, for other files of the engine. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

struct security_group;
struct security_group_rule;

struct security_group_plan {
	uuid account, router;
	struct str name, description;
	bool is_default;
	bool lets_all; /* allows all ingress as well, permanently */
	bool has_ipv6; /* true if its VPC has IPv6 */
	struct tags tags;
};
/* Allows all IPv6 egress if all IPv4 egress is allowed. */
RESULT security_group_let_ipv6_out(struct op *op, uuid group);
/* True if the rule allows all egress of its family. */
bool security_group_lets_all_out(const struct security_group_rule *rule);
/* Adds the rules that allow all egress if the group has no egress rule. */
RESULT security_group_open_egress(struct op *op, const struct security_group *group);
/* Writes a group with the rules of new groups. */
RESULT security_group_write(struct op *op, const struct security_group_plan *plan, uuid *ret_group);
/* Forgets the rules at once, and marks the group deleted. */
RESULT security_group_delete_with_rules(struct op *op, uuid group);
/* Resolves groups of the account, each once: those of the router (NULL: of no router), and those without a
 * router. Without refs: the router's default group, or else the account's. */
RESULT security_group_resolve_all(struct op *op, uuid account, const struct router *router, struct refs refs,
				  struct uuids *ret_groups);
/* ERR_QUOTA: more groups than a port may be in. */
RESULT security_group_check_count(struct op *op, size_t count, struct str field);
/* Finds the account's own default group; creates it on first use. */
RESULT security_group_find_default(struct op *op, uuid account, uuid *ret_group);
/* Finds the account's group that allows everything; creates it on first use. */
RESULT security_group_find_open(struct op *op, uuid account, uuid *ret_group);
