/* SPDX-License-Identifier: Apache-2.0
 * Grants of other resources than networks: QoS policies, address scopes, subnet pools and address groups. Their rows list
 * the grantees, so that a look at a row tells who may use it; the id none among them stands for everybody. */
#include "engine/network/object_grant_internal.h"

#include <string.h>

#include "engine/network/network_grant.h"
#include "model/address_group.h"
#include "store/address_scope.h"
#include "store/network.h"
#include "store/network_grant.h"
#include "store/port.h"
#include "store/qos_policy.h"
#include "store/security_group_rule.h"
#include "store/subnet.h"
#include "store/subnet_pool.h"

/* True for a row of another account that has lost the object. */
struct loss {
	uuid owner;
	const struct uuids *users;
	bool is_shared;
};
static bool is_lost(const struct loss *loss, const struct row *row, uuid account)
{
	return row_is_live(row) && !loss->is_shared && !uuid_equal(account, loss->owner) &&
	       !object_grant_covers(loss->users, account);
}

static bool has_strangers_in_scope(const struct tables *t, uuid id, const struct loss *loss)
{
	const struct subnet_pool *p = subnet_pool_first_by_scope(t, id);
	while (p && !is_lost(loss, &p->row, p->account))
		p = subnet_pool_next_by_scope(t, p);
	return p;
}

static bool has_strangers_in_pool(const struct tables *t, uuid id, const struct loss *loss)
{
	const struct subnet *s = subnet_first_by_subnet_pool(t, id);
	while (s && !is_lost(loss, &s->row, s->account))
		s = subnet_next_by_subnet_pool(t, s);
	return s;
}

static bool has_strangers_in_group(const struct tables *t, uuid id, const struct loss *loss)
{
	const struct security_group_rule *r = security_group_rule_first_by_peer_address_group(t, id);
	while (r && !is_lost(loss, &r->row, r->account))
		r = security_group_rule_next_by_peer_address_group(t, r);
	return r;
}

static bool has_strangers_with_policy(const struct tables *t, uuid id, const struct loss *loss)
{
	const struct port *port = port_first_by_qos_policy(t, id);
	while (port && !is_lost(loss, &port->row, port->account))
		port = port_next_by_qos_policy(t, port);
	const struct network *network = port ? NULL : network_first_by_qos_policy(t, id);
	while (network && !is_lost(loss, &network->row, network->account))
		network = network_next_by_qos_policy(t, network);
	return port || network;
}

/* ---- kinds ---- */

#define OFFSETS(type) offsetof(struct type, users), offsetof(struct network_grant, type)
static const struct granted_kind {
	enum kind kind;
	size_t users, grant; /* offsets in the row, and in a grant */
	size_t shared;       /* offset of the row's is_shared; 0: it has none */
	unsigned index;
	bool (*has_strangers)(const struct tables *t, uuid id, const struct loss *loss);
} kinds[] = {
	{KIND_QOS_POLICY, OFFSETS(qos_policy), 0, NETWORK_GRANT_INDEX_QOS_POLICY, has_strangers_with_policy},
	{KIND_ADDRESS_SCOPE, OFFSETS(address_scope), 0, NETWORK_GRANT_INDEX_ADDRESS_SCOPE,
	 has_strangers_in_scope},
	{KIND_SUBNET_POOL, OFFSETS(subnet_pool), offsetof(struct subnet_pool, is_shared),
	 NETWORK_GRANT_INDEX_SUBNET_POOL, has_strangers_in_pool},
	{KIND_ADDRESS_GROUP, OFFSETS(address_group), 0, NETWORK_GRANT_INDEX_ADDRESS_GROUP,
	 has_strangers_in_group},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static const struct granted_kind *find_kind(enum kind kind)
{
	size_t k = 0;
	while (k < KINDS && kinds[k].kind != kind)
		k++;
	return k < KINDS ? &kinds[k] : NULL;
}

static uuid *id_in(const struct granted_kind *k, struct network_grant *grant)
{
	return (uuid *) (void *) ((char *) grant + k->grant);
}

enum kind engine_get_granted(const struct network_grant *grant, uuid *ret_object)
{
	*ret_object = grant->network;
	if (!uuid_is_none(grant->network))
		return KIND_NETWORK;
	for (size_t k = 0; k < KINDS; k++) {
		*ret_object = *(const uuid *) (const void *) ((const char *) grant + kinds[k].grant);
		if (!uuid_is_none(*ret_object))
			return kinds[k].kind;
	}
	return KIND_NONE;
}

static const struct row *first_grant(const struct tables *t, const struct granted_kind *k, uuid object)
{
	struct network_grant probe = {0};
	*id_in(k, &probe) = object;
	return tables_first(t, KIND_NETWORK_GRANT, k->index, &probe.row, 1);
}

static const struct row *next_grant(const struct tables *t, const struct granted_kind *k,
				    const struct row *grant)
{
	return tables_next(t, KIND_NETWORK_GRANT, k->index, grant, 1);
}

/* ---- changes ---- */

static const struct uuids *users_in(const struct granted_kind *k, const struct row *row)
{
	return (const struct uuids *) (const void *) ((const char *) row + k->users);
}

/* ERR_IN_USE: a row of an account that is not among the users, unless the object is shared, needs the object. */
static RESULT check_kept(struct op *op, const struct granted_kind *k, const struct row *row,
			 const struct uuids *users, struct str field)
{
	const struct loss loss = {engine_get_owner(k->kind, row), users,
				  k->shared && *(const bool *) ((const char *) row + k->shared)};
	const struct ref about = {.text = engine_write_id(op, k->kind, row->id), .field = field};
	if (!k->has_strangers(op->head, row->id, &loss))
		return OK;
	return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_NETWORK_GRANT, &about, "Other accounts use it.");
}

