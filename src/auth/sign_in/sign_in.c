/* SPDX-License-Identifier: Apache-2.0
 * Pending sign-ins. */
#include "auth/sign_in/sign_in.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "base/random.h"

enum { SECRET_BYTES = 32, TEXT_COUNT = 6 };

struct waiting {
	struct sign_in is; /* its strings are in the block that follows */
	uint8_t secret[SHA256_SIZE];
	char code[SIGN_IN_CODE_LETTERS];
};

struct sign_ins {
	pthread_mutex_t lock; /* guards the places and what they point to */
	struct waiting *at[SIGN_INS_MAX];
};

struct sign_ins *sign_ins_new(void)
{
	struct sign_ins *s = heap_new(struct sign_ins);
	if (s)
		(void) pthread_mutex_init(&s->lock, NULL);
	return s;
}

void sign_ins_free(struct sign_ins *s)
{
	if (!s)
		return;
	for (size_t k = 0; k < SIGN_INS_MAX; k++)
		heap_free(s->at[k]);
	(void) pthread_mutex_destroy(&s->lock);
	heap_free(s);
}

static void list_texts(struct sign_in *is, struct str *ret_texts[static TEXT_COUNT])
{
	struct str *const texts[TEXT_COUNT] = {&is->client,    &is->scope, &is->redirect,
					       &is->challenge, &is->nonce, &is->name};
	memcpy(ret_texts, texts, sizeof texts);
}

/* Allocates one block with the strings and room for the name, which is set later. NULL: out of memory. */
static struct waiting *copy_waiting(const struct sign_in *wanted)
{
	struct sign_in is = *wanted;
	struct str *texts[TEXT_COUNT];
	size_t size = sizeof(struct waiting) + SIGN_IN_TEXT_MAX;
	list_texts(&is, texts);
	for (size_t k = 0; k < TEXT_COUNT; k++)
		size += texts[k]->n;
	struct waiting *w = heap_alloc(size);
	if (!w)
		return NULL;
	char *to = (char *) (w + 1) + SIGN_IN_TEXT_MAX;
	for (size_t k = 0; k < TEXT_COUNT; k++) {
		if (texts[k]->n)
			memcpy(to, texts[k]->p, texts[k]->n);
		texts[k]->p = to;
		to += texts[k]->n;
	}
	w->is = is;
	return w;
}

/* With the lock held: finds a free slot for the address, and removes expired sign-ins. SIGN_INS_MAX: none. */
static size_t find_place(struct sign_ins *s, const struct ip *peer)
{
	size_t place = SIGN_INS_MAX, count = 0;
	int64_t now_us = clock_now_us();
	for (size_t k = 0; k < SIGN_INS_MAX; k++) {
		if (s->at[k] && s->at[k]->is.expires_us <= now_us) {
			heap_free(s->at[k]);
			s->at[k] = NULL;
		}
		if (!s->at[k])
			place = k;
		else
			count += ip_equal(s->at[k]->is.peer, *peer);
	}
	return count < SIGN_INS_OF_ONE ? place : SIGN_INS_MAX;
}

static void draw_code(char code[static SIGN_IN_CODE_LETTERS])
{
	/* without letters that look alike */
	static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	uint8_t drawn[SIGN_IN_CODE_LETTERS];
	random_bytes(drawn, sizeof drawn);
	for (size_t k = 0; k < SIGN_IN_CODE_LETTERS; k++)
		code[k] = letters[drawn[k] & 31];
}

