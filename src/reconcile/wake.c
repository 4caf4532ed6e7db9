/* SPDX-License-Identifier: Apache-2.0
 * Who has to look because of what: a publish, a host's return, the slow timer. A wake follows from rows
 * alone, costs O(1) and only posts; what only a look can tell, the step finds out and goes on from there. */
#include "engine/instance_event.h"
#include "engine/placement.h"
#include "reconcile/instance_plan.h"
#include "reconcile/work.h"
#include "store/rows.h"

enum { ROWS_A_PAGE = 500 };

static void wake_network(struct reconciler *r, enum kind kind, uuid id)
{
	if (!uuid_is_none(id))
		work_wake(r, lane_network(r), kind, id, WAKE_WISH);
}

/* While the host is away nobody is queued on it. Whoever finds it not ready had his rows published
 * before; the host, once ready, looks at the rows of then. */
static void wake_on_host(struct reconciler *r, uuid host, enum kind kind, uuid id)
{
	struct rec_host *h = uuid_is_none(host) ? NULL : hosts_find(r, host);
	if (h && atomic_load(&h->is_ready))
		work_wake(r, kind == KIND_INSTANCE ? h->lane : h->disks.lane, kind, id, WAKE_WISH);
}

static void wake_host(struct reconciler *r, const struct host *row)
{
	struct rec_host *h = hosts_ensure(r, row);
	if (h)
		work_wake(r, h->lane, KIND_HOST, row->row.id, WAKE_WISH);
}

/* One that is on no host is placed, or forgotten, from here. */
static void wake_instance(struct reconciler *r, const struct instance *i)
{
	if (uuid_is_none(i->host) || instance_has_ended(i))
		work_wake(r, lane_home(r), KIND_INSTANCE, i->row.id, WAKE_WISH);
	else
		wake_on_host(r, i->host, KIND_INSTANCE, i->row.id);
}

/* Where it has left a copy, then where it is to be. What is to be done first on the host that it comes from,
 * the step finds out (wake_volume_on). */
static void wake_volume(struct reconciler *r, const struct volume *v)
{
	uuid host = uuid_is_none(v->left_host) ? v->host : v->left_host;
	if (uuid_is_none(host))
		work_wake(r, lane_home(r), KIND_VOLUME, v->row.id, WAKE_WISH);
	else
		wake_on_host(r, host, KIND_VOLUME, v->row.id);
	if (!uuid_is_none(v->instance)) /* it may have waited for its disk */
		wake_on_host(r, v->host, KIND_INSTANCE, v->instance);
	if (!uuid_is_none(v->seen_instance) && !uuid_equal(v->seen_instance, v->instance))
		wake_on_host(r, v->host, KIND_INSTANCE, v->seen_instance); /* it is to let go of it */
}

void wake_volume_on(struct reconciler *r, uuid host, uuid volume)
{
	wake_on_host(r, host, KIND_VOLUME, volume);
}

/* A port came or is to go: the instance that has it plugs. A port may be made with the instance that it is
 * for, or for one that runs. */
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

/* Routes to a port that goes lead nowhere from now on; to one that changes, perhaps to another address. */
static void wake_for_next_hop(struct reconciler *r, const struct tables *t, const struct port *port)
{
	if (route_first_by_port(t, port->row.id))
		wake_network(r, KIND_ROUTER, port->router);
}

static void wake_for_port(struct reconciler *r, const struct tables *t, const struct port *before,
			  const struct port *after)
{
	if (!row_is_live(&after->row) || (before && before->row.gen != after->row.gen))
		wake_for_next_hop(r, t, after);
	wake_for_plug(r, before, after);
}

/* An instance is held off for it, or no longer; and so is what is to become of its volume. */
static void wake_for_snapshot(struct reconciler *r, const struct tables *t, const struct snapshot *snapshot)
{
	const struct volume *v = volume_find(t, snapshot->volume);
	if (v)
		wake_volume(r, v);
	for (v = snapshot->is_bound ? volume_first_by_snapshot(t, snapshot->row.id) : NULL; v;
	     v = volume_next_by_snapshot(t, v))
		wake_volume(r, v); /* a copy that waits for it */
	if (snapshot->needs_off && !uuid_is_none(snapshot->instance))
		wake_on_host(r, snapshot->host, KIND_INSTANCE, snapshot->instance);
}

