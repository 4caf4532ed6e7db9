/* SPDX-License-Identifier: Apache-2.0
 * Resource groups. What other faces made is in the group dari-default, which has no row and can be neither changed nor deleted.
 * Source: Azure REST API reference, "Resource Groups", 2021-04-01. */
#include "api/azure/core/action.h"

#include "base/letters.h"
#include "engine/resolve.h"
#include "store/resource_group.h"

#include <string.h>

static void write_tags(struct json_writer *w, const struct tags *tags)
{
	json_write_open(w, "tags");
	for (size_t k = 0; k < tags->count; k++) {
		json_write_key(w, tags->at[k].key);
		json_write_text(w, NULL, tags->at[k].value);
	}
	json_write_close(w);
}

/* NULL: dari-default. */
static void write_group(struct az_call *e, struct json_writer *w, const struct resource_group *g)
{
	static const struct tags none = {NULL, 0};
	struct str subscription = uuid_to_str(e->c->arena, e->c->who->account);
	struct str name = g ? g->name : STR(AZ_DEFAULT_GROUP);
	json_write_text(w, "id",
			str_print(e->c->arena, "/subscriptions/%" STR_FMT "/resourceGroups/%" STR_FMT,
				  STR_ARG(subscription), STR_ARG(name)));
	json_write_text(w, "name", name);
	json_write_z(w, "type", "Microsoft.Resources/resourceGroups");
	json_write_text(w, "location", az_location(e));
	if (g && g->managed_by.n)
		json_write_text(w, "managedBy", g->managed_by);
	write_tags(w, g ? &g->tags : &none);
	json_write_open(w, "properties");
	json_write_z(w, "provisioningState", g && g->is_deleting ? "Deleting" : "Succeeded");
	json_write_close(w);
}

/* ---- lists ---- */

/* Reads $filter=tagName eq 'a' and tagValue eq 'b', the only form for groups. */
struct group_filter {
	struct str name, value;
};

static bool read_word(struct str *rest, const char *word)
{
	*rest = str_trim(*rest);
	struct str w = str_from(word);
	if (!str_equal_nocase(str_slice(*rest, 0, w.n), w))
		return false;
	*rest = str_slice(*rest, w.n, rest->n);
	return true;
}

static bool read_quoted(struct str *rest, struct str *ret)
{
	*rest = str_trim(*rest);
	if (!rest->n || rest->p[0] != '\'')
		return false;
	*rest = str_slice(*rest, 1, rest->n);
	return str_split_next(rest, '\'', ret);
}

static RESULT read_filter(struct az_call *e, struct group_filter *f)
{
	struct str rest = str_trim(az_query_value(e, "$filter"));
	if (!rest.n)
		return OK;
	bool is_good = read_word(&rest, "tagName") && read_word(&rest, "eq") && read_quoted(&rest, &f->name);
	if (is_good && str_trim(rest).n)
		is_good = read_word(&rest, "and") && read_word(&rest, "tagValue") && read_word(&rest, "eq") &&
			  read_quoted(&rest, &f->value) && !str_trim(rest).n;
	return is_good ? OK
		       : az_fail(e, "$filter",
				 "The filter is invalid: it is tagName eq '{name}' and tagValue eq "
				 "'{value}'.");
}

static bool has_tag(const struct resource_group *g, const struct group_filter *f)
{
	for (size_t k = 0; k < g->tags.count; k++)
		if (str_equal_anycase(g->tags.at[k].key, f->name) &&
		    (!f->value.n || str_equal(g->tags.at[k].value, f->value)))
			return true;
	return !f->name.n;
}

static void write_item(struct az_call *e, struct json_writer *w, const struct resource_group *g)
{
	json_write_open(w, NULL);
	write_group(e, w, g);
	json_write_close(w);
}

static RESULT list_groups(struct az_call *e, const void *args, struct json_writer *w)
{
	struct group_filter f = {STR_NONE, STR_NONE};
	(void) args;
	TRY(read_filter(e, &f));
	json_write_open_list(w, "value");
	if (!f.name.n)
		write_item(e, w, NULL);
	const struct resource_group *g = resource_group_first_by_account(az_tables(e), e->c->who->account);
	for (; g; g = resource_group_next_by_account(az_tables(e), g))
		if (has_tag(g, &f))
			write_item(e, w, g);
	json_write_close_list(w);
	return OK;
}

/* ---- one ---- */

static RESULT find_group(struct az_call *e, void *args)
{
	(void) args;
	TRY(az_find_group(e));
	e->target = e->group;
	return OK;
}

static RESULT check_group(struct az_call *e, void *args)
{
	e->status = 204;
	return find_group(e, args);
}

static RESULT show_group(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	write_group(e, w, resource_group_find(az_tables(e), e->target));
	return OK;
}

/* ---- changes ---- */

struct put_args {
	struct resource_group_wish wish;
};

/* Refuses tags for dari-default, and changes nothing: the group shows rows that other faces made. */
static RESULT prepare_default(struct az_call *e)
{
	if (e->put.tags.count)
		return ctx_fail(e->c, ERR_STATE,
				"The resource group '" AZ_DEFAULT_GROUP
				"' shows what was made elsewhere, and has no tags.");
	e->skips_operation = true;
	return OK;
}

