/* SPDX-License-Identifier: Apache-2.0
 * Grants of networks: the owner of a network lets another account use it, an administrator everybody. Who may
 * use a network has ports in it, and sees it and its subnets (engine_may_use()); addresses, MACs and port
 * security there are the owner's to choose. */
#pragma once

#include "engine/operation.h"

enum { NETWORK_GRANTS_MAX = 100 }; /* of a network */

/* Whether somebody else's network was granted to the account, by itself or with everybody. */
bool engine_is_network_granted(const struct tables *t, uuid network, uuid account);

/* ERR_DENIED: to everybody, by who is no administrator. ERR_EXISTS and ERR_QUOTA with KIND_NETWORK_GRANT. */
struct network_grant_wish {
	struct ref network;
	struct ref account; /* the network's, if any is said */
	struct ref target;  /* an account; not given: everybody */
	/* made: */
	uuid grant;
};
OPERATION(engine_grant_network, network_grant_wish)

/* Another target. As above, and as engine_revoke_network() for the old one. */
struct network_grant_settings {
	struct ref grant, target;
};
OPERATION(engine_change_network_grant, network_grant_settings)

/* ERR_IN_USE with KIND_NETWORK_GRANT while ports stand on it. */
struct network_grant_target {
	struct ref grant;
};
OPERATION(engine_revoke_network, network_grant_target)
