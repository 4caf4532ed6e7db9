/* SPDX-License-Identifier: Apache-2.0
 * Jobs: their sequence, their ends, and that neither jobs nor their changes are lost when the process is
 * killed at any time. */
#include "../cloud/cloud.h"
#include "engine/job.h"
#include "engine/resolve.h"
#include "engine/storage/image/image.h"
#include "store/async_job.h"
#include "store/image.h"

/* A change of an instance with its job, in one commit; or a job that waits for its turn. */
struct asked {
	op_run run;
	enum async_job_turn turn;
	struct ref ref;
	uuid job;
};

static RESULT ask(struct op *op, void *arg)
{
	struct asked *a = arg;
	struct instances_wish wish = {.instances = {&a->ref, 1}};
	struct job_wish job = {.command = STR("change"),
			       .kind = KIND_INSTANCE,
			       .subject = a->ref.prefix,
			       .outcome = ASYNC_JOB_OUTCOME_SETTLED};
	struct job_queuing queuing = {
		.job = job, .turn = a->turn, .permission = "instance.start", .instance = a->ref};
	if (a->turn != ASYNC_JOB_TURN_NONE && engine_has_jobs(op->head, a->ref.prefix)) {
		TRY(engine_queue_job(op, &queuing));
		a->job = queuing.job.job;
		return OK;
	}
	TRY(a->run(op, &wish));
	TRY(engine_create_job(op, &job));
	a->job = job.job;
	return OK;
}

/* A copy of the job's row, zeroed if there is none. Its texts are not valid after the view. */
static struct async_job look(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct async_job *job = async_job_find(view.tables, id);
	return job ? *job : (struct async_job){0};
}

static struct asked make_asked(struct cloud *c, uuid instance, op_run run, enum async_job_turn turn)
{
	return (struct asked){run, turn, cloud_ref(c, KIND_INSTANCE, instance), UUID_NONE};
}

static uuid change(struct cloud *c, uuid instance, op_run run, enum async_job_turn turn)
{
	struct asked a = make_asked(c, instance, run, turn);
	cloud_expect_at(c, cloud_call(c, &c->alice, ask, &a), __FILE__, __LINE__);
	return a.job;
}

static void test_one_after_the_other(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	uuid instance = cloud_launch_running(c);
	uuid jobs[] = {change(c, instance, engine_stop_instances_run, ASYNC_JOB_TURN_STOP),
		       change(c, instance, engine_start_instances_run, ASYNC_JOB_TURN_START),
		       change(c, instance, engine_stop_instances_run, ASYNC_JOB_TURN_STOP)};
	assert_int_equal(look(c, jobs[0]).ended, ASYNC_JOB_ENDED_NONE);
	assert_int_equal(look(c, jobs[1]).turn, ASYNC_JOB_TURN_START);
	cloud_settle(c);
	for (size_t k = 0; k < 3; k++) {
		assert_int_equal(look(c, jobs[k]).ended, ASYNC_JOB_ENDED_DONE);
		assert_true(k == 0 || look(c, jobs[k]).ended_us >= look(c, jobs[k - 1]).ended_us);
	}
	assert_int_equal(cloud_state(c, instance), INSTANCE_STOPPED);
	/* what is refused in its turn ends with the words */
	uuid start = change(c, instance, engine_start_instances_run, ASYNC_JOB_TURN_START);
	uuid terminate = change(c, instance, engine_terminate_instances_run, ASYNC_JOB_TURN_TERMINATE);
	uuid late = change(c, instance, engine_reboot_instances_run, ASYNC_JOB_TURN_REBOOT);
	cloud_settle(c);
	assert_int_equal(look(c, start).ended, ASYNC_JOB_ENDED_DONE);
	assert_int_not_equal(look(c, terminate).ended, ASYNC_JOB_ENDED_NONE);
	assert_int_equal(look(c, late).ended, ASYNC_JOB_ENDED_FAILED);
	assert_true(look(c, late).problem.n > 0);
	cloud_step_for(c, JOB_KEPT_US + CLOUD_RESYNC_US + MINUTE);
	assert_int_equal(cloud_count(c, KIND_ASYNC_JOB), 0);
	cloud_done(c);
}

