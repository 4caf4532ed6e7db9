/* SPDX-License-Identifier: Apache-2.0
 * What a test does to the simulated virtual network from outside. Its state belongs to the process
 * and not to a connection: after a "restart" within one process it is all still there, as in a real
 * database. Any thread. */
#pragma once

#include "base/uuid.h"
#include "drivers/network.h"

void network_sim_reset(void); /* an empty database, connected, which binds ports at once */
/* Cuts or mends the connection. While it is cut, every call answers ERR_GONE. Watchers hear of
 * both. */
void network_sim_cut(bool cut);
/* Late: a port that is applied with a chassis is up only after network_sim_bind(), as on a real
 * host; one whose guest came from another host, too. Watchers hear of it. */
void network_sim_set_late(bool late);
void network_sim_bind(void); /* every port with a chassis comes up */
size_t network_sim_count(enum network_item_kind kind);
bool network_sim_has(enum network_item_kind kind, uuid id);
bool network_sim_port_is_up(uuid port);
/* Removes something behind the driver's back. False: there was no such thing. */
bool network_sim_lose(enum network_item_kind kind, uuid id);
