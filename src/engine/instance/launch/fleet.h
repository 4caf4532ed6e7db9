/* SPDX-License-Identifier: Apache-2.0
 * Fleets: launches spread over several templates, types and subnets, which continue with the next one if one has no
 * capacity. Fleets of three types:
 *   instant    launched in the call; the row records the failures
 *   request    launched afterwards, once; a launch that finds no room is repeated
 *   maintain   kept at the target: what ends is replaced
 * The reconciler takes turns for request and maintain (reconcile/launch/fleet.c). A turn counts the fleet's instances
 * and launches what is missing in one change, so a kill between two turns neither loses nor doubles a launch.
 * The instances are ordinary instances. */
#pragma once

#include "engine/instance/instance.h"
#include "engine/tombstone.h"
#include "model/fleet_words.h"

struct fleet;
struct later_guard;

enum {
	FLEET_UNIT = 1000,        /* capacities and priorities are in thousandths */
	FLEET_TARGET_MAX = 10000, /* in units */
	FLEET_OVERRIDES_MAX = 300,
	FLEET_DELETIONS_MAX = 25, /* instant fleets of a call */
	FLEETS_MAX = 10000        /* per account; a fleet is forgotten some time after its last instance */
};

/* Launch specification of a fleet, tried in turn. */
struct scale_set_launch;
struct fleet_override {
	struct instance_launch launch; /* the fleet decides the counts */
	/* Machine of a scale set that the instance becomes; NULL: it stays an instance (engine/scaling/scale_set.h). */
	const struct scale_set_launch *set;
	int64_t capacity;         /* capacity of each instance, in thousandths of a unit */
	int64_t priority;         /* lowest first */
	struct str code, message; /* reason, set by the face, why it cannot be launched; empty: it can be
				        * tried */
	enum err err;             /* ERR_NONE: it was launched as far as it was tried */
	bool is_tried;
};

struct fleet_wish {
	struct fleet_override
		*overrides; /* launch.spot.max_price: the highest price, which is stored and shown */
	size_t count;
	bool is_spot_fleet; /* RequestSpotFleet's: its id and its permissions are those of spot fleets */
	enum fleet_type type;
	int64_t target, min_target; /* in thousandths of a unit */
	int64_t spot_target; /* share of target; min_target, single_type and single_zone concern the other share */
	bool spot_default;
	enum fleet_spot_strategy spot_strategy;
	bool is_prioritized; /* false: smallest type first, as there are no prices */
	bool single_type, single_zone;
	bool keeps_excess, ends_instances;
	int64_t valid_from_us, valid_until_us; /* 0: at once, no end */
	struct str configs;                    /* opaque, for the face */
	struct tags tags;
	struct str client_token, digest;
	struct later_guard *guard; /* asks about what launches on trial make; NULL: roles alone decide */
	/* Converts a failure into the face's code and message. Called on the committer. */
	void (*tell)(void *arg, struct result result, struct str *ret_code, struct str *ret_message);
	void *arg;
	/* outputs: */
	uuid fleet;
};
/* An instant fleet launches until the target is reached; others are launched by the
 * reconciler, but each override is tried and taken back, so that a caller who may not launch it is refused now. An override that fails changes nothing and is recorded in the row's
 * failures. If min_target is not reached nothing is launched, and all overrides count as failed.
 * ERR_QUOTA. */
OPERATION(engine_create_fleet, fleet_wish)
/* The permission that the fleet was asked for with. */
const char *engine_get_fleet_permission(uuid fleet);

/* A target and its shares, in thousandths of a unit; what is in neither share goes to the default. */
struct fleet_split {
	int64_t target, on_demand, spot;
	bool spot_default;
};
/* Returns the spot share. */
int64_t engine_split_fleet_target(const struct fleet_split *split);

struct fleet_update {
	struct ref fleet;
	bool is_spot_fleet; /* a fleet of the other dialect is not found */
	bool has_target;
	int64_t target, on_demand, spot; /* as in struct fleet_split; -1: not said */
	enum choice spot_default;
	enum choice keeps_excess;
};
/* Changes a fleet of type maintain. If neither share is given, the one that is not the default stays. ERR_STATE: another
 * type, or it is being modified. */
OPERATION(engine_update_fleet, fleet_update)

struct fleet_change {
	struct ref fleet;
	/* outputs: */
	enum fleet_stage before; /* its stage */
	bool was_running;        /* deleted_running: deleted before, but its instances were kept */
	enum err err;            /* ERR_NONE: deleted */
	struct str message;
};
struct fleets_target {
	struct fleet_change *changes;
	size_t count;
	bool keeps_instances; /* ERR_UNSUPPORTED for instant fleets */
	bool is_spot_fleet;   /* likewise */
};
/* Deletes fleets, with their instances or without. ERR_NOT_FOUND, ERR_UNSUPPORTED and ERR_PROTECTED (an instance is
 * protected) concern one fleet; the others are deleted nevertheless. ERR_TOO_LARGE: there are too many instant fleets,
 * none of which is deleted. */
OPERATION(engine_delete_fleets, fleets_target)

/* Units that the fleet has, in thousandths: of its instances that are not being terminated; of a request fleet, those
 * that it has launched. */
struct fleet_units {
	int64_t on_demand, spot;
};
struct fleet_units engine_count_fleet_units(const struct tables *t, const struct fleet *fleet);

/* True if an instance of the fleet is not terminated yet. */
bool engine_has_fleet_living(const struct tables *t, const struct fleet *fleet);

/* The next thing to do for a fleet. */
enum fleet_turn {
	FLEET_WAIT,
	FLEET_BEGIN,    /* it is valid from now on */
	FLEET_LAUNCH,   /* units are missing */
	FLEET_SHRINK,   /* after a change of its target there are instances in excess */
	FLEET_SETTLE,   /* a change is done */
	FLEET_EXPIRE,   /* its time is over */
	FLEET_NOTE_END, /* it is deleted, and its last instance has ended */
	FLEET_FORGET, /* it was created (instant) or deleted more than ENDED_LISTED_US ago, and all its instances are
	               * forgotten */
};
/* *ret_due_us: when to look again if nothing changes; INT64_MAX: never. For a view. */
enum fleet_turn engine_find_fleet_turn(const struct tables *t, const struct fleet *fleet, int64_t now_us,
				       int64_t *ret_due_us);

/* Does the next thing for a fleet; the reconciler calls it. OK if the fleet is gone, or nothing is to be done. Launches
 * as the one who asked for the fleet. */
struct fleet_following {
	uuid fleet;
	struct later_guard *guard;
	struct fleet_override *overrides; /* for FLEET_LAUNCH, read from the fleet's configs */
	size_t count;
	bool has_read; /* false: `problem` says why they could not be read */
	bool is_denied;
	struct str problem;
};
SYSTEM_OPERATION(engine_follow_fleet, fleet_following)
