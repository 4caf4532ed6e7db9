/* SPDX-License-Identifier: Apache-2.0
 * Steps of VPN tunnels: bring the IKE daemon of a tunnel to its rows, and report whether the tunnel is up. A tick of the timer looks
 * at each tunnel; a daemon that has ended is started again. The VPC's router implements the network around a tunnel, and leads
 * routes to a tunnel that is up. */
#include "engine/vpn/vpn.h"
#include "base/crypto.h"
#include "drivers/vpn.h"
#include "engine/network/external_network.h"
#include "engine/vpn/vpnaas.h"
#include "reconcile/work.h"
#include "store/address.h"
#include "store/customer_gateway.h"
#include "store/external_network.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/vpn_connection.h"
#include "store/vpn_gateway.h"
#include "store/vpn_route.h"
#include "store/vpn_tunnel.h"

/* ---- the router's part ---- */

struct tunnels {
	VEC(struct network_tunnel) at;
};
struct vpn_routes {
	VEC(struct network_vpn_route) at;
};

/* The host of a tunnel's public address: another one than the first tunnel's, if there is one. */
static struct str choose_host(struct step *s, const struct host_names *hosts, uuid tunnel, struct str taken)
{
	struct host_names others = {0};
	for (size_t k = 0; k < hosts->at.count; k++)
		if (!str_equal(hosts->at.at[k].name, taken) &&
		    !VEC_PUSH(s->ctx.arena, &others.at, hosts->at.at[k]))
			return STR_NONE;
	return gather_choose_host(others.at.count ? &others : hosts, tunnel, UUID_NONE);
}

static RESULT gather_connection(struct step *s, const struct tables *t, const struct host_names *hosts,
				uuid connection, struct tunnels *tunnels)
{
	struct str taken = STR_NONE;
	for (const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(t, connection); n;
	     n = vpn_tunnel_next_by_connection(t, n)) {
		const struct address *address = address_find(t, n->address);
		const struct external_network *external =
			address ? external_network_find(t, address->external_network) : NULL;
		struct str chassis = choose_host(s, hosts, engine_get_vpn_daemon(n), taken);
		if (!external || !chassis.n || !engine_runs_vpn_tunnel(t, n))
			continue;
		uuid id = engine_get_vpn_daemon(n);
		bool is_there = false;
		for (size_t k = 0; k < tunnels->at.count; k++)
			is_there = is_there || uuid_equal(tunnels->at.at[k].id, id);
		if (is_there)
			continue; /* tunnels of a service share what is around the daemon */
		struct external_network seen = *external;
		seen.next_hop = engine_get_outer_hop(t, external, n->outside_ip);
		const struct network_tunnel tunnel = {
			.id = id,
			.tunnel = STEP_COPY(s, KIND_VPN_TUNNEL, struct vpn_tunnel, n),
			.link = model_get_vpn_link(id, n->link),
			.external = STEP_COPY(s, KIND_EXTERNAL_NETWORK, struct external_network, &seen),
			.chassis = chassis,
			.leg_chassis = str_from(s->r->own_chassis)};
		if (!VEC_PUSH(s->ctx.arena, &tunnels->at, tunnel))
			return ctx_no_memory(&s->ctx);
		taken = chassis;
	}
	return OK;
}

static RESULT gather_ways(struct step *s, const struct tables *t, uuid router, struct vpn_routes *routes)
{
	for (const struct route_table *rt = route_table_first_by_router(t, router); rt;
	     rt = route_table_next_by_router(t, rt)) {
		struct vpn_ways ways = {0};
		if (!row_is_live(&rt->row))
			continue;
		if (!engine_list_vpn_ways(s->ctx.arena, t, rt->row.id, &ways))
			return ctx_no_memory(&s->ctx);
		for (size_t k = 0; k < ways.count; k++) {
			const struct vpn_tunnel *n = ways.at[k].tunnel;
			const struct network_vpn_route route = {rt->row.id, ways.at[k].to,
								n ? engine_get_vpn_daemon(n) : UUID_NONE};
			if (!VEC_PUSH(s->ctx.arena, &routes->at, route))
				return ctx_no_memory(&s->ctx);
		}
	}
	return OK;
}

