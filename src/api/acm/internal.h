/* SPDX-License-Identifier: Apache-2.0
 * Private to api/acm/: actions and calls, beyond the members that all faces share (api/core/action.h). */
#pragma once

#include "api/acm/acm.h"
#include "api/core/params.h"
#include "api/query/target.h"
#include "base/crypto_certificate.h"
#include "base/json_write.h"
#include "engine/people/credential/acm_certificate.h"
#include "store/server_certificate.h"

#define ACM_ACTION(word) .name = (word), .permit = "acm:" word

extern const struct api_actions acm_import_actions, acm_certificate_actions, acm_list_actions,
	acm_tag_actions;
extern const struct api_errors acm_errors;

enum { ACM_ARN_MIN = 20, ACM_ARN_MAX = 2048, ACM_TAGS_MAX = 50 };

/* ---- acm.c ---- */

#define ACM_ARN(T, member, ...)                                                                              \
	PARAM(T, "CertificateArn", member, __VA_ARGS__.min = ACM_ARN_MIN, .max = ACM_ARN_MAX,                \
	      .doc = "ARN of the certificate.")
/* "arn:aws:acm:REGION:ACCOUNT:certificate/ID". */
struct str acm_write_arn(struct target_call *e, const struct server_certificate *s);
/* A certificate of the caller's account by its ARN. ERR_NOT_FOUND; ERR_INVALID with KIND_SERVER_CERTIFICATE: the text is no
 * ARN of ACM. */
RESULT acm_find(struct target_call *e, struct str arn, struct ref *ret_ref,
		const struct server_certificate **ret_certificate);

/* ---- members.c ---- */

/* Fields that are computed from a row. */
struct acm_shown {
	const struct server_certificate *row;
	struct crypto_certificate fields;
	bool is_expired, is_used;
};
/* Ids of the certificates that listeners of the account present. ERR_NO_MEMORY. */
RESULT acm_find_used(struct target_call *e, struct uuids *ret_ids);
/* Parses the row's certificate. */
RESULT acm_read(struct target_call *e, const struct server_certificate *s, const struct uuids *used,
		struct acm_shown *ret_shown);
/* Write an element of a list, and the member "Certificate". */
void acm_write_summary(struct target_call *e, struct json_writer *w, const struct acm_shown *shown);
void acm_write_detail(struct target_call *e, struct json_writer *w, const struct acm_shown *shown);
/* ACM's words for a type of key, a usage and a purpose. */
const char *acm_name_key_type(enum crypto_key_type type);
const char *acm_name_key_usage(size_t bit);
const char *acm_name_purpose(struct str oid);

/* ---- tags.c ---- */

extern const struct params acm_tag_params; /* filling struct tag */
