/* SPDX-License-Identifier: Apache-2.0
 * Runs jobs in processes of their own, on all cores: a job that crashes or hangs affects no other. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Runs the jobs 0 … count - 1. ended() is called in the parent for each, with its wait status; after it
 * returned false no further jobs are begun. A job is limited to cpu_limit_s seconds of CPU time (SIGXCPU),
 * so that the limit does not depend on the machine's load. A job that uses no CPU time between
 * POOL_IDLE_LOOKS looks, POOL_LOOK_S seconds apart, is regarded as hanging (SIGALRM). */
enum { POOL_LOOK_S = 10, POOL_IDLE_LOOKS = 30 };
void pool_run(uint64_t count, unsigned cpu_limit_s, void (*run)(uint64_t job),
	      bool (*ended)(uint64_t job, int status));
