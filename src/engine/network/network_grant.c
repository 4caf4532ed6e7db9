/* SPDX-License-Identifier: Apache-2.0
 * Network grants. Nothing outside the tables depends on them. */
#include "engine/network/network_grant.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/network_grant_internal.h"
#include "engine/network/network_internal.h"
#include "engine/network/object_grant_internal.h"
#include "engine/people/account/domain.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/external_network.h"
#include "store/gateway.h"
#include "store/network.h"
#include "store/network_grant.h"
#include "store/port.h"

/* A network for the default domain and all below is granted to everybody. */
static bool is_open_to_domain_of(const struct tables *t, const struct network *network, uuid account)
{
	const struct account *a = uuid_is_none(network->domain) ? NULL : account_find(t, account);
	if (!a || !network->with_subdomains)
		return a && uuid_equal(a->domain, network->domain);
	return engine_is_domain_within(t, a->domain, network->domain);
}

bool engine_is_network_granted(const struct tables *t, uuid network, uuid account)
{
	const struct network *row = network_find(t, network);
	return network_grant_find_by_network(t, network, false, UUID_NONE) ||
	       (!uuid_is_none(account) && network_grant_find_by_network(t, network, false, account)) ||
	       (row && is_open_to_domain_of(t, row, account));
}

bool engine_may_use_external(const struct ctx *c, const struct tables *t, uuid network)
{
	const struct network *row = network_find(t, network);
	uuid account = engine_get_account(c);
	if (row && engine_may_see(c, KIND_NETWORK, &row->row))
		return true;
	return network_grant_find_by_network(t, network, true, UUID_NONE) ||
	       (!uuid_is_none(account) && network_grant_find_by_network(t, network, true, account));
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

/* Networks for the domain, which is the caller's or above it, that no grant opens to the caller. */
static RESULT add_of_domain(struct ctx *c, const struct tables *t, uuid domain, const struct account *caller,
			    struct granted *granted)
{
	const struct network *n = network_first_by_domain(t, domain);
	for (; n; n = network_next_by_domain(t, n))
		if ((n->with_subdomains || uuid_equal(domain, caller->domain)) &&
		    !network_grant_find_by_network(t, n->row.id, false, UUID_NONE) &&
		    !network_grant_find_by_network(t, n->row.id, false, caller->row.id))
			TRY(add_granted(c, n, caller->row.id, granted));
	return OK;
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
		if (!g->is_external)
			TRY(add_granted(c, network_find(t, g->network), account, &found));
	for (g = network_grant_first_by_target(t, account); g; g = network_grant_next_by_target(t, g))
		if (!g->is_external && !network_grant_find_by_network(t, g->network, false, UUID_NONE))
			TRY(add_granted(c, network_find(t, g->network), account, &found));
	const struct domain *d = domain_find(t, caller->domain);
	for (; d; d = domain_find(t, engine_get_parent(d)))
		TRY(add_of_domain(c, t, d->row.id, caller, &found));
	*ret_networks = (struct rows){found.rows.at, found.rows.count};
	return OK;
}

/* True if another grant than this one covers the account, too. */
static bool is_granted_besides(const struct tables *t, const struct network_grant *grant, uuid account)
{
	const struct network_grant *all = network_grant_find_by_network(t, grant->network, false, UUID_NONE);
	const struct network_grant *own = network_grant_find_by_network(t, grant->network, false, account);
	const struct network *network = network_find(t, grant->network);
	return (all && all != grant) || (own && own != grant) ||
	       (network && is_open_to_domain_of(t, network, account));
}

static RESULT fail_in_use(struct op *op, const struct network *network, struct str field, const char *why)
{
	const struct ref about = {.text = engine_write_id(op, KIND_NETWORK, network->row.id), .field = field};
	return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_NETWORK_GRANT, &about, "%s", why);
}

static RESULT check_without_ports(struct op *op, const struct network *network,
				  const struct network_grant *grant, struct str field)
{
	const struct port *port = port_first_by_network(op->head, network->row.id);
	for (; port; port = port_next_by_network(op->head, port)) {
		bool stands_on_it = uuid_is_none(grant->target) || uuid_equal(grant->target, port->account);
		if (!row_is_live(&port->row) || !stands_on_it ||
		    uuid_equal(port->account, network->account) ||
		    is_granted_besides(op->head, grant, port->account))
			continue;
		return fail_in_use(op, network, field, "Others have ports in the network.");
	}
	return OK;
}

