/* SPDX-License-Identifier: Apache-2.0
 * Compares the number of rows with the number of things that simulated hosts and networks have. */
#include <stdio.h>
#include <stdlib.h>

#include "cloud.h"
#include "drivers/sim/compute_state.h"
#include "engine/balancing/balancing.h"
#include "engine/vpn/vpn.h"
#include "model/states.h"
#include "store/address.h"
#include "store/instance.h"
#include "store/port.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/snapshot.h"
#include "store/subnet.h"
#include "store/volume.h"
#include "store/vpn_connection.h"
#include "store/vpn_gateway.h"
#include "store/vpn_tunnel.h"
#include "strangers.h"

struct tally {
	int64_t domains, running, disks, cuts, ports, addresses, groups, routers;
};

/* A row of a port without a port in the network: a router's interface, or the front of a load balancer, whose address the
 * router itself implements. */
static bool is_of_router(const struct tables *t, const struct port *p)
{
	return !uuid_is_none(p->interface_of) || engine_is_router_front(t, p);
}

/* The public address of a load balancer's front is part of the balancer in the network. */
static bool is_at_front(const struct tables *t, const struct address *a)
{
	const struct port *p = port_find(t, a->port);
	return p && engine_is_router_front(t, p);
}

/* A router with a VPN tunnel is in the network without ports of its own. */
static bool runs_tunnel(const struct tables *t, uuid router)
{
	const struct vpn_gateway *g = engine_get_vpn_gateway(t, router);
	const struct vpn_connection *c = g ? engine_next_vpn_connection(t, g->row.id, NULL) : NULL;
	for (; c; c = engine_next_vpn_connection(t, g->row.id, c))
		for (const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(t, c->row.id); n;
		     n = vpn_tunnel_next_by_connection(t, n))
			if (engine_runs_vpn_tunnel(t, n))
				return true;
	return false;
}

/* In one of its networks, perhaps on a subnet of nobody's. */
static bool is_in_network(const struct tables *t, uuid router)
{
	for (const struct subnet *s = subnet_first_by_router(t, router); s; s = subnet_next_by_router(t, s))
		for (const struct port *p = port_first_by_network(t, s->network); p;
		     p = port_next_by_network(t, p))
			if (row_is_live(&s->row) && row_is_live(&p->row) && uuid_is_none(p->interface_of))
				return true;
	const struct port *p = port_first_by_router(t, router);
	while (p && !row_is_live(&p->row))
		p = port_next_by_router(t, p);
	return p || runs_tunnel(t, router);
}

static struct tally tally_rows(struct cloud *c)
{
	struct tally n = {0};
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct tables *t = view.tables;
	for (const struct instance *i = instance_first(t); i; i = instance_next(t, i)) {
		n.domains += i->seen_power != INSTANCE_SEEN_POWER_ABSENT;
		n.running += i->seen_power == INSTANCE_SEEN_POWER_ON;
	}
	for (const struct volume *v = volume_first(t); v; v = volume_next(t, v))
		n.disks += v->seen_size > 0;
	for (const struct snapshot *s = snapshot_first(t); s; s = snapshot_next(t, s))
		n.cuts += !uuid_is_none(s->host) && s->seen_stage == SNAPSHOT_SEEN_STAGE_CUT;
	for (const struct port *p = port_first(t); p; p = port_next(t, p))
		n.ports += row_is_live(&p->row) && !is_of_router(t, p);
	for (const struct address *a = address_first(t); a; a = address_next(t, a))
		n.addresses += row_is_live(&a->row) && !uuid_is_none(a->port) && !is_at_front(t, a);
	for (const struct security_group *g = security_group_first(t); g; g = security_group_next(t, g))
		n.groups += row_is_live(&g->row);
	for (const struct router *r = router_first(t); r; r = router_next(t, r))
		n.routers += is_in_network(t, r->row.id);
	return n;
}

static struct tally tally_things(void)
{
	struct sim_counts sim = {0};
	sim_compute_count(&sim);
	return (struct tally){sim.domains,
			      sim.running,
			      sim.disks,
			      sim.cuts,
			      (int64_t) network_sim_count(NETWORK_ITEM_PORT),
			      (int64_t) network_sim_count(NETWORK_ITEM_ADDRESS),
			      (int64_t) network_sim_count(NETWORK_ITEM_GROUP),
			      (int64_t) network_sim_count(NETWORK_ITEM_ROUTER)};
}

size_t cloud_count_leaks(struct cloud *c)
{
	static const char *const names[] = {"domains", "running",   "disks",  "cuts",
					    "ports",   "addresses", "groups", "routers"};
	struct tally rows = tally_rows(c), things = tally_things();
	size_t leaks = strangers_count(c);
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		int64_t row = ((int64_t *) &rows)[k], thing = ((int64_t *) &things)[k];
		if (row != thing)
			print_message("seed %llu: %s: %lld by rows, %lld there\n",
				      (unsigned long long) c->seed, names[k], (long long) row,
				      (long long) thing);
		leaks += (size_t) llabs(row - thing);
	}
	return leaks;
}
