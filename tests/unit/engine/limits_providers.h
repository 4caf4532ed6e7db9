/* SPDX-License-Identifier: Apache-2.0
 * A part of test_limits.c, in its middle: clouds elsewhere. */
#pragma once

#include "engine/cluster/cluster.h"
#include "engine/machine_policy/machine_policy.h"
#include "store/cluster.h"
#include "store/machine_policy.h"

static RESULT make_cloud_elsewhere(struct cloud *c, int n)
{
	struct provider_wish wish = {.id = id_new(KIND_PROVIDER),
				     .name = numbered(c, "cloud", n),
				     .region = STR("eu-central-1"),
				     .login = STR("AKIA"),
				     .secret = STR("sealed")};
	MAKE(c, &c->alice, engine_create_provider, wish, id);
}
DROP(cloud_elsewhere, engine_delete_provider, provider_target, .provider = ref_to(c, KIND_PROVIDER, made))

static RESULT make_machine_policy(struct cloud *c, int n)
{
	const struct str name = numbered(c, "policy", n), tag = STR("until");
	struct machine_policy_wish wish = {
		.name = &name, .rule = 1 + MACHINE_POLICY_RULE_RETIREMENT, .date_tag = &tag};
	struct result result = cloud_run(c, &c->alice, engine_create_machine_policy_run, &wish);
	if (result_is_ok(result))
		made = machine_policy_find_by_account(cloud_tables(c), c->alice.account, name)->row.id;
	return result;
}
DROP(machine_policy, engine_delete_machine_policy, machine_policy_target,
     .policy = ref_to(c, KIND_MACHINE_POLICY, made))

/* ---- clusters: in one subnet without public addresses, because VPCs and addresses have quotas ---- */

static uuid private_subnet;
static void has_a_private_subnet(struct cloud *c)
{
	struct router_wish router = {.block = cidr_of("10.77.0.0/16")};
	is_alices(c);
	cloud_ok(c, &c->alice, engine_create_router, &router);
	struct subnet_wish wish = {.router = ref_to(c, KIND_ROUTER, router.router),
				   .block = cidr_of("10.77.0.0/24")};
	cloud_ok(c, &c->alice, engine_create_subnet, &wish);
	private_subnet = wish.subnet;
}
static RESULT make_cluster(struct cloud *c, int n)
{
	const struct ref at = ref_to(c, KIND_SUBNET, private_subnet);
	const struct ref type = {.kind = KIND_INSTANCE_TYPE, .text = STR("t3.medium")};
	struct cluster_wish wish = {.cluster = id_new(KIND_CLUSTER),
				    .name = numbered(c, "c", n),
				    .version = STR("1.37.2"),
				    .image = ref_to(c, KIND_IMAGE, c->image),
				    .control_type = type,
				    .worker_type = type,
				    .control_count = 1,
				    .subnets = {&at, 1},
				    .pod_block = {ip_from_v4(0x0AF40000), 16},
				    .service_block = {ip_from_v4(0x0A600000), 12},
				    .is_internal = true};
	MAKE(c, &c->alice, engine_create_cluster, wish, cluster);
}
/* Machines that never ran end at once when their host is seen without them. */
static void drop_cluster(struct cloud *c)
{
	struct cluster_target wish = {ref_to(c, KIND_CLUSTER, made)};
	struct cluster_following turn = {made};
	uuid machine = cluster_find(cloud_tables(c), made)->machines.at[0];
	cloud_ok(c, &c->alice, engine_delete_cluster, &wish);
	cloud_ok(c, NULL, engine_follow_cluster, &turn);
	cloud_see(c, machine, INSTANCE_SEEN_POWER_ABSENT);
	cloud_ok(c, NULL, engine_follow_cluster, &turn);
	cloud_ok(c, NULL, engine_follow_cluster, &turn);
}

/* ---- their machines ---- */

static unsigned clouds;
static void is_a_cloud_elsewhere(struct cloud *c)
{
	struct provider_wish wish = {.id = id_new(KIND_PROVIDER),
				     .name = str_print(c->arena, "cloud-%u", ++clouds),
				     .region = STR("eu-central-1"),
				     .login = STR("AKIA"),
				     .secret = STR("sealed")};
	cloud_ok(c, &c->alice, engine_create_provider, &wish);
	owner = wish.id;
}
static RESULT make_remote_machine(struct cloud *c, int n)
{
	struct remote_create_wish wish = {.id = id_new(KIND_REMOTE_MACHINE),
					  .provider = ref_to(c, KIND_PROVIDER, owner),
					  .name = numbered(c, "machine", n),
					  .image = STR("ami-1"),
					  .type = STR("t3.micro")};
	MAKE(c, &c->alice, engine_create_remote_machine, wish, id);
}
static void drop_remote_machine(struct cloud *c)
{
	struct remote_machines_loss wish = {.provider = owner, .at = &made, .count = 1, .is_final = true};
	cloud_ok(c, NULL, engine_miss_remote_machines, &wish);
}

/* ---- migrations of their machines: a machine for each, listed once ---- */

static uuid moved_from;
static void has_a_cloud_elsewhere(struct cloud *c)
{
	is_a_cloud_elsewhere(c);
	moved_from = owner;
	is_alices(c);
}
static RESULT make_cloud_migration(struct cloud *c, int n)
{
	struct remote_machine seen = {.row.id = id_new(KIND_REMOTE_MACHINE),
				      .ref = str_print(c->arena, "i-%d", n),
				      .power = REMOTE_MACHINE_POWER_RUNNING};
	struct remote_machines_report listed = {.provider = moved_from, .at = &seen, .count = 1};
	cloud_ok(c, NULL, engine_see_remote_machines, &listed);
	struct migration_wish wish = {
		.machine = ref_to(
			c, KIND_REMOTE_MACHINE,
			remote_machine_find_by_provider(cloud_tables(c), moved_from, seen.ref)->row.id)};
	MAKE(c, &c->alice, engine_plan_migration, wish, migration);
}
static void drop_cloud_migration(struct cloud *c)
{
	const struct cloud_migration *m = cloud_migration_find(cloud_tables(c), made);
	struct migration_plan_report failed = {
		.migration = made, .gen = m->row.gen, .problem = STR("it cannot be described")};
	struct cloud_migration_target wish = {.migration = ref_to(c, KIND_CLOUD_MIGRATION, made)};
	cloud_ok(c, NULL, engine_see_migration_plan, &failed);
	cloud_ok(c, &c->alice, engine_delete_migration, &wish);
}
