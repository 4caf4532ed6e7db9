/* SPDX-License-Identifier: Apache-2.0
 * Network ACLs as northbound rows, in the scope of their router. Inbound traffic is filtered where the
 * subnet's switch port towards the router admits it: such ports do not track connections, and one port group
 * holds those of all subnets with the same ACL. Outbound traffic is filtered by the router's policies, after
 * routing: on the switch, a reply would match the connection state created by the guest's port and pass
 * unfiltered.
 *
 * IPv4 of a stateful ACL is filtered at guests' ports instead (nb_acl_tracked.c). Its IPv6 is filtered here,
 * and replies are recognised by their form: TCP packets other than a connection's first, which has neither
 * ACK nor RST; echo replies and ICMP errors. Replies in UDP need an entry.
 *
 * An ACL that passes everything, such as a default one, produces no rows. */
#include "drivers/ovn/nb_acl.h"
#include "base/buf.h"
#include "model/network_acl.h"
#include "model/network_acl_entry.h"
#include "model/subnet.h"

/* The first entry gets the second highest priority. Priorities follow the entry's position, not its number:
 * the last number would leave none for the final deny, because priority 0 of policies is northd's own. */
enum { PRIORITY_PLATFORM = 32767, PRIORITY_REST = 1, PORTS_CAP_SIZE = 64 * 1024 };

static const struct {
	const char *role, *match;
} answers[] = {
	{"answers-tcp", "ip6 && tcp && (tcp.flags[4] == 1 || tcp.flags[2] == 1)"},
	{"answers-icmp6", "icmp6 && icmp6.type == {1, 2, 3, 4, 129}"},
};
enum { ANSWERS = sizeof answers / sizeof answers[0] };

static const char platform[] = "{" NB_PLATFORM "}";
static const char platform_ipv6[] = "fd00:ec2::254";

/* ---- a list's entries ---- */

/* True for a catch-all entry: later entries have no effect. */
static bool is_for_all(const struct network_acl_entry *entry)
{
	bool is_all = false;
	for (size_t k = 0; k < entry->blocks.count; k++)
		is_all = is_all || entry->blocks.at[k].bits == 0;
	return entry->protocol < 0 && is_all;
}

static bool is_of_ipv6(const struct network_acl_entry *entry)
{
	return entry->blocks.count && entry->blocks.at[0].base.family == IP_V6;
}

const struct network_acl_entry *nb_next_entry(const struct nb_way *way, size_t *at)
{
	while (*at < way->guard->entry_count) {
		const struct network_acl_entry *entry = way->guard->entries[*at];
		size_t end = way->ends[is_of_ipv6(entry)];
		if ((*at)++ < end && entry->egress == way->egress)
			return entry;
	}
	return NULL;
}

struct nb_way nb_find_way(const struct network_guard *guard, bool egress, bool with_ipv4, bool with_ipv6)
{
	const bool with[2] = {with_ipv4, with_ipv6};
	struct nb_way way = {.guard = guard,
			     .egress = egress,
			     .allows_rest = {!with_ipv4, !with_ipv6 || !guard->has_ipv6}};
	bool has_end[2] = {!with_ipv4, !with_ipv6};
	for (size_t k = 0; k < guard->entry_count; k++) {
		const struct network_acl_entry *entry = guard->entries[k];
		bool family = is_of_ipv6(entry);
		if (entry->egress != egress || has_end[family])
			continue;
		has_end[family] = is_for_all(entry);
		if (has_end[family])
			way.allows_rest[family] = entry->allows;
		else
			way.denies = way.denies || !entry->allows;
		way.ends[family] = has_end[family] ? k : k + 1;
	}
	for (size_t k = 0; k < 2; k++)
		way.denies = way.denies || (with[k] && !way.allows_rest[k]);
	return way;
}

/* The entries of an ACL that are evaluated here. */
static struct nb_way find_way(const struct network_guard *guard, bool egress)
{
	return nb_find_way(guard, egress, !guard->acl->is_stateful, true);
}

