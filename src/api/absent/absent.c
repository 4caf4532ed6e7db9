/* SPDX-License-Identifier: Apache-2.0
 * Refuses requests for services of AWS that this region does not have, in the error format of each protocol. A
 * refusal needs no signature and counts as a stranger's call. Lists that audit tools request are answered empty
 * instead (empty_lists.c). The protocol follows from the headers or the path of the request, or else from
 * services.def. Source of the forms: Smithy's specifications of AWS's protocols, and the models of botocore. */
#include "api/absent/absent.h"

#include <stdlib.h>

#include "api/absent/internal.h"
#include "api/core/cbor.h"
#include "auth/key/sigv4.h"
#include "base/json_write.h"
#include "base/xml.h"

#define S3_CONTROL_PATH "/v20180820/" /* all paths of S3 Control, which has S3's name in its signatures */

static const struct service services[] = {
#define SERVICE(name, form, name_space) {name, form, name_space},
#include "api/absent/services.def"
#undef SERVICE
};

static struct absent_call *absent_call_of(struct api_call *core)
{
	return (struct absent_call *) core;
}

/* ---- which service ---- */

/* Text after `mark`, up to the first character of `ends`. */
static struct str find_behind(struct str s, struct str mark, const char *ends)
{
	const char *at = s.n >= mark.n ? memmem(s.p, s.n, mark.p, mark.n) : NULL;
	if (!at)
		return STR_NONE;
	struct str rest = str_slice(s, (size_t) (at - s.p) + mark.n, s.n);
	size_t n = 0;
	while (n < rest.n && !strchr(ends, rest.p[n]))
		n++;
	return str_slice(rest, 0, n);
}

/* "…/SERVICE/aws4_request", with that between the parts. A signature for several regions has no region, so
 * that the end is what counts. */
static struct str cut_service(struct str credential, struct str slash)
{
	struct str end = STR("aws4_request");
	if (!str_ends_with(credential, end) || credential.n < end.n + slash.n)
		return STR_NONE;
	struct str rest = str_slice(credential, 0, credential.n - end.n - slash.n);
	for (size_t at = rest.n; at >= slash.n; at--)
		if (str_ends_with(str_slice(rest, 0, at), slash))
			return str_slice(rest, at, rest.n);
	return STR_NONE;
}

/* Empty: the request is not signed as AWS's clients sign. */
static struct str find_service(const struct call *call)
{
	struct str authorization = call_header(call, "Authorization");
	if (str_starts_with(authorization, STR("AWS4-")))
		return cut_service(find_behind(authorization, STR("Credential="), ", "), STR("/"));
	struct str credential = find_behind(call->query, STR("X-Amz-Credential="), "&");
	struct str service = cut_service(credential, STR("%2F"));
	return service.n ? service : cut_service(credential, STR("/"));
}

static int compare_names(const void *key, const void *row)
{
	const struct str *name = key;
	return str_compare(*name, str_from(((const struct service *) row)->name));
}

static const struct service *find_row(struct str name)
{
	return bsearch(&name, services, sizeof services / sizeof services[0], sizeof services[0],
		       compare_names);
}

/* ---- which protocol ---- */

static bool is_form(const struct call *call)
{
	return str_starts_with(call_header(call, "Content-Type"), STR("application/x-www-form-urlencoded")) ||
	       str_starts_with(call->query, STR("Action=")) || str_contains(call->query, STR("&Action="));
}

/* FORM_COUNT: neither the request nor a row says it. */
static enum form find_form(const struct call *call, const struct service *row)
{
	struct str type = call_header(call, "Content-Type");
	bool is_whole_service = str_is(call->path, "/"); /* as all calls but those of the REST protocols */
	if (str_starts_with(call_header(call, "Smithy-Protocol"), STR("rpc-v2-cbor")))
		return CBOR;
	if (call_header(call, "X-Amz-Target").n)
		return str_contains(type, STR("json-1.1")) ? JSON_1_1 : JSON_1_0;
	if (row && row->form == S3 && str_starts_with(call->path, STR(S3_CONTROL_PATH)))
		return REST_XML;
	if (row && (row->form != QUERY || is_whole_service || is_form(call)))
		return row->form;
	return !is_whole_service || str_starts_with(type, STR("application/json")) ? REST_JSON : FORM_COUNT;
}

bool absent_has_call(const struct call *call)
{
	struct str service = find_service(call);
	if (str_is_empty(service) || str_is(service, "ec2") || str_is(service, "iam") ||
	    str_is(service, "sts") || str_is(service, "ce") || str_is(service, "support") ||
	    str_is(service, "ec2-instance-connect") || str_is(service, "events"))
		return false;
	return find_form(call, find_row(service)) != FORM_COUNT;
}

/* ---- lists that are empty ---- */

