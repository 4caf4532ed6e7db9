/* SPDX-License-Identifier: Apache-2.0
 * Routers (VPCs), and the default VPC. The reconciler (reconcile/network/router.c) creates a router in the network
 * with its first port, and removes it once the row is marked deleted. */
#include "engine/network/routing/router.h"

#include <inttypes.h>

#include "engine/acting.h"
#include "engine/capacity_internal.h"
#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/network/filter/network_acl_internal.h"
#include "engine/network/filter/security_group_internal.h"
#include "engine/network/ipv6_internal.h"
#include "engine/network/routing/egress_gateway.h"
#include "engine/network/routing/gateway_internal.h"
#include "engine/network/routing/peering_internal.h"
#include "engine/network/routing/route_table_internal.h"
#include "engine/network/routing/router_internal.h"
#include "engine/network/subnet_internal.h"
#include "engine/people/account/account.h"
#include "engine/quota_internal.h"
#include "engine/tag_internal.h"
#include "engine/transit/transit_internal.h"
#include "engine/virtual/peering_side_internal.h"
#include "engine/virtual/route_plan_internal.h"
#include "engine/vpn/vpn_internal.h"
#include "model/zone.h"
#include "store/account.h"
#include "store/network_acl.h"
#include "store/route.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/security_group_association.h"
#include "store/subnet.h"
#include "store/vpc_endpoint.h"

enum { BLOCK_BITS_MIN = 16, BLOCK_BITS_MAX = 28 };

bool router_is_usable_block(struct cidr block)
{
	static const struct {
		uint8_t first, second, bits;
	} reserved[] = {{0, 0, 8}, {127, 0, 8}, {169, 254, 16}, {224, 0, 3}};
	for (size_t n = 0; n < sizeof reserved / sizeof *reserved; n++) {
		uint32_t base = (uint32_t) reserved[n].first << 24 | (uint32_t) reserved[n].second << 16;
		if (cidr_overlaps(block, (struct cidr){ip_from_v4(base), reserved[n].bits}))
			return false;
	}
	return true;
}

RESULT router_check_block(struct op *op, struct cidr block)
{
	char text[CIDR_TEXT_SIZE];
	if (block.base.family == IP_V4 && block.bits >= BLOCK_BITS_MIN && block.bits <= BLOCK_BITS_MAX &&
	    router_is_usable_block(block))
		return OK;
	return ctx_fail_kind(op->ctx, ERR_RANGE, KIND_ROUTER,
			     "The CIDR '%s' is invalid. A VPC's block is an IPv4 block from /16 to /28.",
			     cidr_write(block, text));
}

RESULT router_write(struct op *op, const struct router_plan *plan, struct router *ret_router)
{
	struct router router = {.row.id = engine_new_id(op, KIND_ROUTER),
				.row.gen = 1,
				.account = plan->account,
				.name = plan->name,
				.description = plan->description,
				.is_down = plan->is_down,
				.blocks = {&plan->block, !cidr_is_none(plan->block)},
				.is_default = plan->is_default,
				.dns_support = true,
				.dns_hostnames = plan->is_default,
				.tenancy = plan->tenancy,
				.tags = plan->tags};
	struct cidr ipv6_block;
	bool has_ipv6 = plan->ipv6.is_wanted;
	TRY(capacity_check_keys(op, KIND_ROUTER));
	if (has_ipv6) {
		TRY(ipv6_pick_block(op, &plan->ipv6, &ipv6_block));
		router.ipv6_blocks = (struct cidrs){&ipv6_block, 1};
		router.ipv6_pool_blocks = (struct cidrs){&ipv6_block, plan->ipv6.pool.kind != KIND_NONE};
	}
	TRY(engine_draw_number(op, STR("next.metadata_mark"), &router.metadata_mark));
	TRY(router_put(op, &router)); /* before its parts, which are counted in the router's usage */
	TRY(route_table_write(op, plan->account, router.row.id, true, (struct tags){0},
			      &router.main_route_table));
	struct network_acl_plan acl = {.account = plan->account, .router = router.row.id, .is_default = true};
	TRY(network_acl_write(op, &acl, &router.default_acl));
	struct security_group_plan group = {.account = plan->account,
					    .router = router.row.id,
					    .name = STR("default"),
					    .description = STR("default VPC security group"),
					    .is_default = true,
					    .has_ipv6 = has_ipv6};
	if (router.blocks.count)
		TRY(security_group_write(op, &group, &router.default_group));
	TRY(router_put(op, &router));
	*ret_router = router;
	/* the arrays are on this function's stack */
	ret_router->ipv6_blocks = ret_router->ipv6_pool_blocks = (struct cidrs){0};
	if (has_ipv6)
		TRY(ipv6_let_through(op, &router));
	char text[CIDR_TEXT_SIZE];
	if (router.blocks.count == 0)
		return engine_log_event(op, KIND_ROUTER, &router.row, "created", "Router.");
	return engine_log_event(op, KIND_ROUTER, &router.row, "created",
				plan->is_default ? "Default VPC with block %s." : "VPC with block %s.",
				cidr_write(plan->block, text));
}

