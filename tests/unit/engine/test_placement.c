/* SPDX-License-Identifier: Apache-2.0
 * Placement as a table of hosts without a store, and on the hosts of a cloud. */
#include "cloud.h"
#include "engine/instance/instance_type.h"
#include "engine/instance/placement/server_group.h"
#include "engine/region/aggregate.h"
#include "engine/region/dedicated_host.h"
#include "model/dedicated_host.h"
#include "model/instance.h"
#include "model/server_group.h"
#include "store/aggregate.h"
#include "store/host.h"
#include "store/instance_type.h"
#include "store/volume.h"
#include "store/zone.h"

static void check_reasons(void **state)
{
	(void) state;
	static const struct {
		const char *what;
		bool disabled, down, arm, full;
		int64_t used_vcpus, used_memory, used_disk, vcpus, memory, disk;
		enum placement_reason reason;
	} rows[] = {
		{"empty", .vcpus = 2, .memory = GIB, .disk = GIB, .reason = PLACEMENT_FITS},
		{"disabled", .disabled = true, .vcpus = 1, .reason = PLACEMENT_DISABLED},
		{"down", .down = true, .vcpus = 1, .reason = PLACEMENT_DOWN},
		{"arm", .arm = true, .vcpus = 1, .reason = PLACEMENT_ARCH},
		{"just fits", .used_vcpus = 10, .used_memory = 8 * GIB, .used_disk = 90 * GIB, .vcpus = 6,
		 .memory = 7 * GIB, .disk = 10 * GIB, .reason = PLACEMENT_FITS},
		{"one vCPU too many", .used_vcpus = 10, .vcpus = 7, .reason = PLACEMENT_VCPUS},
		{"a byte of memory too many", .used_memory = 8 * GIB, .vcpus = 1, .memory = 7 * GIB + 1,
		 .reason = PLACEMENT_MEMORY},
		{"a byte of disk too many", .used_disk = 100 * GIB, .vcpus = 1, .disk = 1,
		 .reason = PLACEMENT_DISK},
		{"others filled the pool", .full = true, .disk = 1, .reason = PLACEMENT_DISK},
		{"that, without a disk", .full = true, .vcpus = 1, .reason = PLACEMENT_FITS},
	};
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
		struct host_usage usage = {.vcpus = rows[n].used_vcpus,
					   .memory = rows[n].used_memory,
					   .disk = rows[n].used_disk};
		struct host host = {.row.usage = &usage,
				    .enabled = !rows[n].disabled,
				    .overcommit_percent = 200,
				    .reserved_memory = GIB,
				    .seen_state = rows[n].down ? HOST_SEEN_STATE_DOWN : HOST_SEEN_STATE_UP,
				    .seen_cpus = 8,
				    .seen_memory = 16 * GIB,
				    .seen_disk = 100 * GIB,
				    .seen_full = rows[n].full};
		struct placement_need need = {.arch = rows[n].arm ? INSTANCE_TYPE_ARCH_ARM64
								  : INSTANCE_TYPE_ARCH_X86_64,
					      .vcpus = rows[n].vcpus,
					      .memory = rows[n].memory,
					      .disk = rows[n].disk};
		if (placement_check_host(&host, &need) != rows[n].reason)
			fail_msg("%s", rows[n].what);
	}
}

static void check_spread(void **state)
{
	struct cloud *c = *state;
	struct instance_launch launch = cloud_launch(c, 4);
	launch.zone = ref_named(KIND_ZONE, "xy-west-2a");
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	assert_int_equal(host_usage(host_find(cloud_tables(c), c->hosts[0]))->instances, 2);
	assert_int_equal(host_usage(host_find(cloud_tables(c), c->hosts[1]))->instances, 2);
	assert_int_equal(host_usage(host_find(cloud_tables(c), c->hosts[2]))->instances, 0);
	/* No zone named: the one where more hosts have room, and there the emptier host. */
	struct host_settings closed = {.host = ref_named(KIND_HOST, "h1"), .enabled = CHOICE_NO};
	cloud_ok(c, &c->operator, engine_update_host, &closed);
	struct host_settings down = {.host = ref_named(KIND_HOST, "h2"), .forced_down = CHOICE_YES};
	cloud_ok(c, &c->operator, engine_update_host, &down);
	uuid instance = cloud_launch_one(c);
	assert_true(uuid_equal(cloud_instance(c, instance)->host, c->hosts[2]));
	assert_true(
		str_is(zone_find(cloud_tables(c), cloud_instance(c, instance)->zone)->name, "xy-west-2b"));
}

/* ---- server groups ---- */

static uuid make_group(struct cloud *c, enum server_group_policy policy)
{
	struct server_group_wish wish = {.name = STR("g"), .policy = policy};
	cloud_ok(c, &c->alice, engine_create_server_group, &wish);
	return wish.server_group;
}

