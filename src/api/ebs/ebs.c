/* SPDX-License-Identifier: Apache-2.0
 * The protocol: method and path select the call, parameters are in path, query, headers or JSON, answers are JSON or a
 * block's bytes. */
#include "api/ebs/ebs.h"

#include <string.h>

#include "api/ebs/internal.h"
#include "api/query/query_call.h"
#include "api/query/request.h"
#include "api/query/rest_json.h"

static const struct api_actions *const groups[] = {&ebs_block_actions, &ebs_snapshot_actions};
static const struct rest_table table = {groups, sizeof groups / sizeof groups[0]};

bool ebs_has_call(const struct call *call)
{
	return query_is_for(call, "ebs");
}

/* ---- failures ---- */

/* Source of codes and reasons: botocore's model. Guessed: ServiceUnavailableException and UnknownOperationException, which
 * the model lacks, have the names of AWS's other REST services. Reason follows from the parameter. */
/* clang-format off */
static const struct api_error rows[] = {
	{ERR_NOT_FOUND, 0, 404, "ResourceNotFoundException"},
	{ERR_CONFLICT, 0, 400, "ValidationException", "firstSnapshotId"},
	{ERR_CONFLICT, 0, 409, "ConflictException"},
	{ERR_UNSUPPORTED, 0, 404, "UnknownOperationException", "path"}, {ERR_UNSUPPORTED, 0, 400, "ValidationException"},
	{ERR_INVALID, 0, 400, "ValidationException"}, {ERR_MISSING, 0, 400, "ValidationException"},
	{ERR_UNKNOWN, 0, 400, "ValidationException"}, {ERR_MALFORMED, 0, 400, "ValidationException"},
	{ERR_COMBINATION, 0, 400, "ValidationException"}, {ERR_RANGE, 0, 400, "ValidationException"},
	{ERR_STATE, 0, 400, "ValidationException"}, {ERR_TOO_LARGE, 0, 400, "ValidationException"},
	{ERR_QUOTA, 0, 402, "ServiceQuotaExceededException"}, {ERR_CAPACITY, 0, 503, "ServiceUnavailableException"},
	{ERR_UNAUTHENTICATED, 0, 403, "UnrecognizedClientException"}, {ERR_DENIED, 0, 403, "AccessDeniedException"},
	{ERR_THROTTLED, 0, 400, "RequestThrottledException"},
	{ERR_NO_MEMORY, 0, 503, "ServiceUnavailableException"}, {ERR_AGAIN, 0, 503, "ServiceUnavailableException"},
	{ERR_GONE, 0, 503, "ServiceUnavailableException"}, {ERR_TIMEOUT, 0, 503, "ServiceUnavailableException"},
	{ERR_INTERNAL, 0, 500, "InternalServerException"},
};
/* clang-format on */
static const struct api_errors errors = TARGET_ERRORS(rows);

/* The member Reason of an exception that has one; NULL: it has none. */
static const char *reason_of(const struct api_call *e, const struct api_problem *p)
{
	static const struct {
		const char *field, *reason;
	} by_field[] = {
		{"blockToken", "INVALID_BLOCK_TOKEN"},
		{"pageToken", "INVALID_PAGE_TOKEN"},
		{"snapshotId", "INVALID_SNAPSHOT_ID"},
		{"secondSnapshotId", "INVALID_SNAPSHOT_ID"},
		{"firstSnapshotId", "INVALID_SNAPSHOT_ID"},
		{"ParentSnapshotId", "INVALID_SNAPSHOT_ID"},
		{"VolumeSize", "INVALID_VOLUME_SIZE"},
		{"Checksum", "INVALID_BLOCK"},
		{"DataLength", "INVALID_BLOCK"},
	};
	struct str field = e->c->problem.field;
	if (str_is(str_from(p->error->code), "ResourceNotFoundException"))
		return "SNAPSHOT_NOT_FOUND";
	if (p->err == ERR_DENIED)
		return "UNAUTHORIZED_ACCOUNT";
	if (p->err == ERR_THROTTLED)
		return "ACCOUNT_THROTTLED";
	if (p->err == ERR_QUOTA)
		return "DEPENDENCY_SERVICE_QUOTA_EXCEEDED";
	if (!str_is(str_from(p->error->code), "ValidationException"))
		return NULL;
	if (p->err == ERR_CONFLICT)
		return "UNRELATED_SNAPSHOTS";
	for (size_t k = 0; k < sizeof by_field / sizeof *by_field; k++)
		if (str_is(field, by_field[k].field))
			return by_field[k].reason;
	return "INVALID_PARAMETER_VALUE";
}

static RESULT write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	return rest_json_write_problem_with(core, p, "Reason", reason_of(core, p), body);
}

/* ---- from request to action ---- */

/* Adds a parameter to a query string. Parameters of all places have different names. */
static struct str add_pair(struct ebs_call *e, struct str text, struct str name, struct str value)
{
	return str_print(e->c->arena, "%" STR_FMT "%s%" STR_FMT "=%" STR_FMT, STR_ARG(text),
			 text.n ? "&" : "", STR_ARG(name), STR_ARG(value));
}

/* Adds variables of the path. Characters that separate pairs in a query have no meaning in a path: no value may add a
 * parameter of its own. */
