/* SPDX-License-Identifier: Apache-2.0
 * With whom a row is shared besides its owner: what images and snapshots have alike. */
#pragma once

#include "engine/operation.h"

struct sharing {
	enum choice is_public;
	struct refs add, remove; /* accounts, by number or id */
	bool reset;              /* with nobody, before those are added */
	struct str field;        /* of the quota's message: they are too many */
};
