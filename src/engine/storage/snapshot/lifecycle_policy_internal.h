/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/storage/snapshot/: runs of snapshot policies that select by tags. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/storage/snapshot/lifecycle_policy.h"
#include "engine/storage/snapshot/snapshot_policy.h"

/* Takes the snapshots of a run that is due and writes `next`. */
RESULT lifecycle_policy_run(struct op *op, const struct snapshot_policy_turn *turn,
			    struct snapshot_policy *next);
/* Forgets a policy. Its snapshots stay. */
RESULT snapshot_policy_end(struct op *op, const struct snapshot_policy *policy);
