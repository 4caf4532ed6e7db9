/* SPDX-License-Identifier: Apache-2.0
 * Browser pages for sign-in: to a program on another device, whose code the person types, and to a program on the same machine,
 * which gets a code by a redirect to localhost. The pages are plain HTML without scripts, and no state is held between them: each
 * asks for name and password, or, in a browser with a console session, for consent to continue as that person. Identity
 * providers and passkeys therefore work through the console's sign-in. Sources: RFC 6749, section 4.1; RFC 7636; RFC 8252, section 7.3; RFC 8628; Microsoft identity
 * platform, "OAuth 2.0 device authorization grant" and "authorization code flow". */
#include "api/azure/signin/signin.h"

#include "auth/sign_in/password.h"
#include "base/clock.h"
#include "base/uuid_asked.h"
#include "store/oidc_provider.h"
#include "store/saml_provider.h"

enum { DEVICE_S = 15 * 60, INTERVAL_S = 5, CODE_S = 10 * 60, CHALLENGE_MIN = 43, CHALLENGE_MAX = 128 };

/* ---- HTML ---- */

static void add_escaped(struct buf *out, struct str text)
{
	for (size_t k = 0; k < text.n; k++) {
		char c = text.p[k];
		const char *word = c == '&'   ? "&amp;"
				   : c == '<' ? "&lt;"
				   : c == '>' ? "&gt;"
				   : c == '"' ? "&quot;"
					      : NULL;
		if (word)
			buf_add_str(out, str_from(word));
		else
			buf_add_str(out, (struct str){&c, 1});
	}
}

/* Forbids framing and all loading. Does not set form-action, because the form's redirect ends at the
 * program's address. */
static void set_headers(struct az_call *e)
{
	call_set_answer_header(e->call, "Cache-Control", STR("no-store"));
	call_set_answer_header(e->call, "X-Frame-Options", STR("DENY"));
	call_set_answer_header(e->call, "Content-Security-Policy",
			       STR("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
				   "base-uri 'none'"));
	call_set_answer_header(e->call, "Referrer-Policy", STR("no-referrer"));
}

static void open_page(struct buf *out)
{
	buf_add_str(out, STR("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
			     "<title>Sign in</title><style>body{font-family:sans-serif;margin:4em auto;"
			     "max-width:24em}label{display:block;margin:1em 0}input{width:100%}</style>"
			     "</head><body>\n<h1>Sign in</h1>\n"));
}

static void add_input(struct buf *out, const char *label, const char *name, const char *type,
		      struct str value)
{
	buf_print(out, "<label>%s<input name=\"%s\" type=\"%s\" required value=\"", label, name, type);
	add_escaped(out, value);
	buf_add_str(out, STR("\"></label>\n"));
}

/* Parameters that the form carries along. */
static const char *const kept[] = {"client_id", "redirect_uri", "response_type",  "response_mode",
				   "scope",     "state",        "code_challenge", "code_challenge_method",
				   "nonce"};

/* Value from the form, else from the query. */
static struct str said(const struct az_call *e, const char *name)
{
	struct str value = pairs_find(&e->form, name);
	return value.p ? value : az_query_value(e, name);
}

static bool is_of_device(const struct az_call *e)
{
	return !az_path_value(e, "tenant").n && str_ends_with(e->call->path, STR("/deviceauth"));
}

/* Opens a form with the program's request. A device's code is typed: a link that brings it could be somebody else's. */
static void open_form(struct az_call *e, struct buf *out)
{
	bool is_device = is_of_device(e);
	buf_add_str(out, STR("<form method=\"post\" action=\""));
	add_escaped(out, e->call->path);
	buf_add_str(out, STR("\">\n"));
	for (size_t k = 0; !is_device && k < sizeof kept / sizeof kept[0]; k++) {
		struct str value = said(e, kept[k]);
		if (!value.n)
			continue;
		buf_print(out, "<input type=\"hidden\" name=\"%s\" value=\"", kept[k]);
		add_escaped(out, value);
		buf_add_str(out, STR("\">\n"));
	}
}

static void add_ways(struct buf *out, const char *protocol, uuid provider, struct str name)
{
	char id[UUID_TEXT_SIZE];
	buf_print(out,
		  "<p><a href=\"/api/v1/session/%s/%s\" target=\"_blank\" rel=\"noopener\">Sign in with ",
		  protocol, uuid_write(provider, id));
	add_escaped(out, name);
	buf_add_str(out, STR("</a></p>\n"));
}

