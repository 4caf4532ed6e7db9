/* SPDX-License-Identifier: Apache-2.0
 * SAML 2.0 identity providers, whose assertions AssumeRoleWithSAML accepts. Sources: IAM's API Reference; IAM User Guide,
 * "Troubleshoot SAML federation with IAM"; texts that IAM's users report. */
#include "api/iam/internal.h"
#include "auth/saml/saml.h"
#include "engine/people/credential/saml_provider.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "store/saml_provider.h"

#define PROVIDER(T, member)                                                                                  \
	PARAM(T, "SAMLProviderArn", member, .flags = REQUIRED, .min = 20, .max = 2048,                       \
	      .doc = "ARN of the provider.")
/* IAM takes 10,000,000 characters; a request to Dari has 1 MiB at most. */
#define METADATA(T, member)                                                                                  \
	PARAM(T, "SAMLMetadataDocument", member, .flags = REQUIRED, .min = SAML_METADATA_MIN,                \
	      .max = SAML_METADATA_MAX, .doc = "Metadata of the identity provider, in XML.")

/* Arguments of actions on a provider start with the engine's wish, followed by the ARN. */
struct provider_args {
	struct str arn;
	struct ref provider; /* found by the ARN; set by prepare */
	struct iam_pages pages;
};
struct changed_provider {
	struct saml_provider_change wish;
	struct str arn;
};
struct gone_provider {
	struct saml_provider_target wish;
	struct str arn;
};
struct changed_tags {
	struct entity_tags wish;
	struct str arn;
};

static RESULT find_provider(struct iam_call *e, struct str arn, struct ref *ret_provider)
{
	struct str any = iam_arn(e, KIND_SAML_PROVIDER, NULL), stem = str_slice(any, 0, any.n - 1);
	const struct saml_provider *p = NULL;
	if (str_starts_with(arn, stem))
		p = saml_provider_find_by_account(iam_tables(e), e->c->who->account,
						  str_slice(arn, stem.n, arn.n));
	if (!p)
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("SAMLProviderArn"),
				      "Manifest not found for arn %" STR_FMT, STR_ARG(arn));
	*ret_provider = (struct ref){.kind = KIND_SAML_PROVIDER,
				     .prefix = p->row.id,
				     .bits = 128,
				     .text = arn,
				     .field = STR("SAMLProviderArn")};
	return OK;
}

static RESULT check_name(struct iam_call *e, struct str name)
{
	bool is_good = true;
	for (size_t k = 0; k < name.n && is_good; k++)
		is_good = str_is_alphanumeric(name.p[k]) || (name.p[k] && strchr("._-", name.p[k]));
	return is_good ? OK
		       : request_fail_member(e->c, STR("Name"), name,
					     "satisfy regular expression pattern: [\\w._-]+");
}

static RESULT prepare_new(struct iam_call *e, void *args)
{
	struct saml_provider_wish *a = args;
	TRY(check_name(e, a->name));
	return iam_check_tags(e, a->tags, false);
}
static RESULT prepare_update(struct iam_call *e, void *args)
{
	struct changed_provider *a = args;
	return find_provider(e, a->arn, &a->wish.saml_provider);
}
static RESULT prepare_delete(struct iam_call *e, void *args)
{
	struct gone_provider *a = args;
	return find_provider(e, a->arn, &a->wish.saml_provider);
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

/* Parsing a document with its certificates takes milliseconds, which an HTTP thread has not. */
static RESULT parse_new(struct work_item *w)
{
	struct iam_call *e = w->arg;
	struct saml_document *d = &((struct saml_provider_wish *) e->args)->document;
	return saml_read_metadata(e->c, d->text, d);
}
static RESULT parse_changed(struct work_item *w)
{
	struct iam_call *e = w->arg;
	struct saml_document *d = &((struct changed_provider *) e->args)->wish.document;
	return saml_read_metadata(e->c, d->text, d);
}

/* ---- what is shown ---- */

static RESULT show_new(struct iam_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(iam_find_returned(e, ((const struct saml_provider_wish *) args)->saml_provider, &row));
	xml_text(x, "SAMLProviderArn", iam_arn(e, KIND_SAML_PROVIDER, row));
	if (saml_provider_of(row)->tags.count)
		iam_write_tags(x, saml_provider_of(row)->tags);
	return OK;
}

static RESULT show_changed(struct iam_call *e, const void *args, struct xml *x)
{
	(void) e;
	xml_text(x, "SAMLProviderArn", ((const struct changed_provider *) args)->arn);
	return OK;
}

static RESULT get_provider(struct iam_call *e, const void *args, struct xml *x)
{
	const struct provider_args *a = args;
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, iam_tables(e), KIND_SAML_PROVIDER, &a->provider, &row));
	const struct saml_provider *p = saml_provider_of(row);
	xml_text(x, "SAMLMetadataDocument", p->metadata);
	iam_write_time(x, "CreateDate", p->row.created_us);
	iam_write_time(x, "ValidUntil", p->expires_us);
	iam_write_tags(x, p->tags);
	return OK;
}

