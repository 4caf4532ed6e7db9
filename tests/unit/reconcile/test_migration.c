/* SPDX-License-Identifier: Apache-2.0
 * Live migrations: the plan as a table of both hosts' possible states, and stories in which guests migrate,
 * with every kind of failure and with a kill at every step. A guest never boots twice without a request, and
 * keeps its data. */
#include <stdio.h>

#include "../cloud/cloud.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_event.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/job.h"
#include "engine/region/host.h"
#include "model/host.h"
#include "model/instance_task.h"
#include "model/processor.h"
#include "model/states.h"
#include "reconcile/instance/instance_migration_plan.h"
#include "store/async_job.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_migration.h"
#include "store/store.h"

enum { SEEDS = 20, DRAINED = 8 };

/* ---- the decision ---- */

enum { GONE = COMPUTE_END_ABSENT, OFF = COMPUTE_END_OFF, RUNS = COMPUTE_END_RUNS, HELD = COMPUTE_END_HELD };
enum { PREPARING = INSTANCE_MIGRATION_STAGE_PREPARING, MOVING = INSTANCE_MIGRATION_STAGE_MOVING };

static const struct plan_case {
	const char *name;
	int source, target, stage;
	bool busy, target_busy, silent, over, ready, begun, source_off, target_off, unsent;
	enum migration_step step;
} cases[] = {
	{"asked", RUNS, GONE, PREPARING, .step = MIGRATION_WAIT},
	{"all is ready", RUNS, GONE, PREPARING, .ready = true, .step = MIGRATION_BEGIN},
	{"noted", RUNS, GONE, MOVING, .ready = true, .begun = true, .step = MIGRATION_SEND},
	{"whoever began it is gone", RUNS, GONE, MOVING, .ready = true, .step = MIGRATION_REDO},
	{"likewise, and its job is not", RUNS, GONE, MOVING, .busy = true, .step = MIGRATION_LOOK_AGAIN},
	{"cancelled", RUNS, GONE, PREPARING, .over = true, .step = MIGRATION_STAY},
	{"failed", RUNS, GONE, MOVING, .over = true, .step = MIGRATION_STAY},
	{"arrived", GONE, RUNS, MOVING, .step = MIGRATION_ARRIVE},
	{"arrived, and cancelled too late", GONE, RUNS, MOVING, .over = true, .step = MIGRATION_ARRIVE},
	{"arrived, not let go of", HELD, RUNS, MOVING, .step = MIGRATION_CLEAR_SOURCE},
	{"arrived, still defined", OFF, RUNS, MOVING, .step = MIGRATION_CLEAR_SOURCE},
	{"arrived, and ended there", GONE, OFF, MOVING, .step = MIGRATION_ARRIVE},
	{"likewise, not let go of", HELD, OFF, MOVING, .step = MIGRATION_CLEAR_SOURCE},
	{"a definition is left there", RUNS, OFF, MOVING, .step = MIGRATION_CLEAR_TARGET},
	{"off at both", OFF, OFF, MOVING, .step = MIGRATION_CLEAR_TARGET},
	{"half of it is there", RUNS, HELD, MOVING, .step = MIGRATION_CLEAR_TARGET},
	{"it is being sent", RUNS, HELD, MOVING, .busy = true, .step = MIGRATION_LOOK_AGAIN},
	{"between the two", HELD, HELD, MOVING, .step = MIGRATION_LOOK_AGAIN},
	{"crashed on the way", OFF, HELD, MOVING, .step = MIGRATION_CLEAR_TARGET},
	{"there alone, standing still", GONE, HELD, MOVING, .step = MIGRATION_RESUME_TARGET},
	{"there alone, arriving", GONE, HELD, MOVING, .target_busy = true, .step = MIGRATION_LOOK_AGAIN},
	{"here alone, standing still", HELD, GONE, MOVING, .step = MIGRATION_RESUME_SOURCE},
	{"crashed", OFF, GONE, MOVING, .step = MIGRATION_STAY},
	{"nowhere", GONE, GONE, MOVING, .step = MIGRATION_STAY},
	{"the other host is silent", RUNS, GONE, PREPARING, .silent = true, .ready = true,
	 .step = MIGRATION_LOOK_AGAIN},
	{"likewise, cancelled", RUNS, GONE, MOVING, .silent = true, .over = true, .step = MIGRATION_STAY},
	{"it may run where nobody can look", HELD, GONE, MOVING, .silent = true, .over = true,
	 .step = MIGRATION_LOOK_AGAIN},
	{"it cannot, for it never left", HELD, GONE, MOVING, .silent = true, .over = true, .unsent = true,
	 .step = MIGRATION_RESUME_SOURCE},
	{"likewise, half of it is there", HELD, HELD, MOVING, .unsent = true, .step = MIGRATION_CLEAR_TARGET},
	{"likewise, it is being sent", HELD, HELD, MOVING, .unsent = true, .busy = true,
	 .step = MIGRATION_LOOK_AGAIN},
	{"it may run where nobody can look, gone here", GONE, GONE, MOVING, .silent = true, .over = true,
	 .step = MIGRATION_LOOK_AGAIN},
	{"its host is off, and it runs there", GONE, RUNS, MOVING, .source_off = true,
	 .step = MIGRATION_ARRIVE},
	{"likewise, half of it is there", GONE, HELD, MOVING, .source_off = true,
	 .step = MIGRATION_CLEAR_TARGET},
	{"likewise, nothing is there", GONE, GONE, MOVING, .source_off = true, .step = MIGRATION_STAY},
	{"likewise, nobody can look", GONE, RUNS, MOVING, .source_off = true, .silent = true,
	 .step = MIGRATION_LOOK_AGAIN},
	{"both hosts are off", GONE, GONE, MOVING, .source_off = true, .target_off = true, .silent = true,
	 .step = MIGRATION_STAY},
	{"the other host is off", RUNS, GONE, MOVING, .target_off = true, .silent = true,
	 .step = MIGRATION_STAY},
	{"likewise, its job is not over", RUNS, GONE, MOVING, .target_off = true, .silent = true,
	 .busy = true, .step = MIGRATION_LOOK_AGAIN},
	{"it may have run there", HELD, GONE, MOVING, .target_off = true, .silent = true,
	 .step = MIGRATION_CLEAR_SOURCE},
	{"it has not, for it never left", HELD, GONE, MOVING, .target_off = true, .silent = true,
	 .unsent = true, .step = MIGRATION_RESUME_SOURCE},
	{"it was there", GONE, GONE, MOVING, .target_off = true, .silent = true, .step = MIGRATION_ARRIVE},
};

