/* SPDX-License-Identifier: Apache-2.0
 * Attaches ports to instances and detaches them. `instance` is what is wanted, `seen_instance` what the host
 * reports. A port that was detached keeps its attachment and slot, and cannot be attached elsewhere, until
 * its host has unplugged it. The reconciler plugs and unplugs (reconcile/instance/instance.c) and binds ports to hosts
 * (reconcile/network/port.c). */
#include <inttypes.h>

#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/port/port.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/port/trunk_internal.h"
#include "model/states.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/port.h"
#include "store/subnet.h"

uuid engine_port_holder(const struct port *port)
{
	return uuid_is_none(port->instance) ? port->seen_instance : port->instance;
}

RESULT port_check_available(struct op *op, const struct port *port, const struct ref *ref)
{
	if (model_derive_port_state(port) == PORT_AVAILABLE)
		return trunk_check_no_subport(op, port);
	return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_PORT, ref,
				 "Network interface '%" STR_FMT "' is currently in use.", STR_ARG(ref->text));
}

RESULT port_check_count(struct op *op, const struct instance_type *type, size_t count, struct str field)
{
	if (count > PORTS_OF_INSTANCE_MAX)
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_PORT, field,
				   "Interface count %zu exceeds the limit of %d that an instance has places "
				   "for.",
				   count, PORTS_OF_INSTANCE_MAX);
	if (!type || (int64_t) count <= type->max_ports)
		return OK;
	return ENGINE_FAIL(op, ERR_QUOTA, KIND_PORT, field,
			   "Interface count %zu exceeds the limit for %" STR_FMT, count, STR_ARG(type->name));
}

RESULT port_check_zone(struct op *op, const struct subnet *subnet, uuid zone, struct str field)
{
	bool is_everywhere = uuid_is_none(zone) || (subnet && uuid_is_none(subnet->zone));
	if (subnet && (is_everywhere || uuid_equal(subnet->zone, zone)))
		return OK;
	return ENGINE_FAIL(op, ERR_COMBINATION, KIND_PORT, field,
			   "You may not attach a network interface to an instance if they are not in the "
			   "same availability zone");
}

void port_set_attachment(const struct op *op, struct port *port, const struct instance *instance,
			 int64_t device_index)
{
	port->instance = instance->row.id;
	port->device_index = device_index;
	port->attachment = uuid_random();
	port->attached_us = op->now_us;
	port->host = instance->host;
	port->is_named_by_id = device_index == 0 && instance->named_by_id;
}

/* Clears everything that an attachment sets. */
static void clear_attachment(struct port *port)
{
	port->instance = UUID_NONE;
	port->attachment = UUID_NONE;
	port->device_index = 0;
	port->device_tag = STR_NONE;
	port->attached_us = 0;
	port->delete_on_termination = false;
	port->host = UUID_NONE;
	port->is_named_by_id = false;
}

void port_leave_instance(struct port *port)
{
	port->instance = UUID_NONE;
	port->delete_on_termination = false;
	if (uuid_is_none(port->seen_instance))
		clear_attachment(port);
	port->row.gen++;
}

/* ---- attach ---- */

/* True if a port that is wanted at the index, or that is being unplugged from it, has the slot. */
static bool is_taken(const struct tables *t, uuid instance, int64_t device_index)
{
	for (const struct port *p = port_first_by_instance(t, instance); p; p = port_next_by_instance(t, p))
		if (row_is_live(&p->row) && p->device_index == device_index)
			return true;
	for (const struct port *p = port_first_by_seen_instance(t, instance); p;
	     p = port_next_by_seen_instance(t, p))
		if (model_derive_port_state(p) == PORT_DETACHING && p->device_index == device_index)
			return true;
	return false;
}

RESULT port_check_device_index(struct op *op, int64_t device_index, struct str field)
{
	if (device_index >= 0 && device_index <= PORT_DEVICE_INDEX_MAX)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_PORT, field,
			   "The device index %" PRId64 " is not one of 0 to %d.", device_index,
			   PORT_DEVICE_INDEX_MAX);
}

static RESULT check_place(struct op *op, const struct port_attaching *wish, const struct instance *instance,
			  const struct port *attached)
{
	TRY(port_check_device_index(op, wish->device_index, STR("DeviceIndex")));
	if (is_taken(op->head, instance->row.id, wish->device_index))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PORT, STR("DeviceIndex"),
				   "Instance '%" STR_FMT
				   "' already has an interface attached at device index '%" PRId64 "'.",
				   STR_ARG(wish->instance.text), wish->device_index);
	const struct instance_type *type =
		wish->beyond_type ? NULL : instance_type_find(op->head, instance->type);
	TRY(port_check_all_ip_counts(op, type, attached, wish->instance.field));
	return port_check_count(op, type, port_count_of_instance(op->head, instance->row.id) + 1,
				wish->instance.field);
}

