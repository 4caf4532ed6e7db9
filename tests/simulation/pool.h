/* SPDX-License-Identifier: Apache-2.0
 * Jobs in processes of their own, on all cores: one that crashes or hangs ends nothing but itself. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Runs the jobs 0 … count - 1; ended() hears of each, in the parent, with its wait status. After
 * ended() said false no further ones are begun. A job may take cpu_limit_s seconds of a processor (SIGXCPU), however busy
 * the machine is. A job that takes none at all for POOL_IDLE_LOOKS looks, POOL_LOOK_S apart, waits for what never comes (SIGALRM). */
enum { POOL_LOOK_S = 10, POOL_IDLE_LOOKS = 30 };
void pool_run(uint64_t count, unsigned cpu_limit_s, void (*run)(uint64_t job),
	      bool (*ended)(uint64_t job, int status));
