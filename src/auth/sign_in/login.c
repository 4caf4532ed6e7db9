/* SPDX-License-Identifier: Apache-2.0
 * Signing in by name and password. */
#include "auth/sign_in/login.h"

#include "base/crypto.h"
#include "base/log.h"
#include "engine/people/sign_in/directory_user.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/store.h"
#include "store/user.h"

/* Passwords that count: the setting of the user's domain, or of the domain of the account whose own user it is. */
static enum domain_passwords find_setting(const struct tables *t, uuid domain, const struct user *user)
{
	const struct account *account = user && uuid_is_none(domain) ? account_find(t, user->account) : NULL;
	const struct domain *place = domain_find(t, account ? account->domain : domain);
	return place ? place->passwords : DOMAIN_PASSWORDS_ACCEPTED;
}

bool login_accepts_hash(const struct tables *t, const struct user *user)
{
	return find_setting(t, user->domain, user) == DOMAIN_PASSWORDS_ACCEPTED;
}

/* The directory's domain, if its people may have this name, or NULL. */
static const struct domain *find_directory(const struct login_directory *d, const struct tables *t,
					   uuid domain, const struct user *user)
{
	const struct domain *place = d && !uuid_is_none(domain) ? domain_find_by_name(t, d->domain) : NULL;
	bool is_there = place && uuid_equal(place->row.id, domain) && place->enabled;
	return is_there && (!user || (engine_is_user_open(t, user) && user->directory_id.n)) ? place : NULL;
}

RESULT login_find(struct passwords *p, struct ctx *c, const struct tables *t, uuid domain, struct str name,
		  const struct user *user, struct login *ret_login)
{
	enum domain_passwords accepted = find_setting(t, domain, user);
	bool is_known_here = user && !user->directory_id.n;
	*ret_login = (struct login){.is_off = accepted == DOMAIN_PASSWORDS_REFUSED && !uuid_is_none(domain)};
	if (accepted == DOMAIN_PASSWORDS_REFUSED ||
	    (accepted == DOMAIN_PASSWORDS_DIRECTORY_ONLY && is_known_here))
		return OK;
	if (engine_is_user_open(t, user)) {
		ret_login->user = user->row.id;
		ret_login->hash = str_copy(c->arena, user->password_hash);
	}
	if (!find_directory(passwords_get_directory(p), t, domain, user))
		return OK;
	ret_login->domain = domain;
	ret_login->name = str_copy(c->arena, user ? user->name : name);
	return OK;
}

RESULT login_admit(struct store *store, struct ctx *c, const struct login_directory *d, uuid domain,
		   const struct ldap_person *person, uuid *ret_user)
{
	struct directory_arrival wish = {.domain = domain,
					 .id = person->id,
					 .name = person->name,
					 .email = person->mail,
					 .groups = {d->groups, person->groups, .ignores_case = true}};
	TRY(store_commit(store, c, "ArriveByDirectory", engine_arrive_by_directory_run, &wish));
	if (ret_user)
		*ret_user = wish.user;
	return OK;
}

/* Guesses count for the name: the directory would lock its owner out everywhere after a few of them. */
static uuid counted_of(const struct login *login)
{
	uint8_t digest[SHA256_SIZE];
	uuid id;
	crypto_sha256(login->name, digest);
	for (size_t k = 0; k < sizeof id.b; k++)
		id.b[k] = digest[k] ^ login->domain.b[k];
	return id;
}

/* ERR_UNAUTHENTICATED: not their password. Other errors are the directory's, and in the log. */
static RESULT ask_directory(struct passwords *p, struct ctx *c, struct login *login, struct str plain)
{
	struct ldap_person person;
	struct result r =
		ldap_directory_prove(c, &passwords_get_directory(p)->ldap, login->name, plain, &person);
	if (result_is_ok(r))
		r = login_admit(passwords_get_store(p), c, passwords_get_directory(p), login->domain, &person,
				&login->user);
	if (!result_is_ok(r) && r.code != ERR_UNAUTHENTICATED)
		log_event(LOG_ERROR, "directory-failed", "reason=\"%.*s\" request=%.*s",
			  STR_ARG(c->problem.message), STR_ARG(c->request_id));
	ctx_clear_problem(c);
	return r;
}

static bool check_in_directory(struct passwords *p, struct ctx *c, struct login *login, struct ip peer,
			       struct str plain)
{
	struct login_throttle *guesses = passwords_get_guesses(p);
	const struct login_attempt who = {counted_of(login), peer};
	struct result r = FAIL(UNAUTHENTICATED);
	if (login_throttle_may_try(guesses, &who)) {
		r = ask_directory(p, c, login, plain);
		if (result_is_ok(r) || r.code == ERR_UNAUTHENTICATED)
			login_throttle_note(guesses, &who, result_is_ok(r));
	}
	return result_is_ok(r);
}

bool login_check(struct passwords *p, struct ctx *c, struct login *login, struct ip peer, struct str plain)
{
	const struct login_attempt who = {login->user, peer}, nobody = {UUID_NONE, peer};
	if (uuid_is_none(login->domain))
		return password_check(p, c, &who, login->hash, plain) == PASSWORD_RIGHT;
	if (check_in_directory(p, c, login, peer, plain))
		return true;
	/* hashed as for the region's own users, so that the time does not tell these from the directory's */
	(void) password_check(p, c, &nobody, STR_NONE, plain);
	return false;
}

const struct user *login_find_proved(const struct tables *t, const struct login *login)
{
	const struct user *user = uuid_is_none(login->user) ? NULL : user_find(t, login->user);
	if (!engine_is_user_open(t, user) || !str_equal(user->password_hash, login->hash))
		return NULL;
	return uuid_is_none(login->domain) || user->directory_id.n ? user : NULL;
}
