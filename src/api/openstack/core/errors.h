/* SPDX-License-Identifier: Apache-2.0
 * Error codes and messages of OpenStack: rows of api/core/problem.h, grouped by service, and the form of each
 * service's error body. A row's code is the type that clients branch on: Neutron's type, or the name of Nova's or
 * Cinder's fault if the status does not imply it. Any thread. */
#pragma once

#include "api/openstack/core/action.h"

extern const struct api_errors os_errors;

/* Functions of struct api_protocol. */
void os_word_problem(struct api_call *core, struct api_problem *problem);
RESULT os_write_problem(struct api_call *core, struct api_problem *problem, struct buf *body);
