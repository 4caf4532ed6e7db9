/* SPDX-License-Identifier: Apache-2.0
 * Tokens for people whom an identity provider vouches for: OpenID Connect by an access token, SAML by a program that carries the
 * messages itself (Enhanced Client or Proxy). The token has no scope; the client then asks for one with a project. Sources: Identity
 * API reference, "OS-FEDERATION"; keystoneauth1's federation, oidc and saml2 plug-ins; SAML 2.0 Profiles, section 4.2. */
#include "api/openstack/core/write.h"
#include "api/openstack/identity/federation.h"
#include "api/openstack/identity/identity.h"
#include "auth/limit.h"
#include "auth/sign_in/federated.h"
#include "auth/sign_in/login_throttle.h"
#include "auth/token/issuers.h"
#include "base/log.h"
#include "model/oidc_provider.h"
#include "model/saml_provider.h"

#define ECP "application/vnd.paos+xml"
#define PURPOSE "keystone-ecp"

static RESULT refuse(struct os_call *e)
{
	ctx_clear_problem(e->c);
	return ctx_fail(e->c, ERR_UNAUTHENTICATED, "The request you have made requires authentication.");
}

/* The log has why; the client learns that it is not authenticated. */
static RESULT refuse_proof(struct os_call *e, struct result why)
{
	if (why.code != ERR_INVALID && why.code != ERR_EXPIRED && why.code != ERR_DENIED)
		return why;
	log_event(LOG_WARN, "federation-refused", "reason=\"%.*s\" request=%.*s",
		  STR_ARG(e->c->problem.message), STR_ARG(e->c->request_id));
	return refuse(e);
}

static RESULT check_stranger(struct os_call *e)
{
	e->records_answer = true;
	e->asker = login_attempt_address(e->call->peer);
	TRY(api_check_wire(&e->core, "A token is sent over https."));
	return limits_take_stranger(e->config->limits, e->call->peer)
		       ? OK
		       : ctx_fail(e->c, ERR_THROTTLED, "This request was rate-limited.");
}

/* ---- OpenID Connect ---- */

struct oidc_args {
	struct oidc_arrival arrival; /* the operation's wish, must be first */
	struct str id;
	struct oidc_provider provider;
	struct str token;
};
static const struct param oidc_params[] = {
	OS_PATH(struct oidc_args, "idp_id", id, .doc = "The identity provider."),
};

static RESULT prepare_oidc(struct os_call *e, void *args)
{
	struct oidc_args *a = args;
	struct str said = call_header(e->call, "Authorization"), scheme = STR_NONE;
	struct os_idp idp;
	TRY(check_stranger(e));
	os_find_idp(e, a->id, &idp);
	if (!idp.oidc || !e->config->issuers)
		return os_fail_idp(e, a->id);
	if (!str_split_next(&said, ' ', &scheme) || !str_equal_nocase(scheme, STR("Bearer")))
		return refuse(e);
	a->token = str_trim(said);
	a->arrival.oidc_provider = idp.oidc->row.id;
	e->lane = issuers_lane(e->config->issuers);
	return federated_copy_oidc(e->c, idp.oidc, &a->provider);
}

static RESULT read_token(struct os_call *e, struct oidc_args *a)
{
	struct web_identity *w = arena_new_object(e->c->arena, struct web_identity);
	if (!w)
		return ctx_no_memory(e->c);
	TRY(web_identity_read(e->c, a->token, w));
	TRY(web_identity_fit_access(e->c, w, &a->provider));
	TRY(issuers_prove(e->config->issuers, e->c, &a->provider, w));
	return federated_take_oidc(e->c, &a->provider, w, &a->arrival);
}

static RESULT prove_oidc(struct work_item *item)
{
	struct os_call *e = item->arg;
	struct result r = read_token(e, e->args);
	return result_is_ok(r) ? r : refuse_proof(e, r);
}

static RESULT answer_oidc(struct os_call *e, const void *args, struct json_writer *w)
{
	struct token token = {.user = ((const struct oidc_args *) args)->arrival.user,
			      .methods = TOKEN_BY_OIDC};
	return os_issue_token(e, w, &token);
}

/* ---- SAML: the request ---- */

struct begin_args {
	struct str id;
	struct saml_provider provider;
};
static const struct param begin_params[] = {
	OS_PATH(struct begin_args, "idp_id", id, .doc = "The identity provider."),
};

static RESULT prepare_begin(struct os_call *e, void *args)
{
	struct begin_args *a = args;
	struct os_idp idp;
	TRY(check_stranger(e));
	os_find_idp(e, a->id, &idp);
	if (!idp.saml)
		return os_fail_idp(e, a->id);
	if (!call_header(e->call, "PAOS").p)
		return refuse(e); /* a browser: the console is where people sign in with one */
	return federated_copy_saml(e->c, idp.saml, &a->provider);
}

