/* SPDX-License-Identifier: Apache-2.0
 * Ports. What happens next: reconcile/port.c brings them about in the network, with their groups and
 * on the host that is to plug them. */
#include "engine/port.h"

#include "engine/instance.h"
#include "engine/internal.h"

/* ---- addresses in a subnet ---- */

/* Locally administered; the rest is random, so that a MAC is hardly ever drawn twice. */
struct mac port_draw_mac(const struct tables *t)
{
	struct mac mac;
	do {
		random_bytes(mac.b, sizeof mac.b);
		mac.b[0] = 0x02;
	} while (port_first_by_mac(t, mac));
	return mac;
}

static RESULT check_ip(struct op *op, const struct subnet *subnet, const struct ip_pool *pool,
		       struct ip wanted, struct str field)
{
	char text[IP_TEXT_SIZE], block[CIDR_TEXT_SIZE];
	struct ip first, last;
	subnet_bounds(subnet, &first, &last);
	if (wanted.family != IP_V4 || !cidr_contains(subnet->block, wanted))
		return ENGINE_FAIL(op, ERR_RANGE, KIND_PORT, field,
				   "Address %s does not fall within the subnet's address range %s",
				   ip_write(wanted, text), cidr_write(subnet->block, block));
	if (ip_compare(wanted, first) < 0 || ip_compare(wanted, last) > 0)
		return ENGINE_FAIL(op, ERR_RANGE, KIND_PORT, field,
				   "Address %s is in subnet's reserved address range",
				   ip_write(wanted, text));
	if (ip_pool_has(op->head, pool, wanted))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_PORT, field, "Address %s is in use.",
				   ip_write(wanted, text));
	return OK;
}

RESULT port_choose_ip(struct op *op, const struct subnet *subnet, struct ip wanted, struct str field,
		      struct ip *ret_ip)
{
	struct port probe = {.subnet = subnet->row.id};
	struct ip_pool pool = {.kind = KIND_PORT,
			       .index = PORT_INDEX_SUBNET,
			       .probe = &probe.row,
			       .probe_ip = &probe.ip,
			       .ip_offset = offsetof(struct port, ip)};
	if (!ip_is_none(wanted)) {
		TRY(check_ip(op, subnet, &pool, wanted, field));
		*ret_ip = wanted;
		return OK;
	}
	struct ip first, last;
	subnet_bounds(subnet, &first, &last);
	if (ip_pool_pick(op->head, &pool, first, last, ret_ip))
		return OK;
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_SUBNET,
			     "There are no free addresses in subnet '%" STR_FMT "'.",
			     STR_ARG(engine_write_id(op, KIND_SUBNET, subnet->row.id)));
}

const struct port *port_of_instance(const struct tables *t, uuid instance, int64_t device_index)
{
	return port_find_by_instance(t, instance, device_index);
}

void port_clear_attachment(struct port *port)
{
	port->instance = UUID_NONE;
	port->attachment = UUID_NONE;
	port->device_index = 0;
	port->attached_us = 0;
	port->delete_on_termination = false;
	port->host = UUID_NONE;
}

/* ---- the operations ---- */

RESULT engine_create_port(struct op *op, struct port_wish *wish)
{
	const struct subnet *subnet = NULL;
	TRY(engine_find_own_subnet(op->ctx, op->head, &wish->subnet, &subnet));
	const struct router *router = router_find(op->head, subnet->router);
	struct port port = {.row.gen = 1,
			    .account = subnet->account,
			    .name = wish->name,
			    .description = wish->description,
			    .network = subnet->network,
			    .subnet = subnet->row.id,
			    .router = subnet->router,
			    .source_dest_check = true};
	TRY(tags_normalize(op, wish->tags, &port.tags));
	if (router)
		TRY(groups_resolve(op, router, wish->groups, &port.groups));
	TRY(engine_permit(op, "port.create", KIND_SUBNET, &subnet->row));
	TRY(port_choose_ip(op, subnet, wish->ip, STR("PrivateIpAddress"), &port.ip));
	port.row.id = engine_new_id(op, KIND_PORT);
	port.mac = port_draw_mac(op->head);
	TRY(port_put(op, &port));
	wish->port = port.row.id;
	char text[IP_TEXT_SIZE];
	return engine_tell(op, KIND_PORT, &port.row, "created", "Network interface with %s.",
			   ip_write(port.ip, text));
}

