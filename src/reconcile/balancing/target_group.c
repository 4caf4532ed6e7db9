/* SPDX-License-Identifier: Apache-2.0
 * Steps of target groups: read the results of health checks, as long as a listener leads there. Steps of targets:
 * forget those that have drained. */
#include "store/target_group.h"
#include "base/clock.h"
#include "base/vec.h"
#include "engine/balancing/balancing.h"
#include "reconcile/work.h"
#include "store/listener.h"
#include "store/target.h"

/* OVN does not announce results in the northbound database, so they are looked up. */
#define LOOK_US (5 * SECOND)
#define LOOK_STEADY_US (15 * SECOND)

struct probe_rows {
	VEC(struct network_probe) probes;
	VEC(struct target_probe) targets; /* what the rows say, in the same order */
	bool is_new;                      /* a target has no result yet */
};

static RESULT gather_probes(struct step *s, struct probe_rows *rows)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct target_group *group = target_group_find(view.tables, s->id);
	if (!group || !engine_is_checked_group(view.tables, group))
		return OK;
	for (const struct target *t = target_first_by_target_group(view.tables, s->id); t;
	     t = target_next_by_target_group(view.tables, t)) {
		struct network_probe probe = {.port = t->port, .ip = t->private_ip, .number = group->port};
		struct target_probe target = {t->row.id, t->health == TARGET_HEALTH_HEALTHY};
		rows->is_new = rows->is_new || t->health == TARGET_HEALTH_INITIAL;
		if (!VEC_PUSH(s->ctx.arena, &rows->probes, probe) ||
		    !VEC_PUSH(s->ctx.arena, &rows->targets, target))
			return ctx_no_memory(&s->ctx);
	}
	return OK;
}

static RESULT report_probes(struct step *s, const struct probe_rows *rows)
{
	struct target_probe *at = arena_new_array(s->ctx.arena, struct target_probe, rows->targets.count);
	struct target_probes *report = STEP_NEW(s, struct target_probes);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < rows->targets.count; k++) {
		bool is_up = rows->probes.at[k].result == NETWORK_PROBE_UP;
		if (rows->probes.at[k].result == NETWORK_PROBE_NONE ||
		    (is_up == rows->targets.at[k].is_healthy && !rows->is_new))
			continue;
		at[count++] = (struct target_probe){rows->targets.at[k].target, is_up};
	}
	*report = (struct target_probes){at, count};
	if (count)
		step_report(s, engine_see_targets_run, report);
	return OK;
}

static RESULT step_target_group(struct step *s)
{
	struct probe_rows rows = {0};
	TRY(gather_probes(s, &rows));
	if (!rows.probes.count)
		return OK;
	struct result seen = s->r->network.driver->see_probes(s->r->network.self, &s->ctx, rows.probes.at,
							      rows.probes.count);
	if (seen.code == ERR_UNSUPPORTED) { /* no southbound database: targets stay "initial" */
		ctx_clear_problem(&s->ctx);
		return OK;
	}
	TRY(seen);
	TRY(report_probes(s, &rows));
	step_again_at(s, clock_now_us() + (rows.is_new ? LOOK_US : LOOK_STEADY_US));
	return OK;
}

const struct resource reconcile_target_group = {
	.step = step_target_group,
	.is_swept = true,
	.wakes = {{KIND_TARGET_GROUP, offsetof(struct target_group, row.id)}},
};

/* A listener that begins to lead to a group begins its checks. */
const struct resource reconcile_listener = {
	.wakes = {{KIND_TARGET_GROUP, offsetof(struct listener, target_group)}},
};

/* ---- targets ---- */

static RESULT step_target(struct step *s)
{
	int64_t until_us = 0;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct target *t = target_find(view.tables, s->id);
		until_us = t ? t->drains_until_us : 0;
	}
	if (!until_us)
		return OK;
	if (clock_now_us() < until_us) {
		step_again_at(s, until_us);
		return OK;
	}
	struct target_end *end = STEP_NEW(s, struct target_end);
	*end = (struct target_end){s->id};
	step_report(s, engine_end_target_run, end);
	return OK;
}

static void wake_target(struct reconciler *r, const struct row *row)
{
	if (target_of(row)->drains_until_us)
		work_wake(r, lane_home(r), KIND_TARGET, row->id, WAKE_WISH);
	else
		wake_network(r, KIND_TARGET_GROUP, target_of(row)->target_group);
}

const struct resource reconcile_target = {
	.step = step_target,
	.is_swept = true,
	.wake = wake_target,
};
