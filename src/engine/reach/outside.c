/* SPDX-License-Identifier: Apache-2.0
 * Between a router and the outside: the public address that a packet leaves with, and the destination of one
 * that enters, through an address, a port forwarding or a load balancer. */
#include <inttypes.h>
#include <netinet/in.h>

#include "engine/balancing/load_balancer.h"
#include "engine/network/port/port.h"
#include "engine/reach/reach_internal.h"
#include "engine/virtual/source_nat.h"
#include "store/address.h"
#include "store/gateway.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/port.h"
#include "store/port_forwarding.h"
#include "store/route.h"
#include "store/router.h"
#include "store/secondary_ip.h"
#include "store/subnet.h"

/* ---- address changes ---- */

/* The newest change that a reply has not reversed. A switch reverses its own load balancing. */
struct reach_change *reach_find_change(struct reach_walk *w)
{
	while (w->change_count && w->changes[w->change_count - 1].kind == REACH_BALANCED)
		w->change_count--;
	return w->change_count ? &w->changes[w->change_count - 1] : NULL;
}

/* The public address that a packet from inside leaves with. */
static const struct address *find_own_address(const struct reach_walk *w, const struct router *router,
					      struct ip ip)
{
	const struct port *port = engine_find_port_by_ip(w->t, router->row.id, ip);
	const struct address *a = port ? address_first_by_port(w->t, port->row.id) : NULL;
	for (; a; a = address_next_by_port(w->t, a))
		if (row_is_live(&a->row) &&
		    ip_equal(ip_is_none(a->private_ip) ? port->ip : a->private_ip, ip))
			return a;
	return NULL;
}

static struct ip find_outer_ip(struct reach_walk *w, const struct router *router, const struct gateway *g,
			       const struct address **ret_own)
{
	const struct address *own = find_own_address(w, router, w->p.from);
	const struct subnet *subnet = reach_find_subnet_of(w, router, w->p.from);
	const struct address *shared = g->translates ? address_find(w->t, g->address) : NULL;
	struct ips ips = {0};
	*ret_own = own;
	if (own)
		return own->ip;
	if (subnet && !engine_list_translated(w->c->arena, w->t, subnet->source_nat, &ips))
		w->has_failed = true;
	if (ips.count)
		return ips.at[0];
	*ret_own = shared && shared->ip.family == IP_V4 ? shared : NULL;
	return *ret_own ? shared->ip : (struct ip){0};
}

static enum reach_end hide(struct reach_walk *w, const struct router *router, const struct gateway *g)
{
	const struct address *own = NULL;
	struct ip outer = find_outer_ip(w, router, g, &own);
	struct reach_step step = {.stage = REACH_TRANSLATION,
				  .kind = own ? KIND_ADDRESS : KIND_GATEWAY,
				  .row = own ? own->row.id : g->row.id};
	if (ip_is_none(outer))
		return reach_stop(
			w, step,
			reach_print(w,
				    "%" STR_FMT " has no public address to go out under by gateway %" STR_FMT
				    ".",
				    reach_write_ip(w, w->p.from), reach_name(w, KIND_GATEWAY, g->row.id)),
			"Associate a public address with it, or lead its subnet out by a NAT gateway.");
	reach_say(w, step, "It goes on under the public address %" STR_FMT ".",
		  STR_ARG(reach_write_ip(w, outer)));
	struct reach_change change = {
		.kind = REACH_HIDDEN, .router = router, .before = w->p.from, .after = outer};
	if (!reach_add_change(w, change))
		return reach_stop(w, step, "It is translated too often.", NULL);
	w->p.from = outer;
	return reach_go_outside(w);
}