RESULT vpn_gather(struct step *s, const struct tables *t, const struct host_names *hosts, uuid router,
		  struct router_rows *rows)
{
	struct tunnels tunnels = {0};
	struct vpn_routes routes = {0};
	const struct vpn_gateway *g = engine_get_vpn_gateway(t, router);
	if (!g)
		return OK;
	for (const struct vpn_connection *c = engine_next_vpn_connection(t, g->row.id, NULL); c;
	     c = engine_next_vpn_connection(t, g->row.id, c))
		TRY(gather_connection(s, t, hosts, c->row.id, &tunnels));
	TRY(gather_ways(s, t, router, &routes));
	rows->wish.tunnels = tunnels.at.at;
	rows->wish.tunnel_count = tunnels.at.count;
	rows->wish.vpn_routes = routes.at.at;
	rows->wish.vpn_route_count = routes.at.count;
	rows->has_ports = rows->has_ports || tunnels.at.count > 0;
	return OK;
}

/* ---- the daemon's step ---- */

struct peers {
	VEC(struct vpn_peer) at;
};
struct blocks {
	VEC(struct cidr) at;
};

struct tunnel_rows {
	const struct vpn_tunnel *tunnel; /* NULL: the row does not exist */
	bool runs;
	uuid daemon;
	struct peers peers; /* those of the daemon that run; none: it ends */
	struct blocks blocks;
	struct vpn_wish wish;
};

static RESULT open_key(struct step *s, const struct tables *t, const struct vpn_tunnel *tunnel,
		       struct str *ret_key)
{
	uuid id = UUID_NONE;
	struct str sealed = engine_get_vpn_key(t, tunnel, &id);
	if (!s->r->master_key)
		return ctx_fail(&s->ctx, ERR_UNSUPPORTED,
				"there is no master key to open the pre-shared key");
	return crypto_open(&s->ctx, s->r->master_key, (struct str){(const char *) id.b, sizeof id.b}, sealed,
			   ret_key);
}

static RESULT add_blocks(struct step *s, struct blocks *blocks, struct cidrs more)
{
	for (size_t k = 0; k < more.count; k++)
		if (!VEC_PUSH(s->ctx.arena, &blocks->at, more.at[k]))
			return ctx_no_memory(&s->ctx);
	return OK;
}

/* Traffic selectors: those of a service's connection, of a customer gateway (CloudStack), or of the connection itself (EC2). What
 * comes out of a service's tunnels reaches its own selectors alone, since a router of Neutron has no blocks. */
static RESULT gather_selectors(struct step *s, const struct tables *t, const struct vpn_connection *c,
			       struct tunnel_rows *rows, struct vpn_peer *peer)
{
	const struct vpn_gateway *g = vpn_gateway_find(t, c->vpn_gateway);
	const struct router *router = STEP_COPY(s, KIND_ROUTER, struct router, router_find(t, g->router));
	const struct vpn_connection *copy = STEP_COPY(s, KIND_VPN_CONNECTION, struct vpn_connection, c);
	struct cidrs own = {&copy->remote_cidr, !cidr_is_none(copy->remote_cidr)},
		     theirs = {&copy->local_cidr, !cidr_is_none(copy->local_cidr)};
	if (!uuid_is_none(c->service)) {
		if (!engine_list_vpn_selectors(s->ctx.arena, t, copy, &own, &theirs))
			return ctx_no_memory(&s->ctx);
		TRY(add_blocks(s, &rows->blocks, own));
	} else if (c->follows_customer) {
		theirs = STEP_COPY(s, KIND_CUSTOMER_GATEWAY, struct customer_gateway,
				   customer_gateway_find(t, c->customer_gateway))
				 ->remote_cidrs;
		if (router->blocks.count)
			own = (struct cidrs){router->blocks.at, 1};
	}
	peer->own = own.at;
	peer->own_count = own.count;
	peer->theirs = theirs.at;
	peer->theirs_count = theirs.count;
	return uuid_is_none(c->service) ? add_blocks(s, &rows->blocks, router->blocks) : OK;
}

