/* SPDX-License-Identifier: Apache-2.0
 * OpenID Connect providers: rows only. The next token is checked against the new settings. */
#include "engine/people/credential/oidc_provider.h"

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/sign_in/oidc_sign_in.h"
#include "engine/tag_internal.h"
#include "store/oidc_provider.h"

RESULT engine_check_oidc_thumbprints(struct ctx *c, struct str field, struct strs thumbprints)
{
	for (size_t k = 0; k < thumbprints.count; k++) {
		char bytes[OIDC_THUMBPRINT_SIZE / 2];
		struct str one = thumbprints.at[k];
		if (one.n != OIDC_THUMBPRINT_SIZE || !result_is_ok(str_decode_hex(one, bytes, sizeof bytes)))
			return ctx_fail_field(c, ERR_INVALID, field,
					      "Thumbprint %" STR_FMT " is not %d hexadecimal digits.",
					      STR_ARG(str_slice(one, 0, 64)), OIDC_THUMBPRINT_SIZE);
	}
	return OK;
}

RESULT engine_read_oidc_url(struct ctx *c, struct str field, struct str url, struct str *ret_url)
{
	struct str scheme = STR("https://");
	struct str rest = str_slice(url, scheme.n, url.n);
	size_t host_size = str_find_char(rest, '/', 0);
	bool is_good = str_starts_with(url, scheme) && host_size > 0 && !str_ends_with(rest, STR("//"));
	if (str_ends_with(rest, STR("/")))
		rest.n--;
	for (size_t k = 0; k < rest.n && is_good; k++)
		is_good = rest.p[k] > ' ' && rest.p[k] <= '~' && !strchr("?#@\"\\<>", rest.p[k]);
	if (!is_good)
		return ctx_fail_field(c, ERR_INVALID, field, "Invalid Open ID Connect Provider URL");
	struct str host = str_lower(c->arena, str_slice(rest, 0, host_size));
	*ret_url = str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(host),
			     STR_ARG(str_slice(rest, host_size, rest.n)));
	return ret_url->p ? OK : ctx_no_memory(c);
}

static RESULT find_provider(struct op *op, const struct ref *ref, const char *permission,
			    struct oidc_provider *ret_provider)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_OIDC_PROVIDER, ref, &row));
	TRY(engine_permit(op, permission, KIND_OIDC_PROVIDER, row));
	*ret_provider = *oidc_provider_of(row);
	return OK;
}

static RESULT put_changed(struct op *op, struct oidc_provider *next)
{
	next->row.gen++;
	TRY(oidc_provider_put(op, next));
	return engine_log_event(op, KIND_OIDC_PROVIDER, &next->row, "changed",
				"OpenID Connect provider %" STR_FMT ".", STR_ARG(next->url));
}

static RESULT check_new(struct op *op, uuid account, struct str url)
{
	const struct oidc_provider *p = oidc_provider_first_by_account(op->head, account);
	for (; p; p = oidc_provider_next_by_account(op->head, p))
		if (str_equal(p->url, url))
			return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_OIDC_PROVIDER,
					     "Provider with url https://%" STR_FMT " already exists.",
					     STR_ARG(url));
	return limit_check(op, LIMIT_OIDC_PROVIDERS, account, 1, STR_NONE);
}

static RESULT check_clients(struct op *op, size_t count)
{
	return count <= OIDC_CLIENTS_MAX
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_OIDC_PROVIDER,
				       "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d",
				       OIDC_CLIENTS_MAX);
}

static RESULT check_thumbprints(struct op *op, struct strs thumbprints)
{
	return thumbprints.count <= OIDC_THUMBPRINTS_MAX
		       ? OK
		       : ENGINE_FAIL(op, ERR_QUOTA, KIND_OIDC_PROVIDER, STR("ThumbprintList"),
				     "Thumbprint list must contain fewer than %d entries.",
				     OIDC_THUMBPRINTS_MAX);
}

RESULT engine_create_oidc_provider(struct op *op, struct oidc_provider_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_owner_id(op, &wish->owner, &account));
	struct oidc_provider provider = {.row.id = engine_new_id(op, KIND_OIDC_PROVIDER),
					 .row.gen = 1,
					 .account = account,
					 .url = wish->url,
					 .client_ids = wish->client_ids,
					 .thumbprints = wish->thumbprints};
	TRY(tag_normalize(op, wish->tags, &provider.tags));
	TRY(engine_permit_new(op, "oidc_provider.create", KIND_OIDC_PROVIDER, &provider.row));
	TRY(check_new(op, account, wish->url));
	TRY(check_clients(op, wish->client_ids.count));
	TRY(check_thumbprints(op, wish->thumbprints));
	TRY(oidc_provider_put(op, &provider));
	wish->oidc_provider = provider.row.id;
	return engine_log_event(op, KIND_OIDC_PROVIDER, &provider.row, "created",
				"OpenID Connect provider %" STR_FMT ".", STR_ARG(provider.url));
}

RESULT engine_delete_oidc_provider(struct op *op, struct oidc_provider_target *wish)
{
	struct oidc_provider provider;
	if (!ref_is_given(&wish->oidc_provider))
		return OK;
	TRY(find_provider(op, &wish->oidc_provider, "oidc_provider.delete", &provider));
	TRY(oidc_sign_in_check_free(op, &provider));
	TRY(engine_log_event(op, KIND_OIDC_PROVIDER, &provider.row, "deleted",
			     "OpenID Connect provider %" STR_FMT ".", STR_ARG(provider.url)));
	return oidc_provider_forget(op, provider.row.id);
}

/* Copies the other clients, with room for one more. */
static RESULT copy_others(struct op *op, struct strs clients, struct str but, struct str **ret_at,
			  size_t *ret_count)
{
	struct str *at = arena_new_array(op->ctx->arena, struct str, clients.count + 1);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < clients.count; k++)
		if (!str_equal(clients.at[k], but))
			at[count++] = clients.at[k];
	*ret_at = at;
	*ret_count = count;
	return OK;
}

RESULT engine_add_oidc_client(struct op *op, struct oidc_client *wish)
{
	struct oidc_provider next;
	struct str *at = NULL;
	size_t count = 0;
	TRY(find_provider(op, &wish->oidc_provider, "oidc_provider.add_client", &next));
	TRY(copy_others(op, next.client_ids, wish->client_id, &at, &count));
	if (count < next.client_ids.count)
		return OK;
	at[count++] = wish->client_id;
	TRY(check_clients(op, count));
	next.client_ids = (struct strs){at, count};
	return put_changed(op, &next);
}

RESULT engine_remove_oidc_client(struct op *op, struct oidc_client *wish)
{
	struct oidc_provider next;
	struct str *at = NULL;
	size_t count = 0;
	TRY(find_provider(op, &wish->oidc_provider, "oidc_provider.remove_client", &next));
	TRY(copy_others(op, next.client_ids, wish->client_id, &at, &count));
	if (count == next.client_ids.count)
		return OK;
	next.client_ids = (struct strs){at, count};
	return put_changed(op, &next);
}

RESULT engine_set_oidc_thumbprints(struct op *op, struct oidc_thumbprints *wish)
{
	struct oidc_provider next;
	TRY(find_provider(op, &wish->oidc_provider, "oidc_provider.set_thumbprints", &next));
	TRY(oidc_sign_in_check_free(op, &next));
	TRY(check_thumbprints(op, wish->thumbprints));
	next.thumbprints = wish->thumbprints;
	return put_changed(op, &next);
}
