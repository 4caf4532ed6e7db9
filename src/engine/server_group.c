/* SPDX-License-Identifier: Apache-2.0
 * Server groups: rows only. */
#include "engine/server_group.h"

#include "engine/internal.h"

enum { NAME_MAX_SIZE = 255, PER_HOST_MAX = 1000 };

static size_t count_groups(const struct tables *t, uuid account)
{
	size_t count = 0;
	for (const struct server_group *g = server_group_first_by_account(t, account); g;
	     g = server_group_next_by_account(t, g))
		count++;
	return count;
}

static RESULT check_wish(struct op *op, const struct server_group_wish *wish)
{
	if (wish->name.n < 1 || wish->name.n > NAME_MAX_SIZE || !str_is_xml_text(wish->name))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SERVER_GROUP, STR("name"),
				   "A server group's name has 1 to %d characters.", NAME_MAX_SIZE);
	if (wish->max_per_host < 0 || wish->max_per_host > PER_HOST_MAX ||
	    (wish->max_per_host && wish->policy != SERVER_GROUP_POLICY_ANTI_AFFINITY))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SERVER_GROUP, STR("rules"),
				   "With anti-affinity 1 to %d instances may share a host; other policies "
				   "have no such rule.",
				   PER_HOST_MAX);
	return OK;
}

RESULT engine_create_server_group(struct op *op, struct server_group_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(check_wish(op, wish));
	TRY(engine_permit(op, "server_group.create", KIND_SERVER_GROUP, NULL));
	if (count_groups(op->head, account->row.id) >= SERVER_GROUPS_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_SERVER_GROUP,
				     "The account has %d server groups, as many as it may have.",
				     SERVER_GROUPS_MAX);
	struct server_group group = {.row.id = engine_new_id(op, KIND_SERVER_GROUP),
				     .row.gen = 1,
				     .account = account->row.id,
				     .name = wish->name,
				     .policy = wish->policy,
				     .max_per_host = wish->max_per_host ? wish->max_per_host : 1};
	TRY(server_group_put(op, &group));
	wish->server_group = group.row.id;
	return engine_tell(op, KIND_SERVER_GROUP, &group.row, "created", "Server group %" STR_FMT ".",
			   STR_ARG(group.name));
}

static RESULT free_members(struct op *op, uuid group)
{
	const struct instance *i = instance_first_by_server_group(op->head, group), *next = NULL;
	for (; i; i = next) {
		struct instance free = *i;
		next = instance_next_by_server_group(op->head, i);
		free.server_group = UUID_NONE;
		TRY(instance_put(op, &free));
	}
	return OK;
}

RESULT engine_delete_server_group(struct op *op, struct server_group_target *wish)
{
	const struct server_group *group = NULL;
	TRY(engine_find_own_server_group(op->ctx, op->head, &wish->server_group, &group));
	TRY(engine_permit(op, "server_group.delete", KIND_SERVER_GROUP, &group->row));
	TRY(engine_tell(op, KIND_SERVER_GROUP, &group->row, "deleted", "Server group %" STR_FMT ".",
			STR_ARG(group->name)));
	uuid id = group->row.id;
	TRY(free_members(op, id));
	return server_group_forget(op, id);
}
