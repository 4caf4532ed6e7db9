/* SPDX-License-Identifier: Apache-2.0
 * Control of simulated tunnels by tests. Any thread. */
#pragma once

#include "drivers/vpn.h"

/* True if the daemon runs: a tunnel's, by the tunnel's id, or a VPN service's. */
bool sim_vpn_has(uuid daemon);
/* From now on the daemon's tunnels are up, or down. Simulated tunnels have no peer, and are down until then. */
void sim_vpn_set_up(uuid daemon, bool is_up);
