/* SPDX-License-Identifier: Apache-2.0
 * Creation, change and deletion of Octavia's load balancers. */
#include "engine/acting.h"
#include "engine/balancing/octavia_internal.h"
#include "engine/limits.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/port/trunk_internal.h"
#include "engine/quota_internal.h"
#include "engine/tag_internal.h"
#include "model/listener.h"
#include "model/network.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"
#include "store/port.h"
#include "store/proxy.h"
#include "store/subnet.h"
#include "store/target_group.h"

/* The device owner of a front's port, in Neutron's style. */
#define FRONT_OWNER "network:load_balancer"

/* ---- what a change needs ---- */

RESULT octavia_check_ready(struct op *op, const struct elastic_load_balancer *b)
{
	const char *status = octavia_get_provisioning(op->head, b);
	if (!str_starts_with(str_from(status), STR("PENDING_")))
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_PROXY, STR_NONE,
			   "Load Balancer %" STR_FMT " is immutable and cannot be updated.",
			   STR_ARG(uuid_to_str(op->ctx->arena, b->row.id)));
}

RESULT octavia_touch(struct op *op, uuid balancer, int64_t *ret_gen)
{
	const struct elastic_load_balancer *b = elastic_load_balancer_find(op->head, balancer);
	TRY(engine_get_proxy(op->head, balancer) ? proxy_touch(op, balancer) : proxy_make(op, b));
	*ret_gen = (int64_t) engine_get_proxy(op->head, balancer)->row.gen;
	return OK;
}

RESULT octavia_permit_balancer(struct op *op, const struct ref *ref, const char *permission,
			       const struct elastic_load_balancer **ret_balancer)
{
	TRY(engine_permit_elastic_load_balancer(op, ref, permission, ret_balancer));
	return octavia_is_balancer(*ret_balancer)
		       ? OK
		       : engine_fail_not_found(op->ctx, KIND_ELASTIC_LOAD_BALANCER, ref);
}

enum ip_family octavia_get_family(const struct tables *t, uuid balancer)
{
	const struct elastic_load_balancer *b = elastic_load_balancer_find(t, balancer);
	const struct port *front = b && b->fronts.count ? port_find(t, b->fronts.at[0]) : NULL;
	return front && front->ip.family == IP_V6 ? IP_V6 : IP_V4;
}

/* ---- the front ---- */

struct front_place {
	const struct subnet *subnet;
	const struct port *port; /* the user's own; NULL: one is made */
};

