/* SPDX-License-Identifier: Apache-2.0
 * Network ACLs as northbound rows, in the scope of their router. What enters subnets is decided where their
 * switches' ports to the router take it in: connections are not tracked on such ports, and a port group holds
 * those of all subnets with the same list. What leaves them is decided by the router's policies, after
 * routing: on the switch a reply would keep the state that the guest's port gave it and pass unseen.
 *
 * A list that lets everything pass, as a default one does, is not written at all. */
#include "base/buf.h"
#include "drivers/ovn/nb.h"

/* The first entry has the highest but one. Priorities go by place and not by number, for that of the last
 * number would leave none to what denies the rest: a policy's 0 is northd's own. */
enum { PRIORITY_PLATFORM = 32767, PRIORITY_REST = 1, PORTS_CAP_SIZE = 64 * 1024 };

static const char platform[] = "{169.254.169.253, 169.254.169.254, 168.63.129.16}";

/* What stands behind it decides nothing. */
static bool is_for_all(const struct network_acl_entry *entry)
{
	return entry->protocol < 0 && entry->block.bits == 0;
}

/* The entries of one direction that decide anything, of which the last may allow all that is left. */
struct way {
	const struct network_acl_entry *const *at;
	size_t count; /* without that one */
	bool allows_rest, denies;
};

static struct way find_way(const struct network_guard *guard, bool egress)
{
	struct way way = {0};
	for (size_t k = 0; k < guard->entry_count; k++) {
		const struct network_acl_entry *entry = guard->entries[k];
		if (entry->egress != egress)
			continue;
		if (!way.at)
			way.at = &guard->entries[k];
		way.allows_rest = is_for_all(entry) && entry->allows;
		if (is_for_all(entry))
			break;
		way.count++;
		way.denies = way.denies || !entry->allows;
	}
	way.denies = way.denies || !way.allows_rest;
	return way;
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
	for (size_t k = 0; k < way->count; k++) {
		const struct network_acl_entry *entry = way->at[k];
		add_acl(w, acl, str_print(w->arena, "in:%d", (int) entry->number),
			PRIORITY_PLATFORM - 1 - (int) k, nb_write_entry_match(w->arena, entry),
			entry->allows);
	}
	if (!way->allows_rest)
		add_acl(w, acl, STR("in-rest"), PRIORITY_REST, STR("ip"), false);
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
	if (buf_finish(&b).code)
		w->failed = true;
	struct str ports = str_copy(w->arena, buf_str(&b));
	buf_done(&b);
	return ports;
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
	for (size_t k = 0; k < way->count; k++) {
		const struct network_acl_entry *entry = way->at[k];
		add_policy(w, &o, str_print(w->arena, "out:%d", (int) entry->number),
			   PRIORITY_PLATFORM - 1 - (int) k, nb_write_entry_match(w->arena, entry),
			   entry->allows);
	}
	if (!way->allows_rest)
		add_policy(w, &o, STR("out-rest"), PRIORITY_REST, STR("ip"), false);
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
