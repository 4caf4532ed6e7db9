/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: a bounded memo of rendered items. What an item says follows from the versions
 * of the rows it was gathered from and from who reads, so these are the key, compared whole: what is
 * found is never stale, and what is not asked for any more is replaced. It may be dropped at any
 * time. Any thread. */
#pragma once

#include "base/buf.h"
#include "model/row.h"

struct ec2_memo;

/* An item with a longer key, or a longer text, is not kept. */
enum { EC2_MEMO_KEY_MAX = 768, EC2_MEMO_ITEM_MAX = 8 * 1024 };

/* Empty: size 0, not too long; the bytes behind size mean nothing. */
struct ec2_memo_key {
	size_t size;
	bool is_too_long;
	uint8_t bytes[EC2_MEMO_KEY_MAX];
};

/* In the order in which the item was gathered, its own row first. A row is named by its id and the
 * commit that published it; NULL, one that is gone, is part of the key as well. */
void ec2_memo_add_row(struct ec2_memo_key *key, const struct row *row);
void ec2_memo_add_text(struct ec2_memo_key *key, struct str text);

/* NULL when out of memory. At most 18 MiB, taken as items come. */
struct ec2_memo *ec2_memo_new(void);
void ec2_memo_free(struct ec2_memo *m); /* NULL: nothing */

/* Appends the item that was kept under that key; false: there is none, nothing was written. */
bool ec2_memo_write(struct ec2_memo *m, const struct ec2_memo_key *key, struct buf *out);
/* Keeps what was written, if it is short enough and there is memory. */
void ec2_memo_keep(struct ec2_memo *m, const struct ec2_memo_key *key, struct str item);
