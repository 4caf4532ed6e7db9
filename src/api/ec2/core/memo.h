/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: a bounded memo of rendered items. What an item says follows from its row, from
 * what is part of that, from a few kinds that many rows share and from who reads: the newest commit of
 * each is the key, compared whole. What is found is never stale, and what is not asked for any more is
 * replaced. It may be dropped at any time. Any thread. */
#pragma once

#include "base/buf.h"
#include "model/row.h"

struct ec2_memo;

/* An item with a longer key, or a longer text, is not kept. */
enum { EC2_MEMO_KEY_MAX = 512, EC2_MEMO_ITEM_MAX = 8 * 1024 };

/* Begins with the row's id; the bytes behind size mean nothing. */
struct ec2_memo_key {
	size_t size;
	bool is_too_long;
	uint8_t bytes[EC2_MEMO_KEY_MAX];
};

/* In this order, and always the same ones: a batch has no length in front, a text has. */
void ec2_memo_key_init(struct ec2_memo_key *key, uuid id);
void ec2_memo_add_batch(struct ec2_memo_key *key, uint64_t batch);
void ec2_memo_add_text(struct ec2_memo_key *key, struct str text);

/* An item that was kept. It stays as it is until whoever took it drops it. */
struct ec2_kept;

/* NULL when out of memory. At most 144 MiB, some 40 of instances as they mostly are, taken as items come;
 * what is taken comes on top. */
struct ec2_memo *ec2_memo_new(void);
void ec2_memo_free(struct ec2_memo *m); /* NULL: nothing */

/* What was kept under that key, or NULL. */
struct ec2_kept *ec2_memo_take(struct ec2_memo *m, const struct ec2_memo_key *key);
struct str ec2_kept_text(const struct ec2_kept *kept);
void ec2_kept_drop(struct ec2_kept *kept);
/* Keeps what was written, if it is short enough and there is memory. */
void ec2_memo_keep(struct ec2_memo *m, const struct ec2_memo_key *key, struct str item);
