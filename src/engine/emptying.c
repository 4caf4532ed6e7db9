/* SPDX-License-Identifier: Apache-2.0
 * Deleters for each kind of row, to delete groups and accounts with their contents. */
#include "engine/emptying_internal.h"

#include "engine/balancing/balancing.h"
#include "engine/balancing/load_balancer.h"
#include "engine/cluster/cluster.h"
#include "engine/instance/instance.h"
#include "engine/instance/key_pair.h"
#include "engine/instance/placement/server_group.h"
#include "engine/job.h"
#include "engine/messaging/messaging.h"
#include "engine/network/address/address.h"
#include "engine/network/address/address_prefix.h"
#include "engine/network/filter/security_group.h"
#include "engine/network/network.h"
#include "engine/network/routing/egress_gateway.h"
#include "engine/network/routing/endpoint_service.h"
#include "engine/network/routing/gateway.h"
#include "engine/network/routing/nat_gateway.h"
#include "engine/network/routing/peering.h"
#include "engine/network/routing/route_table.h"
#include "engine/network/routing/router.h"
#include "engine/network/routing/vpc_endpoint.h"
#include "engine/network/subnet.h"
#include "engine/people/asker.h"
#include "engine/people/policy/iam_role.h"
#include "engine/scaling/autoscale_setting.h"
#include "engine/scaling/scaling.h"
#include "engine/storage/image/image.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/transit/transit.h"
#include "engine/virtual/balancer_set.h"
#include "engine/virtual/peering_side.h"
#include "engine/virtual/port_policy.h"
#include "engine/virtual/route_plan.h"
#include "engine/virtual/source_nat.h"
#include "engine/vpn/vpn.h"
#include "engine/vpn/vpnaas.h"
#include "model/async_job.h"
#include "model/cluster.h"
#include "model/instance.h"
#include "model/state.h"

#define DELETER(name, type, member, ...)                                                                     \
	static RESULT delete_##name(struct op *op, struct ref *ref)                                          \
	{                                                                                                    \
		struct type wish = {.member = *ref, __VA_ARGS__};                                            \
		return engine_delete_##name(op, &wish);                                                      \
	}
DELETER(cluster, cluster_target, cluster)
DELETER(image, image_target, image)
DELETER(balancer_set, balancer_set_target, set)
DELETER(load_balancer, load_balancer_target, balancer)
DELETER(elastic_load_balancer, elastic_load_balancer_target, balancer)
DELETER(target_group, target_group_target, target_group)

static RESULT delete_scaling_group(struct op *op, struct ref *ref)
{
	struct scaling_group_target wish = {.group = *ref, .is_forced = true};
	return engine_delete_scaling_group(op, &wish);
}
DELETER(nat_gateway, nat_gateway_target, nat_gateway)
DELETER(peering, peering_target, peering)
DELETER(transit_attachment, transit_attachment_target, attachment)
DELETER(transit_gateway, transit_gateway_target, gateway)
DELETER(transit_route_table, transit_route_table_target, route_table)
DELETER(vpn_connection, vpn_connection_target, connection)
DELETER(vpn_endpoint_group, vpn_endpoint_group_target, group)
DELETER(vpn_service, vpn_service_target, service)
DELETER(vpn_gateway, vpn_gateway_target, gateway, .is_forced = true)
DELETER(customer_gateway, customer_gateway_target, gateway)
DELETER(vpc_endpoint, vpc_endpoint_target, endpoint)
DELETER(endpoint_service, endpoint_service_target, service)
DELETER(port, port_target, port)
DELETER(volume, volume_target, volume, .snapshots = VOLUME_SNAPSHOTS_STAY)
DELETER(snapshot, snapshot_target, snapshot)
DELETER(security_group, security_group_target, group, .takes_rules = true)
DELETER(port_policy, port_policy_target, policy)
DELETER(port_policy_rule, port_policy_rule_target, rule)
DELETER(autoscale_setting, autoscale_setting_target, setting)
DELETER(port_set, port_set_target, set)
DELETER(route_plan, route_plan_target, plan)
DELETER(route_plan_entry, route_plan_entry_target, entry)
DELETER(peering_side, peering_side_target, side)
DELETER(address_prefix, address_prefix_target, prefix)
DELETER(source_nat, source_nat_target, source_nat)
DELETER(subnet, subnet_target, subnet)
DELETER(route_table, route_table_target, route_table)
DELETER(router, router_target, router, .with_gateway = true)
DELETER(key_pair, key_pair_target, key_pair)
DELETER(server_group, server_group_target, server_group, .must_be_empty = true)

