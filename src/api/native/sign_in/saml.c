/* SPDX-License-Identifier: Apache-2.0
 * Sign-in by SAML 2.0 (Web Browser SSO profile): the request goes by the redirect binding, the response comes by POST to the assertion
 * consumer service. The request's ID derives from a secret in a sealed cookie, so only the browser that began can finish, unless an
 * administrator lets the provider begin. Browsers navigate here, so failures redirect to the sign-in page with e->why.
 *
 * entityID and addresses are those of the region's configured endpoint, never of the Host header: a response that somebody was given
 * for another service provider would otherwise be accepted under that one's name. Sources: SAML 2.0 Bindings, sections 3.4 and 3.5;
 * SAML 2.0 Profiles, section 4.1. */
#include "api/core/pairs.h"
#include "api/native/sign_in/begun.h"

#include "auth/sign_in/federated.h"
#include "auth/sign_in/login_throttle.h"
#include "auth/token/replay_cache.h"
#include "base/clock.h"
#include "base/uuid_asked.h"
#include "engine/people/sign_in/saml_sign_in.h"
#include "store/domain.h"
#include "store/saml_provider.h"

enum { FORM_PAIRS_MAX = 16, RELAY_MAX = 80 /* SAML 2.0 Bindings, section 3.4.3 */ };

static const struct pairs_rules form_rules = {.noun = "form", .count_max = FORM_PAIRS_MAX};

/* ---- the provider ---- */

static const struct saml_provider *find_row(struct native_call *e)
{
	uuid id = UUID_NONE;
	bool is_id = result_is_ok(uuid_parse_asked(pairs_find(&e->path, "id"), &id));
	const struct saml_provider *p = is_id ? saml_provider_find(native_tables(e), id) : NULL;
	return p && !uuid_is_none(p->sign_in_domain) ? p : NULL;
}

/* Copies the provider, because the call outlives the view. */
static RESULT find_provider(struct native_call *e, struct saml_provider *ret_provider)
{
	const struct saml_provider *p = find_row(e);
	if (!p)
		return native_fail_begun(e, "gone", "Nobody signs in by this provider.");
	return federated_copy_saml(e->c, p, ret_provider);
}

static struct saml_service service_of(struct native_call *e, const struct saml_provider *p)
{
	struct arena *a = e->c->arena;
	struct saml_service s = federated_service(a, e->config->endpoint, p->row.id, p->sign_in_unasked);
	s.consumer = federated_browser_consumer(a, e->config->endpoint, p->row.id);
	return s;
}

/* ---- our metadata ---- */

struct metadata_args {
	struct saml_service service;
	struct str program; /* where programs bring responses */
};

static RESULT prepare_metadata(struct native_call *e, void *args)
{
	const struct saml_provider *p = find_row(e);
	if (!p)
		return ctx_fail(e->c, ERR_NOT_FOUND, "Nobody signs in by this provider.");
	((struct metadata_args *) args)->service = service_of(e, p);
	((struct metadata_args *) args)->program =
		federated_program_consumer(e->c->arena, e->config->endpoint, p->row.id);
	return OK;
}

static RESULT write_metadata(struct native_call *e, const void *args, struct buf *body)
{
	const struct metadata_args *a = args;
	return saml_write_service(e->c, &a->service, a->program, body);
}

/* ---- going there ---- */

struct begin_args {
	struct saml_provider provider;
	struct saml_service service;
	struct str to;
};
static const struct param begin_params[] = {
	PARAM(struct begin_args, "to", to, .place = IN_QUERY, .max = RELAY_MAX,
	      .doc = "Page of the console to open after the sign-in; absent: its first."),
};

/* The cookie stays with the host of this request, and the response comes to the endpoint's. */
static RESULT check_host(struct native_call *e)
{
	struct str rest = e->config->endpoint, scheme = STR_NONE;
	bool is_url = str_split_next(&rest, ':', &scheme) && str_starts_with(rest, STR("//"));
	struct str host = is_url ? str_slice(rest, 2, rest.n) : e->config->endpoint;
	return str_equal_nocase(host, call_header(e->call, "Host"))
		       ? OK
		       : native_fail_begun(e, "address",
					   "The console is open under another address than the endpoint.");
}

static RESULT prepare_begin(struct native_call *e, void *args)
{
	struct begin_args *a = args;
	TRY(native_check_page(e));
	TRY(native_check_begun_wire(e));
	TRY(find_provider(e, &a->provider));
	TRY(check_host(e));
	a->service = service_of(e, &a->provider);
	return OK;
}

static RESULT answer_begin(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct begin_args *a = args;
	struct arena *arena = e->c->arena;
	struct str secret = STR_NONE, request = STR_NONE, there = a->provider.sign_in_url;
	struct saml_service service = a->service;
	(void) w;
	TRY(native_seal_begun(e, "saml", a->provider.row.id, &secret));
	service.request = federated_request(arena, secret);
	TRY(saml_write_request(e->c, &service, there, &request));
	struct str relay = a->to.n ? str_print(arena, "&RelayState=%" STR_FMT,
					       STR_ARG(str_encode_url(arena, a->to, false)))
				   : STR_NONE;
	return native_lead_to(e, str_print(arena, "%" STR_FMT "%sSAMLRequest=%" STR_FMT "%" STR_FMT,
					   STR_ARG(there), str_find_char(there, '?', 0) < there.n ? "&" : "?",
					   STR_ARG(str_encode_url(arena, request, false)), STR_ARG(relay)));
}

