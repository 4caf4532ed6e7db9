/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: the services' own words. The engine tells its failures in words of its own, into
 * which go these names of kinds and these ids; where a service has a sentence that its users know, a table
 * says it instead. Any thread. */
#pragma once

#include "api/openstack/core/action.h"

/* Kinds and ids as OpenStack has them; for ctx.kind_words. */
extern const struct kind_words os_words;
/* The service's message about the problem. */
struct str os_say_problem(struct os_call *e, const struct problem *problem);
