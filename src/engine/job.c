/* SPDX-License-Identifier: Apache-2.0
 * Jobs and their outcomes. reconcile/job.c evaluates them. */
#include "engine/job.h"
#include "engine/scaling/scale_set.h"

#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/asker.h"
#include "engine/storage/image/image.h"
#include "engine/storage/volume/volume_attachment.h"
#include "model/account.h"
#include "model/domain.h"
#include "model/instance_migration.h"
#include "model/resource_group.h"
#include "model/state.h"
#include "store/async_job.h"
#include "store/condition.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/instance.h"
#include "store/instance_extension.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/vpn_tunnel.h"

/* ---- outcomes ---- */

static const struct job_verdict waiting = {.ended = ASYNC_JOB_ENDED_NONE},
				done = {.ended = ASYNC_JOB_ENDED_DONE};

/* Ignores conditions that are good news or unrelated to jobs. */
static bool is_in_the_way(const struct condition *c)
{
	return !str_is(c->name, INSTANCE_RESTARTED);
}

/* The subject's problem, from its conditions. */
static struct job_verdict find_problem(const struct tables *t, uuid subject)
{
	const struct condition *c = condition_first_by_subject(t, subject);
	while (c && !is_in_the_way(c))
		c = condition_next_by_subject(t, c);
	return c ? (struct job_verdict){ASYNC_JOB_ENDED_FAILED, c->message} : waiting;
}

/* Attaching or detaching a disk can fail on the disk or on the instance. */
static struct job_verdict find_problem_of_disk(const struct tables *t, const struct async_job *job)
{
	struct job_verdict verdict = find_problem(t, job->subject);
	return verdict.ended == ASYNC_JOB_ENDED_NONE ? find_problem(t, job->machine) : verdict;
}

/* The guest's agent has reported the extension's result. */
static struct job_verdict weigh_extension(const struct async_job *job, const struct instance_extension *e)
{
	if (e->seen_gen < job->subject_gen)
		return waiting;
	return e->status == INSTANCE_EXTENSION_STATUS_ERROR
		       ? (struct job_verdict){ASYNC_JOB_ENDED_FAILED, e->message}
		       : done;
}

/* The scale set has the machines that were asked for, and none of them is changing. */
static struct job_verdict weigh_scale_set(const struct tables *t, const struct scaling_group *set)
{
	struct str problem = STR_NONE;
	int state = engine_weigh_scale_set(t, set, &problem);
	return state < 0 ? waiting
	       : state == 0
		       ? done
		       : (struct job_verdict){ASYNC_JOB_ENDED_FAILED,
					      problem.n ? problem : STR("Launches of the scale set fail.")};
}

/* The daemon of each tunnel has its settings. The other site may still be silent. */
static struct job_verdict weigh_connection(const struct tables *t, uuid connection)
{
	for (const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(t, connection); n;
	     n = vpn_tunnel_next_by_connection(t, n))
		if (n->seen_gen < (int64_t) n->row.gen)
			return find_problem(t, n->row.id);
	return done;
}

/* Kinds whose host, guest or members tell when a change is carried out. */
static bool is_told(enum kind kind)
{
	return kind == KIND_INSTANCE || kind == KIND_VOLUME || kind == KIND_INSTANCE_EXTENSION ||
	       kind == KIND_SCALING_GROUP || kind == KIND_VPN_CONNECTION;
}

static struct job_verdict weigh_settled(const struct tables *t, const struct async_job *job,
					const struct row *row)
{
	bool is_instance = job->subject_kind == KIND_INSTANCE;
	if (job->subject_kind == KIND_SCALING_GROUP)
		return weigh_scale_set(t, scaling_group_of(row));
	if (job->subject_kind == KIND_INSTANCE_EXTENSION)
		return weigh_extension(job, instance_extension_of(row));
	if (job->subject_kind == KIND_VPN_CONNECTION)
		return weigh_connection(t, row->id);
	int64_t seen_gen = is_instance ? instance_of(row)->seen_gen : volume_of(row)->seen_gen;
	return seen_gen >= job->subject_gen ? done : find_problem(t, row->id);
}

