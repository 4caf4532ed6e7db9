/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: long answers, gathered from cached items (item_cache.h). Cached items are copied into a
 * short answer. A long answer only records their positions, and inserts them while it is sent, so it needs no
 * buffer of its full size. */
#pragma once

#include "api/ec2/core/item_cache.h"
#include "http/server.h"

struct ec2_fragment {
	size_t at; /* so many bytes of the answer's own text come before it */
	const struct ec2_cached_item *cached;
};

struct ec2_fragments {
	const struct ec2_fragment *at; /* as they come in the text */
	size_t count;
};

/* Answers the call, 200; takes the body's memory, and over what is cached: dropped when it was sent, on any
 * thread. ERR_NO_MEMORY: not answered, all is still the caller's. */
RESULT ec2_answer_gathered(struct call *call, const char *content_type, struct buf *body,
			   const struct ec2_fragments *fragments, struct ec2_cached_item *const *cached,
			   size_t cached_count);
