/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: stores and checks the restrictions of offerings. */
#pragma once

#include "engine/internal.h"
#include "engine/region/offered.h"

/* Sets a row's fields. ERR_NOT_FOUND; ERR_QUOTA: too many. */
RESULT offered_apply(struct op *op, const struct offered_wish *wish, struct uuids *zones,
		     struct uuids *domains);
/* ERR_UNSUPPORTED of that kind: the named offering is not available in the zone. */
RESULT offered_check_zone(struct op *op, enum kind kind, struct str name, const struct uuids *zones,
			  uuid zone, struct str field);
