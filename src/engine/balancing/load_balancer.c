/* SPDX-License-Identifier: Apache-2.0
 * Load balancers and their members. A load balancer is part of the router in front of its members
 * (reconcile/network/router.c): the first member decides which router, and without members there is none. */
#include "engine/balancing/load_balancer.h"

#include <inttypes.h>

#include "engine/balancing/balancing_internal.h"
#include "engine/balancing/load_balancer_internal.h"
#include "engine/internal.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/address/port_forwarding.h"
#include "engine/network/address/port_forwarding_internal.h"
#include "engine/network/filter/firewall.h"
#include "engine/network/filter/firewall_internal.h"
#include "engine/network/network_offering_internal.h"
#include "engine/network/port/port.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/subnet_internal.h"
#include "engine/tag_internal.h"
#include "engine/virtual/balancer_set_internal.h"
#include "store/address.h"
#include "store/instance.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/network.h"
#include "store/port.h"
#include "store/subnet.h"

/* ---- load balancers ---- */

static RESULT log_change(struct op *op, const struct load_balancer *b, const char *what)
{
	const struct port *front = port_find(op->head, b->front);
	const struct row *about = front ? &front->row : &address_find(op->head, b->address)->row;
	return engine_log_event(op, front ? KIND_PORT : KIND_ADDRESS, about, what,
				"%s port %" PRId64 " to ports %" PRId64 ".",
				load_balancer_protocol_words[b->protocol], b->public_port, b->private_port);
}

static RESULT check_name(struct op *op, struct str name)
{
	return engine_check_name(op, KIND_LOAD_BALANCER, name);
}

/* Only a network's firewall can restrict clients. */
static RESULT check_sources(struct op *op, uuid network, struct cidrs sources)
{
	const struct network *row = uuid_is_none(network) ? NULL : network_find(op->head, network);
	if (sources.count && !(row && row->has_firewall))
		return ENGINE_FAIL(op, ERR_STATE, KIND_LOAD_BALANCER, STR("cidrlist"),
				   "A load balancer outside of a network with a firewall serves any client.");
	return firewall_check_blocks(op, KIND_LOAD_BALANCER, sources, STR("cidrlist"));
}

static RESULT check_ports(struct op *op, const struct load_balancer *b)
{
	bool is_public_bad = b->public_port < 1 || b->public_port > 65535;
	if (!is_public_bad && b->private_port >= 1 && b->private_port <= 65535)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_LOAD_BALANCER,
			     "Invalid value for port %" PRId64 ", 1 to 65535 are ports.",
			     is_public_bad ? b->public_port : b->private_port);
}

/* Creates the load balancer of a private frontend. The frontend's port decides the router from the
 * beginning. */
static RESULT create_private(struct op *op, struct load_balancer_wish *wish)
{
	const struct port *front = NULL;
	TRY(engine_find_own_port(op->ctx, op->head, &wish->front, &front));
	struct load_balancer made = {.row.gen = 1,
				     .account = front->account,
				     .front = front->row.id,
				     .router = front->router,
				     .protocol = wish->protocol,
				     .public_port = wish->public_port,
				     .private_port = wish->private_port,
				     .name = wish->name,
				     .algorithm = wish->algorithm};
	TRY(check_name(op, wish->name));
	TRY(check_ports(op, &made));
	TRY(engine_permit(op, "load_balancer.create", KIND_PORT, &front->row));
	for (const struct load_balancer *b = load_balancer_first_by_front(op->head, made.front); b;
	     b = load_balancer_next_by_front(op->head, b))
		if (b->protocol == made.protocol && b->public_port == made.public_port)
			return ctx_fail_kind(op->ctx, ERR_CONFLICT, KIND_LOAD_BALANCER,
					     "Port %" PRId64 " of the frontend is balanced already.",
					     made.public_port);
	made.row.id = wish->balancer = engine_new_id(op, KIND_LOAD_BALANCER);
	TRY(load_balancer_put(op, &made));
	return log_change(op, &made, "balanced");
}

