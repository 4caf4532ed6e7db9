/* SPDX-License-Identifier: Apache-2.0
 * Names of rows in paths and ids. Resources made here have a name in a resource group
 * (engine/resource_group.h). Resources of other faces are named by their EC2 id, which is unique and
 * permanent, in the group dari-default.
 */
#include "api/azure/core/action.h"

#include "api/core/path.h"
#include "base/clock.h"
#include "base/uuid_asked.h"
#include "engine/resolve.h"
#include "model/instance.h"
#include "model/state.h"
#include "model/states.h"
#include "store/arm_resource.h"
#include "store/resource_group.h"
#include "store/subnet.h"

struct str az_path_value(const struct az_call *e, const char *name)
{
	for (size_t k = 0; k < e->path.count; k++)
		if (str_is(e->path.at[k].name, name))
			return e->path.at[k].value;
	return STR_NONE;
}

struct str az_query_value(const struct az_call *e, const char *name)
{
	for (size_t k = 0; k < e->query.count; k++)
		if (str_equal_nocase(e->query.at[k].name, str_from(name)))
			return e->query.at[k].value;
	return STR_NONE;
}

struct str az_fold_location(struct az_call *e, struct str text)
{
	struct str name = str_lower(e->c->arena, text);
	char *at = (char *) name.p; /* the arena's copy belongs to this call */
	size_t n = 0;
	for (size_t k = 0; k < name.n; k++)
		if (str_is_alphanumeric(name.p[k]))
			at[n++] = name.p[k];
	return (struct str){name.p, n};
}

struct str az_location(struct az_call *e)
{
	return az_fold_location(e, e->config->region);
}

void az_write_time(struct json_writer *w, const char *name, int64_t time_us)
{
	char seconds[CLOCK_TEXT_SIZE], text[CLOCK_TEXT_SIZE + 8];
	if (!time_us)
		return;
	int n = (int) strlen(clock_write_s(time_us, seconds)) - 1; /* without the Z */
	(void) snprintf(text, sizeof text, "%.*s.%06dZ", n, seconds, (int) (time_us % SECOND));
	json_write_z(w, name, text);
}

/* ---- groups ---- */

static RESULT fail_group(struct az_call *e, struct str name)
{
	e->error = &az_no_group;
	return ctx_fail(e->c, ERR_NOT_FOUND, "Resource group '%" STR_FMT "' could not be found.",
			STR_ARG(str_slice(name, 0, 128)));
}

/* Finds a resource group by name, ignoring case; false: there is none. */
static bool look_up_group(struct az_call *e, struct str name, uuid *ret_group)
{
	const struct resource_group *g =
		engine_find_resource_group(az_tables(e), e->c->arena, e->c->who->account, name);
	*ret_group = g ? g->row.id : UUID_NONE;
	return g || str_equal_nocase(name, STR(AZ_DEFAULT_GROUP));
}

RESULT az_find_group(struct az_call *e)
{
	struct str name = az_path_value(e, "resourceGroupName");
	return !name.n || look_up_group(e, name, &e->group) ? OK : fail_group(e, name);
}

static struct str group_name(const struct tables *t, const struct arm_resource *r)
{
	const struct resource_group *g = r ? resource_group_find(t, r->resource_group) : NULL;
	return g ? g->name : STR(AZ_DEFAULT_GROUP);
}

struct str az_group_of(struct az_call *e, uuid id)
{
	return group_name(az_tables(e), engine_find_name(az_tables(e), id));
}

bool az_is_in_group(struct az_call *e, const struct row *row)
{
	const struct arm_resource *r = engine_find_name(az_tables(e), row->id);
	return !az_path_value(e, "resourceGroupName").n ||
	       uuid_equal(r ? r->resource_group : UUID_NONE, e->group);
}

bool az_matches(struct api_call *core, const void *args, const struct row *row)
{
	(void) args;
	return az_is_in_group(az_call_of(core), row);
}

bool az_is_part(struct api_call *core, const void *args, const struct row *row)
{
	const struct az_call *e = az_call_of(core);
	const char *whole = (const char *) row + az_action_of(e)->listing->whole;
	(void) args;
	return uuid_equal(*(const uuid *) (const void *) whole, e->target);
}

/* ---- names and ids ---- */

/* Types whose resources are parts of another type's, and have its name before theirs. */
static const struct part {
	enum az_types type, of;
	enum kind kind; /* kind of the whole */
	size_t offset;  /* offset of the whole's id in the part's row */
} parts[] = {
	{AZ_SUBNETS, AZ_NETWORKS, KIND_ROUTER, offsetof(struct subnet, router)},
};

