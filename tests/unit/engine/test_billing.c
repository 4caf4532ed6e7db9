/* SPDX-License-Identifier: Apache-2.0
 * Billing of random histories: the rating must equal, to the second, that of a second rater which looks at
 * the rows in every second. Also, what the engine refuses accounts that do not pay, regardless of the
 * caller. */
#include "cloud.h"

#include <stdlib.h>

#include "engine/billing/billing.h"
#include "engine/billing/misuse.h"
#include "engine/billing/standing.h"
#include "store/account.h"
#include "store/address.h"
#include "store/instance.h"
#include "store/port.h"
#include "store/volume.h"

#define TEST_NOW_US (INT64_C(1798761600) * SECOND) /* 2027-01-01 */
enum { MACHINES = 3, VOLUMES = 4, ADDRESSES = 2, STEPS = 120 };

static const char prices[] = "price_list: {name: public, currency: EUR, from: 2020-01-01T00:00:00Z}\n"
			     "items:\n"
			     "- {sku: vm, meter: instance, unit: hour, minimum_s: 60, price: 0.0104}\n"
			     "- {sku: held, meter: held, unit: hour, price: 0.001}\n"
			     "- {sku: vol, meter: volume, unit: gib_month, price: 0.08}\n"
			     "- {sku: used, meter: \"address:used\", unit: hour, price: 0.005}\n"
			     "- {sku: idle, meter: \"address:idle\", unit: hour, price: 0.004}\n";

/* ---- the naive rater ---- */

enum meter { ON, HELD, BYTES, USED, IDLE, METERS };
static const char *const skus[METERS] = {"vm", "held", "vol", "used", "idle"};

struct world {
	struct cloud *c;
	unsigned short random[3];
	uuid machines[MACHINES], volumes[VOLUMES], addresses[ADDRESSES];
	__int128 seen[METERS][VOLUMES]; /* by number: sums over seconds */
	__int128 rated[METERS][VOLUMES];
};

static bool is_on(const struct world *w, uuid machine)
{
	const struct instance *i = instance_find(cloud_tables(w->c), machine);
	return i && i->seen_power == INSTANCE_SEEN_POWER_ON;
}

static enum meter use_of(const struct world *w, const struct address *a)
{
	const struct port *port = port_find(cloud_tables(w->c), a->port);
	return port && is_on(w, port->instance) ? USED : IDLE;
}

/* The rows as they are, once for every second until the next step. */
static void watch(struct world *w, int64_t seconds)
{
	const struct tables *t = cloud_tables(w->c);
	for (int64_t s = 0; s < seconds; s++) {
		for (int k = 0; k < MACHINES; k++) {
			const struct instance *i = instance_find(t, w->machines[k]);
			w->seen[ON][k] += is_on(w, w->machines[k]);
			w->seen[HELD][k] += i && cloud_state(w->c, i->row.id) != INSTANCE_TERMINATED;
		}
		for (int k = 0; k < VOLUMES; k++) {
			const struct volume *v = volume_find(t, w->volumes[k]);
			w->seen[BYTES][k] += v && row_is_live(&v->row) ? v->size : 0;
		}
		for (int k = 0; k < ADDRESSES; k++) {
			const struct address *a = address_find(t, w->addresses[k]);
			if (a && row_is_live(&a->row))
				w->seen[use_of(w, a)][k]++;
		}
	}
	clock_set_us(clock_now_us() + seconds * SECOND);
}

/* ---- a life ---- */

static long draw(struct world *w, long below)
{
	return nrand48(w->random) % below;
}

static void turn(struct world *w, uuid machine)
{
	struct cloud *c = w->c;
	const struct ref ref = ref_to(c, KIND_INSTANCE, machine);
	struct instances_wish wish = {.instances = refs_of(c, &ref, 1)};
	if (instance_find(cloud_tables(c), machine) && cloud_state(c, machine) == INSTANCE_SHUTTING_DOWN)
		cloud_see(c, machine, INSTANCE_SEEN_POWER_ABSENT);
	const struct instance *i = instance_find(cloud_tables(c), machine);
	if (!i || !row_is_live(&i->row))
		return;
	if (is_on(w, machine) && draw(w, 8) == 0) {
		cloud_ok(c, &c->alice, engine_terminate_instances, &wish);
		return; /* on until the next look */
	}
	if (is_on(w, machine)) {
		cloud_ok(c, &c->alice, engine_stop_instances, &wish);
		if (draw(w, 2))
			watch(w, draw(w, 90)); /* and so is this one */
		cloud_see(c, machine, INSTANCE_SEEN_POWER_OFF);
		return;
	}
	struct result result = OK;
	if (cloud_state(c, machine) == INSTANCE_STOPPED)
		result = cloud_run(c, &c->alice, engine_start_instances_run, &wish);
	if (result_is_ok(result)) /* no public address may be left */
		cloud_see(c, machine, INSTANCE_SEEN_POWER_ON);
}

