/* SPDX-License-Identifier: Apache-2.0
 * Finds, weighs and impersonates the caller who asked for work that is done later. */
#include "engine/people/asker.h"

#include "engine/internal.h"
#include "engine/people/arm_rights.h"
#include "engine/people/role.h"
#include "engine/people/trust.h"
#include "model/session.h"
#include "store/account.h"
#include "store/application_credential.h"
#include "store/iam_role.h"
#include "store/policy_attachment.h"
#include "store/trust.h"
#include "store/user.h"

struct asker asker_find(const struct ctx *c)
{
	const struct identity *who = c->who;
	if (!who || who->is_operator)
		return (struct asker){0};
	return (struct asker){.account = who->account,
			      .user = who->user,
			      .with = !uuid_is_none(who->application_credential) ? who->application_credential
				      : !uuid_is_none(who->trust)                ? who->trust
										 : who->iam_role,
			      .until_us = who->session ? who->session->expires_us : 0};
}

bool asker_is_caller(const struct asker *a, const struct ctx *c)
{
	const struct asker caller = asker_find(c);
	return (!uuid_is_none(a->user) || !uuid_is_none(a->with)) && uuid_equal(a->user, caller.user) &&
	       uuid_equal(a->with, caller.with);
}

/* ---- credentials ---- */

static const char *weigh_roles(const struct roles *roles)
{
	return roles->rights & RIGHT(MEMBER)
		       ? NULL
		       : "The roles of the credential that asked for this allow no changes any more.";
}

static const char *weigh_application(const struct tables *t, const struct application_credential *a,
				     int64_t now_us)
{
	struct roles roles = {0};
	if (a->expires_us && a->expires_us <= now_us)
		return "The application credential that asked for this has expired.";
	engine_find_roles(t, a->user, IDENTITY_ACCOUNT, a->account, &roles);
	engine_narrow_roles(t, &a->roles, &roles);
	return weigh_roles(&roles);
}

static const char *weigh_trust(const struct tables *t, const struct trust *trust, int64_t now_us)
{
	struct roles roles = {0};
	if (!row_is_live(&trust->row) || (trust->expires_us && trust->expires_us <= now_us))
		return "The trust that asked for this has ended.";
	if (engine_weigh_trust(t, trust, &roles))
		return "The trust that asked for this gives nothing any more.";
	return weigh_roles(&roles);
}

const char *asker_weigh_credential(const struct tables *t, const struct asker *a, int64_t now_us)
{
	const struct application_credential *credential = application_credential_find(t, a->with);
	const struct trust *trust = trust_find(t, a->with);
	if (a->until_us && a->until_us <= now_us)
		return "The temporary credentials that asked for this have expired.";
	if (uuid_is_none(a->with))
		return NULL;
	if (credential)
		return weigh_application(t, credential, now_us);
	if (trust)
		return weigh_trust(t, trust, now_us);
	return iam_role_find(t, a->with) ? NULL : "The credential that asked for this is gone.";
}

const char *asker_weigh(const struct tables *t, const struct asker *a, int64_t now_us)
{
	const char *why = asker_weigh_credential(t, a, now_us);
	if (why)
		return why;
	return engine_acts_still(t, a->user, a->account)
		       ? NULL
		       : "Whoever asked for this may not act for the account any more.";
}

/* ---- acting ---- */

/* Policies were evaluated when the work was asked for. They may give a user without roles the right to change
 * something, so the user has a member's right while any policy or assignment remains. */
static unsigned find_rights(const struct tables *t, const struct asker *a)
{
	struct roles roles = {0};
	const struct account *account = account_find(t, a->account);
	engine_find_roles(t, a->user, account ? IDENTITY_ACCOUNT : IDENTITY_SYSTEM, a->account, &roles);
	unsigned rights = roles.rights;
	const struct user *user = user_find(t, a->user);
	bool is_allowed = (user && account && uuid_equal(user->account, a->account)) ||
			  policy_attachment_first_by_user(t, a->user) ||
			  engine_is_assigned(t, a->user, a->account);
	if (account)
		engine_find_roles(t, a->user, IDENTITY_DOMAIN, account->domain, &roles);
	rights |= roles.rights & ~RIGHT(ADMIN);
	return is_allowed ? rights | RIGHTS_OF_MEMBER : rights;
}

RESULT asker_act(struct op *op, const struct asker *a)
{
	const struct user *user = user_find(op->head, a->user);
	const struct account *account = account_find(op->head, a->account);
	if (uuid_is_none(a->user) && uuid_is_none(a->with))
		return OK;
	const char *why = asker_weigh(op->head, a, op->now_us);
	if (why)
		return ctx_fail(op->ctx, ERR_DENIED, "%s", why);
	struct identity *who = arena_new_object(op->ctx->arena, struct identity);
	if (!who)
		return ctx_no_memory(op->ctx);
	bool is_role = uuid_is_none(a->user);
	*who = (struct identity){.scope = account ? IDENTITY_ACCOUNT : IDENTITY_SYSTEM,
				 .rights = is_role ? RIGHTS_OF_MEMBER
					   : uuid_is_none(a->with)
						   ? find_rights(op->head, a)
						   : (find_rights(op->head, a) & ~RIGHT(ADMIN)) |
							     RIGHTS_OF_MEMBER,
				 .account = a->account,
				 .domain = account ? account->domain : UUID_NONE,
				 .user = a->user,
				 .iam_role = is_role ? a->with : UUID_NONE,
				 .is_owner = user && user->is_owner,
				 .account_number = account ? account->number : STR_NONE,
				 .user_name = user ? user->name : STR_NONE};
	engine_act_by_roles(op->ctx, who);
	return OK;
}
