/* SPDX-License-Identifier: Apache-2.0
 * States are derived, never stored: one pure function of wanted and seen per kind. Each face's word, and what
 * may follow where that is less than any state, come from the [state.*] tables of schema/<kind>.toml
 * (model/states.h, generated). A change that moves a row's state otherwise is refused before it is committed;
 * nothing steers by a state's name. */
#pragma once

#include "model/row.h"
#include "model/states.h" /* generated: enum instance_state, model_instance_states[], … */

struct backup;
struct import_image_task;
struct import_snapshot_task;
struct instance;
struct nat_gateway;
struct peering;
struct port;
struct snapshot;
struct volume;

/* The state that users see, from the row alone. "error" is never derived; state.c says why. */
enum instance_state model_derive_instance_state(const struct instance *i);
/* Whether the instance has a new type that the user may still confirm or revert. */
bool model_is_resized(const struct instance *i);
/* A volume that is attached, or not detached yet, is in-use, whatever its instance does. */
enum volume_state model_derive_volume_state(const struct volume *v);
/* A port's state compares the instance that it is wanted in with the one that it was found in. */
enum port_state model_derive_port_state(const struct port *p);
/* A snapshot that is marked deleted is deleting until its row goes with its file. */
enum snapshot_state model_derive_snapshot_state(const struct snapshot *s);
/* Likewise of a backup, whose row goes with its objects. */
enum backup_state model_derive_backup_state(const struct backup *b);
enum nat_gateway_state model_derive_nat_gateway_state(const struct nat_gateway *n);
enum peering_state model_derive_peering_state(const struct peering *p);
enum import_snapshot_task_state model_derive_import_snapshot_task_state(const struct import_snapshot_task *k);
enum import_image_task_state model_derive_import_image_task_state(const struct import_image_task *k);

/* Compares where a device is wanted (instance) with where it was found plugged in (seen_instance).
 * ATTACHMENT_DETACHING is from the latter. */
enum attachment { ATTACHMENT_NONE, ATTACHMENT_ATTACHING, ATTACHMENT_ATTACHED, ATTACHMENT_DETACHING };
enum attachment model_derive_attachment(uuid wanted, uuid seen);

/* Whether a row of the kind has a state of its own. An image's, for example, is that of its
 * disks. */
bool model_tells_state(enum kind kind);
/* The state of a row of such a kind, as an index into model_kinds[kind].states. */
unsigned model_derive_state(enum kind kind, const struct row *row);

/* Whether a row may go from one state to another with its next version. A state may stay (a ==
 * b). */
bool model_state_may_move(const struct state_info *states, unsigned from, unsigned to);
/* The same as a store_invariant for rows of any kind: NULL if the move is legal or the kind has no
 * states, else a static sentence. before NULL: a new row. after NULL: the row was forgotten. */
const char *model_check_move(enum kind kind, const struct row *before, const struct row *after);