static struct str name_of(struct arena *a, const struct tables *t, enum az_types type, enum kind kind,
			  uuid id)
{
	const struct arm_resource *r = engine_find_name(t, id);
	struct str name = r ? r->name : id_to_text(a, kind, id);
	const struct row *row = NULL;
	for (size_t k = 0; !r && k < sizeof parts / sizeof parts[0]; k++)
		if (parts[k].type == type && (row = tables_find(t, kind, id))) {
			uuid of = *(const uuid *) (const void *) ((const char *) row + parts[k].offset);
			return str_print(a, "%" STR_FMT "/%" STR_FMT,
					 STR_ARG(name_of(a, t, parts[k].of, parts[k].kind, of)),
					 STR_ARG(name));
		}
	return name;
}

struct str az_name_of(struct az_call *e, enum az_types type, enum kind kind, uuid id)
{
	return name_of(e->c->arena, az_tables(e), type, kind, id);
}

bool az_is_made_elsewhere(struct az_call *e, enum kind kind, uuid id)
{
	const struct arm_resource *r = engine_find_name(az_tables(e), id);
	return !r || str_equal_nocase(r->name, id_to_text(e->c->arena, kind, id));
}

/* Interleaves a type and a name: "Microsoft.Network/virtualNetworks/vnet1/subnets/default". */
static struct str write_words(struct arena *a, enum az_types type, struct str name)
{
	const struct az_type *t = &az_types[type];
	struct str types = str_from(t->name), word = STR_NONE, part = STR_NONE;
	struct str text = str_from(t->space);
	while (str_split_next(&types, '/', &word) && str_split_next(&name, '/', &part))
		text = str_print(a, "%" STR_FMT "/%" STR_FMT "/%" STR_FMT, STR_ARG(text), STR_ARG(word),
				 STR_ARG(part));
	return text;
}

static struct str write_path(struct arena *a, uuid subscription, struct str group, enum az_types type,
			     struct str name)
{
	char account[UUID_TEXT_SIZE];
	return str_print(a, "/subscriptions/%s/resourceGroups/%" STR_FMT "/providers/%" STR_FMT,
			 uuid_write(subscription, account), STR_ARG(group),
			 STR_ARG(write_words(a, type, name)));
}

static struct str write_id(struct az_call *e, struct str group, enum az_types type, struct str name)
{
	return write_path(e->c->arena, e->c->who->account, group, type, name);
}

static enum az_types type_named(struct arena *a, struct str text)
{
	enum az_types type = AZ_NO_TYPE;
	while (type < AZ_TYPE_COUNT && !str_equal_nocase(text, az_full_type(a, type)))
		type++;
	return type;
}

struct str az_write_row_id(struct arena *a, const struct tables *t, enum kind kind, uuid id)
{
	const struct arm_resource *r = engine_find_name(t, id);
	enum az_types type = r ? type_named(a, r->type) : AZ_TYPE_COUNT;
	return type < AZ_TYPE_COUNT ? write_path(a, r->account, group_name(t, r), type, r->name)
				    : id_to_text(a, kind, id);
}

/* Types of resources that other faces make, too. */
static const struct {
	enum kind kind;
	enum az_types type;
} types_of_kinds[] = {
	{KIND_INSTANCE, AZ_MACHINES},
	{KIND_VOLUME, AZ_DISKS},
	{KIND_SNAPSHOT, AZ_SNAPSHOTS},
	{KIND_IMAGE, AZ_IMAGES},
	{KIND_PORT, AZ_INTERFACES},
	{KIND_SUBNET, AZ_SUBNETS},
	{KIND_ROUTER, AZ_NETWORKS},
	{KIND_ADDRESS, AZ_PUBLIC_ADDRESSES},
	{KIND_SECURITY_GROUP, AZ_SECURITY_GROUPS},
};

static enum az_types type_of_row(struct arena *a, const struct arm_resource *r, enum kind kind)
{
	if (r)
		return type_named(a, r->type);
	for (size_t k = 0; k < sizeof types_of_kinds / sizeof types_of_kinds[0]; k++)
		if (types_of_kinds[k].kind == kind)
			return types_of_kinds[k].type;
	return AZ_TYPE_COUNT;
}

struct str azure_find_path(struct arena *a, const struct tables *t, uuid subscription, enum kind kind,
			   uuid id, struct str *ret_version)
{
	const struct arm_resource *r = engine_find_name(t, id);
	enum az_types type = type_of_row(a, r, kind);
	if (type == AZ_TYPE_COUNT)
		return STR_NONE;
	struct str versions = str_from(az_types[type].versions);
	while (str_split_next(&versions, '|', ret_version))
		;
	return write_path(a, subscription, group_name(t, r), type, name_of(a, t, type, kind, id));
}

struct str az_id_of(struct az_call *e, enum az_types type, enum kind kind, uuid id)
{
	return write_id(e, az_group_of(e, id), type, az_name_of(e, type, kind, id));
}

