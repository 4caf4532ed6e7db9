/* SPDX-License-Identifier: Apache-2.0
 * Trunks and their sub-ports. A sub-port's row names its parent and its tag; the reconciler
 * (reconcile/network/port.c) binds it to the parent's host. Source of the rules: neutron.services.trunk.rules. */
#include "engine/network/port/trunk.h"

#include "engine/limits.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/port/trunk_internal.h"
#include "model/account.h"
#include "store/network.h"
#include "store/port.h"
#include "store/trunk.h"

#define SUB_PORTS STR("sub_ports")

const struct port *engine_get_carrier(const struct tables *t, const struct port *port)
{
	const struct port *parent =
		uuid_is_none(port->trunk_parent) ? NULL : port_find(t, port->trunk_parent);
	return parent ? parent : port;
}

const struct trunk *engine_get_trunk_of(const struct tables *t, uuid port)
{
	return uuid_is_none(port) ? NULL : trunk_first_by_port(t, port);
}

static struct str write_port(const struct op *op, uuid port)
{
	return engine_write_id(op, KIND_PORT, port);
}

static struct str write_trunk(const struct op *op, const struct trunk *trunk)
{
	return engine_write_id(op, KIND_TRUNK, trunk->row.id);
}

RESULT trunk_check_no_subport(struct op *op, const struct port *port)
{
	if (uuid_is_none(port->trunk_parent))
		return OK;
	const struct trunk *trunk = engine_get_trunk_of(op->head, port->trunk_parent);
	return ENGINE_FAIL(op, ERR_IN_USE, KIND_TRUNK, STR("subport"),
			   "Port %" STR_FMT " is currently a subport for trunk %" STR_FMT ".",
			   STR_ARG(write_port(op, port->row.id)),
			   STR_ARG(trunk ? write_trunk(op, trunk) : STR("")));
}

RESULT trunk_check_no_parent(struct op *op, const struct port *port)
{
	const struct trunk *trunk = engine_get_trunk_of(op->head, port->row.id);
	if (!trunk)
		return OK;
	return ENGINE_FAIL(op, ERR_IN_USE, KIND_TRUNK, STR("parent"),
			   "Port %" STR_FMT " is currently a parent port for trunk %" STR_FMT ".",
			   STR_ARG(write_port(op, port->row.id)), STR_ARG(write_trunk(op, trunk)));
}

/* ---- checks ---- */

/* ERR_NOT_FOUND: another account's port, which only administrators can name. */
static RESULT find_port(struct op *op, uuid account, const struct ref *ref, const char *permission,
			const struct port **ret_port)
{
	TRY(engine_find_own_port(op->ctx, op->head, ref, ret_port));
	if (!uuid_equal((*ret_port)->account, account))
		return engine_fail_not_found(op->ctx, KIND_PORT, ref);
	TRY(port_check_unmanaged(op, *ret_port, ref->field));
	TRY(external_network_check_none(op, (*ret_port)->network, ref->field));
	return engine_permit(op, permission, KIND_PORT, &(*ret_port)->row);
}

/* A port may become a parent while a guest has it: OVN needs nothing of the guest for that. */
static RESULT check_parent(struct op *op, const struct port *port)
{
	if (uuid_is_none(port->trunk_parent) && !engine_get_trunk_of(op->head, port->row.id))
		return OK;
	return ENGINE_FAIL(op, ERR_IN_USE, KIND_TRUNK, STR("port_id"),
			   "Port %" STR_FMT
			   " is currently in use and is not eligible for use as a parent port.",
			   STR_ARG(write_port(op, port->row.id)));
}

static RESULT check_free(struct op *op, const struct port *parent, const struct port *port)
{
	struct str id = write_port(op, port->row.id);
	uuid holder = uuid_is_none(port->instance) ? port->seen_instance : port->instance;
	if (uuid_equal(port->row.id, parent->row.id) || engine_get_trunk_of(op->head, port->row.id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_TRUNK, STR("port_id"),
				   "Port %" STR_FMT
				   " is currently in use and is not eligible for use as a parent port.",
				   STR_ARG(id));
	if (!uuid_is_none(port->trunk_parent))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_TRUNK, SUB_PORTS,
				   "Port %" STR_FMT " is in use by another trunk.", STR_ARG(id));
	if (uuid_is_none(holder) && port->device_id.n == 0)
		return OK;
	return ENGINE_FAIL(
		op, ERR_IN_USE, KIND_PORT, SUB_PORTS,
		"Unable to complete operation on port %" STR_FMT " for network %" STR_FMT
		". Port already has an attached device %" STR_FMT ".",
		STR_ARG(id), STR_ARG(engine_write_id(op, KIND_NETWORK, port->network)),
		STR_ARG(uuid_is_none(holder) ? port->device_id : engine_write_id(op, KIND_INSTANCE, holder)));
}

