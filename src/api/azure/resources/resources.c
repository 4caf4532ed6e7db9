/* SPDX-License-Identifier: Apache-2.0
 * Lists all resources of a subscription or a resource group, by the lists of the single types: a new type is
 * included as soon as it has a list. Also lists preview features, of which there are none. Source: Azure REST API
 * reference, "Resources - List", 2021-04-01. */
#include "api/azure/core/action.h"
#include "base/letters.h"

/* "resourceType eq '…'", "name eq '…'", "resourceGroup eq '…'", "tagName eq '…' and tagValue eq '…'", joined by "and". */
struct filter {
	struct str type, name, group, tag, value;
};

static RESULT read_filter(struct az_call *e, struct filter *ret_filter)
{
	struct str rest = str_trim(az_query_value(e, "$filter"));
	struct filter f = {0};
	const struct {
		struct str word;
		struct str *to;
	} terms[] = {{STR("resourceType"), &f.type},
		     {STR("name"), &f.name},
		     {STR("resourceGroup"), &f.group},
		     {STR("tagName"), &f.tag},
		     {STR("tagValue"), &f.value}};
	bool is_good = true;
	while (rest.n && is_good) {
		is_good = false;
		for (size_t k = 0; k < sizeof terms / sizeof terms[0] && !is_good; k++)
			is_good = az_take_word(&rest, terms[k].word) && az_take_value(&rest, terms[k].to);
		if (is_good && rest.n)
			is_good = az_take_word(&rest, STR("and"));
	}
	*ret_filter = f;
	return is_good ? OK
		       : az_fail(e, "$filter", "The filter '%" STR_FMT "' is not supported.",
				 STR_ARG(str_slice(az_query_value(e, "$filter"), 0, 128)));
}

static bool has_tag(const struct filter *f, enum kind kind, const struct row *row)
{
	size_t offset = model_kinds[kind].tags_offset;
	const struct tags *tags = (const struct tags *) (const void *) ((const char *) row + offset);
	for (size_t k = 0; offset && k < tags->count; k++) /* names of tags ignore case */
		if (str_equal_anycase(tags->at[k].key, f->tag))
			return !f->value.n || str_equal(tags->at[k].value, f->value);
	return !f->tag.n;
}

static bool is_asked(struct az_call *e, const struct filter *f, const struct az_action *list,
		     const struct row *row)
{
	enum kind kind = list->listing->kind;
	return (!f->name.n || str_equal_nocase(f->name, az_name_of(e, list->type, kind, row->id))) &&
	       (!f->group.n || str_equal_anycase(f->group, az_group_of(e, row->id))) && has_tag(f, kind, row);
}

/* True for lists of a top-level type in a subscription. */
static bool is_list(const struct az_action *a)
{
	return a->listing && !strchr(az_types[a->type].name, '/') && !strstr(a->path, "/locations/") &&
	       strncmp(a->path, AZ_SUBSCRIPTION "/providers/", strlen(AZ_SUBSCRIPTION "/providers/")) == 0;
}

/* ---- $expand ---- */

/* Members that a list shows only where $expand names them. */
struct expand {
	bool created, changed, state;
};

static RESULT read_expand(struct az_call *e, struct expand *ret_expand)
{
	struct str rest = az_query_value(e, "$expand"), word;
	const struct {
		struct str word;
		bool *to;
	} words[] = {{STR("createdTime"), &ret_expand->created},
		     {STR("changedTime"), &ret_expand->changed},
		     {STR("provisioningState"), &ret_expand->state}};
	*ret_expand = (struct expand){0};
	while (str_split_next(&rest, ',', &word)) {
		size_t k = 0, count = sizeof words / sizeof words[0];
		while (k < count && !str_equal_nocase(str_trim(word), words[k].word))
			k++;
		if (k == count)
			return az_fail(e, "$expand",
				       "The value '%" STR_FMT "' of $expand is not supported.", /* guessed */
				       STR_ARG(str_slice(word, 0, 128)));
		*words[k].to = true;
	}
	return OK;
}

/* Writes a row as its own list shows it, and takes the state from there: each type computes its own. e->action: that list.
 * A type whose properties have no state is there, so it has succeeded. */
