/* SPDX-License-Identifier: Apache-2.0
 * Requests of EC2's and STS's query APIs, and the refusals in their answers. */
#include "drivers/remote/ec2/request.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "drivers/remote/ec2/resources.h"
#include "drivers/remote/xml_walk.h"
#include "model/sigv4_sign.h"

enum { FORM_MAX = 64 * 1024 };

/* ---- errors ---- */

/* Codes of EC2's and STS's references; a trailing '*' matches any rest. */
static const struct {
	const char *code;
	enum err err;
} errors[] = {
	{"DryRunOperation", ERR_DRY_RUN},
	{"AuthFailure", ERR_UNAUTHENTICATED},
	{"InvalidClientTokenId", ERR_UNAUTHENTICATED},
	{"SignatureDoesNotMatch", ERR_UNAUTHENTICATED},
	{"IncompleteSignature", ERR_UNAUTHENTICATED},
	{"MissingAuthenticationToken", ERR_UNAUTHENTICATED},
	{"OptInRequired", ERR_UNAUTHENTICATED},
	{"Blocked", ERR_UNAUTHENTICATED},
	{"ExpiredToken", ERR_UNAUTHENTICATED},
	{"RequestExpired", ERR_EXPIRED},
	{"UnauthorizedOperation", ERR_DENIED},
	{"AccessDenied*", ERR_DENIED},
	{"OperationNotPermitted", ERR_STATE},
	{"InvalidInstanceID.NotFound", ERR_NOT_FOUND},
	{"InvalidSnapshot.NotFound", ERR_NOT_FOUND},
	{"InvalidSnapshot.InUse", ERR_STATE},
	{"InvalidAMIID.NotFound", ERR_NOT_FOUND},
	{"InvalidAMIID.Unavailable", ERR_NOT_FOUND}, /* it was deregistered */
	{"IncorrectInstanceState", ERR_STATE},
	{"IncorrectState", ERR_STATE},
	{"RequestLimitExceeded", ERR_THROTTLED},
	{"SnapshotCreationPerVolumeRateExceeded", ERR_THROTTLED}, /* one in 15 seconds */
	{"ConcurrentSnapshotLimitExceeded", ERR_THROTTLED},
	{"PendingSnapshotLimitExceeded", ERR_THROTTLED},
	{"InstanceLimitExceeded", ERR_QUOTA},
	{"VcpuLimitExceeded", ERR_QUOTA},
	{"VolumeLimitExceeded", ERR_QUOTA},
	{"SnapshotLimitExceeded", ERR_QUOTA},
	{"MaxIOPSLimitExceeded", ERR_QUOTA},
	{"NetworkInterfaceLimitExceeded", ERR_QUOTA},
	{"ResourceLimitExceeded", ERR_QUOTA},
	{"InsufficientFreeAddressesInSubnet", ERR_QUOTA},
	{"Throttling*", ERR_THROTTLED},
	{"ServiceUnavailable", ERR_AGAIN},
	{"Unavailable", ERR_AGAIN},
	{"InternalError", ERR_AGAIN},
	{"InternalFailure", ERR_AGAIN},
	{"InsufficientInstanceCapacity", ERR_AGAIN},
	{"UnsupportedOperation", ERR_UNSUPPORTED},
};

enum err ec2_err_of_code(struct str code, int status)
{
	for (size_t k = 0; k < sizeof errors / sizeof errors[0]; k++)
		if (str_matches(code, str_from(errors[k].code)))
			return errors[k].err;
	return remote_err_of_status(status);
}

/* A refusal without EC2's own error says nothing about the credentials or an object. */
enum err ec2_err_of_page(int status)
{
	enum err err = remote_err_of_status(status);
	return err == ERR_THROTTLED || err == ERR_AGAIN ? err : ERR_IO;
}

