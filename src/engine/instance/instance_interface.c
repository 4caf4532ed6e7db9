/* SPDX-License-Identifier: Apache-2.0
 * Ports of an instance, one call each. The reconciler (reconcile/instance/instance.c) plugs and unplugs them. Called
 * by: api/openstack. */
#include "engine/instance/instance_interface.h"

#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/launch/launch_ports_internal.h"
#include "engine/internal.h"
#include "engine/network/filter/security_group_internal.h"
#include "engine/network/port/port.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/port/trunk.h"
#include "model/security_group.h"
#include "model/subnet.h"
#include "store/instance.h"
#include "store/port.h"

/* Finds a live instance of the caller that may be changed. */
static RESULT find_instance(struct op *op, const struct ref *ref, const struct instance **ret_instance)
{
	TRY(engine_find_own_instance(op->ctx, op->head, ref, ret_instance));
	if (!row_is_live(&(*ret_instance)->row))
		return engine_fail_not_found(op->ctx, KIND_INSTANCE, ref);
	return instance_check_changeable(op, *ret_instance, ref->field);
}

/* ---- attaching ---- */

static int64_t free_index(const struct tables *t, uuid instance)
{
	uint64_t taken = 0;
	int64_t index = 0;
	for (const struct port *p = port_first_by_instance(t, instance); p; p = port_next_by_instance(t, p))
		taken |= UINT64_C(1) << (p->device_index & 63);
	for (const struct port *p = port_first_by_seen_instance(t, instance); p;
	     p = port_next_by_seen_instance(t, p))
		taken |= UINT64_C(1) << (p->device_index & 63);
	while (taken >> index & 1)
		index++;
	return index;
}

/* ret_subnet: kind none if the named network has no subnets, which only wish->may_lack_ip allows. */
static RESULT find_subnet(struct op *op, const struct interface_wish *wish, const struct instance *instance,
			  struct ref *ret_subnet)
{
	const struct launch_network in = {wish->network, wish->ip, wish->may_lack_ip};
	const struct network *network = NULL;
	const struct subnet *subnet = NULL;
	if (ref_is_given(&wish->subnet)) {
		*ret_subnet = wish->subnet;
		return OK;
	}
	if (ref_is_given(&wish->network))
		TRY(launch_ports_find_in_network(op, &in, &network, &subnet));
	if (network && !subnet)
		return OK;
	uuid id = subnet ? subnet->row.id : instance->subnet;
	if (uuid_is_none(id))
		return ENGINE_FAIL(op, ERR_MISSING, KIND_NETWORK, wish->network.field, "Name a network.");
	*ret_subnet = engine_ref_to(op, KIND_SUBNET, id, wish->network.field);
	return OK;
}

static RESULT make_port(struct op *op, struct interface_wish *wish, const struct instance *instance,
			struct ref *ret_port)
{
	struct port_wish port = {.by_firewall_alone = wish->by_firewall_alone,
				 .ips = {.primary = wish->ip,
					 .of_network = ref_is_given(&wish->network) && ip_is_none(wish->ip)}};
	struct network_port_wish plain = {.network = wish->network, .fixed.is_given = true};
	TRY(find_subnet(op, wish, instance, &port.subnet));
	bool has_ip = ref_is_given(&port.subnet);
	TRY(has_ip ? engine_create_port(op, &port) : engine_add_port(op, &plain));
	*ret_port = engine_ref_to(op, KIND_PORT, has_ip ? port.port : plain.port, wish->port.field);
	return OK;
}

static RESULT check_is_only(struct op *op, const struct interface_wish *wish, const struct instance *instance)
{
	const struct port *p = port_first_by_instance(op->head, instance->row.id);
	while (p &&
	       !(row_is_live(&p->row) && id_has_prefix(p->network, wish->network.prefix, wish->network.bits)))
		p = port_next_by_instance(op->head, p);
	return p ? ENGINE_FAIL(op, ERR_EXISTS, KIND_PORT, wish->network.field,
			       "A NIC already exists for VM:%" STR_FMT " in network: %" STR_FMT,
			       STR_ARG(engine_write_id(op, KIND_INSTANCE, instance->row.id)),
			       STR_ARG(engine_write_id(op, KIND_NETWORK, p->network)))
		 : OK;
}

RESULT engine_plug_interface(struct op *op, struct interface_wish *wish)
{
	const struct instance *instance = NULL;
	bool is_new = !ref_is_given(&wish->port);
	TRY(find_instance(op, &wish->instance, &instance));
	if (wish->is_only)
		TRY(check_is_only(op, wish, instance));
	struct port_attaching attaching = {.port = wish->port,
					   .instance = wish->instance,
					   .device_index = free_index(op->head, instance->row.id),
					   .tag = wish->tag,
					   .beyond_type = true,
					   .may_lack_ip = is_new && wish->may_lack_ip};
	TRY(port_check_count(op, NULL, (size_t) attaching.device_index + 1, wish->instance.field));
	if (is_new)
		TRY(make_port(op, wish, instance, &attaching.port));
	TRY(engine_attach_port(op, &attaching));
	const struct port *port = NULL;
	TRY(engine_find_own_port(op->ctx, op->head, &attaching.port, &port));
	wish->plugged = port->row.id;
	struct port next = *port;
	next.delete_on_termination = is_new;
	return is_new ? port_put(op, &next) : OK;
}

/* ---- detaching ---- */

