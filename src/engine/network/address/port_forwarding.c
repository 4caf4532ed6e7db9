/* SPDX-License-Identifier: Apache-2.0
 * Port forwardings. A forwarding is part of the router in front of its target (reconcile/network/router.c). */
#include "engine/network/address/port_forwarding.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/internal.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/address/port_forwarding_internal.h"
#include "engine/network/filter/firewall_internal.h"
#include "engine/network/network_offering_internal.h"
#include "engine/network/port/port.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/routing/gateway_internal.h"
#include "engine/tag_internal.h"
#include "model/instance.h"
#include "model/secondary_ip.h"
#include "model/subnet.h"
#include "store/address.h"
#include "store/load_balancer.h"
#include "store/port.h"
#include "store/port_forwarding.h"

enum { PORT_LAST = 65535, SPAN_SIZE = 48 };

/* ---- checks ---- */

static char *write_span(int64_t first, int64_t last, char out[static SPAN_SIZE])
{
	snprintf(out, SPAN_SIZE, "%" PRId64 ":%" PRId64, first, last);
	return out;
}

static bool is_span(int64_t first, int64_t last)
{
	return first >= 1 && first <= last && last <= PORT_LAST;
}

static RESULT check_ports(struct op *op, const struct port_forwarding *f, bool is_even)
{
	if (!is_span(f->public_first, f->public_last) || !is_span(f->private_first, f->private_last))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_PORT_FORWARDING,
				     "Invalid port value, the port value must be a value between 1 and %d.",
				     PORT_LAST);
	int64_t public_more = f->public_last - f->public_first;
	int64_t private_more = f->private_last - f->private_first;
	if (is_even && private_more != public_more)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_PORT_FORWARDING,
				     "Source port and destination port ranges should be of equal sizes.");
	if (private_more == 0 || private_more == public_more)
		return OK;
	return ctx_fail_kind(
		op->ctx, ERR_INVALID, KIND_PORT_FORWARDING,
		"Invalid ranges of internal and/or external ports. The relation between internal "
		"and external ports must be N-N or 1-N");
}

static RESULT fail_collision(struct op *op, enum err err, enum kind kind, const char *what,
			     const char *present, const char *wanted)
{
	return ctx_fail_kind(op->ctx, err, (int) kind,
			     "There is a port collision with the %s. The following ranges collide: %s and %s",
			     what, present, wanted);
}

static bool leads_to(const struct port_forwarding *f, const struct port_forwarding *other)
{
	return !uuid_equal(f->row.id, other->row.id) && f->protocol == other->protocol &&
	       ip_equal(f->private_ip, other->private_ip) && f->private_first <= other->private_last &&
	       other->private_first <= f->private_last;
}

/* Refuses private ports that another forwarding leads to. Only Neutron's API asks for this; messages are
 * Neutron's. */
static RESULT check_alone(struct op *op, const struct port_forwarding *f)
{
	char present[SPAN_SIZE], wanted[SPAN_SIZE];
	const struct port_forwarding *other = port_forwarding_first_by_port(op->head, f->port);
	while (other && !leads_to(f, other))
		other = port_forwarding_next_by_port(op->head, other);
	return other ? fail_collision(op, ERR_EXISTS, KIND_PORT_FORWARDING, "internal_port_range",
				      write_span(other->private_first, other->private_last, present),
				      write_span(f->private_first, f->private_last, wanted))
		     : OK;
}

/* Public ports that a row is to use, and what was counted against the limit. */
struct taken {
	enum kind kind;
	uuid but; /* the row itself, which is not compared */
	const char *protocol;
	int64_t first, last, count;
};

/* Counts the ports of another row, and fails if they overlap. */
static RESULT take(struct op *op, struct taken *t, const char *protocol, int64_t first, int64_t last)
{
	char present[SPAN_SIZE], wanted[SPAN_SIZE];
	t->count += last - first + 1;
	if (strcmp(protocol, t->protocol) != 0 || first > t->last || t->first > last)
		return OK;
	return fail_collision(op, ERR_CONFLICT, t->kind, "external_port_range",
			      write_span(first, last, present), write_span(t->first, t->last, wanted));
}

