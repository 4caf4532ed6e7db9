/* SPDX-License-Identifier: Apache-2.0
 * Maintenance of hosts, and the events that it schedules for instances there.
 * reconcile/instance_event.c and reconcile/host.c compare the times with the clock, at any later
 * look. */
#pragma once

#include "engine/operation.h"
#include "model/host.h"

struct instance;
struct instance_event;

/* Plans a maintenance of a host, or replaces an earlier plan. From now on nothing is placed there,
 * and each instance that shall run there gets an event. At the event's time the guest is stopped.
 * ERR_INVALID: the times are not in order, or the reason is longer than 255 characters.
 * ERR_CONFLICT: users could delay a stop beyond the end. */
struct maintenance_wish {
	struct ref host;
	int64_t from_us;     /* 0: now */
	int64_t deadline_us; /* until when users may delay their stops; 0: not at all */
	int64_t end_us;      /* 0: until engine_end_maintenance() is called */
	enum host_maintenance_kind kind;
	struct str reason;
};
OPERATION(engine_plan_maintenance, maintenance_wish)

/* Ends a maintenance, or calls it off. Instances that were stopped for it are started, and events
 * that have not begun are canceled. A guest that is just shutting down goes off first. ERR_STATE
 * with KIND_HOST: there is none. */
struct maintenance_target {
	struct ref host;
};
OPERATION(engine_end_maintenance, maintenance_target)

/* For the reconciler: the planned end has come. Absent, or not due yet: OK. */
struct maintenance_report {
	uuid host;
};
OPERATION(engine_see_maintenance_end, maintenance_report)

/* Sets the time of an event. ERR_NOT_FOUND with KIND_INSTANCE_EVENT: the instance has no such
 * event, or it is over. ERR_INVALID with that kind: it has begun, or the time is after its
 * deadline, or within the next hour. */
struct event_wish {
	struct ref instance, event;
	int64_t not_before_us;
	/* found: */
	uuid id;
};
OPERATION(engine_reschedule_event, event_wish)

/* For the guest that it is about, which is ready: an event that has not begun begins now. Absent, or begun: OK. */
struct event_start {
	uuid event;
};
OPERATION(engine_start_event, event_start)

/* The instance's event, until a week after its end, as long as it is shown. NULL: none. */
const struct instance_event *engine_find_event(const struct tables *t, uuid instance);

/* Whether the instance shall be off until its host's maintenance is over. */
bool engine_is_off_for_maintenance(const struct tables *t, const struct instance *i);

/* Whether the event is not over, or is over and no longer shown. */
bool engine_may_follow_event(const struct instance_event *event);
/* When engine_follow_event() has something to do about the event next. 0: now. INT64_MAX: when rows
 * change. */
int64_t engine_next_of_event(const struct tables *t, const struct instance_event *event);
/* For the reconciler: begins an event that is due, ends one that is over, forgets one that is no
 * longer shown. Absent: OK. */
struct event_report {
	uuid event;
};
OPERATION(engine_follow_event, event_report)
