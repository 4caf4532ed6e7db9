/* SPDX-License-Identifier: Apache-2.0
 * Public addresses. What happens next: reconcile/address.c translates them to their ports'. */
#include "engine/network/address.h"

#include <inttypes.h>

#include "engine/capacity_internal.h"
#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/network/address_internal.h"
#include "engine/network/address_prefix_internal.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/firewall_internal.h"
#include "engine/network/gateway_internal.h"
#include "engine/network/ip_pool_internal.h"
#include "engine/network/load_balancer_internal.h"
#include "engine/network/network_offering_internal.h"
#include "engine/network/port.h"
#include "engine/network/port_forwarding_internal.h"
#include "engine/network/port_internal.h"
#include "engine/network/subnet_internal.h"
#include "engine/quota_internal.h"
#include "engine/region/region.h"
#include "engine/tag_internal.h"
#include "model/account.h"
#include "model/gateway.h"
#include "model/network.h"
#include "model/router.h"
#include "model/secondary_ip.h"
#include "model/state.h"
#include "store/address.h"
#include "store/address_prefix.h"
#include "store/address_range.h"
#include "store/external_network.h"
#include "store/instance.h"
#include "store/port.h"
#include "store/secondary_ip.h"
#include "store/subnet.h"

/* ---- free ones ---- */

struct place {
	uuid external_network;
	struct ip ip;
};

/* As of ip_pool.is_kept. */
static bool is_in_prefix(const struct tables *t, const struct row *probe, struct ip ip, struct ip *ret_last)
{
	const struct address_prefix *p = address_prefix_around(t, address_of(probe)->external_network, ip);
	if (p)
		*ret_last = cidr_last(p->block);
	return p != NULL;
}

/* Of what is everybody's, or of a block that the probe says. */
static struct ip_pool pool_of(struct address *probe)
{
	return (struct ip_pool){.kind = KIND_ADDRESS,
				.index = ADDRESS_INDEX_IP,
				.probe = &probe->row,
				.probe_ip = &probe->ip,
				.ip_offset = offsetof(struct address, ip),
				.is_kept = uuid_is_none(probe->prefix) ? is_in_prefix : NULL};
}

/* subnet: in that one; none: in any. */
static bool pick_on(const struct tables *t, uuid external_network, uuid subnet, struct place *ret_place)
{
	struct address probe = {.external_network = external_network};
	struct ip_pool pool = pool_of(&probe);
	const struct address_range *range = address_range_first_by_external_network(t, external_network);
	for (; range; range = address_range_next_by_external_network(t, range)) {
		bool is_there = uuid_is_none(subnet) || uuid_equal(range->subnet, subnet);
		if (row_is_live(&range->row) && is_there &&
		    ip_pool_pick(t, &pool, range->first, range->last, &ret_place->ip)) {
			ret_place->external_network = external_network;
			return true;
		}
	}
	return false;
}

bool address_pick_in(const struct tables *t, const struct subnet *subnet, struct ip *ret_ip)
{
	struct address probe = {.external_network = subnet->network};
	struct ip_pool pool = pool_of(&probe);
	struct ip first, last;
	for (size_t n = 0; subnet_get_pool(subnet, n, &first, &last); n++)
		if (ip_pool_pick(t, &pool, first, last, ret_ip))
			return true;
	return false;
}

/* A live one of the external network, of a family. */
static const struct subnet *next_subnet(const struct tables *t, uuid network, enum ip_family family,
					const struct subnet *subnet)
{
	const struct subnet *s =
		subnet ? subnet_next_by_network(t, subnet) : subnet_first_by_network(t, network);
	while (s && !(row_is_live(&s->row) && s->block.base.family == family))
		s = subnet_next_by_network(t, s);
	return s;
}

/* Gateways and ports have IPv6 addresses, too. */
static bool pick_ipv6_on(const struct tables *t, uuid external_network, uuid subnet, struct place *ret_place)
{
	const struct subnet *s = next_subnet(t, external_network, IP_V6, NULL);
	for (; s; s = next_subnet(t, external_network, IP_V6, s)) {
		bool is_there = uuid_is_none(subnet) || uuid_equal(s->row.id, subnet);
		if (!is_there || !address_pick_in(t, s, &ret_place->ip))
			continue;
		ret_place->external_network = external_network;
		return true;
	}
	return false;
}

/* An IPv4 address is in a range; one of IPv6 is in a subnet, of which there are no ranges. */
uuid engine_get_external_subnet(const struct tables *t, uuid external_network, struct ip ip)
{
	const struct address_range *range = external_network_find_range(t, external_network, ip);
	const struct subnet *s = ip.family == IP_V6 ? next_subnet(t, external_network, IP_V6, NULL) : NULL;
	while (s && !cidr_contains(s->block, ip))
		s = next_subnet(t, external_network, IP_V6, s);
	return range ? range->subnet : s ? s->row.id : UUID_NONE;
}

