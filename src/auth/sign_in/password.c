/* SPDX-License-Identifier: Apache-2.0
 * Password hashing with libargon2. */
#include "auth/sign_in/password.h"

#include <argon2.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/crypto.h"
#include "base/heap.h"
#include "base/random.h"

enum { SALT_SIZE = 16, HASH_SIZE = 32, ENCODED_SIZE = 128, DRAWN_SIZE = 24 };

struct passwords {
	struct lane *lane;
	struct passwords_config config;
	pthread_mutex_t lock;   /* guards hashing, the number of hashes under way */
	pthread_cond_t is_free; /* signalled when a hash is complete */
	int hashing;
	struct login_throttle *guesses, *code_guesses;
	_Atomic uint64_t checks;
	const struct login_directory *directory; /* NULL: none */
	struct store *store;                     /* where the directory's people become users */
	char decoy[ENCODED_SIZE];                /* hash of the present cost that matches no password */
};

static RESULT make_hash(struct passwords *p, struct ctx *c, struct str plain,
			char ret_text[static ENCODED_SIZE])
{
	uint8_t salt[SALT_SIZE];
	random_bytes(salt, sizeof salt);
	int code =
		argon2id_hash_encoded((uint32_t) p->config.passes, (uint32_t) p->config.memory_kib, 1,
				      plain.p, plain.n, salt, sizeof salt, HASH_SIZE, ret_text, ENCODED_SIZE);
	if (code == ARGON2_MEMORY_ALLOCATION_ERROR)
		return ctx_no_memory(c);
	return code == ARGON2_OK
		       ? OK
		       : ctx_fail(c, ERR_INTERNAL, "cannot hash a password: %s", argon2_error_message(code));
}

RESULT passwords_new(struct ctx *c, struct executor *executor, const struct passwords_config *config,
		     struct passwords **ret_passwords)
{
	AUTO(passwords) p = heap_new(struct passwords);
	if (!p)
		return ctx_no_memory(c);
	p->config = *config;
	(void) pthread_mutex_init(&p->lock, NULL);
	(void) pthread_cond_init(&p->is_free, NULL);
	TRY(login_throttle_new(c, config->failures_max, config->locked_us, &p->guesses));
	TRY(login_throttle_new(c, config->failures_max, config->locked_us, &p->code_guesses));
	const struct lane_config lane = {executor,
					 "passwords",
					 lane_count_threads(),
					 PASSWORDS_WAITING_MAX,
					 PASSWORDS_WAITING_OF_ONE,
					 PASSWORDS_WAITING_MAX / 8};
	TRY(lane_new(c, &lane, &p->lane));
	TRY(make_hash(p, c, password_draw(c), p->decoy));
	*ret_passwords = p;
	p = NULL;
	return OK;
}

void passwords_free(struct passwords *p)
{
	if (!p)
		return;
	lane_free(p->lane);
	login_throttle_free(p->guesses);
	login_throttle_free(p->code_guesses);
	(void) pthread_cond_destroy(&p->is_free);
	(void) pthread_mutex_destroy(&p->lock);
	heap_free(p);
}

struct lane *passwords_lane(struct passwords *p)
{
	return p->lane;
}

/* ---- a few at a time ---- */

static void begin_hashing(struct passwords *p)
{
	(void) pthread_mutex_lock(&p->lock);
	while (p->hashing >= PASSWORDS_AT_ONCE)
		(void) pthread_cond_wait(&p->is_free, &p->lock);
	p->hashing++;
	(void) pthread_mutex_unlock(&p->lock);
}

static void end_hashing(struct passwords *p)
{
	(void) pthread_mutex_lock(&p->lock);
	p->hashing--;
	(void) pthread_cond_signal(&p->is_free);
	(void) pthread_mutex_unlock(&p->lock);
}

RESULT password_hash(struct passwords *p, struct ctx *c, struct str plain, struct str *ret_hash)
{
	char text[ENCODED_SIZE];
	if (plain.n < 1 || plain.n > PASSWORD_SIZE_MAX)
		return ctx_fail(c, ERR_INVALID, "A password has 1 to %d bytes.", PASSWORD_SIZE_MAX);
	begin_hashing(p);
	struct result r = make_hash(p, c, plain, text);
	end_hashing(p);
	TRY(r);
	*ret_hash = str_copy(c->arena, str_from(text));
	return ret_hash->p ? OK : ctx_no_memory(c);
}

/* ---- checking ---- */

enum password_verdict password_check(struct passwords *p, struct ctx *c, const struct login_attempt *who,
				     struct str hash, struct str plain)
{
	bool may_try = login_throttle_may_try(p->guesses, who);
	const char *encoded = hash.n ? str_to_z(c->arena, hash) : p->decoy;
	bool is_sane = plain.n >= 1 && plain.n <= PASSWORD_SIZE_MAX;
	begin_hashing(p);
	bool is_right =
		argon2id_verify(encoded, is_sane ? plain.p : "", is_sane ? plain.n : 0) == ARGON2_OK &&
		hash.n && is_sane;
	end_hashing(p);
	p->checks++;
	if (!may_try) /* hashed anyway, so that the time does not reveal the lock */
		return PASSWORD_LOCKED;
	login_throttle_note(p->guesses, who, is_right);
	return is_right ? PASSWORD_RIGHT : PASSWORD_WRONG;
}

bool password_is_one_of(struct passwords *p, struct ctx *c, const struct strs *hashes, struct str plain)
{
	bool is_one = false;
	for (size_t k = 0; k < hashes->count && !is_one; k++) {
		const char *encoded = str_to_z(c->arena, hashes->at[k]);
		begin_hashing(p);
		is_one = encoded && argon2id_verify(encoded, plain.p, plain.n) == ARGON2_OK;
		end_hashing(p);
	}
	return is_one;
}

uint64_t passwords_count_checks(const struct passwords *p)
{
	return p->checks;
}

struct str password_draw(struct ctx *c)
{
	/* without letters that look alike */
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint8_t drawn[DRAWN_SIZE];
	char text[DRAWN_SIZE];
	random_bytes(drawn, sizeof drawn);
	for (size_t k = 0; k < sizeof text; k++)
		text[k] = letters[drawn[k] & 31];
	struct str password = str_copy(c->arena, (struct str){text, sizeof text});
	crypto_wipe(text, sizeof text);
	crypto_wipe(drawn, sizeof drawn);
	return password;
}

struct login_throttle *passwords_get_code_guesses(struct passwords *p)
{
	return p->code_guesses;
}

struct login_throttle *passwords_get_guesses(struct passwords *p)
{
	return p->guesses;
}

void passwords_set_directory(struct passwords *p, const struct login_directory *d, struct store *store)
{
	p->directory = d;
	p->store = store;
}

const struct login_directory *passwords_get_directory(const struct passwords *p)
{
	return p->directory;
}

struct store *passwords_get_store(const struct passwords *p)
{
	return p->store;
}
