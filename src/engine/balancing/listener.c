/* SPDX-License-Identifier: Apache-2.0
 * Listeners of network load balancers. Called by: api/elb. */
#include <inttypes.h>

#include "engine/balancing/balancing.h"
#include "engine/balancing/balancing_internal.h"
#include "engine/limits.h"
#include "engine/network/load_balancer_internal.h"
#include "engine/network/port.h"
#include "engine/tag_internal.h"
#include "store/listener.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/network_load_balancer.h"
#include "store/port.h"
#include "store/subnet.h"
#include "store/target.h"
#include "store/target_group.h"

/* ---- rows that follow ---- */

static uuid zone_of(const struct tables *t, uuid subnet)
{
	const struct subnet *row = subnet_find(t, subnet);
	return row ? row->zone : UUID_NONE;
}

/* A subnet without a zone is in all zones. */
static bool is_served(const struct tables *t, const struct network_load_balancer *balancer,
		      const struct port *front, const struct target *target)
{
	const struct port *port = port_find(t, target->port);
	if (target->drains_until_us || !port)
		return false;
	uuid here = zone_of(t, front->subnet),
	     there = zone_of(t, engine_get_subnet_of_ip(t, port, target->private_ip));
	return balancer->crosses_zones || uuid_is_none(here) || uuid_is_none(there) ||
	       uuid_equal(here, there);
}

static RESULT drop_members(struct op *op, const struct network_load_balancer *balancer,
			   const struct port *front, const struct load_balancer *row, uuid group,
			   bool *has_changed)
{
	const struct load_balancer_member *m = load_balancer_member_first_by_load_balancer(op->head,
											   row->row.id),
					  *next = NULL;
	for (; m; m = next) {
		next = load_balancer_member_next_by_load_balancer(op->head, m);
		const struct target *target = target_find_by_target_group(op->head, group, m->private_ip);
		if (target && uuid_equal(target->port, m->port) &&
		    is_served(op->head, balancer, front, target))
			continue;
		TRY(load_balancer_member_forget(op, m->row.id));
		*has_changed = true;
	}
	return OK;
}

static RESULT settle_members(struct op *op, const struct network_load_balancer *balancer,
			     const struct port *front, const struct load_balancer *row, uuid group,
			     bool *has_changed)
{
	TRY(drop_members(op, balancer, front, row, group, has_changed));
	const struct target *target = target_first_by_target_group(op->head, group);
	for (; target; target = target_next_by_target_group(op->head, target)) {
		struct load_balancer_member made = {
			.row = {.id = engine_new_id(op, KIND_LOAD_BALANCER_MEMBER), .gen = 1},
			.account = row->account,
			.load_balancer = row->row.id,
			.port = target->port,
			.private_ip = target->private_ip};
		if (!is_served(op->head, balancer, front, target) ||
		    load_balancer_member_find_by_load_balancer(op->head, row->row.id, target->private_ip))
			continue;
		TRY(load_balancer_member_put(op, &made));
		*has_changed = true;
	}
	return OK;
}

static const struct load_balancer *find_row(const struct tables *t, uuid listener, uuid front)
{
	const struct load_balancer *row = load_balancer_first_by_listener(t, listener);
	while (row && !uuid_equal(row->front, front))
		row = load_balancer_next_by_listener(t, row);
	return row;
}

