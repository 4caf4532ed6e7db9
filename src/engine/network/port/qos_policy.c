/* SPDX-License-Identifier: Apache-2.0
 * QoS policies and what has them. The step of a port (reconcile/network/port.c) applies the rules. */
#include "engine/network/port/qos_policy.h"

#include "engine/limits.h"
#include "engine/network/object_grant_internal.h"
#include "engine/network/port/qos_policy_internal.h"
#include "engine/network/routing/vpc_endpoint.h"
#include "model/account.h"
#include "store/network.h"
#include "store/port.h"
#include "store/qos_policy.h"
#include "store/qos_rule.h"

const struct qos_policy *engine_get_qos_policy(const struct tables *t, const struct port *port)
{
	const struct network *network = network_find(t, port->network);
	uuid own = port->qos_policy, inherited = network ? network->qos_policy : UUID_NONE;
	uuid id = uuid_is_none(own) ? inherited : own;
	if (uuid_is_none(id) || engine_is_endpoint_port(t, port))
		return NULL;
	return qos_policy_find(t, id);
}

/* ---- what has a policy ---- */

static const struct port *first_port(const struct tables *t, uuid policy)
{
	const struct port *port = port_first_by_qos_policy(t, policy);
	while (port && !row_is_live(&port->row))
		port = port_next_by_qos_policy(t, port);
	return port;
}

static const struct network *first_network(const struct tables *t, uuid policy)
{
	const struct network *network = network_first_by_qos_policy(t, policy);
	while (network && !row_is_live(&network->row))
		network = network_next_by_qos_policy(t, network);
	return network;
}

static RESULT check_unused(struct op *op, const struct qos_policy *policy, const struct ref *ref)
{
	const struct port *port = first_port(op->head, policy->row.id);
	const struct network *network = first_network(op->head, policy->row.id);
	if (!port && !network)
		return OK;
	struct str user = port ? engine_write_id(op, KIND_PORT, port->row.id)
			       : engine_write_id(op, KIND_NETWORK, network->row.id);
	return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_QOS_POLICY, ref,
				 "QoS Policy %" STR_FMT " is used by %s %" STR_FMT ".",
				 STR_ARG(engine_write_id(op, KIND_QOS_POLICY, policy->row.id)),
				 port ? "port" : "network", STR_ARG(user));
}

/* ---- policies ---- */

static uuid find_default(const struct tables *t, uuid account)
{
	const struct qos_policy *policy = qos_policy_first_by_account(t, account);
	while (policy && !policy->is_default)
		policy = qos_policy_next_by_account(t, policy);
	return policy ? policy->row.id : UUID_NONE;
}

static RESULT check_default(struct op *op, const struct qos_policy *policy)
{
	uuid present = find_default(op->head, policy->account);
	if (!policy->is_default || uuid_is_none(present) || uuid_equal(present, policy->row.id))
		return OK;
	return ENGINE_FAIL(op, ERR_EXISTS, KIND_QOS_POLICY, STR("is_default"),
			   "A default QoS policy exists for project %" STR_FMT ".",
			   STR_ARG(engine_write_id(op, KIND_ACCOUNT, policy->account)));
}

RESULT engine_create_qos_policy(struct op *op, struct qos_policy_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_owner_to_be(op, &wish->account, &account));
	struct qos_policy policy = {.row = {.id = engine_new_id(op, KIND_QOS_POLICY), .gen = 1},
				    .account = account->row.id,
				    .name = wish->name,
				    .description = wish->description,
				    .is_default = wish->is_default};
	TRY(check_default(op, &policy));
	TRY(limit_check(op, LIMIT_QOS_POLICIES, account->row.id, 1, STR_NONE));
	TRY(engine_permit_new(op, "qos_policy.create", KIND_QOS_POLICY, &policy.row));
	if (wish->is_shared)
		TRY(engine_permit(op, "qos_policy.share", KIND_QOS_POLICY, NULL));
	TRY(qos_policy_put(op, &policy));
	if (wish->is_shared)
		TRY(object_grant_share(op, KIND_QOS_POLICY, policy.row.id, CHOICE_YES));
	wish->policy = policy.row.id;
	return engine_log_event(op, KIND_QOS_POLICY, &policy.row, "created", "QoS policy.");
}

