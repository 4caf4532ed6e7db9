/* SPDX-License-Identifier: Apache-2.0
 * Fleets: a launch spread over several templates, types and subnets, which continues with the next one where
 * one has no room. The fleet's row records the failures. Its instances are ordinary instances. */
#pragma once

#include "engine/instance/instance.h"
#include "engine/tombstone.h"

enum {
	FLEET_UNIT = 1000,        /* capacities and priorities are in thousandths */
	FLEET_TARGET_MAX = 10000, /* in units */
	FLEET_OVERRIDES_MAX = 300,
	FLEETS_MAX = 10000 /* per account; a fleet is forgotten some time after its last instance */
};

/* Launch specification of a fleet, tried in turn. */
struct fleet_override {
	struct instance_launch launch; /* the fleet decides the counts */
	int64_t capacity;              /* capacity of each instance, in thousandths of a unit */
	int64_t priority;              /* lowest first */
	struct str code, message;      /* reason, set by the face, why it cannot be launched; empty: it can be
				        * tried */
	bool is_tried;
};

struct fleet_wish {
	struct fleet_override *overrides;
	size_t count;
	int64_t target, min_target; /* in thousandths of a unit */
	bool is_prioritized;        /* false: smallest type first, as there are no prices */
	bool single_type, single_zone;
	struct str configs; /* opaque, for the face */
	struct tags tags;
	struct str client_token, digest;
	/* Converts a failure into the face's code and message. Called on the committer. */
	void (*tell)(void *arg, struct result result, struct str *ret_code, struct str *ret_message);
	void *arg;
	/* outputs: */
	uuid fleet;
};
/* Launches until the target is reached. An override that fails changes nothing and is recorded in the row's
 * failures. If min_target is not reached nothing is launched, and all overrides count as failed.
 * ERR_QUOTA. */
OPERATION(engine_create_fleet, fleet_wish)

struct fleet_change {
	struct ref fleet;
	/* outputs: */
	enum err err; /* ERR_NONE: deleted */
	struct str message;
};
struct fleets_target {
	struct fleet_change *changes;
	size_t count;
	bool keeps_instances; /* not supported: ERR_STATE for each fleet */
};
/* Deletes fleets with their instances. ERR_NOT_FOUND, ERR_STATE and ERR_PROTECTED (an instance is protected)
 * concern one fleet; the others are deleted nevertheless. */
OPERATION(engine_delete_fleets, fleets_target)

/* True if the fleet can be forgotten: it was created or deleted more than ENDED_LISTED_US ago, and all its
 * instances are forgotten. */
struct fleet;
bool engine_is_fleet_over(const struct tables *t, const struct fleet *fleet, int64_t now_us);
struct fleet_report {
	uuid fleet;
};
/* Forgets a fleet, for the reconciler. ERR_STATE: engine_is_fleet_over() is false. */
SYSTEM_OPERATION(engine_forget_fleet, fleet_report)