static void move_address(struct world *w, int k)
{
	struct cloud *c = w->c;
	const struct address *a = address_find(cloud_tables(c), w->addresses[k]);
	const struct instance *i = instance_find(cloud_tables(c), w->machines[k]);
	if (!a) {
		struct address_wish wish = {0};
		struct result result = cloud_run(c, &c->alice, engine_allocate_address_run, &wish);
		assert_true(result_is_ok(result) ||
			    result.code == ERR_CAPACITY); /* instances have them, too */
		if (result_is_ok(result))
			w->addresses[k] = wish.address;
		return;
	}
	if (uuid_is_none(a->port) && i && row_is_live(&i->row)) {
		struct address_association wish = {.address = ref_to(c, KIND_ADDRESS, a->row.id),
						   .instance = ref_to(c, KIND_INSTANCE, i->row.id)};
		cloud_ok(c, &c->alice, engine_associate_address, &wish);
	}
}

static void step(struct world *w)
{
	int k = (int) draw(w, VOLUMES);
	switch (draw(w, 4)) {
	case 0:
		if (uuid_is_none(w->volumes[k]))
			w->volumes[k] = cloud_make_volume(w->c, (1 + draw(w, 5)) * GIB);
		return;
	case 1:
		move_address(w, k % ADDRESSES);
		return;
	default:
		if (uuid_is_none(w->machines[k % MACHINES]))
			w->machines[k % MACHINES] = cloud_launch_one(w->c);
		else
			turn(w, w->machines[k % MACHINES]);
	}
}

/* ---- rating ---- */

static RESULT add(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct world *w = arg;
	(void) billed;
	for (int m = 0; m < METERS; m++)
		for (int k = 0; k < VOLUMES && str_is(charge->price->item->sku, skus[m]); k++) {
			bool is_machine = k < MACHINES && uuid_equal(charge->id, w->machines[k]);
			bool is_its = (is_machine && m <= HELD) ||
				      (m == BYTES && uuid_equal(charge->id, w->volumes[k])) ||
				      (m >= USED && k < ADDRESSES && uuid_equal(charge->id, w->addresses[k]));
			if (is_its)
				w->rated[m][k] += charge->measured;
		}
	return OK;
}

static void rate(struct world *w, int64_t from_us)
{
	struct billing_query query = {.now_us = clock_now_us()};
	for (query.month = month_of(from_us / SECOND); query.month.from_s * SECOND < query.now_us;
	     query.month = month_of(query.month.until_s)) {
		struct result result = billing_rate_all(&w->c->c, w->c->store, &query, add, NULL, w);
		assert_true(result_is_ok(result));
	}
}

static void load_prices(struct cloud *c)
{
	struct price_list_wish wish = {.yaml = str_from(prices), .name = STR("public"), .from_s = 1577836800};
	cloud_ok(c, &c->operator, engine_load_prices, &wish);
}

static void only_an_administrator_loads_prices(void **state)
{
	struct cloud *c = *state;
	struct price_list_wish wish = {.yaml = str_from(prices), .name = STR("public"), .from_s = 1577836800};
	cloud_fails(c, &c->alice, engine_load_prices, &wish, ERR_DENIED, KIND_NONE);
	load_prices(c);
}

static void random_lives_are_rated_as_they_are_seen(void **state)
{
	(void) state;
	for (unsigned short seed = 1; seed <= 8; seed++) {
		struct world w = {.random = {seed, 3, 5}};
		void *made = NULL;
		assert_int_equal(cloud_setup(&made), 0);
		w.c = made;
		w.c->skips_dumps = true;
		clock_set_us(TEST_NOW_US + 27 * 24 * HOUR); /* so that the history contains ends of months */
		load_prices(w.c);
		int64_t from_us = clock_now_us();
		for (int n = 0; n < STEPS; n++) {
			step(&w);
			watch(&w, draw(&w, 3) ? draw(&w, 100) : draw(&w, 40000));
		}
		rate(&w, from_us);
		for (int m = 0; m < METERS; m++)
			for (int k = 0; k < VOLUMES; k++)
				if (w.seen[m][k] != w.rated[m][k])
					fail_msg("seed %u, %s of %d: seen %lld, rated %lld", seed, skus[m], k,
						 (long long) w.seen[m][k], (long long) w.rated[m][k]);
		w.c->usage_count = 0; /* more than the test's list takes */
		assert_int_equal(cloud_teardown(&made), 0);
	}
}