static struct instance_launch launch_in(struct cloud *c, uuid group, int64_t count)
{
	struct instance_launch launch = cloud_launch(c, count);
	launch.zone = ref_named(KIND_ZONE, "xy-west-2a"); /* which has h0 and h1 */
	launch.server_group = (struct ref){.kind = KIND_SERVER_GROUP,
					   .prefix = group,
					   .bits = 128,
					   .text = STR("g"),
					   .field = STR("group")};
	return launch;
}

static uuid find_host_of(const struct cloud *c, uuid instance)
{
	return cloud_instance(c, instance)->host;
}

static void check_affinity(void **state)
{
	struct cloud *c = *state;
	uuid group = make_group(c, SERVER_GROUP_POLICY_AFFINITY);
	struct instance_launch launch = launch_in(c, group, 3);
	cloud_fails(c, &c->bob, engine_create_instances, &launch, ERR_NOT_FOUND, KIND_SERVER_GROUP);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	uuid host = find_host_of(c, launch.made.at[0]);
	for (size_t n = 1; n < 3; n++)
		assert_true(uuid_equal(find_host_of(c, launch.made.at[n]), host));
	launch = launch_in(c, group, 1);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	assert_true(uuid_equal(find_host_of(c, launch.made.at[0]), host));
	struct host_settings closed = {.host = ref_to(c, KIND_HOST, host), .enabled = CHOICE_NO};
	cloud_ok(c, &c->operator, engine_update_host, &closed);
	launch = launch_in(c, group, 1);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_CAPACITY, KIND_INSTANCE);
	assert_true(str_contains(c->c.problem.message, STR("server group")));
}

static void check_anti_affinity(void **state)
{
	struct cloud *c = *state;
	uuid group = make_group(c, SERVER_GROUP_POLICY_ANTI_AFFINITY);
	struct instance_launch launch = launch_in(c, group, 2);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	assert_false(uuid_equal(find_host_of(c, launch.made.at[0]), find_host_of(c, launch.made.at[1])));
	launch = launch_in(c, group, 1);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_CAPACITY, KIND_INSTANCE);
	launch.accept_unplaced = true;
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	uuid id = launch.made.at[0];
	struct instance_placing placing = {.instance = id};
	cloud_ok(c, NULL, engine_place_instance, &placing);
	assert_false(placing.placed);
	/* Without the group, all hosts are possible. */
	struct server_group_target target = {.server_group = launch.server_group};
	cloud_ok(c, &c->alice, engine_delete_server_group, &target);
	cloud_ok(c, NULL, engine_place_instance, &placing);
	assert_true(placing.placed && uuid_is_none(cloud_instance(c, id)->server_group));
}

static void check_soft(void **state)
{
	struct cloud *c = *state;
	uuid apart = make_group(c, SERVER_GROUP_POLICY_SOFT_ANTI_AFFINITY);
	uuid together = make_group(c, SERVER_GROUP_POLICY_SOFT_AFFINITY);
	struct instance_launch launch = launch_in(c, apart, 3);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	assert_false(uuid_equal(find_host_of(c, launch.made.at[0]), find_host_of(c, launch.made.at[1])));
	launch = launch_in(c, together, 2);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	assert_true(uuid_equal(find_host_of(c, launch.made.at[0]), find_host_of(c, launch.made.at[1])));
}

/* No host for two parts; without a number, the part with the fewest. */
static void check_partitions(void **state)
{
	struct cloud *c = *state;
	struct server_group_wish wish = {
		.name = STR("g"), .policy = SERVER_GROUP_POLICY_PARTITION, .partitions = 3};
	cloud_ok(c, &c->alice, engine_create_server_group, &wish);
	struct instance_launch launch = launch_in(c, wish.server_group, 1), more;
	launch.partition = 4;
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_INVALID, KIND_SERVER_GROUP);
	launch.partition = 2;
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	more = launch_in(c, wish.server_group, 1);
	cloud_ok(c, &c->alice, engine_create_instances, &more);
	uuid second = launch.made.at[0], first = more.made.at[0];
	assert_int_equal(cloud_instance(c, second)->partition, 2);
	assert_int_equal(cloud_instance(c, first)->partition, 1);
	assert_false(uuid_equal(find_host_of(c, first), find_host_of(c, second)));
	more.partition = 3; /* and no third host */
	cloud_fails(c, &c->alice, engine_create_instances, &more, ERR_CAPACITY, KIND_INSTANCE);
	more.partition = 0; /* the third part has the fewest, and no room: the next one has */
	cloud_ok(c, &c->alice, engine_create_instances, &more);
	uuid next = more.made.at[0];
	assert_int_equal(cloud_instance(c, next)->partition, 1);
	assert_true(uuid_equal(find_host_of(c, next), find_host_of(c, first)));
}

