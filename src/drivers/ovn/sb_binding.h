/* SPDX-License-Identifier: Apache-2.0
 * Bindings of ports, from OVN's southbound database. Pure functions. Source: ovn-sb(5), Port_Binding. */
#pragma once

#include <jansson.h>

#include "base/str.h"
#include "base/uuid.h"

/* Operations that select a port's binding and a host's chassis; owned by the caller. NULL: out of memory. */
json_t *sb_binding_ask(uuid port, struct str chassis);
/* True if the results say that the chassis has bound the port, the port is up, and no other chassis has bound
 * it. OVN before 22.06 has no additional chassis. NULL: false. */
bool sb_binding_is_alone(const json_t *results);
