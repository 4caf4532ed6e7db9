/* SPDX-License-Identifier: Apache-2.0
 * Steps of migrations from here to a cloud elsewhere. The source is an instance here, which reports of the engine stop and
 * start; its snapshots are made here. The machine there is created once the instance was seen stopped, and an undo starts the
 * instance only when that machine was seen off. Each step looks before it acts: the machine there is found by the migration's
 * id, the image by its name. */
#include "base/clock.h"
#include "engine/remote/remote_machine.h"
#include "reconcile/remote/migration_step.h"
#include "store/cloud_migration.h"
#include "store/cloud_migration_disk.h"
#include "store/provider.h"
#include "store/remote_machine.h"

/* LATE_S: the cloud may carry out a request whose answer was lost so much later, and lists new machines late. */
enum { LATE_S = REMOTE_TIMEOUT_S, TAGS_TAKEN_MAX = 40 };

#define NEWS(...) ((struct cloud_migration_report){__VA_ARGS__})

/* ---- the plan, rounds ---- */

static RESULT look(struct step *s, const struct moving *mo, struct remote *remote)
{
	struct migration_plan_report *plan = STEP_NEW(s, struct migration_plan_report);
	struct strs lacks = {0};
	TRY(mo->driver->sink->check(&s->ctx, remote, s->id, &lacks));
	*plan = (struct migration_plan_report){
		.migration = s->id, .gen = mo->m->row.gen, .seen = mo->m, .lacks = lacks};
	step_report(s, engine_see_migration_plan_run, plan);
	return OK;
}

static RESULT fail_gone(struct step *s, const struct moving *mo)
{
	return migration_report(
		s, mo,
		NEWS(.news = MIGRATION_NEWS_FAILED, .problem = STR("The instance has been terminated.")));
}

static RESULT freeze(struct step *s, const struct moving *mo)
{
	if (mo->here.is_gone)
		return fail_gone(s, mo);
	if (mo->here.failure.n)
		return migration_report(s, mo,
					NEWS(.news = MIGRATION_NEWS_FAILED, .problem = mo->here.failure));
	if (!mo->here.are_cut) {
		TRY(migration_report(s, mo, NEWS(.news = MIGRATION_NEWS_CUT)));
		return migration_look_again(s, LOOK_HERE_MS);
	}
	return mo->here.are_complete ? migration_report(s, mo, NEWS(.news = MIGRATION_NEWS_FROZEN))
				     : migration_look_again(s, LOOK_HERE_MS);
}

/* ---- cutover ---- */

static RESULT stop(struct step *s, const struct moving *mo)
{
	if (mo->here.is_gone)
		return fail_gone(s, mo);
	if (mo->m->is_stopped && mo->here.is_stopped)
		return migration_report_and_go_on(s, mo, NEWS(.news = MIGRATION_NEWS_STOPPED));
	if (mo->m->is_stopped && mo->here.is_wanted_on)
		return migration_report_and_go_on(s, mo, NEWS(.news = MIGRATION_NEWS_RESUMED));
	if (!mo->m->is_stopped)
		TRY(migration_report(
			s, mo, NEWS(.news = MIGRATION_NEWS_STOPPING, .was_running = !mo->here.is_stopped)));
	return migration_look_again(s, mo->m->is_stopped ? LOOK_HERE_MS : LOOK_EVERY_S * 1000 / 2);
}

static RESULT make_image(struct step *s, const struct moving *mo, struct remote *remote,
			 struct remote_image *ret_image, struct cloud_migration_disk **ret_disks)
{
	struct remote_image_wish wish = {.migration = s->id,
					 .description = str_print(s->ctx.arena, "Migration of %" STR_FMT,
								  STR_ARG(str_cut(mo->m->name, 128))),
					 .boot_mode = mo->m->boot_mode,
					 .arch = mo->m->arch,
					 .count = mo->here.disk_count};
	TRY(migration_gather_disks(s, mo, ret_disks));
	wish.disks = *ret_disks;
	return mo->driver->sink->make_image(&s->ctx, remote, &wish, ret_image);
}

/* Tags of services and of this region are not the account's to set there. */
static RESULT take_tags(struct step *s, const struct moving *mo, struct tags *ret_tags)
{
	struct tag *tags = arena_new_array(s->ctx.arena, struct tag, TAGS_TAKEN_MAX + 1);
	size_t count = 0;
	if (!tags)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < mo->m->source_tags.count && count < TAGS_TAKEN_MAX; k++) {
		const struct tag *tag = &mo->m->source_tags.at[k];
		bool is_theirs = str_is(tag->key, "Name") || str_starts_with(tag->key, STR("dari:")) ||
				 str_starts_with(tag->key, STR("aws:"));
		if (!is_theirs)
			tags[count++] = *tag;
	}
	*ret_tags = (struct tags){tags, count};
	return OK;
}

