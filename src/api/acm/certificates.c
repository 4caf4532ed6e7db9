/* SPDX-License-Identifier: Apache-2.0
 * Describes, reads and deletes a certificate; refuses actions that ACM does not have for imported certificates. Source: ACM API Reference. */
#include "api/acm/internal.h"

struct arn_args {
	struct acm_target wish;
	struct str arn;
};
static const struct param arn_params[] = {ACM_ARN(struct arn_args, arn, .flags = REQUIRED, )};

static RESULT prepare(struct target_call *e, void *args)
{
	struct arn_args *a = args;
	const struct server_certificate *s = NULL;
	return acm_find(e, a->arn, &a->wish.certificate, &s);
}

static RESULT answer_describe(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct server_certificate *s = NULL;
	struct acm_shown shown;
	struct ref ref;
	TRY(acm_find(e, ((const struct arn_args *) args)->arn, &ref, &s));
	TRY(acm_read(e, s, &(const struct uuids){0}, &shown));
	acm_write_detail(e, w, &shown);
	return OK;
}

static RESULT answer_get(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct server_certificate *s = NULL;
	struct ref ref;
	TRY(acm_find(e, ((const struct arn_args *) args)->arn, &ref, &s));
	json_write_text(w, "Certificate", s->body);
	if (s->chain.n)
		json_write_text(w, "CertificateChain", s->chain);
	return OK;
}

/* ---- refusals ---- */

struct request_args {
	struct str name;
};
static const struct param request_params[] = {
	PARAM(struct request_args, "DomainName", name, .flags = REQUIRED, .min = 1, .max = 253,
	      .doc = "Domain name."),
	PASSED_OVER("CertificateAuthorityArn|DomainValidationOptions|IdempotencyToken|KeyAlgorithm|ManagedBy|"
		    "Options|SubjectAlternativeNames|Tags|ValidationMethod",
		    "The call is refused whatever they say."),
};

static RESULT refuse_request(struct target_call *e, void *args)
{
	(void) args;
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("DomainName"), "%s", e->action->never);
}

/* Codes of refused actions differ: each action's reference lists some. */
static RESULT refuse_state(struct target_call *e, void *args)
{
	TRY(prepare(e, args));
	return ctx_fail_kind(e->c, ERR_STATE, KIND_SERVER_CERTIFICATE, "%s", e->action->never);
}

static RESULT refuse_certificate(struct target_call *e, void *args)
{
	TRY(prepare(e, args));
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("CertificateArn"),
			      "Certificate ARN: %" STR_FMT " is not a private certificate",
			      STR_ARG(((const struct arn_args *) args)->arn));
}

struct export_args {
	struct arn_args arn;
	struct str passphrase;
};
static const struct param export_params[] = {
	ACM_ARN(struct export_args, arn.arn, .flags = REQUIRED, ),
	PARAM(struct export_args, "Passphrase", passphrase, .flags = REQUIRED | BASE64, .min = 4, .max = 128,
	      .doc = "Passphrase for the exported key."),
};
static const struct param resend_params[] = {
	ACM_ARN(struct arn_args, arn, .flags = REQUIRED, ),
	PASSED_OVER("Domain|ValidationDomain", "The call is refused whatever they say."),
};
static const struct param options_params[] = {
	ACM_ARN(struct arn_args, arn, .flags = REQUIRED, ),
	PASSED_OVER("Options", "The call is refused whatever they say."),
};

#define REFUSED(word, T, params, refuse, reason, words)                                                      \
	{                                                                                                    \
		ACM_ACTION(word), .args = PARAMS(T, params), .never = (reason), .doc = (words),              \
				  .prepare = (refuse)                                                        \
	}

static const struct target_action rows[] = {
	{ACM_ACTION("DescribeCertificate"), .args = PARAMS(struct arn_args, arn_params),
	 .flags = API_CHANGES_BY_TIME, .doc = "Shows what is in a certificate, and who uses it.",
	 .prepare = prepare, .answer = answer_describe},
	{ACM_ACTION("GetCertificate"), .args = PARAMS(struct arn_args, arn_params),
	 .doc = "Returns a certificate with its chain, without the private key.", .prepare = prepare,
	 .answer = answer_get},
	{ACM_ACTION("DeleteCertificate"), .flags = API_WRITES, .args = PARAMS(struct arn_args, arn_params),
	 .operation = engine_delete_acm_certificate_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a certificate and its private key.", .prepare = prepare},
	REFUSED("ExportCertificate", struct export_args, export_params, refuse_certificate,
		"Imported certificates cannot be exported, as in ACM.", "Exports a private certificate."),
	REFUSED("RequestCertificate", struct request_args, request_params, refuse_request,
		"This region issues no certificates. Import one with ImportCertificate.",
		"Requests a certificate from the region."),
	REFUSED("RenewCertificate", struct arn_args, arn_params, refuse_certificate,
		"Imported certificates cannot be renewed, as in ACM.", "Renews a private certificate."),
	REFUSED("ResendValidationEmail", struct arn_args, resend_params, refuse_state,
		"The certificate is imported: no validation is pending.", "Sends another validation e-mail."),
	REFUSED("UpdateCertificateOptions", struct arn_args, options_params, refuse_state,
		"The certificate is imported: it has no options.",
		"Changes options of an issued certificate."),
};
const struct api_actions acm_certificate_actions = API_ACTIONS(rows);
