/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes CloudWatch requests in JSON and in CBOR: the first byte chooses, the rest is the document. A parsed
 * document is a valid form of the query protocol. */
#include <stdlib.h>

#include "../unit/api/fake_http.h"
#include "api/core/pairs.h"
#include "api/query/forms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct typed_service service = {
	.name = "GraniteServiceVersion20100801", .version = "2010-08-01", .element = "member."};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pairs_rules rules = {.noun = "form", .count_max = SIZE_MAX};
	const struct str path = STR("/service/GraniteServiceVersion20100801/operation/PutMetricData");
	struct fake_call f;
	struct pairs pairs;
	struct str form = STR_NONE;
	if (size < 1)
		return 0;
	bool is_cbor = data[0] & 1;
	fake_call_init(&f, "POST", is_cbor ? path : STR("/"), STR_NONE,
		       (struct str){(const char *) data + 1, size - 1});
	fake_call_add_header(&f, "X-Amz-Target", STR("GraniteServiceVersion20100801.PutMetricData"));
	struct result read = query_read_typed(&f.call.ctx, &f.call, &service, f.call.body,
					      is_cbor ? FORM_CBOR : FORM_JSON, &form);
	ctx_clear_problem(&f.call.ctx);
	if (result_is_ok(read) && !result_is_ok(pairs_parse(&f.call.ctx, &rules, STR_NONE, form, &pairs)) &&
	    !arena_is_full(f.call.ctx.arena))
		abort();
	fake_call_done(&f);
	return 0;
}
