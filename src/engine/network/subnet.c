/* SPDX-License-Identifier: Apache-2.0
 * Subnets, in a router's blocks with a network of their own (EC2), or on a network (Neutron). Changes raise
 * gen, and the reconciler deploys the network and the router again. */
#include "engine/network/subnet.h"

#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/address_scope_internal.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/ipv6.h"
#include "engine/network/ipv6_internal.h"
#include "engine/network/network_internal.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/routing/router_internal.h"
#include "engine/network/subnet_internal.h"
#include "engine/network/subnet_pool_internal.h"
#include "engine/quota_internal.h"
#include "engine/tag_internal.h"
#include "engine/transit/transit_internal.h"
#include "engine/vpn/vpn_internal.h"
#include "model/account.h"
#include "model/network.h"
#include "model/transit_attachment.h"
#include "model/zone.h"
#include "store/port.h"
#include "store/port_prefix.h"
#include "store/router.h"
#include "store/secondary_ip.h"
#include "store/subnet.h"

enum { SUBNET_BITS_MIN = 16, SUBNET_BITS_MAX = 28 };                /* prefix length in a router's blocks */
enum { NETWORK_SUBNET_BITS_MIN = 8, NETWORK_SUBNET_BITS_MAX = 30 }; /* prefix length on a network */
enum { NETWORK_SUBNET_IPV6_BITS_MIN = 32, NETWORK_SUBNET_IPV6_BITS_MAX = 126 };

/* Last address but one of a block. */
static struct ip last_plain(struct cidr block)
{
	struct ip last = cidr_last(block);
	last.b[last.family == IP_V4 ? 3 : 15]--; /* the last address of a block of two or more is odd: there
						  * is no borrow */
	return last;
}

bool subnet_get_pool(const struct subnet *subnet, size_t n, struct ip *ret_first, struct ip *ret_last)
{
	bool is_plain = subnet->pools.count == 0;
	if (n >= (is_plain ? 1 : subnet->pools.count / 2))
		return false;
	*ret_first = is_plain ? ip_add(subnet->block.base, 4) : subnet->pools.at[2 * n];
	*ret_last = is_plain ? last_plain(subnet->block) : subnet->pools.at[2 * n + 1];
	return true;
}

/* False for the network address and, in IPv4, the broadcast address. */
static bool is_host_address(struct cidr block, struct ip ip)
{
	return cidr_contains(block, ip) && !ip_equal(ip, block.base) &&
	       (block.base.family == IP_V6 || !ip_equal(ip, cidr_last(block)));
}

struct ip subnet_get_spare_ip(const struct subnet *subnet)
{
	struct ip last = ip_add(cidr_last(subnet->block), (uint64_t) -1);
	return ip_equal(last, subnet->gateway_ip) ? ip_add(last, (uint64_t) -1) : last;
}

bool subnet_may_hold(const struct subnet *subnet, struct ip ip)
{
	struct ip first, last;
	if (subnet->pools.count == 0) {
		(void) subnet_get_pool(subnet, 0, &first, &last);
		return ip_compare(ip, first) >= 0 && ip_compare(ip, last) <= 0;
	}
	bool is_gateway = !uuid_is_none(subnet->router) && ip_equal(ip, subnet->gateway_ip);
	return !is_gateway && is_host_address(subnet->block, ip);
}

uint64_t subnet_count_addresses(const struct subnet *subnet)
{
	uint64_t count = 0;
	struct ip first, last;
	for (size_t n = 0; subnet_get_pool(subnet, n, &first, &last); n++)
		count += ip_distance(first, last) + 1;
	return count < INT64_MAX ? count : INT64_MAX; /* caps the number, which IPv6 exceeds */
}

const struct subnet *subnet_first_live(const struct tables *t, uuid router)
{
	return subnet_find_by_router(t, router);
}

