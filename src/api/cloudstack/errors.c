/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's words for failures. Source of the codes: ApiErrorCode and CSExceptionErrorCode of 4.18. The
 * sentence about an id that there is not is the one that clients look for. The core words what is
 * wrong with other parameters. */
#include "api/cloudstack/internal.h"

/* The status is the errorcode, too; the code is the cserrorcode. */
static const struct api_error rows[] = {
	{ERR_INVALID, 0, 431, "4350"},         {ERR_MISSING, 0, 431, "9999"},
	{ERR_MALFORMED, 0, 431, "4350"},       {ERR_RANGE, 0, 431, "4350"},
	{ERR_NOT_FOUND, 0, 431, "4350"},       {ERR_STATE, 0, 431, "4350"},
	{ERR_TOO_LARGE, 0, 431, "4350"},       {ERR_UNSUPPORTED, 0, 432, "4555"},
	{ERR_UNAUTHENTICATED, 0, 401, "9999"}, {ERR_DENIED, 0, 531, "4365"},
	{ERR_THROTTLED, 0, 429, "4545"},       {ERR_QUOTA, 0, 532, "4280"},
	{ERR_CAPACITY, 0, 533, "4325"},        {ERR_IN_USE, 0, 536, "4375"},
	{ERR_CONFLICT, 0, 537, "4360"},        {ERR_INTERNAL, 0, 530, "4250"},
};

const struct api_errors cloudstack_errors = API_ERRORS(
	rows, .internal = "Internal error executing command, please contact your system administrator",
	.throttled = "The given user has reached his/her account api limit, please retry later.",
	.unproved = "unable to verify user credentials and/or request signature", .is_by_status = true);

/* A command that was not recognised has no response of its own. */
RESULT cloudstack_write_problem(struct api_call *e, struct api_problem *p, struct buf *body)
{
	struct json_writer w;
	json_write_begin(&w, body);
	cloudstack_open_response(e, &w, e->action ? e->action->name : "error");
	json_write_open_list(&w, "uuidList");
	json_write_close_list(&w);
	json_write_int(&w, "errorcode", p->status);
	json_write_raw(&w, "cserrorcode", str_from(p->error->code));
	json_write_text(&w, "errortext", p->message);
	json_write_close(&w);
	json_write_close(&w);
	return json_write_end(&w);
}

/* ---- parameters ---- */

#define UNABLE "Unable to execute API command due to "
const struct params_dialect cloudstack_dialect = {
	.words = {[FAULT_MISSING] = UNABLE "missing parameter {field}",
		  [FAULT_TEXT_LONG] = UNABLE "invalid value. Value greater than max allowed length {max} for "
					     "param: {field}",
		  [FAULT_ID] =
			  UNABLE "invalid value. Invalid parameter {field} value={value} due to incorrect "
				 "long value format, or entity does not exist or due to incorrect "
				 "parameter annotation for the field in api cmd class."},
	.comma = ", ",
	.rules = ABSENT_IF_EMPTY | UNKNOWN_IS_IGNORED,
	.text_max = 255,
	.separator = ',',
};
