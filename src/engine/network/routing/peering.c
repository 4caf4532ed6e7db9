/* SPDX-License-Identifier: Apache-2.0
 * Peerings of routers. The reconciler (reconcile/network/router.c) deploys both routers again, with the peering or
 * without. */
#include "engine/network/routing/peering.h"

#include "base/clock.h"
#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/routing/peering_internal.h"
#include "engine/network/routing/router.h"
#include "engine/tag_internal.h"
#include "model/states.h"
#include "store/account.h"
#include "store/peering.h"
#include "store/router.h"

static const char no_such_peer[] = "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range";

/* ---- visibility ---- */

static int64_t shown_for_us(const struct peering *p, uuid account)
{
	bool is_one = uuid_equal(p->account, p->peer_account);
	bool is_requester = uuid_equal(account, p->account);
	switch (p->outcome) {
	case PEERING_OUTCOME_NONE:
	case PEERING_OUTCOME_EXPIRED:
		break;
	case PEERING_OUTCOME_FAILED:
		return is_requester ? 2 * HOUR : 0;
	case PEERING_OUTCOME_REJECTED:
		return is_requester && !is_one ? 2 * 24 * HOUR : 2 * HOUR;
	case PEERING_OUTCOME_DELETED:
		return uuid_equal(account, p->ended_by) ? 2 * HOUR : 2 * 24 * HOUR;
	}
	return 2 * 24 * HOUR;
}

bool engine_is_peering_shown(const struct peering *p, uuid account)
{
	int64_t now_us = clock_now_us();
	if (p->ended_us == 0)
		return true;
	if (uuid_equal(account, p->account) || uuid_equal(account, p->peer_account))
		return now_us < p->ended_us + shown_for_us(p, account);
	return now_us < p->ended_us + shown_for_us(p, p->account) ||
	       now_us < p->ended_us + shown_for_us(p, p->peer_account);
}

uuid engine_get_peer(const struct peering *p, uuid router)
{
	if (uuid_equal(p->router, router))
		return p->peer_router;
	return uuid_equal(p->peer_router, router) ? p->router : UUID_NONE;
}

/* ---- peerings of a router ---- */

static bool is_with_itself(const struct peering *p)
{
	return uuid_equal(p->router, p->peer_router);
}

/* First peerings that the router requested, then those requested of it. A (failed) request of a router to
 * itself is in both indexes and returned from the first only. */
const struct peering *engine_next_peering(const struct tables *t, uuid router, const struct peering *p)
{
	if (!p || uuid_equal(p->router, router)) {
		p = p ? peering_next_by_router(t, p) : peering_first_by_router(t, router);
		if (p)
			return p;
		p = peering_first_by_peer_router(t, router);
	} else {
		p = peering_next_by_peer_router(t, p);
	}
	while (p && is_with_itself(p))
		p = peering_next_by_peer_router(t, p);
	return p;
}

static bool is_pending(const struct peering *p)
{
	return row_is_live(&p->row) && !p->is_accepted;
}

static bool is_accepted(const struct peering *p)
{
	return row_is_live(&p->row) && p->is_accepted;
}

const struct peering *peering_find_between(const struct tables *t, uuid router, uuid peer)
{
	const struct peering *p = engine_next_peering(t, router, NULL);
	while (p && !(is_accepted(p) && uuid_equal(engine_get_peer(p, router), peer)))
		p = engine_next_peering(t, router, p);
	return p;
}

bool engine_resolves_for_peer(const struct tables *t, uuid asker, uuid owner)
{
	const struct peering *p = peering_find_between(t, owner, asker);
	if (!p)
		return false;
	return uuid_equal(p->router, owner) ? p->resolves : p->peer_resolves;
}

static bool overlap(const struct cidrs *a, struct cidr block)
{
	for (size_t k = 0; k < a->count; k++)
		if (cidr_overlaps(a->at[k], block))
			return true;
	return false;
}

static bool do_blocks_overlap(const struct router *a, const struct router *b)
{
	for (size_t k = 0; k < b->blocks.count; k++)
		if (overlap(&a->blocks, b->blocks.at[k]))
			return true;
	return false;
}

/* ---- creation ---- */

struct peering_plan {
	const struct router *router, *peer; /* peer NULL: there is no such router */
	const struct account *peer_account; /* NULL: there is no such account */
	struct tags tags;
};