/* Near one that there is, apart from it; near what is another account's, or nowhere, nothing is. */
static void check_hints(void **state)
{
	struct cloud *c = *state;
	uuid first = cloud_launch_one(c);
	struct ref ref = ref_to(c, KIND_INSTANCE, first), absent = ref_to(c, KIND_INSTANCE, c->image);
	struct ref both[] = {absent, ref};
	struct instance_launch launch = cloud_launch(c, 3);
	launch.near = (struct refs){both, 2};
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	for (size_t n = 0; n < launch.made.count; n++)
		assert_true(uuid_equal(cloud_instance(c, launch.made.at[n])->host,
				       cloud_instance(c, first)->host));
	launch = cloud_launch(c, 3);
	launch.apart = (struct refs){both, 2};
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	for (size_t n = 0; n < launch.made.count; n++)
		assert_false(uuid_equal(cloud_instance(c, launch.made.at[n])->host,
					cloud_instance(c, first)->host));
	launch = cloud_launch(c, 1);
	launch.near = (struct refs){&absent, 1};
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_CAPACITY, KIND_INSTANCE);
	launch.near = (struct refs){&ref, 1};
	cloud_fails(c, &c->bob, engine_create_instances, &launch, ERR_CAPACITY, KIND_INSTANCE);
	launch.accept_unplaced = true; /* and it is not placed elsewhere later */
	launch.near = (struct refs){&absent, 1};
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	struct instance_placing placing = {.instance = launch.made.at[0]};
	cloud_ok(c, NULL, engine_place_instance, &placing);
	assert_false(placing.placed);
}

static void check_group_limits(void **state)
{
	struct cloud *c = *state;
	struct server_group_wish wish = {.name = STR("g"), .max_per_host = 2};
	cloud_fails(c, &c->alice, engine_create_server_group, &wish, ERR_INVALID, KIND_SERVER_GROUP);
	wish.policy = SERVER_GROUP_POLICY_ANTI_AFFINITY;
	cloud_ok(c, &c->alice, engine_create_server_group, &wish);
	struct instance_launch launch = launch_in(c, wish.server_group, 4);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	launch = launch_in(c, wish.server_group, 1);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_CAPACITY, KIND_INSTANCE);
	wish.name = STR("");
	cloud_fails(c, &c->alice, engine_create_server_group, &wish, ERR_INVALID, KIND_SERVER_GROUP);
}

/* ---- another group later ---- */

static void see_stopped(struct cloud *c, uuid id)
{
	const struct ref ref = ref_to(c, KIND_INSTANCE, id);
	struct instances_wish wish = {.instances = {&ref, 1}};
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	cloud_ok(c, &c->alice, engine_stop_instances, &wish);
	cloud_see(c, id, INSTANCE_SEEN_POWER_OFF);
}

static struct instance_placement place_in(struct cloud *c, uuid id, const struct ref *group)
{
	return (struct instance_placement){
		.instance = ref_to(c, KIND_INSTANCE, id), .set_group = true, .server_group = *group};
}

static uuid launch_on(struct cloud *c, const char *other)
{
	struct host_settings closed = {.host = ref_named(KIND_HOST, other), .enabled = CHOICE_NO},
			     open = {.host = closed.host, .enabled = CHOICE_YES};
	struct instance_launch launch = cloud_launch(c, 1);
	launch.zone = ref_named(KIND_ZONE, "xy-west-2a");
	cloud_ok(c, &c->operator, engine_update_host, &closed);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	cloud_ok(c, &c->operator, engine_update_host, &open);
	return launch.made.at[0];
}

