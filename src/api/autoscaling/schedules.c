/* SPDX-License-Identifier: Apache-2.0
 * Scheduled actions of groups. Source: Amazon EC2 Auto Scaling API Reference. */
#include "api/autoscaling/internal.h"
#include "base/clock.h"
#include "engine/resolve.h"
#include "model/schedule.h"

enum { BATCH_MAX = 50 };

/* ---- put ---- */

struct action_args {
	struct scaling_schedule_wish wish;
	struct str time, start, end;
};
/* at: nothing, or the member before "wish" with its dot. */
#define ACTION_PARAMS(T, at)                                                                                 \
	AUTOSCALING_NAME(T, "ScheduledActionName", at wish.name, .flags = REQUIRED,                          \
			 .doc = "Name; unique in the group."),                                               \
		PARAM(T, "StartTime", at start, .min = 1, .max = 64,                                         \
		      .doc = "Start time; with a recurrence, the earliest start."),                          \
		PARAM(T, "EndTime", at end, .min = 1, .max = 64, .doc = "End of the recurrence."),           \
		PARAM(T, "Recurrence", at wish.recurrence, .min = 1, .max = 255,                             \
		      .doc = "Recurrence: five fields in cron format."),                                     \
		PARAM(T, "MinSize", at wish.min.value, .min = 0, .max = SCALING_SIZE_MAX,                    \
		      .given = offsetof(T, at wish.min.is_given) + 1,                                        \
		      .doc = "New minimum of the desired capacity."),                                        \
		PARAM(T, "MaxSize", at wish.max.value, .min = 0, .max = SCALING_SIZE_MAX,                    \
		      .given = offsetof(T, at wish.max.is_given) + 1,                                        \
		      .doc = "New maximum of the desired capacity."),                                        \
		PARAM(T, "DesiredCapacity", at wish.desired.value, .min = 0, .max = SCALING_SIZE_MAX,        \
		      .given = offsetof(T, at wish.desired.is_given) + 1, .doc = "New desired capacity."),   \
		PARAM(T, "TimeZone", at wish.time_zone, .min = 1, .max = 255,                                \
		      .doc = "Time zone of the recurrence, such as Europe/Berlin; absent: UTC.")

struct put_args {
	struct action_args action;
	struct str group;
};
static const struct param action_rows[] = {ACTION_PARAMS(struct action_args, )};
static const struct params action_table = PARAMS(struct action_args, action_rows);

static RESULT fail_action(struct autoscaling_call *e, const char *field, const char *words)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field), "%s", words);
}

static RESULT read_time(struct autoscaling_call *e, struct str text, const char *field, int64_t *ret_us)
{
	if (!text.n)
		return OK;
	if (!result_is_ok(clock_parse(text, ret_us)))
		return fail_action(e, field,
				   "The time is not in ISO 8601 format, such as 2026-12-24T18:00:00Z.");
	if (*ret_us <= clock_now_us())
		return ctx_fail_field(e->c, ERR_INVALID, str_from(field), "Given %s time is in the past",
				      field[0] == 'E' ? "end" : "start");
	return OK;
}

static RESULT check_recurrence(struct autoscaling_call *e, const struct scaling_schedule_wish *w)
{
	struct schedule times;
	const struct time_zone *zone = NULL;
	if (!w->recurrence.n && (!w->start_us || w->time_zone.n))
		return fail_action(e, "Recurrence",
				   "An action without Recurrence has a StartTime, and no TimeZone.");
	if (w->recurrence.n && !result_is_ok(schedule_read_cron(w->recurrence, &times)))
		return fail_action(e, "Recurrence", "Given recurrence string is invalid");
	if (w->time_zone.n && !result_is_ok(time_zone_load(e->c, w->time_zone, &zone)))
		return fail_action(e, "TimeZone", "The time zone is unknown.");
	return w->end_us && w->start_us >= w->end_us
		       ? fail_action(e, "EndTime", "EndTime must be later than StartTime.")
		       : OK;
}

