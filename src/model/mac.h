/* SPDX-License-Identifier: Apache-2.0
 * MAC addresses that follow from an id and what they are for, so that they are the same after every restart;
 * and the addresses that follow from MACs.
 * Pure; any thread. */
#pragma once

#include "base/ip.h"
#include "base/uuid.h"

/* The role of a router's port on its external network; the id is the router's. */
#define MAC_OF_GATEWAY "gw-mac"

/* Locally administered. */
struct mac model_make_mac(uuid id, const char *role);

/* The IPv6 address that whoever has the MAC makes itself of a /64 (modified EUI-64). */
struct ip model_make_eui64(struct cidr block, struct mac mac);