/* An instance stays on its host if the new group permits that; else it migrates to another one. */
static void check_change(void **state)
{
	struct cloud *c = *state;
	uuid group = make_group(c, SERVER_GROUP_POLICY_ANTI_AFFINITY);
	struct ref apart = launch_in(c, group, 1).server_group, none = {0};
	uuid first = launch_on(c, "h1"), second = launch_on(c, "h2"), third = launch_on(c, "h2");
	uuid from = find_host_of(c, third), to = find_host_of(c, first);
	struct instance_placement wish = place_in(c, first, &apart);
	cloud_see(c, first, INSTANCE_SEEN_POWER_ON);
	cloud_fails(c, &c->alice, engine_change_placement, &wish, ERR_STATE, KIND_INSTANCE);
	cloud_fails(c, &c->bob, engine_change_placement, &wish, ERR_NOT_FOUND, KIND_INSTANCE);
	see_stopped(c, first);
	see_stopped(c, second);
	see_stopped(c, third);
	wish.partition = 1;
	cloud_fails(c, &c->alice, engine_change_placement, &wish, ERR_INVALID, KIND_SERVER_GROUP);
	wish.partition = 0;
	cloud_ok(c, &c->alice, engine_change_placement, &wish);
	wish = place_in(c, second, &apart);
	cloud_ok(c, &c->alice, engine_change_placement, &wish);
	assert_false(cloud_instance(c, first)->migrating || cloud_instance(c, second)->migrating);
	wish = place_in(c, third, &apart);
	cloud_fails(c, &c->alice, engine_change_placement, &wish, ERR_CAPACITY, KIND_INSTANCE);
	wish = place_in(c, first, &none);
	cloud_ok(c, &c->alice, engine_change_placement, &wish);
	wish = place_in(c, third, &apart);
	cloud_ok(c, &c->alice, engine_change_placement, &wish);
	assert_true(cloud_instance(c, third)->migrating && uuid_equal(find_host_of(c, third), from));
	/* Asked to start, it is off until it is gone from there. */
	const struct ref ref = ref_to(c, KIND_INSTANCE, third);
	struct instances_wish start = {.instances = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_start_instances, &start);
	assert_int_equal(engine_instance_power_wanted(cloud_tables(c), cloud_instance(c, third)),
			 INSTANCE_WANTED_POWER_OFF);
	struct instance_leaving leaving = {.instance = third, .gen = cloud_instance(c, third)->row.gen};
	cloud_ok(c, NULL, engine_leave_instance_host, &leaving); /* its domain is there yet */
	assert_true(uuid_equal(find_host_of(c, third), from));
	cloud_see(c, third, INSTANCE_SEEN_POWER_ABSENT);
	leaving.gen = cloud_instance(c, third)->row.gen;
	cloud_ok(c, NULL, engine_leave_instance_host, &leaving);
	assert_true(uuid_equal(find_host_of(c, third), to) && !cloud_instance(c, third)->migrating);
	const struct volume *root = volume_first_by_instance(cloud_tables(c), third);
	assert_true(uuid_equal(root->host, to));
	assert_int_equal(engine_instance_power_wanted(cloud_tables(c), cloud_instance(c, third)),
			 INSTANCE_WANTED_POWER_ON);
}

/* ---- dedicated hosts ---- */

static struct dedicated_host_wish hosts_of(const char *zone, int64_t count)
{
	return (struct dedicated_host_wish){.zone = ref_named(KIND_ZONE, zone),
					    .family = STR("t3"),
					    .auto_placement = true,
					    .count = count};
}

static enum err release(struct cloud *c, const struct identity *who, struct ref ref)
{
	struct dedicated_host_change change = {.dedicated_host = ref};
	struct dedicated_hosts_target target = {&change, 1};
	cloud_ok(c, who, engine_release_dedicated_hosts, &target);
	return change.err;
}

/* A dedicated host runs only instances of its account that ask for it, even if it is its zone's only host. */
static void check_dedicated(void **state)
{
	struct cloud *c = *state;
	struct dedicated_host_wish wish = hosts_of("xy-west-2b", 1);
	cloud_ok(c, &c->alice, engine_allocate_dedicated_hosts, &wish);
	uuid dedicated = wish.made.at[0];
	struct ref h = ref_to(c, KIND_DEDICATED_HOST, dedicated);
	assert_true(uuid_equal(engine_find_dedicated(cloud_tables(c), c->hosts[2])->row.id, dedicated));
	cloud_fails(c, &c->bob, engine_allocate_dedicated_hosts, &wish, ERR_CAPACITY, KIND_DEDICATED_HOST);
	wish = hosts_of("xy-west-2a", 2);
	cloud_fails(c, &c->alice, engine_allocate_dedicated_hosts, &wish, ERR_QUOTA, KIND_DEDICATED_HOST);
	struct instance_launch launch = cloud_launch(c, 1);
	launch.zone = ref_named(KIND_ZONE, "xy-west-2b");
	cloud_fails(c, &c->bob, engine_create_instances, &launch, ERR_CAPACITY, KIND_INSTANCE);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_CAPACITY, KIND_INSTANCE);
	assert_true(str_contains(c->c.problem.message, STR("dedicated")));
	launch.tenancy = INSTANCE_TENANCY_HOST;
	cloud_fails(c, &c->bob, engine_create_instances, &launch, ERR_CAPACITY, KIND_DEDICATED_HOST);
	launch.dedicated_host = h;
	cloud_fails(c, &c->bob, engine_create_instances, &launch, ERR_NOT_FOUND, KIND_DEDICATED_HOST);
	launch.host_affinity = true;
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	uuid id = launch.made.at[0];
	assert_true(uuid_equal(find_host_of(c, id), c->hosts[2]));
	assert_int_equal(release(c, &c->alice, h), ERR_IN_USE);
	assert_int_equal(release(c, &c->bob, h), ERR_NOT_FOUND);
	struct host_target gone = {.host = ref_named(KIND_HOST, "h3")};
	cloud_fails(c, &c->operator, engine_remove_host, &gone, ERR_IN_USE, KIND_HOST);
	/* Existing instances remain on the host, although it refuses new ones from now on. */
	struct dedicated_host_change change = {.dedicated_host = h};
	struct dedicated_host_settings closed = {.changes = &change, .count = 1, .auto_placement = CHOICE_NO};
	cloud_ok(c, &c->alice, engine_modify_dedicated_hosts, &closed);
	launch.dedicated_host = (struct ref){0};
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_CAPACITY, KIND_DEDICATED_HOST);
	see_stopped(c, id);
	struct ref none = {0};
	struct instance_placement same = place_in(c, id, &none);
	same.set_group = false;
	same.host_affinity = CHOICE_NO;
	cloud_ok(c, &c->alice, engine_change_placement, &same);
	assert_false(cloud_instance(c, id)->migrating);
	assert_true(uuid_is_none(cloud_instance(c, id)->dedicated_host));
}

