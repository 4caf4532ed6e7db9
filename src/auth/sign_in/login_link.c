/* SPDX-License-Identifier: Apache-2.0
 * One-time login links: a table of digests. */
#include "auth/sign_in/login_link.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "base/random.h"
#include "base/str.h"

enum { SECRET_SIZE = 24 };

struct slot {
	uint8_t digest[SHA256_SIZE];
	struct entry entry;
	int64_t until_us; /* 0: free */
};

struct login_links {
	pthread_mutex_t lock; /* guards the slots: of two uses of a link only one succeeds */
	struct slot at[LOGIN_LINKS_MAX];
};

struct login_links *login_links_new(void)
{
	struct login_links *e = heap_new(struct login_links);
	if (e)
		(void) pthread_mutex_init(&e->lock, NULL);
	return e;
}

void login_links_free(struct login_links *e)
{
	if (e)
		(void) pthread_mutex_destroy(&e->lock);
	heap_free(e);
}

/* With the lock held: a free slot, or the one that expires first. */
static struct slot *choose(struct login_links *e)
{
	struct slot *first = &e->at[0];
	for (size_t k = 1; k < LOGIN_LINKS_MAX; k++)
		if (e->at[k].until_us < first->until_us)
			first = &e->at[k];
	return first;
}

RESULT login_link_issue(struct login_links *e, struct ctx *c, const struct entry *entry,
			struct str *ret_secret)
{
	uint8_t secret[SECRET_SIZE];
	random_bytes(secret, sizeof secret);
	struct str text = str_encode_hex(c->arena, secret, sizeof secret);
	if (!text.p)
		return ctx_no_memory(c);
	(void) pthread_mutex_lock(&e->lock);
	struct slot *slot = choose(e);
	crypto_sha256(text, slot->digest);
	slot->entry = *entry;
	slot->until_us = clock_now_us() + (entry->lifetime_us ? entry->lifetime_us : LOGIN_LINK_LIFETIME_US);
	(void) pthread_mutex_unlock(&e->lock);
	*ret_secret = text;
	return OK;
}

bool login_link_take(struct login_links *e, struct str secret, struct entry *ret_entry)
{
	uint8_t digest[SHA256_SIZE];
	bool found = false;
	int64_t now_us = clock_now_us();
	crypto_sha256(secret, digest);
	(void) pthread_mutex_lock(&e->lock);
	for (size_t k = 0; k < LOGIN_LINKS_MAX; k++) {
		struct slot *slot = &e->at[k];
		if (slot->until_us <= now_us || memcmp(slot->digest, digest, sizeof digest) != 0)
			continue;
		*ret_entry = slot->entry;
		slot->until_us = 0;
		found = true;
	}
	(void) pthread_mutex_unlock(&e->lock);
	return found;
}
