/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: rules of security groups in EC2's words. */
#pragma once

#include "api/ec2/list.h"

/* "tcp", "-1", "47". */
struct str ec2_protocol_word(struct arena *a, int64_t protocol);
/* The other way; false: no protocol's word or number. */
bool ec2_parse_protocol(struct str text, int64_t *ret_protocol);
extern const struct ec2_listing ec2_rule_listing;
/* One rule of EC2's by membership stands for both families: the twin for IPv6 is not shown. */
bool ec2_shows_rule(const struct security_group_rule *rule);
/* The rules of one direction as a set of IpPermissions: one for each protocol and range of ports. */
void ec2_write_permissions(struct ec2_call *e, struct xml *x, const char *set,
			   const struct security_group_rule *const *rules, size_t count,
			   enum security_group_rule_direction direction);
