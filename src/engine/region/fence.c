/* SPDX-License-Identifier: Apache-2.0
 * Fences: requested, confirmed or failed, ended. reconcile/host/fence.c turns hosts off, evacuates them, and
 * clears them when they return. Called by: api/native/hosts.c. */
#include "engine/region/fence.h"

#include <inttypes.h>

#include "engine/condition_internal.h"
#include "engine/instance/placement/instance_evacuate.h"
#include "engine/internal.h"
#include "engine/region/fence_internal.h"
#include "engine/region/fence_plan.h"
#include "engine/region/host.h"
#include "engine/region/region.h"
#include "engine/tag_internal.h"
#include "store/fence.h"
#include "store/host.h"
#include "store/instance.h"

enum {
	TRIES_MAX = 3 /* then a person must say that the host is off: instances stay where they are */,
	RECORDS_MAX = 20 /* per host */,
	LEFT_MAX = 4096,
	REASON_MAX_SIZE = 255,
	ADDRESSES_MAX = 16
};

/* A host's conditions. */
#define ASKED_OFF "Fencing"
#define IS_OFF "Fenced"
#define NOT_OFF "FenceFailed"
#define HELD "FenceHeld"

/* ---- queries ---- */

const struct fence *engine_last_fence(const struct tables *t, uuid host)
{
	const struct fence *last = NULL;
	for (const struct fence *f = fence_first_by_host(t, host); f; f = fence_next_by_host(t, f))
		if (!last || f->row.created_us >= last->row.created_us)
			last = f;
	return last;
}

const struct fence *engine_find_fence(const struct tables *t, uuid host)
{
	const struct fence *f = tables_count(t, KIND_FENCE) ? fence_first_by_host(t, host) : NULL;
	while (f && f->ended_us)
		f = fence_next_by_host(t, f);
	return f;
}

/* NULL: the host has no confirmed fence, or has answered since. */
static const struct fence *find_confirmed(const struct tables *t, uuid host)
{
	const struct host *h = uuid_is_none(host) ? NULL : host_find(t, host);
	const struct fence *f = h ? engine_find_fence(t, host) : NULL;
	bool is = f && f->stage == FENCE_STAGE_CONFIRMED && !f->returned_us &&
		  h->seen_state != HOST_SEEN_STATE_UP;
	return is ? f : NULL;
}

bool engine_is_host_off(const struct tables *t, uuid host)
{
	const struct fence *f = find_confirmed(t, host);
	return f && f->proof != FENCE_PROOF_BLOCKLIST;
}

bool engine_is_host_fenced(const struct tables *t, uuid host)
{
	return find_confirmed(t, host) != NULL;
}

bool engine_is_let_go(const struct tables *t, uuid host, uuid instance)
{
	const struct fence *f = find_confirmed(t, host);
	return f && (f->proof != FENCE_PROOF_BLOCKLIST || engine_lies_in_ceph(t, instance));
}

int64_t engine_get_fence_after_us(const struct tables *t, const struct host *host)
{
	int64_t after_s = host->fence_after_s;
	if (after_s == 0)
		after_s = engine_get_number(t, SETTING_FENCE_AFTER_S, FENCE_AFTER_S);
	return (host->fence_command.n || fence_can_block(t, host)) && after_s > 0 ? after_s * SECOND : 0;
}

/* ---- fence devices ---- */

static bool is_option(const struct tag *option)
{
	for (size_t n = 0; n < option->key.n; n++)
		if (!str_is_alphanumeric(option->key.p[n]) && !strchr("_-", option->key.p[n]))
			return false;
	for (size_t n = 0; n < option->value.n; n++)
		if ((unsigned char) option->value.p[n] < ' ')
			return false;
	return option->key.n > 0 && !str_is(option->key, "action");
}

static RESULT check_addresses(struct op *op, const struct host *host, struct strs addresses)
{
	for (size_t k = 0; k < addresses.count; k++)
		if (!fence_is_address(host, addresses.at[k]))
			return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("blocklist"),
					   "'%" STR_FMT "' is no address of IPv4 or IPv6.",
					   STR_ARG(addresses.at[k]));
	return addresses.count <= ADDRESSES_MAX
		       ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("blocklist"),
				     "%d addresses at most can be said.", ADDRESSES_MAX);
}

