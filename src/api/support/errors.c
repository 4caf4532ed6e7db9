/* SPDX-License-Identifier: Apache-2.0
 * Error codes and messages of AWS Support. Sources: AWS Support API Reference, "Errors" and "Common Error Types";
 * the texts of validation errors are those that AWS's JSON services share. That an unknown service's code has one
 * is guessed. */
#include "api/support/internal.h"

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
	{ERR_STATE, 0, 400, "ValidationException"},
	{ERR_QUOTA, 0, 400, "ValidationException"},
	TARGET_COMMON_ERRORS("InternalServerError"),
};
const struct api_errors support_errors = TARGET_ERRORS(rows);
