/* SPDX-License-Identifier: Apache-2.0
 * The user that playbooks of machine policies run as. Called by: daemon/run.c. */
#pragma once

#include <stdbool.h>

struct reconciler;

/* ids of the user and the group; user 0: playbooks run as this process. has_units: systemd runs them. Call before
 * reconciler_start(). */
void reconciler_confine_playbooks(struct reconciler *r, unsigned user, unsigned group, bool has_units);