static RESULT resolve_router(struct op *op, const struct ref *ref, const struct router **ret_router)
{
	TRY(engine_find_own_router(op->ctx, op->head, ref, ret_router));
	if ((*ret_router)->blocks.count)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_ROUTER, ref->field,
			   "The VPC '%" STR_FMT "' has no CIDR block of its own, and no peerings.",
			   STR_ARG(ref->text));
}

static bool is_number(struct str s)
{
	size_t digits = 0;
	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	return digits == s.n && s.n == 12;
}

static RESULT resolve_peer(struct op *op, const struct peering_wish *wish, uuid own,
			   struct peering_plan *plan)
{
	const struct row *row = NULL;
	const struct account *account = str_is_empty(wish->peer_owner)
						? account_find(op->head, own)
						: account_find_by_number(op->head, wish->peer_owner);
	if (!str_is_empty(wish->peer_owner) && !is_number(wish->peer_owner))
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("PeerOwnerId"),
				      "Value (%" STR_FMT
				      ") for parameter peerOwnerId is invalid. An account has 12 digits.",
				      STR_ARG(wish->peer_owner));
	if (!account || !row_is_live(&account->row))
		return OK;
	plan->peer_account = account;
	/* AWS: "the VPC resource for the CreateVpcPeeringConnection action is always the requester VPC" */
	if (!result_is_ok(engine_look_up_foreign(op->ctx, op->head, KIND_ROUTER, &wish->peer_router, &row))) {
		ctx_clear_problem(op->ctx); /* the peering fails, not the call */
		return OK;
	}
	const struct router *peer = router_of(row);
	if (uuid_equal(peer->account, account->row.id) && peer->blocks.count)
		plan->peer = peer;
	return OK;
}

/* The live peering from that router to that peer, or NULL. */
static const struct peering *find_same(const struct tables *t, const struct peering_plan *plan)
{
	const struct peering *p = peering_first_by_router(t, plan->router->row.id);
	while (p && !(plan->peer && row_is_live(&p->row) && uuid_equal(p->peer_router, plan->peer->row.id)))
		p = peering_next_by_router(t, p);
	return p;
}

static RESULT check_pending(struct op *op, const struct router *router, struct str field)
{
	size_t count = 0;
	for (const struct peering *p = peering_first_by_router(op->head, router->row.id); p;
	     p = peering_next_by_router(op->head, p))
		count += is_pending(p);
	if (count < PEERINGS_PENDING_MAX)
		return OK;
	return ENGINE_FAIL(op, ERR_QUOTA, KIND_PEERING, field,
			   "The VPC has %d peering requests that nobody has accepted: there may be no more.",
			   PEERINGS_PENDING_MAX);
}

static RESULT write_peering(struct op *op, const struct peering_wish *wish, const struct peering_plan *plan,
			    uuid *ret_peering)
{
	struct peering p = {.row.id = engine_new_id(op, KIND_PEERING),
			    .row.gen = 1,
			    .account = plan->router->account,
			    .router = plan->router->row.id,
			    .peer_owner_text =
				    plan->peer_account ? plan->peer_account->number : wish->peer_owner,
			    .peer_router_text = wish->peer_router.text,
			    .tags = plan->tags};
	if (plan->peer_account)
		p.peer_account = plan->peer_account->row.id;
	if (plan->peer) {
		p.peer_router = plan->peer->row.id;
		p.peer_router_text =
			id_to_ec2(op->ctx->arena, KIND_ROUTER, p.peer_router); /* only EC2's API shows it */
	}
	if (!plan->peer || do_blocks_overlap(plan->router, plan->peer)) {
		p.outcome = PEERING_OUTCOME_FAILED;
		p.outcome_text = str_from(no_such_peer);
		p.ended_us = p.row.deleted_us = op->now_us;
	}
	TRY(peering_put(op, &p));
	*ret_peering = p.row.id;
	return engine_log_event(op, KIND_PEERING, &p.row, p.ended_us ? "failed" : "created",
				"Peering with %" STR_FMT " of account %" STR_FMT ".",
				STR_ARG(p.peer_router_text), STR_ARG(p.peer_owner_text));
}