struct mac subnet_draw_gateway_mac(void)
{
	struct mac mac;
	random_bytes(mac.b, sizeof mac.b);
	mac.b[0] = 0x0a;
	return mac;
}

RESULT subnet_write(struct op *op, const struct subnet_plan *plan, uuid *ret_subnet)
{
	bool is_ipv6 = plan->block.base.family == IP_V6;
	struct network network = {.account = plan->account};
	TRY(limit_check(op, LIMIT_ROUTER_SUBNETS, plan->router, 1, STR_NONE));
	TRY(network_write(op, &network));
	struct subnet subnet = {.row.id = engine_new_id(op, KIND_SUBNET),
				.row.gen = 1,
				.account = plan->account,
				.name = plan->name,
				.network = network.row.id,
				.router = plan->router,
				.zone = plan->zone,
				.block = plan->block,
				.cut_from_router = true,
				.ipv6_ra_mode = is_ipv6 ? SUBNET_IPV6_RA_MODE_DHCPV6_STATEFUL
							: SUBNET_IPV6_RA_MODE_NONE,
				.ipv6_address_mode = is_ipv6 ? SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATEFUL
							     : SUBNET_IPV6_ADDRESS_MODE_NONE,
				.gateway_ip = ip_add(plan->block.base, 1),
				.gateway_mac = subnet_draw_gateway_mac(),
				.is_default = plan->is_default,
				.public_on_launch = plan->public_on_launch,
				.id_names_have_aaaa = is_ipv6,
				.acl = plan->acl,
				.acl_association = uuid_random(),
				.tags = plan->tags};
	TRY(subnet_put(op, &subnet));
	*ret_subnet = subnet.row.id;
	char text[CIDR_TEXT_SIZE];
	TRY(engine_log_event(op, KIND_SUBNET, &subnet.row, "created", "Subnet %s.",
			     cidr_write(subnet.block, text)));
	uuid ipv6_subnet;
	return cidr_is_none(plan->ipv6_block)
		       ? OK
		       : ipv6_write_subnet(op, &subnet, plan->ipv6_block, plan->ipv6_field, &ipv6_subnet);
}

/* The block must lie in one of the router's blocks, and must not overlap a live subnet. */
static RESULT check_block(struct op *op, const struct router *router, struct cidr block)
{
	char text[CIDR_TEXT_SIZE];
	bool inside = false;
	for (size_t n = 0; n < router->blocks.count; n++)
		inside = inside || cidr_contains_cidr(router->blocks.at[n], block);
	if (block.base.family != IP_V4 || block.bits < SUBNET_BITS_MIN || block.bits > SUBNET_BITS_MAX ||
	    !inside)
		return ctx_fail_kind(
			op->ctx, ERR_RANGE, KIND_SUBNET,
			"The CIDR '%s' is invalid. It must be within the VPC's blocks, from /16 to /28.",
			cidr_write(block, text));
	const struct subnet *other = subnet_first_by_router(op->head, router->row.id);
	for (; other; other = subnet_next_by_router(op->head, other))
		if (row_is_live(&other->row) && cidr_overlaps(other->block, block))
			return ctx_fail_kind(op->ctx, ERR_CONFLICT, KIND_SUBNET,
					     "The CIDR '%s' conflicts with another subnet",
					     cidr_write(block, text));
	return OK;
}

static RESULT choose_zone(struct op *op, const struct ref *ref, const struct zone **ret_zone)
{
	if (ref_is_given(ref))
		return engine_find_zone(op->ctx, op->head, ref, ret_zone);
	const struct row *row = tables_first(op->head, KIND_ZONE, ZONE_INDEX_NAME, NULL, 0);
	while (row && !zone_of(row)->enabled)
		row = tables_next(op->head, KIND_ZONE, ZONE_INDEX_NAME, row, 0);
	if (!row)
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_ZONE,
				     "The region has no zone that is open.");
	*ret_zone = zone_of(row);
	return OK;
}

