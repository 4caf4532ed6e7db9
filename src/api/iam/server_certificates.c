/* SPDX-License-Identifier: Apache-2.0
 * Server certificates: uploaded with a chain and a private key, which no call shows again. Sources: IAM's API
 * Reference; texts that IAM's users report; the others are marked as guesses. */
#include "api/iam/internal.h"
#include "auth/key/key.h"
#include "base/clock.h"
#include "base/crypto_issue.h"
#include "engine/people/credential/server_certificate.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "store/server_certificate.h"

/* IAM takes chains of 2 MiB; a request to Dari has 1 MiB at most. */
enum { PEM_MAX = 16384, CHAIN_MAX = 65536, CHAIN_CERTIFICATES_MAX = 64 };

#define NAME(T, member)                                                                                      \
	PARAM(T, "ServerCertificateName", member, .flags = REQUIRED, .min = 1, .max = IAM_NAME_MAX,          \
	      .doc = "Name of the server certificate.")

/* ---- uploads ---- */

struct new_certificate {
	struct server_certificate_wish wish;
	struct str private_key;
};
static const struct param upload_params[] = {
	PARAM(struct new_certificate, "ServerCertificateName", wish.name, .flags = REQUIRED, .min = 1,
	      .max = IAM_NAME_MAX, .doc = "Name; unique in the account, regardless of letter case."),
	PARAM(struct new_certificate, "CertificateBody", wish.body, .flags = REQUIRED, .min = 1,
	      .max = PEM_MAX, .doc = "Certificate in PEM."),
	PARAM(struct new_certificate, "PrivateKey", private_key, .flags = REQUIRED, .min = 1, .max = PEM_MAX,
	      .doc = "Private key in PEM, without a passphrase."),
	PARAM(struct new_certificate, "CertificateChain", wish.chain, .min = 1, .max = CHAIN_MAX,
	      .doc = "Certificate chain in PEM, beginning with the issuer of the certificate."),
	IAM_PATH(struct new_certificate, wish.path),
	IAM_TAGS(struct new_certificate, wish.tags),
};

static struct result fail(struct iam_call *e, enum err err, const char *field, const char *message)
{
	ctx_clear_problem(e->c); /* the parser's own words */
	struct result failed = ctx_fail_kind(e->c, err, KIND_SERVER_CERTIFICATE, "%s", message);
	e->c->problem.field = str_from(field);
	return failed;
}

/* A certificate before or after its time gets the same code (a guess). */
static RESULT check_body(struct iam_call *e, struct new_certificate *a, struct str *ret_pem)
{
	struct strs pems = {0};
	int64_t from_us = 0, now_us = clock_now_us();
	if (!crypto_split_certificates(e->c->arena, a->wish.body, 1, &pems))
		return fail(e, ERR_INVALID, "CertificateBody",
			    "Unable to parse certificate. Please ensure the certificate is in PEM format.");
	TRY(crypto_read_validity(e->c, pems.at[0], &from_us, &a->wish.expires_us));
	if (now_us < from_us || now_us >= a->wish.expires_us)
		return fail(e, ERR_INVALID, "CertificateBody", "The certificate is not valid at this time.");
	*ret_pem = pems.at[0];
	return OK;
}

/* Both texts are guesses. */
static RESULT check_key(struct iam_call *e, struct str pem, struct str key)
{
	struct result result = crypto_check_key_pair(e->c, pem, key);
	if (result.code == ERR_INVALID)
		return fail(e, ERR_INVALID, "PrivateKey",
			    "Unable to parse private key. Please ensure the key is in PEM format and has no "
			    "password.");
	return result.code == ERR_COMBINATION
		       ? fail(e, ERR_COMBINATION, "PrivateKey",
			      "The public key certificate and the private key do not match.")
		       : result;
}

/* Each certificate has to be signed by the next. AWS's text; -1 stands for the certificate itself. */
static RESULT check_chain(struct iam_call *e, struct str pem, struct str chain)
{
	struct strs pems = {0};
	bool is_good = crypto_split_certificates(e->c->arena, chain, CHAIN_CERTIFICATES_MAX, &pems);
	int at = -1;
	for (; is_good && at + 1 < (int) pems.count; at++) {
		is_good = crypto_is_issued_by(at < 0 ? pem : pems.at[at], pems.at[at + 1]);
		if (!is_good)
			break;
	}
	if (is_good)
		return OK;
	return fail(
		e, ERR_INVALID, "CertificateChain",
		str_to_z(
			e->c->arena,
			str_print(
				e->c->arena,
				"Unable to validate certificate chain. The certificate chain must start with "
				"the immediate signing certificate, followed by any intermediaries in order. "
				"The index within the chain of the invalid certificate is: %d",
				at)));
}