static RESULT fail_place(struct op *op, enum err err, struct ip ip, const char *why)
{
	struct str text = ip_to_str(op->ctx->arena, ip);
	struct result failed =
		ctx_fail_kind(op->ctx, err, KIND_ADDRESS, "The address %" STR_FMT " %s.", STR_ARG(text), why);
	op->ctx->problem.subject = text;
	return failed;
}

static RESULT check_place(struct op *op, uuid external_network, uuid subnet, struct ip ip,
			  struct place *ret_place)
{
	struct address probe = {.external_network = external_network};
	struct ip_pool pool = pool_of(&probe);
	uuid there = engine_get_external_subnet(op->head, external_network, ip);
	if (uuid_is_none(there) || !(uuid_is_none(subnet) || uuid_equal(there, subnet)))
		return FAIL(RANGE);
	if (ip_pool_has(op->head, &pool, ip))
		return fail_place(op, ERR_EXISTS, ip, "is allocated already");
	*ret_place = (struct place){external_network, ip};
	return OK;
}

/* In Neutron's words where a network is named, else in EC2's. */
static RESULT fail_none_left(struct op *op, uuid external_network)
{
	if (!uuid_is_none(external_network))
		return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_ADDRESS,
				     "Unable to find any IP address on external network %" STR_FMT ".",
				     STR_ARG(uuid_to_str(op->ctx->arena, external_network)));
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_ADDRESS,
			     NOT_ENOUGH_ADDRESSES "There is no public address left.");
}

RESULT address_check_subnet(struct op *op, uuid external_network, const struct ref *ref)
{
	const struct subnet *subnet = ref_is_given(ref) ? subnet_find(op->head, ref->prefix) : NULL;
	if (!ref_is_given(ref))
		return OK;
	bool is_there = subnet && row_is_live(&subnet->row);
	if (is_there && uuid_equal(subnet->network, external_network))
		return OK;
	if (!is_there || !engine_may_use(op->ctx, op->head, KIND_SUBNET, &subnet->row))
		return engine_fail_not_found(op->ctx, KIND_SUBNET, ref);
	char id[UUID_TEXT_SIZE];
	return ENGINE_FAIL(
		op, ERR_RANGE, KIND_SUBNET, ref->field,
		"Invalid input for operation: Failed to create port on network %s, because fixed_ips "
		"included invalid subnet %" STR_FMT ".",
		uuid_write(external_network, id), STR_ARG(ref->text));
}

/* Of the network named there are floating addresses, and the subnet is one of it. */
static RESULT check_only(struct op *op, const struct external_network *only, const struct address_wish *wish)
{
	char id[UUID_TEXT_SIZE];
	TRY(address_check_subnet(op, only->row.id, &wish->subnet));
	if (address_range_first_by_external_network(op->head, only->row.id))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_EXTERNAL_NETWORK, wish->external_network.field,
			   "Bad floatingip request: Network %s does not contain any IPv4 subnet.",
			   uuid_write(only->row.id, id));
}

/* On the network named, or on the first that has what is asked for. */
static RESULT find_place(struct op *op, const struct address_wish *wish, struct place *ret_place)
{
	const struct external_network *only = NULL;
	if (ref_is_given(&wish->external_network))
		TRY(engine_find_external_network(op->ctx, op->head, &wish->external_network, &only));
	if (only)
		TRY(check_only(op, only, wish));
	const struct external_network *network = only ? only : external_network_first(op->head);
	uuid subnet = wish->subnet.prefix;
	for (; network; network = only ? NULL : external_network_next(op->head, network)) {
		bool has_any = ip_is_none(wish->ip) && (only || external_network_is_for_all(network));
		if (has_any && pick_on(op->head, network->row.id, subnet, ret_place))
			return OK;
		if (ip_is_none(wish->ip))
			continue;
		struct result checked = check_place(op, network->row.id, subnet, wish->ip, ret_place);
		if (checked.code != ERR_RANGE)
			return checked;
	}
	if (ip_is_none(wish->ip))
		return fail_none_left(op, only ? only->row.id : UUID_NONE);
	return fail_place(op, ERR_RANGE, wish->ip, "is in no range of this region");
}

RESULT address_write_for_gateway(struct op *op, const struct gateway *gateway, uuid subnet, struct ip ip,
				 uuid *ret_address)
{
	struct place place = {0};
	char text[IP_TEXT_SIZE];
	if (ip_is_none(ip) && !pick_on(op->head, gateway->external_network, subnet, &place) &&
	    !pick_ipv6_on(op->head, gateway->external_network, subnet, &place))
		return fail_none_left(op, gateway->external_network);
	if (!ip_is_none(ip)) {
		struct result checked = check_place(op, gateway->external_network, subnet, ip, &place);
		if (checked.code == ERR_RANGE)
			return ctx_fail_kind(op->ctx, ERR_RANGE, KIND_ADDRESS,
					     "The address %s is in no range of the external network.",
					     ip_write(ip, text));
		TRY(checked);
	}
	struct address address = {.row.id = engine_new_id(op, KIND_ADDRESS),
				  .row.gen = 1,
				  .account = gateway->account,
				  .external_network = place.external_network,
				  .ip = place.ip};
	*ret_address = address.row.id;
	return address_put(op, &address);
}

