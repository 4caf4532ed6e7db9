/* SPDX-License-Identifier: Apache-2.0
 * The two steps of authorisation: of a call's action, and of each row that the call finds or creates. */
#include "auth/guard/guard.h"

#include "auth/guard/guard_internal.h"
#include "auth/key/key_owner.h"
#include "base/reads.h"
#include "engine/people/user_owned.h"
#include "engine/resolve.h"
#include "model/iam_name.h"
#include "model/role.h"
#include "model/session.h"
#include "model/user.h"

struct policy_question guard_make_question(const struct guard_subject *subject, struct arena *a,
					   int permission, struct str action)
{
	const struct guard_request *r = &subject->state->request;
	/* before a row is found, any resource may be meant */
	bool is_open = !subject->tables && subject->state->is_open;
	return (struct policy_question){.action = action,
					.permission = permission,
					.resource = is_open         ? STR_NONE
						    : r->resource.n ? r->resource
								    : guard_write_arn(subject, a, permission),
					.find = guard_find_key,
					.request = subject,
					.arena = a};
}

/* True if a policy assigned at `place` applies. Before a row is found, the subject may be anywhere. For a new
 * row, or where there is no row, the place named by the call counts. */
static bool holds_there(const struct guard_state *s, const struct guard_subject *subject,
			const struct arm_place *place)
{
	if (subject->row && subject->tables)
		return engine_is_at_place(subject->tables, place, s->call->ctx.who->account, subject->kind,
					  subject->row);
	return (!subject->tables && s->is_open) || engine_is_place_within(&s->request.place, place);
}

static void decide(const struct guard_state *s, const struct policy_question *q, bool has_role,
		   struct policy_decision *ret_decision)
{
	const struct guard_policies *p = &s->policies;
	struct policy_set set = {.identity = p->at,
				 .identity_count = p->count,
				 .has_role = has_role,
				 .has_session = p->has_session,
				 .session = p->session,
				 .session_count = p->session_count,
				 .boundary = p->boundary};
	const struct guard_subject *subject = q->request;
	struct policy_question of_resource = *q;
	struct str principals[GUARD_PRINCIPALS_MAX];
	if (subject->resource || subject->is_foreign) {
		const struct identity *who = s->call->ctx.who;
		of_resource.principals =
			(struct strs){principals, guard_list_principals(who, q->arena, principals)};
		set.resource = subject->resource;
		set.is_foreign = subject->is_foreign;
		set.is_user = uuid_is_none(who->iam_role);
	}
	size_t *from = p->places ? arena_new_array(q->arena, size_t, p->count) : NULL;
	const struct policy_code **there =
		from ? arena_new_array(q->arena, const struct policy_code *, p->count) : NULL;
	if (p->places)
		set.identity = there, set.identity_count = 0;
	for (size_t k = 0; there && k < p->count; k++)
		if (holds_there(s, q->request, &p->places[k])) {
			from[set.identity_count] = k;
			there[set.identity_count++] = p->at[k];
		}
	policy_decide(&set, &of_resource, ret_decision);
	if (there && ret_decision->by == POLICY_BY_IDENTITY && ret_decision->effect != POLICY_SILENT)
		ret_decision->policy = from[ret_decision->policy];
	guard_ask_endpoint(s, q, ret_decision);
}

RESULT guard_decide(struct guard_state *s, struct ctx *c, struct policy_question *q, bool has_role,
		    bool *ret_is_allowed)
{
	struct policy_decision d;
	decide(s, q, has_role, &d);
	if (arena_is_full(q->arena))
		return ctx_no_memory(c);
	if (d.effect != POLICY_ALLOWS) {
		if (str_is_empty(q->resource))
			q->resource = STR("*");
		return guard_refuse(s, c, q, &d);
	}
	if (s->is_narrowed && !has_role) {
		d = (struct policy_decision){POLICY_SILENT, POLICY_BY_ROLE, 0, 0};
		return guard_refuse(s, c, q, &d);
	}
	*ret_is_allowed = (d.by == POLICY_BY_IDENTITY || d.by == POLICY_BY_RESOURCE) && !s->is_narrowed;
	return OK;
}

