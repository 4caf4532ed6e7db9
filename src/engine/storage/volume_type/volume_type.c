/* SPDX-License-Identifier: Apache-2.0
 * Volume types. Volumes refer to their type by name, so a type in use cannot be renamed. */
#include "engine/storage/volume_type/volume_type.h"

#include "engine/internal.h"
#include "engine/region/offered_internal.h"
#include "engine/storage/storage_pool_internal.h"
#include "engine/storage/volume_type/volume_type_internal.h"
#include "engine/storage/volume_type/volume_type_limit.h"
#include "engine/tag_internal.h"
#include "model/account.h"
#include "store/image_device.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_group.h"
#include "store/volume_type.h"

enum { NAME_MAX_SIZE = 255, VOLUME_KEY_BITS = 256 };

bool engine_may_use_volume_type(const struct ctx *c, const struct volume_type *type)
{
	return (type->is_public || identity_is_admin(c->who) ||
		uuids_have(&type->users, engine_get_account(c))) &&
	       engine_is_offered(c, &type->domains);
}

static RESULT check_name(struct op *op, struct str name)
{
	if (name.n < 1 || name.n > NAME_MAX_SIZE || !str_is_xml_text(name))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME_TYPE, STR("name"),
				   "A volume type's name has 1 to %d characters.", NAME_MAX_SIZE);
	if (volume_type_find_by_name(op->head, name))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_VOLUME_TYPE, STR("name"),
				   "The volume type '%" STR_FMT "' is there already.", STR_ARG(name));
	return OK;
}

static bool is_used(const struct tables *t, struct str name)
{
	for (const struct volume *v = volume_first(t); v; v = volume_next(t, v))
		if (str_equal(v->type, name))
			return true;
	const struct volume_type *type = volume_type_find_by_name(t, name);
	for (const struct volume_group *g = volume_group_first(t); g; g = volume_group_next(t, g))
		if (uuids_have(&g->volume_types, type->row.id))
			return true;
	for (const struct image_device *d = image_device_first(t); d; d = image_device_next(t, d))
		if (str_equal(d->type, name))
			return true;
	return false;
}

static RESULT check_unused(struct op *op, const struct volume_type *type, struct str field)
{
	if (str_equal(type->name, VOLUME_TYPE_DEFAULT))
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_VOLUME_TYPE, field,
				   "The volume type '%" STR_FMT "' stays as it is.", STR_ARG(type->name));
	return !is_used(op->head, type->name) ? OK
					      : ENGINE_FAIL(op, ERR_IN_USE, KIND_VOLUME_TYPE, field,
							    "The volume type '%" STR_FMT
							    "' is that of volumes, groups of them or images.",
							    STR_ARG(type->name));
}

static RESULT set_user(struct op *op, const struct ref *ref, bool is_user, struct uuids *users)
{
	const struct account *account = NULL;
	uuid *next = arena_new_array(op->ctx->arena, uuid, users->count + 1);
	size_t count = 0;
	if (!next)
		return ctx_no_memory(op->ctx);
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_find_account(op->ctx, op->head, ref, &account));
	for (size_t n = 0; n < users->count; n++)
		if (!uuid_equal(users->at[n], account->row.id))
			next[count++] = users->at[n];
	if (is_user)
		next[count++] = account->row.id;
	*users = (struct uuids){next, count};
	return OK;
}

static RESULT apply(struct op *op, const struct volume_type_wish *wish, struct volume_type *type)
{
	if (wish->set_name)
		type->name = wish->name;
	if (wish->set_description)
		type->description = wish->description;
	if (wish->set_specs) {
		TRY(tag_normalize(op, wish->specs, &type->specs));
		storage_pool_bind_by_specs(op, type);
	}
	choice_apply(wish->is_public, &type->is_public);
	TRY(offered_apply(op, &wish->offered, &type->zones, &type->domains));
	TRY(set_user(op, &wish->add_user, true, &type->users));
	return set_user(op, &wish->remove_user, false, &type->users);
}

