/* SPDX-License-Identifier: Apache-2.0
 * SSH public keys and signing certificates of users. Sources: IAM's API Reference; texts that it does not give are
 * marked as guesses. */
#include "api/iam/internal.h"
#include "auth/key/key.h"
#include "base/clock.h"
#include "base/crypto_issue.h"
#include "engine/people/credential/public_credential.h"
#include "engine/resolve.h"
#include "store/public_credential.h"
#include "store/user.h"

enum { BODY_MAX = 16384, SSH_KEY_BITS_MIN = 2048, CERTIFICATE_ID_SIZE = 32 };

/* ---- uploads ---- */

struct new_credential {
	struct public_credential_wish wish;
};
static const struct param upload_key_params[] = {
	IAM_USER(struct new_credential, wish.user, | REQUIRED),
	PARAM(struct new_credential, "SSHPublicKeyBody", wish.body, .flags = REQUIRED, .min = 1,
	      .max = BODY_MAX, .doc = "RSA public key of at least 2,048 bits: an OpenSSH line or PEM."),
};
static const struct param upload_certificate_params[] = {
	IAM_USER(struct new_credential, wish.user),
	PARAM(struct new_credential, "CertificateBody", wish.body, .flags = REQUIRED, .min = 1,
	      .max = BODY_MAX, .doc = "Certificate in PEM."),
};

static struct ref ref_of_user(const struct user *user)
{
	struct ref ref = ref_by_id(KIND_USER, user->row.id);
	ref.text = user->name;
	ref.field = STR("UserName");
	return ref;
}

static RESULT choose_owner(struct iam_call *e, struct ref *user)
{
	const struct user *found = NULL;
	TRY(iam_choose_user(e, user));
	TRY(iam_find_user(e, user, &found));
	*user = ref_of_user(found);
	return OK;
}

static struct result fail_body(struct iam_call *e, enum err err, const char *field, const char *message)
{
	ctx_clear_problem(e->c); /* the parser's own words */
	struct result failed = ctx_fail_kind(e->c, err, KIND_PUBLIC_CREDENTIAL, "%s", message);
	e->c->problem.field = str_from(field);
	return failed;
}

/* The texts are guesses. */
static RESULT read_key(struct iam_call *e, struct str body, struct crypto_rsa_key *ret_key)
{
	struct result result = crypto_read_rsa_key(e->c, body, ret_key);
	if (result.code == ERR_UNSUPPORTED)
		return fail_body(e, ERR_UNSUPPORTED, "SSHPublicKeyBody",
				 "The public key must be encoded in ssh-rsa format or in PEM format.");
	if (result.code == ERR_INVALID)
		return fail_body(e, ERR_INVALID, "SSHPublicKeyBody", "The public key is malformed.");
	TRY(result);
	return ret_key->bits >= SSH_KEY_BITS_MIN ? OK
						 : fail_body(e, ERR_INVALID, "SSHPublicKeyBody",
							     "The public key must have 2048 bits at least.");
}

static RESULT prepare_key(struct iam_call *e, void *args)
{
	struct new_credential *a = args;
	struct crypto_rsa_key key = {0};
	TRY(choose_owner(e, &a->wish.user));
	TRY(read_key(e, a->wish.body, &key));
	a->wish.type = PUBLIC_CREDENTIAL_TYPE_SSH_KEY;
	a->wish.body = key.line;
	a->wish.fingerprint = key.md5;
	a->wish.key_id = key_draw_id(e->c, "APKA", KEY_ID_RANDOM);
	return a->wish.key_id.p ? OK : ctx_no_memory(e->c);
}

/* AWS's text; that of a certificate at another time than its own is a guess. */
static RESULT prepare_certificate(struct iam_call *e, void *args)
{
	struct new_credential *a = args;
	struct strs pems = {0};
	int64_t from_us = 0, until_us = 0, now_us = clock_now_us();
	TRY(choose_owner(e, &a->wish.user));
	if (!crypto_split_certificates(e->c->arena, a->wish.body, 1, &pems))
		return fail_body(
			e, ERR_INVALID, "CertificateBody",
			"Unable to parse certificate. Please ensure the certificate is in PEM format.");
	TRY(crypto_read_validity(e->c, pems.at[0], &from_us, &until_us));
	if (now_us < from_us || now_us >= until_us)
		return fail_body(e, ERR_STATE, "CertificateBody",
				 "The certificate is not valid at this time.");
	a->wish.type = PUBLIC_CREDENTIAL_TYPE_CERTIFICATE;
	a->wish.key_id = key_draw_id(e->c, "", CERTIFICATE_ID_SIZE);
	TRY(crypto_fingerprint_certificate(e->c, pems.at[0], &a->wish.fingerprint));
	return a->wish.key_id.p ? OK : ctx_no_memory(e->c);
}

/* ---- changes: both types' arguments start with the engine's wish ---- */

