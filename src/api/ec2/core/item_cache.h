/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: a bounded cache of rendered items. What an item says follows from its row, from
 * what is part of that, from a few kinds that many rows share and from who reads: the newest commit of
 * each is the key, compared whole. What is found is never stale, and what is not asked for any more is
 * replaced. It may be dropped at any time. Any thread. */
#pragma once

#include "base/buf.h"
#include "model/row.h"

struct ec2_item_cache;

/* An item with a longer key, or a longer text, is not cached. */
enum { EC2_ITEM_KEY_MAX = 512, EC2_ITEM_CACHED_MAX = 8 * 1024 };

/* Begins with the row's id; the bytes behind size mean nothing. */
struct ec2_item_key {
	size_t size;
	bool is_too_long;
	uint8_t bytes[EC2_ITEM_KEY_MAX];
};

/* In this order, and always the same ones: a batch has no length in front, a text has. */
void ec2_item_key_init(struct ec2_item_key *key, uuid id);
void ec2_item_key_add_commit(struct ec2_item_key *key, uint64_t commit);
void ec2_item_key_add_text(struct ec2_item_key *key, struct str text);

/* A cached item. It stays as it is until whoever took it drops it. */
struct ec2_cached_item;

/* NULL when out of memory. At most 144 MiB, some 40 of instances as they mostly are, taken as items come;
 * what is taken comes on top. */
struct ec2_item_cache *ec2_item_cache_new(void);
void ec2_item_cache_free(struct ec2_item_cache *m); /* NULL: nothing */

/* What is cached under that key, or NULL. */
struct ec2_cached_item *ec2_item_cache_take(struct ec2_item_cache *m, const struct ec2_item_key *key);
struct str ec2_cached_text(const struct ec2_cached_item *item);
void ec2_cached_drop(struct ec2_cached_item *item);
/* Caches what was written, if it is short enough and there is memory. */
void ec2_item_cache_add(struct ec2_item_cache *m, const struct ec2_item_key *key, struct str item);