RESULT address_reserve(struct op *op, const struct subnet *subnet, struct ip ip, uuid port)
{
	const struct external_network *external = external_network_find(op->head, subnet->network);
	const struct address *present = address_find_by_ip(op->head, subnet->network, ip);
	if (!external || (present && uuid_equal(present->reserved_for, port)))
		return OK;
	bool is_routers =
		ip_compare(external->infra_first, ip) <= 0 && ip_compare(ip, external->infra_last) <= 0;
	struct address probe = {.external_network = subnet->network};
	struct ip_pool pool = pool_of(&probe);
	if (ip_pool_has(op->head, &pool, ip) || is_routers)
		return fail_place(op, ERR_EXISTS, ip, "is allocated already");
	struct address address = {.row.id = engine_new_id(op, KIND_ADDRESS),
				  .row.gen = 1,
				  .account = subnet->account,
				  .external_network = subnet->network,
				  .ip = ip,
				  .reserved_for = port};
	return address_put(op, &address);
}

/* Nothing in the network stands for it: it is free at once. */
static RESULT unreserve(struct op *op, const struct port *port, struct ip ip)
{
	const struct address *a = port ? address_find_by_ip(op->head, port->network, ip) : NULL;
	return a && uuid_equal(a->reserved_for, port->row.id) ? address_forget(op, a->row.id) : OK;
}

/* For a port from the start. */
static RESULT associate_new(struct op *op, const struct address_wish *wish)
{
	struct address_association association = {
		.address = {.kind = KIND_ADDRESS, .prefix = wish->address, .bits = 128},
		.port = wish->port,
		.private_ip = wish->private_ip,
		.keeps_present = true,
	};
	return engine_associate_address(op, &association);
}

/* The router on which a network's first such subnet is; none: the network is on none. */
static uuid find_router_of(const struct tables *t, uuid network)
{
	const struct subnet *s = subnet_first_by_network(t, network);
	while (s && !(row_is_live(&s->row) && !uuid_is_none(s->router)))
		s = subnet_next_by_network(t, s);
	return s ? s->router : UUID_NONE;
}

/* What it is taken for says where it comes from. */
static RESULT take_purpose(struct op *op, struct address_wish *wish, struct address *address)
{
	const struct network *network = NULL;
	const struct router *router = NULL;
	bool has_network = ref_is_given(&wish->for_network);
	const struct ref *named = has_network ? &wish->for_network : &wish->for_router;
	if (!ref_is_given(named))
		return OK;
	if (has_network)
		TRY(engine_find_own_network(op->ctx, op->head, named, &network));
	else
		TRY(engine_find_own_router(op->ctx, op->head, named, &router));
	address->for_network = network ? network->row.id : UUID_NONE;
	address->for_router = router ? router->row.id : UUID_NONE;
	const struct gateway *gateway = gateway_of_router(
		op->head, router ? router->row.id : find_router_of(op->head, address->for_network));
	if (!gateway || uuid_is_none(gateway->external_network))
		return ENGINE_FAIL(op, ERR_STATE, KIND_GATEWAY, named->field,
				   "No gateway leads out of %" STR_FMT ": it can have no public address.",
				   STR_ARG(uuid_to_str(op->ctx->arena, named->prefix)));
	wish->external_network = ref_by_id(KIND_EXTERNAL_NETWORK, gateway->external_network);
	return OK;
}

static RESULT take_free(struct op *op, const struct address_wish *wish, uuid account, struct address *address)
{
	struct place place = {0};
	TRY(find_place(op, wish, &place));
	address->external_network = place.external_network;
	address->ip = place.ip;
	return quota_check(op, account, QUOTA_ADDRESSES, 1);
}

RESULT engine_allocate_address(struct op *op, struct address_wish *wish)
{
	const struct account *account = NULL;
	struct address address = {.row.gen = 1,
				  .is_elastic = true,
				  .is_guarded = wish->is_guarded,
				  .description = wish->description};
	TRY(engine_find_owner_to_be(op, &wish->account, &account));
	TRY(take_purpose(op, wish, &address));
	TRY(ref_is_given(&wish->prefix) ? address_prefix_draw(op, wish, account->row.id, &address)
					: take_free(op, wish, account->row.id, &address));
	TRY(engine_permit(op, "address.allocate", KIND_ADDRESS, NULL));
	address.row.id = engine_new_id(op, KIND_ADDRESS);
	address.account = account->row.id;
	TRY(tag_normalize(op, wish->tags, &address.tags));
	TRY(address_put(op, &address));
	wish->address = address.row.id;
	wish->made_ip = address.ip;
	char text[IP_TEXT_SIZE];
	TRY(engine_log_event(op, KIND_ADDRESS, &address.row, "allocated", "%s.", ip_write(address.ip, text)));
	return ref_is_given(&wish->port) ? associate_new(op, wish) : OK;
}

/* ---- leaving a port ---- */