/* Reads times, and finds the first one. */
static RESULT take_action(struct autoscaling_call *e, struct action_args *a, const struct ref *group)
{
	struct scaling_schedule_wish *w = &a->wish;
	TRY(read_time(e, a->start, "StartTime", &w->start_us));
	TRY(read_time(e, a->time, "Time", &w->start_us));
	TRY(read_time(e, a->end, "EndTime", &w->end_us));
	TRY(check_recurrence(e, w));
	TRY(autoscaling_check_name(e, w->name, "ScheduledActionName"));
	const struct scaling_schedule times = {.recurrence = w->recurrence,
					       .time_zone = w->time_zone,
					       .start_us = w->start_us,
					       .end_us = w->end_us};
	w->group = *group;
	w->next_us = engine_find_scaling_time(e->c, &times, clock_now_us());
	return w->next_us ? OK : fail_action(e, "Recurrence", "The action would never be executed.");
}

static const struct param put_params[] = {
	AUTOSCALING_GROUP(struct put_args, group),
	ACTION_PARAMS(struct put_args, action.),
	PARAM(struct put_args, "Time", action.time, .min = 1, .max = 64,
	      .doc = "Start time, by its older name."),
};

static RESULT prepare_put(struct autoscaling_call *e, void *args)
{
	struct put_args *a = args;
	struct ref group;
	TRY(autoscaling_find_group(e, a->group, "AutoScalingGroupName", &group));
	if (a->action.start.n && a->action.time.n)
		return fail_action(e, "Time", "Time and StartTime cannot be used together.");
	return take_action(e, &a->action, &group);
}

static RESULT run_put(struct op *op, void *args)
{
	return engine_put_scaling_schedule(op, &((struct put_args *) args)->action.wish);
}

/* ---- batches: each action by itself; those that fail are listed ---- */

struct failure {
	struct str name, message;
	enum err err;
};

struct batch_args {
	struct str group;
	struct {
		struct action_args *at;
		size_t count;
	} actions;
	struct strs names;
	struct ref ref;           /* made */
	struct failure *failures; /* made, one of each action; err ERR_NONE: it went well */
	size_t count;
};
static const struct param put_batch_params[] = {
	AUTOSCALING_GROUP(struct batch_args, group),
	PARAM_LIST(struct batch_args, "ScheduledUpdateGroupActions.member", actions, action_table,
		   .flags = REQUIRED, .max = BATCH_MAX, .doc = "Up to 50 scheduled actions."),
};
static const struct param delete_batch_params[] = {
	AUTOSCALING_GROUP(struct batch_args, group),
	PARAM(struct batch_args, "ScheduledActionNames.member", names, .flags = REQUIRED, .min = 1,
	      .max = SCALING_NAME_MAX, .doc = "Up to 50 scheduled actions."),
};

static RESULT prepare_batch(struct autoscaling_call *e, void *args)
{
	struct batch_args *a = args;
	a->count = a->actions.count ? a->actions.count : a->names.count;
	a->failures = arena_new_array(e->c->arena, struct failure, a->count + 1);
	if (!a->failures)
		return ctx_no_memory(e->c);
	if (a->names.count > BATCH_MAX)
		return fail_action(e, "ScheduledActionNames", "A call names up to 50 actions.");
	TRY(autoscaling_find_group(e, a->group, "AutoScalingGroupName", &a->ref));
	for (size_t k = 0; k < a->actions.count; k++)
		TRY(take_action(e, &a->actions.at[k], &a->ref));
	return OK;
}

/* A refusal of one action leaves the others; what denies the group denies the call. */
static RESULT note_failure(struct op *op, struct op_place place, struct failure *f, struct str name,
			   struct result result)
{
	if (result_is_ok(result))
		return OK;
	if (result.code != ERR_INVALID && result.code != ERR_QUOTA &&
	    !(result.code == ERR_NOT_FOUND && op->ctx->problem.kind == KIND_SCALING_SCHEDULE))
		return result;
	op_go_back(op, place);
	*f = (struct failure){name, str_copy(op->ctx->arena, op->ctx->problem.message), result.code};
	ctx_clear_problem(op->ctx);
	return OK;
}

