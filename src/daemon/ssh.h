/* SPDX-License-Identifier: Apache-2.0
 * Hosts by `ssh`, OpenSSH's own program as a child of the command that the operator typed: keys, agents, jump hosts and
 * ~/.ssh/config are the operator's, and the server never holds them. ssh asks nothing here. */
#pragma once

#include "base/child.h"

struct ssh {
	struct str address; /* as ssh takes it: root@ADDRESS */
	const char *
		known_hosts; /* ours: the only file whose keys are trusted; NULL: those that the operator trusts */
};

/* Neither becomes an option of ssh or a word of its shell. ERR_INVALID. */
RESULT ssh_check_address(struct ctx *c, struct str address);
bool ssh_has_only(struct str text, const char *others); /* letters, digits and these; not empty */
/* 'a'\''b': one word of a shell, whatever it holds; in the arena. */
struct str ssh_quote(struct arena *a, struct str text);
/* What another machine said, for a terminal: without control characters. */
struct str ssh_make_plain(struct arena *a, struct str text);

/* `ssh address sh -s` with the script on its standard input. Blocks. */
RESULT ssh_run(struct ctx *c, const struct ssh *ssh, struct str script, int64_t timeout_us,
	       struct child_end *ret_end);

/* ---- a host's key, in a file of ours */

struct ssh_host_key {
	struct str line;        /* as the file has it: NAME TYPE KEY */
	struct str type;        /* "ssh-ed25519" */
	struct str fingerprint; /* "SHA256:…", as ssh and ssh-keygen -l write it */
};
/* A line of the file. ERR_INVALID: it is none. */
RESULT ssh_read_key(struct ctx *c, struct str line, struct ssh_host_key *ret_key);
/* The one that is trusted for the address. ERR_NOT_FOUND. */
RESULT ssh_find_key(struct ctx *c, const struct ssh *ssh, struct ssh_host_key *ret_key);
/* Asks the host for it, by the same way and to no other end: nobody logs in, and no key of the operator's is shown. */
RESULT ssh_learn_key(struct ctx *c, const struct ssh *ssh, struct ssh_host_key *ret_key);
/* From now on this one is trusted for the address, and no other. */
RESULT ssh_trust_key(struct ctx *c, const struct ssh *ssh, const struct ssh_host_key *key);
