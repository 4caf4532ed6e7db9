/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: spot instances. Everything here runs inside an operation. */
#pragma once

#include "engine/instance/launch/spot.h"
#include "engine/instance/placement/placement.h"

/* Makes or fulfils the request of an instance that is about to be put, and names the request in its row. */
RESULT spot_fulfil(struct op *op, const struct spot_wish *wish, struct instance *instance);
/* Finds the host where the fewest spot instances have to go for an on-demand instance, and marks these. NULL: no host
 * would have room. */
RESULT spot_make_room(struct op *op, const struct placement *p, const struct host **ret_host);
/* Tells whether spot_make_room() would find a host, and marks nothing. */
RESULT spot_could_make_room(struct op *op, const struct placement *p, bool *ret_could);
/* True while the instance, which has no host, waits for spot instances to leave its next host. */
bool spot_is_awaited(const struct tables *t, const struct instance *instance);
/* ERR_UNSUPPORTED: an instance of a one-time request cannot be stopped. */
RESULT spot_check_stop(struct op *op, const struct instance *instance, const struct ref *ref);
/* Called before an instance is turned on that gave its room: its host counts it again. ERR_CAPACITY: the room is taken.
 * An instance without a host finds one later. */
RESULT spot_take_room(struct op *op, struct instance *next);
/* ERR_STATE with KIND_SPOT_REQUEST: the instance was stopped to give room, and starts when there is room again. */
RESULT spot_check_start(struct op *op, const struct instance *instance, const struct ref *ref);
