/* SPDX-License-Identifier: Apache-2.0
 * The limits of limits.def. The count is kept in the owner's usage, so that a check takes constant time. */
#include "engine/limits.h"
#include "engine/balancing/octavia.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/annotation.h"
#include "engine/backup/backup_plan.h"
#include "engine/backup/backup_vault.h"
#include "engine/cluster/cluster.h"
#include "engine/deployment.h"
#include "engine/instance/launch/fleet.h"
#include "engine/instance/launch/launch_template.h"
#include "engine/instance/launch/spot.h"
#include "engine/instance/placement/server_group.h"
#include "engine/instance/user_data.h"
#include "engine/internal.h"
#include "engine/machine_policy/machine_policy.h"
#include "engine/network/address/address_prefix.h"
#include "engine/network/address_scope.h"
#include "engine/network/dhcp_options.h"
#include "engine/network/filter/address_group.h"
#include "engine/network/filter/network_acl.h"
#include "engine/network/filter/security_group_association.h"
#include "engine/network/network_grant.h"
#include "engine/network/port/qos_policy.h"
#include "engine/network/port/trunk.h"
#include "engine/network/routing/endpoint_service.h"
#include "engine/network/routing/vpc_endpoint.h"
#include "engine/network/subnet_pool.h"
#include "engine/network/subnet_reservation.h"
#include "engine/people/account/account_user.h"
#include "engine/people/account/signup.h"
#include "engine/people/catalog.h"
#include "engine/people/credential/acm_certificate.h"
#include "engine/people/credential/application_credential.h"
#include "engine/people/credential/credential.h"
#include "engine/people/credential/mfa_device.h"
#include "engine/people/credential/oidc_provider.h"
#include "engine/people/credential/public_credential.h"
#include "engine/people/credential/saml_provider.h"
#include "engine/people/credential/second_factor.h"
#include "engine/people/credential/secret.h"
#include "engine/people/credential/server_certificate.h"
#include "engine/people/policy/access_rule.h"
#include "engine/people/policy/arm_lock.h"
#include "engine/people/policy/iam_role.h"
#include "engine/people/policy/policy.h"
#include "engine/people/policy/role.h"
#include "engine/people/policy/trust.h"
#include "engine/people/unified_limit.h"
#include "engine/region/aggregate.h"
#include "engine/region/region.h"
#include "engine/remote/migration.h"
#include "engine/remote/remote_machine.h"
#include "engine/reservation/capacity_reservation.h"
#include "engine/resource_group.h"
#include "engine/support/ticket.h"
#include "engine/vpn/vpnaas.h"
#include "model/access_key.h"
#include "model/access_rule.h"
#include "model/account.h"
#include "model/address_group.h"
#include "model/address_prefix.h"
#include "model/address_scope.h"
#include "model/alarm.h"
#include "model/annotation.h"
#include "model/application_credential.h"
#include "model/arm_assignment.h"
#include "model/arm_lock.h"
#include "model/arm_resource.h"
#include "model/arm_role.h"
#include "model/async_job.h"
#include "model/autoscale_condition.h"
#include "model/autoscale_policy.h"
#include "model/autoscale_profile.h"
#include "model/autoscale_setting.h"
#include "model/backup_plan.h"
#include "model/backup_vault.h"
#include "model/balancer_pool_member.h"
#include "model/balancer_set.h"
#include "model/bus_event.h"
#include "model/capacity_reservation.h"
#include "model/client_token.h"
#include "model/cluster.h"
#include "model/credential.h"
#include "model/customer_gateway.h"
#include "model/dashboard.h"
#include "model/dhcp_options.h"
#include "model/domain.h"
#include "model/elastic_load_balancer.h"
#include "model/endpoint_service.h"
#include "model/event_delivery.h"
#include "model/event_rule.h"
#include "model/event_target.h"
#include "model/external_network.h"
#include "model/fleet.h"
#include "model/flow_log.h"
#include "model/gateway.h"
#include "model/group_member.h"
#include "model/iam_role.h"
#include "model/ike_policy.h"
#include "model/instance_profile.h"
#include "model/ipsec_policy.h"
#include "model/key_pair.h"
#include "model/l7_rule.h"
#include "model/launch_configuration.h"
#include "model/launch_template_version.h"
#include "model/listener.h"
#include "model/listener_rule.h"
#include "model/machine_policy.h"
#include "model/metric.h"
#include "model/mfa_device.h"
#include "model/network.h"
#include "model/network_acl.h"
#include "model/network_grant.h"
#include "model/oidc_provider.h"
#include "model/peering.h"
#include "model/peering_side.h"
#include "model/policy.h"
#include "model/policy_version.h"
#include "model/port.h"
#include "model/port_policy.h"
#include "model/port_policy_rule.h"
#include "model/port_set.h"
#include "model/provider.h"
#include "model/qos_policy.h"
#include "model/queue.h"
#include "model/queue_message.h"
#include "model/remote_machine.h"
#include "model/resource_group.h"
#include "model/role_assignment.h"
#include "model/route.h"
#include "model/route_plan.h"
#include "model/route_plan_entry.h"
#include "model/route_table.h"
#include "model/router.h"
#include "model/saml_provider.h"
#include "model/scaling_group.h"
#include "model/scaling_hook.h"
#include "model/scaling_policy.h"
#include "model/scaling_schedule.h"
#include "model/second_factor.h"
#include "model/security_group.h"
#include "model/security_group_association.h"
#include "model/security_group_rule.h"
#include "model/server_certificate.h"
#include "model/source_nat.h"
#include "model/spot_request.h"
#include "model/subnet.h"
#include "model/subnet_pool.h"
#include "model/support_ticket.h"
#include "model/target.h"
#include "model/target_group.h"
#include "model/ticket_attachment.h"
#include "model/token_revocation.h"
#include "model/topic.h"
#include "model/topic_delivery.h"
#include "model/topic_subscription.h"
#include "model/transit_attachment.h"
#include "model/transit_gateway.h"
#include "model/transit_route.h"
#include "model/transit_route_table.h"
#include "model/trunk.h"
#include "model/trust.h"
#include "model/user.h"
#include "model/user_data.h"
#include "model/user_group.h"
#include "model/vpc_endpoint.h"
#include "model/vpn_connection.h"
#include "model/vpn_endpoint_group.h"
#include "model/vpn_gateway.h"
#include "model/vpn_route.h"
#include "model/vpn_service.h"
#include "model/vpn_tunnel.h"

