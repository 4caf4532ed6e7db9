/* SPDX-License-Identifier: Apache-2.0
 * dari pool …: storage that several hosts see. */
#include "base/crypto.h"
#include "base/file.h"
#include "daemon/command.h"
#include "engine/engine.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/volume_move.h"
#include "store/host.h"
#include "store/pool_host.h"
#include "store/storage_pool.h"
#include "store/volume_type.h"

enum { NAMES_MAX = 1024, KEY_FILE_CAP = 4096 };

/* Separated by commas. */
static RESULT read_names(struct command_call *call, const char *arg, struct strs *ret_names)
{
	struct str rest = command_arg(call, arg), name;
	struct str *names = arena_new_array(call->ctx.arena, struct str, NAMES_MAX);
	*ret_names = (struct strs){names, 0};
	if (!names)
		return ctx_no_memory(&call->ctx);
	while (str_split_next(&rest, ',', &name)) {
		if (ret_names->count == NAMES_MAX)
			return ctx_fail_field(&call->ctx, ERR_INVALID, str_from(arg),
					      "%d names at most can be said at once", NAMES_MAX);
		if (name.n)
			names[ret_names->count++] = name;
	}
	return OK;
}

static RESULT read_kind(struct command_call *call, enum storage_pool_kind *ret_kind)
{
	struct str word = command_arg(call, "kind");
	*ret_kind = STORAGE_POOL_KIND_SHARED_DIR;
	for (int k = 0; word.n && storage_pool_kind_words[k]; k++)
		if (str_is(word, storage_pool_kind_words[k])) {
			*ret_kind = (enum storage_pool_kind) k;
			return OK;
		}
	return word.n ? ctx_fail_field(&call->ctx, ERR_INVALID, STR("kind"),
				       "'%" STR_FMT "' is no kind of a storage pool: shared-dir and rbd are",
				       STR_ARG(word))
		      : OK;
}

/* Of a file that has the key alone, or that Ceph calls a keyring: "key = …" among other lines. Sealed for a pool of
 * that name. */
static RESULT read_key(struct command_call *call, struct str name, struct str *ret_sealed)
{
	struct ctx *c = &call->ctx;
	struct str path = command_arg(call, "key-file"), text = STR_NONE, line = STR_NONE, key = STR_NONE;
	if (!path.n)
		return OK;
	TRY(file_read(c, str_to_z(c->arena, path), KEY_FILE_CAP, &text));
	struct str rest = str_trim(text);
	while (str_split_next(&rest, '\n', &line)) {
		struct str value = str_trim(line), word = STR_NONE;
		bool is_named = str_starts_with(value, STR("key")) && memchr(value.p, '=', value.n) &&
				str_is(str_trim(str_slice(value, 3, 4)), "");
		if (is_named)
			(void) str_split_next(&value, '=', &word);
		if (is_named || !key.n)
			key = str_trim(value);
	}
	if (!key.n)
		return ctx_fail_field(c, ERR_INVALID, STR("key-file"), "the key file has no key");
	struct result result = crypto_seal(c, call->daemon->master_key, name, key, ret_sealed);
	crypto_wipe((void *) text.p, text.n); /* ours, in the arena */
	return result;
}

static RESULT pool_add(struct command_call *call)
{
	struct str zone = command_arg(call, "zone");
	struct storage_pool_wish wish = {.name = command_arg(call, "name"),
					 .description = command_arg(call, "description"),
					 .path = command_arg(call, "path"),
					 .rbd_pool = command_arg(call, "pool"),
					 .rbd_user = command_arg(call, "user")};
	if (zone.n)
		wish.zone = (struct ref){.kind = KIND_ZONE, .text = zone, .field = STR("zone")};
	TRY(read_kind(call, &wish.kind));
	TRY(read_names(call, "host", &wish.hosts));
	TRY(read_names(call, "monitors", &wish.monitors));
	TRY(read_key(call, wish.name, &wish.rbd_key));
	TRY(command_commit(call, "dari:pool add", engine_add_storage_pool_run, &wish));
	buf_print(&call->text, "storage pool %" STR_FMT " added; %s: dari pool list\n", STR_ARG(wish.name),
		  wish.kind == STORAGE_POOL_KIND_RBD ? "its hosts are given the key"
						     : "its hosts prove that they see the same");
	call->value = json_pack("{s:s}", "pool", uuid_write(wish.pool, (char[UUID_TEXT_SIZE]){0}));
	return OK;
}

