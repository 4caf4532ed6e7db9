/* SPDX-License-Identifier: Apache-2.0
 * Public addresses: allocation, association with private addresses of ports, release, and the reconciler's
 * reports. address_pick.c chooses free addresses, address_leave.c disassociates them, address_auto.c handles
 * auto-assigned ones. The reconciler (reconcile/network/address.c) deploys each address as a NAT rule. */
#include "engine/network/address/address.h"
#include "engine/acting.h"
#include "engine/balancing/octavia.h"

#include "engine/balancing/load_balancer_internal.h"
#include "engine/condition_internal.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/address/address_prefix_internal.h"
#include "engine/network/address/port_forwarding_internal.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/filter/firewall_internal.h"
#include "engine/network/network_offering_internal.h"
#include "engine/network/port/port.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/routing/gateway_internal.h"
#include "engine/quota_internal.h"
#include "engine/tag_internal.h"
#include "model/gateway.h"
#include "model/network.h"
#include "model/router.h"
#include "model/secondary_ip.h"
#include "store/address.h"
#include "store/gateway.h"
#include "store/instance.h"
#include "store/port.h"
#include "store/subnet.h"

/* ---- allocation ---- */

RESULT address_write_for_gateway(struct op *op, const struct gateway *gateway, uuid subnet, struct ip ip,
				 uuid *ret_address)
{
	struct address_place place = {0};
	char text[IP_TEXT_SIZE];
	if (ip_is_none(ip) && !address_pick_on(op->head, gateway->external_network, subnet, &place) &&
	    !address_pick_ipv6_on(op->head, gateway->external_network, subnet, &place))
		return address_fail_none_left(op, gateway->external_network);
	if (!ip_is_none(ip)) {
		struct result checked =
			address_check_place(op, gateway->external_network, subnet, ip, &place);
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
	struct ip_pool pool = address_pool_of(&probe);
	if (ip_pool_has(op->head, &pool, ip) || is_routers)
		return address_fail_place(op, ERR_EXISTS, ip, "is allocated already");
	struct address address = {.row.id = engine_new_id(op, KIND_ADDRESS),
				  .row.gen = 1,
				  .account = subnet->account,
				  .external_network = subnet->network,
				  .ip = ip,
				  .reserved_for = port};
	return address_put(op, &address);
}

/* Associates a new address with the port that the wish names. */
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

/* Router of the network's first live subnet that is on one; none if no subnet is. */
static uuid find_router_of(const struct tables *t, uuid network)
{
	const struct subnet *s = subnet_first_by_network(t, network);
	while (s && !(row_is_live(&s->row) && !uuid_is_none(s->router)))
		s = subnet_next_by_network(t, s);
	return s ? s->router : UUID_NONE;
}

/* Chooses the external network by the network or router that the address is meant for. */
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

/* Finds a free address on an external network to which a gateway of the account leads: EC2's users name no external
 * network, and an address of another one cannot be associated with anything of theirs. */
static RESULT find_at_gateway(struct op *op, const struct address_wish *wish, uuid account,
			      struct address_place *ret_place)
{
	uuid tried = UUID_NONE;
	for (const struct gateway *g = gateway_first_by_account(op->head, account); g;
	     g = gateway_next_by_account(op->head, g)) {
		if (!row_is_live(&g->row) || uuid_is_none(g->external_network) ||
		    uuid_equal(g->external_network, tried))
			continue;
		tried = g->external_network;
		if (address_pick_on(op->head, tried, UUID_NONE, ret_place))
			return OK;
	}
	return uuid_is_none(tried) ? address_find_place(op, wish, ret_place)
				   : address_fail_none_left(op, UUID_NONE);
}

static RESULT take_free(struct op *op, const struct address_wish *wish, uuid account, struct address *address)
{
	struct address_place place = {0};
	const bool names_none = !ref_is_given(&wish->external_network) && !ref_is_given(&wish->subnet) &&
				ip_is_none(wish->ip);
	TRY(names_none ? find_at_gateway(op, wish, account, &place) : address_find_place(op, wish, &place));
	address->external_network = place.external_network;
	address->ip = place.ip;
	return quota_check(op, account, QUOTA_ADDRESSES, 1);
}

RESULT engine_allocate_address(struct op *op, struct address_wish *wish)
{
	uuid account = UUID_NONE;
	struct address address = {.row.gen = 1,
				  .is_elastic = true,
				  .is_guarded = wish->is_guarded,
				  .description = wish->description};
	TRY(engine_find_owner_id(op, &wish->account, &account));
	TRY(take_purpose(op, wish, &address));
	TRY(ref_is_given(&wish->prefix) ? address_prefix_draw(op, wish, account, &address)
					: take_free(op, wish, account, &address));
	TRY(engine_permit(op, "address.allocate", KIND_ADDRESS, NULL));
	address.row.id = engine_new_id(op, KIND_ADDRESS);
	address.account = account;
	TRY(tag_normalize(op, wish->tags, &address.tags));
	TRY(address_put(op, &address));
	wish->address = address.row.id;
	wish->made_ip = address.ip;
	char text[IP_TEXT_SIZE];
	TRY(engine_log_event(op, KIND_ADDRESS, &address.row, "allocated", "%s.", ip_write(address.ip, text)));
	return ref_is_given(&wish->port) ? associate_new(op, wish) : OK;
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

/* Octavia's users choose the floating address of a balancer's front. */
static RESULT check_port(struct op *op, const struct port *port)
{
	return engine_is_octavia_front(op->head, port)
		       ? OK
		       : port_check_unmanaged(op, port, STR("NetworkInterfaceId"));
}

/* Refuses to take the address away from a port that another service manages. */
static RESULT check_present(struct op *op, const struct address *address)
{
	const struct port *port = uuid_is_none(address->port) ? NULL : port_find(op->head, address->port);
	return port ? check_port(op, port) : OK;
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

/* Checks that the port's gateway reaches the address's external network, and that present associations may be
 * replaced. */
static RESULT check_association(struct op *op, const struct address_association *wish,
				const struct address *address, const struct port *port, struct ip private_ip)
{
	TRY(check_present(op, address));
	TRY(check_no_subnets(op, address, ERR_CONFLICT, wish->address.field));
	TRY(port_forwarding_check_none(op, address, wish->address.field));
	TRY(check_port(op, port));
	uuid router = engine_get_router_of_ip(op->head, port, private_ip);
	struct str nowhere = gateway_explain_nowhere(op, router);
	if (nowhere.n)
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_GATEWAY, "%" STR_FMT, STR_ARG(nowhere));
	char text[IP_TEXT_SIZE];
	if (!address_is_reachable(op->head, address, router))
		return gateway_of_router(op->head, router)
			       ? ctx_fail_kind(op->ctx, ERR_STATE, KIND_GATEWAY,
					       "The gateway of %" STR_FMT
					       " leads to another external network than that of %s",
					       STR_ARG(engine_write_id(op, KIND_ROUTER, port->router)),
					       ip_write(address->ip, text))
			       : ctx_fail_kind(op->ctx, ERR_STATE, KIND_GATEWAY,
					       "Network %" STR_FMT " is not attached to any internet gateway",
					       STR_ARG(engine_write_id(op, KIND_ROUTER, port->router)));
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

RESULT address_find_elastic(struct op *op, const struct ref *ref, const struct address **ret_address)
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

/* EC2's messages. "pending" and "terminated" are recorded answers, as are both words for an interface
 * ("creation", "running"). Which of these two EC2 uses when is unverified; we use "creation" until a host has
 * the instance. */
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

/* Comes before the search for the port, because a terminating instance has none to find. */
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
	TRY(address_find_elastic(op, &wish->address, &address));
	if (wish->needs_started)
		TRY(check_not_ending(op, &wish->instance));
	TRY(find_target(op, wish, &port));
	if (wish->needs_started)
		TRY(check_started(op, wish, port));
	TRY(network_check_service(op, port->network, NETWORK_STATIC_NAT, wish->address.field));
	struct ip private_ip = ip_is_none(wish->private_ip) ? port->ip : wish->private_ip;
	TRY(check_association(op, wish, address, port, private_ip));
	TRY(engine_permit(op, "address.associate", KIND_ADDRESS, &address->row));
	TRY(port_permit_end(op, "address.associate", port->row.id));
	if (uuid_equal(address->port, port->row.id) && ip_equal(address->private_ip, private_ip)) {
		wish->made = address->association;
		return OK;
	}
	TRY(port_permit_end(op, "address.associate", address->port));
	const struct address *there = engine_find_address_for(op->head, port->row.id, private_ip);
	if (there)
		TRY(engine_permit(op, "address.associate", KIND_ADDRESS, &there->row));
	if (there)
		TRY(address_leave(op, there));
	TRY(address_write_association(op, address, port, private_ip));
	wish->made = address_find(op->head, address->row.id)->association;
	return OK;
}

static RESULT find_associated(struct op *op, const struct address_association *wish,
			      const struct address **ret_address)
{
	if (!wish->association.bits)
		return address_find_elastic(op, &wish->address, ret_address);
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
	TRY(port_permit_end(op, "address.disassociate", address->port));
	TRY(check_present(op, address));
	wish->made = address->association;
	return uuid_is_none(address->port) ? OK : address_write_free(op, address);
}

/* ---- release and changes ---- */

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
	TRY(address_find_elastic(op, &wish->address, &address));
	TRY(engine_permit(op, "address.release", KIND_ADDRESS, &address->row));
	TRY(port_permit_end(op, "address.release", address->port));
	TRY(check_present(op, address));
	char text[IP_TEXT_SIZE];
	ip_write(address->ip, text);
	if (!uuid_is_none(address->port) && !wish->with_association)
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_ADDRESS, wish->address.field, "Address %s is in use.",
				   text);
	if (wish->with_forwardings) {
		TRY(port_forwarding_permit_ends(op, address->row.id, "address.release"));
		TRY(load_balancer_permit_ends(op, address->row.id, "address.release"));
		TRY(port_forwarding_leave_address(op, address->row.id));
		TRY(load_balancer_leave_address(op, address->row.id));
	}
	TRY(check_no_subnets(op, address, ERR_IN_USE, wish->address.field));
	TRY(port_forwarding_check_none(op, address, wish->address.field));
	if (!uuid_is_none(address->port))
		TRY(address_write_free(op, address));
	return address_release(op, address);
}

RESULT engine_change_address(struct op *op, struct address_change *wish)
{
	const struct address *address = NULL;
	TRY(address_find_elastic(op, &wish->address, &address));
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

/* ---- reports of the reconciler ---- */

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
	TRY(address_forget(op, report->address));
	return address_prefix_forget_with(op, prefix);
}