#define FAULT(fault, query_code, typed_code)                                                                 \
	[SIGV4_##fault] = {{ERR_UNAUTHENTICATED, 0, 403, query_code},                                        \
			   {ERR_UNAUTHENTICATED, 0, 400, typed_code}}
/* Codes of refused signatures, for the XML protocols and for the other ones. */
static const struct api_error faults[][2] = {
	FAULT(NO_CREDENTIALS, "MissingAuthenticationToken", "MissingAuthenticationTokenException"),
	FAULT(INCOMPLETE, "IncompleteSignature", "IncompleteSignatureException"),
	FAULT(UNKNOWN_KEY, "InvalidClientTokenId", "UnrecognizedClientException"),
	FAULT(MISMATCH, "SignatureDoesNotMatch", "InvalidSignatureException"),
	FAULT(SKEWED, "SignatureDoesNotMatch", "InvalidSignatureException"),
	FAULT(EXPIRED, "ExpiredToken", "ExpiredTokenException"),
	FAULT(SCOPE, "SignatureDoesNotMatch", "InvalidSignatureException"),
};

/* Any identity may read an empty list. */
static const struct api_action list_action = {
	.name = "ListNothing", .permit = "sts:GetCallerIdentity", .flags = API_FOR_ALL};
static const struct api_entry list_entry = {&list_action, NULL};

static RESULT find_list(struct absent_call *e)
{
	struct sigv4_answer answer = {0};
	bool is_xml = e->form == QUERY || e->form == S3;
	TRY(sigv4_check(e->config->sigv4, e->call, &answer));
	TRY(api_check_limits(&e->core, &list_action, OK));
	if (answer.fault != SIGV4_FINE) {
		e->error = &faults[answer.fault][is_xml ? 0 : 1];
		return ctx_fail(e->c, ERR_UNAUTHENTICATED, "%" STR_FMT, STR_ARG(answer.message));
	}
	api_choose_action(&e->core, &list_entry);
	return OK;
}

static RESULT prepare(struct api_call *core)
{
	(void) core; /* parameters change nothing */
	return OK;
}

/* ---- the refusal ---- */

static struct str word_refusal(struct absent_call *e)
{
	return str_print(e->c->arena,
			 "The service %" STR_FMT
			 " is not in this region, which has acm, autoscaling, backup, ce, "
			 "dlm, ebs, ec2, ec2-instance-connect, "
			 "elasticloadbalancing, events, iam, monitoring, sns, sqs, sts and support.",
			 STR_ARG(str_slice(e->service, 0, 64)));
}

static void begin(struct api_call *core)
{
	struct absent_call *e = absent_call_of(core);
	e->service = find_service(e->call);
	if (!str_is_line(e->service))
		e->service = STR("?");
	e->row = find_row(e->service);
	e->form = find_form(e->call, e->row);
	if (e->form == FORM_COUNT)
		e->form = REST_JSON;
	e->part = 1u << e->form;
}

/* Organizations has an error of its own for an account that is in none, and audits go on after it: prowler, Steampipe and Cloud
 * Custodian take any other for a fault. */
static const struct api_error no_organization = {ERR_UNSUPPORTED, 0, 400,
						 "AWSOrganizationsNotInUseException"};

static bool reads_organization(const struct absent_call *e)
{
	struct str target = call_header(e->call, "X-Amz-Target"), prefix = STR("AWSOrganizationsV20161128.");
	struct str operation = str_slice(target, prefix.n < target.n ? prefix.n : target.n, target.n);
	return str_is(e->service, "organizations") && str_starts_with(target, prefix) &&
	       (str_starts_with(operation, STR("Describe")) || str_starts_with(operation, STR("List")));
}

static RESULT find(struct api_call *core)
{
	struct absent_call *e = absent_call_of(core);
	if (e->row)
		e->call->action = e->row->name; /* for the log */
	e->list = absent_find_list(e);
	if (e->list)
		return find_list(e);
	TRY(api_check_limits(core, NULL, OK));
	if (reads_organization(e)) {
		e->error = &no_organization;
		return ctx_fail(e->c, ERR_UNSUPPORTED, "Your account is not a member of an organization.");
	}
	return ctx_fail(e->c, ERR_UNSUPPORTED, "%" STR_FMT, STR_ARG(word_refusal(e)));
}

/* Codes that each protocol's services document for an operation that they do not have. None of these statuses
 * makes a client try again but a flood's. */
