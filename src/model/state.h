/* SPDX-License-Identifier: Apache-2.0
 * States are derived, never stored: one pure function of wanted and seen values per kind. Each face's word,
 * and restrictions on transitions, come from the [state.*] tables of schema/<kind>.toml (model/states.h,
 * generated). A change with a forbidden transition is refused before it is committed; no code makes decisions
 * by a state's name. */
#pragma once

#include "model/row.h"
#include "model/states.h" /* generated: enum instance_state, model_instance_states[], … */

struct backup;
struct machine_backup;
struct export_image_task;
struct import_image_task;
struct import_snapshot_task;
struct instance;
struct nat_gateway;
struct peering;
struct transit_attachment;
struct transit_gateway;
struct port;
struct snapshot;
struct volume;

/* The state shown to users, from the row alone. "error" is never derived; state.c explains why. */
enum instance_state model_derive_instance_state(const struct instance *i);
/* True if the instance has been resized and the user may still confirm or revert. */
bool model_is_resized(const struct instance *i);
/* A volume that is attached, or not yet detached, is in-use whatever its instance's state. */
enum volume_state model_derive_volume_state(const struct volume *v);
/* Derived by comparing the instance where the port is wanted with the one where it was found. */
enum port_state model_derive_port_state(const struct port *p);
/* A snapshot marked as deleted is "deleting" until its row is removed along with its file. */
enum snapshot_state model_derive_snapshot_state(const struct snapshot *s);
/* Likewise for a backup, whose row is removed along with its objects. */
enum backup_state model_derive_backup_state(const struct backup *b);
/* The engine reports a machine backup as written, or as failed, when its last disk is. */
enum machine_backup_state model_derive_machine_backup_state(const struct machine_backup *b);
enum nat_gateway_state model_derive_nat_gateway_state(const struct nat_gateway *n);
enum peering_state model_derive_peering_state(const struct peering *p);
enum transit_gateway_state model_derive_transit_gateway_state(const struct transit_gateway *g);
enum transit_attachment_state model_derive_transit_attachment_state(const struct transit_attachment *a);
enum import_snapshot_task_state model_derive_import_snapshot_task_state(const struct import_snapshot_task *k);
enum import_image_task_state model_derive_import_image_task_state(const struct import_image_task *k);
enum export_image_task_state model_derive_export_image_task_state(const struct export_image_task *k);

/* Compares where a device is wanted (instance) with where it was found (seen_instance). ATTACHMENT_DETACHING
 * refers to the latter. */
enum attachment { ATTACHMENT_NONE, ATTACHMENT_ATTACHING, ATTACHMENT_ATTACHED, ATTACHMENT_DETACHING };
enum attachment model_derive_attachment(uuid wanted, uuid seen);

/* True if rows of the kind have a state of their own. An image's, for example, is that of its disks. */
bool model_tells_state(enum kind kind);
/* The row's state as an index into model_kinds[kind].states. */
unsigned model_derive_state(enum kind kind, const struct row *row);

/* True if a row may change from one state to another in its next version. Staying (a == b) is always
 * allowed. */
bool model_state_may_move(const struct state_info *states, unsigned from, unsigned to);
/* Likewise as a store_invariant for rows of any kind: NULL if the transition is allowed or the kind has no
 * states, else a static message. before NULL: a new row. after NULL: the row was removed. */
const char *model_check_move(enum kind kind, const struct row *before, const struct row *after);
