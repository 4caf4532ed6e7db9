/* SPDX-License-Identifier: Apache-2.0
 * Backup stores: choosing the kind by the target's URL, checking object names, and the directory kind. */
#include "drivers/backup_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk_room.h"
#include "base/file.h"
#include "base/heap.h"
#include "drivers/backup_store_internal.h"
#include "model/backup_name.h"

/* ---- names ---- */

static bool is_name(struct str name)
{
	struct str rest = name, part = STR_NONE;
	bool is_good = name.n > 0 && name.n <= BACKUP_NAME_MAX && name.p[name.n - 1] != '/';
	while (is_good && str_split_next(&rest, '/', &part))
		is_good = backup_name_is_part(part);
	return is_good;
}

static RESULT find_place(struct backup_store *s, struct ctx *c, struct str name, struct str *ret_place)
{
	if (!is_name(name))
		return ctx_fail(c, ERR_INVALID, "no object of a backup is called %" STR_FMT, STR_ARG(name));
	*ret_place = str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(s->base), STR_ARG(name));
	return ret_place->p ? OK : ctx_no_memory(c);
}

/* ---- a directory ---- */

static RESULT put(struct backup_store *s, struct ctx *c, struct str path, struct str bytes)
{
	size_t end = path.n;
	(void) s;
	while (path.p[end - 1] != '/')
		end--;
	const char *folder = str_to_z(c->arena, str_slice(path, 0, end - 1));
	if (!folder)
		return ctx_no_memory(c);
	TRY(file_make_directory(c, folder, 0700));
	TRY(disk_room_check(c, folder, (int64_t) bytes.n));
	return file_write_synced(c, path.p, bytes, 0600);
}