RESULT engine_create_volume_type(struct op *op, struct volume_type_wish *wish)
{
	struct volume_type type = {.row.gen = 1, .is_public = true};
	wish->set_name = wish->set_description = wish->set_specs = true;
	TRY(engine_permit(op, "volume_type.create", KIND_VOLUME_TYPE, NULL));
	TRY(check_name(op, wish->name));
	TRY(apply(op, wish, &type));
	type.row.id = engine_new_id(op, KIND_VOLUME_TYPE);
	wish->volume_type = type.row.id;
	TRY(volume_type_put(op, &type));
	return engine_log_event(op, KIND_VOLUME_TYPE, &type.row, "created", "Volume type %" STR_FMT ".",
				STR_ARG(type.name));
}

RESULT engine_update_volume_type(struct op *op, struct volume_type_wish *wish)
{
	const struct volume_type *type = NULL;
	TRY(engine_find_volume_type(op->ctx, op->head, &wish->type, &type));
	TRY(engine_permit(op, "volume_type.update", KIND_VOLUME_TYPE, &type->row));
	struct volume_type next = *type;
	if (wish->set_name && !str_equal(wish->name, type->name)) {
		TRY(check_name(op, wish->name));
		TRY(check_unused(op, type, STR("name")));
	}
	TRY(apply(op, wish, &next));
	next.row.gen++;
	wish->volume_type = type->row.id;
	TRY(volume_type_put(op, &next));
	return engine_log_event(op, KIND_VOLUME_TYPE, &next.row, "changed", "Its settings were changed.");
}

RESULT engine_delete_volume_type(struct op *op, struct volume_type_target *wish)
{
	const struct volume_type *type = NULL;
	TRY(engine_find_volume_type(op->ctx, op->head, &wish->type, &type));
	TRY(engine_permit(op, "volume_type.delete", KIND_VOLUME_TYPE, &type->row));
	TRY(check_unused(op, type, wish->type.field));
	TRY(engine_log_event(op, KIND_VOLUME_TYPE, &type->row, "deleted", "Volume type %" STR_FMT ".",
			     STR_ARG(type->name)));
	return volume_type_forget(op, type->row.id);
}

/* ---- an account's usage of a type ---- */

bool engine_snapshot_takes_bytes(const struct snapshot *snapshot)
{
	return !snapshot->is_bound && !uuid_is_none(snapshot->volume);
}

void engine_count_type_usage(const struct tables *t, uuid account, struct str type,
			     struct volume_type_figures *ret_usage)
{
	*ret_usage = (struct volume_type_figures){0};
	for (const struct volume *v = volume_first_by_account(t, account); v;
	     v = volume_next_by_account(t, v)) {
		if (!str_equal(v->type, type))
			continue;
		ret_usage->volumes++;
		ret_usage->bytes += v->size;
	}
	for (const struct snapshot *s = snapshot_first_by_account(t, account); s;
	     s = snapshot_next_by_account(t, s)) {
		bool counts = row_is_live(&s->row) && engine_snapshot_takes_bytes(s);
		const struct volume *of = counts ? volume_find(t, s->volume) : NULL;
		if (!of || !str_equal(of->type, type))
			continue;
		ret_usage->snapshots++;
		ret_usage->bytes += s->volume_size;
	}
}

/* ---- encryption ---- */

/* Only one encryption is supported. Cinder accepts any description, and the error comes when a volume is
 * created. */
bool volume_type_is_known_crypt(const struct volume_type *type)
{
	return (str_is(type->encryption_provider, "luks") ||
		str_is(type->encryption_provider, "LuksEncryptor")) &&
	       (!type->cipher.n || str_is(type->cipher, "aes-xts-plain64")) &&
	       (!type->key_size || type->key_size == VOLUME_KEY_BITS) &&
	       (!type->control_location.n || str_is(type->control_location, "front-end"));
}

static RESULT check_no_volumes(struct op *op, const struct volume_type *type, const char *verb)
{
	for (const struct volume *v = volume_first(op->head); v; v = volume_next(op->head, v))
		if (str_equal(v->type, type->name))
			return ENGINE_FAIL(op, ERR_IN_USE, KIND_VOLUME, STR("type_id"),
					   "Cannot %s encryption specs. Volume type in use.", verb);
	return OK;
}

static RESULT find_unused(struct op *op, struct volume_type_crypt *wish, const char *verb,
			  const struct volume_type **ret_type)
{
	TRY(engine_find_volume_type(op->ctx, op->head, &wish->type, ret_type));
	TRY(engine_permit(op, "volume_type.update", KIND_VOLUME_TYPE, &(*ret_type)->row));
	wish->volume_type = (*ret_type)->row.id;
	return check_no_volumes(op, *ret_type, verb);
}

