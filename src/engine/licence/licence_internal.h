/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: licences of new resources, and their meters. */
#pragma once

#include "engine/licence/licence.h"
#include "model/instance_words.h"

struct image;
struct volume;
struct snapshot;

/* Applies the wish to the present licences; the result is in the arena. ERR_INVALID with KIND_PRODUCT: a text
 * is not a licence, or there is no such product. ERR_DENIED: the caller may not set it. */
RESULT licence_apply(struct op *op, const struct licences_wish *wish, struct strs before, struct str field,
		     struct strs *ret_licences);
/* Like licence_apply(), with `licences` as the complete new list. */
RESULT licence_replace(struct op *op, struct strs licences, struct strs before, struct str field,
		       struct strs *ret_licences);

struct instance_launch;
/* The licences of a launch: the image's (from; NULL: none), with the launch's overrides. If they require a
 * dedicated host, a launch without a tenancy gets one of the account's; ERR_COMBINATION: the launch has
 * another tenancy. */
RESULT licence_resolve_launch(struct op *op, uuid account, const struct instance_launch *wish,
			      const struct image *from, struct strs *ret_licences, bool *ret_needs_dedicated);

/* True if the account's entitlements for these licences are limited to dedicated hosts. */
bool licence_needs_dedicated(const struct op *op, uuid account, struct strs licences);
/* ERR_STATE with KIND_INSTANCE: the licences require a dedicated host, and the tenancy is another. */
RESULT licence_check_place(struct op *op, uuid account, struct strs licences, enum instance_tenancy tenancy,
			   struct str field);

/* The licences of the image that the disk was created from; empty: unknown. */
struct strs licence_of_volume(const struct op *op, const struct volume *volume);
struct strs licence_of_snapshot(const struct op *op, const struct snapshot *snapshot);

/* Updates the licence meters after a change of an instance or a host (engine_follow()). */
RESULT licence_follow(struct op *op, enum kind kind, const struct row *before, const struct row *after);
