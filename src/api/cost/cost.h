/* SPDX-License-Identifier: Apache-2.0
 * AWS Cost Explorer's API over the region's charges: JSON 1.1, signed. Served on the listener of EC2. Source: AWS Cost Explorer
 * Service, API Reference, 2017-10-25. */
#pragma once

#include "api/core/face.h"

/* The face's protocol, for api_face_new(). */
extern const struct api_protocol cost_protocol;

/* True if a request is signed for Cost Explorer. */
bool cost_has_call(const struct call *call);
/* Writes this face's table of the page about coverage. */
void cost_write_coverage(struct buf *out);
