/* SPDX-License-Identifier: Apache-2.0
 * Transfers of instances to another account: resources that move or stay, required rights, and obstacles. */
#include "cloud.h"
#include "engine/instance/placement/server_group.h"
#include "engine/job.h"
#include "engine/network/network.h"
#include "engine/network/network_grant.h"
#include "engine/people/policy/role.h"
#include "store/account.h"
#include "store/instance.h"
#include "store/port.h"
#include "store/security_group.h"
#include "store/snapshot.h"
#include "store/subnet.h"

static struct ref ref_by(enum kind kind, uuid id)
{
	return (struct ref){.kind = kind, .prefix = id, .bits = 128};
}

static struct account_usage *usage_of(const struct cloud *c, const struct identity *who)
{
	return account_usage(account_find(cloud_tables(c), who->account));
}

static uuid launch_stopped(struct cloud *c, const struct instance_launch *wish)
{
	struct instance_launch launch = *wish;
	launch.stays_off = true;
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	cloud_see(c, launch.made.at[0], INSTANCE_SEEN_POWER_OFF);
	return launch.made.at[0];
}

static uuid launch_one(struct cloud *c)
{
	const struct instance_launch wish = cloud_launch(c, 1);
	return launch_stopped(c, &wish);
}

static uuid add_disk(struct cloud *c, uuid instance)
{
	const struct instance *i = cloud_instance(c, instance);
	struct volume_wish wish = {.zone = ref_by(KIND_ZONE, i->zone),
				   .disk = {.size = 2 * GIB, .type = STR("gp3"), .field = STR("Size")}};
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	struct volume_report report = {.volume = wish.volume, .gen = 1, .host = i->host, .size = 2 * GIB};
	cloud_ok(c, NULL, engine_see_volume, &report);
	struct volume_attaching attaching = {.volume = ref_to(c, KIND_VOLUME, wish.volume),
					     .instance = ref_to(c, KIND_INSTANCE, instance),
					     .device = STR("/dev/xvdf")};
	cloud_ok(c, &c->alice, engine_attach_volume, &attaching);
	return wish.volume;
}

static struct instance_assigning wish_of(struct cloud *c, uuid instance, uuid account)
{
	static const struct launch_port plain = {.field = {"networkids", 10}};
	return (struct instance_assigning){.instance = ref_to(c, KIND_INSTANCE, instance),
					   .account = account,
					   .ports = &plain,
					   .port_count = 1};
}

static void give(struct cloud *c, uuid instance)
{
	struct instance_assigning wish = wish_of(c, instance, c->bob.account);
	cloud_ok(c, &c->operator, engine_assign_instance, &wish);
}

#define refuse(c, who, instance, err, kind) refuse_at((c), (who), (instance), (err), (int) (kind), __LINE__)
static void refuse_at(struct cloud *c, const struct identity *who, uuid instance, enum err err, int kind,
		      int line)
{
	struct instance_assigning wish = wish_of(c, instance, c->bob.account);
	cloud_expect_at(c, cloud_run(c, who, engine_assign_instance_run, &wish), err, kind, __FILE__, line);
}

/* ---- resources that move ---- */

static uuid owner_of_disk(const struct cloud *c, uuid disk)
{
	return engine_get_owner(KIND_VOLUME, tables_find(cloud_tables(c), KIND_VOLUME, disk));
}

