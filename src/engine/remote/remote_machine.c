/* SPDX-License-Identifier: Apache-2.0
 * Machines of providers: acts and reports. Called by: api/native/remote/remotes.c, reconcile/remote/. */
#include "engine/remote/remote_machine.h"

#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/machine_policy/machine_policy.h"
#include "engine/people/asker.h"
#include "engine/remote/provider_share.h"
#include "engine/row_bytes.h"
#include "engine/tag_internal.h"
#include "store/provider.h"
#include "store/remote_machine.h"

enum { PROBLEM_MAX = 1024, NAME_SHOWN = 128 };

/* ---- acts ---- */

static const char *const permissions[] = {
	[REMOTE_MACHINE_ACT_CREATE] = "remote.create",       [REMOTE_MACHINE_ACT_START] = "remote.start",
	[REMOTE_MACHINE_ACT_STOP] = "remote.stop",           [REMOTE_MACHINE_ACT_REBOOT] = "remote.reboot",
	[REMOTE_MACHINE_ACT_TERMINATE] = "remote.terminate", [REMOTE_MACHINE_ACT_TAG] = "remote.tag",
	[REMOTE_MACHINE_ACT_RESIZE] = "remote.resize"};

const char *engine_remote_permission(enum remote_machine_act act)
{
	return permissions[act];
}

/* Keys that begin with "dari:" are this region's own: a token that somebody may set names no machine. Some clouds
 * compare keys without case. */
static RESULT take_tags(struct op *op, struct tags wish, struct tags *ret_tags)
{
	struct str own = STR("dari:");
	for (size_t k = 0; k < wish.count; k++)
		if (str_equal_nocase(str_slice(wish.at[k].key, 0, own.n), own))
			return ENGINE_FAIL(op, ERR_INVALID, KIND_REMOTE_MACHINE, STR("tags"),
					   "Tag keys starting with 'dari:' are reserved: '%" STR_FMT "'.",
					   STR_ARG(wish.at[k].key));
	return tag_normalize(op, wish, ret_tags);
}

static RESULT check_act(struct op *op, const struct remote_act_wish *wish, const struct remote_machine *m)
{
	const struct provider *p = provider_find(op->head, m->provider);
	if (!p || !row_is_live(&p->row))
		return ENGINE_FAIL(op, ERR_STATE, KIND_REMOTE_MACHINE, wish->machine.field,
				   "The machine's provider is being removed.");
	TRY(engine_check_shared_act(op, p, wish->machine.field));
	if (m->act != REMOTE_MACHINE_ACT_NONE)
		return ENGINE_FAIL(op, ERR_STATE, KIND_REMOTE_MACHINE, wish->machine.field,
				   "An earlier act on this machine (%s) is not over yet.",
				   remote_machine_act_words[m->act]);
	if (m->power == REMOTE_MACHINE_POWER_TERMINATED)
		return ENGINE_FAIL(op, ERR_STATE, KIND_REMOTE_MACHINE, wish->machine.field,
				   "The machine is terminated.");
	if (wish->act == REMOTE_MACHINE_ACT_TAG && !wish->tags.count)
		return ENGINE_FAIL(op, ERR_MISSING, KIND_REMOTE_MACHINE, STR("tags"),
				   "Say which tags to set.");
	return OK;
}

/* The caller's account if the provider is shared with it; none: the caller acts for the owner. */
static uuid find_asking_account(const struct op *op, const struct provider *p)
{
	return engine_is_own(op->ctx, KIND_PROVIDER, &p->row) ? UUID_NONE : engine_get_account(op->ctx);
}

RESULT engine_act_remote_machine(struct op *op, struct remote_act_wish *wish)
{
	const struct row *row = NULL;
	TRY(engine_find_usable(op->ctx, op->head, KIND_REMOTE_MACHINE, &wish->machine, &row));
	TRY(engine_permit(op, permissions[wish->act], KIND_REMOTE_MACHINE, row));
	TRY(check_act(op, wish, remote_machine_of(row)));
	struct remote_machine next = *remote_machine_of(row);
	next.made_in = find_asking_account(op, provider_find(op->head, next.provider));
	next.act = wish->act;
	next.act_tags = (struct tags){0};
	if (wish->act == REMOTE_MACHINE_ACT_TAG)
		TRY(take_tags(op, wish->tags, &next.act_tags));
	next.act_type = wish->act == REMOTE_MACHINE_ACT_RESIZE ? wish->type : STR_NONE;
	next.act_is_sent = false;
	next.act_problem = STR_NONE;
	next.act_us = op->now_us;
	next.row.gen++;
	ASKER_NOTE(op, &next);
	TRY(remote_machine_put(op, &next));
	return engine_log_event(op, KIND_REMOTE_MACHINE, row, remote_machine_act_words[wish->act],
				"Requested: %s.", remote_machine_act_words[wish->act]);
}

