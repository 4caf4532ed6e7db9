/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: a bounded cache of rendered items. An item's text depends on its row and the row's parts, on rows of a few kinds that many items share, and on the caller: the key
 * consists of their newest commits and is compared as a whole. A hit is therefore never stale; unused items are replaced. Any
 * item may be dropped at any time. Any thread. */
#pragma once

#include "base/buf.h"
#include "base/reads.h"
#include "model/row.h"

struct ec2_item_cache;

/* An item with a longer key, or a longer text, is not cached. */
enum { EC2_ITEM_KEY_MAX = 512, EC2_ITEM_CACHED_MAX = 8 * 1024 };

/* Begins with the row's id; bytes from `size` on are unused. */
struct ec2_item_key {
	size_t size;
	bool is_too_long;
	uint8_t bytes[EC2_ITEM_KEY_MAX];
};

/* Add the parts of a key always in the same number and order: commits have no length prefix, texts have one. */
void ec2_item_key_init(struct ec2_item_key *key, uuid id);
void ec2_item_key_add_commit(struct ec2_item_key *key, uint64_t commit);
void ec2_item_key_add_text(struct ec2_item_key *key, struct str text);

/* A cached item; it stays valid and unchanged until its holder drops it. */
struct ec2_cached_item;

/* NULL: out of memory. Uses at most 144 MiB (about 40 MiB with typical instances), allocated as items are added, not counting items
 * that are held. */
struct ec2_item_cache *ec2_item_cache_new(void);
void ec2_item_cache_free(struct ec2_item_cache *m); /* NULL: nothing */

/* Finds and holds the item with that key; NULL: not cached. */
struct ec2_cached_item *ec2_item_cache_take(struct ec2_item_cache *m, const struct ec2_item_key *key);
struct str ec2_cached_text(const struct ec2_cached_item *item);
/* Adds the kinds that the item was made from to this thread's record: an answer that contains the item depends on them. */
void ec2_cached_note_reads(const struct ec2_cached_item *item);
void ec2_cached_drop(struct ec2_cached_item *item);
/* Caches an item's text, if it is short enough and memory suffices, with what this thread has read so far. An item made from figures or
 * the clock is not cached: its key has neither. */
void ec2_item_cache_add(struct ec2_item_cache *m, const struct ec2_item_key *key, struct str item);
