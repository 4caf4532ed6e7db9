/* SPDX-License-Identifier: Apache-2.0
 * Selections of AWS Backup's plans: creation, deletion, and which instances and volumes one selects. Source: AWS Backup's API Reference
 * (BackupSelection, Conditions). */
#include <stdio.h>

#include "engine/backup/backup_plan_internal.h"
#include "engine/backup/backup_vault.h"
#include "engine/backup/backup_vault_internal.h"
#include "model/id.h"
#include "store/backup_plan.h"
#include "store/backup_rule.h"
#include "store/backup_selection.h"

#define TAG_CONDITION "aws:ResourceTag/"
enum { ARN_START_MAX = 256 };

const char *const vault_operators[VAULT_OPERATOR_COUNT] = {
	[VAULT_OPERATOR_EQUALS] = "StringEquals",
	[VAULT_OPERATOR_NOT_EQUALS] = "StringNotEquals",
	[VAULT_OPERATOR_LIKE] = "StringLike",
	[VAULT_OPERATOR_NOT_LIKE] = "StringNotLike",
};

static RESULT fail(struct op *op, const char *field, const char *why)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_BACKUP_PLAN, str_from(field), "%s: %s", field, why);
}

/* ---- what is selected ---- */

static bool matches_one(struct str arn, const struct strs *patterns)
{
	for (size_t k = 0; k < patterns->count; k++)
		if (str_matches(arn, patterns->at[k]))
			return true;
	return false;
}

static bool has_tag(struct tags tags, struct str key, struct str value)
{
	const struct tag *tag = tags_find(tags, key);
	return tag && str_equal(tag->value, value);
}

/* A resource without the tag meets the operators that negate, as in IAM's policies. */
static bool meets(struct tags tags, struct str operator, struct str key, struct str value)
{
	const struct tag *tag = tags_find(tags, str_slice(key, sizeof TAG_CONDITION - 1, key.n));
	if (str_is(operator, vault_operators[VAULT_OPERATOR_EQUALS]))
		return tag && str_equal(tag->value, value);
	if (str_is(operator, vault_operators[VAULT_OPERATOR_NOT_EQUALS]))
		return !tag || !str_equal(tag->value, value);
	if (str_is(operator, vault_operators[VAULT_OPERATOR_LIKE]))
		return tag && str_matches(tag->value, value);
	return !tag || !str_matches(tag->value, value);
}

bool vault_selection_has(const struct backup_selection *s, enum kind kind, uuid id, struct tags tags)
{
	char text[ARN_START_MAX + sizeof "instance/" + EC2_ID_TEXT_SIZE], name[EC2_ID_TEXT_SIZE];
	int size = snprintf(text, sizeof text, "%" STR_FMT "%s/%s", STR_ARG(s->arn_start),
			    kind == KIND_VOLUME ? "volume" : "instance", id_write_ec2(kind, id, name));
	struct str arn = {text, size > 0 && (size_t) size < sizeof text ? (size_t) size : 0};
	bool is_in = s->resources.count ? matches_one(arn, &s->resources) : !s->some_tags.count;
	for (size_t k = 0; k + 1 < s->some_tags.count && !is_in; k += 2)
		is_in = has_tag(tags, s->some_tags.at[k], s->some_tags.at[k + 1]);
	for (size_t k = 0; k + 2 < s->conditions.count && is_in; k += 3)
		is_in = meets(tags, s->conditions.at[k], s->conditions.at[k + 1], s->conditions.at[k + 2]);
	return is_in && !matches_one(arn, &s->excluded);
}

/* ---- checks ---- */

static size_t measure_texts(const struct strs *texts)
{
	size_t bytes = 0;
	for (size_t k = 0; k < texts->count; k++)
		bytes += texts->at[k].n;
	return bytes;
}

static RESULT check_arns(struct op *op, const char *field, const struct strs *arns)
{
	if (arns->count > SELECTION_ARNS_MAX)
		return fail(op, field, "a selection has up to 500.");
	for (size_t k = 0; k < arns->count; k++)
		if (!str_is_xml_text(arns->at[k]) || !arns->at[k].n)
			return fail(op, field, "an ARN has characters that are not allowed.");
	return OK;
}

