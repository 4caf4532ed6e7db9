/* SPDX-License-Identifier: Apache-2.0
 * Services of AWS that this region does not have. A request is signed for one service, and its client reads
 * answers of that service's protocol only: so a refusal has to have that form, or the client asks for ever. On the
 * listener of EC2's. */
#pragma once

#include "api/core/face.h"

/* Protocol of the face, for api_face_new(). */
extern const struct api_protocol absent_protocol;

/* True if a request is signed for a service that the region does not have. The signature itself is not verified. */
bool absent_has_call(const struct call *call);