static struct migration_plan_input input_of(const struct plan_case *p)
{
	return (struct migration_plan_input){
		.source = {.end = (enum compute_end) p->source, .is_busy = p->busy, .is_unsent = p->unsent},
		.target = {.end = (enum compute_end) p->target, .is_busy = p->target_busy},
		.target_is_silent = p->silent,
		.is_over = p->over,
		.is_ready = p->ready,
		.has_begun = p->begun,
		.source_is_off = p->source_off,
		.target_is_off = p->target_off,
		.stage = (enum instance_migration_stage) p->stage};
}

static void test_decides(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(4096, 1 << 20);
	struct ctx c;
	ctx_init(&c, a);
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct migration_plan_input in = input_of(&cases[k]);
		enum migration_step step = MIGRATION_WAIT;
		assert_int_equal(migration_step_choose(&c, &in, &step).code, ERR_NONE);
		if (step != cases[k].step)
			print_message("case: %s\n", cases[k].name);
		assert_int_equal(step, cases[k].step);
	}
}

/* In all combinations, a copy that may be the running guest is never removed, and never resumed next to the
 * other. */
static void test_never_runs_twice(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(4096, 1 << 20);
	struct ctx c;
	ctx_init(&c, a);
	for (int n = 0; n < 4 * 4 * 2 * 128; n++) {
		struct plan_case p = {.source = n & 3,
				      .target = n >> 2 & 3,
				      .stage = n >> 4 & 1,
				      .busy = n >> 5 & 1,
				      .target_busy = n >> 6 & 1,
				      .silent = n >> 7 & 1,
				      .over = n >> 8 & 1,
				      .ready = n >> 9 & 1,
				      .begun = n >> 10 & 1,
				      .unsent = n >> 11 & 1};
		struct migration_plan_input in = input_of(&p);
		enum migration_step step = MIGRATION_WAIT;
		struct result r = migration_step_choose(&c, &in, &step);
		bool is_twice = p.source == RUNS && p.target == RUNS && !p.silent;
		assert_int_equal(r.code, is_twice ? ERR_CONFLICT : ERR_NONE);
		ctx_clear_problem(&c);
		if (is_twice)
			continue;
		assert_true(step != MIGRATION_CLEAR_SOURCE || (p.source != RUNS && !p.silent));
		assert_true(step != MIGRATION_CLEAR_TARGET || (p.target != RUNS && !p.silent));
		assert_true(step != MIGRATION_RESUME_SOURCE || (p.target == GONE && !p.silent) ||
			    (p.unsent && !p.busy));
		assert_true(step != MIGRATION_RESUME_TARGET || (p.source == GONE && !p.silent));
		assert_true(step != MIGRATION_ARRIVE || (p.source == GONE && p.target != GONE && !p.silent));
		assert_true(step != MIGRATION_STAY || p.target == GONE || p.silent);
		assert_true(step != MIGRATION_STAY || !p.silent || p.source == RUNS);
		assert_true(step != MIGRATION_SEND || (p.begun && !p.over && p.source == RUNS));
	}
}

