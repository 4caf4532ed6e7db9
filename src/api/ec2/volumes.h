/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: what volumes and instances say of the same attachment. */
#pragma once

#include "api/ec2/action.h"

/* "attaching", "attached", "detaching", or "detached". */
const char *ec2_volume_attachment(const struct volume *v);
