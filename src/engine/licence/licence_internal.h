/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: licences of what is being made, and their meters. */
#pragma once

#include "engine/licence/licence.h"

struct volume;
struct snapshot;

/* From what is there and what is said to what is there then, in the arena. ERR_INVALID with KIND_PRODUCT: a text is no licence, or
 * there is no such product. ERR_DENIED: the caller may not say it. */
RESULT licence_apply(struct op *op, const struct licences_wish *wish, struct strs before, struct str field,
		     struct strs *ret_licences);
/* The same where all of them are said. */
RESULT licence_replace(struct op *op, struct strs licences, struct strs before, struct str field,
		       struct strs *ret_licences);

struct instance_launch;
/* Those of a launch: the image's (from; NULL: none), as far as it does not say otherwise. Where they are for dedicated hosts, one of
 * the account's is meant by a launch that says nothing of a place; ERR_COMBINATION: it says another. */
RESULT licence_resolve_launch(struct op *op, uuid account, const struct instance_launch *wish,
			      const struct image *from, struct strs *ret_licences, bool *ret_needs_dedicated);

/* Whether the account's licences are for dedicated hosts alone. */
bool licence_needs_dedicated(const struct op *op, uuid account, struct strs licences);
/* ERR_STATE with KIND_INSTANCE: they are, and it is on none. */
RESULT licence_check_place(struct op *op, uuid account, struct strs licences, enum instance_tenancy tenancy,
			   struct str field);

/* Those of what lay on the disk first; none: nothing is known. */
struct strs licence_of_volume(const struct op *op, const struct volume *volume);
struct strs licence_of_snapshot(const struct op *op, const struct snapshot *snapshot);

/* What follows for bills from a change of an instance or a host (engine_follow()). */
RESULT licence_follow(struct op *op, enum kind kind, const struct row *before, const struct row *after);
