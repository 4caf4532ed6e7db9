/* SPDX-License-Identifier: Apache-2.0
 * Passwords: Argon2id, and how often somebody may guess. Hashing takes tens of milliseconds and as much
 * memory as the settings say, so at most a few go on at a time and the others wait: not for the committer,
 * nor for a thread that others wait for. For these there is a lane (base/lane.h).
 *
 * Who guessed wrong too often is not let in for a while, not even with the right password (auth/guess.h), and
 * neither the answer nor what it costs says so: whoever is asked for, known, unknown or locked, one hash is
 * made. Any thread. */
#pragma once

#include "auth/guess.h"
#include "base/lane.h"

struct passwords;

struct passwords_config {
	int64_t memory_kib, passes; /* what one hash costs */
	int64_t failures_max;       /* wrong guesses in a row from an address; 0: any number */
	int64_t locked_us;          /* it is not let in after those, from the last one */
};

enum {
	PASSWORD_SIZE_MAX = 4096,
	PASSWORDS_AT_ONCE = 4,
	PASSWORDS_WAITING_MAX = 128,   /* work that waits or is done */
	PASSWORDS_WAITING_OF_ONE = 16, /* of one asker's */
};

/* ERR_NO_MEMORY; one hash is made. The executor must live longer. */
RESULT passwords_new(struct ctx *c, struct executor *executor, const struct passwords_config *config,
		     struct passwords **ret_passwords);
/* NULL: nothing. What waits ends with ERR_GONE. */
void passwords_free(struct passwords *p);
DEFINE_AUTO(passwords)

/* Where work that hashes is done. */
struct lane *passwords_lane(struct passwords *p);

/* In its usual encoding, with a new salt: "$argon2id$v=19$m=…". ERR_INVALID: empty or over PASSWORD_SIZE_MAX.
 */
RESULT password_hash(struct passwords *p, struct ctx *c, struct str plain, struct str *ret_hash);

enum password_verdict { PASSWORD_RIGHT, PASSWORD_WRONG, PASSWORD_LOCKED };

/* Whether plain is what hash was made of. An empty hash is nobody's password; a guesser of nobody's is not
 * counted. PASSWORD_LOCKED is told to clients as PASSWORD_WRONG is. */
enum password_verdict password_check(struct passwords *p, struct ctx *c, const struct guesser *who,
				     struct str hash, struct str plain);
/* How many passwords were checked against a hash since the start. */
uint64_t passwords_count_checks(const struct passwords *p);
/* A password for somebody who has none yet: 24 characters that are easy to type. In c's arena. */
struct str password_draw(struct ctx *c);
