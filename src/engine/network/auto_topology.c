/* SPDX-License-Identifier: Apache-2.0
 * Allocates and deletes auto-allocated topologies with all their parts. Messages are Neutron's. Called by:
 * api/openstack, and launches that ask for any network. */
#include "engine/network/auto_topology.h"

#include "engine/internal.h"
#include "engine/network/external_network.h"
#include "engine/network/network.h"
#include "engine/network/routing/router_interface.h"
#include "engine/network/subnet.h"
#include "engine/network/subnet_pool_internal.h"
#include "store/account.h"
#include "store/external_network.h"
#include "store/network.h"
#include "store/router.h"
#include "store/subnet.h"

static RESULT fail_allocation(struct op *op, const char *why)
{
	ctx_clear_problem(op->ctx);
	return ctx_fail_kind(op->ctx, ERR_STATE, KIND_EXTERNAL_NETWORK, "Deployment error: %s.", why);
}

/* Reports a part that could not be made as a failed allocation. Keeps failures of the account itself: its
 * quota and its permissions. */
static RESULT part_of_allocation(struct op *op, struct result result, const char *why)
{
	bool is_ours = result.code == ERR_QUOTA || result.code == ERR_DENIED || result.code == ERR_NO_MEMORY;
	return result_is_ok(result) || is_ours ? result : fail_allocation(op, why);
}

static RESULT find_account(struct op *op, const struct auto_topology *wish,
			   const struct account **ret_account)
{
	const struct account *account = NULL;
	if (!ref_is_given(&wish->account))
		return engine_find_acting_account(op, ret_account);
	if (!identity_is_admin(op->ctx->who) &&
	    !uuid_equal(wish->account.prefix, engine_get_account(op->ctx)))
		return ENGINE_FAIL(op, ERR_DENIED, KIND_EXTERNAL_NETWORK, wish->account.field,
				   "Not authorized.");
	account = account_find(op->head, wish->account.prefix);
	if (!account || !row_is_live(&account->row))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_ACCOUNT, wish->account.field,
				   "The project '%" STR_FMT "' does not exist.", STR_ARG(wish->account.text));
	*ret_account = account;
	return OK;
}

static const struct network *find_topology(const struct tables *t, uuid account)
{
	return network_find_by_auto_for(t, account);
}

/* ---- allocation ---- */

static RESULT add_subnet(struct op *op, uuid network, bool is_ipv6)
{
	struct network_subnet_wish wish = {.network = ref_by_id(KIND_NETWORK, network),
					   .is_ipv6 = is_ipv6,
					   .wants_default_pool = true,
					   .name = is_ipv6 ? STR("auto_allocated_subnet_v6")
							   : STR("auto_allocated_subnet_v4")};
	return engine_add_subnet(op, &wish);
}

static RESULT make_network(struct op *op, const struct account *account, uuid *ret_network)
{
	struct network_wish wish = {.account = ref_by_id(KIND_ACCOUNT, account->row.id),
				    .name = STR("auto_allocated_network")};
	bool has_ipv4 = subnet_pool_find_default(op->head, false),
	     has_ipv6 = subnet_pool_find_default(op->head, true);
	static const char why[] = "Unable to provide project private network";
	TRY(engine_create_network(op, &wish));
	if (!has_ipv4 && !has_ipv6)
		return fail_allocation(op, why);
	if (has_ipv4)
		TRY(part_of_allocation(op, add_subnet(op, wish.network, false), why));
	if (has_ipv6)
		TRY(part_of_allocation(op, add_subnet(op, wish.network, true), why));
	*ret_network = wish.network;
	return OK;
}

