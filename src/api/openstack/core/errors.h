/* SPDX-License-Identifier: Apache-2.0
 * OpenStack's words for what went wrong: rows of api/core/problem.h, whose parts are the services, and each
 * service's form of an error's body. A row's code is the type that clients branch on: Neutron's; of Nova and Cinder
 * the fault's name where the status does not say it. Any thread. */
#pragma once

#include "api/openstack/core/action.h"

extern const struct api_errors os_errors;

/* Functions of struct api_protocol. */
void os_word_problem(struct api_call *core, struct api_problem *problem);
RESULT os_write_problem(struct api_call *core, struct api_problem *problem, struct buf *body);