static void check_assign(void **state)
{
	struct cloud *c = *state;
	struct server_group_wish group = {.name = STR("apart"), .policy = SERVER_GROUP_POLICY_ANTI_AFFINITY};
	cloud_ok(c, &c->alice, engine_create_server_group, &group);
	struct instance_launch launch = cloud_launch(c, 1);
	launch.server_group = ref_to(c, KIND_SERVER_GROUP, group.server_group);
	launch.admin_password = STR("sealed for alice");
	uuid id = launch_stopped(c, &launch), disk = add_disk(c, id);
	const struct instance before = *cloud_instance(c, id);
	const struct account_usage alice = *usage_of(c, &c->alice), bob = *usage_of(c, &c->bob);
	uuid port = cloud_port(c, id)->row.id, root = ((const struct row *) cloud_volume(c, id))->id;
	give(c, id);
	const struct instance *now = cloud_instance(c, id);
	assert_true(uuid_equal(now->account, c->bob.account));
	assert_true(now->row.gen > before.row.gen);
	assert_true(uuid_equal(now->router, c->bob_router));
	assert_true(uuid_equal(now->zone, before.zone) && uuid_equal(now->host, before.host));
	assert_false(uuid_equal(now->reservation, before.reservation));
	assert_true(uuid_is_none(now->server_group) && now->admin_password.n == 0);
	assert_true(str_equal(now->key_name, before.key_name));
	assert_true(uuid_equal(owner_of_disk(c, root), c->bob.account));
	assert_true(uuid_equal(owner_of_disk(c, disk), c->bob.account));
	assert_false(row_is_live(&port_find(cloud_tables(c), port)->row));
	assert_int_equal(usage_of(c, &c->alice)->instances, alice.instances - 1);
	assert_int_equal(usage_of(c, &c->alice)->volumes, alice.volumes - 2);
	assert_int_equal(usage_of(c, &c->alice)->ports, alice.ports - 1);
	assert_int_equal(usage_of(c, &c->bob)->vcpus, bob.vcpus + now->vcpus);
	assert_int_equal(usage_of(c, &c->bob)->volume_bytes,
			 bob.volume_bytes + alice.volume_bytes - usage_of(c, &c->alice)->volume_bytes);
	assert_int_equal(usage_of(c, &c->bob)->ports, bob.ports + 1);
	assert_int_equal(cloud_usage(c, disk, "volume:gp3"), 2 * GIB);
	refuse(c, &c->alice, id, ERR_NOT_FOUND, KIND_INSTANCE);
}

static struct port *find_new_port(const struct cloud *c, uuid instance)
{
	const struct port *p = port_first_by_instance(cloud_tables(c), instance);
	while (p && !row_is_live(&p->row))
		p = port_next_by_instance(cloud_tables(c), p);
	return (struct port *) p;
}

/* In bob's default subnet of that zone, in his default group; with a public address once it runs. */
static void check_port(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_one(c);
	give(c, id);
	const struct port *p = find_new_port(c, id);
	const struct subnet *s = subnet_find(cloud_tables(c), p->subnet);
	assert_true(uuid_equal(p->account, c->bob.account) && p->device_index == 0);
	assert_true(s->is_default && uuid_equal(s->account, c->bob.account));
	assert_true(uuid_equal(s->zone, cloud_instance(c, id)->zone));
	assert_int_equal(p->groups.count, 1);
	assert_true(
		uuid_equal(security_group_find(cloud_tables(c), p->groups.at[0])->account, c->bob.account));
	assert_null(cloud_address(c, id));
	struct ref ref = ref_to(c, KIND_INSTANCE, id);
	struct instances_wish start = {.instances = {&ref, 1}};
	cloud_fails(c, &c->alice, engine_start_instances, &start, ERR_NOT_FOUND, KIND_INSTANCE);
	cloud_ok(c, &c->bob, engine_start_instances, &start);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
}

/* A port that is not to go with its instance stays with who had it. */
static void check_port_that_stays(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_one(c), port = cloud_port(c, id)->row.id;
	struct port_settings keep = {.port = ref_to(c, KIND_PORT, port), .delete_on_termination = CHOICE_NO};
	cloud_ok(c, &c->alice, engine_update_port, &keep);
	give(c, id);
	const struct port *now = port_find(cloud_tables(c), port);
	assert_true(row_is_live(&now->row) && uuid_is_none(now->instance));
	assert_true(uuid_equal(now->account, c->alice.account));
}

/* ---- networks ---- */

