/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: events that the region makes. Everything here runs inside an operation, and asks for no permission. */
#pragma once

#include "engine/events/events.h"
#include "engine/internal.h"

#define EVENTS_PRINCIPAL "events.amazonaws.com"

/* ---- event_bus.c ---- */

struct event_wish {
	uuid account;
	const char *source, *type; /* "aws.ec2", "EC2 Instance State-change Notification" */
	struct strs resources;     /* ARNs */
	struct str detail;         /* a JSON object */
};
/* True if the account has a rule. Without one, no event is written. */
bool event_has_rules(const struct tables *t, uuid account);
/* Writes an event of the region. Without a rule nothing is written; beyond the account's limits the event is lost. */
RESULT event_publish(struct op *op, const struct event_wish *wish);
/* Writes the event as its targets get it. ERR_TOO_LARGE. */
RESULT event_write(struct ctx *c, const struct tables *t, const struct bus_event *event,
		   struct str *ret_text);

/* ---- event_rule.c ---- */

struct json_t;
/* The object in a JSON text, to be freed by json_decref(); NULL: it is none. */
struct json_t *event_read_object(struct str text);
/* True if a document matches a pattern that was checked. */
bool event_matches(struct str pattern, const struct json_t *document);

/* ---- event_source.c ---- */

/* Publishes the events that a change of a row means. */
RESULT event_follow(struct op *op, enum kind kind, const struct row *before, const struct row *after);
/* "arn:aws:ec2:us-east-1:111122223333:instance/i-0123456789abcdef0" */
struct str event_write_ec2_arn(struct op *op, uuid account, const char *type, enum kind kind, uuid id);

/* ---- event_schedule.c ---- */

/* Time of the next event after after_us. before_us: time of the last one, or when the rule was put. 0: none comes. */
int64_t event_schedule_next(struct str schedule, int64_t before_us, int64_t after_us);

/* ---- event_input.c ---- */

/* The text that a target is sent for an event. Empty: its transformer does not fit the event. */
RESULT event_write_input(struct ctx *c, const struct tables *t, const struct event_rule *rule,
			 const struct event_target *target, struct str event, struct str *ret_text);
/* True for a JSONPath that event_write_input() understands: "$.detail.instance-id", "$.resources[0]". */
bool event_is_path(struct str path);
