/* SPDX-License-Identifier: Apache-2.0
 * Auto-assigned public addresses: given to an instance's port when it starts, released when it stops. */
#include "engine/network/address/address_internal.h"

#include <inttypes.h>

#include "engine/capacity_internal.h"
#include "engine/network/address/address.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/routing/gateway_internal.h"
#include "model/gateway.h"
#include "store/address.h"
#include "store/address_prefix.h"
#include "store/instance.h"
#include "store/port.h"

/* Addresses left on all public external networks; INT64_MAX if the region has no such network. */
static int64_t count_left(const struct tables *t)
{
	const struct external_network *network = external_network_first(t);
	int64_t left = 0;
	bool has_one = false;
	for (; network; network = external_network_next(t, network)) {
		if (!external_network_is_for_all(t, network))
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
		return INT64_MAX; /* no router, so nothing could translate the address */
	if (!gateway)
		return count_left(t);
	if (uuid_is_none(gateway->external_network) && !gateway_lacks_address(t, gateway))
		return INT64_MAX; /* the gateway has no external network by choice: ports get no address */
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

/* Picks an address on the external network of the router's internet gateway. Without a gateway the first
 * external network that has an address left serves: a gateway attached later leads there. */
static bool pick_for_router(const struct tables *t, uuid router, struct address_place *ret_place)
{
	const struct gateway *gateway = gateway_of_router(t, router);
	if (gateway)
		return !uuid_is_none(gateway->external_network) &&
		       address_pick_on(t, gateway->external_network, UUID_NONE, ret_place);
	const struct external_network *network = external_network_next_choice(t, NULL);
	while (network && !(external_network_is_for_all(t, network) &&
			    address_pick_on(t, network->row.id, UUID_NONE, ret_place)))
		network = external_network_next_choice(t, network);
	return network != NULL;
}

RESULT address_give_auto(struct op *op, const struct port *port)
{
	struct address_place place = {0};
	bool is_wanted = port->wants_public_ip && port->ip.family == IP_V4 && !uuid_is_none(port->router);
	if (!is_wanted || engine_find_address_for(op->head, port->row.id, port->ip))
		return OK;
	if (!pick_for_router(op->head, port->router, &place)) {
		TRY(address_check_auto(op, port->router, 1));
		bool is_given = address_count_auto(op->head, port->router) != INT64_MAX;
		return is_given ? address_fail_none_left(op, UUID_NONE) : OK;
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
	struct ip_pool pool = address_pool_of(&next);
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