/* A reply leaves through the gateway that the request entered by. */
static enum reach_end uncover(struct reach_walk *w, const struct router *router, const struct gateway *g)
{
	struct reach_change *change = reach_find_change(w);
	if (!change || change->kind != REACH_UNCOVERED || change->router != router)
		return reach_stop(
			w, (struct reach_step){.stage = REACH_ROUTE, .kind = KIND_GATEWAY, .row = g->row.id},
			"The answer leaves by the internet gateway, by which the packet did not come.",
			"Add a route for the answer to the table of its subnet.");
	w->p.from = change->before;
	w->change_count--;
	return reach_go_outside(w);
}

enum reach_end reach_leave_router(struct reach_walk *w, const struct router *router, const struct route *r)
{
	const struct gateway *g = reach_find_gateway(w->t, router->row.id);
	if (w->p.to.family == IP_V6) {
		const struct subnet *s = reach_find_subnet_of(w, router, w->p.from);
		if (!s || !reach_is_open_outwards(w, router, s))
			return reach_stop(w,
					  (struct reach_step){
						  .stage = REACH_ROUTE, .kind = KIND_ROUTE, .row = r->row.id},
					  "The address that it comes from is none that the internet knows.",
					  "Give the subnet a block of the VPC's own.");
		return reach_go_outside(w);
	}
	return w->p.is_reply ? uncover(w, router, g) : hide(w, router, g);
}

/* ---- from outside ---- */

static enum reach_end come_in(struct reach_walk *w, const struct address *a, uuid router, struct ip to,
			      int64_t port)
{
	const struct router *row = router_find(w->t, router);
	const struct gateway *g = row ? reach_find_gateway(w->t, router) : NULL;
	struct reach_step step = {.stage = REACH_TRANSLATION, .kind = KIND_ADDRESS, .row = a->row.id};
	if (!g || !uuid_equal(g->external_network, a->external_network))
		return reach_stop(
			w, step,
			reach_print(w, "No internet gateway leads from %" STR_FMT " into VPC %" STR_FMT ".",
				    reach_write_ip(w, a->ip), reach_name(w, KIND_ROUTER, router)),
			"Attach an internet gateway to the VPC.");
	struct reach_change change = {.kind = REACH_UNCOVERED, .router = row, .before = w->p.to, .after = to};
	if (!reach_add_change(w, change))
		return reach_stop(w, step, "It is translated too often.", NULL);
	w->p.to = to;
	if (port >= 0)
		w->p.to_ports = (struct reach_ports){port, port};
	return reach_go(w, (struct reach_spot){row, NULL, g->route_table});
}

static int64_t protocol_of(enum port_forwarding_protocol protocol)
{
	return protocol == PORT_FORWARDING_PROTOCOL_UDP ? IPPROTO_UDP : IPPROTO_TCP;
}

static const struct port_forwarding *find_forwarding(const struct reach_walk *w, uuid address)
{
	const struct port_forwarding *f = port_forwarding_first_by_address(w->t, address);
	int64_t port = w->p.to_ports.first;
	while (f && !(protocol_of(f->protocol) == w->p.protocol && f->public_first <= port &&
		      port <= f->public_last))
		f = port_forwarding_next_by_address(w->t, f);
	return f;
}

static int64_t forwarded_port(const struct reach_walk *w, const struct port_forwarding *f)
{
	bool is_one = f->private_first == f->private_last;
	return f->private_first + (is_one ? 0 : w->p.to_ports.first - f->public_first);
}

static bool is_of(const struct reach_walk *w, const struct load_balancer *b)
{
	int64_t protocol = b->protocol == LOAD_BALANCER_PROTOCOL_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	return protocol == w->p.protocol && b->public_port == w->p.to_ports.first;
}

/* Prefers the member that the question is about; otherwise the first. NULL: no member is on. */
static const struct load_balancer_member *choose_member(const struct reach_walk *w,
							const struct load_balancer *b)
{
	const struct load_balancer_member *found = NULL,
					  *m = load_balancer_member_first_by_load_balancer(w->t, b->row.id);
	for (; m; m = load_balancer_member_next_by_load_balancer(w->t, m)) {
		bool is_asked_for = w->q->to && uuid_equal(m->port, w->q->to->row.id);
		if (engine_member_is_on(w->t, m) && (!found || is_asked_for))
			found = m;
	}
	return found;
}