static RESULT prepare_upload(struct iam_call *e, void *args)
{
	struct new_certificate *a = args;
	TRY(iam_check_name(e, a->wish.name, "ServerCertificateName"));
	TRY(iam_check_path(e, a->wish.path, "Path"));
	return iam_check_tags(e, a->wish.tags, false);
}

/* Reading keys and a chain takes milliseconds, which an HTTP thread has not. */
static RESULT check_upload(struct work_item *w)
{
	struct iam_call *e = w->arg;
	struct new_certificate *a = e->args;
	struct str pem = STR_NONE;
	TRY(check_body(e, a, &pem));
	TRY(check_key(e, pem, a->private_key));
	if (a->wish.chain.n)
		TRY(check_chain(e, pem, a->wish.chain));
	a->wish.certificate = id_new(KIND_SERVER_CERTIFICATE);
	return key_seal(e->c, e->config->master_key, a->wish.certificate, a->private_key, &a->wish.key);
}

/* ---- the certificate that a call names ---- */

static RESULT find_certificate(struct iam_call *e, struct str name, struct ref *ret_ref,
			       const struct server_certificate **ret_certificate)
{
	const struct server_certificate *s =
		server_certificate_first_by_account(iam_tables(e), e->c->who->account);
	while (s && (s->service != SERVER_CERTIFICATE_SERVICE_IAM || !str_equal_nocase(s->name, name)))
		s = server_certificate_next_by_account(iam_tables(e), s);
	if (!s)
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_SERVER_CERTIFICATE,
				     "The Server Certificate with name %" STR_FMT " cannot be found.",
				     STR_ARG(name));
	TRY(engine_check_found(e->c, iam_tables(e), KIND_SERVER_CERTIFICATE, &s->row));
	*ret_ref = ref_by_id(KIND_SERVER_CERTIFICATE, s->row.id);
	ret_ref->text = s->name;
	ret_ref->field = STR("ServerCertificateName");
	*ret_certificate = s;
	return OK;
}

/* Arguments of changes start with the engine's wish. */
struct changed_certificate {
	struct server_certificate_change wish;
	struct str name;
};
struct gone_certificate {
	struct server_certificate_target wish;
	struct str name;
};
struct tagged_certificate {
	struct entity_tags wish;
	struct str name;
};
struct certificate_args {
	struct str name;
	struct iam_pages pages;
};
static const struct param update_params[] = {
	NAME(struct changed_certificate, name),
	PARAM(struct changed_certificate, "NewPath", wish.path, .min = 1, .max = 512, .doc = "New path."),
	PARAM(struct changed_certificate, "NewServerCertificateName", wish.name, .min = 1,
	      .max = IAM_NAME_MAX, .doc = "New name."),
};
static const struct param delete_params[] = {NAME(struct gone_certificate, name)};
static const struct param tag_params[] = {NAME(struct tagged_certificate, name),
					  IAM_NEW_TAGS(struct tagged_certificate, wish.tags)};
static const struct param untag_params[] = {NAME(struct tagged_certificate, name),
					    IAM_TAG_KEYS(struct tagged_certificate, wish.keys)};
static const struct param get_params[] = {NAME(struct certificate_args, name)};
static const struct param tags_params[] = {NAME(struct certificate_args, name),
					   IAM_PAGES(struct certificate_args, pages)};

static RESULT prepare_update(struct iam_call *e, void *args)
{
	struct changed_certificate *a = args;
	const struct server_certificate *s = NULL;
	TRY(iam_check_name(e, a->wish.name, "NewServerCertificateName"));
	TRY(iam_check_path(e, a->wish.path, "NewPath"));
	return find_certificate(e, a->name, &a->wish.certificate, &s);
}

static RESULT prepare_delete(struct iam_call *e, void *args)
{
	struct gone_certificate *a = args;
	const struct server_certificate *s = NULL;
	return find_certificate(e, a->name, &a->wish.certificate, &s);
}

static RESULT prepare_tags(struct iam_call *e, void *args)
{
	struct tagged_certificate *a = args;
	const struct server_certificate *s = NULL;
	TRY(iam_check_tags(e, a->wish.tags, false));
	TRY(iam_check_tag_keys(e, a->wish.keys));
	return find_certificate(e, a->name, &a->wish.entity, &s);
}

/* ---- what is shown ---- */

static RESULT write_metadata(struct iam_call *e, struct xml *x, const struct row *row)
{
	xml_text(x, "Path", iam_get_path(KIND_SERVER_CERTIFICATE, row));
	xml_text(x, "ServerCertificateName", iam_get_name(KIND_SERVER_CERTIFICATE, row));
	xml_text(x, "ServerCertificateId", iam_id_to_text(e->c->arena, KIND_SERVER_CERTIFICATE, row->id));
	xml_text(x, "Arn", iam_arn(e, KIND_SERVER_CERTIFICATE, row));
	iam_write_time(x, "UploadDate", row->created_us);
	iam_write_time(x, "Expiration", server_certificate_of(row)->expires_us);
	return OK;
}

