/* SPDX-License-Identifier: Apache-2.0
 * Files for a guest's first start (Nova's personality). Rows keep them in base64, as the request had them,
 * and as in Nova the account's limits count base64 bytes. */
#include <inttypes.h>

#include "engine/instance/instance_files_internal.h"
#include "engine/quota_internal.h"
#include "store/account.h"

/* limits of a row, whatever the account's limits are */
enum { FILES_MAX = 100, PATHS_SIZE_MAX = 25500, CONTENTS_SIZE_MAX = 65536 };

static int64_t limit_of(struct op *op, uuid account, enum quota quota, int64_t most)
{
	const struct account *row = account_find(op->head, account);
	if (!row)
		return most;
	struct account copy = *row;
	int64_t limit = *quota_limit(&copy, quota);
	return limit < 0 || limit > most ? most : limit;
}

static RESULT check(struct op *op, int64_t size, int64_t all, int64_t limit, int64_t most, const char *what)
{
	return size <= limit && all <= most
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_INSTANCE,
				       "Personality file %s exceeds maximum %" PRId64, what, limit);
}

RESULT instance_take_files(struct op *op, uuid account, const struct guest_files *files,
			   struct strs *ret_paths, struct strs *ret_contents)
{
	struct str *paths = arena_new_array(op->ctx->arena, struct str, files->count + 1);
	struct str *contents = arena_new_array(op->ctx->arena, struct str, files->count + 1);
	int64_t path = 0, content = 0, all_paths = 0, all_contents = 0;
	if ((int64_t) files->count > limit_of(op, account, QUOTA_INJECTED_FILES, FILES_MAX))
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_INSTANCE, "Personality file limit exceeded");
	if (!paths || !contents)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < files->count; k++) {
		paths[k] = files->at[k].path;
		contents[k] = str_encode_base64(op->ctx->arena, files->at[k].contents);
		if (files->at[k].contents.n && !contents[k].n)
			return ctx_no_memory(op->ctx);
		path = (int64_t) paths[k].n > path ? (int64_t) paths[k].n : path;
		content = (int64_t) contents[k].n > content ? (int64_t) contents[k].n : content;
		all_paths += (int64_t) paths[k].n;
		all_contents += (int64_t) contents[k].n;
	}
	TRY(check(op, path, all_paths, limit_of(op, account, QUOTA_INJECTED_PATH_BYTES, PATHS_SIZE_MAX),
		  PATHS_SIZE_MAX, "path"));
	TRY(check(op, content, all_contents,
		  limit_of(op, account, QUOTA_INJECTED_FILE_BYTES, CONTENTS_SIZE_MAX), CONTENTS_SIZE_MAX,
		  "content"));
	*ret_paths = (struct strs){paths, files->count};
	*ret_contents = (struct strs){contents, files->count};
	return OK;
}
