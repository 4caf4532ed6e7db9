/* SPDX-License-Identifier: Apache-2.0
 * Refusals for AWS services that Dari lacks: detection of the service, and the exact bytes of each protocol.
 * The requests have the SDKs' formats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/absent/absent.h"
#include "api/core/dispatch.h"
#include "auth/limit.h"
#include "fake_http.h"

#define FORM_TYPE "application/x-www-form-urlencoded; charset=utf-8"
#define NOT_HERE(service)                                                                                    \
	"The service " service " is not in this region, which has acm, autoscaling, backup, ce, dlm, ebs, "  \
	"ec2, ec2-instance-connect, "                                                                        \
	"elasticloadbalancing, events, iam, monitoring, sns, sqs, sts and support."
#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define QUERY_ERROR(attribute, service)                                                                      \
	XML_HEAD "<ErrorResponse" attribute                                                                  \
		 "><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>" NOT_HERE(                  \
			 service) "</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
#define JSON_ERROR(service) "{\"__type\":\"UnknownOperationException\",\"message\":\"" NOT_HERE(service) "\"}"

struct fixture {
	struct arena *arena;
	struct ctx ctx;
	struct limits *limits;
	struct api_face *face;
};

struct request {
	const char *service, *method, *path, *query;
	const char *content_type, *target, *smithy;
	int status;
	const char *body;   /* in the answer */
	const char *header; /* "name: value" in the answer; NULL: not checked */
};

static int setup(void **state)
{
	static struct fixture f;
	const struct limits_config limits = {.of = {[LIMIT_STRANGERS] = {1, 100}}};
	f.arena = arena_new(4096, 1 << 20);
	ctx_init(&f.ctx, f.arena);
	assert_true(result_is_ok(limits_new(&f.ctx, &limits, &f.limits)));
	const struct api_config config = {.limits = f.limits};
	assert_true(result_is_ok(api_face_new(&f.ctx, &absent_protocol, &config, &f.face)));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	api_face_free(f->face);
	limits_free(f->limits);
	arena_free(f->arena);
	return 0;
}

static void make_call(struct fixture *f, const struct request *r, struct fake_call *call)
{
	fake_call_init(call, r->method, str_from(r->path), r->query ? str_from(r->query) : STR_NONE,
		       STR_NONE);
	call->call.self = f->face;
	call->call.ctx.request_id = STR("r-1");
	if (r->service)
		fake_call_add_header(call, "Authorization",
				     str_print(f->arena,
					       "AWS4-HMAC-SHA256 Credential=AKIA/20260102/us-east-1/%s/"
					       "aws4_request, SignedHeaders=host, Signature=00",
					       r->service));
	if (r->content_type)
		fake_call_add_header(call, "Content-Type", str_from(r->content_type));
	if (r->target)
		fake_call_add_header(call, "X-Amz-Target", str_from(r->target));
	if (r->smithy)
		fake_call_add_header(call, "smithy-protocol", str_from(r->smithy));
}

static bool has_header(const struct fake_call *call, const char *wanted, struct arena *a)
{
	for (size_t k = 0; k < call->answer_header_count; k++)
		if (str_is(str_print(a, "%" STR_FMT ": %" STR_FMT, STR_ARG(call->answer_names[k]),
				     STR_ARG(call->answer_values[k])),
			   wanted))
			return true;
	return false;
}

