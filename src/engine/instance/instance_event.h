/* SPDX-License-Identifier: Apache-2.0
 * Maintenance of hosts, and the events that it schedules for the instances there. Times are held against the
 * clock by reconcile/instance_event.c and reconcile/host.c, at any later look. */
#pragma once

#include "engine/operation.h"
#include "model/host.h"

struct instance;
struct instance_event;

/* Ahead of a host, or in place of what was planned before: from now on nothing is placed there, and each
 * instance that is to run there has an event. At its time the guest is stopped. ERR_INVALID: times that do
 * not follow each other, or a reason of more than 255 characters; ERR_CONFLICT: users may put off no stop
 * beyond the end. */
struct maintenance_wish {
	struct ref host;
	int64_t from_us;
	int64_t deadline_us; /* until when users may put theirs off; 0: not at all */
	int64_t end_us;      /* 0: when engine_end_maintenance() is called */
	enum host_maintenance_kind kind;
	struct str reason;
};
OPERATION(engine_plan_maintenance, maintenance_wish)

/* It is over, or called off: what was held for it is started, what has not begun is canceled; a guest that is
 * just going down goes off first. Without one: ERR_STATE with KIND_HOST. */
struct maintenance_target {
	struct ref host;
};
OPERATION(engine_end_maintenance, maintenance_target)

/* The reconciler's: the end that was planned has come. Absent, or not due: OK. */
struct maintenance_sight {
	uuid host;
};
OPERATION(engine_see_maintenance_end, maintenance_sight)

/* The event happens then. ERR_NOT_FOUND with KIND_INSTANCE_EVENT: it is not that instance's, or over;
 * ERR_INVALID with the same: it has begun, or the time is beyond its deadline, or within the next hour. */
struct event_wish {
	struct ref instance, event;
	int64_t not_before_us;
	/* found: */
	uuid id;
};
OPERATION(engine_reschedule_event, event_wish)

/* Of an instance, as long as it is shown: a week beyond its end. NULL: none. */
const struct instance_event *engine_find_event(const struct tables *t, uuid instance);

/* An instance that is to be off until its host's maintenance is over. */
bool engine_is_held_for_maintenance(const struct tables *t, const struct instance *i);

/* It is not over, or no longer shown. */
bool engine_may_follow_event(const struct instance_event *event);
/* When engine_follow_event() has something to do about it next; 0: now; INT64_MAX: when rows change. */
int64_t engine_next_of_event(const struct tables *t, const struct instance_event *event);
/* The reconciler's: begins what is due, ends what is over, forgets what is no longer shown. Absent: OK. */
struct event_sight {
	uuid event;
};
OPERATION(engine_follow_event, event_sight)