static RESULT check_device(struct op *op, const struct host *host, const struct fence_device_wish *wish)
{
	if (wish->command.n && (wish->command.p[0] != '/' || !str_is_xml_text(wish->command)))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("command"),
				   "The fence command is named by its whole path.");
	if (!wish->command.n && (wish->options.count || wish->secret.n))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("command"),
				   "Options are for a fence command, and none is named.");
	for (size_t k = 0; k < wish->options.count; k++)
		if (!is_option(&wish->options.at[k]))
			return ENGINE_FAIL(
				op, ERR_INVALID, KIND_HOST, STR("option"),
				"'%" STR_FMT
				"' is no option of a fence command: names have letters, digits, '_' and "
				"'-', values are one line, and the action is not to be chosen.",
				STR_ARG(wish->options.at[k].key));
	TRY(check_addresses(op, host, wish->addresses));
	bool is_time = wish->after_s == 0 || wish->after_s == -1 ||
		       (wish->after_s >= FENCE_AFTER_S_MIN && wish->after_s <= FENCE_AFTER_S_MAX);
	return is_time ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("after-s"),
				     "A host is turned off after %d to %d seconds of silence, or never.",
				     FENCE_AFTER_S_MIN, FENCE_AFTER_S_MAX);
}

RESULT engine_set_fence_device(struct op *op, struct fence_device_wish *wish)
{
	const struct host *host = NULL;
	TRY(engine_permit_host(op, &wish->host, "host.enable", &host));
	TRY(check_device(op, host, wish));
	struct host next = *host;
	next.fence_command = wish->command;
	TRY(tag_normalize(op, wish->options, &next.fence_options));
	next.fence_secret = wish->secret;
	next.fence_addresses = wish->addresses;
	next.fence_after_s = wish->after_s;
	next.row.gen++;
	TRY(host_put(op, &next));
	if (next.fence_command.n)
		return engine_log_event(op, KIND_HOST, &next.row, "fence device set", "%" STR_FMT,
					STR_ARG(next.fence_command));
	return engine_log_event(op, KIND_HOST, &next.row, "fence device set",
				next.fence_addresses.count ? "Ceph keeps it out." : "It has none.");
}

/* ---- rows ---- */

/* Forgets the oldest ended fence of the host. */
static RESULT forget_oldest(struct op *op, uuid host)
{
	const struct fence *oldest = NULL;
	size_t count = 0;
	for (const struct fence *f = fence_first_by_host(op->head, host); f;
	     f = fence_next_by_host(op->head, f), count++)
		if (f->ended_us && (!oldest || f->row.created_us < oldest->row.created_us))
			oldest = f;
	return oldest && count >= RECORDS_MAX ? fence_forget(op, oldest->row.id) : OK;
}

static RESULT put_new(struct op *op, const struct host *host, bool by_operator, struct str reason,
		      struct fence *ret_fence)
{
	*ret_fence = (struct fence){.row.id = engine_new_id(op, KIND_FENCE),
				    .row.gen = 1,
				    .host = host->row.id,
				    .boot_id = host->seen_boot_id,
				    .asked_by = by_operator ? FENCE_ASKED_BY_OPERATOR : FENCE_ASKED_BY_REGION,
				    .reason = reason};
	TRY(forget_oldest(op, host->row.id));
	TRY(condition_clear(op, host->row.id, STR(NOT_OFF)));
	TRY(condition_clear(op, host->row.id, STR(HELD)));
	return fence_put(op, ret_fence);
}

/* Reports the attempt in progress. */
static RESULT tell_asked(struct op *op, const struct host *host, const struct fence *f)
{
	struct str words =
		f->problem.n
			? str_print(op->ctx->arena,
				    "The host is being turned off. Attempt %" PRId64 ": %" STR_FMT, f->tries,
				    STR_ARG(f->problem))
			: STR("The host is being turned off. Its instances start elsewhere once it is off.");
	return condition_set(
		op, KIND_HOST, host->row.id, ASKED_OFF, words,
		"If its fence command fails, check yourself that the host is off, then run `dari host "
		"fenced NAME --i-have-seen-it-off`.");
}

static RESULT ask(struct op *op, const struct host *host, bool by_operator, struct str reason)
{
	struct fence f;
	struct str room = STR_NONE;
	TRY(put_new(op, host, by_operator, reason, &f));
	if (!host->fence_command.n &&
	    fence_can_block(op->head, host)) { /* recorded before anything is blocked */
		f.blocked = fence_get_addresses(host, &room);
		TRY(fence_put(op, &f));
	}
	TRY(tell_asked(op, host, &f));
	return engine_log_event(op, KIND_HOST, &host->row, "fence asked", "%" STR_FMT, STR_ARG(reason));
}

