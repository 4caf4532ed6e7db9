/* SPDX-License-Identifier: Apache-2.0
 * Encryption of volume types. There is one implementation, used for all encrypted volumes. Other providers
 * and ciphers are stored, but no volume of such a type can be created. Source: Block Storage API reference,
 * volume type encryption. */
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "engine/storage/volume_type/volume_type.h"
#include "model/volume_type.h"

struct os_encryption_shown {
	struct ref type;
	struct str key;
};
struct os_encryption_change {
	struct volume_type_crypt wish;
	struct str id; /* ignored: a type has one encryption; clients send "provider" */
};
#define TYPE_PATH(T, member)                                                                                 \
	OS_PATH_NAME(T, "type_id", member, .kind = KIND_VOLUME_TYPE, .doc = "The volume type.")
#define P(wire, member, ...) OS_BODY(struct os_encryption_change, wire, wish.member, __VA_ARGS__)
#define GIVEN(member) .given = offsetof(struct os_encryption_change, wish.member) + 1
#define CIPHER .flags = NULLABLE, .doc = "Cipher; only aes-xts-plain64."
#define KEY_SIZE .flags = NULLABLE, .min = 0, .max = INT32_MAX, .doc = "Key size in bits; only 256."
#define PLACES                                                                                               \
	.words = "front-end|back-end",                                                                       \
	.doc = "Control location; only front-end, which is the host that has the volume."
static const struct param show_params[] = {TYPE_PATH(struct os_encryption_shown, type)};
static const struct param key_params[] = {
	TYPE_PATH(struct os_encryption_shown, type),
	OS_PATH(struct os_encryption_shown, "key", key, .doc = "Member of the encryption settings."),
};
static const struct param create_params[] = {
	TYPE_PATH(struct os_encryption_change, wish.type),
	P("provider", provider, .flags = REQUIRED, .doc = "Provider; only luks."),
	P("control_location", place, .flags = REQUIRED, PLACES),
	P("cipher", cipher, CIPHER),
	P("key_size", key_size, KEY_SIZE),
};
static const struct param update_params[] = {
	TYPE_PATH(struct os_encryption_change, wish.type),
	OS_PATH(struct os_encryption_change, "encryption_id", id, .doc = "Accepted and ignored."),
	P("provider", provider, GIVEN(set_provider), .doc = "Provider; only luks."),
	P("control_location", place, GIVEN(set_place), PLACES),
	P("cipher", cipher, GIVEN(set_cipher), CIPHER),
	P("key_size", key_size, GIVEN(set_key_size), KEY_SIZE),
};
static const struct param delete_params[] = {
	TYPE_PATH(struct os_encryption_change, wish.type),
	OS_PATH(struct os_encryption_change, "encryption_id", id, .doc = "Accepted and ignored."),
};

static void write_key_size(struct json_writer *w, int64_t bits)
{
	if (bits)
		json_write_int(w, "key_size", bits);
	else
		json_write_null(w, "key_size");
}

static void write_encryption(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct volume_type *type = item;
	(void) e;
	os_write_id(w, "volume_type_id", type->row.id);
	os_write_id(w, "encryption_id", uuid_v5(type->row.id, STR("encryption")));
	json_write_text(w, "provider", type->encryption_provider);
	json_write_text_or_null(w, "cipher", type->cipher);
	write_key_size(w, type->key_size);
	json_write_text(w, "control_location", type->control_location);
}

static const struct os_listing encryption_listing = {.kind = KIND_VOLUME_TYPE, .write = write_encryption};

/* Writes the members that were sent, as Cinder does. */
static RESULT show_sent(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct volume_type_crypt *wish = &((const struct os_encryption_change *) args)->wish;
	(void) e;
	if (wish->set_provider)
		json_write_text(w, "provider", wish->provider);
	if (wish->set_cipher)
		json_write_text_or_null(w, "cipher", wish->cipher);
	if (wish->set_key_size)
		write_key_size(w, wish->key_size);
	if (wish->set_place)
		json_write_text(w, "control_location", wish->place);
	return OK;
}

/* Writes {} if volumes of the type are not encrypted. */
static RESULT show_encryption(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct volume_type *type = NULL;
	TRY(engine_find_volume_type(e->c, os_tables(e), &((const struct os_encryption_shown *) args)->type,
				    &type));
	if (!type->encrypted_us)
		return OK;
	write_encryption(e, w, type);
	os_write_time_us(w, "created_at", type->encrypted_us);
	os_write_time_us(w, "updated_at", type->encryption_changed_us);
	json_write_bool(w, "deleted", false);
	json_write_null(w, "deleted_at");
	return OK;
}

static RESULT show_key(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_encryption_shown *a = args;
	const struct volume_type *type = NULL;
	TRY(engine_find_volume_type(e->c, os_tables(e), &a->type, &type));
	if (type->encrypted_us && str_is(a->key, "provider"))
		json_write_text(w, "provider", type->encryption_provider);
	else if (type->encrypted_us && str_is(a->key, "cipher"))
		json_write_text_or_null(w, "cipher", type->cipher);
	else if (type->encrypted_us && str_is(a->key, "key_size"))
		write_key_size(w, type->key_size);
	else if (type->encrypted_us && str_is(a->key, "control_location"))
		json_write_text(w, "control_location", type->control_location);
	else
		return ctx_fail(e->c, ERR_NOT_FOUND, "Volume type encryption was not found.");
	return OK;
}

#define ALL "/v3/{project_id}/types/{type_id}/encryption"
#define POLICY "volume_extension:volume_type_encryption:"
#define SHOWN(rows) .flags = OS_ADMIN, .args = OS_PARAMS(struct os_encryption_shown, rows)
#define CHANGE(rows) .flags = API_WRITES | OS_ADMIN, .args = OS_PARAMS(struct os_encryption_change, rows)
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = POLICY "get", SHOWN(show_params), .answer = show_encryption,
	 .doc = "Shows the encryption settings of a volume type. Empty: volumes are encrypted on request "
		"only."},
	{HTTP_POST, ALL, .permit = POLICY "create", CHANGE(create_params), .wrap = "encryption",
	 .item = "encryption", .operation = engine_encrypt_volume_type_run,
	 OS_SHOWS(encryption_listing, struct os_encryption_change, wish.volume_type),
	 .returns = KIND_VOLUME_TYPE, .doc = "Encrypts all future volumes of a type that has no volume yet."},
	{HTTP_GET, ALL "/{key}", .permit = POLICY "get", SHOWN(key_params), .answer = show_key,
	 .doc = "Shows one member of the encryption settings."},
	{HTTP_PUT, ALL "/{encryption_id}", .permit = POLICY "update", CHANGE(update_params),
	 .wrap = "encryption", .item = "encryption", .operation = engine_update_volume_type_crypt_run,
	 .answer = show_sent, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Changes the encryption settings of a volume type."},
	{HTTP_DELETE, ALL "/{encryption_id}", .permit = POLICY "delete", CHANGE(delete_params), .status = 202,
	 .operation = engine_end_volume_type_crypt_run,
	 .doc = "Removes the encryption settings of a volume type: volumes are encrypted on request only."},
};
const struct os_actions os_volume_type_encryption_actions = OS_ACTIONS(OS_VOLUME, actions);
