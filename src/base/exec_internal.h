/* SPDX-License-Identifier: Apache-2.0
 * Private to the executors. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

/* A thread that takes no signals but those that a fault of ours raises: the others belong to the
 * main thread. */
bool exec_start_thread(pthread_t *ret_thread, void *(*main)(void *), void *arg);
