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

#include "auth/saml/saml.h"
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

static struct strs copy_texts(struct arena *a, struct strs texts)
{
	struct str *at = arena_new_array(a, struct str, texts.count + 1);
	for (size_t k = 0; at && k < texts.count; k++)
		at[k] = str_copy(a, texts.at[k]);
	return (struct strs){at, at ? texts.count : 0};
}

/* Copies the provider, because the call outlives the view. */
static RESULT find_provider(struct native_call *e, struct saml_provider *ret_provider)
{
	struct arena *a = e->c->arena;
	const struct saml_provider *p = find_row(e);
	if (!p)
		return native_fail_begun(e, "gone", "Nobody signs in by this provider.");
	*ret_provider = (struct saml_provider){.row.id = p->row.id,
					       .entity_id = str_copy(a, p->entity_id),
					       .sign_in_url = str_copy(a, p->sign_in_url),
					       .certificates = copy_texts(a, p->certificates),
					       .expires_us = p->expires_us,
					       .sign_in_unasked = p->sign_in_unasked,
					       .sign_in_subject_claim = str_copy(a, p->sign_in_subject_claim),
					       .sign_in_name_claim = str_copy(a, p->sign_in_name_claim),
					       .sign_in_group_claim = str_copy(a, p->sign_in_group_claim)};
	return arena_is_full(a) ? ctx_no_memory(e->c) : OK;
}

static struct str place_of(struct native_call *e, uuid provider, const char *end)
{
	char id[UUID_TEXT_SIZE];
	return str_print(e->c->arena, "%" STR_FMT "/api/v1/session/saml/%s/%s", STR_ARG(e->config->endpoint),
			 uuid_write(provider, id), end);
}

static struct saml_service service_of(struct native_call *e, const struct saml_provider *p)
{
	return (struct saml_service){.entity_id = place_of(e, p->row.id, "metadata"),
				     .consumer = place_of(e, p->row.id, "acs"),
				     .takes_unasked = p->sign_in_unasked};
}

/* An ID of XML begins with a letter or "_". */
static struct str request_id(struct arena *a, struct str secret)
{
	return str_print(a, "_%" STR_FMT, STR_ARG(native_derive_begun(a, secret, "request")));
}

/* ---- our metadata ---- */

struct metadata_args {
	struct saml_service service;
};

static RESULT prepare_metadata(struct native_call *e, void *args)
{
	const struct saml_provider *p = find_row(e);
	if (!p)
		return ctx_fail(e->c, ERR_NOT_FOUND, "Nobody signs in by this provider.");
	((struct metadata_args *) args)->service = service_of(e, p);
	return OK;
}

static RESULT write_metadata(struct native_call *e, const void *args, struct buf *body)
{
	return saml_write_service(e->c, &((const struct metadata_args *) args)->service, body);
}

/* ---- going there ---- */

struct begin_args {
	struct saml_provider provider;
	struct saml_service service;
	struct str to;
};
static const struct param begin_params[] = {
	PARAM(struct begin_args, "to", to, .place = IN_QUERY, .max = RELAY_MAX,
	      .doc = "A page of the console to go to at last; absent: its first."),
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
	service.request = request_id(arena, secret);
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
		a->service.request = request_id(e->c->arena, secret);
	else if (!a->service.takes_unasked)
		return native_fail_begun(e, "state",
					 "This sign-in was not begun in this browser, or is over.");
	a->assertion = arena_new_object(e->c->arena, struct saml_assertion);
	a->arrival.saml_provider = a->provider.row.id;
	e->records_answer = true;
	e->asker = login_attempt_address(e->call->peer);
	return a->assertion && !arena_is_full(e->c->arena) ? OK : ctx_no_memory(e->c);
}

/* The first of these attributes that the assertion has. */
static struct str find_first(const struct saml_assertion *s, const char *const *names)
{
	for (; *names; names++) {
		struct strs values = saml_find_claim(s, *names);
		if (values.count)
			return values.at[0];
	}
	return STR_NONE;
}

