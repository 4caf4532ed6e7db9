/* SPDX-License-Identifier: Apache-2.0
 * Launches: all parameters, refusals, quotas, client tokens, and faults. */
#include "cloud.h"
#include "model/address.h"
#include "model/port.h"
#include "model/states.h"
#include "store/account.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/router.h"
#include "store/subnet.h"
#include "store/volume.h"
#include "store/zone.h"

#include "base/fault.h"

static void check_one(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct instance_launch wish = cloud_launch(c, 1);
	wish.key_pair = ref_named(KIND_KEY_PAIR, "key");
	wish.user_data = STR("#!/bin/sh");
	const struct tag name = {STR("Name"), STR("web")};
	wish.instance_tags = wish.volume_tags = (struct tags){&name, 1};
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	const struct instance *i = cloud_instance(c, wish.made.at[0]);
	assert_int_equal(i->row.id.b[0], 0xec);
	assert_int_equal(i->row.gen, 1);
	assert_int_equal(model_derive_instance_state(i), INSTANCE_PENDING);
	assert_true(uuid_equal(i->reservation, wish.reservation) && i->launch_index == 0 && !wish.replayed);
	assert_true(i->vcpus == 2 && i->memory == GIB && i->tags.count == 1);
	assert_true(str_is(i->key_name, "key") && str_is(i->public_key, "ssh-rsa AAAA"));
	assert_true(str_is(i->user_data, "#!/bin/sh"));
	assert_true(i->metadata_enabled && !i->metadata_tokens_required && i->metadata_hop_limit == 1);
	assert_true(uuid_equal(i->router, c->alice_router) && !uuid_is_none(i->host));
	assert_true(uuid_equal(i->zone, host_find(t, i->host)->zone));

	const struct port *port = cloud_port(c, i->row.id);
	assert_true(uuid_equal(port->subnet, i->subnet) && uuid_equal(port->host, i->host));
	assert_true(cidr_contains(subnet_find(t, i->subnet)->block, port->ip) && port->delete_on_termination);
	assert_true(uuid_equal(port->groups.at[0], router_find(t, c->alice_router)->default_group));
	const struct volume *volume = cloud_volume(c, i->row.id);
	assert_true(volume->size == 2 * GIB && str_is(volume->device, "/dev/xvda") &&
		    str_is(volume->type, "gp3"));
	assert_true(volume->delete_on_termination && volume->tags.count == 1 &&
		    uuid_equal(volume->host, i->host));
	assert_true(uuid_equal(volume->snapshot, c->snapshot));
	assert_int_equal(cloud_usage(c, volume->row.id, "volume:gp3"), 2 * GIB);
	assert_int_equal(cloud_usage(c, i->row.id, "instance:t3.micro"), -1); /* it does not run yet */
	const struct account_usage *usage = account_usage(account_find(t, c->alice.account));
	assert_true(usage->instances == 1 && usage->vcpus == 2 && usage->volumes == 1 &&
		    usage->volume_bytes == 2 * GIB);
	assert_int_equal(engine_count_free_addresses(subnet_find(t, i->subnet)), 4090);
	assert_true(cidr_contains(cidr_of("198.51.100.0/24"), cloud_address(c, i->row.id)->ip));
}

static void check_several(void **state)
{
	struct cloud *c = *state;
	struct instance_launch wish = cloud_launch(c, 3);
	const struct disk_wish disks[] = {
		{.device = STR("/dev/sda1"),
		 .size = 8 * GIB,
		 .type = STR("gp2"),
		 .delete_on_termination = CHOICE_NO},
		{.device = STR("/dev/sdb"), .size = 4 * GIB},
	};
	wish.disks = disks;
	wish.disk_count = 2;
	const struct launch_port port = {
		.subnet = ref_to(c, KIND_SUBNET,
				 subnet_first_by_router(cloud_tables(c), c->alice_router)->row.id)};
	wish.ports = &port;
	wish.port_count = 1;
	wish.personality_choice = CHOICE_YES;
	wish.personality = INSTANCE_PERSONALITY_NOCLOUD;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	assert_int_equal(wish.made.count, 3);
	for (int64_t n = 0; n < 3; n++) {
		const struct instance *i = instance_find_by_reservation(cloud_tables(c), wish.reservation, n);
		assert_true(uuid_equal(i->row.id, wish.made.at[n]));
		assert_int_equal(i->personality, INSTANCE_PERSONALITY_NOCLOUD);
		const struct volume *root = volume_find_by_instance(cloud_tables(c), i->row.id, 0);
		const struct volume *data = volume_find_by_instance(cloud_tables(c), i->row.id, 1);
		assert_true(!root->delete_on_termination && root->size == 8 * GIB &&
			    str_is(root->type, "gp2"));
		assert_true(data->delete_on_termination && uuid_is_none(data->snapshot) &&
			    str_is(data->device, "/dev/sdb"));
	}
	assert_int_equal(account_usage(account_find(cloud_tables(c), c->alice.account))->volume_bytes,
			 36 * GIB);
}