static RESULT write_one(struct iam_call *e, struct xml *x, const struct row *row)
{
	xml_text(x, "Arn", iam_arn(e, KIND_SAML_PROVIDER, row));
	iam_write_time(x, "ValidUntil", saml_provider_of(row)->expires_us);
	iam_write_time(x, "CreateDate", row->created_us);
	return OK;
}

const struct iam_listing iam_saml_providers = {
	.kind = KIND_SAML_PROVIDER,
	.order = "name",
	.paths = {{KIND_SAML_PROVIDER, SAML_PROVIDER_INDEX_ACCOUNT}},
	.shown = {"SAMLProviderList", .write = write_one},
};

static RESULT list_providers(struct iam_call *e, const void *args, struct xml *x)
{
	struct iam_list providers = {e, &iam_saml_providers};
	(void) args;
	return iam_write_rows(&providers, NULL, x);
}

static RESULT list_tags(struct iam_call *e, const void *args, struct xml *x)
{
	const struct provider_args *a = args;
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, iam_tables(e), KIND_SAML_PROVIDER, &a->provider, &row));
	return iam_list_tags(e, x, saml_provider_of(row)->tags, &a->pages);
}

/* ---- parameters ---- */

static const struct param create_params[] = {
	METADATA(struct saml_provider_wish, document.text),
	PARAM(struct saml_provider_wish, "Name", name, .flags = REQUIRED, .min = 1,
	      .max = SAML_PROVIDER_NAME_MAX, .doc = "Name; unique in the account."),
	IAM_TAGS(struct saml_provider_wish, tags),
	NOT_BUILT("AssertionEncryptionMode|AddPrivateKey"),
};
static const struct param update_params[] = {
	PROVIDER(struct changed_provider, arn),
	METADATA(struct changed_provider, wish.document.text),
	NOT_BUILT("AssertionEncryptionMode|AddPrivateKey|RemovePrivateKey"),
};
static const struct param delete_params[] = {PROVIDER(struct gone_provider, arn)};
static const struct param read_params[] = {PROVIDER(struct provider_args, arn)};
static const struct param pages_params[] = {PROVIDER(struct provider_args, arn),
					    IAM_PAGES(struct provider_args, pages)};
static const struct param tag_params[] = {PROVIDER(struct changed_tags, arn),
					  IAM_NEW_TAGS(struct changed_tags, wish.tags)};
static const struct param untag_params[] = {PROVIDER(struct changed_tags, arn),
					    IAM_TAG_KEYS(struct changed_tags, wish.keys)};

static const struct iam_action actions[] = {
	{IAM_ACTION("CreateSAMLProvider"), .flags = API_WRITES,
	 .args = PARAMS(struct saml_provider_wish, create_params), .prepare = prepare_new, .work = parse_new,
	 .operation = engine_create_saml_provider_run, .returns = KIND_SAML_PROVIDER, .answer = show_new,
	 .doc = "Creates a SAML provider, which trust policies can name."},
	{IAM_ACTION("GetSAMLProvider"), .args = PARAMS(struct provider_args, read_params),
	 .prepare = prepare_read, .answer = get_provider,
	 .doc = "Returns a SAML provider with its metadata."},
	{IAM_ACTION("ListSAMLProviders"), .args = {0, 0, sizeof(struct provider_args)},
	 .answer = list_providers, .doc = "Lists the account's SAML providers."},
	{IAM_ACTION("UpdateSAMLProvider"), .flags = API_WRITES,
	 .args = PARAMS(struct changed_provider, update_params), .prepare = prepare_update,
	 .work = parse_changed, .operation = engine_update_saml_provider_run, .answer = show_changed,
	 .doc = "Replaces the metadata of a SAML provider."},
	{IAM_ACTION("DeleteSAMLProvider"), .flags = API_WRITES,
	 .args = PARAMS(struct gone_provider, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_saml_provider_run,
	 .doc = "Deletes a SAML provider. Its assertions are no longer accepted."},
	{IAM_ACTION("TagSAMLProvider"), .flags = API_WRITES, .args = PARAMS(struct changed_tags, tag_params),
	 .prepare = prepare_tags, .operation = engine_tag_entity_run, .doc = "Sets tags on a provider."},
	{IAM_ACTION("UntagSAMLProvider"), .flags = API_WRITES,
	 .args = PARAMS(struct changed_tags, untag_params), .prepare = prepare_tags,
	 .operation = engine_untag_entity_run, .doc = "Removes tags from a provider."},
	{IAM_ACTION("ListSAMLProviderTags"), .args = PARAMS(struct provider_args, pages_params),
	 .prepare = prepare_read, .answer = list_tags, .doc = "Lists the tags of a provider."},
};
const struct api_actions iam_saml_actions = API_ACTIONS(actions);