/* It is part of its router until it has ended; then it is to be forgotten some day. */
static void wake_nat_gateway(struct reconciler *r, const struct nat_gateway *n)
{
	if (n->ended_us != 0)
		work_wake(r, lane_home(r), KIND_NAT_GATEWAY, n->row.id, WAKE_WISH);
	else
		wake_network(r, KIND_ROUTER, n->router);
}

/* It is part of both its routers until it is over; one that waits is to expire, one that is over to be
 * forgotten some day. */
static void wake_peering(struct reconciler *r, const struct peering *p)
{
	if (p->is_accepted && p->ended_us == 0) {
		wake_network(r, KIND_ROUTER, p->router);
		wake_network(r, KIND_ROUTER, p->peer_router);
	} else {
		work_wake(r, lane_home(r), KIND_PEERING, p->row.id, WAKE_WISH);
	}
}

/* One that nothing on a host is of any more may be forgotten from here; or is made here, of another one. */
static void wake_snapshot(struct reconciler *r, const struct snapshot *snapshot)
{
	if (!uuid_is_none(snapshot->host))
		wake_on_host(r, snapshot->host, KIND_SNAPSHOT, snapshot->row.id);
	else if (!row_is_live(&snapshot->row))
		work_wake(r, lane_home(r), KIND_SNAPSHOT, snapshot->row.id, WAKE_WISH);
	else if (snapshot->plain_sha256.n) /* to be encrypted, which lasts as long as a fetch */
		work_wake(r, lane_fetches(snapshot->account), KIND_SNAPSHOT, snapshot->row.id, WAKE_WISH);
}

/* Snapshots may have waited for its going off. */
static void wake_for_power(struct reconciler *r, const struct tables *t, const struct instance *before,
			   const struct instance *after)
{
	if (before->seen_power == after->seen_power || after->seen_power == INSTANCE_SEEN_POWER_ON)
		return;
	for (const struct snapshot *s = snapshot_first_by_instance(t, after->row.id); s;
	     s = snapshot_next_by_instance(t, s))
		wake_snapshot(r, s);
}

/* Its event may be over with that; and it is held for the event, or no longer. */
static void wake_event(struct reconciler *r, const struct tables *t, const struct instance *i)
{
	const struct instance_event *e = engine_find_event(t, i->row.id);
	if (e && e->ended_us == 0)
		work_wake(r, lane_home(r), KIND_INSTANCE_EVENT, e->row.id, WAKE_WISH);
}

static void wake_for_event(struct reconciler *r, const struct tables *t, const struct instance_event *e)
{
	const struct instance *i = instance_find(t, e->instance);
	if (i)
		wake_instance(r, i);
}

void wake_for_row(struct reconciler *r, enum kind kind, const struct row *row)
{
	switch ((int) kind) {
	case KIND_INSTANCE:
		wake_instance(r, (const struct instance *) row);
		break;
	case KIND_VOLUME:
		wake_volume(r, (const struct volume *) row);
		break;
	case KIND_HOST:
		wake_host(r, (const struct host *) row);
		break;
	case KIND_IMAGE:
		if (!row_is_live(row))
			work_wake(r, lane_home(r), kind, row->id, WAKE_WISH);
		else if (((const struct image *) row)->fetch_url.n)
			work_wake(r, lane_fetches(((const struct image *) row)->account), kind, row->id,
				  WAKE_WISH);
		else if (((const struct image *) row)->is_imported)
			work_wake(r, lane_images(r, row->id), kind, row->id, WAKE_WISH);
		break;
	case KIND_IMPORT_SNAPSHOT_TASK:
		work_wake(r, lane_fetches(((const struct import_snapshot_task *) row)->account), kind,
			  row->id, WAKE_WISH);
		break;
	case KIND_IMPORT_IMAGE_TASK:
		work_wake(r, lane_home(r), kind, row->id, WAKE_WISH);
		break;
	case KIND_SNAPSHOT:
		wake_snapshot(r, (const struct snapshot *) row);
		break;
	case KIND_NETWORK:
	case KIND_ROUTER:
	case KIND_SECURITY_GROUP:
	case KIND_ADDRESS:
		wake_network(r, kind, row->id);
		break;
	case KIND_PORT:
		wake_network(r, kind, row->id);
		wake_network(r, KIND_ROUTER, ((const struct port *) row)->interface_of);
		break;
	case KIND_SUBNET:
		wake_network(r, KIND_NETWORK, ((const struct subnet *) row)->network);
		wake_network(r, KIND_ROUTER, ((const struct subnet *) row)->router);
		break;
	case KIND_GATEWAY:
		wake_network(r, KIND_ROUTER, ((const struct gateway *) row)->router);
		break;
	case KIND_EGRESS_GATEWAY:
		wake_network(r, KIND_ROUTER, ((const struct egress_gateway *) row)->router);
		break;
	case KIND_ROUTE_TABLE:
		wake_network(r, KIND_ROUTER, ((const struct route_table *) row)->router);
		break;
	case KIND_NETWORK_ACL: /* its entries change with it */
		wake_network(r, KIND_ROUTER, ((const struct network_acl *) row)->router);
		break;
	case KIND_NAT_GATEWAY:
		wake_nat_gateway(r, (const struct nat_gateway *) row);
		break;
	case KIND_INSTANCE_EVENT:
		if (engine_may_follow_event((const struct instance_event *) row))
			work_wake(r, lane_home(r), kind, row->id, WAKE_WISH);
		break;
	case KIND_PEERING:
		wake_peering(r, (const struct peering *) row);
		break;
	case KIND_SECURITY_GROUP_RULE:
		wake_network(r, KIND_SECURITY_GROUP, ((const struct security_group_rule *) row)->group);
		break;
	default:
		break;
	}
}

