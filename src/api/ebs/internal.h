/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ebs/: a call, its row in the tables, and the tokens that answers contain. */
#pragma once

#include "api/core/dispatch.h"
#include "api/core/rest.h"
#include "api/ebs/ebs.h"
#include "base/json_write.h"
#include "drivers/disk_blocks.h"
#include "engine/operation.h"

enum {
	EBS_PAGE_MIN = 100, /* blocks on a page */
	EBS_PAGE_MAX = 10000,
};
#define GIB (INT64_C(1) << 30)
#define EBS_BLOCK_TOKEN_US (7 * 24 * HOUR) /* lifetime of block tokens */
#define EBS_PAGE_TOKEN_US HOUR

struct ebs_call {
	API_CALL_BASE;
	json_t *body; /* valid until prepare has ended */
};

struct ebs_action {
	REST_ACTION_BASE;
	RESULT (*prepare)(struct ebs_call *e, void *args);
	RESULT (*answer)(struct ebs_call *e, const void *args, struct json_writer *w);
	int status;         /* of success; 0: 200 */
	bool has_document;  /* parameters are in a JSON body; else in path, query and headers */
	bool answers_bytes; /* answer() fills w->out itself */
};
#define EBS_ACTION(word) .name = (word), .permit = "ebs:" word

API_DEFINE_FACE(ebs)

extern const struct api_actions ebs_block_actions, ebs_snapshot_actions;

/* ---- tokens.c: opaque to clients, signed with a key that is derived from the region's master key ---- */

/* Permits reading one block of one snapshot until it expires. In the arena; at most 256 characters. */
RESULT ebs_write_block_token(struct ebs_call *e, uuid snapshot, int64_t index, int64_t expires_us,
			     struct str *ret_token);
/* ERR_INVALID with the field blockToken: not a token of ours for that block, or expired. */
RESULT ebs_check_block_token(struct ebs_call *e, struct str token, uuid snapshot, int64_t index);

/* The beginning of a list's next page. first: none for the blocks of one snapshot. */
struct ebs_page {
	uuid first, second;
	int64_t from; /* block */
};
RESULT ebs_write_page_token(struct ebs_call *e, const struct ebs_page *page, struct str *ret_token);
/* Sets page->from. ERR_INVALID with the field pageToken: made for other snapshots, or expired. */
RESULT ebs_read_page_token(struct ebs_call *e, struct str token, struct ebs_page *page);