RESULT port_delete_with_addresses(struct op *op, const struct port *port)
{
	TRY(address_leave_port(op, port->row.id));
	TRY(port_delete(op, port->row.id));
	char text[IP_TEXT_SIZE];
	return engine_tell(op, KIND_PORT, &port->row, "deleted", "Network interface with %s.",
			   ip_write(port->ip, text));
}

RESULT engine_delete_port(struct op *op, struct port_target *wish)
{
	const struct port *port = NULL;
	TRY(engine_find_own_port(op->ctx, op->head, &wish->port, &port));
	TRY(engine_permit(op, "port.delete", KIND_PORT, &port->row));
	if (!uuid_is_none(port->instance))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_PORT, wish->port.field,
				   "Network interface '%" STR_FMT "' is currently in use.",
				   STR_ARG(wish->port.text));
	return port_delete_with_addresses(op, port);
}

static RESULT find_port_of(struct op *op, const struct port_groups_wish *wish, const struct port **ret_port)
{
	if (ref_is_given(&wish->port))
		return engine_find_own_port(op->ctx, op->head, &wish->port, ret_port);
	const struct instance *instance = NULL;
	TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, &instance));
	*ret_port = port_of_instance(op->head, instance->row.id, 0);
	if (!*ret_port)
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
				   "The instance '%" STR_FMT "' has no network interface any more.",
				   STR_ARG(wish->instance.text));
	return OK;
}

RESULT engine_set_port_groups(struct op *op, struct port_groups_wish *wish)
{
	const struct port *port = NULL;
	TRY(find_port_of(op, wish, &port));
	struct port next = *port;
	const struct router *router = router_find(op->head, port->router);
	if (router && wish->groups.count > 0)
		TRY(groups_resolve(op, router, wish->groups, &next.groups));
	choice_apply(wish->source_dest_check, &next.source_dest_check);
	TRY(engine_permit(op, "port.update", KIND_PORT, &port->row));
	next.row.gen++;
	TRY(port_put(op, &next));
	return engine_tell(op, KIND_PORT, &next.row, "changed", "It is in %zu security groups.",
			   next.groups.count);
}

/* ---- the reconciler's ---- */

static bool is_in(const struct uuids *ids, uuid id)
{
	for (size_t k = 0; k < ids->count; k++)
		if (uuid_equal(ids->at[k], id))
			return true;
	return false;
}

/* One that nobody wants any more has no attachment and no place left. */
static RESULT write_seen_in(struct op *op, const struct port *port, uuid instance)
{
	struct port next = *port;
	next.seen_instance = instance;
	if (uuid_is_none(next.instance) && uuid_is_none(instance) && !uuid_is_none(next.attachment)) {
		port_clear_attachment(&next);
		next.row.gen++;
	}
	return port_put(op, &next);
}

RESULT port_see_plugged(struct op *op, const struct instance_sight *sight)
{
	bool is_absent = sight->power == INSTANCE_SEEN_POWER_ABSENT;
	if (!is_absent && !sight->devices_known)
		return OK;
	const struct port *port = port_first_by_seen_instance(op->head, sight->instance), *next = NULL;
	for (; port; port = next) {
		next = port_next_by_seen_instance(op->head, port);
		if (is_absent || !is_in(&sight->ports, port->row.id))
			TRY(write_seen_in(op, port, UUID_NONE));
	}
	for (size_t k = 0; k < sight->ports.count && !is_absent; k++) {
		port = port_find(op->head, sight->ports.at[k]);
		if (port && !uuid_equal(port->seen_instance, sight->instance))
			TRY(write_seen_in(op, port, sight->instance));
	}
	return OK;
}

RESULT engine_see_port(struct op *op, struct port_sight *sight)
{
	const struct port *port = port_find(op->head, sight->port);
	if (!port)
		return OK;
	struct port next = *port;
	if ((int64_t) sight->gen > next.seen_gen)
		next.seen_gen = (int64_t) sight->gen;
	next.seen_up = sight->up;
	return row_equal(&model_kinds[KIND_PORT], &port->row, &next.row) ? OK : port_put(op, &next);
}

RESULT engine_forget_port(struct op *op, struct port_sight *sight)
{
	const struct port *port = port_find(op->head, sight->port);
	if (!port)
		return OK;
	if (row_is_live(&port->row))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_PORT, "The network interface is not deleted.");
	TRY(condition_clear_all(op, sight->port));
	return port_forget(op, sight->port);
}
