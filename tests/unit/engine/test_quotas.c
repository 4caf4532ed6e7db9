/* SPDX-License-Identifier: Apache-2.0
 * Every QUOTA of engine/limits.def: an account can create up to its quota, one more is refused without side
 * effects, and a raised quota permits one more. */
#include "cloud.h"
#include "engine/quota_internal.h"
#include "store/account.h"
#include "store/deployment.h"
#include "store/provider.h"
#include "store/remote_machine.h"
#include "store/router.h"
#include "store/subnet.h"

#include <stdio.h>

#include "engine/deployment.h"
#include "engine/instance/placement/server_group.h"
#include "engine/internal.h"
#include "engine/network/network.h"
#include "engine/network/routing/nat_gateway.h"
#include "engine/people/account/account_user.h"
#include "engine/people/credential/credential.h"
#include "engine/region/dedicated_host.h"
#include "engine/remote/provider.h"
#include "engine/remote/remote_machine.h"
#include "engine/row_bytes.h"
#include "engine/storage/snapshot/backup.h"
#include "engine/storage/volume/volume_group.h"

static RESULT make_instance(struct cloud *c, int n)
{
	(void) n;
	struct instance_launch wish = cloud_launch(c, 1);
	return cloud_run(c, &c->alice, engine_create_instances_run, &wish);
}

static RESULT make_volume(struct cloud *c, int n)
{
	(void) n;
	struct volume_wish wish = {.zone = ref_named(KIND_ZONE, "xy-west-2a"),
				   .disk = {.size = GIB, .type = STR("gp3"), .field = STR("Size")}};
	return cloud_run(c, &c->alice, engine_create_volume_run, &wish);
}

static RESULT make_key_pair(struct cloud *c, int n)
{
	struct key_pair_wish wish = {.name = str_print(c->arena, "key-%d", n)};
	return cloud_run(c, &c->alice, engine_create_key_pair_run, &wish);
}

static RESULT make_server_group(struct cloud *c, int n)
{
	struct server_group_wish wish = {.name = str_print(c->arena, "group-%d", n)};
	return cloud_run(c, &c->alice, engine_create_server_group_run, &wish);
}

static RESULT make_volume_group(struct cloud *c, int n)
{
	struct volume_group_type_wish type = {.name = STR("type")};
	struct ref gp3 = ref_named(KIND_VOLUME_TYPE, "gp3");
	struct volume_group_wish wish = {.type = ref_named(KIND_VOLUME_GROUP_TYPE, "type"),
					 .zone = ref_named(KIND_ZONE, "xy-west-2a"),
					 .volume_types = {&gp3, 1}};
	if (n == 1)
		cloud_ok(c, &c->operator, engine_create_volume_group_type, &type);
	return cloud_run(c, &c->alice, engine_create_volume_group_run, &wish);
}

static RESULT make_image(struct cloud *c, int n)
{
	struct image_copying wish = {.source = ref_to(c, KIND_IMAGE, c->image),
				     .name = str_print(c->arena, "image-%d", n)};
	return cloud_run(c, &c->alice, engine_copy_image_run, &wish);
}

static RESULT make_address(struct cloud *c, int n)
{
	(void) n;
	struct address_wish wish = {0};
	return cloud_run(c, &c->alice, engine_allocate_address_run, &wish);
}

static RESULT make_router(struct cloud *c, int n)
{
	(void) n;
	struct router_wish wish = {.block = cidr_of("10.8.0.0/16")};
	return cloud_run(c, &c->alice, engine_create_router_run, &wish);
}

static RESULT make_group(struct cloud *c, int n)
{
	struct security_group_wish wish = {.name = str_print(c->arena, "group-%d", n),
					   .description = STR("g")};
	return cloud_run(c, &c->alice, engine_create_security_group_run, &wish);
}

static struct ref a_subnet(struct cloud *c)
{
	return ref_to(c, KIND_SUBNET, subnet_first_by_router(cloud_tables(c), c->alice_router)->row.id);
}