struct changed_credential {
	struct public_credential_target wish;
	struct str status;
};
#define KEY_ID(T, member)                                                                                    \
	PARAM(T, "SSHPublicKeyId", member, .flags = REQUIRED, .min = 20, .max = 128,                         \
	      .doc = "Id of the SSH public key.")
#define CERTIFICATE_ID(T, member)                                                                            \
	PARAM(T, "CertificateId", member, .flags = REQUIRED, .min = 24, .max = 128,                          \
	      .doc = "Id of the certificate.")
#define STATUS(T, member)                                                                                    \
	PARAM(T, "Status", member, .flags = REQUIRED, .words = "Active|Inactive|Expired",                    \
	      .doc = "Status: Active or Inactive. Expired is refused.")
static const struct param update_key_params[] = {IAM_USER(struct changed_credential, wish.user, | REQUIRED),
						 KEY_ID(struct changed_credential, wish.key_id),
						 STATUS(struct changed_credential, status)};
static const struct param delete_key_params[] = {IAM_USER(struct changed_credential, wish.user, | REQUIRED),
						 KEY_ID(struct changed_credential, wish.key_id)};
static const struct param update_certificate_params[] = {
	IAM_USER(struct changed_credential, wish.user),
	CERTIFICATE_ID(struct changed_credential, wish.key_id), STATUS(struct changed_credential, status)};
static const struct param delete_certificate_params[] = {
	IAM_USER(struct changed_credential, wish.user),
	CERTIFICATE_ID(struct changed_credential, wish.key_id)};

/* Only IAM sets Expired; code and text are guesses. */
static RESULT prepare_change(struct iam_call *e, struct changed_credential *a,
			     enum public_credential_type type)
{
	TRY(choose_owner(e, &a->wish.user));
	if (str_is(a->status, "Expired"))
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("Status"),
				      "The status cannot be set to Expired.");
	a->wish.type = type;
	a->wish.enabled = str_is(a->status, "Active");
	return OK;
}

static RESULT prepare_key_change(struct iam_call *e, void *args)
{
	return prepare_change(e, args, PUBLIC_CREDENTIAL_TYPE_SSH_KEY);
}

static RESULT prepare_certificate_change(struct iam_call *e, void *args)
{
	return prepare_change(e, args, PUBLIC_CREDENTIAL_TYPE_CERTIFICATE);
}

/* ---- reads ---- */

static void write_status(struct xml *x, const struct public_credential *p)
{
	xml_z(x, "Status", p->enabled ? "Active" : "Inactive");
	iam_write_time(x, "UploadDate", p->row.created_us);
}

static void write_owner(struct iam_call *e, struct xml *x, const struct public_credential *p)
{
	const struct user *user = user_find(iam_tables(e), p->user);
	xml_text(x, "UserName", user ? user->name : STR_NONE);
}

static RESULT write_listed_key(struct iam_call *e, struct xml *x, const struct row *row)
{
	const struct public_credential *p = public_credential_of(row);
	write_owner(e, x, p);
	xml_text(x, "SSHPublicKeyId", p->key_id);
	write_status(x, p);
	return OK;
}

static RESULT write_certificate(struct iam_call *e, struct xml *x, const struct row *row)
{
	const struct public_credential *p = public_credential_of(row);
	write_owner(e, x, p);
	xml_text(x, "CertificateId", p->key_id);
	xml_text(x, "CertificateBody", p->body);
	write_status(x, p);
	return OK;
}

/* body: the key in the encoding that the call asks for. */
static void write_key(struct iam_call *e, struct xml *x, const struct public_credential *p, struct str body)
{
	xml_open(x, "SSHPublicKey");
	write_owner(e, x, p);
	xml_text(x, "SSHPublicKeyId", p->key_id);
	xml_text(x, "Fingerprint", p->fingerprint);
	xml_text(x, "SSHPublicKeyBody", body);
	write_status(x, p);
	xml_close(x, "SSHPublicKey");
}

static RESULT show_new_key(struct iam_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(iam_find_returned(e, ((const struct new_credential *) args)->wish.credential, &row));
	write_key(e, x, public_credential_of(row), public_credential_of(row)->body);
	return OK;
}

static RESULT show_new_certificate(struct iam_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(iam_find_returned(e, ((const struct new_credential *) args)->wish.credential, &row));
	xml_open(x, "Certificate");
	TRY(write_certificate(e, x, row));
	xml_close(x, "Certificate");
	return OK;
}

static bool may_list(const struct iam_list *l, const struct public_credential *p,
		     enum public_credential_type type)
{
	return p->type == type && iam_may_see_owned(l->e, user_find(iam_tables(l->e), p->user));
}

static bool is_key(const struct iam_list *l, const struct row *row)
{
	return may_list(l, public_credential_of(row), PUBLIC_CREDENTIAL_TYPE_SSH_KEY);
}

static bool is_certificate(const struct iam_list *l, const struct row *row)
{
	return may_list(l, public_credential_of(row), PUBLIC_CREDENTIAL_TYPE_CERTIFICATE);
}

