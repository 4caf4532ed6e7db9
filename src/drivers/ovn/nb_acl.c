/* SPDX-License-Identifier: Apache-2.0
 * Network ACLs as northbound rows, in the scope of their router. What enters subnets is decided where their
 * switches' ports to the router take it in: connections are not tracked on such ports, and a port group holds
 * those of all subnets with the same list. What leaves them is decided by the router's policies, after
 * routing: on the switch a reply would keep the state that the guest's port gave it and pass unseen.
 *
 * A list may let answers pass without an entry. These are known by themselves: TCP's packets but the first of a
 * connection, which has neither ACK nor RST; what answers a ping, and what ICMP says of others' packets.
 *
 * A list that lets everything pass, as a default one does, is not written at all. */
#include "base/buf.h"
#include "drivers/ovn/nb.h"
#include "model/network_acl.h"
#include "model/network_acl_entry.h"
#include "model/subnet.h"

/* The first entry has the highest but one. Priorities go by place and not by number, for that of the last
 * number would leave none to what denies the rest: a policy's 0 is northd's own. */
enum { PRIORITY_PLATFORM = 32767, PRIORITY_REST = 1, PORTS_CAP_SIZE = 64 * 1024 };

static const struct {
	const char *role, *match;
} answers[] = {
	{"answers-tcp", "tcp && (tcp.flags[4] == 1 || tcp.flags[2] == 1)"},
	{"answers-icmp", "icmp4 && icmp4.type == {0, 3, 11, 12}"},
	{"answers-icmp6", "icmp6 && icmp6.type == {1, 2, 3, 4, 129}"},
};
enum { ANSWERS = sizeof answers / sizeof answers[0] };

static const char platform[] = "{169.254.169.253, 169.254.169.254, 168.63.129.16}";
static const char platform_ipv6[] = "fd00:ec2::254";

/* What stands behind it decides nothing. */
static bool is_for_all(const struct network_acl_entry *entry)
{
	return entry->protocol < 0 && entry->block.bits == 0;
}

/* The entries of one direction, of which the last of a family may allow all that is left of it. */
struct way {
	const struct network_guard *guard;
	bool egress;
	bool allows_rest, allows_rest_ipv6, denies;
};

/* Goes through those that decide anything of less than all; from *at = 0 on. */
static const struct network_acl_entry *next_entry(const struct way *way, size_t *at, bool ends[static 2],
						  bool allows[static 2])
{
	while (*at < way->guard->entry_count) {
		const struct network_acl_entry *entry = way->guard->entries[(*at)++];
		bool is_ipv6 = entry->block.base.family == IP_V6;
		if (entry->egress != way->egress || ends[is_ipv6])
			continue;
		if (!is_for_all(entry))
			return entry;
		ends[is_ipv6] = true;
		allows[is_ipv6] = entry->allows;
	}
	return NULL;
}

static struct way find_way(const struct network_guard *guard, bool egress)
{
	struct way way = {.guard = guard, .egress = egress};
	bool ends[2] = {0}, allows[2] = {false, !guard->has_ipv6};
	size_t at = 0;
	for (const struct network_acl_entry *e; (e = next_entry(&way, &at, ends, allows));)
		way.denies = way.denies || !e->allows;
	way.allows_rest = allows[0];
	way.allows_rest_ipv6 = allows[1];
	way.denies = way.denies || !allows[0] || !allows[1];
	return way;
}

/* What no entry decides, and is denied; NULL: nothing. */
static const char *find_rest(const struct way *way)
{
	if (way->allows_rest)
		return way->allows_rest_ipv6 ? NULL : "ip6";
	return way->allows_rest_ipv6 && way->guard->has_ipv6 ? "ip4" : "ip";
}

/* ---- into subnets ---- */

static void add_acl(struct wish *w, uuid acl, struct str role, int priority, struct str match, bool allows)
{
	char group[NB_NAME_SIZE];
	struct str whole = str_print(w->arena, "inport == @%s && %" STR_FMT,
				     nb_write_hex("nacl_", acl, group), STR_ARG(match));
	struct wish_row *row = wish_add_row(w, "ACL", uuid_v5(acl, role),
					    json_pack("{s:i,s:s,s:s%,s:s}", "priority", priority, "direction",
						      "from-lport", "match", whole.p ? whole.p : "", whole.n,
						      "action", allows ? "allow-stateless" : "drop"));
	wish_add_edge(w, row, "Port_Group", "acls", acl);
}

