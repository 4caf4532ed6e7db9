/* SPDX-License-Identifier: Apache-2.0
 * Identity providers of an account; and, for administrators, sign-in by them (oidc.c and saml.c sign people in). */
#include "api/native/write.h"

#include "auth/key/key.h"
#include "auth/saml/saml.h"
#include "engine/people/credential/oidc_provider.h"
#include "engine/people/credential/saml_provider.h"
#include "engine/people/sign_in/oidc_sign_in.h"
#include "engine/people/sign_in/saml_sign_in.h"
#include "engine/resolve.h"
#include "model/saml_provider.h"

#define GROUPS_DOC                                                                                           \
	"Groups of the provider whose members join groups of the domain at each sign-in: GROUP, or GROUP = " \
	"GROUP OF THE DOMAIN."

/* ---- OpenID Connect ---- */

static const struct param provider_params[] = {
	REF(oidc_provider_wish, "account", owner, ACCOUNT, .flags = BY_NAME,
	    .doc = "Owning account; absent: the caller's."),
	PARAM(struct oidc_provider_wish, "url", url, .min = 1, .max = 255, .flags = REQUIRED,
	      .doc = "URL of the issuer, such as https://id.example.com/realms/company."),
	PARAM(struct oidc_provider_wish, "client_ids", client_ids, .max = 255,
	      .doc = "Audiences of accepted tokens when a role is assumed with them."),
	PARAM(struct oidc_provider_wish, "thumbprints", thumbprints, .max = OIDC_THUMBPRINT_SIZE,
	      .doc = "SHA-1 thumbprints of certificates in hex, needed if the machine does not trust the "
		     "provider's authority."),
};

static RESULT prepare_provider(struct native_call *e, void *args)
{
	struct oidc_provider_wish *a = args;
	TRY(engine_read_oidc_url(e->c, STR("url"), a->url, &a->url));
	return engine_check_oidc_thumbprints(e->c, STR("thumbprints"), a->thumbprints);
}

struct sign_in_args {
	struct oidc_sign_in_wish wish;
	struct str secret;
};
static const struct param sign_in_params[] = {
	PARAM(struct sign_in_args, "client_id", wish.client, .min = 1, .max = OIDC_CLIENT_MAX,
	      .flags = REQUIRED, .doc = "Client id of the console at the provider."),
	PARAM(struct sign_in_args, "client_secret", secret, .max = 512,
	      .doc = "Client secret; absent: none. Stored encrypted; never shown."),
	PARAM(struct sign_in_args, "name", wish.name, .min = 1, .max = OIDC_SIGN_IN_NAME_MAX,
	      .flags = REQUIRED, .doc = "Title on the sign-in page."),
	PARAM(struct sign_in_args, "domain", wish.domain, .kind = KIND_DOMAIN, .flags = BY_NAME,
	      .doc = "Domain whose users sign in by the provider; absent: Default."),
	PARAM(struct sign_in_args, "makes_users", wish.makes_users,
	      .doc = "Whether a user without roles is created at a person's first sign-in."),
	PARAM(struct sign_in_args, "scopes", wish.scopes, .max = 255,
	      .doc = "Scopes to request in addition to openid, profile and email; some providers need "
		     "groups."),
	PARAM(struct sign_in_args, "group_claim", wish.group_claim, .max = ARRIVAL_CLAIM_MAX,
	      .doc = "Claim with a person's groups; absent: none is read."),
	PARAM(struct sign_in_args, "groups", wish.groups, .max = ARRIVAL_RULE_MAX, .doc = GROUPS_DOC),
};

static RESULT prepare_sign_in(struct native_call *e, void *args)
{
	struct sign_in_args *a = args;
	const struct row *row = NULL;
	TRY(engine_look_up(e->c, native_tables(e), KIND_OIDC_PROVIDER, &e->target, &row));
	a->wish.oidc_provider = ref_by_id(KIND_OIDC_PROVIDER, row->id);
	return a->secret.n ? key_seal(e->c, e->config->master_key, row->id, a->secret, &a->wish.secret) : OK;
}

static const struct param link_params[] = {
	REF(oidc_link, "oidc_provider", oidc_provider, OIDC_PROVIDER, .flags = REQUIRED,
	    .doc = "Provider for users of the domain."),
	PARAM(struct oidc_link, "subject", subject, .max = OIDC_SUBJECT_MAX, .flags = REQUIRED,
	      .doc = "Subject (claim sub) of the user; empty: unlinks the user."),
};

