/* SPDX-License-Identifier: Apache-2.0
 * Rows that have ended and are kept for a while, such as revoked rules, images and jobs. Also hosts of pools
 * that wait for their next look. */
#pragma once

#include "cloud.h"

/* True if a full look now would forget such a row, because its time ends by then, or if a pool's host is
 * unproven. */
bool kept_is_any_due(struct cloud *c);
