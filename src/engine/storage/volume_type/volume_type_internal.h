/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: volume types. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct volume_type;

/* True if the type describes the one supported encryption. */
bool volume_type_is_known_crypt(const struct volume_type *type);
/* Adds EC2's types, Cinder's default type and CloudStack's disk offerings. */
RESULT volume_type_add_standard(struct op *op, uuid region);
