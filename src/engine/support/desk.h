/* SPDX-License-Identifier: Apache-2.0
 * Desks: support systems that tickets are linked with, defined by the operator's commands. drivers/desk.h is
 * the interface of a desk. */
#pragma once

#include "engine/operation.h"
#include "model/desk_words.h"

struct desk;

enum { DESKS_MAX = 100, DESK_POLL_S = 30, DESK_POLL_MIN_S = 1, DESK_POLL_MAX_S = 3600 };
/* The condition of a desk that does not answer, and of the tickets waiting for it. */
#define DESK_UNREACHABLE "DeskUnreachable"
/* A ticket's condition: a desk refused an item. */
#define DESK_REFUSED "DeskRefused"
/* A ticket's condition: messages arrive so fast that a machine seems to answer itself. */
#define DESK_ECHOES "DeskEchoes"

/* Creates a desk, or changes it: empty texts and negative numbers leave a field unchanged. */
struct desk_wish {
	uuid id; /* id of a new desk; the secret is sealed with it */
	struct str name, url, queue, login;
	int driver, mode, role; /* the enums of model/desk.h; -1: no change */
	struct str secret;      /* sealed */
	struct str inbound_sha256;
	bool has_options, has_products, has_accounts;
	struct tags options;
	struct strs products;
	struct refs accounts;
	struct ref opens_for;
	int64_t poll_s;
	enum choice off;
	/* result: */
	uuid desk;
};
OPERATION(engine_put_desk, desk_wish)

/* ERR_IN_USE: tickets are linked with the desk, unless `forced`, which ends the links. */
struct desk_target {
	struct str name;
	bool forced;
};
OPERATION(engine_delete_desk, desk_target)

/* The desk with that name, or NULL. */
const struct desk *engine_find_desk(const struct tables *t, struct str name);

/* Links a ticket with a desk, or ends the link. ERR_EXISTS: they are linked. */
struct ticket_linking {
	struct ref ticket;
	struct str desk;
	bool ends;
	bool goes_on; /* resumes a stopped link */
	/* result: */
	uuid link;
};
OPERATION(engine_link_ticket, ticket_linking)

/* Retries a dead or waiting sending at once, or drops it. ERR_NOT_FOUND. ERR_STATE: it was delivered. */
struct sending_change {
	struct ref sending;
	bool drops;
};
OPERATION(engine_change_sending, sending_change)
