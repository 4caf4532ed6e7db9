/* SPDX-License-Identifier: Apache-2.0
 * Server groups; placement.c applies them. */
#include "engine/instance/placement/server_group.h"

#include "engine/acting.h"
#include "engine/instance/placement/server_group_internal.h"
#include "engine/internal.h"
#include "engine/quota_internal.h"
#include "engine/tag_internal.h"
#include "store/instance.h"
#include "store/server_group.h"

enum { NAME_MAX_SIZE = 255, PER_HOST_MAX = 1000, PARTITIONS_DEFAULT = 2 };

static RESULT check_wish(struct op *op, const struct server_group_wish *wish)
{
	if (wish->name.n < 1 || wish->name.n > NAME_MAX_SIZE || !str_is_line(wish->name))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SERVER_GROUP, STR("name"),
				   "A server group's name has 1 to %d characters.", NAME_MAX_SIZE);
	if (wish->description.n > NAME_MAX_SIZE || !str_is_xml_text(wish->description))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SERVER_GROUP, STR("description"),
				   "A server group's description has up to %d characters.", NAME_MAX_SIZE);
	if (wish->max_per_host < 0 || wish->max_per_host > PER_HOST_MAX ||
	    (wish->max_per_host && wish->policy != SERVER_GROUP_POLICY_ANTI_AFFINITY))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SERVER_GROUP, STR("rules"),
				   "With anti-affinity 1 to %d instances may share a host; other policies "
				   "have no such rule.",
				   PER_HOST_MAX);
	if (wish->partitions < 0 || wish->partitions > SERVER_GROUP_PARTITIONS_MAX ||
	    (wish->partitions && wish->policy != SERVER_GROUP_POLICY_PARTITION))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SERVER_GROUP, STR("PartitionCount"),
				   "The strategy partition has 1 to %d partitions; others have none.",
				   SERVER_GROUP_PARTITIONS_MAX);
	return OK;
}

static RESULT check_name(struct op *op, const struct server_group_wish *wish, uuid account)
{
	if (!wish->is_name_unique || !server_group_find_by_name(op->head, account, wish->name))
		return OK;
	return ENGINE_FAIL(op, ERR_EXISTS, KIND_SERVER_GROUP, STR("GroupName"),
			   "The placement group '%" STR_FMT "' already exists.", STR_ARG(wish->name));
}

static int64_t count_partitions(const struct server_group_wish *wish)
{
	if (wish->policy != SERVER_GROUP_POLICY_PARTITION)
		return 0;
	return wish->partitions ? wish->partitions : PARTITIONS_DEFAULT;
}

RESULT engine_create_server_group(struct op *op, struct server_group_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(check_wish(op, wish));
	TRY(engine_permit(op, "server_group.create", KIND_SERVER_GROUP, NULL));
	TRY(check_name(op, wish, account));
	TRY(quota_check(op, account, QUOTA_SERVER_GROUPS, 1));
	struct server_group group = {.row.id = engine_new_id(op, KIND_SERVER_GROUP),
				     .row.gen = 1,
				     .account = account,
				     .name = wish->name,
				     .description = wish->description,
				     .policy = wish->policy,
				     .max_per_host = wish->max_per_host ? wish->max_per_host : 1,
				     .partitions = count_partitions(wish)};
	TRY(tag_normalize(op, wish->tags, &group.tags));
	TRY(server_group_put(op, &group));
	wish->server_group = group.row.id;
	return engine_log_event(op, KIND_SERVER_GROUP, &group.row, "created", "Server group %" STR_FMT ".",
				STR_ARG(group.name));
}

int64_t server_group_least_partition(const struct tables *t, const struct server_group *group)
{
	int64_t counts[SERVER_GROUP_PARTITIONS_MAX + 1] = {0}, least = 1;
	for (const struct instance *i = instance_first_by_server_group(t, group->row.id); i;
	     i = instance_next_by_server_group(t, i))
		if (row_is_live(&i->row) && i->partition <= SERVER_GROUP_PARTITIONS_MAX)
			counts[i->partition]++;
	for (int64_t n = 2; n <= group->partitions; n++)
		least = counts[n] < counts[least] ? n : least;
	return least;
}

RESULT server_group_check_partition(struct op *op, const struct server_group *group, int64_t partition,
				    struct str field)
{
	if (partition >= 0 && partition <= (group ? group->partitions : 0))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SERVER_GROUP, field,
			   "The instance's placement group has no partition %lld.", (long long) partition);
}

RESULT server_group_check_members(struct op *op, const struct server_group *group, int64_t more,
				  struct str field)
{
	int64_t count = more;
	for (const struct instance *i = instance_first_by_server_group(op->head, group->row.id); i;
	     i = instance_next_by_server_group(op->head, i))
		count += row_is_live(&i->row);
	struct result fits = quota_check_each(op, group->account, QUOTA_SERVER_GROUP_MEMBERS, count);
	return result_is_ok(fits) ? OK : engine_fail_with(op->ctx, field, fits);
}

static RESULT check_empty(struct op *op, const struct server_group *group, const struct ref *ref)
{
	const struct instance *i = instance_find_by_server_group(op->head, group->row.id);
	if (!i)
		return OK;
	return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_SERVER_GROUP, ref,
				 "The placement group '%" STR_FMT "' is in use and may not be deleted.",
				 STR_ARG(group->name));
}

static RESULT free_members(struct op *op, uuid group)
{
	const struct instance *i = instance_first_by_server_group(op->head, group), *next = NULL;
	for (; i; i = next) {
		struct instance free = *i;
		next = instance_next_by_server_group(op->head, i);
		free.server_group = UUID_NONE;
		free.partition = 0;
		TRY(instance_put(op, &free));
	}
	return OK;
}

RESULT engine_delete_server_group(struct op *op, struct server_group_target *wish)
{
	const struct server_group *group = NULL;
	TRY(engine_permit_server_group(op, &wish->server_group, "server_group.delete", &group));
	if (wish->must_be_empty)
		TRY(check_empty(op, group, &wish->server_group));
	TRY(engine_log_event(op, KIND_SERVER_GROUP, &group->row, "deleted", "Server group %" STR_FMT ".",
			     STR_ARG(group->name)));
	uuid id = group->row.id;
	TRY(free_members(op, id));
	return server_group_forget(op, id);
}
