/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: transit gateways, for other files of the engine. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

struct subnet;
struct transit_attachment;
struct transit_gateway;
struct transit_route_table;

/* Find a live row. ERR_NOT_FOUND also for one that is being deleted. */
RESULT transit_find_gateway(struct op *op, const struct ref *ref, const struct transit_gateway **ret_gateway);
RESULT transit_find_attachment(struct op *op, const struct ref *ref,
			       const struct transit_attachment **ret_attachment);

/* A route table of the gateway. */
RESULT transit_table_write(struct op *op, const struct transit_gateway *gateway, struct tags tags,
			   uuid *ret_table);
/* True if the router is attached to a gateway, or an attachment of it is still in the network. */
bool transit_holds_router(const struct tables *t, uuid router);
/* Attachment that is in the subnet and not deleted, or NULL. */
const struct transit_attachment *transit_find_in_subnet(const struct tables *t, const struct subnet *subnet);