/* ---- stories ---- */

static RESULT ask(struct cloud *c, uuid instance, struct str host)
{
	struct instance_migrating wish = {.instance = cloud_ref(c, KIND_INSTANCE, instance)};
	if (host.n)
		wish.host = (struct ref){.kind = KIND_HOST, .text = host, .field = STR("host")};
	return cloud_call(c, NULL, engine_migrate_instance_run, &wish);
}

static void migrate(struct cloud *c, uuid instance)
{
	cloud_expect_at(c, ask(c, instance, STR_NONE), __FILE__, __LINE__);
}

/* The last one. */
static struct instance_migration record_of(struct cloud *c, uuid instance)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	struct instance_migration last = {0};
	for (const struct instance_migration *m = instance_migration_first_by_instance(view.tables, instance);
	     m; m = instance_migration_next_by_instance(view.tables, m))
		if (m->row.created_us >= last.row.created_us)
			last = *m;
	return last;
}

static bool is_under_way(struct cloud *c, const void *instance)
{
	return !uuid_is_none(cloud_instance(c, *(const uuid *) instance).target);
}

static bool is_over(struct cloud *c, const void *instance)
{
	return !is_under_way(c, instance);
}

struct guest {
	uuid id, volume;
	struct str from;
	char host[64];
	const char *text; /* content of its disk */
};

static void note_host(struct cloud *c, struct guest *g)
{
	struct str host = cloud_host_of(c, g->id);
	(void) snprintf(g->host, sizeof g->host, "%.*s", (int) host.n, host.p);
	g->from = str_from(g->host);
}

/* Launches a guest that wrote something or nothing; in the latter case its disk has only its base's
 * content. */
static void launch(struct cloud *c, struct guest *g)
{
	*g = (struct guest){.id = cloud_launch_running(c), .text = c->seed % 2 ? "what it wrote" : ""};
	cloud_settle(c);
	g->volume = cloud_volume_of(c, g->id);
	note_host(c, g);
	if (g->text[0])
		sim_compute_write_disk(g->from, g->volume, g->text);
}

/* The guest runs without a reboot, moved or not, and has its data. */
static void check_guest(struct cloud *c, const struct guest *g, bool moved)
{
	struct str host = cloud_host_of(c, g->id);
	assert_int_equal(str_equal(host, g->from), !moved);
	assert_int_equal(cloud_state(c, g->id), INSTANCE_RUNNING);
	assert_int_equal(cloud_guest(c, g->id).boots, 1);
	assert_true(cloud_guest(c, g->id).is_on);
	assert_false(cloud_guest(c, g->id).is_paused);
	assert_true(sim_compute_disk_has(host, g->volume, g->text));
	assert_false(cloud_has_condition(c, g->id, INSTANCE_RESTARTED));
	if (moved)
		assert_false(sim_compute_disk_has(g->from, g->volume, g->text));
}

static void moves(struct cloud *c)
{
	struct guest g;
	launch(c, &g);
	migrate(c, g.id);
	cloud_settle(c);
	check_guest(c, &g, true);
	struct instance_migration m = record_of(c, g.id);
	assert_int_equal(m.outcome, INSTANCE_MIGRATION_OUTCOME_COMPLETED);
	assert_int_equal(m.tries, 1);
	assert_true(m.ended_us > 0);
	/* The way back: the old file on the first host is outdated and must not be used. */
	note_host(c, &g);
	sim_compute_write_disk(g.from, g.volume, "what it wrote then");
	migrate(c, g.id);
	cloud_settle(c);
	assert_true(sim_compute_disk_has(cloud_host_of(c, g.id), g.volume, "what it wrote then"));
	assert_int_equal(cloud_guest(c, g.id).boots, 1);
	/* Afterwards the instance behaves like any other. */
	cloud_stop(c, g.id);
	cloud_settle(c);
	cloud_start(c, g.id);
	cloud_settle(c);
	assert_int_equal(cloud_guest(c, g.id).boots, 2);
	cloud_terminate(c, g.id);
	cloud_settle(c);
}
TEST_STORY(moves, 2)

