/* SPDX-License-Identifier: Apache-2.0
 * Starting threads: for the executors, and for the few threads that are no actors. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

/* Starts a thread that takes no signals, because those belong to the main thread, except the ones
 * that a fault of its own raises. False: no thread can be had. */
bool exec_start_thread(pthread_t *ret_thread, void *(*main)(void *), void *arg);
