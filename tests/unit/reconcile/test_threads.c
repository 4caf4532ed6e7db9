/* SPDX-License-Identifier: Apache-2.0
 * The reconciler with real threads and real time: observations of a hung host, the audit, and an end amid
 * work. Mainly for the sanitizers. */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/vec.h"
#include "drivers/disk.h"
#include "drivers/sim/compute.h"
#include "drivers/sim/network.h"
#include "engine/engine.h"
#include "engine/instance/instance.h"
#include "engine/people/account/account.h"
#include "engine/region/host.h"
#include "engine/region/region.h"
#include "engine/storage/image/image.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/volume/volume.h"
#include "model/states.h"
#include "reconcile/reconcile.h"
#include "store/condition.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/sql.h"
#include "store/volume.h"

enum { HOSTS = 4, INSTANCES = 40 };
#define GIB (INT64_C(1) << 30)

struct place {
	struct arena *arena;
	struct ctx c;
	struct executor *executor;
	struct store *store;
	struct network_handle network;
	struct reconciler *reconciler;
	struct identity alice;
	uuid image, hosts[HOSTS];
	char images[32]; /* directory */
};

static const char *const host_names[HOSTS] = {"h0", "h1", "h2", "h3"};

/* Limit for waiting loops, so that the test cannot hang. */
enum { LOOKS = 120000 };

static void nap_ms(int64_t ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	(void) nanosleep(&t, NULL);
}

static void commit(struct place *p, const struct identity *who, op_run run, void *wish)
{
	ctx_init(&p->c, p->arena);
	engine_act_by_roles(&p->c, who);
	struct result result = store_commit(p->store, &p->c, "test", run, wish);
	if (!result_is_ok(result))
		fail_msg("%s: %.*s", err_name(result.code), STR_ARG(p->c.problem.message));
}

static void must(struct result result)
{
	assert_int_equal(result.code, ERR_NONE);
}

static void fill(struct place *p)
{
	struct region_wish region = {.name = STR("xy-west-2")};
	commit(p, NULL, engine_bootstrap_region_run, &region);
	for (size_t k = 0; k < HOSTS; k++) {
		struct host_wish host = {
			.name = str_from(host_names[k]), .uri = STR("sim://"), .pool_path = STR("/pool")};
		commit(p, NULL, engine_add_host_run, &host);
		p->hosts[k] = host.host;
	}
	struct account_wish account = {.name = STR("alice"), .with_default_router = true};
	commit(p, NULL, engine_create_account_run, &account);
	p->alice = (struct identity){
		.rights = RIGHTS_OF_MEMBER, .account = account.account, .user = account.user};
	struct account_limits limits = account_limits_all(
		(struct ref){.kind = KIND_ACCOUNT, .prefix = account.account, .bits = 128}, -1);
	commit(p, NULL, engine_set_limits_run, &limits);
	struct image_import image = {
		.name = STR("debian"),
		.is_public = true,
		.virtual_size = GIB,
		.file_size = GIB,
		.sha256 = STR("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")};
	commit(p, NULL, engine_import_image_run, &image);
	p->image = image.image;
}

static size_t count_hosts_up(struct place *p)
{
	size_t count = 0;
	AUTO_VIEW view = {0};
	view_open(p->store, &view);
	for (const struct host *h = host_first(view.tables); h; h = host_next(view.tables, h))
		count += h->seen_state == HOST_SEEN_STATE_UP;
	return count;
}

/* The sim's, but that its hosts have threads of their own. */
static struct compute_driver compute_with_threads;

