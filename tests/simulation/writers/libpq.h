/* SPDX-License-Identifier: Apache-2.0
 * libpq's functions for the simulated database (libpq.c), as far as src/store uses them, and their sockets. */
#pragma once

#include <poll.h>
#include <stdint.h>

enum { LIBPQ_FD_FIRST = 100000 };
enum { BACKEND = 7 /* the number of every session: no pooler is in between */ };

int libpq_poll(struct pollfd *fd, int64_t until_us);
void libpq_shut_down(int fd);