/* Disks alone are the account's; and where another's is, there is no empty host. */
static void check_dedicated_disks(void **state)
{
	struct cloud *c = *state;
	struct volume_wish disk = {.zone = ref_named(KIND_ZONE, "xy-west-2b"),
				   .disk = {.size = GIB, .type = STR("gp3")}};
	struct dedicated_host_wish wish = hosts_of("xy-west-2b", 1);
	cloud_ok(c, &c->bob, engine_create_volume, &disk);
	cloud_fails(c, &c->alice, engine_allocate_dedicated_hosts, &wish, ERR_CAPACITY, KIND_DEDICATED_HOST);
	cloud_ok(c, &c->bob, engine_allocate_dedicated_hosts, &wish);
	cloud_ok(c, &c->bob, engine_create_volume, &disk);
	cloud_fails(c, &c->alice, engine_create_volume, &disk, ERR_CAPACITY, KIND_VOLUME);
	assert_int_equal(release(c, &c->bob, ref_to(c, KIND_DEDICATED_HOST, wish.made.at[0])), ERR_NONE);
	cloud_ok(c, &c->alice, engine_create_volume, &disk);
	assert_null(engine_find_dedicated(cloud_tables(c), c->hosts[2]));
}

/* An instance with dedicated tenancy shares no host with other accounts' instances, whichever was there
 * first. */
static void check_dedicated_tenancy(void **state)
{
	struct cloud *c = *state;
	struct instance_launch alone = cloud_launch(c, 1), plain = cloud_launch(c, 1);
	alone.zone = plain.zone = ref_named(KIND_ZONE, "xy-west-2b");
	alone.tenancy = INSTANCE_TENANCY_DEDICATED;
	cloud_ok(c, &c->bob, engine_create_instances, &plain);
	cloud_fails(c, &c->alice, engine_create_instances, &alone, ERR_CAPACITY, KIND_INSTANCE);
	alone.zone = plain.zone = ref_named(KIND_ZONE, "xy-west-2a");
	for (size_t n = 0; n < 2; n++) /* on both hosts */
		cloud_ok(c, &c->alice, engine_create_instances, &alone);
	assert_false(uuid_equal(find_host_of(c, alone.made.at[0]), c->hosts[2]));
	cloud_ok(c, &c->alice, engine_create_instances, &plain);
	cloud_fails(c, &c->bob, engine_create_instances, &plain, ERR_CAPACITY, KIND_INSTANCE);
	uuid id = plain.made.at[0];
	see_stopped(c, id);
	struct instance_placement change = {.instance = ref_to(c, KIND_INSTANCE, id),
					    .set_tenancy = true,
					    .tenancy = INSTANCE_TENANCY_DEDICATED};
	cloud_fails(c, &c->alice, engine_change_placement, &change, ERR_STATE, KIND_DEDICATED_HOST);
}

/* ---- aggregates ---- */

