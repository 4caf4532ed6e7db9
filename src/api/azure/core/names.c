/* SPDX-License-Identifier: Apache-2.0
 * What rows are called in paths. A row that another face made has no name and no group of Azure's: it is called by its EC2 id,
 * which is unique and stays, and is in the group dari-default. */
#include "api/azure/core/action.h"

#include "base/clock.h"
#include "engine/resolve.h"
#include "model/instance.h"
#include "model/state.h"
#include "model/states.h"

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

struct str az_location(struct az_call *e)
{
	struct str name = str_lower(e->c->arena, e->config->region);
	char *at = (char *) name.p; /* ours, in the arena */
	size_t n = 0;
	for (size_t k = 0; k < name.n; k++)
		if (str_is_alphanumeric(name.p[k]))
			at[n++] = name.p[k];
	return (struct str){name.p, n};
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

RESULT az_check_group(struct az_call *e)
{
	struct str group = az_path_value(e, "resourceGroupName");
	if (!group.n || str_equal_nocase(group, STR(AZ_DEFAULT_GROUP)))
		return OK;
	e->error = &az_no_group;
	return ctx_fail(e->c, ERR_NOT_FOUND, "Resource group '%" STR_FMT "' could not be found.",
			STR_ARG(str_slice(group, 0, 128)));
}

/* ---- rows ---- */

struct str az_name_of(struct az_call *e, enum kind kind, uuid id)
{
	return id_to_text(e->c->arena, kind, id);
}

struct str az_id_of(struct az_call *e, enum az_types type, enum kind kind, uuid id)
{
	char account[UUID_TEXT_SIZE];
	return str_print(e->c->arena,
			 "/subscriptions/%s/resourceGroups/" AZ_DEFAULT_GROUP "/providers/%s/%s/%" STR_FMT,
			 uuid_write(e->c->who->account, account), az_types[type].space, az_types[type].name,
			 STR_ARG(az_name_of(e, kind, id)));
}

static RESULT fail_absent(struct az_call *e, const char *variable)
{
	const struct az_type *type = &az_types[az_action_of(e)->type];
	return ctx_fail(
		e->c, ERR_NOT_FOUND,
		"The Resource '%s/%s/%" STR_FMT "' under resource group '%" STR_FMT
		"' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
		type->space, type->name, STR_ARG(str_slice(az_path_value(e, variable), 0, 128)),
		STR_ARG(az_path_value(e, "resourceGroupName")));
}

RESULT az_find_named(struct az_call *e, enum kind kind, const char *variable, const struct row **ret_row)
{
	struct ref ref = {.kind = kind};
	struct str name = str_lower(e->c->arena, az_path_value(e, variable));
	TRY(az_check_group(e));
	if (!result_is_ok(id_parse_ec2(name, kind, &ref)))
		return fail_absent(e, variable);
	struct result found = engine_find(e->c, az_tables(e), kind, &ref, ret_row);
	bool has_ended = result_is_ok(found) && kind == KIND_INSTANCE &&
			 model_derive_instance_state(instance_of(*ret_row)) == INSTANCE_TERMINATED;
	if (found.code != ERR_NOT_FOUND && !has_ended)
		return found;
	ctx_clear_problem(e->c);
	return fail_absent(e, variable);
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

static void write_tags(struct json_writer *w, enum kind kind, const struct row *row)
{
	size_t offset = model_kinds[kind].tags_offset;
	const struct tags *tags = (const void *) ((const char *) row + offset);
	json_write_open(w, "tags");
	for (size_t k = 0; offset && k < tags->count; k++) {
		json_write_key(w, tags->at[k].key);
		json_write_text(w, NULL, tags->at[k].value);
	}
	json_write_close(w);
}

void az_write_head(struct az_call *e, struct json_writer *w, enum az_types type, enum kind kind,
		   const struct row *row)
{
	const struct az_type *t = &az_types[type];
	json_write_text(w, "id", az_id_of(e, type, kind, row->id));
	json_write_text(w, "name", az_name_of(e, kind, row->id));
	json_write_text(w, "type", str_print(e->c->arena, "%s/%s", t->space, t->name));
	json_write_text(w, "location", az_location(e));
	write_tags(w, kind, row);
}
