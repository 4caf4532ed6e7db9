/* SPDX-License-Identifier: Apache-2.0
 * Error codes and messages of AWS Support. Sources: AWS Support API Reference, "Errors" and "Common Error Types";
 * the texts of validation errors are those that AWS's JSON services share. That an unknown service's code has one
 * is guessed. */
#include "api/support/internal.h"
#include "auth/key/sigv4.h"

/* clang-format off */
static const struct api_error rows[] = {
	{ERR_NOT_FOUND, KIND_SUPPORT_TICKET, 400, "CaseIdNotFound"},
	{ERR_NOT_FOUND, KIND_TICKET_ATTACHMENT, 400, "AttachmentIdNotFound", "attachmentId"},
	{ERR_NOT_FOUND, KIND_TICKET_ATTACHMENT, 400, "AttachmentSetIdNotFound"},
	{ERR_EXPIRED, KIND_TICKET_ATTACHMENT, 400, "AttachmentSetExpired"},
	{ERR_TOO_LARGE, KIND_TICKET_ATTACHMENT, 400, "AttachmentSetSizeLimitExceeded"},
	{ERR_TOO_LARGE, KIND_SUPPORT_TICKET, 400, "AttachmentSetSizeLimitExceeded"},
	{ERR_QUOTA, KIND_TICKET_ATTACHMENT, 400, "AttachmentLimitExceeded"},
	{ERR_QUOTA, KIND_SUPPORT_TICKET, 400, "CaseCreationLimitExceeded"},
	{ERR_THROTTLED, KIND_TICKET_ATTACHMENT, 400, "DescribeAttachmentLimitExceeded"},
	{ERR_MALFORMED, 0, 400, "SerializationException"},
	{ERR_UNSUPPORTED, 0, 400, "UnknownOperationException"},
	{ERR_TOO_LARGE, 0, 413, "AttachmentSetSizeLimitExceeded", API_WHOLE_REQUEST},
	{ERR_INVALID, 0, 400, "ValidationException"}, {ERR_MISSING, 0, 400, "ValidationException"},
	{ERR_UNKNOWN, 0, 400, "ValidationException"}, {ERR_COMBINATION, 0, 400, "ValidationException"},
	{ERR_RANGE, 0, 400, "ValidationException"},   {ERR_TOO_LARGE, 0, 400, "ValidationException"},
	{ERR_STATE, 0, 400, "ValidationException"},   {ERR_QUOTA, 0, 400, "ValidationException"},
	{ERR_UNAUTHENTICATED, 0, 400, "UnrecognizedClientException"},
	{ERR_DENIED, 0, 400, "AccessDeniedException"},
	{ERR_THROTTLED, 0, 400, "ThrottlingException"},
	{ERR_NO_MEMORY, 0, 500, "InternalServerError"},
	{ERR_AGAIN, 0, 503, "ServiceUnavailable"},
	{ERR_INTERNAL, 0, 500, "InternalServerError"},
};
const struct api_errors support_errors =
	API_ERRORS(rows, .internal = "An internal error has occurred.", .throttled = "Rate exceeded",
		   .unproved = "The security token included in the request is invalid.");

const struct api_error support_faults[] = {
	[SIGV4_NO_CREDENTIALS] = {ERR_UNAUTHENTICATED, 0, 400, "MissingAuthenticationTokenException"},
	[SIGV4_INCOMPLETE] = {ERR_UNAUTHENTICATED, 0, 400, "IncompleteSignatureException"},
	[SIGV4_UNKNOWN_KEY] = {ERR_UNAUTHENTICATED, 0, 400, "UnrecognizedClientException"},
	[SIGV4_MISMATCH] = {ERR_UNAUTHENTICATED, 0, 400, "InvalidSignatureException"},
	[SIGV4_SKEWED] = {ERR_UNAUTHENTICATED, 0, 400, "InvalidSignatureException"},
	[SIGV4_EXPIRED] = {ERR_UNAUTHENTICATED, 0, 400, "ExpiredTokenException"},
	[SIGV4_SCOPE] = {ERR_UNAUTHENTICATED, 0, 400, "InvalidSignatureException"},
};
/* clang-format on */

#define ONE "1 validation error detected: Value "
#define AT "at '{parameter}' failed to satisfy constraint: Member must "
const struct params_dialect support_dialect = {
	.words =
		{
			[FAULT_MISSING] = ONE AT "not be null",
			[FAULT_UNBUILT] = "The parameter {parameter} is not supported.",
			[FAULT_TYPE] = "{parameter} is not of the type {type}",
			[FAULT_WORDS] = ONE "'{value}' " AT "satisfy enum value set: [{words}]",
			[FAULT_CHOICE] = ONE "'{value}' " AT "be true or false",
			[FAULT_BOOL] = ONE "'{value}' " AT "be true or false",
			[FAULT_INT] = ONE "'{value}' " AT "be a number",
			[FAULT_INT_BELOW] = ONE "'{value}' " AT "have value greater than or equal to {min}",
			[FAULT_INT_ABOVE] = ONE "'{value}' " AT "have value less than or equal to {max}",
			[FAULT_TEXT_SHORT] = ONE "'{value}' " AT "have length greater than or equal to {min}",
			[FAULT_TEXT_LONG] = ONE "'{start}' " AT "have length less than or equal to {max}",
			[FAULT_BASE64] = "{parameter} is not base64",
			[FAULT_COUNT] = ONE AT "have length less than or equal to {max}",
		},
	.comma = ", ",
	.rules = UNKNOWN_IS_IGNORED | NULLS_ARE_ABSENT,
	.text_max = 1024,
};

RESULT support_fail_member(struct ctx *c, const char *field, struct str value, const char *must)
{
	return ctx_fail_field(c, ERR_INVALID, str_from(field),
			      ONE "'%" STR_FMT "' at '%s' failed to satisfy constraint: Member must %s",
			      STR_ARG(str_slice(value, 0, 128)), field, must);
}

void support_word_problem(struct api_call *core, struct api_problem *p)
{
	p->message = api_say_problem(core->c, p);
}

RESULT support_write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	json_write_z(&w, "__type", p->error->code);
	json_write_text(&w, "message", p->message);
	json_write_close(&w);
	call_set_answer_header(core->call, "x-amzn-ErrorType", str_from(p->error->code));
	return json_write_end(&w);
}
