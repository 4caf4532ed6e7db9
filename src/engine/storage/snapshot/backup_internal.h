/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: parts of backups that backups of machines use, and restores. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Completes a restore: the fetched snapshot has its file, and the volume is reverted to it. */
RESULT backup_end_restore(struct op *op, const struct snapshot *snapshot);
/* Fails a restore: marks the volumes, and deletes the snapshot. */
RESULT backup_fail_restore(struct op *op, const struct snapshot *snapshot);

/* Newest available backup of made->volume in made->target and made->container that an increment can be added to, whatever of its chain
 * expires before. none: there is no such. */
uuid backup_find_base(struct op *op, const struct backup *made);
/* Ends a backup that is not complete, as one that has failed. Its row stays until somebody deletes it. */
RESULT backup_stop(struct op *op, const struct backup *b, struct str why);
/* Checks that the volume can be backed up now; is_forced accepts an attached one. */
RESULT backup_check_volume(struct op *op, const struct ref *ref, bool is_forced, const struct volume *v);
RESULT backup_check_container(struct op *op, struct str container);
RESULT backup_check_room(struct op *op, uuid account, int64_t size);
/* Writes the row of a new backup, whose caller has set account, target, container, parent and asker, and its
 * snapshot (NULL: a new one). notes_writes: the host notes from then on what is written, and the snapshot
 * stays until the volume's next backup. */
RESULT backup_begin(struct op *op, const struct volume *v, const struct snapshot *snapshot, bool notes_writes,
		    struct backup *b);
/* Marks a backup deleted, whatever needs it. */
RESULT backup_drop(struct op *op, const struct backup *b);
/* True if a backup that is being written takes chunks from this one. */
bool backup_is_being_added_to(const struct tables *t, uuid backup);
/* Deletes the snapshot that the backup keeps for the next one. */
RESULT backup_end_track(struct op *op, const struct backup *b);
/* The same for all backups of a volume except `but`. */
RESULT backup_end_tracks(struct op *op, uuid volume, uuid but);
/* Writes the snapshot that the backup's content is fetched into. restores: the volume that is reverted to it;
 * none: a volume is made from it. */
RESULT backup_write_fetch(struct op *op, const struct backup *b, uuid account, uuid restores,
			  struct snapshot *s);
/* True if a restore may replace the volume's content: it is free, or its instance is off. */
bool backup_may_replace(const struct tables *t, const struct volume *v);