static RESULT write_free(struct op *op, const struct address *address)
{
	struct address next = *address;
	next.port = UUID_NONE;
	next.private_ip = (struct ip){0};
	next.association = UUID_NONE;
	next.row.gen++;
	TRY(address_put(op, &next));
	TRY(firewall_leave_address(op, next.row.id));
	char text[IP_TEXT_SIZE];
	return engine_log_event(op, KIND_ADDRESS, &next.row, "disassociated", "%s is free.",
				ip_write(next.ip, text));
}

static const struct address *live_or_next(const struct tables *t, const struct address *address)
{
	while (address && !row_is_live(&address->row))
		address = address_next_by_port(t, address);
	return address;
}

const struct address *engine_find_address_for(const struct tables *t, uuid port, struct ip private_ip)
{
	const struct address *address = live_or_next(t, address_first_by_port(t, port));
	while (address && !ip_equal(address->private_ip, private_ip))
		address = live_or_next(t, address_next_by_port(t, address));
	return address;
}

RESULT address_end(struct op *op, uuid address)
{
	TRY(firewall_leave_address(op, address));
	return address_delete(op, address);
}

static RESULT leave(struct op *op, const struct address *address)
{
	return address->is_elastic ? write_free(op, address) : address_end(op, address->row.id);
}

RESULT address_take_auto(struct op *op, uuid port)
{
	const struct address *address = live_or_next(op->head, address_first_by_port(op->head, port));
	while (address && address->is_elastic)
		address = live_or_next(op->head, address_next_by_port(op->head, address));
	return address ? leave(op, address) : OK;
}

RESULT address_leave_port(struct op *op, uuid port)
{
	const struct address *address = live_or_next(op->head, address_first_by_port(op->head, port)), *next;
	for (; address; address = next) {
		next = live_or_next(op->head, address_next_by_port(op->head, address));
		TRY(leave(op, address));
	}
	const struct port *row = port_find(op->head, port);
	TRY(unreserve(op, row, row ? row->ip : (struct ip){0}));
	for (const struct secondary_ip *s = engine_first_secondary_ip(op->head, port); s;
	     s = engine_next_secondary_ip(op->head, s))
		TRY(unreserve(op, row, s->ip));
	TRY(load_balancer_leave_ip(op, port, (struct ip){0}));
	return port_forwarding_leave_port(op, port);
}

RESULT address_leave_ip(struct op *op, uuid port, struct ip private_ip)
{
	const struct address *address = engine_find_address_for(op->head, port, private_ip);
	TRY(unreserve(op, port_find(op->head, port), private_ip));
	TRY(port_forwarding_leave_ip(op, port, private_ip));
	TRY(load_balancer_leave_ip(op, port, private_ip));
	return address ? leave(op, address) : OK;
}

RESULT address_move_ip(struct op *op, uuid from, uuid to, struct ip private_ip)
{
	const struct address *address = engine_find_address_for(op->head, from, private_ip);
	TRY(port_forwarding_move_ip(op, from, to, private_ip));
	TRY(load_balancer_move_ip(op, from, to, private_ip));
	if (!address)
		return OK;
	struct address next = *address;
	next.port = to;
	next.row.gen++;
	TRY(address_put(op, &next));
	return firewall_follow(op, next.row.id);
}

/* ---- those that come and go with an instance's run ---- */

/* On all external networks; INT64_MAX: the region has none, or the last one goes. */
static int64_t count_left(const struct tables *t)
{
	const struct external_network *network = external_network_first(t);
	int64_t left = 0;
	bool has_one = false;
	for (; network; network = external_network_next(t, network)) {
		if (!external_network_is_for_all(network))
			continue;
		has_one = true;
		left += capacity_count_public_left(t, network->row.id);
	}
	return has_one ? left : INT64_MAX;
}

int64_t address_count_auto(const struct tables *t, uuid router)
{
	const struct gateway *gateway = gateway_of_router(t, router);
	if (uuid_is_none(router))
		return INT64_MAX; /* nothing could translate one */
	if (!gateway)
		return count_left(t);
	if (uuid_is_none(gateway->external_network) && !gateway_lacks_address(t, gateway))
		return INT64_MAX; /* nobody is given one */
	if (uuid_is_none(gateway->external_network))
		return 0;
	return capacity_count_public_left(t, gateway->external_network);
}

RESULT address_check_auto(struct op *op, uuid router, int64_t count)
{
	const struct gateway *gateway = gateway_of_router(op->head, router);
	int64_t left = address_count_auto(op->head, router);
	if (count <= left)
		return OK;
	if (gateway && uuid_is_none(gateway->external_network))
		return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_ADDRESS, NOT_ENOUGH_ADDRESSES "%" STR_FMT,
				     STR_ARG(gateway_explain_nowhere(op, router)));
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_ADDRESS,
			     NOT_ENOUGH_ADDRESSES "Public addresses needed: %" PRId64 "; left: %" PRId64 ".",
			     count, left);
}

/* An address that the router's internet gateway leads to. Without a gateway that of the first external network
 * that has one: a gateway which is attached later leads there. */
