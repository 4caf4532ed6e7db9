/* SPDX-License-Identifier: Apache-2.0
 * Private to feed.c and feed_note.c: the ring and its viewers. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "api/native/feed.h"
#include "base/exec.h"
#include "model/identity.h"

/* A row that a publish touched, or one that is shown with it. */
struct feed_entry {
	uint64_t commit;
	uuid id, before, after; /* the accounts that owned it and own it now */
	uint8_t kind;
	bool is_for_all; /* it belongs to no account */
	bool was_shared; /* other accounts saw it */
	bool is_new;     /* nobody was told of it before */
	bool is_policy;  /* it says so by policies, which are asked when a stream begins */
	bool is_right;   /* it says who may do what */
	bool is_last;    /* the actor's: no later one of the frame is about the same row */
};

struct viewer {
	struct viewer *next;
	struct viewer *next_admitted, *previous_admitted;
	struct feed *feed;
	struct http_stream *stream;
	struct identity who, plain; /* plain: as if it were no administrator */
	struct token token;
	bool kinds[KIND_COUNT], all[KIND_COUNT], needs_reset, was_weighed;
	uint64_t position, rights_position; /* in the ring: what is told next */
	int64_t silent_since_us;
	int64_t expires_us; /* when the token or the temporary credentials end; 0: neither does */
	int64_t weighed_us; /* when the token was last checked; an application credential ends without a commit */
	const char *why;        /* it ends; NULL: it does not */
	_Atomic bool is_behind; /* wakes the feed when all was sent */
	_Atomic bool is_gone;
};

struct feed {
	struct store *store;
	struct tokens *tokens;
	struct actor *actor;
	struct job wake, tick;
	pthread_mutex_t lock;
	struct feed_entry *ring;            /* entry n is at n % FEED_RING */
	uint64_t head;                      /* of the next entry */
	uint64_t first_commit, last_commit; /* before the first entry; of the last one */
	struct viewer *newcomers;
	struct viewer *admitted; /* all, from their admission until they are let go */
	unsigned viewer_count;
	bool is_woken, is_over, listens;
	int64_t nonce; /* tells this process from others in ids of events */
	/* the actor's: */
	struct viewer *viewers;
	uint64_t seen_head;
	_Atomic uint64_t frames, rows, resets, byes, cut;
};

/* feed_note.c. The lock is held; on the committer's thread. */
void feed_note(struct feed *f, const struct tables *t, const struct published *published, uint64_t commit);
