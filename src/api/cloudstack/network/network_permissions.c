/* SPDX-License-Identifier: Apache-2.0
 * Network permissions: grants of a network to single accounts, which Neutron shows as RBAC policies. A grant to
 * everybody is a domain's network here (networks.c), and none of these. Source of messages: NetworkServiceImpl
 * of 4.20.
 */
#include "api/cloudstack/network/network.h"
#include "engine/network/network_grant.h"
#include "engine/resolve.h"
#include "model/network.h"
#include "model/subnet.h"
#include "store/account.h"
#include "store/network_grant.h"

enum { NAMED_MAX = NETWORK_GRANTS_MAX };

struct permissions_args {
	struct ref network;
	struct strs names;
	struct refs accounts, projects;
	struct refs targets; /* all of these */
	bool removes;
};
#define NETWORK                                                                                              \
	PARAM(struct permissions_args, "networkid", network, .kind = KIND_NETWORK, .flags = REQUIRED,        \
	      .doc = "The network.")
static const struct param change_params[] = {
	NETWORK,
	PARAM(struct permissions_args, "accounts", names, .max = NAMED_MAX,
	      .doc = "Accounts by name, in the domain of the network's owner."),
	PARAM(struct permissions_args, "accountids", accounts, .kind = KIND_ACCOUNT, .max = NAMED_MAX,
	      .doc = "Accounts by id."),
	PARAM(struct permissions_args, "projectids", projects, .kind = KIND_ACCOUNT, .max = NAMED_MAX,
	      .doc = "Projects by id."),
};
static const struct param reset_params[] = {NETWORK};

/* Finds a network of the caller's whose permissions can change. */
static RESULT find_network(struct cs_call *e, const struct permissions_args *a,
			   const struct network **ret_network)
{
	const struct network *network = NULL;
	TRY(engine_find_own_network(e->c, cs_tables(e), &a->network, &network));
	const struct subnet *subnet = cs_find_subnet(&e->core, network->row.id);
	*ret_network = network;
	if (cs_is_network_of_domain(&e->core, network))
		return cs_fail(e, "networkid", "network is already shared in domain");
	if (subnet && cs_find_vpc(&e->core, subnet->router))
		return cs_fail(e, "networkid", "VPC tiers cannot be shared");
	if (cs_is_project(cs_tables(e), network->account))
		return cs_fail(e, "networkid",
			       "Update network permissions is an invalid operation on network %" STR_FMT
			       ". Project owned networks cannot be shared outside network.",
			       STR_ARG(cs_get_network_name(&e->core, &network->row)));
	return OK;
}

/* Only accounts in the domain of the network's owner can be named, as in CloudStack. */
static RESULT check_target(struct cs_call *e, uuid domain, const struct account *account, const char *field,
			   struct str said)
{
	if (account && row_is_live(&account->row) && uuid_equal(account->domain, domain))
		return OK;
	return cs_fail(e, field, "Unable to find account %" STR_FMT " in the domain of the network",
		       STR_ARG(said));
}

static RESULT find_targets(struct cs_call *e, struct permissions_args *a, const struct network *network)
{
	const struct tables *t = cs_tables(e);
	const struct account *owner = account_find(t, network->account);
	uuid domain = owner ? owner->domain : UUID_NONE;
	size_t names = a->names.count, accounts = a->accounts.count, count = names + accounts;
	struct ref *refs = arena_new_array(e->c->arena, struct ref, count + a->projects.count + 1);
	if (!refs)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < names; k++) {
		const struct account *account = account_find_by_domain(t, domain, a->names.at[k]);
		TRY(check_target(e, domain, account, "accounts", a->names.at[k]));
		refs[k] = cs_ref_of(e->c, KIND_ACCOUNT, account->row.id, "accounts");
	}
	for (size_t k = 0; k < accounts; k++) {
		const struct ref *ref = &a->accounts.at[k];
		TRY(check_target(e, domain, account_find(t, ref->prefix), "accountids", ref->text));
		refs[names + k] = *ref;
	}
	for (size_t k = 0; k < a->projects.count; k++) {
		const struct ref *ref = &a->projects.at[k];
		const struct account *project = account_find(t, ref->prefix);
		if (!project || !cs_is_project(t, project->row.id) || !cs_may_act_for(e, t, project))
			return cs_fail_id(e, KIND_ACCOUNT, "projectids", ref->text);
		refs[count + k] = *ref;
	}
	a->targets = (struct refs){refs, count + a->projects.count};
	return OK;
}

static RESULT prepare_change(struct cs_call *e, void *args)
{
	struct permissions_args *a = args;
	const struct network *network = NULL;
	TRY(find_network(e, a, &network));
	return find_targets(e, a, network);
}

static RESULT prepare_removal(struct cs_call *e, void *args)
{
	((struct permissions_args *) args)->removes = true;
	return prepare_change(e, args);
}