static int setup(void **state)
{
	struct place *p = heap_new(struct place);
	assert_non_null(p);
	p->arena = arena_new(ARENA_FIRST_SIZE, (size_t) 1 << 28);
	ctx_init(&p->c, p->arena);
	log_set_level(LOG_ERROR + 1);
	sim_compute_reset();
	network_sim_reset();
	compute_with_threads = compute_sim;
	compute_with_threads.is_quick = false;
	(void) snprintf(p->images, sizeof p->images, "/tmp/dari-threads-XXXXXX");
	assert_non_null(mkdtemp(p->images));
	p->executor = executor_new_threads();
	struct store_config config = {
		.executor = p->executor, .observe = engine_observe, .check = engine_check_row};
	must(sqlite_open(&p->c, ":memory:", &config.sql));
	must(store_open(&p->c, &config, &p->store));
	must(network_sim_open(&p->c, &p->network));
	fill(p);
	struct reconcile_config reconcile = {.executor = p->executor,
					     .store = p->store,
					     .network = p->network,
					     .compute = {&compute_with_threads},
					     .disks = {&disk_sim},
					     .image_directory = str_from(p->images),
					     .own_chassis = STR("here"),
					     .shutdown_grace_us = SECOND,
					     .host_interval_us = 50 * MILLISECOND,
					     .call_patience_us = 300 * MILLISECOND,
					     .resync_interval_us = 200 * MILLISECOND};
	must(reconciler_new(&p->c, &reconcile, &p->reconciler));
	reconciler_start(p->reconciler);
	for (int k = 0; k < LOOKS && count_hosts_up(p) < HOSTS; k++)
		nap_ms(5);
	assert_int_equal(count_hosts_up(p), HOSTS);
	*state = p;
	return 0;
}

static void remove_images(struct place *p)
{
	DIR *dir = opendir(p->images);
	const struct dirent *entry = NULL;
	while (dir && (entry = readdir(dir)))
		(void) unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		(void) closedir(dir);
	(void) rmdir(p->images);
}

static int teardown(void **state)
{
	struct place *p = *state;
	reconciler_free(p->reconciler);
	p->network.driver->close(p->network.self);
	store_close(p->store);
	executor_free(p->executor);
	remove_images(p);
	arena_free(p->arena);
	heap_free(p);
	sim_compute_reset();
	network_sim_reset();
	return 0;
}

/* ---- a life ---- */

static struct uuids launch(struct place *p, int64_t count)
{
	struct instance_launch wish = {.image = {.kind = KIND_IMAGE, .prefix = p->image, .bits = 128},
				       .type = {.kind = KIND_INSTANCE_TYPE, .text = STR("t3.micro")},
				       .min_count = count,
				       .max_count = count};
	commit(p, &p->alice, engine_create_instances_run, &wish);
	return wish.made;
}

static void terminate(struct place *p, uuid id)
{
	struct ref ref = {.kind = KIND_INSTANCE, .prefix = id, .bits = 128};
	struct instances_wish wish = {.instances = {&ref, 1}};
	commit(p, &p->alice, engine_terminate_instances_run, &wish);
}

static size_t count_in_state(struct place *p, enum instance_state wanted)
{
	size_t count = 0;
	AUTO_VIEW view = {0};
	view_open(p->store, &view);
	for (const struct instance *i = instance_first(view.tables); i; i = instance_next(view.tables, i))
		count += model_derive_instance_state(i) == wanted;
	return count;
}

static void await_count(struct place *p, enum instance_state state, size_t count)
{
	for (int k = 0; k < LOOKS && count_in_state(p, state) != count; k++)
		nap_ms(5);
	assert_int_equal(count_in_state(p, state), count);
}

static size_t audit(struct place *p)
{
	struct audit found = {0};
	ctx_init(&p->c, p->arena);
	must(reconciler_audit(p->reconciler, &p->c, clock_now_us() + 10 * SECOND, &found));
	for (size_t k = 0; k < found.findings.count; k++)
		print_message("audit: %.*s\n", STR_ARG(found.findings.at[k].words));
	return found.findings.count;
}

static void test_life(void **state)
{
	struct place *p = *state;
	struct uuids made = launch(p, INSTANCES);
	for (size_t k = 0; k < made.count; k += 2)
		terminate(p, made.at[k]);
	for (int k = 0; k < 10; k++) {
		sim_compute_disconnect(STR("h1"));
		network_sim_cut(true);
		nap_ms(5);
		network_sim_cut(false);
	}
	await_count(p, INSTANCE_RUNNING, INSTANCES / 2);
	await_count(p, INSTANCE_TERMINATED, INSTANCES / 2);
	for (int k = 0; k < LOOKS && !reconciler_is_settled(p->reconciler); k++)
		nap_ms(1);
	nap_ms(100);
	assert_int_equal(audit(p), 0);
}

