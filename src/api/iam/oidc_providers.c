/* SPDX-License-Identifier: Apache-2.0
 * OpenID Connect providers, whose tokens AssumeRoleWithWebIdentity accepts. */
#include "api/iam/internal.h"
#include "engine/people/credential/oidc_provider.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "store/oidc_provider.h"

enum { URL_MAX = 255, CLIENT_ID_MAX = 255 };

#define PROVIDER(T, member)                                                                                  \
	PARAM(T, "OpenIDConnectProviderArn", member, .flags = REQUIRED, .min = 20, .max = 2048,              \
	      .doc = "ARN of the provider.")

/* Arguments of actions on a provider start with the engine's wish, followed by the ARN. */
struct provider_args {
	struct str arn;
	struct ref provider; /* found by the ARN; set by prepare */
	struct iam_pages pages;
};
struct gone_provider {
	struct oidc_provider_target wish;
	struct str arn;
};
struct changed_clients {
	struct oidc_client wish;
	struct str arn;
};
struct changed_thumbprints {
	struct oidc_thumbprints wish;
	struct str arn;
};
struct changed_tags {
	struct entity_tags wish;
	struct str arn;
};

static RESULT find_provider(struct iam_call *e, struct str arn, struct ref *ret_provider)
{
	struct str any = iam_arn(e, KIND_OIDC_PROVIDER, NULL), stem = str_slice(any, 0, any.n - 1);
	const struct oidc_provider *p = NULL;
	if (str_starts_with(arn, stem))
		p = oidc_provider_find_by_account(iam_tables(e), e->c->who->account,
						  str_slice(arn, stem.n, arn.n));
	if (!p)
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("OpenIDConnectProviderArn"),
				      "OpenIDConnect Provider not found for arn %" STR_FMT, STR_ARG(arn));
	*ret_provider = (struct ref){.kind = KIND_OIDC_PROVIDER,
				     .prefix = p->row.id,
				     .bits = 128,
				     .text = arn,
				     .field = STR("OpenIDConnectProviderArn")};
	return OK;
}

static RESULT prepare_new(struct iam_call *e, void *args)
{
	struct oidc_provider_wish *a = args;
	TRY(engine_read_oidc_url(e->c, STR("Url"), a->url, &a->url));
	TRY(iam_check_tags(e, a->tags, false));
	return engine_check_oidc_thumbprints(e->c, STR("ThumbprintList"), a->thumbprints);
}
static RESULT prepare_delete(struct iam_call *e, void *args)
{
	struct gone_provider *a = args;
	struct result result = find_provider(e, a->arn, &a->wish.oidc_provider);
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(e->c); /* idempotent: deleting an absent provider succeeds (API reference) */
	a->wish.oidc_provider = (struct ref){.kind = KIND_NONE};
	return OK;
}
static RESULT prepare_client(struct iam_call *e, void *args)
{
	struct changed_clients *a = args;
	return find_provider(e, a->arn, &a->wish.oidc_provider);
}
static RESULT prepare_thumbprints(struct iam_call *e, void *args)
{
	struct changed_thumbprints *a = args;
	TRY(engine_check_oidc_thumbprints(e->c, STR("ThumbprintList"), a->wish.thumbprints));
	return find_provider(e, a->arn, &a->wish.oidc_provider);
}
static RESULT prepare_tags(struct iam_call *e, void *args)
{
	struct changed_tags *a = args;
	TRY(iam_check_tags(e, a->wish.tags, false));
	TRY(iam_check_tag_keys(e, a->wish.keys));
	return find_provider(e, a->arn, &a->wish.entity);
}
static RESULT prepare_read(struct iam_call *e, void *args)
{
	struct provider_args *a = args;
	return find_provider(e, a->arn, &a->provider);
}

/* ---- what is shown ---- */

static void write_texts(struct xml *x, const char *name, struct strs texts)
{
	xml_open(x, name);
	for (size_t k = 0; k < texts.count; k++)
		xml_text(x, "member", texts.at[k]);
	xml_close(x, name);
}

static RESULT show_new(struct iam_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(iam_find_returned(e, ((const struct oidc_provider_wish *) args)->oidc_provider, &row));
	const struct oidc_provider *p = oidc_provider_of(row);
	xml_text(x, "OpenIDConnectProviderArn", iam_arn(e, KIND_OIDC_PROVIDER, row));
	if (p->tags.count)
		iam_write_tags(x, p->tags);
	return OK;
}

static RESULT get_provider(struct iam_call *e, const void *args, struct xml *x)
{
	const struct provider_args *a = args;
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, iam_tables(e), KIND_OIDC_PROVIDER, &a->provider, &row));
	const struct oidc_provider *p = oidc_provider_of(row);
	xml_text(x, "Url", p->url);
	write_texts(x, "ClientIDList", p->client_ids);
	write_texts(x, "ThumbprintList", p->thumbprints);
	iam_write_time(x, "CreateDate", p->row.created_us);
	iam_write_tags(x, p->tags);
	return OK;
}

static RESULT write_one(struct iam_call *e, struct xml *x, const struct row *row)
{
	xml_text(x, "Arn", iam_arn(e, KIND_OIDC_PROVIDER, row));
	return OK;
}

const struct iam_listing iam_providers = {
	.kind = KIND_OIDC_PROVIDER,
	.order = "url",
	.paths = {{KIND_OIDC_PROVIDER, OIDC_PROVIDER_INDEX_ACCOUNT}},
	.shown = {"OpenIDConnectProviderList", .write = write_one},
};