/* Letters of all scripts count. Source: "Naming rules and restrictions for Azure resources", Microsoft.Resources. */
static RESULT check_name(struct az_call *e, struct str name)
{
	for (size_t k = 0; k < name.n; k++)
		if (!str_is_alphanumeric(name.p[k]) && !strchr("-._()", name.p[k]) &&
		    (unsigned char) name.p[k] < 0x80)
			return az_fail(
				e, "resourceGroupName",
				"The provided resource group name '%" STR_FMT
				"' has these invalid characters: '%c'. The name can only be a letter, digit, "
				"'-', '.', '(', ')' or '_'.",
				STR_ARG(str_slice(name, 0, 128)), name.p[k]);
	if (!str_ends_with(name, STR(".")))
		return OK;
	return az_fail(e, "resourceGroupName",
		       "The provided resource group name '%" STR_FMT "' ends with a period.", /* guessed */
		       STR_ARG(str_slice(name, 0, 128)));
}

/* Checks the name of a new group, and the location, which a PATCH may leave out. */
static RESULT check_put(struct az_call *e, bool is_patch, const struct resource_group *g)
{
	if (!is_patch || json_is_string(json_object_get(e->body, "location")))
		TRY(az_check_location(e));
	return is_patch || g ? OK : check_name(e, az_path_value(e, "resourceGroupName"));
}

static RESULT prepare_put(struct az_call *e, void *args)
{
	struct put_args *a = args;
	bool is_patch = az_action_of(e)->method == HTTP_PATCH;
	struct result found = find_group(e, args);
	const struct resource_group *g = resource_group_find(az_tables(e), e->group);
	if (!result_is_ok(found) && (is_patch || found.code != ERR_NOT_FOUND))
		return found;
	if (!result_is_ok(found))
		ctx_clear_problem(e->c);
	e->error = NULL;
	TRY(check_put(e, is_patch, g));
	TRY(az_read_tags(e));
	if (result_is_ok(found) && !g)
		return prepare_default(e);
	struct str managed_by = str_from(json_string_value(json_object_get(e->body, "managedBy")));
	a->wish = (struct resource_group_wish){
		.name = az_path_value(e, "resourceGroupName"),
		.managed_by = is_patch && g && !managed_by.n ? str_copy(e->c->arena, g->managed_by)
							     : str_copy(e->c->arena, managed_by),
		.set_tags = e->put.has_tags || !is_patch,
		.tags = e->put.tags,
	};
	e->status = g ? 200 : 201;
	return OK;
}

static RESULT show_put(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct put_args *a = args;
	write_group(e, w, resource_group_find(az_tables(e), a->wish.group));
	return OK;
}

struct delete_args {
	struct resource_group_target wish;
};

static RESULT prepare_delete(struct az_call *e, void *args)
{
	TRY(find_group(e, args));
	if (uuid_is_none(e->group))
		return ctx_fail(e->c, ERR_STATE,
				"The resource group '" AZ_DEFAULT_GROUP
				"' shows what was made elsewhere, and cannot be deleted.");
	((struct delete_args *) args)->wish.group = e->group;
	return OK;
}

static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION "/resourceGroups", .name = "ResourceGroups_List",
	 .permit = "ec2:DescribeResourceGroups", .type = AZ_GROUPS, .answer = list_groups, .query = "$filter",
	 .doc = "Lists resource groups."},
	{HTTP_GET, AZ_GROUP, .name = "ResourceGroups_Get", .permit = "ec2:DescribeResourceGroups",
	 .type = AZ_GROUPS, .prepare = find_group, .answer = show_group, .doc = "Gets one resource group."},
	{HTTP_HEAD, AZ_GROUP, .name = "ResourceGroups_CheckExistence", .permit = "ec2:DescribeResourceGroups",
	 .type = AZ_GROUPS, .prepare = check_group, .doc = "Checks whether a resource group exists."},
	{HTTP_PUT, AZ_GROUP, .name = "ResourceGroups_CreateOrUpdate", .permit = "ec2:CreateResourceGroup",
	 .flags = API_WRITES, .type = AZ_GROUPS, .args = {0, 0, sizeof(struct put_args)},
	 .prepare = prepare_put, .operation = engine_put_resource_group_run,
	 .returns = API_RETURNS_NOTHING_STORED, .answer = show_put,
	 .doc = "Creates a resource group or changes its tags."},
	{HTTP_PATCH, AZ_GROUP, .name = "ResourceGroups_Update", .permit = "ec2:CreateResourceGroup",
	 .flags = API_WRITES, .type = AZ_GROUPS, .args = {0, 0, sizeof(struct put_args)},
	 .prepare = prepare_put, .operation = engine_put_resource_group_run,
	 .returns = API_RETURNS_NOTHING_STORED, .answer = show_put,
	 .doc = "Changes a resource group's tags."},
	{HTTP_DELETE, AZ_GROUP, .name = "ResourceGroups_Delete", .permit = "ec2:DeleteResourceGroup",
	 .flags = API_WRITES, .type = AZ_GROUPS, .kind = KIND_RESOURCE_GROUP,
	 .args = {0, 0, sizeof(struct delete_args)}, .prepare = prepare_delete,
	 .operation = engine_delete_resource_group_run, .returns = API_RETURNS_NOTHING_STORED,
	 .outcome = ASYNC_JOB_OUTCOME_GONE, .doc = "Deletes a resource group with all its resources."},
};
const struct api_actions az_resource_group_actions = API_ACTIONS(actions);