/* Copies the grantees into the object's row. ERR_IN_USE: see check_kept(). */
static RESULT follow_grants(struct op *op, const struct granted_kind *k, const struct row *row,
			    struct str field)
{
	VEC(uuid) users = {0};
	for (const struct row *g = first_grant(op->head, k, row->id); g; g = next_grant(op->head, k, g))
		if (!VEC_PUSH(op->ctx->arena, &users, network_grant_of(g)->target))
			return ctx_no_memory(op->ctx);
	const struct kind_info *info = &model_kinds[k->kind];
	const struct uuids all = {users.at, users.count};
	TRY(check_kept(op, k, row, &all, field));
	char *next = arena_new_array(op->ctx->arena, char, info->row_size);
	if (!next)
		return ctx_no_memory(op->ctx);
	memcpy(next, row, info->row_size);
	*(struct uuids *) (void *) (next + k->users) = all;
	((struct row *) (void *) next)->gen++;
	return op_put(op, k->kind, (const struct row *) (const void *) next);
}

static RESULT permit(struct op *op, const struct granted_kind *k, const struct row *row, uuid target)
{
	return engine_permit(op, uuid_is_none(target) ? "network.share" : "network.grant", k->kind, row);
}

/* As in Neutron, whoever is given a pool in an address scope must have the scope, too. */
static RESULT check_scope(struct op *op, const struct granted_kind *k, const struct row *row, uuid target,
			  struct str field)
{
	const struct subnet_pool *pool = k->kind == KIND_SUBNET_POOL ? subnet_pool_of(row) : NULL;
	const struct address_scope *scope =
		!pool || uuid_is_none(pool->scope) ? NULL : address_scope_find(op->head, pool->scope);
	if (!scope || object_grant_covers(&scope->users, target))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_NETWORK, field,
			   "Invalid input for operation: Failed to create RBAC policy on object %" STR_FMT
			   " because target project doesn't have access to associated address scope.",
			   STR_ARG(engine_write_id(op, KIND_SUBNET_POOL, row->id)));
}

/* Counts grants, because the row still lists accounts that are gone. */
static RESULT check_room(struct op *op, const struct granted_kind *k, const struct row *row, struct str field)
{
	size_t count = 0;
	for (const struct row *g = first_grant(op->head, k, row->id); g; g = next_grant(op->head, k, g))
		count++;
	return count < NETWORK_GRANTS_MAX
		       ? OK
		       : ENGINE_FAIL(op, ERR_QUOTA, KIND_NETWORK_GRANT, field,
				     "A resource has at most %d grants.", NETWORK_GRANTS_MAX);
}

static RESULT check_new(struct op *op, const struct granted_kind *k, const struct row *row, uuid target,
			struct str field)
{
	const struct uuids *users = users_in(k, row);
	TRY(permit(op, k, row, target));
	if (uuids_have(users, target))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_NETWORK_GRANT, field,
				   "The resource is granted to them already.");
	TRY(check_scope(op, k, row, target, field));
	return check_room(op, k, row, field);
}

/* Finds a row whose grants the caller may change. A row that the caller may only use is refused in Neutron's words. */
static RESULT find_object(struct op *op, const struct granted_kind *k, const struct ref *ref,
			  const struct row **ret_row)
{
	TRY(engine_find(op->ctx, op->head, k->kind, ref, ret_row));
	if (engine_is_own(op->ctx, k->kind, *ret_row))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_NETWORK, ref->field,
			   "Invalid input for operation: Only admins can manipulate policies on objects they "
			   "do not own.");
}

