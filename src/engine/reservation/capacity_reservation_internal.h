/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: units of capacity reservations. Everything here runs inside an operation. */
#pragma once

#include "engine/instance/placement/placement.h"
#include "engine/reservation/capacity_reservation.h"

/* Properties by which an instance matches reservations. */
struct capacity_match {
	uuid account, zone;
	const struct instance_type *type;
	enum instance_platform platform;
	enum instance_capacity_preference preference;
	uuid target; /* none: any that is open */
};

/* A unit of a reservation, and the host that the instance gets. */
struct capacity_unit {
	uuid reservation;        /* none: the instance has room of its own */
	const struct host *host; /* NULL: there is no unit with a host that suits */
};

/* True if an instance must use a unit, and not room of its own. */
bool capacity_is_required(const struct capacity_match *m);
/* Number of free units that match. */
int64_t capacity_count_free(const struct tables *t, const struct capacity_match *m);
/* Finds a free unit on a host that suits the need of the placement, which then may use the unit's room. */
struct capacity_unit capacity_find_unit(const struct tables *t, const struct capacity_match *m,
					const struct placement *p);
/* Returns a reservation that matches and has a free unit anywhere; none: there is none. */
uuid capacity_find_free(const struct tables *t, const struct capacity_match *m);
/* Takes a free unit: the one on `host`, else one on a host that takes no instances, else any. The caller puts an instance
 * that names the reservation in the same change. */
RESULT capacity_take(struct op *op, uuid reservation, uuid host);
/* ERR_CAPACITY with KIND_CAPACITY_RESERVATION. */
RESULT capacity_fail(struct op *op);
/* When a user starts an instance: it takes a unit if it prefers that and has none. ERR_CAPACITY: it must, and none is
 * free. */
RESULT capacity_enter(struct op *op, struct instance *next);

/* ---- capacity_follow.c ---- */

/* Places free units of the reservation until it has all of them. *ret_missing: units that found no room. */
RESULT capacity_place(struct op *op, uuid reservation, int64_t *ret_missing);
/* After a change of an instance: gives its unit back if it has left its reservation. engine_follow() calls it. */
RESULT capacity_follow_instance(struct op *op, const struct instance *before, const struct instance *after);
/* Moves the free units off a host that is being removed; those that find no room are missing from then on. */
RESULT capacity_leave_host(struct op *op, uuid host);
/* Ends the reservation: `what` is the event. */
RESULT capacity_end(struct op *op, const struct capacity_reservation *r, bool has_expired);
