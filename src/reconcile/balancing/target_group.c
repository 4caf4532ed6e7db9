/* SPDX-License-Identifier: Apache-2.0
 * Steps of target groups: read the results of health checks, as long as a listener leads there, and forget targets that
 * have drained. OVN does not announce results in the northbound database, so each tick of the timer looks them up. */
#include "store/target_group.h"
#include "base/clock.h"
#include "base/vec.h"
#include "engine/balancing/balancing.h"
#include "reconcile/work.h"
#include "store/elastic_load_balancer.h"
#include "store/endpoint_service.h"
#include "store/listener.h"
#include "store/target.h"

struct probe_rows {
	VEC(struct network_probe) probes;
	VEC(struct target_probe) targets; /* what the rows say, in the same order */
	VEC(uuid) drained;
	bool is_new; /* a target has no result yet */
};

static bool has_drained(const struct target *t)
{
	return t->drains_until_us && clock_now_us() >= t->drains_until_us;
}

static RESULT gather_probes(struct step *s, struct probe_rows *rows)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct target_group *group = target_group_find(view.tables, s->id);
	bool is_checked = group && engine_is_checked_group(view.tables, group);
	for (const struct target *t = target_first_by_target_group(view.tables, s->id); t && group;
	     t = target_next_by_target_group(view.tables, t)) {
		struct network_probe probe = {.port = t->port, .ip = t->private_ip, .number = t->number};
		struct target_probe target = {t->row.id, t->health == TARGET_HEALTH_HEALTHY};
		bool is_fine = !has_drained(t) || VEC_PUSH(s->ctx.arena, &rows->drained, t->row.id);
		if (is_checked && !t->drains_until_us) { /* a proxy's are seen by its own step */
			rows->is_new = rows->is_new || t->health == TARGET_HEALTH_INITIAL;
			is_fine = is_fine && VEC_PUSH(s->ctx.arena, &rows->probes, probe) &&
				  VEC_PUSH(s->ctx.arena, &rows->targets, target);
		}
		if (!is_fine)
			return ctx_no_memory(&s->ctx);
	}
	return OK;
}

static RESULT report_drained(struct step *s, const struct probe_rows *rows)
{
	for (size_t k = 0; k < rows->drained.count; k++) {
		struct target_end *end = STEP_NEW(s, struct target_end);
		*end = (struct target_end){rows->drained.at[k]};
		step_report(s, engine_end_target_run, end);
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
	TRY(report_drained(s, &rows));
	if (!rows.probes.count)
		return OK;
	struct result seen = s->r->network.driver->see_probes(s->r->network.self, &s->ctx, rows.probes.at,
							      rows.probes.count);
	if (seen.code == ERR_UNSUPPORTED) { /* no southbound database: targets stay "initial" */
		ctx_clear_problem(&s->ctx);
		return OK;
	}
	TRY(seen);
	return report_probes(s, &rows);
}

void wake_target_groups(struct reconciler *r)
{
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	for (const struct listener *l = listener_first(view.tables); l; l = listener_next(view.tables, l))
		wake_network(r, KIND_TARGET_GROUP, l->target_group);
}

const struct resource reconcile_target_group = {
	.step = step_target_group,
	.is_swept = true,
	.wakes = {{KIND_TARGET_GROUP, offsetof(struct target_group, row.id)}},
};

/* Exits of endpoint services have listeners of load balancers with proxies, which have no rows of load_balancer. */
static void wake_exits_of(struct reconciler *r, const struct tables *t, const struct row *row)
{
	const struct elastic_load_balancer *b =
		elastic_load_balancer_find(t, listener_of(row)->elastic_load_balancer);
	if (b && endpoint_service_first_by_router(t, b->router))
		wake_network(r, KIND_ROUTER, b->router);
}

/* A listener that begins to lead to a group begins its checks. */
static void wake_for_listener(struct reconciler *r, const struct tables *t, const struct row *before,
			      const struct row *after)
{
	(void) before;
	wake_exits_of(r, t, after);
	wake_for_row(r, KIND_LISTENER, after);
}

const struct resource reconcile_listener = {
	.wakes = {{KIND_TARGET_GROUP, offsetof(struct listener, target_group)}},
	.wake_changed = wake_for_listener,
	.wake_forgotten = wake_exits_of,
};

const struct resource reconcile_target = {
	.wakes = {{KIND_TARGET_GROUP, offsetof(struct target, target_group)}},
};
