/* SPDX-License-Identifier: Apache-2.0
 * Metrics of scaling groups: which a group publishes, and their present values. Called by: api/autoscaling;
 * reconcile/scaling/scaling_group.c publishes them. Source: Amazon EC2 Auto Scaling User Guide, "Amazon CloudWatch metrics". */
#include "engine/alarm/alarm.h"
#include "engine/scaling/scaling_internal.h"

/* Counts of instances, and units of capacity, by what the members do. */
enum { SIZES = 3, STAGES = 5, POOL = SIZES + 2 * STAGES };
#define COMMA ,
const char *const scaling_metrics[SCALING_METRICS] = {SCALING_METRICS_EACH(COMMA)};

static RESULT set_collected(struct op *op, const struct scaling_collection *wish, const char *permission,
			    bool is_collected)
{
	const struct scaling_group *group = NULL;
	TRY(scaling_find(op, &wish->group, permission, &group));
	struct scaling_group next = *group;
	struct str *names = arena_new_array(op->ctx->arena, struct str, SCALING_METRICS);
	size_t count = 0;
	if (!names)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < SCALING_METRICS; k++) {
		bool is_named = !wish->names.count || scaling_has_word(&wish->names, scaling_metrics[k]);
		if (is_named ? is_collected : scaling_has_word(&group->collected, scaling_metrics[k]))
			names[count++] = str_from(scaling_metrics[k]);
	}
	if (count == group->collected.count && is_collected)
		return OK;
	next.collected = (struct strs){names, count};
	next.row.gen++;
	return scaling_group_put(op, &next);
}

RESULT engine_collect_scaling_metrics(struct op *op, struct scaling_collection *wish)
{
	return set_collected(op, wish, "scaling_group.collect_metrics", true);
}

RESULT engine_drop_scaling_metrics(struct op *op, struct scaling_collection *wish)
{
	return set_collected(op, wish, "scaling_group.drop_metrics", false);
}

/* ---- rows ---- */

#define METRICS_UNIT "None"

#define DAY (24 * HOUR)

RESULT engine_put_scaling_metrics(struct op *op, struct scaling_metrics_target *wish)
{
	const struct scaling_group *group = scaling_group_find(op->head, wish->group);
	if (!group)
		return OK;
	struct str *dimension = arena_new_array(op->ctx->arena, struct str, 2);
	if (!dimension)
		return ctx_no_memory(op->ctx);
	dimension[0] = STR("AutoScalingGroupName");
	dimension[1] = group->name;
	for (size_t k = 0; k < group->collected.count; k++) {
		struct metric_name name = {.name_space = STR(SCALING_METRICS_NAMESPACE),
					   .name = group->collected.at[k],
					   .unit = STR(METRICS_UNIT),
					   .dimensions = {dimension, 2}};
		TRY(alarm_put_metric(op, group->account, &name, false));
	}
	return OK;
}

const struct metric *engine_find_scaling_metric(const struct tables *t, const struct scaling_group *group,
						struct str name, int64_t now_us)
{
	struct str dimension[] = {STR("AutoScalingGroupName"), group->name};
	const struct metric *m = engine_find_metric(t, group->account, STR(SCALING_METRICS_NAMESPACE), name,
						    &(const struct strs){dimension, 2}, STR(METRICS_UNIT));
	return m && m->day == now_us / DAY ? m : NULL;
}

/* ---- values ---- */

/* Adds a member to the figures of the warm pool: warmed, pending, terminating. */
static void count_warm(const struct scaling_member *m, double *figures)
{
	bool is_ready = m->stage == SCALING_MEMBER_STAGE_WARMED_STOPPED ||
			m->stage == SCALING_MEMBER_STAGE_WARMED_RUNNING;
	figures[is_ready ? 0 : scaling_member_ends(m) ? 2 : 1] += (double) m->units;
	figures[3] += (double) m->units;
}

/* Position of a member's stage among the metrics of its kind. */
static size_t place_of(const struct scaling_member *m)
{
	return m->stage == SCALING_MEMBER_STAGE_IN_SERVICE ? 0
	       : m->stage == SCALING_MEMBER_STAGE_STANDBY  ? 2
	       : scaling_member_counts(m)                  ? 1
							   : 3;
}

void engine_count_scaling_metrics(const struct tables *t, const struct scaling_group *group,
				  double ret_values[static SCALING_METRICS])
{
	double *instances = ret_values + SIZES, *units = instances + STAGES;
	memset(ret_values, 0, SCALING_METRICS * sizeof *ret_values);
	ret_values[0] = (double) group->min_size;
	ret_values[1] = (double) group->max_size;
	ret_values[2] = (double) group->desired;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group->row.id); m;
	     m = scaling_member_next_by_scaling_group(t, m)) {
		if (scaling_is_warm(m)) {
			count_warm(m, ret_values + POOL + 1);
			continue;
		}
		instances[place_of(m)]++;
		instances[STAGES - 1]++;
		units[place_of(m)] += (double) m->units;
		units[STAGES - 1] += (double) m->units;
	}
	ret_values[POOL] = (double) engine_want_scaling_pool(group);
	ret_values[POOL + 5] = ret_values[2] + ret_values[POOL];
	ret_values[POOL + 6] = units[STAGES - 1] + ret_values[POOL + 4];
}
