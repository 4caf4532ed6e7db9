/* SPDX-License-Identifier: Apache-2.0
 * Instance types. Instances copy vCPUs and memory, so changing a type affects later launches only. Called by:
 * api/openstack, api/cloudstack. */
#include "engine/instance/instance_type.h"

#include "engine/instance/instance_type_internal.h"
#include "engine/internal.h"
#include "engine/network/port/port.h"
#include "engine/region/aggregate.h"
#include "engine/region/offered_internal.h"
#include "model/account.h"
#include "store/instance_snapshot.h"
#include "store/instance_type.h"
#include "store/reference.h"

enum { NAME_MAX_SIZE = 255, DESCRIPTION_MAX = 65535, USERS_MAX = 1000, VCPUS_MAX = 1024 };
static const int64_t MIB = INT64_C(1) << 20, MEMORY_MAX = INT64_C(1) << 44, DISK_MAX = INT64_C(1) << 44;

/* ---- creation ---- */

static RESULT check_name(struct op *op, struct str name)
{
	if (name.n < 1 || name.n > NAME_MAX_SIZE || !str_is_line(name))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_TYPE, STR("name"),
				   "An instance type's name has 1 to %d characters.", NAME_MAX_SIZE);
	return OK;
}

static RESULT check_words(struct op *op, const struct instance_type_wish *wish)
{
	TRY(check_name(op, wish->name));
	if (wish->flavor_id.n > NAME_MAX_SIZE || !str_is_xml_text(wish->flavor_id))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_TYPE, STR("id"),
				   "An instance type's id has up to %d characters.", NAME_MAX_SIZE);
	if (wish->description.n > DESCRIPTION_MAX || !str_is_xml_text(wish->description))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_TYPE, STR("description"),
				   "A description has up to %d bytes.", DESCRIPTION_MAX);
	return OK;
}

static RESULT check_figures(struct op *op, const struct instance_type_wish *wish)
{
	if (wish->vcpus < 1 || wish->vcpus > VCPUS_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_TYPE, STR("vcpus"),
				   "An instance type has 1 to %d processors.", VCPUS_MAX);
	if (wish->memory < MIB || wish->memory > MEMORY_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_TYPE, STR("ram"),
				   "An instance type has 1 MiB to 16 TiB of memory.");
	if (wish->root_disk < 0 || wish->root_disk > DISK_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_TYPE, STR("disk"),
				   "A root disk has up to 16 TiB.");
	if (wish->ephemeral_disk < 0 || wish->ephemeral_disk > DISK_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_TYPE, STR("OS-FLV-EXT-DATA:ephemeral"),
				   "Ephemeral disks have up to 16 TiB.");
	if (wish->swap_disk < 0 || wish->swap_disk > DISK_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_TYPE, STR("swap"),
				   "A disk to swap on has up to 16 TiB.");
	if (wish->rxtx_percent < 0)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_TYPE, STR("rxtx_factor"),
				   "A factor is positive.");
	return OK;
}

static RESULT check_free(struct op *op, struct str word)
{
	if (!instance_type_find_by_name(op->head, word) && !instance_type_find_by_flavor_id(op->head, word))
		return OK;
	return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_INSTANCE_TYPE,
			     "The instance type '%" STR_FMT "' exists already.", STR_ARG(word));
}

RESULT engine_create_instance_type(struct op *op, struct instance_type_wish *wish)
{
	uuid id = engine_new_id(op, KIND_INSTANCE_TYPE);
	TRY(check_words(op, wish));
	TRY(check_figures(op, wish));
	TRY(engine_permit(op, "instance_type.create", KIND_INSTANCE_TYPE, NULL));
	struct instance_type type = {
		.row = {.id = id, .gen = 1},
		.name = wish->name,
		.flavor_id = wish->flavor_id.n ? wish->flavor_id : uuid_to_str(op->ctx->arena, id),
		.description = wish->description,
		.vcpus = wish->vcpus,
		.memory = wish->memory,
		.root_disk = wish->root_disk,
		.ephemeral_disk = wish->ephemeral_disk,
		.swap_disk = wish->swap_disk,
		.rxtx_percent = wish->rxtx_percent ? wish->rxtx_percent : 100,
		.current_generation = true,
		.max_ports = PORT_DEVICE_INDEX_MAX + 1, /* the number of slots */
		.addresses_per_port = 30,               /* as in EC2's large types */
		.is_public = !wish->is_private,
		.enabled = !wish->is_disabled,
		.offers_ha = wish->offers_ha,
	};
	TRY(instance_type_change_specs(op, KIND_INSTANCE_TYPE, wish->specs, STR_NONE, &type.extra_specs));
	TRY(offered_apply(op, &wish->offered, &type.zones, &type.domains));
	TRY(check_free(op, type.name));
	TRY(check_free(op, type.flavor_id));
	TRY(instance_type_put(op, &type));
	wish->instance_type = id;
	return engine_log_event(op, KIND_INSTANCE_TYPE, &type.row, "created", "Instance type %" STR_FMT ".",
				STR_ARG(type.name));
}