/* Family that the final deny must cover, because no entry decides it; NULL: none. */
static const char *find_rest(const struct nb_way *way)
{
	if (way->allows_rest[0])
		return way->allows_rest[1] ? NULL : "ip6";
	return way->allows_rest[1] && way->guard->has_ipv6 ? "ip4" : "ip";
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

static void plan_inward(struct wish *w, uuid acl, const struct nb_way *way)
{
	add_acl(w, acl, STR("in-platform"), PRIORITY_PLATFORM,
		str_print(w->arena, "ip4 && ip4.src == %s", platform), true);
	if (way->guard->has_ipv6)
		add_acl(w, acl, STR("in-platform-ipv6"), PRIORITY_PLATFORM,
			str_print(w->arena, "ip6 && ip6.src == %s", platform_ipv6), true);
	for (size_t k = 0; k < ANSWERS && way->guard->acl->is_stateful; k++)
		add_acl(w, acl, str_print(w->arena, "in-%s", answers[k].role), PRIORITY_PLATFORM,
			str_from(answers[k].match), true);
	int priority = PRIORITY_PLATFORM;
	size_t at = 0;
	for (const struct network_acl_entry *e; (e = nb_next_entry(way, &at));)
		add_acl(w, acl, str_print(w->arena, "in:%d", (int) e->number), --priority,
			nb_write_entry_match(w->arena, e), e->allows);
	if (find_rest(way))
		add_acl(w, acl, STR("in-rest"), PRIORITY_REST, str_from(find_rest(way)), false);
}

/* True if the ACL produces OVN ACLs, which are attached to a port group. */
static bool has_group(const struct network_guard *guard)
{
	return find_way(guard, false).denies || nb_tracks(guard);
}

void nb_join_guard(struct wish *w, struct wish_row *switch_port, const struct network_guard *guard)
{
	if (guard && has_group(guard))
		wish_add_edge(w, switch_port, "Port_Group", "ports", guard->acl->row.id);
}

/* ---- out of them ---- */

/* List "{"rp-…", "rp-…"}" of the router's ports in subnets with the ACL. */
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
			 const struct nb_way *way)
{
	struct outward o = {guard->acl->row.id, write_ports(w, wish, guard)};
	add_policy(w, &o, STR("out-platform"), PRIORITY_PLATFORM,
		   str_print(w->arena, "ip4 && ip4.dst == %s", platform), true);
	if (guard->has_ipv6)
		add_policy(w, &o, STR("out-platform-ipv6"), PRIORITY_PLATFORM,
			   str_print(w->arena, "ip6 && ip6.dst == %s", platform_ipv6), true);
	for (size_t k = 0; k < ANSWERS && guard->acl->is_stateful; k++)
		add_policy(w, &o, str_print(w->arena, "out-%s", answers[k].role), PRIORITY_PLATFORM,
			   str_from(answers[k].match), true);
	int priority = PRIORITY_PLATFORM;
	size_t at = 0;
	for (const struct network_acl_entry *e; (e = nb_next_entry(way, &at));)
		add_policy(w, &o, str_print(w->arena, "out:%d", (int) e->number), --priority,
			   nb_write_entry_match(w->arena, e), e->allows);
	if (find_rest(way))
		add_policy(w, &o, STR("out-rest"), PRIORITY_REST, str_from(find_rest(way)), false);
}

static void plan_guard(struct wish *w, const struct network_router *wish, const struct network_guard *guard)
{
	struct nb_way in = find_way(guard, false), out = find_way(guard, true);
	uuid acl = guard->acl->row.id;
	char name[NB_NAME_SIZE];
	if (has_group(guard))
		wish_add_row(w, "Port_Group", acl,
			     json_pack("{s:s}", "name", nb_write_hex("nacl_", acl, name)));
	if (in.denies)
		plan_inward(w, acl, &in);
	if (out.denies)
		plan_outward(w, wish, guard, &out);
	if (nb_tracks(guard))
		nb_plan_tracked(w, wish, guard);
}

void nb_plan_guards(struct wish *w, const struct network_router *wish)
{
	for (size_t k = 0; k < wish->guard_count; k++)
		plan_guard(w, wish, wish->guards[k]);
}
