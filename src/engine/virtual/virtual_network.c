/* SPDX-License-Identifier: Apache-2.0
 * Virtual networks and their subnets. Called by: api/azure. */
#include "engine/virtual/virtual_network.h"

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/routing/gateway.h"
#include "engine/network/routing/gateway_internal.h"
#include "engine/network/routing/peering_internal.h"
#include "engine/network/routing/router.h"
#include "engine/network/routing/router_block.h"
#include "engine/network/routing/router_internal.h"
#include "engine/network/subnet.h"
#include "engine/network/subnet_internal.h"
#include "engine/quota_internal.h"
#include "engine/virtual/route_plan_internal.h"
#include "store/external_network.h"
#include "store/gateway.h"
#include "store/port_policy.h"
#include "store/route.h"
#include "store/router.h"
#include "store/source_nat.h"
#include "store/subnet.h"

/* ---- blocks ---- */

static RESULT fail_block(struct op *op, enum err err, struct cidr block, const char *why)
{
	char text[CIDR_TEXT_SIZE];
	return ENGINE_FAIL(op, err, KIND_ROUTER, STR("properties.addressSpace.addressPrefixes"),
			   "The address prefix %s %s.", cidr_write(block, text), why);
}

static RESULT check_block(struct op *op, struct cidrs blocks, size_t at)
{
	struct cidr block = blocks.at[at];
	if (block.base.family != IP_V4 || block.bits < VIRTUAL_BLOCK_BITS_MIN ||
	    block.bits > VIRTUAL_BLOCK_BITS_MAX || !router_is_usable_block(block))
		return fail_block(op, ERR_RANGE, block, "is no usable IPv4 prefix from /8 to /29");
	if (!cidr_is_canonical(block))
		return fail_block(op, ERR_RANGE, block, "has bits set that are a host's");
	for (size_t k = 0; k < at; k++)
		if (cidr_overlaps(blocks.at[k], block))
			return fail_block(op, ERR_CONFLICT, block,
					  "overlaps with another one of the virtual network");
	return OK;
}

static RESULT check_blocks(struct op *op, struct cidrs blocks)
{
	for (size_t k = 0; k < blocks.count; k++)
		TRY(check_block(op, blocks, k));
	if (blocks.count >= 1 && blocks.count <= ROUTER_BLOCKS_MAX)
		return OK;
	return ENGINE_FAIL(op, blocks.count ? ERR_QUOTA : ERR_MISSING, KIND_ROUTER,
			   STR("properties.addressSpace.addressPrefixes"),
			   "A virtual network has 1 to %d address prefixes.", ROUTER_BLOCKS_MAX);
}

/* ---- the way outside ---- */

/* The gateway gets an address of its own, which guests without one use for outbound connections, as in
 * Azure. */
static RESULT lead_out(struct op *op, const struct router *router)
{
	const struct external_network *external = external_network_first(op->head);
	while (external && !external_network_is_for_all(op->head, external))
		external = external_network_next(op->head, external);
	if (!external)
		return FAIL(CAPACITY);
	struct router_gateway_wish wish = {
		.router = engine_ref_to(op, KIND_ROUTER, router->row.id, STR("name")),
		.external_network = engine_ref_to(op, KIND_EXTERNAL_NETWORK, external->row.id, STR("name")),
		.translates = CHOICE_YES};
	return engine_set_router_gateway(op, &wish);
}

/* Without a free address the gateway is created unconnected; it connects once there is one. */
static RESULT add_gateway(struct op *op, const struct router *router)
{
	uuid gateway;
	struct op_place place = op_place_now(op);
	struct result led = lead_out(op, router);
	if (led.code != ERR_CAPACITY)
		return led;
	op_go_back(op, place);
	ctx_clear_problem(op->ctx);
	return gateway_write(op, router->account, (struct tags){0}, router->row.id, &gateway);
}

/* ---- networks ---- */

static RESULT create(struct op *op, struct virtual_network_wish *wish)
{
	uuid account = UUID_NONE;
	struct router router = {0};
	TRY(engine_find_acting_id(op, &account));
	TRY(check_blocks(op, wish->blocks));
	TRY(quota_check(op, account, QUOTA_ROUTERS, 1));
	router.account = account;
	TRY(engine_permit_new(op, "router.create", KIND_ROUTER, &router.row));
	struct router_plan plan = {.account = account, .name = wish->name, .block = wish->blocks.at[0]};
	TRY(router_write(op, &plan, &router));
	router = *router_find(op->head, router.row.id);
	router.blocks = wish->blocks;
	router.has_system_routes = true;
	wish->made = router.row.id;
	TRY(router_put(op, &router));
	TRY(add_gateway(op, router_find(op->head, wish->made)));
	struct system_routes_wish routes = {wish->made};
	return engine_settle_system_routes(op, &routes);
}

