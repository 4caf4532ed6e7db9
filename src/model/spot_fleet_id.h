/* SPDX-License-Identifier: Apache-2.0
 * Ids of spot fleets. Spot fleets are fleets with ids of their own, "sfr-" and a UUID of version 8, so that an id tells how a
 * fleet was asked for. model/id.h writes and parses them. */
#pragma once

#include "base/uuid.h"

#include <stdbool.h>

/* Prefix of the ids. */
#define ID_SPOT_FLEET "sfr"
/* True for the id of a spot fleet; ids of other fleets have version 4. */
bool id_is_spot_fleet(uuid id);
/* Makes a new id that of a spot fleet. */
uuid id_of_spot_fleet(uuid id);
