/* SPDX-License-Identifier: Apache-2.0
 * Certificates of ACM. Called by: api/acm, auth/guard. */
#include "engine/people/credential/acm_certificate.h"

#include "engine/balancing/balancing.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "store/server_certificate.h"

/* ---- ARNs ---- */

struct str engine_write_acm_arn(struct arena *a, struct str region, struct str account_number,
				const struct row *row)
{
	return str_print(a, "arn:aws:acm:%" STR_FMT ":%" STR_FMT ":certificate/%" STR_FMT, STR_ARG(region),
			 STR_ARG(account_number), STR_ARG(row ? server_certificate_of(row)->name : STR("*")));
}

const struct server_certificate *engine_find_acm_arn(const struct tables *t, struct ctx *c, struct str region,
						     struct str arn)
{
	struct str start = engine_write_acm_arn(c->arena, region, c->who->account_number, NULL);
	start = str_slice(start, 0, start.n - 1);
	return str_starts_with(arn, start)
		       ? server_certificate_find_by_account(t, c->who->account,
							    SERVER_CERTIFICATE_SERVICE_ACM,
							    str_slice(arn, start.n, arn.n))
		       : NULL;
}

/* ---- operations ---- */

static RESULT find(struct op *op, const struct ref *ref, const char *permission,
		   const struct server_certificate **ret_certificate)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_SERVER_CERTIFICATE, ref, &row));
	if (server_certificate_of(row)->service != SERVER_CERTIFICATE_SERVICE_ACM)
		return engine_fail_not_found(op->ctx, KIND_SERVER_CERTIFICATE, ref);
	TRY(engine_permit(op, permission, KIND_SERVER_CERTIFICATE, row));
	*ret_certificate = server_certificate_of(row);
	return OK;
}

static void fill(struct op *op, const struct acm_import *wish, struct server_certificate *next)
{
	next->body = wish->body;
	next->chain = wish->chain;
	next->key = wish->key;
	next->from_us = wish->from_us;
	next->expires_us = wish->expires_us;
	next->imported_us = op->now_us;
	next->row.gen++;
}

static RESULT replace(struct op *op, const struct acm_import *wish)
{
	const struct server_certificate *present = NULL;
	TRY(find(op, &wish->present, "certificate.import", &present));
	struct server_certificate next = *present;
	fill(op, wish, &next);
	TRY(server_certificate_put(op, &next));
	TRY(engine_settle_certificate(op, next.account, next.row.id));
	return engine_log_event(op, KIND_SERVER_CERTIFICATE, &next.row, "changed",
				"Certificate %" STR_FMT " imported again.", STR_ARG(next.name));
}

RESULT engine_import_acm_certificate(struct op *op, struct acm_import *wish)
{
	const struct account *account = NULL;
	char id[UUID_TEXT_SIZE];
	if (ref_is_given(&wish->present))
		return replace(op, wish);
	TRY(engine_find_acting_account(op, &account));
	struct server_certificate made = {.row.id = wish->certificate,
					  .account = engine_get_account(op->ctx),
					  .service = SERVER_CERTIFICATE_SERVICE_ACM,
					  .name = str_from(uuid_write(wish->certificate, id))};
	fill(op, wish, &made);
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(engine_permit_new(op, "certificate.import", KIND_SERVER_CERTIFICATE, &made.row));
	TRY(limit_check(op, LIMIT_ACM_CERTIFICATES, made.account, 1, STR_NONE));
	TRY(server_certificate_put(op, &made));
	return engine_log_event(op, KIND_SERVER_CERTIFICATE, &made.row, "created",
				"Certificate %" STR_FMT " imported.", STR_ARG(made.name));
}

RESULT engine_delete_acm_certificate(struct op *op, struct acm_target *wish)
{
	const struct server_certificate *present = NULL;
	TRY(find(op, &wish->certificate, "certificate.delete", &present));
	if (engine_find_listener_of_certificate(op->head, present->account, present->row.id))
		return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_SERVER_CERTIFICATE,
				     "Certificate %" STR_FMT " in account %" STR_FMT " is in use.",
				     STR_ARG(wish->certificate.text),
				     STR_ARG(op->ctx->who ? op->ctx->who->account_number : STR_NONE));
	TRY(engine_log_event(op, KIND_SERVER_CERTIFICATE, &present->row, "deleted",
			     "Server certificate %" STR_FMT ".", STR_ARG(present->name)));
	return server_certificate_forget(op, present->row.id);
}

/* ---- tags ---- */

/* An empty value in the list stands for any value. */
static bool is_removed(struct tags tags, const struct tag *tag)
{
	for (size_t k = 0; k < tags.count; k++)
		if (str_equal(tags.at[k].key, tag->key) &&
		    (!tags.at[k].value.n || str_equal(tags.at[k].value, tag->value)))
			return true;
	return false;
}

static bool has_key(struct tags tags, struct str key)
{
	for (size_t k = 0; k < tags.count; k++)
		if (str_equal(tags.at[k].key, key))
			return true;
	return false;
}

static RESULT put_tags(struct op *op, const struct server_certificate *present, struct tags tags)
{
	struct server_certificate next = *present;
	next.tags = (struct tags){0};
	TRY(tag_normalize(op, tags, &next.tags));
	next.row.gen++;
	return server_certificate_put(op, &next);
}

RESULT engine_tag_acm_certificate(struct op *op, struct acm_tags *wish)
{
	const struct server_certificate *present = NULL;
	size_t count = wish->tags.count;
	TRY(find(op, &wish->certificate, "certificate.tag", &present));
	struct tag *all = arena_new_array(op->ctx->arena, struct tag, present->tags.count + count + 1);
	if (!all)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < count; k++)
		all[k] = wish->tags.at[k];
	for (size_t k = 0; k < present->tags.count; k++)
		if (!has_key(wish->tags, present->tags.at[k].key))
			all[count++] = present->tags.at[k];
	return put_tags(op, present, (struct tags){all, count});
}

RESULT engine_untag_acm_certificate(struct op *op, struct acm_tags *wish)
{
	const struct server_certificate *present = NULL;
	size_t count = 0;
	TRY(find(op, &wish->certificate, "certificate.untag", &present));
	struct tag *left = arena_new_array(op->ctx->arena, struct tag, present->tags.count + 1);
	if (!left)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < present->tags.count; k++)
		if (!is_removed(wish->tags, &present->tags.at[k]))
			left[count++] = present->tags.at[k];
	return put_tags(op, present, (struct tags){left, count});
}