/* ---- SAML ---- */

static const struct param saml_params[] = {
	REF(saml_provider_wish, "account", owner, ACCOUNT, .flags = BY_NAME,
	    .doc = "Owning account; absent: the caller's."),
	PARAM(struct saml_provider_wish, "name", name, .min = 1, .max = SAML_PROVIDER_NAME_MAX,
	      .flags = REQUIRED, .doc = "Name; unique in the account."),
	PARAM(struct saml_provider_wish, "metadata", document.text, .min = SAML_METADATA_MIN,
	      .max = SAML_METADATA_MAX, .flags = REQUIRED, .doc = "Metadata of the provider, in XML."),
};
static const struct param saml_change_params[] = {
	PARAM(struct saml_provider_change, "metadata", document.text, .min = SAML_METADATA_MIN,
	      .max = SAML_METADATA_MAX, .flags = REQUIRED,
	      .doc = "New metadata document, such as one with the next certificate."),
};

/* Names of IAM: letters, digits and ._- */
static RESULT prepare_saml(struct native_call *e, void *args)
{
	struct str name = ((struct saml_provider_wish *) args)->name;
	for (size_t k = 0; k < name.n; k++)
		if (!str_is_alphanumeric(name.p[k]) && !strchr("._-", name.p[k]))
			return ctx_fail_field(e->c, ERR_INVALID, STR("name"),
					      "A name has letters, digits, '.', '_' and '-' only.");
	return OK;
}

/* Parsed on a lane, because documents are large. */
static RESULT parse_new(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct saml_document *d = &((struct saml_provider_wish *) e->args)->document;
	return saml_read_metadata(e->c, d->text, d);
}

static RESULT parse_changed(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct saml_document *d = &((struct saml_provider_change *) e->args)->document;
	return saml_read_metadata(e->c, d->text, d);
}

#define S(name, member, ...) PARAM(struct saml_sign_in_wish, name, member, __VA_ARGS__)
static const struct param saml_sign_in_params[] = {
	S("name", name, .min = 1, .max = SAML_SIGN_IN_NAME_MAX, .flags = REQUIRED,
	  .doc = "Title on the sign-in page."),
	S("domain", domain, .kind = KIND_DOMAIN, .flags = BY_NAME,
	  .doc = "Domain whose users sign in by the provider; absent: Default."),
	S("makes_users", makes_users,
	  .doc = "Whether a user without roles is created at a person's first sign-in."),
	S("provider_begins", is_unasked,
	  .doc = "Also accepts unsolicited responses. Another site could then sign a browser in as somebody "
		 "else."),
	S("subject_attribute", subject_claim, .max = ARRIVAL_CLAIM_MAX,
	  .doc = "Attribute that identifies a person permanently; absent: the NameID."),
	S("name_attribute", name_claim, .max = ARRIVAL_CLAIM_MAX,
	  .doc = "Attribute that names a new user; absent: one of the usual attributes."),
	S("group_attribute", group_claim, .max = ARRIVAL_CLAIM_MAX,
	  .doc = "Attribute with a person's groups; absent: none is read."),
	S("groups", groups, .max = ARRIVAL_RULE_MAX, .doc = GROUPS_DOC),
};

static RESULT prepare_saml_sign_in(struct native_call *e, void *args)
{
	const struct row *row = NULL;
	(void) args;
	TRY(engine_look_up(e->c, native_tables(e), KIND_SAML_PROVIDER, &e->target, &row));
	return saml_wants_signed_requests(e->c, saml_provider_of(row)->metadata)
		       ? ctx_fail(
				 e->c, ERR_UNSUPPORTED,
				 "The provider's metadata want signed requests (WantAuthnRequestsSigned), "
				 "which are "
				 "not supported. Turn this off at the provider, and send its metadata again.")
		       : OK;
}

static const struct param saml_link_params[] = {
	REF(saml_link, "saml_provider", saml_provider, SAML_PROVIDER, .flags = REQUIRED,
	    .doc = "Provider for users of the domain."),
	PARAM(struct saml_link, "subject", subject, .max = SAML_SUBJECT_MAX, .flags = REQUIRED,
	      .doc = "Subject of the user: the NameID, or the configured attribute; empty: unlinks the "
		     "user."),
};

