/* SPDX-License-Identifier: Apache-2.0
 * Steps of machine backups: those of a test restore. The machine runs without network interfaces; the step
 * reads its console until the plan's text appears, its time is over, or the machine is gone, and reports the
 * result, which ends the machine. The disks of a machine backup are backups, with steps of their own. */
#include "engine/backup/machine_backup.h"

#include "base/clock.h"
#include "drivers/compute.h"
#include "engine/backup/backup_vault.h"
#include "model/states.h"
#include "reconcile/work.h"
#include "store/backup_plan.h"
#include "store/instance.h"
#include "store/machine_backup.h"

enum { LOOK_AGAIN_S = 5, LOG_MAX = 64 * 1024 }; /* between readings of a booting guest's console log */

struct check_rows {
	const struct machine_backup *backup; /* NULL: no test restore is under way */
	const struct instance *instance;     /* NULL: gone */
	struct str marker;
};

static RESULT gather_check(struct step *s, struct check_rows *ret_rows)
{
	*ret_rows = (struct check_rows){.marker = STR(MACHINE_BACKUP_MARKER)};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct machine_backup *m = machine_backup_find(view.tables, s->id);
	if (!m || m->check_state != MACHINE_BACKUP_CHECK_STATE_RUNNING)
		return OK;
	const struct instance *i = instance_find(view.tables, m->check_instance);
	const struct backup_plan *p = backup_plan_find(view.tables, m->plan);
	ret_rows->backup = STEP_COPY(s, KIND_MACHINE_BACKUP, struct machine_backup, m);
	if (i && row_is_live(&i->row))
		ret_rows->instance = STEP_COPY(s, KIND_INSTANCE, struct instance, i);
	if (p)
		ret_rows->marker = str_copy(s->ctx.arena, p->check_marker);
	return ret_rows->marker.p ? OK : ctx_no_memory(&s->ctx);
}

static RESULT report(struct step *s, const struct check_rows *rows, bool has_passed, struct str message)
{
	struct machine_check_report *seen = STEP_NEW(s, struct machine_check_report);
	*seen = (struct machine_check_report){.backup = s->id,
					      .instance = rows->backup->check_instance,
					      .has_passed = has_passed,
					      .message = message};
	step_report(s, engine_see_machine_check_run, seen);
	return OK;
}

static RESULT look(struct step *s, const struct check_rows *rows, bool *ret_has_marker)
{
	struct str text = STR_NONE;
	int64_t at_us = 0;
	TRY(hosts_connected(s));
	TRY(s->connection->driver->read_console(s->connection->connection, &s->ctx, rows->instance->row.id,
						LOG_MAX, &text, &at_us));
	*ret_has_marker = str_contains(text, rows->marker);
	return OK;
}

static RESULT wait_for_marker(struct step *s, const struct check_rows *rows)
{
	int64_t now_us = clock_now_us(),
		until_us = rows->backup->checked_us + MACHINE_BACKUP_CHECK_S * SECOND;
	bool has_marker = false;
	if (model_derive_instance_state(rows->instance) == INSTANCE_RUNNING)
		TRY(look(s, rows, &has_marker));
	if (has_marker)
		return report(s, rows, true,
			      str_print(s->ctx.arena,
					"The machine started: \"%" STR_FMT "\" is on its console.",
					STR_ARG(rows->marker)));
	if (now_us >= until_us)
		return report(s, rows, false,
			      str_print(s->ctx.arena,
					"After %d minutes \"%" STR_FMT "\" was not on the console.",
					MACHINE_BACKUP_CHECK_S / 60, STR_ARG(rows->marker)));
	step_again_at(s, now_us + LOOK_AGAIN_S * SECOND);
	return OK;
}

/* The row's deadline or age has passed. */
static bool is_due(struct step *s)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct machine_backup *m = machine_backup_find(view.tables, s->id);
	int64_t now_us = clock_now_us();
	return m && !m->is_held &&
	       ((m->deadline_us && m->deadline_us <= now_us && !m->is_written) ||
		(m->expires_us && m->expires_us <= now_us));
}

static RESULT step_machine_backup(struct step *s)
{
	if (is_due(s)) {
		struct recovery_point_due *due = STEP_NEW(s, struct recovery_point_due);
		*due = (struct recovery_point_due){.machine_backup = s->id};
		step_report(s, engine_end_due_backup_run, due);
		return OK;
	}
	struct check_rows rows = {0};
	TRY(gather_check(s, &rows));
	if (!rows.backup)
		return OK;
	if (!rows.instance)
		return report(s, &rows, false, STR("The machine of the test was terminated."));
	bool is_over = clock_now_us() >= rows.backup->checked_us + MACHINE_BACKUP_CHECK_S * SECOND;
	bool is_elsewhere = !uuid_is_none(rows.instance->host) && !hosts_is_here(s, rows.instance->host);
	if (is_elsewhere && !is_over) {
		wake_among_guests(s->r, rows.instance->host, KIND_MACHINE_BACKUP,
				  s->id); /* dropped while the host is
										       * away: the resync
										       * repeats it */
		return OK;
	}
	if (is_elsewhere)
		return report(s, &rows, false, STR("The host of the machine did not answer."));
	return wait_for_marker(s, &rows);
}

/* ---- wake-ups ---- */

/* A plan looks at its backups for what expires and what is to be tested. */
static void wake_machine_backup(struct reconciler *r, const struct row *row)
{
	const struct machine_backup *m = machine_backup_of(row);
	if (!uuid_is_none(m->plan))
		work_wake(r, lane_home(r), KIND_BACKUP_PLAN, m->plan, WAKE_WISH);
	if (m->check_state == MACHINE_BACKUP_CHECK_STATE_RUNNING)
		work_wake(r, lane_home(r), KIND_MACHINE_BACKUP, row->id, WAKE_WISH);
}

static void wake_due(struct reconciler *r, const struct tables *t, unsigned index,
		     const struct machine_backup *probe, size_t offset, int64_t now_us)
{
	const struct row *row = tables_seek(t, KIND_MACHINE_BACKUP, index, &probe->row, 1);
	for (; row; row = tables_next(t, KIND_MACHINE_BACKUP, index, row, 0)) {
		if (*(const int64_t *) (const void *) ((const char *) row + offset) > now_us)
			return;
		if (!machine_backup_of(row)->is_held)
			work_wake(r, lane_home(r), KIND_MACHINE_BACKUP, row->id, WAKE_WISH);
	}
}

void wake_due_machine_backups(struct reconciler *r)
{
	const struct machine_backup probe = {.expires_us = 1, .deadline_us = 1};
	int64_t now_us = clock_now_us();
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	wake_due(r, view.tables, MACHINE_BACKUP_INDEX_EXPIRES, &probe,
		 offsetof(struct machine_backup, expires_us), now_us);
	wake_due(r, view.tables, MACHINE_BACKUP_INDEX_DEADLINE, &probe,
		 offsetof(struct machine_backup, deadline_us), now_us);
}

const struct resource reconcile_machine_backup = {
	.step = step_machine_backup,
	.is_swept = true,
	.wake = wake_machine_backup,
	.wakes_forgotten = true,
};
