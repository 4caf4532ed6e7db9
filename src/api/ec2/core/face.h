/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/core/: interface between the protocol and the face as a whole. */
#pragma once

#include "api/core/dispatch.h"
#include "api/ec2/core/action.h"
#include "api/ec2/core/errors.h"

struct ec2_face {
	struct api_face core;
	struct ec2_item_cache *item_cache;
};

/* The protocol's open and close. */
bool ec2_open(struct api_face *core);
void ec2_close(struct api_face *core);
/* The protocol's begin: sets the members of the call that belong to the face. */
void ec2_begin_call(struct api_call *core);
/* The protocol's find. */
RESULT ec2_find(struct api_call *core);