/* The reconciler ends amid work; teardown() checks that nothing is left behind. */
static void test_end_amid_work(void **state)
{
	struct place *p = *state;
	struct uuids made = launch(p, INSTANCES);
	nap_ms(3);
	terminate(p, made.at[0]);
	sim_compute_disconnect(STR("h2"));
}

/* ---- observations ---- */

struct reading {
	struct observation o;
	struct arena *arena;
	struct ctx c;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool has_ended, was_looked;
	int64_t ended_us;
	struct result result;
};

static RESULT look(struct observation *o, const struct compute_driver *driver, struct compute_host *h)
{
	struct reading *s = o->arg;
	struct compute_facts facts = {0};
	s->was_looked = true;
	return driver->probe(h, o->ctx, &facts);
}

static void ended(struct observation *o, struct result result)
{
	struct reading *s = o->arg;
	(void) pthread_mutex_lock(&s->lock);
	assert_false(s->has_ended);
	s->has_ended = true;
	s->ended_us = clock_now_us();
	s->result = result;
	(void) pthread_cond_signal(&s->ended);
	(void) pthread_mutex_unlock(&s->lock);
}

static struct reading *observe(struct place *p, uuid host, int64_t within_us)
{
	struct reading *s = heap_new(struct reading);
	assert_non_null(s);
	s->arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	ctx_init(&s->c, s->arena);
	(void) pthread_mutex_init(&s->lock, NULL);
	(void) pthread_cond_init(&s->ended, NULL);
	s->o = (struct observation){.host = host,
				    .deadline_us = clock_now_us() + within_us,
				    .ctx = &s->c,
				    .look = look,
				    .done = ended,
				    .arg = s};
	reconciler_observe(p->reconciler, &s->o);
	return s;
}

static struct result await_reading(struct reading *s)
{
	(void) pthread_mutex_lock(&s->lock);
	while (!s->has_ended)
		(void) pthread_cond_wait(&s->ended, &s->lock);
	(void) pthread_mutex_unlock(&s->lock);
	return s->result;
}

static void free_reading(struct reading *s)
{
	arena_free(s->arena);
	(void) pthread_mutex_destroy(&s->lock);
	(void) pthread_cond_destroy(&s->ended);
	heap_free(s); /* at once: a late look would be seen by ASan */
}

static void test_observe(void **state)
{
	struct place *p = *state;
	struct reading *s = observe(p, p->hosts[0], 10 * SECOND);
	assert_int_equal(await_reading(s).code, ERR_NONE);
	assert_true(s->was_looked);
	free_reading(s);
	s = observe(p, uuid_random(), SECOND);
	assert_int_equal(await_reading(s).code, ERR_GONE);
	free_reading(s);
	s = observe(p, p->hosts[0], -SECOND);
	assert_int_equal(await_reading(s).code, ERR_TIMEOUT);
	free_reading(s);
}

/* The queue is stuck behind a call that hangs: answered at the deadline, not when the host is back. */
static bool observe_hung(struct place *p)
{
	int64_t since_us = clock_now_us();
	struct reading *stuck = observe(p, p->hosts[0], 100 * MILLISECOND);
	struct reading *other = observe(p, p->hosts[1], MINUTE);
	assert_int_equal(await_reading(other).code, ERR_NONE);
	bool is_late = await_reading(stuck).code == ERR_TIMEOUT;
	bool is_as_promised = is_late && !stuck->was_looked && stuck->ended_us - since_us < 4 * SECOND;
	free_reading(stuck);
	free_reading(other);
	return is_as_promised;
}

/* A busy machine may delay the probe that is to hang, or the answer: one round in twenty has to show it. */
static void test_observe_hung_host(void **state)
{
	struct place *p = *state;
	sim_compute_set_health(STR("h0"), SIM_HANGS, 5 * SECOND);
	nap_ms(200); /* its next probe hangs now */
	int rounds = 0;
	while (rounds < 20 && !observe_hung(p))
		rounds++;
	assert_true(rounds < 20);
	sim_compute_set_health(STR("h0"), SIM_UP, 0);
	nap_ms(50);
}

