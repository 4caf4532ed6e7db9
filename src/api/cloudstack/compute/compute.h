/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/compute/: a virtual machine's object, as its list, its changes and their jobs show it. */
#pragma once

#include "api/cloudstack/core/action.h"

extern const struct api_listing cs_machines;

/* How an instance's row is called and how it is; in the call's arena, or the row's. */
struct str cs_machine_name(struct api_call *e, const struct row *row);
struct str cs_machine_display_name(struct api_call *e, const struct row *row);
struct str cs_machine_state(struct api_call *e, const struct row *row);