/* The snapshot's volume is reverted. */
static struct job_verdict weigh_reverted(const struct tables *t, const struct snapshot *s)
{
	const struct volume *v = volume_find(t, s->volume);
	if (!v || !row_is_live(&v->row))
		return (struct job_verdict){ASYNC_JOB_ENDED_FAILED,
					    STR("The volume was deleted before that was done.")};
	return v->reverts == v->seen_reverts ? done : find_problem(t, v->row.id);
}

/* All the instance's disks are reverted. */
static struct job_verdict weigh_reverted_instance(const struct tables *t, uuid instance)
{
	for (const struct volume *v = volume_first_by_instance(t, instance); v;
	     v = volume_next_by_instance(t, v))
		if (row_is_live(&v->row) && v->reverts != v->seen_reverts)
			return find_problem(t, v->row.id);
	return done;
}

static struct job_verdict weigh_made_snapshot(const struct tables *t, const struct snapshot *s)
{
	enum snapshot_state state = model_derive_snapshot_state(s);
	return state == SNAPSHOT_COMPLETED ? done
	       : state == SNAPSHOT_ERROR   ? (struct job_verdict){ASYNC_JOB_ENDED_FAILED, s->problem}
					   : find_problem(t, s->row.id);
}

/* True if the image's data are being fetched, imported or uploaded. An image may also stay empty
 * indefinitely. */
static bool awaits_data(const struct tables *t, const struct image *i)
{
	return engine_image_is_empty(t, i) &&
	       (i->fetch_url.n || i->is_imported || i->sending == IMAGE_SENDING_WAITING);
}

/* An image is complete with the last of its snapshots, and fails with the first that fails. One with a
 * converted file is complete when that file is written. */
static struct job_verdict weigh_made_image(const struct tables *t, const struct image *i)
{
	struct job_verdict verdict = awaits_data(t, i) ? find_problem(t, i->row.id) : done;
	for (const struct image_device *d = image_device_first_by_image(t, i->row.id); d;
	     d = image_device_next_by_image(t, d)) {
		const struct snapshot *s = snapshot_find(t, d->snapshot);
		if (s && verdict.ended == ASYNC_JOB_ENDED_DONE)
			verdict = weigh_made_snapshot(t, s);
	}
	bool is_written = !i->is_exported || i->data_size;
	return verdict.ended != ASYNC_JOB_ENDED_DONE || is_written ? verdict : find_problem(t, i->row.id);
}

/* Complete with the last of its snapshots; fails with the first that fails. */
static struct job_verdict weigh_made_set(const struct tables *t, uuid set)
{
	struct job_verdict verdict = done;
	for (const struct snapshot *s = snapshot_first_by_instance_snapshot(t, set);
	     s && verdict.ended != ASYNC_JOB_ENDED_FAILED; s = snapshot_next_by_instance_snapshot(t, s)) {
		struct job_verdict one = weigh_made_snapshot(t, s);
		if (one.ended != ASYNC_JOB_ENDED_DONE)
			verdict = one;
	}
	return verdict;
}

static struct job_verdict weigh_made(const struct tables *t, const struct row *row, enum kind kind)
{
	switch ((int) kind) {
	case KIND_VOLUME:
		return volume_of(row)->seen_size > 0 ? done : find_problem(t, row->id);
	case KIND_SNAPSHOT:
		return weigh_made_snapshot(t, snapshot_of(row));
	case KIND_IMAGE:
		return weigh_made_image(t, image_of(row));
	case KIND_INSTANCE_SNAPSHOT:
		return weigh_made_set(t, row->id);
	default:
		return done;
	}
}

