/* SPDX-License-Identifier: Apache-2.0
 * Documents signed for a guest: attested data (PKCS #7 with the region's key), and tokens of its managed
 * identity. The identity is the role of the instance profile; its rights hold in every face, and the token
 * is valid for Azure's. Sources: "Azure Instance Metadata Service", attested data; "How to use managed
 * identities for Azure resources on an Azure VM to acquire an access token".
 */
#include "api/metadata/azure.h"

#include "api/metadata/internal.h"
#include "auth/token/bearer.h"
#include "base/clock.h"
#include "base/crypto_issue.h"
#include "base/json_write.h"
#include "model/account.h"
#include "model/iam_role.h"
#include "model/instance.h"
#include "model/licence.h"

enum { NONCE_MAX = 10, RESOURCE_MAX = 1024 };
static const int64_t attested_us = 6 * HOUR, certified_us = 3650 * 24 * HOUR;

/* ---- attested/document ---- */

/* "11/28/18 00:16:17 -0000" */
static struct str write_time(struct arena *a, int64_t time_us)
{
	char t[CLOCK_TEXT_SIZE]; /* "2018-11-28T00:16:17Z" */
	clock_write_s(time_us, t);
	return str_print(a, "%.2s/%.2s/%.2s %.8s -0000", t + 5, t + 8, t + 2, t + 11);
}

static bool is_nonce(struct str text)
{
	for (size_t k = 0; k < text.n; k++)
		if (text.p[k] < '0' || text.p[k] > '9')
			return false;
	return text.n >= 1 && text.n <= NONCE_MAX;
}

static json_t *make_attested(const struct imds_facts *s, struct str nonce, int64_t now_us)
{
	return json_pack("{s:s, s:o, s:{s:s, s:s, s:s}, s:s, s:o, s:{s:o, s:o}, s:o}", "licenseType",
			 licence_azure_type(s->instance->licences), "nonce", azure_json_of(nonce), "plan",
			 "name", "", "product", "", "publisher", "", "sku", "", "subscriptionId",
			 azure_json_of(uuid_to_str(s->arena, s->instance->account)), "timeStamp", "createdOn",
			 azure_json_of(write_time(s->arena, now_us)), "expiresOn",
			 azure_json_of(write_time(s->arena, now_us + attested_us)), "vmId",
			 azure_json_of(uuid_to_str(s->arena, s->instance->row.id)));
}

static RESULT sign(struct metadata *m, struct ctx *c, const struct imds_facts *s, struct str data,
		   struct str *ret_signature)
{
	struct str key, cert, der;
	TRY(bearers_use_key(m->config.bearers, c, &key));
	TRY(crypto_certify_key(c, key, str_print(c->arena, "metadata.%" STR_FMT, STR_ARG(s->region)),
			       certified_us, &cert));
	TRY(crypto_sign_message(c, key, cert, data, &der));
	*ret_signature = str_encode_base64(c->arena, der);
	return ret_signature->p ? OK : ctx_no_memory(c);
}

void azure_answer_attested(struct metadata *m, struct call *call, const struct imds_facts *s,
			   const struct pairs *query)
{
	struct str nonce = pairs_find(query, "nonce"), signature = STR_NONE;
	int64_t now_us = clock_now_us();
	if (nonce.n && !is_nonce(nonce)) {
		azure_fail(call, 400, NULL, "Bad request. A nonce has up to 10 digits.");
		return;
	}
	if (!m->config.bearers) {
		azure_fail(call, 404, NULL, "Not found");
		return;
	}
	if (!nonce.n)
		nonce = str_print(call->ctx.arena, "%lld", (long long) (now_us / SECOND));
	json_t *document = make_attested(s, nonce, now_us);
	char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;
	struct result r = text ? sign(m, &call->ctx, s, str_from(text), &signature) : FAIL(NO_MEMORY);
	free(text);
	json_decref(document);
	if (!result_is_ok(r))
		azure_fail(call, 500, NULL, "Internal server error");
	else
		azure_answer_json(
			call, 200,
			json_pack("{s:s, s:o}", "encoding", "pkcs7", "signature", azure_json_of(signature)));
}