RESULT engine_update_qos_policy(struct op *op, struct qos_policy_settings *wish)
{
	const struct qos_policy *policy = NULL;
	TRY(engine_find_own_qos_policy(op->ctx, op->head, &wish->policy, &policy));
	TRY(engine_permit(op, "qos_policy.update", KIND_QOS_POLICY, &policy->row));
	struct qos_policy next = *policy;
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	choice_apply(wish->is_default, &next.is_default);
	TRY(check_default(op, &next));
	if (wish->is_shared != CHOICE_DEFAULT &&
	    (wish->is_shared == CHOICE_YES) != uuids_have(&policy->users, UUID_NONE))
		TRY(engine_permit(op, "qos_policy.share", KIND_QOS_POLICY, &policy->row));
	next.row.gen++;
	TRY(qos_policy_put(op, &next));
	TRY(object_grant_share(op, KIND_QOS_POLICY, next.row.id, wish->is_shared));
	return engine_log_event(op, KIND_QOS_POLICY, &next.row, "changed", "QoS policy.");
}

RESULT engine_delete_qos_policy(struct op *op, struct qos_policy_target *wish)
{
	const struct qos_policy *policy = NULL;
	TRY(engine_find_own_qos_policy(op->ctx, op->head, &wish->policy, &policy));
	TRY(engine_permit(op, "qos_policy.delete", KIND_QOS_POLICY, &policy->row));
	TRY(check_unused(op, policy, &wish->policy));
	TRY(engine_log_event(op, KIND_QOS_POLICY, &policy->row, "deleted", "QoS policy."));
	return qos_policy_forget(op, policy->row.id);
}

/* ---- choosing one ---- */

/* A minimum bandwidth would need a scheduler for the host's uplink. Neither OVN's tunnels nor our placement have one. */
static RESULT check_supported(struct op *op, uuid policy, enum kind kind, uuid of)
{
	const struct qos_rule *rule = qos_rule_first_by_policy(op->head, policy);
	while (rule && rule->type != QOS_RULE_TYPE_MINIMUM_BANDWIDTH)
		rule = qos_rule_next_by_policy(op->head, rule);
	if (!rule)
		return OK;
	struct str id = uuid_is_none(of) ? STR("that is new") : engine_write_id(op, kind, of);
	return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_QOS_RULE,
			   kind == KIND_PORT ? STR("port") : STR("network"),
			   "Rule minimum_bandwidth is not supported by %s %" STR_FMT,
			   kind == KIND_PORT ? "port" : "network", STR_ARG(id));
}

RESULT qos_policy_choose(struct op *op, const struct qos_choice *choice, enum kind kind, uuid of,
			 uuid *present)
{
	const struct qos_policy *next = NULL;
	const struct qos_policy *was = uuid_is_none(*present) ? NULL : qos_policy_find(op->head, *present);
	if (!choice->is_given)
		return OK;
	if (ref_is_given(&choice->policy))
		TRY(engine_find_qos_policy(op->ctx, op->head, &choice->policy, &next));
	if (was == next)
		return OK;
	if (was && !engine_may_see(op->ctx, KIND_QOS_POLICY, &was->row))
		return ENGINE_FAIL(op, ERR_DENIED, KIND_QOS_POLICY, STR("qos_policy_id"),
				   "Failed to remove provided policy %" STR_FMT
				   " because you are not authorized.",
				   STR_ARG(engine_write_id(op, KIND_QOS_POLICY, was->row.id)));
	if (next)
		TRY(check_supported(op, next->row.id, kind, of));
	*present = next ? next->row.id : UUID_NONE;
	return OK;
}

RESULT qos_policy_choose_default(struct op *op, uuid account, uuid *ret_policy)
{
	*ret_policy = find_default(op->head, account);
	return uuid_is_none(*ret_policy) ? OK : check_supported(op, *ret_policy, KIND_NETWORK, UUID_NONE);
}

RESULT qos_policy_check_bound(struct op *op, uuid policy)
{
	const struct port *port = first_port(op->head, policy);
	const struct network *network = first_network(op->head, policy);
	if (port)
		return check_supported(op, policy, KIND_PORT, port->row.id);
	return network ? check_supported(op, policy, KIND_NETWORK, network->row.id) : OK;
}
