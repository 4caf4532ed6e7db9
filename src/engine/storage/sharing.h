/* SPDX-License-Identifier: Apache-2.0
 * Which accounts may use a row besides its owner: what images and snapshots have in common. */
#pragma once

#include "engine/operation.h"

struct sharing {
	enum choice is_public;
	struct refs add, remove; /* accounts, by number or id */
	bool reset;              /* first shared with nobody, before those are added */
	struct str field;        /* for the message of the quota, if there are too many */
};