static void check_aggregates(void **state)
{
	struct cloud *c = *state;
	const struct instance_type *type = instance_type_find_by_name(cloud_tables(c), STR("t3.micro"));
	const struct tag ssd = {STR("disk"), STR("ssd")}, wanted = {STR(AGGREGATE_SPEC "disk"), STR("ssd")},
			 operator_of = {STR(AGGREGATE_SPEC "disk"), STR("s== ssd")};
	struct instance_type_settings specs = {.type = ref_to(c, KIND_INSTANCE_TYPE, type->row.id),
					       .specs = {&operator_of, 1}};
	cloud_fails(c, &c->operator, engine_update_instance_type, &specs, ERR_UNSUPPORTED,
		    KIND_INSTANCE_TYPE);
	specs.specs.at = &wanted;
	cloud_ok(c, &c->operator, engine_update_instance_type, &specs);
	struct instance_launch launch = cloud_launch(c, 1);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_CAPACITY, KIND_INSTANCE);
	assert_true(str_contains(c->c.problem.message, STR("aggregates")));

	struct aggregate_wish wish = {.name = STR("fast"), .zone_name = STR("xy-west-2b")};
	cloud_fails(c, &c->alice, engine_create_aggregate, &wish, ERR_DENIED, KIND_AGGREGATE);
	cloud_ok(c, &c->operator, engine_create_aggregate, &wish);
	cloud_fails(c, &c->operator, engine_create_aggregate, &wish, ERR_EXISTS, KIND_AGGREGATE);
	struct aggregate_settings change = {.aggregate = ref_to(c, KIND_AGGREGATE, wish.aggregate),
					    .properties = {&ssd, 1},
					    .add_host = ref_named(KIND_HOST, "h1")};
	cloud_fails(c, &c->operator, engine_update_aggregate, &change, ERR_CONFLICT, KIND_HOST);
	change.add_host = ref_named(KIND_HOST, "h3");
	cloud_ok(c, &c->operator, engine_update_aggregate, &change);
	cloud_fails(c, &c->operator, engine_update_aggregate, &change, ERR_EXISTS, KIND_HOST);
	launch = cloud_launch(c, 2);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	for (size_t n = 0; n < 2; n++)
		assert_true(uuid_equal(find_host_of(c, launch.made.at[n]), c->hosts[2]));

	struct aggregate_target target = {.aggregate = change.aggregate};
	cloud_fails(c, &c->operator, engine_delete_aggregate, &target, ERR_IN_USE, KIND_AGGREGATE);
	change = (struct aggregate_settings){.aggregate = target.aggregate,
					     .remove_host = ref_named(KIND_HOST, "h3")};
	cloud_ok(c, &c->operator, engine_update_aggregate, &change);
	cloud_fails(c, &c->operator, engine_update_aggregate, &change, ERR_NOT_FOUND, KIND_HOST);
	launch = cloud_launch(c, 1);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_CAPACITY, KIND_INSTANCE);
	cloud_ok(c, &c->operator, engine_delete_aggregate, &target);
	assert_int_equal(tables_count(cloud_tables(c), KIND_AGGREGATE), 0);
}

/* A removed host is also removed from its aggregates. */
static void check_aggregate_of_gone_host(void **state)
{
	struct cloud *c = *state;
	struct aggregate_wish wish = {.name = STR("all")};
	cloud_ok(c, &c->operator, engine_create_aggregate, &wish);
	for (const char *const *name = (const char *const[]){"h3", "h1", "h2", NULL}; *name; name++) {
		struct aggregate_settings change = {.aggregate = ref_to(c, KIND_AGGREGATE, wish.aggregate),
						    .add_host = ref_named(KIND_HOST, *name)};
		cloud_ok(c, &c->operator, engine_update_aggregate, &change);
	}
	struct host_target gone = {.host = ref_named(KIND_HOST, "h1")};
	cloud_ok(c, &c->operator, engine_remove_host, &gone);
	const struct aggregate *a = aggregate_find(cloud_tables(c), wish.aggregate);
	assert_int_equal(a->hosts.count, 2);
	assert_true(uuid_compare(a->hosts.at[0], a->hosts.at[1]) < 0);
}

static struct ref make_zone(struct cloud *c, const char *aggregate, const char *zone)
{
	struct aggregate_wish wish = {.name = str_from(aggregate), .zone_name = str_from(zone)};
	cloud_ok(c, &c->operator, engine_create_aggregate, &wish);
	return ref_to(c, KIND_AGGREGATE, wish.aggregate);
}

static struct str zone_of_host(struct cloud *c, size_t number)
{
	return engine_get_zone_name(cloud_tables(c), host_find(cloud_tables(c), c->hosts[number]));
}

