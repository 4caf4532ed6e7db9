/* SPDX-License-Identifier: Apache-2.0
 * Azure's locks: rows, and the check at the end of each user's change. */
#include "store/arm_lock.h"
#include "engine/acting.h"
#include "engine/people/policy/arm_lock.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/resource_group.h"
#include "model/instance.h"
#include "model/resource_group.h"
#include "model/state.h"
#include "store/network.h"
#include "store/subnet.h"

struct arm_place engine_get_lock_place(const struct arm_lock *l)
{
	return (struct arm_place){l->scope_group, (enum kind) l->scope_kind, l->scope_resource};
}

const struct arm_lock *engine_find_arm_lock(const struct tables *t, uuid account, struct str scope,
					    struct str name)
{
	const struct arm_lock *l = arm_lock_first_by_account(t, account);
	while (l && (!str_equal_nocase(l->name, name) || !str_equal_nocase(l->scope, scope)))
		l = arm_lock_next_by_account(t, l);
	return l;
}

RESULT engine_put_arm_lock(struct op *op, struct arm_lock_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	uuid owner = account;
	const struct arm_lock *before = engine_find_arm_lock(op->head, owner, wish->scope, wish->name);
	struct arm_lock next =
		before ? *before
		       : (struct arm_lock){.account = owner,
					   .name = wish->name,
					   .scope = wish->scope,
					   .scope_group = wish->place.kind == KIND_NONE ? wish->place.group
											: UUID_NONE,
					   .scope_kind = wish->place.kind,
					   .scope_resource = wish->place.resource};
	TRY(engine_permit(op, "arm_lock.put", KIND_ARM_LOCK, before ? &before->row : NULL));
	if (wish->name.n < 1 || wish->name.n > ARM_LOCK_NAME_MAX || !str_is_line(wish->name))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ARM_LOCK, STR("lockName"),
				   "The name of a lock has 1 to %d characters.", ARM_LOCK_NAME_MAX);
	if (wish->notes.n > ARM_NOTES_MAX || !str_is_xml_text(wish->notes))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ARM_LOCK, STR("notes"),
				   "The notes of a lock have up to %d characters.", ARM_NOTES_MAX);
	if (!before) {
		TRY(limit_check(op, LIMIT_ARM_LOCKS, owner, 1, STR_NONE));
		next.row.id = engine_new_id(op, KIND_ARM_LOCK);
	}
	next.row.gen++;
	next.level = wish->level;
	next.notes = wish->notes;
	wish->lock = next.row.id;
	wish->is_new = !before;
	TRY(arm_lock_put(op, &next));
	return engine_log_event(op, KIND_ARM_LOCK, &next.row, before ? "changed" : "created",
				"Lock %" STR_FMT " at %" STR_FMT ".", STR_ARG(next.name),
				STR_ARG(next.scope));
}

RESULT engine_delete_arm_lock(struct op *op, struct arm_lock_target *wish)
{
	const struct arm_lock *l = arm_lock_find(op->head, wish->lock);
	bool is_own = l && uuid_equal(l->account, engine_get_account(op->ctx));
	TRY(engine_permit(op, "arm_lock.delete", KIND_ARM_LOCK, is_own ? &l->row : NULL));
	if (!is_own)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_ARM_LOCK, STR("lockName"),
				   "The lock could not be found.");
	TRY(engine_log_event(op, KIND_ARM_LOCK, &l->row, "deleted", "Lock %" STR_FMT ".", STR_ARG(l->name)));
	return arm_lock_forget(op, wish->lock);
}

/* ---- check ---- */

/* Kinds that are resources in Azure: they belong to an account and have names. People, rights, internal
 * records and quotas do not count. */
static bool is_resource(enum kind kind)
{
	return *model_kinds[kind].ec2_prefix || kind == KIND_KEY_PAIR || kind == KIND_SERVER_GROUP ||
	       kind == KIND_RESOURCE_GROUP || kind == KIND_ROUTE || kind == KIND_LOAD_BALANCER;
}

