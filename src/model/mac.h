/* SPDX-License-Identifier: Apache-2.0
 * MAC addresses derived from an id and a role, so that they survive restarts; and IPv6 addresses derived from
 * MAC addresses. Pure; any thread. */
#pragma once

#include "base/ip.h"
#include "base/uuid.h"

/* The role of a router's port on its external network, used with the router's id. */
#define MAC_OF_GATEWAY "gw-mac"

/* Returns a locally administered address. */
struct mac model_make_mac(uuid id, const char *role);

/* The IPv6 address that a machine with this MAC assigns itself in a /64 (modified EUI-64). */
struct ip model_make_eui64(struct cidr block, struct mac mac);
