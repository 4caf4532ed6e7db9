/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: launches of fleets. Everything here runs inside an operation. */
#pragma once

#include "engine/instance/launch/fleet.h"
#include "engine/internal.h"

/* A launch over several overrides, all on-demand or all spot. */
struct fleet_launching {
	struct op *op;
	uuid fleet;
	struct fleet_override *overrides;
	size_t count;
	bool is_spot, is_prioritized, single_type, single_zone;
	enum fleet_spot_strategy strategy; /* of a spot launch */
	bool logs; /* the fleet's history has a line for each launch and each failure */
	/* Converts a failure into the face's code and message; NULL: the message is that of the engine, and the code is
	 * empty. */
	void (*tell)(void *arg, struct result result, struct str *ret_code, struct str *ret_message);
	void *arg;
	int64_t left; /* in thousandths: what is missing; negative if the last instance has more units */
	const struct instance *first; /* first instance launched; NULL: none yet */
};
/* True if the failure concerns one override only. Others end the call. */
static inline bool fleet_is_of_override(enum err err)
{
	return engine_is_refusal(err) && err != ERR_DENIED;
}
/* When to launch again after so many launches in turn that failed. */
int64_t fleet_next_try(int64_t now_us, int64_t tries);
/* Number of instances of the override's type that fit on open hosts of its zone, or of any zone if the override names none.
 * In a zone of more than PLACEMENT_LARGE hosts, so many stand for all. */
int64_t fleet_count_room(const struct tables *t, const struct fleet_override *override);
/* Launches until nothing is left, as far as overrides can be launched. An override that fails changes nothing. Failures
 * that do not concern one override alone are returned. */
RESULT fleet_launch(struct fleet_launching *l);
/* Adds a line to the history of a fleet that is not instant: the instance was terminated. For an instance of no fleet OK. */
RESULT fleet_note_end(struct op *op, const struct instance *instance);
/* Deletes a fleet, and leaves its instances to the caller. */
RESULT fleet_end(struct op *op, const struct fleet *fleet, bool keeps_instances);
