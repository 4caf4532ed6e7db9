/* SPDX-License-Identifier: Apache-2.0
 * OpenID Connect providers as the console sets them up: an account's providers, and for administrators of the region the
 * sign-in by them. oidc.c signs people in. IAM's calls for providers are in api/iam/oidc_providers.c.
 */
#include "api/native/write.h"

#include "auth/key.h"
#include "engine/people/oidc_provider.h"
#include "engine/people/oidc_sign_in.h"
#include "engine/resolve.h"
#include "store/oidc_provider.h"

/* ---- providers ---- */

static const struct param provider_params[] = {
	PARAM(struct oidc_provider_wish, "url", url, .min = 1, .max = 255, .flags = REQUIRED,
	      .doc = "The issuer's address, such as https://id.example.com/realms/company."),
	PARAM(struct oidc_provider_wish, "client_ids", client_ids, .max = 255,
	      .doc = "Audiences that its tokens may be for, when a role is assumed with them."),
	PARAM(struct oidc_provider_wish, "thumbprints", thumbprints, .max = OIDC_THUMBPRINT_SIZE,
	      .doc = "SHA-1 digests of certificates, in hexadecimal: needed where the machine does not know "
		     "the provider's authority."),
};

static RESULT prepare_provider(struct native_call *e, void *args)
{
	struct oidc_provider_wish *a = args;
	TRY(engine_read_oidc_url(e->c, STR("url"), a->url, &a->url));
	return engine_check_oidc_thumbprints(e->c, STR("thumbprints"), a->thumbprints);
}

/* ---- sign-in ---- */

struct set_args {
	struct oidc_sign_in_wish wish;
	struct str secret;
};
#define S(name, member, ...) PARAM(struct set_args, name, member, __VA_ARGS__)
static const struct param set_params[] = {
	S("client_id", wish.client, .min = 1, .max = OIDC_CLIENT_MAX, .flags = REQUIRED,
	  .doc = "The client that the console is to the provider."),
	S("client_secret", secret, .max = 512,
	  .doc = "That client's secret; absent: it has none. It is kept sealed, and never shown."),
	S("name", wish.name, .min = 1, .max = OIDC_SIGN_IN_NAME_MAX, .flags = REQUIRED,
	  .doc = "What the sign-in page calls it."),
	S("domain", wish.domain, .kind = KIND_DOMAIN, .flags = BY_NAME,
	  .doc = "Whose people it lets in; absent: Default's."),
	S("makes_users", wish.makes_users,
	  .doc = "Whoever comes for the first time becomes a user, who has no role yet."),
};

static RESULT prepare_set(struct native_call *e, void *args)
{
	struct set_args *a = args;
	const struct row *row = NULL;
	TRY(engine_look_up(e->c, native_tables(e), KIND_OIDC_PROVIDER, &e->target, &row));
	a->wish.oidc_provider = ref_by_id(KIND_OIDC_PROVIDER, row->id);
	return a->secret.n ? key_seal(e->c, e->config->master_key, row->id, a->secret, &a->wish.secret) : OK;
}

static const struct param link_params[] = {
	REF(oidc_link, "oidc_provider", oidc_provider, OIDC_PROVIDER, .flags = REQUIRED,
	    .doc = "A provider that lets people of the user's domain in."),
	PARAM(struct oidc_link, "subject", subject, .max = OIDC_SUBJECT_MAX, .flags = REQUIRED,
	      .doc = "What it calls the user, the claim sub; empty: it lets the user in no more."),
};

static const struct native_action actions[] = {
	CREATE("/oidc-providers", "iam:CreateOpenIDConnectProvider", OIDC_PROVIDER,
	       .args = PARAMS(struct oidc_provider_wish, provider_params), .prepare = prepare_provider,
	       .operation = engine_create_oidc_provider_run,
	       .doc = "Makes a provider of the account, whose tokens roles may be assumed with."),
	DELETION("/oidc-providers/{id}", "iam:DeleteOpenIDConnectProvider", OIDC_PROVIDER,
		 oidc_provider_target, oidc_provider, engine_delete_oidc_provider_run,
		 .doc = "Deletes a provider. Only administrators delete one by which people sign in."),
	ADMIN_CHANGE(PUT, "/oidc-providers/{id}/sign-in", "iam:SetOpenIDConnectProviderSignIn", OIDC_PROVIDER,
		     .args = PARAMS(struct set_args, set_params),
		     .target = NATIVE_AT(set_args, wish.oidc_provider), .prepare = prepare_set,
		     .operation = engine_set_oidc_sign_in_run,
		     .doc = "Lets people of a domain sign in to the console by a provider."),
	ADMIN_CHANGE(DELETE, "/oidc-providers/{id}/sign-in", "iam:SetOpenIDConnectProviderSignIn",
		     OIDC_PROVIDER, .args = {.size = sizeof(struct oidc_sign_in_target)},
		     .target = NATIVE_AT(oidc_sign_in_target, oidc_provider),
		     .operation = engine_end_oidc_sign_in_run, .doc = "Lets nobody sign in by it any more."),
	ADMIN_CHANGE(PUT, "/users/{id}/oidc-subject", "iam:LinkOpenIDConnectUser", USER,
		     .args = PARAMS(struct oidc_link, link_params), .target = NATIVE_AT(oidc_link, user),
		     .operation = engine_link_oidc_user_run,
		     .doc = "Says which subject of a provider a domain's user is."),
};
const struct api_actions native_oidc_provider_actions = API_ACTIONS(actions);
