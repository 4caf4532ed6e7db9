/* SPDX-License-Identifier: Apache-2.0
 * Steps of instances: bring the domain on the instance's host to what its row wants. Woken by the instance's
 * row, its volumes, its host's return and libvirt's events. The engine's side is engine/instance/;
 * instance_rows.c copies the rows, instance_plan.c decides, drivers/compute.h acts. */
#include "engine/instance/instance.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/instance/instance_event.h"
#include "engine/scaling/scaling.h"
#include "model/condition.h"
#include "model/instance_event.h"
#include "reconcile/instance/instance_plan.h"
#include "reconcile/instance/instance_rows.h"
#include "reconcile/work.h"
#include "store/instance.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/port.h"
#include "store/snapshot.h"

enum {
	ASK_AGAIN_S = 5,     /* between two shutdown requests; some guests ignore the first ACPI power
			      * button event */
	UNPLUG_AGAIN_S = 15, /* between two unplug requests; compute.h explains the lower limit */
	KEPT_S = 30,         /* before KeepsDevice is reported */
	IO_PAUSED_S = 10,    /* before a guest paused by an I/O error is resumed, and between checks for
			      * free space */
	PLACE_AGAIN_S = 15   /* between two searches for a host with room */
};

static RESULT define(struct step *s, const struct instance_rows *rows)
{
	struct compute_domain domain = rows->domain;
	TRY(instance_write_manifest(s, &domain.manifest));
	TRY(instance_write_drive(s, &domain));
	return s->connection->driver->define(s->connection->connection, &s->ctx, &domain);
}

static enum instance_off off_reason(enum compute_off off)
{
	static const enum instance_off reasons[] = {
		[COMPUTE_OFF_UNKNOWN] = INSTANCE_OFF_UNKNOWN,
		[COMPUTE_OFF_GUEST] = INSTANCE_OFF_GUEST,
		[COMPUTE_OFF_CRASHED] = INSTANCE_OFF_CRASHED,
		[COMPUTE_OFF_DESTROYED] = INSTANCE_OFF_DESTROYED,
	};
	return reasons[off];
}

/* reached: the domain is as the row's gen wants it. */
static RESULT report_instance(struct step *s, const struct instance_rows *rows,
			      const struct compute_seen *seen, bool reached)
{
	const struct instance *row = rows->instance;
	struct instance_report *report = STEP_NEW(s, struct instance_report);
	*report = (struct instance_report){
		.instance = row->row.id,
		.gen = row->row.gen,
		.reached = reached,
		.boots = row->wanted_boots,
		.power = seen->power,
		.is_paused = instance_shows_pause(row, seen->is_paused, rows->stands_still),
		.is_saved = seen->is_saved,
		.off = off_reason(seen->off),
		.boot_id = str_copy(s->ctx.arena, str_from(s->connection->boot_id)),
		.devices_known = true,
		.ports = seen->ports,
		.volumes = seen->volumes,
	};
	step_report(s, engine_see_instance_run, report);
	return OK;
}

static const char *const power_words[] = {
	[COMPUTE_START] = "start", [COMPUTE_SHUTDOWN] = "shutdown", [COMPUTE_FORCE_OFF] = "force-off",
	[COMPUTE_RESET] = "reset", [COMPUTE_PAUSE] = "pause",       [COMPUTE_SAVE] = "save",
};

static RESULT set_power(struct step *s, const struct instance *row, enum compute_power power)
{
	TRY(s->connection->driver->set_power(s->connection->connection, &s->ctx, row->row.id, power));
	log_event(LOG_INFO, "instance-power", "instance=%s action=%s",
		  log_quote(id_to_ec2(s->ctx.arena, KIND_INSTANCE, row->row.id)), power_words[power]);
	return OK;
}