static const char *const proof_words[] = {
	[FENCE_PROOF_NONE] = "",
	[FENCE_PROOF_COMMAND] = "Its fence command turned it off, and found it so.",
	[FENCE_PROOF_WORD] = "An operator has seen that it is off.",
	[FENCE_PROOF_BOOT] = "It came back with another boot: nothing of before runs there.",
	[FENCE_PROOF_BLOCKLIST] = "Ceph keeps it out: what its guests had open there is theirs no more.",
};

static RESULT confirm(struct op *op, const struct host *host, const struct fence *f, enum fence_proof proof)
{
	struct fence next = *f;
	next.stage = FENCE_STAGE_CONFIRMED;
	next.proof = proof;
	next.confirmed_us = op->now_us;
	next.row.gen++;
	if (proof == FENCE_PROOF_BOOT) /* its instances start there again */
		next.returned_us = next.ended_us = op->now_us;
	TRY(fence_put(op, &next));
	TRY(condition_clear(op, host->row.id, STR(ASKED_OFF)));
	TRY(condition_clear(op, host->row.id, STR(NOT_OFF)));
	if (!next.ended_us)
		TRY(condition_set(
			op, KIND_HOST, host->row.id, IS_OFF, str_from(proof_words[proof]),
			"Its instances are started elsewhere where their disks are seen; the others wait "
			"for it. Turn it on when it is well: what it has of those that left is removed "
			"before anything else."));
	return engine_log_sentence(op, KIND_HOST, &host->row, "fenced", proof_words[proof]);
}

static RESULT fail(struct op *op, const struct host *host, const struct fence *f, struct str problem)
{
	struct fence next = *f;
	next.stage = FENCE_STAGE_FAILED;
	next.problem = problem;
	next.ended_us = op->now_us;
	next.row.gen++;
	TRY(fence_put(op, &next));
	TRY(condition_clear(op, host->row.id, STR(ASKED_OFF)));
	return engine_log_event(op, KIND_HOST, &host->row, "fence failed", "%" STR_FMT, STR_ARG(problem));
}

/* ---- for operators ---- */

static RESULT check_silent(struct op *op, const struct host *host, const struct ref *ref)
{
	if (host->seen_state != HOST_SEEN_STATE_UP)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_HOST, ref->field,
			   "The host '%" STR_FMT "' answers: it is not off.", STR_ARG(host->name));
}

RESULT engine_ask_fence(struct op *op, struct fence_asking *wish)
{
	const struct host *host = NULL;
	TRY(engine_permit_host(op, &wish->host, "host.enable", &host));
	TRY(check_silent(op, host, &wish->host));
	if (wish->reason.n > REASON_MAX_SIZE || !str_is_xml_text(wish->reason))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("reason"),
				   "A reason has up to %d characters.", REASON_MAX_SIZE);
	const struct fence *f = engine_find_fence(op->head, host->row.id);
	if (f && f->stage == FENCE_STAGE_ASKED)
		return OK;
	if (f)
		return ENGINE_FAIL(op, ERR_STATE, KIND_HOST, wish->host.field,
				   "The host '%" STR_FMT "' is off already.", STR_ARG(host->name));
	if (!host->fence_command.n && !fence_can_block(op->head, host))
		return ENGINE_FAIL(
			op, ERR_UNSUPPORTED, KIND_HOST, wish->host.field,
			"The host '%" STR_FMT
			"' has no fence command: `dari host set-fence` names one, or `dari host fenced` "
			"takes your word.",
			STR_ARG(host->name));
	return ask(op, host, true, wish->reason.n ? wish->reason : STR("An operator asked for it."));
}

RESULT engine_vouch_fence(struct op *op, struct fence_word *wish)
{
	const struct host *host = NULL;
	TRY(engine_permit_host(op, &wish->host, "host.enable", &host));
	TRY(check_silent(op, host, &wish->host));
	struct fence made;
	const struct fence *f = engine_find_fence(op->head, host->row.id);
	if (f && f->stage == FENCE_STAGE_CONFIRMED)
		return OK;
	if (!f) {
		TRY(put_new(op, host, true,
			    str_print(op->ctx->arena, "%" STR_FMT " has seen that it is off.",
				      STR_ARG(wish->who)),
			    &made));
		f = &made;
	}
	return confirm(op, host, f, FENCE_PROOF_WORD);
}

