/* SPDX-License-Identifier: Apache-2.0
 * MAC addresses that follow from an id and what they are for, so that they are the same after every restart.
 * Pure; any thread. */
#pragma once

#include "base/ip.h"
#include "base/uuid.h"

/* The role of a router's port on its external network; the id is the router's. */
#define MAC_OF_GATEWAY "gw-mac"

/* Locally administered. */
struct mac model_make_mac(uuid id, const char *role);