/* Tags of a new resource need the same permission as tags set later. */
static RESULT check_created_tags(struct guard_state *s, struct ctx *c, const struct guard_subject *made)
{
	struct guard_subject subject = *made;
	size_t offset = made->planned ? model_kinds[made->kind].tags_offset : 0;
	int tag_set = permission_find(STR("tag.set"));
	bool is_allowed = false;
	if (!offset || s->permission == tag_set ||
	    !((const struct tags *) (const void *) ((const char *) made->planned + offset))->count)
		return OK;
	struct str action = str_from(
		model_permissions[s->permission == PERMISSION_NONE ? tag_set : s->permission].action);
	size_t colon = str_find_char(action, ':', 0);
	subject.create_action = str_slice(action, colon + 1, action.n);
	struct policy_question q =
		guard_make_question(&subject, c->arena, tag_set, str_from(model_permissions[tag_set].action));
	return guard_decide(s, c, &q, s->request.has_role, &is_allowed);
}

/* A role that the operation gives to an instance or to a service needs iam:PassRole, whatever the call's own action. */
static RESULT check_passing(struct guard_state *s, struct ctx *c, const struct guard_subject *role,
			    int permission, bool *ret_is_allowed)
{
	struct guard_subject subject = *role;
	subject.passed_to = s->guard.service.n ? s->guard.service : STR("ec2.amazonaws.com");
	struct policy_question q = guard_make_question(&subject, c->arena, permission,
						       str_from(model_permissions[permission].action));
	q.resource = guard_write_arn(&subject, c->arena, permission);
	return guard_decide(s, c, &q, identity_has(c->who, RIGHT_MANAGER), ret_is_allowed);
}

/* Partial actions that a Deny stops in every face: publishing an image, and the firewall rule opened by a
 * port forwarding. */
static const char *const parts_in_all_words[] = {"image.publish", "firewall_rule.create"};

/* Calls whose parts are calls of other faces: a Deny of a part stops them in every face. A deletion deletes whatever something
 * contains; a recovery point of AWS Backup is a backup, and a policy of DLM a snapshot policy. */
static const char *const calls_of_parts[] = {
	"resource_group.delete",  "account.delete",         "domain.delete",          "recovery_point.delete",
	"recovery_point.restore", "snapshot_policy.delete", "snapshot_policy.update", "cluster.delete"};

static bool is_among(const char *permission, const char *const *list, size_t count)
{
	for (size_t k = 0; k < count; k++)
		if (strcmp(permission, list[k]) == 0)
			return true;
	return false;
}
#define IS_AMONG(permission, list) is_among(permission, list, sizeof(list) / sizeof *(list))

static bool is_part_of(const struct guard_state *s, const char *permission)
{
	if (s->request.words == GUARD_OF_OPENSTACK || s->request.words == GUARD_OF_DARI)
		return true;
	return IS_AMONG(permission, parts_in_all_words) ||
	       (s->permission != PERMISSION_NONE &&
		IS_AMONG(model_permissions[s->permission].name, calls_of_parts));
}

/* Applies a Deny to an action that the operation performs as a part of the call, for example when Neutron's
 * update_port assigns an address. */
static RESULT check_part(struct guard_state *s, struct ctx *c, const struct guard_subject *subject,
			 const char *permission)
{
	struct policy_decision d;
	int part = permission_find(str_from(permission));
	if (!is_part_of(s, permission) || part == PERMISSION_NONE || part == s->permission)
		return OK;
	struct policy_question q =
		guard_make_question(subject, c->arena, part, str_from(model_permissions[part].action));
	decide(s, &q, s->request.has_role, &d);
	return d.effect == POLICY_DENIES ? guard_refuse(s, c, &q, &d) : OK;
}

static RESULT check_beside(struct guard *guard, struct ctx *c, const struct tables *t, const char *permission,
			   enum kind kind, const struct row *row)
{
	struct guard_state *s = (struct guard_state *) guard;
	struct guard_subject subject = {.state = s, .tables = t, .kind = kind, .row = row};
	int asked = permission_find(str_from(permission));
	bool is_allowed = false;
	if (!s->has_voice || asked == PERMISSION_NONE || asked == s->permission)
		return OK;
	TRY(guard_read_resource(s, c, asked, &subject));
	struct policy_question q =
		guard_make_question(&subject, c->arena, asked, str_from(model_permissions[asked].action));
	return guard_decide(s, c, &q, s->request.has_role, &is_allowed);
}

