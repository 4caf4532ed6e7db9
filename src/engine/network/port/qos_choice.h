/* SPDX-License-Identifier: Apache-2.0
 * The QoS policy in a wish for a port or network. */
#pragma once

#include "model/id.h"

/* A wish for the policy of a port or network. */
struct qos_choice {
	bool is_given;
	struct ref policy; /* kind none: no policy */
};
