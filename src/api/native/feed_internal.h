/* SPDX-License-Identifier: Apache-2.0
 * Private to feed.c and feed_note.c: the ring and its viewers. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "api/native/feed.h"
#include "base/exec.h"
#include "model/identity.h"

/* A row that a publish changed, or a row whose JSON depends on a changed row. */
struct feed_entry {
	uint64_t commit;
	uuid id, before, after; /* owning accounts before and after the change */
	uint8_t kind;
	bool is_for_all; /* the row has no account */
	bool was_shared; /* other accounts saw the row before the change */
	bool is_new;     /* created by this publish: viewers have not seen the row */
	bool is_policy;  /* the row affects policies, which are evaluated when a stream begins */
	bool is_right;   /* the row affects rights of people */
	bool is_last;    /* last entry of the frame for this row; used by the actor only */
};

struct viewer {
	struct viewer *next;
	struct viewer *next_admitted, *previous_admitted;
	struct feed *feed;
	struct http_stream *stream;
	struct identity who, plain; /* plain: the identity without administrator rights */
	struct token token;
	bool kinds[KIND_COUNT], all[KIND_COUNT], needs_reset, was_weighed;
	uint64_t position, rights_position; /* next ring entries to send, and to check for rights */
	int64_t silent_since_us;
	int64_t expires_us; /* expiry of the token or the temporary credentials; 0: no expiry */
	int64_t weighed_us; /* last check of the token: repeated, because an application credential expires without a commit */
	const char *why;        /* reason of `bye`, once the viewer is to end; NULL: it goes on */
	_Atomic bool is_behind; /* the stream wakes the feed when it has sent all */
	_Atomic bool is_gone;
};

struct feed {
	struct store *store;
	struct tokens *tokens;
	struct actor *actor;
	struct job wake, tick;
	pthread_mutex_t lock;    /* guards the ring, the newcomers and the flags; viewers are the actor's */
	struct feed_entry *ring; /* entry n is at n % FEED_RING */
	uint64_t head;           /* number of the next entry */
	uint64_t first_commit, last_commit; /* commit before the first entry; commit of the last entry */
	struct viewer *newcomers;
	struct viewer *admitted; /* all viewers from admission to release */
	unsigned viewer_count;
	bool is_woken, is_over, listens;
	int64_t nonce; /* distinguishes this process from earlier ones in event ids */
	/* used by the actor only: */
	struct viewer *viewers;
	uint64_t seen_head;
	_Atomic uint64_t frames, rows, resets, byes, cut;
};

/* Adds the rows of a publish to the ring (feed_note.c). Runs on the committer's thread; the caller holds the lock. */
void feed_note(struct feed *f, const struct tables *t, const struct published *published, uint64_t commit);
