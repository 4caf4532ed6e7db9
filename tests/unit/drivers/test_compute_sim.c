/* SPDX-License-Identifier: Apache-2.0
 * The simulated hosts: the contract, and the simulation's own functions. */
#include <stdio.h>

#include "base/clock.h"
#include "base/fault.h"
#include "compute_contract.h"
#include "drivers/sim/compute_state.h"
#include "model/instance.h"

static const struct str hv1 = STR("hv1");

static void lose_daemon(void)
{
	sim_compute_disconnect(hv1);
}

static void end_guest(struct compute_host *h, uuid id, enum compute_off why)
{
	(void) h;
	sim_compute_end_guest(hv1, id, why);
}

enum { WORDS = 8 };

/* All that were written on the volume that was written on last, or on the one that it took over from: a letter
 * each. */
static void write_word(uuid instance, uuid volume, bool is_on, int word)
{
	static uuid last;
	static char words[WORDS + 1];
	(void) instance;
	(void) is_on;
	if (!uuid_equal(last, volume) && !sim_compute_disk_has(hv1, volume, words))
		memset(words, 0, sizeof words);
	last = volume;
	words[strlen(words)] = (char) ('a' + word);
	sim_compute_write_disk(hv1, volume, words);
}

static bool has_word(const char *path, const struct disk_key *key, int word)
{
	char bytes[SIM_FILE_SIZE] = "";
	(void) key;
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fread(bytes, 1, sizeof bytes, f), sizeof bytes);
	assert_int_equal(fclose(f), 0);
	return strchr(bytes + SIM_TEXT_AT, 'a' + word) != NULL;
}