RESULT engine_create_peering(struct op *op, struct peering_wish *wish)
{
	struct peering_plan plan = {0};
	TRY(resolve_router(op, &wish->router, &plan.router));
	TRY(resolve_peer(op, wish, plan.router->account, &plan));
	TRY(tag_normalize(op, wish->tags, &plan.tags));
	const struct peering planned = {.account = plan.router->account,
					.router = plan.router->row.id,
					.peer_router = plan.peer ? plan.peer->row.id : UUID_NONE,
					.tags = plan.tags};
	TRY(engine_permit(op, "peering.create", KIND_ROUTER, &plan.router->row));
	TRY(engine_permit_new(op, "peering.create", KIND_PEERING, &planned.row));
	const struct peering *same = find_same(op->head, &plan);
	if (same) {
		wish->peering = same->row.id;
		return OK;
	}
	TRY(check_pending(op, plan.router, wish->router.field));
	TRY(limit_check(op, LIMIT_PEERINGS, plan.router->row.id, 1, wish->router.field));
	return write_peering(op, wish, &plan, &wish->peering);
}

/* ---- acceptance and end ---- */

static RESULT end_peering(struct op *op, const struct peering *peering, enum peering_outcome outcome,
			  struct str text)
{
	struct peering next = *peering;
	next.outcome = outcome;
	next.outcome_text = text;
	next.ended_by = engine_get_account(op->ctx);
	if (!peering->is_accepted) /* a pending peering is not deployed, so there is nothing to wait for */
		next.ended_us = op->now_us;
	TRY(peering_put(op, &next));
	TRY(peering_delete(op, next.row.id));
	return engine_log_event(op, KIND_PEERING, &next.row, peering_outcome_words[outcome], "%" STR_FMT ".",
				STR_ARG(text));
}

/* Fails if the caller is not the side (`account`) that may do this. Both sides see the peering, so
 * ERR_PROTECTED tells them nothing new. */
static RESULT check_is(struct op *op, const struct peering *p, uuid account, const char *verb)
{
	uuid own = engine_get_account(op->ctx);
	if (identity_is_admin(op->ctx->who) || uuid_equal(account, own))
		return OK;
	const struct account *caller = account_find(op->head, own);
	return ctx_fail_kind(op->ctx, ERR_PROTECTED, KIND_PEERING,
			     "User (%" STR_FMT ") cannot %s peering %" STR_FMT,
			     STR_ARG(caller ? caller->number : STR_NONE), verb,
			     STR_ARG(engine_write_id(op, KIND_PEERING, p->row.id)));
}

static RESULT fail_state(struct op *op, const struct peering *p, const struct ref *ref, const char *to)
{
	return ENGINE_FAIL(op, ERR_STATE, KIND_PEERING, ref->field,
			   "Invalid state transition for %" STR_FMT ", attempted to transition from %s to %s",
			   STR_ARG(ref->text), model_peering_states[model_derive_peering_state(p)].ec2, to);
}

static bool has_expired(const struct op *op, const struct peering *p)
{
	return op->now_us >= p->row.created_us + PEERING_EXPIRES_US;
}

static RESULT find_pending(struct op *op, const struct peering_target *wish, const char *permission,
			   const char *verb, const char *to, const struct peering **ret_peering)
{
	TRY(engine_find_peering(op->ctx, op->head, &wish->peering, ret_peering));
	const struct router *peer = router_find(op->head, (*ret_peering)->peer_router);
	TRY(check_is(op, *ret_peering, (*ret_peering)->peer_account, verb));
	TRY(engine_permit(op, permission, KIND_PEERING, &(*ret_peering)->row));
	if (!is_pending(*ret_peering) || has_expired(op, *ret_peering) || !peer)
		return fail_state(op, *ret_peering, &wish->peering, to);
	return OK;
}

static RESULT check_room(struct op *op, uuid router, const struct ref *ref)
{
	size_t count = 0;
	for (const struct peering *p = engine_next_peering(op->head, router, NULL); p;
	     p = engine_next_peering(op->head, router, p))
		count += is_accepted(p);
	if (count < PEERINGS_ACTIVE_MAX)
		return OK;
	return ENGINE_FAIL(op, ERR_QUOTA, KIND_PEERING, ref->field,
			   "The VPC %" STR_FMT " has %d peerings: there may be no more.",
			   STR_ARG(engine_write_id(op, KIND_ROUTER, router)), PEERINGS_ACTIVE_MAX);
}

