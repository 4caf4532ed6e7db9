/* SPDX-License-Identifier: Apache-2.0
 * Makes snapshots from blocks: StartSnapshot, PutSnapshotBlock, CompleteSnapshot. */
#include <string.h>

#include "api/ebs/internal.h"
#include "api/query/target.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "drivers/block_upload.h"
#include "engine/acting.h"
#include "engine/resolve.h"
#include "engine/storage/snapshot/snapshot_blocks.h"
#include "model/id.h"
#include "model/snapshot.h"
#include "reconcile/reconcile.h"

/* Volumes have at most that size here; the service's limit is 65,536 GiB. */
enum { SIZE_MAX_GIB = IMAGE_RAW_SIZE_MAX_GIB, TAGS_MAX = 50, TEXT_MAX = 255 };

/* ---- StartSnapshot ---- */

struct tag_arg {
	struct str key, value;
};
struct start_args {
	struct block_snapshot_wish wish; /* first member: passed to the operation */
	int64_t size_gib;
	struct {
		struct tag_arg *at;
		size_t count;
	} tags;
};

static RESULT prepare_start(struct ebs_call *e, void *args)
{
	struct start_args *a = args;
	uint8_t digest[SHA256_SIZE];
	struct tag *tags = arena_new_array(e->c->arena, struct tag, a->tags.count + 1);
	char *text = json_dumps(e->body, JSON_SORT_KEYS | JSON_COMPACT);
	if (text)
		crypto_sha256(str_from(text), digest);
	free(text);
	if (!tags || !text)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->tags.count; k++)
		tags[k] = (struct tag){a->tags.at[k].key, a->tags.at[k].value};
	a->wish.tags = (struct tags){tags, a->tags.count};
	a->wish.digest = str_encode_hex(e->c->arena, digest, sizeof digest);
	a->wish.size = a->size_gib * GIB;
	a->wish.timeout_min = a->wish.timeout_min ? a->wish.timeout_min : 60;
	return OK;
}

static RESULT answer_start(struct ebs_call *e, const void *args, struct json_writer *w)
{
	const struct start_args *a = args;
	const struct row *row = NULL;
	TRY(ebs_find_returned(e, a->wish.snapshot, &row));
	const struct snapshot *s = snapshot_of(row);
	struct str number = engine_account_number(ebs_tables(e), s->account);
	json_write_text(w, "SnapshotId", id_to_ec2(e->c->arena, KIND_SNAPSHOT, row->id));
	json_write_text(w, "OwnerId", number);
	json_write_z(w, "Status", "pending");
	json_write_int(w, "StartTime", row->created_us / SECOND);
	json_write_int(w, "VolumeSize", s->volume_size / GIB);
	json_write_int(w, "BlockSize", DISK_BLOCK_SIZE);
	if (s->description.n)
		json_write_text(w, "Description", s->description);
	if (!uuid_is_none(s->blocks_parent))
		json_write_text(w, "ParentSnapshotId",
				id_to_ec2(e->c->arena, KIND_SNAPSHOT, s->blocks_parent));
	if (!s->tags.count)
		return OK;
	target_write_tags(w, "Tags", s->tags);
	return OK;
}

/* ---- PutSnapshotBlock and CompleteSnapshot ---- */

/* Finds the caller's snapshot, which must take blocks. */
static RESULT find_open(struct ebs_call *e, const struct ref *ref, struct block_upload *ret_upload)
{
	const char *directory = reconciler_image_directory(e->config->reconciler);
	const struct snapshot *s = NULL;
	TRY(engine_find_own_snapshot(e->c, ebs_tables(e), ref, &s));
	if (!engine_snapshot_takes_blocks(s))
		return ctx_fail_field(e->c, ERR_STATE, ref->field,
				      "The snapshot '%" STR_FMT "' is not pending.", STR_ARG(ref->text));
	if (!directory)
		return ctx_fail(e->c, ERR_GONE, "This region has no image store.");
	*ret_upload =
		(struct block_upload){str_to_z(e->c->arena, str_from(directory)), s->row.id, s->volume_size};
	return ret_upload->directory ? OK : ctx_no_memory(e->c);
}

