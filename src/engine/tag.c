/* SPDX-License-Identifier: Apache-2.0
 * Tags, generic over all kinds with a tags field. */
#include "engine/tag.h"

#include "engine/internal.h"
#include "engine/quota_internal.h"
#include "engine/tag_internal.h"
#include "model/instance.h"

/* ---- checks ---- */

static size_t count_characters(struct str s)
{
	size_t count = 0;
	for (size_t n = 0; n < s.n; n++)
		count += ((unsigned char) s.p[n] & 0xc0) != 0x80;
	return count;
}

static RESULT fail_reserved(struct op *op, struct str key)
{
	return ctx_fail_field(op->ctx, ERR_INVALID, STR("Tag.Key"),
			      "Tag keys starting with 'aws:' are reserved for internal use: '%" STR_FMT "'.",
			      STR_ARG(key));
}

static RESULT check_tag(struct op *op, const struct tag *tag)
{
	if (tag->key.n < 1 || count_characters(tag->key) > TAG_KEY_MAX || !str_is_line(tag->key))
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("Tag.Key"),
				      "Tag keys have 1 to %d characters: '%" STR_FMT "'.", TAG_KEY_MAX,
				      STR_ARG(tag->key));
	if (count_characters(tag->value) > TAG_VALUE_MAX || !str_is_xml_text(tag->value))
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("Tag.Value"),
				      "Tag values have up to %d characters: that of '%" STR_FMT
				      "' is not one.",
				      TAG_VALUE_MAX, STR_ARG(tag->key));
	return str_starts_with(tag->key, STR("aws:")) ? fail_reserved(op, tag->key) : OK;
}

/* Inserts a tag into a sorted array with room for it; replaces one with the same key. */
static void insert_tag(struct tag *sorted, size_t *count, struct tag tag, bool *ret_replaced)
{
	size_t at = *count;
	while (at > 0 && str_compare(sorted[at - 1].key, tag.key) > 0)
		at--;
	*ret_replaced = at > 0 && str_equal(sorted[at - 1].key, tag.key);
	if (*ret_replaced) {
		sorted[at - 1] = tag;
		return;
	}
	memmove(&sorted[at + 1], &sorted[at], (*count - at) * sizeof *sorted);
	sorted[at] = tag;
	++*count;
}

static RESULT fail_too_many(struct op *op)
{
	return ctx_fail_field(op->ctx, ERR_QUOTA, STR("Tags"), "A resource may have up to %d tags.",
			      TAG_COUNT_MAX);
}

RESULT tag_normalize(struct op *op, struct tags wish, struct tags *ret_tags)
{
	if (wish.count == 0) {
		*ret_tags = (struct tags){0};
		return OK;
	}
	if (wish.count > TAG_COUNT_MAX)
		return fail_too_many(op);
	struct tag *sorted = arena_new_array(op->ctx->arena, struct tag, wish.count);
	if (!sorted)
		return ctx_no_memory(op->ctx);
	size_t count = 0;
	for (size_t n = 0; n < wish.count; n++) {
		bool twice = false;
		TRY(check_tag(op, &wish.at[n]));
		insert_tag(sorted, &count, wish.at[n], &twice);
		if (twice)
			return ctx_fail_field(op->ctx, ERR_INVALID, STR("Tag.Key"),
					      "Duplicate tag key '%" STR_FMT "' specified.",
					      STR_ARG(wish.at[n].key));
	}
	*ret_tags = (struct tags){sorted, count};
	return OK;
}

static bool is_key(const struct strs *keys, struct str key)
{
	for (size_t k = 0; k < keys->count; k++)
		if (str_equal(keys->at[k], key))
			return true;
	return false;
}

RESULT tag_merge(struct op *op, struct tags before, struct tags set, const struct strs *removed,
		 struct tags *ret_tags)
{
	struct tag *tags = arena_new_array(op->ctx->arena, struct tag, before.count + set.count + 1);
	size_t count = 0;
	if (!tags)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < before.count; k++)
		if (!is_key(removed, before.at[k].key) && !tags_find(set, before.at[k].key))
			tags[count++] = before.at[k];
	for (size_t k = 0; k < set.count; k++)
		tags[count++] = set.at[k];
	return tag_normalize(op, (struct tags){tags, count}, ret_tags);
}

RESULT tag_add_reserved(struct op *op, struct tags added, struct tags *tags)
{
	struct tag *sorted = arena_new_array(op->ctx->arena, struct tag, tags->count + added.count);
	size_t count = tags->count;
	bool replaced;
	if (!sorted)
		return ctx_no_memory(op->ctx);
	if (count)
		memcpy(sorted, tags->at, count * sizeof *sorted);
	for (size_t n = 0; n < added.count; n++)
		insert_tag(sorted, &count, added.at[n], &replaced);
	*tags = (struct tags){sorted, count};
	return OK;
}

