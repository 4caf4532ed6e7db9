/* SPDX-License-Identifier: Apache-2.0
 * Creates and changes Aodh's alarms. Titles need not be unique, while names are unique. If another alarm has the title for a name, the name is
 * the title with the alarm's id behind it. Called by: api/openstack/alarming. */
#include "engine/acting.h"
#include "engine/alarm/alarm_internal.h"
#include "engine/limits.h"
#include "engine/people/asker.h"

enum { TITLE_SHOWN = 210, COMPOSITE_PERIOD_S = 60 /* after which its actions are repeated */ };

static struct str choose_name(struct op *op, const struct alarm *next)
{
	const struct alarm *other = alarm_find_by_account(op->head, next->account, next->title);
	if (!other || uuid_equal(other->row.id, next->row.id))
		return next->title;
	return str_print(op->ctx->arena, "%" STR_FMT " (%" STR_FMT ")",
			 STR_ARG(str_cut(next->title, TITLE_SHOWN)),
			 STR_ARG(uuid_to_str(op->ctx->arena, next->row.id)));
}

static RESULT check_actions(struct op *op, const struct alarm *next)
{
	const struct strs *lists[] = {&next->ok_actions, &next->alarm_actions, &next->no_data_actions};
	for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
		for (size_t n = 0; n < lists[k]->count; n++) {
			struct alarm_action action = {0};
			struct str url = lists[k]->at[n];
			if (!alarm_read_action(url, &action) || action.act != ALARM_ACT_POST)
				return ENGINE_FAIL(op, ERR_INVALID, KIND_ALARM, STR("alarm_actions"),
						   "Unsupported action %" STR_FMT,
						   STR_ARG(str_cut(url, 512)));
		}
	return OK;
}

/* The parts come first: the whole is evaluated when it is written. */
static RESULT put(struct op *op, const struct alarm *present, const struct aodh_alarm_wish *wish,
		  struct alarm *next)
{
	next->name = choose_name(op, next);
	next->dialect = ALARM_DIALECT_AODH;
	next->acts = true;
	if (next->is_composite) {
		next->rule = aodh_name_parts(op->ctx->arena, next->row.id, next->rule);
		next->period_s = COMPOSITE_PERIOD_S;
		TRY(limit_check(op, LIMIT_ALARMS, next->account, (int64_t) wish->part_count, STR_NONE));
	}
	ASKER_NOTE(op, next);
	TRY(aodh_put_parts(op, next, wish->parts, wish->part_count));
	return alarm_write(op, present, next);
}

RESULT engine_create_aodh_alarm(struct op *op, struct aodh_alarm_wish *wish)
{
	struct alarm next = wish->row;
	TRY(engine_find_acting_id(op, &next.account));
	TRY(engine_permit_new(op, "alarm.put", KIND_ALARM, &next.row));
	TRY(limit_check(op, LIMIT_ALARMS, next.account, 1, STR_NONE));
	TRY(check_actions(op, &next));
	next.row.id = engine_new_id(op, KIND_ALARM);
	next.reason = STR(AODH_REASON_NEW);
	TRY(put(op, NULL, wish, &next));
	wish->made = next.row.id;
	return OK;
}

RESULT engine_change_aodh_alarm(struct op *op, struct aodh_alarm_wish *wish)
{
	const struct alarm *present = NULL;
	TRY(engine_find_own_alarm(op->ctx, op->head, &wish->alarm, &present));
	TRY(engine_permit(op, "alarm.put", KIND_ALARM, &present->row));
	if (present->dialect != ALARM_DIALECT_AODH || !uuid_is_none(present->part_of))
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_ALARM, wish->alarm.field,
				   "The alarm was made by another API, which alone configures it.");
	uuid id = present->row.id;
	struct alarm next = wish->row;
	TRY(check_actions(op, &next));
	next.row.id = id;
	next.account = present->account;
	TRY(put(op, present, wish, &next));
	wish->made = id;
	const struct alarm_verdict verdict = {.state = wish->row.state, .reason = STR(AODH_REASON_SET)};
	present = alarm_find(op->head, id);
	return wish->has_state && present->state != verdict.state ? alarm_set_state(op, present, &verdict)
								  : OK;
}