/* ---- identity/oauth2/token ---- */

/* True if the query names an identity other than the machine's only one. */
static bool names_another(const struct imds_facts *s, const struct pairs *query)
{
	static const char *const names[] = {"client_id", "object_id", "principal_id"};
	struct str own = uuid_to_str(s->arena, s->iam_role->row.id);
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		struct str said = pairs_find(query, names[k]);
		if (said.n && !str_equal_nocase(said, own))
			return true;
	}
	return pairs_find(query, "msi_res_id").n || pairs_find(query, "mi_res_id").n;
}

static RESULT issue(struct metadata *m, struct ctx *c, const struct imds_facts *s, struct str resource,
		    struct imds_session *session, struct bearer *bearer, struct str *ret_token)
{
	TRY(imds_get_session(c, s, session));
	if (!session->is_trusted)
		return FAIL(DENIED);
	const struct bearer_words words = {
		.audience = resource,
		.issuer = str_print(c->arena, "https://sts.%" STR_FMT "/%" STR_FMT "/", STR_ARG(s->region),
				    STR_ARG(uuid_to_str(c->arena, s->account->domain)))};
	*bearer = (struct bearer){.user = s->iam_role->row.id,
				  .key_id = session->texts.key_id,
				  .session = session->texts.token,
				  .tenant = s->account->domain,
				  .expires_us = session->expires_us};
	return bearer_issue(m->config.bearers, c, bearer, &words, ret_token);
}

static void write_token(const struct imds_facts *s, const struct bearer *bearer, struct str resource,
			struct str token, struct buf *body)
{
	struct json_writer w;
	struct str id = uuid_to_str(s->arena, s->iam_role->row.id);
	long long left_s = (long long) ((bearer->expires_us - clock_now_us()) / SECOND);
	struct str left = str_print(s->arena, "%lld", left_s);
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	json_write_text(&w, "access_token", token);
	json_write_text(&w, "client_id", id);
	json_write_text(&w, "expires_in", left);
	json_write_text(&w, "expires_on",
			str_print(s->arena, "%lld", (long long) (bearer->expires_us / SECOND)));
	json_write_text(&w, "ext_expires_in", left);
	json_write_text(&w, "not_before",
			str_print(s->arena, "%lld", (long long) (bearer->issued_us / SECOND)));
	json_write_text(&w, "resource", resource);
	json_write_z(&w, "token_type", "Bearer");
	json_write_close(&w);
}

void azure_answer_token(struct metadata *m, struct call *call, const struct imds_facts *s,
			const struct pairs *query)
{
	struct str resource = pairs_find(query, "resource"), token = STR_NONE;
	struct imds_session session = {0};
	struct bearer bearer = {0};
	struct buf body;
	if (!resource.n || resource.n > RESOURCE_MAX || !str_is_line(resource)) {
		azure_fail(call, 400, "invalid_resource", "The parameter resource is a URI.");
		return;
	}
	if (!m->config.bearers || !s->roles || !s->iam_role || names_another(s, query)) {
		azure_fail(call, 400, "invalid_request", "Identity not found");
		return;
	}
	struct result r = issue(m, &call->ctx, s, resource, &session, &bearer, &token);
	if (r.code == ERR_DENIED) {
		azure_fail(call, 400, "unauthorized_client",
			   "The trust policy of the machine's role does not let ec2.amazonaws.com take it.");
		return;
	}
	if (!result_is_ok(r)) {
		azure_fail(call, 500, "server_error", "Internal server error");
		return;
	}
	buf_init(&body, BUF_ANSWER_CAP);
	write_token(s, &bearer, resource, token, &body);
	imds_answer_secret(m, call, s->issued, "application/json; charset=utf-8", &body);
}
