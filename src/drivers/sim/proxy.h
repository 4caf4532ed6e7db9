/* SPDX-License-Identifier: Apache-2.0
 * Control of simulated proxies by tests. Any thread. */
#pragma once

#include "drivers/proxy.h"

enum { SIM_PROXY_FAULTS_MAX = 8, SIM_PROXY_FIGURES_MAX = 8 };

struct sim_proxy_fault {
	uuid target;
	enum proxy_fault fault;
	int64_t code;
};

/* True if the proxy's process runs. */
bool sim_proxy_has(uuid proxy);
/* A number of the process, which no earlier process has had; 0: there is none. */
uint64_t sim_proxy_process(uuid proxy);
/* From now on these targets are unhealthy, and all others healthy. */
void sim_proxy_break(const struct sim_proxy_fault *faults, size_t count);
/* From now on each process reports these figures of listeners. */
void sim_proxy_count(const struct proxy_listener_state *states, size_t count);
/* The process ends by itself. */
void sim_proxy_lose(uuid proxy);
