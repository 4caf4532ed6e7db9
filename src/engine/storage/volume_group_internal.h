/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of groups of volumes. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct volume;
struct volume_group;

/* A new volume of that type may be part of the group that the ref names (kind none: of none). ERR_INVALID. */
RESULT volume_group_find_for(struct op *op, const struct ref *ref, struct str type, uuid *ret_group);
/* It is in no group. ERR_IN_USE. */
RESULT volume_group_check_none(struct op *op, const struct volume *volume, const struct ref *ref);
/* Names and descriptions have up to 255 characters. */
RESULT volume_group_check_words(struct op *op, enum kind kind, struct str name, struct str description);
/* The status that an administrator names, as a mark of either kind: both have the same. ERR_INVALID. */
RESULT volume_group_read_mark(struct op *op, enum kind kind, const char *what, struct str status,
			      int *ret_mark);
