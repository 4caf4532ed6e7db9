/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/region/. */
#pragma once

#include "api/cloudstack/core/action.h"

enum { CS_CPU_SPEED = 1000 }; /* CS_CPU_SPEED_MHZ */

/* "12.5%": used of all, with two digits at most, and the sign; "0%" of nothing. */
void cs_write_percent(struct json_writer *w, const char *name, int64_t used, int64_t all, const char *sign);