static bool is_link_of(const struct tables *t, uuid router, int64_t link)
{
	const struct peering *p = engine_next_peering(t, router, NULL);
	while (p && !(p->is_accepted && p->ended_us == 0 && p->link == link))
		p = engine_next_peering(t, router, p);
	return p != NULL;
}

/* Lowest link number that neither router uses. A peering that is being removed still holds its number. */
static int64_t choose_link(const struct tables *t, const struct peering *peering)
{
	int64_t link = 0;
	while (is_link_of(t, peering->router, link) || is_link_of(t, peering->peer_router, link))
		link++;
	return link;
}

enum { LINKS_MAX = 4096 }; /* link addresses that the network has */

RESULT engine_accept_peering(struct op *op, struct peering_target *wish)
{
	const struct peering *p = NULL;
	TRY(find_pending(op, wish, "peering.accept", "accept", "active", &p));
	TRY(engine_permit(op, "peering.accept", KIND_ROUTER, &router_find(op->head, p->peer_router)->row));
	if (peering_find_between(op->head, p->router, p->peer_router))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_PEERING, wish->peering.field,
				   "The vpc peering connection identified by %" STR_FMT " already exists.",
				   STR_ARG(wish->peering.text));
	TRY(check_room(op, p->router, &wish->peering));
	TRY(check_room(op, p->peer_router, &wish->peering));
	struct peering next = *p;
	next.is_accepted = true;
	next.link = choose_link(op->head, p);
	next.row.gen++;
	if (next.link >= LINKS_MAX)
		return ctx_fail(op->ctx, ERR_AGAIN, "Too many peerings of these VPCs are being deleted.");
	TRY(peering_put(op, &next));
	wish->made = p->row.id;
	return engine_log_event(op, KIND_PEERING, &next.row, "accepted", "It leads where routes say so.");
}

static struct str write_by(struct op *op, const char *what)
{
	const struct account *caller = account_find(op->head, engine_get_account(op->ctx));
	return str_print(op->ctx->arena, "%s by %" STR_FMT, what,
			 STR_ARG(caller ? caller->number : STR("the operator")));
}

RESULT engine_reject_peering(struct op *op, struct peering_target *wish)
{
	const struct peering *p = NULL;
	TRY(find_pending(op, wish, "peering.reject", "reject", "rejected", &p));
	wish->made = p->row.id;
	return end_peering(op, p, PEERING_OUTCOME_REJECTED, write_by(op, "Rejected"));
}

RESULT engine_delete_peering(struct op *op, struct peering_target *wish)
{
	const struct peering *p = NULL;
	TRY(engine_find_peering(op->ctx, op->head, &wish->peering, &p));
	TRY(engine_permit(op, "peering.delete", KIND_PEERING, &p->row));
	wish->made = p->row.id;
	if (p->outcome == PEERING_OUTCOME_DELETED)
		return OK;
	if (!row_is_live(&p->row))
		return fail_state(op, p, &wish->peering, "deleted");
	if (!p->is_accepted)
		TRY(check_is(op, p, p->account, "delete"));
	return end_peering(op, p, PEERING_OUTCOME_DELETED, write_by(op, "Deleted"));
}

/* ---- options ---- */

static RESULT check_names(struct op *op, enum choice choice, uuid router, const struct ref *ref)
{
	if (choice != CHOICE_YES || engine_has_hostnames(router_find(op->head, router)))
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_PEERING, STR("AllowDnsResolutionFromRemoteVpc"),
			   "To enable DNS hostname resolution for the VPC peering connection %" STR_FMT
			   ", DNS hostname support must be enabled for the VPC %" STR_FMT ".",
			   STR_ARG(ref->text), STR_ARG(engine_write_id(op, KIND_ROUTER, router)));
}

RESULT engine_set_peering_options(struct op *op, struct peering_options *wish)
{
	const struct peering *p = NULL;
	TRY(engine_find_peering(op->ctx, op->head, &wish->peering, &p));
	if (wish->resolves != CHOICE_DEFAULT)
		TRY(check_is(op, p, p->account, "modify the requester's options of"));
	if (wish->peer_resolves != CHOICE_DEFAULT)
		TRY(check_is(op, p, p->peer_account, "modify the accepter's options of"));
	TRY(engine_permit(op, "peering.set_options", KIND_PEERING, &p->row));
	if (!is_accepted(p))
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_PEERING, wish->peering.field,
				   "Peering %" STR_FMT
				   " is not active. Options can be set of active peerings only.",
				   STR_ARG(wish->peering.text));
	TRY(check_names(op, wish->resolves, p->router, &wish->peering));
	TRY(check_names(op, wish->peer_resolves, p->peer_router, &wish->peering));
	struct peering next = *p;
	choice_apply(wish->resolves, &next.resolves);
	choice_apply(wish->peer_resolves, &next.peer_resolves);
	TRY(peering_put(op, &next));
	wish->made = p->row.id;
	return engine_log_event(
		op, KIND_PEERING, &next.row, "changed",
		"Public names resolve to private addresses: the requester's %s, the accepter's %s.",
		next.resolves ? "yes" : "no", next.peer_resolves ? "yes" : "no");
}