static RESULT find_encrypted(struct op *op, struct volume_type_crypt *wish, const char *verb,
			     const struct volume_type **ret_type)
{
	TRY(find_unused(op, wish, verb, ret_type));
	if ((*ret_type)->encrypted_us)
		return OK;
	return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_VOLUME_TYPE, STR("type_id"),
			   "Volume type encryption for type %" STR_FMT " does not exist.",
			   STR_ARG(engine_write_id(op, KIND_VOLUME_TYPE, (*ret_type)->row.id)));
}

static RESULT write_crypt(struct op *op, const struct volume_type_crypt *wish, struct volume_type *next)
{
	if (wish->set_provider)
		next->encryption_provider = wish->provider;
	if (wish->set_cipher)
		next->cipher = wish->cipher;
	if (wish->set_place)
		next->control_location = wish->place;
	if (wish->set_key_size)
		next->key_size = wish->key_size;
	next->row.gen++;
	return volume_type_put(op, next);
}

RESULT engine_encrypt_volume_type(struct op *op, struct volume_type_crypt *wish)
{
	const struct volume_type *type = NULL;
	TRY(find_unused(op, wish, "create", &type));
	if (type->encrypted_us)
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_VOLUME_TYPE, STR("encryption"),
				   "Volume type encryption for type %" STR_FMT " already exists.",
				   STR_ARG(engine_write_id(op, KIND_VOLUME_TYPE, type->row.id)));
	struct volume_type next = *type;
	next.encrypted_us = op->now_us;
	wish->set_provider = wish->set_cipher = wish->set_key_size = wish->set_place = true;
	return write_crypt(op, wish, &next);
}

RESULT engine_update_volume_type_crypt(struct op *op, struct volume_type_crypt *wish)
{
	const struct volume_type *type = NULL;
	TRY(find_encrypted(op, wish, "update", &type));
	struct volume_type next = *type;
	next.encryption_changed_us = op->now_us;
	return write_crypt(op, wish, &next);
}

RESULT engine_end_volume_type_crypt(struct op *op, struct volume_type_crypt *wish)
{
	const struct volume_type *type = NULL;
	TRY(find_encrypted(op, wish, "delete", &type));
	struct volume_type next = *type;
	next.encrypted_us = next.encryption_changed_us = 0;
	next.encryption_provider = next.cipher = next.control_location = STR_NONE;
	next.key_size = 0;
	next.row.gen++;
	return volume_type_put(op, &next);
}

/* Adds the disk offerings of a new CloudStack installation: three with a fixed size in GiB, and a custom
 * one. */
static RESULT add_disk_offerings(struct op *op, uuid region)
{
	static const struct {
		const char *name, *description, *size;
	} offerings[] = {{"Small", "Small Disk, 5 GB", "5"},
			 {"Medium", "Medium Disk, 20 GB", "20"},
			 {"Large", "Large Disk, 100 GB", "100"},
			 {"Custom", "Custom Disk", NULL}};
	for (size_t n = 0; n < sizeof offerings / sizeof *offerings; n++) {
		struct str name = str_from(offerings[n].name);
		const char *gib = offerings[n].size;
		const struct tag size = {STR(VOLUME_TYPE_DISK_SIZE), str_from(gib ? gib : "")};
		struct volume_type type = {.row.id = uuid_v5(region, name),
					   .row.gen = 1,
					   .name = name,
					   .description = str_from(offerings[n].description),
					   .specs = {&size, gib ? 1 : 0},
					   .is_public = true};
		if (!volume_type_find_by_name(op->head, name))
			TRY(volume_type_put(op, &type));
	}
	return OK;
}

/* Added to a new region. The ids derive from the region's id and the type's name. */
RESULT volume_type_add_standard(struct op *op, uuid region)
{
	static const char *const names[] = {"gp2", "gp3", "io1",      "io2",
					    "st1", "sc1", "standard", "__DEFAULT__"};
	for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
		struct str name = str_from(names[n]);
		if (volume_type_find_by_name(op->head, name))
			continue;
		struct volume_type type = {
			.row.id = uuid_v5(region, name), .row.gen = 1, .name = name, .is_public = true};
		TRY(volume_type_put(op, &type));
	}
	return add_disk_offerings(op, region);
}
