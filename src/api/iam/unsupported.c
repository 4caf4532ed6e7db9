/* SPDX-License-Identifier: Apache-2.0
 * Credentials that IAM has and Dari does not: SSH keys, certificates, service-specific passwords. Their lists are
 * empty, because clients go through all of them before they delete a user. */
#include "api/iam/internal.h"
#include "model/user.h"

struct unkept_args {
	struct ref user;
	struct str service;
	struct iam_pages pages;
};
static const struct param paged_params[] = {IAM_USER(struct unkept_args, user),
					    IAM_PAGES(struct unkept_args, pages)};
static const struct param service_params[] = {
	IAM_USER(struct unkept_args, user),
	PARAM(struct unkept_args, "ServiceName", service, .max = 128,
	      .doc = "Shows only those for this service."),
};

static RESULT choose_user(struct iam_call *e, void *args)
{
	return iam_choose_user(e, &((struct unkept_args *) args)->user);
}

static RESULT write_none(struct iam_call *e, const struct unkept_args *a, struct xml *x, const char *list)
{
	const struct user *user = NULL;
	TRY(iam_find_user(e, &a->user, &user));
	xml_open(x, list);
	xml_close(x, list);
	return OK;
}

static RESULT write_empty_page(struct iam_call *e, const struct unkept_args *a, struct xml *x,
			       const char *list)
{
	struct iam_page page;
	TRY(iam_open_page(e, &a->pages, &page));
	TRY(write_none(e, a, x, list));
	return iam_close_page(e, x, &page);
}

static RESULT list_ssh_keys(struct iam_call *e, const void *args, struct xml *x)
{
	return write_empty_page(e, args, x, "SSHPublicKeys");
}

static RESULT list_certificates(struct iam_call *e, const void *args, struct xml *x)
{
	return write_empty_page(e, args, x, "Certificates");
}

static RESULT list_service_credentials(struct iam_call *e, const void *args, struct xml *x)
{
	return write_none(e, args, x, "ServiceSpecificCredentials");
}

/* ---- of the account as a whole ---- */

struct unkept_list {
	struct str path;
	struct iam_pages pages;
};
static const struct param certificate_params[] = {
	IAM_PATH_PREFIX(struct unkept_list, path),
	IAM_PAGES(struct unkept_list, pages),
};

static RESULT write_none_of_account(struct iam_call *e, const struct unkept_list *a, struct xml *x,
				    const char *list)
{
	struct iam_page page;
	TRY(iam_open_page(e, &a->pages, &page));
	xml_open(x, list);
	xml_close(x, list);
	return iam_close_page(e, x, &page);
}

static RESULT list_server_certificates(struct iam_call *e, const void *args, struct xml *x)
{
	return write_none_of_account(e, args, x, "ServerCertificateMetadataList");
}

static RESULT list_saml_providers(struct iam_call *e, const void *args, struct xml *x)
{
	(void) e;
	(void) args;
	xml_open(x, "SAMLProviderList");
	xml_close(x, "SAMLProviderList");
	return OK;
}

static const struct iam_action actions[] = {
	{IAM_ACTION("ListSSHPublicKeys"), .args = PARAMS(struct unkept_args, paged_params),
	 .prepare = choose_user, .answer = list_ssh_keys, .doc = "A user's keys for CodeCommit: none."},
	{IAM_ACTION("ListSigningCertificates"), .args = PARAMS(struct unkept_args, paged_params),
	 .prepare = choose_user, .answer = list_certificates,
	 .doc = "A user's certificates for signing: none."},
	{IAM_ACTION("ListServiceSpecificCredentials"), .args = PARAMS(struct unkept_args, service_params),
	 .prepare = choose_user, .answer = list_service_credentials,
	 .doc = "A user's passwords for single services: none."},
	{IAM_ACTION("ListServerCertificates"), .args = PARAMS(struct unkept_list, certificate_params),
	 .answer = list_server_certificates, .doc = "Certificates that IAM keeps: none."},
	{IAM_ACTION("ListSAMLProviders"), .args = {0, 0, sizeof(struct unkept_list)},
	 .answer = list_saml_providers, .doc = "SAML providers: none."},
};
const struct api_actions iam_unkept_actions = API_ACTIONS(actions);