/* The migration ends once the network follows. If the network does not, it ends after a time-out, with a
 * problem. */
static void settles(struct cloud *c)
{
	struct guest g;
	bool follows = c->seed % 2;
	launch(c, &g);
	network_sim_set_late(true);
	migrate(c, g.id);
	cloud_step_for(c, 10 * SECOND);
	check_guest(c, &g, true);
	assert_int_equal(record_of(c, g.id).outcome, INSTANCE_MIGRATION_OUTCOME_ASKED);
	assert_int_equal(record_of(c, g.id).stage, INSTANCE_MIGRATION_STAGE_SETTLING);
	assert_int_equal(ask(c, g.id, STR_NONE).code, ERR_STATE);
	if (follows)
		network_sim_bind();
	cloud_step_for(c, follows ? SECOND : 60 * SECOND);
	struct instance_migration m = record_of(c, g.id);
	assert_int_equal(m.outcome, INSTANCE_MIGRATION_OUTCOME_COMPLETED);
	assert_true(m.ended_us >= m.arrived_us && m.arrived_us > 0);
	assert_int_equal(m.problem.n > 0, !follows);
	network_sim_set_late(false);
	network_sim_bind();
	migrate(c, g.id);
	cloud_settle(c);
	check_guest(c, &g, false);
}
TEST_STORY(settles, 2)

/* An arrival is processed at once, not after the transfers of others. */
static bool are_told_at_once(struct cloud *c, const void *instances)
{
	const uuid *ids = instances;
	bool are_over = true;
	for (size_t k = 0; k < DRAINED; k++) {
		struct instance_migration m = record_of(c, ids[k]);
		assert_true(m.pause_ms == 0 || m.arrived_us > 0);
		are_over = are_over && m.ended_us > 0;
	}
	return are_over;
}

static void go_one_by_one(struct cloud *c)
{
	uuid ids[DRAINED];
	for (size_t k = 0; k < DRAINED; k++)
		ids[k] = cloud_launch_running(c);
	for (size_t k = 0; k < DRAINED; k++)
		migrate(c, ids[k]);
	assert_true(cloud_step_until(c, are_told_at_once, ids, 10 * MINUTE));
}
TEST_STORY(go_one_by_one, 2)

/* A job about it. */
struct moving_job {
	struct instance_migrating migrating;
	uuid job;
};

static RESULT ask_with_job(struct op *op, void *arg)
{
	struct moving_job *m = arg;
	struct job_wish job = {.command = STR("move"),
			       .kind = KIND_INSTANCE,
			       .subject = m->migrating.instance.prefix,
			       .outcome = ASYNC_JOB_OUTCOME_MOVED};
	TRY(engine_migrate_instance(op, &m->migrating));
	TRY(engine_create_job(op, &job));
	m->job = job.job;
	return OK;
}

static bool has_ended(struct cloud *c, const void *job)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return async_job_find(view.tables, *(const uuid *) job)->ended != ASYNC_JOB_ENDED_NONE;
}

/* The job ends with the migration, although that does not change the instance's row. */
static void its_job_ends(struct cloud *c)
{
	struct guest g;
	launch(c, &g);
	struct moving_job m = {.migrating.instance = cloud_ref(c, KIND_INSTANCE, g.id)};
	network_sim_set_late(true);
	cloud_expect_at(c, cloud_call(c, NULL, ask_with_job, &m), __FILE__, __LINE__);
	cloud_step_for(c, 10 * SECOND);
	assert_false(has_ended(c, &m.job));
	network_sim_set_late(false);
	network_sim_bind();
	assert_true(cloud_step_until(c, has_ended, &m.job, SECOND));
	assert_int_equal(record_of(c, g.id).outcome, INSTANCE_MIGRATION_OUTCOME_COMPLETED);
}
TEST_STORY(its_job_ends, 2)