struct cidrs engine_get_blocks(const struct tables *t, struct arena *a, const struct router *router)
{
	VEC(struct cidr) blocks = {0};
	if (router->blocks.count)
		return router->blocks;
	for (const struct subnet *s = subnet_first_by_router(t, router->row.id); s;
	     s = subnet_next_by_router(t, s))
		if (row_is_live(&s->row) && s->block.base.family == IP_V4 && !VEC_PUSH(a, &blocks, s->block))
			return (struct cidrs){0};
	return (struct cidrs){blocks.at, blocks.count};
}

RESULT engine_create_router(struct op *op, struct router_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_owner_id(op, &wish->account, &account));
	struct router_plan plan = {
		.account = account,
		.name = wish->name,
		.description = wish->description,
		.is_down = wish->is_down,
		.block = cidr_canonical(wish->block),
		.ipv6 = wish->ipv6,
		.tenancy = wish->tenancy,
	};
	if (!wish->has_no_block)
		TRY(router_check_block(op, wish->block));
	TRY(tag_normalize(op, wish->tags, &plan.tags));
	TRY(quota_check(op, account, QUOTA_ROUTERS, 1));
	struct router router = {.account = plan.account, .tenancy = plan.tenancy, .tags = plan.tags};
	TRY(engine_permit_new(op, "router.create", KIND_ROUTER, &router.row));
	TRY(router_write(op, &plan, &router));
	wish->router = router.row.id;
	wish->route_table = router.main_route_table;
	wish->group = router.default_group;
	return OK;
}

RESULT engine_update_router(struct op *op, struct router_settings *wish)
{
	const struct router *router = NULL;
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	struct router next = *router;
	choice_apply(wish->dns_support, &next.dns_support);
	choice_apply(wish->dns_hostnames, &next.dns_hostnames);
	choice_apply(wish->usage_metrics, &next.usage_metrics);
	choice_apply(wish->is_down, &next.is_down);
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	if (wish->dns_hostnames == CHOICE_YES && !next.dns_support)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_ROUTER, STR("EnableDnsHostnames.Value"),
				   "EnableDnsHostnames needs EnableDnsSupport, which %" STR_FMT " has not.",
				   STR_ARG(wish->router.text));
	TRY(engine_permit(op, "router.update", KIND_ROUTER, &router->row));
	next.row.gen++;
	TRY(router_put(op, &next));
	return engine_log_event(op, KIND_ROUTER, &next.row, "changed", "DNS support %s, DNS hostnames %s.",
				next.dns_support ? "on" : "off", next.dns_hostnames ? "on" : "off");
}

RESULT engine_share_router(struct op *op, struct router_target *wish)
{
	const struct router *router = NULL;
	TRY(engine_permit_router(op, &wish->router, "router.set_tenancy", &router));
	if (router->tenancy == ROUTER_TENANCY_DEFAULT)
		return OK;
	struct router next = *router;
	next.tenancy = ROUTER_TENANCY_DEFAULT;
	next.row.gen++;
	TRY(router_put(op, &next));
	return engine_log_event(op, KIND_ROUTER, &next.row, "changed",
				"New instances are on shared hosts, unless they ask for others.");
}

/* ---- deletion ---- */

static bool has_other_group(const struct tables *t, const struct router *router)
{
	const struct security_group *group = security_group_first_by_router(t, router->row.id);
	for (; group; group = security_group_next_by_router(t, group))
		if (row_is_live(&group->row) && !group->is_default)
			return true;
	return false;
}

static bool has_other_table(const struct tables *t, const struct router *router)
{
	const struct route_table *table = route_table_first_by_router(t, router->row.id);
	for (; table; table = route_table_next_by_router(t, table))
		if (row_is_live(&table->row) && !uuid_equal(table->row.id, router->main_route_table))
			return true;
	return false;
}

static bool has_other_acl(const struct tables *t, const struct router *router)
{
	const struct network_acl *acl = network_acl_first_by_router(t, router->row.id);
	while (acl && acl->is_default)
		acl = network_acl_next_by_router(t, acl);
	return acl != NULL;
}

static RESULT check_unused(struct op *op, const struct router *router, const struct ref *ref)
{
	const char *what = NULL;
	if (subnet_first_live(op->head, router->row.id) || router_first_interface(op->head, router->row.id))
		what = "subnets";
	else if (gateway_of_router(op->head, router->row.id))
		what = "an internet gateway";
	else if (engine_get_egress_gateway(op->head, router->row.id))
		what = "an egress-only internet gateway";
	else if (has_other_group(op->head, router))
		what = "security groups";
	else if (security_group_association_first_by_router(op->head, router->row.id))
		what = "security groups of other VPCs that are associated with it";
	else if (has_other_table(op->head, router))
		what = "route tables";
	else if (has_other_acl(op->head, router))
		what = "network ACLs";
	else if (peering_holds_router(op->head, router->row.id))
		what = "peering connections";
	else if (vpc_endpoint_first_by_router(op->head, router->row.id))
		what = "endpoints";
	else if (transit_holds_router(op->head, router->row.id))
		what = "attachments to transit gateways";
	else if (vpn_find_service_of(op, router->row.id))
		what = "VPN services";
	if (!what)
		return OK;
	return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_ROUTER, ref,
				 "The vpc '%" STR_FMT
				 "' has dependencies and cannot be deleted. It still has %s.",
				 STR_ARG(engine_write_id(op, KIND_ROUTER, router->row.id)), what);
}