/* ---- creation ---- */

#define NEW "new-"

bool engine_remote_machine_is_new(const struct remote_machine *m)
{
	return str_starts_with(m->ref, STR(NEW));
}

static struct strs list_of(struct op *op, struct str text)
{
	struct str *copy = text.n ? arena_new_array(op->ctx->arena, struct str, 1) : NULL;
	if (copy)
		*copy = text;
	return (struct strs){copy, copy ? 1 : 0};
}

RESULT engine_create_remote_machine(struct op *op, struct remote_create_wish *wish)
{
	const struct row *row = NULL;
	TRY(engine_find_usable(op->ctx, op->head, KIND_PROVIDER, &wish->provider, &row));
	const struct provider *p = provider_of(row);
	struct remote_machine next = {.row.id = wish->id,
				      .row.gen = 1,
				      .account = p->account,
				      .provider = p->row.id,
				      .act = REMOTE_MACHINE_ACT_CREATE,
				      .made_in = find_asking_account(op, p),
				      .act_us = op->now_us,
				      .power = REMOTE_MACHINE_POWER_PENDING,
				      .name = wish->name,
				      .image = wish->image,
				      .type = wish->type,
				      .zone = wish->zone,
				      .key_name = wish->key_name,
				      .subnets = list_of(op, wish->subnet),
				      .groups = wish->groups};
	char id[UUID_TEXT_SIZE];
	next.ref = str_print(op->ctx->arena, NEW "%s", uuid_write(wish->id, id));
	ASKER_NOTE(op, &next);
	TRY(engine_permit_new(op, permissions[REMOTE_MACHINE_ACT_CREATE], KIND_REMOTE_MACHINE, &next.row));
	TRY(engine_check_shared_act(op, p, wish->provider.field));
	TRY(limit_check(op, LIMIT_REMOTE_MACHINES, p->row.id, 1, wish->provider.field));
	TRY(limit_check(op, LIMIT_REMOTE_CREATIONS, p->row.id, 1, wish->provider.field));
	TRY(take_tags(op, wish->tags, &next.act_tags));
	TRY(remote_machine_put(op, &next));
	return engine_log_event(op, KIND_REMOTE_MACHINE, &next.row, "create",
				"Requested: a machine of type %" STR_FMT " from image %" STR_FMT ".",
				STR_ARG(next.type), STR_ARG(next.image));
}

RESULT engine_end_remote_act(struct op *op, struct remote_act_report *wish)
{
	const struct remote_machine *m = remote_machine_find(op->head, wish->machine);
	if (!m || m->row.gen != wish->gen || m->act == REMOTE_MACHINE_ACT_NONE)
		return OK;
	struct remote_machine next = *m;
	next.act_is_sent = wish->is_sent;
	if (wish->is_sent)
		return remote_machine_put(op, &next);
	next.act = REMOTE_MACHINE_ACT_NONE;
	next.act_tags = (struct tags){0};
	next.act_type = STR_NONE;
	next.act_problem = str_cut(wish->problem, PROBLEM_MAX);
	if (m->act == REMOTE_MACHINE_ACT_CREATE) /* the row goes as one whose machine is no longer listed */
		next.power = REMOTE_MACHINE_POWER_TERMINATED;
	if (m->act == REMOTE_MACHINE_ACT_TERMINATE && !wish->problem.n &&
	    m->power != REMOTE_MACHINE_POWER_TERMINATED)
		next.power = REMOTE_MACHINE_POWER_TERMINATING;
	TRY(remote_machine_put(op, &next));
	const char *word = remote_machine_act_words[m->act];
	if (wish->problem.n)
		return engine_log_event(op, KIND_REMOTE_MACHINE, &next.row, "failed",
					"Refused: request of %s. %" STR_FMT, word, STR_ARG(next.act_problem));
	if (wish->note.n)
		return engine_log_event(op, KIND_REMOTE_MACHINE, &next.row, "done",
					"Accepted: request of %s. %" STR_FMT, word, STR_ARG(wish->note));
	return engine_log_event(op, KIND_REMOTE_MACHINE, &next.row, "done", "Accepted: request of %s.", word);
}

/* ---- reports ---- */

static struct remote_machine take_seen(const struct remote_machine *row, const struct remote_machine *seen)
{
	struct remote_machine next = *seen;
	next.row = row->row;
	next.account = row->account;
	next.provider = row->provider;
	next.act = row->act;
	next.act_tags = row->act_tags;
	next.act_type = row->act_type;
	next.act_is_sent = row->act_is_sent;
	next.act_problem = row->act_problem;
	next.act_us = row->act_us;
	next.power_us = row->power_us;
	next.made_in = row->made_in;
	next.made_by = row->made_by;
	next.made_with = row->made_with;
	next.made_until_us = row->made_until_us;
	next.missed = 0;
	return next;
}

