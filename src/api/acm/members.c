/* SPDX-License-Identifier: Apache-2.0
 * Members of a certificate in answers. Most are read from the certificate itself. Source: ACM API Reference. */
#include "api/acm/internal.h"
#include "base/clock.h"
#include "base/vec.h"
#include "engine/balancing/balancing.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"

/* ---- words ---- */

const char *acm_name_key_type(enum crypto_key_type type)
{
	static const char *const words[CRYPTO_KEY_COUNT] = {
		[CRYPTO_KEY_RSA_1024] = "RSA_1024",  [CRYPTO_KEY_RSA_2048] = "RSA_2048",
		[CRYPTO_KEY_RSA_3072] = "RSA_3072",  [CRYPTO_KEY_RSA_4096] = "RSA_4096",
		[CRYPTO_KEY_P256] = "EC_prime256v1", [CRYPTO_KEY_P384] = "EC_secp384r1",
		[CRYPTO_KEY_P521] = "EC_secp521r1",
	};
	return words[type];
}

const char *acm_name_key_usage(size_t bit)
{
	static const char *const words[CRYPTO_KEY_USAGES] = {
		"DIGITAL_SIGNATURE", "NON_REPUDIATION", "KEY_ENCIPHERMENT",
		"DATA_ENCIPHERMENT", "KEY_AGREEMENT",   "CERTIFICATE_SIGNING",
		"CRL_SIGNING",       "ENCIPHER_ONLY",   "DECIPHER_ONLY"};
	return words[bit];
}

