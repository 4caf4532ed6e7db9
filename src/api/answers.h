/* SPDX-License-Identifier: Apache-2.0
 * For faces: a bounded memo of whole answers. What a read answers follows from the published
 * rows, who asks and the parameters; while nothing was committed since, the next caller gets the same
 * bytes, sent from where they are, with a request id of its own. So a region in which many poll and
 * little changes spends its time on the network. It may be dropped at any time. Any thread. */
#pragma once

#include "base/uuid.h"
#include "http/server.h"

struct face_answers;

/* Shorter answers are quickly written, longer ones take too much room. */
enum { FACE_ANSWER_MIN = 8 * 1024, FACE_ANSWER_MAX = 1024 * 1024, FACE_ANSWER_DIGEST_SIZE = 64 };

struct face_answer_key {
	uuid account;
	uint64_t batch;                       /* the view's */
	char digest[FACE_ANSWER_DIGEST_SIZE]; /* of all parameters */
};

/* NULL when out of memory. At most 32 MiB, taken as answers come. */
struct face_answers *face_answers_new(void);
void face_answers_free(struct face_answers *m); /* NULL: nothing; answers on their way go on */

/* Answers the call if there is an answer of that key; false: there is none. */
bool face_answers_send(struct face_answers *m, const struct face_answer_key *key, struct call *call,
		       const char *content_type);
/* Answers the call with the body, and keeps it for the next one if its size is right. Where the call's
 * request id stands early in it, each call gets its own there. Takes the buffer's memory. ERR_NO_MEMORY: not
 * answered. */
RESULT face_answers_keep(struct face_answers *m, const struct face_answer_key *key, struct call *call,
			 const char *content_type, struct buf *body);