static RESULT may_create(struct step *s, const struct moving *mo, bool *ret_may)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct remote_machine planned = {.account = mo->m->account, .provider = mo->m->provider};
	return migration_may_still(s, mo, engine_remote_permission(REMOTE_MACHINE_ACT_CREATE),
				   KIND_REMOTE_MACHINE, &planned.row, view.tables, ret_may);
}

/* The row keeps the volumes before the request is sent: a repeated one has the same, of which a second machine cannot be made,
 * and others can be deleted. */
static RESULT note_asked(struct step *s, const struct moving *mo, const struct remote_image *image,
			 const struct cloud_migration_disk *disks)
{
	size_t count = image->id.n ? 0 : mo->here.disk_count;
	struct migration_point *points = arena_new_array(s->ctx.arena, struct migration_point, count + 1);
	if (!points)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < count; k++)
		points[k] = (struct migration_point){disks[k].volume, image->volumes[k]};
	return migration_report_and_go_on(
		s, mo, NEWS(.news = MIGRATION_NEWS_ASKED, .points = points, .point_count = count));
}

static RESULT create(struct step *s, const struct moving *mo, struct remote *remote, struct str image,
		     const struct cloud_migration_disk *disks)
{
	struct remote_machine made = {0};
	struct remote_new wish = {.token = s->id,
				  .name = mo->m->name,
				  .image = image,
				  .type = mo->m->target_type,
				  .subnet = mo->m->target_subnet,
				  .key_name = mo->m->target_key,
				  .groups = mo->m->target_groups,
				  .disks = disks,
				  .disk_count = image.n ? 0 : mo->here.disk_count};
	TRY(take_tags(s, mo, &wish.tags));
	TRY(mo->driver->create(&s->ctx, remote, &wish, &made));
	return migration_report_and_go_on(s, mo, NEWS(.news = MIGRATION_NEWS_MADE, .ref = made.ref));
}

/* The row says before the request that it is sent, and from then on the engine refuses to start the instance. */
static RESULT make(struct step *s, const struct moving *mo, struct remote *remote)
{
	struct remote_image *image = STEP_NEW(s, struct remote_image);
	struct cloud_migration_disk *disks = NULL;
	bool may = false;
	if (mo->here.is_gone)
		return fail_gone(s, mo);
	if (!mo->here.is_stopped && !mo->m->was_asked)
		return migration_report_and_go_on(s, mo, NEWS(.news = MIGRATION_NEWS_RESUMED));
	if (!mo->here.is_stopped)
		return migration_report(s, mo,
					NEWS(.news = MIGRATION_NEWS_FAILED,
					     .problem = STR("Somebody has started the instance after its "
							    "last blocks were copied.")));
	TRY(make_image(s, mo, remote, image, &disks));
	if (!image->is_ready)
		return migration_look_again(s, LOOK_EVERY_S * 1000);
	TRY(may_create(s, mo, &may));
	if (!may)
		return migration_look_again(s, LOOK_EVERY_S * 1000);
	return mo->m->was_asked ? create(s, mo, remote, image->id, disks) : note_asked(s, mo, image, disks);
}

static bool is_recent(const struct moving *mo)
{
	return clock_now_us() < mo->m->asked_us + LATE_S * SECOND;
}

/* Looks at the machine there. *ret_is_gone: the cloud says that there is none, and not because it is new. */
static RESULT see_machine(struct step *s, const struct moving *mo, struct remote *remote,
			  struct remote_machine *ret_seen, bool *ret_is_gone)
{
	*ret_seen = (struct remote_machine){0};
	struct result result = mo->driver->get(&s->ctx, remote, mo->m->ref, ret_seen);
	*ret_is_gone = result.code == ERR_NOT_FOUND && !is_recent(mo);
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(&s->ctx);
	ret_seen->power = REMOTE_MACHINE_POWER_PENDING;
	return OK;
}

static RESULT watch(struct step *s, const struct moving *mo, struct remote *remote)
{
	struct remote_machine seen;
	bool is_gone = false;
	TRY(see_machine(s, mo, remote, &seen, &is_gone));
	if (seen.power == REMOTE_MACHINE_POWER_RUNNING)
		return migration_report_and_go_on(s, mo, NEWS(.news = MIGRATION_NEWS_RUNNING));
	if (str_is(seen.raw_state, "ERROR")) /* of Nova; no other cloud has that word */
		return migration_report(
			s, mo,
			NEWS(.news = MIGRATION_NEWS_FAILED,
			     .problem = str_print(s->ctx.arena,
						  "The machine %" STR_FMT
						  " there could not be made. Its fault says why: openstack "
						  "server show.",
						  STR_ARG(mo->m->ref))));
	bool has_ended = is_gone || seen.power == REMOTE_MACHINE_POWER_TERMINATED ||
			 seen.power == REMOTE_MACHINE_POWER_STOPPED;
	return has_ended ? migration_report(
				   s, mo,
				   NEWS(.news = MIGRATION_NEWS_FAILED,
					.problem = STR("The machine there has ended before it was seen "
						       "running.")))
			 : migration_look_again(s, LOOK_EVERY_S * 1000);
}

