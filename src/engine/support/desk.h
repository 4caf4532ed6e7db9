/* SPDX-License-Identifier: Apache-2.0
 * Desks: support systems that tickets are linked with. The operator's commands make them. drivers/desk.h is what is
 * asked of one. */
#pragma once

#include "engine/operation.h"
#include "model/desk.h"

enum { DESKS_MAX = 100, DESK_POLL_S = 30, DESK_POLL_MIN_S = 1, DESK_POLL_MAX_S = 3600 };
/* The condition of a desk that does not answer, and of tickets that wait for one. */
#define DESK_UNREACHABLE "DeskUnreachable"
/* Of a ticket: a desk has refused something of it. */
#define DESK_REFUSED "DeskRefused"
/* Likewise: messages come as fast as from a machine that answers itself. */
#define DESK_ECHOES "DeskEchoes"

/* Makes a desk, or changes what is said of it: empty texts and negative numbers leave it as it is. */
struct desk_wish {
	uuid id; /* of a new one, under which the secret is sealed */
	struct str name, url, queue, login;
	int driver, mode, role; /* the enums of model/desk.h; -1: as it is */
	struct str secret;      /* sealed */
	struct str inbound_sha256;
	bool has_options, has_products, has_accounts;
	struct tags options;
	struct strs products;
	struct refs accounts;
	struct ref opens_for;
	int64_t poll_s;
	enum choice off;
	/* made or found: */
	uuid desk;
};
OPERATION(engine_put_desk, desk_wish)

/* ERR_IN_USE: tickets are linked with it, unless forced: then they are not any more. */
struct desk_target {
	struct str name;
	bool forced;
};
OPERATION(engine_delete_desk, desk_target)

/* A desk that is called by that name; NULL: none. */
const struct desk *engine_find_desk(const struct tables *t, struct str name);

/* Links a ticket with a desk, or ends that. ERR_EXISTS: it is linked. */
struct ticket_linking {
	struct ref ticket;
	struct str desk;
	bool ends;
	bool goes_on; /* it was stopped, and may go on */
	/* made: */
	uuid link;
};
OPERATION(engine_link_ticket, ticket_linking)

/* What is dead or waits: is tried again at once, or is not sent any more. ERR_NOT_FOUND. */
struct sending_change {
	struct ref sending;
	bool drops;
};
OPERATION(engine_change_sending, sending_change)
