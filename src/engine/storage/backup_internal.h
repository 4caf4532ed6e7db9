/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: restores of backups. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Completes a restore: the fetched snapshot has its file, and the volume is reverted to it. */
RESULT backup_end_restore(struct op *op, const struct snapshot *snapshot);
/* Fails a restore: marks the volumes, and deletes the snapshot. */
RESULT backup_fail_restore(struct op *op, const struct snapshot *snapshot);
