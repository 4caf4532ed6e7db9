/* SPDX-License-Identifier: Apache-2.0
 * Storage pools: storage that several hosts reach. The operator adds a pool and names its hosts; the
 * reconciler reports which of them see it. A pool's volume still has a host, the one that works on its file
 * or will use it next, and moves to another host that sees the pool without a copy. A Ceph pool belongs to no
 * host; the control plane works on it itself (drivers/ceph.h). */
#pragma once

#include "engine/operation.h"
#include "model/storage_pool_words.h"

struct storage_pool;

/* Creates a pool. ERR_EXISTS: the name is in use. ERR_INVALID: the settings do not fit the kind.
 * ERR_UNSUPPORTED: the kind is not supported yet. */
struct storage_pool_wish {
	struct str name; /* 1 to 255 letters, digits, '-', '.' and '_' */
	struct str description;
	enum storage_pool_kind kind;
	struct str path;               /* shared-dir only: absolute */
	struct strs monitors;          /* rbd only, like the next three: address:port of each monitor */
	struct str rbd_pool, rbd_user; /* the pool's name in Ceph; the Ceph user, without "client." */
	struct str rbd_key;            /* sealed for the pool's name */
	struct ref zone;               /* by name; kind none: hosts in any zone */
	struct strs hosts; /* hosts that must see the pool, by name; empty: all present hosts of the zone */
	/* result: */
	uuid pool;
};
OPERATION(engine_add_storage_pool, storage_pool_wish)

/* Changes a pool. ERR_IN_USE: a host to be removed works on volumes of the pool. */
struct storage_pool_settings {
	struct ref pool; /* by name or id */
	bool set_description;
	struct str description;
	enum choice enabled;
	struct strs monitors;               /* rbd only, like the next: the new monitors; none: no change */
	struct str rbd_key;                 /* sealed for the pool's name; empty: no change */
	struct strs more_hosts, less_hosts; /* by name */
	struct strs more_types,
		less_types; /* volume types whose new volumes go to this pool, or no longer do */
};
OPERATION(engine_update_storage_pool, storage_pool_settings)

/* Forgets a pool; the contents of its directory stay. ERR_IN_USE: volumes are in it, or a volume type names
 * it. */
struct storage_pool_target {
	struct ref pool;
};
OPERATION(engine_remove_storage_pool, storage_pool_target)

/* A host's findings about the pool. OK for an absent row. */
struct pool_host_report {
	uuid pool_host;
	bool is_there;      /* the directory answers; rbd: the host has the key */
	struct str problem; /* rbd: why not */
	struct str mark;    /* in the name of the file that the host wrote */
	struct uuids saw;   /* hosts whose marks the host saw, including its own */
	int64_t size;       /* bytes of the file system; 0: unknown */
	bool is_full;
};
SYSTEM_OPERATION(engine_see_pool_host, pool_host_report)

/* The control plane's findings about a pool that belongs to no host. OK for an absent row. */
struct storage_pool_report {
	uuid pool;
	bool is_up;
	int64_t size; /* bytes; 0: unknown */
	bool is_full;
};
SYSTEM_OPERATION(engine_see_storage_pool, storage_pool_report)

/* True if the host is proven to see the pool. */
bool engine_host_sees_pool(const struct tables *t, uuid host, uuid pool);

/* True if a disk of the instance is in a host's own directory. */
bool engine_has_local_disks(const struct tables *t, uuid instance);
/* True if the host sees the pools of all disks that the instance has or will have. Then it can start there,
 * or migrate live, without a copy. True for an instance without disks. Ignores whether the host is up and has
 * room. */
bool engine_host_sees_disks(const struct tables *t, uuid instance, uuid host);

/* The extra spec by which a volume type names its pool, as in Cinder, and its value for hosts' own
 * directories. Both ways to bind a type to a pool set it, because Cinder's clients read it. */
#define STORAGE_POOL_SPEC STR("volume_backend_name")
#define STORAGE_POOL_LOCAL STR("dari")

/* A pool's capability as Cinder's clients and volume types see it, by Cinder's name: storage_protocol,
 * vendor_name, …; empty: none. pool NULL: a host's own directory. Borrowed. */
struct str engine_get_pool_capability(const struct storage_pool *pool, struct str name);

/* The pool for new volumes of that type; NULL: their hosts' own directories. */
const struct storage_pool *engine_find_pool_of_type(const struct tables *t, struct str type);

/* The directory for a disk in that pool; empty: its host's own. */
struct str engine_get_pool_directory(const struct tables *t, uuid pool);
