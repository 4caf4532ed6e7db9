/* SPDX-License-Identifier: Apache-2.0
 * Maintenance of hosts, and the events that it schedules for their instances. The reconciler
 * (reconcile/instance/instance_event.c, reconcile/host/host.c) compares times with the clock whenever it looks. */
#pragma once

#include "engine/operation.h"
#include "model/host_words.h"

struct instance;
struct instance_event;

/* Plans a maintenance of a host, or replaces the present plan. From then on nothing is placed there, and each
 * instance that should run there gets an event, at whose time the reconciler stops its guest. ERR_INVALID:
 * the times are out of order, or the reason exceeds 255 characters. ERR_CONFLICT: the deadline is not before
 * the end. */
struct maintenance_wish {
	struct ref host;
	int64_t from_us;     /* 0: now */
	int64_t deadline_us; /* until when users may postpone their events; 0: not at all */
	int64_t end_us;      /* 0: until engine_end_maintenance() is called */
	enum host_maintenance_kind kind;
	struct str reason;
};
OPERATION(engine_plan_maintenance, maintenance_wish)

/* Ends or cancels a maintenance: starts the instances that were stopped for it, and cancels events that have
 * not begun. A guest that is shutting down finishes first. ERR_STATE with KIND_HOST: no maintenance is
 * planned. */
struct maintenance_target {
	struct ref host;
};
OPERATION(engine_end_maintenance, maintenance_target)

/* Ends a maintenance at its planned time, for the reconciler. OK if the host is gone, or it is too early. */
struct maintenance_report {
	uuid host;
};
SYSTEM_OPERATION(engine_see_maintenance_end, maintenance_report)

/* Postpones an event. With KIND_INSTANCE_EVENT: ERR_NOT_FOUND, the instance has no such open event;
 * ERR_INVALID, the event has begun, or the time is after its deadline or within the next hour. */
struct event_wish {
	struct ref instance, event;
	int64_t not_before_us;
	/* outputs: */
	uuid id;
};
OPERATION(engine_reschedule_event, event_wish)

/* Starts a scheduled event now, because its guest says that it is ready. OK if the event is gone or has
 * begun. */
struct event_start {
	uuid event;
};
SYSTEM_OPERATION(engine_start_event, event_start)

/* The instance's event, shown until a week after its end, or NULL. */
const struct instance_event *engine_find_event(const struct tables *t, uuid instance);

/* True if the instance should be off until its host's maintenance ends. */
bool engine_is_off_for_maintenance(const struct tables *t, const struct instance *i);

/* True if engine_follow_event() may have something to do: the event is open, or ended long enough ago to be
 * forgotten. */
bool engine_may_follow_event(const struct instance_event *event);
/* When engine_follow_event() has something to do next. 0: now. INT64_MAX: once rows change. */
int64_t engine_next_of_event(const struct tables *t, const struct instance_event *event);
/* Begins a due event, ends a finished one, forgets one that is no longer shown, for the reconciler. OK if the
 * event is gone. */
struct event_report {
	uuid event;
};
SYSTEM_OPERATION(engine_follow_event, event_report)
