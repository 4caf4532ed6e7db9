/* SPDX-License-Identifier: Apache-2.0
 * Actions and calls: the members that all faces share. A face's own action and call begin with these members
 * (API_ACTION_BASE, API_CALL_BASE), so that its handlers reach them by name; the core reaches the same
 * memory as a struct api_action and a struct api_call. */
#pragma once

#include "api/core/params.h"
#include "api/core/park.h"

struct api_call;
struct api_config;
struct api_error;
struct api_errors;
struct api_face;
struct api_listing;
struct api_protocol;

/* ---- actions ---- */

enum api_action_flag {
	API_WRITES = 1 << 0,   /* changes something, mostly by an operation */
	API_OBSERVES = 1 << 1, /* asks a host */
	API_OPEN = 1 << 2, /* no authentication before the action, which may authenticate by its parameters */
	API_FOR_ALL =
		1 << 3, /* needs neither a role nor a permission; the guard still decides about each row */
	API_CHANGES_BY_TIME = 1 << 4, /* its answer changes without a commit, so it is not cached */
	API_OF_FACE = 1 << 8,         /* the first of the face's own flags */
};

/* .returns of a change whose answer needs no row of the store as the change left it. */
#define API_RETURNS_NOTHING_STORED KIND_COUNT

/* Members of an action, which is a const row beside its handlers:
 *   name       the action's name in the log; NULL: its permit
 *   permit     the action's name in policies: "ec2:RunInstances"; the change's name, too
 *   flags      enum api_action_flag, and the face's own
 *   args       the table that fills a struct of args.size bytes from the parameters
 *   sets       bools of the args that are true in every call: API_SETS(struct args, wish.is_alone)
 *   operation  the engine's operation that makes the change, on the committer. The args begin with its wish
 *   look       reads from the host e->host, on that host's thread
 *   work       slow work before the operation, or before the answer; on e->lane, or on a thread of e->image.
 *              Its argument is the call
 *   undo       removes traces of the work outside the store, such as a file, if the work or the operation
 *              fails. It runs where the work ran. Such work begins after prepare has found the rows that the
 *              call names, and the guard has permitted them
 *   returns    the kind of rows that the answer of a change is written from: api_find_returned() finds them as
 *              the change left them, since another call may have changed them meanwhile
 *   listing    makes the answer a list of rows (api/core/listing.h); NULL: it is no list, or the face's own
 *   doc        one sentence for the documentation
 *   never      the reason, if it always finds nothing or is always refused; NULL: it is an ordinary action */
#define API_ACTION_MEMBERS                                                                                   \
	const char *name;                                                                                    \
	const char *permit;                                                                                  \
	unsigned flags;                                                                                      \
	struct params args;                                                                                  \
	uint16_t sets[3];                                                                                    \
	op_run operation;                                                                                    \
	RESULT (*look)(struct observation * o, const struct compute_driver *driver, struct compute_host *h); \
	RESULT (*work)(struct work_item * w);                                                                \
	void (*undo)(struct work_item * w);                                                                  \
	enum kind returns;                                                                                   \
	const struct api_listing *listing;                                                                   \
	const char *doc;                                                                                     \
	const char *never;

struct api_action {
	API_ACTION_MEMBERS
};
/* Offset of a bool in the args, + 1. */
#define API_SETS(T, member) offsetof(T, member) + 1

/* The beginning of a face's own action; OpenStack's has more members before it. */
#define API_ACTION_BASE                                                                                      \
	union {                                                                                              \
		struct {                                                                                     \
			API_ACTION_MEMBERS                                                                   \
		};                                                                                           \
		struct api_action core;                                                                      \
	}

/* The actions of one file: rows of the face's own struct. */
struct api_actions {
	const struct api_action *first;
	size_t count, row_size;
};
#define API_ACTIONS(rows)                                                                                    \
	{                                                                                                    \
		&(rows)[0].core, sizeof(rows) / sizeof(rows)[0], sizeof(rows)[0]                             \
	}
static inline const struct api_action *api_action_at(const struct api_actions *group, size_t k)
{
	return (const struct api_action *) ((const char *) group->first + k * group->row_size);
}

/* All groups of a face whose actions are found by their names. */
struct api_groups {
	const struct api_actions *const *at;
	size_t count;
	bool ignores_case; /* of names */
};

/* ---- calls ---- */

