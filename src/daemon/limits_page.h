/* SPDX-License-Identifier: Apache-2.0
 * docs/limits.md, from the tables that the limits are held by. */
#pragma once

#include "base/buf.h"

/* All of it, in Markdown. */
void limits_page_write(struct buf *out);
