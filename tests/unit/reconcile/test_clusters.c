/* SPDX-License-Identifier: Apache-2.0
 * Kubernetes clusters: they become active, follow their scaling group, tell what they lack, and are deleted without a rest in
 * spite of kills between any two steps. */
#include "../cloud/cloud.h"
#include "engine/balancing/balancing.h"
#include "engine/cluster/cluster.h"
#include "engine/instance/launch/fleet.h"
#include "engine/scaling/scaling.h"
#include "store/cluster.h"
#include "store/instance.h"
#include "store/port.h"

enum { SEEDS = 10, WORKERS = 2 };

static struct cloud *told; /* the cloud whose groups are read */

/* Stands for the face that reads the launch template: each place has one launch. */
static RESULT read_scaling(struct ctx *ctx, const struct later_launch *later,
			   const struct scaling_group *group, struct fleet_override **ret_launches,
			   size_t *ret_count)
{
	const struct scaling_source source = engine_get_scaling_source(group);
	size_t places = engine_count_scaling_places(&source);
	struct fleet_override *o = arena_new_array(ctx->arena, struct fleet_override, places);
	struct launch_port *ports = arena_new_array(ctx->arena, struct launch_port, places);
	(void) later;
	assert_non_null(o);
	assert_non_null(ports);
	for (size_t k = 0; k < places; k++) {
		ports[k] = (struct launch_port){.subnet = ref_by_id(KIND_SUBNET, source.subnets.at[k])};
		o[k].launch = cloud_launch_wish(told, 1);
		o[k].launch.ports = &ports[k];
		o[k].launch.port_count = 1;
		o[k].capacity = 1;
	}
	*ret_launches = o;
	*ret_count = places;
	return OK;
}

static void begin(struct cloud *c)
{
	told = c;
	c->read_scaling = read_scaling;
	cloud_restart(c);
}

/* ---- rows ---- */

static struct cluster_wish wish_of(struct cloud *c, int64_t machines)
{
	return (struct cluster_wish){.cluster = id_new(KIND_CLUSTER),
				     .name = STR("demo"),
				     .version = STR("1.37.2"),
				     .image = cloud_ref(c, KIND_IMAGE, c->image),
				     .control_type = {.kind = KIND_INSTANCE_TYPE, .text = STR("t3.medium")},
				     .worker_type = {.kind = KIND_INSTANCE_TYPE, .text = STR("t3.medium")},
				     .control_count = machines,
				     .workers = WORKERS,
				     .network = {ip_from_v4(0x0A1E0000), 16},
				     .pod_block = {ip_from_v4(0x0AF40000), 16},
				     .service_block = {ip_from_v4(0x0A600000), 12},
				     .keys = {.ca_cert = STR("certificate"),
					      .ca_key = STR("key"),
					      .ca_digest = STR("00"),
					      .sealed_ca_key = STR("sealed"),
					      .token = STR("abcdef.0123456789abcdef")},
				     .endpoint = STR("http://127.0.0.1:8788"),
				     .region = STR("us-east-1")};
}

static struct cluster cluster_now(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct cluster *cluster = cluster_first_by_account(view.tables, c->alice.account);
	return cluster ? *cluster : (struct cluster){0};
}

static bool has_status(struct cloud *c, const void *arg)
{
	return cluster_now(c).status == *(const enum cluster_status *) arg;
}
static bool is_gone(struct cloud *c, const void *unused)
{
	(void) unused;
	return cloud_count(c, KIND_CLUSTER) == 0;
}

static void await(struct cloud *c, enum cluster_status status)
{
	if (!cloud_step_until(c, has_status, &status, 90 * MINUTE))
		assert_string_equal(cluster_status_words[cluster_now(c).status],
				    cluster_status_words[status]);
}

/* Kinds of a cluster's parts. */
static const enum kind kinds[] = {KIND_ROUTER,         KIND_SUBNET,
				  KIND_SECURITY_GROUP, KIND_GATEWAY,
				  KIND_ROUTE_TABLE,    KIND_ELASTIC_LOAD_BALANCER,
				  KIND_TARGET_GROUP,   KIND_LISTENER,
				  KIND_TARGET,         KIND_LAUNCH_TEMPLATE,
				  KIND_SCALING_GROUP,  KIND_SCALING_MEMBER,
				  KIND_PORT,           KIND_ADDRESS,
				  KIND_LOAD_BALANCER};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void count_all(struct cloud *c, size_t counts[static KINDS])
{
	for (size_t k = 0; k < KINDS; k++)
		counts[k] = cloud_count(c, kinds[k]);
}

static void check_same(struct cloud *c, const size_t before[static KINDS])
{
	size_t now[KINDS];
	count_all(c, now);
	for (size_t k = 0; k < KINDS; k++)
		assert_int_equal(now[k], before[k]);
}

static size_t count_living(struct cloud *c)
{
	size_t count = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct instance *i = instance_first_by_account(view.tables, c->alice.account); i;
	     i = instance_next_by_account(view.tables, i))
		count += row_is_live(&i->row) && model_derive_instance_state(i) != INSTANCE_TERMINATED;
	return count;
}

static void delete (struct cloud *c)
{
	struct cluster_target wish = {cloud_ref(c, KIND_CLUSTER, cluster_now(c).row.id)};
	cloud_ok(c, &c->alice, engine_delete_cluster, &wish);
}

/* ---- stories ---- */