RESULT engine_create_load_balancer(struct op *op, struct load_balancer_wish *wish)
{
	const struct address *address = NULL;
	const struct row *network = NULL;
	if (ref_is_given(&wish->front))
		return create_private(op, wish);
	TRY(port_forwarding_find_address(op, &wish->address, wish->may_be_source_nat, &address));
	TRY(engine_check_owner(op, &wish->account, address->account));
	if (ref_is_given(&wish->network))
		TRY(engine_find_usable(op->ctx, op->head, KIND_NETWORK, &wish->network, &network));
	TRY(check_name(op, wish->name));
	struct load_balancer made = {.row.gen = 1,
				     .account = address->account,
				     .address = address->row.id,
				     .protocol = wish->protocol,
				     .public_port = wish->public_port,
				     .private_port = wish->private_port,
				     .name = wish->name,
				     .description = wish->description,
				     .algorithm = wish->algorithm,
				     .sources = wish->sources,
				     .network = network ? network->id
						: address->is_elastic
							? address->for_network
							: engine_get_address_network(op->head, address)};
	TRY(network_check_service(op, made.network, NETWORK_LOAD_BALANCING, wish->address.field));
	TRY(check_ports(op, &made));
	TRY(port_forwarding_check_public(op, KIND_LOAD_BALANCER, UUID_NONE, made.address,
					 load_balancer_protocol_words[made.protocol], made.public_port,
					 made.public_port));
	if (!uuid_is_none(address->port) || !uuid_is_none(address->source_nat))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_ADDRESS, wish->address.field,
				   "The address stands for a network interface already.");
	TRY(check_sources(op, made.network, made.sources));
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(engine_permit(op, "load_balancer.create", KIND_ADDRESS, &address->row));
	made.row.id = engine_new_id(op, KIND_LOAD_BALANCER);
	TRY(load_balancer_put(op, &made));
	wish->balancer = made.row.id;
	TRY(log_change(op, &made, "balanced"));
	return wish->opens_firewall
		       ? firewall_open(op, made.address, load_balancer_protocol_words[made.protocol],
				       made.public_port, made.public_port, made.row.id)
		       : OK;
}

RESULT engine_change_load_balancer(struct op *op, struct load_balancer_change *wish)
{
	const struct load_balancer *present = NULL;
	TRY(engine_permit_load_balancer(op, &wish->balancer, "load_balancer.update", &present));
	struct load_balancer next = *present;
	next.name = wish->name ? *wish->name : present->name;
	next.description = wish->description ? *wish->description : present->description;
	next.algorithm = wish->sets_algorithm ? wish->algorithm : present->algorithm;
	next.sources = wish->sets_sources ? wish->sources : present->sources;
	next.row.gen++;
	if (wish->sets_sources)
		TRY(check_sources(op, next.network, next.sources));
	TRY(check_name(op, next.name));
	TRY(load_balancer_put(op, &next));
	return log_change(op, &next, "balancer changed");
}

RESULT load_balancer_end(struct op *op, const struct load_balancer *b)
{
	TRY(firewall_leave_related(op, b->row.id));
	TRY(log_change(op, b, "no longer balanced"));
	return load_balancer_forget(op, b->row.id);
}

static RESULT permit_members(struct op *op, const struct load_balancer *b, const char *permission)
{
	const struct load_balancer_member *m =
		load_balancer_member_first_by_load_balancer(op->head, b->row.id);
	for (; m; m = load_balancer_member_next_by_load_balancer(op->head, m))
		TRY(port_permit_end(op, permission, m->port));
	return OK;
}

RESULT load_balancer_permit_ends(struct op *op, uuid address, const char *permission)
{
	const struct load_balancer *b = load_balancer_first_by_address(op->head, address);
	for (; b; b = load_balancer_next_by_address(op->head, b))
		TRY(permit_members(op, b, permission));
	return OK;
}

RESULT engine_delete_load_balancer(struct op *op, struct load_balancer_target *wish)
{
	const struct load_balancer *b = NULL;
	TRY(engine_permit_load_balancer(op, &wish->balancer, "load_balancer.delete", &b));
	TRY(permit_members(op, b, "load_balancer.delete"));
	return load_balancer_end(op, b);
}

/* ---- members ---- */

bool load_balancer_reaches(const struct tables *t, const struct load_balancer *b, uuid router)
{
	uuid other = engine_get_forwarding_router(t, b->address);
	if (!uuid_is_none(b->front))
		return uuid_equal(b->router, router);
	return address_is_reachable(t, address_find(t, b->address), router) &&
	       (uuid_is_none(other) || uuid_equal(other, router));
}

static size_t count_members(const struct tables *t, uuid balancer)
{
	size_t count = 0;
	const struct load_balancer_member *m = load_balancer_member_first_by_load_balancer(t, balancer);
	for (; m; m = load_balancer_member_next_by_load_balancer(t, m))
		count++;
	return count;
}

