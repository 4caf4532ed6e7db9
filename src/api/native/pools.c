/* SPDX-License-Identifier: Apache-2.0
 * Storage that several hosts see, and volumes that go there. For administrators. */
#include "api/native/write.h"

#include "base/crypto.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/volume_move.h"
#include "model/storage_pool.h"

enum { NAMES_MAX = 1024, KEY_MAX = 4096 };

struct pool_args {
	struct storage_pool_wish wish;
	struct str kind, key;
};
#define P(name, member, ...) PARAM(struct pool_args, name, member, __VA_ARGS__)
static const struct param pool_params[] = {
	P("name", wish.name, .min = 1, .max = 255, .flags = REQUIRED, .doc = "Unique in the region."),
	P("kind", kind, .words = "shared-dir|rbd", .absent = "shared-dir",
	  .doc = "A directory that its hosts have mounted; or a pool of Ceph."),
	P("path", wish.path, .max = 1024,
	  .doc = "Of shared-dir: the directory, which is there: it is not made."),
	P("monitors", wish.monitors, .max = 16,
	  .doc = "Of rbd: addresses of Ceph's monitors with their ports."),
	P("rbd_pool", wish.rbd_pool, .max = 255, .doc = "Of rbd: the pool's name in Ceph; it is there."),
	P("rbd_user", wish.rbd_user, .max = 255, .doc = "Of rbd: the user in Ceph, without the word client."),
	P("key", key, .max = KEY_MAX,
	  .doc = "Of rbd: that user's key. It is kept sealed, and not shown again."),
	P("hosts", wish.hosts, .max = NAMES_MAX, .doc = "Names of hosts that see it; absent: all there are."),
	P("zone", wish.zone, .kind = KIND_ZONE, .doc = "Only hosts of that availability zone see it."),
	P("description", wish.description, .max = 255, .doc = "Free text."),
};

/* Sealed for a pool of that name. */
static RESULT seal(struct native_call *e, struct str name, struct str key, struct str *ret_sealed)
{
	key = str_trim(key);
	return key.n ? crypto_seal(e->c, e->config->master_key, name, key, ret_sealed) : OK;
}

static RESULT prepare_pool(struct native_call *e, void *args)
{
	struct pool_args *a = args;
	a->wish.kind = (enum storage_pool_kind) native_place_of_word(storage_pool_kind_words, a->kind);
	return seal(e, a->wish.name, a->key, &a->wish.rbd_key);
}

struct pool_change_args {
	struct storage_pool_settings wish;
	struct str key;
};
#define C(name, member, ...) PARAM(struct pool_change_args, name, member, __VA_ARGS__)
static const struct param pool_change_params[] = {
	C("enabled", wish.enabled, .doc = "Whether it takes new volumes."),
	C("description", wish.description, .max = 255,
	  .given = offsetof(struct pool_change_args, wish.set_description) + 1, .doc = "Free text."),
	C("more_hosts", wish.more_hosts, .max = NAMES_MAX, .doc = "Names of hosts that see it, too."),
	C("less_hosts", wish.less_hosts, .max = NAMES_MAX, .doc = "Of those that see it no longer."),
	C("more_types", wish.more_types, .max = NAMES_MAX,
	  .doc = "Volume types whose new volumes lie in it from now on."),
	C("less_types", wish.less_types, .max = NAMES_MAX,
	  .doc = "Those whose new ones lie with their hosts again."),
	C("monitors", wish.monitors, .max = 16, .doc = "Of rbd: where Ceph's monitors are from now on."),
	C("key", key, .max = KEY_MAX, .doc = "Of rbd: the key that it has from now on."),
};

static RESULT prepare_pool_change(struct native_call *e, void *args)
{
	struct pool_change_args *a = args;
	const struct row *row = NULL;
	TRY(native_find_row(e, KIND_STORAGE_POOL, &a->wish.pool, &row));
	return seal(e, storage_pool_of(row)->name, a->key, &a->wish.rbd_key);
}

static const struct param move_params[] = {
	REF(volume_moving, "pool", pool, STORAGE_POOL,
	    .doc = "The pool, by name or id; absent: the directory of its host."),
	REF(volume_moving, "host", host, HOST,
	    .doc = "Without a pool: the directory of this host, for a volume that nobody has."),
};

#define POOL(verb, ...)                                                                                      \
	ADMIN_CHANGE(verb, "/storage-pools/{id}", "ec2:ModifyHypervisor", STORAGE_POOL, __VA_ARGS__)
static const struct native_action actions[] = {
	ADMIN_CREATE("/storage-pools", "ec2:ModifyHypervisor", STORAGE_POOL,
		     .args = PARAMS(struct pool_args, pool_params), .prepare = prepare_pool,
		     .operation = engine_add_storage_pool_run, .doc = "Adds storage that several hosts see."),
	POOL(PATCH, .args = PARAMS(struct pool_change_args, pool_change_params),
	     .target = NATIVE_AT(pool_change_args, wish.pool), .prepare = prepare_pool_change,
	     .operation = engine_update_storage_pool_run,
	     .doc = "Changes its hosts, or the volume types whose new volumes lie in it."),
	POOL(DELETE, .args = {.size = sizeof(struct storage_pool_target)},
	     .target = NATIVE_AT(storage_pool_target, pool), .operation = engine_remove_storage_pool_run,
	     .doc = "Forgets one in which no volume lies; its directory stays."),
	ADMIN_CHANGE(
		POST, "/volumes/{id}/move", "ec2:MoveVolume", VOLUME,
		.args = PARAMS(struct volume_moving, move_params), .target = NATIVE_AT(volume_moving, volume),
		.operation = engine_move_volume_run,
		.doc = "Carries a volume, in use or not, into another storage pool, or to another host."),
};
const struct api_actions native_pools_actions = API_ACTIONS(actions);
