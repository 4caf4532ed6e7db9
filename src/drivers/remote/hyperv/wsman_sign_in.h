/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/hyperv/: signs requests in, by NTLM or Basic. */
#pragma once

#include "drivers/remote/hyperv/wsman.h"

/* Sends a request in the open session. UNAUTHENTICATED closes the session. ERR_AGAIN: the connection was lost, and the request
 * may have been carried out. */
RESULT wsman_post(struct wsman_link *l, struct str body, bool only_reads, struct remote_answer *ret_answer);
