/* SPDX-License-Identifier: Apache-2.0
 * Endpoint groups of Neutron's VPNaaS: rows only. Source: VpnReferenceValidator of neutron_vpnaas. */
#include "store/vpn_endpoint_group.h"
#include "engine/acting.h"
#include "engine/limits.h"
#include "engine/vpn/vpn_internal.h"
#include "engine/vpn/vpnaas.h"
#include "model/id.h"
#include "store/vpn_connection.h"

static RESULT fail_endpoint(struct op *op, const struct vpn_endpoint_group_wish *wish, struct str endpoint,
			    const char *why)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_VPN_ENDPOINT_GROUP, STR("endpoint"),
			   "Endpoint '%" STR_FMT "' is invalid for group type '%s': %s", STR_ARG(endpoint),
			   vpn_endpoint_group_type_words[wish->type], why);
}

static RESULT check_endpoints(struct op *op, const struct vpn_endpoint_group_wish *wish)
{
	const struct strs *all = &wish->endpoints;
	if (!all->count)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VPN_ENDPOINT_GROUP, STR("endpoints"),
				   "No endpoints specified for endpoint group '%" STR_FMT "'",
				   STR_ARG(wish->name));
	for (size_t k = 0; k < all->count; k++)
		for (size_t n = 0; n < k; n++)
			if (str_equal(all->at[k], all->at[n]))
				return fail_endpoint(op, wish, all->at[k], "Endpoints have to be unique");
	return OK;
}

static RESULT read_blocks(struct op *op, const struct vpn_endpoint_group_wish *wish, struct cidrs *ret_blocks)
{
	const struct strs *all = &wish->endpoints;
	struct cidr *at = arena_new_array(op->ctx->arena, struct cidr, all->count);
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < all->count; k++)
		if (!result_is_ok(cidr_parse(all->at[k], &at[k])) || !cidr_is_canonical(at[k]))
			return fail_endpoint(op, wish, all->at[k], "Invalid CIDR");
	*ret_blocks = (struct cidrs){at, all->count};
	return OK;
}

/* Subnets of the group's account: those of another one could be deleted, or their blocks be learnt. */
static RESULT read_subnets(struct op *op, const struct vpn_endpoint_group_wish *wish, uuid account,
			   struct uuids *ret_subnets)
{
	const struct strs *all = &wish->endpoints;
	uuid *at = arena_new_array(op->ctx->arena, uuid, all->count);
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < all->count; k++) {
		const struct row *subnet = NULL;
		if (!result_is_ok(uuid_parse(all->at[k], &at[k])))
			return fail_endpoint(op, wish, all->at[k], "Invalid UUID");
		struct ref ref = engine_ref_to(op, KIND_SUBNET, at[k], STR("endpoints"));
		struct result found = engine_find_own(op->ctx, op->head, KIND_SUBNET, &ref, &subnet);
		if (found.code && found.code != ERR_NOT_FOUND)
			return found;
		ctx_clear_problem(op->ctx);
		if (found.code || !uuid_equal(engine_get_owner(KIND_SUBNET, subnet), account))
			return ENGINE_FAIL(op, ERR_INVALID, KIND_VPN_ENDPOINT_GROUP, STR("subnet"),
					   "Subnet %" STR_FMT " in endpoint group does not exist",
					   STR_ARG(all->at[k]));
		TRY(engine_permit(op, "vpn_endpoint_group.create", KIND_SUBNET, subnet));
	}
	*ret_subnets = (struct uuids){at, all->count};
	return OK;
}

RESULT engine_create_vpn_endpoint_group(struct op *op, struct vpn_endpoint_group_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_owner_id(op, &wish->account, &account));
	struct vpn_endpoint_group made = {.row = {.id = engine_new_id(op, KIND_VPN_ENDPOINT_GROUP), .gen = 1},
					  .account = account,
					  .name = wish->name,
					  .description = wish->description,
					  .type = wish->type};
	TRY(engine_permit_new(op, "vpn_endpoint_group.create", KIND_VPN_ENDPOINT_GROUP, &made.row));
	TRY(check_endpoints(op, wish));
	if (wish->type == VPN_ENDPOINT_GROUP_TYPE_CIDR)
		TRY(read_blocks(op, wish, &made.blocks));
	else if (wish->type == VPN_ENDPOINT_GROUP_TYPE_SUBNET)
		TRY(read_subnets(op, wish, made.account, &made.subnets));
	else
		made.others = wish->endpoints;
	TRY(limit_check(op, LIMIT_VPN_ENDPOINT_GROUPS, made.account, 1, STR_NONE));
	TRY(vpn_endpoint_group_put(op, &made));
	wish->group = made.row.id;
	return engine_log_event(op, KIND_VPN_ENDPOINT_GROUP, &made.row, "created", "Endpoint group.");
}

RESULT engine_update_vpn_endpoint_group(struct op *op, struct vpn_endpoint_group_settings *wish)
{
	const struct vpn_endpoint_group *g = NULL;
	TRY(engine_permit_vpn_endpoint_group(op, &wish->group, "vpn_endpoint_group.update", &g));
	struct vpn_endpoint_group next = *g;
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	next.row.gen++;
	TRY(vpn_endpoint_group_put(op, &next));
	return engine_log_event(op, KIND_VPN_ENDPOINT_GROUP, &next.row, "changed", "Endpoint group.");
}

RESULT engine_delete_vpn_endpoint_group(struct op *op, struct vpn_endpoint_group_target *wish)
{
	const struct vpn_endpoint_group *g = NULL;
	TRY(engine_permit_vpn_endpoint_group(op, &wish->group, "vpn_endpoint_group.delete", &g));
	if (vpn_connection_first_by_local_group(op->head, g->row.id) ||
	    vpn_connection_first_by_peer_group(op->head, g->row.id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_VPN_ENDPOINT_GROUP, wish->group.field,
				   "Endpoint group %" STR_FMT " is in use and cannot be deleted",
				   STR_ARG(engine_write_id(op, KIND_VPN_ENDPOINT_GROUP, g->row.id)));
	TRY(engine_log_event(op, KIND_VPN_ENDPOINT_GROUP, &g->row, "deleted", "Endpoint group."));
	return vpn_endpoint_group_forget(op, g->row.id);
}

RESULT vpn_check_no_endpoint(struct op *op, uuid subnet, uuid account)
{
	const struct vpn_endpoint_group *g = vpn_endpoint_group_first_by_account(op->head, account);
	while (g && !uuids_have(&g->subnets, subnet))
		g = vpn_endpoint_group_next_by_account(op->head, g);
	return !g ? OK
		  : ENGINE_FAIL(op, ERR_IN_USE, KIND_VPN_ENDPOINT_GROUP, STR("subnet_id"),
				"Subnet %" STR_FMT " is used by endpoint group %" STR_FMT,
				STR_ARG(engine_write_id(op, KIND_SUBNET, subnet)),
				STR_ARG(engine_write_id(op, KIND_VPN_ENDPOINT_GROUP, g->row.id)));
}
