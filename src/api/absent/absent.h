/* SPDX-License-Identifier: Apache-2.0
 * Services of AWS that this region does not have. A client reads only the error format of the service that it
 * called, and retries for ever on another one, so each refusal is written in that format. Served on EC2's listener. */
#pragma once

#include "api/core/face.h"

/* Protocol of the face, for api_face_new(). */
extern const struct api_protocol absent_protocol;

/* True if a request is signed for a service that the region does not have. The signature itself is not verified. */
bool absent_has_call(const struct call *call);
