/* SPDX-License-Identifier: Apache-2.0
 * Audits of the region, and the adoption or purge of leftovers that they find. For administrators. Leftovers
 * are looked up on a lane of their own, because a slow host would otherwise block other calls.
 */
#include "api/native/write.h"

#include "engine/region/region_audit.h"
#include "model/audit_difference.h"
#include "reconcile/audit/leftover.h"

struct leftover_args {
	union {
		struct leftover_adoption adoption;
		struct leftover_purge purge;
	}; /* passed to the engine's operation */
	struct ref finding, account;
	struct leftover leftover;
	uuid subject;
};
static const struct param adopt_params[] = {
	REF(leftover_args, "account", account, ACCOUNT,
	    .doc = "Account that gets an adopted disk. An adopted domain names its own account."),
};

/* Finds the subject of the finding. */
static RESULT find_subject(struct native_call *e, struct leftover_args *a,
			   const struct audit_difference **ret_found)
{
	const struct row *row = NULL;
	if (e->dry || e->match.n)
		return ctx_fail_field(e->c, ERR_INVALID, e->dry ? STR("dry") : STR("If-Match"),
				      "This cannot be tried without doing it.");
	if (!e->config->reconciler)
		return ctx_fail(e->c, ERR_GONE, "No host can be asked here.");
	TRY(native_find_row(e, KIND_AUDIT_DIFFERENCE, &a->finding, &row));
	*ret_found = audit_difference_of(row);
	if (!(*ret_found)->quarantined)
		return ctx_fail_kind(
			e->c, ERR_STATE, KIND_AUDIT_DIFFERENCE,
			"It is no leftover: the row and the world come together by themselves, or "
			"what is in their way says so.");
	a->subject = (*ret_found)->subject;
	e->lane = native_face_of(e)->leftovers;
	return OK;
}

static RESULT prepare_adoption(struct native_call *e, void *args)
{
	struct leftover_args *a = args;
	const struct audit_difference *found = NULL;
	TRY(find_subject(e, a, &found));
	if (found->about == AUDIT_DIFFERENCE_ABOUT_NETWORK || found->has_row)
		return ctx_fail_kind(e->c, ERR_STATE, KIND_AUDIT_DIFFERENCE, "It can only be purged.");
	e->returns = found->about == AUDIT_DIFFERENCE_ABOUT_DISK ? KIND_VOLUME : KIND_INSTANCE;
	return OK;
}

static RESULT look_for(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct leftover_args *a = e->args;
	TRY(reconciler_find_leftover(e->config->reconciler, e->c, a->subject, &a->account, &a->leftover));
	a->adoption = a->leftover.adoption;
	return OK;
}

static RESULT answer_adoption(struct native_call *e, const void *args, struct json_writer *w)
{
	reconciler_wake_leftover(e->config->reconciler, &((const struct leftover_args *) args)->leftover);
	return native_answer_change(e, w);
}

static RESULT prepare_purge(struct native_call *e, void *args)
{
	struct leftover_args *a = args;
	const struct audit_difference *found = NULL;
	TRY(find_subject(e, a, &found));
	a->purge.subject = a->subject;
	return OK;
}

static RESULT purge(struct work_item *w)
{
	struct native_call *e = w->arg;
	const struct leftover_args *a = e->args;
	return reconciler_purge_leftover(e->config->reconciler, e->c, a->subject);
}

static const struct native_action actions[] = {
	ADMIN_CREATE("/audits", "ec2:AuditRegion", REGION_AUDIT, .args = {.size = sizeof(struct audit_wish)},
		     .operation = engine_begin_audit_run,
		     .doc = "Starts an audit: compares rows with what hosts, storage and the network hold. "
			    "One audit runs at a time; its row shows the progress."),
	CHANGE_ROW(POST, "/audit-findings/{id}/adopt", "ec2:AdoptLeftover", AUDIT_DIFFERENCE, KIND_INSTANCE,
		   NATIVE_ADMIN, .args = PARAMS(struct leftover_args, adopt_params),
		   .target = NATIVE_AT(leftover_args, finding), .prepare = prepare_adoption, .work = look_for,
		   .operation = engine_adopt_leftover_run, .answer = answer_adoption,
		   .doc = "Adopts a leftover: restores the rows of a domain, or makes a disk a volume."),
	CHANGE_ROW(POST, "/audit-findings/{id}/purge", "ec2:PurgeLeftover", AUDIT_DIFFERENCE,
		   KIND_AUDIT_DIFFERENCE, NATIVE_ADMIN, .args = {.size = sizeof(struct leftover_args)},
		   .target = NATIVE_AT(leftover_args, finding), .prepare = prepare_purge, .work = purge,
		   .operation = engine_note_purge_run,
		   .doc = "Purges a leftover: removes it from its host, storage or the network, for good."),
};
const struct api_actions native_audits_actions = API_ACTIONS(actions);
