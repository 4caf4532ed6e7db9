/* SPDX-License-Identifier: Apache-2.0
 * Server certificates of IAM: rows only. */
#include "engine/people/credential/server_certificate.h"

#include "engine/acting.h"
#include "engine/balancing/balancing.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "store/server_certificate.h"

static RESULT find(struct op *op, const struct ref *ref, const char *permission,
		   const struct server_certificate **ret_certificate)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_SERVER_CERTIFICATE, ref, &row));
	if (server_certificate_of(row)->service != SERVER_CERTIFICATE_SERVICE_IAM)
		return engine_fail_not_found(op->ctx, KIND_SERVER_CERTIFICATE, ref);
	TRY(engine_permit(op, permission, KIND_SERVER_CERTIFICATE, row));
	*ret_certificate = server_certificate_of(row);
	return OK;
}

/* IAM compares names in any letter case. */
static RESULT check_name(struct op *op, uuid account, struct str name, uuid but)
{
	TRY(engine_check_name(op, KIND_SERVER_CERTIFICATE, name));
	const struct server_certificate *s = server_certificate_first_by_account(op->head, account);
	for (; s; s = server_certificate_next_by_account(op->head, s))
		if (s->service == SERVER_CERTIFICATE_SERVICE_IAM && str_equal_nocase(s->name, name) &&
		    !uuid_equal(s->row.id, but))
			return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_SERVER_CERTIFICATE,
					     "The Server Certificate with name %" STR_FMT " already exists.",
					     STR_ARG(name));
	return OK;
}

RESULT engine_create_server_certificate(struct op *op, struct server_certificate_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct server_certificate certificate = {.row.id = wish->certificate,
						 .row.gen = 1,
						 .account = account,
						 .name = wish->name,
						 .path = str_is_empty(wish->path) ? STR("/") : wish->path,
						 .body = wish->body,
						 .chain = wish->chain,
						 .key = wish->key,
						 .expires_us = wish->expires_us};
	TRY(tag_normalize(op, wish->tags, &certificate.tags));
	TRY(engine_permit_new(op, "server_certificate.upload", KIND_SERVER_CERTIFICATE, &certificate.row));
	TRY(check_name(op, account, wish->name, UUID_NONE));
	TRY(limit_check(op, LIMIT_SERVER_CERTIFICATES, account, 1, STR_NONE));
	TRY(server_certificate_put(op, &certificate));
	return engine_log_event(op, KIND_SERVER_CERTIFICATE, &certificate.row, "created",
				"Server certificate %" STR_FMT ".", STR_ARG(certificate.name));
}

RESULT engine_update_server_certificate(struct op *op, struct server_certificate_change *wish)
{
	const struct server_certificate *certificate = NULL;
	TRY(find(op, &wish->certificate, "server_certificate.update", &certificate));
	struct server_certificate next = *certificate;
	if (wish->path.n)
		next.path = wish->path;
	if (wish->name.n) {
		TRY(check_name(op, next.account, wish->name, next.row.id));
		next.name = wish->name;
	}
	TRY(engine_permit(op, "server_certificate.update", KIND_SERVER_CERTIFICATE, &next.row));
	next.row.gen++;
	TRY(server_certificate_put(op, &next));
	return engine_log_event(op, KIND_SERVER_CERTIFICATE, &next.row, "changed",
				"Server certificate %" STR_FMT " is now %" STR_FMT ".",
				STR_ARG(certificate->name), STR_ARG(next.name));
}

RESULT engine_delete_server_certificate(struct op *op, struct server_certificate_target *wish)
{
	const struct server_certificate *certificate = NULL;
	TRY(find(op, &wish->certificate, "server_certificate.delete", &certificate));
	if (engine_find_listener_of_certificate(op->head, certificate->account, certificate->row.id))
		return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_SERVER_CERTIFICATE,
				     "Certificate: %" STR_FMT
				     " is currently in use by a load balancer. Please "
				     "remove it first before deleting it from IAM.",
				     STR_ARG(certificate->name));
	TRY(engine_log_event(op, KIND_SERVER_CERTIFICATE, &certificate->row, "deleted",
			     "Server certificate %" STR_FMT ".", STR_ARG(certificate->name)));
	return server_certificate_forget(op, certificate->row.id);
}