/* Hosts of xy-west-2a make a zone of Nova's; for all others they are where they were. */
static void check_zones_of_aggregates(void **state)
{
	struct cloud *c = *state;
	struct aggregate_settings change = {.aggregate = make_zone(c, "rack", "rack-1"),
					    .add_host = ref_named(KIND_HOST, "h2")};
	assert_false(engine_is_zone_of_aggregates(cloud_tables(c), STR("rack-1"))); /* without a host */
	cloud_fails(c, &c->operator, engine_create_aggregate,
		    &((struct aggregate_wish){.name = STR("x"), .zone_name = STR("a:b")}), ERR_INVALID,
		    KIND_ZONE);
	cloud_ok(c, &c->operator, engine_update_aggregate, &change);
	assert_true(engine_is_zone_of_aggregates(cloud_tables(c), STR("rack-1")));
	assert_true(str_is(zone_of_host(c, 1), "rack-1") && str_is(zone_of_host(c, 0), "xy-west-2a"));

	struct instance_launch launch = cloud_launch(c, 3);
	launch.zone_name = STR("rack-1");
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	for (size_t n = 0; n < 3; n++) {
		const struct instance *i = cloud_instance(c, launch.made.at[n]);
		const struct zone *zone = zone_find(cloud_tables(c), i->zone);
		assert_true(uuid_equal(i->host, c->hosts[1]) && str_is(zone->name, "xy-west-2a"));
		assert_true(str_is(engine_get_zone_name_of_instance(cloud_tables(c), i), "rack-1"));
	}
	launch = cloud_launch(c, 1); /* the region's zone is of those that no aggregate took out of it */
	launch.zone_name = STR("xy-west-2a");
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	assert_true(uuid_equal(find_host_of(c, launch.made.at[0]), c->hosts[0]));
	launch = cloud_launch(c, 1);
	launch.zone_name = STR("nowhere");
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_CAPACITY, KIND_INSTANCE);
}

static void check_zones_kept_apart(void **state)
{
	struct cloud *c = *state;
	const struct str other = STR("rack-2"), none = STR_NONE, far = STR("xy-west-2b");
	struct ref rack = make_zone(c, "rack", "rack-1"), second = make_zone(c, "second", "rack-2"),
		   same = make_zone(c, "same", "rack-1"), plain = make_zone(c, "plain", "");
	const struct ref h2 = ref_named(KIND_HOST, "h2");
	cloud_ok(c, &c->operator, engine_update_aggregate,
		 &((struct aggregate_settings){.aggregate = rack, .add_host = h2}));
	cloud_fails(c, &c->operator, engine_update_aggregate,
		    &((struct aggregate_settings){.aggregate = second, .add_host = h2}), ERR_CONFLICT,
		    KIND_HOST);
	cloud_ok(c, &c->operator, engine_update_aggregate,
		 &((struct aggregate_settings){.aggregate = plain, .add_host = h2}));
	cloud_fails(c, &c->operator, engine_update_aggregate,
		    &((struct aggregate_settings){.aggregate = plain, .zone_name = &other}), ERR_INVALID,
		    KIND_ZONE);
	cloud_fails(c, &c->operator, engine_update_aggregate,
		    &((struct aggregate_settings){.aggregate = rack, .zone_name = &none}), ERR_INVALID,
		    KIND_ZONE);
	cloud_fails(c, &c->operator, engine_update_aggregate,
		    &((struct aggregate_settings){.aggregate = rack, .zone_name = &far}), ERR_INVALID,
		    KIND_ZONE);

	/* With an instance there nothing changes its zone. */
	struct instance_launch launch = cloud_launch(c, 1);
	launch.zone_name = STR("rack-1");
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	struct aggregate_settings leave = {.aggregate = rack, .remove_host = h2};
	cloud_fails(c, &c->operator, engine_update_aggregate, &leave, ERR_CONFLICT, KIND_HOST);
	cloud_fails(c, &c->operator, engine_update_aggregate,
		    &((struct aggregate_settings){.aggregate = rack, .zone_name = &other}), ERR_INVALID,
		    KIND_ZONE);
	cloud_ok(c, &c->operator, engine_update_aggregate,
		 &((struct aggregate_settings){.aggregate = same, .add_host = h2}));
	cloud_ok(c, &c->operator, engine_update_aggregate, &leave); /* it stays in rack-1 by the other one */
	leave.aggregate = same;
	cloud_fails(c, &c->operator, engine_update_aggregate, &leave, ERR_CONFLICT, KIND_HOST);
	launch = cloud_launch(c, 1);
	cloud_ok(c, &c->alice, engine_create_instances, &launch); /* on the emptier h1 */
	cloud_fails(
		c, &c->operator, engine_update_aggregate,
		&((struct aggregate_settings){.aggregate = second, .add_host = ref_named(KIND_HOST, "h1")}),
		ERR_CONFLICT, KIND_HOST);
}

static uuid create_volume(struct cloud *c, int64_t size)
{
	struct volume_wish wish = {.zone = ref_named(KIND_ZONE, "xy-west-2a"),
				   .disk = {.size = size, .type = STR("gp3")}};
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	return volume_find(cloud_tables(c), wish.volume)->host;
}

/* A detached disk is placed on the host with the most free space, regardless of other load. */
static void check_disks(void **state)
{
	struct cloud *c = *state;
	uuid first = create_volume(c, 20 * GIB), second = create_volume(c, 10 * GIB);
	assert_false(uuid_equal(first, second));
	assert_true(uuid_equal(create_volume(c, GIB), second));
}