/* On a row for which AWS does not evaluate the action, only a Deny that names the row counts, so that
 * policies written for AWS keep working. */
RESULT guard_decide_by_name(struct guard_state *s, struct ctx *c, struct policy_question *q,
			    bool *ret_is_allowed)
{
	struct policy_decision d;
	q->is_by_name = true;
	decide(s, q, true, &d);
	if (d.effect == POLICY_DENIES)
		return guard_refuse(s, c, q, &d);
	const struct guard_subject any = {.state = s};
	const struct policy_question open =
		guard_make_question(&any, c->arena, s->permission, s->request.action);
	decide(s, &open, s->request.has_role, &d);
	*ret_is_allowed = d.effect == POLICY_ALLOWS && d.by == POLICY_BY_IDENTITY && !s->is_narrowed;
	return OK;
}

/* Calls that make what launches instances. */
static const char *const launching[] = {"fleet.create", "spot_fleet.create", "scaling_group.create",
					"scaling_group.update", "cluster.create"};

static bool is_launching(const struct guard_state *s)
{
	return s->permission != PERMISSION_NONE && IS_AMONG(model_permissions[s->permission].name, launching);
}

/* A fleet and a scaling group launch instances, so their creator also needs ec2:RunInstances, on each resource that
 * policies decide it on. EC2's guides list it among the permissions that users of fleets and of groups with a launch
 * template need. EC2 launches later by a service-linked role; Dari launches as the creator. */
static RESULT check_launch(struct guard_state *s, struct ctx *c, const struct guard_subject *subject,
			   bool *ret_is_allowed)
{
	int launch = permission_find(STR("instance.create"));
	struct policy_question q =
		guard_make_question(subject, c->arena, launch, str_from(model_permissions[launch].action));
	return permission_is_decided_on(launch, subject->kind)
		       ? guard_decide(s, c, &q, s->request.has_role, ret_is_allowed)
		       : OK;
}

/* Checks the call's own action on a row, or with KIND_NONE on something that has no row. */
static RESULT check_row(struct guard_state *s, struct ctx *c, const struct guard_subject *subject,
			bool *ret_is_allowed)
{
	struct policy_question q = guard_make_question(subject, c->arena, s->permission, s->request.action);
	if (subject->kind != KIND_NONE && !permission_is_decided_on(s->permission, subject->kind)) {
		TRY(guard_decide_by_name(s, c, &q, ret_is_allowed));
		return is_launching(s) ? check_launch(s, c, subject, ret_is_allowed) : OK;
	}
	s->was_asked = true;
	TRY(guard_decide(s, c, &q, s->request.has_role, ret_is_allowed));
	if (is_launching(s))
		TRY(check_launch(s, c, subject, ret_is_allowed));
	const struct guard_asked asked = {subject->kind, subject->row ? subject->row->id : UUID_NONE};
	return !s->request.is_change || !subject->row || VEC_PUSH(c->arena, &s->asked, asked)
		       ? OK
		       : ctx_no_memory(c);
}

static RESULT check_resource(struct guard *guard, struct ctx *c, const struct tables *t,
			     const char *permission, enum kind kind, const struct row *row,
			     const struct row *planned, bool *ret_is_allowed)
{
	struct guard_state *s = (struct guard_state *) guard;
	struct guard_subject subject = {
		.state = s, .tables = t, .kind = kind, .row = row, .planned = planned};
	bool must_ask = guard_must_ask(s, permission_find(str_from(permission)), kind);
	if (!guard_must_ask(s, s->permission, kind) || !must_ask)
		return OK;
	if (planned)
		s->was_planned[kind] = true;
	if (strcmp(permission, "iam_role.pass") == 0)
		return check_passing(s, c, &subject, permission_find(str_from(permission)), ret_is_allowed);
	TRY(guard_read_resource(s, c, s->permission, &subject));
	TRY(check_row(s, c, &subject, ret_is_allowed));
	TRY(check_part(s, c, &subject, permission));
	return check_created_tags(s, c, &subject);
}