static RESULT write_whole_metadata(struct iam_call *e, struct xml *x, const struct row *row)
{
	xml_open(x, "ServerCertificateMetadata");
	TRY(write_metadata(e, x, row));
	xml_close(x, "ServerCertificateMetadata");
	return OK;
}

static RESULT show_new(struct iam_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(iam_find_returned(e, ((const struct new_certificate *) args)->wish.certificate, &row));
	TRY(write_whole_metadata(e, x, row));
	if (server_certificate_of(row)->tags.count)
		iam_write_tags(x, server_certificate_of(row)->tags);
	return OK;
}

static RESULT get_certificate(struct iam_call *e, const void *args, struct xml *x)
{
	const struct certificate_args *a = args;
	const struct server_certificate *s = NULL;
	struct ref ref;
	TRY(find_certificate(e, a->name, &ref, &s));
	xml_open(x, "ServerCertificate");
	TRY(write_whole_metadata(e, x, &s->row));
	xml_text(x, "CertificateBody", s->body);
	if (s->chain.n)
		xml_text(x, "CertificateChain", s->chain);
	if (s->tags.count)
		iam_write_tags(x, s->tags);
	xml_close(x, "ServerCertificate");
	return OK;
}

/* Certificates of ACM and of Octavia are rows of the same kind. */
static bool is_of_iam(const struct iam_list *l, const struct row *row)
{
	(void) l;
	return server_certificate_of(row)->service == SERVER_CERTIFICATE_SERVICE_IAM;
}

const struct iam_listing iam_server_certificates = {
	.kind = KIND_SERVER_CERTIFICATE,
	.order = "name",
	.paths = {{KIND_SERVER_CERTIFICATE, SERVER_CERTIFICATE_INDEX_ACCOUNT}},
	.path_index = SERVER_CERTIFICATE_INDEX_PATH,
	.shows = is_of_iam,
	.shown = {"ServerCertificateMetadataList", .write = write_metadata},
};

static RESULT list_tags(struct iam_call *e, const void *args, struct xml *x)
{
	const struct certificate_args *a = args;
	const struct server_certificate *s = NULL;
	struct ref ref;
	TRY(find_certificate(e, a->name, &ref, &s));
	return iam_list_tags(e, x, s->tags, &a->pages);
}

static const struct iam_action actions[] = {
	{IAM_ACTION("UploadServerCertificate"), .flags = API_WRITES,
	 .args = PARAMS(struct new_certificate, upload_params), .prepare = prepare_upload,
	 .work = check_upload, .operation = engine_create_server_certificate_run,
	 .returns = KIND_SERVER_CERTIFICATE, .answer = show_new,
	 .doc = "Uploads a server certificate with its chain and private key."},
	{IAM_ACTION("GetServerCertificate"), .args = PARAMS(struct certificate_args, get_params),
	 .answer = get_certificate,
	 .doc = "Returns a server certificate with its chain, without the private key."},
	{IAM_ACTION("ListServerCertificates"), .args = IAM_LIST, .list = &iam_server_certificates,
	 .answer = iam_answer_list, .doc = "Lists the account's server certificates."},
	{IAM_ACTION("UpdateServerCertificate"), .flags = API_WRITES,
	 .args = PARAMS(struct changed_certificate, update_params), .prepare = prepare_update,
	 .operation = engine_update_server_certificate_run,
	 .doc = "Changes the name or path of a server certificate."},
	{IAM_ACTION("DeleteServerCertificate"), .flags = API_WRITES,
	 .args = PARAMS(struct gone_certificate, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_server_certificate_run,
	 .doc = "Deletes a server certificate and its private key."},
	{IAM_ACTION("TagServerCertificate"), .flags = API_WRITES,
	 .args = PARAMS(struct tagged_certificate, tag_params), .prepare = prepare_tags,
	 .operation = engine_tag_entity_run, .doc = "Sets tags on a server certificate."},
	{IAM_ACTION("UntagServerCertificate"), .flags = API_WRITES,
	 .args = PARAMS(struct tagged_certificate, untag_params), .prepare = prepare_tags,
	 .operation = engine_untag_entity_run, .doc = "Removes tags from a server certificate."},
	{IAM_ACTION("ListServerCertificateTags"), .args = PARAMS(struct certificate_args, tags_params),
	 .answer = list_tags, .doc = "Lists the tags of a server certificate."},
};
const struct api_actions iam_server_certificate_actions = API_ACTIONS(actions);
