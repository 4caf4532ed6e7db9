/* SPDX-License-Identifier: Apache-2.0
 * Tags of a server, which are its tags without a value; those with a value are its metadata (servers.h).
 * Source: Compute API reference, "Server tags". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "engine/tag.h"
#include "model/instance.h"

enum { WORD_MAX = 60 };

/* ---- writing and reading ---- */

void os_write_metadata(struct json_writer *w, const char *key, struct tags tags)
{
	json_write_open(w, key);
	for (size_t k = 0; k < tags.count; k++) {
		if (str_is_empty(tags.at[k].value))
			continue;
		json_write_key(w, tags.at[k].key);
		json_write_text(w, NULL, tags.at[k].value);
	}
	json_write_close(w);
}

void os_write_server_tags(struct json_writer *w, const char *key, struct tags tags)
{
	json_write_open_list(w, key);
	for (size_t k = 0; k < tags.count; k++)
		if (str_is_empty(tags.at[k].value))
			json_write_text(w, NULL, tags.at[k].key);
	json_write_close_list(w);
}

static bool has_separator(struct str word)
{
	return str_find_char(word, ',', 0) < word.n || str_find_char(word, '/', 0) < word.n;
}

RESULT os_check_device_tag(struct os_call *e, struct str tag)
{
	if (!has_separator(tag))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("tag"),
			      "Invalid input for field/attribute tag. Value: %" STR_FMT ". '%" STR_FMT
			      "' does not match '^[^,/]*$'",
			      STR_ARG(tag), STR_ARG(tag));
}

RESULT os_read_server_tags(struct os_call *e, struct strs words, struct tags *ret_tags)
{
	struct tag *tags = arena_new_array(e->c->arena, struct tag, words.count + 1);
	if (!tags)
		return ctx_no_memory(e->c);
	if (words.count > TAG_COUNT_MAX)
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("tags"),
			"Invalid input for field/attribute tags. It has %zu elements, %d at most.",
			words.count, TAG_COUNT_MAX);
	for (size_t k = 0; k < words.count; k++) {
		struct str word = words.at[k];
		if (word.n < 1 || word.n > WORD_MAX || has_separator(word))
			return ctx_fail_field(e->c, ERR_INVALID, STR("tags"),
					      "Invalid input for field/attribute tags. Value: %" STR_FMT
					      ". A tag has 1 to %d characters without ',' and '/'.",
					      STR_ARG(str_slice(word, 0, 64)), WORD_MAX);
		tags[k] = (struct tag){word, STR("")};
	}
	*ret_tags = (struct tags){tags, words.count};
	return OK;
}

/* ---- filters ---- */

static bool has_word(const struct row *row, struct str word)
{
	const struct tag *tag = tags_find(instance_of(row)->tags, word);
	return tag && str_is_empty(tag->value);
}

static size_t count_all_words(const struct instance *instance)
{
	size_t count = 0;
	for (size_t k = 0; k < instance->tags.count; k++)
		count += str_is_empty(instance->tags.at[k].value);
	return count;
}

/* Counts the words of the list that the server has; *ret_of is the length of the list. */
static size_t count_words(const struct row *row, struct str words, size_t *ret_of)
{
	struct str word;
	size_t count = 0;
	*ret_of = 0;
	while (str_split_next(&words, ',', &word)) {
		count += has_word(row, word);
		++*ret_of;
	}
	return count;
}

bool os_has_all_tags(struct os_call *e, const struct row *row, struct str value)
{
	size_t of = 0;
	(void) e;
	return count_words(row, value, &of) == of;
}

bool os_has_any_tag(struct os_call *e, const struct row *row, struct str value)
{
	size_t of = 0;
	(void) e;
	return count_words(row, value, &of) > 0;
}

bool os_lacks_some_tag(struct os_call *e, const struct row *row, struct str value)
{
	return !os_has_all_tags(e, row, value);
}

bool os_lacks_all_tags(struct os_call *e, const struct row *row, struct str value)
{
	return !os_has_any_tag(e, row, value);
}

/* ---- the calls ---- */

struct os_server_tags {
	struct tags_wish wish;
	struct ref server;
	struct strs words;
	struct str word;
	struct tag_removal removal;
};
#define SERVER                                                                                               \
	OS_PATH(struct os_server_tags, "server_id", server, .kind = KIND_INSTANCE, .doc = "The server.")
static const struct param server_params[] = {SERVER};
static const struct param put_params[] = {
	SERVER,
	OS_BODY(struct os_server_tags, "tags", words, .flags = REQUIRED,
		.doc = "Tags that replace all present tags."),
};
static const struct param one_params[] = {
	SERVER,
	OS_PATH(struct os_server_tags, "tag", word, .doc = "The tag."),
};