RESULT engine_unplug_interface(struct op *op, struct interface_target *wish)
{
	const struct instance *instance = NULL;
	const struct port *port = NULL;
	TRY(find_instance(op, &wish->instance, &instance));
	TRY(engine_find_own_port(op->ctx, op->head, &wish->port, &port));
	if (!uuid_equal(port->instance, instance->row.id))
		return engine_fail_not_found(op->ctx, KIND_PORT, &wish->port);
	if (wish->keeps_first && port->device_index == 0)
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_PORT, wish->port.field,
				   "Unable to remove nic from %" STR_FMT ", nic is default.",
				   STR_ARG(engine_write_id(op, KIND_INSTANCE, instance->row.id)));
	TRY(engine_permit(op, "port.detach", KIND_PORT, &port->row));
	TRY(engine_permit(op, "port.detach", KIND_INSTANCE, &instance->row));
	bool goes = port->delete_on_termination && !engine_get_trunk_of(op->head, port->row.id);
	struct port next = *port;
	TRY(port_unplug(op, &next));
	TRY(engine_log_event(op, KIND_INSTANCE, &instance->row, "interface detached",
			     "Network interface %" STR_FMT ".",
			     STR_ARG(engine_write_id(op, KIND_PORT, next.row.id))));
	return goes ? port_delete_with_addresses(op, &next) : OK;
}

/* ---- the primary port ---- */

static RESULT check_may_be_first(struct op *op, const struct interface_choice *wish,
				 const struct instance *instance, const struct port *port)
{
	enum instance_state state = model_derive_instance_state(instance);
	if (port->device_index == 0)
		return ENGINE_FAIL(op, ERR_STATE, KIND_PORT, wish->port.field,
				   "refusing to set default nic because chosen nic is already the default");
	if (state != INSTANCE_RUNNING && state != INSTANCE_STOPPED)
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
				   "refusing to set default %" STR_FMT " is not Running or Stopped",
				   STR_ARG(engine_write_id(op, KIND_INSTANCE, instance->row.id)));
	return OK;
}

static RESULT put_at(struct op *op, const struct instance *instance, const struct port *port,
		     int64_t device_index)
{
	struct port next = *port;
	TRY(engine_permit(op, "port.update", KIND_PORT, &port->row));
	next.device_index = device_index;
	next.is_named_by_id = device_index == 0 && instance->named_by_id;
	next.row.gen++;
	return port_put(op, &next);
}

RESULT engine_put_interface_first(struct op *op, struct interface_choice *wish)
{
	const struct instance *instance = NULL;
	const struct port *port = NULL;
	TRY(find_instance(op, &wish->instance, &instance));
	TRY(engine_find_own_port(op->ctx, op->head, &wish->port, &port));
	if (!uuid_equal(port->instance, instance->row.id))
		return engine_fail_not_found(op->ctx, KIND_PORT, &wish->port);
	TRY(check_may_be_first(op, wish, instance, port));
	TRY(engine_permit(op, "port.update", KIND_INSTANCE, &instance->row));
	const struct port *first = port_first_of_instance(op->head, instance->row.id);
	uuid id = port->row.id;
	struct instance next = *instance;
	next.subnet = port->subnet;
	next.router = port->router;
	next.row.gen++;
	if (first->device_index == 0)
		TRY(put_at(op, instance, first, port->device_index));
	TRY(put_at(op, instance, port_find(op->head, id), 0));
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "primary interface chosen",
				"Network interface %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_PORT, id)));
}

/* ---- security groups ---- */

/* Nova's rule: groups filter only ports that have port security and an address. */
static RESULT check_takes_group(struct op *op, const struct port *port, const struct security_group *group,
				struct str field)
{
	TRY(engine_permit(op, "security_group.use", KIND_SECURITY_GROUP, &group->row));
	if (port->is_open || ip_is_none(port->ip))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_SECURITY_GROUP, field,
				   "Network requires port_security_enabled and subnet associated in order to "
				   "apply security groups.");
	return security_group_check_count(op, port->groups.count + 1, field);
}

static RESULT change_groups(struct op *op, const struct port *port, const struct security_group *group,
			    const struct instance_group_change *wish, bool *changed)
{
	bool has = uuids_have(&port->groups, group->row.id);
	uuid *next = arena_new_array(op->ctx->arena, uuid, port->groups.count + 1);
	size_t count = 0;
	if (!next)
		return ctx_no_memory(op->ctx);
	if (has != wish->remove)
		return OK;
	if (!wish->remove)
		TRY(check_takes_group(op, port, group, wish->group.field));
	for (size_t n = 0; n < port->groups.count; n++)
		if (!uuid_equal(port->groups.at[n], group->row.id))
			next[count++] = port->groups.at[n];
	if (!wish->remove)
		next[count++] = group->row.id;
	struct port changed_port = *port;
	changed_port.groups = (struct uuids){next, count};
	changed_port.row.gen++;
	*changed = true;
	return port_put(op, &changed_port);
}

RESULT engine_change_instance_groups(struct op *op, struct instance_group_change *wish)
{
	const struct instance *instance = NULL;
	bool changed = false;
	TRY(find_instance(op, &wish->instance, &instance));
	TRY(engine_permit(op, "instance.update", KIND_INSTANCE, &instance->row));
	const struct port *port = port_first_by_instance(op->head, instance->row.id), *next = NULL;
	for (; port; port = next) {
		const struct security_group *group = NULL;
		next = port_next_by_instance(op->head, port);
		if (!row_is_live(&port->row))
			continue;
		TRY(engine_find_group_in(op->ctx, op->head, port->account, port->router, &wish->group,
					 &group));
		TRY(change_groups(op, port, group, wish, &changed));
	}
	if (wish->remove && !changed)
		return engine_fail_not_found(op->ctx, KIND_SECURITY_GROUP, &wish->group);
	return engine_log_event(op, KIND_INSTANCE, &instance->row, "changed",
				"Its security groups were changed.");
}
