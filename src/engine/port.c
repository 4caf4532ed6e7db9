/* SPDX-License-Identifier: Apache-2.0
 * Ports: their addresses, making, changing and deleting them; into instances and out: port_attach.c.
 * What happens next: reconcile/port.c brings them about in the network, with their groups and
 * on the host that is to plug them. */
#include "engine/port.h"

#include "engine/internal.h"

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

/* ---- which port ---- */

const struct port *port_first_of_instance(const struct tables *t, uuid instance)
{
	const struct port *port = port_first_by_instance(t, instance);
	while (port && !row_is_live(&port->row))
		port = port_next_by_instance(t, port);
	return port;
}

size_t port_count_of_instance(const struct tables *t, uuid instance)
{
	size_t count = 0;
	for (const struct port *p = port_first_by_instance(t, instance); p; p = port_next_by_instance(t, p))
		count += row_is_live(&p->row);
	return count;
}

RESULT port_find_target(struct op *op, const struct ref *port, const struct ref *instance,
			const struct port **ret_port)
{
	if (ref_is_given(port))
		return engine_find_own_port(op->ctx, op->head, port, ret_port);
	const struct instance *row = NULL;
	TRY(engine_find_own_instance(op->ctx, op->head, instance, &row));
	*ret_port = row_is_live(&row->row) ? port_first_of_instance(op->head, row->row.id) : NULL;
	if (!*ret_port)
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, instance->field,
				   "The instance '%" STR_FMT "' is ending or has ended.",
				   STR_ARG(instance->text));
	if (port_count_of_instance(op->head, row->row.id) > 1)
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_INSTANCE, instance->field,
				   "There are multiple interfaces attached to instance '%" STR_FMT
				   "'. Please specify an interface ID for the operation instead.",
				   STR_ARG(instance->text));
	return OK;
}

RESULT port_check_unmanaged(struct op *op, const struct port *port, struct str field)
{
	if (uuid_is_none(port->nat_gateway))
		return OK;
	return ENGINE_FAIL(op, ERR_PROTECTED, KIND_PORT, field,
			   "You do not have permission to access the specified resource.");
}

/* ---- making ---- */

struct port port_new_in(const struct subnet *subnet, uuid account)
{
	return (struct port){.row.gen = 1,
			     .account = account,
			     .network = subnet->network,
			     .subnet = subnet->row.id,
			     .router = subnet->router,
			     .source_dest_check = true};
}

static RESULT create_port(struct op *op, struct port_wish *wish, const struct account *account)
{
	const struct subnet *subnet = NULL;
	TRY(engine_find_own_subnet(op->ctx, op->head, &wish->subnet, &subnet));
	struct port port = port_new_in(subnet, account->row.id);
	port.name = wish->name;
	port.description = wish->description;
	const struct router *router = router_find(op->head, subnet->router);
	TRY(tags_normalize(op, wish->tags, &port.tags));
	if (router)
		TRY(groups_resolve(op, router, wish->groups, &port.groups));
	TRY(quota_check(op, account->row.id, QUOTA_PORTS, 1));
	TRY(engine_permit(op, "port.create", KIND_SUBNET, &subnet->row));
	TRY(port_write_new(op, subnet, &wish->ips, &port));
	TRY(client_token_write(op, account->row.id, wish->client_token, wish->digest, port.row.id));
	wish->port = port.row.id;
	char text[IP_TEXT_SIZE];
	return engine_tell(op, KIND_PORT, &port.row, "created", "Network interface with %s.",
			   ip_write(port.ip, text));
}

RESULT engine_create_port(struct op *op, struct port_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(client_token_find_made(op, account->row.id, wish->client_token, wish->digest, KIND_PORT,
				   &wish->port));
	return uuid_is_none(wish->port) ? create_port(op, wish, account) : OK;
}

/* ---- deleting ---- */

RESULT port_delete_with_addresses(struct op *op, const struct port *port)
{
	TRY(address_leave_port(op, port->row.id));
	TRY(port_delete_ips(op, port->row.id));
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
	TRY(port_check_available(op, port, &wish->port));
	return port_delete_with_addresses(op, port);
}

/* ---- changing ---- */

/* The setting is of the attachment: it has to be named, and to be the port's. */
static RESULT check_attachment(struct op *op, const struct port_settings *wish, const struct port *port)
{
	const struct ref *ref = &wish->attachment;
	if (wish->delete_on_termination == CHOICE_DEFAULT)
		return OK;
	if (!uuid_is_none(port->instance) && id_has_prefix(port->attachment, ref->prefix, ref->bits))
		return OK;
	return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_NONE, ref->field,
			   "The attachment '%" STR_FMT "' does not exist", STR_ARG(ref->text));
}

RESULT engine_update_port(struct op *op, struct port_settings *wish)
{
	const struct port *port = NULL;
	TRY(port_find_target(op, &wish->port, &wish->instance, &port));
	TRY(port_check_unmanaged(op, port, wish->port.field));
	struct port next = *port;
	const struct router *router = router_find(op->head, port->router);
	if (router && wish->groups.count > 0)
		TRY(groups_resolve(op, router, wish->groups, &next.groups));
	TRY(check_attachment(op, wish, port));
	TRY(engine_permit(op, "port.update", KIND_PORT, &port->row));
	choice_apply(wish->source_dest_check, &next.source_dest_check);
	choice_apply(wish->delete_on_termination, &next.delete_on_termination);
	if (wish->set_description)
		next.description = wish->description;
	next.row.gen++;
	TRY(port_put(op, &next));
	return engine_tell(op, KIND_PORT, &next.row, "changed", "It is in %zu security groups.",
			   next.groups.count);
}

/* ---- the reconciler's ---- */

RESULT engine_see_port(struct op *op, struct port_sight *sight)
{
	const struct port *port = port_find(op->head, sight->port);
	if (!port)
		return OK;
	/* As it is wanted now: what was taken away since is not there any more. */
	if (sight->gen == port->row.gen)
		TRY(port_forget_ips(op, sight->port));
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
	if (row_is_live(&port->row) || !uuid_is_none(port->seen_instance))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_PORT,
				     "The network interface is not deleted, or still plugged.");
	TRY(port_forget_ips(op, sight->port));
	TRY(condition_clear_all(op, sight->port));
	return port_forget(op, sight->port);
}