static RESULT gather_peer(struct step *s, const struct tables *t, const struct vpn_tunnel *n,
			  struct tunnel_rows *rows)
{
	const struct vpn_connection *c = vpn_connection_find(t, n->connection);
	const struct vpn_gateway *g = vpn_gateway_find(t, c->vpn_gateway);
	const struct customer_gateway *customer = customer_gateway_find(t, c->customer_gateway);
	if (!customer || !router_find(t, g->router))
		return ctx_fail(&s->ctx, ERR_INTERNAL, "the tunnel's customer gateway or VPC is gone");
	const struct vpn_connection *copy = STEP_COPY(s, KIND_VPN_CONNECTION, struct vpn_connection, c);
	struct vpn_peer peer = {.tunnel = STEP_COPY(s, KIND_VPN_TUNNEL, struct vpn_tunnel, n),
				.address = customer->ip,
				.own_id = copy->local_id,
				.their_id = copy->peer_id,
				.mtu = copy->mtu};
	TRY(gather_selectors(s, t, c, rows, &peer));
	TRY(open_key(s, t, n, &peer.key));
	return VEC_PUSH(s->ctx.arena, &rows->peers.at, peer) ? OK : ctx_no_memory(&s->ctx);
}

static RESULT gather(struct step *s, struct tunnel_rows *ret_rows)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct vpn_tunnel *n = vpn_tunnel_find(view.tables, s->id);
	*ret_rows = (struct tunnel_rows){0};
	if (!n)
		return OK;
	ret_rows->tunnel = STEP_COPY(s, KIND_VPN_TUNNEL, struct vpn_tunnel, n);
	ret_rows->runs = engine_runs_vpn_tunnel(view.tables, n);
	ret_rows->daemon = engine_get_vpn_daemon(n);
	ret_rows->wish.id = ret_rows->daemon;
	ret_rows->wish.link = model_get_vpn_link(ret_rows->daemon, n->link);
	if (uuid_is_none(n->service))
		return ret_rows->runs ? gather_peer(s, view.tables, n, ret_rows) : OK;
	for (n = vpn_tunnel_first_by_service(view.tables, n->service); n;
	     n = vpn_tunnel_next_by_service(view.tables, n))
		if (engine_runs_vpn_tunnel(view.tables, n))
			TRY(gather_peer(s, view.tables, n, ret_rows));
	return OK;
}

static RESULT report(struct step *s, const struct vpn_tunnel *n, bool is_up)
{
	if (n->is_up == is_up && n->seen_gen == (int64_t) n->row.gen)
		return OK;
	struct vpn_tunnel_report *report = STEP_NEW(s, struct vpn_tunnel_report);
	*report = (struct vpn_tunnel_report){s->id, n->row.gen, is_up};
	step_report(s, engine_see_vpn_tunnel_run, report);
	return OK;
}

static RESULT step_tunnel(struct step *s)
{
	const struct vpn_driver *driver = s->r->vpns.driver;
	struct tunnel_rows rows = {0};
	bool is_up = false;
	TRY(gather(s, &rows));
	if (!rows.tunnel)
		return OK;
	if (!driver)
		return ctx_fail(&s->ctx, ERR_UNSUPPORTED, "this region has no machine that runs VPN tunnels");
	rows.wish.peers = rows.peers.at.at;
	rows.wish.peer_count = rows.peers.at.count;
	rows.wish.blocks = rows.blocks.at.at;
	rows.wish.block_count = rows.blocks.at.count;
	if (rows.wish.peer_count == 0)
		TRY(driver->remove(s->r->vpns.self, &s->ctx, rows.daemon));
	else
		TRY(driver->apply(s->r->vpns.self, &s->ctx, &rows.wish));
	if (!rows.runs)
		return row_is_live(&rows.tunnel->row) ? report(s, rows.tunnel, false)
						      : step_forget(s, KIND_VPN_TUNNEL, s->id);
	TRY(driver->see(s->r->vpns.self, &s->ctx, rows.daemon, s->id, &is_up));
	return report(s, rows.tunnel, is_up);
}

/* ---- wake-ups ---- */

/* In the lane of the daemon, so that steps of its tunnels come one after another. */
static void wake_tunnel(struct reconciler *r, const struct row *row)
{
	uuid daemon = engine_get_vpn_daemon(vpn_tunnel_of(row));
	work_wake(r, lane_proxies(r, daemon), KIND_VPN_TUNNEL, row->id, WAKE_WISH);
}

void wake_vpn_tunnels(struct reconciler *r)
{
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	for (const struct vpn_tunnel *n = vpn_tunnel_first(view.tables); n;
	     n = vpn_tunnel_next(view.tables, n))
		wake_tunnel(r, &n->row);
}

static void wake_tunnels_of(struct reconciler *r, const struct tables *t, uuid connection)
{
	for (const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(t, connection); n;
	     n = vpn_tunnel_next_by_connection(t, n))
		wake_tunnel(r, &n->row);
}