/* ---- a publish ---- */

/* A route knows its table only; the table knows the router. */
static void wake_for_route(struct reconciler *r, const struct tables *t, const struct route *route)
{
	const struct route_table *table = route_table_find(t, route->table);
	if (table)
		wake_network(r, KIND_ROUTER, table->router);
}

/* A network that goes down or up takes its ports with it. */
static void wake_for_segment(struct reconciler *r, const struct tables *t, const struct network *before,
			     const struct network *after)
{
	if (!before || before->is_down == after->is_down)
		return;
	for (const struct port *p = port_first_by_network(t, after->row.id); p;
	     p = port_next_by_network(t, p))
		wake_network(r, KIND_PORT, p->row.id);
}

/* A network without ports is told by the routers that other subnets of it are on. */
static void wake_for_neighbours(struct reconciler *r, const struct tables *t, const struct subnet *subnet)
{
	for (const struct subnet *s = subnet_first_by_network(t, subnet->network); s;
	     s = subnet_next_by_network(t, s))
		wake_network(r, KIND_ROUTER, s->router);
}

/* It is in the network as rules of the groups that name it. */
static void wake_for_addresses(struct reconciler *r, const struct tables *t, uuid addresses)
{
	for (const struct security_group_rule *rule =
		     security_group_rule_first_by_peer_address_group(t, addresses);
	     rule; rule = security_group_rule_next_by_peer_address_group(t, rule))
		wake_network(r, KIND_SECURITY_GROUP, rule->group);
}

/* Rules by a group of a peer's let nothing through once that, or the peering, is gone. */
static void wake_for_peering(struct reconciler *r, const struct tables *t, uuid peering)
{
	for (const struct security_group_rule *rule = security_group_rule_first_by_peering(t, peering); rule;
	     rule = security_group_rule_next_by_peering(t, rule))
		wake_network(r, KIND_SECURITY_GROUP, rule->group);
}

static void wake_for_peers(struct reconciler *r, const struct tables *t, uuid group)
{
	for (const struct security_group_rule *rule = security_group_rule_first_by_peer_group(t, group); rule;
	     rule = security_group_rule_next_by_peer_group(t, rule))
		if (!uuid_is_none(rule->peering))
			wake_network(r, KIND_SECURITY_GROUP, rule->group);
}

/* Rules by a group of another VPC count while it is associated with theirs. */
static void wake_for_association(struct reconciler *r, const struct tables *t,
				 const struct security_group_association *association)
{
	const struct security_group_rule *rule =
		security_group_rule_first_by_peer_group(t, association->group);
	for (; rule; rule = security_group_rule_next_by_peer_group(t, rule))
		if (!uuid_equal(rule->group, association->group))
			wake_network(r, KIND_SECURITY_GROUP, rule->group);
}

static void wake_for_place(struct reconciler *r, const struct tables *t, const struct published *p)
{
	if (p->before)
		wake_for_row(r, p->kind, p->before); /* it may have been moved */
	if (p->kind == KIND_SUBNET)
		wake_for_neighbours(r, t, (const struct subnet *) p->after);
}

