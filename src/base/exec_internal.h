/* SPDX-License-Identifier: Apache-2.0
 * Starts threads: for the executors, and for the few threads outside actors. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

/* Starts a thread with all signals blocked, since those belong to the main thread, except those raised by its
 * own faults. False: no thread available. */
bool exec_start_thread(pthread_t *ret_thread, void *(*main)(void *), void *arg);