/* True if a router of the account needs the external grant. next: who gets the grant instead; NULL: nobody. */
static bool needs_grant(const struct tables *t, const struct network_grant *grant, const uuid *next,
			uuid account)
{
	uuid network = grant->network;
	if (next && (uuid_is_none(*next) || uuid_equal(*next, account)))
		return false;
	if (!uuid_is_none(grant->target))
		return uuid_equal(grant->target, account) &&
		       !network_grant_find_by_network(t, network, true, UUID_NONE);
	return !network_grant_find_by_network(t, network, true, account);
}

/* Source: neutron.db.external_net_db, _validate_ext_not_in_use_by_project(). */
static RESULT check_without_routers(struct op *op, const struct network *network,
				    const struct network_grant *grant, const uuid *next, struct str field)
{
	const struct external_network *external = external_network_find(op->head, network->row.id);
	if (uuid_is_none(grant->target) && external && external->is_default)
		return fail_in_use(op, network, field,
				   "Default external networks must be shared to everyone.");
	const struct gateway *g = gateway_first_by_external_network(op->head, network->row.id);
	for (; g; g = gateway_next_by_external_network(op->head, g))
		if (row_is_live(&g->row) && !uuid_is_none(g->router) &&
		    !uuid_equal(g->account, network->account) &&
		    needs_grant(op->head, grant, next, g->account))
			return fail_in_use(op, network, field,
					   "There are routers attached to this network that depend on this "
					   "policy for access.");
	return OK;
}

static RESULT permit(struct op *op, const struct network *network, uuid target)
{
	return engine_permit(op, uuid_is_none(target) ? "network.share" : "network.grant", KIND_NETWORK,
			     &network->row);
}

static RESULT check_new(struct op *op, const struct network *network, const struct network_grantee *grantee,
			struct str field)
{
	TRY(permit(op, network, grantee->target));
	if (network_grant_find_by_network(op->head, network->row.id, grantee->is_external, grantee->target))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_NETWORK_GRANT, field,
				   "The network is granted to them already.");
	return limit_check(op, LIMIT_NETWORK_GRANTS, network->row.id, 1, field);
}

static RESULT put_new(struct op *op, const struct network *network, const struct network_grantee *grantee,
		      uuid id)
{
	const struct network_grant grant = {.row.id = id,
					    .row.gen = 1,
					    .account = network->account,
					    .network = network->row.id,
					    .is_external = grantee->is_external,
					    .target = grantee->target};
	TRY(network_grant_put(op, &grant));
	return network_touch(op, network->row.id);
}

RESULT network_grant_write(struct op *op, const struct network *network,
			   const struct network_grantee *grantee, struct str field, uuid *ret_grant)
{
	static const struct network_provider tunnels;
	uuid id = network->row.id;
	TRY(check_new(op, network, grantee, field));
	if (grantee->is_external && !external_network_find(op->head, id))
		TRY(external_network_open(op, network, &tunnels));
	*ret_grant = engine_new_id(op, KIND_NETWORK_GRANT);
	TRY(put_new(op, network_find(op->head, id), grantee, *ret_grant));
	const struct row *row = &network_find(op->head, id)->row;
	return uuid_is_none(grantee->target)
		       ? engine_log_event(op, KIND_NETWORK, row, "granted", "To everybody.")
		       : engine_log_event(op, KIND_NETWORK, row, "granted", "To %" STR_FMT ".",
					  STR_ARG(engine_write_id(op, KIND_ACCOUNT, grantee->target)));
}

RESULT network_grant_open_to_all(struct op *op, const struct network *network)
{
	const struct network_grantee everybody = {.is_external = true};
	return put_new(op, network, &everybody, uuid_v5(network->row.id, STR("external grant")));
}

RESULT network_grant_forget_external(struct op *op, uuid network)
{
	const struct network_grant *g = network_grant_first_by_network(op->head, network), *next = NULL;
	for (; g; g = next) {
		next = network_grant_next_by_network(op->head, g);
		if (g->is_external)
			TRY(network_grant_forget(op, g->row.id));
	}
	return OK;
}