static bool is_ending(enum kind kind, const struct row *row)
{
	enum instance_state state = kind == KIND_INSTANCE && row
					    ? model_derive_instance_state(instance_of(row))
					    : INSTANCE_RUNNING;
	return !row || !row_is_live(row) || state == INSTANCE_SHUTTING_DOWN || state == INSTANCE_TERMINATED ||
	       (kind == KIND_RESOURCE_GROUP && resource_group_of(row)->is_deleting);
}

static bool forbids(const struct tables *t, const struct arm_lock *l, enum kind kind, const struct row *row);

/* Neutron's networks are no resources in Azure, but a locked subnet ends or falls silent with its network. */
static bool forbids_network(const struct tables *t, const struct arm_lock *l, const struct row *row)
{
	for (const struct subnet *s = subnet_first_by_network(t, row->id); s;
	     s = subnet_next_by_network(t, s))
		if (row_is_live(&s->row) && forbids(t, l, KIND_SUBNET, &s->row))
			return true;
	return false;
}

static bool is_silenced(enum kind kind, const struct row *before, const struct row *after)
{
	return kind == KIND_NETWORK && before && after &&
	       network_of(before)->is_down != network_of(after)->is_down;
}

/* Deleting a resource group deletes its contents, so a lock inside the group protects the group, too. */
static bool forbids(const struct tables *t, const struct arm_lock *l, enum kind kind, const struct row *row)
{
	struct arm_place place = engine_get_lock_place(l);
	if (engine_is_at_place(t, &place, l->account, kind, row) ||
	    (kind == KIND_NETWORK && forbids_network(t, l, row)))
		return true;
	const struct row *locked = place.kind == KIND_NONE || kind != KIND_RESOURCE_GROUP
					   ? NULL
					   : tables_find(t, place.kind, place.resource);
	const struct arm_place group = {.group = row->id};
	return locked && engine_is_at_place(t, &group, l->account, place.kind, locked);
}

static RESULT fail_locked(struct op *op, const struct arm_lock *l, enum kind kind, const struct row *row,
			  bool ends)
{
	struct str id = engine_write_id(op, kind, row->id);
	if (op->ctx->kind_words && op->ctx->kind_words->has_scopes)
		return ctx_fail_kind(op->ctx, ERR_PROTECTED, (int) kind,
				     "The scope '%" STR_FMT "' cannot perform %s operation because following "
				     "scope(s) are locked: '%" STR_FMT
				     "'. Please remove the lock and try again.",
				     STR_ARG(id), ends ? "delete" : "write", STR_ARG(l->scope));
	return ctx_fail_kind(op->ctx, ERR_PROTECTED, (int) kind,
			     "The %s '%" STR_FMT "' cannot be %s: the management lock '%" STR_FMT
			     "' forbids it.",
			     engine_kind_words(op->ctx, kind), STR_ARG(id), ends ? "deleted" : "changed",
			     STR_ARG(l->name));
}

static RESULT check_change(void *arg, enum kind kind, const struct row *before, const struct row *after)
{
	struct op *op = arg;
	bool ends = before && !is_ending(kind, before) && is_ending(kind, after);
	const struct row *row = before ? before : after;
	bool is_counted =
		is_resource(kind) || is_silenced(kind, before, after) || (kind == KIND_NETWORK && ends);
	if (!is_counted || !row || (before && is_ending(kind, before)))
		return OK;
	const struct arm_lock *l = arm_lock_first_by_account(op->head, engine_get_owner(kind, row));
	for (; l; l = arm_lock_next_by_account(op->head, l))
		if ((ends || l->level == ARM_LOCK_LEVEL_READ_ONLY) && forbids(op->head, l, kind, row))
			return fail_locked(op, l, kind, row, ends);
	return OK;
}

RESULT engine_check_locks(struct op *op)
{
	bool is_free = !op->ctx->who || tables_count(op->head, KIND_ARM_LOCK) == 0;
	return is_free ? OK : op_visit_changed(op, check_change, op);
}
