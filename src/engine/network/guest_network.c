/* SPDX-License-Identifier: Apache-2.0
 * Guest networks and VPCs of CloudStack, composed from other operations, each of which asks for its own
 * permission. Called by: api/cloudstack. */
#include "engine/network/guest_network.h"

#include "engine/internal.h"
#include "engine/network/address/address.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/filter/network_acl.h"
#include "engine/network/network.h"
#include "engine/network/network_grant_internal.h"
#include "engine/network/network_offering_internal.h"
#include "engine/network/routing/gateway.h"
#include "engine/network/routing/router_interface.h"
#include "engine/network/subnet.h"
#include "engine/network/subnet_internal.h"
#include "engine/region/offered_internal.h"
#include "engine/vpn/vpn_internal.h"
#include "model/zone.h"
#include "store/address.h"
#include "store/external_network.h"
#include "store/network.h"
#include "store/network_acl.h"
#include "store/network_offering.h"
#include "store/port.h"
#include "store/port_forwarding.h"
#include "store/subnet.h"

/* ---- egress ---- */

static RESULT lead_out(struct op *op, const struct ref *router, struct str field)
{
	const struct external_network *external = external_network_first(op->head);
	while (external && !external_network_is_for_all(op->head, external))
		external = external_network_next(op->head, external);
	if (!external)
		return ENGINE_FAIL(op, ERR_CAPACITY, KIND_GATEWAY, field,
				   "The region has no outside network to lead to.");
	struct router_gateway_wish wish = {
		.router = *router,
		.external_network = engine_ref_to(op, KIND_EXTERNAL_NETWORK, external->row.id, field),
		.translates = CHOICE_YES};
	return engine_set_router_gateway(op, &wish);
}

/* True if the address leads to a port outside the network (vpc none) or outside the VPC. */
static bool is_used_elsewhere(const struct tables *t, const struct address *a, uuid network, uuid vpc)
{
	const struct port_forwarding *f = port_forwarding_first_by_address(t, a->row.id);
	const struct port *port = port_find(t, f ? f->port : a->port);
	return port &&
	       !(uuid_is_none(vpc) ? uuid_equal(port->network, network) : uuid_equal(port->router, vpc));
}

/* Releases the addresses allocated for the network (vpc none) or the VPC, except those that have been given
 * to something else since. */
static RESULT release_addresses(struct op *op, uuid account, uuid network, uuid vpc, struct str field)
{
	const struct address *a = address_first_by_account(op->head, account), *next = NULL;
	for (; a; a = next) {
		next = address_next_by_account(op->head, a);
		bool is_for = uuid_is_none(vpc) ? uuid_equal(a->for_network, network)
						: uuid_equal(a->for_router, vpc);
		struct address_target wish = {.address = engine_ref_to(op, KIND_ADDRESS, a->row.id, field),
					      .with_association = true,
					      .with_forwardings = true};
		if (row_is_live(&a->row) && is_for && !is_used_elsewhere(op->head, a, network, vpc))
			TRY(engine_release_address(op, &wish));
	}
	return OK;
}

/* ---- networks ---- */

static RESULT add_router(struct op *op, const struct guest_network_wish *wish, const struct ref *subnet)
{
	struct router_wish made = {.account = wish->account, .name = wish->name, .has_no_block = true};
	TRY(engine_create_router(op, &made));
	struct router own = *router_find(op->head, made.router);
	own.own_network = wish->network;
	TRY(router_put(op, &own));
	struct router_interface_wish interface = {
		.router = engine_ref_to(op, KIND_ROUTER, made.router, subnet->field), .subnet = *subnet};
	TRY(lead_out(op, &interface.router, subnet->field));
	return engine_add_router_interface(op, &interface);
}

/* Takes one address out of the pools, from which load balancers probe their members. A pool of a single
 * address stays as it is. */
static RESULT keep_spare_ip(struct op *op, struct subnet *subnet)
{
	struct ips pools = subnet->pools;
	struct ip *at = arena_new_array(op->ctx->arena, struct ip, pools.count + 1);
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < pools.count; k++) {
		bool is_end = k % 2 == 1 && ip_compare(at[k - 1], pools.at[k]) < 0;
		bool is_spare = ip_equal(pools.at[k], subnet_get_spare_ip(subnet));
		at[k] = is_end && is_spare ? ip_add(pools.at[k], (uint64_t) -1) : pools.at[k];
	}
	subnet->pools.at = at;
	return OK;
}