/* Room at the target is reserved from the beginning; room at the source is free at the end. */
static void takes_room(struct cloud *c)
{
	struct guest g;
	launch(c, &g);
	migrate(c, g.id);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct host *source = host_find_by_name(view.tables, g.from);
	const struct instance *i = instance_find(view.tables, g.id);
	const struct host *target = host_find(view.tables, i->target);
	assert_non_null(target);
	assert_int_equal(host_usage(source)->memory, i->memory);
	assert_int_equal(host_usage(target)->memory, i->memory);
	uuid source_id = source->row.id, target_id = target->row.id;
	view_close(&view);
	cloud_settle(c);
	view_open(c->store, &view);
	assert_int_equal(host_usage(host_find(view.tables, source_id))->memory, 0);
	assert_int_equal(host_usage(host_find(view.tables, source_id))->disk, 0);
	assert_true(host_usage(host_find(view.tables, target_id))->memory > 0);
}
TEST_STORY(takes_room, 2)

static void refuses(struct cloud *c)
{
	struct guest g;
	launch(c, &g);
	assert_int_equal(ask(c, g.id, g.from).code, ERR_CONFLICT);
	assert_int_equal(ask(c, g.id, STR("nowhere")).code, ERR_NOT_FOUND);
	struct instance_migrating wish = {.instance = cloud_ref(c, KIND_INSTANCE, g.id)};
	assert_int_equal(cloud_call(c, &c->alice, engine_migrate_instance_run, &wish).code, ERR_DENIED);
	migrate(c, g.id);
	assert_int_equal(ask(c, g.id, STR_NONE).code, ERR_STATE); /* one at a time */
	cloud_settle(c);
	cloud_stop(c, g.id);
	cloud_settle(c);
	assert_int_equal(ask(c, g.id, STR_NONE).code, ERR_STATE);
}
TEST_STORY(refuses, 2)

static void needs_another_host(struct cloud *c)
{
	struct guest g;
	launch(c, &g);
	assert_int_equal(ask(c, g.id, STR_NONE).code, ERR_CAPACITY);
}
TEST_STORY(needs_another_host, 1)

/* ---- hosts that are not alike ---- */

static void add_weak_host(struct cloud *c, const char *name)
{
	struct host_wish wish = {
		.name = str_from(name), .uri = STR("sim://?lacks=avx2"), .pool_path = STR("/pool")};
	cloud_ok(c, NULL, engine_add_host, &wish);
	cloud_settle(c);
}

static bool has_avx2(struct cloud *c, uuid instance)
{
	struct processor_walk walk = processor_begin(cloud_instance(c, instance).cpu);
	struct str name;
	bool is_there;
	while (processor_next(&walk, &name, &is_there))
		if (str_is(name, "avx2"))
			return is_there;
	return false;
}

/* Guests that run before a weaker host is added keep their CPU features until their next start. Later guests
 * can go to any host. */
static void meets_a_weaker_host(struct cloud *c)
{
	struct guest old, fresh;
	launch(c, &old);
	assert_true(has_avx2(c, old.id));
	assert_true(str_is(cloud_instance(c, old.id).machine, "pc-q35-7.2"));
	add_weak_host(c, "weak");
	assert_true(has_avx2(c, old.id));
	assert_int_equal(ask(c, old.id, STR("weak")).code, ERR_CAPACITY);
	launch(c, &fresh);
	assert_false(has_avx2(c, fresh.id));
	if (!str_is(fresh.from, "weak")) {
		assert_int_equal(ask(c, fresh.id, STR("weak")).code, ERR_NONE);
		cloud_settle(c);
		check_guest(c, &fresh, true);
	}
	cloud_stop(c, old.id);
	cloud_settle(c);
	cloud_start(c, old.id);
	cloud_settle(c);
	assert_false(has_avx2(c, old.id));
	assert_int_equal(ask(c, old.id, STR("weak")).code, ERR_NONE);
	cloud_settle(c);
	assert_true(str_is(cloud_host_of(c, old.id), "weak"));
}
TEST_STORY(meets_a_weaker_host, 1)