/* A job whose application credential is gone ends with the reason, and changes nothing. */
static void test_askers(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	uuid instance = cloud_launch_running(c);
	struct identity alice = c->alice;
	alice.application_credential = (uuid){{1}};
	(void) change(c, instance, engine_stop_instances_run, ASYNC_JOB_TURN_STOP);
	struct asked a = make_asked(c, instance, engine_start_instances_run, ASYNC_JOB_TURN_START);
	cloud_expect_at(c, cloud_call(c, &alice, ask, &a), __FILE__, __LINE__);
	cloud_settle(c);
	assert_int_equal(look(c, a.job).ended, ASYNC_JOB_ENDED_FAILED);
	assert_int_equal(cloud_state(c, instance), INSTANCE_STOPPED);
	cloud_done(c);
}

/* Killed after each of so many steps: the change and its job are both there, or neither is. */
static void test_killed(void **state)
{
	enum { STEPS = 24 };
	(void) state;
	for (uint64_t n = 1; n <= STEPS; n++) {
		struct cloud *c = cloud_new(n, 1);
		uuid instance = cloud_launch_running(c);
		struct asked a = make_asked(c, instance, engine_stop_instances_run, ASYNC_JOB_TURN_STOP);
		c->kill_at = c->steps + n;
		IGNORE(cloud_call(c, &c->alice, ask, &a)); /* may fail after a kill */
		(void) cloud_step_until(c, cloud_is_settled, NULL, HOUR / 2);
		c->kill_at = 0;
		if (cloud_was_killed(c))
			cloud_restart(c);
		cloud_settle(c);
		bool is_off = cloud_instance(c, instance).wanted_power == INSTANCE_WANTED_POWER_OFF;
		assert_int_equal(cloud_count(c, KIND_ASYNC_JOB), is_off);
		if (is_off && !uuid_is_none(a.job))
			assert_int_equal(look(c, a.job).ended, ASYNC_JOB_ENDED_DONE);
		cloud_done(c);
	}
}

/* A disk's job ends when its machine has it, or has let go of it. */
struct moving {
	bool leaves;
	struct ref volume, instance;
	uuid job;
};

static RESULT move_disk(struct op *op, void *arg)
{
	struct moving *m = arg;
	struct volume_attaching attaching = {.volume = m->volume, .instance = m->instance};
	struct volume_detaching detaching = {.volume = m->volume, .instance = m->instance};
	struct job_wish job = {.command = STR("move"),
			       .kind = KIND_VOLUME,
			       .subject = m->volume.prefix,
			       .machine = m->instance.prefix,
			       .outcome =
				       m->leaves ? ASYNC_JOB_OUTCOME_UNPLUGGED : ASYNC_JOB_OUTCOME_PLUGGED};
	TRY(m->leaves ? engine_detach_volume(op, &detaching) : engine_attach_volume(op, &attaching));
	TRY(engine_create_job(op, &job));
	m->job = job.job;
	return OK;
}

static void test_disks(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(3, 1);
	uuid instance = cloud_launch_running(c);
	struct volume_wish wish = {.zone = {.kind = KIND_ZONE, .text = STR("a")}, .disk.size = CLOUD_GIB};
	wish.zone.prefix = cloud_instance(c, instance).zone;
	wish.zone.bits = 8 * sizeof(uuid);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	cloud_settle(c);
	struct moving m = {.volume = cloud_ref(c, KIND_VOLUME, wish.volume),
			   .instance = cloud_ref(c, KIND_INSTANCE, instance)};
	for (int k = 0; k < 2; k++) {
		m.leaves = k == 1;
		cloud_expect_at(c, cloud_call(c, &c->alice, move_disk, &m), __FILE__, __LINE__);
		assert_int_equal(look(c, m.job).ended, ASYNC_JOB_ENDED_NONE);
		cloud_settle(c);
		assert_int_equal(look(c, m.job).ended, ASYNC_JOB_ENDED_DONE);
	}
	cloud_done(c);
}

/* A volume that grows, a kept snapshot of it, a kept image of it, and the volume reverted to the snapshot. */
struct kept {
	struct ref volume;
	struct snapshot_wish snapshot;
	struct volume_capture capture;
	uuid jobs[3];
};

static RESULT write_job(struct op *op, enum kind kind, uuid subject, enum async_job_outcome outcome,
			uuid *ret_job)
{
	struct job_wish job = {.command = STR("keep"), .kind = kind, .subject = subject, .outcome = outcome};
	TRY(engine_create_job(op, &job));
	*ret_job = job.job;
	return OK;
}

static RESULT grow(struct op *op, void *arg)
{
	struct kept *k = arg;
	struct volume_modifying wish = {.volume = k->volume, .size = 2 * CLOUD_GIB};
	TRY(engine_modify_volume(op, &wish));
	return write_job(op, KIND_VOLUME, k->volume.prefix, ASYNC_JOB_OUTCOME_SETTLED, &k->jobs[0]);
}