/* Starts the domain as just defined; its devices are those of the definition. */
static RESULT apply_start(struct step *s, const struct instance_rows *rows)
{
	struct compute_seen seen = {.power = INSTANCE_SEEN_POWER_ON};
	TRY(define(s, rows));
	TRY(set_power(s, rows->instance, COMPUTE_START));
	TRY(instance_list_devices(s, rows, &seen));
	return report_instance(s, rows, &seen, true);
}

static RESULT apply_reset(struct step *s, const struct instance_rows *rows, const struct compute_seen *seen)
{
	TRY(set_power(s, rows->instance, COMPUTE_RESET));
	return report_instance(s, rows, seen, true);
}

static RESULT ask_guest(struct step *s, const struct instance *row, int64_t since_us)
{
	int64_t ask_us = clock_now_us() + ASK_AGAIN_S * SECOND;
	int64_t force_us = since_us + s->r->shutdown_grace_us;
	TRY(s->connection->driver->set_power(s->connection->connection, &s->ctx, row->row.id,
					     COMPUTE_SHUTDOWN));
	step_again_at(s, ask_us < force_us ? ask_us : force_us);
	return OK;
}

/* Changes the devices of a running domain. A guest that has not released a device is asked again after
 * UNPLUG_AGAIN_S. A process that was restarted in between finds the definition already changed and no request
 * time, and assumes that the guest was asked just now. */
static RESULT apply_plug(struct step *s, struct instance_rows *rows, bool defined_as_wished)
{
	struct compute_seen seen = {0};
	struct work *w = s->work;
	int64_t now_us = clock_now_us();
	rows->domain.asks_again =
		defined_as_wished && w->asked_us && now_us >= w->asked_us + UNPLUG_AGAIN_S * SECOND;
	if (!defined_as_wished || !w->asked_us || rows->domain.asks_again)
		w->asked_us = now_us;
	TRY(define(s, rows));
	TRY(s->connection->driver->see(s->connection->connection, &s->ctx, &rows->domain, &seen));
	TRY(instance_drop_rowless(s, &seen));
	if (!seen.devices_as_wished) {
		w->kept_us = w->kept_us ? w->kept_us : now_us;
		step_again_at(s, w->asked_us + UNPLUG_AGAIN_S * SECOND);
	}
	bool has_news = seen.power != INSTANCE_SEEN_POWER_ON || !instance_is_reported(rows, &seen);
	return has_news ? report_instance(s, rows, &seen, seen.power == INSTANCE_SEEN_POWER_ON) : OK;
}

/* Reports a guest that has not released a detached device for KEPT_S; at once if the guest is paused, because
 * a paused guest cannot. */
static RESULT report_kept(struct step *s, const struct compute_seen *seen)
{
	if (seen->devices_as_wished || seen->power != INSTANCE_SEEN_POWER_ON)
		s->work->kept_us = s->work->asked_us = 0;
	int64_t kept_us = s->work->kept_us;
	bool is_late = seen->is_paused || clock_now_us() >= kept_us + KEPT_S * SECOND;
	struct condition condition = {
		.subject_kind = KIND_INSTANCE,
		.subject = s->id,
		.name = STR(KEEPS_DEVICE),
		.message = seen->is_paused
				   ? STR("Its guest is paused: what was detached from it does not leave.")
				   : STR("Its guest does not let go of what was detached from it."),
		.advice = seen->is_paused
				  ? STR("Unpause it, or stop it.")
				  : STR("See in the guest what uses it, and whether it knows PCI hotplug; "
					"stopping the instance or detaching with force takes it."),
	};
	return step_report_condition(s, &condition, kept_us && is_late);
}

/* Reports a guest that QEMU paused for lack of space. Each pause makes a new condition with a creation time
 * of its own, from which IO_PAUSED_S is counted, so that resuming is never retried in a tight loop. */
