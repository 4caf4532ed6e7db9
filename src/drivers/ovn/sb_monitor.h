/* SPDX-License-Identifier: Apache-2.0
 * Results of health checks, from OVN's southbound database. Pure functions. Source: ovn-sb(5), Service_Monitor. */
#pragma once

#include <jansson.h>

#include "drivers/network.h"

/* Operation that selects all TCP checks; owned by the caller. NULL: out of memory. */
json_t *sb_monitor_ask(void);
/* Fills in the results of checks that have ended. ovn-controller writes "error" for a host that cannot be
 * reached, and nothing before the first check has ended. */
void sb_monitor_read(const json_t *results, struct network_probe *probes, size_t count);