struct str az_named_id(struct az_call *e, enum az_types type, const char *variables)
{
	return write_id(e, az_path_value(e, "resourceGroupName"), type, az_path_name(e, variables));
}

/* ---- rows ---- */

struct str az_full_type(struct arena *a, enum az_types type)
{
	return str_print(a, "%s/%s", az_types[type].space, az_types[type].name);
}

/* Finds a resource of another face by its EC2 id, after the name of its whole; none: there is none. */
static uuid look_up_unnamed(struct az_call *e, enum az_types type, enum kind kind, struct str name)
{
	struct ref ref = {.kind = kind};
	const struct row *row = NULL;
	struct str last = name, rest = name, word;
	while (str_split_next(&rest, '/', &word))
		last = word;
	if (!result_is_ok(id_parse_ec2(str_lower(e->c->arena, last), kind, &ref)))
		return UUID_NONE;
	struct result found = engine_look_up_foreign(e->c, az_tables(e), kind, &ref, &row);
	ctx_clear_problem(e->c);
	if (!result_is_ok(found) || engine_find_name(az_tables(e), row->id) ||
	    !str_equal_nocase(az_name_of(e, type, kind, row->id), name))
		return UUID_NONE;
	return row->id;
}

/* Fails with ERR_NOT_FOUND and no message. */
static RESULT look_up(struct az_call *e, uuid group, enum az_types type, enum kind kind, struct str name,
		      const struct row **ret_row)
{
	const struct arm_resource *r = engine_find_resource(az_tables(e), e->c->arena, e->c->who->account,
							    group, az_full_type(e->c->arena, type), name);
	uuid id = r && (enum kind) r->target_kind == kind ? r->target : UUID_NONE;
	if (!r && uuid_is_none(group))
		id = look_up_unnamed(e, type, kind, name);
	if (uuid_is_none(id))
		return FAIL(NOT_FOUND);
	struct ref ref = ref_by_id(kind, id);
	struct result found = engine_find(e->c, az_tables(e), kind, &ref, ret_row);
	bool has_ended = result_is_ok(found) && kind == KIND_INSTANCE &&
			 model_derive_instance_state(instance_of(*ret_row)) == INSTANCE_TERMINATED;
	if (found.code == ERR_NOT_FOUND)
		ctx_clear_problem(e->c);
	return has_ended ? FAIL(NOT_FOUND) : found;
}

static RESULT fail_absent(struct az_call *e, enum az_types type, struct str name)
{
	return ctx_fail(
		e->c, ERR_NOT_FOUND,
		"The Resource '%" STR_FMT "' under resource group '%" STR_FMT
		"' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
		STR_ARG(write_words(e->c->arena, type, str_slice(name, 0, 256))),
		STR_ARG(az_path_value(e, "resourceGroupName")));
}

struct str az_path_name(struct az_call *e, const char *variables)
{
	struct str rest = str_from(variables), word, name = STR_NONE;
	while (str_split_next(&rest, '/', &word))
		name = str_print(e->c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(name), name.n ? "/" : "",
				 STR_ARG(az_path_value(e, str_to_z(e->c->arena, word))));
	return name;
}

RESULT az_find_named(struct az_call *e, enum az_types type, enum kind kind, const char *variables,
		     const struct row **ret_row)
{
	struct str name = az_path_name(e, variables);
	TRY(az_find_group(e));
	struct result found = look_up(e, e->group, type, kind, name, ret_row);
	return found.code == ERR_NOT_FOUND ? fail_absent(e, type, name) : found;
}

RESULT az_find_whole(struct az_call *e)
{
	const struct az_action *a = az_action_of(e);
	const struct row *row = NULL;
	struct str name = az_path_name(e, a->whole);
	struct result found = look_up(e, e->group, a->whole_type, a->whole_kind, name, &row);
	if (result_is_ok(found) && a->whole_at)
		*(struct ref *) (void *) ((char *) e->args + a->whole_at - 1) =
			ref_by_id(a->whole_kind, row->id);
	if (found.code != ERR_NOT_FOUND)
		return found;
	e->error = &az_no_whole;
	return ctx_fail(e->c, ERR_NOT_FOUND,
			"Can not perform requested operation on nested resource. Parent resource '%" STR_FMT
			"' not found.",
			STR_ARG(str_slice(name, 0, 256)));
}

RESULT az_look_up(struct az_call *e, enum az_types type, enum kind kind, struct str name,
		  const struct row **ret_row)
{
	struct result found = look_up(e, e->group, type, kind, name, ret_row);
	if (found.code != ERR_NOT_FOUND)
		return found;
	*ret_row = NULL;
	return OK;
}

struct ref az_target_ref(struct az_call *e)
{
	struct ref ref = ref_by_id(az_action_of(e)->kind, e->target);
	ref.text = az_path_name(e, az_action_of(e)->names);
	return ref;
}