/* ---- routers ---- */

/* True if the peering must be ended before its router is deleted. A request of another account counts,
 * because its owner should answer it first. */
static bool holds(const struct peering *p, uuid router)
{
	return is_accepted(p) || (is_pending(p) && uuid_equal(p->peer_router, router) &&
				  !uuid_equal(p->account, p->peer_account));
}

bool peering_holds_router(const struct tables *t, uuid router)
{
	const struct peering *p = engine_next_peering(t, router, NULL);
	while (p && !holds(p, router))
		p = engine_next_peering(t, router, p);
	return p != NULL;
}

RESULT peering_leave_router(struct op *op, uuid router)
{
	for (const struct peering *p = engine_next_peering(op->head, router, NULL); p;
	     p = engine_next_peering(op->head, router, p))
		if (is_pending(p))
			TRY(end_peering(op, p, PEERING_OUTCOME_DELETED, write_by(op, "Deleted")));
	return OK;
}

const char *peering_refuses_block(const struct tables *t, const struct router *router, struct cidr block)
{
	const char *why = NULL;
	for (const struct peering *p = engine_next_peering(t, router->row.id, NULL); p;
	     p = engine_next_peering(t, router->row.id, p)) {
		const struct router *peer = router_find(t, engine_get_peer(p, router->row.id));
		if (is_pending(p) && uuid_equal(p->router, router->row.id))
			why = "is not added while a peering that the VPC asked for is pending";
		else if (is_accepted(p) && peer && overlap(&peer->blocks, block))
			why = "overlaps with a CIDR block of a peer VPC";
	}
	return why;
}

RESULT peering_fail_overlapping(struct op *op, const struct router *router, struct cidr block)
{
	for (const struct peering *p = peering_first_by_peer_router(op->head, router->row.id); p;
	     p = peering_next_by_peer_router(op->head, p)) {
		const struct router *peer = router_find(op->head, p->router);
		if (is_pending(p) && peer && overlap(&peer->blocks, block))
			TRY(end_peering(op, p, PEERING_OUTCOME_FAILED, str_from(no_such_peer)));
	}
	return OK;
}

/* ---- reports of the reconciler ---- */

RESULT engine_see_peering(struct op *op, struct peering_report *report)
{
	const struct peering *p = peering_find(op->head, report->peering);
	if (!p || !p->is_accepted || p->ended_us != 0)
		return OK;
	struct peering next = *p;
	int64_t *seen = uuid_equal(p->router, report->router) ? &next.seen_gen : &next.peer_seen_gen;
	if ((int64_t) report->gen > *seen)
		*seen = (int64_t) report->gen;
	bool is_gone = !row_is_live(&p->row) && next.seen_gen >= (int64_t) p->row.gen &&
		       next.peer_seen_gen >= (int64_t) p->row.gen;
	if (is_gone)
		next.ended_us = op->now_us;
	return peering_put(op, &next);
}

RESULT engine_expire_peering(struct op *op, struct peering_report *report)
{
	const struct peering *p = peering_find(op->head, report->peering);
	if (!p || !is_pending(p))
		return OK;
	if (!has_expired(op, p))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_PEERING, "The peering may still be accepted.");
	return end_peering(op, p, PEERING_OUTCOME_EXPIRED, STR("Expired: it was not accepted within 7 days"));
}

RESULT engine_forget_peering(struct op *op, struct peering_report *report)
{
	const struct peering *p = peering_find(op->head, report->peering);
	if (!p)
		return OK;
	if (p->ended_us == 0 || engine_is_peering_shown(p, UUID_NONE))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_PEERING, "The peering is still shown.");
	return peering_forget(op, report->peering);
}
