/* SPDX-License-Identifier: Apache-2.0
 * Reports from desks, by the reconciler and TMF621's face. OK without a change if the row is gone. Each item
 * from a desk is accepted once (ticket_seen). */
#pragma once

#include "engine/support/ticket.h"
#include "model/ticket_link_words.h"

struct ticket_sending;

/* The result of polling a desk for changes. */
struct desk_report {
	uuid desk;
	struct str problem; /* empty: the desk answered */
	struct str cursor;  /* position for the next poll; empty: no change */
	bool has_skew;
	int64_t skew_s;
	struct strs changed; /* foreign ids of changed tickets */
	bool asks_all;       /* the desk cannot list changes: check every link */
};
SYSTEM_OPERATION(engine_see_desk, desk_report)

/* A desk announces a change; the reconciler then reads it. */
struct link_wake {
	uuid desk;
	struct str foreign_id;
};
SYSTEM_OPERATION(engine_wake_link, link_wake)

/* The ticket was created at the desk. */
struct link_made {
	uuid link;
	struct str foreign_id, foreign_number, foreign_url;
};
SYSTEM_OPERATION(engine_see_link_made, link_made)

/* An item of a ticket at a desk. */
struct desk_item {
	struct str origin; /* the item's id at the desk */
	struct str author, body;
	int64_t told_us;
	bool is_private; /* marked as seen, but not stored */
	bool has_file;
	struct ticket_file file; /* in the ticket directory */
};

/* The result of reading one link. */
struct link_report {
	uuid link;
	bool has_state;
	enum ticket_state state;
	struct str foreign_state, foreign_version, read_to;
	bool has_severity;
	enum ticket_link_severity severity;
	const struct desk_item *items;
	size_t item_count;
	bool is_current; /* a full read of the link: nothing more to read */
	/* ERR_CONFLICT: the document has changed since document_was. */
	bool has_document;
	struct str document, document_was;
};
OPERATION(engine_see_link, link_report)

/* The result of sending an item. */
struct sending_report {
	uuid sending;
	bool is_sent;
	struct str origin; /* the desk's id for the result; empty: none */
	int64_t removed;   /* number of secrets removed */
	struct str problem;
	bool is_final;    /* no further attempts */
	int64_t retry_us; /* otherwise the time of the next attempt */
};
SYSTEM_OPERATION(engine_see_sending, sending_report)

/* The first waiting item of a link, or NULL. */
const struct ticket_sending *engine_next_sending(const struct tables *t, uuid link);