static RESULT get(struct backup_store *s, struct ctx *c, struct str path, struct buf *into)
{
	struct stat st;
	(void) s;
	AUTO_FD fd = open(path.p, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return ctx_fail(c, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open %s: %s", path.p,
				strerrordesc_np(errno));
	size_t left = (size_t) st.st_size;
	ssize_t n = 1;
	if (!buf_reserve(into, left))
		return buf_finish(into);
	for (; n > 0 && left > 0; left -= (size_t) n) {
		n = read(fd, into->p + into->size, left);
		n = n > 0 ? n : 0;
		into->size += (size_t) n;
	}
	return left == 0 ? OK : ctx_fail(c, ERR_IO, "cannot read %s to its end", path.p);
}

static RESULT list(struct backup_store *s, struct ctx *c, struct str path, struct strs *ret_names)
{
	struct str *names = arena_new_array(c->arena, struct str, BACKUP_LIST_MAX);
	const struct dirent *entry = NULL;
	size_t count = 0;
	(void) s;
	if (!names)
		return ctx_no_memory(c);
	DIR *dir = opendir(path.p);
	if (!dir && errno != ENOENT)
		return ctx_fail(c, ERR_IO, "cannot list %s: %s", path.p, strerrordesc_np(errno));
	while (dir && count < BACKUP_LIST_MAX && (entry = readdir(dir)))
		if (backup_name_is_part(str_from(entry->d_name)))
			names[count++] = str_copy(c->arena, str_from(entry->d_name));
	if (dir)
		(void) closedir(dir);
	*ret_names = (struct strs){names, count};
	return OK;
}

static RESULT remove_file(struct backup_store *s, struct ctx *c, struct str path)
{
	(void) s;
	return file_delete(c, path.p);
}

static RESULT remove_folder(struct backup_store *s, struct ctx *c, struct str path)
{
	(void) s;
	file_remove_tree(path.p);
	return file_exists(path.p) ? ctx_fail(c, ERR_IO, "%s cannot be removed", path.p) : OK;
}

static const struct backup_store_kind directory = {
	.put = put, .get = get, .list = list, .remove = remove_file, .remove_folder = remove_folder};

/* ---- either ---- */

static RESULT open_target(struct backup_store *s, struct ctx *c, const struct backup_target *target)
{
	static const struct str FILE_URL = STR("file:///"), S3_URL = STR("s3://");
	if (str_starts_with(target->url, FILE_URL)) {
		struct str path = str_slice(target->url, FILE_URL.n - 1, target->url.n);
		s->kind = &directory;
		s->base = str_print(s->arena, "%" STR_FMT "/", STR_ARG(path));
		return s->base.p ? OK : ctx_no_memory(c);
	}
	if (!str_starts_with(target->url, S3_URL))
		return ctx_fail(c, ERR_INVALID,
				"The backup target %" STR_FMT
				" is neither file:///DIRECTORY nor s3://BUCKET/PREFIX.",
				STR_ARG(target->url));
	struct str rest = str_slice(target->url, S3_URL.n, target->url.n), bucket = STR_NONE;
	(void) str_split_next(&rest, '/', &bucket);
	while (rest.n && rest.p[rest.n - 1] == '/')
		rest.n--;
	if (!backup_name_is_part(bucket) || (rest.n && !is_name(rest)))
		return ctx_fail(c, ERR_INVALID,
				"The backup target %" STR_FMT " has an invalid bucket or prefix.",
				STR_ARG(target->url));
	s->kind = &backup_store_s3;
	if (rest.n)
		s->base = str_print(s->arena, "%" STR_FMT "/", STR_ARG(rest));
	return backup_store_open_s3(s, c, target, bucket);
}

RESULT backup_store_new(struct ctx *c, const struct backup_target *target, struct backup_store **ret_store)
{
	AUTO(backup_store) s = heap_new(struct backup_store);
	if (!s || !(s->arena = arena_new(4096, 64 << 10)))
		return ctx_no_memory(c);
	TRY(open_target(s, c, target));
	*ret_store = TAKE(s);
	return OK;
}

RESULT backup_store_new_web(struct ctx *c, struct str url, struct backup_store **ret_store)
{
	AUTO(backup_store) s = heap_new(struct backup_store);
	if (!s || !(s->arena = arena_new(4096, 64 << 10)))
		return ctx_no_memory(c);
	s->kind = &backup_store_web;
	TRY(backup_store_open_web(s, c, url));
	*ret_store = TAKE(s);
	return OK;
}

void backup_store_free(struct backup_store *s)
{
	if (!s)
		return;
	if (s->curl)
		curl_easy_cleanup(s->curl);
	arena_free(s->arena);
	heap_free(s);
}

RESULT backup_store_put(struct backup_store *s, struct ctx *c, struct str name, struct str bytes)
{
	struct str place = STR_NONE;
	TRY(find_place(s, c, name, &place));
	return s->kind->put(s, c, place, bytes);
}

RESULT backup_store_get(struct backup_store *s, struct ctx *c, struct str name, struct buf *into)
{
	struct str place = STR_NONE;
	TRY(find_place(s, c, name, &place));
	struct result result = s->kind->get(s, c, place, into);
	return result.code != ERR_TOO_LARGE
		       ? result
		       : ctx_fail(c, ERR_TOO_LARGE, "%" STR_FMT " is larger than it may be", STR_ARG(place));
}

RESULT backup_store_list(struct backup_store *s, struct ctx *c, struct str folder, struct strs *ret_names)
{
	struct str place = STR_NONE;
	TRY(find_place(s, c, folder, &place));
	return s->kind->list(s, c, place, ret_names);
}

RESULT backup_store_remove(struct backup_store *s, struct ctx *c, struct str name)
{
	struct str place = STR_NONE;
	TRY(find_place(s, c, name, &place));
	return s->kind->remove(s, c, place);
}

RESULT backup_store_remove_folder(struct backup_store *s, struct ctx *c, struct str folder)
{
	struct str place = STR_NONE;
	TRY(find_place(s, c, folder, &place));
	return s->kind->remove_folder(s, c, place);
}