struct put_args {
	struct ref snapshot;
	int64_t index, length, progress;
	struct str checksum, algorithm;
	struct block_upload upload;
	uint8_t digest[SHA256_SIZE];
};

static RESULT prepare_put(struct ebs_call *e, void *args)
{
	struct put_args *a = args;
	struct str body = e->call->body;
	TRY(find_open(e, &a->snapshot, &a->upload));
	if (a->index >= disk_blocks_count(a->upload.size))
		return ctx_fail_field(e->c, ERR_INVALID, STR("blockIndex"), "The snapshot has %lld blocks.",
				      (long long) disk_blocks_count(a->upload.size));
	if (body.n == DISK_BLOCK_SIZE)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("DataLength"),
			      "A block has exactly %d bytes; %zu were sent.", DISK_BLOCK_SIZE, body.n);
}

/* The header x-amz-Checksum has the block's SHA-256 in base64 (EBS direct APIs, PutSnapshotBlock). */
static RESULT put_block(struct work_item *w)
{
	struct ebs_call *e = w->arg;
	struct put_args *a = e->args;
	crypto_sha256(e->call->body, a->digest);
	struct str right =
		str_encode_base64(e->c->arena, (struct str){(const char *) a->digest, SHA256_SIZE});
	if (!str_equal(right, a->checksum))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Checksum"),
				      "The checksum is not that of the block.");
	return block_upload_put(e->c, &a->upload, a->index, (const uint8_t *) e->call->body.p, a->digest);
}

static RESULT answer_put(struct ebs_call *e, const void *args, struct json_writer *w)
{
	const struct put_args *a = args;
	(void) w;
	call_set_answer_header(e->call, "x-amz-Checksum", a->checksum);
	call_set_answer_header(e->call, "x-amz-Checksum-Algorithm", STR("SHA256"));
	return OK;
}

struct complete_args {
	struct block_snapshot_target wish; /* first member: passed to the operation */
	int64_t count;
	struct str checksum, algorithm, method;
	struct block_upload upload;
};

static RESULT prepare_complete(struct ebs_call *e, void *args)
{
	struct complete_args *a = args;
	return find_open(e, &a->wish.snapshot, &a->upload);
}

/* The linear checksum is the SHA-256 over the blocks' SHA-256 values in order, as bytes: so AWS's own tool coldsnap makes
 * it, which the service accepts. */
static RESULT check_blocks(struct work_item *w)
{
	struct ebs_call *e = w->arg;
	struct complete_args *a = e->args;
	struct block_upload_sum sum;
	TRY(block_upload_sum(e->c, &a->upload, &sum));
	if (sum.count != a->count)
		return ctx_fail_field(e->c, ERR_INVALID, STR("ChangedBlocksCount"),
				      "%lld blocks were written, not %lld.", (long long) sum.count,
				      (long long) a->count);
	struct str said = STR_NONE;
	bool is_right =
		!a->checksum.n || (result_is_ok(str_decode_base64(e->c->arena, a->checksum, &said)) &&
				   str_equal(str_encode_hex(e->c->arena, said.p, said.n), sum.sha256));
	return is_right ? OK
			: ctx_fail_field(e->c, ERR_INVALID, STR("Checksum"),
					 "The checksum is not that of the blocks.");
}

static RESULT answer_complete(struct ebs_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_z(w, "Status", "pending");
	return OK;
}

/* ---- the rows ---- */