static RESULT prepare_reset(struct cs_call *e, void *args)
{
	const struct network *network = NULL;
	return find_network(e, args, &network);
}

static RESULT revoke(struct op *op, const struct network_grant *grant)
{
	struct network_grant_target wish = {
		.grant = cs_ref_of(op->ctx, KIND_NETWORK_GRANT, grant->row.id, "networkid")};
	return engine_revoke_network(op, &wish);
}

/* Permissions that are there, or that are gone already, change nothing. */
static RESULT change(struct op *op, void *args)
{
	struct permissions_args *a = args;
	const struct network *network = NULL;
	TRY(engine_find_own_network(op->ctx, op->head, &a->network, &network));
	uuid id = network->row.id, owner = network->account;
	TRY(engine_permit(op, a->removes ? "network.revoke" : "network.grant", KIND_NETWORK, &network->row));
	for (size_t k = 0; k < a->targets.count; k++) {
		const struct ref *target = &a->targets.at[k];
		const struct network_grant *grant =
			network_grant_find_by_network(op->head, id, false, target->prefix);
		struct network_grant_wish wish = {.network = a->network, .target = *target};
		if (a->removes && grant)
			TRY(revoke(op, grant));
		if (!a->removes && !grant && !uuid_equal(target->prefix, owner))
			TRY(engine_grant_network(op, &wish));
	}
	return OK;
}

static RESULT reset(struct op *op, void *args)
{
	const struct permissions_args *a = args;
	const struct network *network = NULL;
	TRY(engine_find_own_network(op->ctx, op->head, &a->network, &network));
	TRY(engine_permit(op, "network.revoke", KIND_NETWORK, &network->row));
	const struct network_grant *g = network_grant_first_by_network(op->head, network->row.id),
				   *next = NULL;
	for (; g; g = next) {
		next = network_grant_next_by_network(op->head, g);
		if (!g->is_external && !uuid_is_none(g->target))
			TRY(revoke(op, g));
	}
	return OK;
}

/* ---- the list ---- */

struct list_permissions {
	struct cs_list_args list;
	struct ref network;
};
static const struct param list_params[] = {
	PARAM(struct list_permissions, "networkid", network, .kind = KIND_NETWORK, .flags = REQUIRED,
	      .fits = FITS(network_grant, network), .doc = "Network."),
};

static RESULT prepare_list(struct cs_call *e, void *args)
{
	const struct network *network = NULL;
	return engine_find_own_network(e->c, cs_tables(e), &((struct list_permissions *) args)->network,
				       &network);
}

static bool is_of_account(struct api_call *e, const void *args, const struct row *row)
{
	(void) e;
	(void) args;
	return !network_grant_of(row)->is_external && !uuid_is_none(network_grant_of(row)->target);
}

static void write_account_id(struct api_call *e, struct json_writer *w, const char *name,
			     const struct row *account)
{
	if (!cs_is_project(api_tables(e), account->id))
		json_write_text(w, name, uuid_to_str(e->c->arena, account->id));
	cs_write_owner(e, w, NULL, account);
}

static const struct member members[] = {
	MEMBER(struct network_grant, "networkid", network),
	MEMBER_WRITTEN("accountid", write_account_id, .also = "account|projectid|project|domainid|domain",
		       .path = {JOIN_ONE(KIND_ACCOUNT, network_grant, target)}),
};
static const struct api_listing permissions = CS_LISTING(KIND_NETWORK_GRANT, "networkpermission", members,
							 .is_all = true, .matches = is_of_account);

#define CHANGES .flags = API_WRITES, .returns = API_RETURNS_NOTHING_STORED
static const struct cs_action actions[] = {
	{CS_ACTION("createNetworkPermissions", "ec2:ShareNetwork"), CHANGES,
	 .args = PARAMS(struct permissions_args, change_params), .prepare = prepare_change,
	 .operation = change, .doc = "Allows accounts to use a network."},
	{CS_ACTION("removeNetworkPermissions", "ec2:UnshareNetwork"), CHANGES,
	 .args = PARAMS(struct permissions_args, change_params), .prepare = prepare_removal,
	 .operation = change,
	 .doc = "Ends the permission of accounts to use a network. Fails if an account has NICs there."},
	{CS_ACTION("resetNetworkPermissions", "ec2:UnshareNetwork"), CHANGES,
	 .args = PARAMS(struct permissions_args, reset_params), .prepare = prepare_reset, .operation = reset,
	 .doc = "Ends the permission of all accounts but the owner to use a network."},
	{CS_ACTION("listNetworkPermissions", "ec2:DescribeNetworkShares"),
	 .args = PARAMS(struct list_permissions, list_params), .prepare = prepare_list,
	 .listing = &permissions, .doc = "Lists the accounts, other than the owner, that may use a network."},
};
const struct api_actions cs_network_permission_actions = API_ACTIONS(actions);
