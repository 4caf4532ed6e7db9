/* SPDX-License-Identifier: Apache-2.0
 * Passwords that a face generates for a guest: shown to the caller once, and stored encrypted for the guest. */
#pragma once

#include "api/core/action.h"

/* The wanted password, or a random one if that is empty. */
RESULT api_draw_guest_password(struct api_call *e, struct str *password);
/* For instance.admin_password of an instance of that account. On HTTP threads, as the next. */
RESULT api_seal_guest_password(struct api_call *e, uuid account, struct str password, struct str *ret_sealed);
RESULT api_open_guest_password(struct api_call *e, uuid account, struct str sealed, struct str *ret_password);
