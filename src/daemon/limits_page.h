/* SPDX-License-Identifier: Apache-2.0
 * Generates docs/limits.md from the tables that enforce the limits. */
#pragma once

#include "base/buf.h"

/* Writes the complete page in Markdown. */
void limits_page_write(struct buf *out);
