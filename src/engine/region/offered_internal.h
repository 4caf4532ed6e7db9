/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what is offered is kept, and held to. */
#pragma once

#include "engine/internal.h"
#include "engine/region/offered.h"

/* Into a row's fields. ERR_NOT_FOUND; ERR_QUOTA: there are too many. */
RESULT offered_apply(struct op *op, const struct offered_wish *wish, struct uuids *zones,
		     struct uuids *domains);
/* ERR_UNSUPPORTED, of that kind: what has this name is not offered there. */
RESULT offered_check_zone(struct op *op, enum kind kind, struct str name, const struct uuids *zones,
			  uuid zone, struct str field);
