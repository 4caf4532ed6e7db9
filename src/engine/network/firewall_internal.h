/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what becomes of firewall rules with what they stand on. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Lets everybody in by these ports of the address, with what leads there, unless a rule does so already; nothing where the
 * address's network has no firewall. Errors as of engine_create_firewall_rule(). */
RESULT firewall_open(struct op *op, uuid address, const char *protocol, int64_t first, int64_t last,
		     uuid related);
/* What leads there is of other ports now: if a rule was made with it, another one takes its place. */
RESULT firewall_reopen(struct op *op, uuid address, const char *protocol, int64_t first, int64_t last,
		       uuid related);
/* Those that were made with it go. */
RESULT firewall_leave_related(struct op *op, uuid related);
/* All of an address; of a network, in both directions. */
RESULT firewall_leave_address(struct op *op, uuid address);
RESULT firewall_leave_network(struct op *op, uuid network);
/* The address may lead into another network now: its rules go there with it, or end where there is no firewall. */
RESULT firewall_follow(struct op *op, uuid address);
/* Blocks of IPv4, FIREWALL_SOURCES_MAX at most. ERR_UNSUPPORTED, ERR_QUOTA with the kind. */
RESULT firewall_check_blocks(struct op *op, enum kind kind, struct cidrs blocks, struct str field);
