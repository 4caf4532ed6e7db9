/* SPDX-License-Identifier: Apache-2.0
 * Grants of networks: the owner of a network lets another account use it, or an administrator lets
 * everybody. An account that may use a network may have ports there, and sees it and its subnets
 * (engine_may_use()). The owner alone chooses addresses and MAC addresses there, and switches port
 * security or the source/destination check off.
 *
 * An external grant (Neutron's access_as_external) lets an account lead routers out to the network, and take
 * floating IPs from it, and gives no ports there. */
#pragma once

#include "engine/operation.h"

struct network_grant;

enum { NETWORK_GRANTS_MAX = 100 }; /* per network */

/* True if another account's network is granted to the account, by name, to its domain (network.domain) or to
 * all. */
bool engine_is_network_granted(const struct tables *t, uuid network, uuid account);
/* True if the caller may use the external network: administrators, its owner, and whoever has an external
 * grant. */
bool engine_may_use_external(const struct ctx *c, const struct tables *t, uuid network);
/* Live networks of other accounts that are granted to the caller's account. */
RESULT engine_list_granted_networks(struct ctx *c, const struct tables *t, struct rows *ret_networks);

/* Returns the kind and the id of the granted object. */
enum kind engine_get_granted(const struct network_grant *grant, uuid *ret_object);

/* Grants a network. The first external grant makes the network external. ERR_DENIED: only administrators grant
 * to all accounts, or make networks external. ERR_INVALID with KIND_NETWORK: the network is another account's,
 * which lets the caller use it. ERR_EXISTS and ERR_QUOTA with KIND_NETWORK_GRANT. */
struct network_grant_wish {
	struct ref network; /* or, by its kind, a QoS policy, address scope, subnet pool or address group */
	struct ref account; /* if given, must be the network's owner */
	struct ref target;  /* grantee; not given: all accounts */
	bool is_external;
	/* outputs: */
	uuid grant;
};
OPERATION(engine_grant_network, network_grant_wish)

/* Changes the grantee. Errors as for engine_grant_network(), and for the former grantee as for
 * engine_revoke_network(). */
struct network_grant_settings {
	struct ref grant, target;
};
OPERATION(engine_change_network_grant, network_grant_settings)

/* Revokes a grant. The last external one makes the network internal again. ERR_IN_USE with KIND_NETWORK_GRANT:
 * ports or routers depend on it, or the network is the region's default external one. */
struct network_grant_target {
	struct ref grant;
};
OPERATION(engine_revoke_network, network_grant_target)