/* The instance's port in the load balancer's network or, if it names none, the instance's only port. */
static RESULT find_port(struct op *op, const struct load_balancer *b, const struct ref *ref,
			const struct port **ret_port)
{
	const struct instance *instance = NULL;
	if (uuid_is_none(b->network))
		return port_find_target(op, &(struct ref){0}, ref, ret_port);
	TRY(engine_find_own_instance(op->ctx, op->head, ref, &instance));
	const struct port *port = port_first_by_instance(op->head, instance->row.id);
	while (port && !(row_is_live(&port->row) && uuid_equal(port->network, b->network)))
		port = port_next_by_instance(op->head, port);
	*ret_port = port;
	return port ? OK
		    : ENGINE_FAIL(op, ERR_STATE, KIND_LOAD_BALANCER, ref->field,
				  "The instance '%" STR_FMT
				  "' is not in the network that the load balancer is for.",
				  STR_ARG(ref->text));
}

static const struct load_balancer_member *find_member(const struct tables *t, uuid balancer, uuid instance)
{
	const struct load_balancer_member *m = load_balancer_member_first_by_load_balancer(t, balancer);
	for (; m; m = load_balancer_member_next_by_load_balancer(t, m)) {
		const struct port *port = port_find(t, m->port);
		if (port && uuid_equal(port->instance, instance))
			break;
	}
	return m;
}

static RESULT add_member(struct op *op, const struct ref *ref, struct load_balancer *b)
{
	const struct port *port = NULL;
	TRY(find_port(op, b, ref, &port));
	TRY(port_permit_end(op, "load_balancer.add", port->row.id));
	struct ip ip = engine_get_port_ip(op->head, port, IP_V4);
	uuid router = ip_is_none(ip) ? UUID_NONE : engine_get_router_of_ip(op->head, port, ip);
	if (find_member(op->head, b->row.id, port->instance))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_LOAD_BALANCER, ref->field,
				   "The instance '%" STR_FMT "' is a member of the load balancer already.",
				   STR_ARG(ref->text));
	if (!load_balancer_reaches(op->head, b, router))
		return ENGINE_FAIL(op, ERR_STATE, KIND_LOAD_BALANCER, ref->field,
				   "The instance '%" STR_FMT
				   "' cannot be reached from the public address of the load balancer.",
				   STR_ARG(ref->text));
	struct load_balancer_member made = {
		.row = {.id = engine_new_id(op, KIND_LOAD_BALANCER_MEMBER), .gen = 1},
		.account = b->account,
		.load_balancer = b->row.id,
		.port = port->row.id,
		.private_ip = ip};
	TRY(load_balancer_member_put(op, &made));
	b->router = router;
	return load_balancer_put(op, b);
}

RESULT engine_add_load_balancer_members(struct op *op, struct load_balancer_members *wish)
{
	const struct load_balancer *b = NULL;
	TRY(engine_permit_load_balancer(op, &wish->balancer, "load_balancer.add", &b));
	if (count_members(op->head, b->row.id) + wish->instances.count > LOAD_BALANCER_MEMBERS_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_LOAD_BALANCER,
				     "A load balancer has at most %d members.", LOAD_BALANCER_MEMBERS_MAX);
	struct load_balancer next = *b;
	next.row.gen++;
	for (size_t k = 0; k < wish->instances.count; k++)
		TRY(add_member(op, &wish->instances.at[k], &next));
	TRY(firewall_follow(op, b->address));
	return log_change(op, &next, "balancer has more members");
}

/* A load balancer without members belongs to no router, unless it has a private frontend. */
static RESULT remove_member(struct op *op, const struct load_balancer_member *m)
{
	struct load_balancer next = *load_balancer_find(op->head, m->load_balancer);
	TRY(load_balancer_member_forget(op, m->row.id));
	if (!load_balancer_member_first_by_load_balancer(op->head, next.row.id) && uuid_is_none(next.front))
		next.router = UUID_NONE;
	next.row.gen++;
	return load_balancer_put(op, &next);
}