static RESULT pool_set(struct command_call *call)
{
	struct storage_pool_settings wish = {
		.pool = {.kind = KIND_STORAGE_POOL, .text = command_arg(call, "name"), .field = STR("name")},
		.description = command_arg(call, "description"),
		.set_description = command_arg(call, "description").n > 0};
	bool closes = json_is_true(json_object_get(call->args, "close"));
	bool opens = json_is_true(json_object_get(call->args, "open"));
	if (closes && opens)
		return ctx_fail_field(&call->ctx, ERR_INVALID, STR("close"), "say either --open or --close");
	wish.enabled = closes ? CHOICE_NO : opens ? CHOICE_YES : CHOICE_DEFAULT;
	TRY(read_names(call, "host", &wish.more_hosts));
	TRY(read_names(call, "no-host", &wish.less_hosts));
	TRY(read_names(call, "type", &wish.more_types));
	TRY(read_names(call, "no-type", &wish.less_types));
	TRY(read_names(call, "monitors", &wish.monitors));
	TRY(read_key(call, wish.pool.text, &wish.rbd_key));
	TRY(command_commit(call, "dari:pool set", engine_update_storage_pool_run, &wish));
	buf_print(&call->text, "storage pool %" STR_FMT " changed\n", STR_ARG(wish.pool.text));
	return OK;
}

static RESULT pool_remove(struct command_call *call)
{
	struct storage_pool_target wish = {
		.pool = {.kind = KIND_STORAGE_POOL, .text = command_arg(call, "name"), .field = STR("name")}};
	TRY(command_commit(call, "dari:pool remove", engine_remove_storage_pool_run, &wish));
	buf_print(&call->text, "storage pool %" STR_FMT " removed\n", STR_ARG(wish.pool.text));
	return OK;
}

/* The hosts' own directories are called as Cinder's clients know them. */
static RESULT pool_move(struct command_call *call)
{
	struct str pool = command_arg(call, "pool"), host = command_arg(call, "host");
	struct volume_moving wish = {0};
	TRY(command_id_arg(call, "volume", KIND_VOLUME, &wish.volume));
	if (!str_equal(pool, STORAGE_POOL_LOCAL))
		wish.pool = (struct ref){.kind = KIND_STORAGE_POOL, .text = pool, .field = STR("pool")};
	if (host.n)
		wish.host = (struct ref){.kind = KIND_HOST, .text = host, .field = STR("host")};
	TRY(command_commit(call, "dari:pool move", engine_move_volume_run, &wish));
	struct str id = command_arg(call, "volume");
	buf_print(&call->text, "volume %" STR_FMT " is on its way: dari explain %" STR_FMT "\n", STR_ARG(id),
		  STR_ARG(id));
	return OK;
}

static void write_hosts(struct command_call *call, const struct tables *t, const struct storage_pool *p,
			json_t *hosts)
{
	for (const struct pool_host *at = pool_host_first_by_pool(t, p->row.id); at;
	     at = pool_host_next_by_pool(t, at)) {
		const struct host *host = host_find(t, at->host);
		struct str name = host ? host->name : STR("?");
		const char *state = pool_host_seen_state_words[at->seen_state];
		buf_print(&call->text, "    %-16.*s %s\n", STR_ARG(name), state);
		(void) json_array_append_new(
			hosts, json_pack("{s:s%, s:s}", "name", name.p, name.n, "state", state));
	}
}

static void write_pool(struct command_call *call, const struct tables *t, const struct storage_pool *p)
{
	json_t *hosts = json_array(), *types = json_array();
	int64_t used = engine_read_pool_use(p);
	for (const struct volume_type *type = volume_type_first_by_pool(t, p->row.id); type;
	     type = volume_type_next_by_pool(t, type))
		(void) json_array_append_new(types, json_stringn(type->name.p, type->name.n));
	bool is_ceph = p->kind == STORAGE_POOL_KIND_RBD;
	const char *state = is_ceph ? storage_pool_seen_state_words[p->seen_state] : "";
	struct str place = is_ceph ? p->rbd_pool : p->path;
	buf_print(&call->text, "%-16.*s %-10s %-8s %8lld/%-8lld  %" STR_FMT "%s%s\n", STR_ARG(p->name),
		  storage_pool_kind_words[p->kind], p->enabled ? "open" : "closed", (long long) (used >> 30),
		  (long long) (p->seen_size >> 30), STR_ARG(place), is_ceph ? ", Ceph: " : "", state);
	struct cached_images cached = reconciler_read_cached_images(call->daemon->reconciler, p->row.id);
	buf_print(&call->text, "    cached images: %lld MiB, %lld of them unneeded\n",
		  (long long) (cached.images >> 20), (long long) (cached.unneeded >> 20));
	write_hosts(call, t, p, hosts);
	(void) json_array_append_new(
		call->value,
		json_pack("{s:s%, s:s, s:s%, s:s, s:b, s:I, s:I, s:I, s:I, s:o, s:o}", "name", p->name.p,
			  p->name.n, "kind", storage_pool_kind_words[p->kind], "path", place.p ? place.p : "",
			  place.n, "ceph", state, "enabled", (int) p->enabled, "bytes_promised",
			  (json_int_t) used, "size", (json_int_t) p->seen_size, "bytes_cached",
			  (json_int_t) cached.images, "bytes_unneeded", (json_int_t) cached.unneeded, "types",
			  types, "hosts", hosts));
}

