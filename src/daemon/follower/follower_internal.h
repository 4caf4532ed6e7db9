/* SPDX-License-Identifier: Apache-2.0
 * Shared by the files of the follower. */
#pragma once

#include "daemon/follower/follower.h"
#include "daemon/follower/peer.h"

struct lane;

/* URL of the writer, in the arena, and its epoch. Empty: unknown. Any thread. */
struct str follower_copy_writer(struct daemon *d, struct arena *a, int64_t *ret_epoch);
/* False: another process writes now, or this one ends. A writer that was asked before may stand still, and its connection
 * with it. Any thread. */
bool follower_may_wait(struct daemon *d, int64_t epoch);
/* Replaces the problem with words that tell whether the call may have taken effect. */
RESULT follower_say_unanswered(struct ctx *c, bool was_sent, struct str writer);
void follower_refuse(struct daemon *d, struct call *call, struct api_face *face);
/* Answers with what the writer has answered, on the call's thread. Takes over the answer's body. */
void follower_relay(struct daemon *d, struct call *call, struct peer_call *answer);

/* follower_download.c: answers with the stream of a large answer, whose head is set. False: no memory, or no connection; the
 * answer's body is lost. */
bool follower_stream(struct daemon *d, struct call *call, struct peer_call *answer, int64_t epoch,
		     struct lane *lane);

/* follower_upload.c: passes a call on while its body arrives. Called in begin(). */
void follower_begin_upload(struct daemon *d, struct call *call, struct api_face *face, struct lane *lane);
/* Called when the body has ended. */
void follower_end_upload(struct call *call);