/* A proxy before the API answers with pages of its own: then the status alone decides. */
static RESULT judge(struct ctx *c, const struct remote *r, const struct remote_answer *http,
		    struct ec2_answer *answer)
{
	struct result read = ec2_read_answer(c, buf_str(&http->body), answer);
	if (read.code == ERR_NO_MEMORY)
		return read;
	if (!result_is_ok(read) && http->status == 200)
		return read;
	if (http->status == 200)
		return OK;
	ctx_clear_problem(c);
	if (!result_is_ok(read) || !answer->code.n)
		return ctx_fail(c, ec2_err_of_page(http->status),
				"Provider %" STR_FMT " answers with status %d.", STR_ARG(r->name),
				http->status);
	bool is_line = str_is_line(answer->message);
	return ctx_fail(c, ec2_err_of_code(answer->code, http->status), "%" STR_FMT ": %" STR_FMT,
			STR_ARG(str_is_line(answer->code) ? answer->code : STR_NONE),
			STR_ARG(is_line ? answer->message : STR_NONE));
}

/* ---- one call ---- */

void ec2_form_add(struct ec2_form *f, const char *name, struct str value)
{
	buf_print(&f->text, "&%s=", name);
	buf_add_str(&f->text, str_encode_url(f->c->arena, value, false));
}

void ec2_form_add_nth(struct ec2_form *f, const char *name, size_t n, const char *member, struct str value)
{
	char whole[64];
	(void) snprintf(whole, sizeof whole, "%s.%zu%s", name, n, member);
	ec2_form_add(f, whole, value);
}

void ec2_form_begin(struct ec2_form *f, struct ctx *c, const char *action, const char *version)
{
	f->c = c;
	f->only_reads = str_starts_with(str_from(action), STR("Describe"));
	buf_init(&f->text, FORM_MAX);
	buf_print(&f->text, "Action=%s&Version=%s", action, version);
}

struct str ec2_endpoint_of(struct ctx *c, const struct remote *r, const char *service)
{
	return r->endpoint.n ? r->endpoint
			     : str_print(c->arena, "https://%s.%" STR_FMT ".amazonaws.com/", service,
					 STR_ARG(r->region));
}

RESULT ec2_sign(struct ctx *c, const struct remote *r, const char *service, const struct remote_url *url,
		struct str query, struct remote_request *request)
{
	return ec2_sign_headers(c, r, service, url, query, NULL, 0, request);
}

RESULT ec2_sign_headers(struct ctx *c, const struct remote *r, const char *service,
			const struct remote_url *url, struct str query, const struct sigv4_header *more,
			size_t more_count, struct remote_request *request)
{
	struct str authorization, date;
	const struct sigv4_signing signing = {.key_id = r->login,
					      .secret = r->secret,
					      .region = r->region,
					      .service = str_from(service),
					      .method = request->method ? str_from(request->method)
									: STR("POST"),
					      .path = url->path,
					      .query = query,
					      .body = request->body,
					      .host = url->host,
					      .at_us = clock_now_us(),
					      .more = more,
					      .more_count = more_count};
	const size_t own = 4;
	if (own + more_count >= REMOTE_HEADERS_MAX)
		return ctx_fail(c, ERR_INTERNAL, "too many headers");
	TRY(sigv4_sign(c, &signing, &authorization, &date));
	struct arena *a = c->arena;
	request->headers[0] = "Content-Type: application/x-www-form-urlencoded; charset=utf-8";
	request->headers[1] = str_to_z(a, str_print(a, "X-Amz-Date: %" STR_FMT, STR_ARG(date)));
	request->headers[2] = str_to_z(a, str_print(a, "Authorization: %" STR_FMT, STR_ARG(authorization)));
	request->headers[3] = "Expect:";
	for (size_t k = 0; k < more_count; k++)
		request->headers[own + k] =
			str_to_z(a, str_print(a, "%" STR_FMT ": %" STR_FMT, STR_ARG(more[k].name),
					      STR_ARG(more[k].value)));
	return arena_is_full(a) ? ctx_no_memory(c) : OK;
}