RESULT port_forwarding_check_public(struct op *op, enum kind kind, uuid but, uuid address,
				    const char *protocol, int64_t first, int64_t last)
{
	struct taken taken = {kind, but, protocol, first, last, last - first + 1};
	const struct port_forwarding *f = port_forwarding_first_by_address(op->head, address);
	for (; f; f = port_forwarding_next_by_address(op->head, f))
		if (!uuid_equal(f->row.id, but))
			TRY(take(op, &taken, port_forwarding_protocol_words[f->protocol], f->public_first,
				 f->public_last));
	const struct load_balancer *b = load_balancer_first_by_address(op->head, address);
	for (; b; b = load_balancer_next_by_address(op->head, b))
		if (!uuid_equal(b->row.id, but))
			TRY(take(op, &taken, load_balancer_protocol_words[b->protocol], b->public_port,
				 b->public_port));
	if (taken.count <= FORWARDED_PORTS_MAX)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_QUOTA, (int) kind,
			     "At most %d ports of a public address are forwarded.", FORWARDED_PORTS_MAX);
}

static RESULT check_public_ports(struct op *op, const struct port_forwarding *f)
{
	return port_forwarding_check_public(op, KIND_PORT_FORWARDING, f->row.id, f->address,
					    port_forwarding_protocol_words[f->protocol], f->public_first,
					    f->public_last);
}

static uuid subnet_of_ip(const struct tables *t, const struct port *port, struct ip ip)
{
	const struct secondary_ip *s =
		ip_equal(port->ip, ip) ? NULL : engine_first_secondary_ip(t, port->row.id);
	while (s && !ip_equal(s->ip, ip))
		s = engine_next_secondary_ip(t, s);
	return s ? s->subnet : port->subnet;
}

/* Router that the address belongs to: by source NAT, otherwise by its other forwardings and load
 * balancers. */
static uuid find_router(const struct tables *t, uuid address, uuid but)
{
	const struct address *row = address_find(t, address);
	uuid own = row ? gateway_router_of_address(t, row) : UUID_NONE;
	if (!uuid_is_none(own))
		return own;
	const struct port_forwarding *f = port_forwarding_first_by_address(t, address);
	const struct load_balancer *b = load_balancer_first_by_address(t, address);
	while (f && uuid_equal(f->row.id, but))
		f = port_forwarding_next_by_address(t, f);
	while (b && uuid_is_none(b->router))
		b = load_balancer_next_by_address(t, b);
	return f ? f->router : b ? b->router : UUID_NONE;
}

/* All targets of an address must be behind one router, whose gateway is on the address's external network. */
static RESULT check_router(struct op *op, const struct address *address, const struct port *port,
			   const struct port_forwarding *f)
{
	uuid other = find_router(op->head, address->row.id, f->row.id);
	if (!address_is_reachable(op->head, address, f->router))
		return ctx_fail_kind(
			op->ctx, ERR_STATE, KIND_PORT_FORWARDING,
			"External network %" STR_FMT " is not reachable from subnet %" STR_FMT
			". Cannot set Port forwarding for port %" STR_FMT " with Floating IP %" STR_FMT,
			STR_ARG(engine_write_id(op, KIND_EXTERNAL_NETWORK, address->external_network)),
			STR_ARG(engine_write_id(op, KIND_SUBNET,
						subnet_of_ip(op->head, port, f->private_ip))),
			STR_ARG(engine_write_id(op, KIND_PORT, port->row.id)),
			STR_ARG(engine_write_id(op, KIND_ADDRESS, address->row.id)));
	if (uuid_is_none(other) || uuid_equal(other, f->router))
		return OK;
	return ctx_fail_kind(op->ctx, ERR_STATE, KIND_PORT_FORWARDING,
			     "The Floating IP %" STR_FMT " had been set on router %" STR_FMT
			     ", the internal Neutron port %" STR_FMT " can not reach it",
			     STR_ARG(engine_write_id(op, KIND_ADDRESS, address->row.id)),
			     STR_ARG(engine_write_id(op, KIND_ROUTER, other)),
			     STR_ARG(engine_write_id(op, KIND_PORT, port->row.id)));
}

