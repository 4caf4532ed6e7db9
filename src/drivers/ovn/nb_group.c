/* SPDX-License-Identifier: Apache-2.0
 * A security group as a port group with one ACL per rule; and the region's port group that denies by default,
 * except DHCP, DNS and metadata. Members join in nb_port.c, so that a group of thousands is not rewritten
 * when a port comes or goes. */
#include "drivers/ovn/nb.h"
#include "model/security_group.h"
#include "model/security_group_rule.h"

enum { PRIORITY_DENY = 1001, PRIORITY_ALLOW = 1002, PRIORITY_PLATFORM = 1003 };

static json_t *make_acl(int priority, const char *direction, struct str match, const char *action)
{
	return json_pack("{s:i,s:s,s:s%,s:s}", "priority", priority, "direction", direction, "match",
			 match.p ? match.p : "", match.n, "action", action);
}

static void plan_rule(struct wish *w, const struct security_group_rule *rule)
{
	struct str match = nb_write_rule_match(w->arena, rule);
	char name[NB_NAME_SIZE];
	if (match.n == 0)
		return; /* the rule names no peer and admits nobody */
	const char *direction =
		rule->direction == SECURITY_GROUP_RULE_DIRECTION_INGRESS ? "to-lport" : "from-lport";
	struct wish_row *row =
		wish_add_row(w, "ACL", uuid_v5(w->scope, str_from(nb_write_name("acl:", rule->row.id, name))),
			     make_acl(PRIORITY_ALLOW, direction, match, "allow-related"));
	wish_add_edge(w, row, "Port_Group", "acls", w->scope);
}

void nb_plan_group(struct wish *w, const struct network_group *wish)
{
	char name[NB_NAME_SIZE];
	wish_add_row(w, "Port_Group", wish->group->row.id,
		     json_pack("{s:s}", "name", nb_write_hex("sg_", wish->group->row.id, name)));
	for (size_t k = 0; k < wish->rule_count; k++)
		plan_rule(w, wish->rules[k]);
}

void nb_plan_default_deny(struct wish *w)
{
	static const struct {
		const char *role, *direction, *before, *after, *action; /* match: before, group, after */
		int priority;
	} acls[] = {
		{"deny-out", "from-lport", "inport == @", " && ip", "drop", PRIORITY_DENY},
		{"deny-in", "to-lport", "outport == @", " && ip", "drop", PRIORITY_DENY},
		{"platform", "from-lport", "inport == @",
		 " && ip4 && ((udp.src == 68 && udp.dst == 67) || "
		 "ip4.dst == {169.254.169.253, 169.254.169.254, 168.63.129.16})",
		 "allow-related", PRIORITY_PLATFORM},
		{"platform-ipv6", "from-lport", "inport == @",
		 " && ip6 && ((udp.src == 546 && udp.dst == 547) || ip6.dst == fd00:ec2::254)",
		 "allow-related", PRIORITY_PLATFORM},
	};
	char name[NB_NAME_SIZE];
	nb_write_hex("pg_", w->region, name);
	wish_add_shared_row(w, "Port_Group", w->region, NB_SHARED, w->region,
			    json_pack("{s:s}", "name", name));
	for (size_t k = 0; k < sizeof acls / sizeof acls[0]; k++) {
		struct str match = str_print(w->arena, "%s%s%s", acls[k].before, name, acls[k].after);
		struct wish_row *row = wish_add_shared_row(
			w, "ACL", uuid_v5(w->region, str_from(acls[k].role)), NB_SHARED, w->region,
			make_acl(acls[k].priority, acls[k].direction, match, acls[k].action));
		wish_add_edge(w, row, "Port_Group", "acls", w->region);
	}
}