/* ---- automatic fencing ---- */

static bool is_in_service(const struct host *h)
{
	return engine_is_host_open(h) && !h->forced_down;
}

static struct fence_plan_input gather_plan(const struct op *op, const struct host *host,
					   bool is_chassis_stale)
{
	const struct fence *last = engine_last_fence(op->head, host->row.id);
	struct fence_plan_input in = {
		.is_silent = host->seen_state == HOST_SEEN_STATE_DOWN,
		.is_chassis_stale = is_chassis_stale,
		.has_command = host->fence_command.n > 0 || fence_can_block(op->head, host),
		.is_wanted = is_in_service(host),
		.is_under_way = last && !last->ended_us,
		.silent_us = host->seen_since_us,
		.failed_us = last && last->stage == FENCE_STAGE_FAILED ? last->ended_us : 0,
		.after_us = engine_get_fence_after_us(op->head, host),
		.now_us = op->now_us,
	};
	for (const struct host *h = host_first(op->head); h; h = host_next(op->head, h)) {
		if (!is_in_service(h))
			continue;
		in.hosts++;
		in.lost += h->seen_state == HOST_SEEN_STATE_DOWN || engine_find_fence(op->head, h->row.id);
	}
	return in;
}

RESULT engine_consider_fence(struct op *op, struct fence_considering *wish)
{
	const struct host *host = host_find(op->head, wish->host);
	if (!host)
		return OK;
	struct fence_plan_input in = gather_plan(op, host, wish->is_chassis_stale);
	switch (fence_plan_turn(&in)) {
	case FENCE_TURN_NONE:
		return OK;
	case FENCE_TURN_ASK:
		return ask(op, host, false,
			   str_print(op->ctx->arena,
				     "libvirt and its OVN chassis have not answered for %" PRId64 " seconds.",
				     (op->now_us - in.silent_us) / SECOND));
	case FENCE_TURN_HELD:
		return condition_set(op, KIND_HOST, host->row.id, HELD,
				     str_print(op->ctx->arena,
					       "%zu of %zu hosts do not answer, more than %zu: no host is "
					       "turned off automatically, because the control machine's own "
					       "network may be at fault.",
					       in.lost, in.hosts, fence_plan_limit(in.hosts)),
				     "Check whether this machine reaches its hosts. `dari host fence` turns "
				     "a host off anyway. Disabled hosts do not count.");
	}
	return FAIL(INTERNAL);
}

/* ---- for the reconciler ---- */

static RESULT note_try(struct op *op, const struct host *host, const struct fence *f, struct str problem)
{
	struct fence next = *f;
	next.tries++;
	next.problem = problem;
	if (next.tries < TRIES_MAX || next.blocked.count) { /* it may be blocked in part, so the attempts
							     * continue */
		TRY(fence_put(op, &next));
		return tell_asked(op, host, &next);
	}
	TRY(fail(op, host, &next, problem));
	return condition_set(
		op, KIND_HOST, host->row.id, NOT_OFF,
		str_print(op->ctx->arena,
			  "The host could not be turned off, so its instances do not start elsewhere. "
			  "%" STR_FMT,
			  STR_ARG(problem)),
		"Check yourself that the host is off, then run `dari host fenced NAME "
		"--i-have-seen-it-off`. Or repair its fence command, then run `dari host fence NAME`.");
}

RESULT engine_see_fence(struct op *op, struct fence_report *report)
{
	const struct fence *f = fence_find(op->head, report->fence);
	const struct host *host = f ? host_find(op->head, f->host) : NULL;
	if (!host || f->ended_us || f->stage != FENCE_STAGE_ASKED)
		return OK;
	enum fence_proof proof = f->blocked.count ? FENCE_PROOF_BLOCKLIST : FENCE_PROOF_COMMAND;
	return report->is_off ? confirm(op, host, f, proof)
			      : note_try(op, host, f, str_cut(report->problem, 4000));
}

