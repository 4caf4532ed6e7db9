/* SPDX-License-Identifier: Apache-2.0
 * Spot instances: placed only where room is free, and taken back when an on-demand launch needs the room. Each has a
 * request, which EC2 shows with it. Victims are marked SPOT_NOTICE_US before; the reconciler (reconcile/launch/spot_request.c)
 * takes them back when that time has passed, and launches for requests that wait. The terms of a launch are struct
 * spot_wish in engine/instance/instance.h. */
#pragma once

#include "engine/instance/instance.h"

struct later_guard;
struct spot_request;

#define SPOT_NOTICE_US (2 * MINUTE)
/* SPOT_REQUESTS_MAX: limit of an account; SPOT_COUNT_MAX: limit of one call. */
enum { SPOT_REQUESTS_MAX = 5000, SPOT_COUNT_MAX = 1000 };

/* Makes requests, and launches at once for those that are valid already and find room. A launch that finds none leaves
 * its request open. Any other refusal of the launch refuses the call. For requests that are valid later one launch is
 * tried and taken back, so that a caller who may not launch this is refused now. */
struct spot_requesting {
	struct instance_launch launch; /* launches one instance; its .spot has the terms */
	int64_t count;
	struct str client_token, digest;
	struct later_guard *guard; /* asks about what a launch on trial makes; NULL: roles alone decide */
	/* outputs: */
	struct uuids made;
};
OPERATION(engine_request_spot, spot_requesting)

/* Cancels requests: nothing more is launched for them. A running instance goes on; one that was stopped to give room is
 * terminated. Requests that have ended stay as they are. */
struct spot_cancelling {
	struct refs requests;
	/* outputs: */
	struct uuids ids; /* in the order of requests */
	int *stages;      /* enum spot_request_stage of each: rows of many ended requests are forgotten */
};
OPERATION(engine_cancel_spot, spot_cancelling)

/* The next thing to do for a request. */
enum spot_turn {
	SPOT_WAIT,
	SPOT_EXPIRE,    /* its time is over before it was fulfilled */
	SPOT_LAUNCH,    /* an instance is missing */
	SPOT_NOTE,      /* its instance was stopped or started by its user */
	SPOT_TAKE_BACK, /* the notice has passed */
	SPOT_GIVE_ROOM, /* its instance is off: the room goes to others */
	SPOT_RESTART,   /* its instance is off to give room: started if there is room again */
	SPOT_END,       /* its instance has ended */
};
/* *ret_due_us: when to look again if nothing changes; INT64_MAX: never. For a view. */
enum spot_turn engine_find_spot_turn(const struct tables *t, const struct spot_request *r, int64_t now_us,
				     int64_t *ret_due_us);

/* Permission that the request was asked for with. */
const char *engine_get_spot_permission(const struct spot_request *r);

/* Does the next thing for a request; the reconciler calls it. OK if the request is gone, or nothing is to be done. */
struct spot_following {
	uuid request;
	struct later_guard *guard;
	const struct instance_launch
		*launch;    /* for SPOT_LAUNCH, read from the request's form; NULL: it could not be read */
	struct str problem; /* why not */
};
SYSTEM_OPERATION(engine_follow_spot, spot_following)