/* True if policies can name the kind: it belongs to an account, or has an ARN of IAM. */
static bool may_be_named(enum kind kind)
{
	return model_kinds[kind].account_offset || iam_is_kind(kind) || kind == KIND_ACCOUNT;
}

/* True if the action is decided without regard to rows. */
static bool is_asked_of_all(const struct guard_state *s)
{
	return !s->request.is_change && permission_has_no_rows(s->permission);
}

static RESULT check_found(struct guard *guard, struct ctx *c, const struct tables *t, enum kind kind,
			  const struct row *row)
{
	struct guard_state *s = (struct guard_state *) guard;
	struct guard_subject subject = {.state = s, .tables = t, .kind = kind, .row = row};
	bool is_allowed = false;
	if (s->is_over || !may_be_named(kind) || is_asked_of_all(s) ||
	    !guard_must_ask(s, s->permission, kind))
		return OK;
	TRY(guard_read_resource(s, c, s->permission, &subject));
	return check_row(s, c, &subject, &is_allowed);
}

/* Evaluates the row's own policy first, so that a caller whom it does not admit gets the answer for a row that does not
 * exist. */
static RESULT check_shared(struct guard *guard, struct ctx *c, const struct tables *t, enum kind kind,
			   const struct row *row)
{
	struct guard_state *s = (struct guard_state *) guard;
	struct guard_subject subject = {.state = s, .tables = t, .kind = kind, .row = row};
	bool is_allowed = false;
	if (s->is_over && s->shared.kind == kind && uuid_equal(s->shared.id, row->id))
		return OK;
	(void) guard_must_ask(s, s->permission, kind);
	TRY(guard_read_resource(s, c, s->permission, &subject));
	const struct policy_question q =
		guard_make_question(&subject, c->arena, s->permission, s->request.action);
	if (s->is_over || !subject.is_foreign || !guard_is_shared(s, &subject, &q))
		return FAIL(NOT_FOUND);
	TRY(check_row(s, c, &subject, &is_allowed));
	s->shared = (struct guard_asked){kind, row->id};
	return OK;
}

/* Checks new rows that the operation did not ask about before creating them. A refusal undoes the change. */
static RESULT check_made(void *arg, enum kind kind, const struct row *row)
{
	struct op *op = arg;
	struct guard_state *s = guard_state_of(op->ctx);
	const struct guard_subject subject = {.state = s, .tables = op->head, .kind = kind, .planned = row};
	bool is_allowed = false;
	if (s->was_planned[kind] || !may_be_named(kind) || !permission_is_decided_on(s->permission, kind) ||
	    !guard_must_ask(s, s->permission, kind))
		return OK;
	TRY(check_row(s, op->ctx, &subject, &is_allowed));
	return check_created_tags(s, op->ctx, &subject);
}

RESULT guard_check_made(struct op *op)
{
	const struct guard_state *s = guard_state_of(op->ctx);
	if (!s || (!s->has_voice && !s->guards->hear))
		return OK;
	TRY(op_visit_made(op, check_made, op));
	return op_visit_changed(op, guard_check_links, op);
}

/* AWS evaluates policies by the id in the request before looking it up, so a refusal hides whether the row
 * exists; OpenStack's services look it up first. */
static RESULT check_absent(struct guard *guard, struct ctx *c, const struct tables *t, const struct ref *ref)
{
	struct guard_state *s = (struct guard_state *) guard;
	const struct guard_subject subject = {
		.state = s, .tables = t, .kind = ref->kind, .absent = ref->text};
	bool is_allowed = false;
	if (!s->has_voice || s->is_over || s->request.is_change || s->request.words != GUARD_OF_EC2 ||
	    is_asked_of_all(s) || !permission_is_decided_on(s->permission, ref->kind) || !ref->text.n)
		return OK;
	struct policy_question q = guard_make_question(&subject, c->arena, s->permission, s->request.action);
	s->was_asked = true;
	return guard_decide(s, c, &q, s->request.has_role, &is_allowed);
}