/* Links to the identity providers of the tenant. They end in a console session, by which this page then recognizes the person. */
static void add_providers(struct az_call *e, uuid tenant, struct buf *out)
{
	const struct tables *t = az_tables(e);
	uuid domain = uuid_is_none(tenant) ? DOMAIN_DEFAULT : tenant;
	const struct oidc_provider *o = oidc_provider_first_by_sign_in(t, domain);
	const struct saml_provider *s = saml_provider_first_by_sign_in(t, domain);
	if (o || s)
		buf_add_str(out, STR("<p>Or sign in to the console, and then reload this page:</p>\n"));
	for (; o; o = oidc_provider_next_by_sign_in(t, o))
		add_ways(out, "oidc", o->row.id, o->sign_in_name);
	for (; s; s = saml_provider_next_by_sign_in(t, s))
		add_ways(out, "saml", s->row.id, s->sign_in_name);
}

static const char code_label[] = "The code that the program shows";

static void add_session(struct az_call *e, const struct az_person *person, struct buf *out)
{
	open_form(e, out);
	if (is_of_device(e))
		add_input(out, code_label, "user_code", "text", STR_NONE);
	buf_add_str(out, STR("<input type=\"hidden\" name=\"session\" value=\"1\">\n<button>Continue as "));
	add_escaped(out, person->username);
	buf_add_str(out, STR("</button>\n</form>\n<p>Or sign in as somebody else:</p>\n"));
}

static void write_form(struct az_call *e, struct str message, struct buf *out)
{
	struct az_person person = {0};
	struct str tenant = az_path_value(e, "tenant");
	open_page(out);
	if (message.n) {
		buf_add_str(out, STR("<p role=\"alert\">"));
		add_escaped(out, message);
		buf_add_str(out, STR("</p>\n"));
	}
	if (!result_is_ok(uuid_parse_asked(tenant, &person.tenant)))
		person.tenant = UUID_NONE;
	bool has_session = signin_find_session(e, &person);
	if (has_session)
		add_session(e, &person, out);
	open_form(e, out);
	if (is_of_device(e))
		add_input(out, code_label, "user_code", "text", said(e, "user_code"));
	struct str name = said(e, "username");
	add_input(out, "User name", "username", "text", name.n ? name : said(e, "login_hint"));
	add_input(out, "Password", "password", "password", STR_NONE);
	buf_add_str(out, STR("<button>Sign in</button>\n</form>\n"));
	if (!has_session)
		add_providers(e, person.tenant, out);
	buf_add_str(out, STR("</body></html>\n"));
}

static void write_problem(struct az_call *e, struct str message, struct buf *body)
{
	set_headers(e);
	write_form(e, message, body);
	view_close(&e->view); /* nobody else does, once a call has failed */
	e->view = (struct view){0};
}

/* Ends a page: writes HTML straight to the JSON writer's buffer. */
static RESULT end_page(struct az_call *e, struct json_writer *w)
{
	e->content_type = "text/html; charset=utf-8";
	set_headers(e);
	return w->out->failed ? ctx_no_memory(e->c) : OK;
}

static RESULT show_form(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	write_form(e, STR_NONE, w->out);
	return end_page(e, w);
}

/* ---- a device ---- */

struct device_args {
	struct str client, scope, resource;
	struct str secret, user_code; /* results */
};
#define P(wire, member, ...) PARAM(struct device_args, wire, member, __VA_ARGS__)
static const struct param device_params[] = {
	P("client_id", client, .doc = "Client id of the program."),
	P("scope", scope, .max = SIGN_IN_TEXT_MAX, .doc = "Scope that the token is requested for."),
	P("resource", resource,
	  .doc = "Resource that the token is requested for, in version 1 of the protocol."),
};
#undef P

static RESULT prepare_device(struct az_call *e, void *args)
{
	struct device_args *a = args;
	uuid tenant = UUID_NONE;
	TRY(signin_require(e, a->client, "client_id"));
	TRY(signin_find_tenant(e, &tenant));
	if (!a->scope.n && a->resource.n) /* the token request repeats it */
		a->scope =
			str_print(e->c->arena, "%" STR_FMT "/.default offline_access", STR_ARG(a->resource));
	const struct sign_in wanted = {.kind = SIGN_IN_DEVICE,
				       .peer = e->call->peer,
				       .client = a->client,
				       .scope = a->scope,
				       .tenant = tenant,
				       .expires_us = clock_now_us() + DEVICE_S * SECOND};
	return sign_ins_add(bearers_get_sign_ins(e->config->bearers), e->c, &wanted, &a->secret,
			    &a->user_code);
}