/* The row of one front. A change of its members counts as a change of the row. */
static RESULT settle_front(struct op *op, const struct listener *listener,
			   const struct network_load_balancer *balancer, uuid front)
{
	const struct target_group *group = target_group_find(op->head, listener->target_group);
	const struct port *port = port_find(op->head, front);
	const struct load_balancer *present = find_row(op->head, listener->row.id, front);
	bool has_changed = !present;
	if (!group || !port)
		return OK;
	struct load_balancer next =
		present ? *present
			: (struct load_balancer){.row.id = engine_new_id(op, KIND_LOAD_BALANCER),
						 .account = listener->account,
						 .front = front,
						 .listener = listener->row.id};
	next.name = balancer->name;
	next.router = balancer->router;
	next.protocol = listener->protocol == LISTENER_PROTOCOL_UDP ? LOAD_BALANCER_PROTOCOL_UDP
								    : LOAD_BALANCER_PROTOCOL_TCP;
	next.public_port = listener->port;
	next.private_port = group->port;
	next.is_unasked = group->protocol == TARGET_GROUP_PROTOCOL_UDP;
	next.ask_interval = group->interval_s;
	next.ask_timeout = group->timeout_s;
	next.ask_failures = group->unhealthy_threshold;
	next.ask_successes = group->healthy_threshold;
	if (present)
		has_changed = next.public_port != present->public_port ||
			      next.private_port != present->private_port ||
			      next.protocol != present->protocol || next.is_unasked != present->is_unasked ||
			      next.ask_interval != present->ask_interval ||
			      next.ask_timeout != present->ask_timeout ||
			      next.ask_failures != present->ask_failures ||
			      next.ask_successes != present->ask_successes;
	else
		TRY(load_balancer_put(op, &next)); /* before its members, which refer to it */
	uuid target_group = group->row.id;
	TRY(settle_members(op, balancer, port, &next, target_group, &has_changed));
	next.row.gen++;
	return has_changed ? load_balancer_put(op, &next) : OK;
}

/* Ends rows of fronts that the balancer no longer has. */
static RESULT drop_rows(struct op *op, uuid listener, const struct uuids *fronts)
{
	const struct load_balancer *row = load_balancer_first_by_listener(op->head, listener), *next = NULL;
	for (; row; row = next) {
		next = load_balancer_next_by_listener(op->head, row);
		if (!uuids_have(fronts, row->front))
			TRY(load_balancer_end(op, row));
	}
	return OK;
}

RESULT listener_settle(struct op *op, uuid id)
{
	const struct listener *listener = listener_find(op->head, id);
	const struct network_load_balancer *balancer =
		listener ? network_load_balancer_find(op->head, listener->network_load_balancer) : NULL;
	if (!balancer)
		return OK;
	TRY(drop_rows(op, id, &balancer->fronts));
	for (size_t k = 0; k < balancer->fronts.count; k++)
		TRY(settle_front(op, listener, balancer, balancer->fronts.at[k]));
	return OK;
}

RESULT listener_settle_group(struct op *op, uuid group)
{
	const struct listener *l = listener_first_by_target_group(op->head, group);
	for (; l; l = listener_next_by_target_group(op->head, l))
		TRY(listener_settle(op, l->row.id));
	return OK;
}

RESULT listener_settle_balancer(struct op *op, uuid balancer)
{
	const struct listener *l = listener_first_by_network_load_balancer(op->head, balancer);
	for (; l; l = listener_next_by_network_load_balancer(op->head, l))
		TRY(listener_settle(op, l->row.id));
	return OK;
}

RESULT listener_end(struct op *op, const struct listener *listener)
{
	uuid id = listener->row.id;
	TRY(drop_rows(op, id, &(const struct uuids){0}));
	TRY(engine_log_event(op, KIND_LISTENER, &listener->row, "deleted", "Listener of port %" PRId64 ".",
			     listener->port));
	return listener_forget(op, id);
}

/* ---- operations ---- */

static RESULT check_port(struct op *op, uuid balancer, uuid but, int64_t port)
{
	const struct listener *other = listener_find_by_network_load_balancer(op->head, balancer, port);
	if (!other || uuid_equal(other->row.id, but))
		return OK;
	return ENGINE_FAIL(op, ERR_EXISTS, KIND_LISTENER, STR("Port"),
			   "A listener already exists on this port for this load balancer.");
}

