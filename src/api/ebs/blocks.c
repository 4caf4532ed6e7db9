/* SPDX-License-Identifier: Apache-2.0
 * ListSnapshotBlocks, ListChangedBlocks and GetSnapshotBlock read snapshots. The file of a completed snapshot in the image
 * store contains the whole disk, so the calls need no host. The work runs on the face's lane, since files may be slow. */
#include <string.h>

#include "api/ebs/internal.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "drivers/image/image_file.h"
#include "engine/resolve.h"
#include "engine/storage/snapshot/snapshot_blocks.h"
#include "reconcile/reconcile.h"
#include "store/snapshot.h"

/* Bytes that one page of ListChangedBlocks compares at most: it answers with a token for the rest, as the service may. */
#define COMPARED_MAX ((int64_t) 128 << 20)

/* A snapshot, copied from its row: the work runs without a view. */
struct source {
	uuid id;
	const char *path;
	int64_t size;
};

/* ---- which snapshot ---- */

static bool is_granted(const struct ebs_call *e, const struct snapshot *s)
{
	for (size_t k = 0; k < s->restorers.count; k++)
		if (uuid_equal(s->restorers.at[k], engine_get_account(e->c)))
			return true;
	return uuid_equal(s->account, engine_get_account(e->c));
}

/* Finds a completed snapshot of the caller, or one that is shared with the caller's account. AWS excludes public ones. */
static RESULT find_source(struct ebs_call *e, const struct ref *ref, struct source *ret_source)
{
	const char *directory = reconciler_image_directory(e->config->reconciler);
	const struct row *row = NULL;
	TRY(engine_find_usable(e->c, ebs_tables(e), KIND_SNAPSHOT, ref, &row));
	const struct snapshot *s = snapshot_of(row);
	if (!is_granted(e, s))
		return ctx_fail_kind(e->c, ERR_DENIED, KIND_SNAPSHOT,
				     "The snapshot '%" STR_FMT
				     "' is public: EBS direct reads own and shared ones alone.",
				     STR_ARG(ref->text));
	if (s->seen_stage != SNAPSHOT_SEEN_STAGE_KEPT || !s->sha256.n || s->plain_sha256.n)
		return ctx_fail_field(e->c, ERR_STATE, ref->field,
				      "The snapshot '%" STR_FMT "' is not completed.", STR_ARG(ref->text));
	if (s->is_encrypted)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, ref->field,
				      "The snapshot '%" STR_FMT
				      "' is encrypted: EBS direct reads unencrypted snapshots alone here.",
				      STR_ARG(ref->text));
	if (!directory)
		return ctx_fail(e->c, ERR_GONE, "This region has no image store.");
	*ret_source = (struct source){
		.id = s->row.id,
		.path = str_to_z(e->c->arena, image_file_path(e->c->arena, directory, s->sha256)),
		.size = s->volume_size};
	return ret_source->path ? OK : ctx_no_memory(e->c);
}

/* A file that is not of the store's own form is a fault of the store, or of a simulated host. */
static RESULT open_source(struct ctx *c, const struct source *source, struct qcow2_file **ret_file)
{
	struct result result = qcow2_open(c, source->path, ret_file);
	return result.code == ERR_INVALID
		       ? ctx_fail(c, ERR_UNSUPPORTED, "The snapshot has no blocks: its host is simulated.")
		       : result;
}

/* ---- lists ---- */

struct block {
	int64_t index;
	struct str first, second; /* tokens; empty: the snapshot has no data there */
};

struct list_args {
	struct ref snapshot, first_ref;
	struct str token;
	int64_t max, from;
	struct source first, second; /* a list of one snapshot has it in second */
	struct ebs_page page;
	/* results: */
	struct block *blocks;
	size_t count;
	int64_t expires_us;
	bool has_more; /* from page.from on */
};

static RESULT prepare_list(struct ebs_call *e, void *args)
{
	struct list_args *a = args;
	TRY(find_source(e, &a->snapshot, &a->second));
	if (ref_is_given(&a->first_ref))
		TRY(find_source(e, &a->first_ref, &a->first));
	if (a->first.path &&
	    !engine_are_snapshots_related(ebs_tables(e), snapshot_find(ebs_tables(e), a->first.id),
					  snapshot_find(ebs_tables(e), a->second.id)))
		return ctx_fail_field(e->c, ERR_CONFLICT, STR("firstSnapshotId"),
				      "The snapshots are not of the same volume.");
	a->page = (struct ebs_page){.first = a->first.id, .second = a->second.id, .from = a->from};
	if (a->token.n)
		TRY(ebs_read_page_token(e, a->token, &a->page));
	a->max = a->max ? a->max : EBS_PAGE_MAX;
	return OK;
}

/* Allocates here, since calls that wait for the lane should hold little. */
static RESULT begin_list(struct ebs_call *e, struct list_args *a)
{
	a->expires_us = clock_now_us() + EBS_BLOCK_TOKEN_US;
	a->blocks = arena_new_array(e->c->arena, struct block, (size_t) a->max);
	return a->blocks ? OK : ctx_no_memory(e->c);
}

