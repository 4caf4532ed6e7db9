/* SPDX-License-Identifier: Apache-2.0
 * Image metadata of a volume: copied from the image at creation, changed independently afterwards. */
#include "api/openstack/volume/volumes.h"
#include "engine/storage/image/image.h"
#include "engine/storage/volume/volume.h"

struct os_image_metadata {
	struct volume_settings wish;
};
#define P(wire, member, ...) OS_BODY(struct os_image_metadata, wire, member, __VA_ARGS__)
#define VOLUME OS_VOLUME_PATH(struct os_image_metadata, wish.volume)
static const struct param show_params[] = {VOLUME};
static const struct param set_params[] = {
	VOLUME,
	P("metadata", wish.image_properties, .flags = REQUIRED, .max = IMAGE_PROPERTIES_MAX,
	  .doc = "Image properties by key."),
};
static const struct param unset_params[] = {
	VOLUME,
	P("key", wish.image_property_gone, .flags = REQUIRED, .min = 1, .doc = "Key of the image property."),
};

static RESULT show(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_image_metadata *a = args;
	const struct row *row = NULL;
	TRY(os_find(e, KIND_VOLUME, &a->wish.volume, &row));
	os_show_image_metadata(e, w, row);
	return OK;
}

#define ACTION(word, rows, ...)                                                                              \
	{                                                                                                    \
		HTTP_POST, "/v3/{project_id}/volumes/{volume_id}/action",                                    \
			.verb = (word), .permit = "volume_extension:volume_image_metadata:" word,            \
			.args = OS_PARAMS(struct os_image_metadata, rows), __VA_ARGS__                       \
	}
static const struct os_action actions[] = {
	ACTION("os-show_image_metadata", show_params, .answer = show,
	       .doc = "Lists the image properties of a volume."),
	ACTION("os-set_image_metadata", set_params, .flags = API_WRITES,
	       .operation = engine_update_volume_run, .answer = show, .returns = KIND_VOLUME,
	       .doc = "Adds or changes image properties of a volume."),
	ACTION("os-unset_image_metadata", unset_params, .flags = API_WRITES,
	       .operation = engine_update_volume_run, .doc = "Removes an image property of a volume."),
};
const struct os_actions os_volume_image_metadata_actions = OS_ACTIONS(OS_VOLUME, actions);