RESULT engine_create_subnet(struct op *op, struct subnet_wish *wish)
{
	const struct router *router = NULL;
	const struct zone *zone = NULL;
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	TRY(choose_zone(op, &wish->zone, &zone));
	struct subnet_plan plan = {.account = router->account,
				   .router = router->row.id,
				   .zone = zone->row.id,
				   .acl = router->default_acl,
				   .block = cidr_canonical(wish->block),
				   .ipv6_block = wish->ipv6_block,
				   .ipv6_field = wish->ipv6_field,
				   .name = wish->name,
				   .public_on_launch = wish->public_on_launch};
	TRY(plan.block.base.family == IP_V6 ? ipv6_check_block(op, router, wish->block, wish->ipv6_field)
					    : check_block(op, router, plan.block));
	TRY(tag_normalize(op, wish->tags, &plan.tags));
	TRY(quota_check(op, router->account, QUOTA_NETWORKS, 1));
	TRY(quota_check(op, router->account, QUOTA_SUBNETS, 1));
	TRY(engine_permit(op, "subnet.create", KIND_ROUTER, &router->row));
	return subnet_write(op, &plan, &wish->subnet);
}

/* ---- default subnets of zones ---- */

static const struct subnet *find_default(const struct tables *t, uuid router, uuid zone)
{
	const struct subnet *s = subnet_first_by_router(t, router);
	while (s && !(row_is_live(&s->row) && s->is_default && uuid_equal(s->zone, zone)))
		s = subnet_next_by_router(t, s);
	return s;
}

static bool is_free(const struct tables *t, uuid router, struct cidr block)
{
	for (const struct subnet *s = subnet_first_by_router(t, router); s; s = subnet_next_by_router(t, s))
		if (row_is_live(&s->row) && cidr_overlaps(s->block, block))
			return false;
	return true;
}

static RESULT find_default_block(struct op *op, const struct router *router, struct cidr *ret_block)
{
	for (size_t n = 0; n < router->blocks.count; n++) {
		struct cidr block = {router->blocks.at[n].base, DEFAULT_SUBNET_BITS};
		for (; cidr_contains_cidr(router->blocks.at[n], block);
		     block.base = ip_add(block.base, cidr_count(block)))
			if (is_free(op->head, router->row.id, block)) {
				*ret_block = block;
				return OK;
			}
	}
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_SUBNET,
			     "The default VPC has no free block of the size /%d.", DEFAULT_SUBNET_BITS);
}

RESULT engine_create_default_subnet(struct op *op, struct default_subnet_wish *wish)
{
	const struct account *account = NULL;
	const struct zone *zone = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(engine_find_zone(op->ctx, op->head, &wish->zone, &zone));
	const struct router *router = router_find(op->head, account->default_router);
	if (!router || !row_is_live(&router->row))
		return ENGINE_FAIL(op, ERR_MISSING, KIND_ROUTER, wish->zone.field,
				   "There is no default VPC for the account.");
	struct subnet_plan plan = {.account = router->account,
				   .router = router->row.id,
				   .zone = zone->row.id,
				   .acl = router->default_acl,
				   .is_default = true,
				   .public_on_launch = true};
	const struct subnet *there = find_default(op->head, router->row.id, zone->row.id);
	if (there)
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_SUBNET, wish->zone.field,
				   "'%" STR_FMT "' is already the default subnet in %" STR_FMT ".",
				   STR_ARG(engine_write_id(op, KIND_SUBNET, there->row.id)),
				   STR_ARG(zone->name));
	TRY(find_default_block(op, router, &plan.block));
	TRY(quota_check(op, router->account, QUOTA_NETWORKS, 1));
	TRY(quota_check(op, router->account, QUOTA_SUBNETS, 1));
	TRY(engine_permit(op, "subnet.create_default", KIND_ROUTER, &router->row));
	return subnet_write(op, &plan, &wish->subnet);
}

/* ---- on a network ---- */

