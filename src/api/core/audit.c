/* SPDX-License-Identifier: Apache-2.0
 * Table of audited actions, and the texts of an audit record: caller, source address, subject and outcome of
 * a call.
 */
#include "api/core/audit.h"

#include "auth/sign_in/session.h"
#include "model/identity.h"
#include "model/permission.h"

/* Reasons why an action is not recorded, for NOT_AUDITED rows. */
static const char shows_ids[] = "it shows ids of credentials and no secret";
static const char shows_own[] = "it tells who asks of themselves, or of what they have already";
static const char shows_rights[] = "it shows who may what, and no secret";
static const char names_only[] = "it is about names";
static const char public_half[] = "it shows public keys";
static const char writes_user_data[] = "user data is set by who knows it: calls that show it are recorded";
static const char recorded_by_name[] = "each command that touches a secret has a row of its own";
static const char no_secret[] = "a parameter only sounds like one";

static const struct audited table[] = {
#define AUDITED(action, does, kind) {(action), (does), KIND_##kind, NULL},
#define NOT_AUDITED(action, why) {(action), 0, KIND_NONE, (why)},
#include "api/core/audited.def"
#undef AUDITED
#undef NOT_AUDITED
};

const struct audited *audited_list(size_t *ret_count)
{
	*ret_count = sizeof table / sizeof table[0];
	return table;
}

const struct audited *audited_find(const char *action)
{
	for (size_t k = 0; k < sizeof table / sizeof table[0]; k++)
		if (strcmp(table[k].action, action) == 0)
			return &table[k];
	return NULL;
}

const struct audited *audited_find_recorded(const char *action)
{
	const struct audited *found = audited_find(action);
	return found && found->does ? found : NULL;
}

const char *audited_say_when(const char *action)
{
	const struct audited *found = audited_find_recorded(action);
	if (!found)
		return "never";
	return found->does & AUDIT_WHEN_SAID ? "sometimes" : "always";
}

/* ---- texts ---- */

struct str audit_write_does(struct arena *a, unsigned does)
{
	static const char *const words[] = {"reads", "changes", "issues", "rights"};
	struct str text = STR_NONE;
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (does >> k & 1)
			text = str_print(a, "%" STR_FMT "%s%s", STR_ARG(text), text.n ? "," : "", words[k]);
	return text;
}

static struct str write_hex(struct arena *a, uuid id)
{
	return uuid_is_none(id) ? STR_NONE : str_encode_hex(a, id.b, sizeof id.b);
}

struct str audit_write_credential(struct arena *a, const struct identity *who)
{
	if (who->is_operator)
		return STR("operator");
	if (who->access_key_id.n)
		return str_print(a, "access-key:%" STR_FMT, STR_ARG(who->access_key_id));
	if (!uuid_is_none(who->application_credential))
		return str_print(a, "application-credential:%" STR_FMT,
				 STR_ARG(write_hex(a, who->application_credential)));
	if (!uuid_is_none(who->trust))
		return str_print(a, "trust:%" STR_FMT " trustee:%" STR_FMT, STR_ARG(write_hex(a, who->trust)),
				 STR_ARG(write_hex(a, who->trustee)));
	return STR_NONE;
}

struct str audit_write_from(const struct call *call)
{
	char peer[IP_TEXT_SIZE];
	const struct http_local *local = &call->local;
	if (local->is_known)
		return str_print(call->ctx.arena, "unix:uid=%u,pid=%d", (unsigned) local->uid,
				 (int) local->pid);
	return str_copy(call->ctx.arena, str_from(ip_write(call->peer, peer)));
}

static void set_text(struct audit_call *a, enum audit_text which, struct str text)
{
	if (!a->record.texts[which].n)
		a->record.texts[which] = text;
}

static void set_who(struct audit_call *a, const struct identity *who)
{
	struct arena *arena = a->call->ctx.arena;
	const struct session *session = who->session;
	set_text(a, AUDIT_ACCOUNT, who->account_number);
	set_text(a, AUDIT_USER, write_hex(arena, who->user));
	set_text(a, AUDIT_USER_NAME, who->user_name);
	set_text(a, AUDIT_CREDENTIAL, audit_write_credential(arena, who));
	if (session && !uuid_is_none(session->iam_role))
		set_text(a, AUDIT_SESSION,
			 str_print(arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(session->role_name),
				   STR_ARG(session->name)));
	else if (session_is_federated(session))
		set_text(a, AUDIT_SESSION,
			 str_print(arena, "federated-user/%" STR_FMT, STR_ARG(session->name)));
}

static bool is_somebody(const struct identity *who)
{
	return who && (who->is_operator || !uuid_is_none(who->user) || !uuid_is_none(who->iam_role));
}

struct audit_call *audit_begin(struct call *call, const struct audited *what, const char *face)
{
	struct audit_call *a = what ? arena_new_object(call->ctx.arena, struct audit_call) : NULL;
	if (!a)
		return NULL;
	int permission = permission_find_action(str_from(what->action));
	*a = (struct audit_call){.what = what, .call = call};
	a->record.texts[AUDIT_FACE] = str_from(face);
	if (permission != PERMISSION_NONE)
		a->record.texts[AUDIT_PERMISSION] = str_from(model_permissions[permission].name);
	return a;
}

void audit_add_subject(struct audit_call *a, const char *name, struct str value)
{
	struct str *subject = a ? &a->record.texts[AUDIT_SUBJECT] : NULL;
	if (subject && value.n && subject->n < AUDIT_TEXT_MAX)
		*subject = str_print(a->call->ctx.arena, "%" STR_FMT "%s%s=%" STR_FMT, STR_ARG(*subject),
				     subject->n ? " " : "", name, STR_ARG(value));
}

/* Derives the texts that the face did not set from the call. Texts that are already set stay. */
static void fill(struct audit_call *a)
{
	struct call *call = a->call;
	const struct identity *who = call->ctx.who;
	set_text(a, AUDIT_REQUEST, call->ctx.request_id);
	set_text(a, AUDIT_ACTION, str_from(a->what->action));
	set_text(a, AUDIT_DOES, audit_write_does(call->ctx.arena, a->what->does));
	set_text(a, AUDIT_FROM, audit_write_from(call));
	if (who)
		set_who(a, who);
	a->is_stranger = !a->record.texts[AUDIT_USER].n && !is_somebody(who);
}

/* ---- on the committer ---- */

RESULT audit_append(struct op *op, struct audit_call *a)
{
	uuid id = UUID_NONE;
	if (a->what->kind != KIND_NONE && op_find_touched(op, a->what->kind, &id)) {
		set_text(a, AUDIT_KIND, str_from(model_kinds[a->what->kind].name));
		set_text(a, AUDIT_ID, write_hex(a->call->ctx.arena, id));
	}
	return audit_append_outcome(op, a, ERR_NONE);
}

RESULT audit_append_outcome(struct op *op, struct audit_call *a, enum err err)
{
	fill(a);
	a->record.texts[AUDIT_OUTCOME] = err == ERR_NONE ? STR("ok") : str_from(err_name(err));
	if (arena_is_full(a->call->ctx.arena))
		return ctx_no_memory(op->ctx);
	return err != ERR_NONE && a->is_stranger ? op_audit_flood(op, &a->record) : op_audit(op, &a->record);
}