uuid guard_principal(const struct identity *who)
{
	return uuid_is_none(who->iam_role) ? who->user : who->iam_role;
}

/* True if policies decide on the call: the caller's, or its endpoint's. */
static bool have_voice(const struct call *call, const struct guard_policies *p)
{
	return guard_has_voice(p) || (call->ctx.who && guard_has_endpoint_policy(call));
}

bool guard_has_voice(const struct guard_policies *p)
{
	return p->count || p->boundary || p->has_session;
}

static RESULT check_account(struct guard *guard, struct ctx *c, const struct tables *t,
			    const char *permission, const struct user *user, uuid account,
			    bool *ret_is_allowed)
{
	struct guard_state *s = (struct guard_state *) guard;
	struct guard_state *there = arena_new_object(c->arena, struct guard_state);
	int asked = permission_find(str_from(permission));
	if (!there)
		return ctx_no_memory(c);
	*there = *s;
	if (asked == PERMISSION_NONE)
		return OK;
	(void) guard_must_ask(s, asked, KIND_USER);
	TRY(guard_gather_in(s->guards, c, t, guard_principal(c->who), account, &there->policies));
	if (!guard_has_voice(&there->policies))
		return OK;
	const struct guard_subject subject = {
		.state = there, .tables = t, .kind = KIND_USER, .row = &user->row, .account = account};
	struct policy_question q =
		guard_make_question(&subject, c->arena, asked, str_from(model_permissions[asked].action));
	struct result result = guard_decide(there, c, &q, true, ret_is_allowed);
	s->refusal = there->refusal.n ? there->refusal : s->refusal;
	return result;
}

RESULT guard_check_rest(struct ctx *c)
{
	struct guard_state *s = guard_state_of(c);
	const struct guard_subject subject = {.state = s};
	bool is_allowed = false, is_decided = !s || !s->has_voice || !s->is_open || s->was_asked;
	if (s && s->refused.n) /* the operation skipped the refused row and succeeded; the refusal still
			        * counts */
		return ctx_fail(c, ERR_DENIED, "%" STR_FMT, STR_ARG(s->refused));
	if (s)
		s->is_over = true;
	if (is_decided)
		return OK;
	s->is_open = false;
	struct policy_question q = guard_make_question(&subject, c->arena, s->permission, s->request.action);
	return guard_decide(s, c, &q, s->request.has_role, &is_allowed);
}

void guard_drop_refusal(struct ctx *c)
{
	struct guard_state *s = guard_state_of(c);
	if (s)
		s->refused = STR_NONE;
}

bool guard_awaits_rows(const struct ctx *c)
{
	const struct guard_state *s = guard_state_of(c);
	return s && s->has_voice && s->is_open;
}

RESULT guard_check_role(struct ctx *c, const struct guard_request *r)
{
	if (r->has_role)
		return OK;
	if (r->words == GUARD_OF_OPENSTACK)
		return ctx_fail(c, ERR_DENIED, "Policy doesn't allow %" STR_FMT " to be performed.",
				STR_ARG(r->action));
	return ctx_fail(c, ERR_DENIED,
			"%sUser: %" STR_FMT " is not authorized to perform: %" STR_FMT
			" because no identity-based policy and no role allows the %" STR_FMT " action.",
			r->words == GUARD_OF_EC2 ? "You are not authorized to perform this operation. " : "",
			STR_ARG(guard_write_principal(c->who, c->arena)), STR_ARG(r->action),
			STR_ARG(r->action));
}

/* Actions on one's own identity are also checked against policies of other accounts: engine/people/user_owned.h. */
static bool is_personal(int permission)
{
	return permission != PERMISSION_NONE && engine_is_personal(model_permissions[permission].name);
}

static bool is_narrowed(struct guards *g, const struct identity *who)
{
	if (uuid_is_none(who->application_credential) && uuid_is_none(who->trust))
		return false;
	AUTO_VIEW v;
	view_open(g->store, &v);
	return engine_is_narrowed(v.tables, who, who->account);
}

