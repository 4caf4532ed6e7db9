/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of migrations. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct instance_migration;

/* Puts a new record, which gets its id; the oldest of its instance goes if that has many. */
RESULT instance_record_migration(struct op *op, struct instance_migration *record);
/* Something else was asked of the instance: a live migration under way is not to be. */
RESULT instance_drop_migration(struct op *op, uuid instance);