/* The same boot id means the host kept running all the time, contrary to the proof. */
static RESULT note_return(struct op *op, const struct host *host, const struct fence *f, bool was_on)
{
	struct fence next = *f;
	next.returned_us = op->now_us;
	next.row.gen++;
	TRY(fence_put(op, &next));
	return engine_log_event(
		op, KIND_HOST, &host->row, "answers again",
		f->proof == FENCE_PROOF_BLOCKLIST || f->blocked.count
			? "Ceph has kept it out: what was let go of is removed from it, and what has disks "
			  "there "
			  "starts anew."
		: was_on ? "It was not off: its boot is the one of before. What was let go of may have "
			   "run twice; its copies here are ended now."
			 : "It was off: what was let go of is removed from it.");
}

RESULT fence_see_host_up(struct op *op, const struct host *host, struct str boot_id)
{
	const struct fence *f = engine_find_fence(op->head, host->row.id);
	TRY(condition_clear(op, host->row.id, STR(HELD)));
	TRY(condition_clear(op, host->row.id, STR(NOT_OFF)));
	if (!f)
		return OK;
	bool is_other_boot = f->boot_id.n && boot_id.n && !str_equal(f->boot_id, boot_id);
	if (f->stage == FENCE_STAGE_CONFIRMED || f->blocked.count)
		return f->returned_us ? OK : note_return(op, host, f, f->boot_id.n && !is_other_boot);
	return is_other_boot ? confirm(op, host, f, FENCE_PROOF_BOOT)
			     : fail(op, host, f, STR("It answers again."));
}

/* The host is cleared and unblocked. */
static RESULT end(struct op *op, const struct host *host, const struct fence *f)
{
	struct fence next = *f;
	next.ended_us = op->now_us;
	if (f->stage == FENCE_STAGE_ASKED) {
		next.stage = FENCE_STAGE_FAILED;
		next.problem = STR("It answers again.");
	}
	next.row.gen++;
	TRY(fence_put(op, &next));
	TRY(condition_clear(op, host->row.id, STR(ASKED_OFF)));
	TRY(condition_clear(op, host->row.id, STR(IS_OFF)));
	for (const struct instance *i = instance_first_by_host(op->head, host->row.id); i;
	     i = instance_next_by_host(op->head, i))
		TRY(condition_clear(op, i->row.id, STR(WAITS_FOR_HOST)));
	return engine_log_event(op, KIND_HOST, &host->row, "in service again",
				"Nothing is left on it of %zu instances that left it.", f->left.count);
}

static RESULT note_cleared(struct op *op, const struct fence *f)
{
	struct fence next = *f;
	next.cleared_us = op->now_us;
	next.row.gen++;
	return f->cleared_us ? OK : fence_put(op, &next);
}

RESULT engine_see_fence_return(struct op *op, struct fence_return *report)
{
	const struct fence *f = fence_find(op->head, report->fence);
	const struct host *host = f ? host_find(op->head, f->host) : NULL;
	if (!host || f->ended_us || (f->stage != FENCE_STAGE_CONFIRMED && !f->blocked.count))
		return OK;
	if (!f->returned_us)
		return fence_see_host_up(op, host, host->seen_boot_id);
	if (!report->is_cleared)
		return OK;
	return f->blocked.count ? note_cleared(op, f) : end(op, host, f);
}

RESULT engine_see_fence_unblocked(struct op *op, struct fence_report *report)
{
	const struct fence *f = fence_find(op->head, report->fence);
	const struct host *host = f ? host_find(op->head, f->host) : NULL;
	if (!host || (!f->cleared_us && !f->ended_us))
		return OK;
	struct fence next = *f;
	next.blocked = (struct strs){0};
	return f->ended_us ? fence_put(op, &next) : end(op, host, &next);
}

/* ---- evacuation ---- */

RESULT fence_let_go(struct op *op, uuid host, uuid instance)
{
	const struct fence *f = engine_find_fence(op->head, host);
	if (!f || !engine_is_let_go(op->head, host, instance))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_HOST,
				     "The host of the instance is not proven to be off.");
	if (uuids_have(&f->left, instance))
		return OK;
	if (f->left.count >= LEFT_MAX)
		return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_HOST,
				     "%d instances have left that host already.", LEFT_MAX);
	uuid *left = arena_new_array(op->ctx->arena, uuid, f->left.count + 1);
	if (!left)
		return ctx_no_memory(op->ctx);
	if (f->left.count)
		memcpy(left, f->left.at, f->left.count * sizeof *left);
	left[f->left.count] = instance;
	struct fence next = *f;
	next.left = (struct uuids){left, f->left.count + 1};
	return fence_put(op, &next);
}
