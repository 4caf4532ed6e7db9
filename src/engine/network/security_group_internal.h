/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of security groups. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct security_group;
struct security_group_rule;

struct security_group_plan {
	uuid account, router;
	struct str name, description;
	bool is_default;
	bool lets_all; /* in as well, for good */
	bool has_ipv6; /* its VPC has */
	struct tags tags;
};
/* All of IPv6 may go out, where all of IPv4 may. */
RESULT security_group_let_ipv6_out(struct op *op, uuid group);
/* Whether it lets all of its family out. */
bool security_group_lets_all_out(const struct security_group_rule *rule);
/* Where no rule says what may go out, all may: rules say so again. */
RESULT security_group_open_egress(struct op *op, const struct security_group *group);
/* With the rules that a new group has. */
RESULT security_group_write(struct op *op, const struct security_group_plan *plan, uuid *ret_group);
/* Rules are forgotten at once, the group is marked deleted. */
RESULT security_group_delete_with_rules(struct op *op, uuid group);
/* The named groups of the account: a router's of it (NULL: of none) or the account's alone, each once; where
 * none are named, the router's default group, or else the account's. */
RESULT security_group_resolve_all(struct op *op, uuid account, const struct router *router, struct refs refs,
				  struct uuids *ret_groups);
/* ERR_QUOTA: more groups than a port may be in. */
RESULT security_group_check_count(struct op *op, size_t count, struct str field);
/* The account's own default group, made at the first touch. */
RESULT security_group_find_default(struct op *op, uuid account, uuid *ret_group);
/* Likewise its group that lets everything through. */
RESULT security_group_find_open(struct op *op, uuid account, uuid *ret_group);
