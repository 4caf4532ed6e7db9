/* SPDX-License-Identifier: Apache-2.0
 * What has ended and is only kept for a while: revoked rules, images, jobs, what is listed still. And hosts of pools
 * that wait for the next look at them. */
#pragma once

#include "cloud.h"

/* Whether the next look at everything forgets such a row because its time is over by then, or a host of a pool is not
 * proven to see it. */
bool kept_is_any_due(struct cloud *c);
