/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: firewall rules that follow addresses, forwardings and networks. Everything here runs
 * inside an operation. */
#pragma once

#include "engine/internal.h"

/* Opens these ports of the address to all sources with a rule that belongs to `related` (a forwarding or load
 * balancer). No-op if a rule has exactly this protocol and ports, or the address's network has no firewall.
 * Errors as for engine_create_firewall_rule(). */
RESULT firewall_open(struct op *op, uuid address, const char *protocol, int64_t first, int64_t last,
		     uuid related);
/* Replaces the rule that belongs to `related`, if there is one, because its ports have changed. */
RESULT firewall_reopen(struct op *op, uuid address, const char *protocol, int64_t first, int64_t last,
		       uuid related);
/* Ends the rules that belong to `related`. */
RESULT firewall_leave_related(struct op *op, uuid related);
/* End all rules of an address, or all rules of a network in both directions. */
RESULT firewall_leave_address(struct op *op, uuid address);
RESULT firewall_leave_network(struct op *op, uuid network);
/* Moves the address's rules to the network that it leads into now, or ends them if that network has no
 * firewall. */
RESULT firewall_follow(struct op *op, uuid address);
/* Checks that all blocks are IPv4 and at most FIREWALL_SOURCES_MAX. ERR_UNSUPPORTED, ERR_QUOTA with the
 * kind. */
RESULT firewall_check_blocks(struct op *op, enum kind kind, struct cidrs blocks, struct str field);