/* Sets the private address and the router in front of it. */
static RESULT place(struct op *op, const struct port *port, struct ip wanted, struct port_forwarding *f)
{
	char text[IP_TEXT_SIZE];
	struct ip first = engine_get_port_ip(op->head, port, IP_V4);
	f->port = port->row.id;
	f->private_ip = ip_is_none(wanted) ? first : wanted;
	if (ip_is_none(first))
		return ctx_fail_kind(op->ctx, ERR_RANGE, KIND_PORT_FORWARDING,
				     "Requested internal port %" STR_FMT
				     " must allocate an IPv4 address at least.",
				     STR_ARG(engine_write_id(op, KIND_PORT, port->row.id)));
	if (f->private_ip.family != IP_V4 || !port_has_ip(op->head, port, f->private_ip))
		return ctx_fail_kind(op->ctx, ERR_RANGE, KIND_PORT_FORWARDING,
				     "Requested internal IP address %s is not suitable for internal neutron "
				     "port %" STR_FMT ", as it is none of its IPv4 addresses",
				     ip_write(f->private_ip, text),
				     STR_ARG(engine_write_id(op, KIND_PORT, port->row.id)));
	f->router = engine_get_router_of_ip(op->head, port, f->private_ip);
	return OK;
}

/* ERR_IN_USE: the port has an elastic address of its own. */
static RESULT check_untranslated(struct op *op, const struct port *port, struct ip private_ip)
{
	char text[IP_TEXT_SIZE], private[IP_TEXT_SIZE];
	const struct address *own = address_first_by_port(op->head, port->row.id);
	while (own && !(row_is_live(&own->row) && own->is_elastic))
		own = address_next_by_port(op->head, own);
	if (!own)
		return OK;
	return ctx_fail_kind(
		op->ctx, ERR_IN_USE, KIND_PORT_FORWARDING,
		"Cannot create port forwarding to floating IP %s (%" STR_FMT ") with port %" STR_FMT
		" using fixed IP %s, as that port already has a binding floating IP.",
		ip_write(own->ip, text), STR_ARG(engine_write_id(op, KIND_ADDRESS, own->row.id)),
		STR_ARG(engine_write_id(op, KIND_PORT, port->row.id)), ip_write(private_ip, private));
}

/* ---- lookups ---- */

static bool is_meant(const struct tables *t, const struct port *port, uuid network, struct ip private_ip)
{
	return row_is_live(&port->row) && (uuid_is_none(network) || uuid_equal(port->network, network)) &&
	       (ip_is_none(private_ip) || port_has_ip(t, port, private_ip));
}

/* Finds the instance's only port that matches network and private address. */
static RESULT find_of_instance(struct op *op, const struct ref *ref, uuid network, struct ip private_ip,
			       const struct port **ret_port)
{
	const struct instance *instance = NULL;
	const struct port *found = NULL;
	TRY(engine_find_own_instance(op->ctx, op->head, ref, &instance));
	const struct port *port = port_first_by_instance(op->head, instance->row.id);
	for (; port; port = port_next_by_instance(op->head, port)) {
		if (!is_meant(op->head, port, network, private_ip))
			continue;
		if (found)
			/* fails with the right message */
			return port_find_target(op, &(struct ref){0}, ref, ret_port);
		found = port;
	}
	*ret_port = found;
	if (found)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
			   "The instance '%" STR_FMT "' has no such network interface.", STR_ARG(ref->text));
}

/* If the call names no network: the one that the address was allocated for, provided that the instance has a
 * port in it. */