static RESULT make_port(struct cloud *c, int n)
{
	(void) n;
	struct port_wish wish = {.subnet = a_subnet(c)};
	return cloud_run(c, &c->alice, engine_create_port_run, &wish);
}

static RESULT make_nat_gateway(struct cloud *c, int n)
{
	(void) n;
	struct nat_gateway_wish wish = {.subnet = a_subnet(c)};
	return cloud_run(c, &c->alice, engine_create_nat_gateway_run, &wish);
}

static RESULT make_network(struct cloud *c, int n)
{
	(void) n;
	struct network_wish wish = {0};
	return cloud_run(c, &c->alice, engine_create_network_run, &wish);
}

static RESULT make_subnet(struct cloud *c, int n)
{
	struct cidr block = {ip_add(cidr_of("172.31.128.0/24").base, 256 * (uint64_t) n), 24};
	struct subnet_wish wish = {.router = ref_to(c, KIND_ROUTER, c->alice_router), .block = block};
	return cloud_run(c, &c->alice, engine_create_subnet_run, &wish);
}

static RESULT make_rule(struct cloud *c, int n)
{
	const struct router *router = router_find(cloud_tables(c), c->alice_router);
	const struct rule_wish rule = {6, 1000 + n, 1000 + n, cidr_of("0.0.0.0/0")};
	struct rules_wish wish = {.group = ref_to(c, KIND_SECURITY_GROUP, router->default_group),
				  .rules = &rule,
				  .rule_count = 1};
	return cloud_run(c, &c->alice, engine_authorize_rules_run, &wish);
}

static RESULT make_dedicated_host(struct cloud *c, int n)
{
	struct dedicated_host_wish wish = {.zone = ref_named(KIND_ZONE, n == 1 ? "xy-west-2b" : "xy-west-2a"),
					   .family = STR("t3"),
					   .count = 1};
	return cloud_run(c, &c->alice, engine_allocate_dedicated_hosts_run, &wish);
}

static RESULT make_backup(struct cloud *c, int n)
{
	struct backup_importing wish = {.target = STR("file:///backups"),
					.id = {.b = {1, (uint8_t) n}},
					.size = INT64_C(1) << 30,
					.container = STR("c")};
	return cloud_run(c, &c->alice, engine_import_backup_run, &wish);
}

/* The copy of a snapshot names the same file; each counts. */
static RESULT make_file(struct cloud *c, int n)
{
	return make_image(c, n);
}

