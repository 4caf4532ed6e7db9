/* SPDX-License-Identifier: Apache-2.0
 * ServiceProviderConfig, ResourceTypes and Schemas (RFC 7644 4), and what is not implemented: bulk operations, /Me, and queries
 * across resource types. */
#include "api/scim/internal.h"

static RESULT answer_config(struct scim_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	scim_write_provider_config(w, api_base_url(&e->core));
	return OK;
}

static void open_list(struct json_writer *w, size_t count)
{
	json_write_open(w, NULL);
	json_write_open_list(w, "schemas");
	json_write_z(w, NULL, "urn:ietf:params:scim:api:messages:2.0:ListResponse");
	json_write_close_list(w);
	json_write_int(w, "totalResults", (int64_t) count);
	json_write_int(w, "startIndex", 1);
	json_write_int(w, "itemsPerPage", (int64_t) count);
	json_write_open_list(w, "Resources");
}

static void close_list(struct json_writer *w)
{
	json_write_close_list(w);
	json_write_close(w);
}

/* RFC 7644 4: a filter on these is answered with 403. */
static RESULT check_no_filter(struct scim_call *e, void *args)
{
	(void) args;
	return scim_query_value(e, "filter").n
		       ? ctx_fail(e->c, ERR_DENIED, "Discovery documents cannot be filtered.")
		       : OK;
}

static const struct scim_type *const types[] = {&scim_user_type, &scim_group_type};
enum { TYPES = sizeof types / sizeof types[0] };

static RESULT fail_absent(struct scim_call *e)
{
	return ctx_fail(e->c, ERR_NOT_FOUND, "Resource %" STR_FMT " not found.",
			STR_ARG(str_cut(scim_path_value(e, "id"), 128)));
}

static RESULT answer_types(struct scim_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	open_list(w, TYPES);
	for (size_t k = 0; k < TYPES; k++)
		scim_write_resource_type(w, api_base_url(&e->core), types[k]);
	close_list(w);
	return OK;
}

static RESULT answer_type(struct scim_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	for (size_t k = 0; k < TYPES; k++)
		if (str_is(scim_path_value(e, "id"), types[k]->name)) {
			scim_write_resource_type(w, api_base_url(&e->core), types[k]);
			return OK;
		}
	return fail_absent(e);
}

static RESULT answer_schemas(struct scim_call *e, const void *args, struct json_writer *w)
{
	size_t count = 0;
	(void) args;
	while (scim_schema_urns[count])
		count++;
	open_list(w, count);
	for (size_t k = 0; k < count; k++)
		scim_write_schema(w, api_base_url(&e->core), scim_schema_urns[k]);
	close_list(w);
	return OK;
}

static RESULT answer_schema(struct scim_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	for (size_t k = 0; scim_schema_urns[k]; k++)
		if (str_equal_nocase(scim_path_value(e, "id"), str_from(scim_schema_urns[k]))) {
			scim_write_schema(w, api_base_url(&e->core), scim_schema_urns[k]);
			return OK;
		}
	return fail_absent(e);
}

static RESULT refuse(struct scim_call *e, void *args)
{
	(void) args;
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("feature"), "%s", scim_action_of(e)->never);
}

#define DOCUMENT(path, word, check, answer, text)                                                            \
	{                                                                                                    \
		HTTP_GET, path,                                                                              \
			{{.name = word,                                                                      \
			  .permit = "identity:list_users",                                                   \
			  .flags = API_FOR_ALL,                                                              \
			  .doc = text}},                                                                     \
			NULL, check, answer                                                                  \
	}
#define REFUSED(method, path, word, why)                                                                     \
	{                                                                                                    \
		method, path,                                                                                \
			{{.name = word,                                                                      \
			  .permit = "identity:list_users",                                                   \
			  .flags = API_FOR_ALL,                                                              \
			  .doc = why,                                                                        \
			  .never = why}},                                                                    \
			NULL, refuse, NULL                                                                   \
	}
#define NO_ROOT "Queries across resource types are not implemented. Ask /Users or /Groups."
#define NO_ME "/Me is not implemented: the key acts for a domain, not for a person."

static const struct scim_action rows[] = {
	DOCUMENT("ServiceProviderConfig", "getServiceProviderConfig", check_no_filter, answer_config,
		 "Shows which parts of SCIM are implemented."),
	DOCUMENT("ResourceTypes", "listResourceTypes", check_no_filter, answer_types,
		 "Lists User and Group."),
	DOCUMENT("ResourceTypes/{id}", "getResourceType", NULL, answer_type, "Shows a resource type."),
	DOCUMENT("Schemas", "listSchemas", check_no_filter, answer_schemas, "Lists the schemas."),
	DOCUMENT("Schemas/{id}", "getSchema", NULL, answer_schema, "Shows a schema's attributes."),
	REFUSED(HTTP_POST, "Bulk", "bulk", "Bulk operations are not implemented."),
	REFUSED(HTTP_POST, ".search", "search", NO_ROOT),
	REFUSED(HTTP_GET, "", "query", NO_ROOT),
	REFUSED(HTTP_GET, "Me", "getMe", NO_ME),
	REFUSED(HTTP_POST, "Me", "createMe", NO_ME),
	REFUSED(HTTP_PUT, "Me", "replaceMe", NO_ME),
	REFUSED(HTTP_PATCH, "Me", "patchMe", NO_ME),
	REFUSED(HTTP_DELETE, "Me", "deleteMe", NO_ME),
};
const struct api_actions scim_discovery_actions = API_ACTIONS(rows);