/* Each launch has one invalid parameter. */
static void check_refused(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct instance_launch good = cloud_launch(c, 1), wish = good;
	wish.type = ref_named(KIND_INSTANCE_TYPE, "t9.huge");
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_NOT_FOUND, KIND_INSTANCE_TYPE);
	wish.type = ref_named(KIND_INSTANCE_TYPE, "t4g.micro");
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_INVALID, KIND_INSTANCE_TYPE);
	wish = good;
	wish.image = ref_to(c, KIND_IMAGE, uuid_random());
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_NOT_FOUND, KIND_IMAGE);
	wish = good;
	wish.key_pair = ref_named(KIND_KEY_PAIR, "none");
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_NOT_FOUND, KIND_KEY_PAIR);
	wish.key_pair = ref_named(KIND_KEY_PAIR, "key");
	cloud_fails(c, &c->bob, engine_create_instances, &wish, ERR_NOT_FOUND, KIND_KEY_PAIR);
	wish = good;
	struct launch_port port = {
		.subnet = ref_to(c, KIND_SUBNET, subnet_first_by_router(t, c->bob_router)->row.id)};
	wish.ports = &port;
	wish.port_count = 1;
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_NOT_FOUND, KIND_SUBNET);
	port.subnet = ref_to(c, KIND_SUBNET, subnet_first_by_router(t, c->alice_router)->row.id);
	bool is_first = uuid_equal(subnet_first_by_router(t, c->alice_router)->zone,
				   zone_find_by_name(t, STR("xy-west-2a"))->row.id);
	wish.zone = ref_named(KIND_ZONE, is_first ? "xy-west-2b" : "xy-west-2a");
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_COMBINATION, KIND_SUBNET);
	wish.zone = ref_named(KIND_ZONE, "xy-west-2z");
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_NOT_FOUND, KIND_ZONE);
	const struct ref group = ref_named(KIND_SECURITY_GROUP, "none");
	wish.zone = (struct ref){0};
	port = (struct launch_port){.groups = {&group, 1}};
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_NOT_FOUND, KIND_SECURITY_GROUP);
	wish = good;
	wish.min_count = 0;
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_INVALID, KIND_INSTANCE);
	wish.min_count = 2;
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_INVALID, KIND_INSTANCE);
	wish.max_count = 1001;
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_INVALID, KIND_INSTANCE);
	wish.max_count = 2;
	port = (struct launch_port){.ips.primary = ip_of("172.31.0.10")};
	wish.ports = &port;
	wish.port_count = 1;
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_COMBINATION, KIND_PORT);
	wish.min_count = wish.max_count = 1;
	port.ips.primary = ip_of("10.0.0.10");
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_RANGE, KIND_PORT);
	wish = good;
	wish.metadata_hop_limit = 65;
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_INVALID, KIND_INSTANCE);
	wish = good;
	char *data = arena_alloc(c->arena, INSTANCE_USER_DATA_MAX + 1);
	wish.user_data = (struct str){data, INSTANCE_USER_DATA_MAX + 1};
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_INVALID, KIND_INSTANCE);
	cloud_fails(c, NULL, engine_create_instances, &good, ERR_INVALID, KIND_ACCOUNT);
}