static RESULT list_providers(struct iam_call *e, const void *args, struct xml *x)
{
	struct iam_list providers = {e, &iam_providers};
	(void) args;
	return iam_write_rows(&providers, NULL, x);
}

static RESULT list_tags(struct iam_call *e, const void *args, struct xml *x)
{
	const struct provider_args *a = args;
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, iam_tables(e), KIND_OIDC_PROVIDER, &a->provider, &row));
	return iam_list_tags(e, x, oidc_provider_of(row)->tags, &a->pages);
}

/* ---- parameters ---- */

#define W struct oidc_provider_wish
#define THUMBPRINTS(T, member, ...)                                                                          \
	PARAM(T, "ThumbprintList.member", member, __VA_ARGS__.min = 40, .max = 40,                           \
	      .doc = "SHA-1 thumbprints in hex of certificates that are trusted if no known authority "      \
		     "issued them.")
static const struct param create_params[] = {
	PARAM(W, "Url", url, .flags = REQUIRED, .min = 1, .max = URL_MAX,
	      .doc = "URL of the issuer, beginning with https://."),
	PARAM(W, "ClientIDList.member", client_ids, .min = 1, .max = CLIENT_ID_MAX,
	      .doc = "Client ids: audiences of accepted tokens."),
	THUMBPRINTS(W, thumbprints),
	IAM_TAGS(W, tags),
};
static const struct param read_params[] = {PROVIDER(struct provider_args, arn)};
static const struct param pages_params[] = {PROVIDER(struct provider_args, arn),
					    IAM_PAGES(struct provider_args, pages)};
static const struct param delete_params[] = {PROVIDER(struct gone_provider, arn)};
static const struct param client_params[] = {PROVIDER(struct changed_clients, arn),
					     PARAM(struct changed_clients, "ClientID", wish.client_id,
						   .flags = REQUIRED, .min = 1, .max = CLIENT_ID_MAX,
						   .doc = "Client id: an audience of accepted tokens.")};
static const struct param thumbprint_params[] = {
	PROVIDER(struct changed_thumbprints, arn),
	THUMBPRINTS(struct changed_thumbprints, wish.thumbprints, .flags = REQUIRED, )};
static const struct param tag_params[] = {PROVIDER(struct changed_tags, arn),
					  IAM_NEW_TAGS(struct changed_tags, wish.tags)};
static const struct param untag_params[] = {PROVIDER(struct changed_tags, arn),
					    IAM_TAG_KEYS(struct changed_tags, wish.keys)};

static const struct iam_action actions[] = {
	{IAM_ACTION("CreateOpenIDConnectProvider"), .flags = API_WRITES, .args = PARAMS(W, create_params),
	 .prepare = prepare_new, .operation = engine_create_oidc_provider_run, .returns = KIND_OIDC_PROVIDER,
	 .answer = show_new, .doc = "Creates an OIDC provider, which trust policies can name."},
	{IAM_ACTION("GetOpenIDConnectProvider"), .args = PARAMS(struct provider_args, read_params),
	 .prepare = prepare_read, .answer = get_provider, .doc = "Returns an OIDC provider."},
	{IAM_ACTION("ListOpenIDConnectProviders"), .args = {0, 0, sizeof(struct provider_args)},
	 .answer = list_providers, .doc = "Lists the account's OIDC providers."},
	{IAM_ACTION("DeleteOpenIDConnectProvider"), .flags = API_WRITES,
	 .args = PARAMS(struct gone_provider, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_oidc_provider_run,
	 .doc = "Deletes an OIDC provider. Its tokens are no longer accepted."},
	{IAM_ACTION("AddClientIDToOpenIDConnectProvider"), .flags = API_WRITES,
	 .args = PARAMS(struct changed_clients, client_params), .prepare = prepare_client,
	 .operation = engine_add_oidc_client_run, .doc = "Adds a client id to an OIDC provider."},
	{IAM_ACTION("RemoveClientIDFromOpenIDConnectProvider"), .flags = API_WRITES,
	 .args = PARAMS(struct changed_clients, client_params), .prepare = prepare_client,
	 .operation = engine_remove_oidc_client_run, .doc = "Removes a client id from an OIDC provider."},
	{IAM_ACTION("UpdateOpenIDConnectProviderThumbprint"), .flags = API_WRITES,
	 .args = PARAMS(struct changed_thumbprints, thumbprint_params), .prepare = prepare_thumbprints,
	 .operation = engine_set_oidc_thumbprints_run,
	 .doc = "Replaces the certificate thumbprints of an OIDC provider."},
	{IAM_ACTION("TagOpenIDConnectProvider"), .flags = API_WRITES,
	 .args = PARAMS(struct changed_tags, tag_params), .prepare = prepare_tags,
	 .operation = engine_tag_entity_run, .doc = "Sets tags on a provider."},
	{IAM_ACTION("UntagOpenIDConnectProvider"), .flags = API_WRITES,
	 .args = PARAMS(struct changed_tags, untag_params), .prepare = prepare_tags,
	 .operation = engine_untag_entity_run, .doc = "Removes tags from a provider."},
	{IAM_ACTION("ListOpenIDConnectProviderTags"), .args = PARAMS(struct provider_args, pages_params),
	 .prepare = prepare_read, .answer = list_tags, .doc = "Lists the tags of a provider."},
};
const struct api_actions iam_oidc_actions = API_ACTIONS(actions);
