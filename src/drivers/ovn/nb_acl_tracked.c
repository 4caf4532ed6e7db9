/* SPDX-License-Identifier: Apache-2.0
 * IPv4 of stateful network ACLs, such as CloudStack's, where replies pass without an entry. They are
 * evaluated at guests' ports, where connections are tracked, and only for traffic from or to the router.
 *
 * Inbound, network ACLs and security groups share one stage: whatever the ACL does not admit is dropped above
 * the groups' priorities (nb_drops.h). Outbound, the ACL is evaluated in the second stage, behind the
 * switch's load balancers, where groups have no ACLs. Traffic to the router is recognised by its MAC. */
#include "base/buf.h"
#include "drivers/ovn/nb_acl.h"
#include "drivers/ovn/nb_drops.h"
#include "model/network_acl.h"
#include "model/network_acl_entry.h"
#include "model/port.h"
#include "model/subnet.h"

/* The first outbound entry gets the second highest priority. */
enum {
	PRIORITY_INWARD = 1050, /* above what security groups allow */
	PRIORITY_INSIDE = 1100,
	PRIORITY_REST = 1001,
	MACS_CAP_SIZE = 64 * 1024,
	PLATFORM_COUNT = 3
};

static struct nb_way find_way(const struct network_guard *guard, bool egress)
{
	return nb_find_way(guard, egress, true, false);
}

bool nb_tracks(const struct network_guard *guard)
{
	return guard->acl->is_stateful && (find_way(guard, false).denies || find_way(guard, true).denies);
}

struct tracked {
	struct wish *w;
	uuid acl;
};

static struct wish_row *add_acl(const struct tracked *t, struct str role, const char *direction, int priority,
				struct str match, const char *action)
{
	struct wish_row *row =
		wish_add_row(t->w, "ACL", uuid_v5(t->acl, role),
			     json_pack("{s:i,s:s,s:s%,s:s}", "priority", priority, "direction", direction,
				       "match", match.p ? match.p : "", match.n, "action", action));
	wish_add_edge(t->w, row, "Port_Group", "acls", t->acl);
	return row;
}

/* ---- into subnets ---- */

static void drop_inward(const void *arg, struct str match)
{
	const struct tracked *t = arg;
	char group[NB_NAME_SIZE];
	struct str whole = str_print(t->w->arena, "inport == @%s && ct.new && ip4%" STR_FMT,
				     nb_write_hex("nacl_", t->acl, group), STR_ARG(match));
	add_acl(t, whole, "to-lport", PRIORITY_INWARD, whole, "drop");
}

/* The platform's addresses precede the entries. */
static void plan_inward(const struct tracked *t, const struct nb_way *way)
{
	const uint32_t platform[PLATFORM_COUNT] = {0xa9fea9fd, 0xa9fea9fe, 0xa83f8110}; /* NB_PLATFORM */
	const struct cidr all = {ip_from_v4(0), 0};
	size_t room = PLATFORM_COUNT + 1;
	for (size_t k = 0; k < way->guard->entry_count; k++)
		room += way->guard->entries[k]->blocks.count;
	struct nb_rule *rules = arena_new_array(t->w->arena, struct nb_rule, room);
	struct nb_dropping d = {.w = t->w, .rules = rules, .drop = drop_inward, .arg = t};
	size_t at = 0;
	if (!rules) {
		t->w->failed = true;
		return;
	}
	for (; d.count < PLATFORM_COUNT; d.count++)
		rules[d.count] = (struct nb_rule){{ip_from_v4(platform[d.count]), 32}, -1, -1, -1, false};
	for (const struct network_acl_entry *e; (e = nb_next_entry(way, &at));)
		for (size_t k = 0; k < e->blocks.count; k++)
			rules[d.count++] = (struct nb_rule){e->blocks.at[k], e->protocol, e->from_port,
							    e->to_port, !e->allows};
	if (way->allows_rest[0])
		rules[d.count++] = (struct nb_rule){all, -1, -1, -1, false};
	nb_drop_all(&d);
}

/* ---- out of them ---- */

static void decide_outward(const struct tracked *t, struct str role, int priority, struct str match,
			   const char *action)
{
	struct wish_row *row = add_acl(t, role, "from-lport", priority, match, action);
	if (row &&
	    json_object_set_new(row->columns, "options", json_pack("{s:s}", "apply-after-lb", "true")) < 0)
		t->w->failed = true;
}

static struct mac get_mac(const struct network_subnet *s)
{
	return s->port ? s->port->mac : s->subnet->gateway_mac;
}

/* Allows traffic within the subnet and to platform services. Also makes the switch track connections,
 * whichever ports it has. */
static void allow_inside(const struct tracked *t, const struct network_subnet *s)
{
	char block[CIDR_TEXT_SIZE], mac[MAC_TEXT_SIZE], role[NB_NAME_SIZE];
	struct str match = str_print(t->w->arena, "eth.dst == %s && ct.new && ip4 && ip4.dst == {%s, %s}",
				     mac_write(get_mac(s), mac), NB_PLATFORM,
				     cidr_write(cidr_canonical(s->subnet->block), block));
	decide_outward(t, str_copy(t->w->arena, str_from(nb_write_name("inside:", nb_get_arm_id(s), role))),
		       PRIORITY_INSIDE, match, "allow-related");
}

/* Match of new connections to the router from subnets with the ACL: "eth.dst == {…} && ct.new && ". */
static struct str write_way_out(const struct tracked *t, const struct network_router *wish,
				const struct network_guard *guard)
{
	struct buf b;
	char mac[MAC_TEXT_SIZE];
	const char *comma = "";
	buf_init(&b, MACS_CAP_SIZE);
	buf_print(&b, "eth.dst == {");
	for (size_t k = 0; k < wish->subnet_count; k++) {
		if (wish->subnets[k].guard != guard || wish->subnets[k].subnet->block.base.family != IP_V4)
			continue;
		allow_inside(t, &wish->subnets[k]);
		buf_print(&b, "%s%s", comma, mac_write(get_mac(&wish->subnets[k]), mac));
		comma = ", ";
	}
	buf_print(&b, "} && ct.new && ");
	return comma[0] ? wish_take_text(t->w, &b) : (buf_done(&b), STR_NONE);
}

static void plan_outward(const struct tracked *t, const struct nb_way *way, struct str out)
{
	int priority = PRIORITY_INSIDE;
	size_t at = 0;
	for (const struct network_acl_entry *e; (e = nb_next_entry(way, &at));) {
		struct str match = nb_write_entry_match(t->w->arena, e);
		decide_outward(t, str_print(t->w->arena, "out:%d", (int) e->number), --priority,
			       str_print(t->w->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(out), STR_ARG(match)),
			       e->allows ? "allow-related" : "drop");
	}
	if (!way->allows_rest[0])
		decide_outward(t, STR("out-rest"), PRIORITY_REST,
			       str_print(t->w->arena, "%" STR_FMT "ip4", STR_ARG(out)), "drop");
}

void nb_plan_tracked(struct wish *w, const struct network_router *wish, const struct network_guard *guard)
{
	const struct tracked t = {w, guard->acl->row.id};
	const struct nb_way in = find_way(guard, false), out = find_way(guard, true);
	struct str way_out = write_way_out(&t, wish, guard);
	if (str_is_empty(way_out))
		return;
	if (in.denies)
		plan_inward(&t, &in);
	if (out.denies)
		plan_outward(&t, &out, way_out);
}