static void test_forms(void **state)
{
	static const struct request requests[] = {
		{"cloudformation", "POST", "/", .content_type = FORM_TYPE, .status = 400,
		 .body = QUERY_ERROR(" xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"",
				     "cloudformation")},
		{"ssm", "POST", "/", .content_type = "application/x-amz-json-1.1",
		 .target = "AmazonSSM.GetParameter", .status = 400, .body = JSON_ERROR("ssm"),
		 .header = "x-amzn-errortype: UnknownOperationException"},
		{"dynamodb", "POST", "/", .content_type = "application/x-amz-json-1.0",
		 .target = "DynamoDB_20120810.PutItem", .status = 400, .body = JSON_ERROR("dynamodb")},
		{"eks", "GET", "/clusters/a", .status = 400, .body = JSON_ERROR("eks"),
		 .header = "x-amzn-errortype: UnknownOperationException"},
		{"route53", "GET", "/2013-04-01/hostedzone", .status = 400,
		 .body = QUERY_ERROR(" xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"", "route53")},
		{"s3", "GET", "/bucket", .status = 405,
		 .body = XML_HEAD "<Error><Code>MethodNotAllowed</Code><Message>" NOT_HERE(
			 "s3") "</Message><RequestId>r-1</RequestId></Error>"},
		{"s3", "GET", "/v20180820/jobs", .status = 400, .body = QUERY_ERROR("", "s3")},
		/* a service that has moved on to another protocol */
		{"rds", "POST", "/", .content_type = "application/x-amz-json-1.0",
		 .target = "AmazonRDS.CreateDBInstance", .status = 400, .body = JSON_ERROR("rds")},
		/* services that share a name */
		{"ses", "GET", "/v2/email/account", .status = 400, .body = JSON_ERROR("ses")},
		{"ses", "POST", "/", .content_type = FORM_TYPE, .status = 400,
		 .body = QUERY_ERROR(" xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"", "ses")},
		/* services of tomorrow */
		{"tomorrow", "PUT", "/things/1", .status = 400, .body = JSON_ERROR("tomorrow")},
		{"tomorrow", "POST", "/", .content_type = "application/x-amz-json-1.1",
		 .target = "Tomorrow.List", .status = 400, .body = JSON_ERROR("tomorrow")},
		/* presigned */
		{NULL, "GET", "/bucket/key",
		 .query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20260102%2Fus-east-1%"
			  "2Fs3%2F"
			  "aws4_request&X-Amz-Signature=00",
		 .status = 405,
		 .body = XML_HEAD "<Error><Code>MethodNotAllowed</Code><Message>" NOT_HERE(
			 "s3") "</Message><RequestId>r-1</RequestId></Error>"},
	};
	struct fixture *f = *state;
	for (size_t k = 0; k < sizeof requests / sizeof requests[0]; k++) {
		const struct request *r = &requests[k];
		struct fake_call call;
		make_call(f, r, &call);
		assert_true(absent_has_call(&call.call));
		fake_call_handle(&call, &api_http_face);
		struct str body = buf_str(&call.body);
		if (call.status != r->status || !str_is(body, r->body) ||
		    (r->header && !has_header(&call, r->header, f->arena)))
			fail_msg("%s %s: %d %.*s", r->service ? r->service : "-", r->path, call.status,
				 STR_ARG(body));
		fake_call_done(&call);
	}
}

static void test_cbor(void **state)
{
	static const char wanted[] = "\xa2\x66__type\x78\x19UnknownOperationException"
				     "\x67message\x78\xbd" NOT_HERE("kms");
	struct fixture *f = *state;
	const struct request r = {"kms", "POST", "/service/TrentService/operation/ListKeys",
				  .content_type = "application/cbor", .smithy = "rpc-v2-cbor"};
	struct fake_call call;
	make_call(f, &r, &call);
	assert_true(absent_has_call(&call.call));
	fake_call_handle(&call, &api_http_face);
	assert_int_equal(call.status, 400);
	assert_int_equal(buf_str(&call.body).n, sizeof wanted - 1);
	assert_memory_equal(buf_str(&call.body).p, wanted, sizeof wanted - 1);
	assert_true(has_header(&call, "smithy-protocol: rpc-v2-cbor", f->arena));
	fake_call_done(&call);
}

/* Requests that other faces take. */
static void test_others(void **state)
{
	static const struct request requests[] = {
		{"ec2", "POST", "/", .content_type = FORM_TYPE},
		{"iam", "POST", "/", .content_type = FORM_TYPE},
		{"sts", "POST", "/", .content_type = FORM_TYPE},
		{"ec3", "POST", "/", .content_type = FORM_TYPE}, /* EC2's refusal of a wrong scope */
		{"", "POST", "/", .content_type = FORM_TYPE},
		{NULL, "GET", "/compute/v2.1/servers"},
		{NULL, "GET", "/", .query = "Action=DescribeVpcs&X-Amz-Credential=AKIA%2Fec2%2Faws4_request"},
		{NULL, "GET", "/", .query = "X-Amz-Credential=aws4_request"},
		{NULL, "GET", "/", .query = "X-Amz-Credential=%2Faws4_request"},
	};
	struct fixture *f = *state;
	for (size_t k = 0; k < sizeof requests / sizeof requests[0]; k++) {
		struct fake_call call;
		make_call(f, &requests[k], &call);
		if (absent_has_call(&call.call))
			fail_msg("request %zu", k);
		fake_call_done(&call);
	}
}

static void test_rejected(void **state)
{
	struct fixture *f = *state;
	const struct request r = {"s3", "PUT", "/bucket/key"};
	struct fake_call call;
	make_call(f, &r, &call);
	api_reject(f->face, &call.call, 413, ERR_TOO_LARGE);
	assert_int_equal(call.status, 413);
	assert_true(str_contains(buf_str(&call.body), STR(NOT_HERE("s3"))));
	fake_call_done(&call);
}

static void test_limited(void **state)
{
	struct fixture *f = *state;
	static const struct {
		struct request request;
		int status;
		const char *code;
	} floods[] = {
		{{"s3", "GET", "/bucket"}, 503, "<Code>SlowDown</Code>"},
		{{"rds", "POST", "/"}, 400, "<Code>Throttling</Code>"},
		{{"kms", "POST", "/"}, 400, "\"__type\":\"ThrottlingException\""},
	};
	for (int k = 0; k < 200; k++) {
		struct fake_call call;
		make_call(f, &floods[0].request, &call);
		fake_call_handle(&call, &api_http_face);
		fake_call_done(&call);
	}
	for (size_t k = 0; k < sizeof floods / sizeof floods[0]; k++) {
		struct fake_call call;
		make_call(f, &floods[k].request, &call);
		fake_call_handle(&call, &api_http_face);
		assert_int_equal(call.status, floods[k].status);
		assert_true(str_contains(buf_str(&call.body), str_from(floods[k].code)));
		assert_true(call.call.is_quiet);
		fake_call_done(&call);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_forms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cbor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rejected, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limited, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
