/* SPDX-License-Identifier: Apache-2.0
 * EBS direct: lists and reads blocks of snapshots. REST with JSON. Source: EBS direct APIs Reference (2019-11-02). */
#include "drivers/remote/ec2/blocks.h"

#include <inttypes.h>
#include <string.h>

#include "base/crypto.h"
#include "drivers/remote/draft.h"
#include "drivers/remote/ec2/request.h"
#include "drivers/remote/json.h"

enum { TOKEN_MAX = 1024, MESSAGE_MAX = 512 };
#define NO_SNAPSHOT "snap-00000000000000000"
#define ERROR_HEADER "x-amzn-ErrorType"

/* ---- errors ---- */

/* The reason of a ValidationException or a RequestThrottledException says more than the status. */
static enum err err_of(int status, struct str reason, struct str type)
{
	bool is_throttle = str_ends_with(reason, STR("THROTTLED")) ||
			   str_ends_with(reason, STR("THROTTLE")) ||
			   str_starts_with(type, STR("RequestThrottled")) ||
			   str_starts_with(type, STR("ConcurrentLimit"));
	if (is_throttle)
		return ERR_THROTTLED;
	if (str_starts_with(type, STR("UnrecognizedClient")) ||
	    str_starts_with(type, STR("InvalidSignature")))
		return ERR_UNAUTHENTICATED;
	if (str_starts_with(type, STR("ServiceQuotaExceeded")))
		return ERR_QUOTA;
	return remote_err_of_status(status);
}

RESULT ec2_refuse_block_call(struct ctx *c, const struct remote *r, int status, struct str body,
			     struct str type)
{
	json_t *root = NULL;
	struct str message = STR_NONE, reason = STR_NONE;
	if (result_is_ok(remote_parse_json(c, body, &root))) {
		message = remote_json_text(c, root, "Message");
		if (!message.n)
			message = remote_json_text(c, root, "message");
		reason = remote_json_text(c, root, "Reason");
	}
	ctx_clear_problem(c);
	json_decref(root);
	bool is_own = message.n || reason.n || type.n;
	enum err err = is_own ? err_of(status, reason, type) : ec2_err_of_page(status);
	message = str_is_line(message) ? str_cut(message, MESSAGE_MAX) : STR_NONE;
	return ctx_fail(c, err, "Provider %" STR_FMT " answers with status %d%s%" STR_FMT, STR_ARG(r->name),
			status, message.n ? ": " : ".", STR_ARG(message));
}

/* ---- one call ---- */

/* path: begins with a slash; query: its names in alphabetical order, as the signature needs. */
static RESULT get(struct ctx *c, struct remote *r, struct str path, struct str query,
		  const char *wanted_header, struct remote_answer *ret_http)
{
	struct remote_url url;
	struct str base = ec2_endpoint_of(c, r, "ebs");
	while (str_ends_with(base, STR("/")))
		base = str_slice(base, 0, base.n - 1);
	struct remote_request request = {.method = "GET",
					 .url = str_print(c->arena, "%" STR_FMT "%" STR_FMT "%s%" STR_FMT,
							  STR_ARG(base), STR_ARG(path), query.n ? "?" : "",
							  STR_ARG(query)),
					 .wanted_header = wanted_header,
					 .only_reads = true};
	struct str whole = str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(base), STR_ARG(path));
	TRY(remote_parse_url(c, whole, &url));
	TRY(ec2_sign(c, r, "ebs", &url, query, &request));
	request.headers[0] = "Accept: */*"; /* there is no body */
	return remote_send(c, r, &request, ret_http);
}

/* ---- lists ---- */

static struct str encode(struct ctx *c, struct str text)
{
	return str_encode_url(c->arena, text, false);
}

static struct str list_query(struct ctx *c, const struct remote_block_query *q)
{
	struct str first =
		q->base.n ? str_print(c->arena, "firstSnapshotId=%" STR_FMT "&", STR_ARG(encode(c, q->base)))
			  : STR_NONE;
	struct str token =
		q->cursor.n ? str_print(c->arena, "&pageToken=%" STR_FMT, STR_ARG(encode(c, q->cursor)))
			    : STR_NONE;
	return str_print(c->arena, "%" STR_FMT "maxResults=%d%" STR_FMT "&startingBlockIndex=%" PRId64,
			 STR_ARG(first), REMOTE_BLOCKS_MAX, STR_ARG(token), q->from);
}

static RESULT bad(struct ctx *c, const char *what)
{
	return ctx_fail(c, ERR_IO, "The answer is not usable: %s.", what);
}

/* least: the index must not be less, since pages ascend. */
static RESULT take_block(struct ctx *c, const json_t *item, bool is_changes, int64_t least, int64_t count,
			 struct remote_block *ret_block)
{
	const json_t *index = json_object_get(item, "BlockIndex");
	*ret_block = (struct remote_block){
		.index = json_is_integer(index) ? (int64_t) json_integer_value(index) : -1,
		.token = remote_json_text(c, item, is_changes ? "SecondBlockToken" : "BlockToken")};
	ret_block->is_gone = is_changes && !ret_block->token.n;
	if (ret_block->index < least || ret_block->index >= count)
		return bad(c, "its blocks do not ascend, or lie behind the end of the disk");
	if ((!ret_block->is_gone && !ret_block->token.n) || ret_block->token.n > TOKEN_MAX ||
	    !str_is_line(ret_block->token))
		return bad(c, "a block has no usable token");
	return OK;
}