/* A destroyed instance is gone for its user; it may also have been recovered meanwhile. */
static bool is_gone(const struct row *row, enum kind kind)
{
	if (!row)
		return true;
	if (row_is_live(row) && kind == KIND_VOLUME)
		return true; /* destroyed, or recovered since */
	if (row_is_live(row))
		return kind == KIND_INSTANCE &&
		       (!instance_of(row)->destroyed_us ||
			model_derive_instance_state(instance_of(row)) == INSTANCE_DESTROYED);
	return kind != KIND_INSTANCE || model_derive_instance_state(instance_of(row)) == INSTANCE_TERMINATED;
}

/* True for a stopped instance that no host knows yet: its disks are attached when it starts. */
static bool is_plugged_at_start(const struct tables *t, uuid machine)
{
	const struct instance *i = instance_find(t, machine);
	return i && row_is_live(&i->row) && i->wanted_power == INSTANCE_WANTED_POWER_OFF &&
	       i->seen_power == INSTANCE_SEEN_POWER_ABSENT;
}

static struct job_verdict weigh_plugged(const struct tables *t, struct arena *a, const struct async_job *job,
					const struct volume *v)
{
	const struct volume *as = NULL; /* as attached there, or being detached */
	if (!result_is_ok(engine_find_attachment(a, t, v, job->machine, &as)))
		return waiting;
	bool is_out = job->outcome == ASYNC_JOB_OUTCOME_UNPLUGGED;
	if (!as)
		return is_out ? done
			      : (struct job_verdict){ASYNC_JOB_ENDED_FAILED,
						     STR("The volume was detached before that was done.")};
	bool is_in = model_derive_attachment(as->instance, as->seen_instance) == ATTACHMENT_ATTACHED ||
		     (!uuid_is_none(as->instance) && is_plugged_at_start(t, job->machine));
	return is_in && !is_out ? done : find_problem_of_disk(t, job);
}

/* The instance is on its target, or the migration failed. */
static struct job_verdict weigh_moved(const struct tables *t, const struct instance *i)
{
	const struct instance_migration *m = engine_last_migration(t, i->row.id);
	if (!uuid_is_none(i->target) || engine_is_settling(t, i->row.id))
		return waiting;
	if (!m || m->outcome == INSTANCE_MIGRATION_OUTCOME_COMPLETED)
		return done;
	return (struct job_verdict){ASYNC_JOB_ENDED_FAILED,
				    m->problem.n ? m->problem : STR("The migration was cancelled.")};
}

/* The outcome of deleting a group, an account or a domain with its contents. */
static struct job_verdict weigh_emptied(bool is_deleting, struct str problem)
{
	return is_deleting ? waiting : (struct job_verdict){ASYNC_JOB_ENDED_FAILED, problem};
}

static struct job_verdict weigh_gone(const struct tables *t, const struct async_job *job,
				     const struct row *row)
{
	enum kind kind = (enum kind) job->subject_kind;
	if (row && kind == KIND_RESOURCE_GROUP)
		return weigh_emptied(resource_group_of(row)->is_deleting, resource_group_of(row)->problem);
	if (row && kind == KIND_ACCOUNT && row_is_live(row))
		return weigh_emptied(account_of(row)->is_deleting, account_of(row)->delete_problem);
	if (row && kind == KIND_DOMAIN)
		return weigh_emptied(domain_of(row)->is_deleting, domain_of(row)->delete_problem);
	return is_gone(row, kind) ? done : find_problem(t, job->subject);
}

/* The old file may still exist. */
static struct job_verdict weigh_moved_volume(const struct tables *t, const struct volume *v)
{
	if (v->moves)
		return find_problem(t, v->row.id);
	return v->last_move != VOLUME_LAST_MOVE_ERROR
		       ? done
		       : (struct job_verdict){ASYNC_JOB_ENDED_FAILED,
					      STR("The volume could not be copied: it stays where it was.")};
}

