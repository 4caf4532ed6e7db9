/* SPDX-License-Identifier: Apache-2.0
 * Leftovers: things that bear our mark and have no row where they are. They are looked for on every host and in
 * every storage pool, since there is no row to say where they are; and then either get their rows back
 * (engine/region/adopt.h), or are removed for good. What is asked for waits for hosts: call these on threads of
 * your own. */
#pragma once

#include "engine/region/adopt.h"
#include "reconcile/reconcile.h"

/* A host with its own directory, a directory that several have, or a pool of Ceph. */
struct leftover_place {
	uuid through;    /* the host, or the pool of Ceph */
	uuid pool;       /* none: the host's own directory */
	struct str path; /* of a shared one; else empty */
};

/* One that is to be adopted. In the arena of the context that it was looked for with. */
struct leftover {
	struct leftover_adoption adoption; /* for engine_adopt_leftover() */
	struct leftover_place place;
};
/* Finds what is to be adopted, and with what its rows are made. account: whose a disk becomes; a domain says
 * itself whose it is. ERR_PROTECTED: it has a row. ERR_NOT_FOUND, ERR_CONFLICT: nothing has it, or more than one.
 * ERR_UNSUPPORTED: the domain carries no manifest. ERR_MISSING, naming `account`: a disk, and none was said.
 * ERR_GONE, ERR_TIMEOUT: a place did not answer, and no other has it. */
RESULT reconciler_find_leftover(struct reconciler *r, struct ctx *c, uuid id, const struct ref *account,
				struct leftover *ret_leftover);
/* After its adoption: what is quarantined there has changed. */
void reconciler_wake_leftover(struct reconciler *r, const struct leftover *leftover);

/* Removes all that bears that id and has no row there. ERR_PROTECTED: it is no leftover. ERR_NOT_FOUND,
 * ERR_GONE, ERR_TIMEOUT as above. */
RESULT reconciler_purge_leftover(struct reconciler *r, struct ctx *c, uuid id);
