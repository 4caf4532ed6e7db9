/* SPDX-License-Identifier: Apache-2.0
 * Metadata of secrets. Source: Key Manager API v1, "Secret Metadata". */
#include "api/openstack/key_manager/key_manager.h"

enum { KEY_MAX = 128, VALUE_MAX = 255 };

#define SECRET(T) OS_PATH(T, "secret_id", wish.secret, .kind = KIND_SECRET, .doc = "The secret.")

/* ---- all entries ---- */

struct os_km_metadata {
	struct secret_metadata wish;
};
static const struct param read_params[] = {SECRET(struct os_km_metadata)};
static const struct param put_params[] = {
	SECRET(struct os_km_metadata),
	OS_BODY(struct os_km_metadata, "metadata", wish.metadata, .flags = REQUIRED, .max = VALUE_MAX,
		.doc = "Entries that replace all."),
};

static RESULT show_all(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct secret *s = NULL;
	TRY(os_km_find_secret(e, &((const struct os_km_metadata *) args)->wish.secret, &s));
	os_write_tags(w, "metadata", s->metadata);
	return OK;
}

static RESULT answer_put(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_km_metadata *a = args;
	json_write_text(w, "metadata_ref",
			str_print(e->c->arena, "%" STR_FMT "/metadata",
				  STR_ARG(os_km_ref(e, "secrets", a->wish.secret.prefix))));
	return OK;
}

/* ---- one entry ---- */

struct os_km_entry {
	struct secret_entry wish;
	struct str path_key;
};
#define KEY OS_PATH(struct os_km_entry, "key", path_key, .max = KEY_MAX, .doc = "Key of the entry.")
#define ENTRY                                                                                                \
	OS_BODY(struct os_km_entry, "key", wish.key, .flags = REQUIRED, .min = 1, .max = KEY_MAX,            \
		.doc = "Key of the entry."),                                                                 \
		OS_BODY(struct os_km_entry, "value", wish.value, .flags = REQUIRED, .max = VALUE_MAX,        \
			.doc = "Value of the entry.")
static const struct param add_params[] = {SECRET(struct os_km_entry), ENTRY};
static const struct param change_params[] = {SECRET(struct os_km_entry), KEY, ENTRY};
static const struct param entry_params[] = {SECRET(struct os_km_entry), KEY};

static RESULT prepare_change(struct os_call *e, void *args)
{
	struct os_km_entry *a = args;
	if (str_equal(a->wish.key, a->path_key))
		return OK;
	return ctx_fail_field(e->c, ERR_COMBINATION, STR("key"),
			      "Key in request does not match the key of the path.");
}

static RESULT prepare_delete(struct os_call *e, void *args)
{
	struct os_km_entry *a = args;
	(void) e;
	a->wish.key = a->path_key;
	return OK;
}

static void write_entry(struct json_writer *w, struct str key, struct str value)
{
	json_write_text(w, "key", key);
	json_write_text(w, "value", value);
}

static RESULT answer_entry(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_km_entry *a = args;
	(void) e;
	write_entry(w, a->wish.key, a->wish.value);
	return OK;
}

static RESULT show_entry(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_km_entry *a = args;
	const struct secret *s = NULL;
	TRY(os_km_find_secret(e, &a->wish.secret, &s));
	for (size_t k = 0; k < s->metadata.count; k++)
		if (str_equal(s->metadata.at[k].key, a->path_key)) {
			write_entry(w, s->metadata.at[k].key, s->metadata.at[k].value);
			return OK;
		}
	return ctx_fail(e->c, ERR_NOT_FOUND, "Not Found. Secret Metadata Key not found.");
}

#define ALL "/v1/secrets/{secret_id}/metadata"
#define ONE ALL "/{key}"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "secret_meta:get", .flags = API_CHANGES_BY_TIME,
	 .args = OS_PARAMS(struct os_km_metadata, read_params), .answer = show_all,
	 .doc = "Metadata of a secret."},
	{HTTP_PUT, ALL, .permit = "secret_meta:put", .flags = API_WRITES, .status = 201,
	 .args = OS_PARAMS(struct os_km_metadata, put_params), .operation = engine_put_secret_metadata_run,
	 .returns = API_RETURNS_NOTHING_STORED, .answer = answer_put,
	 .doc = "Replaces the metadata of a secret."},
	{HTTP_POST, ALL, .permit = "secret_meta:post", .flags = API_WRITES, .status = 201,
	 .args = OS_PARAMS(struct os_km_entry, add_params),
	 .sets = {API_SETS(struct os_km_entry, wish.is_new)}, .operation = engine_put_secret_entry_run,
	 .returns = API_RETURNS_NOTHING_STORED, .answer = answer_entry, .doc = "Adds an entry."},
	{HTTP_GET, ONE, .permit = "secret_meta:get", .flags = API_CHANGES_BY_TIME,
	 .args = OS_PARAMS(struct os_km_entry, entry_params), .answer = show_entry, .doc = "One entry."},
	{HTTP_PUT, ONE, .permit = "secret_meta:put", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_km_entry, change_params), .prepare = prepare_change,
	 .operation = engine_put_secret_entry_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = answer_entry, .doc = "Changes an entry."},
	{HTTP_DELETE, ONE, .permit = "secret_meta:delete", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_km_entry, entry_params), .prepare = prepare_delete,
	 .sets = {API_SETS(struct os_km_entry, wish.is_gone)}, .operation = engine_put_secret_entry_run,
	 .doc = "Removes an entry."},
};
const struct os_actions os_key_manager_metadata_actions = OS_ACTIONS(OS_KEY_MANAGER, actions);
