/* SPDX-License-Identifier: Apache-2.0
 * All resources of a subscription, or of a group: what the lists of the single types show. A type is among them as soon as it has
 * a list of its own. Features, of which there are none. Source: Azure REST API reference, "Resources - List", 2021-04-01. */
#include "api/azure/core/action.h"

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
		if (str_equal_nocase(tags->at[k].key, f->tag))
			return !f->value.n || str_equal(tags->at[k].value, f->value);
	return !f->tag.n;
}

static bool is_asked(struct az_call *e, const struct filter *f, const struct az_action *list,
		     const struct row *row)
{
	enum kind kind = list->listing->kind;
	return (!f->name.n || str_equal_nocase(f->name, az_name_of(e, list->type, kind, row->id))) &&
	       (!f->group.n || str_equal_nocase(f->group, az_group_of(e, row->id))) && has_tag(f, kind, row);
}

/* True for lists of a top-level type in a subscription. */
static bool is_list(const struct az_action *a)
{
	return a->listing && !strchr(az_types[a->type].name, '/') && !strstr(a->path, "/locations/") &&
	       strncmp(a->path, AZ_SUBSCRIPTION "/providers/", strlen(AZ_SUBSCRIPTION "/providers/")) == 0;
}

static RESULT write_type(struct az_call *e, struct json_writer *w, const struct filter *f,
			 const struct az_action *list)
{
	const struct az_type *type = &az_types[list->type];
	const struct api_action *own = e->action;
	const struct api_list_wish wish = {0};
	struct query_page page;
	void *own_args = e->args;
	if (f->type.n && !str_equal_nocase(f->type, str_print(e->c->arena, "%s/%s", type->space, type->name)))
		return OK;
	e->action = &list->core; /* its rows are filtered as its own list does */
	e->args = arena_alloc(e->c->arena, list->args.size + 1);
	struct result found = e->args ? api_list_rows(&e->core, &wish, &page) : ctx_no_memory(e->c);
	e->action = own;
	e->args = own_args;
	TRY(found);
	for (size_t k = 0; k < page.count; k++) {
		if (!is_asked(e, f, list, page.rows[k]))
			continue;
		json_write_open(w, NULL);
		az_write_head(e, w, list->type, list->listing->kind, page.rows[k]);
		az_write_time(w, "createdTime", page.rows[k]->created_us);
		az_write_time(w, "changedTime", page.rows[k]->updated_us);
		json_write_close(w);
	}
	return OK;
}

static RESULT list_resources(struct az_call *e, const void *args, struct json_writer *w)
{
	struct filter f;
	(void) args;
	TRY(az_find_group(e));
	TRY(read_filter(e, &f));
	json_write_open_list(w, "value");
	for (size_t g = 0; g < az_group_count; g++)
		for (size_t k = 0; k < az_groups[g]->count; k++) {
			const struct az_action *a = az_row_of(api_action_at(az_groups[g], k));
			if (is_list(a))
				TRY(write_type(e, w, &f, a));
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
	 .doc = "All resources of the subscription."},
	{HTTP_GET, AZ_GROUP "/resources", .name = "Resources_ListByResourceGroup",
	 .permit = "ec2:DescribeTags", .type = AZ_RESOURCES, .answer = list_resources,
	 .query = "$filter|$expand", .doc = "All resources of a group."},
	{HTTP_GET, AZ_SUBSCRIPTION FEATURES "/features", .name = "Features_ListAll",
	 .permit = "ec2:DescribeRegions", .flags = API_FOR_ALL, .type = AZ_FEATURES, .answer = list_none,
	 .doc = "Preview features.", .never = "there are no preview features"},
	{HTTP_GET, AZ_SUBSCRIPTION FEATURES "/providers/{resourceProviderNamespace}/features",
	 .name = "Features_List", .permit = "ec2:DescribeRegions", .flags = API_FOR_ALL, .type = AZ_FEATURES,
	 .answer = list_none, .doc = "Preview features of a namespace.",
	 .never = "there are no preview features"},
};
const struct api_actions az_resource_actions = API_ACTIONS(actions);
