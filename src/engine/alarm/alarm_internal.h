/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: parts of alarms. Everything here runs inside an operation, and asks for no permission. */
#pragma once

#include "engine/alarm/alarm.h"
#include "engine/internal.h"

/* ---- alarm.c ---- */

/* Writes the configuration of a new alarm, whose id may be chosen, or of a present one, with an event in its history. */
RESULT alarm_write(struct op *op, const struct alarm *present, struct alarm *next);

/* ---- aodh_weigh.c ---- */

/* alarm_weigh() of Aodh's alarms. */
RESULT aodh_weigh(struct arena *a, const struct alarm *alarm, const struct alarm_point *points, size_t count,
		  struct alarm_verdict *ret_verdict);

/* ---- aodh_composite.c ---- */

/* Evaluates a composite alarm of Aodh; the verdict has a reason if the state changes. */
RESULT aodh_follow(struct op *op, const struct alarm *alarm, struct alarm_verdict *ret_verdict);
/* Replaces the alarms that a composite one is made of. */
RESULT aodh_put_parts(struct op *op, const struct alarm *whole, const struct alarm *parts, size_t count);
/* Puts the whole's id into a rule whose parts are named "#1". */
struct str aodh_name_parts(struct arena *a, uuid whole, struct str rule);

/* ---- alarm_delivery.c ---- */

/* Has the alarm's state posted to a URL. */
RESULT alarm_deliver(struct op *op, const struct alarm *alarm, struct str url);

/* ---- alarm_state.c ---- */

/* Writes a state, has its actions taken later, and carries composite alarms along. */
RESULT alarm_set_state(struct op *op, const struct alarm *alarm, const struct alarm_verdict *verdict);
/* *ret_changed: the composite alarm has another state. */
RESULT alarm_follow_one(struct op *op, const struct alarm *alarm, bool *ret_changed);
/* Records an event, and forgets the oldest of too many. */
RESULT alarm_note_event(struct op *op, const struct alarm *alarm, enum alarm_event_type type,
			struct str summary, struct str data);

/* ---- alarm_weigh.c ---- */

struct json_writer;
/* "2026-11-28T19:30:00.000+0000" */
void alarm_write_date(struct json_writer *j, const char *name, int64_t at_us);

/* ---- alarm_message.c ---- */

/* The message that a topic gets of the alarm's newest change of state, in the arena. */
RESULT alarm_write_message(struct op *op, const struct alarm *alarm, struct str *ret_subject,
			   struct str *ret_body);

/* ---- alarm_event.c ---- */

/* Publishes the event of an alarm whose state has changed. */
RESULT alarm_publish_turn(struct op *op, const struct alarm *before, const struct alarm *after);

/* ---- alarm_follow.c ---- */

/* Evaluates the composite alarms that depend on an alarm of the account. */
RESULT alarm_follow(struct op *op, uuid account, uuid changed);
/* Checks how a composite alarm that is new or changed depends on others, and evaluates it. ERR_INVALID: on itself, or over too many
 * levels. ERR_QUOTA: the account's rules are too long. */
RESULT alarm_weigh_composite(struct op *op, uuid alarm);

/* ---- alarm_action.c ---- */

enum alarm_act {
	ALARM_ACT_STOP,
	ALARM_ACT_TERMINATE,
	ALARM_ACT_REBOOT,
	ALARM_ACT_POLICY,
	ALARM_ACT_PUBLISH,
	ALARM_ACT_POST
};
struct alarm_action {
	enum alarm_act act;
	uuid policy;
	struct str topic; /* ARN */
};
/* False: the region takes no such action. */
bool alarm_read_action(struct str arn, struct alarm_action *ret_action);
/* The actions of the alarm's state. */
const struct strs *alarm_actions_of(const struct alarm *alarm);
/* The instance of an alarm on a metric of one instance; NULL: there is none. */
const struct instance *alarm_find_instance(const struct tables *t, const struct alarm *alarm);
/* Checks the actions of a new configuration. ERR_INVALID; ERR_DENIED: the caller may not do that to the instance. */
RESULT alarm_check_actions(struct op *op, const struct alarm *next);
