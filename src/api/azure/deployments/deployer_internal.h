/* SPDX-License-Identifier: Apache-2.0
 * Private to the deployer: turns, each of which advances one deployment. All functions run on the deployer's actor. */
#pragma once

#include "api/azure/deployments/deployments.h"
#include "base/exec.h"

struct deployer;
struct turn;

/* Face that serves the deployer's requests, and the actor that runs all turns. */
struct az_face *deployer_face(struct deployer *d);
struct actor *deployer_actor(struct deployer *d);
/* Frees the turn. has_changed: begins the deployment's next turn at once. */
void deployer_end_turn(struct deployer *d, struct turn *t, bool has_changed);

/* True while the deployer stops: turns must not begin further calls. */
bool deployer_is_stopping(const struct deployer *d);
/* Adds 1 or -1 to the number of turns; stopping the deployer waits until it is 0. */
void deployer_count_turn(struct deployer *d, int change);

/* Begins a turn and links it into the list until it ends; does nothing if memory is out. is_resumed: first turn of the deployment
 * since the program started; the program may have sent requests before it ended. */
void turn_begin(struct deployer *d, uuid deployment, bool is_resumed, struct turn **list);
/* Functions for turns in the deployer's list. */
void turn_unlink(struct turn **list, struct turn *t);
void turn_free(struct turn *t);
uuid turn_account(const struct turn *t);
struct turn *turn_next(const struct turn *t);
