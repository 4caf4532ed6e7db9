/* SPDX-License-Identifier: Apache-2.0
 * dari init --join root@HOST: makes this machine another one of a region whose database is in PostgreSQL. The keys come
 * over ssh, with the operator's own keys and known hosts, so no `dari` answers requests for them. May be repeated. */
#pragma once

#include <jansson.h>

#include "base/ctx.h"

/* args: the options of `dari init`; prints the plan and what was done. ERR_COMBINATION: an option of a new region. */
RESULT join_run(struct ctx *c, json_t *args, const char *config_path);