/* Clears the account's default VPC if it is this one. */
static RESULT clear_default(struct op *op, const struct router *router)
{
	const struct account *account = account_find(op->head, router->account);
	if (!account || !uuid_equal(account->default_router, router->row.id))
		return OK;
	struct account next = *account;
	next.default_router = UUID_NONE;
	next.row.gen++;
	return account_put(op, &next);
}

/* Releases the DHCP options set, which may then be deleted before the router is forgotten. */
static RESULT clear_dhcp_options(struct op *op, const struct router *router)
{
	struct router next = *router;
	if (uuid_is_none(router->dhcp_options))
		return OK;
	next.dhcp_options = UUID_NONE;
	next.row.gen++;
	return router_put(op, &next);
}

RESULT engine_delete_router(struct op *op, struct router_target *wish)
{
	const struct router *router = NULL;
	TRY(engine_permit_router(op, &wish->router, "router.delete", &router));
	if (router->has_system_routes && !subnet_first_live(op->head, router->row.id)) {
		TRY(peering_side_leave_router(op, router->row.id));
		TRY(route_plan_leave_router(op, router->row.id));
		router = router_find(op->head, router->row.id);
	}
	if (wish->with_gateway && !subnet_first_live(op->head, router->row.id))
		TRY(gateway_clear(op, router));
	TRY(check_unused(op, router, &wish->router));
	TRY(peering_leave_router(op, router->row.id));
	TRY(route_table_forget(op, router->main_route_table));
	TRY(network_acl_forget(op, router->default_acl));
	if (!uuid_is_none(router->default_group))
		TRY(security_group_delete_with_rules(op, router->default_group));
	TRY(clear_default(op, router));
	TRY(clear_dhcp_options(op, router));
	TRY(router_delete(op, router->row.id));
	return engine_log_event(op, KIND_ROUTER, &router->row, "deleted",
				"VPC with its main route table, default network ACL and default group.");
}

/* ---- the default VPC ---- */

enum { DEFAULT_SUBNETS_MAX = 16 };
#define DEFAULT_BASE (UINT32_C(172) << 24 | UINT32_C(31) << 16)

/* Creates one /20 a zone, in order of zone names. */
static RESULT write_default_subnets(struct op *op, const struct router *router)
{
	uint32_t number = 0;
	const struct row *row = tables_first(op->head, KIND_ZONE, ZONE_INDEX_NAME, NULL, 0);
	for (; row && number < DEFAULT_SUBNETS_MAX;
	     row = tables_next(op->head, KIND_ZONE, ZONE_INDEX_NAME, row, 0)) {
		if (!row_is_live(row))
			continue;
		uint32_t base = DEFAULT_BASE + (number++ << (32 - DEFAULT_SUBNET_BITS));
		struct subnet_plan plan = {.account = router->account,
					   .router = router->row.id,
					   .zone = row->id,
					   .acl = router->default_acl,
					   .block = {ip_from_v4(base), DEFAULT_SUBNET_BITS},
					   .is_default = true,
					   .public_on_launch = true};
		uuid subnet;
		TRY(subnet_write(op, &plan, &subnet));
	}
	return OK;
}

RESULT router_write_default(struct op *op, const struct account *account, uuid *ret_router)
{
	struct router_plan plan = {
		.account = account->row.id, .block = {ip_from_v4(DEFAULT_BASE), 16}, .is_default = true};
	struct router router;
	TRY(router_write(op, &plan, &router));
	TRY(write_default_subnets(op, &router));
	uuid gateway;
	TRY(gateway_write(op, account->row.id, (struct tags){0}, router.row.id, &gateway));
	struct route route = {.row.id = engine_new_id(op, KIND_ROUTE),
			      .row.gen = 1,
			      .account = account->row.id,
			      .table = router.main_route_table,
			      .destination = {ip_from_v4(0), 0},
			      .gateway = gateway};
	TRY(route_put(op, &route));
	struct account next = *account;
	next.default_router = router.row.id;
	next.row.gen++;
	TRY(account_put(op, &next));
	*ret_router = router.row.id;
	return OK;
}

RESULT engine_create_default_router(struct op *op, struct default_router_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	if (!uuid_is_none(account->default_router))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_ROUTER,
				     "A Default VPC already exists for this account in this region.");
	TRY(quota_check(op, account->row.id, QUOTA_ROUTERS, 1));
	TRY(engine_permit(op, "router.create_default", KIND_ROUTER, NULL));
	return router_write_default(op, account, &wish->router);
}
