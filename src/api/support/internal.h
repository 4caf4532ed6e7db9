/* SPDX-License-Identifier: Apache-2.0
 * Private to api/support/: actions and calls, beyond the members that all faces share (api/core/action.h). */
#pragma once

#include "api/query/target.h"
#include "api/support/support.h"
#include "base/json_write.h"
#include "engine/support/ticket.h"

#define SUPPORT_ACTION(word) .name = (word), .permit = "support:" word

extern const struct api_actions support_case_actions, support_list_actions, support_file_actions,
	support_word_actions;
extern const struct api_groups support_action_groups;

/* ---- errors.c ---- */

extern const struct api_errors support_errors;

/* ---- cases.c ---- */

enum { CASE_ID_SIZE = 64, SUPPORT_BODY_MAX = 8000, SUPPORT_PAGE = 10 };
/* "case-123456789012-2026-0123456789abcdef" */
struct str support_case_id(struct target_call *e, const struct tables *t,
			   const struct support_ticket *ticket);
/* ERR_NOT_FOUND: the caller's account has no case with that id. */
RESULT support_read_case_id(struct target_call *e, struct str text, struct ref *ret_ref);
struct str support_status(const struct tables *t, const struct support_ticket *ticket);
/* Reads a time in AWS's format; ERR_INVALID. */
RESULT support_read_time(struct target_call *e, const char *field, struct str text, int64_t *ret_us);
/* Reads a page's token: the number of the last item of the page before. ERR_INVALID. */
RESULT support_read_token(struct target_call *e, struct str text, int64_t *ret_number);
void support_write_token(struct target_call *e, struct json_writer *w, int64_t number);
/* Reads the id of an attachment set; UUID_NONE, which no set has, for an invalid id. */
uuid support_read_set(struct str text);

/* ---- words.c ---- */

/* True if the table of AWS Support's services has the service, and the category in it. */
bool support_has_service(struct str service);
bool support_has_category(struct str service, struct str category);
