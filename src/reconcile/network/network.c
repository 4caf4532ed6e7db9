/* SPDX-License-Identifier: Apache-2.0
 * Steps of networks with their subnets: maintain one logical switch and its DHCP options. The switch exists
 * only while the network contains a port or is attached to a router that has ports; it is removed with the
 * last of them. */
#include "engine/network/network.h"
#include "engine/network/subnet.h"
#include "model/port_prefix.h"
#include "model/secondary_ip.h"
#include "reconcile/work.h"
#include "store/external_network.h"
#include "store/network.h"
#include "store/port.h"
#include "store/subnet.h"

struct segment_rows {
	struct network_segment wish;
	bool has_ports;
	bool is_external;
	bool is_in_use; /* a port, or a subnet attached to a router: its removal wakes the network */
	VEC(const struct subnet *) deleted_subnets; /* without a router; a router's step forgets its own
						     * deleted subnets */
};

static RESULT gather(struct step *s, struct segment_rows *ret_rows)
{
	*ret_rows = (struct segment_rows){0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	TRY(gather_segment(s, view.tables, s->id, &ret_rows->wish));
	ret_rows->has_ports = gather_network_has_ports(view.tables, s->id);
	ret_rows->is_external = external_network_find(view.tables, s->id) != NULL;
	ret_rows->is_in_use = port_first_by_network(view.tables, s->id) != NULL;
	for (const struct subnet *n = subnet_first_by_network(view.tables, s->id); n;
	     n = subnet_next_by_network(view.tables, n)) {
		ret_rows->is_in_use = ret_rows->is_in_use || !uuid_is_none(n->router);
		if (!row_is_live(&n->row) && uuid_is_none(n->router) &&
		    !VEC_PUSH(s->ctx.arena, &ret_rows->deleted_subnets,
			      STEP_COPY(s, KIND_SUBNET, struct subnet, n)))
			return ctx_no_memory(&s->ctx);
	}
	return OK;
}

static RESULT remove_network(struct step *s, uuid network, bool *ret_is_gone)
{
	struct result result = s->r->network.driver->remove_network(s->r->network.self, &s->ctx, network);
	*ret_is_gone = result_is_ok(result);
	if (result.code != ERR_AGAIN)
		return result;
	ctx_clear_problem(&s->ctx);
	return OK;
}

RESULT reconcile_remove_unused_network(struct step *s, uuid network)
{
	bool is_gone = false;
	return remove_network(s, network, &is_gone);
}

/* Removal of a remaining part of the network wakes its step. */
static RESULT step_deleted(struct step *s, uuid network)
{
	bool is_gone = false;
	TRY(remove_network(s, network, &is_gone));
	return is_gone ? step_forget(s, KIND_NETWORK, network) : OK;
}

void reconcile_wake_routers_in(struct step *s, uuid network)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	for (const struct port *p = port_first_by_network(view.tables, network); p;
	     p = port_next_by_network(view.tables, p))
		if (!uuid_is_none(p->interface_of))
			work_wake(s->r, lane_network(s->r), KIND_ROUTER, p->interface_of, WAKE_WISH);
	for (const struct subnet *n = subnet_first_by_network(view.tables, network); n;
	     n = subnet_next_by_network(view.tables, n))
		if (!uuid_is_none(n->router))
			work_wake(s->r, lane_network(s->r), KIND_ROUTER, n->router, WAKE_WISH);
}

void reconcile_wake_told_apart(struct step *s, uuid network)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	for (const struct port *p = port_first_by_network(view.tables, network); p;
	     p = port_next_by_network(view.tables, p))
		if (row_is_live(&p->row) && reconcile_is_told_apart(view.tables, p))
			work_wake(s->r, lane_network(s->r), KIND_PORT, p->row.id, WAKE_WISH);
}

static RESULT step_network(struct step *s)
{
	struct segment_rows rows = {0};
	TRY(gather(s, &rows));
	if (!rows.wish.network)
		return OK;
	for (size_t k = 0; k < rows.deleted_subnets.count; k++)
		TRY(step_forget(s, KIND_SUBNET, rows.deleted_subnets.at[k]->row.id));
	if (!row_is_live(&rows.wish.network->row))
		return step_deleted(s, s->id);
	if (rows.is_external) /* its switch belongs to the routers with a gateway there */
		return OK;
	reconcile_wake_told_apart(s, s->id);
	if (rows.has_ports)
		return s->r->network.driver->apply_network(s->r->network.self, &s->ctx, &rows.wish);
	/* The last port may also have been the last one of routers that its row does not name. */
	reconcile_wake_routers_in(s, s->id);
	bool is_gone = false;
	TRY(remove_network(s, s->id, &is_gone));
	if (is_gone || rows.is_in_use)
		return OK;
	return ctx_fail(&s->ctx, ERR_AGAIN, "a router that its subnets have left is still in it");
}

