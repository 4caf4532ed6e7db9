/* SPDX-License-Identifier: Apache-2.0
 * Steps of ports: maintain one logical switch port each. Routers and groups have steps of their own; if the
 * port's are missing, this step creates them first, since a router is only created with the first port. */
#include "engine/network/port/port.h"
#include "base/clock.h"
#include "engine/balancing/balancing.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/network/ipv6.h"
#include "engine/network/port/qos_policy.h"
#include "engine/network/port/trunk.h"
#include "engine/network/routing/endpoint_service.h"
#include "engine/network/routing/router.h"
#include "engine/network/routing/vpc_endpoint.h"
#include "engine/region/region.h"
#include "engine/virtual/balancer_set.h"
#include "engine/virtual/port_policy.h"
#include "model/port_prefix.h"
#include "model/secondary_ip.h"
#include "model/security_group.h"
#include "reconcile/work.h"
#include "store/account.h"
#include "store/address.h"
#include "store/external_network.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/network.h"
#include "store/port.h"
#include "store/qos_policy.h"
#include "store/qos_rule.h"
#include "store/route.h"
#include "store/router.h"
#include "store/subnet.h"

/* Between looks whether only the new host still binds a moved port; OVN reports no such change. */
static const int64_t SETTLING_LOOK_US = SECOND / 4;

struct port_rows {
	const struct port *port; /* NULL: the row does not exist */
	struct network_port wish;
	struct network_segment segment; /* network of a port with DHCP options of its own */
	bool is_front;                  /* the address is the private frontend of a load balancer */
	bool is_routed; /* a NAT gateway's or an endpoint service's port: its router implements and reports it */
	bool is_outside; /* on an external network: only reserves an address */
};

bool reconcile_is_told_apart(const struct tables *t, const struct port *port)
{
	return port->dhcp4.count || port->dhcp6.count || engine_leads_nowhere(t, port);
}

/* True if the port's own router answers for the address, not the router of another address of the port. */
static bool is_outer(const struct tables *t, const struct port *port, const struct subnet *subnet)
{
	return uuid_equal(subnet->router, port->router) && engine_is_outer_subnet(t, subnet);
}

static bool has_dhcp(const struct subnet *subnet)
{
	return subnet->ipv6_address_mode == SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATEFUL ||
	       subnet->ipv6_address_mode == SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATELESS;
}

struct gathered_ips {
	VEC(struct ip) all;
	VEC(struct ip) outer;
};

/* Adds an IPv6 address. The address with a DHCPv6 subnet determines the port's DHCPv6 options. */
static RESULT add_ipv6(struct step *s, const struct tables *t, struct network_port *wish, struct ip ip,
		       const struct subnet *subnet, struct gathered_ips *ips)
{
	if (!wish->ipv6 || (!has_dhcp(wish->ipv6) && has_dhcp(subnet)))
		wish->ipv6 = STEP_COPY(s, KIND_SUBNET, struct subnet, subnet);
	if (is_outer(t, wish->port, subnet) && !VEC_PUSH(s->ctx.arena, &ips->outer, ip))
		return ctx_no_memory(&s->ctx);
	return OK;
}

static RESULT gather_prefixes(struct step *s, const struct tables *t, const struct port *port,
			      struct network_port *wish)
{
	VEC(struct cidr) blocks = {0};
	for (const struct port_prefix *p = engine_first_prefix(t, port->row.id); p;
	     p = engine_next_prefix(t, p))
		if (!VEC_PUSH(s->ctx.arena, &blocks, p->block))
			return ctx_no_memory(&s->ctx);
	wish->prefixes = blocks.at;
	wish->prefix_count = blocks.count;
	return OK;
}

static RESULT gather_secondaries(struct step *s, const struct tables *t, const struct port *port,
				 struct network_port *wish)
{
	struct gathered_ips ips = {0};
	if (wish->subnet && port->ip.family == IP_V6)
		TRY(add_ipv6(s, t, wish, port->ip, wish->subnet, &ips));
	const struct secondary_ip *i = engine_first_secondary_ip(t, port->row.id);
	for (; i; i = engine_next_secondary_ip(t, i)) {
		const struct subnet *subnet = i->ip.family == IP_V6 ? subnet_find(t, i->subnet) : NULL;
		if (!VEC_PUSH(s->ctx.arena, &ips.all, i->ip))
			return ctx_no_memory(&s->ctx);
		if (subnet)
			TRY(add_ipv6(s, t, wish, i->ip, subnet, &ips));
	}
	wish->secondaries = (struct ips){ips.all.at, ips.all.count};
	wish->outer_ips = (struct ips){ips.outer.at, ips.outer.count};
	return gather_prefixes(s, t, port, wish);
}