static void plan_inward(struct wish *w, uuid acl, const struct way *way)
{
	char name[NB_NAME_SIZE];
	wish_add_row(w, "Port_Group", acl, json_pack("{s:s}", "name", nb_write_hex("nacl_", acl, name)));
	add_acl(w, acl, STR("in-platform"), PRIORITY_PLATFORM,
		str_print(w->arena, "ip4 && ip4.src == %s", platform), true);
	if (way->guard->has_ipv6)
		add_acl(w, acl, STR("in-platform-ipv6"), PRIORITY_PLATFORM,
			str_print(w->arena, "ip6 && ip6.src == %s", platform_ipv6), true);
	for (size_t k = 0; k < ANSWERS && way->guard->acl->lets_answers; k++)
		add_acl(w, acl, str_print(w->arena, "in-%s", answers[k].role), PRIORITY_PLATFORM,
			str_from(answers[k].match), true);
	bool ends[2] = {0}, allows[2] = {0};
	int priority = PRIORITY_PLATFORM;
	size_t at = 0;
	for (const struct network_acl_entry *e; (e = next_entry(way, &at, ends, allows));)
		add_acl(w, acl, str_print(w->arena, "in:%d", (int) e->number), --priority,
			nb_write_entry_match(w->arena, e), e->allows);
	if (find_rest(way))
		add_acl(w, acl, STR("in-rest"), PRIORITY_REST, str_from(find_rest(way)), false);
}

void nb_join_guard(struct wish *w, struct wish_row *switch_port, const struct network_guard *guard)
{
	if (guard && find_way(guard, false).denies)
		wish_add_edge(w, switch_port, "Port_Group", "ports", guard->acl->row.id);
}

/* ---- out of them ---- */

/* "{"rp-…", "rp-…"}": the router's ports in the subnets with that list. */
static struct str write_ports(struct wish *w, const struct network_router *wish,
			      const struct network_guard *guard)
{
	struct buf b;
	char name[NB_NAME_SIZE];
	const char *comma = "";
	buf_init(&b, PORTS_CAP_SIZE);
	buf_print(&b, "{");
	for (size_t k = 0; k < wish->subnet_count; k++) {
		if (wish->subnets[k].guard != guard)
			continue;
		buf_print(&b, "%s\"%s\"", comma, nb_write_name("rp-", wish->subnets[k].subnet->row.id, name));
		comma = ", ";
	}
	buf_print(&b, "}");
	return wish_take_text(w, &b);
}

struct outward {
	uuid acl;
	struct str ports;
};

static void add_policy(struct wish *w, const struct outward *o, struct str role, int priority,
		       struct str match, bool allows)
{
	struct str whole =
		str_print(w->arena, "inport == %" STR_FMT " && %" STR_FMT, STR_ARG(o->ports), STR_ARG(match));
	struct wish_row *row =
		wish_add_row(w, "Logical_Router_Policy", uuid_v5(o->acl, role),
			     json_pack("{s:i,s:s%,s:s}", "priority", priority, "match",
				       whole.p ? whole.p : "", whole.n, "action", allows ? "allow" : "drop"));
	wish_add_edge(w, row, "Logical_Router", "policies", w->scope);
}

static void plan_outward(struct wish *w, const struct network_router *wish, const struct network_guard *guard,
			 const struct way *way)
{
	struct outward o = {guard->acl->row.id, write_ports(w, wish, guard)};
	add_policy(w, &o, STR("out-platform"), PRIORITY_PLATFORM,
		   str_print(w->arena, "ip4 && ip4.dst == %s", platform), true);
	if (guard->has_ipv6)
		add_policy(w, &o, STR("out-platform-ipv6"), PRIORITY_PLATFORM,
			   str_print(w->arena, "ip6 && ip6.dst == %s", platform_ipv6), true);
	for (size_t k = 0; k < ANSWERS && guard->acl->lets_answers; k++)
		add_policy(w, &o, str_print(w->arena, "out-%s", answers[k].role), PRIORITY_PLATFORM,
			   str_from(answers[k].match), true);
	bool ends[2] = {0}, allows[2] = {0};
	int priority = PRIORITY_PLATFORM;
	size_t at = 0;
	for (const struct network_acl_entry *e; (e = next_entry(way, &at, ends, allows));)
		add_policy(w, &o, str_print(w->arena, "out:%d", (int) e->number), --priority,
			   nb_write_entry_match(w->arena, e), e->allows);
	if (find_rest(way))
		add_policy(w, &o, STR("out-rest"), PRIORITY_REST, str_from(find_rest(way)), false);
}

void nb_plan_guards(struct wish *w, const struct network_router *wish)
{
	for (size_t k = 0; k < wish->guard_count; k++) {
		struct way in = find_way(wish->guards[k], false), out = find_way(wish->guards[k], true);
		if (in.denies)
			plan_inward(w, wish->guards[k]->acl->row.id, &in);
		if (out.denies)
			plan_outward(w, wish, wish->guards[k], &out);
	}
}