/* The guest's interface has the MTU of the parent's network, so larger frames of a sub-port's network would be lost. */
static RESULT check_mtu(struct op *op, const struct port *parent, const struct port *port)
{
	const struct network *outer = network_find(op->head, parent->network);
	const struct network *inner = network_find(op->head, port->network);
	if (!outer || !inner || inner->mtu <= outer->mtu)
		return OK;
	return ENGINE_FAIL(op, ERR_CONFLICT, KIND_TRUNK, SUB_PORTS,
			   "MTU %d of subport %" STR_FMT " cannot be greater than MTU %d of trunk %" STR_FMT
			   ".",
			   (int) inner->mtu, STR_ARG(write_port(op, port->row.id)), (int) outer->mtu,
			   STR_ARG(write_port(op, parent->row.id)));
}

static const struct port *find_by_vlan(const struct tables *t, uuid parent, int64_t vlan)
{
	const struct port *port = port_first_by_trunk_parent(t, parent);
	while (port && port->vlan_id != vlan)
		port = port_next_by_trunk_parent(t, port);
	return port;
}

static RESULT check_vlan(struct op *op, const struct trunk *trunk, int64_t vlan)
{
	if (vlan < 1 || vlan > TRUNK_VLAN_MAX)
		return ENGINE_FAIL(op, ERR_RANGE, KIND_TRUNK, SUB_PORTS,
				   "Segmentation ID '%lld' is not in range", (long long) vlan);
	if (!find_by_vlan(op->head, trunk->port, vlan))
		return OK;
	return ENGINE_FAIL(op, ERR_EXISTS, KIND_TRUNK, SUB_PORTS,
			   "segmentation_type vlan and segmentation_id %lld already in use on trunk %" STR_FMT
			   ".",
			   (long long) vlan, STR_ARG(write_trunk(op, trunk)));
}

static RESULT check_count(struct op *op, const struct trunk *trunk, size_t more)
{
	size_t count = more;
	const struct port *port = port_first_by_trunk_parent(op->head, trunk->port);
	for (; port; port = port_next_by_trunk_parent(op->head, port))
		count++;
	if (count <= TRUNK_SUBPORTS_MAX)
		return OK;
	return ENGINE_FAIL(op, ERR_QUOTA, KIND_TRUNK, SUB_PORTS, "A trunk has at most %d sub-ports.",
			   TRUNK_SUBPORTS_MAX);
}

static RESULT check_enabled(struct op *op, const struct trunk *trunk)
{
	if (!trunk->is_down)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_TRUNK, STR("admin_state_up"),
			   "Trunk %" STR_FMT " is currently disabled.", STR_ARG(write_trunk(op, trunk)));
}

/* ---- sub-ports ---- */

static RESULT put_subport(struct op *op, const struct port *port, uuid parent, int64_t vlan)
{
	struct port next = *port;
	next.trunk_parent = parent;
	next.vlan_id = vlan;
	next.row.gen++;
	return port_put(op, &next);
}

/* Puts each sub-port before it looks at the next one, which sees tags and ports that the call names twice. */
static RESULT add_subports(struct op *op, const struct trunk *trunk, struct trunk_subports subports,
			   const char *permission)
{
	TRY(check_count(op, trunk, subports.count));
	for (size_t k = 0; k < subports.count; k++) {
		const struct port *port = NULL, *parent = port_find(op->head, trunk->port);
		TRY(find_port(op, trunk->account, &subports.at[k].port, permission, &port));
		TRY(check_free(op, parent, port));
		TRY(check_mtu(op, parent, port));
		TRY(check_vlan(op, trunk, subports.at[k].vlan));
		TRY(put_subport(op, port, trunk->port, subports.at[k].vlan));
	}
	return OK;
}

static RESULT remove_subports(struct op *op, const struct trunk *trunk, struct trunk_subports subports)
{
	for (size_t k = 0; k < subports.count; k++) {
		const struct ref *ref = &subports.at[k].port;
		const struct port *port = NULL;
		struct result found = engine_find_own_port(op->ctx, op->head, ref, &port);
		if (found.code && found.code != ERR_NOT_FOUND)
			return found;
		if (found.code || !uuid_equal(port->trunk_parent, trunk->port))
			return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_TRUNK, SUB_PORTS,
					   "SubPort on trunk %" STR_FMT " with parent port %" STR_FMT
					   " could not be found.",
					   STR_ARG(write_trunk(op, trunk)), STR_ARG(ref->text));
		TRY(engine_permit(op, "trunk.remove_subports", KIND_PORT, &port->row));
		TRY(put_subport(op, port, UUID_NONE, 0));
	}
	return OK;
}

