/* SPDX-License-Identifier: Apache-2.0
 * Parses UUIDs in requests. Internally the nil UUID means "not given": in a path or a parameter it would then
 * mean the caller's own subscription, or every row of a list. */
#pragma once

#include "base/uuid.h"

/* Like uuid_parse(), but the nil UUID becomes the max UUID, which matches nothing either (RFC 9562, sections
 * 5.9 and 5.10). ERR_MALFORMED. */
RESULT uuid_parse_asked(struct str s, uuid *ret_uuid);