/* Adds a block with a token for each side that has data. */
static RESULT add_block(struct ebs_call *e, struct list_args *a, int64_t index, bool has_first,
			bool has_second)
{
	struct block *b = &a->blocks[a->count++];
	b->index = index;
	if (has_first)
		TRY(ebs_write_block_token(e, a->first.id, index, a->expires_us, &b->first));
	return has_second ? ebs_write_block_token(e, a->second.id, index, a->expires_us, &b->second) : OK;
}

static RESULT list_blocks(struct work_item *w)
{
	struct ebs_call *e = w->arg;
	struct list_args *a = e->args;
	AUTO_QCOW2_FILE *file = NULL;
	TRY(begin_list(e, a));
	TRY(open_source(e->c, &a->second, &file));
	int64_t index = 0;
	for (; a->count < (size_t) a->max; a->page.from = index + 1) {
		TRY(disk_blocks_find_next(file, e->c, a->page.from, &index));
		if (index < 0)
			return OK;
		TRY(add_block(e, a, index, false, true));
	}
	TRY(disk_blocks_find_next(file, e->c, a->page.from, &index));
	a->has_more = index >= 0;
	return OK;
}

/* The next block of which either file has data; -1: none. */
static RESULT find_either(struct ctx *c, struct qcow2_file *const files[2], int64_t from, int64_t *ret_index)
{
	int64_t at[2];
	TRY(disk_blocks_find_next(files[0], c, from, &at[0]));
	TRY(disk_blocks_find_next(files[1], c, from, &at[1]));
	*ret_index = at[0] < 0 || (at[1] >= 0 && at[1] < at[0]) ? at[1] : at[0];
	return OK;
}

static RESULT compare_blocks(struct ebs_call *e, struct list_args *a, struct qcow2_file *const files[2])
{
	uint8_t *bytes = arena_alloc(e->c->arena, 2 * (size_t) DISK_BLOCK_SIZE);
	int64_t compared = 0, index = 0;
	if (!bytes)
		return ctx_no_memory(e->c);
	for (;; a->page.from = index + 1, compared += DISK_BLOCK_SIZE) {
		bool has[2];
		TRY(find_either(e->c, files, a->page.from, &index));
		if (index < 0)
			return OK;
		if (compared >= COMPARED_MAX || a->count == (size_t) a->max)
			break;
		TRY(disk_blocks_read(files[0], e->c, index, bytes, &has[0]));
		TRY(disk_blocks_read(files[1], e->c, index, bytes + DISK_BLOCK_SIZE, &has[1]));
		if (memcmp(bytes, bytes + DISK_BLOCK_SIZE, DISK_BLOCK_SIZE) != 0)
			TRY(add_block(e, a, index, has[0], has[1]));
	}
	a->has_more = true;
	return OK;
}

/* Compares contents, so that a list is exact whatever the snapshots were made of. Without a first snapshot every block of
 * the second one has changed. */
static RESULT list_changes(struct work_item *w)
{
	struct ebs_call *e = w->arg;
	struct list_args *a = e->args;
	AUTO_QCOW2_FILE *first = NULL;
	AUTO_QCOW2_FILE *second = NULL;
	if (!a->first.path)
		return list_blocks(w);
	TRY(begin_list(e, a));
	TRY(open_source(e->c, &a->first, &first));
	TRY(open_source(e->c, &a->second, &second));
	return compare_blocks(e, a, (struct qcow2_file *const[]){first, second});
}