static void wake_router_of(struct reconciler *r, const struct tables *t, uuid connection)
{
	const struct vpn_connection *c = vpn_connection_find(t, connection);
	const struct vpn_gateway *g = c ? vpn_gateway_find(t, c->vpn_gateway) : NULL;
	if (g)
		wake_network(r, KIND_ROUTER, g->router);
}

/* The router leads to another tunnel when one goes up or down. Reports of the gen that a step has reached need no further step of
 * the tunnel. */
static void wake_for_tunnel(struct reconciler *r, const struct tables *t, const struct row *before,
			    const struct row *after)
{
	wake_router_of(r, t, vpn_tunnel_of(after)->connection);
	if (!before || before->gen != after->gen || row_is_live(before) != row_is_live(after))
		wake_tunnel(r, after);
}

const struct resource reconcile_vpn_tunnel = {
	.step = step_tunnel, .is_swept = true, .wake = wake_tunnel, .wake_changed = wake_for_tunnel};

static void wake_for_connection(struct reconciler *r, const struct tables *t, const struct row *before,
				const struct row *after)
{
	const struct vpn_gateway *was =
		before ? vpn_gateway_find(t, vpn_connection_of(before)->vpn_gateway) : NULL;
	if (was)
		wake_network(r, KIND_ROUTER, was->router);
	wake_router_of(r, t, after->id);
	wake_tunnels_of(r, t, after->id);
}

static void wake_gone(struct reconciler *r, enum kind kind, const struct row *row)
{
	if (!row_is_live(row))
		work_wake(r, lane_home(r), kind, row->id, WAKE_WISH);
}

static void wake_gone_connection(struct reconciler *r, const struct row *row)
{
	wake_gone(r, KIND_VPN_CONNECTION, row);
}

const struct resource reconcile_vpn_connection = {.step = step_ended,
						  .is_swept = true,
						  .wake = wake_gone_connection,
						  .wake_changed = wake_for_connection};

static void wake_for_gateway(struct reconciler *r, const struct tables *t, const struct row *before,
			     const struct row *after)
{
	if (before)
		wake_network(r, KIND_ROUTER, vpn_gateway_of(before)->router);
	wake_network(r, KIND_ROUTER, vpn_gateway_of(after)->router);
	for (const struct vpn_connection *c = engine_next_vpn_connection(t, after->id, NULL); c;
	     c = engine_next_vpn_connection(t, after->id, c))
		wake_tunnels_of(r, t, c->row.id);
}

static void wake_gone_gateway(struct reconciler *r, const struct row *row)
{
	wake_gone(r, KIND_VPN_GATEWAY, row);
}

const struct resource reconcile_vpn_gateway = {
	.step = step_ended, .is_swept = true, .wake = wake_gone_gateway, .wake_changed = wake_for_gateway};

static void wake_gone_customer(struct reconciler *r, const struct row *row)
{
	wake_gone(r, KIND_CUSTOMER_GATEWAY, row);
}

const struct resource reconcile_customer_gateway = {
	.step = step_ended, .is_swept = true, .wake = wake_gone_customer};

static void wake_for_gone_route(struct reconciler *r, const struct tables *t, const struct row *row)
{
	wake_router_of(r, t, vpn_route_of(row)->connection);
}

static void wake_for_route(struct reconciler *r, const struct tables *t, const struct row *before,
			   const struct row *after)
{
	(void) before;
	wake_for_gone_route(r, t, after);
}

const struct resource reconcile_vpn_route = {.wake_changed = wake_for_route,
					     .wake_forgotten = wake_for_gone_route};

/* The namespaces of its tunnels have routes to the VPC's blocks. */
void wake_vpn_tunnels_behind(struct reconciler *r, const struct tables *t, uuid router)
{
	const struct vpn_gateway *g = engine_get_vpn_gateway(t, router);
	for (const struct vpn_connection *c = g ? engine_next_vpn_connection(t, g->row.id, NULL) : NULL; c;
	     c = engine_next_vpn_connection(t, g->row.id, c))
		wake_tunnels_of(r, t, c->row.id);
}

/* The hosts that carry public addresses of tunnels may have changed. */
void wake_vpn_routers(struct reconciler *r)
{
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	for (const struct vpn_gateway *g = vpn_gateway_first(view.tables); g;
	     g = vpn_gateway_next(view.tables, g))
		wake_network(r, KIND_ROUTER, g->router);
}