static RESULT release_subports(struct op *op, uuid parent)
{
	const struct port *port = NULL;
	while ((port = port_first_by_trunk_parent(op->head, parent)))
		TRY(put_subport(op, port, UUID_NONE, 0));
	return OK;
}

/* ---- operations ---- */

RESULT engine_create_trunk(struct op *op, struct trunk_wish *wish)
{
	const struct account *account = NULL;
	const struct port *port = NULL;
	TRY(engine_find_owner_to_be(op, &wish->account, &account));
	TRY(find_port(op, account->row.id, &wish->port, "trunk.create", &port));
	TRY(check_parent(op, port));
	TRY(limit_check(op, LIMIT_TRUNKS, account->row.id, 1, STR_NONE));
	struct trunk trunk = {.row = {.id = engine_new_id(op, KIND_TRUNK), .gen = 1},
			      .account = account->row.id,
			      .name = wish->name,
			      .description = wish->description,
			      .port = port->row.id,
			      .is_down = wish->is_down};
	TRY(engine_permit_new(op, "trunk.create", KIND_TRUNK, &trunk.row));
	TRY(trunk_put(op, &trunk));
	TRY(add_subports(op, &trunk, wish->subports, "trunk.create"));
	wish->trunk = trunk.row.id;
	return engine_log_event(op, KIND_TRUNK, &trunk.row, "created", "Trunk with %zu sub-ports.",
				wish->subports.count);
}

RESULT engine_update_trunk(struct op *op, struct trunk_settings *wish)
{
	const struct trunk *trunk = NULL;
	TRY(engine_find_own_trunk(op->ctx, op->head, &wish->trunk, &trunk));
	TRY(engine_permit(op, "trunk.update", KIND_TRUNK, &trunk->row));
	struct trunk next = *trunk;
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	choice_apply(wish->is_down, &next.is_down);
	next.row.gen++;
	TRY(trunk_put(op, &next));
	return engine_log_event(op, KIND_TRUNK, &next.row, "changed", "Trunk.");
}

RESULT engine_change_trunk(struct op *op, struct trunk_change *wish)
{
	const char *permission = wish->removes ? "trunk.remove_subports" : "trunk.add_subports";
	const struct trunk *trunk = NULL;
	TRY(engine_find_own_trunk(op->ctx, op->head, &wish->trunk, &trunk));
	TRY(engine_permit(op, permission, KIND_TRUNK, &trunk->row));
	struct trunk next = *trunk;
	if (!wish->removes)
		TRY(add_subports(op, &next, wish->subports, permission));
	TRY(check_enabled(op, &next));
	if (wish->removes)
		TRY(remove_subports(op, &next, wish->subports));
	next.row.gen++;
	TRY(trunk_put(op, &next));
	if (wish->removes)
		return engine_log_event(op, KIND_TRUNK, &next.row, "sub-ports removed", "%zu sub-ports.",
					wish->subports.count);
	return engine_log_event(op, KIND_TRUNK, &next.row, "sub-ports added", "%zu sub-ports.",
				wish->subports.count);
}

RESULT engine_delete_trunk(struct op *op, struct trunk_target *wish)
{
	const struct trunk *trunk = NULL;
	TRY(engine_find_own_trunk(op->ctx, op->head, &wish->trunk, &trunk));
	TRY(engine_permit(op, "trunk.delete", KIND_TRUNK, &trunk->row));
	TRY(check_enabled(op, trunk));
	TRY(engine_log_event(op, KIND_TRUNK, &trunk->row, "deleted", "Trunk."));
	TRY(release_subports(op, trunk->port));
	return trunk_forget(op, trunk->row.id);
}

RESULT trunk_leave_port(struct op *op, uuid port)
{
	const struct port *row = port_find(op->head, port);
	const struct trunk *trunk = engine_get_trunk_of(op->head, port);
	if (row && !uuid_is_none(row->trunk_parent))
		TRY(put_subport(op, row, UUID_NONE, 0));
	if (!trunk)
		return OK;
	TRY(engine_log_event(op, KIND_TRUNK, &trunk->row, "deleted", "Trunk."));
	TRY(release_subports(op, port));
	return trunk_forget(op, trunk->row.id);
}
