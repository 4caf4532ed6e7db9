/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/ec2/: reads the resources of an answer of EC2's Describe calls. Pure; any thread. */
#pragma once

#include "drivers/remote/resource_draft.h"

/* ERR_IO, with a sentence: the text is no list of that type, or breaks a limit. */
RESULT ec2_read_resources(struct ctx *c, struct str text, enum remote_resource_type type,
			  struct remote_resource_page *ret_page);
RESULT ec2_list_resources(struct ctx *c, struct remote *r, enum remote_resource_type type, struct str cursor,
			  struct remote_resource_page *ret_page);
RESULT ec2_list_stack(struct ctx *c, struct remote *r, const struct remote_stack *stack, struct str cursor,
		      struct remote_resource_page *ret_page);
