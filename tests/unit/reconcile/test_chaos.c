/* SPDX-License-Identifier: Apache-2.0
 * Random actions of users, guests, hosts, the network, the database and the process, determined by the seed.
 * Afterwards all faults end, and the region must settle without losses. */
#include "../cloud/cloud.h"
#include "base/random.h"

enum { SEEDS = 40, ROUNDS = 80, HOSTS = 3, INSTANCES_MAX = 12 };

struct chaos {
	struct cloud *c;
	uuid ids[INSTANCES_MAX];
	size_t count;
	bool is_cut;
};

static uuid any_instance(const struct chaos *x)
{
	return x->count ? x->ids[random_below(x->count)] : UUID_NONE;
}

static struct str any_host(void)
{
	static const struct str names[HOSTS] = {{"h0", 2}, {"h1", 2}, {"h2", 2}};
	return names[random_below(HOSTS)];
}

/* Every call may be refused: by a rule, a fault or a kill. */
static void ask(struct chaos *x, op_run run, void *wish)
{
	IGNORE(cloud_call(x->c, &x->c->alice, run, wish));
}

/* ---- random actions ---- */

static void launch(struct chaos *x)
{
	struct instance_launch wish = cloud_launch_wish(x->c, 1);
	wish.shutdown_terminates = random_below(3) == 0;
	if (x->count == INSTANCES_MAX ||
	    !result_is_ok(cloud_call(x->c, &x->c->alice, engine_create_instances_run, &wish)))
		return;
	x->ids[x->count++] = wish.made.at[0];
}

static void change_power(struct chaos *x)
{
	static const op_run runs[] = {engine_stop_instances_run, engine_start_instances_run,
				      engine_reboot_instances_run, engine_terminate_instances_run};
	IGNORE(cloud_power(x->c, runs[random_below(4)], any_instance(x), random_below(4) == 0));
}

static void move_address(struct chaos *x)
{
	struct address_wish wish = {0};
	ask(x, engine_allocate_address_run, &wish);
	if (cloud_was_killed(x->c) || uuid_is_none(wish.address))
		return;
	struct address_association association = {.address = cloud_ref(x->c, KIND_ADDRESS, wish.address),
						  .instance =
							  cloud_ref(x->c, KIND_INSTANCE, any_instance(x))};
	ask(x, engine_associate_address_run, &association);
}

static void end_guest(struct chaos *x)
{
	static const enum compute_off whys[] = {COMPUTE_OFF_GUEST, COMPUTE_OFF_CRASHED,
						COMPUTE_OFF_DESTROYED};
	sim_compute_end_guest(any_host(), any_instance(x), whys[random_below(3)]);
}

static void lose_domain(struct chaos *x)
{
	sim_compute_lose_domain(any_host(), any_instance(x));
}

static void bring_false_news(struct chaos *x)
{
	cloud_bring_news(any_host(), any_instance(x));
}

static void shake_host(struct chaos *x)
{
	(void) x;
	struct str host = any_host();
	switch (random_below(5)) {
	case 0:
		sim_compute_set_health(host, SIM_DOWN, 0);
		break;
	case 1:
		sim_compute_disconnect(host);
		break;
	case 2:
		sim_compute_reboot(host);
		break;
	case 3:
		sim_compute_set_deaf(host, random_below(2) == 0);
		break;
	default:
		sim_compute_set_health(host, SIM_UP, 0);
		break;
	}
}

static void shake_network(struct chaos *x)
{
	x->is_cut = !x->is_cut;
	network_sim_cut(x->is_cut);
}

static void make_fault(struct chaos *x)
{
	static const unsigned points[] = {FAULT_DRIVER, FAULT_SQL, FAULT_ALLOC, FAULT_DRIVER | FAULT_SQL};
	(void) x;
	fault_arm(points[random_below(4)], random_below(30), random_below(8) == 0);
}

static void end_faults(struct chaos *x)
{
	(void) x;
	fault_disarm();
}

static void kill_soon(struct chaos *x)
{
	x->c->kill_at = x->c->steps + 1 + random_below(25);
}

static void (*const happenings[])(struct chaos *x) = {
	launch,     launch,      change_power, change_power,     change_power,  move_address,
	end_guest,  lose_domain, shake_host,   shake_host,       shake_network, make_fault,
	end_faults, end_faults,  kill_soon,    bring_false_news,
};

/* ---- the test ---- */

static void let_pass(struct chaos *x)
{
	static const int64_t whiles[] = {0, 10 * MILLISECOND, SECOND, 15 * SECOND};
	if (!cloud_was_killed(x->c))
		cloud_step_for(x->c, whiles[random_below(4)]);
	if (cloud_was_killed(x->c))
		cloud_restart(x->c);
}

static void make_whole(struct chaos *x)
{
	static const struct str names[HOSTS] = {{"h0", 2}, {"h1", 2}, {"h2", 2}};
	fault_disarm();
	x->c->kill_at = 0;
	for (size_t k = 0; k < HOSTS; k++)
		sim_compute_set_health(names[k], SIM_UP, 0);
	network_sim_cut(false);
}

static void test_chaos(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= SEEDS; seed = cloud_next_seed(seed)) {
		struct chaos x = {.c = cloud_new(seed * 1000, HOSTS)};
		for (int k = 0; k < ROUNDS; k++) {
			happenings[random_below(sizeof happenings / sizeof happenings[0])](&x);
			let_pass(&x);
		}
		make_whole(&x);
		cloud_settle(x.c);
		for (size_t k = 0; k < x.count; k++)
			assert_false(cloud_has_condition(x.c, x.ids[k], "NotReconciled"));
		cloud_done(x.c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chaos),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
