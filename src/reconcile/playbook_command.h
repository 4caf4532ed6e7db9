/* SPDX-License-Identifier: Apache-2.0
 * Private to the reconciler: the command line of a playbook's run. ansible-runner runs as the user of playbooks.user, who reads
 * neither the master key nor Dari's data, and sees no process but its own. All that it writes lies in memory of PLAYBOOK_ROOM,
 * which goes with the run. Two ways lead there, with the same limits: a transient unit of systemd if dari.service says so
 * (DARI_PLAYBOOKS), because dari itself may not change users there; otherwise namespaces and setpriv of util-linux. */
#pragma once

#include "reconcile/work.h"

enum { PLAYBOOK_WORDS_MAX = 80 };

struct playbook_command {
	const char *argv[PLAYBOOK_WORDS_MAX]; /* NULL-terminated */
	size_t count;
};

/* The inputs of a run. ident: unique among all runs. vars: a JSON object without quotes that a shell would read. */
struct playbook_run {
	struct str ident, playbook, vars;
	int64_t limit_s;
};

/* Makes the command line, in c's arena. */
RESULT playbook_command_make(struct ctx *c, const struct reconciler *r, const struct playbook_run *run,
			     struct playbook_command *ret_command);
/* Ends the processes that a killed or former server has left of a run. Only a unit outlives the server's child. */
void playbook_command_stop(struct ctx *c, const struct reconciler *r, struct str ident);
