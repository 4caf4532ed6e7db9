/* SPDX-License-Identifier: Apache-2.0
 * Disassociates public addresses from their ports. Elastic addresses stay allocated, auto-assigned ones
 * end. */
#include "engine/network/address/address_internal.h"

#include "engine/balancing/load_balancer_internal.h"
#include "engine/network/address/address.h"
#include "engine/network/address/port_forwarding_internal.h"
#include "engine/network/filter/firewall_internal.h"
#include "engine/network/port/port.h"
#include "model/secondary_ip.h"
#include "store/address.h"
#include "store/port.h"

RESULT address_write_free(struct op *op, const struct address *address)
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
	TRY(port_forwarding_leave_address(op, address));
	TRY(load_balancer_leave_address(op, address));
	TRY(firewall_leave_address(op, address));
	return address_delete(op, address);
}

RESULT address_leave(struct op *op, const struct address *address)
{
	return address->is_elastic ? address_write_free(op, address) : address_end(op, address->row.id);
}

/* Frees an address reserved for the port. Forgets the row at once, because the network has nothing to remove
 * for it. */
static RESULT unreserve(struct op *op, const struct port *port, struct ip ip)
{
	const struct address *a = port ? address_find_by_ip(op->head, port->network, ip) : NULL;
	return a && uuid_equal(a->reserved_for, port->row.id) ? address_forget(op, a->row.id) : OK;
}

RESULT address_take_auto(struct op *op, uuid port)
{
	const struct address *address = live_or_next(op->head, address_first_by_port(op->head, port));
	while (address && address->is_elastic)
		address = live_or_next(op->head, address_next_by_port(op->head, address));
	return address ? address_leave(op, address) : OK;
}

RESULT address_leave_port(struct op *op, uuid port)
{
	const struct address *address = live_or_next(op->head, address_first_by_port(op->head, port)), *next;
	for (; address; address = next) {
		next = live_or_next(op->head, address_next_by_port(op->head, address));
		TRY(address_leave(op, address));
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
	return address ? address_leave(op, address) : OK;
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
