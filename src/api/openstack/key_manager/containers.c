/* SPDX-License-Identifier: Apache-2.0
 * Containers and their consumers. Source: Key Manager API v1, "Containers" and "Consumers". */
#include <stdlib.h>

#include "api/openstack/key_manager/key_manager.h"
#include "store/secret_container.h"

static const char *const types[] = {[SECRET_CONTAINER_TYPE_GENERIC] = "generic",
				    [SECRET_CONTAINER_TYPE_RSA] = "rsa",
				    [SECRET_CONTAINER_TYPE_CERTIFICATE] = "certificate"};
#define TYPES "generic|rsa|certificate"

/* ---- showing ---- */

static void write_consumer(struct json_writer *w, struct str consumer)
{
	struct str name = STR_NONE, url = consumer;
	(void) str_split_next(&url, '\n', &name);
	json_write_open(w, NULL);
	json_write_text(w, "name", name);
	json_write_text(w, "URL", url);
	json_write_close(w);
}

static void write_container(struct os_call *e, struct json_writer *w, const struct secret_container *c)
{
	os_km_write_common(w, &c->row, c->name, c->creator);
	json_write_z(w, "type", types[c->type]);
	json_write_text(w, "container_ref", os_km_ref(e, "containers", c->row.id));
	json_write_open_list(w, "secret_refs");
	for (size_t k = 0; k < c->secrets.count; k++) {
		json_write_open(w, NULL);
		json_write_text_or_null(w, "name", c->names.at[k]);
		json_write_text(w, "secret_ref", os_km_ref(e, "secrets", c->secrets.at[k]));
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_open_list(w, "consumers");
	for (size_t k = 0; k < c->consumers.count; k++)
		write_consumer(w, c->consumers.at[k]);
	json_write_close_list(w);
}

static RESULT show_found(struct os_call *e, const struct ref *ref, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(os_find(e, KIND_SECRET_CONTAINER, ref, &row));
	write_container(e, w, secret_container_of(row));
	return OK;
}

/* ---- new containers ---- */

struct os_km_part {
	struct str name, ref;
};
static const struct param part_params[] = {
	OS_BODY(struct os_km_part, "name", name, .flags = NULL_ABSENT, .max = 255,
		.doc = "Name within the container."),
	OS_BODY(struct os_km_part, "secret_ref", ref, .flags = REQUIRED, .min = 1, .max = 1024,
		.doc = "Reference to the secret."),
};
static const struct params part_table = OS_PARAMS(struct os_km_part, part_params);

struct os_km_new_container {
	struct secret_container_wish wish;
	struct str type;
	struct {
		struct os_km_part *at;
		size_t count;
	} parts;
};
static const struct param create_params[] = {
	OS_BODY(struct os_km_new_container, "name", wish.row.name, .flags = NULL_ABSENT, .max = 255,
		.doc = "Name; need not be unique."),
	OS_BODY(struct os_km_new_container, "type", type, .flags = REQUIRED, .words = TYPES, .doc = "Type."),
	OS_BODY_LIST(struct os_km_new_container, "secret_refs", parts, part_table, .flags = NULL_ABSENT,
		     .max = SECRET_NAMES_MAX, .doc = "Its secrets."),
};

/* The names that a type allows, and those that it needs. */
static const struct {
	const char *allowed[4], *needed[2];
} forms[] = {
	[SECRET_CONTAINER_TYPE_RSA] = {{"public_key", "private_key", "private_key_passphrase"},
				       {"public_key", "private_key"}},
	[SECRET_CONTAINER_TYPE_CERTIFICATE] = {{"certificate", "private_key", "private_key_passphrase",
						"intermediates"},
					       {"certificate"}},
};

static bool has_name(const struct strs *names, const char *name)
{
	for (size_t k = 0; k < names->count; k++)
		if (str_is(names->at[k], name))
			return true;
	return false;
}

static bool is_allowed(enum secret_container_type type, struct str name)
{
	for (size_t k = 0; k < sizeof forms[type].allowed / sizeof forms[type].allowed[0]; k++)
		if (forms[type].allowed[k] && str_is(name, forms[type].allowed[k]))
			return true;
	return false;
}

/* Texts are guesses but for their beginning. */
static RESULT check_names(struct os_call *e, enum secret_container_type type, const struct strs *names)
{
	for (size_t k = 0; k < names->count; k++)
		for (size_t n = 0; n < k; n++)
			if (names->at[k].n && str_equal(names->at[k], names->at[n]))
				return ctx_fail_field(e->c, ERR_INVALID, STR("secret_refs"),
						      "Provided object does not match schema 'Container': "
						      "Duplicate reference names are not allowed.");
	if (type == SECRET_CONTAINER_TYPE_GENERIC)
		return OK;
	for (size_t k = 0; k < names->count; k++)
		if (!is_allowed(type, names->at[k]))
			return ctx_fail_field(
				e->c, ERR_INVALID, STR("secret_refs"),
				"Provided object does not match schema 'Container': only certain "
				"reference names are allowed for '%s' type.",
				types[type]);
	for (size_t k = 0; k < sizeof forms[type].needed / sizeof forms[type].needed[0]; k++)
		if (forms[type].needed[k] && !has_name(names, forms[type].needed[k]))
			return ctx_fail_field(
				e->c, ERR_INVALID, STR("secret_refs"),
				"Provided object does not match schema 'Container': the reference "
				"'%s' is required for '%s' type.",
				forms[type].needed[k], types[type]);
	return OK;
}

static RESULT read_parts(struct os_call *e, struct os_km_new_container *a)
{
	struct str *names = arena_new_array(e->c->arena, struct str, a->parts.count + 1);
	struct ref *refs = arena_new_array(e->c->arena, struct ref, a->parts.count + 1);
	if (!names || !refs)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->parts.count; k++) {
		names[k] = a->parts.at[k].name;
		if (!os_km_read_ref(a->parts.at[k].ref, "secrets", KIND_SECRET, &refs[k]))
			return ctx_fail_field(e->c, ERR_INVALID, STR("secret_ref"),
					      "Bad secret reference: %" STR_FMT,
					      STR_ARG(str_slice(a->parts.at[k].ref, 0, 128)));
		refs[k].field = STR("secret_refs");
	}
	a->wish.row.names = (struct strs){names, a->parts.count};
	a->wish.secrets = (struct refs){refs, a->parts.count};
	return OK;
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_km_new_container *a = args;
	for (size_t k = 0; k < sizeof types / sizeof types[0]; k++)
		if (str_is(a->type, types[k]))
			a->wish.row.type = (enum secret_container_type) k;
	TRY(read_parts(e, a));
	return check_names(e, a->wish.row.type, &a->wish.row.names);
}