/* Target host of the instance's live migration; empty: none. */
static struct str next_chassis(struct step *s, const struct tables *t, const struct port *p)
{
	const struct instance *i = uuid_is_none(p->instance) ? NULL : instance_find(t, p->instance);
	const struct host *target = i ? host_find(t, i->target) : NULL;
	return target ? str_copy(s->ctx.arena, target->name) : STR_NONE;
}

/* True if the instance has just arrived by live migration. */
static bool is_settling(const struct tables *t, const struct port *p)
{
	return !uuid_is_none(p->instance) && engine_is_settling(t, p->instance);
}

/* Account whose administrative limits apply; NULL: the port belongs to no instance. */
static const struct account *account_over(const struct tables *t, const struct port *p)
{
	return uuid_is_none(p->instance) ? NULL : account_find(t, p->account);
}

/* The host that binds the port; interfaces of proxies and of VPC endpoints are plugged into this machine. */
static struct str chassis_of(struct step *s, const struct tables *t, const struct port *p,
			     const struct host *host)
{
	if (engine_is_proxied(t, p) || engine_is_endpoint_port(t, p))
		return str_copy(s->ctx.arena, str_from(s->r->own_chassis));
	return host ? str_copy(s->ctx.arena, host->name) : STR_NONE;
}

/* True if the port's router implements it, and reports it. */
static bool is_routed(const struct tables *t, const struct port *p)
{
	return !uuid_is_none(p->nat_gateway) || engine_is_offered_port(t, p) || engine_is_service_leg(t, p);
}

/* Host of the port's carrier; NULL: something keeps the port from being bound. */
static const struct host *find_host(const struct tables *t, const struct port *p, const struct port *carrier,
				    const struct network *network)
{
	const struct account *account = account_over(t, carrier);
	bool is_off = p->is_down || carrier->is_down || network->is_down || (account && account->is_cut);
	return is_off ? NULL : host_find(t, carrier->host);
}

static void gather_qos(const struct tables *t, const struct port *p, struct network_port *wish)
{
	const struct qos_policy *policy = engine_get_qos_policy(t, p);
	const struct qos_rule *rule = policy ? qos_rule_first_by_policy(t, policy->row.id) : NULL;
	for (; rule; rule = qos_rule_next_by_policy(t, rule)) {
		struct network_qos *qos =
			rule->direction == QOS_RULE_DIRECTION_INGRESS ? &wish->ingress : &wish->egress;
		if (rule->type == QOS_RULE_TYPE_BANDWIDTH_LIMIT) {
			qos->kbit = rule->max_kbps;
			qos->burst_kbit = rule->max_burst_kbps;
		} else if (rule->type == QOS_RULE_TYPE_DSCP_MARKING) {
			qos->marks = true;
			qos->dscp = rule->dscp_mark;
		}
	}
}

/* The account's administrative limit applies to each port, beside the limit of a policy: the lower one counts. */
static void limit_egress(struct network_qos *egress, int64_t kbit)
{
	if (!kbit || (egress->kbit && egress->kbit <= kbit))
		return;
	egress->kbit = kbit;
	egress->burst_kbit = 0;
}

