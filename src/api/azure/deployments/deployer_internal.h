/* SPDX-License-Identifier: Apache-2.0
 * Private to the deployer: its turns. All of it runs on the deployer's actor. */
#pragma once

#include "api/azure/deployments/deployments.h"
#include "base/exec.h"

struct deployer;
struct turn;

/* The face that is asked, and the actor that all of it runs on. */
struct az_face *deployer_face(struct deployer *d);
struct actor *deployer_actor(struct deployer *d);
/* Frees the turn. has_changed: its deployment is looked at again at once. */
void deployer_end_turn(struct deployer *d, struct turn *t, bool has_changed);

/* No further calls are begun. */
bool deployer_is_stopping(const struct deployer *d);
/* By 1 or -1; who stops waits for none. */
void deployer_count_turn(struct deployer *d, int change);

/* Begins a turn, if there is memory; it is linked into the list meanwhile. is_resumed: the deployment's first turn since the
 * program started, which may have asked for resources before it ended. */
void turn_begin(struct deployer *d, uuid deployment, bool is_resumed, struct turn **list);
/* Of turns in the deployer's list. */
void turn_unlink(struct turn **list, struct turn *t);
void turn_free(struct turn *t);
uuid turn_account(const struct turn *t);
struct turn *turn_next(const struct turn *t);