RESULT engine_attach_port(struct op *op, struct port_attaching *wish)
{
	const struct port *port = NULL;
	const struct instance *instance = NULL;
	TRY(engine_find_own_port(op->ctx, op->head, &wish->port, &port));
	TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, &instance));
	if (!row_is_live(&instance->row))
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
				   "The instance '%" STR_FMT "' is ending or has ended.",
				   STR_ARG(wish->instance.text));
	TRY(external_network_check_none(op, port->network, wish->port.field));
	TRY(port_check_available(op, port, &wish->port));
	if (!wish->may_lack_ip || !uuid_is_none(port->subnet))
		TRY(port_check_zone(op, subnet_find(op->head, port->subnet), instance->zone,
				    wish->port.field));
	TRY(check_place(op, wish, instance, port));
	TRY(engine_permit(op, "port.attach", KIND_PORT, &port->row));
	TRY(engine_permit(op, "port.attach", KIND_INSTANCE, &instance->row));
	TRY(instance_check_changeable(op, instance, wish->instance.field));
	struct port next = *port;
	port_set_attachment(op, &next, instance, wish->device_index);
	next.device_tag = wish->tag;
	next.row.gen++;
	TRY(port_put(op, &next));
	wish->attachment = next.attachment;
	return engine_log_event(
		op, KIND_PORT, &next.row, "attach asked", "To instance %" STR_FMT " as device %" PRId64 ".",
		STR_ARG(engine_write_id(op, KIND_INSTANCE, instance->row.id)), wish->device_index);
}

/* ---- detach ---- */

/* Finds the caller's port by its attachment id; random ids are unique. */
static RESULT find_attached(struct op *op, const struct ref *ref, const struct port **ret_port)
{
	struct port probe = {.attachment = ref->prefix};
	const struct row *row = tables_seek(op->head, KIND_PORT, PORT_INDEX_ATTACHMENT, &probe.row, 1);
	const struct port *port = port_of(row);
	if (!port || !id_has_prefix(port->attachment, ref->prefix, ref->bits) ||
	    !engine_is_own(op->ctx, KIND_PORT, row))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_NONE, ref->field,
				   "The attachment '%" STR_FMT "' does not exist", STR_ARG(ref->text));
	*ret_port = port;
	return OK;
}

RESULT engine_detach_port(struct op *op, struct port_detaching *wish)
{
	const struct port *port = NULL;
	TRY(find_attached(op, &wish->attachment, &port));
	TRY(engine_permit(op, "port.detach", KIND_PORT, &port->row));
	const struct instance *instance = instance_find(op->head, port->instance);
	if (instance) {
		TRY(engine_permit(op, "port.detach", KIND_INSTANCE, &instance->row));
		TRY(instance_check_changeable(op, instance, wish->attachment.field));
	}
	if (port->device_index == 0)
		return ENGINE_FAIL(
			op, ERR_PROTECTED, KIND_PORT, wish->attachment.field,
			"The network interface at device index 0 and networkCard index 0 cannot be "
			"detached.");
	if (uuid_is_none(port->instance) && !wish->force)
		return OK; /* is being detached already */
	struct port next = *port;
	port_leave_instance(&next);
	if (wish->force)
		next.host = UUID_NONE;
	TRY(port_put(op, &next));
	return engine_log_event(op, KIND_PORT, &next.row, "detach asked",
				wish->force ? "From its instance, cut off at once." : "From its instance.");
}

RESULT port_unplug(struct op *op, struct port *port)
{
	port_leave_instance(port);
	TRY(address_take_auto(op, port->row.id));
	return port_put(op, port);
}

/* ---- reports of the host ---- */

static RESULT write_seen_in(struct op *op, const struct port *port, uuid instance)
{
	struct port next = *port;
	next.seen_instance = instance;
	if (uuid_is_none(next.instance) && uuid_is_none(instance) && !uuid_is_none(next.attachment)) {
		clear_attachment(&next);
		next.row.gen++;
	}
	return port_put(op, &next);
}

RESULT port_see_plugged(struct op *op, const struct instance_report *report)
{
	bool is_absent = report->power == INSTANCE_SEEN_POWER_ABSENT;
	if (!is_absent && !report->devices_known)
		return OK;
	const struct port *port = port_first_by_seen_instance(op->head, report->instance), *next = NULL;
	for (; port; port = next) {
		next = port_next_by_seen_instance(op->head, port);
		if (is_absent || !uuids_have(&report->ports, port->row.id))
			TRY(write_seen_in(op, port, UUID_NONE));
	}
	for (size_t k = 0; k < report->ports.count && !is_absent; k++) {
		port = port_find(op->head, report->ports.at[k]);
		if (port && !uuid_equal(port->seen_instance, report->instance))
			TRY(write_seen_in(op, port, report->instance));
	}
	return OK;
}