static RESULT gather_port(struct step *s, struct port_rows *ret_rows)
{
	*ret_rows = (struct port_rows){0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct port *p = port_find(view.tables, s->id);
	if (!p)
		return OK;
	ret_rows->port = STEP_COPY(s, KIND_PORT, struct port, p);
	const struct network *network = network_find(view.tables, p->network);
	const struct subnet *subnet = subnet_find(view.tables, p->subnet);
	const struct port *carrier = engine_get_carrier(view.tables, p);
	ret_rows->is_front = engine_is_router_front(view.tables, p);
	ret_rows->is_routed = is_routed(view.tables, p);
	ret_rows->is_outside = external_network_find(view.tables, p->network) != NULL;
	if (!network || !row_is_live(&p->row))
		return OK;
	const struct account *account = account_over(view.tables, carrier);
	const struct host *host = find_host(view.tables, p, carrier, network);
	ret_rows->wish = (struct network_port){
		.port = ret_rows->port,
		.chassis = chassis_of(s, view.tables, p, host),
		.next_chassis = host ? next_chassis(s, view.tables, carrier) : STR_NONE,
		.is_settling = host && is_settling(view.tables, carrier),
		.carrier = carrier == p ? UUID_NONE : carrier->row.id,
		.has_names = true,
		.domain_name = engine_get_domain_name(view.tables, s->ctx.arena),
	};
	gather_qos(view.tables, p, &ret_rows->wish);
	limit_egress(&ret_rows->wish.egress, account ? account->egress_limit * 1000 : 0);
	TRY(gather_policies_of(s, view.tables, p, &ret_rows->wish.policies));
	ret_rows->wish.is_closed = !ret_rows->wish.policies.count && engine_is_port_closed(view.tables, p);
	if (subnet)
		ret_rows->wish.subnet = STEP_COPY(s, KIND_SUBNET, struct subnet, subnet);
	ret_rows->wish.leads_nowhere = engine_leads_nowhere(view.tables, p);
	if (reconcile_is_told_apart(view.tables, p)) {
		TRY(gather_segment(s, view.tables, p->network, &ret_rows->segment));
		ret_rows->wish.segment = &ret_rows->segment;
	}
	return gather_secondaries(s, view.tables, p, &ret_rows->wish);
}

/* ---- prerequisites ---- */

struct base_rows {
	struct router_rows router;
	struct network_segment segment; /* network of a port without a router */
	struct network_group *groups;
	size_t group_count;
	struct network_policy *policies;
	size_t policy_count;
};

static RESULT gather_base_policies(struct step *s, const struct tables *t, const struct port *p,
				   struct base_rows *rows)
{
	struct uuids ids = {0};
	TRY(gather_policies_of(s, t, p, &ids));
	struct network_policy *at = arena_new_array(s->ctx.arena, struct network_policy, ids.count + 1);
	if (!at)
		return ctx_no_memory(&s->ctx);
	rows->policies = at;
	for (size_t k = 0; k < ids.count; k++)
		TRY(gather_port_policy(s, t, ids.at[k], &at[rows->policy_count++]));
	return OK;
}

static RESULT gather_base(struct step *s, const struct port *p, struct base_rows *ret_rows)
{
	*ret_rows = (struct base_rows){0};
	VEC(struct network_group) groups = {0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	TRY(gather_router(s, view.tables, p->router, &ret_rows->router));
	TRY(gather_segment(s, view.tables, p->network, &ret_rows->segment));
	for (size_t k = 0; k < p->groups.count; k++) {
		struct network_group group = {0};
		TRY(gather_group(s, view.tables, p->groups.at[k], &group));
		if (group.group && row_is_live(&group.group->row) && !VEC_PUSH(s->ctx.arena, &groups, group))
			return ctx_no_memory(&s->ctx);
	}
	ret_rows->groups = groups.at;
	ret_rows->group_count = groups.count;
	return gather_base_policies(s, view.tables, p, ret_rows);
}

/* Leaves retries to the router's own step: the port needs only its network, which may exist even though the
 * router's step failed. */
static RESULT make_router(struct step *s, const struct router_rows *rows)
{
	struct result made = reconcile_apply_router(s, rows);
	if (!result_is_ok(made))
		work_wake(s->r, lane_network(s->r), KIND_ROUTER, rows->wish.router->row.id, WAKE_WISH);
	return made;
}

static RESULT apply_base(struct step *s, const struct port *p)
{
	const struct network_driver *driver = s->r->network.driver;
	struct vnet *self = s->r->network.self;
	struct base_rows rows = {0};
	TRY(gather_base(s, p, &rows));
	if (rows.router.wish.router && row_is_live(&rows.router.wish.router->row))
		TRY(make_router(s, &rows.router));
	else if (rows.segment.network)
		TRY(driver->apply_network(self, &s->ctx, &rows.segment));
	for (size_t k = 0; k < rows.group_count; k++)
		TRY(driver->apply_group(self, &s->ctx, &rows.groups[k]));
	for (size_t k = 0; k < rows.policy_count; k++)
		TRY(driver->apply_policy(self, &s->ctx, &rows.policies[k]));
	return OK;
}

/* Wakes the routers of the network when its first port is created, because a router is only created with the
 * first port of one of its networks. The port's own router is among them: apply_base() has created that router
 * only if the network was missing, and no step has for a port that its router implements. */
static void wake_routers(struct step *s, const struct port *p)
{
	if (p->seen_gen != 0)
		return;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct port *other = port_first_by_network(view.tables, p->network);
		for (; other; other = port_next_by_network(view.tables, other))
			if (row_is_live(&other->row) && other->seen_gen != 0 &&
			    uuid_is_none(other->interface_of))
				return; /* an earlier port woke the routers already */
	}
	reconcile_wake_routers_in(s, p->network);
}

/* ---- the step ---- */

static RESULT report_port(struct step *s, const struct port *p, bool up)
{
	if (p->seen_gen == (int64_t) p->row.gen && p->seen_up == up)
		return OK;
	struct port_report *report = STEP_NEW(s, struct port_report);
	*report = (struct port_report){.port = p->row.id, .gen = p->row.gen, .up = up};
	step_report(s, engine_see_port_run, report);
	return OK;
}

/* A deleted port is removed once no guest has it, which its row records. A router's interface is removed by
 * the router's step. */
static RESULT step_deleted(struct step *s, const struct port *p)
{
	if (!uuid_is_none(p->seen_instance) || !uuid_is_none(p->interface_of))
		return OK;
	TRY(s->r->network.driver->remove_port(s->r->network.self, &s->ctx, p->row.id));
	struct port_report *forget = STEP_NEW(s, struct port_report);
	*forget = (struct port_report){.port = p->row.id, .gen = p->row.gen};
	step_report(s, engine_forget_port_run, forget);
	return OK;
}

/* The address is implemented by its router, which also reports NAT gateways and interfaces of endpoints. A front may have been a proxy's before. */
static RESULT step_of_router(struct step *s, const struct port_rows *rows)
{
	if (rows->is_front && rows->port->seen_gen != (int64_t) rows->port->row.gen)
		TRY(s->r->network.driver->remove_port(s->r->network.self, &s->ctx, s->id));
	wake_routers(s, rows->port);
	return rows->is_front ? report_port(s, rows->port, true) : OK;
}

static RESULT step_port(struct step *s)
{
	struct port_rows rows = {0};
	TRY(gather_port(s, &rows));
	if (!rows.port)
		return OK;
	if (!row_is_live(&rows.port->row))
		return step_deleted(s, rows.port);
	if (rows.is_front || rows.is_routed)
		return step_of_router(s, &rows);
	if (!uuid_is_none(
		    rows.port->interface_of)) /* implemented by its router; removes the plain port that it
					       * was before */
		return s->r->network.driver->remove_port(s->r->network.self, &s->ctx, s->id);
	if (rows.is_outside)
		return report_port(s, rows.port, false);
	if (!rows.wish.port)
		return ctx_fail(&s->ctx, ERR_AGAIN, "its network is not there");
	const struct network_driver *driver = s->r->network.driver;
	struct vnet *self = s->r->network.self;
	bool up = false;
	struct result result = driver->apply_port(self, &s->ctx, &rows.wish, &up);
	if (result.code == ERR_AGAIN) {
		ctx_clear_problem(&s->ctx);
		TRY(apply_base(s, rows.port));
		result = driver->apply_port(self, &s->ctx, &rows.wish, &up);
	}
	TRY(result);
	wake_routers(s, rows.port);
	if (!up && rows.wish.is_settling)
		step_again_at(s, clock_now_us() + SETTLING_LOOK_US);
	else if (!up && rows.port->seen_up)
		step_again_at(s, clock_now_us() + SECOND); /* a port that stays bound produces no event */
	return report_port(s, rows.port, up || (rows.port->seen_up && rows.wish.next_chassis.n > 0));
}

/* ---- wake-ups ---- */

/* An attached or detached port wakes its instance, which plugs or unplugs it. The port may have been created
 * together with the instance or for a running one. */
static void wake_for_plug(struct reconciler *r, const struct port *before, const struct port *after)
{
	static const struct port nowhere;
	const struct port *was = before ? before : &nowhere;
	if (uuid_equal(was->instance, after->instance) &&
	    uuid_equal(was->seen_instance, after->seen_instance))
		return;
	uuid host = uuid_is_none(after->host) ? was->host : after->host;
	uuid instance = uuid_is_none(after->instance) ? was->instance : after->instance;
	if (!uuid_is_none(instance))
		wake_on_host(r, host, KIND_INSTANCE, instance);
}

/* Wakes the policies that applied or apply to the port, because the port may be the first or last one they
 * have behind its router; and the port sets that contain it, which rules can name. */
static void wake_for_policies(struct reconciler *r, const struct port *before, const struct port *after)
{
	bool is_new = !before || !row_is_live(&after->row) || before->row.gen != after->row.gen;
	if (before && !uuid_equal(before->policy, after->policy))
		wake_network(r, KIND_PORT_POLICY, before->policy);
	if (is_new)
		wake_network(r, KIND_PORT_POLICY, after->policy);
	for (size_t k = 0; is_new && before && k < before->sets.count; k++)
		wake_network(r, KIND_PORT_SET, before->sets.at[k]);
	for (size_t k = 0; is_new && k < after->sets.count; k++)
		wake_network(r, KIND_PORT_SET, after->sets.at[k]);
}

/* Sub-ports are on the host of their parent. */
static void wake_subports(struct reconciler *r, const struct tables *t, uuid parent)
{
	const struct port *p = port_first_by_trunk_parent(t, parent);
	for (; p; p = port_next_by_trunk_parent(t, p))
		wake_network(r, KIND_PORT, p->row.id);
}

/* Routes to a deleted port become unusable, and routes to a changed one may get another next hop. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	const struct port *port = port_of(after);
	bool is_new_wish = !row_is_live(after) || (before && before->gen != after->gen);
	if (is_new_wish && route_first_by_port(t, after->id))
		wake_network(r, KIND_ROUTER, port->router);
	if (before && before->gen != after->gen)
		wake_subports(r, t, after->id);
	wake_for_plug(r, port_of(before), port);
	wake_for_policies(r, before ? port_of(before) : NULL, port);
	bool is_seen_anew = before && (port_of(before)->seen_gen != port->seen_gen ||
				       port_of(before)->seen_up != port->seen_up);
	if (is_seen_anew)
		wake_entries_of(r, t, port);
	if (is_seen_anew && !uuid_is_none(port->instance))
		wake_migration(r, t, port->instance);
	wake_for_row(r, KIND_PORT, after);
}

static void wake_forgotten(struct reconciler *r, const struct tables *t, const struct row *row)
{
	(void) t;
	const struct port *port = port_of(row);
	wake_network(r, KIND_NETWORK, port->network);
	wake_network(r, KIND_ROUTER, port->router);
	wake_network(r, KIND_ROUTER, port->interface_of);
}

const struct resource reconcile_port = {
	.step = step_port,
	.is_swept = true,
	.wakes = {{KIND_PORT, offsetof(struct port, row.id)},
		  {KIND_ROUTER, offsetof(struct port, interface_of)}},
	.wake_changed = wake_changed,
	.wake_forgotten = wake_forgotten,
};

/* ---- QoS policies ---- */

/* A change of a rule changes its policy, and an end of a policy the ports and networks that had it. */
static void wake_for_qos(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	const struct port *p = before ? port_first_by_qos_policy(t, after->id) : NULL;
	for (; p; p = port_next_by_qos_policy(t, p))
		wake_network(r, KIND_PORT, p->row.id);
	const struct network *n = before ? network_first_by_qos_policy(t, after->id) : NULL;
	for (; n; n = network_next_by_qos_policy(t, n))
		for (p = port_first_by_network(t, n->row.id); p; p = port_next_by_network(t, p))
			if (uuid_is_none(p->qos_policy))
				wake_network(r, KIND_PORT, p->row.id);
}

const struct resource reconcile_qos_policy = {.wake_changed = wake_for_qos};