RESULT ec2_sign_target(struct ctx *c, const struct remote *r, const char *service,
		       const struct remote_url *url, const struct sigv4_header *target,
		       struct remote_request *request)
{
	TRY(ec2_sign_headers(c, r, service, url, STR_NONE, target, 1, request));
	request->headers[0] = "Content-Type: application/x-amz-json-1.0"; /* the signature leaves it out */
	return OK;
}

/* Sends the form, which ends with this call. */
static RESULT send(struct ec2_form *f, struct remote *r, const char *service, struct remote_answer *ret_http)
{
	struct ctx *c = f->c;
	struct remote_url url;
	struct remote_request request = {.url = ec2_endpoint_of(c, r, service), .only_reads = f->only_reads};
	bool is_whole = result_is_ok(buf_finish(&f->text));
	request.body = str_copy(c->arena, buf_str(&f->text));
	buf_done(&f->text);
	if (!is_whole || !request.body.p)
		return ctx_no_memory(c);
	TRY(remote_parse_url(c, request.url, &url));
	TRY(ec2_sign(c, r, service, &url, STR_NONE, &request));
	return remote_send(c, r, &request, ret_http);
}

RESULT ec2_call(struct ec2_form *f, struct remote *r, const char *service, struct ec2_answer *ret_answer)
{
	struct remote_answer http = {0};
	struct result result = send(f, r, service, &http);
	if (result_is_ok(result))
		result = judge(f->c, r, &http, ret_answer);
	buf_done(&http.body);
	return result;
}

static RESULT read_lists(struct ctx *c, const struct remote *r, const struct remote_answer *http,
			 const char *root, struct ec2_items *lists, size_t list_count)
{
	struct ec2_answer answer;
	if (http->status != 200)
		TRY(judge(c, r, http, &answer));
	for (size_t k = 0; k < list_count; k++)
		TRY(ec2_read_items(c, buf_str(&http->body), root, &lists[k]));
	return OK;
}

RESULT ec2_call_items(struct ec2_form *f, struct remote *r, const char *root, struct ec2_items *lists,
		      size_t list_count)
{
	struct remote_answer http = {0};
	struct result result = send(f, r, "ec2", &http);
	if (result_is_ok(result))
		result = read_lists(f->c, r, &http, root, lists, list_count);
	buf_done(&http.body);
	return result;
}

static RESULT walk(struct ctx *c, const struct remote *r, const struct remote_answer *http, const char *root,
		   const struct xml_visitor *visitor)
{
	struct ec2_answer answer;
	struct str found = STR_NONE;
	if (http->status != 200)
		return judge(c, r, http, &answer);
	TRY(remote_walk_xml(c, buf_str(&http->body), visitor, &found));
	return str_is(found, root) ? OK : ctx_fail(c, ERR_IO, "The answer is not usable: it is no %s.", root);
}

RESULT ec2_call_walk(struct ec2_form *f, struct remote *r, const char *service, const char *root,
		     const struct xml_visitor *visitor)
{
	struct remote_answer http = {0};
	struct result result = send(f, r, service, &http);
	if (result_is_ok(result))
		result = walk(f->c, r, &http, root, visitor);
	buf_done(&http.body);
	return result;
}

static RESULT read_resources(struct ctx *c, const struct remote *r, const struct remote_answer *http,
			     enum remote_resource_type type, struct remote_resource_page *ret_page)
{
	struct ec2_answer answer;
	if (http->status != 200)
		TRY(judge(c, r, http, &answer));
	return ec2_read_resources(c, buf_str(&http->body), type, ret_page);
}

RESULT ec2_call_resources(struct ec2_form *f, struct remote *r, const char *service,
			  enum remote_resource_type type, struct remote_resource_page *ret_page)
{
	struct remote_answer http = {0};
	struct result result = send(f, r, service, &http);
	if (result_is_ok(result))
		result = read_resources(f->c, r, &http, type, ret_page);
	buf_done(&http.body);
	return result;
}