static struct reach_step step_of(enum kind kind, uuid row)
{
	return (struct reach_step){.stage = REACH_BALANCER, .kind = kind, .row = row};
}

static const struct load_balancer_member *tell_balancer(struct reach_walk *w, const struct load_balancer *b)
{
	const struct load_balancer_member *m = choose_member(w, b);
	struct reach_step step = step_of(KIND_LOAD_BALANCER, b->row.id);
	if (!m)
		(void) reach_stop(w, step, "None of the load balancer's members is on.",
				  "Start one, or add one.");
	else
		reach_say(w, step,
			  "Load balancer %" STR_FMT " leads to one of its members: %" STR_FMT
			  ", port %" PRId64 ".",
			  STR_ARG(b->name), STR_ARG(reach_write_ip(w, m->private_ip)), b->private_port);
	return m;
}

static void tell_forwarding(struct reach_walk *w, const struct port_forwarding *f)
{
	reach_say(w, step_of(KIND_PORT_FORWARDING, f->row.id),
		  "The address forwards it to %" STR_FMT ", port %" PRId64 ".",
		  STR_ARG(reach_write_ip(w, f->private_ip)), forwarded_port(w, f));
}

static enum reach_end enter(struct reach_walk *w, const struct address *a)
{
	const struct port *port = uuid_is_none(a->port) ? NULL : port_find(w->t, a->port);
	const struct port_forwarding *f = find_forwarding(w, a->row.id);
	const struct load_balancer *b = load_balancer_first_by_address(w->t, a->row.id);
	while (b && !is_of(w, b))
		b = load_balancer_next_by_address(w->t, b);
	if (f) {
		tell_forwarding(w, f);
		return come_in(w, a, f->router, f->private_ip, forwarded_port(w, f));
	}
	if (b) {
		const struct load_balancer_member *m = tell_balancer(w, b);
		return m ? come_in(w, a, b->router, m->private_ip, b->private_port) : REACH_END_STOPPED;
	}
	struct reach_step step = {.stage = REACH_TRANSLATION, .kind = KIND_ADDRESS, .row = a->row.id};
	if (!port || !row_is_live(&port->row))
		return reach_stop(w, step,
				  reach_print(w,
					      "The public address %" STR_FMT
					      " stands for nothing that takes this.%" STR_FMT,
					      reach_write_ip(w, a->ip), STR_NONE),
				  "Associate it with an interface, or forward the port.");
	struct ip to = ip_is_none(a->private_ip) ? port->ip : a->private_ip;
	reach_say(w, step, "The public address %" STR_FMT " stands for %" STR_FMT ".",
		  STR_ARG(reach_write_ip(w, a->ip)), STR_ARG(reach_write_ip(w, to)));
	return come_in(w, a, engine_get_router_of_ip(w->t, port, to), to, -1);
}

/* IPv6 is not translated: the owner of the address is behind a router whose subnet is announced outside. */
static enum reach_end enter_ipv6(struct reach_walk *w)
{
	const struct port *port = port_first_by_ip(w->t, w->p.to);
	const struct secondary_ip *s = port ? NULL : secondary_ip_first_by_ip(w->t, w->p.to);
	if (s)
		port = port_find(w->t, s->port);
	uuid id = port ? engine_get_router_of_ip(w->t, port, w->p.to) : UUID_NONE;
	const struct router *router = uuid_is_none(id) ? NULL : router_find(w->t, id);
	const struct subnet *subnet = router ? reach_find_subnet_of(w, router, w->p.to) : NULL;
	struct reach_step step = {.stage = REACH_OUTSIDE};
	if (!subnet) {
		reach_say(w, step, "%" STR_FMT " lies outside of the region.", STR_ARG(reach_write_to(w)));
		return REACH_END_OUTSIDE;
	}
	if (!reach_is_open_outwards(w, router, subnet))
		return reach_stop(
			w,
			(struct reach_step){.stage = REACH_ROUTE, .kind = KIND_SUBNET, .row = subnet->row.id},
			reach_print(w,
				    "No route leads out of subnet %" STR_FMT
				    ", so nothing from outside leads to %" STR_FMT ".",
				    reach_name(w, KIND_SUBNET, subnet->row.id), reach_write_to(w)),
			"Add a route to ::/0 by an internet gateway.");
	const struct gateway *g = reach_find_gateway(w->t, router->row.id);
	return reach_go(w, (struct reach_spot){router, NULL, g ? g->route_table : UUID_NONE});
}

