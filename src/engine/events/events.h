/* SPDX-License-Identifier: Apache-2.0
 * EventBridge's default event bus of each account: rules, their targets, and events on their way. A change that makes an event writes
 * it as a row, if the account has a rule. reconcile/events/ compares the event with the rules and delivers it, so that the committer
 * matches no patterns. An event that a target does not take waits as a delivery of its own. */
#pragma once

#include "engine/operation.h"
#include "store/bus_event.h"
#include "store/event_delivery.h"
#include "store/event_rule.h"
#include "store/event_target.h"

enum {
	EVENT_NAME_MAX = 64,
	EVENT_PATTERN_MAX = 4096,
	EVENT_SCHEDULE_MAX = 256,
	EVENT_ENTRIES_MAX = 10,
	EVENT_BYTES_MAX = 262144,
	EVENT_TARGETS_OF_CALL = 100,
	EVENT_PATHS_MAX = 100,
	EVENT_RETRIES_MAX = 185,
	EVENT_AGE_MIN_S = 60,
	EVENT_AGE_MAX_S = 86400,
	EVENT_SENDINGS_MAX = 50, /* deliveries, or bytes of texts, after which the change of an event ends */
	EVENT_SENDINGS_BYTES = 1 << 20
};

/* ---- ARNs ---- */

/* True for rules, their targets, and events on their way. */
bool engine_is_event_kind(enum kind kind);
/* "arn:aws:events:us-east-1:111122223333:rule/nightly". row NULL: the ARN of all rules. A target has its rule's ARN. */
struct str engine_write_event_arn(const struct tables *t, struct arena *a, struct str region,
				  struct str account_number, enum kind kind, const struct row *row);
/* The rule's own ARN, with the region's name and the owner's number. */
struct str engine_find_event_rule_arn(const struct tables *t, struct arena *a, const struct event_rule *rule);

/* ---- patterns ---- */

/* ERR_INVALID with the field EventPattern. */
RESULT engine_check_event_pattern(struct ctx *c, struct str pattern);
/* True if an event, which is a JSON object, matches a pattern that was checked. */
bool engine_matches_event(struct str pattern, struct str event);

/* ---- schedules ---- */

/* Reads "rate(5 minutes)" or "cron(0 12 * * ? *)". ERR_INVALID with the field ScheduleExpression. */
RESULT engine_check_event_schedule(struct ctx *c, struct str schedule);
/* Next time of a checked cron expression after after_us. 0: none comes. */
int64_t engine_find_event_time(struct str schedule, int64_t after_us);

/* ---- rules ---- */

struct event_rule_wish {
	struct event_rule
		row; /* name, description, pattern, schedule, is_disabled, role, and tags of a new rule */
	/* output: */
	uuid made;
};
/* Creates a rule, or replaces the rule of that name. ERR_QUOTA; ERR_INVALID. */
OPERATION(engine_put_event_rule, event_rule_wish)

struct event_rule_target {
	struct ref rule;
	bool is_disabled; /* of engine_set_event_rule */
};
/* ERR_IN_USE: the rule has targets. */
OPERATION(engine_delete_event_rule, event_rule_target)
OPERATION(engine_set_event_rule, event_rule_target)

struct event_target_wish {
	struct event_target row;
	const char *code; /* an output: why the target is not put; NULL: it is */
	struct str message;
};
struct event_targets_wish {
	struct ref rule;
	struct event_target_wish *at; /* of engine_remove_event_targets: row.name alone */
	size_t count;
};
/* Each target by itself is put or refused. */
OPERATION(engine_put_event_targets, event_targets_wish)
OPERATION(engine_remove_event_targets, event_targets_wish)

/* ---- events ---- */

struct event_entry {
	int64_t at_us; /* 0: now */
	struct str source, detail_type, detail;
	struct strs resources;
	const char *code; /* by the face, or an output: why the event is refused; NULL: it is accepted */
	struct str message;
	/* output: */
	uuid event;
};
struct events_wish {
	struct event_entry *at;
	size_t count;
};
OPERATION(engine_put_events, events_wish)

/* ---- deliveries ---- */

struct event_sending {
	uuid target;
	struct str body;
};
struct event_spread {
	uuid event;
	struct event_sending *at;
	size_t count;
	struct str passed; /* name of the last rule that was asked */
	bool is_last;      /* no rule is left to ask */
};
/* Finds the next targets of an event, and what each is sent. In the arena. */
RESULT engine_find_event_targets(struct ctx *c, const struct tables *t, const struct bus_event *event,
				 struct event_spread *ret_spread);
/* Delivers to those targets, and forgets the event after the last of them. */
SYSTEM_OPERATION(engine_spread_event, event_spread)

struct event_resending {
	uuid delivery;
};
/* Tries a delivery again. */
SYSTEM_OPERATION(engine_resend_event, event_resending)

struct event_firing {
	uuid rule;
};
/* Makes the event of a schedule that is due, and sets the next time. */
SYSTEM_OPERATION(engine_fire_event_rule, event_firing)
