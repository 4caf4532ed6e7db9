/* SPDX-License-Identifier: Apache-2.0
 * Images that are versions of a catalogue family, and which one is the latest. */
#include "engine/storage/image/image.h"
#include "engine/storage/image/image_internal.h"
#include "model/image_catalogue.h"
#include "store/image.h"

static bool is_version(const struct image *i, enum image_arch arch)
{
	return row_is_live(&i->row) && uuid_is_none(i->account) && i->arch == arch;
}

static bool is_latest(const struct image *i)
{
	for (size_t k = 0; k < i->labels.count; k++)
		if (str_is(i->labels.at[k], IMAGE_LATEST))
			return true;
	return false;
}

const struct image *engine_find_image_version(const struct tables *t, struct str family, enum image_arch arch,
					      struct str version)
{
	const struct image *i = image_first_by_family(t, family);
	while (i && (!is_version(i, arch) || !(version.n ? str_equal(i->version, version) : is_latest(i))))
		i = image_next_by_family(t, i);
	return i;
}

static RESULT take_label(struct op *op, const struct image *i)
{
	struct image next = *i;
	struct str *labels = arena_new_array(op->ctx->arena, struct str, i->labels.count + 1);
	size_t count = 0;
	if (!labels)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < i->labels.count; k++)
		if (!str_is(i->labels.at[k], IMAGE_LATEST))
			labels[count++] = i->labels.at[k];
	next.labels = (struct strs){labels, count};
	next.row.gen++;
	return image_put(op, &next);
}

static const struct image *find_newer(const struct tables *t, const struct image_import *wish)
{
	const struct image *i = image_first_by_family(t, wish->family);
	while (i && (!is_version(i, wish->arch) || image_version_compare(i->version, wish->version) <= 0))
		i = image_next_by_family(t, i);
	return i;
}

RESULT image_join_family(struct op *op, const struct image_import *wish, struct image *image)
{
	static const struct str latest = {IMAGE_LATEST, sizeof IMAGE_LATEST - 1};
	TRY(image_take_properties(op, wish->properties, &image->properties));
	image->vendor = wish->vendor;
	image->family = wish->family;
	image->version = wish->version;
	if (str_is_empty(wish->family) || find_newer(op->head, wish))
		return OK;
	for (const struct image *i;
	     (i = engine_find_image_version(op->head, wish->family, wish->arch, STR_NONE));)
		TRY(take_label(op, i));
	image->labels = (struct strs){&latest, 1};
	return OK;
}