/* Deadlines that expire just when the look ends: every reading gets exactly one answer. */
static void test_observe_races(void **state)
{
	struct place *p = *state;
	struct reading *readings[200];
	sim_compute_set_latency(STR("h3"), 300);
	for (int round = 0; round < 5; round++) {
		for (size_t k = 0; k < 200; k++)
			readings[k] = observe(p, p->hosts[3], (int64_t) (k % 50) * 200);
		for (size_t k = 0; k < 200; k++) {
			enum err code = await_reading(readings[k]).code;
			assert_true(code == ERR_NONE || code == ERR_TIMEOUT);
			free_reading(readings[k]);
		}
	}
}

static struct reading *left[20];

/* Requests in progress when the reconciler ends are answered, too. */
static void test_observe_end(void **state)
{
	struct place *p = *state;
	sim_compute_set_latency(STR("h0"), 20000);
	for (size_t k = 0; k < 20; k++)
		left[k] = observe(p, p->hosts[0], 10 * SECOND);
}

static int teardown_observed(void **state)
{
	int failed = teardown(state);
	for (size_t k = 0; k < 20; k++) {
		enum err code = await_reading(left[k]).code;
		if (code != ERR_NONE && code != ERR_GONE)
			return 1;
		free_reading(left[k]);
	}
	return failed;
}

/* ---- a guest that hangs ---- */

static void ask(struct place *p, op_run run, uuid id, bool by_force)
{
	struct ref ref = {.kind = KIND_INSTANCE, .prefix = id, .bits = 128};
	struct instances_wish wish = {.instances = {&ref, 1}, .force = by_force};
	commit(p, &p->alice, run, &wish);
}

static bool is_reported(struct place *p, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(p->store, &view);
	const struct condition *c = condition_find_by_subject(view.tables, id, STR("NotReconciled"));
	return c && str_contains(c->message, STR("has not answered"));
}

static void await_reported(struct place *p, uuid id, bool wanted)
{
	for (int k = 0; k < LOOKS && is_reported(p, id) != wanted; k++)
		nap_ms(5);
	assert_int_equal(is_reported(p, id), wanted);
}

/* Name of the instance's host. */
static struct str find_host(struct place *p, uuid instance)
{
	AUTO_VIEW view = {0};
	view_open(p->store, &view);
	uuid host = instance_find(view.tables, instance)->host;
	size_t k = 0;
	while (!uuid_equal(p->hosts[k], host))
		k++;
	return str_from(host_names[k]);
}

static void await_asked(struct str host, uuid id)
{
	for (int k = 0; k < LOOKS && !sim_compute_is_awaited(host, id); k++)
		nap_ms(5);
	assert_true(sim_compute_is_awaited(host, id));
}

/* A hung guest delays neither other guests on its host nor looks at the host. It is reported, and can be
 * forced off. */
static void test_hung_guest(void **state)
{
	struct place *p = *state;
	struct uuids made = launch(p, INSTANCES / 2);
	await_count(p, INSTANCE_RUNNING, INSTANCES / 2);
	uuid hung = made.at[0];
	struct str host = find_host(p, hung);
	sim_compute_set_silent(host, hung, true);
	ask(p, engine_reboot_instances_run, hung, false);
	await_asked(host, hung);
	(void) launch(p, INSTANCES / 2);
	await_count(p, INSTANCE_RUNNING, INSTANCES);
	await_reported(p, hung, true);
	for (size_t k = 0; k < HOSTS; k++) {
		struct reading *s = observe(p, p->hosts[k], 10 * SECOND);
		assert_int_equal(await_reading(s).code, ERR_NONE);
		free_reading(s);
	}
	assert_true(sim_compute_is_awaited(host, hung));
	ask(p, engine_stop_instances_run, hung, true);
	await_count(p, INSTANCE_STOPPED, 1);
	ask(p, engine_start_instances_run, hung, false);
	await_count(p, INSTANCE_RUNNING, INSTANCES);
	await_reported(p, hung, false);
	assert_int_equal(audit(p), 0);
}

/* ---- a guest that hangs when asked about its disk ---- */

/* Another one on the same host. */
static uuid neighbour_of(struct place *p, struct uuids made, uuid instance)
{
	size_t k = 0;
	while (uuid_equal(made.at[k], instance) ||
	       !str_equal(find_host(p, made.at[k]), find_host(p, instance)))
		k++;
	return made.at[k];
}

static uuid disk_of(struct place *p, uuid instance)
{
	AUTO_VIEW view = {0};
	view_open(p->store, &view);
	return volume_first_by_instance(view.tables, instance)->row.id;
}

