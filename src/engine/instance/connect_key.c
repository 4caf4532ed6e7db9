/* SPDX-License-Identifier: Apache-2.0
 * Keeps the public SSH keys of EC2 Instance Connect, and checks who may send one. Called by: api/connect; read by
 * api/metadata. */
#include "engine/instance/connect_key.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/vec.h"
#include "engine/internal.h"
#include "model/state.h"
#include "store/instance.h"
#include "store/zone.h"

RESULT engine_offer_connect_key(struct op *op, struct connect_key_wish *wish)
{
	const struct instance *instance = NULL;
	TRY(engine_permit_instance(op, &wish->instance, "instance.send_key", &instance));
	const struct zone *zone = zone_find(op->head, instance->zone);
	if (wish->zone.n && (!zone || !str_equal(zone->name, wish->zone)))
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_INSTANCE,
				     "The instance '%" STR_FMT "' is not in the zone '%" STR_FMT "'.",
				     STR_ARG(wish->instance.text), STR_ARG(wish->zone));
	if (model_derive_instance_state(instance) != INSTANCE_RUNNING)
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_INSTANCE,
				     "The instance '%" STR_FMT "' is not running.",
				     STR_ARG(wish->instance.text));
	if (!instance->metadata_enabled)
		return ctx_fail_kind(op->ctx, ERR_PROTECTED, KIND_INSTANCE,
				     "The instance '%" STR_FMT
				     "' cannot read the key: its metadata is disabled (HttpEndpoint).",
				     STR_ARG(wish->instance.text));
	wish->id = instance->row.id;
	wish->account = instance->account;
	return engine_log_event(op, KIND_INSTANCE, &instance->row, "SSH key sent",
				"For the user %" STR_FMT ", for 60 seconds.", STR_ARG(wish->user));
}

/* ---- the table ---- */

struct entry {
	uuid account, instance;
	struct connect_key key; /* its texts are in `texts` */
	char *texts;            /* NULL: the entry is free */
};

struct connect_keys {
	pthread_mutex_t lock; /* protects the following member */
	struct entry at[CONNECT_KEYS_MAX];
};

struct connect_keys *connect_keys_new(void)
{
	struct connect_keys *keys = heap_new(struct connect_keys);
	if (keys)
		(void) pthread_mutex_init(&keys->lock, NULL);
	return keys;
}

void connect_keys_free(struct connect_keys *keys)
{
	if (!keys)
		return;
	for (size_t k = 0; k < CONNECT_KEYS_MAX; k++)
		heap_free(keys->at[k].texts);
	(void) pthread_mutex_destroy(&keys->lock);
	heap_free(keys);
}

static struct str move_text(char **end, struct str text)
{
	struct str copy = {*end, text.n};
	if (text.n)
		memcpy(*end, text.p, text.n);
	*end += text.n;
	return copy;
}

static bool copy_key(const struct connect_key *key, struct entry *e)
{
	char *end = e->texts = heap_alloc(key->user.n + key->line.n + 1);
	if (!end)
		return false;
	e->key = (struct connect_key){.user = move_text(&end, key->user),
				      .line = move_text(&end, key->line),
				      .until_us = key->until_us};
	return true;
}

/* A free entry; expired ones become free. NULL: the account or the region has its share. Under the lock. */
static struct entry *find_room(struct connect_keys *keys, uuid account, int64_t now_us)
{
	struct entry *room = NULL;
	size_t own = 0;
	for (size_t k = 0; k < CONNECT_KEYS_MAX; k++) {
		struct entry *e = &keys->at[k];
		if (e->texts && e->key.until_us <= now_us) {
			heap_free(e->texts);
			*e = (struct entry){0};
		}
		if (!e->texts)
			room = e;
		else
			own += uuid_equal(e->account, account);
	}
	return own < CONNECT_SHARE ? room : NULL;
}

RESULT connect_keys_add(struct connect_keys *keys, struct ctx *c, uuid account, uuid instance,
			const struct connect_key *key)
{
	struct entry next = {.account = account, .instance = instance};
	if (!copy_key(key, &next))
		return ctx_no_memory(c);
	(void) pthread_mutex_lock(&keys->lock);
	struct entry *room = find_room(keys, account, clock_now_us());
	if (room)
		*room = next;
	(void) pthread_mutex_unlock(&keys->lock);
	if (room)
		return OK;
	heap_free(next.texts);
	return ctx_fail(c, ERR_THROTTLED, "Too many keys were sent within a minute.");
}

static int compare_users(const void *a, const void *b)
{
	return str_compare(((const struct connect_key *) a)->user, ((const struct connect_key *) b)->user);
}

RESULT connect_keys_list(struct connect_keys *keys, struct arena *a, uuid instance,
			 struct connect_key_list *ret_list)
{
	VEC(struct connect_key) list = {0};
	int64_t now_us = clock_now_us();
	bool is_full = false;
	*ret_list = (struct connect_key_list){0};
	if (!keys)
		return OK;
	(void) pthread_mutex_lock(&keys->lock);
	for (size_t k = 0; k < CONNECT_KEYS_MAX && !is_full; k++) {
		const struct entry *e = &keys->at[k];
		if (!e->texts || e->key.until_us <= now_us || !uuid_equal(e->instance, instance))
			continue;
		struct connect_key copy = {.user = str_copy(a, e->key.user),
					   .line = str_copy(a, e->key.line),
					   .until_us = e->key.until_us};
		is_full = arena_is_full(a) || !VEC_PUSH(a, &list, copy);
	}
	(void) pthread_mutex_unlock(&keys->lock);
	if (is_full)
		return FAIL(NO_MEMORY);
	if (list.count)
		qsort(list.at, list.count, sizeof *list.at, compare_users);
	*ret_list = (struct connect_key_list){list.at, list.count};
	return OK;
}
