/* SPDX-License-Identifier: Apache-2.0
 * Files of images in region backups. Their names are digests and their content never changes, so that each is stored once. */
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "daemon/backup/region_backup.h"
#include "drivers/image/image_file.h"

static const struct backup_watch watch; /* nobody ends the work */

static struct backup_place place_of(struct ctx *c, struct backup_store *store, uuid region, struct str name)
{
	struct str container = region_backup_container(c->arena, region);
	return (struct backup_place){store, str_print(c->arena, "%" STR_FMT "/images", STR_ARG(container)),
				     uuid_v5(region, name)};
}

static bool is_image(struct str name)
{
	return str_ends_with(name, STR(IMAGE_FILE_SUFFIX)) || str_ends_with(name, STR(IMAGE_DATA_SUFFIX));
}

RESULT region_images_list(struct ctx *c, const char *directory, struct region_backup_files *ret_files)
{
	return region_backup_list_files(c, directory, is_image, ret_files);
}

static RESULT copy(struct ctx *c, const struct backup_place *place, const char *path, int64_t file_size,
		   int64_t *ret_size)
{
	const struct backup_facts facts = {.size = file_size, .data_us = clock_now_us()};
	struct backup_written written = {0};
	AUTO(backup_manifest) there = NULL;
	struct result found = backup_manifest_load(c, place, &there);
	if (found.code != ERR_NOT_FOUND)
		return found;
	ctx_clear_problem(c);
	struct result result = backup_data_write(c, place, &facts, NULL, path, &watch, &written);
	if (!result_is_ok(result) && !file_exists(path)) {
		ctx_clear_problem(c);
		return OK;
	}
	*ret_size += written.stored_size;
	return result;
}

RESULT region_images_copy(struct ctx *c, struct backup_store *store, uuid region, const char *directory,
			  const struct region_backup_files *files, int64_t *ret_size)
{
	for (size_t k = 0; k < files->count; k++) {
		struct str name = files->at[k].name;
		const char *path = str_print(c->arena, "%s/%" STR_FMT, directory, STR_ARG(name)).p;
		const struct backup_place place = place_of(c, store, region, name);
		TRY(path && place.container.p ? copy(c, &place, path, files->at[k].size, ret_size)
					      : ctx_no_memory(c));
	}
	return OK;
}

RESULT region_images_read(struct ctx *c, struct backup_store *store, uuid region, struct str name,
			  const char *path)
{
	AUTO(backup_manifest) manifest = NULL;
	const struct backup_place place = place_of(c, store, region, name);
	TRY(place.container.p ? backup_manifest_load(c, &place, &manifest) : ctx_no_memory(c));
	return backup_data_read(c, &place, manifest, path, &watch);
}

RESULT region_images_remove(struct ctx *c, struct backup_store *store, uuid region, struct str name)
{
	const struct backup_place place = place_of(c, store, region, name);
	return place.container.p ? backup_data_remove(c, &place) : ctx_no_memory(c);
}
