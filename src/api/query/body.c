/* SPDX-License-Identifier: Apache-2.0
 * Bodies of requests: SDKs compress those of PutMetricData with gzip (RFC 1952) from 10 kB on. */
#include <zlib.h>

#include "api/query/forms.h"

/* CloudWatch's and SQS's limit of a request, expanded. */
enum { EXPANDED_MAX = 1 << 20, GZIP_WINDOW = 15 + 16 };

static RESULT expand_into(struct ctx *c, z_stream *z, struct str packed, struct str *ret_body)
{
	char *text = arena_alloc(c->arena, EXPANDED_MAX);
	if (!text)
		return ctx_no_memory(c);
	z->next_in = (Bytef *) (uintptr_t) packed.p;
	z->avail_in = (uInt) packed.n;
	z->next_out = (Bytef *) text;
	z->avail_out = EXPANDED_MAX;
	int code = inflate(z, Z_FINISH);
	if (code != Z_STREAM_END && !z->avail_out)
		return ctx_fail(c, ERR_TOO_LARGE, "The expanded request has more than %d bytes.",
				EXPANDED_MAX);
	if (code != Z_STREAM_END || z->avail_in)
		return ctx_fail(c, ERR_MALFORMED, "The request's body is not in gzip format.");
	*ret_body = (struct str){text, EXPANDED_MAX - z->avail_out};
	return OK;
}

RESULT query_read_body(struct ctx *c, const struct call *call, struct str *ret_body)
{
	struct str encoding = call_header(call, "Content-Encoding");
	z_stream z = {0};
	*ret_body = call->body;
	if (!encoding.n || str_equal_nocase(encoding, STR("identity")))
		return OK;
	if (!str_equal_nocase(encoding, STR("gzip")))
		return ctx_fail(c, ERR_MALFORMED,
				"The request's Content-Encoding is neither gzip nor identity.");
	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return ctx_no_memory(c);
	struct result result = expand_into(c, &z, call->body, ret_body);
	(void) inflateEnd(&z);
	return result;
}
