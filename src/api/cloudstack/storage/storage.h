/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/storage/: a volume's object, as its list, its changes and their jobs show it. */
#pragma once

#include "api/cloudstack/core/action.h"

extern const struct api_listing cs_volumes;

/* The volume's name, or "ROOT-17" for a disk that came with a machine. */
struct str cs_volume_name(struct api_call *e, const struct row *row);
/* "ROOT" or "DATADISK". */
struct str cs_volume_type(struct api_call *e, const struct row *row);
