/* SPDX-License-Identifier: Apache-2.0
 * The `dari` commands: one table row each, used by both ends. The client parses the command line by
 * the row's parameters and sends them by /api/v1 (POST /commands), over the control socket or, with --url, to
 * another machine; the server runs the row's function, on a thread of its own, and answers with a text for
 * people and a value for --json. What is a list or a change of /api/v1 the client puts together itself (`ask`).
 * Commands that need no server (init, serve, …) run in the client. */
#pragma once

#include <jansson.h>

#include "daemon/daemon.h"
#include "model/id.h"
#include "model/identity.h"
#include "model/state.h"
#include "store/audit.h"

struct audited; /* api/core/audit.h */
struct asking;  /* daemon/client/ask.h */

/* One call of a command, on the server. */
struct command_call {
	struct daemon *daemon;
	struct ctx ctx; /* who: the operator, acting for no account */
	struct identity operator;
	json_t *args;    /* texts by parameter name; flags are true; borrowed */
	struct buf text; /* for people */
	json_t *value;   /* for --json; owned */
	json_t *files;   /* what the client is to write for its caller alone: whole path, text; owned */
	int status;      /* the client's exit status when the call succeeded */
	json_t *more; /* of a command that gives its answer in pieces: parameters of the next call; owned */
	bool waits;   /* that call is for what is not there yet */
	struct str from; /* "unix:uid=0,pid=123": who holds the other end */
	/* command_audit.c */
	const struct audited *audited; /* NULL: it is not recorded */
	struct audit_record record;
	bool is_recorded;
};

/* PARAM_STDIN: a flag; its text is the first line of the client's standard input. */
enum command_param_kind { PARAM_POSITIONAL, PARAM_OPTION, PARAM_FLAG, PARAM_STDIN };

struct command_param {
	const char *name; /* "zone": given as --zone ZONE */
	enum command_param_kind kind;
	bool required;
	const char *doc;
	bool is_path; /* or a URL. The client says the whole path, from where its caller is */
	bool repeats; /* an option that may be given several times: its texts are one, line by line */
};

enum { COMMAND_PARAMS_MAX = 24 };

struct command {
	const char *words; /* "account create" */
	const char *doc;
	struct command_param params[COMMAND_PARAMS_MAX];
	RESULT (*run)(struct command_call *call); /* on the server; or: */
	RESULT (*ask)(struct asking *asking);     /* by calls of /api/v1, where it is typed; or: */
	bool is_anywhere; /* also from another machine: it is about rows, and about nothing else of the server's machine */
	bool pages; /* it may give its answer in pieces; --json: a line for each element */
	int (*run_here)(const struct command *command, json_t *args,
			const char *config_path); /* exit status */
	bool (*is_here)(const json_t *args);      /* of a command with both: whether these are for run_here */
};

/* The rows of each file, ended by one without words. */
extern const struct command init_commands[], local_commands[], login_commands[], row_commands[],
	change_commands[], rc_commands[], account_commands[], user_commands[], host_commands[],
	host_change_commands[], host_check_commands[], host_add_commands[], host_sign_commands[],
	fence_commands[], pool_commands[], prices_commands[], bill_commands[], billing_commands[],
	webhook_commands[], signup_commands[], commitment_commands[], network_commands[],
	subscriptions_commands[], subscriptions_report_commands[], ticket_commands[], desk_commands[],
	image_commands[], image_get_commands[], log_commands[], store_commands[], inspect_commands[],
	leftover_commands[], doctor_commands[], whatif_commands[], dump_commands[];

/* Behind the last of its parameters. */
const struct command_param *command_params_end(const struct command *command);

/* The command whose words are those, or NULL. */
const struct command *command_find(struct str words);
/* Calls each for every command there is, in the order of the help. */
void command_each(void (*each)(void *arg, const struct command *command), void *arg);

/* A call by the operator, its memory from the arena; and the end of what it holds besides. */
void command_call_init(struct command_call *call, struct daemon *d, struct arena *a);
void command_call_done(struct command_call *call);

/* A parameter's text; empty when not given. */
struct str command_arg(const struct command_call *call, const char *name);
/* A size or count; ERR_INVALID naming the parameter. absent: when it was not given. */
RESULT command_int_arg(struct command_call *call, const char *name, int64_t absent, int64_t min, int64_t max,
		       int64_t *ret_value);
/* By EC2's id, or a whole UUID. ERR_INVALID: it is neither. */
RESULT command_id_arg(struct command_call *call, const char *name, enum kind kind, struct ref *ret_ref);
/* An account by its name, number or id, as the parameter of that name says; empty: a ref to nothing. */
struct ref command_account_ref(struct command_call *call, struct str text, const char *name);
/* One of the words, which end with NULL, as its number; ERR_INVALID naming all of them. */
RESULT command_word_arg(struct command_call *call, const char *name, const char *const *words, int absent,
			int *ret_value);
/* For whom it acts: the operator, or an administrator elsewhere, who acts as the operator under their own name. who stays
 * the caller's. */
void command_act_for(struct command_call *call, const struct identity *who);
/* ERR_DENIED: it cannot be had from elsewhere, or not with these parameters. */
RESULT command_check_remote(struct command_call *call, const struct command *command);
/* Before a command: what the audit log is to have of it. And behind it: without its record a read fails. */
void command_begin_audit(struct command_call *call, const struct command *command,
			 const struct identity *who);
RESULT command_end_audit(struct command_call *call, struct result result);
/* Runs an operation and waits; with the command's audit record, where it has one. */
RESULT command_commit(struct command_call *call, const char *action, op_run run, void *wish);
/* Runs a command as if the operator typed it, before there is a control socket; the audit log has nothing of it.
 * Takes args. *ret_text, if not NULL: what it says, in c's arena; empty where that was there already, which is
 * no failure. */
RESULT command_run_typed(struct daemon *d, struct ctx *c, const char *words, json_t *args,
			 struct str *ret_text);

/* ticket_facts.c: what the region knows of what a ticket names. As reconcile_write_facts; self: the daemon. */
RESULT ticket_facts_write(void *self, struct ctx *c, uuid ticket, struct str *ret_text, struct str *ret_json);

/* ---- the client ---- */

/* What Open vSwitch on this machine has as external_ids:KEY; empty: nothing, or it does not answer. commands_init.c */
struct str command_ask_ovs(struct ctx *c, struct str ovs_database, const char *key);
/* Has the server run a command, for one that runs here; what it answers for --json. ret_value may be NULL; the caller
 * releases it. args are borrowed. A failure is the server's own, or ERR_GONE when it is not reached. */
RESULT client_ask(struct ctx *c, const char *config_path, const char *words, json_t *args,
		  json_t **ret_value);
/* commands_host_add.c: `dari host add root@…` and `dari host remove … --undo` */
bool command_host_add_is_here(const json_t *args);
int command_host_add(const struct command *command, json_t *args, const char *config_path);
bool command_host_undo_is_here(const json_t *args);
int command_host_undo(const struct command *command, json_t *args, const char *config_path);

/* Parses argv by the table, runs or sends; the exit status. */
int client_main(int argc, char **argv);
