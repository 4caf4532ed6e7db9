/* SPDX-License-Identifier: Apache-2.0
 * Ends of connections between VPC endpoints and endpoint services: entries at the consumer's router, exits at the provider's. An entry
 * connects to the exit of its zone once the network has that, and is carried by another host if there is one. */
#include "engine/balancing/balancing.h"
#include "engine/network/routing/endpoint_service.h"
#include "reconcile/work.h"
#include "store/elastic_load_balancer.h"
#include "store/endpoint_service.h"
#include "store/listener.h"
#include "store/load_balancer.h"
#include "store/port.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/subnet.h"
#include "store/vpc_endpoint.h"

/* NULL: the port is gone or being deleted, or its subnet is gone. */
static const struct port *find_end(const struct tables *t, uuid id)
{
	const struct port *port = port_find(t, id);
	return port && row_is_live(&port->row) && subnet_find(t, port->subnet) ? port : NULL;
}

/* ---- entries ---- */

struct gathered_rules {
	VEC(const struct security_group_rule *) at;
};

static RESULT gather_rules(struct step *s, const struct tables *t, const struct vpc_endpoint *e,
			   struct network_entry *entry)
{
	struct gathered_rules rules = {0};
	for (size_t k = 0; k < e->groups.count; k++) {
		struct network_group group = {0};
		TRY(gather_group(s, t, e->groups.at[k], &group));
		for (size_t i = 0; i < group.rule_count; i++)
			if (!VEC_PUSH(s->ctx.arena, &rules.at, group.rules[i]))
				return ctx_no_memory(&s->ctx);
	}
	entry->rules = rules.at.at;
	entry->rule_count = rules.at.count;
	return OK;
}

static uuid zone_of(const struct tables *t, const struct port *port)
{
	const struct subnet *subnet = subnet_find(t, port->subnet);
	return subnet ? subnet->zone : UUID_NONE;
}

/* NULL: the endpoint's service has no interface in the zone, or is gone. */
static const struct port *find_leg(const struct tables *t, const struct vpc_endpoint *e, uuid zone)
{
	const struct endpoint_service *service = endpoint_service_find(t, e->endpoint_service);
	const struct port *leg = service ? engine_find_service_leg(t, service, zone) : NULL;
	return leg && row_is_live(&leg->row) ? leg : NULL;
}

/* The host of an entry: not that of its exit, if there is another. */
static struct str choose_host(struct step *s, const struct host_names *hosts, uuid front,
			      const struct port *leg, uuid zone)
{
	struct host_names others = {0};
	struct str of_exit = leg ? gather_choose_host(hosts, leg->row.id, zone) : STR_NONE;
	for (size_t k = 0; k < hosts->at.count; k++)
		if (!str_equal(hosts->at.at[k].name, of_exit))
			if (!VEC_PUSH(s->ctx.arena, &others.at, hosts->at.at[k]))
				return STR_NONE;
	return gather_choose_host(others.at.count ? &others : hosts, front, zone);
}

static RESULT gather_entry(struct step *s, const struct tables *t, const struct host_names *hosts,
			   const struct vpc_endpoint *e, const struct port *front,
			   struct network_entry *entry)
{
	const struct subnet *subnet = subnet_find(t, front->subnet);
	const struct port *leg = find_leg(t, e, zone_of(t, front));
	bool is_connected = leg && leg->seen_gen > 0 && e->acceptance == VPC_ENDPOINT_ACCEPTANCE_ACCEPTED;
	*entry = (struct network_entry){.port = STEP_COPY(s, KIND_PORT, struct port, front),
					.subnet = STEP_COPY(s, KIND_SUBNET, struct subnet, subnet),
					.chassis = choose_host(s, hosts, front->row.id, leg, subnet->zone),
					.link = e->link,
					.leg = is_connected ? leg->row.id : UUID_NONE};
	return gather_rules(s, t, e, entry);
}

struct entries {
	VEC(struct network_entry) at;
};

static RESULT gather_entries(struct step *s, const struct tables *t, const struct host_names *hosts,
			     uuid router, struct router_rows *rows)
{
	struct entries entries = {0};
	for (const struct vpc_endpoint *e = vpc_endpoint_first_by_router(t, router); e;
	     e = vpc_endpoint_next_by_router(t, e))
		for (size_t k = 0; k < e->fronts.count && !uuid_is_none(e->endpoint_service); k++) {
			const struct port *front = find_end(t, e->fronts.at[k]);
			struct network_entry entry = {0};
			if (!front)
				continue;
			TRY(gather_entry(s, t, hosts, e, front, &entry));
			if (entry.chassis.n && !VEC_PUSH(s->ctx.arena, &entries.at, entry))
				return ctx_no_memory(&s->ctx);
		}
	rows->wish.entries = entries.at.at;
	rows->wish.entry_count = entries.at.count;
	return OK;
}

/* ---- exits ---- */

struct balancers {
	VEC(struct network_balancer) at;
};

/* A load balancer with a proxy has no rows for its listeners: the proxy at the front's address is the only target. */
static RESULT add_proxied(struct step *s, const struct tables *t, const struct elastic_load_balancer *b,
			  const struct port *front, struct balancers *found)
{
	for (const struct listener *l = listener_first_by_elastic_load_balancer(t, b->row.id); l;
	     l = listener_next_by_elastic_load_balancer(t, l)) {
		struct load_balancer *one = STEP_NEW(s, struct load_balancer);
		struct network_member *member = STEP_NEW(s, struct network_member);
		*one = (struct load_balancer){.row.id = l->row.id,
					      .protocol = LOAD_BALANCER_PROTOCOL_TCP,
					      .public_port = l->port,
					      .private_port = l->port,
					      .is_unasked = true};
		*member = (struct network_member){.ip = front->ip, .port = front->row.id};
		const struct network_balancer balancer = {
			.balancer = one, .members = member, .member_count = 1};
		if (!VEC_PUSH(s->ctx.arena, &found->at, balancer))
			return ctx_no_memory(&s->ctx);
	}
	return OK;
}