static RESULT fail_range(struct op *op, const struct network_subnet_wish *wish, struct ip ip,
			 const char *what)
{
	char text[IP_TEXT_SIZE], block[CIDR_TEXT_SIZE];
	return ctx_fail_kind(op->ctx, ERR_RANGE, KIND_SUBNET, "%s %s is not an address for hosts in %s.",
			     what, ip_write(ip, text), cidr_write(wish->block, block));
}

/* Pools must not overlap each other or contain the gateway. */
static RESULT check_pools(struct op *op, const struct network_subnet_wish *wish, struct ip gateway)
{
	const struct ip *at = wish->pools.at;
	for (size_t n = 0; n + 1 < wish->pools.count; n += 2) {
		if (!is_host_address(wish->block, at[n]) || !is_host_address(wish->block, at[n + 1]) ||
		    ip_compare(at[n], at[n + 1]) > 0)
			return fail_range(op, wish, at[n], "The allocation pool from");
		if (!ip_is_none(gateway) && ip_compare(at[n], gateway) <= 0 &&
		    ip_compare(gateway, at[n + 1]) <= 0)
			return ctx_fail_kind(op->ctx, ERR_CONFLICT, KIND_PORT,
					     "The gateway's address is in an allocation pool.");
		for (size_t k = 0; k < n; k += 2)
			if (ip_compare(at[n], at[k + 1]) <= 0 && ip_compare(at[k], at[n + 1]) <= 0)
				return ctx_fail_kind(op->ctx, ERR_CONFLICT, KIND_PORT,
						     "Two allocation pools overlap.");
	}
	return OK;
}

/* Returns one or two pools with all host addresses except the gateway's; `room` takes their ends. */
static struct ips make_pools(struct cidr block, struct ip gateway, struct ip room[static 4])
{
	struct ip first = ip_add(block.base, 1);
	struct ip last =
		block.base.family == IP_V6 ? cidr_last(block) : ip_add(block.base, cidr_count(block) - 2);
	size_t count = 0;
	if (!is_host_address(block, gateway)) {
		room[count++] = first;
		room[count++] = last;
	} else {
		if (ip_compare(first, gateway) < 0) {
			room[count++] = first;
			room[count++] = ip_add(gateway, (uint64_t) -1);
		}
		if (ip_compare(gateway, last) < 0) {
			room[count++] = ip_add(gateway, 1);
			room[count++] = last;
		}
	}
	return (struct ips){room, count};
}

static RESULT check_network_block(struct op *op, const struct network *network, struct cidr block)
{
	char text[CIDR_TEXT_SIZE];
	bool is_ipv6 = block.base.family == IP_V6;
	int min = is_ipv6 ? NETWORK_SUBNET_IPV6_BITS_MIN : NETWORK_SUBNET_BITS_MIN,
	    max = is_ipv6 ? NETWORK_SUBNET_IPV6_BITS_MAX : NETWORK_SUBNET_BITS_MAX;
	if (block.bits < min || block.bits > max ||
	    !(is_ipv6 ? ipv6_is_usable_block(block) : router_is_usable_block(block)))
		return ctx_fail_kind(op->ctx, ERR_RANGE, KIND_SUBNET,
				     "The CIDR '%s' is invalid: a subnet is an IPv%d block from /%d to /%d.",
				     cidr_write(block, text), is_ipv6 ? 6 : 4, min, max);
	const struct subnet *other = subnet_first_by_network(op->head, network->row.id);
	for (; other; other = subnet_next_by_network(op->head, other))
		if (row_is_live(&other->row) && cidr_overlaps(other->block, block))
			return ctx_fail_kind(op->ctx, ERR_CONFLICT, KIND_SUBNET,
					     "The CIDR '%s' overlaps with another subnet of the network",
					     cidr_write(block, text));
	return OK;
}

