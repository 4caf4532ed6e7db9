/* SPDX-License-Identifier: Apache-2.0
 * Files that a configuration names. Their names say their content, so a file that is there is right. */
#include <dirent.h>

#include "base/file.h"
#include "drivers/haproxy/haproxy.h"

const char *place_path(struct ctx *c, const struct proxy_place *place, const char *name)
{
	struct str path = str_print(c->arena, "%s/%s%c", place->directory, name, 0);
	return path.p ? path.p : "";
}

RESULT files_write(struct ctx *c, const struct proxy_place *place, const struct config_files *files)
{
	for (size_t k = 0; k < files->count; k++) {
		const char *path = place_path(c, place, str_to_z(c->arena, files->at[k].name));
		if (!file_exists(path))
			TRY(file_write_synced(c, path, files->at[k].bytes, 0600));
	}
	return OK;
}

static bool is_named(const struct config_files *files, struct str name)
{
	for (size_t k = 0; k < files->count; k++)
		if (str_equal(files->at[k].name, name))
			return true;
	return false;
}

void files_sweep(struct ctx *c, const struct proxy_place *place, const struct config_files *files)
{
	DIR *directory = opendir(place->directory);
	const struct dirent *entry = NULL;
	while (directory && (entry = readdir(directory))) {
		struct str name = str_from(entry->d_name);
		bool is_ours = str_starts_with(name, STR("body-")) || str_starts_with(name, STR("cert-"));
		if (is_ours && !is_named(files, name))
			IGNORE(file_delete(c, place_path(c, place, entry->d_name))); /* the next sweep tries
										      * again */
	}
	if (directory)
		(void) closedir(directory);
}