bool engine_remote_machine_differs(const struct remote_machine *row, const struct remote_machine *seen)
{
	const struct remote_machine next = take_seen(row, seen);
	return !row_equal(&model_kinds[KIND_REMOTE_MACHINE], &row->row, &next.row);
}

static RESULT log_found(struct op *op, const struct remote_machine *m, bool is_quiet)
{
	return is_quiet ? OK
			: engine_log_event(op, KIND_REMOTE_MACHINE, &m->row, "found",
					   "Machine %" STR_FMT " (%" STR_FMT "), %s.", STR_ARG(m->ref),
					   STR_ARG(str_cut(m->name, NAME_SHOWN)),
					   remote_machine_power_words[m->power]);
}

/* The machine of a requested creation, as its token says. */
static RESULT see_created(struct op *op, const struct remote_machine *made, const struct remote_machine *seen)
{
	struct remote_machine next = take_seen(made, seen);
	next.act = REMOTE_MACHINE_ACT_NONE;
	next.act_tags = (struct tags){0};
	next.act_problem = STR_NONE;
	TRY(remote_machine_put(op, &next));
	return engine_log_event(op, KIND_REMOTE_MACHINE, &next.row, "done", "Created: machine %" STR_FMT ".",
				STR_ARG(next.ref));
}

/* Keeps the texts of a row as they are, because the account has no room for others. */
static RESULT see_power(struct op *op, const struct remote_machine *row, const struct remote_machine *seen)
{
	struct remote_machine next = *row;
	next.power = seen->power;
	next.missed = 0;
	if (next.power != row->power)
		next.power_us = op->now_us;
	return row_equal(&model_kinds[KIND_REMOTE_MACHINE], &row->row, &next.row)
		       ? OK
		       : remote_machine_put(op, &next);
}

static RESULT see_one(struct op *op, const struct provider *p, const struct remote_machine *seen,
		      bool is_quiet)
{
	const struct remote_machine *row = remote_machine_find_by_provider(op->head, p->row.id, seen->ref);
	const struct remote_machine *wanted = row ? NULL : remote_machine_find(op->head, seen->row.id);
	if (wanted && uuid_equal(wanted->provider, p->row.id) && engine_remote_machine_is_new(wanted))
		return see_created(op, wanted, seen);
	if (row_bytes_is_full(op->head, p->account))
		return row ? see_power(op, row, seen) : OK; /* engine_see_provider() says why */
	if (!row) {
		struct remote_machine made = *seen;
		made.row.gen = 1;
		made.account = p->account;
		made.provider = p->row.id;
		TRY(remote_machine_put(op, &made));
		return log_found(op, &made, is_quiet);
	}
	struct remote_machine next = take_seen(row, seen);
	if (row_equal(&model_kinds[KIND_REMOTE_MACHINE], &row->row, &next.row))
		return OK;
	enum remote_machine_power before = row->power;
	if (next.power != before)
		next.power_us = op->now_us;
	TRY(remote_machine_put(op, &next));
	return before == next.power
		       ? OK
		       : engine_log_event(op, KIND_REMOTE_MACHINE, &next.row, "state", "It was %s and is %s.",
					  remote_machine_power_words[before],
					  remote_machine_power_words[next.power]);
}

RESULT engine_see_remote_machines(struct op *op, struct remote_machines_report *wish)
{
	const struct provider *p = provider_find(op->head, wish->provider);
	if (!p || !row_is_live(&p->row))
		return OK;
	for (size_t k = 0; k < wish->count; k++)
		TRY(see_one(op, p, &wish->at[k], wish->is_first));
	return OK;
}

static RESULT miss_one(struct op *op, const struct remote_machine *m, bool is_final)
{
	struct remote_machine next = *m;
	if (!is_final && (m->missed == 0 || engine_policy_awaits_machine(op->head, m))) {
		next.missed++;
		return remote_machine_put(op, &next);
	}
	TRY(engine_log_event(op, KIND_REMOTE_MACHINE, &m->row, "gone",
			     "Machine %" STR_FMT " (%" STR_FMT ") is no longer listed.", STR_ARG(m->ref),
			     STR_ARG(str_cut(m->name, NAME_SHOWN))));
	TRY(condition_clear_all(op, m->row.id));
	return remote_machine_forget(op, m->row.id);
}

RESULT engine_miss_remote_machines(struct op *op, struct remote_machines_loss *wish)
{
	for (size_t k = 0; k < wish->count; k++) {
		const struct remote_machine *m = remote_machine_find(op->head, wish->at[k]);
		if (m && uuid_equal(m->provider, wish->provider))
			TRY(miss_one(op, m, wish->is_final));
	}
	return OK;
}