static RESULT pool_list(struct command_call *call)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	call->value = json_array();
	buf_print(&call->text, "%-16s %-10s %-8s %8s/%-8s  %s\n", "POOL", "KIND", "STATE", "GIB", "OF",
		  "PATH");
	for (const struct storage_pool *p = storage_pool_first(view.tables); p;
	     p = storage_pool_next(view.tables, p))
		write_pool(call, view.tables, p);
	return OK;
}

const struct command pool_commands[] = {
	{"pool add",
	 "Adds storage that several hosts see: a directory that each of them has mounted at the same path, "
	 "or a pool of "
	 "Ceph.",
	 {{"name", PARAM_POSITIONAL, true, "Its name."},
	  {"kind", PARAM_OPTION, false, "shared-dir, which is what it is if nothing is said; or rbd."},
	  {"path", PARAM_OPTION, false, "Of shared-dir: the directory, which is there: it is not made."},
	  {"monitors", PARAM_OPTION, false,
	   "Of rbd: addresses of Ceph's monitors with their ports, with commas."},
	  {"pool", PARAM_OPTION, false, "Of rbd: the pool's name in Ceph; it is there."},
	  {"user", PARAM_OPTION, false, "Of rbd: the user in Ceph, without the word client."},
	  {"key-file", PARAM_OPTION, false,
	   "Of rbd: a file with that user's key; kept sealed, and never shown.", .is_path = true},
	  {"host", PARAM_OPTION, false, "Hosts that see it, with commas; absent: all there are."},
	  {"zone", PARAM_OPTION, false, "Only hosts of that availability zone see it."},
	  {"description", PARAM_OPTION, false, "Free text."}},
	 .run = pool_add,
	 .is_anywhere = true},
	{"pool list",
	 "Lists the storage pools, and which hosts are proven to see them.",
	 {{0}},
	 .run = pool_list,
	 .is_anywhere = true},
	{"pool set",
	 "Changes a storage pool: its hosts, the volume types whose new volumes lie in it.",
	 {{"name", PARAM_POSITIONAL, true, "The pool."},
	  {"host", PARAM_OPTION, false, "Hosts that see it, too, with commas."},
	  {"no-host", PARAM_OPTION, false, "Hosts that see it no longer, with commas."},
	  {"type", PARAM_OPTION, false,
	   "New volumes of these types lie in it, with commas: root disks are gp3 unless a launch says "
	   "else."},
	  {"no-type", PARAM_OPTION, false, "New volumes of these types lie with their hosts again."},
	  {"monitors", PARAM_OPTION, false, "Of rbd: where Ceph's monitors are from now on, with commas."},
	  {"key-file", PARAM_OPTION, false, "Of rbd: a file with the key that it has from now on.",
	   .is_path = true},
	  {"close", PARAM_FLAG, false, "It takes no new volumes."},
	  {"open", PARAM_FLAG, false, "It takes new volumes."},
	  {"description", PARAM_OPTION, false, "Free text."}},
	 .run = pool_set,
	 .is_anywhere = true},
	{"pool move",
	 "Carries a volume, in use or not, into another storage pool, or into the directory of a host.",
	 {{"volume", PARAM_POSITIONAL, true, "The volume's id."},
	  {"pool", PARAM_POSITIONAL, true, "The pool; dari: the directory of its host."},
	  {"host", PARAM_OPTION, false,
	   "Of dari: the directory of this host, for a volume that nobody has."}},
	 .run = pool_move,
	 .is_anywhere = true},
	{"pool remove",
	 "Forgets a storage pool in which no volume lies; its directory stays.",
	 {{"name", PARAM_POSITIONAL, true, "The pool."}},
	 .run = pool_remove,
	 .is_anywhere = true},
	{0},
};
