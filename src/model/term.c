/* SPDX-License-Identifier: Apache-2.0
 * Hashes of search terms. */
#include "model/term.h"

#include <assert.h>

#include "base/hash.h"
#include "model/image.h"
#include "model/state.h"

enum what { OF_STATE = 1, OF_GROUP, OF_LAUNCHER, OF_TAG_KEY, OF_TAG, OF_TAGGED, OF_NAME, OF_DEVICE };

static uint64_t add_bytes(uint64_t h, const void *bytes, size_t size)
{
	for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
		uint64_t word = 0;
		memcpy(&word, (const char *) bytes + at, size - at < sizeof word ? size - at : sizeof word);
		h = hash_add(h, word);
	}
	return hash_add(h, size); /* separates consecutive texts */
}

static uint64_t begin(uuid account, enum what what)
{
	return add_bytes((uint64_t) what, account.b, sizeof account.b);
}

uint64_t term_of_state(uuid account, unsigned state)
{
	return add_bytes(begin(account, OF_STATE), &state, sizeof state);
}

uint64_t term_of_group(uuid account, uuid group)
{
	return add_bytes(begin(account, OF_GROUP), group.b, sizeof group.b);
}

uint64_t term_of_launcher(uuid account)
{
	return begin(account, OF_LAUNCHER);
}

uint64_t term_of_community(void)
{
	return begin(UUID_NONE, OF_LAUNCHER);
}

uint64_t term_of_name(uuid account, struct str name)
{
	return add_bytes(begin(account, OF_NAME), name.p, name.n);
}

uint64_t term_of_device(uuid account, struct str device_id)
{
	return add_bytes(begin(account, OF_DEVICE), device_id.p, device_id.n);
}

uint64_t term_of_tag_key(uuid account, struct str key)
{
	return add_bytes(begin(account, OF_TAG_KEY), key.p, key.n);
}

uint64_t term_of_tag(uuid account, struct str key, struct str value)
{
	uint64_t h = add_bytes(begin(account, OF_TAG), key.p, key.n);
	return add_bytes(h, value.p, value.n);
}

uint64_t term_of_tagged(uuid account)
{
	return begin(account, OF_TAGGED);
}

static struct tags tags_at(const struct row *row, size_t offset)
{
	struct tags tags = {0};
	if (offset)
		memcpy(&tags, (const char *) row + offset, sizeof tags);
	return tags;
}

static uuid account_at(const struct row *row, size_t offset)
{
	uuid account = UUID_NONE;
	if (offset)
		memcpy(&account, (const char *) row + offset, sizeof account);
	return account;
}

/* Empty: none. */
static struct str text_at(const struct row *row, size_t offset)
{
	return offset ? *(const struct str *) (const void *) ((const char *) row + offset) : STR_NONE;
}

/* No face finds rows of other clouds by name, and there are many of them. */
static bool is_found_by_name(const struct kind_info *k)
{
	return k->kind != KIND_REMOTE_MACHINE && k->kind != KIND_REMOTE_RESOURCE;
}

static struct str name_of(const struct kind_info *k, const struct row *row)
{
	if (!is_found_by_name(k))
		return STR_NONE;
	return k->account_offset || term_is_of_region(k->kind) ? text_at(row, k->name_offset) : STR_NONE;
}

/* Two per tag, and one for all of them. */
static size_t count_of_tags(struct tags tags)
{
	return tags.count ? 2 * tags.count + 1 : 0;
}

static uint64_t get_of_tags(struct tags tags, uuid account, size_t number)
{
	if (number == 2 * tags.count)
		return term_of_tagged(account);
	const struct tag *tag = &tags.at[number / 2];
	return number % 2 ? term_of_tag(account, tag->key, tag->value) : term_of_tag_key(account, tag->key);
}

static struct uuids uuids_at(const struct row *row, size_t offset)
{
	struct uuids uuids = {0};
	if (offset)
		memcpy(&uuids, (const char *) row + offset, sizeof uuids);
	return uuids;
}

/* Images with Glance's visibility "community": every account that asks for them may launch them. */
static bool is_of_community(const struct kind_info *k, const struct row *row)
{
	return k->kind == KIND_IMAGE && image_of(row)->is_community;
}

size_t terms_count(const struct kind_info *k, const struct row *row)
{
	return (size_t) model_tells_state(k->kind) + (name_of(k, row).n > 0) +
	       (text_at(row, k->device_id_offset).n > 0) + uuids_at(row, k->groups_offset).count +
	       uuids_at(row, k->launchers_offset).count + is_of_community(k, row) +
	       count_of_tags(tags_at(row, k->tags_offset)) + count_of_tags(tags_at(row, k->peer_tags_offset));
}

uint64_t terms_get(const struct kind_info *k, const struct row *row, size_t number)
{
	uuid account = account_at(row, k->account_offset);
	assert(number < terms_count(k, row));
	if (model_tells_state(k->kind) && number-- == 0)
		return term_of_state(account, model_derive_state(k->kind, row));
	struct str name = name_of(k, row), device_id = text_at(row, k->device_id_offset);
	if (name.n && number-- == 0)
		return term_of_name(term_is_of_region(k->kind) ? UUID_NONE : account, name);
	if (device_id.n && number-- == 0)
		return term_of_device(account, device_id);
	struct uuids groups = uuids_at(row, k->groups_offset);
	if (number < groups.count)
		return term_of_group(account, groups.at[number]);
	number -= groups.count;
	struct uuids launchers = uuids_at(row, k->launchers_offset);
	if (number < launchers.count)
		return term_of_launcher(launchers.at[number]);
	number -= launchers.count;
	if (is_of_community(k, row) && number-- == 0)
		return term_of_community();
	struct tags tags = tags_at(row, k->tags_offset);
	if (number < count_of_tags(tags))
		return get_of_tags(tags, account, number);
	return get_of_tags(tags_at(row, k->peer_tags_offset), account_at(row, k->peer_account_offset),
			   number - count_of_tags(tags));
}