static RESULT run_put_batch(struct op *op, void *args)
{
	struct batch_args *a = args;
	for (size_t k = 0; k < a->actions.count; k++) {
		struct op_place place = op_place_now(op);
		struct scaling_schedule_wish *wish = &a->actions.at[k].wish;
		wish->permission = "scaling_schedule.put_batch";
		struct result result = engine_put_scaling_schedule(op, wish);
		TRY(note_failure(op, place, &a->failures[k], wish->name, result));
	}
	return OK;
}

static RESULT run_delete_batch(struct op *op, void *args)
{
	struct batch_args *a = args;
	for (size_t k = 0; k < a->names.count; k++) {
		struct op_place place = op_place_now(op);
		struct scaling_schedule_target wish = {a->ref, a->names.at[k],
						       "scaling_schedule.delete_batch"};
		struct result result = engine_delete_scaling_schedule(op, &wish);
		TRY(note_failure(op, place, &a->failures[k], wish.name, result));
	}
	return OK;
}

static void write_failures(struct xml *x, const struct batch_args *a, const char *name)
{
	xml_open(x, name);
	for (size_t k = 0; k < a->count; k++) {
		const struct failure *f = &a->failures[k];
		if (f->err == ERR_NONE)
			continue;
		xml_open(x, "member");
		xml_text(x, "ScheduledActionName", f->name);
		xml_z(x, "ErrorCode", f->err == ERR_QUOTA ? "LimitExceeded" : "ValidationError");
		xml_text(x, "ErrorMessage", f->message);
		xml_close(x, "member");
	}
	xml_close(x, name);
}

static RESULT answer_put_batch(struct autoscaling_call *e, const void *args, struct xml *x)
{
	(void) e;
	write_failures(x, args, "FailedScheduledUpdateGroupActions");
	return OK;
}

static RESULT answer_delete_batch(struct autoscaling_call *e, const void *args, struct xml *x)
{
	(void) e;
	write_failures(x, args, "FailedScheduledActions");
	return OK;
}

/* ---- delete ---- */

struct delete_args {
	struct scaling_schedule_target wish;
	struct str group;
};
static const struct param delete_params[] = {
	AUTOSCALING_GROUP(struct delete_args, group),
	AUTOSCALING_NAME(struct delete_args, "ScheduledActionName", wish.name, .flags = REQUIRED,
			 .doc = "Name of the scheduled action."),
};

static RESULT prepare_delete(struct autoscaling_call *e, void *args)
{
	struct delete_args *a = args;
	return autoscaling_find_group(e, a->group, "AutoScalingGroupName", &a->wish.group);
}

/* ---- list ---- */

struct list_args {
	struct str group, start, end;
	struct strs names;
	struct query_pages pages;
	int64_t from_us, until_us; /* made */
};
static const struct param list_params[] = {
	AUTOSCALING_NAME(struct list_args, "AutoScalingGroupName", group, .doc = "Auto Scaling group."),
	PARAM(struct list_args, "ScheduledActionNames.member", names, .min = 1, .max = SCALING_NAME_MAX,
	      .doc = "Scheduled actions by name."),
	PARAM(struct list_args, "StartTime", start, .min = 1, .max = 64, .doc = "Earliest next start."),
	PARAM(struct list_args, "EndTime", end, .min = 1, .max = 64, .doc = "Latest next start."),
	NOT_BUILT("IncludeManagedResources", .only = "false"),
	AUTOSCALING_PAGES(struct list_args, pages),
};

static RESULT prepare_list(struct autoscaling_call *e, void *args)
{
	struct list_args *a = args;
	a->until_us = INT64_MAX;
	if ((a->start.n && !result_is_ok(clock_parse(a->start, &a->from_us))) ||
	    (a->end.n && !result_is_ok(clock_parse(a->end, &a->until_us))))
		return fail_action(e, "StartTime",
				   "The time is not in ISO 8601 format, such as 2026-12-24T18:00:00Z.");
	return OK;
}