static void check_networks(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_one(c);
	struct network_wish network = {.name = STR("net")};
	cloud_ok(c, &c->bob, engine_create_network, &network);
	struct network_subnet_wish subnet = {.network = ref_by(KIND_NETWORK, network.network),
					     .block = cidr_of("10.0.1.0/24")};
	cloud_ok(c, &c->bob, engine_add_subnet, &subnet);
	struct launch_port ports[] = {
		{.network = ref_by(KIND_NETWORK, cloud_port(c, id)->network), .field = STR("networkids")},
		{.network = ref_by(KIND_NETWORK, network.network), .device_index = 1}};
	struct instance_assigning wish = wish_of(c, id, c->bob.account);
	wish.ports = ports;
	/* The new account cannot use alice's network, even if the operator asks. */
	cloud_fails(c, &c->operator, engine_assign_instance, &wish, ERR_NOT_FOUND, KIND_NETWORK);
	ports[0].network = ports[1].network;
	wish.port_count = 2;
	cloud_ok(c, &c->operator, engine_assign_instance, &wish);
	assert_int_equal(usage_of(c, &c->bob)->ports, 2);
	assert_true(uuid_equal(cloud_instance(c, id)->subnet, subnet.subnet));
}

/* The instance keeps its network if the network is shared with the new account. */
static void check_granted(void **state)
{
	struct cloud *c = *state;
	struct network_wish network = {.name = STR("net")};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	struct network_subnet_wish subnet = {.network = ref_by(KIND_NETWORK, network.network),
					     .block = cidr_of("10.0.1.0/24")};
	cloud_ok(c, &c->alice, engine_add_subnet, &subnet);
	struct network_grant_wish grant = {.network = ref_by(KIND_NETWORK, network.network),
					   .target = ref_by(KIND_ACCOUNT, c->bob.account)};
	cloud_ok(c, &c->alice, engine_grant_network, &grant);
	struct launch_port port = {.network = ref_by(KIND_NETWORK, network.network)};
	struct instance_launch launch = cloud_launch(c, 1);
	launch.ports = &port;
	launch.port_count = 1;
	uuid id = launch_stopped(c, &launch);
	give(c, id);
	assert_true(uuid_equal(cloud_instance(c, id)->subnet, subnet.subnet));
	assert_true(uuid_equal(find_new_port(c, id)->account, c->bob.account));
}

/* ---- rights ---- */

static void grant_manager(struct cloud *c, uuid account)
{
	struct role_grant grant = {.role = ref_named(KIND_ROLE, "manager"),
				   .user = ref_to(c, KIND_USER, c->alice.user),
				   .account = ref_to(c, KIND_ACCOUNT, account)};
	cloud_ok(c, &c->operator, engine_grant_role, &grant);
}

static void check_who_may(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_one(c);
	refuse(c, &c->bob, id, ERR_NOT_FOUND, KIND_INSTANCE);
	refuse(c, &c->alice, id, ERR_DENIED, KIND_INSTANCE);
	grant_manager(c, c->alice.account);
	refuse(c, &c->alice, id, ERR_DENIED, KIND_INSTANCE);
	grant_manager(c, c->bob.account);
	struct instance_assigning wish = wish_of(c, id, c->bob.account);
	cloud_ok(c, &c->alice, engine_assign_instance, &wish);
	assert_true(uuid_equal(cloud_instance(c, id)->account, c->bob.account));
}

static void check_accounts(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_one(c);
	struct instance_assigning wish = wish_of(c, id, c->alice.account);
	cloud_fails(c, &c->operator, engine_assign_instance, &wish, ERR_INVALID, KIND_ACCOUNT);
	wish.account = UUID_NONE;
	cloud_fails(c, &c->operator, engine_assign_instance, &wish, ERR_INVALID, KIND_ACCOUNT);
	struct account_change closing = {.account = ref_named(KIND_ACCOUNT, "bob"), .enabled = CHOICE_NO};
	cloud_ok(c, &c->operator, engine_update_account, &closing);
	refuse(c, &c->operator, id, ERR_INVALID, KIND_ACCOUNT);
}

/* ---- obstacles ---- */

