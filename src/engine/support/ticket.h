/* SPDX-License-Identifier: Apache-2.0
 * Support tickets and their messages. A ticket can be at several desks (desk.h); its state follows from
 * theirs and from the customer's wish (model/ticket_state.h). Each field has one owner; other parties'
 * changes of it become messages. What a desk is to receive goes into the outbox (ticket_sending) in the same
 * change, and reconcile/support/ticket_link.c sends it. ticket_sync.h receives what desks report. */
#pragma once

#include "engine/operation.h"
#include "engine/resolve.h"
#include "model/support_ticket.h"
#include "model/ticket_state.h"

struct ticket_attachment;
struct ticket_message;

enum {
	SUPPORT_TICKETS_MAX = 10000,
	TICKET_ATTACHMENTS_MAX = 10000,
	TICKET_MESSAGES_MAX = 1000,
	TICKET_LINKS_MAX = 8,
	TICKET_RESOURCES_MAX = 20,
	TICKET_COPIES_MAX = 10,
	TICKET_SUBJECT_MAX = 255,      /* characters */
	TICKET_BODY_MAX = 64 * 1024,   /* bytes */
	TICKET_FILE_MAX = 25 << 20,    /* bytes per file */
	TICKET_FILES_MAX = 100 << 20,  /* bytes of all files of a ticket */
	TICKET_SET_FILES_MAX = 3,      /* per attachment set of AWS Support */
	TICKET_SET_FILE_MAX = 5 << 20, /* bytes per file of such a set */
};
/* Lifetime of an unused attachment set; how long a resolved ticket may be reopened; the setting for the
 * automatic closing. */
#define TICKET_SET_US HOUR
#define TICKET_REOPEN_US (14 * 24 * HOUR)
#define SETTING_TICKET_CLOSE_S STR("tickets.close_after_s")
enum { TICKET_CLOSE_S = 7 * 24 * 3600 };

ENGINE_FINDER(support_ticket, KIND_SUPPORT_TICKET)

/* The present state, for the tables of a change or a view. ret_ball: the links that determine it; may be
 * NULL. */
enum ticket_state engine_get_ticket_state(const struct tables *t, const struct support_ticket *ticket,
					  struct ticket_ball *ret_ball);
/* True if the customer answered after the last state change and nobody else has written since. */
bool engine_is_ticket_answered(const struct tables *t, const struct support_ticket *ticket);

struct link_report;
/* Opens a ticket. ERR_NOT_FOUND with KIND_TICKET_ATTACHMENT: there is no such attachment set; ERR_EXPIRED. */
struct ticket_wish {
	struct ref owner; /* administrators only: the ticket's account; not given: the caller's */
	struct str subject, body;
	enum support_ticket_about about;
	enum support_ticket_severity severity;
	struct str service, category, language;
	struct strs copies, resources;
	bool shares_address;
	uuid set; /* attachment set; valid if has_set */
	bool has_set;
	struct str author; /* author at a desk; otherwise the caller's name is used */
	uuid desk;         /* the desk that opened the ticket; none: a customer, or the operator */
	struct str foreign_id;
	struct link_report *said; /* further details from the desk; its link is set here. NULL: none */
	/* result: */
	uuid ticket;
};
OPERATION(engine_open_ticket, ticket_wish)
/* Finds a resource that a ticket of the account may name: one of its own, by UUID or EC2's id. ERR_NOT_FOUND,
 * with the same text if it does not exist or belongs to another account. */
RESULT engine_find_ticket_resource(struct ctx *c, const struct tables *t, uuid account, struct str text,
				   enum kind *ret_kind, const struct row **ret_row);

/* Adds a message. Reopens a resolved ticket; for a closed one opens a follow-up ticket. */
struct ticket_saying {
	struct ref ticket;
	struct str body;
	bool is_private; /* an internal note of the operator */
	uuid set;
	bool has_set;
	/* results: */
	uuid message;
	uuid said_in; /* the ticket, or its follow-up */
};
OPERATION(engine_say_in_ticket, ticket_saying)

/* Sets the customer's wish: resolved, closed or cancelled; "open" reopens a resolved ticket. ERR_STATE. */
struct ticket_change {
	struct ref ticket;
	enum support_ticket_wish wish;
	/* results: */
	enum ticket_state before, after;
	bool was_reopened, was_answered;
};
OPERATION(engine_change_ticket, ticket_change)

/* ERR_STATE: the ticket is over. */
struct ticket_rating {
	struct ref ticket;
	enum support_ticket_severity severity;
};
OPERATION(engine_rate_ticket, ticket_rating)

/* For the operator: sets the state of a ticket that no desk owns. ERR_STATE: a desk owns the ticket and its
 * state. */
struct ticket_work {
	struct ref ticket;
	enum support_ticket_operator_state state;
};
OPERATION(engine_work_on_ticket, ticket_work)

/* For the operator: replaces a message's text, here only. */
struct ticket_redaction {
	struct ref ticket;
	int64_t number;  /* number of the message */
	struct str body; /* the replacement text */
};
OPERATION(engine_redact_ticket, ticket_redaction)

/* ---- files ---- */

/* The content is already in the ticket directory, sealed; see drivers/ticket_file.h. */
struct ticket_file {
	uuid id;
	struct str name, media_type, sha256;
	int64_t size;
};

/* Adds files to an attachment set, to be used when opening a ticket or adding a message. ERR_NOT_FOUND,
 * ERR_EXPIRED: the set; ERR_TOO_LARGE: over the set's limits. */
struct ticket_set_wish {
	uuid set; /* none: creates a set */
	const struct ticket_file *files;
	size_t file_count;
	/* results: */
	uuid made;
	int64_t expires_us;
};
OPERATION(engine_fill_ticket_set, ticket_set_wish)
/* Checks, before files are stored, that the account's set (none: a new one) has room for `more` files. Errors
 * as above. */
RESULT engine_check_ticket_set(struct ctx *c, const struct tables *t, uuid account, uuid set, size_t more,
			       int64_t now_us);

/* Attaches a file to a ticket. */
struct ticket_attaching {
	struct ref ticket;
	struct ticket_file file;
	bool is_private;
};
OPERATION(engine_attach_to_ticket, ticket_attaching)
/* ERR_STATE, with the field: the ticket is over. */
struct support_ticket;
RESULT engine_check_ticket_takes_files(struct ctx *c, const struct tables *t,
				       const struct support_ticket *ticket, struct str field);

/* For the reconciler: forgets expired attachment sets. Their files are removed afterwards. */
struct ticket_sweep {
	int64_t count;
};
SYSTEM_OPERATION(engine_sweep_ticket_sets, ticket_sweep)

/* For the reconciler: attaches the facts gathered about a ticket's resources. */
struct ticket_facts {
	uuid ticket;
	struct ticket_file files[2];
	size_t file_count;
};
SYSTEM_OPERATION(engine_see_ticket_facts, ticket_facts)
/* When a resolved ticket closes automatically; 0: never, or not resolved. */
int64_t engine_get_ticket_close_us(const struct tables *t, const struct support_ticket *ticket);
struct ticket_target {
	uuid ticket;
};
SYSTEM_OPERATION(engine_close_ticket_in_time, ticket_target)
/* For the operator: requests the facts again. */
struct ticket_refresh {
	struct ref ticket;
};
OPERATION(engine_refresh_ticket_facts, ticket_refresh)
