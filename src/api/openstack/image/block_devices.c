/* SPDX-License-Identifier: Apache-2.0
 * The property block_device_mapping of an image created from a volume-backed server: the volume snapshots
 * from which Nova creates a server's disks. Snapshots bound to the image are its data instead, and not
 * shown. Source: Nova, "Create Image (createImage Action)", and its block device mapping v2. */
#include "api/openstack/core/write.h"
#include "api/openstack/image/images.h"
#include "base/json_write.h"
#include "model/image.h"
#include "store/image_device.h"
#include "store/snapshot.h"

enum { MAPPING_MAX_SIZE = 64 << 10 };
static const int64_t GIB = INT64_C(1) << 30;

static bool is_shown(const struct tables *t, const struct image_device *d)
{
	const struct snapshot *s = snapshot_find(t, d->snapshot);
	return s && row_is_live(&s->row) && !s->is_bound;
}

static void write_device(struct json_writer *w, const struct image_device *d)
{
	static const char *const unsaid[] = {"guest_format", "no_device", "image_id",
					     "volume_id",    "tag",       "volume_type"};
	json_write_open(w, NULL);
	json_write_z(w, "source_type", "snapshot");
	json_write_z(w, "destination_type", "volume");
	os_write_id(w, "snapshot_id", d->snapshot);
	json_write_int(w, "volume_size", (d->size + GIB - 1) / GIB);
	if (d->number == 0)
		json_write_int(w, "boot_index", 0);
	else
		json_write_null(w, "boot_index");
	json_write_text(w, "device_name", d->device);
	json_write_bool(w, "delete_on_termination", d->delete_on_termination);
	json_write_z(w, "disk_bus", "virtio");
	json_write_z(w, "device_type", "disk");
	for (size_t k = 0; k < sizeof unsaid / sizeof unsaid[0]; k++)
		json_write_null(w, unsaid[k]);
	json_write_close(w);
}

struct str os_image_block_devices(struct os_call *e, const struct image *image)
{
	const struct tables *t = os_tables(e);
	const struct image_device *d = image_device_first_by_image(t, image->row.id);
	struct str text = STR_NONE;
	struct json_writer w;
	struct buf out;
	if (uuid_is_none(image->source_instance) || !d || !is_shown(t, d))
		return text;
	buf_init(&out, MAPPING_MAX_SIZE);
	json_write_begin(&w, &out);
	json_write_open_list(&w, NULL);
	for (; d; d = image_device_next_by_image(t, d))
		if (is_shown(t, d))
			write_device(&w, d);
	json_write_close_list(&w);
	if (result_is_ok(json_write_end(&w)))
		text = str_copy(e->c->arena, buf_str(&out));
	buf_done(&out);
	return text;
}