static RESULT open_to_domain(struct op *op, const struct guest_network_wish *wish, struct network *next)
{
	static const struct network_grantee everybody;
	const struct row *domain = NULL;
	uuid grant = UUID_NONE;
	if (!ref_is_given(&wish->domain))
		return OK;
	TRY(engine_permit(op, "network.share", KIND_NETWORK, &next->row));
	TRY(engine_look_up(op->ctx, op->head, KIND_DOMAIN, &wish->domain, &domain));
	if (uuid_equal(domain->id, DOMAIN_DEFAULT) && wish->with_subdomains)
		return network_grant_write(op, next, &everybody, wish->domain.field, &grant);
	next->domain = domain->id;
	next->with_subdomains = wish->with_subdomains;
	return OK;
}

static RESULT create_segment(struct op *op, struct guest_network_wish *wish)
{
	struct network_wish network = {.account = wish->account,
				       .name = wish->name,
				       .description = wish->description,
				       .is_open = wish->is_l2};
	TRY(engine_create_network(op, &network));
	wish->network = network.network;
	struct network guarded = *network_find(op->head, wish->network);
	guarded.has_firewall = wish->has_router;
	guarded.egress_open = wish->egress_open;
	guarded.guest_type = wish->guest_type;
	TRY(open_to_domain(op, wish, &guarded));
	return network_put(op, &guarded);
}

static RESULT create_alone(struct op *op, struct guest_network_wish *wish, const struct zone *zone)
{
	TRY(create_segment(op, wish));
	if (wish->is_l2)
		return OK;
	struct network_subnet_wish subnet = {
		.network = engine_ref_to(op, KIND_NETWORK, wish->network, wish->zone.field),
		.block = wish->block,
		.gateway_ip = wish->gateway_ip,
		.pools = wish->pools,
		.no_dhcp = wish->no_dhcp,
		.name = wish->name};
	TRY(engine_add_subnet(op, &subnet));
	struct subnet next = *subnet_find(op->head, subnet.subnet);
	next.zone = zone->row.id;
	if (!wish->pools.count)
		TRY(keep_spare_ip(op, &next));
	TRY(subnet_put(op, &next));
	struct ref ref = engine_ref_to(op, KIND_SUBNET, subnet.subnet, wish->zone.field);
	return wish->has_router ? add_router(op, wish, &ref) : OK;
}

static RESULT create_tier(struct op *op, struct guest_network_wish *wish)
{
	struct subnet_wish subnet = {
		.router = wish->vpc, .block = wish->block, .zone = wish->zone, .name = wish->name};
	struct ip first = ip_add(cidr_canonical(wish->block).base, 1);
	if (!ip_is_none(wish->gateway_ip) && !ip_equal(wish->gateway_ip, first))
		return ENGINE_FAIL(op, ERR_RANGE, KIND_SUBNET, STR("gateway"),
				   "The gateway of a VPC's subnet is the first address of its block.");
	TRY(engine_create_subnet(op, &subnet));
	const struct subnet *made = subnet_find(op->head, subnet.subnet);
	struct network next = *network_find(op->head, made->network);
	next.name = wish->name;
	next.description = wish->description;
	wish->network = next.row.id;
	TRY(network_put(op, &next));
	struct network_acl_association association = {.association = {.kind = KIND_SUBNET,
								      .prefix = made->acl_association,
								      .bits = 8 * sizeof(uuid)},
						      .acl = wish->acl};
	return ref_is_given(&wish->acl) ? engine_replace_network_acl_association(op, &association) : OK;
}

static RESULT create(struct op *op, struct guest_network_wish *wish)
{
	const struct zone *zone = NULL;
	if (ref_is_given(&wish->vpc))
		return create_tier(op, wish);
	TRY(engine_find_zone(op->ctx, op->head, &wish->zone, &zone));
	return create_alone(op, wish, zone);
}