static struct ref choose_network(const struct tables *t, const struct port_forwarding_wish *wish,
				 const struct address *address)
{
	const struct port *port = NULL;
	if (!ref_is_given(&wish->network) && !uuid_is_none(address->for_network) && wish->instance.bits)
		port = port_first_by_instance(t, wish->instance.prefix);
	while (port && !is_meant(t, port, address->for_network, wish->private_ip))
		port = port_next_by_instance(t, port);
	return port ? ref_by_id(KIND_NETWORK, port->network) : wish->network;
}

static RESULT find_port(struct op *op, const struct ref *port, const struct ref *instance,
			const struct ref *network, struct ip private_ip, const struct port **ret_port)
{
	const struct row *row = NULL;
	if (ref_is_given(port) == ref_is_given(instance))
		return ctx_fail_kind(op->ctx, ERR_COMBINATION, KIND_PORT_FORWARDING,
				     "Name either an instance or a network interface.");
	if (ref_is_given(network))
		TRY(engine_find_usable(op->ctx, op->head, KIND_NETWORK, network, &row));
	if (ref_is_given(port))
		TRY(engine_find_own_port(op->ctx, op->head, port, ret_port));
	else
		TRY(find_of_instance(op, instance, row ? row->id : UUID_NONE, private_ip, ret_port));
	return port_check_unmanaged(op, *ret_port, ref_is_given(port) ? port->field : instance->field);
}

RESULT engine_find_forwarding_of(struct ctx *c, const struct tables *t, const struct ref *ref,
				 const struct ref *address, const struct port_forwarding **ret_forwarding)
{
	const struct row *row = NULL, *owner = NULL;
	if (ref_is_given(address))
		TRY(engine_find(c, t, KIND_ADDRESS, address, &owner));
	TRY(engine_find(c, t, KIND_PORT_FORWARDING, ref, &row));
	*ret_forwarding = port_forwarding_of(row);
	return !owner || uuid_equal((*ret_forwarding)->address, owner->id)
		       ? OK
		       : engine_fail_not_found(c, KIND_PORT_FORWARDING, ref);
}

uuid engine_get_forwarding_router(const struct tables *t, uuid address)
{
	return find_router(t, address, UUID_NONE);
}

/* ---- operations ---- */

static RESULT log_change(struct op *op, const struct port_forwarding *f, const char *what)
{
	char private[IP_TEXT_SIZE], from[SPAN_SIZE], to[SPAN_SIZE];
	const struct address *address = address_find(op->head, f->address);
	return engine_log_event(op, KIND_ADDRESS, &address->row, what, "%s ports %s to %s, ports %s.",
				port_forwarding_protocol_words[f->protocol],
				write_span(f->public_first, f->public_last, from),
				ip_write(f->private_ip, private),
				write_span(f->private_first, f->private_last, to));
}

RESULT port_forwarding_find_address(struct op *op, const struct ref *ref, bool may_be_source_nat,
				    const struct address **ret_address)
{
	TRY(engine_find_own_address(op->ctx, op->head, ref, ret_address));
	bool is_fine =
		(*ret_address)->is_elastic ||
		(may_be_source_nat && !uuid_is_none(gateway_router_of_address(op->head, *ret_address)));
	return is_fine ? OK : engine_fail_not_found(op->ctx, KIND_ADDRESS, ref);
}

static RESULT check_free(struct op *op, const struct address *address, const struct port_forwarding *f)
{
	char public[IP_TEXT_SIZE], private[IP_TEXT_SIZE];
	if (uuid_is_none(address->port))
		return OK;
	return ctx_fail_kind(
		op->ctx, ERR_CONFLICT, KIND_ADDRESS,
		"Cannot associate floating IP %s (%" STR_FMT ") with port %" STR_FMT
		" using fixed IP %s, as that fixed IP already has a floating IP on external "
		"network %" STR_FMT ".",
		ip_write(address->ip, public), STR_ARG(engine_write_id(op, KIND_ADDRESS, address->row.id)),
		STR_ARG(engine_write_id(op, KIND_PORT, f->port)), ip_write(f->private_ip, private),
		STR_ARG(engine_write_id(op, KIND_EXTERNAL_NETWORK, address->external_network)));
}