/* ---- selection of rows ---- */

static bool any(const struct row *row)
{
	return row;
}

static bool live(const struct row *row)
{
	return row_is_live(row);
}

static bool no_owner(const struct row *row)
{
	return !user_of(row)->is_owner;
}

static bool creation(const struct row *row)
{
	return remote_machine_of(row)->act == REMOTE_MACHINE_ACT_CREATE;
}

static bool ssh_key(const struct row *row)
{
	return public_credential_of(row)->type == PUBLIC_CREDENTIAL_TYPE_SSH_KEY;
}

static bool certificate(const struct row *row)
{
	return public_credential_of(row)->type == PUBLIC_CREDENTIAL_TYPE_CERTIFICATE;
}

static bool iam_certificate(const struct row *row)
{
	return server_certificate_of(row)->service == SERVER_CERTIFICATE_SERVICE_IAM;
}

static bool acm_certificate(const struct row *row)
{
	return server_certificate_of(row)->service == SERVER_CERTIFICATE_SERVICE_ACM;
}

static bool network_balancer(const struct row *row)
{
	return elastic_load_balancer_of(row)->type == ELASTIC_LOAD_BALANCER_TYPE_NETWORK;
}

/* Classic Load Balancers count, too: each needs a proxy. */
static bool application_balancer(const struct row *row)
{
	return elastic_load_balancer_of(row)->type != ELASTIC_LOAD_BALANCER_TYPE_NETWORK;
}

/* Target groups of Classic Load Balancers are not counted: they go with their balancer. Pools of Octavia are, since a balancer
 * may have many. */
static bool named_group(const struct row *row)
{
	return uuid_is_none(target_group_of(row)->elastic_load_balancer) ||
	       octavia_is_pool(target_group_of(row));
}

static bool no_default_rule(const struct row *row)
{
	return listener_rule_of(row)->priority != 0;
}

static bool managed(const struct row *row)
{
	return policy_is_managed(policy_of(row));
}

/* ---- tables ---- */