static const struct param tag_rows[] = {
	PARAM(struct tag_arg, "Key", key, .max = 127, .doc = "Tag key."),
	PARAM(struct tag_arg, "Value", value, .max = 255, .doc = "Tag value."),
};
static const struct params tag_params = PARAMS(struct tag_arg, tag_rows);
static const struct param start_params[] = {
	PARAM(struct start_args, "VolumeSize", size_gib, .flags = REQUIRED, .min = 1, .max = SIZE_MAX_GIB,
	      .doc = "Size of the volume in GiB."),
	PARAM(struct start_args, "ParentSnapshotId", wish.parent, .kind = KIND_SNAPSHOT, .max = 64,
	      .doc = "Parent snapshot, some of whose blocks are replaced."),
	PARAM_LIST(struct start_args, "Tags", tags, tag_params, .max = TAGS_MAX,
		   .doc = "Tags of the snapshot."),
	PARAM(struct start_args, "Description", wish.description, .max = TEXT_MAX,
	      .doc = "Description: free text."),
	PARAM(struct start_args, "ClientToken", wish.client_token, .max = TEXT_MAX,
	      .doc = "Idempotency token: a repeated request returns the snapshot of the first one."),
	PARAM(struct start_args, "Encrypted", wish.crypt.is_wanted,
	      .doc = "Whether the snapshot is encrypted."),
	NOT_BUILT("KmsKeyArn"),
	PARAM(struct start_args, "Timeout", wish.timeout_min, .min = BLOCK_SNAPSHOT_TIMEOUT_MIN,
	      .max = BLOCK_SNAPSHOT_TIMEOUT_MAX,
	      .doc = "Minutes without a block after which the snapshot fails; absent: 60."),
};
#define CHECKSUM_PARAMS(T, ...)                                                                              \
	PARAM(T, "Checksum", checksum, .max = 64, __VA_ARGS__.doc = "SHA-256 checksum in base64."),          \
		PARAM(T, "ChecksumAlgorithm", algorithm, .words = "SHA256",                                  \
		      __VA_ARGS__.doc = "Algorithm of the checksum.")
static const struct param put_params[] = {
	PARAM(struct put_args, "snapshotId", snapshot, .flags = REQUIRED, .kind = KIND_SNAPSHOT, .max = 64,
	      .doc = "The snapshot."),
	PARAM(struct put_args, "blockIndex", index, .flags = REQUIRED, .min = 0, .max = INT32_MAX,
	      .doc = "Index of the block."),
	PARAM(struct put_args, "DataLength", length, .flags = REQUIRED, .min = DISK_BLOCK_SIZE,
	      .max = DISK_BLOCK_SIZE, .doc = "Length of the body in bytes."),
	PARAM(struct put_args, "Progress", progress, .min = 0, .max = 100,
	      .doc = "Progress in percent; accepted and not shown."),
	CHECKSUM_PARAMS(struct put_args, .flags = REQUIRED, ),
};
static const struct param complete_params[] = {
	PARAM(struct complete_args, "snapshotId", wish.snapshot, .flags = REQUIRED, .kind = KIND_SNAPSHOT,
	      .max = 64, .doc = "The snapshot."),
	PARAM(struct complete_args, "ChangedBlocksCount", count, .flags = REQUIRED, .min = 0,
	      .max = INT32_MAX, .doc = "Number of blocks written."),
	CHECKSUM_PARAMS(struct complete_args),
	PARAM(struct complete_args, "ChecksumAggregationMethod", method, .words = "LINEAR",
	      .doc = "Aggregation method of the checksum."),
};

static const struct ebs_action actions[] = {
	{HTTP_POST, "/snapshots", EBS_ACTION("StartSnapshot"), .flags = API_WRITES, .status = 201,
	 .has_document = true, .args = PARAMS(struct start_args, start_params), .prepare = prepare_start,
	 .operation = engine_start_block_snapshot_run, .returns = KIND_SNAPSHOT, .answer = answer_start,
	 .doc = "Starts a snapshot that is written block by block."},
	{HTTP_PUT, "/snapshots/{snapshotId}/blocks/{blockIndex}", EBS_ACTION("PutSnapshotBlock"),
	 .flags = API_WRITES, .status = 201, .args = PARAMS(struct put_args, put_params),
	 .prepare = prepare_put, .work = put_block, .answer = answer_put, .doc = "Writes a block."},
	{HTTP_POST, "/snapshots/completion/{snapshotId}", EBS_ACTION("CompleteSnapshot"), .flags = API_WRITES,
	 .status = 202, .args = PARAMS(struct complete_args, complete_params), .prepare = prepare_complete,
	 .work = check_blocks, .operation = engine_complete_block_snapshot_run,
	 .returns = API_RETURNS_NOTHING_STORED, .answer = answer_complete,
	 .doc = "Completes a snapshot, which becomes available."},
};
const struct api_actions ebs_snapshot_actions = API_ACTIONS(actions);