static RESULT add_variables(struct ebs_call *e, const struct pairs *variables, struct str *ret_text)
{
	*ret_text = STR_NONE;
	for (size_t k = 0; k < variables->count; k++) {
		struct str value = STR_NONE;
		if (!result_is_ok(str_decode_url(e->c->arena, variables->at[k].value, &value)))
			return ctx_fail_field(e->c, ERR_INVALID, variables->at[k].name,
					      "The path's value is not encoded as a URL's.");
		*ret_text = add_pair(e, *ret_text, variables->at[k].name,
				     str_encode_url(e->c->arena, value, false));
	}
	return OK;
}

/* Adds the call's parameters that are headers. */
static struct str add_headers(struct ebs_call *e, const struct params *args, struct str text)
{
	static const struct {
		const char *parameter, *header;
	} headers[] = {
		{"DataLength", "x-amz-Data-Length"},
		{"Progress", "x-amz-Progress"},
		{"Checksum", "x-amz-Checksum"},
		{"ChecksumAlgorithm", "x-amz-Checksum-Algorithm"},
		{"ChecksumAggregationMethod", "x-amz-Checksum-Aggregation-Method"},
		{"ChangedBlocksCount", "x-amz-ChangedBlocksCount"},
	};
	for (size_t k = 0; k < args->count; k++)
		for (size_t n = 0; n < sizeof headers / sizeof *headers; n++) {
			bool is_header = strcmp(args->at[k].wire, headers[n].parameter) == 0;
			struct str value = is_header ? call_header(e->call, headers[n].header) : STR_NONE;
			if (value.n)
				text = add_pair(e, text, str_from(headers[n].parameter),
						str_encode_url(e->c->arena, value, false));
		}
	return text;
}

/* Refuses parameters in the query, where a call with a document has none. */
static RESULT read_document(struct ebs_call *e)
{
	struct pairs none = {0};
	static const struct params no_params = {0};
	TRY(request_parse(e->c, e->call->query, STR_NONE, &none));
	TRY(request_read(e->c, &request_sts_dialect, &no_params, NULL, &none, NULL));
	return rest_json_read_body(&e->core, &e->body);
}

static RESULT find(struct api_call *core)
{
	struct ebs_call *e = ebs_call_of(core);
	struct pairs variables = {0};
	TRY(rest_json_choose(core, &table, "EBS direct", e->call->path, &variables));
	const struct ebs_action *row = ebs_action_of(e);
	if (row->has_document)
		return read_document(e);
	struct str text = STR_NONE;
	TRY(add_variables(e, &variables, &text));
	return request_parse(e->c, e->call->query, add_headers(e, &row->args, text), &e->pairs);
}

static RESULT prepare(struct api_call *core)
{
	static const char *const common[] = {NULL};
	struct ebs_call *e = ebs_call_of(core);
	const struct ebs_action *a = ebs_action_of(e);
	const struct params_request document = {.dialect = &request_sts_dialect,
						.body = document_of_json(e->body)};
	TRY(api_new_args(core, 1, a->args.size));
	if (a->has_document)
		TRY(params_fill(e->c, &a->args, &document, e->args));
	else
		TRY(request_read(e->c, &request_sts_dialect, &a->args, common, &e->pairs, e->args));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

static void end_request(struct api_call *core)
{
	struct ebs_call *e = ebs_call_of(core);
	json_decref(e->body);
	e->body = NULL;
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct ebs_call *e = ebs_call_of(core);
	const struct ebs_action *a = ebs_action_of(e);
	struct json_writer w;
	e->status = a->status;
	json_write_begin(&w, body);
	if (a->answers_bytes)
		return a->answer(e, e->args, &w);
	json_write_open(&w, NULL);
	TRY(a->answer(e, e->args, &w));
	json_write_close(&w);
	return json_write_end(&w);
}

/* ---- life ---- */

/* A lane of its own: clients copy disks with 64 connections at once, which must displace neither sign-ins nor the blocks
 * of other accounts. A waiting call holds its body. */
enum { LANE_THREADS = 4, LANE_THREADS_OF_ONE = 2, WAITING_MAX = 384, WAITING_OF_ONE = 128 };

struct ebs_face {
	struct api_face core;
	struct lane *blocks; /* NULL: the face has no executor */
};

static bool open_face(struct api_face *core)
{
	struct ebs_face *face = (struct ebs_face *) core;
	const struct lane_config config = {.executor = core->config.executor,
					   .name = "blocks",
					   .threads = LANE_THREADS,
					   .waiting_max = WAITING_MAX,
					   .waiting_of_one = WAITING_OF_ONE,
					   .reserve = WAITING_MAX / 8,
					   .threads_of_one = LANE_THREADS_OF_ONE};
	struct ctx c;
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_FIRST_SIZE);
	if (!arena)
		return false;
	ctx_init(&c, arena);
	struct result opened = config.executor ? lane_new(&c, &config, &face->blocks) : OK;
	arena_free(arena);
	if (face->blocks)
		core->lane = face->blocks;
	return result_is_ok(opened);
}

static void close_face(struct api_face *core)
{
	lane_free(((struct ebs_face *) core)->blocks);
}

const struct api_protocol ebs_protocol = {
	.name = "ebs",
	.face_size = sizeof(struct ebs_face),
	.open = open_face,
	.close = close_face,
	.content_type = "application/json",
	.call_size = sizeof(struct ebs_call),
	.errors = &errors,
	.find = find,
	.prepare = prepare,
	.end_request = end_request,
	.write = write_answer,
	.write_problem = write_problem,
};

/* ---- for documentation and tests ---- */

void ebs_dump_actions(struct buf *out)
{
	rest_json_dump_actions(&table, "ebs", out);
}

void ebs_write_coverage(struct buf *out)
{
	rest_write_coverage(&table, out);
}