static RESULT report_io_paused(struct step *s, bool is_io_paused)
{
	struct condition condition = {
		.subject_kind = KIND_INSTANCE,
		.subject = s->id,
		.name = STR(IO_PAUSED),
		.message = STR("Its guest is held in the midst of a write: its host's pool is full."),
		.advice = STR(
			"Make room in the pool of its host: the guest goes on by itself then, and nothing "
			"it wrote is lost."),
	};
	return step_report_condition(s, &condition, is_io_paused);
}

static RESULT apply_resume(struct step *s, const struct instance *row)
{
	struct result result = set_power(s, row, COMPUTE_START);
	if (result.code == ERR_CAPACITY) {
		ctx_clear_problem(&s->ctx);
		step_again_at(s, clock_now_us() + IO_PAUSED_S * SECOND);
		return OK;
	}
	TRY(result);
	step_again(s);
	return report_io_paused(s, false);
}

static RESULT report_left(struct step *s, const struct instance *row)
{
	struct instance_leaving *leaving = STEP_NEW(s, struct instance_leaving);
	*leaving = (struct instance_leaving){.instance = row->row.id, .gen = row->row.gen};
	step_report(s, engine_leave_instance_host_run, leaving);
	return OK;
}

static RESULT apply_step(struct step *s, struct instance_rows *rows, const struct instance_plan_input *input)
{
	const struct instance *row = rows->instance;
	const struct compute_driver *driver = s->connection->driver;
	switch (instance_plan_step(row, input)) {
	case INSTANCE_SETTLED:
	case INSTANCE_WAIT_DISKS:
		return OK;
	case INSTANCE_BACK_OFF:
		step_again_at(s, rows->restart_us);
		return OK;
	case INSTANCE_DEFINE:
		step_again(s);
		return define(s, rows);
	case INSTANCE_START:
		return apply_start(s, rows);
	case INSTANCE_PLUG:
		return apply_plug(s, rows, input->seen.defined_as_wished);
	case INSTANCE_IO_PAUSED:
		step_again_at(s, input->resume_us);
		return OK;
	case INSTANCE_RESUME:
		return apply_resume(s, row);
	case INSTANCE_REBOOT:
		return ask_guest(s, row, row->reboot_since_us);
	case INSTANCE_RESET:
		return apply_reset(s, rows, &input->seen);
	case INSTANCE_PAUSE:
		step_again(s);
		return set_power(s, row, COMPUTE_PAUSE);
	case INSTANCE_UNPAUSE:
		step_again(s);
		return set_power(s, row, COMPUTE_START);
	case INSTANCE_SAVE:
		step_again(s);
		return set_power(s, row, COMPUTE_SAVE);
	case INSTANCE_SHUTDOWN:
		return ask_guest(s, row, row->off_since_us);
	case INSTANCE_FORCE_OFF:
		step_again(s);
		return driver->set_power(s->connection->connection, &s->ctx, row->row.id, COMPUTE_FORCE_OFF);
	case INSTANCE_UNDEFINE:
		step_again(s);
		return driver->undefine(s->connection->connection, &s->ctx, row->row.id);
	case INSTANCE_LEAVE:
		return report_left(s, row);
	case INSTANCE_REPORT: /* the report changes device rows alone, which does not wake the instance */
		if (input->seen.power != INSTANCE_SEEN_POWER_ABSENT && !input->seen.devices_as_wished)
			step_again(s);
		return report_instance(s, rows, &input->seen, !instance_went_off(row, input));
	}
	return FAIL(INTERNAL);
}

/* An ended instance stays visible for INSTANCE_VISIBLE_US; then the resync forgets it. */
static RESULT forget_when_due(struct step *s, const struct instance *row)
{
	if (clock_now_us() < row->stopped_us + INSTANCE_VISIBLE_US)
		return OK;
	struct instance_forget *forget = STEP_NEW(s, struct instance_forget);
	forget->instance = row->row.id;
	step_report(s, engine_forget_instance_run, forget);
	return OK;
}

