/* SPDX-License-Identifier: Apache-2.0
 * Controls of the simulated virtual network for tests. Its state belongs to the process rather than a
 * connection: it survives a "restart" within the process, like a real database. Any thread. */
#pragma once

#include "base/uuid.h"
#include "drivers/network.h"

void network_sim_reset(void); /* an empty, connected database that binds ports immediately */
/* Cuts or restores the connection. While cut, every call fails with ERR_GONE. Watchers are notified of
 * both. */
void network_sim_cut(bool cut);
/* Late: a port applied with a chassis comes up only with network_sim_bind(), as on a real host, including a
 * migrated guest's port. Watchers are notified. */
void network_sim_set_late(bool late);
void network_sim_bind(void); /* brings up every port with a chassis */
size_t network_sim_count(enum network_item_kind kind);
bool network_sim_has(enum network_item_kind kind, uuid id);
bool network_sim_port_is_up(uuid port);
/* Removes an object behind the driver's back. False: no such object. */
bool network_sim_lose(enum network_item_kind kind, uuid id);
