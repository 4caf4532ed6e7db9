/* SPDX-License-Identifier: Apache-2.0
 * Ports: their addresses, making, changing and deleting them; into instances and out: port_attach.c.
 * What happens next: reconcile/port.c brings them about in the network, with their groups and
 * on the host that is to plug them. */
#include "engine/port.h"

#include "engine/internal.h"

/* ---- addresses in a subnet ---- */

/* Locally administered; the rest is random, so that a MAC is hardly ever drawn twice. */
static struct mac draw_mac(const struct tables *t)
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
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_PORT, field, "Address %s is in use.",
				   ip_write(wanted, text));
	return OK;
}

static RESULT choose_ip(struct op *op, const struct subnet *subnet, struct ip wanted, struct str field,
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

/* ---- making ---- */

RESULT port_make(struct op *op, const struct port_plan *plan, struct port *ret_port)
{
	const struct subnet *subnet = plan->subnet;
	struct port port = {.row.gen = 1,
			    .account = plan->account,
			    .name = plan->name,
			    .description = plan->description,
			    .network = subnet->network,
			    .subnet = subnet->row.id,
			    .router = subnet->router,
			    .groups = plan->groups,
			    .source_dest_check = true,
			    .tags = plan->tags};
	TRY(choose_ip(op, subnet, plan->ip, plan->ip_field, &port.ip));
	port.row.id = engine_new_id(op, KIND_PORT);
	port.mac = draw_mac(op->head);
	*ret_port = port;
	return OK;
}

static RESULT create_port(struct op *op, struct port_wish *wish, const struct account *account)
{
	const struct subnet *subnet = NULL;
	TRY(engine_find_own_subnet(op->ctx, op->head, &wish->subnet, &subnet));
	struct port_plan plan = {.account = account->row.id,
				 .subnet = subnet,
				 .name = wish->name,
				 .description = wish->description,
				 .ip = wish->ip,
				 .ip_field = STR("PrivateIpAddress")};
	const struct router *router = router_find(op->head, subnet->router);
	TRY(tags_normalize(op, wish->tags, &plan.tags));
	if (router)
		TRY(groups_resolve(op, router, wish->groups, &plan.groups));
	TRY(quota_check(op, account->row.id, QUOTA_PORTS, 1));
	TRY(engine_permit(op, "port.create", KIND_SUBNET, &subnet->row));
	struct port port;
	TRY(port_make(op, &plan, &port));
	TRY(port_put(op, &port));
	TRY(client_token_write(op, account->row.id, wish->client_token, wish->digest, port.row.id));
	wish->port = port.row.id;
	char text[IP_TEXT_SIZE];
	return engine_tell(op, KIND_PORT, &port.row, "created", "Network interface with %s.",
			   ip_write(port.ip, text));
}

RESULT engine_create_port(struct op *op, struct port_wish *wish)
{
	const struct account *account = NULL;
	const struct client_token *token = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(client_token_find_made(op, account->row.id, wish->client_token, wish->digest, &token));
	if (!token)
		return create_port(op, wish, account);
	wish->port = token->made;
	return OK;
}

/* ---- deleting ---- */

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
	if (!uuid_is_none(port->nat_gateway))
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_PORT, wish->port.field,
				   "You do not have permission to access the specified resource.");
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
	TRY(condition_clear_all(op, sight->port));
	return port_forget(op, sight->port);
}
