/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: rules of security groups in EC2's words. */
#pragma once

#include "api/ec2/core/list.h"
#include "model/security_group_rule_words.h"

struct security_group_rule;

/* "tcp", "-1", "47". */
struct str ec2_protocol_word(struct arena *a, int64_t protocol);
/* The other way; false: no protocol's word or number. */
bool ec2_parse_protocol(struct str text, int64_t *ret_protocol);
extern const struct ec2_listing ec2_rule_listing;
/* A rule's direction, its traffic, and its peer unless that is a group. */
void ec2_write_rule(struct ec2_call *e, struct xml *x, const struct security_group_rule *rule);
/* False for the IPv6 twin of a rule whose peer is a group: EC2 shows a single rule for both families. */
bool ec2_shows_rule(const struct security_group_rule *rule);
/* A peer that is a group of another VPC. */
struct ec2_rule_peer {
	const struct security_group_rule *rule;
	struct str owner;   /* account number of the group; empty: the group is deleted */
	uuid router;        /* VPC of the group; none: the group is deleted */
	const char *status; /* status of the peering */
};
struct ec2_shown_rules {
	VEC(const struct security_group_rule *) rules;
	VEC(struct ec2_rule_peer) peers; /* peers of the rules that have one in another VPC */
	bool is_stale;                   /* as DescribeStaleSecurityGroups writes them */
};
/* While the view's tables are held. False: no memory. */
bool ec2_show_rule(struct ec2_call *e, const struct tables *t, const struct security_group_rule *rule,
		   struct ec2_shown_rules *shown);
/* The rules of one direction as a set of IpPermissions: one for each protocol and range of ports. */
void ec2_write_permissions(struct ec2_call *e, struct xml *x, const char *set,
			   const struct ec2_shown_rules *shown, enum security_group_rule_direction direction);