static uuid cut(struct place *p, uuid instance)
{
	struct snapshot_wish wish = {
		.volume = {.kind = KIND_VOLUME, .prefix = disk_of(p, instance), .bits = 128}};
	commit(p, &p->alice, engine_create_snapshot_run, &wish);
	return wish.snapshot;
}

static void grow(struct place *p, uuid instance)
{
	struct volume_modifying wish = {
		.volume = {.kind = KIND_VOLUME, .prefix = disk_of(p, instance), .bits = 128},
		.size = 16 * GIB};
	commit(p, &p->alice, engine_modify_volume_run, &wish);
}

static bool is_kept(struct place *p, uuid snapshot)
{
	AUTO_VIEW view = {0};
	view_open(p->store, &view);
	return snapshot_find(view.tables, snapshot)->seen_stage == SNAPSHOT_SEEN_STAGE_KEPT;
}

static void await_kept(struct place *p, uuid snapshot)
{
	for (int k = 0; k < LOOKS && !is_kept(p, snapshot); k++)
		nap_ms(5);
	assert_true(is_kept(p, snapshot));
}

/* The host's other disks are not delayed. The disk and its instance are reported, and the work resumes once
 * QEMU answers. */
static void test_hung_disk(void **state)
{
	struct place *p = *state;
	struct uuids made = launch(p, INSTANCES / 2);
	await_count(p, INSTANCE_RUNNING, INSTANCES / 2);
	uuid hung = made.at[0], other = neighbour_of(p, made, hung);
	struct str host = find_host(p, hung);
	sim_compute_set_silent(host, hung, true);
	uuid hung_on = cut(p, hung);
	await_asked(host, hung);
	await_kept(p, cut(p, other));
	(void) launch(p, INSTANCES / 2);
	await_count(p, INSTANCE_RUNNING, INSTANCES);
	await_reported(p, hung_on, true);
	await_reported(p, hung, true);
	assert_false(is_reported(p, other));
	uuid second = cut(p, hung);
	await_reported(p, second, true); /* that it waits behind the other */
	assert_false(is_kept(p, second));
	assert_true(sim_compute_is_awaited(host, hung));
	sim_compute_set_silent(host, hung, false);
	await_kept(p, hung_on);
	await_kept(p, second);
	await_reported(p, hung_on, false);
	await_reported(p, second, false);
	await_reported(p, hung, false);
	for (int k = 0; k < LOOKS && !reconciler_is_settled(p->reconciler); k++)
		nap_ms(1);
	assert_int_equal(audit(p), 0);
}

/* A forced stop ends the hung state, and so does a termination: the pending work is completed or dropped. */
static void test_hung_disk_ends(void **state)
{
	struct place *p = *state;
	struct uuids made = launch(p, 2);
	await_count(p, INSTANCE_RUNNING, 2);
	struct str hosts[2] = {find_host(p, made.at[0]), find_host(p, made.at[1])};
	for (size_t k = 0; k < 2; k++)
		sim_compute_set_silent(hosts[k], made.at[k], true);
	uuid hung_on = cut(p, made.at[0]), grown = disk_of(p, made.at[1]);
	grow(p, made.at[1]);
	for (size_t k = 0; k < 2; k++)
		await_asked(hosts[k], made.at[k]);
	await_reported(p, hung_on, true);
	await_reported(p, grown, true);
	ask(p, engine_stop_instances_run, made.at[0], true);
	terminate(p, made.at[1]);
	await_count(p, INSTANCE_STOPPED, 1);
	await_count(p, INSTANCE_TERMINATED, 1);
	await_kept(p, hung_on);
	await_reported(p, hung_on, false);
	await_reported(p, made.at[0], false);
	for (int k = 0; k < LOOKS && !reconciler_is_settled(p->reconciler); k++)
		nap_ms(1);
	assert_int_equal(audit(p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_amid_work, setup, teardown),
		cmocka_unit_test_setup_teardown(test_observe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_observe_hung_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_observe_races, setup, teardown),
		cmocka_unit_test_setup_teardown(test_observe_end, setup, teardown_observed),
		cmocka_unit_test_setup_teardown(test_hung_guest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hung_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hung_disk_ends, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
