/* SPDX-License-Identifier: Apache-2.0
 * ImportCertificate: certificates from elsewhere, new or in place of an imported one. Sources: ACM API Reference; ACM User Guide,
 * "Prerequisites" and "Reimporting a certificate"; texts that ACM's users report. Texts marked so are guesses. */
#include "api/acm/internal.h"
#include "auth/key/key.h"
#include "base/clock.h"
#include "base/crypto_issue.h"

/* ACM takes chains of 2 MiB; a request to Dari has 1 MiB at most. */
enum { BODY_MAX = 32768, KEY_MAX = 5120, CHAIN_MAX = 65536, CHAIN_CERTIFICATES_MAX = 64 };

struct import_args {
	struct acm_import wish;
	struct str arn, private_key;
	bool has_chain;
	struct str former; /* PEM of the certificate that is replaced */
	struct {
		struct tag *at;
		size_t count;
	} tags;
};
static const struct param import_params[] = {
	ACM_ARN(struct import_args, arn, ),
	PARAM(struct import_args, "Certificate", wish.body, .flags = REQUIRED | BASE64, .min = 1,
	      .max = BODY_MAX, .doc = "Certificate in PEM."),
	PARAM(struct import_args, "PrivateKey", private_key, .flags = REQUIRED | BASE64, .min = 1,
	      .max = KEY_MAX, .doc = "Private key in PEM, without a passphrase."),
	PARAM(struct import_args, "CertificateChain", wish.chain, .flags = BASE64, .min = 1, .max = CHAIN_MAX,
	      .given = offsetof(struct import_args, has_chain) + 1,
	      .doc = "Certificate chain in PEM, beginning with the issuer of the certificate."),
	PARAM_LIST(struct import_args, "Tags", tags, acm_tag_params, .max = ACM_TAGS_MAX,
		   .doc = "Tags of a new certificate."),
};

static struct result fail(struct target_call *e, enum err err, const char *field, const char *message)
{
	ctx_clear_problem(e->c); /* the parser's own words */
	return ctx_fail_field(e->c, err, str_from(field), "%s", message);
}

static RESULT check_length(struct target_call *e, const char *field, bool is_given, struct str text)
{
	return !is_given || text.n
		       ? OK
		       : target_fail_member(e->c, field, text, "have length greater than or equal to 1");
}

/* The text about tags is a guess. */
static RESULT prepare_import(struct target_call *e, void *args)
{
	struct import_args *a = args;
	const struct server_certificate *s = NULL;
	TRY(check_length(e, "certificate", true, a->wish.body));
	TRY(check_length(e, "privateKey", true, a->private_key));
	TRY(check_length(e, "certificateChain", a->has_chain, a->wish.chain));
	a->wish.tags = (struct tags){a->tags.at, a->tags.count};
	a->wish.certificate = id_new(KIND_SERVER_CERTIFICATE);
	if (!a->arn.n)
		return OK;
	if (a->tags.count)
		return fail(e, ERR_COMBINATION, "Tags", "Tagging is not permitted on re-import.");
	TRY(acm_find(e, a->arn, &a->wish.present, &s));
	a->wish.certificate = s->row.id;
	a->former = str_copy(e->c->arena, s->body);
	return OK;
}

/* ---- checks ---- */

/* The text about the time is a guess. */
static RESULT check_body(struct target_call *e, struct import_args *a, struct crypto_certificate *ret_fields)
{
	struct strs pems = {0};
	int64_t now_us = clock_now_us();
	if (!crypto_split_certificates(e->c->arena, a->wish.body, CHAIN_CERTIFICATES_MAX, &pems))
		return fail(e, ERR_INVALID, "Certificate",
			    "Unable to parse certificate. Please ensure the certificate is in PEM format.");
	if (pems.count > 1)
		return fail(e, ERR_INVALID, "Certificate",
			    "The certificate field contains more than one certificate. You can specify only "
			    "one certificate in this field.");
	a->wish.body = pems.at[0];
	TRY(crypto_read_certificate(e->c, a->wish.body, ret_fields));
	a->wish.from_us = ret_fields->from_us;
	a->wish.expires_us = ret_fields->until_us;
	if (now_us < ret_fields->from_us || now_us >= ret_fields->until_us)
		return fail(e, ERR_INVALID, "Certificate", "The certificate is not valid at this time.");
	return OK;
}

