/* SPDX-License-Identifier: Apache-2.0
 * Fleets: a launch that is spread over several templates, types and subnets, and goes on where one of them has no
 * room. What came of each is kept with the fleet. Its instances are like any others. */
#pragma once

#include "engine/ended.h"
#include "engine/instance/instance.h"

enum {
	FLEET_UNIT = 1000,        /* capacities and priorities are counted in thousandths */
	FLEET_TARGET_MAX = 10000, /* units */
	FLEET_OVERRIDES_MAX = 300,
	FLEETS_MAX = 10000 /* of an account; each goes with its last instance */
};

/* One of the ways in which a fleet may launch. */
struct fleet_override {
	struct instance_launch launch; /* how many is the fleet's to say */
	int64_t capacity;              /* of one of its instances, in thousandths of a unit */
	int64_t priority;              /* the least comes first */
	struct str code, message;      /* of the face: why it cannot be launched; empty: it may be tried */
	bool is_tried;
};

struct fleet_wish {
	struct fleet_override *overrides;
	size_t count;
	int64_t target, min_target; /* thousandths of a unit */
	bool is_prioritized;        /* else the smallest type comes first: there are no prices */
	bool single_type, single_zone;
	struct str configs; /* kept for the face */
	struct tags tags;
	struct str client_token, digest;
	/* The face's code and words for the context's problem. On the committer. */
	void (*tell)(void *arg, struct result result, struct str *ret_code, struct str *ret_message);
	void *arg;
	/* made: */
	uuid fleet;
};
/* Launches until the target is reached. An override that fails changes nothing, and is told of in the row's failures;
 * so are all where min_target is not reached, and then nothing is launched. ERR_QUOTA. */
OPERATION(engine_create_fleet, fleet_wish)

struct fleet_change {
	struct ref fleet;
	/* made: */
	enum err err; /* ERR_NONE: it is deleted */
	struct str message;
};
struct fleets_target {
	struct fleet_change *changes;
	size_t count;
	bool keeps_instances; /* which no fleet can: ERR_STATE of each */
};
/* Deletes each with its instances. What is one's own fault is told of it, and the others go on: ERR_NOT_FOUND,
 * ERR_PROTECTED (an instance is), ERR_STATE. */
OPERATION(engine_delete_fleets, fleets_target)

/* Its instances are all forgotten, and nobody can want to know of it any more; or it has ended some time ago. */
struct fleet;
bool engine_is_fleet_over(const struct tables *t, const struct fleet *fleet, int64_t now_us);
struct fleet_report {
	uuid fleet;
};
/* For the reconciler: forgets it. ERR_STATE: it is not over. */
OPERATION(engine_forget_fleet, fleet_report)
