/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of ports' prefixes. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct port_prefixes_wish;

/* The prefix that has the address in a subnet, be it marked deleted: nobody else gets the address; NULL: none. */
const struct port_prefix *port_prefix_around(const struct tables *t, uuid subnet, struct ip ip);
/* The live one that has it in a router: where the address leads. */
const struct port_prefix *port_prefix_around_in_router(const struct tables *t, uuid router, struct ip ip);
size_t port_count_prefixes(const struct tables *t, uuid port, enum ip_family family);
/* How many the port would have more than now. */
size_t port_count_new_prefixes(const struct tables *t, uuid port, const struct port_prefixes_wish *wish);
/* With KIND_PORT_PREFIX: ERR_INVALID, not of that length; ERR_RANGE, not the subnet's, or kept from ports;
 * ERR_EXISTS, something is in it; ERR_CAPACITY, there is none left. */
RESULT port_add_prefixes(struct op *op, const struct port *port, const struct subnet *subnet,
			 const struct port_prefixes_wish *wish, struct cidrs *ret_made);
/* ERR_INVALID with KIND_PORT_PREFIX: not one of the port's. */
RESULT port_remove_prefixes(struct op *op, const struct port *port, struct cidrs blocks, struct str field);
/* Marks all of a port's deleted; forgets those that are. */
RESULT port_delete_prefixes(struct op *op, uuid port);
RESULT port_forget_prefixes(struct op *op, uuid port);