static struct saml_service service_of(struct os_call *e, uuid provider, struct str secret)
{
	struct arena *a = e->c->arena;
	struct saml_service s = federated_service(a, e->config->endpoint, provider, false);
	s.consumer = federated_program_consumer(a, e->config->endpoint, provider);
	s.request = federated_request(a, secret);
	return s;
}

static RESULT answer_begin(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct begin_args *a = args;
	struct str secret = STR_NONE, sealed = STR_NONE;
	uuid id = a->provider.row.id;
	TRY(federated_seal(e->c, e->config->master_key, PURPOSE, id, &secret, &sealed));
	const struct saml_service service = service_of(e, id, secret);
	e->content_type = ECP;
	return saml_write_envelope(e->c, &service, a->provider.sign_in_url, sealed, w->out);
}

/* ---- SAML: the response ---- */

struct end_args {
	struct saml_arrival arrival; /* the operation's wish, must be first */
	struct str id;
	struct saml_provider provider;
	struct saml_assertion *assertion;
};
static const struct param end_params[] = {
	OS_PATH(struct end_args, "idp_id", id, .doc = "The identity provider."),
};

static RESULT prepare_end(struct os_call *e, void *args)
{
	struct end_args *a = args;
	struct os_idp idp;
	TRY(check_stranger(e));
	os_find_idp(e, a->id, &idp);
	if (!idp.saml)
		return os_fail_idp(e, a->id);
	a->arrival.saml_provider = idp.saml->row.id;
	a->assertion = arena_new_object(e->c->arena, struct saml_assertion);
	return a->assertion ? federated_copy_saml(e->c, idp.saml, &a->provider) : ctx_no_memory(e->c);
}

static RESULT read_response(struct os_call *e, struct end_args *a)
{
	struct str encoded = STR_NONE, relay = STR_NONE, secret = STR_NONE;
	int64_t until_us = 0;
	TRY(saml_read_envelope(e->c, e->call->body, &encoded, &relay));
	if (!federated_open(e->c, e->config->master_key, PURPOSE, a->provider.row.id, relay, &secret,
			    &until_us))
		return ctx_fail(e->c, ERR_INVALID, "The RelayState is not of this region, or is over.");
	const struct saml_service service = service_of(e, a->provider.row.id, secret);
	TRY(saml_read_response(e->c, encoded, &a->provider, &service, a->assertion));
	return federated_take_saml(e->c, &a->provider, a->assertion, &a->arrival);
}

static RESULT prove_saml(struct work_item *item)
{
	struct os_call *e = item->arg;
	struct result r = read_response(e, e->args);
	return result_is_ok(r) ? r : refuse_proof(e, r);
}

static RESULT answer_end(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct saml_arrival *arrival = &((const struct end_args *) args)->arrival;
	struct token token = {
		.user = arrival->user, .methods = TOKEN_BY_SAML, .expires_us = arrival->ends_us};
	return os_issue_token(e, w, &token);
}

/* ---- actions ---- */

#define PROTOCOLS "/v3/OS-FEDERATION/identity_providers/{idp_id}/protocols"
#define OIDC(http)                                                                                           \
	{                                                                                                    \
		http, PROTOCOLS "/openid/auth",                                                              \
			.permit = "identity:authenticate", .flags = API_OPEN | OS_RAW_BODY, .status = 201,   \
			.args = OS_PARAMS(struct oidc_args, oidc_params), .item = "token",                   \
			.prepare = prepare_oidc, .work = prove_oidc, .operation = engine_arrive_by_oidc_run, \
			.returns = API_RETURNS_NOTHING_STORED, .answer = answer_oidc,                        \
			.doc = "Issues an unscoped token for an access token of an OpenID Connect provider." \
	}
static const struct os_action actions[] = {
	OIDC(HTTP_POST),
	OIDC(HTTP_GET),
	{HTTP_GET, PROTOCOLS "/saml2/auth", .permit = "identity:authenticate",
	 .flags = API_OPEN | OS_IN_PLACE, .args = OS_PARAMS(struct begin_args, begin_params),
	 .prepare = prepare_begin, .answer = answer_begin,
	 .doc = "Returns the SAML request that an ECP client sends to the SAML provider."},
	{HTTP_POST, PROTOCOLS "/saml2/auth/ecp", .permit = "identity:authenticate",
	 .flags = API_OPEN | OS_RAW_BODY, .status = 201, .args = OS_PARAMS(struct end_args, end_params),
	 .item = "token", .prepare = prepare_end, .work = prove_saml, .operation = engine_arrive_by_saml_run,
	 .returns = API_RETURNS_NOTHING_STORED, .answer = answer_end,
	 .doc = "Issues an unscoped token for the SAML response that an ECP client brings."},
};
const struct os_actions os_federated_login_actions = OS_ACTIONS(OS_IDENTITY, actions);