/* Ends a destroyed instance whose recovery time is over. */
static RESULT expunge(struct step *s)
{
	struct instance_expunging *expunging = STEP_NEW(s, struct instance_expunging);
	expunging->instance = s->id;
	step_report(s, engine_expunge_instance_run, expunging);
	return OK;
}

/* Searches a host for an instance that was accepted without one. */
static RESULT place(struct step *s, const struct instance *row)
{
	struct instance_placing *placing = STEP_NEW(s, struct instance_placing);
	placing->instance = row->row.id;
	step_report(s, engine_place_instance_run, placing);
	step_again_at(s, clock_now_us() + PLACE_AGAIN_S * SECOND);
	return OK;
}

/* A shelved instance, or one destroyed before it was placed, has no host and needs no action: confirms each
 * gen at once. */
static RESULT report_offloaded(struct step *s, const struct instance *row)
{
	if (row->seen_gen == (int64_t) row->row.gen)
		return OK;
	struct instance_report *report = STEP_NEW(s, struct instance_report);
	*report = (struct instance_report){
		.instance = row->row.id, .gen = row->row.gen, .reached = true, .boots = row->wanted_boots};
	step_report(s, engine_see_instance_run, report);
	return OK;
}

/* Repeats the volume's condition on the instance, where users look first. */
static RESULT report_waiting(struct step *s, const struct instance_rows *rows)
{
	const struct condition *obstacle = row_is_live(&rows->instance->row) ? rows->obstacle : NULL;
	if (!obstacle && !rows->obstacle_reported)
		return OK;
	struct condition condition = {
		.subject_kind = KIND_INSTANCE, .subject = s->id, .name = STR(WAITS_FOR_DISK)};
	if (obstacle) {
		struct str id = id_to_ec2(s->ctx.arena, KIND_VOLUME, obstacle->subject);
		condition.message = str_print(s->ctx.arena, "Its volume %" STR_FMT ": %" STR_FMT, STR_ARG(id),
					      STR_ARG(obstacle->message));
		condition.advice = obstacle->advice;
	}
	return step_report_condition(s, &condition, obstacle != NULL);
}

/* Step of an instance without a host. */
static RESULT step_unplaced(struct step *s, const struct instance_rows *rows)
{
	bool stays = rows->instance->wanted_shelved || rows->expunge_us;
	return stays ? report_offloaded(s, rows->instance) : place(s, rows->instance);
}

static RESULT step_instance(struct step *s)
{
	struct instance_rows rows = {0};
	TRY(instance_gather_rows(s, s->id, &rows));
	if (!rows.instance)
		return OK;
	if (instance_has_ended(rows.instance))
		return forget_when_due(s, rows.instance);
	if (!uuid_is_none(rows.instance->target))
		return OK; /* the migration's step acts until the instance has arrived or stays */
	if (rows.expunge_us && clock_now_us() >= rows.expunge_us)
		return expunge(s);
	if (rows.expunge_us)
		step_again_by(s, rows.expunge_us);
	if (uuid_is_none(rows.instance->host))
		return step_unplaced(s, &rows);
	if (!hosts_is_here(s, rows.instance->host)) {
		wake_for_row(s->r, KIND_INSTANCE, &rows.instance->row);
		return OK;
	}
	TRY(hosts_connected(s));
	TRY(report_waiting(s, &rows));
	struct instance_plan_input input = {
		.power_wanted = rows.power_wanted,
		.disks_ready = rows.waiting.count == 0,
		.now_us = clock_now_us(),
		.grace_us = s->r->shutdown_grace_us,
		.restart_us = rows.restart_us,
		.leaves_host = rows.leaves_host,
		.stands_still = rows.stands_still,
	};
	TRY(s->connection->driver->see(s->connection->connection, &s->ctx, &rows.domain, &input.seen));
	if (input.seen.is_io_paused != (rows.io_paused_us != 0))
		TRY(report_io_paused(s, input.seen.is_io_paused));
	if (!rows.stands_still) /* a guest that is held for a snapshot cannot release devices, which is no
				 * fault of its own */
		TRY(report_kept(s, &input.seen));
	input.resume_us = (rows.io_paused_us ? rows.io_paused_us : input.now_us) + IO_PAUSED_S * SECOND;
	TRY(instance_keep_plugged(s, &rows, &input.seen));
	TRY(instance_drop_rowless(s, &input.seen));
	bool is_over = false;
	TRY(instance_step_swaps(s, &rows, &input.seen, &is_over));
	if (is_over)
		return OK;
	input.devices_reported = instance_is_reported(&rows, &input.seen);
	return apply_step(s, &rows, &input);
}