static bool has_external_grant(const struct tables *t, uuid network)
{
	const struct network_grant *g = network_grant_first_by_network(t, network);
	while (g && !g->is_external)
		g = network_grant_next_by_network(t, g);
	return g;
}

RESULT network_grant_remove(struct op *op, const struct network *network, const struct network_grant *grant,
			    struct str field)
{
	bool is_external = grant->is_external;
	uuid id = network->row.id;
	TRY(permit(op, network, grant->target));
	TRY(is_external ? check_without_routers(op, network, grant, NULL, field)
			: check_without_ports(op, network, grant, field));
	TRY(network_grant_forget(op, grant->row.id));
	if (is_external && external_network_find(op->head, id) && !has_external_grant(op->head, id))
		TRY(external_network_close(op, network));
	TRY(network_touch(op, id));
	return engine_log_event(op, KIND_NETWORK, &network_find(op->head, id)->row, "grant revoked",
				"Its owner has it.");
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

/* ret_network: NULL if the grant is one of another resource. */
static RESULT find_grant(struct op *op, const struct ref *ref, const struct network_grant **ret_grant,
			 const struct network **ret_network)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_NETWORK_GRANT, ref, &row));
	*ret_grant = network_grant_of(row);
	*ret_network = NULL;
	if (uuid_is_none((*ret_grant)->network))
		return OK;
	*ret_network = network_find(op->head, (*ret_grant)->network);
	return *ret_network ? OK : engine_fail_gone(op->ctx, KIND_NETWORK, (*ret_grant)->network);
}

/* Finds a network whose grants the caller may change. A network that the caller may only use is refused in
 * Neutron's words. */
static RESULT find_own_network(struct op *op, const struct ref *ref, const struct network **ret_network)
{
	const struct network *named = ref->kind == KIND_NETWORK ? network_find(op->head, ref->prefix) : NULL;
	if (named && row_is_live(&named->row) && !engine_is_own(op->ctx, KIND_NETWORK, &named->row) &&
	    (engine_may_use(op->ctx, op->head, KIND_NETWORK, &named->row) ||
	     (external_network_find(op->head, named->row.id) &&
	      engine_may_use_external(op->ctx, op->head, named->row.id))))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_NETWORK, ref->field,
				   "Invalid input for operation: Only admins can manipulate policies on "
				   "networks they do not own.");
	return engine_find_own_network(op->ctx, op->head, ref, ret_network);
}

RESULT engine_grant_network(struct op *op, struct network_grant_wish *wish)
{
	const struct network *network = NULL;
	struct network_grantee grantee = {.is_external = wish->is_external};
	TRY(find_target(op, &wish->target, &grantee.target));
	if (wish->network.kind != KIND_NETWORK)
		return object_grant_write(op, &wish->network, &wish->account, grantee.target,
					  wish->target.field, &wish->grant);
	TRY(find_own_network(op, &wish->network, &network));
	TRY(engine_check_owner(op, &wish->account, network->account));
	return network_grant_write(op, network, &grantee, wish->target.field, &wish->grant);
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
	if (!network)
		return object_grant_change(op, grant, target, wish->grant.field);
	const struct network_grantee grantee = {target, grant->is_external};
	TRY(permit(op, network, grant->target));
	TRY(check_new(op, network, &grantee, wish->target.field));
	if (grant->is_external)
		TRY(check_without_routers(op, network, grant, &target, wish->grant.field));
	else if (!uuid_is_none(target)) /* a grant to all accounts still covers the former grantee */
		TRY(check_without_ports(op, network, grant, wish->grant.field));
	struct network_grant next = *grant;
	next.target = target;
	next.row.gen++;
	TRY(network_grant_put(op, &next));
	TRY(network_touch(op, next.network));
	return engine_log_event(op, KIND_NETWORK, &network_find(op->head, next.network)->row, "granted",
				"To another.");
}

RESULT engine_revoke_network(struct op *op, struct network_grant_target *wish)
{
	const struct network_grant *grant = NULL;
	const struct network *network = NULL;
	TRY(find_grant(op, &wish->grant, &grant, &network));
	if (!network)
		return object_grant_remove(op, grant, wish->grant.field);
	return network_grant_remove(op, network, grant, wish->grant.field);
}