static RESULT check_word(struct os_call *e, struct os_server_tags *a, const struct instance *instance)
{
	if (has_word(&instance->row, a->word))
		return OK;
	return ctx_fail(e->c, ERR_NOT_FOUND, "Server %" STR_FMT " has no tag '%" STR_FMT "'",
			STR_ARG(a->server.text), STR_ARG(str_slice(a->word, 0, WORD_MAX)));
}

static RESULT prepare_all(struct os_call *e, void *args)
{
	struct os_server_tags *a = args;
	const struct instance *instance = NULL;
	a->wish.resources = (struct refs){&a->server, 1};
	a->wish.part = TAGS_WORDS;
	TRY(os_find_live_server(e, &a->server, &instance));
	return os_read_server_tags(e, a->words, &a->wish.tags);
}

static RESULT prepare_add(struct os_call *e, void *args)
{
	struct os_server_tags *a = args;
	const struct instance *instance = NULL;
	a->words = (struct strs){&a->word, 1};
	TRY(prepare_all(e, args));
	TRY(os_find_live_server(e, &a->server, &instance));
	if (!has_word(&instance->row, a->word) && count_all_words(instance) >= TAG_COUNT_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("tag"),
				      "The number of tags exceeded the per-server limit %d", TAG_COUNT_MAX);
	e->status = has_word(&instance->row, a->word) ? 204 : 201;
	call_set_answer_header(e->call, "Location",
			       str_print(e->c->arena, "%" STR_FMT "/servers/%" STR_FMT "/tags/%" STR_FMT,
					 STR_ARG(os_service_url(e, OS_COMPUTE)),
					 STR_ARG(uuid_to_str(e->c->arena, instance->row.id)),
					 STR_ARG(str_encode_url(e->c->arena, a->word, false))));
	return OK;
}

static RESULT prepare_remove(struct os_call *e, void *args)
{
	struct os_server_tags *a = args;
	const struct instance *instance = NULL;
	TRY(prepare_all(e, args));
	TRY(os_find_live_server(e, &a->server, &instance));
	a->removal = (struct tag_removal){.key = a->word, .with_value = true};
	a->wish.removals = &a->removal;
	a->wish.removal_count = 1;
	return check_word(e, a, instance);
}

static RESULT prepare_check(struct os_call *e, void *args)
{
	struct os_server_tags *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_live_server(e, &a->server, &instance));
	return check_word(e, a, instance);
}

static RESULT show_tags(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct instance *instance = NULL;
	TRY(os_find_live_server(e, &((const struct os_server_tags *) args)->server, &instance));
	os_write_server_tags(w, "tags", instance->tags);
	return OK;
}

#define ALL "/v2.1/servers/{server_id}/tags"
#define ONE ALL "/{tag}"
#define ARGS(rows) OS_PARAMS(struct os_server_tags, rows)
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "os_compute_api:os-server-tags:index", .since = 26,
	 .args = ARGS(server_params), .answer = show_tags, .doc = "Lists the tags of a server."},
	{HTTP_PUT, ALL, .permit = "os_compute_api:os-server-tags:update_all", .flags = API_WRITES,
	 .since = 26, .args = ARGS(put_params), .prepare = prepare_all, .operation = engine_replace_tags_run,
	 .answer = show_tags, .returns = KIND_INSTANCE, .doc = "Replaces the tags of a server."},
	{HTTP_DELETE, ALL, .permit = "os_compute_api:os-server-tags:delete_all", .flags = API_WRITES,
	 .since = 26, .status = 204, .args = ARGS(server_params), .prepare = prepare_all,
	 .operation = engine_delete_tags_run, .doc = "Removes all tags of a server."},
	{HTTP_GET, ONE, .permit = "os_compute_api:os-server-tags:show", .since = 26, .status = 204,
	 .args = ARGS(one_params), .prepare = prepare_check, .doc = "Checks whether a server has a tag."},
	{HTTP_PUT, ONE, .permit = "os_compute_api:os-server-tags:update", .flags = API_WRITES, .since = 26,
	 .status = 201, .args = ARGS(one_params), .prepare = prepare_add, .operation = engine_set_tags_run,
	 .doc = "Adds a tag to a server."},
	{HTTP_DELETE, ONE, .permit = "os_compute_api:os-server-tags:delete", .flags = API_WRITES, .since = 26,
	 .status = 204, .args = ARGS(one_params), .prepare = prepare_remove,
	 .operation = engine_delete_tags_run, .doc = "Removes a tag from a server."},
};
const struct os_actions os_server_tag_actions = OS_ACTIONS(OS_COMPUTE, actions);
