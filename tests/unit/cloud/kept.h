/* SPDX-License-Identifier: Apache-2.0
 * Rows that have ended and are kept for a while, such as revoked rules, images and jobs. Also hosts of pools
 * that wait for their next look, and images and volumes that wait for an upload. */
#pragma once

#include "cloud.h"

/* How long to step until such rows have had the look that forgets them, pools' hosts are proven, and rows whose data are awaited
 * have given up; 0: there are none. */
int64_t kept_read_wait_us(struct cloud *c);
