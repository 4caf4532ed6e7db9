/* SPDX-License-Identifier: Apache-2.0
 * The other accounts that may use a row: common to images and snapshots. */
#pragma once

#include "engine/operation.h"

struct sharing {
	enum choice is_public;
	struct refs add, remove; /* accounts, by number or id */
	bool reset;              /* clears the list before `add` is applied */
	struct str field;        /* for the message of ERR_QUOTA */
};
