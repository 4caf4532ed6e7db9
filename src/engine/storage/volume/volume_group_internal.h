/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: volume groups. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct volume;
struct volume_group;

/* Finds the group (kind none: none) and checks that a new volume of that type may join it. ERR_INVALID. */
RESULT volume_group_find_for(struct op *op, const struct ref *ref, struct str type, uuid *ret_group);
/* Checks that the volume is in no group. ERR_IN_USE. */
RESULT volume_group_check_none(struct op *op, const struct volume *volume, const struct ref *ref);
/* ERR_INVALID: the name or the description is longer than 255 bytes. */
RESULT volume_group_check_words(struct op *op, enum kind kind, struct str name, struct str description);
/* Parses a status as a mark. Marks of groups and group snapshots have the same values. ERR_INVALID. */
RESULT volume_group_read_mark(struct op *op, enum kind kind, const char *what, struct str status,
			      int *ret_mark);