/* A disk is back: the instance may have waited for it. */
static void wake_for_condition(struct reconciler *r, const struct tables *t,
			       const struct condition *condition)
{
	if (condition->subject_kind != KIND_VOLUME)
		return;
	const struct volume *v = volume_find(t, condition->subject);
	if (v)
		wake_volume(r, v);
}

/* What is in a disk's way is its instance's as well. */
static void wake_for_obstacle(struct reconciler *r, const struct tables *t, const struct condition *condition)
{
	if (condition->subject_kind != KIND_VOLUME)
		return;
	const struct volume *v = volume_find(t, condition->subject);
	if (v && !uuid_is_none(v->instance))
		wake_on_host(r, v->host, KIND_INSTANCE, v->instance);
}

/* What something was made from may have waited for the last such thing. */
static void wake_deleted(struct reconciler *r, const struct tables *t, enum kind kind, uuid id)
{
	const struct row *row = tables_find(t, kind, id);
	if (row && !row_is_live(row))
		wake_for_row(r, kind, row);
}

/* What is gone for good: whatever waited for that. */
static void wake_for_forgotten(struct reconciler *r, const struct tables *t, enum kind kind,
			       const struct row *row)
{
	switch ((int) kind) {
	case KIND_HOST: /* its connection is to be closed */
	case KIND_SUBNET:
	case KIND_GATEWAY:
	case KIND_EGRESS_GATEWAY:
	case KIND_ROUTE_TABLE:
	case KIND_SECURITY_GROUP_RULE:
		wake_for_row(r, kind, row);
		break;
	case KIND_PORT:
		wake_network(r, KIND_NETWORK, ((const struct port *) row)->network);
		wake_network(r, KIND_ROUTER, ((const struct port *) row)->router);
		wake_network(r, KIND_ROUTER, ((const struct port *) row)->interface_of);
		break;
	case KIND_SECURITY_GROUP_ASSOCIATION:
		wake_for_association(r, t, (const struct security_group_association *) row);
		break;
	case KIND_SECONDARY_IP: /* a subnet is forgotten after the addresses in it */
		wake_deleted(r, t, KIND_SUBNET, ((const struct secondary_ip *) row)->subnet);
		break;
	case KIND_CONDITION:
		wake_for_condition(r, t, (const struct condition *) row);
		break;
	case KIND_INSTANCE:
		wake_deleted(r, t, KIND_IMAGE, ((const struct instance *) row)->image);
		break;
	case KIND_VOLUME:
		wake_deleted(r, t, KIND_SNAPSHOT, ((const struct volume *) row)->snapshot);
		break;
	default:
		break;
	}
}

/* What is in the network as parts of others. */
static void wake_for_parts(struct reconciler *r, const struct tables *t, const struct published *p)
{
	if (p->kind == KIND_NETWORK)
		wake_for_segment(r, t, (const struct network *) p->before, (const struct network *) p->after);
	if (p->kind == KIND_ADDRESS_GROUP && p->before)
		wake_for_addresses(r, t, p->after->id);
	if (p->kind == KIND_PEERING && !row_is_live(p->after))
		wake_for_peering(r, t, p->after->id);
	if (p->kind == KIND_SECURITY_GROUP && !row_is_live(p->after))
		wake_for_peers(r, t, p->after->id);
	if (p->kind == KIND_SECURITY_GROUP_ASSOCIATION)
		wake_for_association(r, t, (const struct security_group_association *) p->after);
}

static bool takes_instances(const struct host *h)
{
	return h && placement_check_host(h, &(struct placement_need){0}) == PLACEMENT_FITS;
}

static void wake_for_host(struct reconciler *r, const struct host *before, const struct host *after)
{
	if (!before || before->row.gen != after->row.gen)
		wake_host(r, after);
	if (!before || before->seen_state != after->seen_state)
		reconciler_wake_routers_soon(r); /* their way out leads over hosts */
	if (!takes_instances(before) && takes_instances(after))
		reconciler_wake_unplaced_soon(r);
}