static RESULT check_lists(struct op *op, struct ips pools, struct ips dns, struct cidrs routes)
{
	if (pools.count <= 2 * SUBNET_POOLS_MAX && dns.count <= SUBNET_DNS_MAX &&
	    routes.count <= SUBNET_ROUTES_MAX)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_SUBNET,
			     "A subnet has up to %d allocation pools, %d name servers and %d host routes.",
			     SUBNET_POOLS_MAX, SUBNET_DNS_MAX, SUBNET_ROUTES_MAX);
}

/* Checks that all addresses are of the block's family. */
static RESULT check_families(struct op *op, const struct subnet *subnet)
{
	const struct {
		const char *what;
		struct ips ips;
	} lists[] = {{"The gateway", {&subnet->gateway_ip, !ip_is_none(subnet->gateway_ip)}},
		     {"The allocation pool's end", subnet->pools},
		     {"The name server", subnet->dns_servers},
		     {"The host route's next hop", subnet->host_route_hops}};
	enum ip_family family = (enum ip_family) subnet->block.base.family;
	char text[CIDR_TEXT_SIZE];
	for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++)
		for (size_t n = 0; n < lists[k].ips.count; n++)
			if (lists[k].ips.at[n].family != family)
				return ctx_fail_kind(op->ctx, ERR_RANGE, KIND_SUBNET,
						     "%s '%s' is not an IPv%d address, as the subnet's are.",
						     lists[k].what, ip_write(lists[k].ips.at[n], text),
						     (int) family);
	for (size_t n = 0; n < subnet->host_route_blocks.count; n++)
		if (subnet->host_route_blocks.at[n].base.family != family)
			return ctx_fail_kind(op->ctx, ERR_RANGE, KIND_SUBNET,
					     "The host route's destination '%s' is not an IPv%d block.",
					     cidr_write(subnet->host_route_blocks.at[n], text), (int) family);
	return OK;
}

static RESULT find_block(struct op *op, struct network_subnet_wish *wish, uuid account, uuid *ret_pool)
{
	const struct subnet_pool_request request = {wish->pool, wish->wants_default_pool, wish->is_ipv6,
						    wish->bits, account};
	*ret_pool = UUID_NONE;
	wish->block = cidr_canonical(wish->block);
	if (ref_is_given(&wish->pool) || wish->wants_default_pool)
		return subnet_pool_allocate(op, &request, ret_pool, &wish->block);
	if (!cidr_is_none(wish->block))
		return OK;
	return ENGINE_FAIL(op, ERR_MISSING, KIND_SUBNET, STR("cidr"),
			   "A subnet needs a CIDR, or a pool to take one from.");
}