enum reach_end reach_go_outside(struct reach_walk *w)
{
	struct reach_change *change = w->p.is_reply ? reach_find_change(w) : NULL;
	if (change && change->kind == REACH_HIDDEN && ip_equal(change->after, w->p.to)) {
		const struct gateway *g = reach_find_gateway(w->t, change->router->row.id);
		w->p.to = change->before;
		w->change_count--;
		return reach_go(w, (struct reach_spot){change->router, NULL, g ? g->route_table : UUID_NONE});
	}
	if (w->p.to.family == IP_V6)
		return enter_ipv6(w);
	const struct address *a = w->p.is_reply ? NULL : address_find_by_public(w->t, w->p.to);
	if (a)
		return enter(w, a);
	reach_say(w, (struct reach_step){.stage = REACH_OUTSIDE}, "%" STR_FMT " lies outside of the region.",
		  STR_ARG(reach_write_to(w)));
	return REACH_END_OUTSIDE;
}

/* ---- from inside ---- */

/* Finds a port forwarding of the router for the packet. */
static bool find_forwarded(struct reach_walk *w, const struct router *router, struct ip *ret_to,
			   int64_t *ret_port)
{
	const struct port_forwarding *f = reach_find_gateway(w->t, router->row.id)
						  ? port_forwarding_first_by_router(w->t, router->row.id)
						  : NULL;
	for (; f; f = port_forwarding_next_by_router(w->t, f)) {
		const struct address *a = address_find(w->t, f->address);
		if (!a || !ip_equal(a->ip, w->p.to) || find_forwarding(w, a->row.id) != f)
			continue;
		tell_forwarding(w, f);
		*ret_to = f->private_ip;
		*ret_port = forwarded_port(w, f);
		return true;
	}
	return false;
}

static struct ip get_front_ip(const struct reach_walk *w, const struct router *router,
			      const struct load_balancer *b)
{
	const struct address *a = address_find(w->t, b->address);
	const struct port *front = port_find(w->t, b->front);
	if (front)
		return front->ip;
	return a && reach_find_gateway(w->t, router->row.id) ? a->ip : (struct ip){0};
}

static const struct load_balancer *find_balancer(const struct reach_walk *w, const struct router *router)
{
	const struct load_balancer *b = load_balancer_first_by_router(w->t, router->row.id);
	while (b && !(is_of(w, b) && ip_equal(get_front_ip(w, router, b), w->p.to)))
		b = load_balancer_next_by_router(w->t, b);
	return b;
}

bool reach_balance(struct reach_walk *w, const struct router *router, bool *ret_stops)
{
	struct ip to = {0};
	int64_t port = -1;
	if (!find_forwarded(w, router, &to, &port)) {
		const struct load_balancer *b = find_balancer(w, router);
		const struct load_balancer_member *m = b ? tell_balancer(w, b) : NULL;
		*ret_stops = b && !m;
		if (!m)
			return false;
		to = m->private_ip;
		port = b->private_port;
	}
	*ret_stops = !reach_add_change(w, (struct reach_change){.kind = REACH_BALANCED});
	w->p.to = to;
	w->p.to_ports = (struct reach_ports){port, port};
	return true;
}
