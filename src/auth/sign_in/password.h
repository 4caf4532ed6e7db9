/* SPDX-License-Identifier: Apache-2.0
 * Passwords: hashing with Argon2id, and login throttling (auth/sign_in/login_throttle.h). A hash takes tens of milliseconds
 * and the configured memory, so only PASSWORDS_AT_ONCE are computed at a time: never call these on the
 * committer, or on a thread that others wait for. Calls use a lane (base/lane.h).
 *
 * A locked user is refused even with the right password. Neither the answer nor its timing reveals this: one
 * hash is computed for every name, whether known, unknown or locked. Any thread. */
#pragma once

#include "auth/sign_in/login_throttle.h"
#include "base/lane.h"

struct passwords;

struct passwords_config {
	int64_t memory_kib, passes; /* cost of one hash */
	int64_t failures_max;       /* consecutive failures from one address; 0: no limit */
	int64_t locked_us;          /* lock of an address, counted from the last failure */
};

enum {
	PASSWORD_SIZE_MAX = 4096,
	PASSWORDS_AT_ONCE = 4,
	PASSWORDS_WAITING_MAX = 128,   /* pending and running work */
	PASSWORDS_WAITING_OF_ONE = 16, /* the same, for one client */
};

/* ERR_NO_MEMORY. Computes one hash, which takes as long. The executor must outlive it. */
RESULT passwords_new(struct ctx *c, struct executor *executor, const struct passwords_config *config,
		     struct passwords **ret_passwords);
/* Pending work ends with ERR_GONE. Ignores NULL. */
void passwords_free(struct passwords *p);
DEFINE_AUTO(passwords)

/* Lane for hashing. */
struct lane *passwords_lane(struct passwords *p);

/* Hashes with a new salt, encoded as "$argon2id$v=19$m=…". Blocks. ERR_INVALID: empty, or longer than
 * PASSWORD_SIZE_MAX. */
RESULT password_hash(struct passwords *p, struct ctx *c, struct str plain, struct str *ret_hash);

enum password_verdict { PASSWORD_RIGHT, PASSWORD_WRONG, PASSWORD_LOCKED };

/* Compares plain with hash. Blocks. An empty hash matches nothing. Attempts at unknown users are not counted.
 * Clients must not be able to distinguish PASSWORD_LOCKED from PASSWORD_WRONG. */
enum password_verdict password_check(struct passwords *p, struct ctx *c, const struct login_attempt *who,
				     struct str hash, struct str plain);
/* Returns true if plain is the password of one of the hashes. Blocks while each of them is hashed. Records no failed guess: the
 * caller has already proved the present password, or is an administrator. */
bool password_is_one_of(struct passwords *p, struct ctx *c, const struct strs *hashes, struct str plain);
/* Guesses at one-time codes, which whoever knows the password may try: by the same limits, counted by themselves. */
struct login_throttle *passwords_get_code_guesses(struct passwords *p);
/* Guesses at passwords: for whatever proves one without password_check(). */
struct login_throttle *passwords_get_guesses(struct passwords *p);
/* The directory that proves the passwords of a domain's people (auth/sign_in/login.h), which it borrows; NULL: none. Before the first request. */
struct login_directory;
struct store;
void passwords_set_directory(struct passwords *p, const struct login_directory *d, struct store *store);
const struct login_directory *passwords_get_directory(const struct passwords *p);
struct store *passwords_get_store(const struct passwords *p);
/* Number of passwords checked since the start. */
uint64_t passwords_count_checks(const struct passwords *p);
/* Draws an initial password of 24 characters that are easy to type, in c's arena. */
struct str password_draw(struct ctx *c);