/* All that its host can do: only the same will do for it then. And a model's name. */
static void has_its_host_s_processor(struct cloud *c)
{
	struct guest g;
	add_weak_host(c, "weak");
	launch(c, &g);
	struct host_settings wish = {.host = {.kind = KIND_HOST, .text = g.from}, .cpu = STR("host")};
	cloud_ok(c, NULL, engine_update_host, &wish);
	cloud_settle(c);
	cloud_stop(c, g.id);
	cloud_settle(c);
	cloud_start(c, g.id);
	cloud_settle(c);
	assert_int_equal(cloud_instance(c, g.id).cpu.n, 0);
	bool is_weak = str_is(g.from, "weak");
	assert_int_equal(ask(c, g.id, is_weak ? STR_NONE : STR("weak")).code, ERR_CAPACITY);
	wish.cpu = STR("Westmere");
	cloud_ok(c, NULL, engine_update_host, &wish);
	cloud_settle(c);
	cloud_stop(c, g.id);
	cloud_settle(c);
	cloud_start(c, g.id);
	cloud_settle(c);
	assert_true(str_is(processor_model(cloud_instance(c, g.id).cpu), "Westmere"));
}
TEST_STORY(has_its_host_s_processor, 1)

/* ---- powered off meanwhile ---- */

static bool runs_without_task(struct cloud *c, const void *arg)
{
	const uuid *id = arg;
	struct instance now = cloud_instance(c, *id);
	assert_int_equal(model_derive_instance_task(&now), INSTANCE_TASK_NONE);
	return cloud_state(c, *id) == INSTANCE_RUNNING;
}

/* The next start avoids the host, and is no resize: the last one is over. */
static void starts_elsewhere(struct cloud *c, uuid id)
{
	struct str from = str_copy(c->arena, cloud_host_of(c, id));
	struct maintenance_wish wish = {.host = {.kind = KIND_HOST, .text = from},
					.from_us = clock_now_us() + HOUR,
					.kind = HOST_MAINTENANCE_KIND_STOP};
	cloud_ok(c, NULL, engine_plan_maintenance, &wish);
	cloud_start(c, id);
	assert_true(cloud_step_until(c, runs_without_task, &id, MINUTE));
	cloud_settle(c);
	assert_false(str_equal(cloud_host_of(c, id), from));
}

static void goes_off(struct cloud *c)
{
	struct guest g;
	launch(c, &g);
	bool is_on = c->seed % 4 < 2;
	if (!is_on)
		cloud_stop(c, g.id);
	cloud_settle(c);
	struct instance_migrating wish = {.instance = cloud_ref(c, KIND_INSTANCE, g.id)};
	struct instance_target target = {.instance = wish.instance};
	cloud_ok(c, NULL, engine_cold_migrate_instance, &wish);
	cloud_settle(c);
	struct instance there = cloud_instance(c, g.id);
	assert_false(str_equal(cloud_host_of(c, g.id), g.from));
	assert_true(model_is_resized(&there) && uuid_is_none(there.next_host));
	assert_int_equal(cloud_state(c, g.id), is_on ? INSTANCE_RUNNING : INSTANCE_STOPPED);
	assert_true(sim_compute_disk_has(cloud_host_of(c, g.id), g.volume, g.text));
	assert_false(sim_compute_disk_has(g.from, g.volume, g.text));
	if (c->seed % 2) {
		cloud_ok(c, NULL, engine_confirm_resize, &target);
		cloud_settle(c);
		assert_int_equal(record_of(c, g.id).outcome, INSTANCE_MIGRATION_OUTCOME_CONFIRMED);
		if (!is_on)
			starts_elsewhere(c, g.id);
		return;
	}
	cloud_ok(c, NULL, engine_revert_resize, &target);
	cloud_settle(c);
	assert_true(str_equal(cloud_host_of(c, g.id), g.from));
	assert_true(sim_compute_disk_has(g.from, g.volume, g.text));
	assert_int_equal(cloud_state(c, g.id), is_on ? INSTANCE_RUNNING : INSTANCE_STOPPED);
	assert_int_equal(record_of(c, g.id).outcome, INSTANCE_MIGRATION_OUTCOME_REVERTED);
	if (!is_on)
		starts_elsewhere(c, g.id);
}
TEST_STORY(goes_off, 2)

/* Each way in which it goes wrong; whether it is there in the end. */
static const struct {
	enum sim_break how;
	bool moved, fails;
} breaks[] = {
	{SIM_BREAK_REFUSED, false, true}, {SIM_BREAK_STUCK, false, true},  {SIM_BREAK_CUT, false, true},
	{SIM_BREAK_HELD, false, true},    {SIM_BREAK_DOUBLE, true, false}, {SIM_BREAK_LEFTOVER, false, true},
	{SIM_BREAK_UNSAID, true, false},  {SIM_BREAK_STILL, false, true},
};