static RESULT keep(struct op *op, void *arg)
{
	struct kept *k = arg;
	k->snapshot.volume = k->capture.volume = k->volume;
	TRY(engine_create_snapshot(op, &k->snapshot));
	TRY(engine_capture_volume(op, &k->capture));
	TRY(write_job(op, KIND_SNAPSHOT, k->snapshot.snapshot, ASYNC_JOB_OUTCOME_MADE, &k->jobs[0]));
	return write_job(op, KIND_IMAGE, k->capture.image, ASYNC_JOB_OUTCOME_MADE, &k->jobs[1]);
}

static RESULT revert(struct op *op, void *arg)
{
	struct kept *k = arg;
	struct volume_reverting wish = {
		k->volume, {.kind = KIND_SNAPSHOT, .prefix = k->snapshot.snapshot, .bits = 8 * sizeof(uuid)}};
	TRY(engine_revert_volume(op, &wish));
	return write_job(op, KIND_SNAPSHOT, k->snapshot.snapshot, ASYNC_JOB_OUTCOME_REVERTED, &k->jobs[2]);
}

static void test_what_is_kept(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(4, 1);
	uuid instance = cloud_launch_running(c);
	struct volume_wish wish = {.zone = {.kind = KIND_ZONE}, .disk.size = CLOUD_GIB};
	wish.zone.prefix = cloud_instance(c, instance).zone;
	wish.zone.bits = 8 * sizeof(uuid);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	cloud_settle(c);
	struct kept k = {.volume = cloud_ref(c, KIND_VOLUME, wish.volume),
			 .capture.form = {.name = STR("of a disk")}};
	const struct {
		op_run run;
		size_t first, end;
	} changes[] = {{grow, 0, 1}, {keep, 0, 2}, {revert, 2, 3}};
	for (size_t n = 0; n < 3; n++) {
		cloud_expect_at(c, cloud_call(c, &c->alice, changes[n].run, &k), __FILE__, __LINE__);
		for (size_t j = changes[n].first; j < changes[n].end; j++)
			assert_int_equal(look(c, k.jobs[j]).ended, ASYNC_JOB_ENDED_NONE);
		cloud_settle(c);
		for (size_t j = changes[n].first; j < changes[n].end; j++)
			assert_int_equal(look(c, k.jobs[j]).ended, ASYNC_JOB_ENDED_DONE);
	}
	cloud_done(c);
}

/* An image in a form of its own: its job ends once that form is written, not with its snapshot. */
static bool has_ended(struct cloud *c, const void *arg)
{
	return look(c, *(const uuid *) arg).ended != ASYNC_JOB_ENDED_NONE;
}

static int64_t data_size(struct cloud *c, uuid image)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return image_find(view.tables, image)->data_size;
}

static RESULT capture(struct op *op, void *arg)
{
	struct kept *k = arg;
	TRY(engine_capture_volume(op, &k->capture));
	return write_job(op, KIND_IMAGE, k->capture.image, ASYNC_JOB_OUTCOME_MADE, &k->jobs[0]);
}

static void keep_in_a_form_of_its_own(uint64_t seed)
{
	struct cloud *c = cloud_new(4, seed);
	uuid instance = cloud_launch_running(c);
	struct volume_wish wish = {.zone = {.kind = KIND_ZONE}, .disk.size = CLOUD_GIB};
	wish.zone.prefix = cloud_instance(c, instance).zone;
	wish.zone.bits = 8 * sizeof(uuid);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	cloud_settle(c);
	struct kept k = {.capture = {.volume = cloud_ref(c, KIND_VOLUME, wish.volume),
				     .form = {.name = STR("as a vhd"),
					      .disk_format = STR("vhd"),
					      .container_format = STR("bare")}}};
	cloud_expect_at(c, cloud_call(c, &c->alice, capture, &k), __FILE__, __LINE__);
	assert_true(cloud_step_until(c, has_ended, &k.jobs[0], HOUR));
	assert_int_equal(look(c, k.jobs[0]).ended, ASYNC_JOB_ENDED_DONE);
	assert_true(data_size(c, k.capture.image) > 0);
	cloud_done(c);
}

static void test_image_in_a_form_of_its_own(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= 8; seed++)
		keep_in_a_form_of_its_own(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_askers),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_disks),
		cmocka_unit_test(test_what_is_kept),
		cmocka_unit_test(test_image_in_a_form_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
