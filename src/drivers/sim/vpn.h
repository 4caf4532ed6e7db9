/* SPDX-License-Identifier: Apache-2.0
 * Control of simulated tunnels by tests. Any thread. */
#pragma once

#include "drivers/vpn.h"

/* True if the tunnel's daemon runs. */
bool sim_vpn_has(uuid tunnel);
/* From now on the tunnel is up, or down. Simulated tunnels have no peer, and are down until then. */
void sim_vpn_set_up(uuid tunnel, bool is_up);