static RESULT show_device(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct device_args *a = args;
	struct str page = str_print(e->c->arena, "%" STR_FMT "/adfs/oauth2/deviceauth", STR_ARG(e->base_url));
	call_set_answer_header(e->call, "Cache-Control", STR("no-store, no-cache"));
	json_write_text(w, "user_code", a->user_code);
	json_write_text(w, "device_code", a->secret);
	json_write_text(w, "verification_uri", page);
	json_write_text(w, "verification_url", page); /* the first version's word */
	json_write_int(w, "expires_in", DEVICE_S);
	json_write_int(w, "interval", INTERVAL_S);
	json_write_text(w, "message",
			str_print(e->c->arena,
				  "To sign in, use a web browser to open the page %" STR_FMT
				  " and enter the code %" STR_FMT " to authenticate.",
				  STR_ARG(page), STR_ARG(a->user_code)));
	return OK;
}

/* ---- the form that was sent ---- */

struct page_args {
	struct str username, password, user_code, session;
	struct az_person person;
	struct str code; /* result: an authorization code */
};
#define P(wire, member, ...) PARAM(struct page_args, wire, member, __VA_ARGS__)
static const struct param page_params[] = {
	P("username", username, .doc = "User name: NAME or NAME@DOMAIN."),
	P("password", password, .max = PASSWORD_SIZE_MAX, .doc = "The password."),
	P("user_code", user_code, .doc = "Code that the device shows."),
	P("session", session,
	  .doc = "1: continue as the user who is signed in to the console in this browser."),
};
#undef P

static RESULT find_person(struct az_call *e, struct page_args *a)
{
	a->person.username = a->username;
	a->person.password = a->password;
	TRY(signin_find_tenant(e, &a->person.tenant));
	if (!a->session.n)
		return signin_find_person(e, &a->person);
	TRY(signin_use_session(e, &a->person));
	e->skips_work = true;
	a->username = a->person.username;
	return OK;
}

static RESULT prepare_typed(struct az_call *e, void *args)
{
	struct page_args *a = args;
	TRY(signin_require(e, a->user_code, "user_code"));
	return find_person(e, a);
}

static RESULT try_person(struct work_item *item)
{
	struct az_call *e = item->arg;
	struct page_args *a = e->args;
	signin_try_password(e, &a->person);
	return a->person.is_right ? OK : signin_refuse_person(e);
}

static RESULT show_typed(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct page_args *a = args;
	TRY(signin_check_person(e, &a->person));
	if (!sign_ins_prove(bearers_get_sign_ins(e->config->bearers), a->user_code, a->person.user,
			    a->person.tenant, a->username, clock_now_us()))
		return signin_refuse_grant(
			e, &signin_wrong_grant,
			"AADSTS70018: Invalid verification code: it is mistyped, used or expired.");
	open_page(w->out);
	buf_add_str(w->out, STR("<p>You have signed in on your device. You may now close this window.</p>\n"
				"</body></html>\n"));
	return end_page(e, w);
}

/* ---- a program on one's own machine ---- */

/* Allows redirects to loopback only: any other address would give the code to the author of the link. */
static bool is_loopback(struct str uri)
{
	static const char *const hosts[] = {"http://localhost", "http://127.0.0.1", "http://[::1]"};
	for (size_t k = 0; k < sizeof hosts / sizeof hosts[0]; k++) {
		struct str host = str_from(hosts[k]);
		size_t at = host.n;
		if (!str_starts_with(uri, host))
			continue;
		if (at < uri.n && uri.p[at] == ':')
			for (at++; at < uri.n && uri.p[at] >= '0' && uri.p[at] <= '9';)
				at++;
		return (at == uri.n || uri.p[at] == '/') && str_is_line(uri) && uri.n <= 256 &&
		       str_find_char(uri, '#', 0) == uri.n && str_find_char(uri, ' ', 0) == uri.n;
	}
	return false;
}

static RESULT refuse_asked(struct az_call *e, const char *name, const char *message)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_from(name), "%s", message);
}

/* Checks the program's parameters in the link or form. */
static RESULT check_asked(struct az_call *e)
{
	struct str challenge = said(e, "code_challenge"), mode = said(e, "response_mode");
	TRY(signin_require(e, said(e, "client_id"), "client_id"));
	TRY(signin_require(e, said(e, "redirect_uri"), "redirect_uri"));
	if (!is_loopback(said(e, "redirect_uri")))
		return refuse_asked(e, "redirect_uri",
				    "AADSTS50011: The redirect URI specified in the request does not match "
				    "the redirect URIs configured for the application: programs are reached "
				    "at http://localhost alone.");
	if (!str_is(said(e, "response_type"), "code"))
		return refuse_asked(e, "response_type",
				    "AADSTS700054: The response_type is not enabled for the application: it "
				    "is code.");
	if (mode.n && !str_is(mode, "query"))
		return refuse_asked(e, "response_mode",
				    "AADSTS70007: The value of response_mode is not supported: it is query.");
	if (!str_is(said(e, "code_challenge_method"), "S256") || challenge.n < CHALLENGE_MIN ||
	    challenge.n > CHALLENGE_MAX)
		return refuse_asked(e, "code_challenge",
				    "AADSTS9002325: Proof Key for Code Exchange is required for cross-origin "
				    "authorization code redemption: code_challenge with the method S256.");
	return OK;
}