struct guard_state *guard_new_state(struct guards *g, struct call *call, const struct guard_request *request,
				    int permission, const struct guard_policies *policies)
{
	struct guard_state *s = arena_new_object(call->ctx.arena, struct guard_state);
	bool has_voice = have_voice(call, policies) || (call->ctx.who && guard_is_of_resource(permission));
	if (!s)
		return NULL;
	*s = (struct guard_state){.guard = {.check = check_resource,
					    .check_found = check_found,
					    .check_absent = check_absent,
					    .check_shared = check_shared,
					    .check_beside = check_beside,
					    .check_account = check_account},
				  .guards = g,
				  .call = call,
				  .request = *request,
				  .permission = permission,
				  .policies = *policies,
				  .region = str_from(g->region),
				  .is_open = !request->resource.n &&
					     (request->is_change || !permission_has_no_rows(permission)),
				  .has_voice = has_voice,
				  .is_narrowed = has_voice && is_narrowed(g, call->ctx.who)};
	call->ctx.guard = &s->guard;
	return s;
}

/* Calls of STS that federated sessions may reach: the last two refuse all temporary credentials in STS's words. */
static const char *const open_to_federated[] = {"sts:GetCallerIdentity", "sts:GetSessionToken",
						"sts:GetFederationToken"};

/* IAM and STS are closed to federated sessions whatever policies say, in every face. Without guards nothing would evaluate the
 * session policies. Source: IAM User Guide, "Compare AWS STS credentials". */
static bool is_closed(const struct guards *g, const struct identity *who, const struct guard_request *r)
{
	int permission = g ? guard_find_permission(g, r->action) : PERMISSION_NONE;
	struct str action =
		permission == PERMISSION_NONE ? r->action : str_from(model_permissions[permission].action);
	if (!who || !session_is_federated(who->session))
		return false;
	for (size_t k = 0; k < sizeof open_to_federated / sizeof open_to_federated[0]; k++)
		if (str_is(action, open_to_federated[k]))
			return false;
	return !g || str_starts_with(action, STR("iam:")) || str_starts_with(action, STR("sts:"));
}

static RESULT check_open(const struct guards *g, struct ctx *c, const struct guard_request *r)
{
	if (!is_closed(g, c->who, r))
		return OK;
	return ctx_fail(c, ERR_DENIED, "User: %" STR_FMT " is not authorized to perform: %" STR_FMT,
			STR_ARG(guard_write_principal(c->who, c->arena)), STR_ARG(r->action));
}

/* Collects the caller's policies, and that of the VPC endpoint; none: roles alone decide. */
static RESULT gather_callers(struct guards *g, struct call *call, struct guard_policies *ret_policies)
{
	struct ctx *c = &call->ctx;
	if (g && c->who)
		TRY(guard_read_endpoint(g, call));
	if (!g || !c->who || c->who->is_owner || uuid_is_none(c->who->account))
		return OK;
	TRY(guard_gather(g, c, guard_principal(c->who), c->who->account, ret_policies));
	if (!c->who->session)
		return OK;
	AUTO_VIEW v;
	view_open(g->store, &v);
	struct result result = guard_gather_session(g, c, v.tables, c->who->session, ret_policies);
	view_end_read(&v);
	return result;
}

RESULT guard_ask_actions(struct guards *g, struct call *call, const struct guard_request *requests,
			 size_t count, bool *ret_are_permitted)
{
	struct guard_policies policies = {0};
	struct guard *kept = call->ctx.guard;
	reads_note_outside(); /* policies also ask for the client's address, its user agent and the time */
	TRY(gather_callers(g, call, &policies));
	for (size_t k = 0; k < count; k++) {
		const struct guard_request *r = &requests[k];
		struct policy_decision d = {.effect = r->has_role ? POLICY_ALLOWS : POLICY_SILENT};
		int permission = g ? guard_find_permission(g, r->action) : PERMISSION_NONE;
		if (have_voice(call, &policies)) {
			struct guard_state *s = guard_new_state(g, call, r, permission, &policies);
			call->ctx.guard = kept;
			if (!s)
				return ctx_no_memory(&call->ctx);
			const struct guard_subject subject = {.state = s};
			const struct policy_question q =
				guard_make_question(&subject, call->ctx.arena, permission, r->action);
			decide(s, &q, r->has_role, &d);
		}
		ret_are_permitted[k] = d.effect == POLICY_ALLOWS && !is_closed(g, call->ctx.who, r);
	}
	return OK;
}

