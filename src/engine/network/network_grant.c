/* SPDX-License-Identifier: Apache-2.0
 * Network grants. Nothing outside the tables depends on them. */
#include "engine/network/network_grant.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/network_grant_internal.h"
#include "store/account.h"
#include "store/network.h"
#include "store/network_grant.h"
#include "store/port.h"

/* No domain but the default one has domains below, and a network for all of those is granted to everybody. */
static bool is_open_to_domain_of(const struct tables *t, const struct network *network, uuid account)
{
	const struct account *a = uuid_is_none(network->domain) ? NULL : account_find(t, account);
	return a && uuid_equal(a->domain, network->domain);
}

bool engine_is_network_granted(const struct tables *t, uuid network, uuid account)
{
	const struct network *row = network_find(t, network);
	return network_grant_find_by_network(t, network, UUID_NONE) ||
	       (!uuid_is_none(account) && network_grant_find_by_network(t, network, account)) ||
	       (row && is_open_to_domain_of(t, row, account));
}

struct granted {
	VEC(const struct row *) rows;
};

static RESULT add_granted(struct ctx *c, const struct network *n, uuid account, struct granted *granted)
{
	return !n || !row_is_live(&n->row) || uuid_equal(n->account, account) ||
			       VEC_PUSH(c->arena, &granted->rows, &n->row)
		       ? OK
		       : ctx_no_memory(c);
}

/* Leaves out rows that an earlier of the three indexes has found. */
RESULT engine_list_granted_networks(struct ctx *c, const struct tables *t, struct rows *ret_networks)
{
	uuid account = engine_get_account(c);
	const struct account *caller = account_find(t, account);
	struct granted found = {0};
	*ret_networks = (struct rows){0};
	if (!caller)
		return OK;
	const struct network_grant *g = network_grant_first_by_target(t, UUID_NONE);
	for (; g; g = network_grant_next_by_target(t, g))
		TRY(add_granted(c, network_find(t, g->network), account, &found));
	for (g = network_grant_first_by_target(t, account); g; g = network_grant_next_by_target(t, g))
		if (!network_grant_find_by_network(t, g->network, UUID_NONE))
			TRY(add_granted(c, network_find(t, g->network), account, &found));
	const struct network *n = network_first_by_domain(t, caller->domain);
	for (; n; n = network_next_by_domain(t, n))
		if (!network_grant_find_by_network(t, n->row.id, UUID_NONE) &&
		    !network_grant_find_by_network(t, n->row.id, account))
			TRY(add_granted(c, n, account, &found));
	*ret_networks = (struct rows){found.rows.at, found.rows.count};
	return OK;
}

/* True if another grant than this one covers the account, too. */
static bool is_granted_besides(const struct tables *t, const struct network_grant *grant, uuid account)
{
	const struct network_grant *all = network_grant_find_by_network(t, grant->network, UUID_NONE);
	const struct network_grant *own = network_grant_find_by_network(t, grant->network, account);
	const struct network *network = network_find(t, grant->network);
	return (all && all != grant) || (own && own != grant) ||
	       (network && is_open_to_domain_of(t, network, account));
}

static RESULT check_unused(struct op *op, const struct network *network, const struct network_grant *grant,
			   struct str field)
{
	const struct port *port = port_first_by_network(op->head, network->row.id);
	for (; port; port = port_next_by_network(op->head, port)) {
		bool stands_on_it = uuid_is_none(grant->target) || uuid_equal(grant->target, port->account);
		if (!row_is_live(&port->row) || !stands_on_it ||
		    uuid_equal(port->account, network->account) ||
		    is_granted_besides(op->head, grant, port->account))
			continue;
		const struct ref about = {.text = engine_write_id(op, KIND_NETWORK, network->row.id),
					  .field = field};
		return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_NETWORK_GRANT, &about,
					 "Others have ports in the network %" STR_FMT ".",
					 STR_ARG(about.text));
	}
	return OK;
}

static RESULT permit(struct op *op, const struct network *network, uuid target)
{
	return engine_permit(op, uuid_is_none(target) ? "network.share" : "network.grant", KIND_NETWORK,
			     &network->row);
}