/* ---- unpaid bills ---- */

static void stand(struct cloud *c, enum domain_bill_state state)
{
	struct standing_wish wish = {.domain = DOMAIN_DEFAULT, .state = state};
	cloud_ok(c, &c->operator, engine_set_standing, &wish);
}

static void expect_unpaid(struct cloud *c, struct result result)
{
	cloud_expect(c, result, ERR_DENIED, KIND_DOMAIN);
	assert_true(str_is(c->c.problem.field, STANDING_FIELD));
}

static void become_a_billing_account(struct cloud *c)
{
	struct billing_settings wish = {.domain = ref_by_id(KIND_DOMAIN, DOMAIN_DEFAULT),
					.is_billed = CHOICE_YES};
	cloud_ok(c, &c->operator, engine_set_billing, &wish);
}

static void who_is_limited_makes_nothing_new(void **state)
{
	struct cloud *c = *state;
	uuid machine = cloud_launch_one(c);
	const struct ref ref = ref_to(c, KIND_INSTANCE, machine);
	struct instances_wish wish = {.instances = refs_of(c, &ref, 1)};
	struct address_wish address = {0};
	struct instance_launch launch = cloud_launch(c, 1);
	cloud_see(c, machine, INSTANCE_SEEN_POWER_ON);
	become_a_billing_account(c);
	stand(c, DOMAIN_BILL_STATE_OVERDUE);
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	stand(c, DOMAIN_BILL_STATE_LIMITED);
	expect_unpaid(c, cloud_run(c, &c->alice, engine_create_instances_run, &launch));
	expect_unpaid(c, cloud_run(c, &c->bob, engine_allocate_address_run, &address));
	cloud_ok(c, &c->alice, engine_reboot_instances, &wish);
	cloud_ok(c, &c->alice, engine_stop_instances, &wish);
	cloud_see(c, machine, INSTANCE_SEEN_POWER_OFF);
	expect_unpaid(c, cloud_run(c, &c->alice, engine_start_instances_run, &wish));
	cloud_ok(c, &c->operator, engine_start_instances, &wish); /* the operator still can */
	cloud_ok(c, &c->alice, engine_terminate_instances, &wish);
}

static void who_is_suspended_is_stopped_and_started_again(void **state)
{
	struct cloud *c = *state;
	uuid machine = cloud_launch_one(c), other = cloud_launch_one(c), theirs = cloud_launch_one(c);
	const struct ref ref = ref_to(c, KIND_INSTANCE, other), mine = ref_to(c, KIND_INSTANCE, machine),
			 third = ref_to(c, KIND_INSTANCE, theirs);
	struct instances_wish stop = {.instances = refs_of(c, &ref, 1)},
			      all = {.instances = refs_of(c, &mine, 1)},
			      asked = {.instances = refs_of(c, &third, 1)};
	cloud_see(c, machine, INSTANCE_SEEN_POWER_ON);
	cloud_see(c, theirs, INSTANCE_SEEN_POWER_ON);
	cloud_see(c, other, INSTANCE_SEEN_POWER_ON);
	cloud_ok(c, &c->alice, engine_stop_instances, &stop);
	cloud_see(c, other, INSTANCE_SEEN_POWER_OFF);
	become_a_billing_account(c);
	stand(c, DOMAIN_BILL_STATE_SUSPENDED);
	assert_int_equal(cloud_instance(c, machine)->wanted_power, INSTANCE_WANTED_POWER_OFF);
	assert_true(str_is(cloud_instance(c, machine)->reason_code, STANDING_REASON));
	cloud_see(c, machine, INSTANCE_SEEN_POWER_OFF);
	cloud_see(c, theirs, INSTANCE_SEEN_POWER_OFF);
	expect_unpaid(c, cloud_run(c, &c->alice, engine_terminate_instances_run, &all));
	stand(c, DOMAIN_BILL_STATE_SUSPENDED); /* nothing more becomes of it */
	cloud_ok(c, &c->operator, engine_terminate_instances, &asked);
	stand(c, DOMAIN_BILL_STATE_ACTIVE);
	assert_int_equal(cloud_instance(c, machine)->wanted_power, INSTANCE_WANTED_POWER_ON);
	assert_int_equal(cloud_instance(c, other)->wanted_power, INSTANCE_WANTED_POWER_OFF);
	assert_false(row_is_live(&cloud_instance(c, theirs)->row));
	cloud_ok(c, &c->alice, engine_terminate_instances, &all);
}

