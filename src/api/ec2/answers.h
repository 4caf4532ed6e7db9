/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: a bounded memo of whole answers. What a read answers follows from the published
 * rows, who asks and the parameters; while nothing was committed since, the next caller gets the same
 * bytes, sent from where they are, with a request id of its own. So a region in which many poll and
 * little changes spends its time on the network. It may be dropped at any time. Any thread. */
#pragma once

#include "base/uuid.h"
#include "http/server.h"

struct ec2_answers;

/* Shorter answers are quickly written, longer ones take too much room. */
enum { EC2_ANSWER_MIN = 8 * 1024, EC2_ANSWER_MAX = 1024 * 1024, EC2_ANSWER_DIGEST_SIZE = 64 };

struct ec2_answer_key {
	uuid account;
	uint64_t batch;                      /* the view's */
	char digest[EC2_ANSWER_DIGEST_SIZE]; /* of all parameters */
};

/* NULL when out of memory. At most 16 MiB, taken as answers come. */
struct ec2_answers *ec2_answers_new(void);
void ec2_answers_free(struct ec2_answers *m); /* NULL: nothing; answers on their way go on */

/* Answers the call if there is an answer of that key; false: there is none. */
bool ec2_answers_send(struct ec2_answers *m, const struct ec2_answer_key *key, struct call *call,
		      const char *content_type);
/* Answers the call with the body, in which its request id stands early, and keeps it for the next one
 * if its size is right. Takes the buffer's memory. */
void ec2_answers_keep(struct ec2_answers *m, const struct ec2_answer_key *key, struct call *call,
		      const char *content_type, struct buf *body);