static bool is_in(struct cidrs blocks, struct cidr block)
{
	for (size_t k = 0; k < blocks.count; k++)
		if (cidr_contains_cidr(blocks.at[k], block))
			return true;
	return false;
}

static bool has(struct cidrs blocks, struct cidr block)
{
	for (size_t k = 0; k < blocks.count; k++)
		if (cidr_equal(blocks.at[k], block))
			return true;
	return false;
}

static RESULT check_change(struct op *op, const struct virtual_network_wish *wish,
			   const struct router *router)
{
	TRY(check_blocks(op, wish->blocks));
	for (const struct subnet *s = subnet_first_by_router(op->head, router->row.id); s;
	     s = subnet_next_by_router(op->head, s))
		if (row_is_live(&s->row) && s->block.base.family == IP_V4 &&
		    is_in(router->blocks, s->block) && !is_in(wish->blocks, s->block))
			return fail_block(op, ERR_IN_USE, s->block,
					  "is a subnet's, which would be in none of the virtual network's");
	for (size_t k = 0; k < wish->blocks.count; k++) {
		const char *why = has(router->blocks, wish->blocks.at[k])
					  ? NULL
					  : peering_refuses_block(op->head, router, wish->blocks.at[k]);
		if (why)
			return fail_block(op, ERR_CONFLICT, wish->blocks.at[k], why);
	}
	return OK;
}

static bool is_same(struct ips x, struct ips y)
{
	bool is = x.count == y.count;
	for (size_t k = 0; k < x.count && is; k++)
		is = ip_equal(x.at[k], y.at[k]);
	return is;
}

static RESULT tell_names(struct op *op, uuid router, struct ips servers)
{
	const struct subnet *s = subnet_first_by_router(op->head, router), *next = NULL;
	for (; s; s = next) {
		next = subnet_next_by_router(op->head, s);
		struct subnet changed = *s;
		changed.dns_servers = servers;
		changed.row.gen++;
		if (row_is_live(&s->row) && s->block.base.family == IP_V4 &&
		    !is_same(s->dns_servers, servers))
			TRY(subnet_put(op, &changed));
	}
	return OK;
}

static RESULT change(struct op *op, struct virtual_network_wish *wish)
{
	const struct router *router = NULL;
	TRY(engine_permit_router(op, &wish->router, "router.update", &router));
	if (!wish->keeps_blocks)
		TRY(check_change(op, wish, router));
	struct router next = *router;
	wish->made = router->row.id;
	if (!wish->keeps_blocks)
		next.blocks = wish->blocks;
	if (!row_equal(&model_kinds[KIND_ROUTER], &router->row, &next.row)) {
		next.row.gen++;
		TRY(router_put(op, &next));
		TRY(engine_log_event(op, KIND_ROUTER, &next.row, "changed", "It has %zu blocks.",
				     wish->blocks.count));
	}
	return wish->keeps_servers ? OK : tell_names(op, wish->made, wish->dns_servers);
}

static RESULT check_servers(struct op *op, struct ips servers)
{
	for (size_t k = 0; k < servers.count; k++)
		if (servers.at[k].family != IP_V4)
			return ENGINE_FAIL(op, ERR_INVALID, KIND_ROUTER,
					   STR("properties.dhcpOptions.dnsServers"),
					   "A name server is an IPv4 address.");
	return servers.count <= SUBNET_DNS_MAX
		       ? OK
		       : ENGINE_FAIL(op, ERR_QUOTA, KIND_ROUTER, STR("properties.dhcpOptions.dnsServers"),
				     "A virtual network has up to %d name servers.", SUBNET_DNS_MAX);
}

RESULT engine_put_virtual_network(struct op *op, struct virtual_network_wish *wish)
{
	TRY(check_servers(op, wish->dns_servers));
	return ref_is_given(&wish->router) ? change(op, wish) : create(op, wish);
}