static RESULT answer_create(struct os_call *e, const void *args, struct json_writer *w)
{
	struct str ref = os_km_ref(e, "containers", ((const struct os_km_new_container *) args)->wish.made);
	call_set_answer_header(e->call, "Location", ref);
	json_write_text(w, "container_ref", ref);
	return OK;
}

/* ---- lists ---- */

struct os_km_container_list {
	struct os_km_page page;
	struct str name, type;
};
static const struct param list_params[] = {
	OS_KM_PAGE(struct os_km_container_list),
	OS_QUERY(struct os_km_container_list, "name", name, .doc = "Name."),
	OS_QUERY(struct os_km_container_list, "type", type, .words = TYPES, .doc = "Type."),
};

static RESULT list_containers(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_km_container_list *a = args;
	VEC(const struct secret_container *) rows = {0};
	const struct secret_container *c =
		secret_container_first_by_account(os_tables(e), e->c->who->account);
	for (; c; c = secret_container_next_by_account(os_tables(e), c))
		if ((!a->name.n || str_equal(a->name, c->name)) &&
		    (!a->type.n || str_is(a->type, types[c->type])) && !VEC_PUSH(e->c->arena, &rows, c))
			return ctx_no_memory(e->c);
	if (rows.count)
		qsort(rows.at, rows.count, sizeof rows.at[0], os_km_compare);
	json_write_open_list(w, "containers");
	for (size_t k = (size_t) a->page.offset;
	     k < rows.count && k < (size_t) (a->page.offset + a->page.limit); k++) {
		json_write_open(w, NULL);
		write_container(e, w, rows.at[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	os_km_write_page(e, w, &a->page, rows.count);
	return OK;
}

/* ---- one container ---- */

#define PATH(T, member)                                                                                      \
	OS_PATH(T, "container_id", member, .kind = KIND_SECRET_CONTAINER, .doc = "The container.")
struct os_km_container {
	struct secret_container_target wish;
};
static const struct param container_params[] = {PATH(struct os_km_container, wish.container)};

static RESULT show_container(struct os_call *e, const void *args, struct json_writer *w)
{
	return show_found(e, &((const struct os_km_container *) args)->wish.container, w);
}

/* ---- consumers ---- */

struct os_km_consumer {
	struct secret_consumer wish;
};
static const struct param consumer_params[] = {
	PATH(struct os_km_consumer, wish.container),
	OS_BODY(struct os_km_consumer, "name", wish.name, .flags = REQUIRED, .min = 1, .max = 255,
		.doc = "Name of the consumer."),
	OS_BODY(struct os_km_consumer, "URL", wish.url, .flags = REQUIRED, .min = 1, .max = 255,
		.doc = "URL of the consumer."),
};
struct os_km_consumer_list {
	struct ref container;
	struct os_km_page page;
};
static const struct param consumers_params[] = {PATH(struct os_km_consumer_list, container),
						OS_KM_PAGE(struct os_km_consumer_list)};

/* A line feed separates name and URL in the row. */
static RESULT prepare_consumer(struct os_call *e, void *args)
{
	struct os_km_consumer *a = args;
	return str_is_line(a->wish.name) && str_is_line(a->wish.url)
		       ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, STR("name"),
					"Name and URL of a consumer contain no control characters.");
}

static RESULT show_consumed(struct os_call *e, const void *args, struct json_writer *w)
{
	return show_found(e, &((const struct os_km_consumer *) args)->wish.container, w);
}

static RESULT list_consumers(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_km_consumer_list *a = args;
	const struct row *row = NULL;
	TRY(os_find(e, KIND_SECRET_CONTAINER, &a->container, &row));
	const struct strs *all = &secret_container_of(row)->consumers;
	json_write_open_list(w, "consumers");
	for (size_t k = (size_t) a->page.offset;
	     k < all->count && k < (size_t) (a->page.offset + a->page.limit); k++)
		write_consumer(w, all->at[k]);
	json_write_close_list(w);
	os_km_write_page(e, w, &a->page, all->count);
	return OK;
}

#define ONE "/v1/containers/{container_id}"
#define CONSUMERS ONE "/consumers"
static const struct os_action actions[] = {
	{HTTP_POST, "/v1/containers", .permit = "containers:post", .flags = API_WRITES, .status = 201,
	 .args = OS_PARAMS(struct os_km_new_container, create_params), .prepare = prepare_create,
	 .operation = engine_create_secret_container_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = answer_create, .doc = "Makes a container of secrets."},
	{HTTP_GET, "/v1/containers", .permit = "containers:get", .flags = OS_FILTERS,
	 .args = OS_PARAMS(struct os_km_container_list, list_params), .answer = list_containers,
	 .doc = "Lists the project's containers."},
	{HTTP_GET, ONE, .permit = "container:get",
	 .args = OS_PARAMS(struct os_km_container, container_params), .answer = show_container,
	 .doc = "Shows a container."},
	{HTTP_DELETE, ONE, .permit = "container:delete", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_km_container, container_params),
	 .operation = engine_delete_secret_container_run, .doc = "Deletes a container, not its secrets."},
	{HTTP_GET, CONSUMERS, .permit = "consumers:get", .flags = OS_FILTERS,
	 .args = OS_PARAMS(struct os_km_consumer_list, consumers_params), .answer = list_consumers,
	 .doc = "Lists who uses a container."},
	{HTTP_POST, CONSUMERS, .permit = "consumers:post", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_km_consumer, consumer_params), .prepare = prepare_consumer,
	 .operation = engine_add_secret_consumer_run, .returns = KIND_SECRET_CONTAINER,
	 .answer = show_consumed, .doc = "Registers a user of a container."},
	{HTTP_DELETE, CONSUMERS, .permit = "consumers:delete", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_km_consumer, consumer_params), .prepare = prepare_consumer,
	 .operation = engine_remove_secret_consumer_run, .returns = KIND_SECRET_CONTAINER,
	 .answer = show_consumed, .doc = "Removes a user of a container."},
};
const struct os_actions os_key_manager_container_actions = OS_ACTIONS(OS_KEY_MANAGER, actions);
