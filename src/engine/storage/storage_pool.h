/* SPDX-License-Identifier: Apache-2.0
 * Storage pools: where disks lie that several hosts reach. The operator adds them and says which hosts are to
 * see them; the reconciler reports which ones do. A volume of a pool keeps a host, which has its file worked on or is
 * the next to use it: it goes to another host that sees the pool without a copy. A pool of Ceph belongs to no host,
 * and is worked on from here (drivers/ceph.h). */
#pragma once

#include "engine/operation.h"
#include "model/storage_pool.h"

/* Makes a pool. ERR_EXISTS: there is one of that name. ERR_INVALID: what is said does not make a pool of that
 * kind. ERR_UNSUPPORTED: nothing works on pools of that kind yet. */
struct storage_pool_wish {
	struct str name; /* 1 to 255 letters, digits, '-', '.' and '_' */
	struct str description;
	enum storage_pool_kind kind;
	struct str path;      /* of a shared-dir: absolute */
	struct strs monitors; /* of rbd, as the next three: address:port of its monitors */
	struct str rbd_pool,
		rbd_user;   /* the pool's name in Ceph; who we are there, without the word client */
	struct str rbd_key; /* sealed, with the pool's name */
	struct ref zone;    /* by name; kind none: hosts of any zone */
	struct strs hosts;  /* those that are to see it, by name; empty: all of the zone that there are now */
	/* made: */
	uuid pool;
};
OPERATION(engine_add_storage_pool, storage_pool_wish)

/* Changes a pool. ERR_IN_USE: a host that is not to see it any longer has volumes of it. */
struct storage_pool_settings {
	struct ref pool; /* by name or id */
	bool set_description;
	struct str description;
	enum choice enabled;
	struct strs monitors; /* of rbd, as the next: those there are from now on; none: as before */
	struct str rbd_key;   /* sealed, with the pool's name; empty: as before */
	struct strs more_hosts, less_hosts; /* by name */
	struct strs more_types,
		less_types; /* new volumes of which lie in the pool from now on, or no longer */
};
OPERATION(engine_update_storage_pool, storage_pool_settings)

/* Forgets a pool; what is in its directory stays there. ERR_IN_USE: volumes lie in it, or a type names it. */
struct storage_pool_target {
	struct ref pool;
};
OPERATION(engine_remove_storage_pool, storage_pool_target)

/* What a host found when it looked into the pool. Absent row: OK. */
struct pool_host_report {
	uuid pool_host;
	bool is_there;      /* the directory answers; of rbd: the host has its key */
	struct str problem; /* of rbd: else */
	struct str mark;    /* in the name of the file that the host made */
	struct uuids saw;   /* hosts whose marks, as their rows name them, are there; with its own */
	int64_t size;       /* of the file system; 0: unknown */
	bool is_full;
};
OPERATION(engine_see_pool_host, pool_host_report)

/* What this machine found of a pool that belongs to no host. Absent row: OK. */
struct storage_pool_report {
	uuid pool;
	bool is_up;
	int64_t size; /* 0: unknown */
	bool is_full;
};
OPERATION(engine_see_storage_pool, storage_pool_report)

/* Whether the host sees the pool, as is proven. */
bool engine_host_sees_pool(const struct tables *t, uuid host, uuid pool);

/* Whether a disk that the instance is to have lies in a host's own directory. */
bool engine_has_local_disks(const struct tables *t, uuid instance);
/* Whether every disk that the instance has or is to have lies in a pool that the host sees: then it starts
 * there, or goes there while it runs, without a copy. Also true of one without disks. Whether the host is up
 * and has room does not count. */
bool engine_host_sees_disks(const struct tables *t, uuid instance, uuid host);

/* The extra spec by which a volume type names its pool, as Cinder has it, and what it says of the hosts' own
 * directories. Both ways to bind a type keep it: it is what Cinder's clients see. */
#define STORAGE_POOL_SPEC STR("volume_backend_name")
#define STORAGE_POOL_LOCAL STR("dari")

/* What a pool says of itself to Cinder's clients and to volume types, by Cinder's names: storage_protocol, vendor_name,
 * …; empty: it says nothing of that. pool NULL: a host's own directory. Borrowed. */
struct str engine_get_pool_capability(const struct storage_pool *pool, struct str name);

/* The pool that new volumes of that type lie in; NULL: their hosts' own directories. */
const struct storage_pool *engine_find_pool_of_type(const struct tables *t, struct str type);

/* The directory that a disk of that pool lies in; empty: its host's own. */
struct str engine_get_pool_directory(const struct tables *t, uuid pool);