/* ---- coming back ---- */

struct return_args {
	struct saml_arrival arrival;
	struct saml_provider provider;
	struct saml_service service;
	struct str encoded, relay;
	int64_t until_us;
	struct saml_assertion *assertion;
};

static RESULT read_form(struct native_call *e, struct return_args *a)
{
	struct pairs form = {0};
	struct result r = pairs_parse(e->c, &form_rules, STR_NONE, e->call->body, &form);
	a->encoded = pairs_find(&form, "SAMLResponse");
	a->relay = pairs_find(&form, "RelayState");
	if (!result_is_ok(r) || !a->encoded.n)
		return native_fail_begun(e, "token", "The form has no SAMLResponse.");
	return OK;
}

/* Without a cookie only a response to no request can be accepted, and by setting alone. */
static RESULT prepare_return(struct native_call *e, void *args)
{
	struct return_args *a = args;
	struct str secret = STR_NONE;
	TRY(native_check_begun_wire(e));
	TRY(find_provider(e, &a->provider));
	TRY(read_form(e, a));
	a->service = service_of(e, &a->provider);
	if (native_open_begun(e, "saml", a->provider.row.id, &secret, &a->until_us))
		a->service.request = federated_request(e->c->arena, secret);
	else if (!a->service.takes_unasked)
		return native_fail_begun(e, "state",
					 "This sign-in was not begun in this browser, or is over.");
	a->assertion = arena_new_object(e->c->arena, struct saml_assertion);
	a->arrival.saml_provider = a->provider.row.id;
	e->records_answer = true;
	e->asker = login_attempt_address(e->call->peer);
	return a->assertion && !arena_is_full(e->c->arena) ? OK : ctx_no_memory(e->c);
}

/* A request is answered once, even by two assertions. */
static RESULT spend_request(struct native_call *e, const struct return_args *a)
{
	return a->assertion->is_unasked ||
			       replay_cache_take(native_face_of(e)->spents, a->service.request, a->until_us)
		       ? OK
		       : native_fail_begun(e, "state", "This sign-in is over.");
}

/* Runs on a lane, because signatures take time. */
static RESULT verify(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct return_args *a = e->args;
	e->why = "token";
	struct result r = saml_read_response(e->c, a->encoded, &a->provider, &a->service, a->assertion);
	if (r.code == ERR_DENIED)
		e->why = "refused";
	TRY(r);
	TRY(spend_request(e, a));
	TRY(federated_take_saml(e->c, &a->provider, a->assertion, &a->arrival));
	e->why = "user";
	return OK;
}

/* A page of the console, never another site. */
static struct str choose_page(struct str relay)
{
	struct str console = STR("/console/");
	bool is_page = relay.n <= RELAY_MAX && str_starts_with(relay, console);
	for (size_t k = 0; k < relay.n && is_page; k++)
		is_page = relay.p[k] > ' ' && relay.p[k] <= '~' && relay.p[k] != '\\';
	return is_page ? relay : console;
}

static RESULT answer_return(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct return_args *a = args;
	(void) w;
	TRY(native_enter(e, a->arrival.user, a->arrival.ends_us, "saml"));
	native_forget_begun(e, "saml");
	return native_lead_to(e, choose_page(a->relay));
}

/* ---- actions ---- */

#define STRANGERS (API_OPEN | API_FOR_ALL | NATIVE_UNSCOPED)
static const struct native_action actions[] = {
	{HTTP_GET, "/session/saml/{id}", .name = "BeginSAMLSignIn", .permit = "dari:BeginSignIn",
	 .flags = STRANGERS | NATIVE_BROWSER, .args = PARAMS(struct begin_args, begin_params),
	 .prepare = prepare_begin, .answer = answer_begin, .status = 303,
	 .doc = "Redirects a browser to a SAML identity provider for sign-in."},
	{HTTP_GET, "/session/saml/{id}/metadata", .name = "GetSAMLServiceMetadata",
	 .permit = "dari:ListSignIns", .flags = STRANGERS, .args = {.size = sizeof(struct metadata_args)},
	 .prepare = prepare_metadata, .content_type = "application/samlmetadata+xml", .write = write_metadata,
	 .doc = "Returns this region's metadata as a SAML service provider."},
	{HTTP_POST, "/session/saml/{id}/acs", .name = "SignInBySAML", .permit = "identity:authenticate",
	 .flags = STRANGERS | NATIVE_BROWSER | NATIVE_RAW_BODY, .args = {.size = sizeof(struct return_args)},
	 .prepare = prepare_return, .work = verify, .operation = engine_arrive_by_saml_run,
	 .returns = API_RETURNS_NOTHING_STORED, .answer = answer_return, .status = 303,
	 .doc = "Assertion consumer service: a SAML response by POST opens a session and redirects to the "
		"console."},
};
const struct api_actions native_saml_actions = API_ACTIONS(actions);