static RESULT prepare_link(struct az_call *e, void *args)
{
	uuid tenant = UUID_NONE;
	(void) args;
	TRY(signin_find_tenant(e, &tenant));
	return check_asked(e);
}

static RESULT prepare_asked(struct az_call *e, void *args)
{
	TRY(check_asked(e));
	return find_person(e, args);
}

static struct str redirect_to(struct az_call *e, struct str code)
{
	struct str uri = said(e, "redirect_uri"), state = said(e, "state");
	const char *mark = str_find_char(uri, '?', 0) == uri.n ? "?" : "&";
	struct str to =
		str_print(e->c->arena, "%" STR_FMT "%scode=%" STR_FMT, STR_ARG(uri), mark, STR_ARG(code));
	if (!state.n)
		return to;
	return str_print(e->c->arena, "%" STR_FMT "&state=%" STR_FMT, STR_ARG(to),
			 STR_ARG(str_encode_url(e->c->arena, state, false)));
}

static RESULT show_asked(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct page_args *a = args;
	struct str code = STR_NONE;
	TRY(signin_check_person(e, &a->person));
	const struct sign_in proved = {.kind = SIGN_IN_BROWSER,
				       .peer = e->call->peer,
				       .client = said(e, "client_id"),
				       .scope = said(e, "scope"),
				       .redirect = said(e, "redirect_uri"),
				       .challenge = said(e, "code_challenge"),
				       .nonce = said(e, "nonce"),
				       .user = a->person.user,
				       .tenant = a->person.tenant,
				       .name = a->username,
				       .proved_us = clock_now_us(),
				       .expires_us = clock_now_us() + CODE_S * SECOND};
	TRY(sign_ins_add(bearers_get_sign_ins(e->config->bearers), e->c, &proved, &code, NULL));
	e->status = 302;
	call_set_answer_header(e->call, "Location", redirect_to(e, code));
	open_page(w->out);
	return end_page(e, w);
}

#define OPEN (API_OPEN | AZ_SIGNIN | AZ_FORM)
#define PAGE(more) .flags = OPEN | AZ_IN_PLACE | (more), .write_page_problem = write_problem
#define DEVICE(where)                                                                                        \
	{                                                                                                    \
		HTTP_POST, where "/devicecode",                                                              \
			.name = "devicecode", .permit = "identity:authenticate", .flags = OPEN,              \
			.args = PARAMS(struct device_args, device_params, .is_open = true),                  \
			.prepare = prepare_device, .answer = show_device,                                    \
			.doc = "Issues a device code, which a person enters in a browser."                   \
	}
#define AUTHORIZE(where)                                                                                     \
	{HTTP_GET,                                                                                           \
	 where "/authorize",                                                                                 \
	 .name = "authorize",                                                                                \
	 .permit = "identity:authenticate",                                                                  \
	 PAGE(API_FOR_ALL),                                                                                  \
	 .prepare = prepare_link,                                                                            \
	 .answer = show_form,                                                                                \
	 .doc = "Returns the page where a person signs in for a program on the same machine."},              \
	{                                                                                                    \
		HTTP_POST, where "/authorize",                                                               \
			.name = "authorized", .permit = "identity:authenticate", PAGE(0),                    \
			.args = PARAMS(struct page_args, page_params, .is_open = true),                      \
			.prepare = prepare_asked, .work = try_person, .answer = show_asked,                  \
			.doc = "Accepts the sign-in form; the program receives an authorization code."       \
	}
static const struct az_action actions[] = {
	DEVICE("/adfs/oauth2"),
	DEVICE("/adfs/oauth2/v2.0"),
	DEVICE("/{tenant}/oauth2"),
	DEVICE("/{tenant}/oauth2/v2.0"),
	{HTTP_GET, "/adfs/oauth2/deviceauth", .name = "deviceauth", .permit = "identity:authenticate",
	 PAGE(API_FOR_ALL), .answer = show_form,
	 .doc = "Returns the page where a person enters a device code."},
	{HTTP_POST, "/adfs/oauth2/deviceauth", .name = "devicetyped", .permit = "identity:authenticate",
	 PAGE(0), .args = PARAMS(struct page_args, page_params, .is_open = true), .prepare = prepare_typed,
	 .work = try_person, .answer = show_typed,
	 .doc = "Accepts the device code form, which signs the device in."},
	AUTHORIZE("/adfs/oauth2"),
	AUTHORIZE("/{tenant}/oauth2"),
	AUTHORIZE("/{tenant}/oauth2/v2.0"),
};
const struct api_actions az_page_actions = API_ACTIONS(actions);