static void write_time_opt(struct xml *x, const char *name, int64_t at_us)
{
	if (at_us)
		xml_time_ms(x, name, at_us);
}

static void write_size_opt(struct xml *x, const char *name, int64_t size)
{
	if (size >= 0)
		xml_int(x, name, size);
}

static void write_action(struct autoscaling_call *e, struct xml *x, const struct scaling_group *g,
			 const struct scaling_schedule *s)
{
	xml_open(x, "member");
	xml_text(x, "AutoScalingGroupName", g->name);
	xml_text(x, "ScheduledActionName", s->name);
	xml_text(x, "ScheduledActionARN", autoscaling_arn(e, KIND_SCALING_SCHEDULE, &s->row));
	write_time_opt(x, "Time", s->next_us);
	write_time_opt(x, "StartTime", s->recurrence.n && s->next_us ? s->next_us : s->start_us);
	write_time_opt(x, "EndTime", s->end_us);
	xml_text_opt(x, "Recurrence", s->recurrence);
	write_size_opt(x, "MinSize", s->min_size);
	write_size_opt(x, "MaxSize", s->max_size);
	write_size_opt(x, "DesiredCapacity", s->desired);
	xml_text_opt(x, "TimeZone", s->time_zone);
	xml_close(x, "member");
}

static RESULT answer_list(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct tables *t = autoscaling_tables(e);
	const struct scaling_group *only = NULL;
	struct query_page page;
	TRY(autoscaling_open_page(e, &a->pages, &page));
	if (a->group.n)
		TRY(autoscaling_find_group_row(e, a->group, &only));
	xml_open(x, "ScheduledUpdateGroupActions");
	for (const struct scaling_group *g = scaling_group_first_by_account(t, e->c->who->account); g;
	     g = scaling_group_next_by_account(t, g))
		for (const struct scaling_schedule *s = scaling_schedule_first_by_scaling_group(t, g->row.id);
		     s; s = scaling_schedule_next_by_scaling_group(t, s)) {
			struct str key = str_print(e->c->arena, "%" STR_FMT ":%" STR_FMT, STR_ARG(g->name),
						   STR_ARG(s->name));
			if ((only && only != g) || !request_asks_for(a->names, s->name) ||
			    s->next_us < a->from_us || s->next_us > a->until_us ||
			    !query_page_takes(&page, key))
				continue;
			TRY(engine_check_found(e->c, t, KIND_SCALING_GROUP, &g->row));
			write_action(e, x, g, s);
		}
	xml_close(x, "ScheduledUpdateGroupActions");
	autoscaling_close_page(e, x, &page);
	return OK;
}

static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("PutScheduledUpdateGroupAction"), .flags = API_WRITES,
	 .args = PARAMS(struct put_args, put_params), .prepare = prepare_put, .operation = run_put,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Creates or replaces a scheduled action."},
	{AUTOSCALING_ACTION("BatchPutScheduledUpdateGroupAction"), .flags = API_WRITES,
	 .args = PARAMS(struct batch_args, put_batch_params), .prepare = prepare_batch,
	 .operation = run_put_batch, .answer = answer_put_batch, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Creates or replaces several scheduled actions."},
	{AUTOSCALING_ACTION("DeleteScheduledAction"), .flags = API_WRITES,
	 .args = PARAMS(struct delete_args, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_scaling_schedule_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a scheduled action."},
	{AUTOSCALING_ACTION("BatchDeleteScheduledAction"), .flags = API_WRITES,
	 .args = PARAMS(struct batch_args, delete_batch_params), .prepare = prepare_batch,
	 .operation = run_delete_batch, .answer = answer_delete_batch, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes several scheduled actions."},
	{AUTOSCALING_ACTION("DescribeScheduledActions"), .args = PARAMS(struct list_args, list_params),
	 .prepare = prepare_list, .answer = answer_list, .doc = "Lists the scheduled actions of groups."},
};
const struct api_actions autoscaling_schedule_actions = API_ACTIONS(actions);
