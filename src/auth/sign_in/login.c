/* SPDX-License-Identifier: Apache-2.0
 * Signing in by name and password. */
#include "auth/sign_in/login.h"

#include "base/crypto.h"
#include "base/log.h"
#include "engine/people/directory_user.h"
#include "engine/resolve.h"
#include "store/domain.h"
#include "store/store.h"
#include "store/user.h"

RESULT login_find(struct passwords *p, struct ctx *c, const struct tables *t, uuid domain, struct str name,
		  const struct user *user, struct login *ret_login)
{
	const struct login_directory *d = passwords_get_directory(p);
	const struct domain *place = d && !uuid_is_none(domain) ? domain_find_by_name(t, d->domain) : NULL;
	bool is_open = engine_is_user_open(t, user);
	*ret_login = (struct login){0};
	if (is_open) {
		ret_login->user = user->row.id;
		ret_login->hash = str_copy(c->arena, user->password_hash);
	}
	if (!place || !uuid_equal(place->row.id, domain) || !place->enabled ||
	    (user && (!is_open || !user->directory_id.n)))
		return OK;
	ret_login->domain = domain;
	ret_login->name = str_copy(c->arena, user ? user->name : name);
	return OK;
}

/* "GROUP" or "GROUP = GROUP OF THE DOMAIN". LDAP compares names without their case. */
static struct directory_membership read_group(struct str said, const struct ldap_person *person)
{
	struct str name = STR_NONE;
	(void) str_split_next(&said, '=', &name);
	name = str_trim(name);
	struct directory_membership m = {.group = said.n ? str_trim(said) : name};
	for (size_t k = 0; k < person->groups.count && !m.is_member; k++)
		m.is_member = str_equal_nocase(person->groups.at[k], name);
	return m;
}

RESULT login_admit(struct store *store, struct ctx *c, const struct login_directory *d, uuid domain,
		   const struct ldap_person *person, uuid *ret_user)
{
	struct directory_membership groups[LOGIN_GROUPS_MAX];
	struct directory_arrival wish = {.domain = domain,
					 .id = person->id,
					 .name = person->name,
					 .email = person->mail,
					 .groups = groups};
	for (; wish.group_count < d->groups.count; wish.group_count++)
		groups[wish.group_count] = read_group(d->groups.at[wish.group_count], person);
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
