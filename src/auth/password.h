/* SPDX-License-Identifier: Apache-2.0
 * Passwords: hashing with Argon2id, and how often somebody may guess. A hash takes tens of
 * milliseconds and as much memory as the settings say. So only a few are made at a time, and others
 * wait: never on the committer, nor on a thread that others wait for. Calls use a lane
 * (base/lane.h).
 *
 * Somebody who guessed wrong too often is not let in for a while, not even with the right password
 * (auth/guess.h). Neither the answer nor its cost says so: one hash is made for every name, known,
 * unknown or locked. Any thread. */
#pragma once

#include "auth/guess.h"
#include "base/lane.h"

struct passwords;

struct passwords_config {
	int64_t memory_kib, passes; /* the cost of one hash */
	int64_t failures_max;       /* wrong guesses in a row from one address; 0: any number */
	int64_t locked_us;          /* how long the address is locked out, from the last wrong guess on */
};

enum {
	PASSWORD_SIZE_MAX = 4096,
	PASSWORDS_AT_ONCE = 4,
	PASSWORDS_WAITING_MAX = 128,   /* work that waits or is being done */
	PASSWORDS_WAITING_OF_ONE = 16, /* the same, of one asker */
};

/* ERR_NO_MEMORY. It makes one hash, so it takes as long. The executor must live longer. */
RESULT passwords_new(struct ctx *c, struct executor *executor, const struct passwords_config *config,
		     struct passwords **ret_passwords);
/* Work that waits ends with ERR_GONE. NULL: nothing. */
void passwords_free(struct passwords *p);
DEFINE_AUTO(passwords)

/* The lane for work that hashes. */
struct lane *passwords_lane(struct passwords *p);

/* Hashes with a new salt, in the usual encoding "$argon2id$v=19$m=…". Blocks. ERR_INVALID: empty,
 * or longer than PASSWORD_SIZE_MAX. */
RESULT password_hash(struct passwords *p, struct ctx *c, struct str plain, struct str *ret_hash);

enum password_verdict { PASSWORD_RIGHT, PASSWORD_WRONG, PASSWORD_LOCKED };

/* Whether hash was made of plain. Blocks. An empty hash is nobody's password. Guesses at nobody's
 * password are not counted. Clients must not learn PASSWORD_LOCKED from PASSWORD_WRONG. */
enum password_verdict password_check(struct passwords *p, struct ctx *c, const struct guesser *who,
				     struct str hash, struct str plain);
/* Returns true if plain is the password of one of the hashes. Blocks while each of them is hashed. Records no failed guess: the
 * caller has already proved the present password, or is an administrator. */
bool password_is_one_of(struct passwords *p, struct ctx *c, const struct strs *hashes, struct str plain);
/* Guesses at one-time codes, which whoever knows the password may try: by the same limits, counted by themselves. */
struct guesses *passwords_get_code_guesses(struct passwords *p);
/* How many passwords were checked against a hash since the start. */
uint64_t passwords_count_checks(const struct passwords *p);
/* Draws a password for somebody who has none yet: 24 characters that are easy to type, in c's
 * arena. */
struct str password_draw(struct ctx *c);