static RESULT delete_instance(struct op *op, struct ref *ref)
{
	struct instances_wish wish = {.instances = {ref, 1}};
	return engine_terminate_instances(op, &wish);
}

static RESULT delete_identity(struct op *op, struct ref *ref)
{
	struct iam_role_target wish = {.iam_role = *ref};
	return engine_delete_managed_identity(op, &wish);
}

static RESULT release_address(struct op *op, struct ref *ref)
{
	struct address_target wish = {.address = *ref};
	return engine_release_address(op, &wish);
}

const struct row_deleter engine_row_deleters[] = {
	{KIND_CLUSTER, "cluster.delete", delete_cluster},
	{KIND_INSTANCE, "instance.terminate", delete_instance},
	{KIND_IMAGE, "image.delete", delete_image},
	{KIND_ENDPOINT_SERVICE, "endpoint.delete_service", delete_endpoint_service},
	{KIND_BALANCER_SET, "load_balancer.delete", delete_balancer_set},
	{KIND_LOAD_BALANCER, "load_balancer.delete", delete_load_balancer},
	{KIND_ELASTIC_LOAD_BALANCER, "elastic_load_balancer.delete", delete_elastic_load_balancer},
	{KIND_TARGET_GROUP, "target_group.delete", delete_target_group},
	{KIND_AUTOSCALE_SETTING, "autoscale_setting.delete", delete_autoscale_setting},
	{KIND_SCALING_GROUP, "scaling_group.delete", delete_scaling_group},
	{KIND_NAT_GATEWAY, "nat_gateway.delete", delete_nat_gateway},
	{KIND_PEERING_SIDE, "peering.delete", delete_peering_side},
	{KIND_PEERING, "peering.delete", delete_peering},
	{KIND_TRANSIT_ATTACHMENT, "transit_gateway.detach", delete_transit_attachment},
	{KIND_TRANSIT_GATEWAY, "transit_gateway.delete", delete_transit_gateway},
	{KIND_TRANSIT_ROUTE_TABLE, "transit_gateway.delete_route_table", delete_transit_route_table},
	{KIND_VPN_CONNECTION, "vpn.delete_connection", delete_vpn_connection},
	{KIND_VPN_SERVICE, "vpn_service.delete", delete_vpn_service},
	{KIND_VPN_ENDPOINT_GROUP, "vpn_endpoint_group.delete", delete_vpn_endpoint_group},
	{KIND_VPN_GATEWAY, "vpn.delete_gateway", delete_vpn_gateway},
	{KIND_CUSTOMER_GATEWAY, "vpn.delete_customer_gateway", delete_customer_gateway},
	{KIND_VPC_ENDPOINT, "endpoint.delete", delete_vpc_endpoint},
	{KIND_PORT, "port.delete", delete_port},
	{KIND_VOLUME, "volume.delete", delete_volume},
	{KIND_SNAPSHOT, "snapshot.delete", delete_snapshot},
	{KIND_SUBNET, "subnet.delete", delete_subnet},
	{KIND_SOURCE_NAT, "source_nat.delete", delete_source_nat},
	{KIND_ADDRESS, "address.release", release_address},
	{KIND_ADDRESS_PREFIX, "address_prefix.delete", delete_address_prefix},
	{KIND_ROUTE_PLAN_ENTRY, "route_plan.update", delete_route_plan_entry},
	{KIND_ROUTE_PLAN, "route_plan.delete", delete_route_plan},
	{KIND_PORT_POLICY_RULE, "port_policy.update", delete_port_policy_rule},
	{KIND_PORT_POLICY, "port_policy.delete", delete_port_policy},
	{KIND_PORT_SET, "port_set.delete", delete_port_set},
	{KIND_ROUTE_TABLE, "route_table.delete", delete_route_table},
	{KIND_SECURITY_GROUP, "security_group.delete", delete_security_group},
	{KIND_ROUTER, "router.delete", delete_router},
	{KIND_KEY_PAIR, "key_pair.delete", delete_key_pair},
	{KIND_SERVER_GROUP, "server_group.delete", delete_server_group},
	{KIND_IAM_ROLE, "managed_identity.delete", delete_identity},
};
const size_t engine_row_deleter_count = sizeof engine_row_deleters / sizeof engine_row_deleters[0];