/* A target group belongs to one load balancer at most, as in ELBv2. */
static RESULT check_group(struct op *op, const struct network_load_balancer *balancer,
			  const struct target_group *group, enum listener_protocol protocol)
{
	bool is_udp = group->protocol == TARGET_GROUP_PROTOCOL_UDP;
	if (is_udp != (protocol == LISTENER_PROTOCOL_UDP))
		return ENGINE_FAIL(
			op, ERR_COMBINATION, KIND_LISTENER, STR("Protocol"),
			"Listener protocol '%s' and target group protocol '%s' are not compatible.",
			is_udp ? "TCP" : "UDP", is_udp ? "UDP" : "TCP");
	if (!uuid_equal(group->router, balancer->router))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_TARGET_GROUP, STR("DefaultActions"),
				   "The target group and the load balancer are in different VPCs.");
	const struct listener *l = listener_first_by_target_group(op->head, group->row.id);
	for (; l; l = listener_next_by_target_group(op->head, l))
		if (!uuid_equal(l->network_load_balancer, balancer->row.id))
			return ENGINE_FAIL(op, ERR_IN_USE, KIND_LISTENER, STR("DefaultActions"),
					   "The target group '%" STR_FMT
					   "' cannot be associated with more than one load balancer.",
					   STR_ARG(group->name));
	return OK;
}

static enum listener_protocol to_protocol(enum balancing_protocol protocol)
{
	return protocol == BALANCING_UDP ? LISTENER_PROTOCOL_UDP : LISTENER_PROTOCOL_TCP;
}

RESULT engine_create_listener(struct op *op, struct listener_wish *wish)
{
	const struct network_load_balancer *balancer = NULL;
	const struct target_group *group = NULL;
	TRY(engine_find_own_network_load_balancer(op->ctx, op->head, &wish->balancer, &balancer));
	TRY(engine_permit(op, "listener.create", KIND_NETWORK_LOAD_BALANCER, &balancer->row));
	TRY(engine_find_own_target_group(op->ctx, op->head, &wish->target_group, &group));
	struct listener made = {.row = {.id = engine_new_id(op, KIND_LISTENER), .gen = 1},
				.account = balancer->account,
				.network_load_balancer = balancer->row.id,
				.protocol = to_protocol(wish->protocol),
				.port = wish->port,
				.target_group = group->row.id};
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(check_port(op, balancer->row.id, UUID_NONE, wish->port));
	TRY(check_group(op, balancer, group, made.protocol));
	TRY(limit_check(op, LIMIT_LISTENERS, balancer->row.id, 1, STR_NONE));
	TRY(listener_put(op, &made));
	wish->listener = made.row.id;
	TRY(listener_settle(op, made.row.id));
	return engine_log_event(op, KIND_LISTENER, &made.row, "created", "Listener of port %" PRId64 ".",
				made.port);
}

RESULT engine_change_listener(struct op *op, struct listener_change *wish)
{
	const struct listener *present = NULL;
	const struct target_group *group = NULL;
	TRY(engine_find_own_listener(op->ctx, op->head, &wish->listener, &present));
	TRY(engine_permit(op, "listener.update", KIND_LISTENER, &present->row));
	const struct network_load_balancer *balancer =
		network_load_balancer_find(op->head, present->network_load_balancer);
	struct listener next = *present;
	if (ref_is_given(&wish->target_group))
		TRY(engine_find_own_target_group(op->ctx, op->head, &wish->target_group, &group));
	else
		group = target_group_find(op->head, present->target_group);
	next.port = wish->port ? wish->port : present->port;
	next.protocol = wish->sets_protocol ? to_protocol(wish->protocol) : present->protocol;
	next.target_group = group->row.id;
	TRY(check_port(op, next.network_load_balancer, next.row.id, next.port));
	TRY(check_group(op, balancer, group, next.protocol));
	next.row.gen++;
	TRY(listener_put(op, &next));
	TRY(listener_settle(op, next.row.id));
	return engine_log_event(op, KIND_LISTENER, &next.row, "changed", "Listener of port %" PRId64 ".",
				next.port);
}

RESULT engine_delete_listener(struct op *op, struct listener_target *wish)
{
	const struct listener *listener = NULL;
	TRY(engine_find_own_listener(op->ctx, op->head, &wish->listener, &listener));
	TRY(engine_permit(op, "listener.delete", KIND_LISTENER, &listener->row));
	return listener_end(op, listener);
}