RESULT engine_add_subnet(struct op *op, struct network_subnet_wish *wish)
{
	const struct network *network = NULL;
	struct ip room[4];
	uuid pool;
	TRY(external_network_check_own(op, &wish->network, "subnet"));
	TRY(engine_find_own_network(op->ctx, op->head, &wish->network, &network));
	TRY(engine_check_owner(op, &wish->account, network->account));
	TRY(find_block(op, wish, network->account, &pool));
	TRY(address_scope_check_network(op, network->row.id, wish->block.base.family == IP_V6, pool));
	TRY(check_network_block(op, network, wish->block));
	TRY(network_check_mtu(op, network->row.id, network->mtu, wish->block));
	TRY(ipv6_check_modes(op, wish));
	struct ip gateway = wish->gateway_ip;
	if (wish->no_gateway)
		gateway = (struct ip){0};
	else if (ip_is_none(gateway))
		gateway = ip_add(wish->block.base, 1);
	if (!wish->no_gateway && !is_host_address(wish->block, gateway))
		return fail_range(op, wish, gateway, "The gateway");
	TRY(check_lists(op, wish->pools, wish->dns_servers, wish->host_route_blocks));
	struct subnet subnet = {.row.id = engine_new_id(op, KIND_SUBNET),
				.row.gen = 1,
				.account = network->account,
				.name = wish->name,
				.description = wish->description,
				.network = network->row.id,
				.subnet_pool = pool,
				.from_region_pool = subnet_pool_has_id_of_regions(op->head, pool),
				.block = wish->block,
				.pools = wish->pools,
				.gateway_ip = gateway,
				.gateway_mac = subnet_draw_gateway_mac(),
				.no_dhcp = wish->no_dhcp,
				.ipv6_ra_mode = wish->ipv6_ra_mode,
				.ipv6_address_mode = wish->ipv6_address_mode,
				.dns_servers = wish->dns_servers,
				.host_route_blocks = wish->host_route_blocks,
				.host_route_hops = wish->host_route_hops};
	TRY(check_families(op, &subnet));
	TRY(check_pools(op, wish, gateway));
	if (wish->pools.count == 0)
		subnet.pools = make_pools(wish->block, gateway, room);
	TRY(tag_normalize(op, wish->tags, &subnet.tags));
	TRY(quota_check(op, network->account, QUOTA_SUBNETS, 1));
	TRY(engine_permit(op, "subnet.create", KIND_NETWORK, &network->row));
	TRY(subnet_put(op, &subnet));
	TRY(port_add_auto_ips_in(op, &subnet));
	TRY(network_touch(op, subnet.network));
	TRY(external_network_follow(op, subnet.network));
	wish->subnet = subnet.row.id;
	char text[CIDR_TEXT_SIZE];
	return engine_log_event(op, KIND_SUBNET, &subnet.row, "created", "Subnet %s.",
				cidr_write(subnet.block, text));
}

/* Changes the gateway address, unless a router holds it. Ports that use the new address keep it. */
static RESULT apply_gateway(struct op *op, const struct subnet_settings *wish, struct subnet *next)
{
	if (!wish->gateway_ip || ip_equal(*wish->gateway_ip, next->gateway_ip))
		return OK;
	char text[IP_TEXT_SIZE];
	if (!uuid_is_none(next->router))
		return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_ROUTER,
				     "The gateway's address %s is that of a router's interface.",
				     ip_write(next->gateway_ip, text));
	if (!ip_is_none(*wish->gateway_ip) && !is_host_address(next->block, *wish->gateway_ip))
		return ctx_fail_kind(op->ctx, ERR_RANGE, KIND_SUBNET,
				     "The gateway %s is not an address for hosts in the subnet.",
				     ip_write(*wish->gateway_ip, text));
	next->gateway_ip = *wish->gateway_ip;
	return OK;
}

/* Ports of an IPv6 subnet always have an IPv6 address, and no IPv4 address that a public one could be
 * associated with. */
static RESULT check_launch_settings(struct op *op, const struct subnet_settings *wish,
				    const struct subnet *subnet)
{
	bool is_ipv6 = subnet->block.base.family == IP_V6;
	if (is_ipv6 && wish->public_on_launch == CHOICE_YES)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SUBNET, wish->public_field,
				   "The subnet '%" STR_FMT
				   "' has no IPv4 CIDR block: no public address stands for one of IPv6.",
				   STR_ARG(wish->subnet.text));
	if (is_ipv6 && wish->ipv6_on_create == CHOICE_NO)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SUBNET, wish->ipv6_field,
				   "The subnet '%" STR_FMT
				   "' has no IPv4 CIDR block: interfaces in it always have an IPv6 address.",
				   STR_ARG(wish->subnet.text));
	if (wish->ipv6_on_create != CHOICE_YES || engine_find_ipv6_subnet(op->head, subnet))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SUBNET, wish->ipv6_field,
			   "The subnet '%" STR_FMT "' has no IPv6 CIDR block.", STR_ARG(wish->subnet.text));
}