static const struct maker {
	size_t limit, used; /* in struct account_limits, in struct account_side */
	RESULT (*make)(struct cloud *c, int n);
} makers[QUOTA_COUNTED] = {
#define MAKER(ID, figure, make)                                                                              \
	[QUOTA_##ID] = {offsetof(struct account_limits, figure), offsetof(struct account_usage, figure), make}
	MAKER(DEDICATED_HOSTS, dedicated_hosts, make_dedicated_host),
	MAKER(INSTANCES, instances, make_instance),
	MAKER(VCPUS, vcpus, make_instance),
	MAKER(MEMORY, memory, make_instance),
	MAKER(VOLUMES, volumes, make_volume),
	MAKER(VOLUME_BYTES, volume_bytes, make_volume),
	MAKER(SNAPSHOTS, snapshots, make_image), /* creates one snapshot, too */
	MAKER(BACKUPS, backups, make_backup),
	MAKER(BACKUP_BYTES, backup_bytes, make_backup),
	MAKER(KEY_PAIRS, key_pairs, make_key_pair),
	MAKER(SERVER_GROUPS, server_groups, make_server_group),
	MAKER(VOLUME_GROUPS, volume_groups, make_volume_group),
	MAKER(IMAGES, images, make_image),
	MAKER(ADDRESSES, addresses, make_address),
	MAKER(ROUTERS, routers, make_router),
	MAKER(GROUPS, groups, make_group),
	MAKER(PORTS, ports, make_port),
	MAKER(NAT_GATEWAYS, nat_gateways, make_nat_gateway),
	MAKER(NETWORKS, networks, make_network),
	MAKER(SUBNETS, subnets, make_subnet),
	MAKER(RULES, rules, make_rule),
	MAKER(ROWS_BYTES, rows_bytes, make_key_pair),
	MAKER(DISK_BYTES, disk_bytes, make_file),
};

static const enum kind kinds[QUOTA_COUNTED] = {
#define QUOTA(ID, figure, KIND, ...) [QUOTA_##ID] = KIND_##KIND,
#include "engine/limits.def"
};

static int64_t used(struct cloud *c, const struct maker *maker)
{
	const struct account *account = account_find(cloud_tables(c), c->alice.account);
	return *(const int64_t *) (const void *) ((const char *) account_usage(account) + maker->used);
}

static void set(struct cloud *c, const struct maker *maker, int64_t most)
{
	struct account_limits limits =
		account_limits_all(ref_to(c, KIND_ACCOUNT, c->alice.account), ACCOUNT_LIMIT_KEEP);
	*(int64_t *) (void *) ((char *) &limits + maker->limit) = most;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
}

static void check_each(void **state)
{
	for (enum quota quota = 0; quota < QUOTA_COUNTED; quota++) {
		const struct maker *maker = &makers[quota];
		if (!maker->make)
			fail_msg("nothing here meets quota %d", (int) quota);
		assert_int_equal(cloud_setup(state), 0);
		struct cloud *c = *state;
		int64_t before = used(c, maker);
		cloud_expect(c, maker->make(c, 1), ERR_NONE, KIND_NONE);
		int64_t each = used(c, maker) - before;
		assert_true(each > 0);
		set(c, maker, before + 2 * each - 1);
		cloud_expect(c, maker->make(c, 2), ERR_QUOTA, kinds[quota]);
		set(c, maker, before + 2 * each);
		cloud_expect(c, maker->make(c, 2), ERR_NONE, KIND_NONE);
		cloud_expect(c, maker->make(c, 3), ERR_QUOTA, kinds[quota]);
		assert_int_equal(cloud_teardown(state), 0);
	}
}

/* ---- of each thing by itself ---- */

static void set_one(struct cloud *c, size_t figure, int64_t most)
{
	const struct maker maker = {.limit = figure};
	set(c, &maker, most);
}

static void check_each_thing(void **state)
{
	struct cloud *c = *state;
	struct server_group_wish group = {.name = STR("group")};
	struct instance_launch launch = cloud_launch(c, 1);
	struct tag tags[] = {{STR("a"), STR("1")}, {STR("b"), STR("2")}};
	cloud_ok(c, &c->alice, engine_create_server_group, &group);
	set_one(c, offsetof(struct account_limits, server_group_members), 1);
	set_one(c, offsetof(struct account_limits, metadata_items), 1);
	launch.server_group = ref_to(c, KIND_SERVER_GROUP, group.server_group);
	launch.instance_tags = (struct tags){tags, 2};
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_QUOTA, KIND_NONE);
	launch.instance_tags.count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	struct ref instance = ref_to(c, KIND_INSTANCE, launch.made.at[0]);
	launch = cloud_launch(c, 1);
	launch.server_group = ref_to(c, KIND_SERVER_GROUP, group.server_group);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_QUOTA, KIND_SERVER_GROUP);
	struct tags_wish more = {.resources = {&instance, 1}, .tags = {tags, 2}};
	cloud_fails(c, &c->alice, engine_set_tags, &more, ERR_QUOTA, KIND_NONE);
	more.tags.count = 1; /* the one that it has */
	cloud_ok(c, &c->alice, engine_set_tags, &more);
	set_one(c, offsetof(struct account_limits, volume_size), GIB);
	struct volume_wish volume = {.zone = ref_named(KIND_ZONE, "xy-west-2a"),
				     .disk = {.size = 2 * GIB, .type = STR("gp3"), .field = STR("Size")}};
	cloud_fails(c, &c->alice, engine_create_volume, &volume, ERR_QUOTA, KIND_VOLUME);
	volume.disk.size = GIB;
	cloud_ok(c, &c->alice, engine_create_volume, &volume);
}

