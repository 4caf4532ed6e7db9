/* SPDX-License-Identifier: Apache-2.0
 * dari pool …: storage shared by several hosts. */
#include "daemon/client/ask.h"
#include "daemon/command.h"
#include "engine/engine.h"
#include "store/host.h"
#include "store/pool_host.h"
#include "store/storage_pool.h"
#include "store/volume_type.h"

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
	 "Adds a storage pool: a directory that several hosts have mounted at the same path, or a pool of "
	 "Ceph.",
	 {{"name", PARAM_POSITIONAL, true, "Its name."},
	  {"kind", PARAM_OPTION, false, "shared-dir (default) or rbd."},
	  {"path", PARAM_OPTION, false, "shared-dir: the directory, which must exist."},
	  {"monitors", PARAM_OPTION, false, "rbd: monitor addresses with ports, comma separated."},
	  {"pool", PARAM_OPTION, false, "rbd: name of the pool in Ceph, which must exist."},
	  {"user", PARAM_OPTION, false, "rbd: the user in Ceph, without the prefix client."},
	  {"key-file", PARAM_OPTION, false,
	   "rbd: file with that user's key; stored encrypted, and never shown.", .is_path = true},
	  {"host", PARAM_OPTION, false, "Hosts that see it, comma separated (default: all)."},
	  {"zone", PARAM_OPTION, false, "Availability zone whose hosts see it (default: all zones)."},
	  {"description", PARAM_OPTION, false, "Description: free text."}},
	 .ask = asking_make_change},
	{"pool list",
	 "Lists storage pools, and which hosts have proven to see them.",
	 {{0}},
	 .run = pool_list,
	 .is_anywhere = true},
	{"pool set",
	 "Changes a storage pool: its hosts, and the volume types whose new volumes are placed in it.",
	 {{"name", PARAM_POSITIONAL, true, "The pool."},
	  {"host", PARAM_OPTION, false, "Hosts to add, comma separated."},
	  {"no-host", PARAM_OPTION, false, "Hosts to remove, comma separated."},
	  {"type", PARAM_OPTION, false,
	   "Volume types whose new volumes are placed in it, comma separated; root disks are gp3 unless the "
	   "launch says otherwise."},
	  {"no-type", PARAM_OPTION, false, "Volume types whose new volumes are placed on their hosts again."},
	  {"monitors", PARAM_OPTION, false, "rbd: new monitor addresses, comma separated."},
	  {"key-file", PARAM_OPTION, false, "rbd: file with the new key.", .is_path = true},
	  {"close", PARAM_FLAG, false, "Accepts no new volumes."},
	  {"open", PARAM_FLAG, false, "Accepts new volumes."},
	  {"description", PARAM_OPTION, false, "Description: free text."}},
	 .ask = asking_make_change},
	{"pool move",
	 "Moves a volume, in use or not, to another storage pool, or to the directory of a host.",
	 {{"volume", PARAM_POSITIONAL, true, "The volume's id."},
	  {"pool", PARAM_POSITIONAL, true, "Target pool; dari: the directory of its host."},
	  {"host", PARAM_OPTION, false, "With --pool dari: the host, for a volume that is not attached."}},
	 .ask = asking_make_change},
	{"pool remove",
	 "Removes an empty storage pool; its directory is kept.",
	 {{"name", PARAM_POSITIONAL, true, "The pool."}},
	 .ask = asking_make_change},
	{0},
};
