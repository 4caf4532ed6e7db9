/* SPDX-License-Identifier: Apache-2.0
 * The `dari` commands: a table row each, used by client and server. The client parses the command line by the
 * row's parameters and sends it by /api/v1 (POST /commands), over the control socket or, with --url, to a
 * remote machine. The server runs the row's function on a thread of its own, and answers with text for people
 * and a value for --json. Lists and changes of /api/v1 are composed by the client (`ask`). Commands that need
 * no server (init, serve, …) run in the client. */
#pragma once

#include <jansson.h>

#include "daemon/daemon.h"
#include "model/id.h"
#include "model/identity.h"
#include "model/state.h"
#include "store/audit.h"

struct audited; /* api/core/audit.h */
struct asking;  /* daemon/client/ask.h */

/* A command being run by the server. */
struct command_call {
	struct daemon *daemon;
	struct ctx ctx; /* who: the operator, acting for no account */
	struct identity operator;
	json_t *args;    /* borrowed; texts by parameter name, true for flags */
	struct buf text; /* for people */
	json_t *value;   /* owned; for --json */
	json_t *files;   /* owned; files that the client writes for its user only: absolute path, text */
	int status;      /* the client's exit status on success */
	json_t *more;    /* owned; parameters of the next call, if the answer comes in pieces */
	bool waits;      /* the next call waits for further output */
	struct str from; /* "unix:uid=0,pid=123": the peer */
	/* command_audit.c */
	const struct audited *audited; /* NULL: not recorded */
	struct audit_record record;
	bool is_recorded;
};

/* PARAM_STDIN: a flag whose text is the first line of the client's standard input. */
enum command_param_kind { PARAM_POSITIONAL, PARAM_OPTION, PARAM_FLAG, PARAM_STDIN };

struct command_param {
	const char *name; /* "zone": given as --zone ZONE */
	enum command_param_kind kind;
	bool required;
	const char *doc;
	bool is_path; /* or a URL. The client makes it absolute in its working directory */
	bool repeats; /* an option that may be repeated; values are joined by line ends */
};

enum { COMMAND_PARAMS_MAX = 24 };

struct command {
	const char *words; /* "account create" */
	const char *doc;
	struct command_param params[COMMAND_PARAMS_MAX];
	RESULT (*run)(struct command_call *call); /* on the server; or: */
	RESULT (*ask)(struct asking *asking);     /* in the client, by calls of /api/v1; or: */
	bool is_anywhere; /* available remotely: it concerns rows only, and not the server's machine */
	bool pages;       /* may answer in pieces; --json: a line per element */
	int (*run_here)(const struct command *command, json_t *args,
			const char *config_path); /* returns the exit status */
	bool (*is_here)(const json_t *args);      /* for a command with both variants: whether these
						   * arguments are for run_here */
};

/* The rows of each file; the last has no words. */
extern const struct command init_commands[], local_commands[], login_commands[], row_commands[],
	change_commands[], rc_commands[], account_commands[], user_commands[], host_commands[],
	host_change_commands[], host_check_commands[], host_add_commands[], host_sign_commands[],
	fence_commands[], pool_commands[], prices_commands[], bill_commands[], billing_commands[],
	webhook_commands[], signup_commands[], commitment_commands[], network_commands[],
	subscriptions_commands[], subscriptions_report_commands[], ticket_commands[], desk_commands[],
	image_commands[], image_get_commands[], log_commands[], store_commands[], backup_commands[],
	backup_plan_commands[], restore_commands[], inspect_commands[], leftover_commands[],
	export_commands[], doctor_commands[], whatif_commands[], dump_commands[], remote_commands[],
	migrate_commands[], sign_in_commands[], whatwas_commands[], policy_commands[], terraform_commands[],
	cluster_commands[], upgrade_commands[];

/* The end of its parameters. */
const struct command_param *command_params_end(const struct command *command);

/* The command with these words, or NULL. */
const struct command *command_find(struct str words);
/* Calls each for every command, in the order of the help. */
void command_each(void (*each)(void *arg, const struct command *command), void *arg);

/* Initialises a call by the operator, with memory from the arena; and frees everything else. */
void command_call_init(struct command_call *call, struct daemon *d, struct arena *a);
void command_call_done(struct command_call *call);

/* A parameter's text; empty: not given. */
struct str command_arg(const struct command_call *call, const char *name);
/* True if the flag was given. */
bool command_has_flag(const struct command_call *call, const char *name);
/* Parses a size or count; absent: default. ERR_INVALID names the parameter. */
RESULT command_int_arg(struct command_call *call, const char *name, int64_t absent, int64_t min, int64_t max,
		       int64_t *ret_value);
/* Parses an EC2 id or full UUID. ERR_INVALID: neither. */
RESULT command_id_arg(struct command_call *call, const char *name, enum kind kind, struct ref *ret_ref);
/* Refers to an account by name, number or id, given in that parameter; empty: no reference. */
struct ref command_account_ref(struct command_call *call, struct str text, const char *name);
/* Parses one of the words (NULL-terminated) as its index. ERR_INVALID lists them. */
RESULT command_word_arg(struct command_call *call, const char *name, const char *const *words, int absent,
			int *ret_value);
/* Sets the caller: the operator, or a remote administrator, who acts as the operator under their own name.
 * who remains the caller's. */
void command_act_for(struct command_call *call, const struct identity *who);
/* ERR_DENIED: not available remotely, or not with these parameters. */
RESULT command_check_remote(struct command_call *call, const struct command *command);
/* Prepare the audit record before a command, and write it afterwards: a read without its record fails. */
void command_begin_audit(struct command_call *call, const struct command *command,
			 const struct identity *who);
RESULT command_end_audit(struct command_call *call, struct result result);
/* Runs an operation and waits; with the command's audit record, if any. */
RESULT command_commit(struct command_call *call, const char *action, op_run run, void *wish);
/* Runs a command as if typed by the operator, before the control socket exists; not audited. Takes ownership
 * of args. *ret_text, if not NULL: its output, in c's arena; empty if the object existed already, which is no
 * failure. */
RESULT command_run_typed(struct daemon *d, struct ctx *c, const char *words, json_t *args,
			 struct str *ret_text);

/* ticket_facts.c: facts about the resources named in a ticket. Implements reconcile_write_facts; self: the
 * daemon. */
RESULT ticket_facts_write(void *self, struct ctx *c, uuid ticket, struct str *ret_text, struct str *ret_json);

/* ---- the client ---- */

/* commands_init.c. The machine's fully qualified name, or its host name if no resolver knows one. */
struct str command_full_name(struct arena *a);
/* Open vSwitch's external_ids:KEY on this machine; empty: not set, or no answer. */
struct str command_ask_ovs(struct ctx *c, struct str ovs_database, const char *key);
/* Runs a command on the server for one that runs in the client; returns its --json value. ret_value may be
 * NULL; the caller releases it. args are borrowed. Errors are the server's, or ERR_GONE if unreachable. */
RESULT client_ask(struct ctx *c, const char *config_path, const char *words, json_t *args,
		  json_t **ret_value);
/* commands_host_add.c: `dari host add root@…` and `dari host remove … --undo`. */
bool command_host_add_is_here(const json_t *args);
int command_host_add(const struct command *command, json_t *args, const char *config_path);
bool command_host_undo_is_here(const json_t *args);
int command_host_undo(const struct command *command, json_t *args, const char *config_path);

/* Parses argv and runs the command; returns the exit status. */
int client_main(int argc, char **argv);