static void write_blocks(const struct list_args *a, bool is_changes, struct json_writer *w)
{
	json_write_open_list(w, is_changes ? "ChangedBlocks" : "Blocks");
	for (size_t k = 0; k < a->count; k++) {
		const struct block *b = &a->blocks[k];
		json_write_open(w, NULL);
		json_write_int(w, "BlockIndex", b->index);
		if (b->first.n)
			json_write_text(w, "FirstBlockToken", b->first);
		if (b->second.n)
			json_write_text(w, is_changes ? "SecondBlockToken" : "BlockToken", b->second);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static RESULT write_list(struct ebs_call *e, const struct list_args *a, bool is_changes,
			 struct json_writer *w)
{
	struct str token = STR_NONE;
	write_blocks(a, is_changes, w);
	json_write_int(w, "BlockSize", DISK_BLOCK_SIZE);
	json_write_int(w, "VolumeSize", (a->second.size + GIB - 1) / GIB);
	json_write_int(w, "ExpiryTime", a->expires_us / SECOND);
	if (a->has_more) {
		TRY(ebs_write_page_token(e, &a->page, &token));
		json_write_text(w, "NextToken", token);
	}
	return OK;
}

static RESULT answer_blocks(struct ebs_call *e, const void *args, struct json_writer *w)
{
	return write_list(e, args, false, w);
}

static RESULT answer_changes(struct ebs_call *e, const void *args, struct json_writer *w)
{
	return write_list(e, args, true, w);
}

/* ---- one block ---- */

struct get_args {
	struct ref snapshot;
	int64_t index;
	struct str token;
	struct source source;
	/* results: */
	uint8_t *bytes;
	struct str checksum;
};

static RESULT prepare_get(struct ebs_call *e, void *args)
{
	struct get_args *a = args;
	TRY(find_source(e, &a->snapshot, &a->source));
	return ebs_check_block_token(e, a->token, a->source.id, a->index);
}

static RESULT read_block(struct work_item *w)
{
	struct ebs_call *e = w->arg;
	struct get_args *a = e->args;
	AUTO_QCOW2_FILE *file = NULL;
	uint8_t digest[SHA256_SIZE];
	bool has_data = false;
	a->bytes = arena_alloc(e->c->arena, DISK_BLOCK_SIZE);
	if (!a->bytes)
		return ctx_no_memory(e->c);
	TRY(open_source(e->c, &a->source, &file));
	TRY(disk_blocks_read(file, e->c, a->index, a->bytes, &has_data));
	crypto_sha256((struct str){(const char *) a->bytes, DISK_BLOCK_SIZE}, digest);
	a->checksum = str_encode_base64(e->c->arena, (struct str){(const char *) digest, sizeof digest});
	return OK;
}

static RESULT answer_block(struct ebs_call *e, const void *args, struct json_writer *w)
{
	const struct get_args *a = args;
	e->content_type = "application/octet-stream";
	call_set_answer_header(e->call, "x-amz-Data-Length", STR("524288"));
	call_set_answer_header(e->call, "x-amz-Checksum", a->checksum);
	call_set_answer_header(e->call, "x-amz-Checksum-Algorithm", STR("SHA256"));
	buf_add(w->out, a->bytes, DISK_BLOCK_SIZE);
	return OK;
}

/* ---- the rows ---- */

#define SNAPSHOT_PARAM(T, wire, member)                                                                      \
	PARAM(T, wire, member, .flags = REQUIRED, .kind = KIND_SNAPSHOT, .max = 64, .doc = "The snapshot.")
#define PAGE_PARAMS                                                                                          \
	PARAM(struct list_args, "pageToken", token, .max = 256,                                              \
	      .doc = "Token of the next page, from the previous answer."),                                   \
		PARAM(struct list_args, "maxResults", max, .min = EBS_PAGE_MIN, .max = EBS_PAGE_MAX,         \
		      .doc = "Maximum number of blocks in one page; absent: 10,000."),                       \
		PARAM(struct list_args, "startingBlockIndex", from, .min = 0, .max = INT32_MAX,              \
		      .doc = "Index of the first block of the first page.")
static const struct param block_params[] = {SNAPSHOT_PARAM(struct list_args, "snapshotId", snapshot),
					    PAGE_PARAMS};
static const struct param change_params[] = {
	SNAPSHOT_PARAM(struct list_args, "secondSnapshotId", snapshot),
	PARAM(struct list_args, "firstSnapshotId", first_ref, .kind = KIND_SNAPSHOT, .max = 64,
	      .doc = "Earlier snapshot of the volume; absent: all blocks count as changed."),
	PAGE_PARAMS,
};
static const struct param get_params[] = {
	SNAPSHOT_PARAM(struct get_args, "snapshotId", snapshot),
	PARAM(struct get_args, "blockIndex", index, .flags = REQUIRED, .min = 0, .max = INT32_MAX,
	      .doc = "Index of the block."),
	PARAM(struct get_args, "blockToken", token, .flags = REQUIRED, .max = 256,
	      .doc = "Token of the block, from a list."),
};

static const struct ebs_action actions[] = {
	{HTTP_GET, "/snapshots/{snapshotId}/blocks", EBS_ACTION("ListSnapshotBlocks"),
	 .flags = API_CHANGES_BY_TIME, .args = PARAMS(struct list_args, block_params),
	 .prepare = prepare_list, .work = list_blocks, .answer = answer_blocks,
	 .doc = "Lists the blocks of a snapshot that contain data."},
	{HTTP_GET, "/snapshots/{secondSnapshotId}/changedblocks", EBS_ACTION("ListChangedBlocks"),
	 .flags = API_CHANGES_BY_TIME, .args = PARAMS(struct list_args, change_params),
	 .prepare = prepare_list, .work = list_changes, .answer = answer_changes,
	 .doc = "Lists the blocks that differ between two snapshots of a volume."},
	{HTTP_GET, "/snapshots/{snapshotId}/blocks/{blockIndex}", EBS_ACTION("GetSnapshotBlock"),
	 .flags = API_CHANGES_BY_TIME, .args = PARAMS(struct get_args, get_params), .prepare = prepare_get,
	 .work = read_block, .answer = answer_block, .answers_bytes = true, .doc = "Reads a block."},
};
const struct api_actions ebs_block_actions = API_ACTIONS(actions);