static void check_states(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c);
	struct ref ref = ref_to(c, KIND_INSTANCE, id);
	struct instances_wish all = {.instances = {&ref, 1}};
	refuse(c, &c->operator, id, ERR_STATE, KIND_INSTANCE); /* it starts */
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	refuse(c, &c->operator, id, ERR_STATE, KIND_INSTANCE);
	cloud_ok(c, &c->alice, engine_stop_instances, &all);
	refuse(c, &c->operator, id, ERR_STATE, KIND_INSTANCE); /* it stops */
	cloud_see(c, id, INSTANCE_SEEN_POWER_OFF);
	cloud_ok(c, &c->alice, engine_lock_instances, &all);
	refuse(c, &c->bob, id, ERR_NOT_FOUND, KIND_INSTANCE);
	grant_manager(c, c->alice.account);
	grant_manager(c, c->bob.account);
	refuse(c, &c->alice, id, ERR_PROTECTED, KIND_INSTANCE);
	cloud_ok(c, &c->alice, engine_unlock_instances, &all);
	cloud_ok(c, &c->alice, engine_destroy_instances, &all);
	refuse(c, &c->operator, id, ERR_STATE, KIND_INSTANCE);
}

static void check_jobs(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_one(c);
	struct job_queuing job = {
		.job = {.command = STR("startVirtualMachine"), .outcome = ASYNC_JOB_OUTCOME_SETTLED},
		.turn = ASYNC_JOB_TURN_START,
		.permission = "instance.start",
		.instance = ref_to(c, KIND_INSTANCE, id)};
	cloud_ok(c, &c->alice, engine_queue_job, &job);
	refuse(c, &c->operator, id, ERR_STATE, KIND_INSTANCE);
}

static void limit_bob(struct cloud *c, int64_t instances, int64_t volumes, int64_t ports)
{
	struct account_limits limits = account_limits_all(ref_named(KIND_ACCOUNT, "bob"), ACCOUNT_LIMIT_KEEP);
	limits.instances = instances;
	limits.volumes = volumes;
	limits.ports = ports;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
}

static void check_limits(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_one(c);
	add_disk(c, id);
	limit_bob(c, 0, 2, 1);
	refuse(c, &c->operator, id, ERR_QUOTA, KIND_INSTANCE);
	limit_bob(c, 1, 1, 1);
	refuse(c, &c->operator, id, ERR_QUOTA, KIND_VOLUME);
	limit_bob(c, 1, 2, 0);
	refuse(c, &c->operator, id, ERR_QUOTA, KIND_PORT);
	limit_bob(c, 1, 2, 1);
	give(c, id);
}

static void check_snapshots(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_one(c);
	struct snapshot_wish wish = {.volume = ref_to(c, KIND_VOLUME, add_disk(c, id))};
	cloud_ok(c, &c->alice, engine_create_snapshot, &wish);
	refuse(c, &c->operator, id, ERR_STATE, KIND_VOLUME);
	struct snapshot_target target = {.snapshot = ref_to(c, KIND_SNAPSHOT, wish.snapshot)};
	cloud_ok(c, &c->alice, engine_delete_snapshot, &target);
	give(c, id);
}

static void check_address(void **state)
{
	struct cloud *c = *state;
	uuid id = launch_one(c);
	struct address_wish address = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	struct address_association wish = {.address = ref_to(c, KIND_ADDRESS, address.address),
					   .instance = ref_to(c, KIND_INSTANCE, id)};
	cloud_ok(c, &c->alice, engine_associate_address, &wish);
	refuse(c, &c->operator, id, ERR_STATE, KIND_INSTANCE);
}

/* An instance cannot be given to bob if bob may not launch from its image. */
static void check_template(void **state)
{
	struct cloud *c = *state;
	struct image_import image = {
		.name = STR("alice's own"), .virtual_size = GIB, .file_size = GIB / 4, .sha256 = STR("beef")};
	cloud_ok(c, &c->alice, engine_import_image, &image);
	struct instance_launch launch = cloud_launch(c, 1);
	launch.image = ref_to(c, KIND_IMAGE, image.image);
	refuse(c, &c->operator, launch_stopped(c, &launch), ERR_DENIED, KIND_IMAGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cloud_setup, cloud_teardown)
	const struct CMUnitTest tests[] = {
		TEST(check_assign),   TEST(check_port),    TEST(check_port_that_stays), TEST(check_networks),
		TEST(check_granted),  TEST(check_who_may), TEST(check_accounts),        TEST(check_states),
		TEST(check_limits),   TEST(check_jobs),    TEST(check_snapshots),       TEST(check_address),
		TEST(check_template),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