static RESULT lead_out(struct op *op, const struct account *account, uuid network, uuid *ret_router)
{
	struct router_whole wish = {
		.create = {.account = ref_by_id(KIND_ACCOUNT, account->row.id),
			   .name = STR("auto_allocated_router"),
			   .has_no_block = true},
		.sets_gateway = true,
		.gateway = {.external_network = ref_by_id(KIND_EXTERNAL_NETWORK,
							  engine_find_default_external(op->head)->row.id)}};
	TRY(engine_create_whole_router(op, &wish));
	*ret_router = wish.create.router;
	for (const struct subnet *s = subnet_first_by_network(op->head, network); s;
	     s = subnet_next_by_network(op->head, s)) {
		struct router_interface_wish in = {.router = ref_by_id(KIND_ROUTER, *ret_router),
						   .subnet = ref_by_id(KIND_SUBNET, s->row.id)};
		TRY(engine_add_router_interface(op, &in));
	}
	return OK;
}

static RESULT make_topology(struct op *op, const struct account *account, uuid *ret_network)
{
	uuid router = UUID_NONE;
	TRY(make_network(op, account, ret_network));
	TRY(part_of_allocation(op, lead_out(op, account, *ret_network, &router),
			       "Unable to provide external connectivity"));
	struct network next = *network_find(op->head, *ret_network);
	next.auto_for = account->row.id;
	next.auto_router = router;
	TRY(network_put(op, &next));
	return engine_log_event(op, KIND_NETWORK, &next.row, "allocated", "With a router, for any network.");
}

RESULT engine_get_auto_topology(struct op *op, struct auto_topology *wish)
{
	const struct account *account = NULL;
	TRY(find_account(op, wish, &account));
	TRY(engine_permit(op, "topology.allocate", KIND_NETWORK, NULL));
	const struct network *present = find_topology(op->head, account->row.id);
	wish->account_id = account->row.id;
	if (present && !wish->only_checks) {
		wish->network = present->row.id;
		return OK;
	}
	if (!engine_find_default_external(op->head))
		return fail_allocation(op, "No default router:external network");
	if (!wish->only_checks)
		return make_topology(op, account, &wish->network);
	return subnet_pool_find_default(op->head, false) || subnet_pool_find_default(op->head, true)
		       ? OK
		       : fail_allocation(op, "No default subnetpools defined");
}

/* ---- deletion ---- */

/* Ignores ERR_NOT_FOUND: as in Neutron, a part that is already deleted is skipped. */
static RESULT unless_gone(struct op *op, struct result result)
{
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(op->ctx);
	return OK;
}

static struct ref named(struct op *op, enum kind kind, uuid id)
{
	struct ref ref = ref_by_id(kind, id);
	ref.text = uuid_to_str(op->ctx->arena, id);
	return ref;
}

static RESULT take_down(struct op *op, const struct network *network)
{
	uuid id = network->row.id, router = network->auto_router;
	const struct router *row = uuid_is_none(router) ? NULL : router_find(op->head, router);
	const struct subnet *s = subnet_first_by_network(op->head, id), *next = NULL;
	for (; s && row && row_is_live(&row->row); s = next) {
		struct router_interface_wish in = {.router = named(op, KIND_ROUTER, router),
						   .subnet = named(op, KIND_SUBNET, s->row.id)};
		next = subnet_next_by_network(op->head, s);
		if (row_is_live(&s->row))
			TRY(unless_gone(op, engine_remove_router_interface(op, &in)));
	}
	if (row && row_is_live(&row->row))
		TRY(engine_delete_router(op, &(struct router_target){.router = named(op, KIND_ROUTER, router),
								     .with_gateway = true}));
	return engine_delete_network(op, &(struct network_target){.network = named(op, KIND_NETWORK, id)});
}

RESULT engine_delete_auto_topology(struct op *op, struct auto_topology *wish)
{
	const struct account *account = NULL;
	TRY(find_account(op, wish, &account));
	TRY(engine_permit(op, "topology.delete", KIND_NETWORK, NULL));
	const struct network *present = find_topology(op->head, account->row.id);
	wish->account_id = account->row.id;
	return present ? take_down(op, present) : OK;
}
