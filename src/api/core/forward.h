/* SPDX-License-Identifier: Apache-2.0
 * Calls in a process that is not the writer: reads are answered there, all other calls are forwarded to the writer. */
#pragma once

#include "api/core/face.h"

/* Receives the calls that this process does not answer. */
struct api_forward {
	/* Takes over the call, and answers it. asker: whose share of waiting calls it counts against. */
	void (*pass_on)(void *self, struct call *call, uuid asker);
	void *self;
};
/* Handles the call like api_handle_call(), but passes it on unless it is a read that can be answered from rows: also
 * if it fails here, because the writer may know more. */
void api_handle_read(struct api_face *face, struct call *call, const struct api_forward *forward);
/* True if the call is an upload, whose body must not be collected. The call's face_data is then set. */
bool api_is_upload(struct api_face *face, struct call *call);
/* Answers in the face's words that the call must be tried again later. */
void api_refuse_now(struct api_face *face, struct call *call, struct str why);
