/* SPDX-License-Identifier: Apache-2.0
 * NAT gateways. The reconciler (reconcile/network/router.c) deploys them with their router, and reports when one
 * works or is gone. */
#include "engine/network/routing/nat_gateway.h"

#include "base/clock.h"
#include "engine/acting.h"
#include "engine/capacity_internal.h"
#include "engine/client_token_internal.h"
#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/address/port_forwarding_internal.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/routing/gateway_internal.h"
#include "engine/network/routing/nat_gateway_internal.h"
#include "engine/quota_internal.h"
#include "engine/tag_internal.h"
#include "model/address.h"
#include "model/subnet.h"
#include "store/nat_gateway.h"
#include "store/port.h"

#define NAT_METER STR("nat-gateway")

struct nat_plan {
	uuid id;
	const struct subnet *subnet;
	const struct address *address; /* NULL: a private gateway */
	const struct address **more;   /* secondary addresses of a public gateway */
	size_t more_count;
	struct port port;
	struct tags tags;
	const char *failure_code; /* NULL: the gateway can work */
	struct str failure_text;
};

/* Resolves the secondary addresses; refuses duplicates. */
static RESULT resolve_more(struct op *op, const struct nat_gateway_wish *wish, struct nat_plan *plan)
{
	size_t count = wish->more.count;
	if (count > 0)
		TRY(nat_gateway_check_count(op, 1 + count, wish->more.at[0].field));
	plan->more = arena_new_array(op->ctx->arena, const struct address *, count + 1);
	if (!plan->more)
		return ctx_no_memory(op->ctx);
	for (; plan->more_count < count; plan->more_count++) {
		const struct ref *ref = &wish->more.at[plan->more_count];
		const struct address *address = NULL;
		TRY(nat_gateway_find_address(op, ref, &address));
		bool is_twice = address == plan->address;
		for (size_t k = 0; k < plan->more_count; k++)
			is_twice = is_twice || address == plan->more[k];
		if (is_twice)
			return ENGINE_FAIL(op, ERR_INVALID, KIND_ADDRESS, ref->field,
					   "The address '%" STR_FMT "' is named twice.", STR_ARG(ref->text));
		plan->more[plan->more_count] = address;
	}
	return OK;
}

static RESULT resolve_nat(struct op *op, const struct nat_gateway_wish *wish, struct nat_plan *plan)
{
	TRY(engine_find_own_subnet(op->ctx, op->head, &wish->subnet, &plan->subnet));
	if (uuid_is_none(plan->subnet->router)) /* a NAT gateway is part of a router */
		return engine_fail_not_found(op->ctx, KIND_SUBNET, &wish->subnet);
	if (plan->subnet->block.base.family == IP_V6)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SUBNET, wish->subnet.field,
				   "The subnet '%" STR_FMT
				   "' has no IPv4 CIDR block, which a NAT gateway needs.",
				   STR_ARG(wish->subnet.text));
	if (ref_is_given(&wish->address))
		TRY(nat_gateway_find_address(op, &wish->address, &plan->address));
	TRY(resolve_more(op, wish, plan));
	TRY(tag_normalize(op, wish->tags, &plan->tags));
	TRY(quota_check(op, plan->subnet->account, QUOTA_NAT_GATEWAYS, 1));
	TRY(quota_check(op, plan->subnet->account, QUOTA_PORTS, 1));
	TRY(capacity_check_keys(op, KIND_NAT_GATEWAY));
	return engine_permit(op, "nat_gateway.create", KIND_SUBNET, &plan->subnet->row);
}

