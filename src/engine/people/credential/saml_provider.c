/* SPDX-License-Identifier: Apache-2.0
 * SAML providers: rows only. The next assertion is verified with the new certificates. */
#include "engine/people/credential/saml_provider.h"

#include "base/crypto.h"
#include "engine/acting.h"
#include "engine/limits.h"
#include "engine/people/sign_in/saml_sign_in_internal.h"
#include "engine/tag_internal.h"
#include "store/client_token.h"
#include "store/saml_provider.h"

static RESULT find_provider(struct op *op, const struct ref *ref, const char *permission,
			    const struct saml_provider **ret_provider)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_SAML_PROVIDER, ref, &row));
	TRY(engine_permit(op, permission, KIND_SAML_PROVIDER, row));
	*ret_provider = saml_provider_of(row);
	return OK;
}

static void set_document(struct saml_provider *p, const struct saml_document *document)
{
	p->metadata = document->text;
	p->entity_id = document->entity_id;
	p->sign_in_url = document->sign_in_url;
	p->certificates = document->certificates;
	p->expires_us = document->expires_us;
}

RESULT engine_create_saml_provider(struct op *op, struct saml_provider_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_owner_id(op, &wish->owner, &account));
	struct saml_provider provider = {.row.id = engine_new_id(op, KIND_SAML_PROVIDER),
					 .row.gen = 1,
					 .account = account,
					 .name = wish->name};
	set_document(&provider, &wish->document);
	TRY(tag_normalize(op, wish->tags, &provider.tags));
	TRY(engine_permit_new(op, "saml_provider.create", KIND_SAML_PROVIDER, &provider.row));
	if (saml_provider_find_by_account(op->head, account, wish->name))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_SAML_PROVIDER,
				     "A SAMLProvider with the name %" STR_FMT " already exists.",
				     STR_ARG(wish->name));
	TRY(limit_check(op, LIMIT_SAML_PROVIDERS, account, 1, STR_NONE));
	TRY(saml_provider_put(op, &provider));
	wish->saml_provider = provider.row.id;
	return engine_log_event(op, KIND_SAML_PROVIDER, &provider.row, "created",
				"SAML provider %" STR_FMT ", issuer %" STR_FMT ".", STR_ARG(provider.name),
				STR_ARG(provider.entity_id));
}

RESULT engine_update_saml_provider(struct op *op, struct saml_provider_change *wish)
{
	const struct saml_provider *provider = NULL;
	TRY(find_provider(op, &wish->saml_provider, "saml_provider.update", &provider));
	struct saml_provider next = *provider;
	TRY(saml_sign_in_check_free(op, provider));
	TRY(saml_sign_in_check_issuer(op, provider, wish->document.entity_id));
	set_document(&next, &wish->document);
	next.row.gen++;
	TRY(saml_provider_put(op, &next));
	return engine_log_event(op, KIND_SAML_PROVIDER, &next.row, "changed",
				"SAML provider %" STR_FMT ", issuer %" STR_FMT ".", STR_ARG(next.name),
				STR_ARG(next.entity_id));
}

RESULT engine_delete_saml_provider(struct op *op, struct saml_provider_target *wish)
{
	const struct saml_provider *provider = NULL;
	TRY(find_provider(op, &wish->saml_provider, "saml_provider.delete", &provider));
	TRY(saml_sign_in_check_free(op, provider));
	TRY(engine_log_event(op, KIND_SAML_PROVIDER, &provider->row, "deleted", "SAML provider %" STR_FMT ".",
			     STR_ARG(provider->name)));
	return saml_provider_forget(op, provider->row.id);
}

/* A client token remembers the assertion: it survives a restart, and a takeover by another writer. An assertion is spent
 * for the whole account, whichever of its roles and providers it was used with. */
RESULT saml_provider_spend(struct op *op, const struct saml_provider *provider, struct str id)
{
	struct arena *a = op->ctx->arena;
	uint8_t digest[SHA256_SIZE];
	struct client_token row = {.row.id = engine_new_id(op, KIND_CLIENT_TOKEN),
				   .row.gen = 1,
				   .account = provider->account,
				   .action = STR("sts:AssumeRoleWithSAML")};
	struct str name = str_print(a, "%" STR_FMT "\n%" STR_FMT, STR_ARG(provider->entity_id), STR_ARG(id));
	if (!name.p)
		return ctx_no_memory(op->ctx);
	crypto_sha256(name, digest);
	row.token = str_encode_hex(a, digest, sizeof digest);
	if (!row.token.p)
		return ctx_no_memory(op->ctx);
	if (client_token_find_by_token(op->head, row.account, row.action, row.token))
		return ctx_fail_kind(
			op->ctx, ERR_INVALID, KIND_SAML_PROVIDER,
			"The assertion was used before. Sign in at the identity provider again.");
	TRY(limit_check(op, LIMIT_CLIENT_TOKENS, row.account, 1, STR_NONE));
	return client_token_put(op, &row);
}

RESULT engine_use_saml_assertion(struct op *op, struct saml_assertion_use *wish)
{
	const struct saml_provider *provider = saml_provider_find(op->head, wish->saml_provider);
	if (!provider)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_SAML_PROVIDER,
				     "Specified provider doesn't exist");
	/* Signing in: the assertion and the role's trust policy have decided. */
	engine_need_no_permission(op);
	return saml_provider_spend(op, provider, wish->id);
}