RESULT engine_remove_load_balancer_members(struct op *op, struct load_balancer_members *wish)
{
	const struct load_balancer *b = NULL;
	TRY(engine_permit_load_balancer(op, &wish->balancer, "load_balancer.remove", &b));
	for (size_t k = 0; k < wish->instances.count; k++) {
		const struct ref *ref = &wish->instances.at[k];
		const struct instance *instance = NULL;
		TRY(engine_find_own_instance(op->ctx, op->head, ref, &instance));
		const struct load_balancer_member *m = find_member(op->head, b->row.id, instance->row.id);
		if (!m)
			return ENGINE_FAIL(op, ERR_STATE, KIND_LOAD_BALANCER, ref->field,
					   "The instance '%" STR_FMT "' is no member of the load balancer.",
					   STR_ARG(ref->text));
		TRY(port_permit_end(op, "load_balancer.remove", m->port));
		TRY(remove_member(op, m));
	}
	return log_change(op, b, "balancer has fewer members");
}

/* ---- following addresses and ports ---- */

RESULT load_balancer_leave_address(struct op *op, uuid address)
{
	const struct load_balancer *b = load_balancer_first_by_address(op->head, address);
	for (; b; b = load_balancer_next_by_address(op->head, b))
		TRY(load_balancer_end(op, b));
	return OK;
}

RESULT load_balancer_leave_ip(struct op *op, uuid port, struct ip private_ip)
{
	const struct load_balancer_member *m = load_balancer_member_first_by_port(op->head, port);
	for (; m; m = load_balancer_member_next_by_port(op->head, m))
		if (ip_is_none(private_ip) || ip_equal(m->private_ip, private_ip))
			TRY(remove_member(op, m));
	TRY(target_leave_ip(op, port, private_ip));
	return balancer_set_leave_ip(op, port, private_ip);
}

RESULT load_balancer_move_ip(struct op *op, uuid from, uuid to, struct ip private_ip)
{
	const struct load_balancer_member *m = load_balancer_member_first_by_port(op->head, from),
					  *next = NULL;
	for (; m; m = next) {
		next = load_balancer_member_next_by_port(op->head, m);
		struct load_balancer_member moved = *m;
		moved.port = to;
		moved.row.gen++;
		if (ip_equal(m->private_ip, private_ip))
			TRY(load_balancer_member_put(op, &moved));
	}
	return target_move_ip(op, from, to, private_ip);
}

bool load_balancer_is_in(const struct tables *t, uuid router, const struct subnet *subnet)
{
	const struct load_balancer *b = load_balancer_first_by_router(t, router);
	for (; b; b = load_balancer_next_by_router(t, b)) {
		const struct load_balancer_member *m =
			load_balancer_member_first_by_load_balancer(t, b->row.id);
		for (; m; m = load_balancer_member_next_by_load_balancer(t, m)) {
			const struct port *port = port_find(t, m->port);
			if (port && uuid_equal(port->network, subnet->network) &&
			    cidr_contains(subnet->block, m->private_ip))
				return true;
		}
	}
	return false;
}

/* ---- for the reconciler ---- */

bool engine_member_is_on(const struct tables *t, const struct load_balancer_member *m)
{
	const struct port *port = port_find(t, m->port);
	const struct instance *instance = port ? instance_find(t, port->instance) : NULL;
	return instance && instance->seen_power == INSTANCE_SEEN_POWER_ON;
}

/* True if a pool contains the IP. Without pools, the subnet's default range counts (subnet_get_pool()). */
static bool is_drawn_from(const struct subnet *subnet, struct ip ip)
{
	struct ip first, last;
	for (size_t n = 0; subnet_get_pool(subnet, n, &first, &last); n++)
		if (ip_compare(ip, first) >= 0 && ip_compare(ip, last) <= 0)
			return true;
	return false;
}

struct ip engine_get_asking_ip(const struct tables *t, const struct load_balancer_member *m)
{
	const struct port *port = port_find(t, m->port);
	uuid id = port ? engine_get_subnet_of_ip(t, port, m->private_ip) : UUID_NONE;
	const struct subnet *subnet = subnet_find(t, id);
	if (!subnet)
		return (struct ip){0};
	bool is_plain = subnet->pools.count == 0;
	struct ip ip = is_plain ? ip_add(subnet->block.base, 3) : subnet_get_spare_ip(subnet);
	if (is_plain && ip_equal(ip, subnet->gateway_ip))
		ip = ip_add(subnet->block.base, 2);
	return is_drawn_from(subnet, ip) || port_subnet_has_ip(t, id, ip) ? (struct ip){0} : ip;
}