static void check_refused_volumes(void **state)
{
	struct cloud *c = *state;
	const struct {
		struct disk_wish disks[2];
		enum err err;
	} rows[] = {
		{{{.device = STR("/dev/xvda"), .size = GIB}}, ERR_INVALID}, /* less than the image */
		{{{.device = STR("/dev/sdb")}}, ERR_MISSING},               /* blank of no size */
		{{{.device = STR("/dev/sdb"), .size = GIB}, {.device = STR("/dev/sdb"), .size = GIB}},
		 ERR_INVALID},
		{{{.device = STR("B:"), .size = GIB}}, ERR_INVALID},
		{{{.device = STR("/dev/xvda"), .is_left_out = true}}, ERR_INVALID},
		{{{.device = STR("/dev/sdb"), .size = GIB, .type = STR("zip")}}, ERR_INVALID},
	};
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
		struct instance_launch wish = cloud_launch(c, 1);
		wish.disks = rows[n].disks;
		wish.disk_count = str_is_empty(rows[n].disks[1].device) ? 1 : 2;
		cloud_fails(c, &c->alice, engine_create_instances, &wish, rows[n].err, KIND_VOLUME);
	}
	static struct disk_wish many[INSTANCE_VOLUMES_MAX]; /* not on the stack */
	for (size_t n = 0; n < INSTANCE_VOLUMES_MAX; n++)
		many[n] = (struct disk_wish){.device = str_print(c->arena, "/dev/xvdb%c", (char) ('a' + n)),
					     .size = GIB};
	struct instance_launch wish = cloud_launch(c, 1);
	wish.disks = many;
	wish.disk_count = INSTANCE_VOLUMES_MAX; /* and the root disk */
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_INVALID, KIND_VOLUME);
	wish.disk_count--;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
}

static void set_limits(struct cloud *c, int64_t instances, int64_t vcpus, int64_t volumes, int64_t bytes)
{
	struct account_limits limits =
		account_limits_all(ref_named(KIND_ACCOUNT, "alice"), ACCOUNT_LIMIT_KEEP);
	limits.instances = instances;
	limits.vcpus = vcpus;
	limits.volumes = volumes;
	limits.volume_bytes = bytes;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
}

static void check_quota(void **state)
{
	struct cloud *c = *state;
	static const struct {
		int64_t instances, vcpus, volumes, bytes;
		enum kind kind; /* none: two fit */
	} rows[] = {
		{1, -1, -1, -1, KIND_INSTANCE}, {-1, 3, -1, -1, KIND_INSTANCE_TYPE},
		{-1, -1, 1, -1, KIND_VOLUME},   {-1, -1, -1, 4 * GIB - 1, KIND_VOLUME},
		{2, 4, 2, 4 * GIB, KIND_NONE},
	};
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
		set_limits(c, rows[n].instances, rows[n].vcpus, rows[n].volumes, rows[n].bytes);
		struct instance_launch wish = cloud_launch(c, 2);
		wish.max_count = 5;
		cloud_expect(c, cloud_run(c, &c->alice, engine_create_instances_run, &wish),
			     rows[n].kind ? ERR_QUOTA : ERR_NONE, rows[n].kind);
		if (!rows[n].kind)
			assert_int_equal(wish.made.count, 2); /* as many as the quota allows */
	}
	/* Bob's are his own. */
	struct instance_launch wish = cloud_launch(c, 1);
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_QUOTA, KIND_INSTANCE);
	cloud_ok(c, &c->bob, engine_create_instances, &wish);
}

static void check_capacity(void **state)
{
	struct cloud *c = *state;
	struct instance_launch wish = cloud_launch(c, 100);
	wish.zone = ref_named(KIND_ZONE, "xy-west-2b");             /* one host: 16 vCPUs, 16 GiB */
	const struct launch_port inside = {.public_ip = CHOICE_NO}; /* of public addresses there are fewer */
	wish.ports = &inside;
	wish.port_count = 1;
	set_limits(c, -1, -1, -1, -1);
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_CAPACITY, KIND_INSTANCE);
	assert_true(str_contains(c->c.problem.message, STR("xy-west-2b")));
	assert_true(str_contains(c->c.problem.message, STR("1 lack vCPUs (h3)")));
	wish.min_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	assert_int_equal(wish.made.count, 8);
	/* No address left in the subnet is another reason. */
	struct router_wish router = {.block = cidr_of("10.0.0.0/28")};
	cloud_ok(c, &c->alice, engine_create_router, &router);
	struct subnet_wish subnet = {.router = ref_to(c, KIND_ROUTER, router.router),
				     .block = cidr_of("10.0.0.0/28")};
	cloud_ok(c, &c->alice, engine_create_subnet, &subnet);
	wish = cloud_launch(c, 12);
	wish.type = ref_named(KIND_INSTANCE_TYPE, "t2.nano");
	const struct launch_port port = {.subnet = ref_to(c, KIND_SUBNET, subnet.subnet)};
	wish.ports = &port;
	wish.port_count = 1;
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_CAPACITY, KIND_SUBNET);
}