static bool pick_for_router(const struct tables *t, uuid router, struct place *ret_place)
{
	const struct gateway *gateway = gateway_of_router(t, router);
	if (gateway)
		return !uuid_is_none(gateway->external_network) &&
		       pick_on(t, gateway->external_network, UUID_NONE, ret_place);
	const struct external_network *network = external_network_first(t);
	while (network &&
	       !(external_network_is_for_all(network) && pick_on(t, network->row.id, UUID_NONE, ret_place)))
		network = external_network_next(t, network);
	return network != NULL;
}

RESULT address_give_auto(struct op *op, const struct port *port)
{
	struct place place = {0};
	bool is_wanted = port->wants_public_ip && port->ip.family == IP_V4 && !uuid_is_none(port->router);
	if (!is_wanted || engine_find_address_for(op->head, port->row.id, port->ip))
		return OK;
	if (!pick_for_router(op->head, port->router, &place)) {
		TRY(address_check_auto(op, port->router, 1));
		bool is_given = address_count_auto(op->head, port->router) != INT64_MAX;
		return is_given ? fail_none_left(op, UUID_NONE) : OK;
	}
	struct address address = {.row.id = engine_new_id(op, KIND_ADDRESS),
				  .row.gen = 1,
				  .account = port->account,
				  .external_network = place.external_network,
				  .ip = place.ip,
				  .port = port->row.id,
				  .private_ip = port->ip};
	return address_put(op, &address);
}

RESULT address_try_auto(struct op *op, const struct port *port)
{
	struct result given = address_give_auto(op, port);
	if (given.code != ERR_CAPACITY)
		return given;
	ctx_clear_problem(op->ctx);
	return OK;
}

RESULT address_give_behind(struct op *op, uuid router)
{
	const struct port *port = port_first_by_router(op->head, router);
	for (; port; port = port_next_by_router(op->head, port)) {
		const struct instance *instance =
			uuid_is_none(port->instance) ? NULL : instance_find(op->head, port->instance);
		if (row_is_live(&port->row) && instance && row_is_live(&instance->row) &&
		    instance->wanted_power == INSTANCE_WANTED_POWER_ON)
			TRY(address_try_auto(op, port));
	}
	return OK;
}

RESULT address_put_back(struct op *op, const struct address *address, bool *ret_is_back)
{
	const struct port *port = port_find(op->head, address->port);
	const struct external_network *network = external_network_find(op->head, address->external_network);
	struct address next = *address;
	if (!address_prefix_find(op->head, next.prefix))
		next.prefix = UUID_NONE;
	struct ip_pool pool = pool_of(&next);
	*ret_is_back = port && network && row_is_live(&network->row) &&
		       !address_find(op->head, address->row.id) && !ip_pool_has(op->head, &pool, address->ip);
	if (!*ret_is_back)
		return OK;
	next.ip = address->ip;
	if (!port_has_ip(op->head, port, next.private_ip))
		next.private_ip = port->ip;
	next.seen_gen = 0;
	TRY(address_put(op, &next));
	char text[IP_TEXT_SIZE];
	return engine_log_event(op, KIND_ADDRESS, &next.row, "adopted",
				"%s came back with its network interface.", ip_write(next.ip, text));
}

/* ---- association ---- */

static RESULT find_target(struct op *op, const struct address_association *wish, const struct port **ret_port)
{
	if (ref_is_given(&wish->port) == ref_is_given(&wish->instance))
		return ctx_fail_kind(op->ctx, ERR_COMBINATION, KIND_ADDRESS,
				     "Name either an instance or a network interface.");
	return port_find_target(op, &wish->port, &wish->instance, ret_port);
}

uuid engine_get_subnet_of_ip(const struct tables *t, const struct port *port, struct ip ip)
{
	if (ip_equal(port->ip, ip))
		return port->subnet;
	const struct secondary_ip *s = engine_first_secondary_ip(t, port->row.id);
	while (s && !ip_equal(s->ip, ip))
		s = engine_next_secondary_ip(t, s);
	return s ? s->subnet : UUID_NONE;
}

uuid engine_get_router_of_ip(const struct tables *t, const struct port *port, struct ip ip)
{
	if (ip_equal(port->ip, ip))
		return port->router;
	const struct secondary_ip *s = engine_first_secondary_ip(t, port->row.id);
	while (s && !ip_equal(s->ip, ip))
		s = engine_next_secondary_ip(t, s);
	return s ? s->router : port->router;
}

bool address_is_reachable(const struct tables *t, const struct address *address, uuid router)
{
	const struct gateway *gateway = gateway_of_router(t, router);
	return gateway && uuid_equal(gateway->external_network, address->external_network);
}

/* It may be taken from where it is. */
static RESULT check_present(struct op *op, const struct address *address)
{
	const struct port *port = uuid_is_none(address->port) ? NULL : port_find(op->head, address->port);
	return port ? port_check_unmanaged(op, port, STR("NetworkInterfaceId")) : OK;
}

static RESULT check_no_subnets(struct op *op, const struct address *address, enum err code, struct str field)
{
	char text[IP_TEXT_SIZE];
	return uuid_is_none(address->source_nat)
		       ? OK
		       : ENGINE_FAIL(op, code, KIND_ADDRESS, field,
				     "Address %s is in use: subnets reach out under it.",
				     ip_write(address->ip, text));
}

