/* SPDX-License-Identifier: Apache-2.0
 * Reads metrics of a provider's machines, if its row asks for that: once an hour the hour before, a few machines a request, in
 * the provider's own lane. A failure is a condition of the provider, and leaves a gap. */
#include <string.h>

#include "base/clock.h"
#include "reconcile/figures/cloud_figures.h"
#include "reconcile/remote/lane.h"
#include "store/condition.h"
#include "store/provider.h"
#include "store/remote_machine.h"
#include "store/remote_resource.h"

/* LATE_US: clouds publish the last points of an hour some minutes later. */
#define LATE_US (10 * MINUTE)
/* Some clouds bill requests for metrics, and a missing right stays missing for a while. */
#define RETRY_US (10 * MINUTE)

struct batch {
	uuid ids[REMOTE_METRIC_MACHINES];
	struct str refs[REMOTE_METRIC_MACHINES];
	int64_t vcpus[REMOTE_METRIC_MACHINES], memory[REMOTE_METRIC_MACHINES];
	size_t count;
	bool is_last;
};

static int64_t hour_of(int64_t now_us)
{
	return (now_us - LATE_US) / FIGURES_LONG_US * FIGURES_LONG_US - FIGURES_LONG_US;
}

int64_t metrics_due_us(const struct provider_lane *lane, const struct provider *p)
{
	bool reads = p->reads_metrics && p->listed_us && remote_driver_of((int) p->cloud)->read_metrics;
	return reads ? lane->metrics_due_us : INT64_MAX;
}

/* Bytes of memory of the machine's type, or of the size that its type names; 0: unknown. */
static int64_t memory_of(struct step *s, const struct tables *t, const struct remote_machine *m)
{
	const struct remote_resource *type =
		remote_resource_find_by_provider(t, m->provider, REMOTE_RESOURCE_TYPE_INSTANCE_TYPE, m->type);
	int64_t vcpus = 0, bytes = type ? type->size : 0;
	if (!type)
		(void) remote_read_size(&s->ctx, m->type, &vcpus, &bytes);
	return bytes;
}

/* Machines behind the last one that was read, in the order of their ids there. Others than running ones have no metrics. */
static RESULT gather(struct step *s, const struct provider_lane *lane, size_t most, struct batch *b)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct remote_machine probe = {.provider = s->id, .ref = str_from(lane->metrics_after)};
	const struct row *row =
		tables_seek(view.tables, KIND_REMOTE_MACHINE, REMOTE_MACHINE_INDEX_PROVIDER, &probe.row, 2);
	for (; row && b->count < most;
	     row = tables_next(view.tables, KIND_REMOTE_MACHINE, REMOTE_MACHINE_INDEX_PROVIDER, row, 1)) {
		const struct remote_machine *m = remote_machine_of(row);
		if (!uuid_equal(m->provider, s->id))
			break;
		if (m->power != REMOTE_MACHINE_POWER_RUNNING || str_equal(m->ref, probe.ref))
			continue;
		b->ids[b->count] = m->row.id;
		b->vcpus[b->count] = m->vcpus;
		b->memory[b->count] = memory_of(s, view.tables, m);
		b->refs[b->count++] = str_copy(s->ctx.arena, m->ref);
	}
	b->is_last = b->count < most;
	return OK;
}

static RESULT say_problem(struct step *s, struct str problem)
{
	const struct condition wanted = {
		.subject_kind = KIND_PROVIDER,
		.subject = s->id,
		.name = STR(PROVIDER_UNMEASURED),
		.message = problem,
		.advice = STR(
			"Allow the credentials to read metrics (AWS: cloudwatch:GetMetricData; CloudStack: "
			"listVirtualMachinesUsageHistory; Azure: Microsoft.Insights/metrics/read; OpenStack: "
			"the project's resources in Gnocchi), or turn metrics off: dari provider set NAME "
			"--metrics no.")};
	return step_report_condition(s, &wanted, problem.n);
}

static void end_hour(struct provider_lane *lane, int64_t due_us)
{
	cloud_figures_free(lane->figures);
	lane->figures = NULL;
	lane->metrics_after[0] = '\0';
	lane->metrics_due_us = due_us;
}

void metrics_reset(struct provider_lane *lane)
{
	end_hour(lane, 0);
}

RESULT metrics_read_batch(struct step *s, struct provider_lane *lane, const struct provider *p,
			  struct remote *remote)
{
	struct batch *b = STEP_NEW(s, struct batch);
	struct remote_metric_point *points = arena_new_array(s->ctx.arena, struct remote_metric_point,
							     REMOTE_METRIC_MACHINES * REMOTE_METRIC_POINTS);
	int64_t now_us = clock_now_us();
	if (!lane->figures) {
		lane->metrics_hour_us = hour_of(now_us);
		lane->figures = cloud_figures_new(lane->metrics_hour_us);
	}
	if (!points || !lane->figures)
		return ctx_no_memory(&s->ctx);
	TRY(gather(s, lane, remote_driver_of((int) p->cloud)->metric_machines, b));
	const struct remote_metrics_query query = {b->refs, b->vcpus, b->memory, b->count,
						   lane->metrics_hour_us};
	if (b->count)
		TRY(remote_driver_of((int) p->cloud)->read_metrics(&s->ctx, remote, &query, points));
	for (size_t k = 0; k < b->count; k++)
		cloud_figures_add(lane->figures, b->ids[k], b->vcpus[k], points + k * REMOTE_METRIC_POINTS);
	step_again(s);
	if (!b->is_last) {
		struct str last = b->refs[b->count - 1];
		memcpy(lane->metrics_after, last.p, last.n);
		lane->metrics_after[last.n] = '\0';
		return OK;
	}
	cloud_figures_keep(s->r, s->id, lane->figures);
	end_hour(lane, lane->metrics_hour_us + 2 * FIGURES_LONG_US + LATE_US);
	return say_problem(s, STR_NONE);
}

bool metrics_take_failure(struct step *s, struct provider_lane *lane, struct result result)
{
	int64_t now_us = clock_now_us();
	if (result.code == ERR_NO_MEMORY)
		return false;
	if (result.code == ERR_THROTTLED)
		pace_slow_down(&lane->pace, now_us);
	struct str why = str_copy(s->ctx.arena, s->ctx.problem.message);
	ctx_clear_problem(&s->ctx);
	end_hour(lane, now_us + RETRY_US);
	step_again(s); /* metrics pause; acts and listings go on */
	return result_is_ok(say_problem(s, why.n ? why : STR("The cloud does not answer.")));
}