static RESULT take_subject(struct native_call *e, struct return_args *a)
{
	const struct saml_assertion *s = a->assertion;
	struct strs values = saml_find_named(s, a->provider.sign_in_subject_claim);
	bool by_claim = a->provider.sign_in_subject_claim.n;
	a->arrival.subject = !by_claim ? s->subject : values.count == 1 ? values.at[0] : STR_NONE;
	if (!by_claim && str_is(s->subject_type, "transient"))
		return native_fail_begun(
			e, "token",
			"The NameID is transient: it is another at each sign-in. Name an "
			"attribute that identifies people, or have the provider send another "
			"NameID.");
	return a->arrival.subject.n && a->arrival.subject.n <= SAML_SUBJECT_MAX
		       ? OK
		       : native_fail_begun(e, "token", "The assertion does not say who the person is.");
}

/* Names and e-mail addresses only suggest how to call a new user. */
static void take_names(struct return_args *a)
{
	static const char *const emails[] = {
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
		"urn:oid:0.9.2342.19200300.100.1.3", "email", "mail", NULL};
	static const char *const names[] = {"urn:oid:0.9.2342.19200300.100.1.1", "username", "uid",
					    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
					    NULL};
	struct strs said = saml_find_named(a->assertion, a->provider.sign_in_name_claim);
	struct str email = find_first(a->assertion, emails);
	a->arrival.email = email.n <= 254 ? email : STR_NONE;
	a->arrival.names[0] = !a->provider.sign_in_name_claim.n ? find_first(a->assertion, names)
			      : said.count                      ? said.at[0]
								: STR_NONE;
	a->arrival.names[1] = email;
	a->arrival.names[2] = a->arrival.subject;
	if (a->provider.sign_in_group_claim.n)
		a->arrival.groups = saml_find_named(a->assertion, a->provider.sign_in_group_claim);
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
	TRY(take_subject(e, a));
	take_names(a);
	a->arrival.assertion = a->assertion->id;
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
	TRY(native_enter(e, a->arrival.user, "saml"));
	native_forget_begun(e, "saml");
	return native_lead_to(e, choose_page(a->relay));
}

/* ---- actions ---- */

#define STRANGERS (API_OPEN | API_FOR_ALL | NATIVE_UNSCOPED)
static const struct native_action actions[] = {
	{HTTP_GET, "/session/saml/{id}", .name = "BeginSAMLSignIn", .permit = "dari:BeginSignIn",
	 .flags = STRANGERS | NATIVE_BROWSER, .args = PARAMS(struct begin_args, begin_params),
	 .prepare = prepare_begin, .answer = answer_begin, .status = 303,
	 .doc = "Sends a browser to a SAML identity provider, to sign in there."},
	{HTTP_GET, "/session/saml/{id}/metadata", .name = "GetSAMLServiceMetadata",
	 .permit = "dari:ListSignIns", .flags = STRANGERS, .args = {.size = sizeof(struct metadata_args)},
	 .prepare = prepare_metadata, .content_type = "application/samlmetadata+xml", .write = write_metadata,
	 .doc = "This region's metadata as a SAML service provider, for the identity provider."},
	{HTTP_POST, "/session/saml/{id}/acs", .name = "SignInBySAML", .permit = "identity:authenticate",
	 .flags = STRANGERS | NATIVE_BROWSER | NATIVE_RAW_BODY, .args = {.size = sizeof(struct return_args)},
	 .prepare = prepare_return, .work = verify, .operation = engine_arrive_by_saml_run,
	 .returns = API_RETURNS_NOTHING_STORED, .answer = answer_return, .status = 303,
	 .doc = "The assertion consumer service: a SAML response by POST opens a session, and leads to the "
		"console."},
};
const struct api_actions native_saml_actions = API_ACTIONS(actions);
