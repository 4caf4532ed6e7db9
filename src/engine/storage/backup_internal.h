/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of backups. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* A snapshot that came from a backup has its file: the volume that it was fetched for gets its content. */
RESULT backup_end_restore(struct op *op, const struct snapshot *snapshot);
/* It will never have one: its volumes say so, and it goes. */
RESULT backup_fail_restore(struct op *op, const struct snapshot *snapshot);