static const struct iam_listing keys = {
	.kind = KIND_PUBLIC_CREDENTIAL,
	.paths = {{KIND_PUBLIC_CREDENTIAL, PUBLIC_CREDENTIAL_INDEX_USER}},
	.find_parent = iam_find_parent_user,
	.shows = is_key,
	.shown = {"SSHPublicKeys", .write = write_listed_key},
};

static const struct iam_listing certificates = {
	.kind = KIND_PUBLIC_CREDENTIAL,
	.paths = {{KIND_PUBLIC_CREDENTIAL, PUBLIC_CREDENTIAL_INDEX_USER}},
	.find_parent = iam_find_parent_user,
	.shows = is_certificate,
	.shown = {"Certificates", .write = write_certificate},
};

static const struct param list_params[] = {IAM_USER(struct iam_read_args, user),
					   IAM_PAGES(struct iam_read_args, pages)};

struct key_args {
	struct ref user;
	struct str key_id, encoding;
};
static const struct param get_params[] = {
	IAM_USER(struct key_args, user, | REQUIRED), KEY_ID(struct key_args, key_id),
	PARAM(struct key_args, "Encoding", encoding, .flags = REQUIRED, .words = "SSH|PEM",
	      .doc = "Encoding: SSH for an OpenSSH line, or PEM.")};

static RESULT get_key(struct iam_call *e, const void *args, struct xml *x)
{
	const struct key_args *a = args;
	const struct user *user = NULL;
	struct crypto_rsa_key key = {0};
	TRY(iam_find_user(e, &a->user, &user));
	const struct public_credential *p = public_credential_of_user(
		iam_tables(e), user->row.id, PUBLIC_CREDENTIAL_TYPE_SSH_KEY, a->key_id);
	if (!p || !iam_may_see_owned(e, user))
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_PUBLIC_CREDENTIAL,
				     "The SSH Public Key with id %" STR_FMT " cannot be found.",
				     STR_ARG(a->key_id));
	TRY(crypto_read_rsa_key(e->c, p->body, &key));
	write_key(e, x, p, str_is(a->encoding, "PEM") ? key.pem : p->body);
	return OK;
}

#define CHANGE .flags = API_WRITES
static const struct iam_action actions[] = {
	{IAM_ACTION("UploadSSHPublicKey"), CHANGE, .args = PARAMS(struct new_credential, upload_key_params),
	 .prepare = prepare_key, .operation = engine_upload_public_credential_run,
	 .returns = KIND_PUBLIC_CREDENTIAL, .answer = show_new_key,
	 .doc = "Uploads an SSH public key of a user."},
	{IAM_ACTION("GetSSHPublicKey"), .args = PARAMS(struct key_args, get_params), .answer = get_key,
	 .doc = "Returns an SSH public key as an OpenSSH line or PEM."},
	{IAM_ACTION("ListSSHPublicKeys"), .args = PARAMS(struct iam_read_args, list_params),
	 .prepare = iam_prepare_user, .list = &keys, .answer = iam_answer_list,
	 .doc = "Lists the SSH public keys of a user."},
	{IAM_ACTION("UpdateSSHPublicKey"), CHANGE,
	 .args = PARAMS(struct changed_credential, update_key_params), .prepare = prepare_key_change,
	 .operation = engine_enable_public_credential_run,
	 .doc = "Activates or deactivates an SSH public key."},
	{IAM_ACTION("DeleteSSHPublicKey"), CHANGE,
	 .args = PARAMS(struct changed_credential, delete_key_params), .prepare = prepare_key_change,
	 .operation = engine_delete_public_credential_run, .doc = "Deletes an SSH public key."},
	{IAM_ACTION("UploadSigningCertificate"), CHANGE,
	 .args = PARAMS(struct new_credential, upload_certificate_params), .prepare = prepare_certificate,
	 .operation = engine_upload_public_credential_run, .returns = KIND_PUBLIC_CREDENTIAL,
	 .answer = show_new_certificate, .doc = "Uploads a signing certificate of a user."},
	{IAM_ACTION("ListSigningCertificates"), .args = PARAMS(struct iam_read_args, list_params),
	 .prepare = iam_prepare_user, .list = &certificates, .answer = iam_answer_list,
	 .doc = "Lists the signing certificates of a user."},
	{IAM_ACTION("UpdateSigningCertificate"), CHANGE,
	 .args = PARAMS(struct changed_credential, update_certificate_params),
	 .prepare = prepare_certificate_change, .operation = engine_enable_public_credential_run,
	 .doc = "Activates or deactivates a signing certificate."},
	{IAM_ACTION("DeleteSigningCertificate"), CHANGE,
	 .args = PARAMS(struct changed_credential, delete_certificate_params),
	 .prepare = prepare_certificate_change, .operation = engine_delete_public_credential_run,
	 .doc = "Deletes a signing certificate."},
};
const struct api_actions iam_public_credential_actions = API_ACTIONS(actions);