/* ---- changes ---- */

static bool is_spec_character(char c)
{
	return str_is_alphanumeric(c) || c == '-' || c == '_' || c == ':' || c == '.' || c == ' ';
}

static struct str spec_field(enum kind kind)
{
	return kind == KIND_AGGREGATE ? STR("metadata") : STR("extra_specs");
}

static RESULT check_spec(struct op *op, enum kind kind, const struct tag *spec)
{
	bool fits = spec->key.n >= 1 && spec->key.n <= NAME_MAX_SIZE && spec->value.n <= NAME_MAX_SIZE &&
		    str_is_xml_text(spec->value);
	for (size_t n = 0; n < spec->key.n && fits; n++)
		fits = is_spec_character(spec->key.p[n]);
	return fits ? OK
		    : ENGINE_FAIL(op, ERR_INVALID, kind, spec_field(kind),
				  "A spec's key has 1 to %d letters, digits and '-_:. ', its value up to %d "
				  "characters.",
				  NAME_MAX_SIZE, NAME_MAX_SIZE);
}

/* Inserts in order of keys; replaces one with the same key. */
static void put_spec(struct tag *specs, size_t *count, struct tag spec)
{
	size_t at = *count;
	while (at > 0 && str_compare(specs[at - 1].key, spec.key) > 0)
		at--;
	if (at > 0 && str_equal(specs[at - 1].key, spec.key)) {
		specs[at - 1] = spec;
		return;
	}
	memmove(&specs[at + 1], &specs[at], (*count - at) * sizeof *specs);
	specs[at] = spec;
	++*count;
}

RESULT instance_type_change_specs(struct op *op, enum kind kind, struct tags set, struct str removed,
				  struct tags *specs)
{
	size_t count = 0;
	struct tag *next = arena_new_array(op->ctx->arena, struct tag, specs->count + set.count + 1);
	if (!next)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < specs->count; n++)
		if (!removed.n || !str_equal(specs->at[n].key, removed))
			next[count++] = specs->at[n];
	for (size_t n = 0; n < set.count; n++) {
		TRY(check_spec(op, kind, &set.at[n]));
		put_spec(next, &count, set.at[n]);
	}
	if (count > INSTANCE_TYPE_SPECS_MAX)
		return ENGINE_FAIL(op, ERR_QUOTA, kind, spec_field(kind),
				   "Of one %s %d things are said at most.", engine_kind_words(op->ctx, kind),
				   INSTANCE_TYPE_SPECS_MAX);
	*specs = (struct tags){next, count};
	return OK;
}

/* Nova's operators in values ("s== ssd", "<or> a", ">= 4") are not supported. */
static RESULT check_aggregate_spec(struct op *op, const struct tag *spec)
{
	struct str v = spec->value;
	bool is_operator = v.n && memchr("<>=!", v.p[0], 4);
	bool is_of_texts = v.n > 1 && v.p[0] == 's' && memchr("<>=!", v.p[1], 4);
	if (!str_starts_with(spec->key, STR(AGGREGATE_SPEC)) || (!is_operator && !is_of_texts))
		return OK;
	return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_INSTANCE_TYPE, STR("extra_specs"),
			   "Operators are not supported in %" STR_FMT ": say the value itself.",
			   STR_ARG(spec->key));
}

static RESULT change_specs(struct op *op, const struct instance_type_settings *wish, struct tags *specs)
{
	if (wish->remove_spec.n && !tags_find(*specs, wish->remove_spec))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_NONE, STR("extra_specs"),
				   "The instance type has no extra spec '%" STR_FMT "'.",
				   STR_ARG(wish->remove_spec));
	for (size_t n = 0; n < wish->specs.count; n++)
		TRY(check_aggregate_spec(op, &wish->specs.at[n]));
	return instance_type_change_specs(op, KIND_INSTANCE_TYPE, wish->specs, wish->remove_spec, specs);
}

