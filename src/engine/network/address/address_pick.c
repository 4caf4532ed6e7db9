/* SPDX-License-Identifier: Apache-2.0
 * Finds free public addresses in an external network or in one of its subnets. */
#include "engine/network/address/address_internal.h"

#include "engine/network/address/address.h"
#include "engine/network/address/address_prefix_internal.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/network_grant.h"
#include "engine/network/subnet_internal.h"
#include "store/address.h"
#include "store/address_prefix.h"
#include "store/address_range.h"
#include "store/subnet.h"

/* ip_pool.is_kept: skips addresses inside address prefixes, and says where the prefix ends. */
static bool is_in_prefix(const struct tables *t, const struct row *probe, struct ip ip, struct ip *ret_last)
{
	const struct address_prefix *p = address_prefix_around(t, address_of(probe)->external_network, ip);
	if (p)
		*ret_last = cidr_last(p->block);
	return p != NULL;
}

struct ip_pool address_pool_of(struct address *probe)
{
	return (struct ip_pool){.kind = KIND_ADDRESS,
				.index = ADDRESS_INDEX_IP,
				.probe = &probe->row,
				.probe_ip = &probe->ip,
				.ip_offset = offsetof(struct address, ip),
				.is_kept = uuid_is_none(probe->prefix) ? is_in_prefix : NULL};
}

bool address_pick_on(const struct tables *t, uuid external_network, uuid subnet,
		     struct address_place *ret_place)
{
	struct address probe = {.external_network = external_network};
	struct ip_pool pool = address_pool_of(&probe);
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
	struct ip_pool pool = address_pool_of(&probe);
	struct ip first, last;
	for (size_t n = 0; subnet_get_pool(subnet, n, &first, &last); n++)
		if (ip_pool_pick(t, &pool, first, last, ret_ip))
			return true;
	return false;
}

/* Next live subnet of the external network in that family; the first one if `subnet` is NULL. */
static const struct subnet *next_subnet(const struct tables *t, uuid network, enum ip_family family,
					const struct subnet *subnet)
{
	const struct subnet *s =
		subnet ? subnet_next_by_network(t, subnet) : subnet_first_by_network(t, network);
	while (s && !(row_is_live(&s->row) && s->block.base.family == family))
		s = subnet_next_by_network(t, s);
	return s;
}

bool address_pick_ipv6_on(const struct tables *t, uuid external_network, uuid subnet,
			  struct address_place *ret_place)
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

/* IPv4 addresses are looked up in the ranges. IPv6 subnets have no ranges, so their blocks are searched. */
uuid engine_get_external_subnet(const struct tables *t, uuid external_network, struct ip ip)
{
	const struct address_range *range = external_network_find_range(t, external_network, ip);
	const struct subnet *s = ip.family == IP_V6 ? next_subnet(t, external_network, IP_V6, NULL) : NULL;
	while (s && !cidr_contains(s->block, ip))
		s = next_subnet(t, external_network, IP_V6, s);
	return range ? range->subnet : s ? s->row.id : UUID_NONE;
}

RESULT address_fail_place(struct op *op, enum err err, struct ip ip, const char *why)
{
	struct str text = ip_to_str(op->ctx->arena, ip);
	struct result failed =
		ctx_fail_kind(op->ctx, err, KIND_ADDRESS, "The address %" STR_FMT " %s.", STR_ARG(text), why);
	op->ctx->problem.subject = text;
	return failed;
}

RESULT address_check_place(struct op *op, uuid external_network, uuid subnet, struct ip ip,
			   struct address_place *ret_place)
{
	struct address probe = {.external_network = external_network};
	struct ip_pool pool = address_pool_of(&probe);
	uuid there = engine_get_external_subnet(op->head, external_network, ip);
	if (uuid_is_none(there) || !(uuid_is_none(subnet) || uuid_equal(there, subnet)))
		return FAIL(RANGE);
	if (ip_pool_has(op->head, &pool, ip))
		return address_fail_place(op, ERR_EXISTS, ip, "is allocated already");
	*ret_place = (struct address_place){external_network, ip};
	return OK;
}

RESULT address_fail_none_left(struct op *op, uuid external_network)
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

/* Checks that the named external network has IPv4 ranges, and that the named subnet is part of it. */
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

RESULT address_find_place(struct op *op, const struct address_wish *wish, struct address_place *ret_place)
{
	const struct external_network *only = NULL;
	if (ref_is_given(&wish->external_network))
		TRY(external_network_find_usable(op, &wish->external_network, &only));
	if (only)
		TRY(check_only(op, only, wish));
	const struct external_network *network = only ? only : external_network_next_choice(op->head, NULL);
	uuid subnet = wish->subnet.prefix;
	for (; network; network = only ? NULL : external_network_next_choice(op->head, network)) {
		bool has_any =
			ip_is_none(wish->ip) && (only || external_network_is_for_all(op->head, network));
		if (has_any && address_pick_on(op->head, network->row.id, subnet, ret_place))
			return OK;
		if (ip_is_none(wish->ip) || !engine_may_use_external(op->ctx, op->head, network->row.id))
			continue;
		struct result checked = address_check_place(op, network->row.id, subnet, wish->ip, ret_place);
		if (checked.code != ERR_RANGE)
			return checked;
	}
	if (ip_is_none(wish->ip))
		return address_fail_none_left(op, only ? only->row.id : UUID_NONE);
	return address_fail_place(op, ERR_RANGE, wish->ip, "is in no range of this region");
}
