/* SPDX-License-Identifier: Apache-2.0
 * Secondary public addresses of NAT gateways. Each is associated with a secondary private address of the
 * gateway's port, and carries a share of the gateway's traffic. */
#include "engine/internal.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/address/port_forwarding_internal.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/routing/gateway_internal.h"
#include "engine/network/routing/nat_gateway.h"
#include "engine/network/routing/nat_gateway_internal.h"
#include "store/address.h"
#include "store/nat_gateway.h"
#include "store/port.h"
#include "store/subnet.h"

RESULT nat_gateway_check_count(struct op *op, size_t count, struct str field)
{
	if (count <= NAT_GATEWAY_ADDRESSES_MAX)
		return OK;
	return ENGINE_FAIL(op, ERR_QUOTA, KIND_SECONDARY_IP, field,
			   "Number of addresses of a NAT gateway will exceed limit: %zu of %d.", count,
			   NAT_GATEWAY_ADDRESSES_MAX);
}

RESULT nat_gateway_find_address(struct op *op, const struct ref *ref, const struct address **ret_address)
{
	TRY(engine_find_own_address(op->ctx, op->head, ref, ret_address));
	if (!(*ret_address)->is_elastic)
		return engine_fail_not_found(op->ctx, KIND_ADDRESS, ref);
	return engine_permit(op, "address.associate", KIND_ADDRESS, &(*ret_address)->row);
}

RESULT nat_gateway_add_address(struct op *op, const struct port *port, const struct address *address,
			       struct ip wanted, struct str field)
{
	struct ip ip;
	TRY(port_add_ip(op, port, subnet_find(op->head, port->subnet), wanted, field, &ip));
	return address_write_association(op, address, port, ip);
}

/* ---- changes of several addresses ---- */

struct nat_change {
	const struct nat_gateway *nat;
	const struct port *port;   /* the gateway's port */
	struct address *addresses; /* added or removed addresses, as they are while associated with the
				    * gateway */
	size_t count;
};

/* Resolves the gateway; one that has ended is not found. */
static RESULT begin_change(struct op *op, const struct ref *ref, const char *permission, size_t count,
			   struct nat_change *ret_change)
{
	struct nat_change c = {.count = count};
	TRY(engine_find_own_nat_gateway(op->ctx, op->head, ref, &c.nat));
	c.port = port_find(op->head, c.nat->port);
	if (!row_is_live(&c.nat->row) || !c.port)
		return engine_fail_not_found(op->ctx, KIND_NAT_GATEWAY, ref);
	if (!c.nat->is_public)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_NAT_GATEWAY, ref->field,
				   "The NAT gateway '%" STR_FMT "' is private: it has no elastic addresses.",
				   STR_ARG(ref->text));
	TRY(engine_permit(op, permission, KIND_NAT_GATEWAY, &c.nat->row));
	c.addresses = arena_new_array(op->ctx->arena, struct address, count + 1);
	*ret_change = c;
	return c.addresses ? OK : ctx_no_memory(op->ctx);
}

/* Raises gen of gateway and port, so that the reconciler deploys both again. */
static RESULT end_change(struct op *op, const struct nat_change *c, const char *what,
			 struct nat_gateway_addresses *wish)
{
	struct nat_gateway nat = *nat_gateway_find(op->head, c->nat->row.id);
	struct port port = *port_find(op->head, nat.port);
	nat.row.gen++;
	port.row.gen++;
	TRY(port_put(op, &port));
	TRY(nat_gateway_put(op, &nat));
	wish->of = nat.row.id;
	wish->changed = c->addresses;
	wish->count = c->count;
	return engine_log_event(op, KIND_NAT_GATEWAY, &nat.row, "changed", "Further addresses %s: %zu.", what,
				c->count);
}

/* ---- adding ---- */

static RESULT add_one(struct op *op, const struct nat_gateway_addresses *wish, const struct port *port,
		      size_t k, struct address *ret_added)
{
	const struct ref *ref = &wish->addresses.at[k];
	const struct address *address = NULL;
	TRY(nat_gateway_find_address(op, ref, &address));
	uuid id = address->row.id;
	TRY(port_forwarding_check_none(op, address, ref->field));
	if (!uuid_is_none(address->port))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_ADDRESS, ref->field,
				   "Elastic IP address [%" STR_FMT "] is already associated",
				   STR_ARG(engine_write_id(op, KIND_ADDRESS, id)));
	struct str nowhere = gateway_explain_nowhere(op, port->router);
	if (nowhere.n)
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_GATEWAY, "%" STR_FMT, STR_ARG(nowhere));
	if (!address_is_reachable(op->head, address, port->router))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_GATEWAY,
				     "Network %" STR_FMT " is not attached to any internet gateway",
				     STR_ARG(engine_write_id(op, KIND_ROUTER, port->router)));
	struct ip wanted = k < wish->ips.count ? wish->ips.at[k] : (struct ip){0};
	TRY(nat_gateway_add_address(op, port, address, wanted, wish->ip_field));
	*ret_added = *address_find(op->head, id);
	return OK;
}

RESULT engine_add_nat_gateway_addresses(struct op *op, struct nat_gateway_addresses *wish)
{
	struct nat_change c = {0};
	size_t count = wish->addresses.count;
	TRY(begin_change(op, &wish->nat_gateway, "nat_gateway.add_addresses", count, &c));
	if (wish->ips.count > count)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_NAT_GATEWAY, wish->ip_field,
				   "There are more private addresses than elastic ones: %" STR_FMT,
				   STR_ARG(wish->ip_field));
	if (!count)
		return ENGINE_FAIL(op, ERR_MISSING, KIND_ADDRESS, wish->nat_gateway.field,
				   "No elastic address is named.");
	TRY(nat_gateway_check_count(op, port_count_ips(op->head, c.port, IP_V4) + count,
				    wish->addresses.at[0].field));
	for (size_t k = 0; k < count; k++)
		TRY(add_one(op, wish, c.port, k, &c.addresses[k]));
	return end_change(op, &c, "added", wish);
}

/* ---- removing ---- */

static RESULT remove_one(struct op *op, const struct port *port, const struct ref *ref,
			 struct address *ret_removed)
{
	const struct address *a = address_first_by_port(op->head, port->row.id);
	while (a && (!row_is_live(&a->row) || !id_has_prefix(a->association, ref->prefix, ref->bits)))
		a = address_next_by_port(op->head, a);
	if (!a)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_NONE, ref->field,
				   "The association ID '%" STR_FMT "' does not exist", STR_ARG(ref->text));
	if (ip_equal(a->private_ip, port->ip))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_NAT_GATEWAY, ref->field,
				   "The association '%" STR_FMT
				   "' is that of the NAT gateway's primary address, which it keeps.",
				   STR_ARG(ref->text));
	TRY(engine_permit(op, "address.disassociate", KIND_ADDRESS, &a->row));
	*ret_removed = *a;
	return port_remove_ip(op, port->row.id, ret_removed->private_ip);
}

RESULT engine_remove_nat_gateway_addresses(struct op *op, struct nat_gateway_addresses *wish)
{
	struct nat_change c = {0};
	TRY(begin_change(op, &wish->nat_gateway, "nat_gateway.remove_addresses", wish->associations.count,
			 &c));
	for (size_t k = 0; k < c.count; k++)
		TRY(remove_one(op, c.port, &wish->associations.at[k], &c.addresses[k]));
	return end_change(op, &c, "removed", wish);
}