static RESULT check_new(struct op *op, const struct network *network, uuid target, struct str field)
{
	const struct network_grant *g = network_grant_first_by_network(op->head, network->row.id);
	TRY(permit(op, network, target));
	for (; g; g = network_grant_next_by_network(op->head, g)) {
		if (uuid_equal(g->target, target))
			return ENGINE_FAIL(op, ERR_EXISTS, KIND_NETWORK_GRANT, field,
					   "The network is granted to them already.");
	}
	return limit_check(op, LIMIT_NETWORK_GRANTS, network->row.id, 1, field);
}

RESULT network_grant_write(struct op *op, const struct network *network, uuid target, struct str field,
			   uuid *ret_grant)
{
	TRY(check_new(op, network, target, field));
	struct network_grant grant = {.row.id = engine_new_id(op, KIND_NETWORK_GRANT),
				      .row.gen = 1,
				      .account = network->account,
				      .network = network->row.id,
				      .target = target};
	TRY(network_grant_put(op, &grant));
	*ret_grant = grant.row.id;
	return engine_log_event(
		op, KIND_NETWORK, &network->row, "granted", "To %" STR_FMT ".",
		STR_ARG(uuid_is_none(target) ? STR("everybody") : engine_write_id(op, KIND_ACCOUNT, target)));
}

RESULT network_grant_remove(struct op *op, const struct network *network, const struct network_grant *grant,
			    struct str field)
{
	TRY(permit(op, network, grant->target));
	TRY(check_unused(op, network, grant, field));
	TRY(network_grant_forget(op, grant->row.id));
	return engine_log_event(op, KIND_NETWORK, &network->row, "grant revoked", "Its owner has it.");
}

/* Any account may be named; the caller learns only that it exists. */
static RESULT find_target(struct op *op, const struct ref *ref, uuid *ret_target)
{
	const struct row *row = NULL;
	*ret_target = UUID_NONE;
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, ref, &row));
	*ret_target = row->id;
	return OK;
}

static RESULT find_grant(struct op *op, const struct ref *ref, const struct network_grant **ret_grant,
			 const struct network **ret_network)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_NETWORK_GRANT, ref, &row));
	*ret_grant = network_grant_of(row);
	*ret_network = network_find(op->head, (*ret_grant)->network);
	return *ret_network ? OK : engine_fail_gone(op->ctx, KIND_NETWORK, (*ret_grant)->network);
}

RESULT engine_grant_network(struct op *op, struct network_grant_wish *wish)
{
	const struct network *network = NULL;
	uuid target;
	TRY(engine_find_own_network(op->ctx, op->head, &wish->network, &network));
	TRY(engine_check_owner(op, &wish->account, network->account));
	TRY(find_target(op, &wish->target, &target));
	return network_grant_write(op, network, target, wish->target.field, &wish->grant);
}

RESULT engine_change_network_grant(struct op *op, struct network_grant_settings *wish)
{
	const struct network_grant *grant = NULL;
	const struct network *network = NULL;
	uuid target;
	TRY(find_grant(op, &wish->grant, &grant, &network));
	TRY(find_target(op, &wish->target, &target));
	if (uuid_equal(target, grant->target))
		return OK;
	TRY(permit(op, network, grant->target));
	TRY(check_new(op, network, target, wish->target.field));
	if (!uuid_is_none(target)) /* a grant to all accounts still covers the former grantee */
		TRY(check_unused(op, network, grant, wish->grant.field));
	struct network_grant next = *grant;
	next.target = target;
	next.row.gen++;
	TRY(network_grant_put(op, &next));
	return engine_log_event(op, KIND_NETWORK, &network->row, "granted", "To another.");
}

RESULT engine_revoke_network(struct op *op, struct network_grant_target *wish)
{
	const struct network_grant *grant = NULL;
	const struct network *network = NULL;
	TRY(find_grant(op, &wish->grant, &grant, &network));
	return network_grant_remove(op, network, grant, wish->grant.field);
}