static RESULT add_user(struct op *op, const struct ref *ref, struct uuids *users)
{
	const struct account *account = NULL;
	TRY(engine_find_account(op->ctx, op->head, ref, &account));
	if (uuids_have(users, account->row.id))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_ACCOUNT, ref->field,
				   "The account '%" STR_FMT "' has access already.", STR_ARG(ref->text));
	if (users->count >= USERS_MAX)
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_INSTANCE_TYPE, ref->field,
				   "An instance type is shared with %d accounts at most.", USERS_MAX);
	uuid *next = arena_new_array(op->ctx->arena, uuid, users->count + 1);
	if (!next)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < users->count; n++)
		next[n] = users->at[n];
	next[users->count] = account->row.id;
	*users = (struct uuids){next, users->count + 1};
	return OK;
}

static RESULT remove_user(struct op *op, const struct ref *ref, struct uuids *users)
{
	const struct account *account = NULL;
	size_t count = 0;
	TRY(engine_find_account(op->ctx, op->head, ref, &account));
	if (!uuids_have(users, account->row.id))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_NONE, ref->field,
				   "The account '%" STR_FMT "' has no access to it.", STR_ARG(ref->text));
	uuid *next = arena_new_array(op->ctx->arena, uuid, users->count);
	if (!next)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < users->count; n++)
		if (!uuid_equal(users->at[n], account->row.id))
			next[count++] = users->at[n];
	*users = (struct uuids){next, count};
	return OK;
}

static RESULT change_users(struct op *op, const struct instance_type_settings *wish,
			   struct instance_type *type)
{
	bool adds = ref_is_given(&wish->add_user), removes = ref_is_given(&wish->remove_user);
	if ((adds || removes) && type->is_public)
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_INSTANCE_TYPE, wish->type.field,
				   "The instance type '%" STR_FMT "' is public: all have access.",
				   STR_ARG(type->name));
	if (adds)
		TRY(add_user(op, &wish->add_user, &type->users));
	return removes ? remove_user(op, &wish->remove_user, &type->users) : OK;
}

static RESULT change_name(struct op *op, const struct instance_type_settings *wish,
			  struct instance_type *type)
{
	if (!wish->name || str_equal(*wish->name, type->name))
		return OK;
	TRY(check_name(op, *wish->name));
	TRY(check_free(op, *wish->name));
	type->name = *wish->name;
	return OK;
}

RESULT engine_update_instance_type(struct op *op, struct instance_type_settings *wish)
{
	const struct instance_type *type = NULL;
	TRY(engine_find_instance_type(op->ctx, op->head, &wish->type, &type));
	TRY(engine_permit(op, "instance_type.update", KIND_INSTANCE_TYPE, &type->row));
	struct instance_type next = *type;
	if (wish->set_description) {
		if (wish->description.n > DESCRIPTION_MAX || !str_is_xml_text(wish->description))
			return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_TYPE, STR("description"),
					   "A description has up to %d bytes.", DESCRIPTION_MAX);
		next.description = wish->description;
	}
	TRY(change_name(op, wish, &next));
	if (wish->enabled != CHOICE_DEFAULT)
		next.enabled = wish->enabled == CHOICE_YES;
	TRY(change_specs(op, wish, &next.extra_specs));
	TRY(change_users(op, wish, &next));
	TRY(offered_apply(op, &wish->offered, &next.zones, &next.domains));
	TRY(instance_type_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE_TYPE, &next.row, "changed", "Its settings were changed.");
}

/* ---- deletion ---- */

RESULT instance_type_forget_unused(struct op *op, uuid id)
{
	const struct instance_type *type = instance_type_find(op->head, id);
	bool is_done = type && !row_is_live(&type->row) &&
		       !reference_find_user(op->head, KIND_INSTANCE_TYPE, id, true);
	return is_done ? instance_type_forget(op, id) : OK;
}

RESULT engine_delete_instance_type(struct op *op, struct instance_type_target *wish)
{
	const struct instance_type *type = NULL;
	TRY(engine_find_instance_type(op->ctx, op->head, &wish->type, &type));
	TRY(engine_permit(op, "instance_type.delete", KIND_INSTANCE_TYPE, &type->row));
	TRY(engine_log_event(op, KIND_INSTANCE_TYPE, &type->row, "deleted", "Instance type %" STR_FMT ".",
			     STR_ARG(type->name)));
	TRY(instance_type_delete(op, type->row.id));
	return instance_type_forget_unused(op, type->row.id);
}