const struct row_deleter *engine_find_row_deleter(enum kind kind)
{
	for (size_t k = 0; k < engine_row_deleter_count; k++)
		if (engine_row_deleters[k].kind == kind)
			return &engine_row_deleters[k];
	return NULL;
}

bool emptying_is_going(const struct tables *t, enum kind kind, uuid id)
{
	const struct row *row = tables_find(t, kind, id);
	if (row && kind == KIND_CLUSTER)
		return cluster_of(row)->is_deleting;
	if (row && kind == KIND_SCALING_GROUP)
		return scaling_group_of(row)->is_deleting;
	if (row && kind == KIND_QUEUE)
		return engine_is_queue_deleted(queue_of(row));
	if (row && kind == KIND_TOPIC)
		return engine_is_topic_deleted(topic_of(row));
	return row && kind == KIND_INSTANCE &&
	       model_derive_instance_state(instance_of(row)) == INSTANCE_SHUTTING_DOWN;
}

RESULT emptying_begin(struct op *op, uuid subject, const char *permission, struct later_guard *later,
		      struct emptying *e)
{
	const struct async_job *job = engine_first_deletion(op->head, subject);
	const struct identity *who = op->ctx->who;
	struct guard *guard = op->ctx->guard;
	const struct asker_work work = {later, permission, op->now_us};
	if (!later)
		return OK;
	if (!job) /* the deletion of a domain ends with the refusal of its first account */
		return ctx_fail(op->ctx, ERR_DENIED, "The request to delete this has ended.");
	const struct asker asker = ASKER_OF(job);
	struct result result = asker_act(op->ctx, op->head, &asker, &work);
	e->who = op->ctx->who;
	e->guard = op->ctx->guard;
	op->ctx->who = who;
	op->ctx->guard = guard;
	return result;
}

/* Asks the asker's policies, as the call did that began the deletion. The system then deletes the row. */
static RESULT ask_again(struct op *op, const struct row_deleter *deleter, uuid id, const struct emptying *e)
{
	const struct identity *who = op->ctx->who;
	struct guard *guard = op->ctx->guard;
	if (!e->who)
		return OK;
	op->ctx->who = e->who;
	op->ctx->guard = e->guard;
	struct result result = engine_permit(op, deleter->permission, deleter->kind,
					     tables_find(op->head, deleter->kind, id));
	op->ctx->who = who;
	op->ctx->guard = guard;
	return result;
}

RESULT emptying_try(struct op *op, const struct row_deleter *deleter, uuid id, struct str name,
		    struct emptying *e)
{
	struct op_place place = op_place_now(op);
	struct ref ref = engine_ref_to(op, deleter->kind, id, STR_NONE);
	struct result result = ask_again(op, deleter, id, e);
	if (result_is_ok(result))
		result = deleter->delete (op, &ref);
	if (result_is_ok(result)) {
		e->is_on_the_way = true;
		return OK;
	}
	if (!engine_is_refusal(result.code))
		return result;
	op_go_back(op, place);
	if (!e->problem.n)
		e->problem = str_print(op->ctx->arena, "%" STR_FMT ": %" STR_FMT, STR_ARG(name),
				       STR_ARG(op->ctx->problem.message));
	ctx_clear_problem(op->ctx);
	return OK;
}