RESULT engine_create_port_forwarding(struct op *op, struct port_forwarding_wish *wish)
{
	const struct address *address = NULL;
	const struct port *port = NULL;
	TRY(port_forwarding_find_address(op, &wish->address, wish->may_be_source_nat, &address));
	TRY(engine_check_owner(op, &wish->account, address->account));
	struct ref network = choose_network(op->head, wish, address);
	TRY(find_port(op, &wish->port, &wish->instance, &network, wish->private_ip, &port));
	TRY(network_check_service(op, port->network, NETWORK_PORT_FORWARDING, wish->address.field));
	struct port_forwarding made = {.row.gen = 1,
				       .account = address->account,
				       .address = address->row.id,
				       .protocol = wish->protocol,
				       .public_first = wish->ports.public_first,
				       .public_last = wish->ports.public_last,
				       .private_first = wish->ports.private_first,
				       .private_last = wish->ports.private_last,
				       .description = wish->description};
	TRY(place(op, port, wish->private_ip, &made));
	TRY(check_ports(op, &made, wish->is_even));
	if (wish->is_alone)
		TRY(check_alone(op, &made));
	TRY(check_public_ports(op, &made));
	if (wish->is_alone)
		TRY(check_untranslated(op, port, made.private_ip));
	TRY(check_free(op, address, &made));
	TRY(check_router(op, address, port, &made));
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(engine_permit(op, "port_forwarding.create", KIND_ADDRESS, &address->row));
	TRY(port_permit_end(op, "port_forwarding.create", port->row.id));
	made.row.id = engine_new_id(op, KIND_PORT_FORWARDING);
	TRY(port_forwarding_put(op, &made));
	wish->forwarding = made.row.id;
	TRY(log_change(op, &made, "forwarded"));
	TRY(firewall_follow(op, made.address));
	return wish->opens_firewall
		       ? firewall_open(op, made.address, port_forwarding_protocol_words[made.protocol],
				       made.public_first, made.public_last, made.row.id)
		       : OK;
}

static void change_ports(const struct forwarded_ports *ports, struct port_forwarding *f)
{
	f->public_first = ports->public_first ? ports->public_first : f->public_first;
	f->public_last = ports->public_last ? ports->public_last : f->public_last;
	f->private_first = ports->private_first ? ports->private_first : f->private_first;
	f->private_last = ports->private_last ? ports->private_last : f->private_last;
}

RESULT engine_change_port_forwarding(struct op *op, struct port_forwarding_change *wish)
{
	const struct port_forwarding *present = NULL;
	const struct port *port = NULL;
	bool is_moved = ref_is_given(&wish->port) || ref_is_given(&wish->instance);
	if (is_moved)
		TRY(find_port(op, &wish->port, &wish->instance, &(struct ref){0}, wish->private_ip, &port));
	TRY(engine_find_forwarding_of(op->ctx, op->head, &wish->forwarding, &wish->address, &present));
	TRY(engine_permit(op, "port_forwarding.update", KIND_PORT_FORWARDING, &present->row));
	TRY(port_permit_end(op, "port_forwarding.update", present->port));
	if (is_moved)
		TRY(port_permit_end(op, "port_forwarding.update", port->row.id));
	const struct address *address = address_find(op->head, present->address);
	if (!is_moved)
		port = port_find(op->head, present->port);
	struct port_forwarding next = *present;
	bool is_another = !uuid_equal(port->row.id, present->port);
	TRY(place(op, port,
		  ip_is_none(wish->private_ip) && !is_another ? present->private_ip : wish->private_ip,
		  &next));
	change_ports(&wish->ports, &next);
	next.protocol = wish->sets_protocol ? wish->protocol : present->protocol;
	next.description = wish->description ? *wish->description : present->description;
	next.row.gen++;
	TRY(check_ports(op, &next, wish->is_even));
	if (wish->is_alone && is_another)
		TRY(check_untranslated(op, port, next.private_ip));
	if (wish->is_alone)
		TRY(check_alone(op, &next));
	TRY(check_public_ports(op, &next));
	TRY(check_router(op, address, port, &next));
	bool is_of_others = next.protocol != present->protocol ||
			    next.public_first != present->public_first ||
			    next.public_last != present->public_last;
	TRY(port_forwarding_put(op, &next));
	TRY(firewall_follow(op, next.address));
	if (is_of_others)
		TRY(firewall_reopen(op, next.address, port_forwarding_protocol_words[next.protocol],
				    next.public_first, next.public_last, next.row.id));
	return log_change(op, &next, "forwarding changed");
}