/* Leaves a guard in the context of every identified caller; engine_guard_of_roles is static and costs
 * nothing. */
static RESULT leave_guard(struct guards *g, struct call *call, const struct guard_request *request,
			  int permission, const struct guard_policies *policies,
			  struct guard_state **ret_state)
{
	struct ctx *c = &call->ctx;
	*ret_state = NULL;
	bool is_heard = g && g->hear && c->who;
	bool is_asked = c->who && (is_personal(permission) || guard_is_of_resource(permission));
	if (!g || (!have_voice(call, policies) && !is_asked && !is_heard)) {
		c->guard = c->who ? &engine_guard_of_roles : NULL;
		return OK;
	}
	*ret_state = guard_new_state(g, call, request, permission, policies);
	return *ret_state ? OK : ctx_no_memory(c);
}

/* An action that needs no permission is still decided by the policy of the endpoint. */
static RESULT check_endpoint(struct guard_state *s, struct ctx *c)
{
	const struct guard_subject subject = {.state = s};
	struct policy_decision d = {POLICY_ALLOWS, POLICY_BY_ROLE, 0, 0};
	struct policy_question q = guard_make_question(&subject, c->arena, s->permission, s->request.action);
	guard_ask_endpoint(s, &q, &d);
	if (str_is_empty(q.resource))
		q.resource = STR("*");
	return d.effect == POLICY_ALLOWS ? OK : guard_refuse(s, c, &q, &d);
}

RESULT guard_admit(struct guards *g, struct call *call, const struct guard_request *request)
{
	struct guard_policies policies = {0};
	struct guard_state *s = NULL;
	TRY(check_open(g, &call->ctx, request));
	TRY(gather_callers(g, call, &policies));
	int permission = g ? guard_find_permission(g, request->action) : PERMISSION_NONE;
	TRY(leave_guard(g, call, request, permission, &policies, &s));
	if (s)
		s->was_asked = true;
	return s ? check_endpoint(s, &call->ctx) : OK;
}

RESULT guard_admit_proved(struct guards *g, struct call *call, struct store *store, uuid user,
			  const struct guard_request *request)
{
	struct identity *who = NULL;
	TRY(key_find_user(&call->ctx, store, user, &who));
	if (!who)
		return OK;
	call->ctx.who = who;
	return guard_admit(g, call, request);
}

/* True if nothing denies the action and nothing allows it: the policy of the row that the call names may. guard_check_rest() refuses a call
 * that finds no row. */
static bool awaits_resource(const struct guard_state *s, const struct policy_question *q)
{
	struct policy_decision d;
	decide(s, q, s->request.has_role, &d);
	return d.effect == POLICY_SILENT && d.by != GUARD_BY_ENDPOINT;
}

RESULT guard_check_action(struct guards *g, struct call *call, const struct guard_request *request)
{
	struct ctx *c = &call->ctx;
	struct guard_policies policies = {0};
	bool is_allowed = false;
	TRY(check_open(g, c, request));
	TRY(gather_callers(g, call, &policies));
	int permission = g ? guard_find_permission(g, request->action) : PERMISSION_NONE;
	bool has_voice = have_voice(call, &policies);
	bool is_of_resource = g && c->who && guard_is_of_resource(permission);
	if (!has_voice && !is_of_resource)
		TRY(guard_check_role(c, request));
	struct guard_state *s = NULL;
	TRY(leave_guard(g, call, request, permission, &policies, &s));
	if (!has_voice && !is_of_resource)
		return OK;
	const struct guard_subject subject = {.state = s};
	struct policy_question q = guard_make_question(&subject, c->arena, s->permission, request->action);
	if (is_of_resource && s->is_open && awaits_resource(s, &q))
		return OK;
	return guard_decide(s, c, &q, request->has_role, &is_allowed);
}
