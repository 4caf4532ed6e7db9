/* SPDX-License-Identifier: Apache-2.0
 * Access to hosts by OpenSSH's `ssh`, run as a child of the operator's command: keys, agents, jump hosts and
 * ~/.ssh/config are the operator's, and the server never has them. ssh doesn't prompt here. */
#pragma once

#include "base/child.h"

struct ssh {
	struct str address; /* in ssh's form: root@ADDRESS */
	const char *
		known_hosts; /* our file, the only source of trusted keys; NULL: the operator's known_hosts files */
};

/* Ensures that the address is neither an ssh option nor special to a shell. ERR_INVALID. */
RESULT ssh_check_address(struct ctx *c, struct str address);
bool ssh_has_only(struct str text, const char *others); /* nonempty, only letters, digits and these */
/* Quotes text as one shell word: 'a'\''b'; in the arena. */
struct str ssh_quote(struct arena *a, struct str text);
/* Removes control characters from a remote machine's output. */
struct str ssh_make_plain(struct arena *a, struct str text);

/* Runs `ssh address sh -s` with the script on standard input. Blocks. */
RESULT ssh_run(struct ctx *c, const struct ssh *ssh, struct str script, int64_t timeout_us,
	       struct child_end *ret_end);

/* ---- a host's key, in a file of ours */

struct ssh_host_key {
	struct str line;        /* as in the file: NAME TYPE KEY */
	struct str type;        /* "ssh-ed25519" */
	struct str fingerprint; /* "SHA256:…", as shown by ssh and ssh-keygen -l */
};
/* Parses a line of the file. ERR_INVALID. */
RESULT ssh_read_key(struct ctx *c, struct str line, struct ssh_host_key *ret_key);
/* The trusted key for the address. ERR_NOT_FOUND. */
RESULT ssh_find_key(struct ctx *c, const struct ssh *ssh, struct ssh_host_key *ret_key);
/* Fetches the host's key over the same route, without logging in or using the operator's keys. */
RESULT ssh_learn_key(struct ctx *c, const struct ssh *ssh, struct ssh_host_key *ret_key);
/* Makes this the only trusted key for the address. */
RESULT ssh_trust_key(struct ctx *c, const struct ssh *ssh, const struct ssh_host_key *key);