static void goes_wrong(struct cloud *c)
{
	struct guest g;
	for (size_t k = 0; k < sizeof breaks / sizeof breaks[0]; k++) {
		launch(c, &g);
		sim_compute_break_migration(g.from, breaks[k].how);
		migrate(c, g.id);
		cloud_settle(c);
		check_guest(c, &g, breaks[k].moved);
		struct instance_migration m = record_of(c, g.id);
		assert_int_equal(m.outcome, breaks[k].fails ? INSTANCE_MIGRATION_OUTCOME_FAILED
							    : INSTANCE_MIGRATION_OUTCOME_COMPLETED);
		/* Remains at the target do not prevent another attempt. */
		if (!breaks[k].moved) {
			migrate(c, g.id);
			cloud_settle(c);
			check_guest(c, &g, true);
		}
		cloud_terminate(c, g.id);
		cloud_settle(c);
	}
}
TEST_STORY(goes_wrong, 2)

/* A crash is distinguished from the guest's own shutdown: the guest is started again on its host. */
static void crashes(struct cloud *c)
{
	struct guest g;
	launch(c, &g);
	sim_compute_break_migration(g.from, SIM_BREAK_CRASH);
	migrate(c, g.id);
	cloud_settle(c);
	assert_true(str_equal(cloud_host_of(c, g.id), g.from));
	assert_int_equal(cloud_state(c, g.id), INSTANCE_RUNNING);
	assert_int_equal(cloud_guest(c, g.id).boots, 2);
	assert_true(cloud_has_condition(c, g.id, INSTANCE_RESTARTED));
	assert_int_equal(record_of(c, g.id).outcome, INSTANCE_MIGRATION_OUTCOME_FAILED);
}
TEST_STORY(crashes, 2)

static void is_cancelled(struct cloud *c)
{
	struct guest g;
	launch(c, &g);
	migrate(c, g.id);
	struct migration_target wish = {.instance = cloud_ref(c, KIND_INSTANCE, g.id)};
	cloud_ok(c, NULL, engine_cancel_migration, &wish);
	cloud_settle(c);
	bool moved = !str_equal(cloud_host_of(c, g.id), g.from); /* too late */
	check_guest(c, &g, moved);
	assert_int_equal(record_of(c, g.id).outcome,
			 moved ? INSTANCE_MIGRATION_OUTCOME_COMPLETED : INSTANCE_MIGRATION_OUTCOME_CANCELLED);
	assert_int_equal(cloud_call(c, NULL, engine_cancel_migration_run, &wish).code, ERR_STATE);
}
TEST_STORY(is_cancelled, 2)

/* Other requests take precedence, on whichever host the guest is then. */
static void is_stopped_on_the_way(struct cloud *c)
{
	struct guest g;
	launch(c, &g);
	migrate(c, g.id);
	if (c->seed % 2)
		cloud_stop(c, g.id);
	else
		cloud_terminate(c, g.id);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, g.id), c->seed % 2 ? INSTANCE_STOPPED : INSTANCE_TERMINATED);
	assert_true(record_of(c, g.id).ended_us > 0);
}
TEST_STORY(is_stopped_on_the_way, 2)

/* The host that it goes to dies before, or in the midst of it: it runs on. */
static void loses_its_target(struct cloud *c)
{
	struct guest g;
	launch(c, &g);
	migrate(c, g.id);
	struct str target = str_is(g.from, "h0") ? STR("h1") : STR("h0");
	sim_compute_set_health(target, SIM_DOWN, 0);
	assert_true(cloud_step_until(c, is_over, &g.id, 10 * MINUTE));
	sim_compute_set_health(target, SIM_UP, 0);
	cloud_settle(c);
	check_guest(c, &g, !str_equal(cloud_host_of(c, g.id), g.from));
}
TEST_STORY(loses_its_target, 2)

static bool has_problem(struct cloud *c, const void *instance)
{
	return record_of(c, *(const uuid *) instance).problem.n > 0;
}