static void check_explain(void **state)
{
	struct cloud *c = *state;
	struct host_report report = {.host = c->hosts[0], .state = HOST_SEEN_STATE_DOWN};
	cloud_ok(c, NULL, engine_see_host, &report);
	struct placement_need need = {.vcpus = 1, .memory = 100 * GIB};
	struct placement placement;
	ctx_init(&c->c, c->arena);
	cloud_expect(c, placement_begin(&c->c, cloud_tables(c), &need, &placement), ERR_NONE, KIND_NONE);
	assert_null(placement_next(&placement));
	assert_int_equal(placement_count_fitting(&placement), 0);
	struct placement_report refusals;
	placement_report(&placement, &refusals);
	assert_int_equal(refusals.host_count, 3);
	assert_int_equal(refusals.refused[PLACEMENT_DOWN], 1);
	assert_int_equal(refusals.refused[PLACEMENT_MEMORY], 2);
	struct str text = placement_explain(c->arena, &refusals);
	assert_true(str_starts_with(text, STR("of 3 hosts 1 do not answer (h1), 2 lack memory (h")));
	need.zone = uuid_random();
	cloud_expect(c, placement_begin(&c->c, cloud_tables(c), &need, &placement), ERR_NONE, KIND_NONE);
	placement_report(&placement, &refusals);
	assert_true(str_is(placement_explain(c->arena, &refusals), "there is no host"));
	assert_string_equal(placement_reason_words(PLACEMENT_DISK), "lack disk space");
	for (enum placement_reason reason = PLACEMENT_FITS; reason < PLACEMENT_REASON_COUNT; reason++)
		assert_non_null(placement_reason_words(reason));
}

/* At most twenty hosts are named. */
static void check_explain_many(void **state)
{
	struct cloud *c = *state;
	c->skips_dumps = true;
	for (int n = 0; n < 30; n++) {
		struct host_wish wish = {.name = str_print(c->arena, "x%02d", n),
					 .zone = ref_named(KIND_ZONE, "xy-west-2b")};
		cloud_ok(c, &c->operator, engine_add_host, &wish);
	}
	struct placement_need need = {.vcpus = 1000};
	struct placement placement;
	struct placement_report refusals;
	ctx_init(&c->c, c->arena);
	cloud_expect(c, placement_begin(&c->c, cloud_tables(c), &need, &placement), ERR_NONE, KIND_NONE);
	placement_report(&placement, &refusals);
	assert_int_equal(refusals.host_count, 33);
	assert_int_equal(refusals.shown_count, 20);
	assert_int_equal(refusals.refused[PLACEMENT_DOWN] + refusals.refused[PLACEMENT_VCPUS], 33);
}

/* In a large region a random few are looked at, and all of them when none of those has room. */
static void check_large(void **state)
{
	struct cloud *c = *state;
	c->skips_dumps = true;
	for (int n = 0; n < 300; n++) {
		struct host_wish wish = {.name = str_print(c->arena, "x%03d", n),
					 .zone = ref_named(KIND_ZONE, "xy-west-2b")};
		cloud_ok(c, &c->operator, engine_add_host, &wish);
	}
	/* Only the first three are up; of these one is in the zone. */
	struct instance_launch launch = cloud_launch(c, 3);
	launch.zone = ref_named(KIND_ZONE, "xy-west-2b");
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	for (size_t n = 0; n < 3; n++)
		assert_true(uuid_equal(cloud_instance(c, launch.made.at[n])->host, c->hosts[2]));
	for (const struct host *h = host_first(cloud_tables(c)); h; h = host_next(cloud_tables(c), h)) {
		struct host_report up = {.host = h->row.id,
					 .state = HOST_SEEN_STATE_UP,
					 .has_facts = true,
					 .cpus = 8,
					 .memory = 17 * GIB,
					 .disk = 200 * GIB};
		uuid id = h->row.id;
		cloud_ok(c, NULL, engine_see_host, &up);
		h = host_find(cloud_tables(c), id);
	}
	launch = cloud_launch(c, 60);
	const struct launch_port port = {.public_ip = CHOICE_NO};
	launch.ports = &port;
	launch.port_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	size_t used = 0;
	for (const struct host *h = host_first(cloud_tables(c)); h; h = host_next(cloud_tables(c), h))
		used += host_usage(h)->instances > 0;
	assert_true(used > 50); /* spread */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_reasons),
		cmocka_unit_test_setup_teardown(check_spread, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_affinity, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_anti_affinity, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_soft, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_partitions, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_hints, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_group_limits, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_change, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_dedicated, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_dedicated_disks, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_dedicated_tenancy, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_disks, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_aggregates, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_aggregate_of_gone_host, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_zones_of_aggregates, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_zones_kept_apart, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_explain, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_explain_many, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_large, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