/* ---- bytes of rows ---- */

static void set_row_bytes(struct cloud *c, int64_t more)
{
	const struct maker maker = {.limit = offsetof(struct account_limits, rows_bytes),
				    .used = offsetof(struct account_usage, rows_bytes)};
	set(c, &maker, used(c, &maker) + more);
}

static void describe(struct cloud *c, uuid snapshot, size_t size, enum err err)
{
	static char text[256];
	memset(text, 'x', sizeof text);
	struct tag tag = {STR("text"), {text, size}};
	struct ref ref = ref_to(c, KIND_SNAPSHOT, snapshot);
	struct tags_wish tags = {.resources = {&ref, 1}, .tags = {&tag, 1}};
	cloud_expect(c, cloud_run(c, &c->alice, engine_set_tags_run, &tags), err,
		     err == ERR_NONE ? KIND_NONE : KIND_ACCOUNT);
}

/* An account above its limit may change rows that do not grow, make them smaller and delete them. Only clients are
 * held to it: what the reconciler reports, and what the operator does, goes on. */
static void check_row_bytes(void **state)
{
	struct cloud *c = *state;
	uuid volume = cloud_make_volume(c, GIB);
	cloud_see_volume(c, volume);
	struct ref other = ref_to(c, KIND_VOLUME, cloud_make_volume(c, GIB));
	struct snapshot_wish wish = {.volume = ref_to(c, KIND_VOLUME, volume)};
	cloud_ok(c, &c->alice, engine_create_snapshot, &wish);
	describe(c, wish.snapshot, 100, ERR_NONE);
	set_row_bytes(c, -1000);
	describe(c, wish.snapshot, 200, ERR_QUOTA);
	describe(c, wish.snapshot, 100, ERR_NONE);
	describe(c, wish.snapshot, 50, ERR_NONE);
	cloud_see_volume(c, volume);
	struct volume_target gone = {.volume = other};
	cloud_ok(c, &c->alice, engine_delete_volume, &gone);
	set_row_bytes(c, 1000);
	describe(c, wish.snapshot, 200, ERR_NONE);
}

/* Reports with texts from outside are held to the limit, too: a cloud elsewhere may list 50,000 machines, and a
 * deployment may give 256 KiB of outputs. */