static RESULT take_page(struct ctx *c, const json_t *root, const struct remote_block_query *q,
			struct remote_block_page *ret_page)
{
	bool is_changes = q->base.n > 0;
	const json_t *list = json_object_get(root, is_changes ? "ChangedBlocks" : "Blocks"), *item = NULL;
	const json_t *size = json_object_get(root, "BlockSize");
	size_t k = 0, count = json_array_size(list);
	int64_t least = q->from;
	/* Moto says 512 and serves 524,288 bytes; the length of each block decides. */
	if (json_is_integer(size) && json_integer_value(size) != REMOTE_BLOCK_SIZE &&
	    json_integer_value(size) != 512)
		return bad(c, "its blocks are not of 512 KiB");
	if (count > REMOTE_BLOCKS_MAX)
		return bad(c, "a page has too many blocks");
	*ret_page =
		(struct remote_block_page){.at = arena_new_array(c->arena, struct remote_block, count + 1)};
	if (!ret_page->at)
		return ctx_no_memory(c);
	json_array_foreach ((json_t *) list, k, item) {
		TRY(take_block(c, item, is_changes, least, q->count, &ret_page->at[k]));
		least = ret_page->at[k].index + 1;
	}
	ret_page->count = count;
	ret_page->cursor = remote_json_text(c, root, "NextToken");
	return ret_page->cursor.n > TOKEN_MAX ? bad(c, "the token of the next page is too long") : OK;
}

static RESULT list_blocks(struct ctx *c, struct remote *r, const struct remote_block_query *q,
			  struct remote_block_page *ret_page)
{
	struct remote_answer http = {0};
	json_t *root = NULL;
	struct str path = str_print(c->arena, "/snapshots/%" STR_FMT "/%s", STR_ARG(encode(c, q->snapshot)),
				    q->base.n ? "changedblocks" : "blocks");
	struct result result = get(c, r, path, list_query(c, q), ERROR_HEADER, &http);
	if (result_is_ok(result) && http.status != 200)
		result = ec2_refuse_block_call(c, r, http.status, buf_str(&http.body), http.header);
	else if (result_is_ok(result))
		result = remote_parse_json(c, buf_str(&http.body), &root);
	if (result_is_ok(result))
		result = take_page(c, root, q, ret_page);
	json_decref(root);
	buf_done(&http.body);
	return result;
}

/* ---- one block ---- */

static RESULT take_bytes(struct ctx *c, const struct remote_answer *http, uint8_t *ret_bytes,
			 uint8_t *ret_digest)
{
	struct str body = buf_str(&http->body), said = STR_NONE;
	if (body.n != REMOTE_BLOCK_SIZE)
		return bad(c, "a block has not 512 KiB");
	crypto_sha256(body, ret_digest);
	bool is_right = result_is_ok(str_decode_base64(c->arena, http->header, &said)) &&
			said.n == SHA256_SIZE && memcmp(said.p, ret_digest, SHA256_SIZE) == 0;
	if (!is_right)
		return bad(c, "a block differs from its checksum, or has none");
	memcpy(ret_bytes, body.p, REMOTE_BLOCK_SIZE);
	return OK;
}

static RESULT read_block(struct ctx *c, struct remote *r, struct str point, const struct remote_block *block,
			 uint8_t ret_bytes[static REMOTE_BLOCK_SIZE], uint8_t ret_digest[static SHA256_SIZE])
{
	struct remote_answer http = {0};
	struct str path = str_print(c->arena, "/snapshots/%" STR_FMT "/blocks/%" PRId64,
				    STR_ARG(encode(c, point)), block->index);
	struct str query = str_print(c->arena, "blockToken=%" STR_FMT, STR_ARG(encode(c, block->token)));
	struct result result = get(c, r, path, query, "x-amz-Checksum", &http);
	if (result_is_ok(result))
		result = http.status == 200
				 ? take_bytes(c, &http, ret_bytes, ret_digest)
				 : ec2_refuse_block_call(c, r, http.status, buf_str(&http.body), STR_NONE);
	buf_done(&http.body);
	return result;
}

/* ---- rights ---- */

/* A denied request for an absent snapshot shows that the right is missing. */
RESULT ec2_try_block_rights(struct ctx *c, struct remote *r, struct remote_identity *identity)
{
	static const struct {
		const char *path, *query, *right;
	} tries[] = {
		{"/snapshots/" NO_SNAPSHOT "/blocks", "maxResults=100", "ebs:ListSnapshotBlocks"},
		{"/snapshots/" NO_SNAPSHOT "/changedblocks", "maxResults=100", "ebs:ListChangedBlocks"},
		{"/snapshots/" NO_SNAPSHOT "/blocks/0", "blockToken=none", "ebs:GetSnapshotBlock"},
	};
	for (size_t k = 0; k < sizeof tries / sizeof tries[0]; k++) {
		struct remote_answer http = {0};
		struct result result =
			get(c, r, str_from(tries[k].path), str_from(tries[k].query), ERROR_HEADER, &http);
		int status = http.status;
		struct str type = http.header;
		buf_done(&http.body);
		TRY(result);
		if (status == 403 && str_starts_with(type, STR("AccessDenied")))
			TRY(remote_add_lack(c, identity, str_from(tries[k].right)));
	}
	return OK;
}

const struct remote_point_ops ec2_point_ops = {.find = ec2_find_points, .thaw = ec2_thaw};

const struct remote_source_ops ec2_source_ops = {.points = &ec2_point_ops,
						 .describe = ec2_describe_layout,
						 .freeze = ec2_freeze,
						 .list = list_blocks,
						 .read = read_block};