static RESULT end(struct op *op, const struct port_forwarding *f)
{
	TRY(log_change(op, f, "no longer forwarded"));
	TRY(firewall_leave_related(op, f->row.id));
	return port_forwarding_forget(op, f->row.id);
}

RESULT engine_delete_port_forwarding(struct op *op, struct port_forwarding_target *wish)
{
	const struct port_forwarding *f = NULL;
	TRY(engine_find_forwarding_of(op->ctx, op->head, &wish->forwarding, &wish->address, &f));
	TRY(engine_permit(op, "port_forwarding.delete", KIND_PORT_FORWARDING, &f->row));
	TRY(port_permit_end(op, "port_forwarding.delete", f->port));
	return end(op, f);
}

/* ---- following addresses and ports ---- */

bool port_forwarding_has_any(const struct tables *t, uuid address)
{
	return port_forwarding_first_by_address(t, address) || load_balancer_first_by_address(t, address);
}

RESULT port_forwarding_check_none(struct op *op, const struct address *address, struct str field)
{
	if (!port_forwarding_has_any(op->head, address->row.id))
		return OK;
	return ENGINE_FAIL(op, ERR_IN_USE, KIND_ADDRESS, field,
			   "Floating IP %" STR_FMT " in use by Port Forwarding resources.",
			   STR_ARG(engine_write_id(op, KIND_ADDRESS, address->row.id)));
}

RESULT port_forwarding_permit_ends(struct op *op, uuid address, const char *permission)
{
	const struct port_forwarding *f = port_forwarding_first_by_address(op->head, address);
	for (; f; f = port_forwarding_next_by_address(op->head, f))
		TRY(port_permit_end(op, permission, f->port));
	return OK;
}

RESULT port_forwarding_leave_address(struct op *op, uuid address)
{
	const struct port_forwarding *f = port_forwarding_first_by_address(op->head, address);
	for (; f; f = port_forwarding_next_by_address(op->head, f))
		TRY(end(op, f));
	return OK;
}

RESULT port_forwarding_leave_port(struct op *op, uuid port)
{
	return port_forwarding_leave_ip(op, port, (struct ip){0});
}

RESULT port_forwarding_leave_ip(struct op *op, uuid port, struct ip private_ip)
{
	const struct port_forwarding *f = port_forwarding_first_by_port(op->head, port);
	for (; f; f = port_forwarding_next_by_port(op->head, f))
		if (ip_is_none(private_ip) || ip_equal(f->private_ip, private_ip))
			TRY(end(op, f));
	return OK;
}

RESULT port_forwarding_move_ip(struct op *op, uuid from, uuid to, struct ip private_ip)
{
	const struct port_forwarding *f = port_forwarding_first_by_port(op->head, from), *next = NULL;
	for (; f; f = next) {
		next = port_forwarding_next_by_port(op->head, f);
		struct port_forwarding moved = *f;
		moved.port = to;
		moved.row.gen++;
		if (ip_equal(f->private_ip, private_ip))
			TRY(port_forwarding_put(op, &moved));
	}
	return OK;
}

bool port_forwarding_is_in(const struct tables *t, uuid router, const struct subnet *subnet)
{
	const struct port_forwarding *f = port_forwarding_first_by_router(t, router);
	for (; f; f = port_forwarding_next_by_router(t, f)) {
		const struct port *port = port_find(t, f->port);
		if (port && uuid_equal(port->network, subnet->network) &&
		    cidr_contains(subnet->block, f->private_ip))
			break;
	}
	return f != NULL;
}