/* A cluster becomes active, and goes without a rest. */
static void lives(struct cloud *c)
{
	size_t before[KINDS];
	begin(c);
	count_all(c, before);
	struct cluster_wish wish = wish_of(c, 3);
	cloud_ok(c, &c->alice, engine_create_cluster, &wish);
	assert_int_equal(cluster_now(c).status, CLUSTER_STATUS_CREATING);
	await(c, CLUSTER_STATUS_ACTIVE);
	assert_int_equal(count_living(c), 3 + WORKERS);
	assert_true(cluster_now(c).bared_us > 0);
	delete (c);
	assert_true(cloud_step_until(c, is_gone, NULL, 90 * MINUTE));
	cloud_settle(c);
	assert_int_equal(count_living(c), 0);
	check_same(c, before);
}

/* Registers another port of the first machine as a target. */
static void register_other_port(struct cloud *c)
{
	const struct cluster cluster = cluster_now(c);
	struct balancing_target target = {.number = CLUSTER_PORT + 1, .text = STR("other")};
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		target.ip = port_first_by_instance(view.tables, cluster.machines.at[0])->ip;
	}
	struct targets_wish wish = {cloud_ref(c, KIND_TARGET_GROUP, cluster.target_group), {&target, 1}};
	cloud_ok(c, &c->alice, engine_register_targets, &wish);
}

/* The keys leave the user data although the target group has targets besides the cluster's. */
static void ignores_other_targets(struct cloud *c)
{
	begin(c);
	struct cluster_wish wish = wish_of(c, 1);
	cloud_ok(c, &c->alice, engine_create_cluster, &wish);
	register_other_port(c);
	await(c, CLUSTER_STATUS_ACTIVE);
	cloud_settle(c);
	assert_true(cluster_now(c).bared_us > 0);
	delete (c);
	assert_true(cloud_step_until(c, is_gone, NULL, 90 * MINUTE));
}

/* A second cluster of that name is refused, and changes nothing. */
static void is_refused_whole(struct cloud *c)
{
	size_t before[KINDS];
	begin(c);
	struct cluster_wish wish = wish_of(c, 1);
	cloud_ok(c, &c->alice, engine_create_cluster, &wish);
	cloud_settle(c);
	count_all(c, before);
	wish.cluster = id_new(KIND_CLUSTER);
	assert_int_equal(cloud_call(c, &c->alice, engine_create_cluster_run, &wish).code, ERR_EXISTS);
	check_same(c, before);
	delete (c);
	assert_true(cloud_step_until(c, is_gone, NULL, 90 * MINUTE));
}

/* The number of workers follows the scaling group, by whatever call it was changed. */
static void follows_its_group(struct cloud *c)
{
	begin(c);
	struct cluster_wish wish = wish_of(c, 1);
	cloud_ok(c, &c->alice, engine_create_cluster, &wish);
	await(c, CLUSTER_STATUS_ACTIVE);
	struct cluster_scaling scaling = {cloud_ref(c, KIND_CLUSTER, cluster_now(c).row.id), 4};
	cloud_ok(c, &c->alice, engine_scale_cluster, &scaling);
	assert_int_equal(cluster_now(c).status, CLUSTER_STATUS_UPDATING);
	struct scaling_desired desired = {cloud_ref(c, KIND_SCALING_GROUP, cluster_now(c).scaling_group), 1,
					  false};
	cloud_ok(c, &c->alice, engine_set_scaling_desired, &desired);
	await(c, CLUSTER_STATUS_ACTIVE);
	assert_int_equal(cluster_now(c).workers, 1);
	cloud_settle(c);
	assert_int_equal(count_living(c), 2);
	delete (c);
	assert_true(cloud_step_until(c, is_gone, NULL, 90 * MINUTE));
}

/* ---- kills ---- */

/* Creates a cluster, and deletes it when it is active; false: the process died. */
static bool tell_life(struct cloud *c, struct cluster_wish *wish, bool *has_been)
{
	const enum cluster_status active = CLUSTER_STATUS_ACTIVE;
	if (!*has_been && !cloud_count(c, KIND_CLUSTER) &&
	    !cloud_was_answered(c, cloud_call(c, &c->alice, engine_create_cluster_run, wish)))
		return false;
	if (!*has_been && !cloud_step_until(c, has_status, &active, 90 * MINUTE))
		return false;
	*has_been = true;
	struct cluster_target target = {cloud_ref(c, KIND_CLUSTER, wish->cluster)};
	if (cloud_count(c, KIND_CLUSTER) && !cluster_now(c).is_deleting &&
	    !cloud_was_answered(c, cloud_call(c, &c->alice, engine_delete_cluster_run, &target)))
		return false;
	return cloud_step_until(c, is_gone, NULL, 90 * MINUTE) && cloud_lived_to_settle(c);
}

/* Killed after any step, a cluster comes and goes as a whole. */
static void test_survives_kills(void **state)
{
	(void) state;
	uint64_t steps = 0;
	for (uint64_t at = 0; at <= steps; at += at < 10 ? 1 : 11) {
		struct cloud *c = cloud_new(3, 1);
		size_t before[KINDS];
		bool has_been = false;
		begin(c);
		count_all(c, before);
		struct cluster_wish wish = wish_of(c, 1);
		c->kill_at = at ? c->steps + at : 0;
		uint64_t first = c->steps;
		while (!tell_life(c, &wish, &has_been)) {
			assert_true(cloud_was_killed(c));
			c->kill_at = 0;
			cloud_restart(c);
		}
		if (!at)
			steps = c->steps - first;
		assert_int_equal(count_living(c), 0);
		check_same(c, before);
		cloud_done(c);
	}
	assert_true(steps > 20);
}

TEST_STORY(lives, 2)
TEST_STORY(ignores_other_targets, 2)
TEST_STORY(is_refused_whole, 2)
TEST_STORY(follows_its_group, 2)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lives),
		cmocka_unit_test(test_ignores_other_targets),
		cmocka_unit_test(test_is_refused_whole),
		cmocka_unit_test(test_follows_its_group),
		cmocka_unit_test(test_survives_kills),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