/* Texts are guesses, except for "is not supported". */
static RESULT check_key(struct target_call *e, const struct import_args *a,
			const struct crypto_certificate *fields)
{
	struct result result = crypto_check_key_pair(e->c, a->wish.body, a->private_key);
	if (result.code == ERR_INVALID)
		return fail(e, ERR_INVALID, "PrivateKey", "The private key is not supported.");
	if (result.code == ERR_COMBINATION)
		return fail(e, ERR_COMBINATION, "PrivateKey",
			    "The private key does not match the certificate.");
	TRY(result);
	return fields->key_type != CRYPTO_KEY_OTHER
		       ? OK
		       : fail(e, ERR_INVALID, "Certificate",
			      "The algorithm or size of the certificate's key is not supported.");
}

static RESULT check_chain(struct target_call *e, struct str pem, struct str chain)
{
	struct strs pems = {0};
	bool is_good = crypto_split_certificates(e->c->arena, chain, CHAIN_CERTIFICATES_MAX, &pems);
	if (!is_good)
		return fail(e, ERR_INVALID, "CertificateChain",
			    "Unable to parse certificate chain. Please ensure the chain is in PEM format.");
	for (size_t k = 0; k < pems.count && is_good; k++)
		is_good = crypto_is_issued_by(k ? pems.at[k - 1] : pem, pems.at[k]);
	return is_good ? OK
		       : fail(e, ERR_INVALID, "CertificateChain",
			      "Could not validate the certificate with the certificate chain.");
}

/* Clients often lose clientAuth, which public authorities no longer certify: ACM lets that purpose go. */
static bool keeps_purposes(const struct crypto_certificate *former, const struct crypto_certificate *next)
{
	for (size_t k = 0; k < former->purposes.count; k++) {
		bool is_kept = str_is(former->purposes.at[k], "1.3.6.1.5.5.7.3.2"); /* clientAuth */
		for (size_t n = 0; n < next->purposes.count && !is_kept; n++)
			is_kept = str_equal(former->purposes.at[k], next->purposes.at[n]);
		if (!is_kept)
			return false;
	}
	return true;
}

/* Checks the rules of a reimport. The texts are guesses. */
static RESULT check_successor(struct target_call *e, struct str former_pem,
			      const struct crypto_certificate *next)
{
	struct crypto_certificate former;
	TRY(crypto_read_certificate(e->c, former_pem, &former));
	if (former.key_type != next->key_type)
		return fail(e, ERR_COMBINATION, "Certificate",
			    "The key type and size of a certificate cannot be changed by reimporting it.");
	if ((former.names.count || former.common_name.n) && !next->names.count && !next->common_name.n)
		return fail(e, ERR_COMBINATION, "Certificate",
			    "Reimporting a certificate cannot remove all of its domain names.");
	if ((former.key_usages & next->key_usages) != former.key_usages || !keeps_purposes(&former, next))
		return fail(e, ERR_COMBINATION, "Certificate",
			    "Reimporting a certificate cannot remove values of its Key Usage and Extended "
			    "Key Usage extensions.");
	return OK;
}

/* Reading keys and a chain takes milliseconds, which an HTTP thread has not. */
static RESULT check_import(struct work_item *w)
{
	struct target_call *e = w->arg;
	struct import_args *a = e->args;
	struct crypto_certificate fields = {0};
	TRY(check_body(e, a, &fields));
	TRY(check_key(e, a, &fields));
	if (a->wish.chain.n)
		TRY(check_chain(e, a->wish.body, a->wish.chain));
	if (a->former.n)
		TRY(check_successor(e, a->former, &fields));
	return key_seal(e->c, e->config->master_key, a->wish.certificate, a->private_key, &a->wish.key);
}

static RESULT answer_import(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(target_find_returned(e, ((const struct import_args *) args)->wish.certificate, &row));
	json_write_text(w, "CertificateArn", acm_write_arn(e, server_certificate_of(row)));
	return OK;
}

static const struct target_action rows[] = {
	{ACM_ACTION("ImportCertificate"), .flags = API_WRITES,
	 .args = PARAMS(struct import_args, import_params), .work = check_import,
	 .operation = engine_import_acm_certificate_run, .returns = KIND_SERVER_CERTIFICATE,
	 .doc = "Imports a certificate with its chain and private key, or replaces an imported one.",
	 .prepare = prepare_import, .answer = answer_import},
};
const struct api_actions acm_import_actions = API_ACTIONS(rows);
