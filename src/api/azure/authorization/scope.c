/* SPDX-License-Identifier: Apache-2.0
 * Parses scopes: from a path to a place in the account.
 */
#include "api/azure/authorization/authorization.h"

#include "api/core/path.h"
#include "base/uuid_asked.h"
#include "engine/resolve.h"
#include "store/arm_resource.h"
#include "store/resource_group.h"

/* Finds a resource that another face made: its name here is its EC2 id. */
static bool find_unnamed(struct az_call *e, struct str name, struct arm_place *place)
{
	struct str lower = str_lower(e->c->arena, name);
	const struct row *row = NULL;
	struct ref ref = {0};
	for (int k = 1; k < KIND_COUNT; k++) {
		enum kind kind = (enum kind) k;
		if (!*model_kinds[kind].ec2_prefix || !result_is_ok(id_parse_ec2(lower, kind, &ref)))
			continue;
		struct result found = engine_look_up_foreign(e->c, az_tables(e), kind, &ref, &row);
		ctx_clear_problem(e->c);
		if (!result_is_ok(found) || !uuid_equal(engine_get_owner(kind, row), e->c->who->account))
			continue;
		place->kind = kind;
		place->resource = row->id;
		return true;
	}
	return false;
}

struct scope_words {
	struct str group, space, type, name, last; /* "virtualNetworks/subnets", "vnet1/default", "default" */
};

static bool find_resource(struct az_call *e, const struct scope_words *w, uuid group, struct arm_place *place)
{
	struct str type =
		str_print(e->c->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(w->space), STR_ARG(w->type));
	const struct arm_resource *r =
		engine_find_resource(az_tables(e), e->c->arena, e->c->who->account, group, type, w->name);
	if (!r)
		return uuid_is_none(group) && find_unnamed(e, w->last, place);
	place->kind = (enum kind) r->target_kind;
	place->resource = r->target;
	return true;
}

static bool find_group(struct az_call *e, struct str name, uuid *ret_group)
{
	const struct resource_group *g =
		engine_find_resource_group(az_tables(e), e->c->arena, e->c->who->account, name);
	*ret_group = g ? g->row.id : UUID_NONE;
	return g || str_equal_nocase(name, STR(AZ_DEFAULT_GROUP));
}

static struct str join(struct az_call *e, struct str a, struct str b)
{
	return a.n ? str_print(e->c->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(a), STR_ARG(b)) : b;
}

/* Reads "subscriptions/S/resourceGroups/G/providers/N/T1/N1/T2/N2" up to the next "providers". */
void az_find_place(struct az_call *e, struct arm_place *ret_place)
{
	struct str rest = e->call->path, word, name;
	struct scope_words w = {0};
	uuid group = UUID_NONE;
	*ret_place = (struct arm_place){0};
	for (int k = 0; k < 2; k++)
		(void) path_next_segment(&rest, &word);
	if (!path_next_segment(&rest, &word) || !str_equal_nocase(word, STR("resourceGroups")) ||
	    !path_next_segment(&rest, &w.group) || !path_decode(e->c->arena, &w.group) ||
	    !find_group(e, w.group, &group))
		return;
	ret_place->group = uuid_is_none(group) ? e->c->who->account : group;
	if (!path_next_segment(&rest, &word) || !path_next_segment(&rest, &w.space))
		return;
	while (path_next_segment(&rest, &word) && !str_equal_nocase(word, STR("providers")) &&
	       path_next_segment(&rest, &name)) {
		w.type = join(e, w.type, word);
		w.name = join(e, w.name, name);
		w.last = name;
		(void) find_resource(e, &w, group, ret_place);
	}
}

static RESULT fail_resource(struct az_call *e, const struct scope_words *w)
{
	return ctx_fail(
		e->c, ERR_NOT_FOUND,
		"The Resource '%" STR_FMT "/%" STR_FMT "/%" STR_FMT "' under resource group '%" STR_FMT
		"' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
		STR_ARG(w->space), STR_ARG(w->type), STR_ARG(str_slice(w->name, 0, 256)), STR_ARG(w->group));
}

RESULT az_find_scope(struct az_call *e, struct az_scope *ret_scope)
{
	struct scope_words w = {.group = az_path_value(e, "resourceGroupName"),
				.space = az_path_value(e, "resourceProviderNamespace"),
				.type = az_path_value(e, "resourceType"),
				.name = az_path_value(e, "resourceName")};
	struct str part = az_path_value(e, "partName");
	struct az_scope out = {0};
	TRY(az_find_group(e));
	out.text = str_print(e->c->arena, "/subscriptions/%" STR_FMT,
			     STR_ARG(az_path_value(e, "subscriptionId")));
	if (w.group.n) {
		out.place.group = uuid_is_none(e->group) ? e->c->who->account : e->group;
		out.text = str_print(e->c->arena, "%" STR_FMT "/resourceGroups/%" STR_FMT, STR_ARG(out.text),
				     STR_ARG(w.group));
	}
	if (w.name.n) {
		out.text =
			str_print(e->c->arena, "%" STR_FMT "/providers/%" STR_FMT "/%" STR_FMT "/%" STR_FMT,
				  STR_ARG(out.text), STR_ARG(w.space), STR_ARG(w.type), STR_ARG(w.name));
		w.last = part.n ? part : w.name;
	}
	if (part.n) {
		struct str part_type = az_path_value(e, "partType");
		out.text = str_print(e->c->arena, "%" STR_FMT "/%" STR_FMT "/%" STR_FMT, STR_ARG(out.text),
				     STR_ARG(part_type), STR_ARG(part));
		w.type = join(e, w.type, part_type);
		w.name = join(e, w.name, part);
	}
	if (w.name.n && !find_resource(e, &w, e->group, &out.place))
		return fail_resource(e, &w);
	*ret_scope = out;
	return OK;
}

bool az_concerns_scope(const struct az_scope *scope, const struct arm_place *place, bool with_below)
{
	return engine_is_place_within(&scope->place, place) ||
	       (with_below && engine_is_place_within(place, &scope->place));
}

RESULT az_path_id(struct az_call *e, const char *variable, const struct api_error *error, uuid *ret_id)
{
	struct str text = az_path_value(e, variable);
	if (result_is_ok(uuid_parse_asked(text, ret_id)) && !uuid_is_none(*ret_id))
		return OK;
	e->error = error;
	return az_fail(e, variable, "The id '%" STR_FMT "' is not valid: it is a GUID.",
		       STR_ARG(str_slice(text, 0, 64)));
}

uuid az_read_definition_id(struct str text)
{
	struct str rest = text, word, last = STR_NONE, before = STR_NONE;
	uuid id = UUID_NONE;
	while (path_next_segment(&rest, &word)) {
		before = last;
		last = word;
	}
	bool is_one =
		str_equal_nocase(before, STR("roleDefinitions")) && result_is_ok(uuid_parse_asked(last, &id));
	return is_one ? id : UUID_NONE;
}

struct str az_write_definition_id(struct az_call *e, uuid id)
{
	char account[UUID_TEXT_SIZE], text[UUID_TEXT_SIZE];
	return str_print(e->c->arena, "/subscriptions/%s" AZ_AUTHORIZATION "/roleDefinitions/%s",
			 uuid_write(e->c->who->account, account), uuid_write(id, text));
}
