/* SPDX-License-Identifier: Apache-2.0
 * What every action of every face has, and what every call of one carries. A face's own action and call
 * begin with these members (API_ACTION_BASE, API_CALL_BASE), so that its handlers reach them by name;
 * the core reaches the same memory as a struct api_action and a struct api_call. */
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
	API_WRITES = 1 << 0,   /* changes something; has an operation, mostly */
	API_OBSERVES = 1 << 1, /* asks a host */
	API_OPEN = 1 << 2,     /* the caller proves nothing, or proves it by what the call brings */
	API_FOR_ALL = 1 << 3,  /* needs neither role nor permission; rows are decided on all the same */
	API_CHANGES_BY_TIME = 1 << 4, /* its answer changes without a commit, so it is not cached */
	API_OF_FACE = 1 << 8,         /* the first of the face's own flags */
};

/* .returns of a change whose answer is written from what was asked for, or from all that there is. */
#define API_RETURNS_NOTHING_STORED KIND_COUNT

/* Of a const row beside its handlers:
 *   name       what the log calls it; NULL: its permit
 *   permit     the action's name in policies: "ec2:RunInstances"; the change's name, too
 *   flags      enum api_action_flag, and the face's own
 *   args       the table that fills a struct of args.size bytes from the parameters
 *   operation  a change: the engine's own, on the committer. Its wish stands at the beginning of the args
 *   look       reads from the host e->host, on that host's thread
 *   work       takes its time before the operation, or before the answer; on e->lane, or for e->image. Its
 *              argument is the call
 *   undo       removes what the work leaves outside the store, such as a file, if the work or the operation
 *              fails. It runs where the work ran. Such work begins once the rows that the call names were
 *              found and permitted (prepare)
 *   returns    a change whose answer is written from rows of this kind: api_find_returned() finds them as the
 *              change left them, since another call may have changed them meanwhile
 *   listing    its answer lists rows, as api/core/listing.h does; NULL: it does not, or in the face's own way
 *   doc        one sentence for the documentation
 *   never      why it finds nothing, or is always refused; NULL: it is not so */
#define API_ACTION_MEMBERS                                                                                   \
	const char *name;                                                                                    \
	const char *permit;                                                                                  \
	unsigned flags;                                                                                      \
	struct params args;                                                                                  \
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

/* What a face's own struct begins with; OpenStack's has more before it. */
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

/* Of one call, in the HTTP call's arena. The core sets call, c, face, protocol and config; the face's find() sets action
 * and audited (api_choose_action()). The face may set
 *   errors, part      which rows its failures have (api/core/problem.h); errors is the protocol's at first
 *   pairs             what the request says, if the protocol has names and values; the face's find() reads them
 *   error             the row of a failure that no problem tells; NULL: the problem's
 * Handlers set the others, in prepare:
 *   args              what the parameters say: arg_count structs of arg_size bytes, mostly one
 *                     (api_new_args())
 *   lane, image       where work is done: on this lane (NULL: the face's own), or on a thread of the image's
 *   threads           or on one of these; NULL
 *   asker             for whom the lane counts it; none: the caller's user
 *   host              where look reads; none: nowhere, the answer knows
 *   skips_work, skips_operation   there is nothing to do
 *   records_answer    the audit log tells of what the answer hands out, not of the change before it
 *   is_dry            what would have succeeded is undone, and fails with ERR_DRY_RUN
 *   returns           instead of the action's, where it depends on the call
 *   status            of success, until the answer is written; 0: 200
 *   content_type      of the answer; the protocol's at first
 *   has_no_body       the answer ends with its headers
 *   file, file_size   the answer is this file; 0: none
 * forward is NULL in a process that writes. audit is NULL when the call is not recorded; view is open from api_tables() to the end of the answer, or of
 * prepare: a call is not parked with a view. */
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

/* "https://cloud.example.com": how the client found us. In the arena. */
struct str api_base_url(const struct api_call *e);
/* In prepare and in answers: the tables of a view, opened at the first call. */
const struct tables *api_tables(struct api_call *e);
/* In answers: what is written from now on needs no tables, and the store may reclaim them. */
void api_release_tables(struct api_call *e);
/* In answers: a row of the kind that the action returns, as its change left it, else (the change put nothing) as
 * it is now. ERR_NOT_FOUND when it is gone. */
RESULT api_find_returned(struct api_call *e, uuid id, const struct row **ret_row);
/* From here on the call is recorded, whose row of the audit table says AUDIT_WHEN_SAID. In prepare and in
 * answers. */
void api_audit(struct api_call *e);
/* Zeroed args for the call. ERR_NO_MEMORY. */
RESULT api_new_args(struct api_call *e, size_t count, size_t size);

/* What a face's handlers use, in its own types: x_call_of(), x_action_of(), and the functions above. Expects a
 * struct x_call, which begins with a struct api_call `core`, and a struct x_action, which has a struct api_action
 * `core`. */
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