RESULT sign_ins_add(struct sign_ins *s, struct ctx *c, const struct sign_in *wanted, struct str *ret_secret,
		    struct str *ret_user_code)
{
	uint8_t drawn[SECRET_BYTES];
	struct sign_in is = *wanted;
	struct str *texts[TEXT_COUNT];
	list_texts(&is, texts);
	for (size_t k = 0; k < TEXT_COUNT; k++)
		if (texts[k]->n > SIGN_IN_TEXT_MAX)
			return ctx_fail(c, ERR_INVALID, "A text of the sign-in has more than %d characters.",
					SIGN_IN_TEXT_MAX);
	random_bytes(drawn, sizeof drawn);
	struct str secret = str_encode_base64url(c->arena, (struct str){(char *) drawn, sizeof drawn});
	struct waiting *w = secret.p ? copy_waiting(wanted) : NULL;
	if (!w)
		return ctx_no_memory(c);
	crypto_sha256(secret, w->secret);
	draw_code(w->code);
	if (ret_user_code)
		*ret_user_code = str_copy(c->arena, (struct str){w->code, sizeof w->code});
	(void) pthread_mutex_lock(&s->lock);
	size_t place = find_place(s, &wanted->peer);
	if (place < SIGN_INS_MAX)
		s->at[place] = w;
	(void) pthread_mutex_unlock(&s->lock);
	if (place == SIGN_INS_MAX) {
		heap_free(w);
		return ctx_fail(c, ERR_THROTTLED, "Too many sign-ins wait for somebody to go on with them.");
	}
	*ret_secret = secret;
	return OK;
}

/* Ignores case, spaces and hyphens in what the person typed. */
static bool is_code(const struct waiting *w, struct str typed)
{
	char code[SIGN_IN_CODE_LETTERS];
	size_t n = 0;
	for (size_t k = 0; k < typed.n; k++) {
		char c = typed.p[k];
		if (c == ' ' || c == '-')
			continue;
		if (n == sizeof code)
			return false;
		code[n++] = c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : c;
	}
	return n == sizeof code && crypto_equal(code, w->code, n);
}

bool sign_ins_prove(struct sign_ins *s, struct str user_code, uuid user, uuid tenant, struct str name,
		    int64_t proved_us)
{
	bool is_found = false;
	(void) pthread_mutex_lock(&s->lock);
	for (size_t k = 0; k < SIGN_INS_MAX && !is_found; k++) {
		struct waiting *w = s->at[k];
		if (!w || w->is.kind != SIGN_IN_DEVICE || w->is.expires_us <= proved_us || w->is.proved_us ||
		    !is_code(w, user_code) ||
		    (!uuid_is_none(w->is.tenant) && !uuid_equal(w->is.tenant, tenant)))
			continue;
		struct str kept = str_cut(name, SIGN_IN_TEXT_MAX);
		memcpy(w + 1, kept.p, kept.n);
		w->is.name = (struct str){(char *) (w + 1), kept.n};
		w->is.user = user;
		w->is.tenant = tenant;
		w->is.proved_us = proved_us;
		is_found = true;
	}
	(void) pthread_mutex_unlock(&s->lock);
	return is_found;
}

static void copy_out(struct arena *a, const struct waiting *w, struct sign_in *ret_sign_in)
{
	struct str *texts[TEXT_COUNT];
	*ret_sign_in = w->is;
	list_texts(ret_sign_in, texts);
	for (size_t k = 0; k < TEXT_COUNT; k++)
		*texts[k] = str_copy(a, *texts[k]);
}

bool sign_ins_take(struct sign_ins *s, struct ctx *c, enum sign_in_kind kind, struct str secret,
		   struct sign_in *ret_sign_in)
{
	uint8_t sum[SHA256_SIZE];
	bool is_found = false;
	crypto_sha256(secret, sum);
	(void) pthread_mutex_lock(&s->lock);
	for (size_t k = 0; k < SIGN_INS_MAX && !is_found; k++) {
		struct waiting *w = s->at[k];
		if (!w || w->is.kind != kind || !crypto_equal(w->secret, sum, sizeof sum))
			continue;
		is_found = true;
		copy_out(c->arena, w, ret_sign_in);
		if (!w->is.proved_us && w->is.expires_us > clock_now_us())
			continue;
		heap_free(w);
		s->at[k] = NULL;
	}
	(void) pthread_mutex_unlock(&s->lock);
	return is_found;
}