static void check_reports(void **state)
{
	struct cloud *c = *state;
	struct provider_wish elsewhere = {.id = id_new(KIND_PROVIDER),
					  .name = STR("elsewhere"),
					  .region = STR("r"),
					  .login = STR("AKIA"),
					  .secret = STR("sealed")};
	struct deployment_wish wish = {.row = {.row.id = id_new(KIND_DEPLOYMENT), .name = STR("d")}};
	cloud_ok(c, &c->alice, engine_create_provider, &elsewhere);
	cloud_ok(c, &c->alice, engine_create_deployment, &wish);
	struct remote_machine machines[] = {
		{.row.id = id_new(KIND_REMOTE_MACHINE), .ref = STR("i-1"), .name = STR("old")},
		{.row.id = id_new(KIND_REMOTE_MACHINE), .ref = STR("i-2"), .name = STR("new")}};
	struct remote_machines_report listed = {.provider = elsewhere.id, .at = machines, .count = 1};
	struct provider_report seen = {.provider = elsewhere.id,
				       .gen = provider_find(cloud_tables(c), elsewhere.id)->row.gen,
				       .status = PROVIDER_STATUS_OK,
				       .has_listed = true};
	struct deployment_report over = {.deployment = wish.deployment,
					 .ended = DEPLOYMENT_ENDED_SUCCEEDED,
					 .outputs = STR("{\"a\":{\"value\":\"large\"}}")};
	cloud_ok(c, NULL, engine_see_remote_machines, &listed);
	set_row_bytes(c, -1);
	machines[0].name = STR("other");
	machines[0].power = REMOTE_MACHINE_POWER_RUNNING;
	listed.count = 2;
	cloud_ok(c, NULL, engine_see_remote_machines, &listed);
	cloud_ok(c, NULL, engine_see_provider, &seen);
	cloud_ok(c, NULL, engine_note_deployment, &over);
	const struct tables *t = cloud_tables(c);
	const struct remote_machine *old = remote_machine_find(t, machines[0].row.id);
	assert_true(str_is(old->name, "old") && old->power == REMOTE_MACHINE_POWER_RUNNING);
	assert_null(remote_machine_find(t, machines[1].row.id));
	assert_int_equal(provider_find(t, elsewhere.id)->status, PROVIDER_STATUS_FAILING);
	assert_true(str_contains(provider_find(t, elsewhere.id)->problem, STR("rows_bytes")));
	assert_int_equal(deployment_find(t, wish.deployment)->ended, DEPLOYMENT_ENDED_FAILED);
	assert_int_equal(deployment_find(t, wish.deployment)->outputs.n, 0);
	set_row_bytes(c, 100000);
	cloud_ok(c, NULL, engine_see_remote_machines, &listed);
	cloud_ok(c, NULL, engine_see_provider, &seen);
	t = cloud_tables(c);
	assert_non_null(remote_machine_find(t, machines[1].row.id));
	assert_true(str_is(remote_machine_find(t, machines[0].row.id)->name, "other"));
	assert_int_equal(provider_find(t, elsewhere.id)->status, PROVIDER_STATUS_OK);
}

/* A credential without a project is charged to the account of its user. */
static void check_credential(void **state)
{
	struct cloud *c = *state;
	const struct maker maker = {.used = offsetof(struct account_usage, rows_bytes)};
	struct account_user_wish user = {.name = STR("dave")};
	char text[4096];
	memset(text, 'x', sizeof text);
	c->alice.rights |= RIGHT(MANAGER);
	cloud_ok(c, &c->alice, engine_create_account_user, &user);
	struct credential_wish wish = {.id = id_new(KIND_CREDENTIAL),
				       .user = ref_to(c, KIND_USER, user.user),
				       .type = STR("cert"),
				       .secret = {text, sizeof text}};
	int64_t before = used(c, &maker);
	cloud_ok(c, &c->operator, engine_create_credential, &wish);
	assert_true(used(c, &maker) >= before + (int64_t) sizeof text);
	struct credential_target gone = {.credential = wish.id};
	cloud_ok(c, &c->operator, engine_delete_credential, &gone);
	assert_int_equal(used(c, &maker), before);
}

/* Every kind whose rows accounts make is charged to one. */
static void check_payers(void **state)
{
	bool is_operators[KIND_COUNT] = {
#define OPERATORS(KIND, why) [KIND_##KIND] = true,
#include "engine/limits.def"
		/* administrators' and the region's own */
		[KIND_CATALOG_ENTRY] = true,    [KIND_ROLE] = true,      [KIND_AGGREGATE] = true,
		[KIND_SIGNUP] = true,           [KIND_CONDITION] = true, [KIND_WEBHOOK_DELIVERY] = true,
		[KIND_REGISTERED_LIMIT] = true,
	};
	(void) state;
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		if (!is_operators[kind] && !row_bytes_has_payer(kind))
			fail_msg("rows of %s are charged to no account (engine/row_bytes.c)",
				 model_kinds[kind].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_each),
		cmocka_unit_test_setup_teardown(check_each_thing, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_row_bytes, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_reports, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_credential, cloud_setup, cloud_teardown),
		cmocka_unit_test(check_payers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