/* AWS's message for AAAA records. The other two are modelled on it. */
static RESULT fail_name_setting(struct op *op, const struct subnet_settings *wish, const char *setting,
				const char *value, const char *family)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SUBNET, str_from(setting),
			   "Invalid value '%s' for %s. Cannot set %s to %s unless the subnet (%" STR_FMT
			   ") has an %s CIDR block associated with it.",
			   value, setting, setting, value, STR_ARG(wish->subnet.text), family);
}

static RESULT apply_names(struct op *op, const struct subnet_settings *wish, struct subnet *next)
{
	bool is_ipv6 = next->block.base.family == IP_V6;
	if (is_ipv6 && wish->id_names == CHOICE_NO)
		return fail_name_setting(op, wish, "private-dns-hostname-type-on-launch", "ip-name", "IPv4");
	if (is_ipv6 && wish->id_names_have_a == CHOICE_YES)
		return fail_name_setting(op, wish, "enable-resource-name-dns-a-record-on-launch", "true",
					 "IPv4");
	if (wish->id_names_have_aaaa == CHOICE_YES && !engine_find_ipv6_subnet(op->head, next))
		return fail_name_setting(op, wish, "enable-resource-name-dns-aaaa-record-on-launch", "true",
					 "IPv6");
	choice_apply(wish->id_names, &next->id_names);
	choice_apply(wish->id_names_have_a, &next->id_names_have_a);
	choice_apply(wish->id_names_have_aaaa, &next->id_names_have_aaaa);
	return OK;
}

RESULT engine_update_subnet(struct op *op, struct subnet_settings *wish)
{
	const struct subnet *subnet = NULL;
	struct ip room[4];
	TRY(engine_find_own_subnet(op->ctx, op->head, &wish->subnet, &subnet));
	struct subnet next = *subnet;
	choice_apply(wish->public_on_launch, &next.public_on_launch);
	choice_apply(wish->ipv6_on_create, &next.ipv6_on_create);
	TRY(check_launch_settings(op, wish, subnet));
	TRY(apply_names(op, wish, &next));
	choice_apply(wish->no_dhcp, &next.no_dhcp);
	if (next.no_dhcp && ipv6_subnet_has_modes(subnet))
		return ctx_fail_kind(op->ctx, ERR_CONFLICT, KIND_SUBNET,
				     "DHCP cannot be off where guests are told how to get IPv6 addresses.");
	TRY(apply_gateway(op, wish, &next));
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	if (wish->dns_servers)
		next.dns_servers = *wish->dns_servers;
	if (wish->pools && (wish->pools->count || !subnet->pools.count))
		next.pools = *wish->pools;
	else if (wish->pools) /* without pools the subnet would follow the rules of a VPC's */
		next.pools = make_pools(next.block, next.gateway_ip, room);
	if (wish->host_route_blocks) {
		next.host_route_blocks = *wish->host_route_blocks;
		next.host_route_hops = *wish->host_route_hops;
	}
	TRY(check_lists(op, next.pools, next.dns_servers, next.host_route_blocks));
	TRY(check_families(op, &next));
	struct network_subnet_wish checked = {.block = next.block, .pools = next.pools};
	TRY(check_pools(op, &checked, next.gateway_ip));
	TRY(engine_permit(op, "subnet.update", KIND_SUBNET, &subnet->row));
	next.row.gen++;
	TRY(subnet_put(op, &next));
	TRY(network_touch(op, next.network));
	TRY(external_network_follow(op, next.network));
	return engine_log_event(op, KIND_SUBNET, &next.row, "changed",
				next.public_on_launch ? "Launches in it get a public address."
						      : "Launches in it do not get a public address.");
}

/* ---- deletion ---- */

bool subnet_is_of_blocks(const struct tables *t, const struct subnet *subnet)
{
	const struct router *router = router_find(t, subnet->router);
	for (size_t n = 0; router && n < router->blocks.count; n++)
		if (cidr_contains_cidr(router->blocks.at[n], subnet->block))
			return true;
	return router && engine_is_ipv6_of_router(router, subnet->block);
}