/* ---- ids in bodies ---- */

struct parsed_id {
	struct str subscription, group, type, name;
};

/* Parses "/subscriptions/S/resourceGroups/G/providers/N/T1/N1[/T2/N2]". */
static bool parse_id(struct az_call *e, struct str text, struct parsed_id *ret)
{
	static const char *const words[] = {"subscriptions", "resourceGroups", "providers"};
	struct str values[3] = {STR_NONE, STR_NONE, STR_NONE}, word;
	if (!str_starts_with(text, STR("/")))
		return false;
	for (size_t k = 0; k < 3; k++)
		if (!path_next_segment(&text, &word) || !str_equal_nocase(word, str_from(words[k])) ||
		    !path_next_segment(&text, &values[k]))
			return false;
	*ret = (struct parsed_id){values[0], values[1], values[2], STR_NONE};
	while (path_next_segment(&text, &word)) {
		struct str value;
		if (!path_next_segment(&text, &value))
			return false;
		ret->type =
			str_print(e->c->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(ret->type), STR_ARG(word));
		ret->name = str_print(e->c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(ret->name),
				      ret->name.n ? "/" : "", STR_ARG(value));
	}
	return ret->name.n > 0;
}

static RESULT fail_id(struct az_call *e, const char *field, struct str text)
{
	e->error = &az_bad_id;
	return az_fail(e, field,
		       "Property id '%" STR_FMT
		       "' at path '%s' is invalid. Expect fully qualified resource Id that start with "
		       "'/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.",
		       STR_ARG(str_slice(text, 0, 512)), field);
}

RESULT az_find_id(struct az_call *e, const char *field, struct str text, enum az_types type, enum kind kind,
		  const struct row **ret_row)
{
	struct parsed_id id;
	uuid subscription = UUID_NONE, group = UUID_NONE;
	if (!parse_id(e, text, &id) || !result_is_ok(uuid_parse_asked(id.subscription, &subscription)) ||
	    !str_equal_nocase(id.type, az_full_type(e->c->arena, type)))
		return fail_id(e, field, text);
	bool is_ours = uuid_equal(subscription, e->c->who->account) && look_up_group(e, id.group, &group);
	struct result found = is_ours ? look_up(e, group, type, kind, id.name, ret_row) : FAIL(NOT_FOUND);
	if (found.code != ERR_NOT_FOUND)
		return found;
	e->error = &az_no_reference;
	return ctx_fail_field(e->c, ERR_NOT_FOUND, str_from(field),
			      "Resource %" STR_FMT
			      " was not found. Please make sure that the referenced resource exists, and "
			      "that both resources are in the same region.",
			      STR_ARG(str_slice(text, 0, 512)));
}

void az_write_ref(struct az_call *e, struct json_writer *w, const char *name, enum az_types type,
		  enum kind kind, uuid id)
{
	if (uuid_is_none(id))
		return;
	json_write_open(w, name);
	json_write_text(w, "id", az_id_of(e, type, kind, id));
	json_write_close(w);
}

struct str az_last_word(struct str name)
{
	struct str word, last = STR_NONE;
	while (str_split_next(&name, '/', &word))
		last = word;
	return last;
}

/* Leaves out the region's own tags, such as that of a scaling group's instance: a client that sends an answer back may not say them,
 * and a PUT keeps them (engine/tag.c). */
static void write_tags(struct json_writer *w, enum kind kind, const struct row *row)
{
	size_t offset = model_kinds[kind].tags_offset;
	const struct tags *tags = (const void *) ((const char *) row + offset);
	json_write_open(w, "tags");
	for (size_t k = 0; offset && k < tags->count; k++) {
		if (str_starts_with(tags->at[k].key, STR("aws:")))
			continue;
		json_write_key(w, tags->at[k].key);
		json_write_text(w, NULL, tags->at[k].value);
	}
	json_write_close(w);
}

void az_write_head(struct az_call *e, struct json_writer *w, enum az_types type, enum kind kind,
		   const struct row *row)
{
	struct str name = az_name_of(e, type, kind, row->id);
	json_write_text(w, "id", write_id(e, az_group_of(e, row->id), type, name));
	json_write_text(w, "name", az_last_word(name));
	json_write_text(w, "type", az_full_type(e->c->arena, type));
	json_write_text(w, "location", az_location(e));
	write_tags(w, kind, row);
}

void az_write_own_head(struct api_call *core, struct json_writer *w, const char *name, const struct row *row)
{
	struct az_call *e = az_call_of(core);
	const struct az_action *a = az_action_of(e);
	(void) name;
	az_write_head(e, w, a->type, (a->shows ? a->shows : a->listing)->kind, row);
}