const struct limit_info engine_limits[LIMIT_COUNT] = {
#define LIMIT(ID, name, row, KIND, usage, OWNER, field, figure, counts, most, before, after, source)         \
	[LIMIT_##ID] = {#ID,                                                                                 \
			name,                                                                                \
			KIND_##KIND,                                                                         \
			KIND_##OWNER,                                                                        \
			offsetof(struct row, field),                                                         \
			offsetof(struct usage##_usage, figure),                                              \
			counts,                                                                              \
			most,                                                                                \
			before,                                                                              \
			after,                                                                               \
			source},
#define REGION(ID, name, KIND, most, before, after, source)                                                  \
	[LIMIT_##ID] = {#ID, name, KIND_##KIND, KIND_NONE, 0, 0, NULL, most, before, after, source},
#include "engine/limits.def"
};

const struct limit_word engine_limit_words[] = {
#define WITHIN(KIND, words) {KIND_##KIND, false, words},
#define OPERATORS(KIND, words) {KIND_##KIND, true, words},
#include "engine/limits.def"
};
const size_t engine_limit_word_count = sizeof engine_limit_words / sizeof *engine_limit_words;

/* ---- counts ---- */

static int64_t *figure_of(const struct tables *t, const struct limit_info *limit, uuid owner)
{
	const struct row *row = uuid_is_none(owner) ? NULL : tables_find(t, limit->owner, owner);
	char *figures = row ? row_figures(row) : NULL;
	return figures ? (int64_t *) (void *) (figures + limit->figure) : NULL;
}

void limits_count(const struct tables *head, enum kind kind, const struct row *row, int64_t sign)
{
	for (const struct limit_info *limit = engine_limits; limit < engine_limits + LIMIT_COUNT; limit++) {
		if (limit->kind != kind || !limit->counts || !limit->counts(row))
			continue;
		uuid owner = *(const uuid *) (const void *) ((const char *) row + limit->field);
		int64_t *figure = figure_of(head, limit, owner);
		if (figure)
			__atomic_store_n(figure, *figure + sign, __ATOMIC_RELAXED);
	}
}

/* A router also has a switch, through which its guests reach metadata. Each interface of an endpoint or an endpoint service may have
 * a router of its own: counted as if it had all of them. */
static const int64_t keys_of[KIND_COUNT] = {[KIND_NETWORK] = 1,
					    [KIND_ROUTER] = 2,
					    [KIND_NAT_GATEWAY] = 1,
					    [KIND_VPC_ENDPOINT] = ENDPOINT_FRONTS_MAX,
					    [KIND_ENDPOINT_SERVICE] = SERVICE_LEGS_MAX,
					    [KIND_EXTERNAL_NETWORK] = 1,
					    [KIND_TRANSIT_GATEWAY] = 1,
					    [KIND_VPN_TUNNEL] = 2};

int64_t limits_keys_of(enum kind kind)
{
	return keys_of[kind];
}

static int64_t count_keys(const struct tables *t)
{
	int64_t count = 0;
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		count += keys_of[kind] ? keys_of[kind] * (int64_t) tables_count(t, kind) : 0;
	return count;
}

int64_t engine_count_limited(const struct tables *t, enum limit_id limit, uuid owner)
{
	const struct limit_info *info = &engine_limits[limit];
	if (limit == LIMIT_NETWORK_KEYS)
		return count_keys(t);
	if (info->owner == KIND_NONE)
		return (int64_t) tables_count(t, info->kind);
	const int64_t *figure = figure_of(t, info, owner);
	return figure ? __atomic_load_n(figure, __ATOMIC_RELAXED) : 0;
}

/* ---- checks ---- */

int64_t engine_get_limit(const struct tables *t, enum limit_id limit)
{
	char name[64];
	int64_t most = engine_limits[limit].most;
	int length = snprintf(name, sizeof name, "limit.%s", engine_limits[limit].name);
	/* Absent or not a number: the table's limit. */
	IGNORE(str_parse_int(engine_get_setting(t, (struct str){name, (size_t) length}), &most));
	return most;
}

RESULT engine_set_limit(struct op *op, struct limit_wish *wish)
{
	int64_t number = 0;
	enum limit_id limit = 0;
	while (limit < LIMIT_COUNT && !str_is(wish->name, engine_limits[limit].name))
		limit++;
	if (limit == LIMIT_COUNT)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_SETTING, STR("name"),
				   "there is no limit '%" STR_FMT "'", STR_ARG(wish->name));
	if (wish->most.n && !result_is_ok(str_parse_int(wish->most, &number)))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SETTING, STR("limit"), "'%" STR_FMT "' is no number",
				   STR_ARG(wish->most));
	struct setting_wish setting = {
		.name = str_print(op->ctx->arena, "limit.%s", engine_limits[limit].name),
		.value = wish->most};
	return setting.name.p ? engine_put_setting(op, &setting) : ctx_no_memory(op->ctx);
}

RESULT limit_check(struct op *op, enum limit_id limit, uuid owner, int64_t more, struct str field)
{
	const struct limit_info *info = &engine_limits[limit];
	int64_t most = engine_get_limit(op->head, limit);
	bool has_owner = info->owner == KIND_NONE || figure_of(op->head, info, owner);
	if (most < 0 || !has_owner || engine_count_limited(op->head, limit, owner) + more <= most)
		return OK;
	return ENGINE_FAIL(op, ERR_QUOTA, info->kind, field, "%s%" PRId64 "%s", info->before, most,
			   info->after);
}