/* The grant of an object to all accounts; NULL: there is none. */
static const struct network_grant *find_for_all(const struct tables *t, const struct granted_kind *k,
						uuid object)
{
	const struct row *g = first_grant(t, k, object);
	while (g && !uuid_is_none(network_grant_of(g)->target))
		g = next_grant(t, k, g);
	return g ? network_grant_of(g) : NULL;
}

/* Puts the grant, and copies it into the object's row. */
static RESULT put_new(struct op *op, const struct granted_kind *k, const struct row *row, uuid target,
		      struct str field, uuid *ret_grant)
{
	struct network_grant grant = {.row = {.id = engine_new_id(op, KIND_NETWORK_GRANT), .gen = 1},
				      .account = engine_get_owner(k->kind, row),
				      .target = target};
	*id_in(k, &grant) = row->id;
	TRY(network_grant_put(op, &grant));
	*ret_grant = grant.row.id;
	return follow_grants(op, k, row, field);
}

RESULT object_grant_share(struct op *op, enum kind kind, uuid object, enum choice choice)
{
	const struct granted_kind *k = find_kind(kind);
	const struct row *row = tables_find(op->head, kind, object);
	const struct network_grant *grant = find_for_all(op->head, k, object);
	uuid made;
	if (choice == CHOICE_YES && !grant) {
		TRY(check_room(op, k, row, STR("shared")));
		return put_new(op, k, row, UUID_NONE, STR_NONE, &made);
	}
	if (choice == CHOICE_NO && grant) {
		TRY(network_grant_forget(op, grant->row.id));
		return follow_grants(op, k, row, STR_NONE);
	}
	return OK;
}

static RESULT log_change(struct op *op, const struct granted_kind *k, uuid id, const char *code)
{
	return engine_log_event(op, k->kind, tables_find(op->head, k->kind, id), code,
				"Use by other accounts.");
}

RESULT object_grant_write(struct op *op, const struct ref *object, const struct ref *account, uuid target,
			  struct str field, uuid *ret_grant)
{
	const struct granted_kind *k = find_kind(object->kind);
	const struct row *row = NULL;
	TRY(find_object(op, k, object, &row));
	TRY(engine_check_owner(op, account, engine_get_owner(k->kind, row)));
	TRY(check_new(op, k, row, target, field));
	uuid id = row->id;
	TRY(put_new(op, k, row, target, field, ret_grant));
	return log_change(op, k, id, "granted");
}

static RESULT find_granted(struct op *op, const struct network_grant *grant,
			   const struct granted_kind **ret_kind, const struct row **ret_row)
{
	uuid id;
	enum kind kind = engine_get_granted(grant, &id);
	*ret_kind = find_kind(kind);
	*ret_row = *ret_kind ? tables_find(op->head, kind, id) : NULL;
	return *ret_row ? OK : engine_fail_gone(op->ctx, kind, id);
}

/* ERR_IN_USE: an account needs the grant, which the others' do not replace. As in Neutron, a grant that is given to another
 * account counts as removed. */
static RESULT check_spared(struct op *op, const struct granted_kind *k, const struct row *row,
			   const struct network_grant *grant, struct str field)
{
	VEC(uuid) rest = {0};
	const struct uuids *users = users_in(k, row);
	for (size_t n = 0; n < users->count; n++)
		if (!uuid_equal(users->at[n], grant->target) &&
		    !VEC_PUSH(op->ctx->arena, &rest, users->at[n]))
			return ctx_no_memory(op->ctx);
	const struct uuids others = {rest.at, rest.count};
	return check_kept(op, k, row, &others, field);
}

RESULT object_grant_change(struct op *op, const struct network_grant *grant, uuid target, struct str field)
{
	const struct granted_kind *k = NULL;
	const struct row *row = NULL;
	TRY(find_granted(op, grant, &k, &row));
	TRY(permit(op, k, row, grant->target));
	TRY(check_new(op, k, row, target, field));
	if (!uuid_is_none(target))
		TRY(check_spared(op, k, row, grant, field));
	struct network_grant next = *grant;
	next.target = target;
	next.row.gen++;
	TRY(network_grant_put(op, &next));
	TRY(follow_grants(op, k, row, field));
	return log_change(op, k, *id_in(k, &next), "granted");
}

RESULT object_grant_remove(struct op *op, const struct network_grant *grant, struct str field)
{
	const struct granted_kind *k = NULL;
	const struct row *row = NULL;
	TRY(find_granted(op, grant, &k, &row));
	TRY(permit(op, k, row, grant->target));
	uuid id = row->id;
	TRY(network_grant_forget(op, grant->row.id));
	TRY(follow_grants(op, k, row, field));
	return log_change(op, k, id, "grant revoked");
}

bool object_grant_covers(const struct uuids *users, uuid account)
{
	return uuids_have(users, UUID_NONE) || uuids_have(users, account);
}
