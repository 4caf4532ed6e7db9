/* SPDX-License-Identifier: Apache-2.0
 * Where OVN binds a port, as its southbound database has it. Pure. Source: ovn-sb(5), Port_Binding. */
#pragma once

#include <jansson.h>

#include "base/str.h"
#include "base/uuid.h"

/* The operations that ask for a port's binding and for a host's chassis; the caller's. NULL: no memory. */
json_t *sb_binding_ask(uuid port, struct str chassis);
/* Whether the answers say that the chassis has bound the port, that it is up, and that no other chassis has it. An
 * OVN before 22.06 knows no additional ones. NULL: false. */
bool sb_binding_is_alone(const json_t *results);