static bool is_reserved(const struct tag *tag)
{
	return str_starts_with(tag->key, STR("aws:"));
}

/* ---- rows of any kind ---- */

/* IAM's entities have their own permissions for tagging. */
struct entity_words {
	enum kind kind;
	const char *set, *remove;
};

static const struct entity_words *words_of(enum kind kind)
{
	static const struct entity_words words[] = {
		{KIND_USER, "user.tag", "user.untag"},
		{KIND_IAM_ROLE, "iam_role.tag", "iam_role.untag"},
		{KIND_INSTANCE_PROFILE, "instance_profile.tag", "instance_profile.untag"},
		{KIND_MFA_DEVICE, "mfa_device.tag", "mfa_device.untag"},
		{KIND_OIDC_PROVIDER, "oidc_provider.tag", "oidc_provider.untag"},
		{KIND_SAML_PROVIDER, "saml_provider.tag", "saml_provider.untag"},
		{KIND_POLICY, "policy.tag", "policy.untag"},
		{KIND_ELASTIC_LOAD_BALANCER, "elastic_load_balancer.tag", "elastic_load_balancer.untag"},
		{KIND_LISTENER, "elastic_load_balancer.tag", "elastic_load_balancer.untag"},
		{KIND_LISTENER_RULE, "elastic_load_balancer.tag", "elastic_load_balancer.untag"},
		{KIND_TARGET_GROUP, "elastic_load_balancer.tag", "elastic_load_balancer.untag"},
		{KIND_SCALING_GROUP, "scaling_group.tag", "scaling_group.untag"},
		{KIND_ALARM, "alarm.tag", "alarm.untag"},
		{KIND_QUEUE, "queue.tag", "queue.untag"},
		{KIND_TOPIC, "topic.tag", "topic.untag"},
		{KIND_EVENT_RULE, "event_rule.tag", "event_rule.untag"},
		{KIND_SERVER_CERTIFICATE, "server_certificate.tag", "server_certificate.untag"},
	};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (words[k].kind == kind)
			return &words[k];
	return NULL;
}

static struct tags *tags_at(size_t offset, struct row *row)
{
	return (struct tags *) (void *) ((char *) row + offset);
}

/* words: for IAM's entities; NULL: other kinds. */
static RESULT find_tagged(struct op *op, const struct ref *ref, const struct entity_words *words,
			  size_t *ret_offset, const struct row **ret_row)
{
	if (!ref_is_given(ref) || words_of(ref->kind) != words || !model_kinds[ref->kind].tags_offset)
		return ENGINE_FAIL(op, ERR_INVALID, ref->kind, ref->field, "'%" STR_FMT "' cannot have tags.",
				   STR_ARG(ref->text));
	TRY(engine_find(op->ctx, op->head, ref->kind, ref, ret_row));
	*ret_offset = engine_tags_offset(op->ctx, ref->kind, *ret_row);
	return *ret_offset ? OK : engine_fail_not_found(op->ctx, ref->kind, ref);
}

typedef RESULT change_tags(struct op *op, const struct tags_wish *wish, struct tags before, struct tag *tags,
			   size_t *ret_count);

/* Allocates room for present and added tags; they stay sorted by key. */
static RESULT change_row(struct op *op, const struct tags_wish *wish, const struct ref *ref,
			 const struct entity_words *words, const char *permission, change_tags *change)
{
	size_t offset = 0;
	const struct row *row = NULL;
	TRY(find_tagged(op, ref, words, &offset, &row));
	TRY(engine_permit(op, permission, ref->kind, row));
	struct row *next = row_copy(op->ctx->arena, &model_kinds[ref->kind], row);
	if (!next)
		return ctx_no_memory(op->ctx);
	struct tags before = *tags_at(offset, next);
	struct tag *tags = arena_new_array(op->ctx->arena, struct tag, before.count + wish->tags.count + 1);
	if (!tags)
		return ctx_no_memory(op->ctx);
	size_t count = 0;
	TRY(change(op, wish, before, tags, &count));
	if (ref->kind == KIND_INSTANCE && count > before.count)
		TRY(quota_check_each(op, instance_of(row)->account, QUOTA_METADATA_ITEMS, (int64_t) count));
	*tags_at(offset, next) = (struct tags){tags, count};
	return op_put(op, ref->kind, next);
}

