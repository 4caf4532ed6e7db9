/* SPDX-License-Identifier: Apache-2.0
 * Sign-in of a person by password: finds the user, counts failed attempts, and words refusals. Texts of
 * AADSTS codes are from "Microsoft Entra authentication and authorization error codes".
 */
#include "api/azure/signin/signin.h"

#include "auth/limit.h"
#include "auth/sign_in/login.h"
#include "base/uuid_asked.h"
#include "engine/people/credential/password_policy.h"
#include "engine/resolve.h"
#include "http/cookie.h"
#include "store/domain.h"
#include "store/user.h"

const struct api_error signin_wrong_grant = {ERR_UNAUTHENTICATED, 0, 400, "invalid_grant"};

RESULT signin_refuse_grant(struct az_call *e, const struct api_error *error, const char *message)
{
	ctx_clear_problem(e->c);
	e->error = error;
	return ctx_fail(e->c, error->err, "%s", message);
}

RESULT signin_refuse_person(struct az_call *e)
{
	return signin_refuse_grant(
		e, &signin_wrong_grant,
		"AADSTS50126: Error validating credentials due to invalid username or password.");
}

RESULT signin_require(struct az_call *e, struct str value, const char *name)
{
	return value.n ? OK
		       : ctx_fail_field(
				 e->c, ERR_MISSING, str_from(name),
				 "AADSTS900144: The request body must contain the following parameter: '%s'.",
				 name);
}

RESULT signin_find_tenant(struct az_call *e, uuid *ret_tenant)
{
	struct str text = az_path_value(e, "tenant");
	uuid id = UUID_NONE;
	*ret_tenant = UUID_NONE;
	if (!result_is_ok(uuid_parse_asked(text, &id)))
		return OK;
	const struct domain *domain = domain_find(az_tables(e), id);
	if (!domain || !domain->enabled || !row_is_live(&domain->row))
		return ctx_fail(e->c, ERR_INVALID,
				"AADSTS90002: Tenant '%" STR_FMT
				"' not found. Check to make sure you have the correct "
				"tenant ID and are signing into the correct cloud.",
				STR_ARG(text));
	*ret_tenant = id;
	return OK;
}

static RESULT find_login(struct az_call *e, struct az_person *person)
{
	const struct tables *t = az_tables(e);
	size_t at = person->username.n;
	while (at && person->username.p[at - 1] != '@')
		at--;
	struct str name = at ? str_slice(person->username, 0, at - 1) : person->username;
	struct str place = at ? str_slice(person->username, at, person->username.n) : STR_NONE;
	uuid where = uuid_is_none(person->tenant) ? DOMAIN_DEFAULT : person->tenant;
	const struct domain *domain = place.n ? domain_find_by_name(t, place) : domain_find(t, where);
	if (!domain || (!uuid_is_none(person->tenant) && !uuid_equal(domain->row.id, person->tenant)))
		return OK;
	person->tenant = domain->row.id;
	TRY(login_find(e->config->passwords, e->c, t, domain->row.id, name,
		       user_find_by_owner(t, UUID_NONE, domain->row.id, name), &person->login));
	person->user = person->login.user;
	return person->login.is_off
		       ? signin_refuse_grant(
				 e, &signin_wrong_grant,
				 "AADSTS53003: Access has been blocked by Conditional Access policies. "
				 "The access policy does not allow token issuance.")
		       : OK;
}

bool signin_find_session(struct az_call *e, struct az_person *person)
{
	struct token token = {0};
	struct identity *who = NULL;
	struct str cookie = cookie_find(e->call, cookie_of_session(e->call));
	if (!cookie.n)
		return false;
	view_close(&e->view); /* token_check_session() opens a view of its own */
	e->view = (struct view){0};
	bool is_good = result_is_ok(token_check_session(e->config->tokens, e->c, cookie, &token, &who));
	ctx_clear_problem(e->c);
	/* A session by an access key is for the key's account alone. */
	const struct user *user =
		is_good && uuid_is_none(token.access_key) ? user_find(az_tables(e), token.user) : NULL;
	const struct domain *domain = user ? domain_find(az_tables(e), user->domain) : NULL;
	if (!domain || (!uuid_is_none(person->tenant) && !uuid_equal(domain->row.id, person->tenant)))
		return false;
	person->user = user->row.id;
	person->tenant = domain->row.id;
	person->username =
		str_print(e->c->arena, "%" STR_FMT "@%" STR_FMT, STR_ARG(user->name), STR_ARG(domain->name));
	person->has_session = true;
	return true;
}

/* Browsers say where a form comes from, and pages of other sites cannot forge that. */
static bool is_from_here(struct az_call *e)
{
	struct str site = call_header(e->call, "Sec-Fetch-Site"), rest = call_header(e->call, "Origin");
	struct str scheme = STR_NONE;
	if (site.p)
		return str_is(site, "same-origin");
	return str_split_next(&rest, ':', &scheme) && str_starts_with(rest, STR("//")) &&
	       str_equal_nocase(str_slice(rest, 2, rest.n), call_header(e->call, "Host"));
}

RESULT signin_use_session(struct az_call *e, struct az_person *person)
{
	return is_from_here(e) && signin_find_session(e, person)
		       ? OK
		       : signin_refuse_grant(
				 e, &signin_wrong_grant,
				 "AADSTS50058: A silent sign-in request was sent but no user is signed "
				 "in.");
}

RESULT signin_find_person(struct az_call *e, struct az_person *person)
{
	TRY(signin_require(e, person->username, "username"));
	TRY(signin_require(e, person->password, "password"));
	if (!limits_take_stranger(e->config->limits, e->call->peer)) /* throttle before spending a hash */
		return ctx_fail(e->c, ERR_THROTTLED, "%s", e->errors->throttled);
	e->asker = login_attempt_address(e->call->peer);
	return find_login(e, person);
}

void signin_try_password(struct az_call *e, struct az_person *person)
{
	person->is_right =
		login_check(e->config->passwords, e->c, &person->login, e->call->peer, person->password);
	person->user = person->login.user;
}

RESULT signin_check_person(struct az_call *e, const struct az_person *person)
{
	struct identity *who = NULL;
	const struct user *user = person->has_session ? user_find(az_tables(e), person->user)
				  : person->is_right  ? login_find_proved(az_tables(e), &person->login)
						      : NULL;
	if (user && !person->has_session &&
	    engine_weigh_password(az_tables(e), user, clock_now_us()) != PASSWORD_LETS_IN)
		return signin_refuse_grant(e, &signin_wrong_grant, "AADSTS50055: The password is expired.");
	const struct bearer bearer = {
		.user = person->user, .tenant = person->tenant, .issued_us = clock_now_us()};
	view_close(&e->view); /* the next access opens a new view */
	e->view = (struct view){0};
	struct result found = user ? bearer_weigh(e->config->bearers, e->c, &bearer, UUID_NONE, &who)
				   : FAIL(UNAUTHENTICATED);
	if (found.code == ERR_UNAUTHENTICATED)
		return signin_refuse_person(e);
	e->c->who = who; /* for the audit log */
	return found;
}