static void a_frozen_instance_is_its_owners_again_when_it_is_thawed(void **state)
{
	struct cloud *c = *state;
	uuid machine = cloud_launch_one(c);
	const struct ref ref = ref_to(c, KIND_INSTANCE, machine);
	struct instances_wish wish = {.instances = refs_of(c, &ref, 1), .reason = STR("it sends spam")};
	cloud_see(c, machine, INSTANCE_SEEN_POWER_ON);
	cloud_fails(c, &c->alice, engine_freeze_instances, &wish, ERR_DENIED, KIND_INSTANCE);
	cloud_ok(c, &c->operator, engine_freeze_instances, &wish);
	assert_true(cloud_instance(c, machine)->wanted_pause);
	cloud_fails(c, &c->alice, engine_unpause_instances, &wish, ERR_PROTECTED, KIND_INSTANCE);
	cloud_fails(c, &c->alice, engine_stop_instances, &wish, ERR_PROTECTED, KIND_INSTANCE);
	cloud_fails(c, &c->alice, engine_unlock_instances, &wish, ERR_DENIED, KIND_INSTANCE);
	cloud_ok(c, &c->operator, engine_thaw_instances, &wish);
	assert_false(cloud_instance(c, machine)->wanted_pause);
	cloud_ok(c, &c->alice, engine_stop_instances, &wish);
}

/* ---- reports */

struct levels {
	struct usage at[8];
	size_t count;
};

static RESULT take_level(void *arg, const struct usage *usage)
{
	struct levels *l = arg;
	assert_true(l->count < 8);
	l->at[l->count++] = *usage;
	return OK;
}

static struct levels read_levels(struct cloud *c, const char *meter, int64_t before_us)
{
	struct levels l = {.count = 0};
	const struct usage_query query = {.kind = KIND_VOLUME,
					  .account = c->alice.account,
					  .meter = str_from(meter),
					  .before_us = before_us};
	struct ctx call;
	ctx_init(&call, c->arena);
	assert_true(result_is_ok(billing_read_levels(&call, c->store, &query, take_level, &l)));
	return l;
}

/* A report has corrected levels in place of wrong ones, and levels that were missing, in order of time. */
static void a_report_has_the_corrections(void **state)
{
	struct cloud *c = *state;
	const struct ref ref = ref_named(KIND_ZONE, "xyw2-az1");
	struct volume_wish volume = {.zone = ref, .disk = {.size = 2 * GIB, .type = STR("gp3")}};
	cloud_ok(c, &c->alice, engine_create_volume, &volume);
	int64_t now_us = clock_now_us();
	struct levels before = read_levels(c, "volume:", now_us + HOUR);
	assert_true(before.count == 1 && before.at[0].level == 2 * GIB && before.at[0].seq > 0);
	struct fix_wish wrong = {.id = volume.volume,
				 .account = c->alice.account,
				 .meter = STR("volume:gp3"),
				 .reason = STR("a wrong size"),
				 .wrong_seq = before.at[0].seq,
				 .at_us = now_us,
				 .level = 3 * GIB},
			missing = wrong, others = wrong;
	missing.wrong_seq = 0;
	missing.at_us = now_us - HOUR;
	missing.level = GIB;
	others.account = c->bob.account;
	others.level = 5 * GIB;
	cloud_fails(c, &c->alice, engine_fix_usage, &wrong, ERR_DENIED, KIND_NONE);
	cloud_ok(c, &c->operator, engine_fix_usage, &wrong);
	cloud_ok(c, &c->operator, engine_fix_usage, &missing);
	cloud_ok(c, &c->operator, engine_fix_usage, &others);
	struct levels after = read_levels(c, "volume:", now_us + HOUR);
	assert_int_equal(after.count, 2);
	assert_true(after.at[0].level == GIB && after.at[0].at_us == now_us - HOUR);
	assert_true(after.at[1].level == 3 * GIB && after.at[1].at_us == now_us);
	assert_int_equal(read_levels(c, "volume:", now_us - HOUR).count, 0);
	assert_int_equal(read_levels(c, "other", now_us + HOUR).count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_lives_are_rated_as_they_are_seen),
		cmocka_unit_test_setup_teardown(only_an_administrator_loads_prices, cloud_setup,
						cloud_teardown),
		cmocka_unit_test_setup_teardown(a_report_has_the_corrections, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(who_is_limited_makes_nothing_new, cloud_setup,
						cloud_teardown),
		cmocka_unit_test_setup_teardown(who_is_suspended_is_stopped_and_started_again, cloud_setup,
						cloud_teardown),
		cmocka_unit_test_setup_teardown(a_frozen_instance_is_its_owners_again_when_it_is_thawed,
						cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