static RESULT check_tags(struct op *op, const struct vault_selection_wish *wish)
{
	const struct strs *c = &wish->conditions;
	if (wish->some_tags.count > 2 * SELECTION_TAGS_MAX)
		return fail(op, "ListOfTags", "a selection has up to 30.");
	if (c->count > 3 * SELECTION_TAGS_MAX)
		return fail(op, "Conditions", "a selection has up to 30.");
	for (size_t k = 0; k + 1 < wish->some_tags.count; k += 2)
		if (!wish->some_tags.at[k].n || !wish->some_tags.at[k + 1].n)
			return fail(op, "ListOfTags", "a tag has a key and a value.");
	for (size_t k = 0; k + 2 < c->count; k += 3)
		if (!str_starts_with(c->at[k + 1], STR(TAG_CONDITION)) ||
		    c->at[k + 1].n == sizeof TAG_CONDITION - 1 || !c->at[k + 2].n)
			return fail(op, "Conditions",
				    "a condition has a key " TAG_CONDITION "KEY and a value.");
	for (size_t k = 0; k < wish->some_tags.count; k++)
		TRY(vault_check_text(op, "ListOfTags", wish->some_tags.at[k]));
	for (size_t k = 0; k < c->count; k++)
		TRY(vault_check_text(op, "Conditions", c->at[k]));
	return OK;
}

static RESULT check_room(struct op *op, const struct backup_plan *plan,
			 const struct vault_selection_wish *wish)
{
	size_t bytes = measure_texts(&wish->resources) + measure_texts(&wish->excluded) +
		       measure_texts(&wish->some_tags) + measure_texts(&wish->conditions);
	for (const struct backup_selection *s = backup_selection_first_by_plan(op->head, plan->row.id); s;
	     s = backup_selection_next_by_plan(op->head, s)) {
		bytes += measure_texts(&s->resources) + measure_texts(&s->excluded) +
			 measure_texts(&s->some_tags) + measure_texts(&s->conditions);
		if (str_equal(s->name, wish->name))
			return ENGINE_FAIL(op, ERR_EXISTS, KIND_BACKUP_SELECTION, STR("SelectionName"),
					   "The plan has a selection '%" STR_FMT "' already.",
					   STR_ARG(wish->name));
	}
	return plan->selection_count < PLAN_SELECTIONS_MAX && bytes <= PLAN_SELECTED_BYTES_MAX
		       ? OK
		       : ENGINE_FAIL(op, ERR_QUOTA, KIND_BACKUP_SELECTION, STR("BackupSelection"),
				     "A plan has up to %d selections, with %d bytes of ARNs and tags.",
				     PLAN_SELECTIONS_MAX, PLAN_SELECTED_BYTES_MAX);
}

/* ---- creation and deletion ---- */

/* Counts a selection. Adding the first one starts the rules; removing the last one stops them. */
static RESULT count(struct op *op, const struct backup_plan *plan, int64_t change)
{
	struct backup_plan next = *plan;
	bool had_none = !plan->selection_count;
	next.selection_count += change;
	next.row.gen++;
	TRY(backup_plan_put(op, &next));
	if (!next.selection_count || had_none)
		TRY(vault_plan_restart(op, next.row.id, 0));
	else /* rules look at the selections in their next run */
		TRY(vault_plan_sum_up(op, next.row.id));
	return backup_plan_log(op, &next, "changed");
}

RESULT engine_create_vault_selection(struct op *op, struct vault_selection_wish *wish)
{
	const struct backup_plan *plan = NULL;
	struct asker asker = {0};
	TRY(vault_plan_find(op, &wish->plan, "vault_plan.select", &plan));
	TRY(vault_check_text(op, "SelectionName", wish->name));
	TRY(vault_check_text(op, "CreatorRequestId", wish->token));
	TRY(check_arns(op, "Resources", &wish->resources));
	TRY(check_arns(op, "NotResources", &wish->excluded));
	TRY(check_tags(op, wish));
	TRY(check_room(op, plan, wish));
	TRY(backup_role_take(op, plan->account, wish->role, KIND_BACKUP_PLAN, &asker));
	struct backup_selection s = {
		.row = {.id = engine_new_id(op, KIND_BACKUP_SELECTION), .gen = 1},
		.account = plan->account,
		.plan = plan->row.id,
		.name = wish->name,
		.role = wish->role,
		.resources = wish->resources,
		.excluded = wish->excluded,
		.some_tags = wish->some_tags,
		.conditions = wish->conditions,
		.token = wish->token,
		.made_with = asker.with,
		.arn_start = wish->arn_start,
	};
	TRY(backup_selection_put(op, &s));
	wish->selection = s.row.id;
	return count(op, backup_plan_find(op->head, s.plan), 1);
}

RESULT engine_delete_vault_selection(struct op *op, struct vault_plan_target *wish)
{
	const struct backup_plan *plan = NULL;
	TRY(vault_plan_find(op, &wish->plan, "vault_plan.deselect", &plan));
	const struct backup_selection *s = backup_selection_find(op->head, wish->selection);
	if (!s || !uuid_equal(s->plan, plan->row.id))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_BACKUP_PLAN, STR("selectionId"),
				   "The plan has no such selection.");
	uuid id = plan->row.id;
	TRY(backup_selection_forget(op, s->row.id));
	return count(op, backup_plan_find(op->head, id), -1);
}