/* ---- wake-ups ---- */

/* An instance without a host is placed, and an ended one forgotten, on the home lane. */
static void wake_instance(struct reconciler *r, const struct row *row)
{
	const struct instance *i = instance_of(row);
	if (uuid_is_none(i->host) || instance_has_ended(i))
		work_wake(r, lane_home(r), KIND_INSTANCE, row->id, WAKE_WISH);
	else
		wake_on_host(r, i->host, KIND_INSTANCE, row->id);
}

/* Wakes routers whose load balancers have the instance as a member. */
static void wake_balancing_routers(struct reconciler *r, const struct tables *t, uuid instance)
{
	for (const struct port *p = port_first_by_instance(t, instance); p; p = port_next_by_instance(t, p))
		for (const struct load_balancer_member *m = load_balancer_member_first_by_port(t, p->row.id);
		     m; m = load_balancer_member_next_by_port(t, m)) {
			const struct load_balancer *b = load_balancer_find(t, m->load_balancer);
			if (b)
				wake_network(r, KIND_ROUTER, b->router);
		}
}

/* Wakes snapshots, which may have waited for the instance to be off. */
static void wake_for_power(struct reconciler *r, const struct tables *t, const struct instance *before,
			   const struct instance *after)
{
	if (before->seen_power == after->seen_power)
		return;
	wake_balancing_routers(r, t, after->row.id);
	if (after->seen_power == INSTANCE_SEEN_POWER_ON)
		return;
	for (const struct snapshot *s = snapshot_first_by_instance(t, after->row.id); s;
	     s = snapshot_next_by_instance(t, s))
		wake_for_row(r, KIND_SNAPSHOT, &s->row);
}

/* The change may also complete a scheduled event or affect a migration. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	if (before)
		wake_for_power(r, t, instance_of(before), instance_of(after));
	const struct instance_event *e = engine_find_event(t, after->id);
	if (e && e->ended_us == 0)
		work_wake(r, lane_home(r), KIND_INSTANCE_EVENT, e->row.id, WAKE_WISH);
	if (!uuid_is_none(instance_of(after)->spot_request))
		work_wake(r, lane_home(r), KIND_SPOT_REQUEST, instance_of(after)->spot_request, WAKE_WISH);
	if (!uuid_is_none(instance_of(after)->fleet))
		work_wake(r, lane_home(r), KIND_FLEET, instance_of(after)->fleet, WAKE_WISH);
	const struct scaling_member *m = engine_find_scaling_member(t, after->id);
	if (m)
		work_wake(r, lane_home(r), KIND_SCALING_GROUP, m->scaling_group, WAKE_WISH);
	wake_instance(r, after);
	if (!uuid_is_none(instance_of(after)->target))
		wake_migration(r, t, after->id);
}

/* The image may be deleting and have waited for its last instance. */
static void wake_forgotten(struct reconciler *r, const struct tables *t, const struct row *row)
{
	wake_deleted(r, t, KIND_IMAGE, instance_of(row)->image);
}

const struct resource reconcile_instance = {
	.step = step_instance,
	.is_swept = true,
	.wake = wake_instance,
	.wake_changed = wake_changed,
	.wake_forgotten = wake_forgotten,
};