RESULT engine_delete_virtual_network(struct op *op, struct virtual_network_target *wish)
{
	const struct router *router = NULL;
	TRY(engine_permit_router(op, &wish->router, "router.delete", &router));
	uuid id = router->row.id;
	for (const struct subnet *s; (s = subnet_first_live(op->head, id));) {
		struct subnet_target target = {engine_ref_to(op, KIND_SUBNET, s->row.id, wish->router.field)};
		TRY(engine_delete_subnet(op, &target));
	}
	struct router_target target = {.router = wish->router, .with_gateway = true};
	return engine_delete_router(op, &target);
}

/* ---- subnets ---- */

static RESULT fail_subnet(struct op *op, enum err err, struct cidr block, const char *why)
{
	char text[CIDR_TEXT_SIZE];
	return ENGINE_FAIL(op, err, KIND_SUBNET, STR("properties.addressPrefix"), "The address prefix %s %s.",
			   cidr_write(block, text), why);
}

static RESULT check_subnet(struct op *op, const struct router *router, struct cidr block)
{
	if (block.base.family != IP_V4 || block.bits > VIRTUAL_BLOCK_BITS_MAX || !cidr_is_canonical(block))
		return fail_subnet(op, ERR_RANGE, block,
				   "is no subnet's: it is up to /29, without a host's bits");
	if (!is_in(router->blocks, block))
		return fail_subnet(op, ERR_RANGE, block, "is in none of the virtual network's");
	const struct subnet *other = subnet_first_by_router(op->head, router->row.id);
	for (; other; other = subnet_next_by_router(op->head, other))
		if (row_is_live(&other->row) && cidr_overlaps(other->block, block))
			return fail_subnet(op, ERR_CONFLICT, block, "overlaps with another subnet's");
	return OK;
}

static RESULT create_subnet(struct op *op, struct virtual_subnet_wish *wish, const struct router *router)
{
	struct subnet_plan plan = {.account = router->account,
				   .router = router->row.id,
				   .acl = router->default_acl,
				   .block = wish->block,
				   .name = wish->name};
	TRY(check_subnet(op, router, wish->block));
	TRY(quota_check(op, router->account, QUOTA_NETWORKS, 1));
	TRY(quota_check(op, router->account, QUOTA_SUBNETS, 1));
	TRY(engine_permit(op, "subnet.create", KIND_ROUTER, &router->row));
	return subnet_write(op, &plan, &wish->made);
}

static RESULT find_subnet(struct op *op, struct virtual_subnet_wish *wish, const struct router *router)
{
	const struct subnet *s = NULL;
	struct ref ref = engine_ref_to(op, KIND_SUBNET, wish->subnet, wish->router.field);
	if (uuid_is_none(wish->subnet))
		return create_subnet(op, wish, router);
	TRY(engine_find_own_subnet(op->ctx, op->head, &ref, &s));
	if (!uuid_equal(s->router, router->row.id))
		return engine_fail_not_found(op->ctx, KIND_SUBNET, &ref);
	TRY(engine_permit(op, "subnet.update", KIND_SUBNET, &s->row));
	wish->made = s->row.id;
	return cidr_equal(s->block, wish->block)
		       ? OK
		       : fail_subnet(op, ERR_STATE, s->block,
				     "is the subnet's; another one is given to a subnet that is made anew");
}

RESULT engine_put_virtual_subnet(struct op *op, struct virtual_subnet_wish *wish)
{
	const struct router *router = NULL;
	const struct port_policy *policy = NULL;
	const struct source_nat *nat = NULL;
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	if (ref_is_given(&wish->policy))
		TRY(engine_find_own_port_policy(op->ctx, op->head, &wish->policy, &policy));
	if (ref_is_given(&wish->source_nat))
		TRY(engine_find_own_source_nat(op->ctx, op->head, &wish->source_nat, &nat));
	TRY(check_servers(op, wish->dns_servers));
	TRY(find_subnet(op, wish, router));
	const struct subnet *present = subnet_find(op->head, wish->made);
	struct subnet next = *present;
	next.policy = policy ? policy->row.id : UUID_NONE;
	next.source_nat = nat ? nat->row.id : UUID_NONE;
	if (uuid_is_none(wish->subnet) || !wish->keeps_servers)
		next.dns_servers = wish->dns_servers;
	if (!row_equal(&model_kinds[KIND_SUBNET], &present->row, &next.row)) {
		next.row.gen++;
		TRY(subnet_put(op, &next));
	}
	return route_plan_set(op, wish->made, &wish->plan);
}