/* The outcome for an existing subject. */
static struct job_verdict weigh_row(const struct tables *t, struct arena *a, const struct async_job *job,
				    const struct row *row)
{
	enum kind kind = (enum kind) job->subject_kind;
	bool is_disk = kind == KIND_VOLUME;
	if (job->outcome == ASYNC_JOB_OUTCOME_SETTLED && is_told(kind))
		return weigh_settled(t, job, row);
	if (job->outcome == ASYNC_JOB_OUTCOME_MOVED && kind == KIND_INSTANCE)
		return weigh_moved(t, instance_of(row));
	if (job->outcome == ASYNC_JOB_OUTCOME_MOVED && is_disk)
		return weigh_moved_volume(t, volume_of(row));
	if (job->outcome == ASYNC_JOB_OUTCOME_REVERTED && kind == KIND_SNAPSHOT)
		return weigh_reverted(t, snapshot_of(row));
	if (job->outcome == ASYNC_JOB_OUTCOME_REVERTED && kind == KIND_INSTANCE)
		return weigh_reverted_instance(t, row->id);
	if ((job->outcome == ASYNC_JOB_OUTCOME_PLUGGED || job->outcome == ASYNC_JOB_OUTCOME_UNPLUGGED) &&
	    is_disk)
		return weigh_plugged(t, a, job, volume_of(row));
	return weigh_made(t, row, kind);
}

struct job_verdict engine_weigh_job(const struct tables *t, struct arena *a, const struct async_job *job)
{
	enum kind kind = (enum kind) job->subject_kind;
	const struct row *row = kind == KIND_NONE ? NULL : tables_find(t, kind, job->subject);
	if (job->ended != ASYNC_JOB_ENDED_NONE || job->turn != ASYNC_JOB_TURN_NONE)
		return (struct job_verdict){job->ended, job->problem};
	if (job->outcome == ASYNC_JOB_OUTCOME_NOW || job->outcome == ASYNC_JOB_OUTCOME_NONE)
		return done;
	if (job->outcome == ASYNC_JOB_OUTCOME_GONE)
		return weigh_gone(t, job, row);
	if (!row || !row_is_live(row))
		return (struct job_verdict){
			ASYNC_JOB_ENDED_FAILED,
			str_print(a, "The %s was deleted before that was done.", model_kinds[kind].name)};
	return weigh_row(t, a, job, row);
}

/* ---- order of jobs ---- */

const struct async_job *engine_first_job(const struct tables *t, uuid subject)
{
	const struct async_job *first = NULL, *j = async_job_first_by_subject(t, subject);
	for (; j; j = async_job_next_by_subject(t, j))
		if (j->ended == ASYNC_JOB_ENDED_NONE && (!first || j->place < first->place))
			first = j;
	return first;
}

const struct async_job *engine_first_deletion(const struct tables *t, uuid subject)
{
	const struct async_job *first = NULL, *j = async_job_first_by_subject(t, subject);
	for (; j; j = async_job_next_by_subject(t, j))
		if (j->ended == ASYNC_JOB_ENDED_NONE && j->outcome == ASYNC_JOB_OUTCOME_GONE &&
		    (!first || j->place < first->place))
			first = j;
	return first;
}

bool engine_has_jobs(const struct tables *t, uuid instance)
{
	return engine_first_job(t, instance) != NULL;
}

/* After all other jobs of the subject. */
static int64_t find_place(const struct tables *t, uuid subject)
{
	int64_t place = 0;
	const struct async_job *j = uuid_is_none(subject) ? NULL : async_job_first_by_subject(t, subject);
	for (; j; j = async_job_next_by_subject(t, j))
		if (j->ended == ASYNC_JOB_ENDED_NONE && j->place >= place)
			place = j->place + 1;
	return place;
}

/* ---- create ---- */

