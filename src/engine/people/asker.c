/* SPDX-License-Identifier: Apache-2.0
 * Finds, weighs and impersonates the caller who asked for work that is done later. */
#include "engine/people/asker.h"

#include "engine/internal.h"
#include "engine/people/account/domain.h"
#include "engine/people/policy/arm_rights.h"
#include "engine/people/policy/role.h"
#include "engine/people/policy/trust.h"
#include "engine/people/work_session.h"
#include "model/session.h"
#include "store/account.h"
#include "store/application_credential.h"
#include "store/iam_role.h"
#include "store/policy_attachment.h"
#include "store/trust.h"
#include "store/user.h"
#include "store/work_session.h"

static struct asker find_caller(const struct ctx *c)
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

RESULT asker_find(struct op *op, struct asker *ret_asker)
{
	const struct identity *who = op->ctx->who;
	*ret_asker = find_caller(op->ctx);
	return who && !who->is_operator && work_session_is_narrowed(who->session)
		       ? work_session_note(op, who->session, &ret_asker->with)
		       : OK;
}

bool asker_is_caller(const struct asker *a, const struct ctx *c)
{
	const struct asker caller = find_caller(c);
	return !(c->who && work_session_is_narrowed(c->who->session)) &&
	       (!uuid_is_none(a->user) || !uuid_is_none(a->with)) && uuid_equal(a->user, caller.user) &&
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
	const struct work_session *session = work_session_find(t, a->with);
	if (a->until_us && a->until_us <= now_us)
		return "The temporary credentials that asked for this have expired.";
	if (uuid_is_none(a->with))
		return NULL;
	if (credential)
		return weigh_application(t, credential, now_us);
	if (trust)
		return weigh_trust(t, trust, now_us);
	bool is_there = session && uuid_is_none(session->iam_role)
				? true
				: iam_role_find(t, session ? session->iam_role : a->with) != NULL;
	return is_there ? NULL : "The credential that asked for this is gone.";
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

/* Without a guard, nothing evaluates policies again. They may give a user without roles the right to change
 * something, so the user then has a member's right while any policy or assignment remains. */
static unsigned find_rights(const struct tables *t, const struct asker *a, bool has_guard)
{
	struct roles roles = {0};
	const struct account *account = account_find(t, a->account);
	engine_find_roles(t, a->user, account ? IDENTITY_ACCOUNT : IDENTITY_SYSTEM, a->account, &roles);
	unsigned rights = roles.rights;
	if (!uuid_is_none(a->with) &&
	    !work_session_find(t,
			       a->with)) /* asker_weigh() has found the role of a member in the credential */
		return (rights & ~RIGHT(ADMIN)) | RIGHTS_OF_MEMBER;
	const struct user *user = user_find(t, a->user);
	bool is_allowed = (user && account && uuid_equal(user->account, a->account)) ||
			  policy_attachment_first_by_user(t, a->user) ||
			  engine_is_assigned(t, a->user, a->account);
	if (account)
		engine_find_roles(t, a->user, IDENTITY_DOMAIN, account->domain, &roles);
	rights |= roles.rights & ~RIGHT(ADMIN);
	return is_allowed && !has_guard ? rights | RIGHTS_OF_MEMBER : rights;
}

/* The role of a session, by its own id or by that of the row that stores the session's policies. */
static const struct iam_role *find_role(const struct tables *t, uuid with)
{
	const struct work_session *narrowed = work_session_find(t, with);
	return iam_role_find(t, narrowed ? narrowed->iam_role : with);
}

/* A session, as far as the work's row tells: only one that policies narrow has a name, and none has tags. NULL: the user's own
 * credentials. */
static RESULT make_session(struct ctx *c, const struct tables *t, const struct asker *a,
			   const struct iam_role *role, struct session **ret_session)
{
	const struct work_session *narrowed = work_session_find(t, a->with);
	*ret_session = NULL;
	if (!role && !narrowed)
		return OK;
	struct session *session = narrowed ? work_session_restore(c->arena, narrowed)
					   : arena_new_object(c->arena, struct session);
	if (!session)
		return ctx_no_memory(c);
	if (!narrowed)
		*session = (struct session){
			.account = role->account, .iam_role = role->row.id, .expires_us = a->until_us};
	if (role) {
		session->role_name = role->name;
		session->role_path = role->path;
	}
	*ret_session = session;
	return OK;
}

static void describe_user(const struct user *user, struct identity *who)
{
	who->is_owner = user->is_owner;
	who->user_name = user->name;
	who->user_path = user->path;
	who->tags = user->tags;
}

/* A federated session of the root user has no root rights; auth/key/sigv4.c does the same for the session's own calls. */
static void narrow_to_federated(struct identity *who)
{
	if (who->is_owner)
		who->rights |= RIGHTS_OF_MEMBER | RIGHT(MANAGER);
	who->is_owner = false;
	who->is_restricted = true;
}

static RESULT make_identity(struct ctx *c, const struct tables *t, const struct asker *a, bool has_guard,
			    struct identity **ret_who)
{
	const struct user *user = user_find(t, a->user);
	const struct account *account = account_find(t, a->account);
	const struct iam_role *role = uuid_is_none(a->user) ? find_role(t, a->with) : NULL;
	struct session *session = NULL;
	struct identity *who = arena_new_object(c->arena, struct identity);
	unsigned of_role =
		has_guard ? 0 : RIGHTS_OF_MEMBER; /* a guard decides by the role's policies alone */
	TRY(make_session(c, t, a, role, &session));
	if (!who)
		return ctx_no_memory(c);
	*who = (struct identity){.scope = account ? IDENTITY_ACCOUNT : IDENTITY_SYSTEM,
				 .rights = role ? of_role : find_rights(t, a, has_guard),
				 .account = a->account,
				 .domain = account ? account->domain : UUID_NONE,
				 .domains_above = engine_list_domains_above(
					 c->arena, t, account ? account->domain : UUID_NONE),
				 .user = a->user,
				 .iam_role = role ? role->row.id : UUID_NONE,
				 .session = session,
				 .account_number = account ? account->number : STR_NONE};
	if (user)
		describe_user(user, who);
	if (session_is_federated(session))
		narrow_to_federated(who);
	*ret_who = who;
	return OK;
}

static bool is_system(const struct asker *a)
{
	return uuid_is_none(a->user) && uuid_is_none(a->with);
}

RESULT asker_act(struct ctx *c, const struct tables *t, const struct asker *a, const struct asker_work *work)
{
	struct identity *who = NULL;
	if (is_system(a))
		return OK;
	const char *why = asker_weigh(t, a, work->now_us);
	if (!why && !work->guard && work_session_find(t, a->with))
		why = "Nothing evaluates the policies of the session that asked for this.";
	if (why)
		return ctx_fail(c, ERR_DENIED, "%s", why);
	TRY(make_identity(c, t, a, work->guard, &who));
	engine_act_by_roles(c, who);
	return work->guard ? work->guard->admit(work->guard, c, t, work->permission) : OK;
}

RESULT asker_ask(struct arena *a, const struct tables *t, const struct asker *asker,
		 const struct asker_work *work, enum kind kind, const struct row *row,
		 struct str *ret_why_not)
{
	const struct account *account = account_find(t, asker->account);
	bool is_closed = !uuid_is_none(asker->user) && account && !engine_is_account_open(t, account);
	struct ctx own;
	if (is_closed) {
		*ret_why_not = STR("The account is disabled.");
		return OK;
	}
	ctx_init(&own, a);
	struct result result = asker_act(&own, t, asker, work);
	if (result_is_ok(result) && row)
		result = engine_check_found(&own, t, kind, row);
	if (result.code == ERR_NO_MEMORY || result.code == ERR_AGAIN || result.code == ERR_INTERNAL)
		return result;
	*ret_why_not = result_is_ok(result) ? STR_NONE : own.problem.message;
	return OK;
}

RESULT asker_permit(struct op *op, const struct asker *a, const struct asker_work *work, enum kind kind,
		    const struct row *row)
{
	const struct identity *who = op->ctx->who;
	struct guard *guard = op->ctx->guard;
	struct result result = asker_act(op->ctx, op->head, a, work);
	if (result_is_ok(result) && op->ctx->who)
		result = engine_permit(op, work->permission, kind, row);
	op->ctx->who = who;
	op->ctx->guard = guard;
	return result;
}

RESULT asker_run(struct op *op, const struct asker *a, const struct asker_work *work, op_run run, void *arg)
{
	const struct identity *who = op->ctx->who;
	struct guard *guard = op->ctx->guard;
	struct result result = asker_act(op->ctx, op->head, a, work);
	if (result_is_ok(result))
		result = run(op, arg);
	if (result_is_ok(result) && work->guard)
		result = work->guard->check_made(op);
	op->ctx->who = who;
	op->ctx->guard = guard;
	return result;
}
