/* SPDX-License-Identifier: Apache-2.0
 * dari pool …: storage that several hosts see. */
#include "daemon/command.h"
#include "engine/engine.h"
#include "engine/storage/storage_pool.h"
#include "store/host.h"
#include "store/pool_host.h"
#include "store/storage_pool.h"
#include "store/volume_type.h"

enum { NAMES_MAX = 1024 };

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
				       "'%" STR_FMT "' is no kind of a storage pool: shared-dir is",
				       STR_ARG(word))
		      : OK;
}

static RESULT pool_add(struct command_call *call)
{
	struct str zone = command_arg(call, "zone");
	struct storage_pool_wish wish = {.name = command_arg(call, "name"),
					 .description = command_arg(call, "description"),
					 .path = command_arg(call, "path")};
	if (zone.n)
		wish.zone = (struct ref){.kind = KIND_ZONE, .text = zone, .field = STR("zone")};
	TRY(read_kind(call, &wish.kind));
	TRY(read_names(call, "host", &wish.hosts));
	TRY(command_commit(call, "dari:pool add", engine_add_storage_pool_run, &wish));
	buf_print(&call->text,
		  "storage pool %" STR_FMT " added; its hosts prove that they see the same: dari pool list\n",
		  STR_ARG(wish.name));
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
	buf_print(&call->text, "%-16.*s %-10s %-8s %8lld/%-8lld  %" STR_FMT "\n", STR_ARG(p->name),
		  storage_pool_kind_words[p->kind], p->enabled ? "open" : "closed", (long long) (used >> 30),
		  (long long) (p->seen_size >> 30), STR_ARG(p->path));
	write_hosts(call, t, p, hosts);
	(void) json_array_append_new(call->value,
				     json_pack("{s:s%, s:s, s:s%, s:b, s:I, s:I, s:o, s:o}", "name",
					       p->name.p, p->name.n, "kind", storage_pool_kind_words[p->kind],
					       "path", p->path.p ? p->path.p : "", p->path.n, "enabled",
					       (int) p->enabled, "bytes_promised", (json_int_t) used, "size",
					       (json_int_t) p->seen_size, "types", types, "hosts", hosts));
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
	 "Adds storage that several hosts see: a directory that each of them has mounted at the same path.",
	 {{"name", PARAM_POSITIONAL, true, "Its name."},
	  {"kind", PARAM_OPTION, false, "shared-dir, which is what it is if nothing is said."},
	  {"path", PARAM_OPTION, true, "The directory, which is there: it is not made."},
	  {"host", PARAM_OPTION, false, "Hosts that see it, with commas; absent: all there are."},
	  {"zone", PARAM_OPTION, false, "Only hosts of that availability zone see it."},
	  {"description", PARAM_OPTION, false, "Free text."}},
	 .run = pool_add},
	{"pool list",
	 "Lists the storage pools, and which hosts are proven to see them.",
	 {{0}},
	 .run = pool_list},
	{"pool set",
	 "Changes a storage pool: its hosts, the volume types whose new volumes lie in it.",
	 {{"name", PARAM_POSITIONAL, true, "The pool."},
	  {"host", PARAM_OPTION, false, "Hosts that see it, too, with commas."},
	  {"no-host", PARAM_OPTION, false, "Hosts that see it no longer, with commas."},
	  {"type", PARAM_OPTION, false,
	   "New volumes of these types lie in it, with commas: root disks are gp3 unless a launch says "
	   "else."},
	  {"no-type", PARAM_OPTION, false, "New volumes of these types lie with their hosts again."},
	  {"close", PARAM_FLAG, false, "It takes no new volumes."},
	  {"open", PARAM_FLAG, false, "It takes new volumes."},
	  {"description", PARAM_OPTION, false, "Free text."}},
	 .run = pool_set},
	{"pool remove",
	 "Forgets a storage pool in which no volume lies; its directory stays.",
	 {{"name", PARAM_POSITIONAL, true, "The pool."}},
	 .run = pool_remove},
	{0},
};
