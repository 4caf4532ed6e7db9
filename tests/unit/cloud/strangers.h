/* SPDX-License-Identifier: Apache-2.0
 * Instances on hosts that are not for them, which no placement may bring about. */
#pragma once

#include "cloud.h"

/* Those on others' dedicated hosts, and those beside an instance that is to be alone; says so. */
size_t strangers_count(struct cloud *c);