static RESULT add_routed(struct step *s, const struct router_rows *rows, uuid front, struct balancers *found)
{
	for (size_t k = 0; k < rows->wish.balancer_count; k++)
		if (uuid_equal(rows->wish.balancers[k].balancer->front, front) &&
		    !VEC_PUSH(s->ctx.arena, &found->at, rows->wish.balancers[k]))
			return ctx_no_memory(&s->ctx);
	return OK;
}

/* The listeners of the load balancer that has a front in the leg's subnet. */
static RESULT gather_balancers(struct step *s, const struct tables *t, const struct endpoint_service *service,
			       const struct port *leg, const struct router_rows *rows,
			       struct network_exit *exit)
{
	struct balancers found = {0};
	for (size_t k = 0; k < service->balancers.count; k++) {
		const struct elastic_load_balancer *b =
			elastic_load_balancer_find(t, service->balancers.at[k]);
		for (size_t i = 0; b && i < b->fronts.count; i++) {
			const struct port *front = port_find(t, b->fronts.at[i]);
			if (!front || !uuid_equal(front->subnet, leg->subnet))
				continue;
			TRY(engine_is_proxied(t, front) ? add_proxied(s, t, b, front, &found)
							: add_routed(s, rows, front->row.id, &found));
		}
	}
	exit->balancers = found.at.at;
	exit->balancer_count = found.at.count;
	return OK;
}

struct exits {
	VEC(struct network_exit) at;
};

static RESULT gather_exits(struct step *s, const struct tables *t, const struct host_names *hosts,
			   uuid router, struct router_rows *rows)
{
	struct exits exits = {0};
	for (const struct endpoint_service *o = endpoint_service_first_by_router(t, router); o;
	     o = endpoint_service_next_by_router(t, o))
		for (size_t k = 0; k < o->legs.count; k++) {
			const struct port *leg = find_end(t, o->legs.at[k]);
			if (!leg)
				continue;
			const struct subnet *subnet = subnet_find(t, leg->subnet);
			struct network_exit exit = {
				.port = STEP_COPY(s, KIND_PORT, struct port, leg),
				.subnet = STEP_COPY(s, KIND_SUBNET, struct subnet, subnet),
				.chassis = gather_choose_host(hosts, leg->row.id, subnet->zone)};
			TRY(gather_balancers(s, t, o, leg, rows, &exit));
			if (exit.chassis.n && !VEC_PUSH(s->ctx.arena, &exits.at, exit))
				return ctx_no_memory(&s->ctx);
		}
	rows->wish.exits = exits.at.at;
	rows->wish.exit_count = exits.at.count;
	return OK;
}

RESULT gather_endpoints(struct step *s, const struct tables *t, const struct host_names *hosts, uuid router,
			struct router_rows *rows)
{
	TRY(gather_entries(s, t, hosts, router, rows));
	return gather_exits(s, t, hosts, router, rows);
}

/* ---- wake-ups ---- */

const struct resource reconcile_vpc_endpoint = {
	.wakes = {{KIND_ROUTER, offsetof(struct vpc_endpoint, router)}},
	.wakes_forgotten = true,
};

/* Entries connect once the network has the service's interface. */
void wake_entries_of(struct reconciler *r, const struct tables *t, const struct port *leg)
{
	uuid service;
	if (!engine_is_service_leg(t, leg) || !result_is_ok(uuid_parse(leg->device_id, &service)))
		return;
	for (const struct vpc_endpoint *e = vpc_endpoint_first_by_endpoint_service(t, service); e;
	     e = vpc_endpoint_next_by_endpoint_service(t, e))
		wake_network(r, KIND_ROUTER, e->router);
}

/* Wakes the service's router and those of its endpoints: endpoints connect to other interfaces of a changed service, and to no
 * interface of a deleted one. */
static void wake_for_gone_service(struct reconciler *r, const struct tables *t, const struct row *row)
{
	wake_network(r, KIND_ROUTER, endpoint_service_of(row)->router);
	for (const struct vpc_endpoint *e = vpc_endpoint_first_by_endpoint_service(t, row->id); e;
	     e = vpc_endpoint_next_by_endpoint_service(t, e))
		wake_network(r, KIND_ROUTER, e->router);
}

static void wake_for_service(struct reconciler *r, const struct tables *t, const struct row *before,
			     const struct row *after)
{
	(void) before;
	wake_for_gone_service(r, t, after);
}

const struct resource reconcile_endpoint_service = {
	.wake_changed = wake_for_service,
	.wake_forgotten = wake_for_gone_service,
};

void wake_endpoints_with(struct reconciler *r, const struct tables *t, const struct security_group *group)
{
	for (const struct vpc_endpoint *e = vpc_endpoint_first_by_account(t, group->account); e;
	     e = vpc_endpoint_next_by_account(t, e))
		if (!uuid_is_none(e->endpoint_service) && uuids_have(&e->groups, group->row.id))
			wake_network(r, KIND_ROUTER, e->router);
}
