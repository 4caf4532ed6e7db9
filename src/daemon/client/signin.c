/* SPDX-License-Identifier: Apache-2.0
 * Credentials for servers: from the environment, else from a file written by `dari login` that only its owner
 * can read. It is a JSON object of servers by URL. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "daemon/client/client.h"

enum { FILE_CAP = 1024 * 1024 };

/* ---- the file ---- */

static RESULT find_path(struct ctx *c, struct str *ret_directory, const char **ret_path)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (config && *config == '/')
		*ret_directory = str_print(c->arena, "%s/dari", config);
	else if (home && *home == '/')
		*ret_directory = str_print(c->arena, "%s/.config/dari", home);
	else
		return ctx_fail(c, ERR_NOT_FOUND, "HOME is not set: there is no place for who is signed in");
	*ret_path = str_print(c->arena, "%" STR_FMT "/signed-in.json", STR_ARG(*ret_directory)).p;
	return *ret_path ? OK : ctx_no_memory(c);
}

static RESULT check_mode(struct ctx *c, const char *path)
{
	struct stat st = {0};
	if (stat(path, &st) != 0 || (st.st_uid == geteuid() && !(st.st_mode & 077)))
		return OK; /* reading it reports any other error */
	return ctx_fail(
		c, ERR_DENIED,
		"%s is not yours alone, and it has secrets.\n  Look who has read it, then: chown %u %s; "
		"chmod 600 %s",
		path, (unsigned) geteuid(), path, path);
}

/* Loads an object; without a file an empty one. The caller releases it. */
static RESULT load_file(struct ctx *c, const char *path, json_t **ret_all)
{
	struct str text = STR_NONE;
	if (!file_exists(path)) {
		*ret_all = json_object();
		return *ret_all ? OK : ctx_no_memory(c);
	}
	TRY(check_mode(c, path));
	TRY(file_read(c, path, FILE_CAP, &text));
	*ret_all = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(*ret_all))
		return OK;
	json_decref(*ret_all);
	return ctx_fail(c, ERR_INVALID,
			"%s is no JSON object.\n  Remove it, and sign in again: dari login --url …", path);
}

static RESULT write_file(struct ctx *c, struct str directory, const char *path, const json_t *all)
{
	char *text = json_dumps(all, JSON_INDENT(2) | JSON_SORT_KEYS);
	struct str bytes = str_print(c->arena, "%s\n", text ? text : "");
	free(text);
	if (bytes.n < 2)
		return ctx_no_memory(c);
	TRY(file_make_directory(c, directory.p, 0700));
	return file_write_synced(c, path, bytes, 0600);
}

/* ---- one server's ---- */

static struct str member(struct ctx *c, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return str_copy(c->arena, (struct str){json_string_value(value), json_string_length(value)});
}

static void set_member(json_t *object, const char *name, struct str value)
{
	if (value.n)
		(void) json_object_set_new(object, name, json_stringn(value.p, value.n));
}

static bool take_environment(struct client_place *place)
{
	const char *key_id = getenv("DARI_ACCESS_KEY_ID"), *secret = getenv("DARI_SECRET_ACCESS_KEY"),
		   *region = getenv("DARI_REGION"), *token = getenv("DARI_TOKEN");
	if (key_id && *key_id && secret && *secret) {
		place->proof = (struct client_proof){
			.key_id = str_from(key_id),
			.secret = str_from(secret),
			.region = region && *region ? str_from(region) : STR("us-east-1"),
		};
		return true;
	}
	if (!token || !*token)
		return false;
	place->proof = (struct client_proof){.token = str_from(token)};
	return true;
}

static void take_entry(struct ctx *c, const json_t *all, struct client_place *place)
{
	const json_t *entry = json_object_get(all, str_to_z(c->arena, place->url));
	place->proof = (struct client_proof){.key_id = member(c, entry, "access_key_id"),
					     .secret = member(c, entry, "secret_access_key"),
					     .region = member(c, entry, "region"),
					     .cookie = member(c, entry, "session")};
	if (!place->ca.n)
		place->ca = member(c, entry, "ca_file");
}

RESULT client_find_proof(struct ctx *c, struct client_place *place)
{
	struct str directory = STR_NONE;
	const char *path = NULL;
	json_t *all = NULL;
	if (take_environment(place))
		return OK;
	TRY(find_path(c, &directory, &path));
	TRY(load_file(c, path, &all));
	take_entry(c, all, place);
	json_decref(all);
	if (place->proof.key_id.n || place->proof.cookie.n)
		return OK;
	return ctx_fail(c, ERR_UNAUTHENTICATED,
			"nobody is signed in at %" STR_FMT ".\n  `dari login --url %" STR_FMT
			"` signs in; or set DARI_ACCESS_KEY_ID and DARI_SECRET_ACCESS_KEY, or DARI_TOKEN.",
			STR_ARG(place->url), STR_ARG(place->url));
}

RESULT client_keep_proof(struct ctx *c, const struct client_place *place)
{
	const struct client_proof *proof = &place->proof;
	struct str directory = STR_NONE;
	const char *path = NULL, *url = str_to_z(c->arena, place->url);
	json_t *all = NULL;
	TRY(find_path(c, &directory, &path));
	TRY(load_file(c, path, &all));
	json_t *entry = json_object();
	set_member(entry, "access_key_id", proof->key_id);
	set_member(entry, "secret_access_key", proof->secret);
	set_member(entry, "region", proof->region);
	set_member(entry, "session", proof->cookie);
	if (json_object_size(entry)) {
		set_member(entry, "ca_file", place->ca);
		(void) json_object_set(all, url, entry);
	} else {
		(void) json_object_del(all, url);
	}
	json_decref(entry);
	struct result result = write_file(c, directory, path, all);
	json_decref(all);
	return result;
}
