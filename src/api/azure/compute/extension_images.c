/* SPDX-License-Identifier: Apache-2.0
 * Extensions that can be installed: only our own programs. The answers are bare arrays, as those of images.
 * Source: Azure REST API reference, "Virtual Machine Extension Images", 2022-08-01.
 */
#include "api/azure/compute/compute.h"

#define PUBLISHER "Dari"
#define PUBLISHED                                                                                            \
	AZ_SUBSCRIPTION AZ_COMPUTE                                                                           \
		"/locations/{location}/publishers/{publisherName}/artifacttypes/vmextension"

static const struct extension_program *find_asked(struct az_call *e)
{
	return engine_find_program(az_path_value(e, "publisherName"), az_path_value(e, "type"));
}

static void write_image(struct az_call *e, struct json_writer *w, const struct extension_program *p,
			const char *name, const char *more)
{
	char account[UUID_TEXT_SIZE];
	json_write_open(w, NULL);
	json_write_z(w, "name", name);
	json_write_text(w, "location", az_location(e));
	json_write_text(w, "id",
			str_print(e->c->arena,
				  "/Subscriptions/%s/Providers/Microsoft.Compute/Locations/%" STR_FMT
				  "/Publishers/%s/ArtifactTypes/VMExtension/Types/%s%s%s",
				  uuid_write(e->c->who->account, account), STR_ARG(az_location(e)),
				  p->publisher, p->type, more ? "/Versions/" : "", more ? more : ""));
	if (az_path_value(e, "version").n) {
		json_write_open(w, "properties");
		json_write_z(w, "operatingSystem", "Linux");
		json_write_z(w, "computeRole", "IaaS");
		json_write_null(w, "handlerSchema");
		json_write_bool(w, "vmScaleSetEnabled", false);
		json_write_bool(w, "supportsMultipleExtensions", false);
		json_write_close(w);
	}
	json_write_close(w);
}

static RESULT fail_absent(struct az_call *e)
{
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_INSTANCE_EXTENSION,
			     "The VM extension with publisher '%" STR_FMT "' and type '%" STR_FMT
			     "' could not be found.",
			     STR_ARG(str_slice(az_path_value(e, "publisherName"), 0, 128)),
			     STR_ARG(str_slice(az_path_value(e, "type"), 0, 128)));
}

static RESULT list_types(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct extension_program *p = NULL;
	(void) args;
	json_write_open_list(w, NULL);
	for (size_t k = 0; (p = engine_get_program(k)); k++)
		if (str_equal_nocase(az_path_value(e, "publisherName"), str_from(p->publisher)))
			write_image(e, w, p, p->type, NULL);
	json_write_close_list(w);
	return OK;
}

static RESULT list_versions(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct extension_program *p = find_asked(e);
	(void) args;
	if (!p)
		return fail_absent(e);
	json_write_open_list(w, NULL);
	write_image(e, w, p, p->version, p->version);
	json_write_close_list(w);
	return OK;
}

static RESULT show_version(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct extension_program *p = find_asked(e);
	(void) args;
	if (!p || !str_is(az_path_value(e, "version"), p->version))
		return fail_absent(e);
	write_image(e, w, p, p->version, p->version);
	return OK;
}

#define READ(where, word, show, says)                                                                        \
	{                                                                                                    \
		HTTP_GET, PUBLISHED where, .name = (word), .permit = "ec2:DescribeInstanceExtensions",       \
					   .flags = AZ_IN_PLACE, .type = AZ_PUBLISHERS, .answer = (show),    \
					   .doc = (says)                                                     \
	}
static const struct az_action actions[] = {
	READ("/types", "VirtualMachineExtensionImages_ListTypes", list_types,
	     "Lists the extensions of a publisher."),
	READ("/types/{type}/versions", "VirtualMachineExtensionImages_ListVersions", list_versions,
	     "Lists the versions of an extension."),
	READ("/types/{type}/versions/{version}", "VirtualMachineExtensionImages_Get", show_version,
	     "Gets one version of an extension."),
};
const struct api_actions az_extension_image_actions = API_ACTIONS(actions);