static RESULT write_state(struct az_call *e, struct json_writer *w, const struct api_listing *list,
			  const struct row *row)
{
	struct json_writer one;
	__attribute__((cleanup(buf_done))) struct buf text;
	buf_init(&text, BUF_ANSWER_CAP);
	json_write_begin(&one, &text);
	json_write_open(&one, NULL);
	members_write(&e->core, &one, az_write_time, &list->members, row);
	json_write_close(&one);
	TRY(json_write_end(&one));
	json_auto_t *shown = json_loadb(buf_str(&text).p, buf_str(&text).n, 0, NULL);
	const json_t *state = json_object_get(json_object_get(shown, "properties"), "provisioningState");
	const char *word = json_string_value(state);
	json_write_z(w, "provisioningState", word ? word : "Succeeded");
	return OK;
}

static RESULT write_one(struct az_call *e, struct json_writer *w, const struct expand *x,
			const struct az_action *list, const struct row *row)
{
	json_write_open(w, NULL);
	az_write_head(e, w, list->type, list->listing->kind, row);
	if (x->created)
		az_write_time(w, "createdTime", row->created_us);
	if (x->changed)
		az_write_time(w, "changedTime", row->updated_us);
	if (x->state)
		TRY(write_state(e, w, list->listing, row));
	json_write_close(w);
	return OK;
}

static RESULT write_rows(struct az_call *e, struct json_writer *w, const struct filter *f,
			 const struct expand *x, const struct az_action *list)
{
	const struct api_list_wish wish = {0};
	struct query_page page;
	TRY(api_list_rows(&e->core, &wish, &page));
	for (size_t k = 0; k < page.count; k++)
		if (is_asked(e, f, list, page.rows[k]))
			TRY(write_one(e, w, x, list, page.rows[k]));
	return OK;
}

static RESULT write_type(struct az_call *e, struct json_writer *w, const struct filter *f,
			 const struct expand *x, const struct az_action *list)
{
	const struct az_type *type = &az_types[list->type];
	const struct api_action *own = e->action;
	void *own_args = e->args;
	if (f->type.n && !str_equal_nocase(f->type, str_print(e->c->arena, "%s/%s", type->space, type->name)))
		return OK;
	e->action = &list->core; /* its rows are filtered and shown as its own list does */
	e->args = arena_alloc(e->c->arena, list->args.size + 1);
	struct result written = e->args ? write_rows(e, w, f, x, list) : ctx_no_memory(e->c);
	e->action = own;
	e->args = own_args;
	return written;
}

static RESULT list_resources(struct az_call *e, const void *args, struct json_writer *w)
{
	struct filter f;
	struct expand x;
	(void) args;
	TRY(az_find_group(e));
	TRY(read_filter(e, &f));
	TRY(read_expand(e, &x));
	json_write_open_list(w, "value");
	for (size_t g = 0; g < az_group_count; g++)
		for (size_t k = 0; k < az_groups[g]->count; k++) {
			const struct az_action *a = az_row_of(api_action_at(az_groups[g], k));
			if (is_list(a))
				TRY(write_type(e, w, &f, &x, a));
		}
	json_write_close_list(w);
	return OK;
}

static RESULT list_none(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_open_list(w, "value");
	json_write_close_list(w);
	return OK;
}

#define FEATURES "/providers/Microsoft.Features"
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION "/resources", .name = "Resources_List", .permit = "ec2:DescribeTags",
	 .type = AZ_RESOURCES, .answer = list_resources, .query = "$filter|$expand",
	 .doc = "Lists all resources of the subscription."},
	{HTTP_GET, AZ_GROUP "/resources", .name = "Resources_ListByResourceGroup",
	 .permit = "ec2:DescribeTags", .type = AZ_RESOURCES, .answer = list_resources,
	 .query = "$filter|$expand", .doc = "Lists all resources of a resource group."},
	{HTTP_GET, AZ_SUBSCRIPTION FEATURES "/features", .name = "Features_ListAll",
	 .permit = "ec2:DescribeRegions", .flags = API_FOR_ALL, .type = AZ_FEATURES, .answer = list_none,
	 .doc = "Lists preview features.", .never = "there are no preview features"},
	{HTTP_GET, AZ_SUBSCRIPTION FEATURES "/providers/{resourceProviderNamespace}/features",
	 .name = "Features_List", .permit = "ec2:DescribeRegions", .flags = API_FOR_ALL, .type = AZ_FEATURES,
	 .answer = list_none, .doc = "Lists the preview features of a provider.",
	 .never = "there are no preview features"},
};
const struct api_actions az_resource_actions = API_ACTIONS(actions);