static const struct native_action actions[] = {
	CREATE("/oidc-providers", "iam:CreateOpenIDConnectProvider", OIDC_PROVIDER,
	       .args = PARAMS(struct oidc_provider_wish, provider_params), .prepare = prepare_provider,
	       .operation = engine_create_oidc_provider_run,
	       .doc = "Creates an OIDC provider of the account, whose tokens allow assuming roles."),
	DELETION("/oidc-providers/{id}", "iam:DeleteOpenIDConnectProvider", OIDC_PROVIDER,
		 oidc_provider_target, oidc_provider, engine_delete_oidc_provider_run,
		 .doc = "Deletes a provider. Only administrators delete one that is used for sign-in."),
	ADMIN_CHANGE(
		PUT, "/oidc-providers/{id}/sign-in", "iam:SetOpenIDConnectProviderSignIn", OIDC_PROVIDER,
		.args = PARAMS(struct sign_in_args, sign_in_params),
		.target = NATIVE_AT(sign_in_args, wish.oidc_provider), .prepare = prepare_sign_in,
		.operation = engine_set_oidc_sign_in_run,
		.doc = "Enables an OIDC provider for signing in to the console, for the people of a domain."),
	ADMIN_CHANGE(DELETE, "/oidc-providers/{id}/sign-in", "iam:SetOpenIDConnectProviderSignIn",
		     OIDC_PROVIDER, .args = {.size = sizeof(struct oidc_sign_in_target)},
		     .target = NATIVE_AT(oidc_sign_in_target, oidc_provider),
		     .operation = engine_end_oidc_sign_in_run, .doc = "Disables signing in by a provider."),
	ADMIN_CHANGE(PUT, "/users/{id}/oidc-subject", "iam:LinkOpenIDConnectUser", USER,
		     .args = PARAMS(struct oidc_link, link_params), .target = NATIVE_AT(oidc_link, user),
		     .operation = engine_link_oidc_user_run,
		     .doc = "Links a user of a domain to a subject of an OIDC provider."),
	CREATE("/saml-providers", "iam:CreateSAMLProvider", SAML_PROVIDER,
	       .args = PARAMS(struct saml_provider_wish, saml_params), .prepare = prepare_saml,
	       .work = parse_new, .operation = engine_create_saml_provider_run,
	       .doc = "Creates a SAML provider of the account, whose assertions allow assuming roles."),
	CHANGE(PATCH, "/saml-providers/{id}", "iam:UpdateSAMLProvider", SAML_PROVIDER,
	       .args = PARAMS(struct saml_provider_change, saml_change_params),
	       .target = NATIVE_AT(saml_provider_change, saml_provider), .work = parse_changed,
	       .operation = engine_update_saml_provider_run,
	       .doc = "Replaces the metadata of a SAML provider. Only administrators change one that is used "
		      "for sign-in."),
	DELETION("/saml-providers/{id}", "iam:DeleteSAMLProvider", SAML_PROVIDER, saml_provider_target,
		 saml_provider, engine_delete_saml_provider_run,
		 .doc = "Deletes a provider. Only administrators delete one that is used for sign-in."),
	ADMIN_CHANGE(
		PUT, "/saml-providers/{id}/sign-in", "iam:SetSAMLProviderSignIn", SAML_PROVIDER,
		.args = PARAMS(struct saml_sign_in_wish, saml_sign_in_params),
		.target = NATIVE_AT(saml_sign_in_wish, saml_provider), .prepare = prepare_saml_sign_in,
		.operation = engine_set_saml_sign_in_run,
		.doc = "Enables a SAML provider for signing in to the console, for the people of a domain."),
	ADMIN_CHANGE(DELETE, "/saml-providers/{id}/sign-in", "iam:SetSAMLProviderSignIn", SAML_PROVIDER,
		     .args = {.size = sizeof(struct saml_sign_in_target)},
		     .target = NATIVE_AT(saml_sign_in_target, saml_provider),
		     .operation = engine_end_saml_sign_in_run, .doc = "Disables signing in by a provider."),
	ADMIN_CHANGE(PUT, "/users/{id}/saml-subject", "iam:LinkSAMLUser", USER,
		     .args = PARAMS(struct saml_link, saml_link_params), .target = NATIVE_AT(saml_link, user),
		     .operation = engine_link_saml_user_run,
		     .doc = "Links a user of a domain to a subject of a SAML provider."),
};
const struct api_actions native_sign_in_actions = API_ACTIONS(actions);