static RESULT add_tags(struct op *op, const struct tags_wish *wish, struct tags before, struct tag *tags,
		       size_t *ret_count)
{
	if (before.count)
		memcpy(tags, before.at, before.count * sizeof *tags);
	*ret_count = before.count;
	for (size_t n = 0; n < wish->tags.count; n++) {
		bool replaced;
		insert_tag(tags, ret_count, wish->tags.at[n], &replaced);
	}
	return *ret_count > TAG_COUNT_MAX ? fail_too_many(op) : OK;
}

static bool is_of_part(enum tag_part part, const struct tag *tag)
{
	if (is_reserved(tag))
		return false;
	return part == TAGS_ALL || (part == TAGS_WORDS) == str_is_empty(tag->value);
}

static bool is_removed(const struct tags_wish *wish, const struct tag *tag)
{
	for (size_t n = 0; n < wish->removal_count; n++) {
		const struct tag_removal *removal = &wish->removals[n];
		if (str_equal(removal->key, tag->key) &&
		    (!removal->with_value || str_equal(removal->value, tag->value)))
			return true;
	}
	return wish->removal_count == 0 && is_of_part(wish->part, tag);
}

static RESULT remove_tags(struct op *op, const struct tags_wish *wish, struct tags before, struct tag *tags,
			  size_t *ret_count)
{
	(void) op;
	for (size_t n = 0; n < before.count; n++)
		if (!is_removed(wish, &before.at[n]))
			tags[(*ret_count)++] = before.at[n];
	return OK;
}

static RESULT replace_tags(struct op *op, const struct tags_wish *wish, struct tags before, struct tag *tags,
			   size_t *ret_count)
{
	struct tags sorted = {0};
	TRY(tag_normalize(op, wish->tags, &sorted));
	for (size_t n = 0; n < before.count; n++)
		if (!is_of_part(wish->part, &before.at[n]))
			tags[(*ret_count)++] = before.at[n];
	for (size_t n = 0; n < sorted.count; n++) {
		bool replaced;
		insert_tag(tags, ret_count, sorted.at[n], &replaced);
	}
	return *ret_count > TAG_COUNT_MAX ? fail_too_many(op) : OK;
}

RESULT engine_replace_tags(struct op *op, struct tags_wish *wish)
{
	for (size_t n = 0; n < wish->resources.count; n++) {
		const struct entity_words *words = words_of(wish->resources.at[n].kind);
		TRY(change_row(op, wish, &wish->resources.at[n], words, words ? words->set : "tag.set",
			       replace_tags));
	}
	return OK;
}

RESULT engine_set_tags(struct op *op, struct tags_wish *wish)
{
	for (size_t n = 0; n < wish->tags.count; n++)
		TRY(check_tag(op, &wish->tags.at[n]));
	for (size_t n = 0; n < wish->resources.count; n++)
		TRY(engine_name_absent(
			op->ctx, op->head, &wish->resources,
			change_row(op, wish, &wish->resources.at[n], NULL, "tag.set", add_tags)));
	return OK;
}

RESULT engine_delete_tags(struct op *op, struct tags_wish *wish)
{
	for (size_t n = 0; n < wish->removal_count; n++)
		if (str_starts_with(wish->removals[n].key, STR("aws:")))
			return fail_reserved(op, wish->removals[n].key);
	for (size_t n = 0; n < wish->resources.count; n++)
		TRY(engine_name_absent(
			op->ctx, op->head, &wish->resources,
			change_row(op, wish, &wish->resources.at[n], NULL, "tag.remove", remove_tags)));
	return OK;
}

/* ---- IAM's entities ---- */

RESULT engine_tag_entity(struct op *op, struct entity_tags *wish)
{
	const struct entity_words *words = words_of(wish->entity.kind);
	struct tags_wish tags = {0};
	TRY(tag_normalize(op, wish->tags, &tags.tags));
	return words ? change_row(op, &tags, &wish->entity, words, words->set, add_tags) : FAIL(INTERNAL);
}

RESULT engine_untag_entity(struct op *op, struct entity_tags *wish)
{
	const struct entity_words *words = words_of(wish->entity.kind);
	struct tag_removal *removals =
		arena_new_array(op->ctx->arena, struct tag_removal, wish->keys.count + 1);
	if (!removals)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < wish->keys.count; k++)
		removals[k] = (struct tag_removal){.key = wish->keys.at[k]};
	const struct tags_wish tags = {.removals = removals, .removal_count = wish->keys.count};
	if (!wish->keys.count)
		return OK;
	return words ? change_row(op, &tags, &wish->entity, words, words->remove, remove_tags)
		     : FAIL(INTERNAL);
}
