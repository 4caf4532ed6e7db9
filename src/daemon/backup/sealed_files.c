/* SPDX-License-Identifier: Apache-2.0
 * The region's small files as JSON in an encrypted message. */
#include "daemon/backup/sealed_files.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/crypto_issue.h"
#include "base/file.h"
#include "base/json_write.h"
#include "store/sql.h"

enum { FORMAT = 1, DEPTH_MAX = 4, NAME_CAP = 4096, COUNT_MAX = 4096 };

struct packing {
	struct ctx *c;
	struct json_writer w;
};

/* ---- into the backup ---- */

static void write_owner(struct packing *p, const struct stat *seen)
{
	char bytes[NAME_CAP];
	struct passwd user, *found_user = NULL;
	struct group group, *found_group = NULL;
	(void) getpwuid_r(seen->st_uid, &user, bytes, sizeof bytes, &found_user);
	json_write_z(&p->w, "user", found_user ? user.pw_name : "");
	(void) getgrgid_r(seen->st_gid, &group, bytes, sizeof bytes, &found_group);
	json_write_z(&p->w, "group", found_group ? group.gr_name : "");
}

static RESULT add_file(struct packing *p, const char *path, const struct stat *seen)
{
	struct str content = STR_NONE;
	TRY(file_read(p->c, path, SEALED_FILE_MAX, &content));
	struct str text = str_encode_base64(p->c->arena, content);
	if (content.n && !text.p)
		return ctx_no_memory(p->c);
	json_write_open(&p->w, NULL);
	json_write_z(&p->w, "path", path);
	json_write_int(&p->w, "mode", seen->st_mode & 07777);
	write_owner(p, seen);
	json_write_text(&p->w, "content", text);
	json_write_close(&p->w);
	return OK;
}

static RESULT add_path(struct packing *p, const char *path, int depth);

static RESULT add_folder(struct packing *p, const char *path, int depth)
{
	const struct dirent *entry = NULL;
	DIR *dir = opendir(path);
	struct result result = OK;
	while (dir && result_is_ok(result) && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			result = add_path(p, str_print(p->c->arena, "%s/%s", path, entry->d_name).p,
					  depth - 1);
	if (!dir)
		return ctx_fail(p->c, ERR_IO, "cannot read %s: %s", path, strerrordesc_np(errno));
	(void) closedir(dir);
	return result;
}

/* A file that is absent was optional, or its absence is reported by the server's start. */
static RESULT add_path(struct packing *p, const char *path, int depth)
{
	struct stat seen;
	if (!path)
		return ctx_no_memory(p->c);
	if (stat(path, &seen) != 0)
		return errno == ENOENT
			       ? OK
			       : ctx_fail(p->c, ERR_IO, "cannot read %s: %s", path, strerrordesc_np(errno));
	if (S_ISREG(seen.st_mode))
		return add_file(p, path, &seen);
	return S_ISDIR(seen.st_mode) && depth > 0 ? add_folder(p, path, depth) : OK;
}

static RESULT add_named(void *arg, const char *path)
{
	return add_path(arg, path, 0);
}

static RESULT add_all(struct packing *p, const struct daemon *d)
{
	struct arena *a = p->c->arena;
	const struct settings *s = &d->settings;
	char config_path[PATH_MAX];
	if (d->config_path && !realpath(d->config_path, config_path))
		return ctx_fail(p->c, ERR_IO, "cannot read %s: %s", d->config_path, strerrordesc_np(errno));
	if (d->config_path)
		TRY(add_path(p, config_path, 0));
	const char *key = settings_path(a, s, "master.key");
	if (key && !file_exists(key))
		return ctx_fail(
			p->c, ERR_IO,
			"%s is not there: a backup without the master key opens no secret. Put it back "
			"before this server ends",
			key);
	TRY(add_path(p, key, 0));
	TRY(settings_each_file(a, s, add_named, p));
	if (sql_is_url(s->store))
		TRY(postgresql_each_file(p->c, str_to_z(a, s->store), add_named, p));
	return add_path(p, settings_path(a, s, "libvirt"), DEPTH_MAX);
}

static RESULT pack(struct ctx *c, const struct daemon *d, struct buf *out)
{
	struct packing p = {.c = c};
	json_write_begin(&p.w, out);
	json_write_open(&p.w, NULL);
	json_write_int(&p.w, "format", FORMAT);
	json_write_open_list(&p.w, "files");
	TRY(add_all(&p, d));
	json_write_close_list(&p.w);
	json_write_close(&p.w);
	return json_write_end(&p.w);
}

RESULT sealed_files_make(struct ctx *c, const struct daemon *d, struct str recovery_pem,
			 struct str *ret_sealed)
{
	struct buf plain;
	buf_init(&plain, SEALED_FILES_MAX);
	struct result result = pack(c, d, &plain);
	if (result_is_ok(result))
		result = crypto_envelop(c, recovery_pem, CRYPTO_AES256_CBC, buf_str(&plain), ret_sealed);
	if (plain.p)
		crypto_wipe(plain.p, plain.size);
	buf_done(&plain);
	return result;
}

/* ---- out of it ---- */

static struct str text_of(struct arena *a, const json_t *object, const char *key)
{
	const json_t *text = json_object_get(object, key);
	struct str bytes = {json_string_value(text), json_string_length(text)};
	return json_is_string(text) ? str_copy(a, bytes) : STR_NONE;
}

bool sealed_files_is_path(struct str path)
{
	struct str part = STR_NONE;
	bool is_good = str_starts_with(path, STR("/")) && str_is_line(path);
	while (str_split_next(&path, '/', &part))
		is_good = is_good && !str_is(part, "..");
	return is_good;
}

static bool read_file(struct arena *a, const json_t *value, struct sealed_file *ret_file)
{
	struct sealed_file file = {.path = text_of(a, value, "path"),
				   .user = text_of(a, value, "user"),
				   .group = text_of(a, value, "group"),
				   .mode = json_integer_value(json_object_get(value, "mode"))};
	struct str content = text_of(a, value, "content");
	if (!sealed_files_is_path(file.path) || file.mode < 0 || file.mode > 07777 ||
	    (content.n && !result_is_ok(str_decode_base64(a, content, &file.content))))
		return false;
	*ret_file = file;
	return true;
}

static bool read_files(struct arena *a, const json_t *root, struct sealed_files *ret_files)
{
	const json_t *list = json_object_get(root, "files"), *value = NULL;
	size_t count = json_array_size(list), k = 0;
	struct sealed_file *files = arena_new_array(a, struct sealed_file, count + 1);
	if (!files || count > COUNT_MAX || json_integer_value(json_object_get(root, "format")) != FORMAT)
		return false;
	json_array_foreach (list, k, value)
		if (!read_file(a, value, &files[k]))
			return false;
	*ret_files = (struct sealed_files){files, count};
	return true;
}

RESULT sealed_files_open(struct ctx *c, struct str key_pem, struct str sealed, struct sealed_files *ret_files)
{
	struct str plain = STR_NONE;
	json_error_t where;
	TRY(crypto_open_envelope(c, key_pem, sealed, &plain));
	json_t *root = json_loadb(plain.p, plain.n, 0, &where);
	bool is_read = root && read_files(c->arena, root, ret_files);
	json_decref(root);
	return is_read ? OK
		       : ctx_fail(c, ERR_INVALID,
				  "the encrypted files of this backup are damaged, or of another version of "
				  "Dari");
}