const struct port *engine_find_port_in(const struct tables *t, uuid subnet)
{
	const struct port *port = port_first_by_subnet(t, subnet);
	while (port && !row_is_live(&port->row))
		port = port_next_by_subnet(t, port);
	const struct secondary_ip *s = port ? NULL : secondary_ip_first_by_subnet(t, subnet);
	while (s && !row_is_live(&s->row))
		s = secondary_ip_next_by_subnet(t, s);
	const struct port_prefix *p = port || s ? NULL : port_prefix_first_by_subnet(t, subnet);
	while (p && !row_is_live(&p->row))
		p = port_prefix_next_by_subnet(t, p);
	return p ? port_find(t, p->port) : s ? port_find(t, s->port) : port;
}

RESULT subnet_check_unused(struct op *op, const struct subnet *subnet, struct str field)
{
	struct str user = STR_NONE;
	const struct port *port = engine_find_port_in(op->head, subnet->row.id);
	const struct transit_attachment *attachment = transit_find_in_subnet(op->head, subnet);
	if (port)
		user = engine_write_id(op, KIND_PORT, port->row.id);
	else if (attachment)
		user = engine_write_id(op, KIND_TRANSIT_ATTACHMENT, attachment->row.id);
	else if (!uuid_is_none(subnet->router) && !subnet_is_of_blocks(op->head, subnet))
		user = engine_write_id(op, KIND_ROUTER, subnet->router);
	if (str_is_empty(user))
		return OK;
	const struct ref about = {.text = engine_write_id(op, KIND_SUBNET, subnet->row.id), .field = field};
	return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_SUBNET, &about,
				 "The subnet '%" STR_FMT "' has dependencies and cannot be deleted. %" STR_FMT
				 " is in it.",
				 STR_ARG(about.text), STR_ARG(user));
}

/* Deletes the network of an EC2 subnet with its last subnet. */
static RESULT delete_network_with_last(struct op *op, uuid network)
{
	const struct subnet *other = subnet_find_by_network(op->head, network);
	return other ? OK : network_delete_with_rules(op, network);
}

/* Deletes the IPv6 subnet beside an IPv4 subnet in a router's blocks. */
static RESULT delete_beside(struct op *op, const struct subnet *subnet, struct str field)
{
	const struct subnet *other =
		subnet->block.base.family == IP_V4 ? engine_find_ipv6_subnet(op->head, subnet) : NULL;
	if (!other || !subnet_is_of_blocks(op->head, other))
		return OK;
	TRY(subnet_check_unused(op, other, field));
	return subnet_delete(op, other->row.id);
}

struct cidr subnet_get_block(const struct tables *t, uuid subnet)
{
	const struct subnet *row = subnet_find(t, subnet);
	return row ? row->block : (struct cidr){0};
}

RESULT engine_delete_subnet(struct op *op, struct subnet_target *wish)
{
	const struct subnet *subnet = NULL;
	TRY(engine_permit_subnet(op, &wish->subnet, "subnet.delete", &subnet));
	TRY(vpn_check_no_endpoint(op, subnet->row.id, subnet->account));
	TRY(port_drop_auto_ips_in(op, subnet));
	TRY(subnet_check_unused(op, subnet, wish->subnet.field));
	TRY(external_network_check_subnet(op, subnet, &wish->subnet));
	TRY(delete_beside(op, subnet, wish->subnet.field));
	TRY(subnet_delete(op, subnet->row.id));
	TRY(ipv6_settle_lists(op, subnet->network));
	TRY(network_touch(op, subnet->network));
	TRY(external_network_follow(op, subnet->network));
	if (subnet_is_of_blocks(op->head, subnet))
		TRY(delete_network_with_last(op, subnet->network));
	char text[CIDR_TEXT_SIZE];
	return engine_log_event(op, KIND_SUBNET, &subnet->row, "deleted", "Subnet %s.",
				cidr_write(subnet->block, text));
}
