/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: delegated prefixes of ports. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct port_prefixes_wish;

/* Prefix of the subnet that contains the address, even one marked deleted: the address is not available. NULL
 * if there is none. */
const struct port_prefix *port_prefix_around(const struct tables *t, uuid subnet, struct ip ip);
/* Prefix of the router that contains the address, even one marked deleted; NULL if there is none. */
const struct port_prefix *port_prefix_around_in_router(const struct tables *t, uuid router, struct ip ip);
size_t port_count_prefixes(const struct tables *t, uuid port, enum ip_family family);
/* Number of prefixes that the wish would add. */
size_t port_count_new_prefixes(const struct tables *t, uuid port, const struct port_prefixes_wish *wish);
/* With KIND_PORT_PREFIX: ERR_INVALID, wrong length; ERR_RANGE, outside the subnet, or reserved; ERR_EXISTS,
 * an address in it is in use; ERR_CAPACITY, none is left. */
RESULT port_add_prefixes(struct op *op, const struct port *port, const struct subnet *subnet,
			 const struct port_prefixes_wish *wish, struct cidrs *ret_made);
/* ERR_INVALID with KIND_PORT_PREFIX: a block is no prefix of the port. */
RESULT port_remove_prefixes(struct op *op, const struct port *port, struct cidrs blocks, struct str field);
/* Mark all of a port's prefixes deleted; forget those that are marked. */
RESULT port_delete_prefixes(struct op *op, uuid port);
RESULT port_forget_prefixes(struct op *op, uuid port);