static void check_unplaced(void **state)
{
	struct cloud *c = *state;
	for (size_t n = 0; n < CLOUD_HOSTS; n++) {
		struct host_report down = {.host = c->hosts[n], .state = HOST_SEEN_STATE_DOWN};
		cloud_ok(c, NULL, engine_see_host, &down);
	}
	struct instance_launch wish = cloud_launch(c, 1);
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_CAPACITY, KIND_INSTANCE);
	wish.accept_unplaced = true;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	uuid id = wish.made.at[0];
	assert_true(uuid_is_none(cloud_instance(c, id)->host));
	assert_non_null(cloud_condition(c, id, "NoHost"));
	struct instance_placing placing = {.instance = id};
	cloud_ok(c, NULL, engine_place_instance, &placing);
	assert_false(placing.placed);
	/* An instance that was never placed terminates at once, without a host's report. */
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	struct ref ref = ref_to(c, KIND_INSTANCE, wish.made.at[0]);
	struct instances_wish end = {.instances = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_terminate_instances, &end);
	assert_int_equal(end.changes[0].before, INSTANCE_PENDING);
	assert_int_equal(end.changes[0].after, INSTANCE_TERMINATED);
	assert_null(cloud_port(c, wish.made.at[0]));

	for (size_t n = 0; n < CLOUD_HOSTS; n++) {
		struct host_report up = {.host = c->hosts[n], .state = HOST_SEEN_STATE_UP};
		cloud_ok(c, NULL, engine_see_host, &up);
	}
	cloud_ok(c, NULL, engine_place_instance, &placing);
	assert_true(placing.placed);
	uuid host = cloud_instance(c, id)->host;
	assert_false(uuid_is_none(host));
	assert_true(uuid_equal(cloud_port(c, id)->host, host) && uuid_equal(cloud_volume(c, id)->host, host));
	assert_null(cloud_condition(c, id, "NoHost"));
}

static void check_tokens(void **state)
{
	struct cloud *c = *state;
	struct instance_launch wish = cloud_launch(c, 2);
	wish.client_token = STR("abc");
	wish.digest = STR("d1");
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	struct instance_launch again = wish;
	cloud_ok(c, &c->alice, engine_create_instances, &again);
	assert_true(again.replayed && uuid_equal(again.reservation, wish.reservation));
	assert_int_equal(again.made.count, 2);
	assert_true(uuid_equal(again.made.at[1], wish.made.at[1]));
	assert_int_equal(tables_count(cloud_tables(c), KIND_INSTANCE), 2);
	again.digest = STR("d2");
	cloud_fails(c, &c->alice, engine_create_instances, &again, ERR_CONFLICT, KIND_CLIENT_TOKEN);
	cloud_ok(c, &c->bob, engine_create_instances, &again); /* his own token */
	assert_false(again.replayed);
	clock_advance_us(24 * HOUR);
	cloud_ok(c, &c->alice, engine_create_instances, &wish); /* a day later it is a new call */
	assert_false(wish.replayed);
	char text[129];
	memset(text, 'x', sizeof text);
	wish.client_token = (struct str){text, sizeof text};
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_INVALID, KIND_CLIENT_TOKEN);
	/* A refused call leaves no token. */
	wish.client_token = STR("later");
	wish.type = ref_named(KIND_INSTANCE_TYPE, "nonsense");
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_NOT_FOUND, KIND_INSTANCE_TYPE);
	wish.type = ref_named(KIND_INSTANCE_TYPE, "t3.micro");
	wish.digest = STR("d3");
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
}

/* The n-th allocation fails, for every n: refused without a trace, or done. */
static void check_faults(void **state)
{
	struct cloud *c = *state;
	struct instance_launch wish = cloud_launch(c, 2);
	wish.key_pair = ref_named(KIND_KEY_PAIR, "key");
	wish.client_token = STR("token");
	const struct tag tag = {STR("k"), STR("v")};
	wish.instance_tags = wish.volume_tags = wish.port_tags = (struct tags){&tag, 1};
	for (uint64_t n = 0;; n++) {
		struct instance_launch try = wish;
		struct str before = cloud_dump(c);
		c->skips_dumps = true; /* dumps allocate, too */
		fault_arm(FAULT_ALLOC, n, false);
		struct result r = cloud_run(c, &c->alice, engine_create_instances_run, &try);
		bool fired = fault_has_fired();
		fault_disarm();
		c->skips_dumps = false;
		if (result_is_ok(r)) {
			assert_false(fired);
			assert_true(n > 12); /* every row and every line of history */
			break;
		}
		assert_true(fired);
		assert_true(str_equal(before, cloud_dump(c)));
	}
	assert_int_equal(tables_count(cloud_tables(c), KIND_INSTANCE), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_one, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_several, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_refused, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_refused_volumes, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_quota, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_capacity, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_unplaced, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_tokens, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_faults, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