/* ---- ends ---- */

static RESULT finish(struct step *s, const struct moving *mo, struct remote *remote)
{
	struct cloud_migration_disk *disks = NULL;
	TRY(migration_gather_disks(s, mo, &disks));
	struct result result = mo->driver->sink->keep_disks
				       ? mo->driver->sink->keep_disks(&s->ctx, remote, mo->m->ref, disks,
								      mo->here.disk_count)
				       : OK;
	if (!result_is_ok(result) && result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(&s->ctx);
	TRY(mo->driver->sink->drop_image(&s->ctx, remote, s->id, disks, mo->here.disk_count));
	return migration_thaw_all(s, mo, remote, STR_NONE);
}

/* Puts the machine there away: stops and keeps one that has run, terminates another. *ret_is_off: it is. */
static RESULT put_away(struct step *s, const struct moving *mo, struct remote *remote, bool *ret_is_off)
{
	struct remote_machine seen;
	TRY(see_machine(s, mo, remote, &seen, ret_is_off));
	bool ends = seen.power == REMOTE_MACHINE_POWER_TERMINATED;
	*ret_is_off |= ends || (mo->m->has_run && seen.power == REMOTE_MACHINE_POWER_STOPPED);
	bool is_going = seen.power == REMOTE_MACHINE_POWER_TERMINATING ||
			(mo->m->has_run && seen.power == REMOTE_MACHINE_POWER_STOPPING);
	if (*ret_is_off || is_going)
		return OK;
	return mo->driver->act(&s->ctx, remote,
			       &(struct remote_act){.verb = mo->m->has_run ? REMOTE_MACHINE_ACT_STOP
									   : REMOTE_MACHINE_ACT_TERMINATE,
						    .ref = mo->m->ref,
						    .raw_state = seen.raw_state});
}

/* Looks for a machine whose creation was requested without an answer. *ret_is_over: there is none, and none can come. */
static RESULT find_lost(struct step *s, const struct moving *mo, struct remote *remote, bool *ret_is_over)
{
	struct remote_machine found;
	TRY(mo->driver->sink->find_machine(&s->ctx, remote, mo->m->name, s->id, &found));
	*ret_is_over = !found.ref.n && !is_recent(mo);
	return found.ref.n ? migration_report(s, mo, NEWS(.news = MIGRATION_NEWS_MADE, .ref = found.ref))
			   : OK;
}

/* Volumes stay with a machine that has run. */
static RESULT drop_image(struct step *s, const struct moving *mo, struct remote *remote)
{
	struct cloud_migration_disk *disks = NULL;
	TRY(migration_gather_disks(s, mo, &disks));
	return mo->driver->sink->drop_image(&s->ctx, remote, s->id, disks,
					    mo->m->has_run ? mo->here.disk_count : 0);
}

static RESULT undo(struct step *s, const struct moving *mo, struct remote *remote)
{
	bool is_off = !mo->m->was_asked;
	struct str note = mo->m->has_run ? STR("What the machine there wrote stays on it.") : STR_NONE;
	if (mo->m->was_asked)
		TRY(mo->m->ref.n ? put_away(s, mo, remote, &is_off) : find_lost(s, mo, remote, &is_off));
	if (!is_off)
		return migration_look_again(s, LOOK_EVERY_S * 1000);
	if (mo->m->is_stopped && mo->m->was_running && !mo->here.is_gone && !mo->here.is_wanted_on) {
		TRY(migration_report(s, mo, NEWS(.news = MIGRATION_NEWS_RESTART)));
		return migration_look_again(s, LOOK_EVERY_S * 1000);
	}
	if (mo->here.is_gone)
		note = STR("The instance is gone.");
	if (!mo->m->was_asked && is_recent(mo)) /* a snapshot that is started late would be left there */
		return migration_look_again(s, LOOK_EVERY_S * 1000);
	TRY(drop_image(s, mo, remote));
	return migration_thaw_all(s, mo, remote, note);
}

RESULT migration_act_out(struct step *s, const struct moving *mo, struct remote *remote,
			 enum migration_turn turn)
{
	switch (turn) {
	case MIGRATION_TURN_LOOK:
		return look(s, mo, remote);
	case MIGRATION_TURN_FREEZE:
		return freeze(s, mo);
	case MIGRATION_TURN_STOP:
		return stop(s, mo);
	case MIGRATION_TURN_MAKE:
		return make(s, mo, remote);
	case MIGRATION_TURN_WATCH:
		return watch(s, mo, remote);
	case MIGRATION_TURN_THAW:
		return finish(s, mo, remote);
	case MIGRATION_TURN_UNDO:
		return undo(s, mo, remote);
	case MIGRATION_TURN_NONE:
	case MIGRATION_TURN_COPY:
	case MIGRATION_TURN_ROUND:
		return OK;
	}
	return OK;
}
