/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: error messages of the services. The engine's own messages are filled in with these
 * names of kinds and forms of ids. A table replaces them where a service has a well-known message. Any thread. */
#pragma once

#include "api/openstack/core/action.h"

/* Kinds and ids as OpenStack has them; for ctx.kind_words. */
extern const struct kind_words os_words;
/* The service's message about the problem. */
struct str os_say_problem(struct os_call *e, const struct problem *problem);