RESULT engine_create_guest_network(struct op *op, struct guest_network_wish *wish)
{
	const struct network_offering *offering = NULL;
	const struct zone *zone = NULL;
	if (!ref_is_given(&wish->offering))
		return create(op, wish);
	TRY(network_offering_find_enabled(op, &wish->offering, false, &offering));
	TRY(engine_find_zone(op->ctx, op->head, &wish->zone, &zone));
	TRY(offered_check_zone(op, KIND_NETWORK_OFFERING, offering->name, &offering->zones, zone->row.id,
			       wish->offering.field));
	uuid id = offering->row.id;
	wish->has_router = offering->source_nat && !offering->for_vpc;
	wish->is_l2 = offering->guest_type == NETWORK_OFFERING_GUEST_TYPE_L2;
	if (offering->guest_type == NETWORK_OFFERING_GUEST_TYPE_SHARED)
		wish->guest_type = offering->security_groups ? NETWORK_GUEST_TYPE_SHARED_WITH_GROUPS
							     : NETWORK_GUEST_TYPE_SHARED;
	TRY(create(op, wish));
	struct network next = *network_find(op->head, wish->network);
	next.offering = id;
	return network_put(op, &next);
}

/* Removes the subnet from its router, and deletes the router if it was created with the network and has no
 * other subnet. */
static RESULT leave_router(struct op *op, uuid network, const struct subnet *subnet, struct str field)
{
	const struct router *router = router_find(op->head, subnet->router);
	struct router_interface_wish interface = {
		.router = engine_ref_to(op, KIND_ROUTER, subnet->router, field),
		.subnet = engine_ref_to(op, KIND_SUBNET, subnet->row.id, field)};
	struct router_target target = {.router = interface.router, .with_gateway = true};
	bool is_own = router && uuid_equal(router->own_network, network);
	TRY(engine_remove_router_interface(op, &interface));
	return is_own && !subnet_first_live(op->head, interface.router.prefix)
		       ? engine_delete_router(op, &target)
		       : OK;
}

RESULT engine_delete_guest_network(struct op *op, struct guest_network_target *wish)
{
	const struct network *network = NULL;
	struct str field = wish->network.field;
	TRY(engine_find_own_network(op->ctx, op->head, &wish->network, &network));
	uuid id = network->row.id;
	TRY(release_addresses(op, network->account, id, UUID_NONE, field));
	const struct subnet *s = subnet_first_by_network(op->head, id), *next = NULL;
	for (; s; s = next) {
		next = subnet_next_by_network(op->head, s);
		bool is_tier = subnet_is_of_blocks(op->head, s);
		struct subnet_target target = {engine_ref_to(op, KIND_SUBNET, s->row.id, field)};
		if (row_is_live(&s->row) && is_tier)
			TRY(engine_delete_subnet(op, &target));
		else if (row_is_live(&s->row) && !uuid_is_none(s->router))
			TRY(leave_router(op, id, s, field));
	}
	network = network_find(op->head, id);
	struct network_target rest = {wish->network};
	return network && row_is_live(&network->row) ? engine_delete_network(op, &rest) : OK;
}

/* ---- VPCs ---- */

RESULT engine_create_vpc(struct op *op, struct router_wish *wish)
{
	const struct network_offering *offering = NULL;
	if (ref_is_given(&wish->offering))
		TRY(network_offering_find_enabled(op, &wish->offering, true, &offering));
	TRY(engine_create_router(op, wish));
	if (offering) {
		struct router next = *router_find(op->head, wish->router);
		next.offering = wish->offering.prefix;
		TRY(router_put(op, &next));
	}
	struct ref router = engine_ref_to(op, KIND_ROUTER, wish->router, STR("cidr"));
	return lead_out(op, &router, router.field);
}

RESULT engine_delete_vpc(struct op *op, struct router_target *wish)
{
	const struct router *router = NULL;
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	uuid id = router->row.id;
	TRY(vpn_end_site_gateway(op, id));
	TRY(release_addresses(op, router->account, UUID_NONE, id, wish->router.field));
	const struct network_acl *acl = network_acl_first_by_router(op->head, id), *next = NULL;
	for (; acl; acl = next) {
		next = network_acl_next_by_router(op->head, acl);
		struct network_acl_target target = {
			engine_ref_to(op, KIND_NETWORK_ACL, acl->row.id, wish->router.field)};
		if (!acl->is_default)
			TRY(engine_delete_network_acl(op, &target));
	}
	wish->with_gateway = true;
	return engine_delete_router(op, wish);
}
