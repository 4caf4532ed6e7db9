/* SPDX-License-Identifier: Apache-2.0
 * TM Forum's Trouble Ticket API (TMF621) over the region's tickets, for desks that call here: versions 4 and 5. A
 * desk shows the token that `dari desk add --inbound` drew, and sees the tickets that it is linked with, without
 * private notes. Sources: TMF621_Trouble_Ticket-v4.0.0.swagger.json, TMF621-Trouble_Ticket-v5.0.1.oas.yaml. ETag,
 * If-Match and the token are additions of Dari: the specification has none. */
#pragma once

#include "api/core/face.h"

extern const struct api_protocol tmf_protocol;

/* "/tmf-api/troubleTicket/v4/…", "…/v5/…". */
bool tmf_has_path(struct str path);
void tmf_write_coverage(struct buf *out);