struct compute_subject subject = {
	.driver = &compute_sim,
	.disks = &disk_sim,
	.host = {.name = STR("hv1"), .uri = STR("sim://"), .pool_path = STR("/sim")},
	.shared = STR("/sim-shared"),
	.image_sha256 = STR("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
	.image_path = STR("/nowhere/image"),
	.image_file_size = 4096,
	.lose_daemon = lose_daemon,
	.write = write_word,
	.has = has_word,
	.increment_most = SIM_FILE_SIZE,
	.end_guest = end_guest,
};

static int forget(void **state)
{
	(void) state;
	fault_disarm();
	clock_set_us(0);
	sim_compute_reset();
	return 0;
}

static struct sim_counts count(void)
{
	struct sim_counts n;
	sim_compute_count(&n);
	return n;
}

static void test_counts(void **state)
{
	(void) state;
	struct scene s = scene_open();
	scene_boot(&s);
	struct sim_counts n = count();
	assert_int_equal(n.hosts, 1);
	assert_int_equal(n.connections, 2); /* and its disks' */
	assert_int_equal(n.domains, 1);
	assert_int_equal(n.running, 1);
	assert_int_equal(n.disks, 1);
	assert_int_equal(n.images, 1);
	assert_int_equal(n.disk_size, INT64_C(128) << 20);
	scene_clear(&s);
	scene_close(&s);
	n = count();
	assert_int_equal(n.connections + n.domains + n.running + n.disks + n.disk_size, 0);
}

static void test_reboot(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct compute_facts before = {0}, after = {0};
	struct compute_seen seen = {0};
	scene_boot(&s);
	EXPECT(&s, ERR_NONE, compute_sim.probe(s.h, &s.c, &before));
	sim_compute_reboot(hv1);
	EXPECT(&s, ERR_GONE, compute_sim.see(s.h, &s.c, &s.wish, &seen));
	scene_reopen(&s);
	EXPECT(&s, ERR_NONE, compute_sim.probe(s.h, &s.c, &after));
	assert_false(str_equal(before.boot_id, after.boot_id));
	seen = scene_see(&s);
	assert_int_equal(seen.power, INSTANCE_SEEN_POWER_OFF);
	assert_int_equal(seen.off, COMPUTE_OFF_UNKNOWN);
	scene_clear(&s);
	scene_close(&s);
}

static int told;

static void count_change(void *arg, uuid id)
{
	told += uuid_equal(id, *(const uuid *) arg);
}

/* The watcher hears of a guest that pauses or goes on, and not of one that does so already. */
static void test_pause_is_told(void **state)
{
	(void) state;
	struct scene s = scene_open();
	scene_boot(&s);
	compute_sim.watch(s.h, count_change, &s.wish.id);
	static const enum compute_power turns[] = {COMPUTE_PAUSE, COMPUTE_START};
	for (int k = 0; k < 2; k++) {
		told = 0;
		EXPECT(&s, ERR_NONE, compute_sim.set_power(s.h, &s.c, s.wish.id, turns[k]));
		assert_int_equal(told, 1);
		EXPECT(&s, ERR_NONE, compute_sim.set_power(s.h, &s.c, s.wish.id, turns[k]));
		assert_int_equal(told, 1);
	}
	compute_sim.watch(s.h, NULL, NULL);
	scene_clear(&s);
	scene_close(&s);
}

static void test_slow_shutdown(void **state)
{
	(void) state;
	clock_set_us(1000 * SECOND);
	struct scene s = scene_open();
	scene_boot(&s);
	sim_compute_set_shutdown_us(hv1, 30 * SECOND);
	EXPECT(&s, ERR_NONE, compute_sim.set_power(s.h, &s.c, s.wish.id, COMPUTE_SHUTDOWN));
	assert_int_equal(scene_see(&s).power, INSTANCE_SEEN_POWER_ON);
	clock_advance_us(31 * SECOND);
	assert_int_equal(scene_see(&s).off, COMPUTE_OFF_GUEST);
	sim_compute_set_deaf(hv1, true);
	EXPECT(&s, ERR_NONE, compute_sim.set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	EXPECT(&s, ERR_NONE, compute_sim.set_power(s.h, &s.c, s.wish.id, COMPUTE_SHUTDOWN));
	clock_advance_us(HOUR);
	assert_int_equal(scene_see(&s).power, INSTANCE_SEEN_POWER_ON);
	scene_clear(&s);
	scene_close(&s);
}

/* A guest that is off has its devices in its definition, and none of them is plugged. */
static void test_off_unplugs(void **state)
{
	(void) state;
	struct scene s = scene_open();
	scene_boot(&s);
	assert_true(sim_compute_has_plugged(hv1, s.wish.id, s.nics[0].port));
	assert_false(sim_compute_has_plugged(hv1, s.wish.id, uuid_random()));
	EXPECT(&s, ERR_NONE, compute_sim.set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	assert_false(sim_compute_has_plugged(hv1, s.wish.id, s.nics[0].port));
	scene_clear(&s);
	scene_close(&s);
}

/* A guest that ignores unplug requests keeps its devices until it is asked again or ends. */
static void test_deaf_unplug(void **state)
{
	(void) state;
	struct scene s = scene_open();
	scene_boot(&s);
	s.wish.nic_count = 0;
	sim_compute_set_deaf(hv1, true);
	EXPECT(&s, ERR_NONE, compute_sim.define(s.h, &s.c, &s.wish));
	struct compute_seen seen = scene_see(&s);
	assert_true(!seen.devices_as_wished && seen.defined_as_wished);
	assert_true(uuids_have(&seen.ports, s.nics[0].port));
	sim_compute_set_deaf(hv1, false);
	EXPECT(&s, ERR_NONE, compute_sim.define(s.h, &s.c, &s.wish));
	assert_false(scene_see(&s).devices_as_wished);
	s.wish.asks_again = true;
	EXPECT(&s, ERR_NONE, compute_sim.define(s.h, &s.c, &s.wish));
	assert_true(scene_see(&s).devices_as_wished);
	s.wish.asks_again = false;
	s.wish.nic_count = 1;
	EXPECT(&s, ERR_NONE, compute_sim.define(s.h, &s.c, &s.wish));
	sim_compute_set_deaf(hv1, true);
	s.wish.nic_count = 0;
	EXPECT(&s, ERR_NONE, compute_sim.define(s.h, &s.c, &s.wish));
	EXPECT(&s, ERR_NONE, compute_sim.set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	seen = scene_see(&s);
	assert_true(seen.devices_as_wished && seen.ports.count == 0);
	scene_clear(&s);
	scene_close(&s);
}

/* Only operations that change something take time. */
static void test_pace(void **state)
{
	(void) state;
	clock_set_us(1000 * SECOND);
	sim_compute_set_pace(SIM_AS_REAL);
	struct scene s = scene_open();
	int64_t start_us = clock_now_us();
	scene_boot(&s);
	int64_t took_us = clock_now_us() - start_us;
	assert_in_range(took_us, 300 * MILLISECOND, 2 * SECOND);
	scene_boot(&s);
	assert_int_equal(clock_now_us(), start_us + took_us);
	EXPECT(&s, ERR_NONE, compute_sim.set_power(s.h, &s.c, s.wish.id, COMPUTE_SHUTDOWN));
	assert_int_equal(clock_now_us(), start_us + took_us);
	assert_int_equal(scene_see(&s).power, INSTANCE_SEEN_POWER_ON);
	clock_advance_us(10 * SECOND);
	assert_int_equal(scene_see(&s).off, COMPUTE_OFF_GUEST);
	scene_clear(&s);
	scene_close(&s);
}

static void test_health(void **state)
{
	(void) state;
	clock_set_us(1000 * SECOND);
	struct scene s = scene_open();
	struct compute_facts facts = {0};
	sim_compute_set_latency(hv1, 5 * MILLISECOND);
	EXPECT(&s, ERR_NONE, compute_sim.probe(s.h, &s.c, &facts));
	assert_int_equal(clock_now_us(), 1000 * SECOND + 5 * MILLISECOND);
	sim_compute_set_health(hv1, SIM_HANGS, 20 * SECOND);
	EXPECT(&s, ERR_GONE, compute_sim.probe(s.h, &s.c, &facts));
	assert_int_equal(clock_now_us(), 1020 * SECOND + 5 * MILLISECOND);
	sim_compute_set_health(hv1, SIM_DOWN, 0);
	struct compute_host *other = NULL;
	EXPECT(&s, ERR_GONE, compute_sim.open_host(NULL, &s.c, contract_region(), &subject.host, &other));
	sim_compute_set_health(hv1, SIM_UP, 0);
	EXPECT(&s, ERR_GONE, compute_sim.probe(s.h, &s.c, &facts)); /* this connection is lost */
	scene_reopen(&s);
	EXPECT(&s, ERR_NONE, compute_sim.probe(s.h, &s.c, &facts));
	scene_close(&s);
}

/* Sends the root disk, including its base. */
static struct result make_disk(struct scene *s)
{
	struct disk_seen seen = {.lacks_base = true};
	struct disk_name base = {.kind = DISK_BASE, .sha256 = subject.image_sha256};
	struct result r = OK;
	for (int k = 0; k < 2 && seen.lacks_base && result_is_ok(r); k++) {
		struct disk_copy copy = {.path = subject.image_path, .size = subject.image_file_size};
		r = disk_sim.ensure(s->pool, &s->c, &s->files[0], &seen);
		if (result_is_ok(r) && seen.lacks_base)
			r = disk_sim.push(s->pool, &s->c, &base, &copy);
	}
	return r;
}

/* Each call fails at each of its two points, once; told again it comes to the same end. */
static void test_faults(void **state)
{
	(void) state;
	for (uint64_t n = 0, fired = 1; fired; n++) {
		struct scene s = scene_open();
		fault_arm(FAULT_DRIVER, n, false);
		struct result r = FAIL(AGAIN);
		for (int tries = 0; tries < 3 && !result_is_ok(r); tries++) {
			ctx_clear_problem(&s.c);
			r = make_disk(&s);
			s.wish.disks = s.disks;
			s.wish.nics = s.nics;
			if (result_is_ok(r))
				r = compute_sim.define(s.h, &s.c, &s.wish);
			if (result_is_ok(r))
				r = compute_sim.set_power(s.h, &s.c, s.wish.id, COMPUTE_START);
			if (r.code == ERR_GONE)
				scene_reopen(&s);
		}
		EXPECT(&s, ERR_NONE, r);
		fired = fault_has_fired();
		fault_disarm();
		struct sim_counts found = count();
		assert_int_equal(found.domains, 1);
		assert_int_equal(found.running, 1);
		assert_int_equal(found.disks, 1);
		scene_clear(&s);
		scene_close(&s);
		assert_true(n < 100);
	}
}

static void test_out_of_memory(void **state)
{
	(void) state;
	for (uint64_t n = 0, fired = 1; fired; n++) {
		struct scene s = scene_open();
		fault_arm(FAULT_ALLOC, n, false);
		struct result r = make_disk(&s);
		s.wish.disks = s.disks;
		s.wish.nics = s.nics;
		if (result_is_ok(r))
			r = compute_sim.define(s.h, &s.c, &s.wish);
		fired = fault_has_fired();
		fault_disarm();
		assert_int_equal(r.code, fired ? ERR_NO_MEMORY : ERR_NONE);
		ctx_clear_problem(&s.c);
		scene_clear(&s);
		scene_close(&s);
		assert_true(n < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_counts, forget),
		cmocka_unit_test_teardown(test_reboot, forget),
		cmocka_unit_test_teardown(test_pause_is_told, forget),
		cmocka_unit_test_teardown(test_slow_shutdown, forget),
		cmocka_unit_test_teardown(test_off_unplugs, forget),
		cmocka_unit_test_teardown(test_deaf_unplug, forget),
		cmocka_unit_test_teardown(test_pace, forget),
		cmocka_unit_test_teardown(test_health, forget),
		cmocka_unit_test_teardown(test_faults, forget),
		cmocka_unit_test_teardown(test_out_of_memory, forget),
	};
	int failed = compute_contract_run() + disk_contract_run();
	forget(NULL);
	return failed + cmocka_run_group_tests_name("simulated compute", tests, NULL, NULL);
}
