/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/compute/: a virtual machine's object, as its list, its changes and their jobs show it. */
#pragma once

#include "api/cloudstack/core/action.h"

extern const struct api_listing cs_machines;
