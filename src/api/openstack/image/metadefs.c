/* SPDX-License-Identifier: Apache-2.0
 * Definitions of metadata, as a Glance answers that has none loaded. Source: Image API reference, "Metadata
 * definition namespaces". */
#include "api/openstack/core/action.h"

static RESULT list_namespaces(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_open_list(w, "namespaces");
	json_write_close_list(w);
	json_write_z(w, "first", "/v2/metadefs/namespaces");
	json_write_z(w, "schema", "/v2/schemas/metadefs/namespaces");
	return OK;
}

static RESULT list_resource_types(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_open_list(w, "resource_types");
	json_write_close_list(w);
	return OK;
}

struct os_namespace {
	struct str name;
};
static const struct param namespace_params[] = {
	OS_PATH(struct os_namespace, "namespace", name, .doc = "One."),
};

static RESULT prepare_no_namespace(struct os_call *e, void *args)
{
	const struct os_namespace *a = args;
	return ctx_fail(e->c, ERR_NOT_FOUND, "Metadata definition namespace=%" STR_FMT " was not found.",
			STR_ARG(str_slice(a->name, 0, 80)));
}

#define NAMESPACES "/v2/metadefs/namespaces"
static const struct os_action actions[] = {
	{HTTP_GET, NAMESPACES, .permit = "get_metadef_namespaces", .answer = list_namespaces,
	 .doc = "There are no namespaces."},
	{HTTP_GET, NAMESPACES "/{namespace}", .permit = "get_metadef_namespace",
	 .args = OS_PARAMS(struct os_namespace, namespace_params), .prepare = prepare_no_namespace,
	 .doc = "There are none."},
	{HTTP_GET, "/v2/metadefs/resource_types", .permit = "list_metadef_resource_types",
	 .answer = list_resource_types, .doc = "There are none."},
};
const struct os_actions os_image_metadef_actions = OS_ACTIONS(OS_IMAGE, actions);