/* The way out is there, and what stands in the way may be moved. */
static RESULT check_association(struct op *op, const struct address_association *wish,
				const struct address *address, const struct port *port, struct ip private_ip)
{
	TRY(check_present(op, address));
	TRY(check_no_subnets(op, address, ERR_CONFLICT, wish->address.field));
	TRY(port_forwarding_check_none(op, address, wish->address.field));
	TRY(port_check_unmanaged(op, port, STR("NetworkInterfaceId")));
	uuid router = engine_get_router_of_ip(op->head, port, private_ip);
	struct str nowhere = gateway_explain_nowhere(op, router);
	if (nowhere.n)
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_GATEWAY, "%" STR_FMT, STR_ARG(nowhere));
	if (!address_is_reachable(op->head, address, router))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_GATEWAY,
				     "Network %" STR_FMT " is not attached to any internet gateway",
				     STR_ARG(engine_write_id(op, KIND_ROUTER, port->router)));
	char text[IP_TEXT_SIZE];
	if (private_ip.family != IP_V4)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_PORT,
				     "A public address stands for an IPv4 address: there is none.");
	if (!port_has_ip(op->head, port, private_ip))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_PORT,
				     "The private address %s is not one of the network interface.",
				     ip_write(private_ip, text));
	const struct address *there = engine_find_address_for(op->head, port->row.id, private_ip);
	bool moves = !uuid_is_none(address->port) && there != address;
	bool replaces = there && there->is_elastic && there != address;
	if (((moves || replaces) && wish->allow_reassociation == CHOICE_NO) ||
	    (replaces && wish->keeps_present))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_ADDRESS, wish->address.field,
				   "resource %" STR_FMT
				   " is already associated with an address or an interface",
				   STR_ARG(engine_write_id(op, KIND_ADDRESS, address->row.id)));
	return OK;
}

static RESULT find_elastic(struct op *op, const struct ref *ref, const struct address **ret_address)
{
	TRY(engine_find_own_address(op->ctx, op->head, ref, ret_address));
	return (*ret_address)->is_elastic ? OK : engine_fail_not_found(op->ctx, KIND_ADDRESS, ref);
}

RESULT address_write_association(struct op *op, const struct address *address, const struct port *port,
				 struct ip private_ip)
{
	struct address next = *address;
	next.port = port->row.id;
	next.private_ip = private_ip;
	next.association = uuid_random();
	next.row.gen++;
	TRY(address_put(op, &next));
	TRY(firewall_follow(op, next.row.id));
	char public_text[IP_TEXT_SIZE], private_text[IP_TEXT_SIZE];
	return engine_log_event(op, KIND_ADDRESS, &next.row, "associated", "%s stands for %s.",
				ip_write(next.ip, public_text), ip_write(next.private_ip, private_text));
}

static RESULT fail_not_started(struct op *op, const struct ref *instance, enum instance_state state)
{
	return ENGINE_FAIL(op, ERR_CONFLICT, KIND_INSTANCE, instance->field,
			   "The %s instance '%" STR_FMT "' is not in a valid state for this operation.",
			   model_instance_states[state].ec2, STR_ARG(instance->text));
}

/* The sentences are EC2's. Users have recorded "pending" and "terminated", and by the interface both words of
 * pending; that the one is for an instance which no host has yet is a guess. */
static RESULT check_started(struct op *op, const struct address_association *wish, const struct port *port)
{
	const struct instance *instance = instance_find(op->head, port->instance);
	if (!instance || model_derive_instance_state(instance) != INSTANCE_PENDING)
		return OK;
	if (ref_is_given(&wish->instance))
		return fail_not_started(op, &wish->instance, INSTANCE_PENDING);
	bool is_new = instance->seen_power == INSTANCE_SEEN_POWER_ABSENT;
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->port.field,
			   "The pending-instance-%s instance to which '%" STR_FMT
			   "' is attached is not in a valid state for this operation",
			   is_new ? "creation" : "running", STR_ARG(wish->port.text));
}

/* One that ends has no interface to find. */
static RESULT check_not_ending(struct op *op, const struct ref *ref)
{
	const struct instance *instance = NULL;
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_find_own_instance(op->ctx, op->head, ref, &instance));
	return row_is_live(&instance->row) ? OK
					   : fail_not_started(op, ref, model_derive_instance_state(instance));
}