/* A full subnet fails the gateway, not the call. */
static RESULT make_port(struct op *op, const struct nat_gateway_wish *wish, struct nat_plan *plan)
{
	plan->id = engine_new_id(op, KIND_NAT_GATEWAY);
	struct str id = engine_write_id(op, KIND_NAT_GATEWAY, plan->id);
	plan->port = port_new_in(plan->subnet, plan->subnet->account);
	plan->port.description =
		str_print(op->ctx->arena, "Interface for NAT Gateway %" STR_FMT, STR_ARG(id));
	plan->port.source_dest_check = false;
	plan->port.nat_gateway = plan->id;
	struct result made = port_make(op, plan->subnet, wish->ip, STR("PrivateIpAddress"), &plan->port);
	if (made.code == ERR_CAPACITY) {
		ctx_clear_problem(op->ctx);
		plan->failure_code = "InsufficientFreeAddressesInSubnet";
		plan->failure_text = STR("Subnet has insufficient free addresses to create this NAT gateway");
		return OK;
	}
	return made;
}

static void check_address(struct op *op, const struct address *address, struct nat_plan *plan)
{
	if (!address || plan->failure_code)
		return;
	if (!uuid_is_none(address->port) || port_forwarding_has_any(op->head, address->row.id)) {
		struct str id = engine_write_id(op, KIND_ADDRESS, address->row.id);
		plan->failure_code = "Resource.AlreadyAssociated";
		plan->failure_text =
			str_print(op->ctx->arena, "Elastic IP address [%" STR_FMT "] is already associated",
				  STR_ARG(id));
	} else if (!address_is_reachable(op->head, address, plan->subnet->router)) {
		struct str id = engine_write_id(op, KIND_ROUTER, plan->subnet->router);
		plan->failure_code = "Gateway.NotAttached";
		plan->failure_text = gateway_explain_nowhere(op, plan->subnet->router);
		if (!plan->failure_text.n)
			plan->failure_text = str_print(
				op->ctx->arena, "Network %" STR_FMT " has no Internet gateway attached",
				STR_ARG(id));
	}
}

/* ---- rows ---- */

static RESULT write_nat(struct op *op, const struct nat_gateway_wish *wish, const struct nat_plan *plan)
{
	struct nat_gateway nat = {.row.id = plan->id,
				  .row.gen = 1,
				  .account = plan->subnet->account,
				  .router = plan->subnet->router,
				  .subnet = plan->subnet->row.id,
				  .is_public = plan->address != NULL,
				  .port = plan->port.row.id,
				  .private_ip = plan->port.ip,
				  .tags = plan->tags};
	TRY(port_put(op, &plan->port));
	if (plan->address) {
		nat.address = plan->address->row.id;
		nat.public_ip = plan->address->ip;
		TRY(address_write_association(op, plan->address, &plan->port, plan->port.ip));
	}
	for (size_t k = 0; k < plan->more_count; k++)
		TRY(nat_gateway_add_address(op, &plan->port, plan->more[k], (struct ip){0},
					    wish->more.at[k].field));
	TRY(nat_gateway_put(op, &nat));
	TRY(op_usage(op, KIND_NAT_GATEWAY, nat.row.id, nat.account, NAT_METER, 1));
	char text[IP_TEXT_SIZE];
	return engine_log_event(op, KIND_NAT_GATEWAY, &nat.row, "created", "NAT gateway at %s.",
				ip_write(nat.private_ip, text));
}

/* Writes a gateway that has ended already: without a port, and with its elastic address untouched. */
static RESULT write_failed(struct op *op, const struct nat_plan *plan)
{
	struct nat_gateway nat = {.row.id = plan->id,
				  .row.gen = 1,
				  .row.deleted_us = op->now_us,
				  .account = plan->subnet->account,
				  .router = plan->subnet->router,
				  .subnet = plan->subnet->row.id,
				  .is_public = plan->address != NULL,
				  .failure_code = str_from(plan->failure_code),
				  .failure_text = plan->failure_text,
				  .ended_us = op->now_us,
				  .tags = plan->tags};
	if (plan->address)
		nat.address = plan->address->row.id;
	TRY(nat_gateway_put(op, &nat));
	return engine_log_event(op, KIND_NAT_GATEWAY, &nat.row, "failed", "%s: %" STR_FMT ".",
				plan->failure_code, STR_ARG(plan->failure_text));
}

