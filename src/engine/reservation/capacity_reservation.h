/* SPDX-License-Identifier: Apache-2.0
 * Capacity reservations: room for instances of one type in a zone. Each unit of a reservation is either free or used. A
 * free unit has its room on one host, where placement counts it like an instance. A used unit is an instance that names
 * the reservation in its row and counts by itself, wherever it moves. A launch takes a free unit and its room in one
 * change; an instance that ends, or gets another type, gives its unit back in the same change (capacity_follow.c). So no
 * room is promised twice.
 *
 * A unit whose host has no room for it any more is missing: neither free nor used. The reconciler
 * (reconcile/launch/capacity_reservation.c) finds room for missing units, moves free units off hosts that are closed or
 * down, and ends reservations at their end date. */
#pragma once

#include "engine/operation.h"
#include "model/capacity_reservation_words.h"

struct capacity_reservation;

/* CAPACITY_UNITS_MAX: the field `hosts` has as many entries. */
enum { CAPACITY_UNITS_MAX = 1000, CAPACITY_RESERVATIONS_MAX = 500 };

struct capacity_wish {
	struct ref type, zone;
	int64_t count; /* 1 to CAPACITY_UNITS_MAX */
	enum capacity_reservation_platform platform;
	bool is_targeted, ebs_optimized, ephemeral_storage;
	int64_t end_us; /* 0: no end */
	struct tags tags;
	struct str client_token, digest;
	/* outputs: */
	uuid made;
};
/* Matching instances that run already take units first, unless the reservation is targeted; the other units get room on
 * hosts. ERR_CAPACITY: some would get none, and nothing is reserved. ERR_INVALID: the end is past. ERR_QUOTA. */
OPERATION(engine_create_capacity_reservation, capacity_wish)

struct capacity_settings {
	struct ref reservation;
	int64_t count; /* 0: unchanged */
	bool set_end;
	int64_t end_us; /* 0: no end */
	enum choice is_targeted;
};
/* ERR_CAPACITY: no room for more units. ERR_INVALID: more are used than would be left, or the end is past. */
OPERATION(engine_update_capacity_reservation, capacity_settings)

struct capacity_target {
	struct ref reservation;
};
/* Ends a reservation. Its instances go on with room of their own. */
OPERATION(engine_cancel_capacity_reservation, capacity_target)

/* Number of instances that use units. */
int64_t engine_count_capacity_used(const struct tables *t, uuid reservation);

enum capacity_turn {
	CAPACITY_WAIT,
	CAPACITY_EXPIRE, /* its end has come */
	CAPACITY_PLACE,  /* units are missing, or on hosts that take no instances */
};
/* *ret_due_us: when to look again if nothing changes; INT64_MAX: never. For a view. */
enum capacity_turn engine_find_capacity_turn(const struct tables *t, const struct capacity_reservation *r,
					     int64_t now_us, int64_t *ret_due_us);

/* Does the next thing for a reservation; the reconciler calls it. OK if nothing is to be done. */
struct capacity_following {
	uuid reservation;
};
SYSTEM_OPERATION(engine_follow_capacity_reservation, capacity_following)