RESULT engine_associate_address(struct op *op, struct address_association *wish)
{
	const struct address *address = NULL;
	const struct port *port = NULL;
	TRY(find_elastic(op, &wish->address, &address));
	if (wish->needs_started)
		TRY(check_not_ending(op, &wish->instance));
	TRY(find_target(op, wish, &port));
	if (wish->needs_started)
		TRY(check_started(op, wish, port));
	TRY(network_check_service(op, port->network, NETWORK_STATIC_NAT, wish->address.field));
	struct ip private_ip = ip_is_none(wish->private_ip) ? port->ip : wish->private_ip;
	TRY(check_association(op, wish, address, port, private_ip));
	TRY(engine_permit(op, "address.associate", KIND_ADDRESS, &address->row));
	TRY(engine_permit(op, "address.associate", KIND_PORT, &port->row));
	if (uuid_equal(address->port, port->row.id) && ip_equal(address->private_ip, private_ip)) {
		wish->made = address->association;
		return OK;
	}
	const struct address *there = engine_find_address_for(op->head, port->row.id, private_ip);
	if (there)
		TRY(leave(op, there));
	TRY(address_write_association(op, address, port, private_ip));
	wish->made = address_find(op->head, address->row.id)->association;
	return OK;
}

static RESULT find_associated(struct op *op, const struct address_association *wish,
			      const struct address **ret_address)
{
	if (!wish->association.bits)
		return find_elastic(op, &wish->address, ret_address);
	const struct ref *ref = &wish->association;
	const struct address *address = address_first_by_account(op->head, engine_get_account(op->ctx));
	for (; address; address = address_next_by_account(op->head, address)) {
		if (row_is_live(&address->row) && !uuid_is_none(address->association) &&
		    id_has_prefix(address->association, ref->prefix, ref->bits)) {
			*ret_address = address;
			return OK;
		}
	}
	return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_NONE, ref->field,
			   "The association ID '%" STR_FMT "' does not exist", STR_ARG(ref->text));
}

static RESULT check_is_of(struct op *op, const struct ref *ref, const struct address *address)
{
	const struct instance *instance = NULL;
	const struct port *port = port_find(op->head, address->port);
	char text[IP_TEXT_SIZE];
	TRY(engine_find_own_instance(op->ctx, op->head, ref, &instance));
	if (port && uuid_equal(port->instance, instance->row.id))
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_NONE, STR("address"),
			   "Floating IP %s is not associated with instance %" STR_FMT ".",
			   ip_write(address->ip, text),
			   STR_ARG(engine_write_id(op, KIND_INSTANCE, instance->row.id)));
}

RESULT engine_disassociate_address(struct op *op, struct address_association *wish)
{
	const struct address *address = NULL;
	TRY(find_associated(op, wish, &address));
	TRY(engine_permit(op, "address.disassociate", KIND_ADDRESS, &address->row));
	if (ref_is_given(&wish->instance))
		TRY(check_is_of(op, &wish->instance, address));
	TRY(check_present(op, address));
	wish->made = address->association;
	return uuid_is_none(address->port) ? OK : write_free(op, address);
}

RESULT address_release(struct op *op, const struct address *address)
{
	char text[IP_TEXT_SIZE];
	TRY(address_end(op, address->row.id));
	return engine_log_event(op, KIND_ADDRESS, &address->row, "released", "%s.",
				ip_write(address->ip, text));
}

RESULT engine_release_address(struct op *op, struct address_target *wish)
{
	const struct address *address = NULL;
	TRY(find_elastic(op, &wish->address, &address));
	TRY(engine_permit(op, "address.release", KIND_ADDRESS, &address->row));
	TRY(check_present(op, address));
	char text[IP_TEXT_SIZE];
	ip_write(address->ip, text);
	if (!uuid_is_none(address->port) && !wish->with_association)
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_ADDRESS, wish->address.field, "Address %s is in use.",
				   text);
	if (wish->with_forwardings) {
		TRY(port_forwarding_leave_address(op, address->row.id));
		TRY(load_balancer_leave_address(op, address->row.id));
	}
	TRY(check_no_subnets(op, address, ERR_IN_USE, wish->address.field));
	TRY(port_forwarding_check_none(op, address, wish->address.field));
	if (!uuid_is_none(address->port))
		TRY(write_free(op, address));
	return address_release(op, address);
}

RESULT engine_change_address(struct op *op, struct address_change *wish)
{
	const struct address *address = NULL;
	TRY(find_elastic(op, &wish->address, &address));
	if (wish->description) {
		TRY(engine_permit(op, "address.update", KIND_ADDRESS, &address->row));
		struct address next = *address;
		next.description = *wish->description;
		next.row.gen++;
		TRY(address_put(op, &next));
	}
	struct address_association association = {.address = wish->address,
						  .port = wish->port,
						  .private_ip = wish->private_ip,
						  .keeps_present = true};
	if (!wish->sets_port)
		return OK;
	return ref_is_given(&wish->port) ? engine_associate_address(op, &association)
					 : engine_disassociate_address(op, &association);
}

/* ---- reverse names ---- */

static bool is_label(struct str label)
{
	for (size_t n = 0; n < label.n; n++) {
		char c = label.p[n];
		bool is_inside = n > 0 && n + 1 < label.n;
		if (!str_is_alphanumeric(c) && !(c == '_' || (c == '-' && is_inside)))
			return false;
	}
	return label.n >= 1 && label.n <= 63;
}

/* Of two labels at least. */
static bool is_domain_name(struct str name)
{
	size_t count = 0;
	struct str label = STR_NONE;
	for (struct str rest = name; str_split_next(&rest, '.', &label); count++)
		if (!is_label(label))
			return false;
	return count >= 2 && !str_ends_with(name, STR(".")) && name.n <= REVERSE_NAME_MAX;
}

