/* SPDX-License-Identifier: Apache-2.0
 * Tickets: what customers ask support for, and what is said of it. A ticket is at any number of desks (desk.h); its
 * state follows from theirs and from its customer's wish (model/ticket_state.h). Each field has one owner: what
 * another says of it becomes a message. What is to be at a desk is written into the outbox (ticket_sending) in
 * the same change; reconcile/support/ticket_link.c sends it. ticket_sync.h: what comes back. */
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
	TICKET_FILE_MAX = 25 << 20,    /* bytes of one file */
	TICKET_FILES_MAX = 100 << 20,  /* of a ticket's together */
	TICKET_SET_FILES_MAX = 3,      /* of AWS Support's sets */
	TICKET_SET_FILE_MAX = 5 << 20, /* likewise, each */
};
/* How long a set waits for its case; how long a resolved one may be reopened; when it closes by itself. */
#define TICKET_SET_US HOUR
#define TICKET_REOPEN_US (14 * 24 * HOUR)
#define SETTING_TICKET_CLOSE_S STR("tickets.close_after_s")
enum { TICKET_CLOSE_S = 7 * 24 * 3600 };

ENGINE_FINDER(support_ticket, KIND_SUPPORT_TICKET)

/* Its state now, and whether it was reopened, by the tables of a change or a view. ret_ball may be NULL. */
enum ticket_state engine_get_ticket_state(const struct tables *t, const struct support_ticket *ticket,
					  struct ticket_ball *ret_ball);
/* The customer has answered, and nobody has looked since. */
bool engine_is_ticket_answered(const struct tables *t, const struct support_ticket *ticket);

struct link_report;
/* Opens one. ERR_NOT_FOUND with KIND_TICKET_ATTACHMENT: there is no such set; ERR_EXPIRED. */
struct ticket_wish {
	struct ref owner; /* an administrator's: whose it is; not given: the caller's */
	struct str subject, body;
	enum support_ticket_about about;
	enum support_ticket_severity severity;
	struct str service, category, language;
	struct strs copies, resources;
	bool shares_address;
	uuid set; /* of attachments; none: no set */
	bool has_set;
	struct str author; /* of a desk: who says it; else the caller's name */
	uuid desk;         /* that has opened it; none: a customer, or the operator */
	struct str foreign_id;
	struct link_report *said; /* what the desk says of it besides; its link is set. NULL: nothing */
	/* made: */
	uuid ticket;
};
OPERATION(engine_open_ticket, ticket_wish)
/* What a ticket of the account may be about: one of the account's own resources, by its UUID or EC2's id. ERR_NOT_FOUND, in
 * the same words whether there is none or it is another account's. */
RESULT engine_find_ticket_resource(struct ctx *c, const struct tables *t, uuid account, struct str text,
				   enum kind *ret_kind, const struct row **ret_row);

/* Says something in it. Resolved, it is reopened; closed, another is opened that goes on with it. */
struct ticket_saying {
	struct ref ticket;
	struct str body;
	bool is_private; /* the operator's own note */
	uuid set;
	bool has_set;
	/* made: */
	uuid message;
	uuid said_in; /* the ticket, or the one that goes on with it */
};
OPERATION(engine_say_in_ticket, ticket_saying)

/* What its customer wants of it: resolved, closed or cancelled; open reopens a resolved one. ERR_STATE. */
struct ticket_change {
	struct ref ticket;
	enum support_ticket_wish wish;
	/* what came of it: */
	enum ticket_state before, after;
	bool was_reopened, was_answered;
};
OPERATION(engine_change_ticket, ticket_change)

/* ERR_STATE: it is over. */
struct ticket_rating {
	struct ref ticket;
	enum support_ticket_severity severity;
};
OPERATION(engine_rate_ticket, ticket_rating)

/* The operator's: of a ticket that no operator's desk has. ERR_STATE: one has it, whose state counts. */
struct ticket_work {
	struct ref ticket;
	enum support_ticket_operator_state state;
};
OPERATION(engine_work_on_ticket, ticket_work)

/* The operator's: takes a message's words away, here. */
struct ticket_redaction {
	struct ref ticket;
	int64_t number;  /* of the message */
	struct str body; /* what stands there instead */
};
OPERATION(engine_redact_ticket, ticket_redaction)

/* ---- files ---- */

/* Their content is in the ticket directory already, sealed; see drivers/ticket_file.h. */
struct ticket_file {
	uuid id;
	struct str name, media_type, sha256;
	int64_t size;
};

/* Files for a set that a case is opened with, or something is said with. ERR_NOT_FOUND, ERR_EXPIRED: the set;
 * ERR_TOO_LARGE: it is over its limits. */
struct ticket_set_wish {
	uuid set; /* none: a new one */
	const struct ticket_file *files;
	size_t file_count;
	/* made: */
	uuid made;
	int64_t expires_us;
};
OPERATION(engine_fill_ticket_set, ticket_set_wish)
/* Checks, before files are stored, that a set (none: a new one) of the account takes `more` files. Errors as above. */
RESULT engine_check_ticket_set(struct ctx *c, const struct tables *t, uuid account, uuid set, size_t more,
			       int64_t now_us);

/* Attaches a file to a ticket, with a message that says so. */
struct ticket_attaching {
	struct ref ticket;
	struct ticket_file file;
	bool is_private;
};
OPERATION(engine_attach_to_ticket, ticket_attaching)
/* ERR_STATE, about the field: the ticket is over. */
struct support_ticket;
RESULT engine_check_ticket_takes_files(struct ctx *c, const struct tables *t,
				       const struct support_ticket *ticket, struct str field);

/* For the reconciler: sets that nobody used. Their files go when the rows are gone. */
struct ticket_sweep {
	int64_t count;
};
OPERATION(engine_sweep_ticket_sets, ticket_sweep)

/* For the reconciler: what a ticket's time has come for. Facts that were gathered; a resolved one closes. */
struct ticket_facts {
	uuid ticket;
	struct ticket_file files[2];
	size_t file_count;
};
OPERATION(engine_see_ticket_facts, ticket_facts)
/* When it closes by itself; 0: never, or not yet. */
int64_t engine_get_ticket_close_us(const struct tables *t, const struct support_ticket *ticket);
struct ticket_target {
	uuid ticket;
};
OPERATION(engine_close_ticket_in_time, ticket_target)
/* The operator asks that its facts be gathered anew. */
struct ticket_refresh {
	struct ref ticket;
};
OPERATION(engine_refresh_ticket_facts, ticket_refresh)

/* When an account goes, its tickets do. */
RESULT tickets_forget_of_account(struct op *op, uuid account);