RESULT engine_create_nat_gateway(struct op *op, struct nat_gateway_wish *wish)
{
	uuid account = UUID_NONE;
	struct nat_plan plan = {0};
	TRY(engine_find_acting_id(op, &account));
	TRY(client_token_find_made(op, account, wish->client_token, wish->digest, KIND_NAT_GATEWAY,
				   &wish->nat_gateway));
	if (!uuid_is_none(wish->nat_gateway))
		return OK;
	TRY(resolve_nat(op, wish, &plan));
	TRY(make_port(op, wish, &plan));
	check_address(op, plan.address, &plan);
	for (size_t k = 0; k < plan.more_count; k++)
		check_address(op, plan.more[k], &plan);
	TRY(plan.failure_code ? write_failed(op, &plan) : write_nat(op, wish, &plan));
	wish->nat_gateway = plan.id;
	return client_token_write(op, account, wish->client_token, wish->digest, wish->nat_gateway);
}

RESULT engine_delete_nat_gateway(struct op *op, struct nat_gateway_target *wish)
{
	const struct nat_gateway *nat = NULL;
	TRY(engine_permit_nat_gateway(op, &wish->nat_gateway, "nat_gateway.delete", &nat));
	wish->made = nat->row.id;
	if (!row_is_live(&nat->row))
		return OK;
	TRY(nat_gateway_delete(op, nat->row.id));
	return engine_log_event(op, KIND_NAT_GATEWAY, &nat->row, "deleted", "NAT gateway.");
}

/* ---- reports of the reconciler ---- */

/* The gateway's port is deployed with it. Once the port is deployed at its present gen, private addresses
 * that were removed from it are gone from the network and can be forgotten. */
RESULT engine_see_nat_gateway(struct op *op, struct nat_gateway_report *report)
{
	const struct nat_gateway *nat = nat_gateway_find(op->head, report->nat_gateway);
	const struct port *port = nat ? port_find(op->head, nat->port) : NULL;
	if (!port || !row_is_live(&nat->row))
		return OK;
	if (report->port_gen == port->row.gen)
		TRY(port_forget_ips(op, port->row.id));
	struct nat_gateway next = *nat;
	struct port next_port = *port;
	if ((int64_t) report->gen > next.seen_gen)
		next.seen_gen = (int64_t) report->gen;
	if ((int64_t) report->port_gen > next_port.seen_gen)
		next_port.seen_gen = (int64_t) report->port_gen;
	next_port.seen_up = true;
	TRY(port_put(op, &next_port));
	return nat_gateway_put(op, &next);
}

RESULT engine_end_nat_gateway(struct op *op, struct nat_gateway_report *report)
{
	const struct nat_gateway *nat = nat_gateway_find(op->head, report->nat_gateway);
	if (!nat || nat->ended_us != 0)
		return OK;
	if (row_is_live(&nat->row))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_NAT_GATEWAY, "The NAT gateway is not deleted.");
	struct nat_gateway next = *nat;
	next.ended_us = op->now_us;
	next.seen_gen = (int64_t) report->gen;
	const struct port *port = port_find(op->head, nat->port);
	if (port && row_is_live(&port->row))
		TRY(port_delete_with_addresses(op, port));
	TRY(nat_gateway_put(op, &next));
	return op_usage(op, KIND_NAT_GATEWAY, nat->row.id, nat->account, NAT_METER, 0);
}

RESULT engine_forget_nat_gateway(struct op *op, struct nat_gateway_report *report)
{
	const struct nat_gateway *nat = nat_gateway_find(op->head, report->nat_gateway);
	if (!nat)
		return OK;
	if (nat->ended_us == 0 || op->now_us < nat->ended_us + NAT_GATEWAY_VISIBLE_US)
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_NAT_GATEWAY, "The NAT gateway is still shown.");
	return nat_gateway_forget(op, report->nat_gateway);
}