const char *acm_name_purpose(struct str oid)
{
	static const struct {
		const char *oid, *word;
	} rows[] = {
		{"1.3.6.1.5.5.7.3.1", "TLS_WEB_SERVER_AUTHENTICATION"},
		{"1.3.6.1.5.5.7.3.2", "TLS_WEB_CLIENT_AUTHENTICATION"},
		{"1.3.6.1.5.5.7.3.3", "CODE_SIGNING"},
		{"1.3.6.1.5.5.7.3.4", "EMAIL_PROTECTION"},
		{"1.3.6.1.5.5.7.3.5", "IPSEC_END_SYSTEM"},
		{"1.3.6.1.5.5.7.3.6", "IPSEC_TUNNEL"},
		{"1.3.6.1.5.5.7.3.7", "IPSEC_USER"},
		{"1.3.6.1.5.5.7.3.8", "TIME_STAMPING"},
		{"1.3.6.1.5.5.7.3.9", "OCSP_SIGNING"},
		{"2.5.29.37.0", "ANY"},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
		if (str_is(oid, rows[k].oid))
			return rows[k].word;
	return "CUSTOM";
}

/* "RSA-SHA256" is SHA256WITHRSA in ACM; other names stay as OpenSSL writes them. */
static struct str write_signature(struct arena *a, struct str name)
{
	if (str_starts_with(name, STR("RSA-")))
		return str_print(a, "%" STR_FMT "WITHRSA", STR_ARG(str_slice(name, 4, name.n)));
	if (str_starts_with(name, STR("ecdsa-with-")))
		return str_print(a, "%" STR_FMT "WITHECDSA", STR_ARG(str_slice(name, 11, name.n)));
	return name;
}

/* ---- rows ---- */

RESULT acm_find_used(struct target_call *e, struct uuids *ret_ids)
{
	VEC(uuid) ids = {0};
	const struct listener *l = listener_first_by_account(target_tables(e), e->c->who->account);
	for (; l; l = listener_next_by_account(target_tables(e), l))
		for (size_t k = 0; k < l->certificates.count; k++)
			if (!VEC_PUSH(e->c->arena, &ids, l->certificates.at[k]))
				return ctx_no_memory(e->c);
	*ret_ids = (struct uuids){ids.at, ids.count};
	return OK;
}

RESULT acm_read(struct target_call *e, const struct server_certificate *s, const struct uuids *used,
		struct acm_shown *ret_shown)
{
	struct crypto_certificate fields;
	TRY(crypto_read_certificate(e->c, s->body, &fields));
	*ret_shown = (struct acm_shown){.row = s,
					.fields = fields,
					.is_expired = clock_now_us() >= s->expires_us,
					.is_used = uuids_have(used, s->row.id)};
	return OK;
}

/* ---- members ---- */

static void write_time(struct json_writer *w, const char *name, int64_t at_us)
{
	json_write_int(w, name, at_us / SECOND);
}

static struct str domain_of(const struct acm_shown *shown)
{
	const struct crypto_certificate *f = &shown->fields;
	return f->common_name.n ? f->common_name : f->names.count ? f->names.at[0] : STR_NONE;
}

/* Members that lists and details share. */
static void write_common(struct target_call *e, struct json_writer *w, const struct acm_shown *shown)
{
	json_write_text(w, "CertificateArn", acm_write_arn(e, shown->row));
	json_write_text(w, "DomainName", domain_of(shown));
	json_write_z(w, "Status", shown->is_expired ? "EXPIRED" : "ISSUED");
	json_write_z(w, "Type", "IMPORTED");
	json_write_z(w, "RenewalEligibility", "INELIGIBLE");
	if (shown->fields.key_type != CRYPTO_KEY_OTHER)
		json_write_z(w, "KeyAlgorithm", acm_name_key_type(shown->fields.key_type));
	write_time(w, "NotBefore", shown->row->from_us);
	write_time(w, "NotAfter", shown->row->expires_us);
	write_time(w, "CreatedAt", shown->row->row.created_us);
	write_time(w, "ImportedAt", shown->row->imported_us);
}

static void write_texts(struct json_writer *w, const char *name, const struct strs *texts)
{
	json_write_open_list(w, name);
	for (size_t k = 0; k < texts->count; k++)
		json_write_text(w, NULL, texts->at[k]);
	json_write_close_list(w);
}

void acm_write_summary(struct target_call *e, struct json_writer *w, const struct acm_shown *shown)
{
	const struct crypto_certificate *f = &shown->fields;
	json_write_open(w, NULL);
	write_common(e, w, shown);
	write_texts(w, "SubjectAlternativeNameSummaries", &f->names);
	json_write_bool(w, "HasAdditionalSubjectAlternativeNames", false);
	json_write_open_list(w, "KeyUsages");
	for (size_t k = 0; k < CRYPTO_KEY_USAGES; k++)
		if (f->key_usages & 1u << k)
			json_write_z(w, NULL, acm_name_key_usage(k));
	json_write_close_list(w);
	json_write_open_list(w, "ExtendedKeyUsages");
	for (size_t k = 0; k < f->purposes.count; k++)
		json_write_z(w, NULL, acm_name_purpose(f->purposes.at[k]));
	json_write_close_list(w);
	json_write_bool(w, "InUse", shown->is_used);
	json_write_close(w);
}

static void write_usages(struct json_writer *w, const struct crypto_certificate *f)
{
	json_write_open_list(w, "KeyUsages");
	for (size_t k = 0; k < CRYPTO_KEY_USAGES; k++) {
		if (!(f->key_usages & 1u << k))
			continue;
		json_write_open(w, NULL);
		json_write_z(w, "Name", acm_name_key_usage(k));
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_open_list(w, "ExtendedKeyUsages");
	for (size_t k = 0; k < f->purposes.count; k++) {
		json_write_open(w, NULL);
		json_write_z(w, "Name", acm_name_purpose(f->purposes.at[k]));
		json_write_text(w, "OID", f->purposes.at[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
}

/* Writes the ARN of each load balancer whose listeners present the certificate. The list of those written keeps an ARN from
 * standing there twice. */
static void write_users(struct target_call *e, struct json_writer *w, const struct server_certificate *s)
{
	VEC(uuid) written = {0};
	json_write_open_list(w, "InUseBy");
	const struct listener *l = listener_first_by_account(target_tables(e), s->account);
	for (; l; l = listener_next_by_account(target_tables(e), l)) {
		const struct elastic_load_balancer *b =
			elastic_load_balancer_find(target_tables(e), l->elastic_load_balancer);
		if (!b || !uuids_have(&l->certificates, s->row.id) ||
		    uuids_have(&(const struct uuids){written.at, written.count}, b->row.id))
			continue;
		json_write_text(w, NULL,
				engine_write_balancing_arn(target_tables(e), e->c->arena, e->config->region,
							   e->c->who->account_number,
							   KIND_ELASTIC_LOAD_BALANCER, &b->row));
		if (!VEC_PUSH(e->c->arena, &written, b->row.id))
			break;
	}
	json_write_close_list(w);
}

void acm_write_detail(struct target_call *e, struct json_writer *w, const struct acm_shown *shown)
{
	const struct crypto_certificate *f = &shown->fields;
	json_write_open(w, "Certificate");
	write_common(e, w, shown);
	write_texts(w, "SubjectAlternativeNames", &f->names);
	json_write_text(w, "Serial", f->serial);
	json_write_text(w, "Subject", f->subject);
	json_write_text(w, "Issuer", f->organization);
	json_write_text(w, "SignatureAlgorithm", write_signature(e->c->arena, f->signature));
	write_usages(w, f);
	write_users(e, w, shown->row);
	json_write_open(w, "Options");
	json_write_z(w, "CertificateTransparencyLoggingPreference", "DISABLED");
	json_write_close(w);
	json_write_close(w);
}
