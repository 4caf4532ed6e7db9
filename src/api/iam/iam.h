/* SPDX-License-Identifier: Apache-2.0
 * The IAM query API: an account's people and what they may, through every face. On the
 * listener of EC2's: a request is IAM's when its signature is. Actions are const rows (actions.c); this takes
 * calls through: who asks, which action, its parameters, whether they may, change or read, answer. */
#pragma once

#include "http/server.h"
#include "store/store.h"

struct guards;
struct limits;
struct sigv4;
struct iam_face;

struct passwords;
struct uses;

struct iam_config {
	struct store *store;
	struct sigv4 *sigv4;
	struct guards *guards;
	struct passwords *passwords;
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes */
	struct uses *uses;         /* when keys, roles and passwords were last used; NULL: as rows say */
	struct limits *limits;     /* how often who may ask; NULL: as often as they like */
};

/* ERR_NO_MEMORY. What the config points at must live as long as the face. */
RESULT iam_new(struct ctx *c, const struct iam_config *config, struct iam_face **ret_face);
void iam_free(struct iam_face *face); /* after its listeners are gone; NULL: nothing */

/* Whether a request is signed for IAM: the listener is shared with other faces. */
bool iam_has_call(const struct call *call);

/* Its chapter of docs/coverage.md: each action, what it does, which parameters are refused. */
void iam_write_coverage(struct buf *out);
/* All actions as JSON, as ec2_dump_actions(). */
void iam_dump_actions(struct buf *out);

/* For http_listen(), with the face as self. */
extern const struct http_face iam_http_face;
