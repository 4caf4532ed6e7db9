/* SPDX-License-Identifier: Apache-2.0
 * Activities of scaling groups: rows that record the actions of a group and their reasons. */
#include <stdarg.h>
#include <stdio.h>

#include "engine/scaling/scaling_internal.h"
#include "store/instance.h"

enum { CAUSE_MAX = 1023, DESCRIPTION_MAX = 512 };

struct str scaling_say_at(struct op *op, const char *format, ...)
{
	char text[2048], time[CLOCK_TEXT_SIZE];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n < 0)
		return STR_NONE;
	return str_print(op->ctx->arena, "At %s %s", clock_write_s(op->now_us, time), text);
}

/* Activities in progress stay. */
static RESULT forget_oldest(struct op *op, uuid group)
{
	size_t count = 0;
	const struct scaling_activity *a = scaling_activity_first_by_scaling_group(op->head, group),
				      *oldest = NULL;
	for (; a; a = scaling_activity_next_by_scaling_group(op->head, a)) {
		count++;
		if (!oldest && a->ended_us)
			oldest = a;
	}
	return oldest && count > SCALING_ACTIVITIES_MAX ? scaling_activity_forget(op, oldest->row.id) : OK;
}

RESULT scaling_begin_activity(struct op *op, const struct activity_wish *wish, uuid *ret_activity)
{
	const struct scaling_group *group = scaling_group_find(op->head, wish->group);
	bool is_over = wish->status == SCALING_ACTIVITY_STATUS_SUCCESSFUL ||
		       wish->status == SCALING_ACTIVITY_STATUS_FAILED;
	struct scaling_activity made = {.row = {.id = engine_new_id(op, KIND_SCALING_ACTIVITY), .gen = 1},
					.account = group->account,
					.scaling_group = wish->group,
					.status = wish->status,
					.description = str_cut(wish->description, DESCRIPTION_MAX),
					.cause = str_cut(wish->cause, CAUSE_MAX),
					.message = str_cut(wish->message, CAUSE_MAX),
					.ended_us = is_over ? op->now_us : 0};
	if (wish->instance) {
		made.instance = wish->instance->row.id;
		made.zone = wish->instance->zone;
		made.subnet = wish->instance->subnet;
	}
	if (ret_activity)
		*ret_activity = made.row.id;
	TRY(scaling_activity_put(op, &made));
	return forget_oldest(op, wish->group);
}

RESULT scaling_set_activity(struct op *op, uuid activity, enum scaling_activity_status status,
			    const char *message)
{
	const struct scaling_activity *present =
		uuid_is_none(activity) ? NULL : scaling_activity_find(op->head, activity);
	if (!present || present->ended_us || present->status == status)
		return OK;
	struct scaling_activity next = *present;
	next.status = status;
	if (message)
		next.message = str_from(message);
	if (status == SCALING_ACTIVITY_STATUS_SUCCESSFUL || status == SCALING_ACTIVITY_STATUS_FAILED ||
	    status == SCALING_ACTIVITY_STATUS_CANCELLED)
		next.ended_us = op->now_us;
	return scaling_activity_put(op, &next);
}
