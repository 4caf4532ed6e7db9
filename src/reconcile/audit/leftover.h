/* SPDX-License-Identifier: Apache-2.0
 * Leftovers: objects with our mark whose place no row names. All hosts and storage pools are searched; what
 * is found is either given rows again (engine/region/adopt.h) or removed for good. The calls wait for hosts:
 * call them on a thread of your own. */
#pragma once

#include "engine/region/adopt.h"
#include "reconcile/reconcile.h"

/* A host's own directory, a shared directory, or a Ceph pool. */
struct leftover_place {
	uuid through;    /* the host to ask, or the Ceph pool */
	uuid pool;       /* none: the host's own directory */
	struct str path; /* directory of a shared pool; else empty */
};

/* A leftover to adopt. In the arena of the context that was passed to the search. */
struct leftover {
	struct leftover_adoption adoption; /* argument of engine_adopt_leftover() */
	struct leftover_place place;
};
/* Finds a leftover and prepares its rows. account: new owner of a disk; a domain's manifest names its owner.
 * ERR_PROTECTED: the id has a row. ERR_NOT_FOUND: nothing has the id. ERR_CONFLICT: several places have it.
 * ERR_UNSUPPORTED: the domain has no manifest. ERR_MISSING, field `account`: a disk, and account is not set.
 * ERR_GONE, ERR_TIMEOUT: a place did not answer, and no other one has the id. */
RESULT reconciler_find_leftover(struct reconciler *r, struct ctx *c, uuid id, const struct ref *account,
				struct leftover *ret_leftover);
/* Call after the adoption: has the place's strays reported anew. */
void reconciler_wake_leftover(struct reconciler *r, const struct leftover *leftover);

/* Removes everything with the id wherever no row places it. ERR_PROTECTED: it is no leftover. ERR_NOT_FOUND,
 * ERR_GONE, ERR_TIMEOUT: as above. */
RESULT reconciler_purge_leftover(struct reconciler *r, struct ctx *c, uuid id);