/* The guest was paused for the transfer when the target died: it resumes at the source. */
static void loses_its_target_still(struct cloud *c)
{
	struct guest g;
	launch(c, &g);
	sim_compute_break_migration(g.from, SIM_BREAK_STILL);
	migrate(c, g.id);
	struct str target = str_is(g.from, "h0") ? STR("h1") : STR("h0");
	assert_true(cloud_step_until(c, has_problem, &g.id, MINUTE));
	sim_compute_set_health(target, SIM_DOWN, 0);
	assert_true(cloud_step_until(c, is_over, &g.id, MINUTE));
	check_guest(c, &g, false);
	sim_compute_set_health(target, SIM_UP, 0);
	cloud_settle(c);
	check_guest(c, &g, false);
}
TEST_STORY(loses_its_target_still, 2)

/* ---- killed at each step ---- */

static bool tell(struct cloud *c, struct guest *g, enum sim_break how)
{
	sim_compute_break_migration(g->from, how);
	struct result asked = ask(c, g->id, STR_NONE);
	if (cloud_was_killed(c))
		return false;
	cloud_expect_at(c, asked, __FILE__, __LINE__);
	return cloud_lived_to_settle(c);
}

/* False: it was told to its end without a kill. */
static bool tell_killed(uint64_t seed, uint64_t at, enum sim_break how)
{
	struct cloud *c = cloud_new(seed, 2);
	struct guest g;
	launch(c, &g);
	c->kill_at = c->steps + at;
	bool lived = tell(c, &g, how);
	c->kill_at = 0;
	if (!lived) {
		cloud_restart(c);
		cloud_settle(c);
	}
	check_guest(c, &g, !str_equal(cloud_host_of(c, g.id), g.from));
	/* Another one finds nothing in its way. */
	sim_compute_break_migration(g.from, SIM_BREAK_NONE);
	note_host(c, &g);
	migrate(c, g.id);
	cloud_settle(c);
	check_guest(c, &g, true);
	cloud_done(c);
	return !lived;
}

static void test_killed_at_each_step(void **state)
{
	(void) state;
	static const enum sim_break hows[] = {SIM_BREAK_NONE,   SIM_BREAK_CUT,      SIM_BREAK_HELD,
					      SIM_BREAK_DOUBLE, SIM_BREAK_LEFTOVER, SIM_BREAK_UNSAID};
	for (size_t k = 0; k < sizeof hows / sizeof hows[0]; k++) {
		uint64_t at = 1;
		while (tell_killed(k + at, at, hows[k]))
			at++;
		assert_true(at > 10);
	}
}

/* False: that point was not reached. */
static bool tell_with_fault(unsigned points, uint64_t n)
{
	struct cloud *c = cloud_new(n + 1, 2);
	struct guest g;
	launch(c, &g);
	fault_arm(points, n, false);
	struct result asked = ask(c, g.id, STR_NONE);
	if (!result_is_ok(asked)) {
		assert_true(fault_has_fired());
		migrate(c, g.id);
	}
	cloud_settle(c);
	bool fired = fault_has_fired();
	fault_disarm();
	check_guest(c, &g, !str_equal(cloud_host_of(c, g.id), g.from));
	cloud_done(c);
	return fired;
}

static void test_each_fault(void **state)
{
	(void) state;
	static const unsigned points[] = {FAULT_DRIVER, FAULT_FILE, FAULT_SQL};
	for (size_t k = 0; k < sizeof points / sizeof points[0]; k++) {
		uint64_t n = 0;
		while (tell_with_fault(points[k], n))
			n++;
		assert_true(n > 0 || points[k] == FAULT_FILE);
	}
	for (uint64_t n = 0; tell_with_fault(FAULT_ALLOC, n); n += 1 + n / 20)
		;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decides),
		cmocka_unit_test(test_never_runs_twice),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_settles),
		cmocka_unit_test(test_go_one_by_one),
		cmocka_unit_test(test_its_job_ends),
		cmocka_unit_test(test_takes_room),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_needs_another_host),
		cmocka_unit_test(test_meets_a_weaker_host),
		cmocka_unit_test(test_has_its_host_s_processor),
		cmocka_unit_test(test_goes_off),
		cmocka_unit_test(test_goes_wrong),
		cmocka_unit_test(test_crashes),
		cmocka_unit_test(test_is_cancelled),
		cmocka_unit_test(test_is_stopped_on_the_way),
		cmocka_unit_test(test_loses_its_target),
		cmocka_unit_test(test_loses_its_target_still),
		cmocka_unit_test(test_killed_at_each_step),
		cmocka_unit_test(test_each_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
