/* SPDX-License-Identifier: Apache-2.0
 * Standard attributes of Neutron's resources, and tags as words. */
#include "api/openstack/network/network.h"
#include "model/address.h"
#include "store/external_network.h"
#include "store/network.h"

struct str os_write_word(struct os_call *e, const struct tag *tag)
{
	return str_is_empty(tag->value) ? tag->key
					: str_print(e->c->arena, "%" STR_FMT "=%" STR_FMT, STR_ARG(tag->key),
						    STR_ARG(tag->value));
}

struct strs os_list_words(struct api_call *core, const struct row *row)
{
	size_t offset = model_kinds[row->kind].tags_offset;
	const struct tags *tags = (const struct tags *) (const void *) ((const char *) row + offset);
	struct str *words = arena_new_array(core->c->arena, struct str, tags->count);
	for (size_t k = 0; words && k < tags->count; k++)
		words[k] = os_write_word(os_call_of(core), &tags->at[k]);
	return (struct strs){words, words ? tags->count : 0};
}

void os_write_words(struct os_call *e, struct json_writer *w, struct tags tags)
{
	json_write_open_list(w, "tags");
	for (size_t k = 0; k < tags.count; k++)
		json_write_text(w, NULL, os_write_word(e, &tags.at[k]));
	json_write_close_list(w);
}

RESULT os_read_words(struct os_call *e, struct strs words, struct tags *ret_tags)
{
	struct tag *tags = arena_new_array(e->c->arena, struct tag, words.count + 1);
	if (!tags)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < words.count; k++) {
		size_t at = str_find_char(words.at[k], '=', 0);
		bool has_value = at < words.at[k].n;
		tags[k] = (struct tag){str_slice(words.at[k], 0, has_value ? at : words.at[k].n),
				       has_value ? str_slice(words.at[k], at + 1, words.at[k].n) : STR("")};
		for (size_t n = 0; n < k; n++)
			if (str_equal(tags[n].key, tags[k].key))
				return ctx_fail_field(e->c, ERR_INVALID, STR("tags"),
						      "Invalid input for tags: '%" STR_FMT "' comes twice.",
						      STR_ARG(tags[k].key));
	}
	*ret_tags = (struct tags){tags, words.count};
	return OK;
}

/* ---- filters ---- */

static bool has_word(struct os_call *e, struct tags tags, struct str word)
{
	for (size_t k = 0; k < tags.count; k++)
		if (str_equal(os_write_word(e, &tags.at[k]), word))
			return true;
	return false;
}

static bool has_words(struct os_call *e, const struct row *row, struct str list, bool any)
{
	size_t offset = model_kinds[os_action_of(e)->list->kind].tags_offset;
	const struct tags *tags = (const struct tags *) (const void *) ((const char *) row + offset);
	struct str word;
	while (str_split_next(&list, ',', &word))
		if (has_word(e, *tags, word) == any)
			return any;
	return !any;
}

bool os_fits_tags(struct os_call *e, const struct row *row, struct str value)
{
	return has_words(e, row, value, false);
}

bool os_fits_tags_any(struct os_call *e, const struct row *row, struct str value)
{
	return has_words(e, row, value, true);
}

bool os_lacks_tags(struct os_call *e, const struct row *row, struct str value)
{
	return !os_fits_tags(e, row, value);
}

bool os_lacks_tags_any(struct os_call *e, const struct row *row, struct str value)
{
	return !os_fits_tags_any(e, row, value);
}

const struct os_filter os_tag_filters[] = {OS_TAG_FILTERS};

RESULT os_check_external(struct os_call *e, const struct ref *network)
{
	const struct network *n =
		network->kind != KIND_NONE ? network_find(os_tables(e), network->prefix) : NULL;
	if (!n || !row_is_live(&n->row) || external_network_find(os_tables(e), n->row.id) ||
	    !engine_may_see(e->c, KIND_NETWORK, &n->row))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, network->field,
			      "Network %" STR_FMT " is not a valid external network.",
			      STR_ARG(network->text));
}