static RESULT find_port(struct op *op, const struct octavia_balancer_wish *wish, struct front_place *place)
{
	TRY(engine_find_own_port(op->ctx, op->head, &wish->port, &place->port));
	const struct port *port = place->port;
	TRY(port_permit_end(op, "elastic_load_balancer.create", port->row.id));
	TRY(port_check_unmanaged(op, port, wish->port.field));
	TRY(port_check_available(op, port, &wish->port));
	TRY(trunk_check_no_parent(op, port));
	place->subnet = subnet_find(op->head, port->subnet);
	if (!str_is_empty(port->device_id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_PORT, wish->port.field,
				   "Port %" STR_FMT " is in use by device '%" STR_FMT "'.",
				   STR_ARG(wish->port.text), STR_ARG(port->device_id));
	return OK;
}

static RESULT find_in_network(struct op *op, const struct octavia_balancer_wish *wish,
			      struct front_place *place)
{
	const struct row *network = NULL;
	TRY(engine_find_usable(op->ctx, op->head, KIND_NETWORK, &wish->network, &network));
	if (ip_is_none(wish->address)) {
		TRY(port_choose_subnet(op, network->id, IP_V4, &place->subnet));
	} else {
		const struct subnet *s = subnet_first_by_network(op->head, network->id);
		while (s && !(row_is_live(&s->row) && cidr_contains(s->block, wish->address)))
			s = subnet_next_by_network(op->head, s);
		place->subnet = s;
	}
	return place->subnet ? OK
			     : OCTAVIA_INVALID(op, STR("vip_subnet_id"),
					       "Supplied network does not contain a subnet.");
}

static RESULT find_place(struct op *op, const struct octavia_balancer_wish *wish, struct front_place *place)
{
	if (ref_is_given(&wish->port))
		TRY(find_port(op, wish, place));
	else if (ref_is_given(&wish->subnet))
		TRY(port_find_subnet(op, &wish->subnet, &place->subnet));
	else if (ref_is_given(&wish->network))
		TRY(find_in_network(op, wish, place));
	else
		return ENGINE_FAIL(op, ERR_MISSING, KIND_PROXY, STR("vip_subnet_id"),
				   "VIP must contain one of: vip_port_id, vip_network_id, "
				   "vip_subnet_id.");
	return place->subnet ? OK
			     : OCTAVIA_UNSUPPORTED(op, STR("vip_port_id"), "The VIP port has no address.");
}

/* The port that is the user's own keeps its addresses and its security groups. */
static RESULT claim_port(struct op *op, const struct elastic_load_balancer *b, const struct port *present)
{
	struct port next = *present;
	next.device_owner = STR(FRONT_OWNER);
	next.device_id = uuid_to_str(op->ctx->arena, b->row.id);
	next.row.gen++;
	return port_put(op, &next);
}

/* No security group filters the front: the proxy's listeners decide which clients are permitted. */
static RESULT make_port(struct op *op, const struct elastic_load_balancer *b, const struct front_place *place,
			struct ip address, uuid *ret_port)
{
	struct port port = port_new_in(place->subnet, b->account);
	port.name = str_print(op->ctx->arena, "octavia-lb-%" STR_FMT,
			      STR_ARG(uuid_to_str(op->ctx->arena, b->row.id)));
	port.device_owner = STR(FRONT_OWNER);
	port.device_id = uuid_to_str(op->ctx->arena, b->row.id);
	port.is_open = true;
	TRY(port_check_choices(op, place->subnet->network, !ip_is_none(address), STR("vip_address")));
	TRY(quota_check(op, b->account, QUOTA_PORTS, 1));
	TRY(port_make(op, place->subnet, address, STR("vip_address"), &port));
	TRY(port_put(op, &port));
	*ret_port = port.row.id;
	return OK;
}

static RESULT put_front(struct op *op, const struct octavia_balancer_wish *wish,
			const struct front_place *place, struct elastic_load_balancer *b)
{
	uuid *front = arena_new_array(op->ctx->arena, uuid, 1);
	if (!front)
		return ctx_no_memory(op->ctx);
	if (place->port) {
		*front = place->port->row.id;
		TRY(claim_port(op, b, place->port));
	} else {
		TRY(make_port(op, b, place, wish->address, front));
	}
	b->fronts = (struct uuids){front, 1};
	b->keeps_front = place->port != NULL;
	return elastic_load_balancer_put(op, b);
}

/* ---- creation ---- */

static RESULT put_parts(struct op *op, const struct octavia_balancer_wish *wish,
			const struct elastic_load_balancer *b, int64_t gen)
{
	uuid made;
	for (size_t k = 0; k < wish->pools.count; k++)
		TRY(octavia_put_pool(op, b, &wish->pools.at[k], gen, &made));
	for (size_t k = 0; k < wish->listeners.count; k++)
		TRY(octavia_put_listener(op, b, &wish->listeners.at[k], gen, &made));
	return OK;
}

static enum elastic_load_balancer_provider to_provider(struct str word)
{
	return str_is(word, "amphora")   ? ELASTIC_LOAD_BALANCER_PROVIDER_AMPHORA
	       : str_is(word, "octavia") ? ELASTIC_LOAD_BALANCER_PROVIDER_OCTAVIA
					 : ELASTIC_LOAD_BALANCER_PROVIDER_DARI;
}

enum { IDLE_S = 50 };

RESULT engine_create_octavia_balancer(struct op *op, struct octavia_balancer_wish *wish)
{
	uuid account = UUID_NONE;
	struct front_place place = {0};
	TRY(engine_find_owner_id(op, &wish->account, &account));
	struct elastic_load_balancer made = {
		.row = {.id = engine_new_id(op, KIND_ELASTIC_LOAD_BALANCER), .gen = 1},
		.account = account,
		.type = ELASTIC_LOAD_BALANCER_TYPE_OCTAVIA,
		.is_internal = true,
		.crosses_zones = true,
		.idle_s = IDLE_S,
		.title = wish->name,
		.description = wish->description,
		.is_down = wish->is_down,
		.provider = to_provider(wish->provider)};
	/* Octavia's names need not be unique, and names of ELBv2 have no such character. */
	made.name = str_print(op->ctx->arena, "octavia/%" STR_FMT,
			      STR_ARG(str_encode_hex(op->ctx->arena, made.row.id.b, 8)));
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(engine_permit_new(op, "elastic_load_balancer.create", KIND_ELASTIC_LOAD_BALANCER, &made.row));
	TRY(find_place(op, wish, &place));
	TRY(limit_check(op, LIMIT_APPLICATION_LOAD_BALANCERS, account, 1, STR_NONE));
	TRY(elastic_load_balancer_put(op, &made)); /* before its front, which names it */
	TRY(put_front(op, wish, &place, &made));
	TRY(proxy_make(op, &made));
	TRY(put_parts(op, wish, &made, (int64_t) engine_get_proxy(op->head, made.row.id)->row.gen));
	wish->balancer = made.row.id;
	return engine_log_event(op, KIND_ELASTIC_LOAD_BALANCER, &made.row, "created",
				"Load balancer %" STR_FMT ".", STR_ARG(made.title));
}

/* ---- change, deletion ---- */

RESULT engine_change_octavia_balancer(struct op *op, struct octavia_balancer_change *wish)
{
	const struct elastic_load_balancer *present = NULL;
	int64_t gen = 0;
	TRY(octavia_permit_balancer(op, &wish->balancer, "elastic_load_balancer.set_attributes", &present));
	TRY(octavia_check_ready(op, present));
	struct elastic_load_balancer next = *present;
	if (wish->name)
		next.title = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	choice_apply(wish->is_down, &next.is_down);
	if (wish->words)
		TRY(tag_normalize(op, wish->tags, &next.tags));
	next.row.gen++;
	TRY(elastic_load_balancer_put(op, &next));
	TRY(octavia_touch(op, next.row.id, &gen));
	return engine_log_event(op, KIND_ELASTIC_LOAD_BALANCER, &next.row, "changed", "Attributes.");
}

RESULT engine_fail_over_octavia_balancer(struct op *op, struct octavia_balancer_target *wish)
{
	const struct elastic_load_balancer *b = NULL;
	int64_t gen = 0;
	TRY(octavia_permit_balancer(op, &wish->balancer, "elastic_load_balancer.set_attributes", &b));
	TRY(octavia_check_ready(op, b));
	TRY(octavia_touch(op, b->row.id, &gen));
	struct proxy next = *engine_get_proxy(op->head, b->row.id);
	next.restart_gen = gen;
	TRY(proxy_put(op, &next));
	return engine_log_event(op, KIND_ELASTIC_LOAD_BALANCER, &b->row, "changed", "Failover.");
}

RESULT engine_delete_octavia_balancer(struct op *op, struct octavia_balancer_target *wish)
{
	const struct elastic_load_balancer *b = NULL;
	TRY(octavia_permit_balancer(op, &wish->balancer, "elastic_load_balancer.delete", &b));
	bool has_parts = listener_first_by_elastic_load_balancer(op->head, b->row.id) ||
			 target_group_first_by_elastic_load_balancer(op->head, b->row.id);
	if (has_parts && !wish->is_cascading)
		return OCTAVIA_INVALID(op, wish->balancer.field,
				       "Cannot delete Load Balancer %" STR_FMT " - it has children",
				       STR_ARG(uuid_to_str(op->ctx->arena, b->row.id)));
	TRY(octavia_check_ready(op, b));
	return elastic_load_balancer_end(op, b);
}