static void wake_for_change(struct reconciler *r, const struct tables *t, const struct published *p)
{
	if (p->kind == KIND_HOST) {
		wake_for_host(r, (const struct host *) p->before, (const struct host *) p->after);
		return;
	}
	wake_for_parts(r, t, p);
	if (p->kind == KIND_PORT)
		wake_for_port(r, t, (const struct port *) p->before, (const struct port *) p->after);
	if (p->kind == KIND_GATEWAY || p->kind == KIND_SUBNET)
		wake_for_place(r, t, p);
	if (p->kind == KIND_CONDITION)
		wake_for_obstacle(r, t, (const struct condition *) p->after);
	if (p->kind == KIND_INSTANCE && p->before)
		wake_for_power(r, t, (const struct instance *) p->before, (const struct instance *) p->after);
	if (p->kind == KIND_INSTANCE)
		wake_event(r, t, (const struct instance *) p->after);
	if (p->kind == KIND_INSTANCE_EVENT)
		wake_for_event(r, t, (const struct instance_event *) p->after);
	if (p->kind == KIND_SNAPSHOT)
		wake_for_snapshot(r, t, (const struct snapshot *) p->after);
	wake_for_row(r, p->kind, p->after);
}

void wake_on_publish(void *self, const struct tables *t, const struct published *published, size_t count)
{
	struct reconciler *r = self;
	for (size_t k = 0; k < count; k++) {
		const struct published *p = &published[k];
		if (p->kind == KIND_ROUTE)
			wake_for_route(r, t, (const struct route *) (p->after ? p->after : p->before));
		else if (p->after)
			wake_for_change(r, t, p);
		else
			wake_for_forgotten(r, t, p->kind, p->before);
	}
}

/* ---- many at once ---- */

void wake_all_on(struct rec_host *h)
{
	struct reconciler *r = h->reconciler;
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	const struct tables *t = view.tables;
	for (const struct volume *v = volume_first_by_host(t, h->id); v; v = volume_next_by_host(t, v))
		wake_volume(r, v);
	for (const struct volume *v = volume_first_by_seen_host(t, h->id); v;
	     v = volume_next_by_seen_host(t, v))
		if (!uuid_equal(v->host, v->seen_host))
			wake_volume(r, v);
	for (const struct volume *v = volume_first_by_left_host(t, h->id); v;
	     v = volume_next_by_left_host(t, v))
		wake_volume(r, v);
	for (const struct snapshot *s = snapshot_first_by_host(t, h->id); s; s = snapshot_next_by_host(t, s))
		wake_snapshot(r, s);
	for (const struct instance *i = instance_first_by_host(view.tables, h->id); i;
	     i = instance_next_by_host(view.tables, i))
		wake_instance(r, i);
}

/* Wakes whoever is concerned by any row of the kind. A page of rows a view, for publishes wait for
 * a view that walks; a row that appears behind the page wakes by its publish. */
static void wake_kind(struct reconciler *r, enum kind kind)
{
	struct row last = {.id = UUID_NONE};
	for (size_t count = ROWS_A_PAGE; count == ROWS_A_PAGE;) {
		AUTO_VIEW view = {0};
		view_open(r->store, &view);
		const struct row *row = tables_seek(view.tables, kind, 0, &last, 1);
		if (row && uuid_equal(row->id, last.id))
			row = tables_next(view.tables, kind, 0, row, 0);
		for (count = 0; row && count < ROWS_A_PAGE; count++) {
			wake_for_row(r, kind, row);
			last.id = row->id;
			row = tables_next(view.tables, kind, 0, row, 0);
		}
	}
}

void wake_all(struct reconciler *r)
{
	static const enum kind kinds[] = {KIND_HOST,
					  KIND_VOLUME,
					  KIND_INSTANCE,
					  KIND_IMAGE,
					  KIND_SNAPSHOT,
					  KIND_NETWORK,
					  KIND_ROUTER,
					  KIND_SECURITY_GROUP,
					  KIND_PORT,
					  KIND_ADDRESS,
					  KIND_NAT_GATEWAY,
					  KIND_PEERING,
					  KIND_INSTANCE_EVENT,
					  KIND_IMPORT_SNAPSHOT_TASK,
					  KIND_IMPORT_IMAGE_TASK};
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		wake_kind(r, kinds[k]);
}

void wake_hosts(struct reconciler *r)
{
	wake_kind(r, KIND_HOST);
	wake_kind(r, KIND_INSTANCE_EVENT);
}

void wake_gateway_routers(struct reconciler *r)
{
	wake_kind(r, KIND_GATEWAY);
	wake_kind(r, KIND_NAT_GATEWAY);
}

void wake_unplaced(struct reconciler *r)
{
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	const struct tables *t = view.tables;
	for (const struct instance *i = instance_first_by_host(t, UUID_NONE); i;
	     i = instance_next_by_host(t, i))
		wake_instance(r, i);
}