/* ---- wake-ups ---- */

/* Disabling or enabling a network also changes its ports, and another QoS policy their limits. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	const struct network *was = network_of(before), *is = network_of(after);
	bool concerns_ports =
		was && (was->is_down != is->is_down || !uuid_equal(was->qos_policy, is->qos_policy));
	const struct port *p = concerns_ports ? port_first_by_network(t, after->id) : NULL;
	for (; p; p = port_next_by_network(t, p))
		wake_network(r, KIND_PORT, p->row.id);
	wake_for_row(r, KIND_NETWORK, after);
}

const struct resource reconcile_network = {
	.step = step_network,
	.is_swept = true,
	.wakes = {{KIND_NETWORK, offsetof(struct network, row.id)}},
	.wake_changed = wake_changed,
};

/* The subnet's port policy changed, which affects every interface in the subnet. */
static void wake_for_policy(struct reconciler *r, const struct tables *t, const struct subnet *before,
			    const struct subnet *after)
{
	if (before ? uuid_equal(before->policy, after->policy) : uuid_is_none(after->policy))
		return;
	wake_network(r, KIND_PORT_POLICY, after->policy);
	if (before)
		wake_network(r, KIND_PORT_POLICY, before->policy);
	for (const struct port *p = port_first_by_in_subnet(t, after->row.id); p;
	     p = port_next_by_in_subnet(t, p))
		wake_network(r, KIND_PORT, p->row.id);
}

/* Policies can name "the virtual network", which for a network without a router means its subnets: wakes such
 * policies when the subnets change. */
static void wake_for_own_blocks(struct reconciler *r, const struct tables *t, const struct subnet *before,
				const struct subnet *after)
{
	bool is_as_before = before && row_is_live(&before->row) == row_is_live(&after->row) &&
			    uuid_equal(before->router, after->router) &&
			    cidr_equal(before->block, after->block);
	if (is_as_before)
		return;
	for (const struct subnet *s = subnet_first_by_network(t, after->network); s;
	     s = subnet_next_by_network(t, s))
		if (uuid_is_none(s->router))
			wake_network(r, KIND_PORT_POLICY, s->policy);
	for (const struct port *p = port_first_by_network(t, after->network); p;
	     p = port_next_by_network(t, p))
		if (uuid_is_none(p->router))
			wake_network(r, KIND_PORT_POLICY, p->policy);
}

/* A subnet may move between routers. A network without ports is removed by the routers of its other
 * subnets. */
static void wake_for_subnet(struct reconciler *r, const struct tables *t, const struct row *before,
			    const struct row *after)
{
	const struct subnet *s = subnet_first_by_network(t, subnet_of(after)->network);
	if (before)
		wake_for_row(r, KIND_SUBNET, before);
	for (; s; s = subnet_next_by_network(t, s))
		wake_network(r, KIND_ROUTER, s->router);
	wake_for_policy(r, t, before ? subnet_of(before) : NULL, subnet_of(after));
	wake_for_own_blocks(r, t, before ? subnet_of(before) : NULL, subnet_of(after));
	wake_for_row(r, KIND_SUBNET, after);
}

const struct resource reconcile_subnet = {
	.wakes = {{KIND_NETWORK, offsetof(struct subnet, network)},
		  {KIND_ROUTER, offsetof(struct subnet, router)}},
	.wake_changed = wake_for_subnet,
	.wakes_forgotten = true,
};

/* The subnet is forgotten after the addresses in it. */
static void wake_for_secondary_ip(struct reconciler *r, const struct tables *t, const struct row *row)
{
	wake_deleted(r, t, KIND_SUBNET, secondary_ip_of(row)->subnet);
}

const struct resource reconcile_secondary_ip = {.wake_forgotten = wake_for_secondary_ip};

/* The subnet is forgotten after the prefixes in it; the router has routes to them. */
static void wake_for_port_prefix(struct reconciler *r, const struct tables *t, const struct row *row)
{
	wake_deleted(r, t, KIND_SUBNET, port_prefix_of(row)->subnet);
}

const struct resource reconcile_port_prefix = {.wakes = {{KIND_ROUTER, offsetof(struct port_prefix, router)}},
					       .wake_forgotten = wake_for_port_prefix};