static RESULT write_job(struct op *op, struct job_wish *wish, struct async_job *job)
{
	const struct row *subject =
		wish->kind == KIND_NONE ? NULL : tables_find(op->head, wish->kind, wish->subject);
	uuid account = engine_get_account(op->ctx);
	TRY(limit_check(op, LIMIT_JOBS, account, 1, STR_NONE));
	job->row.id = engine_new_id(op, KIND_ASYNC_JOB);
	job->row.gen = 1;
	job->account = account;
	ASKER_NOTE(op, job);
	job->command = wish->command;
	job->subject_kind = wish->kind;
	job->subject = wish->subject;
	job->machine = wish->machine;
	job->outcome = wish->outcome;
	job->secret = wish->secret;
	job->source = wish->source;
	job->place = find_place(op->head, wish->subject);
	job->subject_gen = subject ? (int64_t) subject->gen : 0;
	job->ended = engine_weigh_job(op->head, op->ctx->arena, job).ended == ASYNC_JOB_ENDED_DONE
			     ? ASYNC_JOB_ENDED_DONE
			     : ASYNC_JOB_ENDED_NONE;
	job->ended_us = job->ended == ASYNC_JOB_ENDED_DONE ? op->now_us : 0;
	TRY(async_job_put(op, job));
	wish->job = job->row.id;
	return OK;
}

RESULT engine_create_job(struct op *op, struct job_wish *wish)
{
	/* A job only records a change that was permitted itself. */
	engine_need_no_permission(op);
	return write_job(op, wish, &(struct async_job){0});
}

static RESULT find_volumes(struct op *op, const struct refs *refs, struct uuids *ret_volumes)
{
	uuid *ids = arena_new_array(op->ctx->arena, uuid, refs->count + 1);
	const struct volume *volume = NULL;
	if (!ids)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < refs->count; k++) {
		TRY(engine_find_own_volume(op->ctx, op->head, &refs->at[k], &volume));
		ids[k] = volume->row.id;
	}
	*ret_volumes = (struct uuids){ids, refs->count};
	return OK;
}

RESULT engine_queue_job(struct op *op, struct job_queuing *wish)
{
	const struct instance *instance = NULL;
	TRY(engine_permit_instance(op, &wish->instance, wish->permission, &instance));
	TRY(instance_check_unlocked(op, instance, wish->instance.field));
	wish->job.kind = KIND_INSTANCE;
	wish->job.subject = instance->row.id;
	struct async_job job = {.turn = wish->turn, .is_forced = wish->is_forced};
	TRY(find_volumes(op, &wish->volumes, &job.volumes));
	return write_job(op, &wish->job, &job);
}

/* ---- for the reconciler ---- */

static RESULT end_job(struct op *op, const struct async_job *job, const struct job_verdict *verdict)
{
	struct async_job next = *job;
	next.ended = verdict->ended;
	next.problem = verdict->problem;
	next.ended_us = op->now_us;
	next.turn = ASYNC_JOB_TURN_NONE;
	return async_job_put(op, &next);
}

static struct ref ref_to(struct op *op, enum kind kind, uuid id)
{
	return (struct ref){.kind = kind,
			    .prefix = id,
			    .bits = 8 * sizeof(uuid),
			    .text = uuid_to_str(op->ctx->arena, id)};
}

/* Leaves out volumes that are gone. */
static RESULT take_volumes(struct op *op, const struct async_job *job, struct refs *ret_refs)
{
	struct ref *refs = arena_new_array(op->ctx->arena, struct ref, job->volumes.count + 1);
	size_t count = 0;
	if (!refs)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < job->volumes.count; k++)
		if (volume_find(op->head, job->volumes.at[k]))
			refs[count++] = ref_to(op, KIND_VOLUME, job->volumes.at[k]);
	*ret_refs = (struct refs){refs, count};
	return OK;
}

static RESULT ask(struct op *op, const struct async_job *job)
{
	struct ref ref = ref_to(op, KIND_INSTANCE, job->subject);
	struct instances_wish wish = {.instances = {&ref, 1}, .force = job->is_forced};
	TRY(take_volumes(op, job, &wish.volumes));
	switch (job->turn) {
	case ASYNC_JOB_TURN_START:
		return engine_start_instances(op, &wish);
	case ASYNC_JOB_TURN_STOP:
		return engine_stop_instances(op, &wish);
	case ASYNC_JOB_TURN_REBOOT:
		return engine_reboot_instances(op, &wish);
	case ASYNC_JOB_TURN_TERMINATE:
		return engine_terminate_instances(op, &wish);
	case ASYNC_JOB_TURN_DESTROY:
		return engine_destroy_instances(op, &wish);
	case ASYNC_JOB_TURN_NONE:
		break;
	}
	return OK;
}