#define OF(form) (1u << (form))
#define OF_QUERY (OF(QUERY) | OF(REST_XML))
#define OF_TYPES (OF(JSON_1_0) | OF(JSON_1_1) | OF(REST_JSON) | OF(CBOR))
static const struct api_error rows[] = {
	{ERR_UNSUPPORTED, 0, 400, "InvalidAction", NULL, OF_QUERY},
	{ERR_UNSUPPORTED, 0, 400, "UnknownOperationException", NULL, OF_TYPES},
	{ERR_UNSUPPORTED, 0, 405, "MethodNotAllowed", NULL, OF(S3)},
	{ERR_THROTTLED, 0, 400, "Throttling", NULL, OF_QUERY},
	{ERR_THROTTLED, 0, 400, "ThrottlingException", NULL, OF_TYPES},
	{ERR_THROTTLED, 0, 503, "SlowDown", NULL, OF(S3)},
	{ERR_TOO_LARGE, 0, 413, "InvalidAction", NULL, OF_QUERY},
	{ERR_TOO_LARGE, 0, 413, "UnknownOperationException", NULL, OF_TYPES},
	{ERR_TOO_LARGE, 0, 413, "MethodNotAllowed", NULL, OF(S3)},
	{ERR_UNAUTHENTICATED, 0, 403, "AccessDenied"},
	{ERR_DENIED, 0, 403, "AccessDenied", NULL, OF_QUERY | OF(S3)},
	{ERR_DENIED, 0, 400, "AccessDeniedException", NULL, OF_TYPES},
	{ERR_INTERNAL, 0, 500, "InternalFailure"},
};
static const struct api_errors errors =
	API_ERRORS(rows, .internal = "An internal error has occurred.", .throttled = "Rate exceeded");

/* ---- its forms ---- */

static RESULT write_query(struct absent_call *e, const struct api_problem *p, struct buf *body)
{
	struct xml x;
	xml_begin(&x, body);
	if (e->row && e->row->name_space)
		xml_open_ns(&x, "ErrorResponse", str_from(e->row->name_space));
	else
		xml_open(&x, "ErrorResponse");
	xml_open(&x, "Error");
	xml_z(&x, "Type", p->status >= 500 ? "Receiver" : "Sender");
	xml_z(&x, "Code", p->error->code);
	xml_text(&x, "Message", p->message);
	xml_close(&x, "Error");
	xml_text(&x, "RequestId", e->c->request_id);
	xml_close(&x, "ErrorResponse");
	return xml_end(&x);
}

static RESULT write_s3(struct absent_call *e, const struct api_problem *p, struct buf *body)
{
	struct xml x;
	xml_begin(&x, body);
	xml_open(&x, "Error");
	xml_z(&x, "Code", p->error->code);
	xml_text(&x, "Message", p->message);
	xml_text(&x, "RequestId", e->c->request_id);
	xml_close(&x, "Error");
	return xml_end(&x);
}

static RESULT write_json(struct absent_call *e, const struct api_problem *p, struct buf *body)
{
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	json_write_z(&w, "__type", p->error->code);
	json_write_text(&w, "message", p->message);
	json_write_close(&w);
	call_set_answer_header(e->call, "x-amzn-errortype", str_from(p->error->code));
	return json_write_end(&w);
}

static RESULT write_cbor(struct absent_call *e, const struct api_problem *p, struct buf *body)
{
	enum { MAP_OF_TWO = 0xa2 };
	buf_add_char(body, (char) MAP_OF_TWO);
	cbor_add_text(body, STR("__type"));
	cbor_add_text(body, str_from(p->error->code));
	cbor_add_text(body, STR("message"));
	cbor_add_text(body, p->message);
	call_set_answer_header(e->call, "smithy-protocol", STR("rpc-v2-cbor"));
	return body->failed ? FAIL(NO_MEMORY) : OK;
}

static const struct {
	const char *content_type;
	RESULT (*write)(struct absent_call *e, const struct api_problem *p, struct buf *body);
} forms[] = {
	[QUERY] = {"text/xml", write_query},
	[JSON_1_0] = {"application/x-amz-json-1.0", write_json},
	[JSON_1_1] = {"application/x-amz-json-1.1", write_json},
	[REST_JSON] = {"application/json", write_json},
	[REST_XML] = {"text/xml", write_query},
	[S3] = {"application/xml", write_s3},
	[CBOR] = {"application/cbor", write_cbor},
};

/* A body that is too large would not have been taken either if it were smaller. */
static RESULT write_problem(struct api_call *core, struct api_problem *problem, struct buf *body)
{
	struct absent_call *e = absent_call_of(core);
	if (problem->err == ERR_TOO_LARGE)
		problem->message = word_refusal(e);
	problem->content_type = forms[e->form].content_type;
	return forms[e->form].write(e, problem, body);
}

static RESULT write(struct api_call *core, struct buf *body)
{
	struct absent_call *e = absent_call_of(core);
	e->content_type = forms[e->form].content_type;
	return absent_write_list(e, body);
}

const struct api_protocol absent_protocol = {
	.name = "absent",
	.content_type = "text/xml",
	.call_size = sizeof(struct absent_call),
	.errors = &errors,
	.begin = begin,
	.find = find,
	.prepare = prepare,
	.write = write,
	.write_problem = write_problem,
};