/* Members of a call, which lives in the HTTP call's arena. The core sets call, c, face, protocol and config; the face's find() sets action
 * and audited (api_choose_action()). The face may set
 *   errors, part      the rows that its failures are looked up in (api/core/problem.h); at first the protocol's
 *   pairs             names and values of the request, if the protocol has such; the face's find() reads them
 *   error             the row of the call's failure; NULL: the one that the problem leads to
 * Handlers set the others, in prepare:
 *   args              the values of the parameters: arg_count structs of arg_size bytes, mostly one
 *                     (api_new_args())
 *   lane, image       the lane that does the work (NULL: the face's own), or the image whose thread does it
 *   threads           threads that do the work instead; NULL: there are none
 *   asker             the user whose share of the lane the work counts in; none: the caller
 *   host              the host that look reads from; none: look is not called
 *   skips_work, skips_operation   there is nothing to do
 *   records_answer    the audit record tells of the secret in the answer, not of the change before it
 *   is_dry            a success is undone, and fails with ERR_DRY_RUN
 *   returns           the action's .returns for this call, where it depends on the parameters
 *   status            of success, until the answer is written; 0: 200
 *   content_type      of the answer; the protocol's at first
 *   has_no_body       the answer ends with its headers
 *   file, file_size   the answer is this file; 0: none
 * forward is NULL in a process that writes. audit is NULL when the call is not recorded. view is open from
 * api_tables() to the end of prepare, or of the answer: a parked call holds no view. */
#define API_CALL_MEMBERS                                                                                     \
	struct call *call;                                                                                   \
	struct ctx *c;                                                                                       \
	struct api_face *face;                                                                               \
	const struct api_protocol *protocol;                                                                 \
	const struct api_config *config;                                                                     \
	const struct api_errors *errors;                                                                     \
	const struct api_error *error;                                                                       \
	unsigned part;                                                                                       \
	struct pairs pairs;                                                                                  \
	const struct api_action *action;                                                                     \
	const struct audited *audited;                                                                       \
	struct audit_call *audit;                                                                            \
	const struct api_forward *forward;                                                                   \
	void *args;                                                                                          \
	size_t arg_count, arg_size;                                                                          \
	struct api_change change;                                                                            \
	struct lane *lane;                                                                                   \
	const struct api_threads *threads;                                                                   \
	struct result refusal; /* kept while the work is undone */                                           \
	struct problem refusal_problem;                                                                      \
	uuid image, asker, host;                                                                             \
	enum kind returns;                                                                                   \
	const char *content_type;                                                                            \
	int status, file;                                                                                    \
	int64_t file_size;                                                                                   \
	bool skips_work, skips_operation, records_answer;                                                    \
	bool is_dry, has_no_body, has_headers;                                                               \
	struct view view;

struct api_call {
	API_CALL_MEMBERS
};

#define API_CALL_BASE                                                                                        \
	union {                                                                                              \
		struct {                                                                                     \
			API_CALL_MEMBERS                                                                     \
		};                                                                                           \
		struct api_call core;                                                                        \
	}

/* The URL by which the client reached us: "https://cloud.example.com". In the arena. */
struct str api_base_url(const struct api_call *e);
/* In prepare and in answers: the tables of a view, opened at the first call. */
const struct tables *api_tables(struct api_call *e);
/* In answers: closes the view early, so that a long answer does not keep old rows in memory. */
void api_release_tables(struct api_call *e);
/* In answers: a row of the kind that the action returns, as its change left it. If the change put no such row, as it is
 * now. ERR_NOT_FOUND: it is gone. */
RESULT api_find_returned(struct api_call *e, uuid id, const struct row **ret_row);
/* Records the call, whose row of the audit table says AUDIT_WHEN_SAID, in the audit log. In prepare and in answers. */
void api_audit(struct api_call *e);
/* Zeroed args for the call. ERR_NO_MEMORY. */
RESULT api_new_args(struct api_call *e, size_t count, size_t size);

/* Defines the casts and the functions above in the face's own types: x_call_of(), x_action_of() and so on. The face has a
 * struct x_call that begins with a struct api_call `core`, and a struct x_action that has a struct api_action `core`. */
#define API_DEFINE_FACE(x)                                                                                   \
	static inline struct x##_call *x##_call_of(struct api_call *core)                                    \
	{                                                                                                    \
		return (struct x##_call *) core;                                                             \
	}                                                                                                    \
	static inline const struct x##_action *x##_row_of(const struct api_action *core)                     \
	{                                                                                                    \
		return (const struct x##_action *) ((const char *) core -                                    \
						    offsetof(struct x##_action, core));                      \
	}                                                                                                    \
	static inline const struct x##_action *x##_action_of(const struct x##_call *e)                       \
	{                                                                                                    \
		return x##_row_of(e->action);                                                                \
	}                                                                                                    \
	static inline const struct tables *x##_tables(struct x##_call *e)                                    \
	{                                                                                                    \
		return api_tables(&e->core);                                                                 \
	}                                                                                                    \
	static inline void x##_release_tables(struct x##_call *e)                                            \
	{                                                                                                    \
		api_release_tables(&e->core);                                                                \
	}                                                                                                    \
	static inline RESULT x##_find_returned(struct x##_call *e, uuid id, const struct row **ret_row)      \
	{                                                                                                    \
		return api_find_returned(&e->core, id, ret_row);                                             \
	}                                                                                                    \
	static inline void x##_audit(struct x##_call *e)                                                     \
	{                                                                                                    \
		api_audit(&e->core);                                                                         \
	}