/* The permission with which a face asks for the action. */
static const char *const turn_permissions[] = {
	[ASYNC_JOB_TURN_NONE] = "",
	[ASYNC_JOB_TURN_START] = "instance.start",
	[ASYNC_JOB_TURN_STOP] = "instance.stop",
	[ASYNC_JOB_TURN_REBOOT] = "instance.reboot",
	[ASYNC_JOB_TURN_TERMINATE] = "instance.terminate",
	[ASYNC_JOB_TURN_DESTROY] = "instance.terminate",
};

/* Acts as the job's maker. Afterwards the context is the system's again, which writes the job. */
static RESULT ask_as_asker(struct op *op, const struct async_job *job, struct later_guard *later)
{
	const struct asker asker = ASKER_OF(job);
	const struct asker_work work = {later, turn_permissions[job->turn], op->now_us};
	const struct identity *who = op->ctx->who;
	struct guard *guard = op->ctx->guard;
	struct result result = asker_act(op->ctx, op->head, &asker, &work);
	if (result_is_ok(result))
		result = ask(op, job);
	if (result_is_ok(result) && later)
		result = later->check_made(op);
	op->ctx->who = who;
	op->ctx->guard = guard;
	return result;
}

/* A refusal ends the job with its message and rolls back its changes. */
RESULT engine_take_turn(struct op *op, struct job_target *wish)
{
	const struct async_job *job = async_job_find(op->head, wish->job);
	if (!job || job->ended != ASYNC_JOB_ENDED_NONE || job->turn == ASYNC_JOB_TURN_NONE)
		return OK;
	struct op_place place = op_place_now(op);
	struct result result = ask_as_asker(op, job, wish->guard);
	if (!result_is_ok(result) && !engine_is_refusal(result.code))
		return result;
	if (!result_is_ok(result)) {
		op_go_back(op, place);
		const struct job_verdict verdict = {ASYNC_JOB_ENDED_FAILED, op->ctx->problem.message};
		ctx_clear_problem(op->ctx);
		return end_job(op, job, &verdict);
	}
	const struct row *subject = tables_find(op->head, KIND_INSTANCE, job->subject);
	struct async_job next = *job;
	next.turn = ASYNC_JOB_TURN_NONE;
	next.subject_gen = subject ? (int64_t) subject->gen : 0;
	return async_job_put(op, &next);
}

RESULT engine_end_job(struct op *op, struct job_target *wish)
{
	const struct async_job *job = async_job_find(op->head, wish->job);
	if (!job || job->ended != ASYNC_JOB_ENDED_NONE)
		return OK;
	struct job_verdict verdict = engine_weigh_job(op->head, op->ctx->arena, job);
	return verdict.ended == ASYNC_JOB_ENDED_NONE ? OK : end_job(op, job, &verdict);
}

RESULT engine_sweep_jobs(struct op *op, struct job_sweep *wish)
{
	const struct async_job probe = {.ended_us = 1};
	size_t count = 0;
	const struct row *row = tables_seek(op->head, KIND_ASYNC_JOB, ASYNC_JOB_INDEX_ENDED, &probe.row, 1),
			 *next = NULL;
	for (; row && count < wish->max && async_job_of(row)->ended_us + JOB_KEPT_US <= op->now_us;
	     row = next) {
		next = tables_next(op->head, KIND_ASYNC_JOB, ASYNC_JOB_INDEX_ENDED, row, 0);
		TRY(async_job_forget(op, row->id));
		count++;
	}
	return OK;
}
