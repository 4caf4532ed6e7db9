/* SPDX-License-Identifier: Apache-2.0
 * What comes back from desks, as the reconciler reports it and TMF621's face takes it. What is gone meanwhile: OK, and nothing
 * happens. Each thing that a desk tells is taken once (ticket_seen). */
#pragma once

#include "engine/support/ticket.h"
#include "model/ticket_link.h"
#include "model/ticket_sending.h"

/* What a desk answered when it was asked what is new. */
struct desk_report {
	uuid desk;
	struct str problem; /* empty: it answered */
	struct str cursor;  /* the next one; empty: as it is */
	bool has_skew;
	int64_t skew_s;
	struct strs changed; /* foreign ids with news */
	bool asks_all;       /* it cannot say which: every link is to be looked at */
};
OPERATION(engine_see_desk, desk_report)

/* A desk says that something is new: whether that is so is looked up. */
struct link_wake {
	uuid desk;
	struct str foreign_id;
};
OPERATION(engine_wake_link, link_wake)

/* The ticket is at the desk. */
struct link_made {
	uuid link;
	struct str foreign_id, foreign_number, foreign_url;
};
OPERATION(engine_see_link_made, link_made)

/* Something that a desk tells of a ticket. */
struct desk_item {
	struct str origin; /* the desk's id of it */
	struct str author, body;
	int64_t told_us;
	bool is_private; /* is noted as seen, and nothing of it is kept */
	bool has_file;
	struct ticket_file file; /* in the ticket directory */
};

/* What a look at one link found. */
struct link_report {
	uuid link;
	bool has_state;
	enum ticket_state state;
	struct str foreign_state, foreign_version, read_to;
	bool has_severity;
	enum ticket_link_severity severity;
	const struct desk_item *items;
	size_t item_count;
	bool is_current; /* the look was one of its own: nothing more is to be asked */
	/* ERR_CONFLICT: the document is not document_was any more. */
	bool has_document;
	struct str document, document_was;
};
OPERATION(engine_see_link, link_report)

/* What became of a sending. */
struct sending_report {
	uuid sending;
	bool is_sent;
	struct str origin; /* what the desk calls what came of it; empty: nothing */
	int64_t removed;   /* secrets that were taken out */
	struct str problem;
	bool is_final;    /* it is not tried again */
	int64_t retry_us; /* else: when */
};
OPERATION(engine_see_sending, sending_report)

/* The first that waits for a link; NULL: nothing does. */
const struct ticket_sending *engine_next_sending(const struct tables *t, uuid link);
