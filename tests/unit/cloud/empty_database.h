/* SPDX-License-Identifier: Apache-2.0
 * The database of a new region, as a file. To write its schema is much of what a region costs, and a test
 * makes hundreds: the first one of a process is remembered, the others are copies. */
#pragma once

#include "base/ctx.h"

/* A failure ends the test. */
void empty_database_write(struct ctx *c, const char *path);