RESULT engine_name_address(struct op *op, struct address_name_wish *wish)
{
	const struct address *address = NULL;
	struct str name =
		str_ends_with(wish->name, STR(".")) ? str_slice(wish->name, 0, wish->name.n - 1) : wish->name;
	TRY(find_elastic(op, &wish->address, &address));
	TRY(engine_permit(op, wish->name.n ? "address.update" : "address.reset", KIND_ADDRESS,
			  &address->row));
	if (wish->name.n && !is_domain_name(name))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ADDRESS, wish->name_field,
				   "Value (%" STR_FMT ") for parameter %" STR_FMT
				   " is invalid. It must be a fully qualified domain name.",
				   STR_ARG(wish->name), STR_ARG(wish->name_field));
	wish->made = address->row.id;
	wish->name_before = str_copy(op->ctx->arena, address->reverse_name);
	if (str_equal(address->reverse_name, name))
		return OK;
	struct address next = *address;
	next.reverse_name = name; /* nothing in the network is another: gen stays */
	TRY(address_put(op, &next));
	char text[IP_TEXT_SIZE];
	return engine_log_event(op, KIND_ADDRESS, &next.row, "named", "%s leads back to %" STR_FMT ".",
				ip_write(next.ip, text), STR_ARG(name.n ? name : STR("no name")));
}

struct str engine_get_label_domain(const struct tables *t, struct arena *a)
{
	return str_print(a, "%" STR_FMT ".cloudapp.internal", STR_ARG(engine_get_region_name(t)));
}

/* A letter first, and no less than three characters. */
static bool is_own_label(struct str label)
{
	bool is_good = label.n >= 3 && is_label(label) && label.p[0] >= 'a' && label.p[0] <= 'z';
	for (size_t n = 0; is_good && n < label.n; n++)
		is_good = label.p[n] != '_';
	return is_good;
}

const struct address *engine_find_label(const struct tables *t, struct str label)
{
	const struct address *a = label.n ? address_first_by_dns_label(t, label) : NULL;
	while (a && !row_is_live(&a->row))
		a = address_next_by_dns_label(t, a);
	return a;
}

static RESULT check_label(struct op *op, struct str label, struct str field, uuid address)
{
	const struct address *other = engine_find_label(op->head, label);
	if (label.n && !is_own_label(label))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ADDRESS, field,
				   "The domain name label %" STR_FMT
				   " is invalid. It must conform to the following regular expression: "
				   "^[a-z][a-z0-9-]{1,61}[a-z0-9]$.",
				   STR_ARG(str_slice(label, 0, 80)));
	if (!other || uuid_equal(other->row.id, address))
		return OK;
	return ENGINE_FAIL(op, ERR_EXISTS, KIND_ADDRESS, field,
			   "DNS record %" STR_FMT ".%" STR_FMT " is already used by another public IP.",
			   STR_ARG(label), STR_ARG(engine_get_label_domain(op->head, op->ctx->arena)));
}

RESULT engine_label_address(struct op *op, struct address_label_wish *wish)
{
	const struct address *address = NULL;
	struct str label = str_lower(op->ctx->arena, wish->label);
	TRY(find_elastic(op, &wish->address, &address));
	TRY(check_label(op, label, wish->label_field, address->row.id));
	if (!str_equal(address->dns_label, label)) {
		TRY(engine_permit(op, "address.update", KIND_ADDRESS, &address->row));
		struct address next = *address;
		next.dns_label = label; /* nothing in the network is another: gen stays */
		TRY(address_put(op, &next));
	}
	struct address_name_wish reverse = {
		.address = wish->address, .name = wish->reverse_name, .name_field = wish->reverse_field};
	bool is_same = str_equal(address_find(op->head, wish->address.prefix)->reverse_name, reverse.name);
	return is_same ? OK : engine_name_address(op, &reverse);
}

const struct address *engine_find_public_ip(const struct tables *t, struct ip ip)
{
	const struct external_network *network = external_network_first(t);
	for (; network; network = external_network_next(t, network)) {
		const struct address *address = address_find_by_ip(t, network->row.id, ip);
		if (address)
			return address;
	}
	return NULL;
}

/* ---- the reconciler's ---- */

RESULT engine_see_address(struct op *op, struct address_report *report)
{
	const struct address *address = address_find(op->head, report->address);
	if (!address || (int64_t) report->gen <= address->seen_gen)
		return OK;
	struct address next = *address;
	next.seen_gen = (int64_t) report->gen;
	return address_put(op, &next);
}

RESULT engine_forget_address(struct op *op, struct address_report *report)
{
	const struct address *address = address_find(op->head, report->address);
	if (!address)
		return OK;
	if (row_is_live(&address->row))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_ADDRESS, "The address is not released.");
	uuid prefix = address->prefix;
	TRY(condition_clear_all(op, report->address));
	TRY(address_forget(op, report->address));
	return address_prefix_forget_with(op, prefix);
}
